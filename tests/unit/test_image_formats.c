// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The small formats inside a precompiled image, byte by byte: numbers, sparse
// array, hash table, UNWIND_INFO, signatures, encoded methods.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "../../user/image/instance.h"
#include "../../user/image/native_format.h"
#include "../../user/image/signature.h"
#include "../../user/image/type_name.h"
#include "../../user/image/unwind_info.h"

#define CURSOR(...)                                \
	cursor__of((const uint8_t[]){__VA_ARGS__}, \
		   sizeof((const uint8_t[]){__VA_ARGS__}))

static void cursor_never_leaves_its_range(void **state)
{
	struct cursor cursor = CURSOR(1, 2, 3);

	(void)state;
	assert_int_equal(cursor__u16(&cursor), 0x0201);
	assert_int_equal(cursor__u16(&cursor), 0);
	assert_true(cursor.bad);
	assert_int_equal(cursor__u8(&cursor), 0); /* bad stays bad */
	cursor = CURSOR(1, 2, 3);
	cursor__seek(&cursor, 3);
	assert_false(cursor.bad);
	cursor__seek(&cursor, 4);
	assert_true(cursor.bad);
}

static void compressed_numbers_have_three_lengths(void **state)
{
	struct cursor one = CURSOR(0x7f), two = CURSOR(0xae, 0x57);
	struct cursor four = CURSOR(0xc0, 0x00, 0x40, 0x00), no = CURSOR(0xff);

	(void)state;
	assert_int_equal(cursor__compressed(&one), 0x7f);
	assert_int_equal(cursor__compressed(&two), 0x2e57);
	assert_int_equal(cursor__compressed(&four), 0x4000);
	cursor__compressed(&no);
	assert_true(no.bad);
}

static void native_numbers_have_five_lengths(void **state)
{
	struct cursor one = CURSOR(0x18), two = CURSOR(0xa1, 0x0f);
	struct cursor three = CURSOR(0x03, 0x00, 0x80), four = CURSOR(0x07, 0, 0, 0x80);
	struct cursor five = CURSOR(0x0f, 0x78, 0x56, 0x34, 0x12), no = CURSOR(0x1f);
	struct cursor minus = CURSOR(0xfe), minus_two_bytes = CURSOR(0x01, 0x80);

	(void)state;
	assert_int_equal(native__unsigned(&one), 12);
	assert_int_equal(native__unsigned(&two), 1000);
	assert_int_equal(native__unsigned(&three), 0x800000 >> 3);
	assert_int_equal(native__unsigned(&four), 0x80000000u >> 4);
	assert_int_equal(native__unsigned(&five), 0x12345678);
	native__unsigned(&no);
	assert_true(no.bad);
	assert_int_equal(native__signed(&minus), -1);
	assert_int_equal(native__signed(&minus_two_bytes), -8192);
}

/*
 * Two elements of 16, 3 and 9: a root with both children, the lower one a
 * leaf that says "3", the higher one a leaf that says "9".
 */
static void sparse_array_finds_what_is_there(void **state)
{
	struct cursor file = CURSOR(16 << 3,	       /* 16 elements, index of bytes */
				    1,		       /* block 0 lies at base + 1 */
				    (3 | 3 << 2) << 1, /* higher child 3 bytes on */
				    (3 << 2) << 1, 33, /* leaf 3, its data */
				    (9 << 2) << 1, 99); /* leaf 9, its data */
	struct native_array array;

	(void)state;
	assert_int_equal(native_array__open(file, 0, &array), 0);
	assert_int_equal(array.count, 16);
	for (uint32_t i = 0; i < 20; i++) {
		struct cursor at = native_array__at(&array, i);

		assert_int_equal(at.bad, i != 3 && i != 9);
		if (!at.bad)
			assert_int_equal(cursor__u8(&at), i * 11);
	}
}

static int sum_entries(void *context, struct cursor entry)
{
	*(uint32_t *)context += cursor__u8(&entry);
	return 0;
}

/* The example of the format's description: two buckets, four entries. */
static void hash_table_gives_every_entry(void **state)
{
	struct cursor file = CURSOR(0x04, 0x03, 0x09, 0x0b, 0x31, 14, 0x32, 12, 0x34,
				    10,	     /* bucket 0 */
				    0x38, 8, /* bucket 1 */
				    1, 20, 30, 4);
	uint32_t sum = 0;

	(void)state;
	assert_int_equal(native_table__each(file, 0, 4, sum_entries, &sum), 0);
	assert_int_equal(sum, 1 + 20 + 30 + 4);
}

static void hash_table_is_bounded(void **state)
{
	struct cursor huge = CURSOR(31 << 2 | 2, 0, 0, 0, 0);
	struct cursor two = CURSOR(0x00, 0x02, 0x06, 0x31, 6, 0x32, 2, 7);
	struct cursor outside = CURSOR(0x00, 0x02, 0x04, 0x31, 0x7e, 7);
	uint32_t sum = 0;

	(void)state;
	assert_int_equal(native_table__each(huge, 0, 100, sum_entries, &sum), -EBADMSG);
	assert_int_equal(native_table__each(two, 0, 2, sum_entries, &sum), 0);
	assert_int_equal(sum, 7 + 7);
	assert_int_equal(native_table__each(two, 0, 1, sum_entries, &sum), -EBADMSG);
	assert_int_equal(native_table__each(outside, 0, 9, sum_entries, &sum),
			 -EBADMSG);
}

#define SHAPE(info, code, role) unwind_info__shape(info, code, role)

static void framed_prolog_ends_with_the_frame_pointer(void **state)
{
	/* push rbp; push r15; push rbx; sub rsp,16; then lea rbp,[rsp+32] */
	struct cursor info = CURSOR(0x19, 8, 4, 0, 8, 0x12, 4, 0x30, 3, 0xf0, 1, 0x50);
	struct cursor lea8 = CURSOR(0x55, 0x41, 0x57, 0x53, 0x48, 0x83, 0xec, 0x10,
				    0x48, 0x8d, 0x6c, 0x24, 0x20, 0xc3);
	struct cursor lea32 = CURSOR(0x55, 0x41, 0x57, 0x53, 0x48, 0x83, 0xec, 0x10,
				     0x48, 0x8d, 0xac, 0x24, 0x20, 0, 0, 0, 0xc3);
	struct cursor none = CURSOR(0x55, 0x41, 0x57, 0x53, 0x48, 0x83, 0xec, 0x10,
				    0x90, 0x90, 0x90, 0x90, 0x90, 0xc3);
	struct cursor mov_info = CURSOR(0x19, 1, 1, 0, 1, 0x50, 0, 0);
	struct cursor mov = CURSOR(0x55, 0x48, 0x8b, 0xec, 0xc3);

	(void)state;
	assert_int_equal(SHAPE(info, lea8, UNWIND_ENTRY),
			 TS_SHAPE(TS_FRAME_FRAMED, 13, 0));
	assert_int_equal(SHAPE(info, lea32, UNWIND_ENTRY),
			 TS_SHAPE(TS_FRAME_FRAMED, 16, 0));
	assert_int_equal(TS_SHAPE_KIND(SHAPE(info, none, UNWIND_ENTRY)),
			 TS_FRAME_UNKNOWN);
	assert_int_equal(SHAPE(mov_info, mov, UNWIND_ENTRY),
			 TS_SHAPE(TS_FRAME_FRAMED, 4, 0));
}

static void frame_register_in_unwind_info_is_the_end_of_the_prolog(void **state)
{
	/* push rbp; sub rsp,..; lea rbp,[rsp+..] told as SET_FRAME */
	struct cursor info =
		CURSOR(0x19, 10, 3, 0x25, 10, 0x03, 5, 0x32, 1, 0x50, 0, 0);
	struct cursor code = CURSOR(0x55, 0x48, 0x83, 0xec, 0x20, 0x48, 0x8d, 0x6c,
				    0x24, 0x20, 0xc3);

	(void)state;
	assert_int_equal(SHAPE(info, code, UNWIND_ENTRY),
			 TS_SHAPE(TS_FRAME_FRAMED, 10, 0));
}

static void frameless_counts_pushes_and_allocations(void **state)
{
	struct cursor code = CURSOR(0xc3), leaf = CURSOR(0x19, 0, 0, 0);
	struct cursor small = CURSOR(0x19, 1, 1, 0, 1, 0x30);	      /* push rbx */
	struct cursor both = CURSOR(0x19, 6, 2, 0, 6, 0x32, 2, 0xf0); /* push, sub 32 */
	struct cursor large = CURSOR(0x19, 7, 2, 0, 7, 0x01, 0x20, 0);	   /* sub 256 */
	struct cursor larger = CURSOR(0x19, 7, 3, 0, 7, 0x11, 0, 0, 1, 0); /* 65536 */

	(void)state;
	assert_int_equal(SHAPE(leaf, code, UNWIND_ENTRY),
			 TS_SHAPE(TS_FRAME_FRAMELESS, 0, 0));
	assert_int_equal(SHAPE(small, code, UNWIND_ENTRY),
			 TS_SHAPE(TS_FRAME_FRAMELESS, 1, 1));
	assert_int_equal(SHAPE(both, code, UNWIND_ENTRY),
			 TS_SHAPE(TS_FRAME_FRAMELESS, 6, 5));
	assert_int_equal(SHAPE(large, code, UNWIND_ENTRY),
			 TS_SHAPE(TS_FRAME_FRAMELESS, 7, 32));
	assert_int_equal(SHAPE(larger, code, UNWIND_ENTRY),
			 TS_SHAPE(TS_FRAME_FRAMELESS, 7, 8192));
}

static void funclets_run_in_the_frame_of_their_method(void **state)
{
	/* From ReadyToRun 13 on: rbp is set by whoever calls it. */
	struct cursor now = CURSOR(0x19, 1, 1, 0, 1, 0x02),
		      code = CURSOR(0x50, 0x58, 0xc3);
	/* Before: push rbp; push rbx; push rax; mov rbp,[rdi]; mov [rsp],rbp; lea */
	struct cursor old = CURSOR(0x19, 3, 3, 0, 3, 0x02, 2, 0x30, 1, 0x50, 0, 0);
	struct cursor fetch = CURSOR(0x55, 0x53, 0x50, 0x48, 0x8b, 0x2f, 0x48, 0x89,
				     0x2c, 0x24, 0x48, 0x8d, 0x6d, 0x20, 0xcc);
	struct cursor wide =
		CURSOR(0x55, 0x53, 0x50, 0x48, 0x8b, 0xaf, 1, 0, 0, 0, 0x48, 0x89, 0x6c,
		       0x24, 8, 0x48, 0x8d, 0xad, 0, 1, 0, 0, 0xcc);

	(void)state;
	assert_int_equal(SHAPE(now, code, UNWIND_FUNCLET),
			 TS_SHAPE(TS_FRAME_FRAMED, 0, 0));
	assert_int_equal(SHAPE(old, fetch, UNWIND_FUNCLET),
			 TS_SHAPE(TS_FRAME_FRAMED, 14, 0));
	assert_int_equal(SHAPE(old, wide, UNWIND_FUNCLET),
			 TS_SHAPE(TS_FRAME_FRAMED, 22, 0));
	assert_int_equal(TS_SHAPE_KIND(SHAPE(old, fetch, UNWIND_ENTRY)),
			 TS_FRAME_UNKNOWN);
}

static void cold_parts_take_the_frame_as_it_is(void **state)
{
	struct cursor framed = CURSOR(0x19, 1, 1, 0, 1, 0x50, 0, 0),
		      code = CURSOR(0xcc);
	struct cursor frameless = CURSOR(0x19, 6, 2, 0, 6, 0x32, 2, 0xf0);
	struct cursor chained = CURSOR(0x21, 0, 0, 0, 0x30, 0x0a, 1, 0, 0xe2, 0x0a, 1,
				       0, 0xf4, 8, 1, 0);

	(void)state;
	assert_int_equal(SHAPE(framed, code, UNWIND_COLD),
			 TS_SHAPE(TS_FRAME_FRAMED, 0, 0));
	assert_int_equal(SHAPE(frameless, code, UNWIND_COLD),
			 TS_SHAPE(TS_FRAME_FRAMELESS, 0, 5));
	assert_int_equal(unwind_info__chained(chained), 0x108f4);
	assert_int_equal(unwind_info__chained(framed), 0);
}

static void unwind_info_that_makes_no_sense_is_unknown(void **state)
{
	struct cursor code = CURSOR(0xc3), version = CURSOR(0x1a, 0, 0, 0);
	struct cursor cut = CURSOR(0x19, 1, 2, 0, 1, 0x30), empty = CURSOR(0x19);
	struct cursor operation = CURSOR(0x19, 1, 1, 0, 1, 0x0f, 0, 0);
	struct cursor other_frame = CURSOR(0x19, 1, 0, 3),
		      half = CURSOR(0x19, 7, 3, 0, 7, 0x11, 4, 0, 0, 0);

	(void)state;
	assert_int_equal(TS_SHAPE_KIND(SHAPE(version, code, UNWIND_ENTRY)), 0);
	assert_int_equal(TS_SHAPE_KIND(SHAPE(cut, code, UNWIND_ENTRY)), 0);
	assert_int_equal(TS_SHAPE_KIND(SHAPE(empty, code, UNWIND_ENTRY)), 0);
	assert_int_equal(TS_SHAPE_KIND(SHAPE(operation, code, UNWIND_ENTRY)), 0);
	assert_int_equal(TS_SHAPE_KIND(SHAPE(other_frame, code, UNWIND_ENTRY)), 0);
	assert_int_equal(TS_SHAPE_KIND(SHAPE(half, code, UNWIND_ENTRY)), 0);
}

static void expect_signature(struct cursor blob, const char *expected)
{
	static const struct metadata none;
	struct buf buf = BUF_INIT;

	assert_int_equal(signature__append(&buf, &none, blob), 0);
	assert_string_equal(buf__string(&buf), expected);
	buf__free(&buf);
}

static void signatures_are_spelled_as_the_runtime_does(void **state)
{
	(void)state;
	expect_signature(CURSOR(0x00, 0, 0x01), "void  ()");
	expect_signature(CURSOR(0x20, 2, 0x01, 0x08, 0x0e),
			 "instance void  (int32,class System.String)");
	expect_signature(CURSOR(0x30, 1, 2, 0x1e, 0, 0x10, 0x13, 1, 0x1d, 0x1c),
			 "instance generic !!0  (!1&,class System.Object[])");
	expect_signature(CURSOR(0x05, 2, 0x02, 0x18, 0x41, 0x0f, 0x05),
			 "vararg bool  (int,...,unsigned int8*)");
	expect_signature(CURSOR(0x00, 1, 0x01, 0x1b, 0x00, 1, 0x01, 0x0d),
			 "void  (fnptr void(float64))");
	expect_signature(CURSOR(0x00, 1, 0x01, 0x14, 0x03, 3, 0, 0),
			 "void  (wchar[,,])");
	expect_signature(CURSOR(0x00, 1, 0x01, 0x14, 0x03, 1, 1, 5, 1, 2),
			 "void  (wchar[2...8])");
}

static void signatures_that_make_no_sense_are_refused(void **state)
{
	static const struct metadata none;
	struct buf buf = BUF_INIT;
	uint8_t deep[300];

	(void)state;
	memset(deep, 0x1d, sizeof(deep));
	deep[0] = 0;
	deep[1] = 0;
	assert_int_equal(signature__append(&buf, &none, cursor__of(deep, sizeof(deep))),
			 -EBADMSG);
	assert_int_equal(signature__append(&buf, &none, CURSOR(0, 0, 0x7f)), -EBADMSG);
	assert_int_equal(signature__append(&buf, &none, CURSOR(0x20, 0)), -EBADMSG);
	assert_int_equal(signature__append(&buf, &none,
					   CURSOR(0, 0, 0x14, 8, 33, 0, 0)),
			 -EBADMSG);
	buf__free(&buf);
}

static void reserved_characters_of_type_names_are_escaped(void **state)
{
	struct buf buf = BUF_INIT;

	(void)state;
	type_name__append_escaped(&buf, "<>c__A`1");
	type_name__append_escaped(&buf, "[a,b]+c*&\\");
	assert_string_equal(buf__string(&buf), "<>c__A`1\\[a\\,b\\]\\+c\\*\\&\\\\");
	buf__free(&buf);
}

static int skip_blob(struct cursor blob, uint32_t budget, uint32_t *ret_token,
		     uint32_t *ret_at)
{
	uint32_t module;
	int err = instance__skip(&blob, &budget, ret_token, &module);

	*ret_at = blob.at;
	if (!err && module)
		*ret_token = 0; /* another module's */
	return err;
}

static void encoded_methods_are_skipped_exactly(void **state)
{
	uint32_t token, at;

	(void)state;
	/* Owner Class<int, __Canon[]>, MethodDef 5; then the entry point. */
	assert_int_equal(
		skip_blob(CURSOR(0x40, 0x15, 0x12, 0x08, 2, 0x08, 0x1d, 0x3e, 5, 99),
			  100, &token, &at),
		0);
	assert_int_equal(token, 0x06000005);
	assert_int_equal(at, 9);
	/* Method arguments and a constraint. */
	assert_int_equal(
		skip_blob(CURSOR(0x24, 7, 1, 0x0e, 0x1c, 99), 100, &token, &at), 0);
	assert_int_equal(token, 0x06000007);
	assert_int_equal(at, 5);
	/* A MemberRef and another module's method have no token of this image. */
	assert_int_equal(skip_blob(CURSOR(0x10, 7), 100, &token, &at), 0);
	assert_int_equal(token, 0);
	assert_int_equal(skip_blob(CURSOR(0x80, 0x80, 3, 7), 100, &token, &at), 0);
	assert_int_equal(token, 0);
	assert_int_equal(skip_blob(CURSOR(0x40, 0x15, 0x3f, 2, 0x12, 0x08, 1, 0x08, 5),
				   100, &token, &at),
			 0);
	assert_int_equal(token, 0);
}

static void encoded_methods_that_make_no_sense_are_refused(void **state)
{
	uint32_t token, at;

	(void)state;
	assert_int_equal(skip_blob(CURSOR(0x08, 7), 100, &token, &at), -EBADMSG);
	assert_int_equal(skip_blob(CURSOR(0x40, 0x7e, 7), 100, &token, &at), -EBADMSG);
	assert_int_equal(skip_blob(CURSOR(0x04, 7, 0xc0), 100, &token, &at), -EBADMSG);
	assert_int_equal(skip_blob(CURSOR(0x04, 7, 3, 8, 8, 8), 2, &token, &at),
			 -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cursor_never_leaves_its_range),
		cmocka_unit_test(compressed_numbers_have_three_lengths),
		cmocka_unit_test(native_numbers_have_five_lengths),
		cmocka_unit_test(sparse_array_finds_what_is_there),
		cmocka_unit_test(hash_table_gives_every_entry),
		cmocka_unit_test(hash_table_is_bounded),
		cmocka_unit_test(framed_prolog_ends_with_the_frame_pointer),
		cmocka_unit_test(
			frame_register_in_unwind_info_is_the_end_of_the_prolog),
		cmocka_unit_test(frameless_counts_pushes_and_allocations),
		cmocka_unit_test(funclets_run_in_the_frame_of_their_method),
		cmocka_unit_test(cold_parts_take_the_frame_as_it_is),
		cmocka_unit_test(unwind_info_that_makes_no_sense_is_unknown),
		cmocka_unit_test(signatures_are_spelled_as_the_runtime_does),
		cmocka_unit_test(signatures_that_make_no_sense_are_refused),
		cmocka_unit_test(reserved_characters_of_type_names_are_escaped),
		cmocka_unit_test(encoded_methods_are_skipped_exactly),
		cmocka_unit_test(encoded_methods_that_make_no_sense_are_refused),
	};

	return cmocka_run_group_tests_name("image formats", tests, NULL, NULL);
}
