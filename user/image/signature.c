// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Encoding: ECMA-335 II.23.2.  Spelling: dotnet/runtime
 * src/coreclr/utilcode/prettyprintsig.cpp, PrettyPrintSigInternalLegacy (v8 to
 * v10), oddities included, because a precompiled body and the body that the
 * JIT makes of the same method must come out with the same name: nested types
 * without what is around them, two blanks where the method's name would be.
 */
#include "signature.h"

#include "../../abi/journal.h"
#include "../base/text.h"

#include <errno.h>

#define DEPTH_MAX	    64
#define ELEMENTS_MAX	    4096
#define CONVENTION_GENERIC  0x10
#define CONVENTION_HAS_THIS 0x20

struct speller {
	struct buf *buf;
	size_t start; /* of the signature in buf */
	const struct metadata *metadata;
	uint32_t depth, elements;
};

static const char *const simple_names[] = {
	[0x01] = "void",	   [0x02] = "bool",
	[0x03] = "wchar",	   [0x04] = "int8",
	[0x05] = "unsigned int8",  [0x06] = "int16",
	[0x07] = "unsigned int16", [0x08] = "int32",
	[0x09] = "unsigned int32", [0x0a] = "int64",
	[0x0b] = "unsigned int64", [0x0c] = "float32",
	[0x0d] = "float64",	   [0x0e] = "class System.String",
	[0x16] = "refany",	   [0x18] = "int",
	[0x19] = "unsigned int",   [0x1c] = "class System.Object",
};

static const char *const convention_names[16] = {
	"",
	"unmanaged cdecl ",
	"unmanaged stdcall ",
	"unmanaged thiscall ",
	"unmanaged fastcall ",
	"vararg ",
	"<error> ",
	"<error> ",
	"",
	"",
	"",
	"native vararg ",
	"",
	"",
	"",
	"",
};

static int spell_type(struct speller *speller, struct cursor *blob);

static void append_name(struct buf *buf, const char *space, const char *name)
{
	if (*space) {
		text__append_utf8(buf, space, strlen(space));
		buf__append_char(buf, '.');
	}
	text__append_utf8(buf, name, strlen(name));
}

static int spell_class(struct speller *speller, struct cursor *blob)
{
	const struct metadata *metadata = speller->metadata;
	uint32_t token = cursor__compressed(blob), row = token >> 2;
	struct cursor spec;

	switch (token & 3) {
	case 0:
		append_name(speller->buf,
			    metadata__string(metadata, TABLE_TYPE_DEF, row,
					     TYPE_DEF_NAMESPACE),
			    metadata__string(metadata, TABLE_TYPE_DEF, row,
					     TYPE_DEF_NAME));
		return 0;
	case 1:
		append_name(speller->buf,
			    metadata__string(metadata, TABLE_TYPE_REF, row,
					     TYPE_REF_NAMESPACE),
			    metadata__string(metadata, TABLE_TYPE_REF, row,
					     TYPE_REF_NAME));
		return 0;
	case 2:
		spec = metadata__blob(metadata, TABLE_TYPE_SPEC, row,
				      TYPE_SPEC_SIGNATURE);
		return spell_type(speller, &spec);
	default:
		return -EBADMSG;
	}
}

static int spell_prefixed_class(struct speller *speller, struct cursor *blob,
				const char *prefix)
{
	buf__append_string(speller->buf, prefix);
	return spell_class(speller, blob);
}

static int spell_modifier(struct speller *speller, struct cursor *blob,
			  const char *prefix)
{
	int err = spell_prefixed_class(speller, blob, prefix);

	buf__append_char(speller->buf, ' ');
	return err ? err : spell_type(speller, blob);
}

static int spell_suffixed(struct speller *speller, struct cursor *blob,
			  const char *suffix)
{
	int err = spell_type(speller, blob);

	buf__append_string(speller->buf, suffix);
	return err;
}

/* Bounds are spelled only where a dimension has a size and a lower bound. */
static int spell_array(struct speller *speller, struct cursor *blob)
{
	uint32_t rank, count, sizes[32] = {0}, lows[32] = {0};
	int err = spell_type(speller, blob);

	if (err)
		return err;
	rank = cursor__compressed(blob);
	if (rank < 1 || rank > 32)
		return -EBADMSG;
	count = cursor__compressed(blob);
	for (uint32_t i = 0; i < count && i < rank; i++)
		sizes[i] = cursor__compressed(blob);
	if (count > rank)
		return -EBADMSG;
	count = cursor__compressed(blob);
	for (uint32_t i = 0; i < count && i < rank; i++)
		lows[i] = cursor__compressed(blob);
	if (count > rank || blob->bad)
		return -EBADMSG;
	buf__append_char(speller->buf, '[');
	for (uint32_t i = 0; i < rank; i++) {
		if (sizes[i] && lows[i])
			buf__printf(speller->buf, "%d...%d", (int32_t)lows[i],
				    (int32_t)(lows[i] + sizes[i] + 1));
		if (i + 1 < rank)
			buf__append_char(speller->buf, ',');
	}
	buf__append_char(speller->buf, ']');
	return 0;
}

static int spell_generic(struct speller *speller, struct cursor *blob)
{
	int err = spell_type(speller, blob);
	uint32_t count = cursor__compressed(blob);

	buf__append_char(speller->buf, '<');
	for (uint32_t i = 0; i < count && !err; i++) {
		if (i)
			buf__append_char(speller->buf, ',');
		err = spell_type(speller, blob);
	}
	buf__append_char(speller->buf, '>');
	return err;
}

static int spell_method(struct speller *speller, struct cursor *blob, const char *name)
{
	uint32_t convention = cursor__compressed(blob), count;
	bool comma = false;
	int err;

	if (convention & CONVENTION_HAS_THIS)
		buf__append_string(speller->buf, "instance ");
	if (convention & CONVENTION_GENERIC) {
		buf__append_string(speller->buf, "generic ");
		cursor__compressed(blob);
	}
	buf__append_string(speller->buf, convention_names[convention & 15]);
	count = cursor__compressed(blob);
	err = spell_type(speller, blob);
	buf__append_string(speller->buf, name);
	buf__append_char(speller->buf, '(');
	while (count && cursor__left(blob) && !err) {
		if (comma)
			buf__append_char(speller->buf, ',');
		comma = true;
		if (blob->data[blob->at] == 0x41) { /* sentinel of varargs */
			cursor__u8(blob);
			buf__append_string(speller->buf, "...");
			continue;
		}
		err = spell_type(speller, blob);
		count--;
	}
	buf__append_char(speller->buf, ')');
	return err;
}

static int spell_function_pointer(struct speller *speller, struct cursor *blob)
{
	buf__append_string(speller->buf, "fnptr ");
	return spell_method(speller, blob, "");
}

static int spell_variable(struct speller *speller, struct cursor *blob,
			  const char *prefix)
{
	buf__printf(speller->buf, "%s%u", prefix, cursor__compressed(blob));
	return 0;
}

static int spell_element(struct speller *speller, struct cursor *blob)
{
	uint8_t element = cursor__u8(blob);

	if (element < sizeof(simple_names) / sizeof(simple_names[0]) &&
	    simple_names[element]) {
		buf__append_string(speller->buf, simple_names[element]);
		return 0;
	}
	switch (element) {
	case 0x0f:
		return spell_suffixed(speller, blob, "*");
	case 0x10:
		return spell_suffixed(speller, blob, "&");
	case 0x11:
		return spell_prefixed_class(speller, blob, "value class ");
	case 0x12:
		return spell_prefixed_class(speller, blob, "class ");
	case 0x13:
		return spell_variable(speller, blob, "!");
	case 0x14:
		return spell_array(speller, blob);
	case 0x15:
		return spell_generic(speller, blob);
	case 0x1b:
		return spell_function_pointer(speller, blob);
	case 0x1d:
		return spell_suffixed(speller, blob, "[]");
	case 0x1e:
		return spell_variable(speller, blob, "!!");
	case 0x1f:
		return spell_modifier(speller, blob, "required_modifier ");
	case 0x20:
		return spell_modifier(speller, blob, "optional_modifier ");
	case 0x45:
		return spell_suffixed(speller, blob, " pinned");
	default:
		return -EBADMSG;
	}
}

static int spell_type(struct speller *speller, struct cursor *blob)
{
	int err;

	if (speller->depth >= DEPTH_MAX || speller->elements >= ELEMENTS_MAX ||
	    speller->buf->size - speller->start > TS_TEXT_MAX)
		return -EBADMSG;
	speller->elements++;
	speller->depth++;
	err = spell_element(speller, blob);
	speller->depth--;
	return blob->bad ? -EBADMSG : err;
}

int signature__append(struct buf *buf, const struct metadata *metadata,
		      struct cursor blob)
{
	struct speller speller = {.buf = buf, .start = buf->size, .metadata = metadata};
	int err = spell_method(&speller, &blob, "  ");

	return blob.bad ? -EBADMSG : err;
}
