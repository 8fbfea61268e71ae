// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Spelling: dotnet/runtime src/coreclr/vm/typestring.cpp (TypeNameBuilder), as
 * MethodLoadVerbose shows it.  Encoding: ECMA-335 II.23.2.12 and what
 * src/coreclr/vm/zapsig.cpp adds to it (v8 to v10).
 */
#include "type_name.h"

#include "modules.h"

#include "../../metadata/elements.h"
#include "../base/text.h"

#include <errno.h>

#define DEPTH_MAX	  64 /* of nesting, and of types inside types */
#define RESERVED	  ",[]&*+\\"
#define VISIBILITY_MASK	  7 /* of TypeAttributes */
#define VISIBILITY_NESTED 2 /* the first of those that mean nested */

static const char *const simple_names[0x40] = {
	[ELEMENT_VOID] = "System.Void",
	[ELEMENT_BOOLEAN] = "System.Boolean",
	[0x03] = "System.Char",
	[0x04] = "System.SByte",
	[0x05] = "System.Byte",
	[0x06] = "System.Int16",
	[0x07] = "System.UInt16",
	[0x08] = "System.Int32",
	[0x09] = "System.UInt32",
	[0x0a] = "System.Int64",
	[0x0b] = "System.UInt64",
	[0x0c] = "System.Single",
	[0x0d] = "System.Double",
	[ELEMENT_STRING] = "System.String",
	[ELEMENT_TYPEDBYREF] = "System.TypedReference",
	[ELEMENT_I] = "System.IntPtr",
	[ELEMENT_U] = "System.UIntPtr",
	[ELEMENT_OBJECT] = "System.Object",
	[ELEMENT_CANON] = "System.__Canon",
};

static int decode(struct type_decoder *decoder, uint32_t module, uint32_t *ret_module);

void type_name__append_escaped(struct buf *buf, const char *name)
{
	while (*name) {
		size_t plain = strcspn(name, RESERVED);

		text__append_utf8(buf, name, plain);
		name += plain;
		if (*name) {
			buf__append_char(buf, '\\');
			buf__append_char(buf, *name++);
		}
	}
}

static void append_qualified(struct buf *buf, const char *space, const char *name)
{
	if (*space) {
		type_name__append_escaped(buf, space);
		buf__append_char(buf, '.');
	}
	type_name__append_escaped(buf, name);
}

static int append_def(struct buf *buf, const struct metadata *metadata, uint32_t row,
		      uint32_t depth)
{
	uint32_t flags, around = 0;
	int err;

	if (depth > DEPTH_MAX || !row || row > metadata->tables[TABLE_TYPE_DEF].count)
		return -EBADMSG;
	flags = metadata__value(metadata, TABLE_TYPE_DEF, row, TYPE_DEF_FLAGS);
	if ((flags & VISIBILITY_MASK) >= VISIBILITY_NESTED)
		around = metadata__enclosing(metadata, row);
	if (around) {
		err = append_def(buf, metadata, around, depth + 1);
		if (err)
			return err;
		buf__append_char(buf, '+');
	}
	append_qualified(
		buf,
		metadata__string(metadata, TABLE_TYPE_DEF, row, TYPE_DEF_NAMESPACE),
		metadata__string(metadata, TABLE_TYPE_DEF, row, TYPE_DEF_NAME));
	return 0;
}

static int append_ref(struct buf *buf, const struct metadata *metadata, uint32_t row,
		      uint32_t depth)
{
	uint32_t scope;
	int err;

	if (depth > DEPTH_MAX || !row || row > metadata->tables[TABLE_TYPE_REF].count)
		return -EBADMSG;
	scope = metadata__value(metadata, TABLE_TYPE_REF, row, TYPE_REF_SCOPE);
	if ((scope & 3) == 3) { /* inside another TypeRef */
		err = append_ref(buf, metadata, scope >> 2, depth + 1);
		if (err)
			return err;
		buf__append_char(buf, '+');
	}
	append_qualified(
		buf,
		metadata__string(metadata, TABLE_TYPE_REF, row, TYPE_REF_NAMESPACE),
		metadata__string(metadata, TABLE_TYPE_REF, row, TYPE_REF_NAME));
	return 0;
}

int type_name__append_def(struct buf *buf, const struct metadata *metadata,
			  uint32_t row)
{
	return append_def(buf, metadata, row, 0);
}

int type_name__append_ref(struct buf *buf, const struct metadata *metadata,
			  uint32_t row)
{
	return append_ref(buf, metadata, row, 0);
}

static void put(struct type_decoder *decoder, const char *text)
{
	if (decoder->buf)
		buf__append_string(decoder->buf, text);
}

static int decode_token(struct type_decoder *decoder, uint32_t module)
{
	uint32_t token = cursor__compressed(decoder->cursor);
	const struct metadata *metadata;

	if (decoder->cursor->bad)
		return -EBADMSG;
	if (!decoder->buf)
		return 0;
	metadata = modules__metadata(decoder->image, module);
	if (!metadata) {
		decoder->foreign = true;
		return 0;
	}
	if ((token & 3) == 0)
		return type_name__append_def(decoder->buf, metadata, token >> 2);
	if ((token & 3) == 1)
		return type_name__append_ref(decoder->buf, metadata, token >> 2);
	return -EBADMSG;
}

/* Element type, rank, sizes, lower bounds; only the rank is spelled. */
static int decode_array(struct type_decoder *decoder, uint32_t module)
{
	struct cursor *cursor = decoder->cursor;
	uint32_t rank;
	int err = decode(decoder, module, NULL);

	if (err)
		return err;
	rank = cursor__compressed(cursor);
	for (int list = 0; list < 2; list++) {
		uint32_t count = cursor__compressed(cursor);

		if (count > rank)
			return -EBADMSG;
		while (count--)
			cursor__compressed(cursor);
	}
	if (cursor->bad || rank < 1 || rank > 32)
		return -EBADMSG;
	put(decoder, rank == 1 ? "[*" : "[");
	while (--rank)
		put(decoder, ",");
	put(decoder, "]");
	return 0;
}

/* The arguments' tokens are those of the whole blob again. */
static int decode_generic(struct type_decoder *decoder, uint32_t module,
			  uint32_t *ret_module)
{
	uint32_t count;
	int err = decode(decoder, module, ret_module);

	if (err)
		return err;
	count = cursor__compressed(decoder->cursor);
	put(decoder, "[");
	for (uint32_t i = 0; i < count; i++) {
		if (i)
			put(decoder, ",");
		err = decode(decoder, decoder->module, NULL);
		if (err)
			return err;
	}
	put(decoder, "]");
	return 0;
}

/* Spelled as result(parameter, parameter). */
static int decode_function(struct type_decoder *decoder, uint32_t module)
{
	uint32_t convention = cursor__u8(decoder->cursor), count;
	int err;

	if (convention & 0x10) /* generic: a number of arguments */
		cursor__compressed(decoder->cursor);
	count = cursor__compressed(decoder->cursor);
	err = decode(decoder, module, NULL);
	put(decoder, "(");
	for (uint32_t i = 0; i < count && !err; i++) {
		if (i)
			put(decoder, ", ");
		err = decode(decoder, module, NULL);
	}
	put(decoder, ")");
	return err;
}

static int decode_suffixed(struct type_decoder *decoder, uint32_t module,
			   const char *suffix)
{
	int err = decode(decoder, module, NULL);

	put(decoder, suffix);
	return err;
}

static int decode_variable(struct type_decoder *decoder, const char *prefix)
{
	uint32_t number = cursor__compressed(decoder->cursor);

	if (decoder->buf)
		buf__printf(decoder->buf, "%s%u", prefix, number);
	return 0;
}

static int decode_element(struct type_decoder *decoder, uint32_t module,
			  uint32_t *ret_module)
{
	uint8_t element = cursor__u8(decoder->cursor);

	if (element < sizeof(simple_names) / sizeof(simple_names[0]) &&
	    simple_names[element]) {
		if (ret_module)
			*ret_module = MODULES_CORE_LIBRARY;
		put(decoder, simple_names[element]);
		return 0;
	}
	switch (element) {
	case ELEMENT_VALUETYPE:
	case ELEMENT_CLASS:
		if (ret_module)
			*ret_module = module;
		return decode_token(decoder, module);
	case ELEMENT_GENERICINST:
		return decode_generic(decoder, module, ret_module);
	case ELEMENT_MODULE:
		return decode(decoder, cursor__compressed(decoder->cursor), ret_module);
	case ELEMENT_NATIVE_VALUETYPE:
		return decode(decoder, module, ret_module);
	case ELEMENT_SZARRAY:
		return decode_suffixed(decoder, module, "[]");
	case ELEMENT_PTR:
		return decode_suffixed(decoder, module, "*");
	case ELEMENT_BYREF:
		return decode_suffixed(decoder, module, "&");
	case ELEMENT_ARRAY:
		return decode_array(decoder, module);
	case ELEMENT_FNPTR:
		return decode_function(decoder, module);
	case ELEMENT_VAR:
		return decode_variable(decoder, "!");
	case ELEMENT_MVAR:
		return decode_variable(decoder, "!!");
	case ELEMENT_CMOD_REQD: /* not part of a type's name */
	case ELEMENT_CMOD_OPT:
		cursor__compressed(decoder->cursor);
		return decode(decoder, module, ret_module);
	default:
		return -EBADMSG;
	}
}

static int decode(struct type_decoder *decoder, uint32_t module, uint32_t *ret_module)
{
	int err;

	if (decoder->depth >= DEPTH_MAX || !*decoder->budget ||
	    (decoder->buf && decoder->buf->size > decoder->limit))
		return -EBADMSG;
	(*decoder->budget)--;
	decoder->depth++;
	err = decode_element(decoder, module, ret_module);
	decoder->depth--;
	return decoder->cursor->bad ? -EBADMSG : err;
}

int type_name__decode(struct type_decoder *decoder, uint32_t *ret_module)
{
	return decode(decoder, decoder->module, ret_module);
}
