/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Spells types and methods as the runtime does, from its profiling interface
 * and metadata: NS.Outer`1+Inner[System.Int32,System.__Canon[]].
 */
#ifndef TIERSCOPE_HOOK_NAMES_H
#define TIERSCOPE_HOOK_NAMES_H

#include "hook.h"

#define NAMES_ARGUMENTS_MAX 64u

/* A string that grows to its capacity and then says that it was cut. */
struct name {
	char *bytes;
	size_t size;
	size_t capacity;
	bool cut;
};

void name__append(struct name *name, const char *bytes, size_t size);
void name__append_string(struct name *name, const char *string);

/* A type definition, with the types around it. */
void names__append_typedef(struct hook *hook, struct metadata *metadata,
			   metadata_token token, struct name *name);

/* A type, nested and generic and array types included; "?" where unknown. */
void names__append_class(struct hook *hook, class_id class, struct name *name);

/* The type arguments of a generic method, comma separated; nothing for others. */
void names__append_method_arguments(struct hook *hook, function_id function,
				    struct name *name);

#endif /* TIERSCOPE_HOOK_NAMES_H */
