/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Layouts of dotnet/runtime v8.0, v9.0 and v10.0 (src/coreclr/vm/method.hpp,
 * codeversion.h, inc/patchpointinfo.h), the same in all but where said:
 *
 *   MethodDesc             +8  → code data
 *   code data              +0  → versioning state
 *   versioning state      +16  → first node
 *   native version node         struct runtime_native_node below, newest first
 *   patchpoint info       +20  i32 size of the tier-0 frame (8, 9: +12)
 *
 * On 8 a MethodDesc does not know its state; all are in a hash of the application
 * domain (offsets of 8.0.31; its key is the method):
 *
 *   Module               +296  → assembly, which starts with → application domain
 *   application domain  +2520  struct runtime_hash
 *   an element                 versioning state, which starts with → MethodDesc
 *
 * Nodes are only ever put in front and never freed while the method lives, so
 * a walk that tolerates a stale head is safe.  Each node names its method; one
 * that names another means that the layout is not this one.
 */
#include "versions.h"

#include "hash_reader.h"
#include "memory.h"
#include "shape.h"

#include "../abi/body.h"
#include "../publication/runtime_layout.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define ADDRESS_LEAST 65536u
#define ADDRESS_LIMIT (1ull << 47)
#define NODES_MAX     4096 /* a method rejitted a thousand times has that many */
#define STATES_MAX    (1u << 24)

/* NativeCodeVersion::OptimizationTier (codeversion.h) to the events' numbers. */
static uint32_t event_tier(uint32_t tier)
{
	static const uint32_t tiers[] = {TS_TIER_QUICK,
					 TS_TIER_1,
					 TS_TIER_1_OSR,
					 TS_TIER_OPTIMIZED,
					 TS_TIER_QUICK_INSTRUMENTED,
					 TS_TIER_1_INSTRUMENTED};

	return tier < sizeof(tiers) / sizeof(tiers[0]) ? tiers[tier] : TS_TIER_UNKNOWN;
}

/* `plain`: by a load; the caller knows that a pointer of the runtime lies there. */
static int fetch(bool plain, void *ret_bytes, uint64_t address, size_t size)
{
	if (address < ADDRESS_LEAST || address >= ADDRESS_LIMIT || address % 8)
		return address ? -EBADMSG : -ENOENT;
	if (!plain)
		return memory__read(ret_bytes, address, size);
	memcpy(ret_bytes, (const void *)(uintptr_t)address, size);
	return 0;
}

static bool read_states(uint64_t address, struct runtime_hash *ret_states)
{
	return !fetch(false, ret_states, address, sizeof(*ret_states)) &&
	       ret_states->size > 1 &&
	       runtime_hash__is_plausible(ret_states, STATES_MAX);
}

void versions__prepare(struct hook *hook, module_id module)
{
	uint64_t assembly, domain;
	struct runtime_hash states;

	if (hook->runtime_major != 8 || !module ||
	    __atomic_load_n(&hook->states_hash, __ATOMIC_RELAXED))
		return;
	if (!fetch(false, &assembly, module + RUNTIME_8_ASSEMBLY, sizeof(assembly)) &&
	    !fetch(false, &domain, assembly, sizeof(domain)) &&
	    read_states(domain + RUNTIME_8_STATES, &states))
		__atomic_store_n(&hook->states_hash, domain + RUNTIME_8_STATES,
				 __ATOMIC_RELAXED);
}

/* A slot that was freed meanwhile names no method of ours, or names it rightly. */
static int look_up(const struct runtime_hash *states, function_id function,
		   uint64_t *ret_node)
{
	struct runtime_hash_walk walk = runtime_hash__walk(states, function);
	uint64_t element, state[3];
	int found;

	while ((found = hash_reader__next(states, &walk, &element)) > 0) {
		int err = fetch(false, state, element, sizeof(state));

		if (err)
			return err;
		if (state[0] == function) {
			*ret_node = state[2];
			return 0;
		}
	}
	return found ? found : -ENOENT;
}

static int first_node_of_8(struct hook *hook, function_id function, uint64_t *ret_node)
{
	uint64_t address = __atomic_load_n(&hook->states_hash, __ATOMIC_RELAXED);
	struct runtime_hash states, again;
	int err = -ENOTSUP;

	/* The hash moves when it grows: then it is searched again, a few times. */
	for (int attempt = 0; address && attempt < 3; attempt++) {
		if (!read_states(address, &states))
			return -EBADMSG;
		err = look_up(&states, function, ret_node);
		if (!err ||
		    (read_states(address, &again) && again.slots == states.slots))
			return err;
		err = -EAGAIN;
	}
	return err;
}

static int first_node(bool plain, function_id function, uint64_t *ret_node)
{
	uint64_t code_data, state;
	int err = fetch(plain, &code_data, function + 8, sizeof(code_data));

	if (!err)
		err = fetch(plain, &state, code_data, sizeof(state));
	if (!err) /* a method of one version has no state */
		err = state ? fetch(plain, ret_node, state + 16, sizeof(*ret_node))
			    : -ENOENT;
	return err;
}

static uint32_t tier0_frame_bytes(const struct hook *hook, uint64_t patchpoints)
{
	uint64_t offset = hook->runtime_major >= 10 ? 20 : 12;
	uint32_t bytes;

	if (!patchpoints || memory__read(&bytes, patchpoints + offset, sizeof(bytes)))
		return SHAPE_FRAME_UNKNOWN;
	return bytes;
}

static void describe(const struct hook *hook, const struct runtime_native_node *node,
		     struct native_version *ret_version)
{
	bool osr = event_tier(node->tier) == TS_TIER_1_OSR;

	ret_version->rejit_id = (uint32_t)node->rejit_id;
	ret_version->native_version = node->id;
	ret_version->tier = event_tier(node->tier);
	ret_version->osr_il_offset = osr ? node->il_offset : TS_NO_IL_OFFSET;
	ret_version->tier0_frame_bytes =
		osr ? tier0_frame_bytes(hook, node->patchpoints) : SHAPE_FRAME_UNKNOWN;
}

static int find(struct hook *hook, bool plain, function_id function, uint64_t start,
		struct native_version *ret_version)
{
	struct runtime_native_node node;
	uint64_t next;
	int err;

	if (hook->runtime_major < 8 || hook->runtime_major > 10)
		return -ENOTSUP;
	err = hook->runtime_major == 8 ? first_node_of_8(hook, function, &next)
				       : first_node(plain, function, &next);
	for (int i = 0; !err && i < NODES_MAX; i++) {
		err = fetch(plain, &node, next, sizeof(node));
		if (err)
			break;
		if (node.method != function)
			return -EBADMSG;
		if (node.code == start) {
			describe(hook, &node, ret_version);
			return 0;
		}
		next = node.next;
	}
	return err ? err : -EBADMSG;
}

int versions__find(struct hook *hook, function_id function, uint64_t start,
		   struct native_version *ret_version)
{
	return find(hook, false, function, start, ret_version);
}

int versions__find_live(struct hook *hook, function_id function, uint64_t start,
			uint32_t version, struct native_version *ret_version)
{
	bool proven = __atomic_load_n(&hook->nodes_proven, __ATOMIC_RELAXED);
	int err = find(hook, proven, function, start, ret_version);
	bool right;

	if (err)
		return err;
	right = version ? ret_version->native_version == version
			: ret_version->native_version &&
				  ret_version->tier != TS_TIER_UNKNOWN;
	if (!right)
		return -EBADMSG;
	if (!proven)
		__atomic_store_n(&hook->nodes_proven, 1, __ATOMIC_RELAXED);
	return 0;
}
