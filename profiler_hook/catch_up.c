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
 * What the runtime is asked about is not unloaded under the question: asking.h.
 */
#include "catch_up.h"

#include "asking.h"
#include "bodies.h"
#include "found.h"
#include "memory.h"
#include "modules.h"
#include "versions.h"
#include "stale.h"

#include "../abi/journal.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ELEMENTS_AT_ONCE 256u
#define BODIES_AT_ONCE	 512u
#define ALIVE_TABLES	 65536u

static void take_module(struct found *found, module_id module)
{
	struct hook *hook = found->hook;

	if (!asking__begin(hook, module))
		return;
	modules__found(hook, module);
	if (!found->lasting_module && !modules__is_collectible(hook, module))
		found->lasting_module = module;
	asking__end(hook);
	/* Who waited in vain found no record to end. */
	if (asking__is_careful(hook) && asking__is_gone(hook, module))
		modules__unloaded(hook, module);
}

/* Takes in the runtime's modules, or only puts their ids into `ids`. */
static hresult list_modules(struct found *found, struct table *ids)
{
	struct profiler_info *info = found->hook->info;
	module_id modules[ELEMENTS_AT_ONCE];
	struct enumerator *enumerator = NULL;
	uint32_t count = 0;
	hresult result;

	(void)asking__begin(found->hook, ASKING_OF_ALL);
	result = info->table->enum_modules(info, &enumerator);
	asking__end(found->hook);
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

static void take_body(struct hook *hook, struct found *found,
		      const struct profiler_function *function, uintptr_t start)
{
	/* A precompiled default version is the images' matter. */
	if (bodies__find(hook, start) || !found__is_jitted(function->function, start) ||
	    !found__may_ask(found, function->function))
		return;
	found__body(found, function->function, start, (uint32_t)function->rejit);
	asking__end(hook);
}

static void take_function(struct hook *hook, struct found *found,
			  const struct profiler_function *function)
{
	uint64_t seen = function->function | (uint64_t)function->rejit << 48;
	uintptr_t starts[BODIES_AT_ONCE];
	uint32_t count = 0;
	hresult result;

	/* The enumeration has one element per body. */
	if (table__insert(&found->seen, seen, 1) == -EEXIST ||
	    !found__may_ask(found, function->function))
		return;
	result = hook->info->table->get_native_code_start_addresses(
		hook->info, function->function, function->rejit, BODIES_AT_ONCE, &count,
		starts);
	asking__end(hook);
	if (hook__failed(hook, result))
		return;
	if (count > BODIES_AT_ONCE) {
		hook__count(hook, TS_HOOK_RECORD_OVERFLOW);
		count = BODIES_AT_ONCE;
	}
	for (uint32_t i = 0; i < count; i++)
		take_body(hook, found, function, starts[i]);
}

static void take_functions(struct hook *hook, struct found *found)
{
	struct profiler_function functions[ELEMENTS_AT_ONCE];
	struct enumerator *enumerator = NULL;
	uint32_t count = 0;
	hresult result;

	(void)asking__begin(hook, ASKING_OF_ALL);
	result = hook->info->table->enum_jited_functions2(hook->info, &enumerator);
	asking__end(hook);
	if (hook__failed(hook, result) || !enumerator)
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

void catch_up__begin(struct hook *hook)
{
	asking__reset(hook);
	hook->catch_up_since =
		__atomic_load_n(&hook->journal.header->sequence, __ATOMIC_ACQUIRE);
	__atomic_store_n(&hook->catching_up, 1, __ATOMIC_RELEASE);
}

void catch_up__end(struct hook *hook)
{
	__atomic_store_n(&hook->catching_up, 0, __ATOMIC_RELEASE);
}

void catch_up__run(struct hook *hook)
{
	uint64_t began = journal__now();
	struct found *found = memory__map(sizeof(*found));

	hook->catch_up_thread = (uint32_t)syscall(SYS_gettid);
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
