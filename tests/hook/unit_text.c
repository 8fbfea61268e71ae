/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * UTF-16 to UTF-8, cutting, and signature blobs as text.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../profiler_hook/signature.h"
#include "../../profiler_hook/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UTF16(literal) \
	((struct utf16){(const uint8_t *)(literal), sizeof(literal) / 2 - 1})

static void expect_utf8(struct utf16 string, const char *expected)
{
	char bytes[256];
	size_t size = text__convert(string, bytes, sizeof(bytes));

	assert_int_equal(size, strlen(expected));
	assert_string_equal(bytes, expected);
}

static void text_converts_every_width(void **state)
{
	(void)state;
	expect_utf8(UTF16(u""), "");
	expect_utf8(UTF16(u"Main"), "Main");
	expect_utf8(UTF16(u"\u00e9\u20ac\U0001F600."),
		    "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80.");
}

static void text_replaces_lone_surrogates(void **state)
{
	static const uint16_t high_alone[] = {'a', 0xd83d, 'b', 0};
	static const uint16_t low_alone[] = {0xde00, 'b', 0};
	static const uint16_t high_last[] = {'a', 0xd83d, 0};
	static const uint16_t two_highs[] = {0xd83d, 0xd83d, 0xde00, 0};

	(void)state;
	expect_utf8(UTF16(high_alone), "a\xef\xbf\xbd"
				       "b");
	expect_utf8(UTF16(low_alone), "\xef\xbf\xbd"
				      "b");
	expect_utf8(UTF16(high_last), "a\xef\xbf\xbd");
	expect_utf8(UTF16(two_highs), "\xef\xbf\xbd\xf0\x9f\x98\x80");
}

static void text_cuts_between_characters(void **state)
{
	char bytes[8];

	(void)state;
	/* 3 bytes each, and room for 7 and the NUL. */
	assert_int_equal(
		text__convert(UTF16(u"\u20ac\u20ac\u20ac"), bytes, sizeof(bytes)), 6);
	assert_string_equal(bytes, "\xe2\x82\xac\xe2\x82\xac");
}

static struct text four_parts(const char *type, const char *method,
			      const char *signature, const char *arguments)
{
	return (struct text){
		{text_part__utf8(type, strlen(type)),
		 text_part__utf8(method, strlen(method)),
		 text_part__utf8(signature, strlen(signature)),
		 text_part__utf8(arguments, strlen(arguments))},
		4,
	};
}

static void text_cuts_the_signature_first_and_the_method_last(void **state)
{
	struct text text = four_parts("Type", "Method", "signature", "args");
	struct text_plan plan;
	char bytes[64];

	(void)state;
	plan = text__plan(&text, sizeof(bytes));
	assert_false(plan.cut);
	assert_int_equal(plan.bytes, 27);
	text__write(&text, &plan, bytes);
	assert_memory_equal(bytes, "Type\0Method\0signature\0args", 27);
	assert_true(text__equals(&text, &plan, bytes));
	bytes[6] = 'X';
	assert_false(text__equals(&text, &plan, bytes));

	plan = text__plan(&text, 20);
	assert_true(plan.cut);
	assert_int_equal(plan.bytes, 20);
	text__write(&text, &plan, bytes);
	assert_memory_equal(bytes, "Type\0Method\0si\0args", 20);

	plan = text__plan(&text, 10);
	text__write(&text, &plan, bytes);
	assert_memory_equal(bytes, "\0Method\0\0", 10);
}

/* A TypeDef is "D" and its row, a TypeRef "R" and its row. */
static void append_type(void *context, uint32_t token, struct name *name)
{
	char text[16];

	(void)context;
	snprintf(text, sizeof(text), "%c%u", token >> 24 == 2 ? 'D' : 'R',
		 token & 0xffffff);
	name__append_string(name, text);
}

static void expect_signature(const char *blob, size_t size, int expected_err,
			     const char *expected)
{
	uint8_t *exact = malloc(size);
	char bytes[256];
	struct name name = {bytes, 0, sizeof(bytes) - 1, false, NULL};

	assert_non_null(exact);
	memcpy(exact, blob, size);
	assert_int_equal(signature__append(exact, size, append_type, NULL, &name),
			 expected_err);
	bytes[name.size] = '\0';
	assert_string_equal(bytes, expected);
	free(exact);
}

#define SIGNATURE(blob, text) expect_signature(blob, sizeof(blob) - 1, 0, text)
#define BROKEN(blob, text)    expect_signature(blob, sizeof(blob) - 1, -EBADMSG, text)

static void signature_spells_as_the_runtime_does(void **state)
{
	(void)state;
	SIGNATURE("\x00\x00\x01", "void  ()");
	SIGNATURE("\x20\x01\x13\x00\x13\x00", "instance !0  (!0)");
	SIGNATURE("\x10\x01\x02\x1e\x00\x13\x00\x1e\x00", "generic !!0  (!0,!!0)");
	SIGNATURE("\x30\x02\x01\x01\x10\x1e\x01", "instance generic void  (!!1&)");
	SIGNATURE("\x00\x03\x02\x1d\x0e\x14\x08\x02\x00\x02\x00\x00\x0f\x05",
		  "bool  (class System.String[],int32[,],unsigned int8*)");
	/* Lower bounds that are not 0, with sizes. */
	SIGNATURE("\x00\x01\x01\x14\x03\x01\x01\x05\x01\x02", "void  (wchar[2...8])");
	/* Tokens: 0x0d is TypeRef row 3, 0x80 0x84 TypeDef row 33. */
	SIGNATURE("\x00\x02\x18\x12\x0d\x11\x80\x84",
		  "int  (class R3,value class D33)");
	SIGNATURE("\x00\x01\x01\x15\x12\x0d\x02\x08\x13\x01",
		  "void  (class R3<int32,!1>)");
	SIGNATURE("\x00\x01\x01\x10\x1f\x0d\x08",
		  "void  (required_modifier R3 int32&)");
	SIGNATURE("\x05\x02\x01\x08\x41\x0e",
		  "vararg void  (int32,...,class System.String)");
	SIGNATURE("\x00\x01\x01\x1b\x00\x01\x08\x0d", "void  (fnptr int32(float64))");
	SIGNATURE("\x00\x01\x01\x21\x10\x32\x54\x76\x98\xba\xdc\x00",
		  "void  (pMT: 0xdcba9876543210)");
}

static void signature_stops_at_what_makes_no_sense(void **state)
{
	(void)state;
	BROKEN("\x00", "");
	BROKEN("\x00\x01\x01\x77", "void  (");
	BROKEN("\x00\x01\x01\x12", "void  (");
	BROKEN("\x00\x01\x01\x21\x10\x32", "void  (");
	BROKEN("\x00\x01\x01\x14\x08\xdf\xff\xff\xff", "void  (int32");
}

static void signature_survives_random_blobs(void **state)
{
	unsigned int seed = 7;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		size_t size = 1 + (size_t)rand_r(&seed) % 48;
		uint8_t *blob = malloc(size);
		char bytes[128];
		struct name name = {bytes, 0, sizeof(bytes), false, NULL};

		assert_non_null(blob);
		for (size_t i = 0; i < size; i++)
			blob[i] = (uint8_t)(rand_r(&seed) % 0x26);
		(void)signature__append(blob, size, append_type, NULL, &name);
		assert_true(name.size <= name.capacity);
		free(blob);
	}
}

/* Depth is bounded: a million array brackets must not use up the stack. */
static void signature_survives_deep_nesting(void **state)
{
	uint8_t blob[4096];
	char bytes[256];
	struct name name = {bytes, 0, sizeof(bytes), false, NULL};

	(void)state;
	memset(blob, 0x1d, sizeof(blob));
	blob[0] = 0;
	blob[1] = 1;
	assert_int_equal(signature__append(blob, sizeof(blob), append_type, NULL,
					   &name),
			 -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_converts_every_width),
		cmocka_unit_test(text_replaces_lone_surrogates),
		cmocka_unit_test(text_cuts_between_characters),
		cmocka_unit_test(text_cuts_the_signature_first_and_the_method_last),
		cmocka_unit_test(signature_spells_as_the_runtime_does),
		cmocka_unit_test(signature_stops_at_what_makes_no_sense),
		cmocka_unit_test(signature_survives_random_blobs),
		cmocka_unit_test(signature_survives_deep_nesting),
	};

	return cmocka_run_group_tests_name("hook text", tests, NULL, NULL);
}
