// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Layouts of dotnet/runtime v9 and v10 (src/coreclr/vm/method.hpp, codeversion.h, ceeload.h,
 * lookupmap.h), as their DotNetRuntimeContractDescriptor tells them (9.0.20 the Module alone,
 * 10.0.12 all but what is marked *; these and those of 9 found by matching live values):
 *
 *   MethodDesc            +2 chunk index (u8)  +6 flags (u16)  +8 → code data
 *                         behind it, by its kind*: a slot, two words, the default code
 *   chunk of MethodDescs  +0 MethodTable; it lies at MethodDesc - 8 * chunk index - 24
 *   MethodTable           +24 Module
 *   code data             +0 → versioning state, 0: only the default version
 *   versioning state      +8 flags (4: the default version is active)  +16 → native node
 *   Module                two maps by MethodDef, one behind the other: to MethodDescs, to
 *                         IL versioning states
 *                         * 10: +816 → inlinings, +176 loader allocator; 9: +1096, +248
 *   map                   struct map_part below
 *   inlinings*            +0 its module's loader allocator  +32 hash (struct hash) of → struct
 *                         store, or → { 8 bytes; trackers of collectible code; → struct store }
 *                         by the address of the method, as in the map to MethodDescs
 *   IL versioning state   struct il_state below, node: struct il_node
 *
 * Nodes are only ever put in front, and live as long as their method.
 */
#include "code_versions.h"

#include "../base/alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_HEADER	  24u
#define TABLE_MODULE	  24u
#define MAP_BYTES	  32u
#define MAP_PARTS_MAX	  64u
#define KIND_MASK	  0x7u
#define HAS_OWN_SLOT	  0x8u
#define IS_METHOD_IMPL	  0x10u
#define HAS_CODE_SLOT	  0x20u
#define DEFAULT_IS_ACTIVE 0x4u
#define NODE_IS_ACTIVE	  0x1u
#define TIER_OSR	  2u
#define ACTIVE_IS_NODE	  1u
#define STATE_MASK	  0xfu
#define ENTRY_FLAGS	  0x3u	/* of what a map holds: pointers of more bits */
#define TOKEN_ROW	  0xffffffu
#define HASH_OF_INLININGS 32u
#define HASH_MAX	  (1u << 22)
#define PROBES_MAX	  1024u

struct method {
	uint8_t head[2];
	uint8_t chunk_index;
	uint8_t entry_point_flags;
	uint16_t slot;
	uint16_t flags;
	uint64_t code_data;
};
_Static_assert(sizeof(struct method) == 16, "MethodDesc layout");

struct native_node {
	uint64_t code;
	uint64_t method;
	uint64_t rejit_id;
	uint64_t next;
	uint32_t id;		/* * */
	uint32_t tier;		/* * */
	uint8_t patchpoints[12];
	uint32_t flags;
};
_Static_assert(sizeof(struct native_node) == 56, "native node layout");

struct map_part {
	uint64_t next;
	uint64_t entries;
	uint32_t count;
	uint32_t padding;
};

struct il_state {
	uint32_t active_kind;
	uint32_t padding;
	uint64_t active;	/* node, or the module of the original */
	uint64_t active_method;
	uint64_t first;
	uint64_t module;	/* * */
	uint32_t method;	/* * */
	uint32_t padding2;
};
_Static_assert(sizeof(struct il_state) == 48, "IL state layout");

struct il_node {
	uint64_t module;	/* * */
	uint64_t method;	/* * a u32 and padding */
	uint64_t rejit_id;
	uint64_t next;
	uint32_t state;
};

/* SHash (inc/shash.h): the next place of a key is `size - 1` different steps away. */
struct hash {
	uint64_t slots;
	uint32_t size, count, occupied, most;
};

/* KeyValueStore (crossloaderallocatorhash.h); behind it `capacity` MethodDescs. */
struct store {
	uint64_t type;
	uint32_t capacity;
	uint32_t padding;
	uint64_t key;
};

struct walk {
	struct code_versions *versions;
	const struct entry_reader *reader;
	struct code_layout *layout;
	uint64_t function, module;
	uint32_t token;
	struct method method;
};

struct code_layout code_layout__of(unsigned int runtime_major)
{
	struct code_layout layout = { 0 };

	if (runtime_major == 9)
		layout = (struct code_layout){ 688, 1096, 248, false };
	else if (runtime_major == 10)
		layout = (struct code_layout){ 480, 816, 176, false };
	return layout;
}

static int fetch(const struct walk *walk, uint64_t address, void *ret_bytes, size_t size)
{
	if (address % sizeof(uint64_t))
		return -EBADMSG;
	return walk->reader->read(walk->reader->context, address, ret_bytes, size) ? 0 :
										     -EFAULT;
}

/* What a module's map has for the method; 0: nothing. */
static int look_up(const struct walk *walk, uint64_t map, uint64_t *ret_entry)
{
	uint32_t row = walk->token & TOKEN_ROW;

	*ret_entry = 0;
	for (uint32_t i = 0; map && i < MAP_PARTS_MAX; i++) {
		struct map_part part;
		int err = fetch(walk, map, &part, sizeof(part));

		if (err)
			return err;
		if (row < part.count) {
			err = fetch(walk, part.entries + 8ull * row, ret_entry,
				    sizeof(*ret_entry));
			*ret_entry &= ~(uint64_t)ENTRY_FLAGS;
			return err;
		}
		row -= part.count;
		map = part.next;
	}
	return map ? -EBADMSG : 0;
}

static int find_module(struct walk *walk)
{
	uint64_t chunk = walk->function - 8ull * walk->method.chunk_index - CHUNK_HEADER;
	uint64_t table;
	int err = fetch(walk, chunk, &table, sizeof(table));

	return err ? err : fetch(walk, table + TABLE_MODULE, &walk->module,
				 sizeof(walk->module));
}

/*
 * The map in front of the one that we want has the method itself, if it is not a generic
 * one's instance.  One that fits is proof for all: nothing else leads there and back.
 */
static int prove(const struct walk *walk)
{
	uint64_t method;
	int err;

	if (walk->layout->is_proven)
		return 0;
	err = look_up(walk, walk->module + walk->layout->il_map - MAP_BYTES, &method);
	if (err || method != walk->function)
		return -ENOTSUP;
	walk->layout->is_proven = true;
	return 0;
}

static enum ts_il_state state_of(uint32_t state)
{
	static const enum ts_il_state states[] = { TS_IL_REQUESTED, TS_IL_PREPARING,
						   TS_IL_READY };

	state &= STATE_MASK;
	return state < sizeof(states) / sizeof(*states) ? states[state] : TS_IL_UNKNOWN;
}

static void add_il(struct code_versions *versions, const struct il_node *node)
{
	alloc__grow(versions->ils, versions->ils_count, versions->ils_capacity);
	versions->ils[versions->ils_count++] = (struct il_version){
		(uint32_t)node->rejit_id, state_of(node->state) };
}

static bool is_of_method(const struct walk *walk, uint64_t module, uint32_t method)
{
	return module == walk->module && method == walk->token;
}

static int read_il_nodes(const struct walk *walk, const struct il_state *state)
{
	struct code_versions *versions = walk->versions;
	bool found = state->active_kind != ACTIVE_IS_NODE;
	uint64_t next = state->first;

	while (next) {
		struct il_node node;
		int err = fetch(walk, next, &node, sizeof(node));

		if (err)
			return err;
		if (!is_of_method(walk, node.module, (uint32_t)node.method) ||
		    versions->ils_count == CODE_VERSIONS_MAX)
			return -EBADMSG;
		if (state->active_kind == ACTIVE_IS_NODE && next == state->active) {
			versions->active_rejit_id = (uint32_t)node.rejit_id;
			found = true;
		}
		add_il(versions, &node);
		next = node.next;
	}
	return found ? 0 : -EBADMSG;
}

/* `ret_address`: 0, the method has never had another IL. */
static int read_il(const struct walk *walk, uint64_t *ret_address, struct il_state *ret_state)
{
	int err = look_up(walk, walk->module + walk->layout->il_map, ret_address);

	if (err || !*ret_address)
		return err;
	err = fetch(walk, *ret_address, ret_state, sizeof(*ret_state));
	if (err)
		return err;
	if (!is_of_method(walk, ret_state->module, ret_state->method))
		return -EBADMSG;
	return read_il_nodes(walk, ret_state);
}

static void add_native(struct code_versions *versions, const struct native_version *native)
{
	alloc__grow(versions->natives, versions->natives_count,
		    versions->natives_capacity);
	versions->natives[versions->natives_count++] = *native;
}

static int read_native_nodes(const struct walk *walk, uint64_t next)
{
	while (next) {
		struct native_node node;
		int err = fetch(walk, next, &node, sizeof(node));

		if (err)
			return err;
		if (node.method != walk->function ||
		    walk->versions->natives_count == CODE_VERSIONS_MAX)
			return -EBADMSG;
		add_native(walk->versions, &(struct native_version){
			.code = node.code, .rejit_id = (uint32_t)node.rejit_id, .id = node.id,
			.is_osr = node.tier == TIER_OSR,
			.is_active = node.flags & NODE_IS_ACTIVE });
		next = node.next;
	}
	return 0;
}

static int read_default_code(const struct walk *walk, uint64_t *ret_code)
{
	/* Sizes of the kinds: IL, FCall, PInvoke, EEImpl, Array, Instantiated, -, Dynamic. */
	static const uint8_t sizes[] = { 16, 24, 56, 32, 32, 40, 0, 48 };
	uint16_t flags = walk->method.flags;

	*ret_code = 0;
	walk->versions->knows_default_code = flags & HAS_CODE_SLOT;
	if (!(flags & HAS_CODE_SLOT))
		return 0;
	return fetch(walk, walk->function + sizes[flags & KIND_MASK] +
			   (flags & HAS_OWN_SLOT ? 8u : 0) + (flags & IS_METHOD_IMPL ? 16u : 0),
		     ret_code, sizeof(*ret_code));
}

static int read_natives(const struct walk *walk)
{
	struct native_version original = { .is_active = true };
	uint64_t state, first;
	uint32_t flags;
	int err = fetch(walk, walk->method.code_data, &state, sizeof(state));

	if (!err && state) {
		err = fetch(walk, state + 8, &flags, sizeof(flags));
		if (!err)
			err = fetch(walk, state + 16, &first, sizeof(first));
		if (!err)
			err = read_native_nodes(walk, first);
		original.is_active = !err && flags & DEFAULT_IS_ACTIVE;
	}
	if (!err)
		err = read_default_code(walk, &original.code);
	if (!err)
		add_native(walk->versions, &original);
	return err;
}

static void find_active(struct code_versions *versions)
{
	uint32_t at = 0;

	while (at < versions->natives_count &&
	       !(versions->natives[at].is_active &&
		 versions->natives[at].rejit_id == versions->active_rejit_id))
		at++;
	versions->active = at;
}

/* The store of the key, by what a slot holds; 0: that is another key's. */
static int find_store(const struct walk *walk, uint64_t entry, uint64_t key,
		      uint64_t *ret_address, struct store *ret_store)
{
	for (int hop = 0; hop < 2; hop++) {
		int err = fetch(walk, entry, ret_store, sizeof(*ret_store));

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

static int add_inliners(const struct walk *walk, uint64_t address, const struct store *store)
{
	struct code_versions *versions = walk->versions;

	if (store->capacity > CODE_VERSIONS_MAX)
		return -EBADMSG;
	for (uint32_t i = 0; i < store->capacity; i++) {
		uint64_t inliner;
		int err = fetch(walk, address + sizeof(*store) + 8ull * i, &inliner,
				sizeof(inliner));

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

static int search(const struct walk *walk, const struct hash *hash, uint64_t key)
{
	uint32_t at = (uint32_t)key % hash->size;
	uint32_t step = (uint32_t)key % (hash->size - 1) + 1;

	for (uint32_t i = 0; i < hash->size && i < PROBES_MAX; i++) {
		uint64_t entry, address, again;
		struct store store;
		int err = fetch(walk, hash->slots + 8ull * at, &entry, sizeof(entry));

		if (err || !entry)
			return err;
		/* One that another thread has just freed makes no sense. */
		err = find_store(walk, entry, key, &address, &store);
		if (err || !address) {
			at = (at + step) % hash->size;
			continue;
		}
		err = add_inliners(walk, address, &store);
		if (!err)
			err = fetch(walk, hash->slots + 8ull * at, &again, sizeof(again));
		return err ? err : again == entry ? 0 : -EAGAIN;
	}
	return 0;
}

/*
 * What the runtime keeps for RequestReJITWithInliners (vm/inlinetracking.cpp): the method
 * that was compiled, however deep in it the other one is.  A method that has another IL is
 * not inlined any more, so it was the original.
 */
static int read_inliners(const struct walk *walk)
{
	uint64_t inlinings, allocator, key;
	struct {
		uint64_t allocator;
		uint8_t lock[HASH_OF_INLININGS - 8];
		struct hash hash;
	} map;
	int err;

	if (!walk->versions->ils_count)
		return 0;
	err = look_up(walk, walk->module + walk->layout->il_map - MAP_BYTES, &key);
	if (!err)
		err = fetch(walk, walk->module + walk->layout->inlinings, &inlinings,
			    sizeof(inlinings));
	if (err || !inlinings || !key)
		return err;
	err = fetch(walk, walk->module + walk->layout->allocator, &allocator,
		    sizeof(allocator));
	if (!err)
		err = fetch(walk, inlinings, &map, sizeof(map));
	if (err)
		return err;
	if (map.allocator != allocator || map.hash.size > HASH_MAX ||
	    map.hash.occupied > map.hash.size)
		return -EBADMSG;
	return map.hash.count && map.hash.size > 1 ? search(walk, &map.hash, key) : 0;
}

/* Between the two, another IL version may have become the active one. */
static int check_il(const struct walk *walk, uint64_t address, const struct il_state *state)
{
	struct il_state again;
	uint64_t address_again;
	int err = look_up(walk, walk->module + walk->layout->il_map, &address_again);

	if (!err && address_again != address)
		return -EAGAIN;
	if (err || !address)
		return err;
	err = fetch(walk, address, &again, sizeof(again));
	return err ? err : memcmp(&again, state, sizeof(again)) ? -EAGAIN : 0;
}

int code_versions__read(struct code_versions *versions, const struct entry_reader *reader,
			struct code_layout *layout, uint64_t function, uint32_t token)
{
	struct walk walk = { .versions = versions, .reader = reader, .layout = layout,
			     .function = function, .token = token };
	struct il_state state;
	uint64_t address;
	int err;

	if (!layout->il_map)
		return -ENOTSUP;
	versions->natives_count = versions->ils_count = versions->inliners_count = 0;
	versions->active_rejit_id = 0;
	err = fetch(&walk, function, &walk.method, sizeof(walk.method));
	if (!err)
		err = find_module(&walk);
	if (!err)
		err = prove(&walk);
	if (!err)
		err = read_il(&walk, &address, &state);
	if (!err)
		err = read_natives(&walk);
	if (!err && read_inliners(&walk))
		versions->inliners_count = 0;	/* the rest is right all the same */
	if (!err)
		err = check_il(&walk, address, &state);
	if (!err)
		find_active(versions);
	return err;
}

void code_versions__free(struct code_versions *versions)
{
	free(versions->natives);
	free(versions->ils);
	free(versions->inliners);
	*versions = (struct code_versions){ 0 };
}
