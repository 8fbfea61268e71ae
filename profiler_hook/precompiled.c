/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * When the runtime tells that it found precompiled code, it has not yet written down
 * where (dotnet/runtime issue 13404).  It does so at once, on the same thread.  So each
 * such callback looks up the function of the LAG-th before it; the last ones are left
 * to precompiled__finish, or to the mailbox.
 *
 *   entries   1 2 3 ... n - LAG ....... n
 *             └ looked up ┘     ↑       └ told just now
 *                          looked up now
 *
 * A function must not be asked about once its load context is being taken down.  So
 * functions that can go, generic ones over a type from such a context, are left out.
 * Where no collectible module was ever seen, there are none.
 */
#include "precompiled.h"

#include "found.h"

#define LAG 32u

static struct ts_precompiled *claim(struct hook *hook, uint32_t *ret_index)
{
	struct ts_journal_header *header = hook->journal.header;
	uint32_t index = __atomic_load_n(&header->precompiled_used, __ATOMIC_RELAXED);

	do {
		if (index >= hook->journal.precompiled_capacity) {
			hook__count(hook, TS_HOOK_PRECOMPILED_OVERFLOW);
			return NULL;
		}
	} while (!__atomic_compare_exchange_n(&header->precompiled_used, &index,
					      index + 1, 1, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	*ret_index = index;
	return &hook->journal.precompiled[index];
}

static void look_up(struct hook *hook, struct ts_precompiled *entry)
{
	uint64_t function = __atomic_load_n(&entry->function_id, __ATOMIC_RELAXED);
	uintptr_t start = 0;
	uint32_t count = 0;

	/* The default version's address comes first: the precompiled one. */
	if (!function || entry->start ||
	    FAILED(hook->info->table->get_native_code_start_addresses(
		    hook->info, function, 0, 1, &count, &start)) ||
	    !count)
		return;
	__atomic_store_n(&entry->start, start, __ATOMIC_RELEASE);
}

void precompiled__used(struct hook *hook, function_id function)
{
	struct ts_precompiled *entry;
	uint32_t index;

	hook__count(hook, TS_HOOK_CACHE_SEARCHES);
	if (__atomic_load_n(&hook->collectible_modules, __ATOMIC_ACQUIRE) &&
	    !found__is_lasting(hook, function))
		return;
	entry = claim(hook, &index);
	if (!entry)
		return;
	__atomic_store_n(&entry->function_id, function, __ATOMIC_RELEASE);
	if (index >= LAG)
		look_up(hook, &hook->journal.precompiled[index - LAG]);
}

void precompiled__finish(struct hook *hook)
{
	uint32_t used = __atomic_load_n(&hook->journal.header->precompiled_used,
					__ATOMIC_ACQUIRE);

	if (used > hook->journal.precompiled_capacity)
		return;
	/* The last ones, and those of threads that stood still for longer than the lag. */
	for (uint32_t i = 0; i < used; i++)
		look_up(hook, &hook->journal.precompiled[i]);
}

void precompiled__tell(struct hook *hook, function_id function, uint64_t address)
{
	uint32_t index;
	struct ts_precompiled *entry = claim(hook, &index);

	if (!entry)
		return;
	entry->function_id = function;
	__atomic_store_n(&entry->start, address, __ATOMIC_RELEASE);
}
