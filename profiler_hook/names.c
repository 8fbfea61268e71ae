/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Works inside event callbacks on 8, 9 and 10: all calls here are allowed there.
 * A type name costs one GetClassIDInfo2 and one to three metadata calls; it is
 * asked for generic methods only.
 */
#include "names.h"

#include "image_names.h"
#include "memory.h"
#include "scope.h"
#include "text.h"

#include <string.h>

#define NAME_UNITS    1024
#define TYPEDEF_TABLE 0x02000000u

/* Not inlined: the buffers shall not lie on the stack while types recurse. */
static __attribute__((noinline)) bool
append_typedef_name(struct metadata_import *metadata, metadata_token token,
		    struct name *name)
{
	uint16_t units[NAME_UNITS];
	char utf8[3 * NAME_UNITS];
	uint32_t length = 0;
	struct utf16 string;

	if (FAILED(metadata->table->get_typedef_props(metadata, token, units,
						      NAME_UNITS, &length, NULL, NULL)))
		return false;
	name->cut |= length > NAME_UNITS;
	length = length > NAME_UNITS ? NAME_UNITS : length;
	string.bytes = (const uint8_t *)units;
	string.units = length ? length - 1 : 0;
	name__append(name, utf8, text__convert(string, utf8, sizeof(utf8)));
	return true;
}

/* Outer types first, joined by "+".  False where this reader does not know them all. */
static bool append_nested_typedef(struct metadata_import *metadata,
				  metadata_token token, struct name *name)
{
	metadata_token chain[NAMES_NESTING_MAX];
	metadata_token enclosing = token;
	unsigned int length = 0;

	do {
		chain[length++] = enclosing;
		/* Fails for a type that is not nested. */
		if (FAILED(metadata->table->get_nested_class_props(
			    metadata, chain[length - 1], &enclosing)))
			break;
	} while (length < NAMES_NESTING_MAX &&
		 (enclosing & 0xff000000) == TYPEDEF_TABLE);
	while (length) {
		if (!append_typedef_name(metadata, chain[--length], name))
			return false;
		if (length)
			name__append_string(name, "+");
	}
	return true;
}

/* Releases the reader, which may be NULL. */
static bool append_typedef_of(struct metadata_import *metadata, metadata_token token,
			      struct name *name)
{
	size_t before = name->size;
	bool known = metadata && append_nested_typedef(metadata, token, name);

	unknown__release(metadata);
	if (!known)
		name->size = before;
	return known;
}

static bool append_typedef_in_place(const struct metadata *image, metadata_token token,
				    struct name *name)
{
	size_t before = name->size;
	bool known = image && image_names__append_nested(image, token, name);

	if (!known)
		name->size = before;
	return known;
}

/* The id of a module may be given to another one only where modules can go. */
static void append_typedef(struct hook *hook, module_id module, metadata_token token,
			   struct name *name)
{
	struct typedef_name *known = NULL;
	size_t before = name->size;

	if (name->known &&
	    !__atomic_load_n(&hook->collectible_modules, __ATOMIC_ACQUIRE)) {
		known = &name->known[(token ^ module >> 12) % NAMES_TYPEDEFS];
		if (known->module == module && known->token == token) {
			name__append(name, known->text, known->size);
			return;
		}
	}
	if (!append_typedef_in_place(image_names__of(hook, module), token, name) &&
	    !append_typedef_of(scope__open(hook, module), token, name) &&
	    !append_typedef_of(scope__ask(hook, module), token, name)) {
		hook__count(hook, TS_HOOK_API_FAILED);
		name__append_string(name, "?");
		return;
	}
	if (!known || name->cut || name->size - before > sizeof(known->text))
		return;
	known->module = module;
	known->token = token;
	known->size = (uint16_t)(name->size - before);
	memcpy(known->text, name->bytes + before, known->size);
}

static void append_class(struct hook *hook, class_id class, struct name *name,
			 int depth);

static void append_arguments(struct hook *hook, const class_id *arguments,
			     uint32_t count, struct name *name, int depth)
{
	for (uint32_t i = 0; i < count; i++) {
		if (i)
			name__append_string(name, ",");
		append_class(hook, arguments[i], name, depth + 1);
	}
}

static bool append_array(struct hook *hook, class_id class, struct name *name,
			 int depth)
{
	uint32_t element_type, rank = 0;
	class_id element = 0;

	/* S_FALSE, which is not a failure, says that it is no array. */
	if (hook->info->table->is_array_class(hook->info, class, &element_type,
					      &element, &rank) != S_OK ||
	    !rank || rank > 32)
		return false;
	append_class(hook, element, name, depth + 1);
	name__append_string(name, "[");
	for (uint32_t i = 1; i < rank; i++)
		name__append_string(name, ",");
	name__append_string(name, "]");
	return true;
}

static void append_class(struct hook *hook, class_id class, struct name *name,
			 int depth)
{
	class_id arguments[NAMES_ARGUMENTS_MAX];
	metadata_token token = 0;
	module_id module = 0;
	uint32_t count = 0;

	if (depth >= NAMES_NESTING_MAX || !class)
		goto unknown;
	if (append_array(hook, class, name, depth))
		return;
	if (hook__failed(hook, hook->info->table->get_class_id_info2(
				       hook->info, class, &module, &token, NULL,
				       NAMES_ARGUMENTS_MAX, &count, arguments)))
		goto unknown;
	append_typedef(hook, module, token, name);
	if (!count)
		return;
	name->cut |= count > NAMES_ARGUMENTS_MAX;
	count = count > NAMES_ARGUMENTS_MAX ? NAMES_ARGUMENTS_MAX : count;
	name__append_string(name, "[");
	append_arguments(hook, arguments, count, name, depth);
	name__append_string(name, "]");
	return;
unknown:
	name__append_string(name, "?");
}

void names__append_class(struct hook *hook, class_id class, struct name *name)
{
	append_class(hook, class, name, 0);
}

void names__append_classes(struct hook *hook, const class_id *classes, uint32_t count,
			   struct name *name)
{
	name->cut |= count > NAMES_ARGUMENTS_MAX;
	count = count > NAMES_ARGUMENTS_MAX ? NAMES_ARGUMENTS_MAX : count;
	append_arguments(hook, classes, count, name, 0);
}

void names__append_method_arguments(struct hook *hook, function_id function,
				    struct name *name)
{
	class_id arguments[NAMES_ARGUMENTS_MAX];
	metadata_token token;
	uint32_t count = 0;
	module_id module;
	class_id class;

	if (hook__failed(hook, hook->info->table->get_function_info2(
				       hook->info, function, 0, &class, &module, &token,
				       NAMES_ARGUMENTS_MAX, &count, arguments)))
		return;
	names__append_classes(hook, arguments, count, name);
}

/*
 * The class of a function, where the interface gives none: on 8 and 9 it does not
 * for shared static methods.  MethodDesc: u8 +2 is its index in a chunk, in
 * units of 8 bytes; the chunk starts 24 bytes before with the method table,
 * whose address is the class id (vm/method.hpp, v8.0 to v10.0).
 */
class_id names__class_of(function_id function)
{
	uint64_t method_table;
	uint8_t index;

	if (memory__read(&index, function + 2, sizeof(index)) ||
	    memory__read(&method_table, function - 8ull * index - 24,
			 sizeof(method_table)))
		return 0;
	return method_table;
}
