// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Layouts of dotnet/runtime v8 to v10 (src/coreclr/vm/method.hpp, codeversion.h, ceeload.h,
 * lookupmap.h), as their DotNetRuntimeContractDescriptor tells them (9.0.20 the Module alone,
 * 10.0.12 all but what is marked *; these and those of 8 and 9 found by matching live values):
 *
 *   MethodDesc            publication/runtime_layout.h, and so are native nodes
 *                         behind it, by its kind*: a slot, two words, the default code
 *   chunk of MethodDescs  +0 MethodTable; it lies at MethodDesc - 8 * chunk index - 24
 *   MethodTable           +24 Module
 *   code data             +0 → versioning state, 0: only the default version
 *   versioning state      +8 flags (4: the default version is active)  +16 → native node
 *   Module                two maps by MethodDef: to MethodDescs, to IL versioning states
 *                         * 10: +816 → inlinings, +176 loader allocator; 9: +1096, +248;
 *                         8: +1344, +248
 *   map                   struct map_part in version_walk.c
 *   inlinings*            see inlinings.c
 *   IL versioning state   struct il_state below, node: struct il_node
 *
 * On 8 a MethodDesc has no code data, and the rest 8 bytes earlier, and a Module no map to IL
 * versioning states; these, and the state of a function, are found in other ways: see
 * domain_states.c.  States and nodes are the same.
 *
 * Nodes are only ever put in front, and live as long as their method.
 */
#include "version_walk.h"

#include "../base/alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_MODULE	  24u
#define KIND_MASK	  0x7u
#define IS_METHOD_IMPL	  0x10u
#define HAS_CODE_SLOT	  0x20u
#define DEFAULT_IS_ACTIVE 0x4u
#define NODE_IS_ACTIVE	  0x1u
#define TIER_OSR	  2u
#define ACTIVE_IS_NODE	  1u
#define STATE_MASK	  0xfu
#define INLINERS_ATTEMPTS 3u

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

struct code_layout code_layout__of(unsigned int runtime_major)
{
	struct code_layout layout = { 0 };

	if (runtime_major == 8)
		layout = (struct code_layout){ .methods = 784, .inlinings = 1344,
					       .allocator = 248,
					       .assembly = RUNTIME_8_ASSEMBLY,
					       .il_states = RUNTIME_8_IL_STATES,
					       .states = RUNTIME_8_STATES };
	else if (runtime_major == 9)
		layout = (struct code_layout){ .methods = 656, .il_map = 688,
					       .inlinings = 1096, .allocator = 248 };
	else if (runtime_major == 10)
		layout = (struct code_layout){ .methods = 448, .il_map = 480,
					       .inlinings = 816, .allocator = 176 };
	layout.is_known = runtime_major >= 8 && runtime_major <= 10;
	return layout;
}

static int find_module(struct version_walk *walk)
{
	uint64_t chunk = runtime_method__chunk(&walk->method, walk->function);
	uint64_t table;
	int err;

	if (walk->layout->states)
		return domain_states__find_domain(walk);
	err = version_walk__fetch(walk, chunk, &table, sizeof(table));

	return err ? err : version_walk__fetch(walk, table + TABLE_MODULE, &walk->module,
					       sizeof(walk->module));
}

/*
 * The map to MethodDescs has the method itself, if it is not a generic one's instance.  One
 * that fits is proof for all that is found by way of the module: nothing else leads there and
 * back.  On 8 that is who has inlined what; the rest is proven by a state that names its method.
 */
static int prove(const struct version_walk *walk)
{
	struct code_layout *layout = walk->layout;
	uint64_t method;

	if (!layout->knows_methods && !version_walk__find_method(walk, &method) &&
	    method == walk->function)
		layout->knows_methods = true;
	if (layout->states)
		return 0;
	layout->is_proven = layout->knows_methods;
	return layout->is_proven ? 0 : -ENOTSUP;
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

static bool is_of_method(const struct version_walk *walk, uint64_t module, uint32_t method)
{
	return module == walk->module && method == walk->token;
}

static int read_il_nodes(const struct version_walk *walk, const struct il_state *state)
{
	struct code_versions *versions = walk->versions;
	bool found = state->active_kind != ACTIVE_IS_NODE;
	uint64_t next = state->first;

	while (next) {
		struct il_node node;
		int err = version_walk__fetch(walk, next, &node, sizeof(node));

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

static int find_il(const struct version_walk *walk, uint64_t *ret_address, uint64_t *ret_place)
{
	*ret_place = 0;
	return walk->layout->states ? domain_states__find_il(walk, ret_address) :
				      version_walk__find_il(walk, ret_address, ret_place);
}

/* `ret_address`: 0, the method has never had another IL. */
static int read_il(const struct version_walk *walk, uint64_t *ret_address,
		   uint64_t *ret_place, struct il_state *ret_state)
{
	int err = find_il(walk, ret_address, ret_place);

	if (err || !*ret_address)
		return err;
	err = version_walk__fetch(walk, *ret_address, ret_state, sizeof(*ret_state));
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

static int read_native_nodes(const struct version_walk *walk, uint64_t next)
{
	while (next) {
		struct runtime_native_node node;
		int err = version_walk__fetch(walk, next, &node, sizeof(node));

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

static int read_default_code(const struct version_walk *walk, uint64_t *ret_code)
{
	/* Sizes of the kinds: IL, FCall, PInvoke, EEImpl, Array, Instantiated, -, Dynamic. */
	static const uint8_t sizes[] = { 16, 24, 56, 32, 32, 40, 0, 48 };
	uint16_t flags = walk->method.flags;
	uint64_t end = walk->function + sizes[flags & KIND_MASK] -
		       (walk->layout->states ? sizeof(walk->method.code) : 0);

	*ret_code = 0;
	walk->versions->knows_default_code = flags & HAS_CODE_SLOT;
	if (!(flags & HAS_CODE_SLOT))
		return 0;
	return version_walk__fetch(walk, end + (flags & METHOD_HAS_OWN_SLOT ? 8u : 0) +
				   (flags & IS_METHOD_IMPL ? 16u : 0),
				   ret_code, sizeof(*ret_code));
}

static int read_natives(const struct version_walk *walk)
{
	struct native_version original = { .is_active = true };
	struct {
		uint32_t flags, padding;
		uint64_t first;
	} versioning;
	uint64_t state;
	int err = walk->layout->states ?
		  domain_states__find(walk, &state) :
		  version_walk__fetch(walk, walk->method.code, &state, sizeof(state));

	if (!err && state) {
		err = version_walk__fetch(walk, state + 8, &versioning, sizeof(versioning));
		if (!err)
			err = read_native_nodes(walk, versioning.first);
		original.is_active = !err && versioning.flags & DEFAULT_IS_ACTIVE;
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

/* Between the two, another IL version may have become the active one. */
static int check_il(const struct version_walk *walk, uint64_t address, uint64_t place,
		    const struct il_state *state)
{
	struct il_state again;
	uint64_t address_again = 0;
	int err = 0;

	if (place)
		err = version_walk__read_entry(walk, place, &address_again);
	else if (walk->layout->states)
		err = domain_states__find_il(walk, &address_again);
	if (!err && address_again != address)
		return -EAGAIN;
	if (err || !address)
		return err;
	err = version_walk__fetch(walk, address, &again, sizeof(again));
	return err ? err : memcmp(&again, state, sizeof(again)) ? -EAGAIN : 0;
}

/* Without them the rest is right all the same. */
static void read_inliners(const struct version_walk *walk)
{
	int err = -EAGAIN;

	for (unsigned int i = 0; err == -EAGAIN && i < INLINERS_ATTEMPTS; i++) {
		walk->versions->inliners_count = 0;
		err = version_walk__read_inliners(walk);
	}
	if (err)
		walk->versions->inliners_count = 0;
}

int code_versions__read(struct code_versions *versions, const struct entry_reader *reader,
			struct code_layout *layout, uint64_t function, uint64_t module,
			uint32_t token)
{
	struct version_walk walk = { .versions = versions, .reader = reader, .layout = layout,
				     .function = function, .module = module, .token = token };
	struct il_state state;
	uint64_t address, place;
	int err;

	if (!layout->is_known)
		return -ENOTSUP;
	versions->natives_count = versions->ils_count = versions->inliners_count = 0;
	versions->active_rejit_id = 0;
	err = version_walk__fetch(&walk, function, &walk.method, sizeof(walk.method));
	if (!err)
		err = find_module(&walk);
	if (!err)
		err = prove(&walk);
	if (!err)
		err = read_il(&walk, &address, &place, &state);
	if (!err)
		err = read_natives(&walk);
	if (!err)
		read_inliners(&walk);
	if (!err)
		err = check_il(&walk, address, place, &state);
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
