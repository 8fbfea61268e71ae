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
 * The interface crashes on a method whose load context or dynamic method is taken
 * down under it.  So while a catch-up runs, and only then, the runtime's thread
 * that reports such an unload is held at that report, before anything is freed:
 * the one place where the hook makes another thread wait, for milliseconds.  It
 * holds no lock there that the catch-up could need, is held for HOLD_NS at most,
 * and after one such time-out in a catch-up nobody is held any more; unloads are
 * noted then, and gone through at the end.  What was being taken down already when
 * the catch-up began is recognized by found_alive.c.
 */
#include "catch_up.h"

#include "bodies.h"
#include "found.h"
#include "memory.h"
#include "modules.h"
#include "versions.h"
#include "stale.h"

#include "../abi/journal.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ELEMENTS_AT_ONCE 256u
#define BODIES_AT_ONCE	 512u
#define ALIVE_TABLES	 65536u
#define HOLD_NS		 1000000000ull

static void note(struct hook *hook, uint64_t start, module_id module)
{
	uint32_t turn = __atomic_fetch_add(&hook->notes_used, 1, __ATOMIC_ACQ_REL);

	if (turn >= HOOK_NOTES_MAX) {
		hook__count(hook, TS_HOOK_RECORD_OVERFLOW);
		return;
	}
	hook->notes[turn].module_id = module;
	__atomic_store_n(&hook->notes[turn].start, start, __ATOMIC_RELEASE);
}

void catch_up__hold(struct hook *hook, uint64_t start, module_id module)
{
	uint64_t deadline = journal__now() + HOLD_NS;
	struct timespec wait = {0, HOLD_NS / 10};

	if ((uint32_t)syscall(SYS_gettid) == hook->catch_up_thread)
		return; /* managed code of the session's own opening */
	while (catch_up__is_running(hook) && !hook->hold_failed &&
	       journal__now() < deadline)
		(void)syscall(SYS_futex, &hook->catching_up, FUTEX_WAIT_PRIVATE, 1,
			      &wait, NULL, 0);
	if (!catch_up__is_running(hook))
		return;
	hook->hold_failed = 1;
	note(hook, start, module);
}

static void take_module(struct found *found, module_id module)
{
	modules__found(found->hook, module);
	if (!found->lasting_module && !modules__is_collectible(found->hook, module))
		found->lasting_module = module;
}

/* Takes in the runtime's modules, or only puts their ids into `ids`. */
static hresult list_modules(struct found *found, struct table *ids)
{
	struct profiler_info *info = found->hook->info;
	module_id modules[ELEMENTS_AT_ONCE];
	struct enumerator *enumerator = NULL;
	uint32_t count = 0;
	hresult result = info->table->enum_modules(info, &enumerator);

	if (hook__failed(found->hook, result) || !enumerator)
		return FAILED(result) ? result : E_FAIL;
	do {
		count = 0;
		result = enumerator->table->next(enumerator, ELEMENTS_AT_ONCE, modules,
						 &count);
		for (uint32_t i = 0; !FAILED(result) && i < count; i++) {
			if (ids)
				(void)table__insert(ids, modules[i], 1);
			else
				take_module(found, modules[i]);
		}
	} while (count && !FAILED(result));
	unknown__release(enumerator);
	return result;
}

static void end_stale_modules(struct found *found)
{
	struct table present = {0};

	if (table__create(&present, HOOK_MODULES_MAX))
		hook__count(found->hook, TS_HOOK_API_FAILED);
	else if (!FAILED(list_modules(found, &present)))
		stale__modules(found->hook, &present);
	table__destroy(&present);
}

static void take_function(struct hook *hook, struct found *found,
			  const struct profiler_function *function)
{
	uint64_t seen = function->function | (uint64_t)function->rejit << 48;
	uintptr_t starts[BODIES_AT_ONCE];
	uint32_t count = 0;

	/* The enumeration has one element per body. */
	if (table__insert(&found->seen, seen, 1) == -EEXIST ||
	    !found__is_alive(found, function->function))
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
		/* A precompiled default version is the images' matter. */
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
	hook->notes_used = 0;
	hook->hold_failed = 0;
	hook->catch_up_since =
		__atomic_load_n(&hook->journal.header->sequence, __ATOMIC_ACQUIRE);
	hook->catch_up_thread = (uint32_t)syscall(SYS_gettid);
	__atomic_store_n(&hook->catching_up, 1, __ATOMIC_RELEASE);
}

void catch_up__end(struct hook *hook)
{
	uint32_t done = go_through_notes(hook, 0);

	__atomic_store_n(&hook->catching_up, 0, __ATOMIC_RELEASE);
	(void)syscall(SYS_futex, &hook->catching_up, FUTEX_WAKE_PRIVATE, INT_MAX, NULL,
		      NULL, 0);
	(void)go_through_notes(hook, done);
}

void catch_up__run(struct hook *hook)
{
	uint64_t began = journal__now();
	struct found *found = memory__map(sizeof(*found));

	if (!found || table__create(&found->alive, ALIVE_TABLES)) {
		hook__count(hook, TS_HOOK_API_FAILED);
		goto out;
	}
	found->hook = hook;
	if (hook->catch_up_since)
		end_stale_modules(found);
	(void)list_modules(found, NULL);
	versions__prepare(hook, found->lasting_module);
	tiers__load(hook, &found->tiers, found->lasting_module);
	if (hook->catch_up_since)
		stale__bodies(found);
	take_functions(hook, found);
	found__code_heaps(found);
	tiers__unload(&found->tiers);
	table__destroy(&found->alive);
out:
	memory__unmap(found, sizeof(*found));
	catch_up__end(hook);
	journal__count(&hook->journal, TS_HOOK_CATCH_UP_NS, journal__now() - began);
}
