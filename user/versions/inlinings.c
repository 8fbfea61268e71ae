// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * What the runtime keeps for RequestReJITWithInliners (dotnet/runtime v9 and v10,
 * src/coreclr/vm/inlinetracking.cpp, crossloaderallocatorhash.h; found by matching live
 * values of 9.0.20 and 10.0.12), a table per module:
 *
 *   +0   → loader allocator of the module
 *   +32  struct runtime_hash of → struct store, or → { 8 bytes; trackers of collectible code;
 *        → struct store }, by the address of the method in the map to MethodDescs
 *
 * It names the function that was compiled, however deep in it the method was inlined.  A
 * method that was given another IL is not inlined any more: it was the original.
 */
#include "version_walk.h"

#include "../../publication/runtime_hash.h"
#include "../base/alloc.h"

#include <errno.h>

#define HASH_OF_INLININGS 32u
#define HASH_MAX	  (1u << 22)
#define PROBES_MAX	  1024u

/* KeyValueStore (crossloaderallocatorhash.h); behind it `capacity` MethodDescs. */
struct store {
	uint64_t type;
	uint32_t capacity;
	uint32_t padding;
	uint64_t key;
};

/* The store of the key, by what a slot holds; 0: that is another key's. */
static int find_store(const struct version_walk *walk, uint64_t entry, uint64_t key,
		      uint64_t *ret_address, struct store *ret_store)
{
	for (int hop = 0; hop < 2; hop++) {
		int err = version_walk__fetch(walk, entry, ret_store, sizeof(*ret_store));

		if (err)
			return err;
		*ret_address = entry;
		if (ret_store->key == key)
			return 0;
		entry = ret_store->key;	/* of trackers: their store */
		if (!entry || entry % sizeof(uint64_t))
			break;
	}
	*ret_address = 0;
	return 0;
}

static int add_inliners(const struct version_walk *walk, uint64_t address,
			const struct store *store)
{
	struct code_versions *versions = walk->versions;

	if (store->capacity > CODE_VERSIONS_MAX)
		return -EBADMSG;
	for (uint32_t i = 0; i < store->capacity; i++) {
		uint64_t inliner;
		int err = version_walk__fetch(walk, address + sizeof(*store) + 8ull * i,
					      &inliner, sizeof(inliner));

		if (err)
			return err;
		/* The last places can be empty, and hold a count. */
		if (inliner < HASH_MAX || inliner % sizeof(uint64_t))
			continue;
		alloc__grow(versions->inliners, versions->inliners_count,
			    versions->inliners_capacity);
		versions->inliners[versions->inliners_count++] = inliner;
	}
	return 0;
}

static int search(const struct version_walk *walk, const struct runtime_hash *hash, uint64_t key)
{
	struct runtime_hash_walk places = runtime_hash__walk(hash, key);
	uint64_t place;

	for (uint32_t i = 0; i < PROBES_MAX && runtime_hash__next_place(hash, &places, &place);
	     i++) {
		uint64_t entry, address, again;
		struct store store;
		int err = version_walk__fetch(walk, place, &entry, sizeof(entry));

		if (err || !entry)
			return err;
		/* One that another thread has just freed makes no sense. */
		err = find_store(walk, entry, key, &address, &store);
		if (err || !address)
			continue;
		err = add_inliners(walk, address, &store);
		if (!err)
			err = version_walk__fetch(walk, place, &again, sizeof(again));
		return err ? err : again == entry ? 0 : -EAGAIN;
	}
	return 0;
}

int version_walk__read_inliners(const struct version_walk *walk)
{
	uint64_t inlinings, allocator, key;
	struct {
		uint64_t allocator;
		uint8_t lock[HASH_OF_INLININGS - 8];
		struct runtime_hash hash;
	} map;
	int err;

	if (!walk->versions->ils_count || !walk->layout->inlinings)
		return 0;
	err = version_walk__find_method(walk, &key);
	if (!err)
		err = version_walk__fetch(walk, walk->module + walk->layout->inlinings,
					  &inlinings, sizeof(inlinings));
	if (err || !inlinings || !key)
		return err;
	err = version_walk__fetch(walk, walk->module + walk->layout->allocator, &allocator,
				  sizeof(allocator));
	if (!err)
		err = version_walk__fetch(walk, inlinings, &map, sizeof(map));
	if (err)
		return err;
	if (map.allocator != allocator || map.hash.size > HASH_MAX ||
	    map.hash.occupied > map.hash.size)
		return -EBADMSG;
	return map.hash.count && map.hash.size > 1 ? search(walk, &map.hash, key) : 0;
}
