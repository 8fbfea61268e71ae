/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The table behind the hook's look-ups: what is put in is found, however full it is,
 * and little memory is touched for little.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../profiler_hook/table.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define CAPACITY  200000u
#define CODE_HEAP 0x7f3a12340000ull

static int set_up(void **state)
{
	static struct table table;

	*state = &table;
	return table__create(&table, CAPACITY);
}

static int tear_down(void **state)
{
	table__destroy(*state);
	return 0;
}

/* Bodies as a JIT lays them out: one after another, of a few hundred bytes. */
static uint64_t body(uint32_t i)
{
	return CODE_HEAP + 480ull * i + 32 * (i % 7);
}

static void insert_bodies(struct table *table, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(table__insert(table, body(i), i + 1), 0);
}

static size_t pages_touched(const void *memory, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), touched = 0;
	size_t pages = (bytes + page - 1) / page;
	unsigned char *resident = calloc(pages, 1);

	assert_non_null(resident);
	assert_int_equal(mincore((void *)(uintptr_t)memory, bytes, resident), 0);
	for (size_t i = 0; i < pages; i++)
		touched += resident[i] & 1;
	free(resident);
	return touched;
}

static void a_full_table_finds_each_key(void **state)
{
	struct table *table = *state;

	insert_bodies(table, CAPACITY);
	for (uint32_t i = 0; i < CAPACITY; i++)
		assert_int_equal(table__find(table, body(i)), i + 1);
	assert_int_equal(table__find(table, body(CAPACITY)), 0);
	assert_int_equal(table__insert(table, body(7), 1), -EEXIST);
}

static void keys_of_any_spacing_find_room(void **state)
{
	static const uint64_t spacings[] = {16, 24, 32, 4096, 65536, 1 << 24};
	struct table *table = *state;

	for (uint32_t s = 0; s < sizeof(spacings) / sizeof(spacings[0]); s++) {
		for (uint32_t i = 0; i < CAPACITY / 8; i++)
			assert_int_equal(table__insert(table,
						       (s + 1ull) * 0x100000000000ull +
							       i * spacings[s],
						       i + 1),
					 0);
	}
	for (uint32_t s = 0; s < sizeof(spacings) / sizeof(spacings[0]); s++) {
		for (uint32_t i = 0; i < CAPACITY / 8; i++)
			assert_int_equal(table__find(table,
						     (s + 1ull) * 0x100000000000ull +
							     i * spacings[s]),
					 i + 1);
	}
}

/* Methods that come and go: what is gone makes room, what stayed is found. */
static void removed_keys_make_room(void **state)
{
	struct table *table = *state;

	/* Ten times as many as it has room for, but never more than half of that at once. */
	for (uint32_t i = 0; i < 10 * CAPACITY; i++) {
		assert_int_equal(table__insert(table, body(i), i + 1), 0);
		if (i < CAPACITY / 2)
			continue;
		table__remove(table, body(i - CAPACITY / 2), i - CAPACITY / 2 + 1);
		assert_int_equal(table__find(table, body(i - CAPACITY / 2)), 0);
	}
	for (uint32_t i = 10 * CAPACITY - CAPACITY / 2; i < 10 * CAPACITY; i++)
		assert_int_equal(table__find(table, body(i)), i + 1);
}

static void a_value_changes_only_from_the_one_expected(void **state)
{
	struct table *table = *state;

	insert_bodies(table, 1);
	table__replace(table, body(0), 2, 3);
	assert_int_equal(table__find(table, body(0)), 1);
	table__replace(table, body(0), 1, 3);
	assert_int_equal(table__find(table, body(0)), 3);
	table__remove(table, body(0), 1);
	assert_int_equal(table__find(table, body(0)), 3);
}

/* 5,000 bodies are a compiler's run; touched once per key they would be 5,000 pages. */
static void few_keys_touch_few_pages(void **state)
{
	struct table *table = *state;
	size_t slots = (size_t)table->mask + 1, pages;

	insert_bodies(table, 5000);
	pages = pages_touched(table->keys, slots * sizeof(*table->keys)) +
		pages_touched(table->values, slots * sizeof(*table->values));
	assert_in_range(pages, 1, 120);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_full_table_finds_each_key),
		TEST(keys_of_any_spacing_find_room),
		TEST(removed_keys_make_room),
		TEST(a_value_changes_only_from_the_one_expected),
		TEST(few_keys_touch_few_pages),
	};

	return cmocka_run_group_tests_name("hook table", tests, NULL, NULL);
}
