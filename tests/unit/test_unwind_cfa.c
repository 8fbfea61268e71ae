// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// user/unwind/cfa.c: call frame instructions written by hand, the rules that they
// mean, and instructions that are damaged.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/unwind/cfa.h"

#include <stdlib.h>
#include <string.h>

#define START 0x401000ull
#define SIZE  0x100u

/* What nearly every CIE says: CFA rsp + 8, the return address right below it. */
#define COMMON    "\x0c\x07\x08\x90\x01"
#define ROWS_MAX  16
#define BYTES(s)  (s), sizeof(s) - 1

#define RSP(words, rbp) TS_SHAPE(TS_RULE_RSP, rbp, words)
#define RBP(words, rbp) TS_SHAPE(TS_RULE_RBP, rbp, words)
#define R10		TS_SHAPE(TS_RULE_R10, 0, 0)

struct row {
	uint32_t at, shape;
};

struct told {
	struct row rows[ROWS_MAX];
	uint32_t count;
};

static void on_rule(void *context, uint64_t address, uint32_t shape)
{
	struct told *told = context;

	assert_true(told->count < ROWS_MAX);
	assert_true(address >= START && address < START + SIZE);
	told->rows[told->count++] = (struct row){(uint32_t)(address - START), shape};
}

struct program {
	const char *name;
	const char *common;
	size_t common_size;
	const char *own;
	size_t own_size;
	bool is_signal_frame;
	struct row rows[ROWS_MAX]; /* `at` 0 ends, but for the first */
};

/* In memory of exactly that size, so that a byte beyond is seen. */
static struct eh_program copy_of(const char *bytes, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	return (struct eh_program){copy, size};
}

static bool run(const struct program *program, size_t own_size, struct told *told)
{
	struct eh_function function = {
		.start = START, .size = SIZE, .code_factor = 1, .data_factor = -8,
		.return_register = 16, .is_signal_frame = program->is_signal_frame,
		.common = copy_of(program->common, program->common_size),
		.own = copy_of(program->own, own_size),
	};
	bool good;

	*told = (struct told){.count = 0};
	good = cfa__run(&function, on_rule, told);
	free((void *)function.common.data);
	free((void *)function.own.data);
	return good;
}

static const struct program followed[] = {
	{"nothing happens", BYTES(COMMON), BYTES(""), false, {{0, RSP(1, 0)}}},
	{"a frame with rbp, and its end", BYTES(COMMON),
	 BYTES("\x41\x0e\x10\x86\x02\x43\x0d\x06\x02\x20\x0c\x07\x08\xc6"), false,
	 {{0, RSP(1, 0)}, {1, RSP(2, 2)}, {4, RBP(2, 2)}, {36, RSP(1, 0)}}},
	{"pushes, and rbp among them", BYTES(COMMON),
	 BYTES("\x42\x0e\x10\x8f\x02\x42\x0e\x18\x8e\x03\x41\x0e\x20\x86\x04\x44\x0e\xa0\x01"),
	 false,
	 {{0, RSP(1, 0)}, {2, RSP(2, 0)}, {4, RSP(3, 0)}, {5, RSP(4, 4)}, {9, RSP(20, 4)}}},
	{"remembered and recalled", BYTES(COMMON),
	 BYTES("\x41\x0e\x10\x86\x02\x0a\x45\x0e\x08\xc6\x41\x0b"), false,
	 {{0, RSP(1, 0)}, {1, RSP(2, 2)}, {6, RSP(1, 0)}, {7, RSP(2, 2)}}},
	{"every way to advance", BYTES(COMMON),
	 BYTES("\x41\x0e\x10\x02\x02\x0e\x18\x03\x04\x00\x0e\x20\x04\x08\x00\x00\x00\x0e\x28"),
	 false,
	 {{0, RSP(1, 0)}, {1, RSP(2, 0)}, {3, RSP(3, 0)}, {7, RSP(4, 0)}, {15, RSP(5, 0)}}},
	{"every way to say where", BYTES(COMMON),
	 /* offset_extended; def_cfa_sf; offset_extended_sf; def_cfa_offset_sf */
	 BYTES("\x41\x0e\x20\x05\x06\x03\x41\x12\x06\x7c\x11\x06\x04\x41\x13\x7b\x41\x06\x06"
	       "\x41\x08\x06"),
	 false,
	 {{0, RSP(1, 0)}, {1, RSP(4, 3)}, {2, RBP(4, 4)}, {3, RBP(5, 4)}, {4, RBP(5, 0)},
	  {5, RBP(5, 0)}}},
	{"rbp is lost", BYTES(COMMON), BYTES("\x41\x07\x06"), false,
	 {{0, RSP(1, 0)}, {1, RSP(1, 0)}}},
	{"of other registers nothing counts", BYTES(COMMON),
	 BYTES("\x41\x83\x02\x8c\x03\x09\x03\x0c\x16\x0d\x02\x77\x08\x10\x0c\x01\x30\x2e\x10"
	       "\x14\x03\x02\x15\x0c\x7e\x2f\x03\x02\x00\x00"),
	 false, {{0, RSP(1, 0)}, {1, RSP(1, 0)}}},
	{"nobody called", BYTES(COMMON), BYTES("\x07\x10\x42\x86\x02"), false,
	 {{0, TS_SHAPE(TS_RULE_END, 0, 0)}, {2, TS_SHAPE(TS_RULE_END, 0, 0)}}},
	{"a linkage table", BYTES(COMMON),
	 BYTES("\x0e\x10\x46\x0e\x18\x4a\x0f\x0b\x77\x08\x80\x00\x3f\x1a\x3b\x2a\x33\x24\x22"),
	 false, {{0, RSP(2, 0)}, {6, RSP(3, 0)}, {16, TS_SHAPE(TS_RULE_PLT, 11, 1)}}},
	{"a linkage table of the other kind", BYTES(COMMON),
	 BYTES("\x0f\x0b\x77\x08\x80\x00\x3f\x1a\x3a\x2a\x33\x24\x22"), false,
	 {{0, TS_SHAPE(TS_RULE_PLT, 10, 1)}}},
	{"an aligned frame", BYTES(COMMON),
	 BYTES("\x45\x0c\x0a\x00\x49\x10\x06\x02\x76\x00\x44\x0f\x03\x76\x78\x06"), false,
	 {{0, RSP(1, 0)}, {5, R10}, {14, R10}, {18, TS_SHAPE(TS_RULE_ALIGNED, 0, 1)}}},
	{"the way out of one", BYTES(COMMON),
	 BYTES("\x10\x06\x02\x76\x00\x0c\x0a\x00\x41\x0c\x07\x08"), false,
	 {{0, R10}, {1, RSP(1, 0)}}},
	{"what could be one", BYTES(COMMON),
	 BYTES("\x41\x0c\x0a\x08\x41\x0c\x0a\x00\x10\x06\x02\x76\x08\x41\x0c\x07\x08"
	       "\x41\x10\x06\x02\x76\x00\x0e\x10"),
	 false, {{0, RSP(1, 0)}, {1, 0}, {2, 0}, {3, 0}, {4, 0}}},
	{"a signal's return", BYTES(""),
	 BYTES("\x0f\x04\x77\xa0\x01\x06\x10\x06\x03\x77\xf8\x00\x10\x10\x03\x77\xa8\x01"), true,
	 {{0, TS_SHAPE(TS_RULE_SIGNAL, 0, 0)}}},
	{"told from rbx", BYTES(COMMON), BYTES("\x41\x0c\x03\x20\x41\x0c\x03\x21"), false,
	 {{0, RSP(1, 0)}, {1, TS_SHAPE(TS_RULE_RBX, 0, 4)}, {2, 0}}},
	/* What has no rule of ours. */
	{"a signal's return of another kernel", BYTES(""),
	 BYTES("\x0f\x04\x77\xa8\x01\x06\x10\x06\x03\x77\xf8\x00\x10\x10\x03\x77\xa8\x01"), true,
	 {{0, 0}}},
	{"a signal frame that looks like a call", BYTES(COMMON), BYTES(""), true, {{0, 0}}},
	{"another base", BYTES(COMMON), BYTES("\x41\x0d\x0c\x41\x0d\x07"), false,
	 {{0, RSP(1, 0)}, {1, 0}, {2, RSP(1, 0)}}},
	{"odd distances", BYTES(COMMON),
	 BYTES("\x41\x0e\x0c\x41\x0e\x00\x41\x0e\x80\x80\x80\x80\x7f\x41\x0e\x10\x41\x13\x01"),
	 false,
	 {{0, RSP(1, 0)}, {1, 0}, {2, 0}, {3, 0}, {4, RSP(2, 0)}, {5, 0}}},
	{"the largest frame, and one larger", BYTES(COMMON),
	 BYTES("\x41\x0e\xf8\xff\xff\x03\x41\x0e\x80\x80\x80\x04"), false,
	 {{0, RSP(1, 0)}, {1, RSP(TS_SHAPE_SLOTS_MAX, 0)}, {2, 0}}},
	{"rbp where it cannot be", BYTES(COMMON),
	 BYTES("\x41\x86\x01\x41\x86\xff\x01\x41\x86\x80\x02\x41\x09\x06\x03\x41\x14\x06\x02"
	       "\x41\x10\x06\x02\x77\x08"),
	 false,
	 {{0, RSP(1, 0)}, {1, 0}, {2, RSP(1, 255)}, {3, 0}, {4, 0}, {5, 0}, {6, 0}}},
	{"the return address elsewhere", BYTES(COMMON),
	 BYTES("\x41\x90\x02\x41\x09\x10\x05\x41\x08\x10\x41\xd0"), false,
	 {{0, RSP(1, 0)}, {1, 0}, {2, 0}, {3, 0}, {4, RSP(1, 0)}}},
	{"other expressions", BYTES(COMMON),
	 BYTES("\x41\x0f\x02\x77\x08\x41\x0f\x03\x73\x78\x06\x41\x0f\x03\x76\x78\x06\x41\x0f\x00"),
	 false, {{0, RSP(1, 0)}, {1, 0}, {2, 0}, {3, 0}, {4, 0}}},
	{"what begins behind the end is not told", BYTES(COMMON),
	 BYTES("\x03\x00\x01\x0e\x10\x41\x0e\x18"), false, {{0, RSP(1, 0)}}},
};

static void rules_are_what_the_instructions_say(void **state)
{
	(void)state;
	for (size_t p = 0; p < sizeof(followed) / sizeof(followed[0]); p++) {
		const struct program *program = &followed[p];
		uint32_t count = 1;
		struct told told;

		if (!run(program, program->own_size, &told))
			fail_msg("%s: not followed", program->name);
		while (count < ROWS_MAX && program->rows[count].at)
			count++;
		if (told.count != count)
			fail_msg("%s: %u rules, not %u", program->name, told.count, count);
		for (uint32_t i = 0; i < count; i++)
			if (told.rows[i].at != program->rows[i].at ||
			    told.rows[i].shape != program->rows[i].shape)
				fail_msg("%s: rule %u is %#x at %u, not %#x at %u",
					 program->name, i, told.rows[i].shape,
					 told.rows[i].at, program->rows[i].shape,
					 program->rows[i].at);
	}
}

static const struct program damaged[] = {
	{"no such instruction", BYTES(COMMON), BYTES("\x3f"), false, {{0, 0}}},
	{"a place of its own", BYTES(COMMON), BYTES("\x01\x00\x10\x40\x00"), false, {{0, 0}}},
	{"recalled more than remembered", BYTES(COMMON), BYTES("\x0a\x0b\x0b"), false, {{0, 0}}},
	{"remembered too often", BYTES(COMMON), BYTES("\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a"),
	 false, {{0, 0}}},
	{"what the CIE remembered", BYTES(COMMON "\x0a"), BYTES("\x0b"), false, {{0, 0}}},
	{"a register without an offset", BYTES(""), BYTES("\x0d\x06"), false, {{0, 0}}},
	{"an offset without a register", BYTES(""), BYTES("\x0e\x10"), false, {{0, 0}}},
	{"a signed one", BYTES(""), BYTES("\x13\x7e"), false, {{0, 0}}},
	{"an expression that ends outside", BYTES(COMMON), BYTES("\x0f\x04\x77\x08\x06"), false,
	 {{0, 0}}},
	{"a saved one too", BYTES(COMMON), BYTES("\x10\x06\x7f\x77\x08"), false, {{0, 0}}},
	{"a number without an end", BYTES(COMMON),
	 BYTES("\x0e\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), false, {{0, 0}}},
	{"a CIE that is", BYTES("\x0c\x07"), BYTES(""), false, {{0, 0}}},
};

static void damaged_instructions_are_not_followed(void **state)
{
	struct told told;

	(void)state;
	for (size_t p = 0; p < sizeof(damaged) / sizeof(damaged[0]); p++)
		if (run(&damaged[p], damaged[p].own_size, &told))
			fail_msg("%s: followed", damaged[p].name);
}

/* No byte beyond what is there, wherever the instructions are cut. */
static void cut_instructions_stay_in_bounds(void **state)
{
	struct told told;
	int refused = 0;

	(void)state;
	for (size_t p = 0; p < sizeof(followed) / sizeof(followed[0]); p++)
		for (size_t size = 0; size < followed[p].own_size; size++)
			refused += !run(&followed[p], size, &told);
	assert_true(refused > 50);
}

static void the_frame_of_another_machine_is_none(void **state)
{
	struct eh_function function = {.start = START, .size = SIZE, .code_factor = 1,
				       .data_factor = -8, .return_register = 30};
	static uint8_t nops[1024];
	struct told told = {.count = 0};

	(void)state;
	assert_false(cfa__run(&function, on_rule, &told));
	function.return_register = 16;
	function.common = (struct eh_program){nops, 256};
	assert_true(cfa__run(&function, on_rule, &told));
	/* It is run for each of its functions. */
	function.common.size = 257;
	assert_false(cfa__run(&function, on_rule, &told));
}

/* Factors that would overflow. */
static void factors_are_bounded(void **state)
{
	static const uint8_t advance[] = {0x0c, 7, 8, 0x90, 1, 0x44, 0x0e, 0x10};
	static const uint8_t saved[] = {0x0c, 7, 8, 0x05, 16, 0xff, 0xff, 0xff, 0xff, 0x7f};
	struct eh_function function = {.start = START, .size = SIZE, .data_factor = INT64_MIN,
				       .code_factor = UINT64_MAX / 2, .return_register = 16};
	struct told told = {.count = 0};

	(void)state;
	function.own = (struct eh_program){advance, sizeof(advance)};
	assert_false(cfa__run(&function, on_rule, &told));
	function.own = (struct eh_program){saved, sizeof(saved)};
	assert_true(cfa__run(&function, on_rule, &told));
	assert_int_equal(told.count, 1);
	assert_int_equal(told.rows[0].shape, 0);
}

/* Whatever the bytes are: rules within the function, in order, of kinds that exist. */
static void random_instructions_do_no_harm(void **state)
{
	uint64_t seed = 0x5eed;
	int good = 0;

	(void)state;
	for (int round = 0; round < 100000; round++) {
		char bytes[24];
		struct program program = {.common = COMMON, .common_size = 5, .own = bytes};
		struct told told;

		for (size_t i = 0; i < sizeof(bytes); i++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			bytes[i] = (char)(seed >> 56 & (round & 1 ? 0xff : 0x17));
		}
		if (!run(&program, sizeof(bytes), &told))
			continue;
		good++;
		for (uint32_t i = 0; i < told.count; i++) {
			assert_true(!i || told.rows[i].at > told.rows[i - 1].at);
			assert_true(TS_SHAPE_KIND(told.rows[i].shape) < TS_RULE_COUNT);
			assert_true(!told.rows[i].shape ||
				    TS_SHAPE_KIND(told.rows[i].shape) >= TS_FRAME_COUNT);
		}
	}
	assert_true(good > 100);
}

static uint32_t saved_rbx(const char *own, size_t size)
{
	struct eh_function function = {
		.start = START, .size = SIZE, .common = copy_of(COMMON, sizeof(COMMON) - 1),
		.own = copy_of(own, size), .code_factor = 1, .data_factor = -8,
		.return_register = 16};
	uint32_t words = cfa__saved_rbx(&function);

	free((void *)function.common.data);
	free((void *)function.own.data);
	return words;
}

/* In one place, from the prolog on: nothing else will do. */
static void where_rbx_is_saved(void **state)
{
	char *long_one = calloc(1, 4097);

	(void)state;
	assert_int_equal(saved_rbx(BYTES("\x41\x0e\x10\x83\x02\x41\x0e\x18")), 2);
	assert_int_equal(saved_rbx(BYTES("\x48\x0e\x10\x86\x02\x41\x83\x05\x60\xc3")), 5);
	assert_int_equal(saved_rbx(BYTES("")), 0);
	assert_int_equal(saved_rbx(BYTES("\x41\x83\x02\x41\x83\x03")), 0);
	assert_int_equal(saved_rbx(BYTES("\x41\x83\x01")), 0);	/* the return address */
	assert_int_equal(saved_rbx(BYTES("\x61\x83\x02")), 0);	/* far behind the begin */
	assert_int_equal(saved_rbx(BYTES("\x41\x83\x02\x09\x03\x0c")), 0); /* in r12 */
	assert_int_equal(saved_rbx(BYTES("\x41\x83\x02\x3f")), 0);
	memcpy(long_one, "\x41\x83\x02", 3);
	assert_int_equal(saved_rbx(long_one, 4096), 2);
	assert_int_equal(saved_rbx(long_one, 4097), 0);
	free(long_one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_are_what_the_instructions_say),
		cmocka_unit_test(damaged_instructions_are_not_followed),
		cmocka_unit_test(cut_instructions_stay_in_bounds),
		cmocka_unit_test(the_frame_of_another_machine_is_none),
		cmocka_unit_test(factors_are_bounded),
		cmocka_unit_test(random_instructions_do_no_harm),
		cmocka_unit_test(where_rbx_is_saved),
	};

	return cmocka_run_group_tests_name("unwind_cfa", tests, NULL, NULL);
}
