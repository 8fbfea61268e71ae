// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The modules of a process.  An assembly can be loaded several times at once, by several
// AssemblyLoadContexts: then its functions are others each time, with the same names,
// and the number of the copy tells them apart.  A copy that is loaded once another is
// gone takes its number: a plug-in that comes and goes stays one, as long as the runtime
// has collected the last one before the next comes.
#include "internal.h"

#include "../base/alloc.h"

#include <stdlib.h>

#define COPIES_MAX 64u		/* of one name; all that are more share the last number */

void module_list__init(struct module_list *list)
{
	list->numbers = map__new();
	list->copies = map__new();
}

void module_list__free(struct module_list *list)
{
	map__free(list->numbers);
	map__free(list->copies);
	free(list->items);
}

static uint32_t take_copy(struct module_list *list, string_id name)
{
	uint64_t used = 0;
	uint32_t copy;

	(void)map__get(list->copies, 0, name, &used);
	copy = ~used ? (uint32_t)__builtin_ctzll(~used) : COPIES_MAX - 1;
	map__set(list->copies, 0, name, used | 1ull << copy);
	return copy;
}

static void end_life(struct module_list *list, struct module *module)
{
	uint64_t used = 0;

	if (!module->numbered)
		return;
	module->numbered = false;
	(void)map__get(list->copies, 0, module->name, &used);
	map__set(list->copies, 0, module->name, used & ~(1ull << module->copy));
}

static struct module *find(const struct module_list *list, uint64_t id)
{
	uint64_t number;

	return map__get(list->numbers, 0, id, &number) ? &list->items[number] : NULL;
}

static struct module *add(struct module_list *list, uint64_t id)
{
	alloc__grow(list->items, list->count, list->capacity);
	map__set(list->numbers, 0, id, list->count);
	list->items[list->count] = (struct module){ .numbered = false };
	return &list->items[list->count++];
}

/* Probe and journal tell the same births, and ids are used again: the sequence tells. */
void module_list__load(struct module_list *list, uint64_t id, const struct module *told)
{
	struct module *module = find(list, id);

	if (!module)
		module = add(list, id);
	else if (told->sequence < module->sequence)
		return;
	if (told->sequence == module->sequence) { /* known; the journal may tell its end */
		if (!told->numbered)
			end_life(list, module);
		return;
	}
	end_life(list, module);			/* of another one, which was missed */
	*module = *told;
	module->copy = told->numbered ? take_copy(list, told->name) : 0;
}

void module_list__unload(struct module_list *list, uint64_t id, uint64_t sequence)
{
	struct module *module = find(list, id);

	if (module && sequence > module->sequence)
		end_life(list, module);
}

const struct module *module_list__find(const struct module_list *list, uint64_t id)
{
	return find(list, id);
}
