/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The runtime turns names into UTF-16 and back, and has its own way with bytes that are
 * no UTF-8.  For ASCII both ways are the same: the bytes as they are.  They lie in a
 * mapped file that somebody may overwrite: what is measured once is not looked for
 * again.
 */
#include "image_names.h"

#include "names.h"
#include "scope.h"

#define ROW_OF(token)	((token)&0xffffffu)
#define TABLE_OF(token) ((token) >> 24)

_Static_assert((int)TYPE_REF_NAME == (int)TYPE_DEF_NAME &&
		       (int)TYPE_REF_NAMESPACE == (int)TYPE_DEF_NAMESPACE,
	       "both have their names in the same columns");

/*
 * Two threads that open one module at once both keep it; one of the two is not found
 * again.  Bytes that make no sense are kept as metadata without rows.
 */
static uint32_t open_image(struct hook *hook, module_id module)
{
	uint64_t address;
	uint32_t turn, size;

	if (__atomic_load_n(&hook->images_opened, __ATOMIC_RELAXED) >= HOOK_SCOPES)
		return 0;
	address = scope__find_bytes(hook, module, &size);
	if (!address)
		return 0;
	turn = __atomic_fetch_add(&hook->images_opened, 1, __ATOMIC_RELAXED);
	if (turn >= HOOK_SCOPES)
		return 0;
	if (metadata__parse(cursor__of((const void *)(uintptr_t)address, size),
			    &hook->image_metadata[turn]))
		memset(&hook->image_metadata[turn], 0, sizeof(*hook->image_metadata));
	(void)table__insert(&hook->image_numbers, module, turn + 1);
	return turn + 1;
}

const struct metadata *image_names__of(struct hook *hook, module_id module)
{
	uint32_t number;

	if (hook->journal.header->main_profiler)
		return NULL;
	number = table__find(&hook->image_numbers, module);
	if (!number)
		number = open_image(hook, module);
	return number ? &hook->image_metadata[number - 1] : NULL;
}

static bool is_ascii(const char *string, uint32_t length)
{
	uint8_t all = 0;

	for (uint32_t i = 0; i < length; i++)
		all |= (uint8_t)string[i];
	return !(all & 0x80);
}

bool image_names__append_type(const struct metadata *metadata, metadata_token token,
			      struct name *name)
{
	enum metadata_table table = TABLE_OF(token);
	const char *space, *own;
	uint32_t space_size, own_size;

	if (table != TABLE_TYPE_DEF && table != TABLE_TYPE_REF)
		return false;
	space = metadata__string_n(metadata, table, ROW_OF(token), TYPE_DEF_NAMESPACE,
				   &space_size);
	own = metadata__string_n(metadata, table, ROW_OF(token), TYPE_DEF_NAME,
				 &own_size);
	if (!own_size || !is_ascii(own, own_size) || !is_ascii(space, space_size))
		return false;
	if (space_size) {
		name__append(name, space, space_size);
		name__append(name, ".", 1);
	}
	name__append(name, own, own_size);
	return true;
}

/* 0: it lies in no other. */
static uint32_t enclosing(const struct metadata *metadata, uint32_t row)
{
	uint32_t flags = metadata__value(metadata, TABLE_TYPE_DEF, row, TYPE_DEF_FLAGS);

	if ((flags & TYPE_DEF_VISIBILITY_MASK) < TYPE_DEF_NESTED)
		return 0;
	return metadata__enclosing(metadata, row);
}

bool image_names__append_nested(const struct metadata *metadata, metadata_token type,
				struct name *name)
{
	uint32_t chain[NAMES_NESTING_MAX];
	unsigned int length = 0;
	uint32_t row = ROW_OF(type);

	if (TABLE_OF(type) != TABLE_TYPE_DEF)
		return false;
	do {
		chain[length++] = row;
		row = enclosing(metadata, row);
	} while (row && length < NAMES_NESTING_MAX);
	while (length) {
		if (!image_names__append_type(
			    metadata, (uint32_t)TABLE_TYPE_DEF << 24 | chain[--length],
			    name))
			return false;
		if (length)
			name__append(name, "+", 1);
	}
	return true;
}

bool image_names__method(const struct metadata *metadata, metadata_token method,
			 struct image_method *ret_method)
{
	uint32_t row = ROW_OF(method);

	if (TABLE_OF(method) != TABLE_METHOD_DEF)
		return false;
	ret_method->name = metadata__string_n(metadata, TABLE_METHOD_DEF, row,
					      METHOD_DEF_NAME, &ret_method->name_size);
	ret_method->signature =
		metadata__blob(metadata, TABLE_METHOD_DEF, row, METHOD_DEF_SIGNATURE);
	ret_method->flags = (uint16_t)metadata__value(metadata, TABLE_METHOD_DEF, row,
						      METHOD_DEF_FLAGS);
	ret_method->implementation = (uint16_t)metadata__value(
		metadata, TABLE_METHOD_DEF, row, METHOD_DEF_IMPLEMENTATION);
	return ret_method->name_size && ret_method->signature.size &&
	       is_ascii(ret_method->name, ret_method->name_size);
}
