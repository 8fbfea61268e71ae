/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Size from GetCodeInfo4, version from its node, tier by the runtime's own rule.
 */
#include "found.h"

#include "bodies.h"
#include "describe.h"
#include "memory.h"
#include "modules.h"
#include "shape.h"
#include "versions.h"

#include <errno.h>

#define FURTHER_MODULES_MAX 16

static void describe_version(struct found *found, struct ts_journal_record *draft,
			     uint32_t implementation)
{
	size_t size = draft->size < SHAPE_BYTES ? draft->size : SHAPE_BYTES;
	uint8_t code[SHAPE_BYTES];
	struct native_version version;
	int err =
		versions__find(found->hook, draft->function_id, draft->start, &version);

	if (!err) {
		draft->rejit_id = version.rejit_id;
		draft->native_version = version.native_version;
		draft->tier = version.tier;
		draft->osr_il_offset = version.osr_il_offset;
	} else if (err == -ENOENT || (draft->flags & TS_RECORD_DYNAMIC)) {
		draft->tier = tiers__of_default(found->hook, &found->tiers,
						draft->function_id, draft->module_id,
						implementation);
	}
	if (draft->tier == TS_TIER_UNKNOWN)
		draft->flags |= TS_RECORD_TIER_UNKNOWN;
	if (memory__read(code, draft->start, size))
		hook__count(found->hook, TS_HOOK_API_FAILED);
	else
		describe__shape(found->hook, draft, err ? NULL : &version, code, size);
}

void found__body(struct found *found, function_id function, uint64_t start,
		 uint32_t rejit)
{
	struct hook *hook = found->hook;
	module_id further[FURTHER_MODULES_MAX];
	struct ts_journal_record draft = {
		.flags = TS_RECORD_CATCH_UP,
		.function_id = function,
		.start = start,
		.rejit_id = rejit,
		.osr_il_offset = TS_NO_IL_OFFSET,
	};
	unsigned int further_count = 0;
	uint32_t implementation = 0;
	uint64_t sequence;
	struct text text;
	int err;

	if (naming__is_dynamic(function))
		draft.flags |= TS_RECORD_DYNAMIC;
	if (bodies__find(hook, start) || !describe__size(hook, start, &draft.size))
		return;
	naming__function(hook, &found->naming, &draft, &text, &implementation);
	if (draft.flags & TS_RECORD_GENERIC)
		further_count = modules__of_arguments(hook, function, draft.module_id,
						      FURTHER_MODULES_MAX, further);
	if (further_count || modules__is_collectible(hook, draft.module_id))
		draft.flags |= TS_RECORD_COLLECTIBLE;
	describe_version(found, &draft, implementation);
	err = bodies__add(hook, &draft, &text, &sequence);
	if (err != -EEXIST)
		hook__count(hook, TS_HOOK_CATCH_UP_BODIES);
	for (unsigned int i = 0; !err && i < further_count; i++)
		modules__link(hook, further[i], start, sequence);
}
