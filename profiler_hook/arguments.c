/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Which collectible modules a function's class and type arguments come from, and so
 * when its bodies go.
 */
#include "bodies.h"
#include "catch_up.h"
#include "modules.h"

#include "names.h"

#define DEPTH_MAX	    16
#define FURTHER_MODULES_MAX 16

/* The modules found so far. */
struct set {
	module_id own;
	module_id *modules;
	unsigned int count;
	unsigned int capacity;
};

static void set__add(struct hook *hook, struct set *set, module_id module)
{
	if (!module || module == set->own || !modules__is_collectible(hook, module))
		return;
	for (unsigned int i = 0; i < set->count; i++) {
		if (set->modules[i] == module)
			return;
	}
	if (set->count < set->capacity)
		set->modules[set->count++] = module;
	else
		hook__count(hook, TS_HOOK_RECORD_OVERFLOW);
}

static void add_class(struct hook *hook, struct set *set, class_id class, int depth)
{
	class_id arguments[NAMES_ARGUMENTS_MAX];
	uint32_t element_type, rank, count = 0;
	metadata_token token;
	module_id module = 0;
	class_id element = 0;

	if (!class || depth >= DEPTH_MAX)
		return;
	if (hook->info->table->is_array_class(hook->info, class, &element_type,
					      &element, &rank) == S_OK) {
		add_class(hook, set, element, depth + 1);
		return;
	}
	if (hook__failed(hook, hook->info->table->get_class_id_info2(
				       hook->info, class, &module, &token, NULL,
				       NAMES_ARGUMENTS_MAX, &count, arguments)))
		return;
	set__add(hook, set, module);
	for (uint32_t i = 0; i < count && i < NAMES_ARGUMENTS_MAX; i++)
		add_class(hook, set, arguments[i], depth + 1);
}

static unsigned int modules_of_arguments(struct hook *hook, function_id function,
					 module_id module, module_id *ret_modules)
{
	struct set set = {module, ret_modules, 0, FURTHER_MODULES_MAX};
	class_id arguments[NAMES_ARGUMENTS_MAX];
	metadata_token token;
	uint32_t count = 0;
	class_id class = 0;
	module_id own;

	/* Until a catch-up ends there may be such modules that are not known yet. */
	if ((!__atomic_load_n(&hook->collectible_modules, __ATOMIC_ACQUIRE) &&
	     !catch_up__is_running(hook)) ||
	    hook__failed(hook, hook->info->table->get_function_info2(
				       hook->info, function, 0, &class, &own, &token,
				       NAMES_ARGUMENTS_MAX, &count, arguments)))
		return 0;
	add_class(hook, &set, class ? class : names__class_of(function), 0);
	for (uint32_t i = 0; i < count && i < NAMES_ARGUMENTS_MAX; i++)
		add_class(hook, &set, arguments[i], 0);
	return set.count;
}

int modules__add_body(struct hook *hook, struct ts_journal_record *draft,
		      const struct text *text)
{
	module_id further[FURTHER_MODULES_MAX];
	unsigned int count = 0;
	uint64_t sequence;
	int err;

	if (draft->flags & TS_RECORD_GENERIC)
		count = modules_of_arguments(hook, draft->function_id, draft->module_id,
					     further);
	if (count || modules__is_collectible(hook, draft->module_id))
		draft->flags |= TS_RECORD_COLLECTIBLE;
	err = bodies__add(hook, draft, text, &sequence);
	for (unsigned int i = 0; !err && i < count; i++)
		modules__link(hook, further[i], draft->start, sequence);
	return err;
}
