// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Functions by address, and .eh_frame byte by byte.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../../user/symbol/eh_frame.h"
#include "../../user/symbol/functions.h"

static const char names[] = "\0a\0b\0c\0d";
enum { A = 1, B = 3, C = 5, D = 7 };

static void add(struct functions *functions, uint64_t start, uint32_t size,
		uint32_t name, uint16_t rank, bool until_next)
{
	functions__add(functions, &(struct function){.start = start,
						     .size = size,
						     .name = name,
						     .rank = rank,
						     .until_next = until_next});
}

static uint32_t name_at(const struct functions *functions, uint64_t address)
{
	const struct function *function = functions__find(functions, address);

	return function ? function->name : 0;
}

static void test_bounds(void **state)
{
	struct functions functions = {NULL, 0, 0};

	(void)state;
	assert_null(functions__find(&functions, 0));
	functions__finish(&functions, names);
	assert_null(functions__find(&functions, 0));
	add(&functions, 0x200, 0x10, B, 0, false);
	add(&functions, 0x100, 0x10, A, 0, false);
	add(&functions, 0x300, 0, C, 0, false);
	add(&functions, UINT64_MAX - 1, 16, D, 0, false);
	functions__finish(&functions, names);
	assert_int_equal(functions.count, 2);
	assert_int_equal(name_at(&functions, 0xff), 0);
	assert_int_equal(name_at(&functions, 0x100), A);
	assert_int_equal(name_at(&functions, 0x10f), A);
	assert_int_equal(name_at(&functions, 0x110), 0);
	assert_int_equal(name_at(&functions, 0x200), B);
	assert_int_equal(name_at(&functions, 0x210), 0);
	assert_int_equal(name_at(&functions, 0x300), 0);
	assert_int_equal(name_at(&functions, UINT64_MAX), 0);
	functions__free(&functions);
}

static void test_nested(void **state)
{
	struct functions functions = {NULL, 0, 0};

	(void)state;
	add(&functions, 0x100, 0x100, A, 0, false);
	add(&functions, 0x120, 0x20, B, 0, false);
	add(&functions, 0x128, 0x8, C, 0, false);
	add(&functions, 0x1f0, 0x20, D, 0, false); /* overlaps the end of A */
	functions__finish(&functions, names);
	assert_int_equal(name_at(&functions, 0x11f), A);
	assert_int_equal(name_at(&functions, 0x120), B);
	assert_int_equal(name_at(&functions, 0x128), C);
	assert_int_equal(name_at(&functions, 0x130), B);
	assert_int_equal(name_at(&functions, 0x140), A);
	assert_int_equal(name_at(&functions, 0x1ef), A);
	assert_int_equal(name_at(&functions, 0x1f0), D);
	assert_int_equal(name_at(&functions, 0x20f), D);
	assert_int_equal(name_at(&functions, 0x210), 0);
	functions__free(&functions);
}

static void test_same_start(void **state)
{
	struct functions functions = {NULL, 0, 0};

	(void)state;
	/* The same bytes: rank decides, then the alphabet. */
	add(&functions, 0x100, 0x10, A, 2, false);
	add(&functions, 0x100, 0x10, C, 1, false);
	add(&functions, 0x100, 0x10, B, 1, false);
	/* The same start, another size: each for its own bytes. */
	add(&functions, 0x200, 0x10, D, 9, false);
	add(&functions, 0x200, 0x20, A, 0, false);
	functions__finish(&functions, names);
	assert_int_equal(functions.count, 3);
	assert_int_equal(name_at(&functions, 0x108), B);
	assert_int_equal(name_at(&functions, 0x208), D);
	assert_int_equal(name_at(&functions, 0x218), A);
	functions__free(&functions);
}

static void test_open_end(void **state)
{
	struct functions functions = {NULL, 0, 0};

	(void)state;
	add(&functions, 0x100, 0x40, A, 0, true);
	add(&functions, 0x100, 0x40, B, 0, true);
	add(&functions, 0x120, 0x8, C, 0, false);
	add(&functions, 0x200, 0x10, D, 0, true);
	functions__finish(&functions, names);
	assert_int_equal(name_at(&functions, 0x11f), A);
	assert_int_equal(name_at(&functions, 0x127), C);
	assert_int_equal(name_at(&functions, 0x128), 0); /* not A again */
	assert_int_equal(name_at(&functions, 0x20f), D);
	functions__free(&functions);
}

/* The same answers as asking every function, on tangled ones. */
static void test_against_scan(void **state)
{
	struct functions functions = {NULL, 0, 0};
	uint64_t random = 88172645463325252ull;

	(void)state;
	for (int i = 0; i < 200; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		add(&functions, random % 4096, (uint32_t)(random >> 32) % 128, A, 0,
		    false);
	}
	functions__finish(&functions, names);
	for (uint64_t address = 0; address < 4300; address++) {
		const struct function *found = functions__find(&functions, address);
		const struct function *want = NULL;

		for (uint32_t i = 0; i < functions.count; i++)
			if (functions.items[i].start <= address &&
			    address - functions.items[i].start <
				    functions.items[i].size)
				want = &functions.items[i];
		assert_ptr_equal(found, want);
	}
	functions__free(&functions);
}

/* --- .eh_frame ---------------------------------------------------------- */

struct table {
	uint8_t data[512];
	size_t size;
};

struct found {
	uint64_t start[16], size[16];
	unsigned int count;
};

static void on_fde(void *context, const struct eh_function *function)
{
	struct found *found = context;

	assert_true(found->count < 16);
	found->start[found->count] = function->start;
	found->size[found->count++] = function->size;
}

static void put(struct table *table, uint64_t value, unsigned int size)
{
	memcpy(table->data + table->size, &value, size);
	table->size += size;
}

/* version, augmentation and its data, spelling of addresses; where it begins */
static size_t put_cie(struct table *table, uint8_t version, const char *augmentation,
		      const char *data, unsigned int data_size)
{
	size_t at = table->size;
	uint32_t length;

	put(table, 0, 4);
	put(table, 0, 4);
	put(table, version, 1);
	memcpy(table->data + table->size, augmentation, strlen(augmentation) + 1);
	table->size += strlen(augmentation) + 1;
	put(table, 1, 1);    /* code alignment */
	put(table, 0x78, 1); /* data alignment */
	put(table, 16, 1);   /* return register */
	if (augmentation[0] == 'z')
		put(table, data_size, 1);
	memcpy(table->data + table->size, data, data_size);
	table->size += data_size;
	length = (uint32_t)(table->size - at - 4);
	memcpy(table->data + at, &length, sizeof(length));
	return at;
}

static void put_fde(struct table *table, size_t cie, uint64_t start, unsigned int width,
		    uint64_t size)
{
	put(table, 4 + 2 * width + 1, 4);
	put(table, table->size - cie, 4);
	put(table, start, width);
	put(table, size, width);
	put(table, 0, 1);
}

/* In a block of exactly its size, so that the sanitizer sees every step too far. */
static struct found read_table(const struct table *table, size_t size, uint64_t address)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct found found = {.count = 0};

	assert_non_null(copy);
	memcpy(copy, table->data, size);
	eh_frame__read(&(struct eh_frame){copy, size, address}, on_fde, &found);
	free(copy);
	return found;
}

static void test_eh_frame_spellings(void **state)
{
	struct table table = {.size = 0};
	struct found found;
	size_t relative, absolute, plain, at;

	(void)state;
	/* personality, spelled as 4 bytes, then LSDA and FDE spellings */
	relative = put_cie(&table, 1, "zPLR", "\x9b\1\2\3\4\x1b\x1b", 7);
	at = table.size + 8;
	put_fde(&table, relative, (uint32_t)-0x100, 4, 0x40);
	absolute = put_cie(&table, 3, "zRS", "\x04", 1);
	put_fde(&table, absolute, 0x123456789a, 8, 0x10);
	plain = put_cie(&table, 1, "", "", 0);
	put_fde(&table, plain, 0x5000, 8, 0x20);
	put_fde(&table, relative, 0, 4, 0x30); /* back to the first CIE */
	put(&table, 0, 4);		       /* an end, and one more part */
	put_fde(&table, plain, 0x6000, 8, 0x20);
	found = read_table(&table, table.size, 0x10000);
	assert_int_equal(found.count, 5);
	assert_int_equal(found.start[0], 0x10000 + at - 0x100);
	assert_int_equal(found.size[0], 0x40);
	assert_int_equal(found.start[1], 0x123456789a);
	assert_int_equal(found.size[1], 0x10);
	assert_int_equal(found.start[2], 0x5000);
	assert_int_equal(found.size[3], 0x30);
	assert_int_equal(found.start[4], 0x6000);
}

static void test_eh_frame_refused(void **state)
{
	struct table table = {.size = 0};
	struct found found;
	size_t good;

	(void)state;
	put_fde(&table, 0, 0x1000, 8, 0x10); /* its CIE is itself */
	put_fde(&table, put_cie(&table, 2, "zR", "\0", 1), 0x1000, 8, 0x10);
	put_fde(&table, put_cie(&table, 1, "zQ", "\0", 1), 0x1000, 8, 0x10);
	put_fde(&table, put_cie(&table, 1, "eh", "\0\0\0\0\0\0\0\0", 8), 0x1000, 8, 16);
	put_fde(&table, put_cie(&table, 1, "zR", "\x80", 1), 0x1000, 8, 0x10);
	put_fde(&table, put_cie(&table, 1, "zR", "\x01", 1), 0x1000, 8, 0x10);
	put_fde(&table, put_cie(&table, 1, "zSSSSSSSSSSSSSSSSSSR", "\0", 1), 0x1000, 8,
		0x10);
	good = put_cie(&table, 1, "zR", "\0", 1);
	put_fde(&table, (size_t)-64, 0x1000, 8, 0x10); /* beyond the table's begin */
	put(&table, 4, 4);			       /* an FDE too short */
	put(&table, table.size - good, 4);
	put_fde(&table, good, 0x2000, 8, 0x10);
	found = read_table(&table, table.size, 0);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.start[0], 0x2000);
}

static void test_eh_frame_cut(void **state)
{
	struct table table = {.size = 0};
	size_t cie = put_cie(&table, 1, "zPLR", "\x00\1\2\3\4\5\6\7\10\x1b\x1b", 11);
	size_t first = table.size;

	(void)state;
	put_fde(&table, cie, 0x100, 4, 0x10);
	for (size_t size = 0; size < table.size; size++)
		assert_int_equal(read_table(&table, size, 0).count, 0);
	assert_int_equal(read_table(&table, table.size, 0).count, 1);
	/* Lengths that lead out of the table, a wide one too. */
	memset(table.data + first, 0xf0, 4);
	assert_int_equal(read_table(&table, table.size, 0).count, 0);
	memset(table.data + first, 0xff, 12);
	assert_int_equal(read_table(&table, table.size, 0).count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_same_start),
		cmocka_unit_test(test_open_end),
		cmocka_unit_test(test_against_scan),
		cmocka_unit_test(test_eh_frame_spellings),
		cmocka_unit_test(test_eh_frame_refused),
		cmocka_unit_test(test_eh_frame_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
