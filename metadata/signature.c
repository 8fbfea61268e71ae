/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * A blob is a prefix code: each element byte says what follows it.  The spelling is
 * dotnet/runtime src/coreclr/utilcode/prettyprintsig.cpp, PrettyPrintSigInternalLegacy
 * (v8 to v10), oddities included: nested types without what is around them, two blanks
 * where the method's name would be.
 */
#include "signature.h"

#include "elements.h"

#include <errno.h>

#define DEPTH_MAX    32u
#define ELEMENTS_MAX 4096u /* a TypeSpec can name itself more than once */
#define RANK_MAX     32u

#define CONVENTION_MASK	    0x0fu
#define CONVENTION_GENERIC  0x10u
#define CONVENTION_HAS_THIS 0x20u

struct speller {
	struct cursor blob;
	const struct signature_sink *sink;
	uint32_t depth, elements;
	bool full;
};

static int spell_type(struct speller *speller);
static int spell_method(struct speller *speller, const char *name);

static void append(struct speller *speller, const char *string)
{
	if (!speller->full)
		speller->full = !speller->sink->append(speller->sink->context, string,
						       strlen(string));
}

static void append_number(struct speller *speller, uint64_t number, unsigned int base)
{
	char digits[24];
	size_t at = sizeof(digits);

	digits[--at] = 0;
	do {
		digits[--at] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number);
	append(speller, digits + at);
}

/* Signed, as the runtime prints the bounds of arrays. */
static void append_bound(struct speller *speller, uint32_t bits)
{
	int64_t bound = (int32_t)bits;

	if (bound < 0)
		append(speller, "-");
	append_number(speller, (uint64_t)(bound < 0 ? -bound : bound), 10);
}

static int spell_class(struct speller *speller, const char *prefix)
{
	static const uint32_t tables[] = {0x02000000, 0x01000000, 0x1b000000};
	const struct signature_sink *sink = speller->sink;
	uint32_t coded = cursor__compressed(&speller->blob);
	struct cursor rest;
	int err;

	if (speller->blob.bad || (coded & 3) == 3)
		return -EBADMSG;
	append(speller, prefix);
	if ((coded & 3) != 2 || !sink->type_spec) {
		sink->append_type(sink->context, tables[coded & 3] | coded >> 2);
		return 0;
	}
	rest = speller->blob;
	speller->blob = sink->type_spec(sink->context, coded >> 2);
	err = spell_type(speller);
	speller->blob = rest;
	return err;
}

static int spell_modified(struct speller *speller, const char *prefix)
{
	int err = spell_class(speller, prefix);

	append(speller, " ");
	return err ? err : spell_type(speller);
}

static int spell_suffixed(struct speller *speller, const char *suffix)
{
	int err = spell_type(speller);

	append(speller, suffix);
	return err;
}

/* Sizes, or lower bounds: of the first dimensions only. */
static bool read_bounds(struct speller *speller, uint32_t rank,
			uint32_t bounds[RANK_MAX])
{
	uint32_t count = cursor__compressed(&speller->blob);

	for (uint32_t i = 0; i < count && i < rank; i++)
		bounds[i] = cursor__compressed(&speller->blob);
	return !speller->blob.bad && count <= rank;
}

/* Bounds are spelled only where a dimension has a size and a lower bound. */
static int spell_array(struct speller *speller)
{
	uint32_t rank, sizes[RANK_MAX] = {0}, lows[RANK_MAX] = {0};
	int err = spell_type(speller);

	if (err)
		return err;
	rank = cursor__compressed(&speller->blob);
	if (rank < 1 || rank > RANK_MAX || !read_bounds(speller, rank, sizes) ||
	    !read_bounds(speller, rank, lows))
		return -EBADMSG;
	append(speller, "[");
	for (uint32_t i = 0; i < rank; i++) {
		if (sizes[i] && lows[i]) {
			append_bound(speller, lows[i]);
			append(speller, "...");
			append_bound(speller, lows[i] + sizes[i] + 1);
		}
		if (i + 1 < rank)
			append(speller, ",");
	}
	append(speller, "]");
	return 0;
}

static int spell_instance(struct speller *speller)
{
	int err = spell_type(speller);
	uint32_t count = cursor__compressed(&speller->blob);

	append(speller, "<");
	for (uint32_t i = 0; i < count && !err; i++) {
		if (i)
			append(speller, ",");
		err = spell_type(speller);
	}
	append(speller, ">");
	return err;
}

static int spell_variable(struct speller *speller, const char *prefix)
{
	uint32_t number = cursor__compressed(&speller->blob);

	if (speller->blob.bad)
		return -EBADMSG;
	append(speller, prefix);
	append_number(speller, number, 10);
	return 0;
}

static int spell_pointer(struct speller *speller)
{
	uint64_t pointer = cursor__u64(&speller->blob);

	if (speller->blob.bad)
		return -EBADMSG;
	append(speller, "pMT: 0x");
	append_number(speller, pointer, 16);
	return 0;
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

static int spell_compound(struct speller *speller, uint8_t element)
{
	switch (element) {
	case ELEMENT_VALUETYPE:
		return spell_class(speller, "value class ");
	case ELEMENT_CLASS:
		return spell_class(speller, "class ");
	case ELEMENT_INTERNAL:
		return spell_pointer(speller);
	case ELEMENT_CMOD_REQD:
		return spell_modified(speller, "required_modifier ");
	case ELEMENT_CMOD_OPT:
		return spell_modified(speller, "optional_modifier ");
	case ELEMENT_SZARRAY:
		return spell_suffixed(speller, "[]");
	case ELEMENT_PTR:
		return spell_suffixed(speller, "*");
	case ELEMENT_BYREF:
		return spell_suffixed(speller, "&");
	case ELEMENT_PINNED:
		return spell_suffixed(speller, " pinned");
	case ELEMENT_ARRAY:
		return spell_array(speller);
	case ELEMENT_GENERICINST:
		return spell_instance(speller);
	case ELEMENT_VAR:
		return spell_variable(speller, "!");
	case ELEMENT_MVAR:
		return spell_variable(speller, "!!");
	case ELEMENT_FNPTR:
		append(speller, "fnptr ");
		return spell_method(speller, "");
	default:
		return -EBADMSG;
	}
}

static int spell_type(struct speller *speller)
{
	uint8_t element = cursor__u8(&speller->blob);
	const char *simple = simple_name(element);
	int err = 0;

	if (speller->blob.bad || speller->full || speller->depth >= DEPTH_MAX ||
	    speller->elements >= ELEMENTS_MAX)
		return -EBADMSG;
	speller->elements++;
	speller->depth++;
	if (simple)
		append(speller, simple);
	else
		err = spell_compound(speller, element);
	speller->depth--;
	return speller->blob.bad ? -EBADMSG : err;
}

static int spell_parameters(struct speller *speller, uint32_t count)
{
	struct cursor *blob = &speller->blob;
	bool first = true;

	while (count && cursor__left(blob)) {
		int err;

		if (!first)
			append(speller, ",");
		first = false;
		if (blob->data[blob->at] == ELEMENT_SENTINEL) {
			cursor__u8(blob);
			append(speller, "...");
			continue;
		}
		err = spell_type(speller);
		if (err)
			return err;
		count--;
	}
	return 0;
}

static int spell_method(struct speller *speller, const char *name)
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
	uint32_t convention = cursor__compressed(&speller->blob), count;

	if (convention & CONVENTION_HAS_THIS)
		append(speller, "instance ");
	if (convention & CONVENTION_GENERIC) {
		append(speller, "generic ");
		(void)cursor__compressed(&speller->blob);
	}
	append(speller, conventions[convention & CONVENTION_MASK]);
	count = cursor__compressed(&speller->blob);
	if (spell_type(speller))
		return -EBADMSG;
	append(speller, name);
	append(speller, "(");
	if (spell_parameters(speller, count))
		return -EBADMSG;
	append(speller, ")");
	return 0;
}

int signature__spell(struct cursor blob, const struct signature_sink *sink)
{
	struct speller speller = {.blob = blob, .sink = sink};

	return spell_method(&speller, "  ");
}
