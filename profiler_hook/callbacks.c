/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * A callback names the function that was compiled, not the body.  The body is the one
 * among the function's code addresses that is not known yet; where two threads compile
 * two versions of a function at once, the first to come here takes in both, before
 * either is published.
 */
#include "callbacks.h"

#include "bodies.h"
#include "describe.h"
#include "found.h"
#include "modules.h"
#include "naming.h"
#include "shape.h"
#include "tiers.h"
#include "versions.h"

#include <errno.h>

#define BODIES_MAX 64u

bool callbacks__can_replace_events(const struct hook *hook)
{
	return hook->runtime_major == 9 || hook->runtime_major == 10;
}

hresult callbacks__start(struct hook *hook, bool bodies)
{
	uint32_t low = MONITOR_CACHE_SEARCHES;
	uint32_t high = 0;
	hresult result;

	if (bodies) {
		low |= MONITOR_JIT_COMPILATION | MONITOR_MODULE_LOADS;
		high |= HIGH_MONITOR_DYNAMIC_UNLOADS;
	}
	result = hook->info->table->set_event_mask2(hook->info, low, high);
	if (!hook__failed(hook, result) && bodies)
		__atomic_store_n(&hook->journal.header->source, TS_SOURCE_CALLBACKS,
				 __ATOMIC_RELEASE);
	return result;
}

hresult callbacks__leave_to_session(struct hook *hook)
{
	hresult result = hook->info->table->set_event_mask2(hook->info,
							    MONITOR_CACHE_SEARCHES, 0);

	if (!hook__failed(hook, result))
		__atomic_store_n(&hook->journal.header->source, TS_SOURCE_SESSION,
				 __ATOMIC_RELEASE);
	return result;
}

/* What the function's name brings with it, in one place with its buffers. */
struct named {
	struct naming *naming; /* NULL: the draft has its text already, or has none */
	struct text text;
	uint32_t implementation; /* METHOD_IMPLEMENTATION_* */
};

static void name(struct hook *hook, struct ts_journal_record *draft,
		 struct named *named)
{
	named->naming = NULL;
	named->implementation = 0;
	if (bodies__share_text(hook, draft))
		return;
	named->naming = naming__take(hook);
	if (named->naming) {
		naming__function(hook, named->naming, draft, true, &named->text,
				 &named->implementation);
		return;
	}
	hook__count(hook, TS_HOOK_TEXT_OVERFLOW);
	naming__module(hook, draft);
}

static void describe_version(struct hook *hook, struct ts_journal_record *draft,
			     const struct native_version *version,
			     uint32_t implementation)
{
	if (version) {
		describe__version(draft, version);
	} else {
		draft->tier = tiers__of_new(hook, draft->function_id, draft->module_id,
					    implementation);
	}
	if (draft->tier == TS_TIER_UNKNOWN)
		draft->flags |= TS_RECORD_TIER_UNKNOWN;
	/* The runtime holds this code for its caller right now: see deliver.c. */
	describe__shape(hook, draft, version, (const uint8_t *)(uintptr_t)draft->start,
			draft->size < SHAPE_BYTES ? draft->size : SHAPE_BYTES);
}

static void take_in(struct hook *hook, struct ts_journal_record *draft,
		    const struct native_version *version)
{
	struct named named;

	name(hook, draft, &named);
	describe_version(hook, draft, version, named.implementation);
	(void)modules__add_body(hook, draft, named.naming ? &named.text : NULL);
	naming__give_back(hook, named.naming);
}

/*
 * The body that starts there, unless it is known or precompiled.  `only`: it is the
 * function's only one, so it was compiled this moment and is the default version.
 */
static void consider(struct hook *hook, function_id function, uint64_t start,
		     bool dynamic, bool only)
{
	struct ts_journal_record draft = {
		.flags = dynamic ? TS_RECORD_DYNAMIC : 0,
		.function_id = function,
		.start = start,
		.osr_il_offset = TS_NO_IL_OFFSET,
	};
	struct ts_journal_record *record = bodies__find(hook, start);
	struct native_version version;
	int err = -ENOENT;

	if (record && record->function_id == function)
		return;
	if (!only) {
		err = versions__find_live(hook, function, start, 0, &version);
		if (err == -ENOENT && (images__hold(&hook->images, start) ||
				       !found__is_jitted(function, start)))
			return;
		if (err && err != -ENOENT) {
			hook__count(hook, TS_HOOK_API_FAILED);
			draft.flags |= TS_RECORD_TIER_UNKNOWN;
		}
	}
	if (describe__size(hook, start, &draft.size))
		take_in(hook, &draft, err ? NULL : &version);
}

void callbacks__compiled(struct hook *hook, function_id function, bool dynamic)
{
	uintptr_t starts[BODIES_MAX];
	uint32_t count = 0;

	hook__count(hook, TS_HOOK_CALLBACKS);
	/* The default version's comes first, then the newest. */
	if (hook__failed(hook,
			 hook->info->table->get_native_code_start_addresses(
				 hook->info, function, 0, BODIES_MAX, &count, starts)))
		return;
	for (uint32_t i = 0; i < count && i < BODIES_MAX; i++)
		consider(hook, function, starts[i], dynamic, count == 1);
}

void callbacks__dynamic_unloaded(struct hook *hook, function_id function)
{
	struct ts_journal_record *record = bodies__find_dynamic(hook, function);

	if (record)
		deliver__method_unloaded(hook, function, record->start);
}
