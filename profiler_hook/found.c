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

static void describe_version(struct found *found, struct ts_journal_record *draft,
			     uint32_t implementation)
{
	size_t size = draft->size < SHAPE_BYTES ? draft->size : SHAPE_BYTES;
	uint8_t code[SHAPE_BYTES];
	struct native_version version;
	int err =
		versions__find(found->hook, draft->function_id, draft->start, &version);

	if (!err) {
		describe__version(draft, &version);
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
	struct ts_journal_record draft = {
		.flags = TS_RECORD_CATCH_UP,
		.function_id = function,
		.start = start,
		.rejit_id = rejit,
		.osr_il_offset = TS_NO_IL_OFFSET,
	};
	struct ts_journal_record *record;
	uint32_t implementation = 0;
	struct text text;

	if (naming__is_dynamic(function))
		draft.flags |= TS_RECORD_DYNAMIC;
	if (bodies__find(hook, start) || !describe__size(hook, start, &draft.size))
		return;
	naming__function(hook, &found->naming, &draft, false, &text, &implementation);
	describe_version(found, &draft, implementation);
	if (modules__add_body(hook, &draft, &text) == -EEXIST)
		return;
	hook__count(hook, TS_HOOK_CATCH_UP_BODIES);
	/* Who freed it found no record to end. */
	record = found__is_gone(found, function) ? bodies__find(hook, start) : NULL;
	if (record)
		(void)bodies__remove(hook, record, draft.sequence);
}
