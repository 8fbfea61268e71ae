/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * What an event or an enumeration does not say about a body.
 */
#include "describe.h"

#include "memory.h"
#include "shape.h"

#define BODIES_MAX  64
#define REGIONS_MAX 4

bool describe__size(struct hook *hook, uint64_t start, uint32_t *ret_size)
{
	struct code_info regions[REGIONS_MAX];
	uint32_t count = 0;

	if (hook__failed(hook, hook->info->table->get_code_info4(hook->info, start,
								 REGIONS_MAX, &count,
								 regions)))
		return false;
	/* Jitted code is one region; an address inside a body is no start. */
	if (!count || regions[0].start != start || !regions[0].size ||
	    regions[0].size > UINT32_MAX)
		return false;
	*ret_size = (uint32_t)regions[0].size;
	return true;
}

void describe__version(struct ts_journal_record *draft,
		       const struct native_version *version)
{
	draft->rejit_id = version->rejit_id;
	draft->native_version = version->native_version;
	draft->tier = version->tier;
	draft->osr_il_offset = version->osr_il_offset;
}

static bool has_original_il(struct hook *hook, function_id function, uint64_t start)
{
	uintptr_t starts[BODIES_MAX];
	uint32_t count = 0;

	if (hook__failed(hook,
			 hook->info->table->get_native_code_start_addresses(
				 hook->info, function, 0, BODIES_MAX, &count, starts)))
		return false;
	for (uint32_t i = 0; i < count && i < BODIES_MAX; i++) {
		if (starts[i] == start)
			return true;
	}
	return false;
}

/*
 * The ReJITID of a version other than the default one: from the version's node,
 * which names its method, code and id, so that a wrong layout is not believed;
 * else from the interface, which before 10 only tells 0 from others here.
 */
void describe__rejit_id(struct hook *hook, struct ts_journal_record *draft,
			const struct native_version *version)
{
	function_id function;
	rejit_id rejit;

	if (version) {
		draft->rejit_id = version->rejit_id;
		return;
	}
	if (hook->runtime_major >= 10 &&
	    !hook__failed(hook, hook->info->table->get_function_from_ip3(
					hook->info, draft->start, &function, &rejit)) &&
	    function == draft->function_id)
		draft->rejit_id = (uint32_t)rejit;
	else if (!has_original_il(hook, draft->function_id, draft->start))
		draft->flags |= TS_RECORD_REJIT_UNKNOWN;
}

/* On 8, and wherever nodes cannot be read: from the tier-0 body's own prolog. */
static uint32_t tier0_frame_bytes(struct hook *hook, function_id function)
{
	uint32_t bytes = SHAPE_FRAME_UNKNOWN;
	uintptr_t starts[BODIES_MAX];
	uint8_t code[SHAPE_BYTES];
	uint32_t count = 0;

	/* The default version's body comes first. */
	if (!hook__failed(hook, hook->info->table->get_native_code_start_addresses(
					hook->info, function, 0, BODIES_MAX, &count,
					starts)) &&
	    count && !memory__read(code, starts[0], sizeof(code)))
		(void)shape__decode(code, sizeof(code), &bytes);
	return bytes;
}

void describe__shape(struct hook *hook, struct ts_journal_record *draft,
		     const struct native_version *version, const uint8_t *code,
		     size_t size)
{
	uint32_t frame_bytes;

	if (draft->tier != TS_TIER_1_OSR) {
		draft->shape = shape__decode(code, size, NULL);
		return;
	}
	frame_bytes = version ? version->tier0_frame_bytes : SHAPE_FRAME_UNKNOWN;
	if (frame_bytes == SHAPE_FRAME_UNKNOWN)
		frame_bytes = tier0_frame_bytes(hook, draft->function_id);
	draft->shape = shape__decode_osr(code, size, frame_bytes);
}
