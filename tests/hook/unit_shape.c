/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The prolog decoder, on prologs that the JIT of .NET 10.0.12 wrote (taken from
 * running programs) and on bytes that nobody wrote.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../abi/body.h"
#include "../../profiler_hook/shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "55 48 8b ec" to bytes; returns how many. */
static size_t bytes_of(const char *hex, uint8_t *ret_bytes)
{
	size_t size = 0;
	unsigned int byte;
	int used;

	while (sscanf(hex, "%2x%n", &byte, &used) == 1) {
		ret_bytes[size++] = (uint8_t)byte;
		hex += used;
	}
	return size;
}

struct expectation {
	const char *hex;
	uint32_t kind;
	uint32_t prolog;
	uint32_t slots;
	uint32_t frame_bytes;
};

static const struct expectation ordinary[] = {
	/* push rbp; mov rbp, rsp */
	{"55 48 8b ec 8b c7", TS_FRAME_FRAMED, 4, 0, 8},
	/* push rbp; push rbx; push rax; lea rbp, [rsp+16] */
	{"55 53 50 48 8d 6c 24 10 8b df", TS_FRAME_FRAMED, 8, 0, 24},
	/* push rbp; push r15..rbx; sub rsp, 0x158; vzeroupper; lea rbp, [rsp+0x180] */
	{"55 41 57 41 56 41 55 41 54 53 48 81 ec 58 01 00 00 c5 f8 77"
	 " 48 8d ac 24 80 01 00 00 33 c0",
	 TS_FRAME_FRAMED, 28, 0, 48 + 0x158},
	/* lea eax, [rdi+2*rdi]; ret */
	{"8d 04 7f c3", TS_FRAME_FRAMELESS, 0, 0, 0},
	/* push rax; call; inc eax; add rsp, 8; ret */
	{"50 ff 15 01 02 03 04 ff c0 48 83 c4 08 c3", TS_FRAME_FRAMELESS, 1, 1, 8},
	/* push r15; push rbx; sub rsp, 24; mov rbx, rdi */
	{"41 57 53 48 83 ec 18 48 8b df", TS_FRAME_FRAMELESS, 7, 5, 40},
	/* vzeroupper; sub rsp, 24 */
	{"c5 f8 77 48 83 ec 18 33 c0", TS_FRAME_FRAMELESS, 7, 3, 24},
	/* push rbp; lea r11, [rsp-0x4010]; call probe; mov rsp, r11; lea rbp, ... */
	{"55 4c 8d 9c 24 f0 bf ff ff e8 00 00 00 00 49 8b e3"
	 " 48 8d ac 24 10 40 00 00",
	 TS_FRAME_FRAMED, 25, 0, 8 + 0x4010},
	/* lea r11, [rsp-0x4018]; call probe; mov rsp, r11; xor eax, eax */
	{"4c 8d 9c 24 e8 bf ff ff e8 c3 bc 55 7e 49 8b e3 33 c0 48 89 44 24 08",
	 TS_FRAME_FRAMELESS, 16, 0x4018 / 8, 0x4018},
	/* push rbx; lea r11, [rsp-0x4010]; call [probe]; mov rsp, r11; mov ebx, edi */
	{"53 4c 8d 9c 24 f0 bf ff ff ff 15 00 00 00 00 49 8b e3 8b df",
	 TS_FRAME_FRAMELESS, 18, (8 + 0x4010) / 8, 8 + 0x4010},
	/* push rbp; test [rsp-0x1000], eax; sub rsp, 0x1100; lea rbp, ... */
	{"55 85 84 24 00 f0 ff ff 48 81 ec 00 11 00 00 48 8d ac 24 00 11 00 00",
	 TS_FRAME_FRAMED, 23, 0, 8 + 0x1100},
	/* push rbp without a frame set-up: not a prolog that we know */
	{"55 33 c0 5d c3", TS_FRAME_UNKNOWN, 0, 0, SHAPE_FRAME_UNKNOWN},
	/* push rbp, and then the bytes end */
	{"55", TS_FRAME_UNKNOWN, 0, 0, SHAPE_FRAME_UNKNOWN},
	{"55 48 8d 6c 24", TS_FRAME_UNKNOWN, 0, 0, SHAPE_FRAME_UNKNOWN},
	/* a probe that never reaches rsp */
	{"53 4c 8d 9c 24 f0 bf ff ff c3", TS_FRAME_UNKNOWN, 0, 0, SHAPE_FRAME_UNKNOWN},
	/* sub rsp, 4: no frame is like that */
	{"48 83 ec 04 c3", TS_FRAME_UNKNOWN, 0, 0, SHAPE_FRAME_UNKNOWN},
	{"", TS_FRAME_UNKNOWN, 0, 0, SHAPE_FRAME_UNKNOWN},
};

static void shape_decodes_ordinary_prologs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ordinary) / sizeof(ordinary[0]); i++) {
		const struct expectation *expected = &ordinary[i];
		uint8_t code[SHAPE_BYTES];
		size_t size = bytes_of(expected->hex, code);
		uint32_t frame_bytes = 1;
		uint32_t shape = shape__decode(code, size, &frame_bytes);

		print_message("%s\n", expected->hex);
		assert_int_equal(TS_SHAPE_KIND(shape), expected->kind);
		assert_int_equal(TS_SHAPE_PROLOG(shape), expected->prolog);
		assert_int_equal(TS_SHAPE_SLOTS(shape), expected->slots);
		assert_int_equal(frame_bytes, expected->frame_bytes);
	}
}

static void shape_decodes_osr_prologs(void **state)
{
	/* mov rax, [rbp+0]; push rax; sub rsp, 32; mov [rsp+..], r15 ..;
	 * vzeroupper; lea rbp; mov rbx, [rbp+0x60] */
	static const char hex[] = "48 8b 45 00 50 48 83 ec 20 4c 89 bc 24 a8 00 00 00"
				  " 4c 89 74 24 70 48 89 5c 24 68 c5 f8 77"
				  " 48 8d 6c 24 20 48 8b 5d 60";
	/* The same stored by rbp, which still is the tier-0 frame's. */
	static const char by_rbp[] = "48 8b 45 00 50 48 83 ec 48 4c 89 7d a0 48 89 5d 90"
				     " 4c 89 b5 70 ff ff ff 48 8d 6c 24 48 8b 7d e0";
	/* push rax; mov rsi, [rsp+0x30]; add rsp, 0x60; pop rbp; jmp */
	static const char frameless[] = "50 48 8b 74 24 30 48 83 c4 60 5d e9 fb 27 53 7e";
	uint8_t code[SHAPE_BYTES];
	size_t size = bytes_of(hex, code);
	uint32_t shape = shape__decode_osr(code, size, 0x58);

	(void)state;
	assert_int_equal(TS_SHAPE_KIND(shape), TS_FRAME_OSR);
	assert_int_equal(TS_SHAPE_SLOTS(shape), 0x58 / 8);
	assert_int_equal(TS_SHAPE_PROLOG(shape), 35);
	assert_int_equal(shape__decode_osr(code, bytes_of(by_rbp, code), 0x58),
			 TS_SHAPE(TS_FRAME_OSR, 29, 0x58 / 8));
	assert_int_equal(shape__decode_osr(code, bytes_of(frameless, code), 0x58),
			 TS_SHAPE(TS_FRAME_FRAMED, 0, 0));
	size = bytes_of(hex, code);
	/* The tier-0 frame is unknown or nonsense: then so is the shape. */
	assert_int_equal(
		TS_SHAPE_KIND(shape__decode_osr(code, size, SHAPE_FRAME_UNKNOWN)),
		TS_FRAME_UNKNOWN);
	assert_int_equal(TS_SHAPE_KIND(shape__decode_osr(code, size, 0x5c)),
			 TS_FRAME_UNKNOWN);
	/* Not all of it. */
	for (size_t part = 0; part < 35; part++)
		assert_int_equal(TS_SHAPE_KIND(shape__decode_osr(code, part, 0x58)),
				 TS_FRAME_UNKNOWN);
}

/* Random bytes of the kinds that occur, in blocks that end where the heap ends. */
static void shape_survives_random_code(void **state)
{
	static const uint8_t likely[] = {0x55, 0x53, 0x41, 0x57, 0x48, 0x83, 0x81,
					 0xec, 0x8d, 0xac, 0x6c, 0x24, 0x8b, 0x4c,
					 0x9c, 0x49, 0xe3, 0x85, 0x84, 0xff, 0x15};
	unsigned int seed = 99;

	(void)state;
	for (int round = 0; round < 300000; round++) {
		size_t size = (size_t)rand_r(&seed) % SHAPE_BYTES;
		uint8_t *code = malloc(size ? size : 1);
		uint32_t shape, frame_bytes;

		assert_non_null(code);
		for (size_t i = 0; i < size; i++)
			code[i] =
				rand_r(&seed) % 4
					? likely[(size_t)rand_r(&seed) % sizeof(likely)]
					: (uint8_t)rand_r(&seed);
		shape = shape__decode(code, size, &frame_bytes);
		assert_true(TS_SHAPE_KIND(shape) < TS_FRAME_COUNT);
		assert_true(TS_SHAPE_PROLOG(shape) <= size);
		shape = shape__decode_osr(code, size, 64);
		assert_true(TS_SHAPE_PROLOG(shape) <= size);
		free(code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shape_decodes_ordinary_prologs),
		cmocka_unit_test(shape_decodes_osr_prologs),
		cmocka_unit_test(shape_survives_random_code),
	};

	return cmocka_run_group_tests_name("hook shape", tests, NULL, NULL);
}
