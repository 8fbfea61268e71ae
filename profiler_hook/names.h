/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Spells types and methods as the runtime does, from its profiling interface
 * and metadata: NS.Outer`1+Inner[System.Int32,System.__Canon[]].
 */
#ifndef TIERSCOPE_HOOK_NAMES_H
#define TIERSCOPE_HOOK_NAMES_H

#include "hook.h"
#include "name.h"

#define NAMES_ARGUMENTS_MAX 64u
#define NAMES_NESTING_MAX   16 /* of types in types, and of arguments in arguments */

/*
 * Names of type definitions that came by before, for a struct name to point to: most of
 * the cost of spelling a type is asking metadata.  Owned by one thread at a time.
 */
#define NAMES_TYPEDEFS 512u
struct typedef_name {
	module_id module; /* 0 none */
	metadata_token token;
	uint16_t size;
	char text[114];
};

/* A type, nested and generic and array types included; "?" where unknown. */
void names__append_class(struct hook *hook, class_id class, struct name *name);

/* The class of a function, where GetFunctionInfo2 gives none; 0 if unreadable. */
class_id names__class_of(function_id function);

/* Types, comma separated. */
void names__append_classes(struct hook *hook, const class_id *classes, uint32_t count,
			   struct name *name);

/* The type arguments of a generic method, comma separated; nothing for others. */
void names__append_method_arguments(struct hook *hook, function_id function,
				    struct name *name);

#endif /* TIERSCOPE_HOOK_NAMES_H */
