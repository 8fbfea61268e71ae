/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * A blob is a prefix code: each element byte says what follows it.  The spelling
 * of each element, the two spaces before "(" and the silence about array bounds
 * are the runtime's (dotnet/runtime src/coreclr/utilcode/prettyprintsig.cpp, v8 to
 * v10), so that a body found after an attach has the name that an event would give.
 */
#include "signature.h"

#include <errno.h>
#include <string.h>

#define DEPTH_MAX 32

enum element {
	ELEMENT_VOID = 0x01,
	ELEMENT_STRING = 0x0e,
	ELEMENT_PTR = 0x0f,
	ELEMENT_BYREF = 0x10,
	ELEMENT_VALUETYPE = 0x11,
	ELEMENT_CLASS = 0x12,
	ELEMENT_VAR = 0x13,
	ELEMENT_ARRAY = 0x14,
	ELEMENT_GENERICINST = 0x15,
	ELEMENT_TYPEDBYREF = 0x16,
	ELEMENT_I = 0x18,
	ELEMENT_U = 0x19,
	ELEMENT_FNPTR = 0x1b,
	ELEMENT_OBJECT = 0x1c,
	ELEMENT_SZARRAY = 0x1d,
	ELEMENT_MVAR = 0x1e,
	ELEMENT_CMOD_REQD = 0x1f,
	ELEMENT_CMOD_OPT = 0x20,
	ELEMENT_INTERNAL = 0x21, /* a type's address, in blobs made at run time */
	ELEMENT_CMOD_INTERNAL = 0x22,
	ELEMENT_SENTINEL = 0x41,
	ELEMENT_PINNED = 0x45,
};

#define CONVENTION_MASK	    0x0fu
#define CONVENTION_GENERIC  0x10u
#define CONVENTION_HAS_THIS 0x20u

struct reader {
	const uint8_t *next;
	const uint8_t *end;
	signature_type append_type;
	void *context;
	struct name *name;
};

static int read_byte(struct reader *reader, uint8_t *ret_byte)
{
	if (reader->next >= reader->end)
		return -EBADMSG;
	*ret_byte = *reader->next++;
	return 0;
}

/* II.23.2: one, two or four bytes, told by the first bits. */
static int read_number(struct reader *reader, uint32_t *ret_number)
{
	uint8_t first, byte;
	unsigned int more;
	uint32_t number;

	if (read_byte(reader, &first))
		return -EBADMSG;
	if (!(first & 0x80)) {
		more = 0;
		number = first;
	} else if (!(first & 0x40)) {
		more = 1;
		number = first & 0x3f;
	} else {
		more = 3;
		number = first & 0x1f;
	}
	while (more--) {
		if (read_byte(reader, &byte))
			return -EBADMSG;
		number = number << 8 | byte;
	}
	*ret_number = number;
	return 0;
}

static int append_type(struct reader *reader, int depth);
static int append_method(struct reader *reader, int depth);

static int append_pointer(struct reader *reader)
{
	uint64_t pointer;

	if ((size_t)(reader->end - reader->next) < sizeof(pointer))
		return -EBADMSG;
	memcpy(&pointer, reader->next, sizeof(pointer));
	reader->next += sizeof(pointer);
	name__append_string(reader->name, "pMT: 0x");
	name__append_number(reader->name, pointer, 16);
	return 0;
}

static int append_token(struct reader *reader, const char *prefix)
{
	static const uint32_t tables[] = {0x02000000, 0x01000000, 0x1b000000};
	uint32_t coded;

	if (read_number(reader, &coded) || (coded & 3) == 3)
		return -EBADMSG;
	name__append_string(reader->name, prefix);
	reader->append_type(reader->context, tables[coded & 3] | coded >> 2,
			    reader->name);
	return 0;
}

static int append_array(struct reader *reader, int depth)
{
	uint32_t rank, count, number;

	if (append_type(reader, depth + 1) || read_number(reader, &rank) || rank > 32)
		return -EBADMSG;
	for (int list = 0; list < 2; list++) { /* sizes, then lower bounds */
		if (read_number(reader, &count) || count > rank)
			return -EBADMSG;
		while (count--) {
			if (read_number(reader, &number))
				return -EBADMSG;
		}
	}
	name__append_string(reader->name, "[");
	for (uint32_t i = 1; i < rank; i++)
		name__append_string(reader->name, ",");
	name__append_string(reader->name, "]");
	return 0;
}

static int append_instance(struct reader *reader, int depth)
{
	uint32_t count;

	if (append_type(reader, depth + 1) || read_number(reader, &count))
		return -EBADMSG;
	name__append_string(reader->name, "<");
	for (uint32_t i = 0; i < count; i++) {
		if (i)
			name__append_string(reader->name, ",");
		if (append_type(reader, depth + 1))
			return -EBADMSG;
	}
	name__append_string(reader->name, ">");
	return 0;
}

static int append_variable(struct reader *reader, const char *prefix)
{
	uint32_t number;

	if (read_number(reader, &number))
		return -EBADMSG;
	name__append_string(reader->name, prefix);
	name__append_number(reader->name, number, 10);
	return 0;
}

static int append_suffixed(struct reader *reader, const char *suffix, int depth)
{
	if (append_type(reader, depth + 1))
		return -EBADMSG;
	name__append_string(reader->name, suffix);
	return 0;
}

static int append_modified(struct reader *reader, const char *prefix, int depth)
{
	if (append_token(reader, prefix))
		return -EBADMSG;
	name__append_string(reader->name, " ");
	return append_type(reader, depth + 1);
}

static const char *simple_name(uint8_t element)
{
	static const char *const names[] = {
		[ELEMENT_VOID] = "void",
		[0x02] = "bool",
		[0x03] = "wchar",
		[0x04] = "int8",
		[0x05] = "unsigned int8",
		[0x06] = "int16",
		[0x07] = "unsigned int16",
		[0x08] = "int32",
		[0x09] = "unsigned int32",
		[0x0a] = "int64",
		[0x0b] = "unsigned int64",
		[0x0c] = "float32",
		[0x0d] = "float64",
		[ELEMENT_STRING] = "class System.String",
		[ELEMENT_TYPEDBYREF] = "refany",
		[ELEMENT_I] = "int",
		[ELEMENT_U] = "unsigned int",
		[ELEMENT_OBJECT] = "class System.Object",
	};

	return element < sizeof(names) / sizeof(names[0]) ? names[element] : NULL;
}

static int append_compound(struct reader *reader, uint8_t element, int depth)
{
	switch (element) {
	case ELEMENT_VALUETYPE:
		return append_token(reader, "value class ");
	case ELEMENT_CLASS:
		return append_token(reader, "class ");
	case ELEMENT_INTERNAL:
		return append_pointer(reader);
	case ELEMENT_CMOD_REQD:
		return append_modified(reader, "required_modifier ", depth);
	case ELEMENT_CMOD_OPT:
		return append_modified(reader, "optional_modifier ", depth);
	case ELEMENT_SZARRAY:
		return append_suffixed(reader, "[]", depth);
	case ELEMENT_PTR:
		return append_suffixed(reader, "*", depth);
	case ELEMENT_BYREF:
		return append_suffixed(reader, "&", depth);
	case ELEMENT_PINNED:
		return append_suffixed(reader, " pinned", depth);
	case ELEMENT_ARRAY:
		return append_array(reader, depth);
	case ELEMENT_GENERICINST:
		return append_instance(reader, depth);
	case ELEMENT_VAR:
		return append_variable(reader, "!");
	case ELEMENT_MVAR:
		return append_variable(reader, "!!");
	case ELEMENT_FNPTR:
		name__append_string(reader->name, "fnptr ");
		return append_method(reader, depth + 1);
	default:
		return -EBADMSG;
	}
}

static int append_type(struct reader *reader, int depth)
{
	const char *simple;
	uint8_t element;

	if (depth > DEPTH_MAX || reader->name->cut || read_byte(reader, &element))
		return -EBADMSG;
	simple = simple_name(element);
	if (!simple)
		return append_compound(reader, element, depth);
	name__append_string(reader->name, simple);
	return 0;
}

static int append_parameters(struct reader *reader, uint32_t count, int depth)
{
	bool first = true;

	while (count && reader->next < reader->end) {
		if (!first)
			name__append_string(reader->name, ",");
		first = false;
		if (*reader->next == ELEMENT_SENTINEL) {
			reader->next++;
			name__append_string(reader->name, "...");
			continue;
		}
		if (append_type(reader, depth))
			return -EBADMSG;
		count--;
	}
	return 0;
}

static int append_method(struct reader *reader, int depth)
{
	static const char *const conventions[CONVENTION_MASK + 1] = {
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
		""};
	uint32_t convention, generics, count;

	if (depth > DEPTH_MAX || read_number(reader, &convention))
		return -EBADMSG;
	if (convention & CONVENTION_HAS_THIS)
		name__append_string(reader->name, "instance ");
	if (convention & CONVENTION_GENERIC) {
		name__append_string(reader->name, "generic ");
		if (read_number(reader, &generics))
			return -EBADMSG;
	}
	name__append_string(reader->name, conventions[convention & CONVENTION_MASK]);
	if (read_number(reader, &count) || append_type(reader, depth + 1))
		return -EBADMSG;
	/* The runtime passes " " for the name; inside a function pointer "". */
	name__append_string(reader->name, depth ? "(" : "  (");
	if (append_parameters(reader, count, depth + 1))
		return -EBADMSG;
	name__append_string(reader->name, ")");
	return 0;
}

int signature__append(const uint8_t *blob, size_t size, signature_type append_type_name,
		      void *context, struct name *name)
{
	struct reader reader = {blob, blob + size, append_type_name, context, name};

	return append_method(&reader, 0);
}
