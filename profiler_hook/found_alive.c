/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Tells by memory alone whether a function may be asked about.  The interface
 * crashes on functions of a collectible load context that is being taken down
 * (seen on 10.0.12), and a catch-up meets those: their code goes last.
 *
 * Code goes with the loader module of its class and of its method's type
 * arguments.  A module that is being unloaded is in no enumeration any more, and
 * what begins to be unloaded while a catch-up runs is told, and waits for the question
 * that is under way (asking.h); so a function whose loader modules are all known, and
 * none is gone, is safe until that question ends.
 *
 *   MethodDesc  +2 u8 index in a chunk, in units of 8 bytes; +6 u16 flags
 *   chunk       starts 24 bytes before the MethodDesc of index 0, with the
 *               method table
 *   method table  8: +24 loader module; 9, 10: +32 → auxiliary data, its +8
 *   instantiated MethodDesc  after the base (8: 8 bytes, 9 and 10: 16)
 *               +8 → type arguments, +18 u16 how many
 *
 * (dotnet/runtime src/coreclr/vm/method.hpp and methodtable.h, v8.0 to v10.0.)
 */
#include "found.h"

#include "asking.h"
#include "memory.h"
#include "modules.h"
#include "names.h"

#define CLASSIFICATION_MASK	    7u
#define CLASSIFICATION_INSTANTIATED 5u
#define ARGUMENTS_MAX		    64u
#define TYPE_DESCRIPTOR		    2u /* tag of a type that is no method table */

/* One kind of question, and the method tables that passed it. */
struct question {
	struct hook *hook;
	struct table *passed;
	bool lasting; /* not collectible either */
};

static bool has_known_loader(struct question *question, uint64_t method_table)
{
	struct hook *hook = question->hook;
	uint64_t module, place = method_table + 24;

	if (!method_table || method_table & TYPE_DESCRIPTOR)
		return false;
	if (table__find(question->passed, method_table))
		return true;
	if (hook->runtime_major >= 9) {
		if (memory__read(&place, method_table + 32, sizeof(place)))
			return false;
		place += 8;
	}
	if (memory__read(&module, place, sizeof(module)) ||
	    !table__find(&hook->modules, module) ||
	    (question->lasting ? modules__may_free_code(hook, module) :
				 asking__is_gone(hook, module)))
		return false;
	(void)table__insert(question->passed, method_table, 1);
	return true;
}

static bool has_known_arguments(struct question *question, function_id function)
{
	uint64_t base = question->hook->runtime_major >= 9 ? 16 : 8;
	uint64_t arguments[ARGUMENTS_MAX];
	uint64_t address;
	uint16_t count;

	if (memory__read(&address, function + base + 8, sizeof(address)) ||
	    memory__read(&count, function + base + 18, sizeof(count)) ||
	    count > ARGUMENTS_MAX)
		return false;
	if (!address || !count) /* a method of a generic class, not generic itself */
		return true;
	if (memory__read(arguments, address, count * sizeof(arguments[0])))
		return false;
	for (uint16_t i = 0; i < count; i++) {
		if (!has_known_loader(question, arguments[i]))
			return false;
	}
	return true;
}

static bool passes(struct question *question, function_id function)
{
	uint16_t flags;

	if (memory__read(&flags, function + 6, sizeof(flags)) ||
	    !has_known_loader(question, names__class_of(function)))
		return false;
	return (flags & CLASSIFICATION_MASK) != CLASSIFICATION_INSTANTIATED ||
	       has_known_arguments(question, function);
}

static bool is_alive(struct found *found, function_id function)
{
	struct hook *hook = found->hook;
	struct question question = {hook, &found->alive, false};
	uint32_t gone_modules = __atomic_load_n(&hook->gone_modules, __ATOMIC_ACQUIRE);

	if (gone_modules != found->gone_modules)
		table__clear(&found->alive);
	found->gone_modules = gone_modules;
	return passes(&question, function);
}

static bool is_never_freed(struct hook *hook, function_id function)
{
	return !naming__is_dynamic(function) && found__is_lasting(hook, function);
}

bool found__may_ask(struct found *found, function_id function)
{
	struct hook *hook = found->hook;

	if (!asking__begin(hook, function))
		return false;
	if (is_alive(found, function) &&
	    (!asking__is_careful(hook) || is_never_freed(hook, function)))
		return true;
	asking__end(hook);
	return false;
}

bool found__may_be_there(struct found *found, function_id function)
{
	return asking__is_careful(found->hook) &&
	       !asking__is_gone(found->hook, function) && is_alive(found, function);
}

bool found__is_gone(struct found *found, function_id function)
{
	struct hook *hook = found->hook;

	return asking__is_gone(hook, function) ||
	       (asking__is_careful(hook) && !is_never_freed(hook, function));
}

bool found__is_lasting(struct hook *hook, function_id function)
{
	struct question question = {hook, &hook->lasting, true};

	return passes(&question, function);
}
