// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * What the runtime keeps for RequestReJITWithInliners (dotnet/runtime v8 to v10,
 * src/coreclr/vm/inlinetracking.cpp, crossloaderallocatorhash.h: native memory since v7, no
 * objects that a GC would move; found by matching live values of 8.0.31, 9.0.20 and
 * 10.0.12), a table per module:
 *
 *   +0   → loader allocator of the module
 *   +32  struct runtime_hash of → struct store, or → { 8 bytes; trackers of collectible code;
 *        → struct store }, by the address of the method in the map to MethodDescs
 *
 * It names the function that was compiled, however deep in it the method was inlined.  A
 * method that was given another IL is not inlined any more: it was the original.
 *
 * The runtime frees a store, and the table, when it makes a larger one.  What was read of
 * them counts if the way to it is the same afterwards.
 */
#include "version_walk.h"

#include "../../publication/runtime_hash.h"
#include "../base/alloc.h"

#include <errno.h>
#include <string.h>

#define HASH_OF_INLININGS 32u
#define HASH_MAX	  (1u << 22)
#define PROBES_MAX	  1024u
#define VALUES_AT_ONCE	  64u
#define ADDRESS_MIN	  (1ull << 22)
#define ADDRESS_MAX	  ((1ull << 47) - 1)

/* KeyValueStore (crossloaderallocatorhash.h); behind it `capacity` MethodDescs. */
struct store {
	uint64_t type;
	uint32_t capacity;
	uint32_t padding;
	uint64_t key;
};

struct table {
	uint64_t address;
	struct {
		uint64_t allocator;
		uint8_t trackers[HASH_OF_INLININGS - 8]; /* of collectible code */
		struct runtime_hash hash;
	} map;
};

static bool is_address(uint64_t word)
{
	return word >= ADDRESS_MIN && word <= ADDRESS_MAX && word % sizeof(uint64_t) == 0;
}

/* The store of the key, by what a slot holds; 0: that is another key's. */
static int find_store(const struct version_walk *walk, uint64_t entry, uint64_t key,
		      uint64_t *ret_address, struct store *ret_store)
{
	struct store first;
	int err = version_walk__fetch(walk, entry, &first, sizeof(first));

	if (err)
		return err;
	*ret_address = 0;
	if (first.key == key) {
		*ret_address = entry;
		*ret_store = first;
		return 0;
	}
	/* Of trackers it is their store, of a store another method, which has no type. */
	if (!is_address(first.key))
		return 0;
	err = version_walk__fetch(walk, first.key, ret_store, sizeof(*ret_store));
	if (!err && ret_store->key == key && is_address(ret_store->type) &&
	    ret_store->type != first.type)
		*ret_address = first.key;
	return err;
}

static int add_inliners(const struct version_walk *walk, uint64_t address,
			const struct store *store)
{
	struct code_versions *versions = walk->versions;
	uint64_t values[VALUES_AT_ONCE];
	uint32_t count;

	if (store->capacity > CODE_VERSIONS_MAX)
		return -EBADMSG;
	address += sizeof(*store);
	for (uint32_t done = 0; done < store->capacity; done += count) {
		int err;

		count = store->capacity - done;
		if (count > VALUES_AT_ONCE)
			count = VALUES_AT_ONCE;
		err = version_walk__fetch(walk, address + 8ull * done, values, 8ull * count);
		if (err)
			return err;
		for (uint32_t i = 0; i < count; i++) {
			/* The last places can be empty, and hold a count. */
			if (!is_address(values[i]))
				continue;
			alloc__grow(versions->inliners, versions->inliners_count,
				    versions->inliners_capacity);
			versions->inliners[versions->inliners_count++] = values[i];
		}
	}
	return 0;
}

/* Whether table, slot and store still lead to what was read. */
static int check_way(const struct version_walk *walk, const struct table *table,
		     uint64_t place, uint64_t entry, uint64_t address,
		     const struct store *store)
{
	uint64_t entry_again, address_again;
	struct runtime_hash hash;
	struct store store_again;
	int err = version_walk__fetch(walk, table->address + HASH_OF_INLININGS, &hash,
				      sizeof(hash));

	if (!err && hash.slots != table->map.hash.slots)
		return -EAGAIN;
	if (!err)
		err = version_walk__fetch(walk, place, &entry_again, sizeof(entry_again));
	if (!err && entry_again != entry)
		return -EAGAIN;
	if (!err)
		err = find_store(walk, entry, store->key, &address_again, &store_again);
	if (err)
		return err;
	return address_again != address || memcmp(&store_again, store, sizeof(*store)) ?
	       -EAGAIN : 0;
}

static int search(const struct version_walk *walk, const struct table *table, uint64_t key)
{
	const struct runtime_hash *hash = &table->map.hash;
	struct runtime_hash_walk places = runtime_hash__walk(hash, key);
	uint64_t place;

	for (uint32_t i = 0; i < PROBES_MAX && runtime_hash__next_place(hash, &places, &place);
	     i++) {
		uint64_t entry, address;
		struct store store;
		int err = version_walk__fetch(walk, place, &entry, sizeof(entry));

		if (err || !entry)
			return err;
		/* One that another thread has just freed makes no sense. */
		err = find_store(walk, entry, key, &address, &store);
		if (err || !address)
			continue;
		err = add_inliners(walk, address, &store);
		return err ? err : check_way(walk, table, place, entry, address, &store);
	}
	return 0;
}

int version_walk__read_inliners(const struct version_walk *walk)
{
	uint64_t allocator, key;
	struct table table;
	int err;

	if (!walk->versions->ils_count || !walk->layout->knows_methods)
		return 0;
	err = version_walk__find_method(walk, &key);
	if (!err)
		err = version_walk__fetch(walk, walk->module + walk->layout->inlinings,
					  &table.address, sizeof(table.address));
	if (err || !table.address || !key)
		return err;
	err = version_walk__fetch(walk, walk->module + walk->layout->allocator, &allocator,
				  sizeof(allocator));
	if (!err)
		err = version_walk__fetch(walk, table.address, &table.map, sizeof(table.map));
	if (err)
		return err;
	if (table.map.allocator != allocator ||
	    !runtime_hash__is_plausible(&table.map.hash, HASH_MAX))
		return -EBADMSG;
	return table.map.hash.count ? search(walk, &table, key) : 0;
}
