/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The session is open before anything here runs, so nothing is missed: what is
 * compiled from now on arrives by event, what was compiled before is found here,
 * and what is both is listed once (bodies.h).
 *
 *   modules        EnumModules
 *   methods        EnumJITedFunctions2, GetNativeCodeStartAddresses
 *   all the rest   found_code.c: dynamic methods and IL stubs are in no
 *                  enumeration, but their code lies in the runtime's code heaps
 *
 * An unload during the catch-up may come before the catch-up lists the body, which
 * would then live for ever.  So unloads are noted before they are acted on, and
 * the notes are gone through at the end.  Worst effect of what remains: a dynamic
 * method that was unloaded and whose very address was compiled again within
 * those milliseconds is reported as gone.
 */
#include "catch_up.h"

#include "bodies.h"
#include "found.h"
#include "memory.h"
#include "modules.h"

#include "../abi/journal.h"

#include <errno.h>

#define ELEMENTS_AT_ONCE 256u
#define BODIES_AT_ONCE	 512u

void catch_up__note(struct hook *hook, uint64_t start, module_id module)
{
	uint32_t turn = __atomic_fetch_add(&hook->notes_used, 1, __ATOMIC_ACQ_REL);

	if (turn >= HOOK_NOTES_MAX) {
		hook__count(hook, TS_HOOK_RECORD_OVERFLOW);
		return;
	}
	hook->notes[turn].module_id = module;
	__atomic_store_n(&hook->notes[turn].start, start, __ATOMIC_RELEASE);
}

static void take_modules(struct hook *hook, struct found *found)
{
	module_id modules[ELEMENTS_AT_ONCE];
	struct enumerator *enumerator = NULL;
	uint32_t count = 0;

	if (hook__failed(hook,
			 hook->info->table->enum_modules(hook->info, &enumerator)) ||
	    !enumerator)
		return;
	do {
		count = 0;
		if (FAILED(enumerator->table->next(enumerator, ELEMENTS_AT_ONCE,
						   modules, &count)))
			break;
		for (uint32_t i = 0; i < count && i < ELEMENTS_AT_ONCE; i++) {
			modules__found(hook, modules[i]);
			if (!found->lasting_module &&
			    !modules__is_collectible(hook, modules[i]))
				found->lasting_module = modules[i];
		}
	} while (count);
	unknown__release(enumerator);
}

static void take_function(struct hook *hook, struct found *found,
			  const struct profiler_function *function)
{
	uint64_t seen = function->function | (uint64_t)function->rejit << 48;
	uintptr_t starts[BODIES_AT_ONCE];
	uint32_t count = 0;

	/* The enumeration has one element per body. */
	if (table__insert(&found->seen, seen, 1) == -EEXIST)
		return;
	if (hook__failed(hook, hook->info->table->get_native_code_start_addresses(
				       hook->info, function->function, function->rejit,
				       BODIES_AT_ONCE, &count, starts)))
		return;
	if (count > BODIES_AT_ONCE) {
		hook__count(hook, TS_HOOK_RECORD_OVERFLOW);
		count = BODIES_AT_ONCE;
	}
	for (uint32_t i = 0; i < count; i++) {
		/* The default version may be precompiled: that is the images' matter.
		 */
		if (!bodies__find(hook, starts[i]) &&
		    found__is_jitted(function->function, starts[i]))
			found__body(found, function->function, starts[i],
				    (uint32_t)function->rejit);
	}
}

static void take_functions(struct hook *hook, struct found *found)
{
	struct profiler_function functions[ELEMENTS_AT_ONCE];
	struct enumerator *enumerator = NULL;
	uint32_t count = 0;

	if (hook__failed(hook, hook->info->table->enum_jited_functions2(hook->info,
									&enumerator)) ||
	    !enumerator)
		return;
	if (hook__failed(hook, enumerator->table->get_count(enumerator, &count)) ||
	    table__create(&found->seen, count))
		goto out;
	do {
		count = 0;
		if (FAILED(enumerator->table->next(enumerator, ELEMENTS_AT_ONCE,
						   functions, &count)))
			break;
		for (uint32_t i = 0; i < count && i < ELEMENTS_AT_ONCE; i++)
			take_function(hook, found, &functions[i]);
	} while (count);
	table__destroy(&found->seen);
out:
	unknown__release(enumerator);
}

static uint32_t go_through_notes(struct hook *hook, uint32_t from)
{
	uint32_t used = __atomic_load_n(&hook->notes_used, __ATOMIC_ACQUIRE);

	used = used < HOOK_NOTES_MAX ? used : HOOK_NOTES_MAX;
	for (; from < used; from++) {
		struct unload_note *note = &hook->notes[from];
		struct ts_journal_record *record = bodies__find(hook, note->start);

		if (note->module_id)
			modules__unloaded(hook, note->module_id);
		else if (record && (record->flags & TS_RECORD_CATCH_UP))
			(void)bodies__remove(hook, record, record->sequence);
	}
	return used;
}

void catch_up__begin(struct hook *hook)
{
	__atomic_store_n(&hook->catching_up, 1, __ATOMIC_RELEASE);
}

void catch_up__run(struct hook *hook)
{
	uint64_t began = journal__now();
	struct found *found = memory__map(sizeof(*found));
	uint32_t done;

	if (!found) {
		hook__count(hook, TS_HOOK_API_FAILED);
		return;
	}
	found->hook = hook;
	take_modules(hook, found);
	tiers__load(hook, &found->tiers, found->lasting_module);
	take_functions(hook, found);
	found__code_heaps(found);
	done = go_through_notes(hook, 0);
	__atomic_store_n(&hook->catching_up, 0, __ATOMIC_RELEASE);
	(void)go_through_notes(hook, done);
	tiers__unload(&found->tiers);
	memory__unmap(found, sizeof(*found));
	journal__count(&hook->journal, TS_HOOK_CATCH_UP_NS, journal__now() - began);
}
