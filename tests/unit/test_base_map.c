// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The hash map against a plain array, and the pool of strings.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/base/map.h"

#define KEYS 4096

static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*seed >> 33);
}

static void map_tells_what_was_set_last(void **state)
{
	struct map *map = map__new();
	uint64_t value = 7;

	(void)state;
	assert_false(map__get(map, 0, 0, &value));
	assert_int_equal(value, 7);
	map__set(map, 0, 0, 0);
	assert_true(map__get(map, 0, 0, &value));
	assert_int_equal(value, 0);
	map__set(map, 0, 0, UINT64_MAX);
	assert_true(map__get(map, 0, 0, &value));
	assert_int_equal(value, UINT64_MAX);
	assert_true(map__get(map, 0, 0, NULL));
	/* Both words count, and which is which. */
	map__set(map, 1, 2, 12);
	map__set(map, 2, 1, 21);
	assert_true(map__get(map, 1, 2, &value) && value == 12);
	assert_true(map__get(map, 2, 1, &value) && value == 21);
	assert_int_equal(map__count(map), 3);
	assert_true(map__remove(map, 1, 2));
	assert_false(map__remove(map, 1, 2));
	assert_false(map__get(map, 1, 2, &value));
	assert_int_equal(map__count(map), 2);
	map__free(map);
	map__free(NULL);
}

static void map_adds_only_what_is_not_there(void **state)
{
	struct map *map = map__new();
	uint64_t value;

	(void)state;
	/* Through several growths. */
	for (uint64_t i = 0; i < KEYS; i++) {
		assert_true(map__add(map, i, ~i, i + 1, &value));
		assert_int_equal(value, i + 1);
	}
	for (uint64_t i = 0; i < KEYS; i++) {
		value = 0;
		assert_false(map__add(map, i, ~i, 7, &value));
		assert_int_equal(value, i + 1);
	}
	assert_int_equal(map__count(map), KEYS);
	map__free(map);
}

/* Removal closes gaps: what stood behind one must still be found. */
static void map_agrees_with_an_array_through_sets_and_removals(void **state)
{
	struct map *map = map__new();
	uint64_t *values = calloc(KEYS, sizeof(*values));
	uint64_t seed = 3;
	size_t count = 0;

	(void)state;
	for (uint32_t i = 0; i < 200000; i++) {
		uint32_t key = next_random(&seed) % KEYS;
		uint64_t value;

		if (next_random(&seed) % 2) {
			count += !values[key];
			values[key] = i + 1;
			map__set(map, key % 3, (uint64_t)key << 32, i + 1);
		} else {
			assert_int_equal(map__remove(map, key % 3, (uint64_t)key << 32),
					 values[key] != 0);
			count -= values[key] != 0;
			values[key] = 0;
		}
		key = next_random(&seed) % KEYS;
		assert_int_equal(map__get(map, key % 3, (uint64_t)key << 32, &value),
				 values[key] != 0);
		if (values[key])
			assert_int_equal(value, values[key]);
		assert_int_equal(map__count(map), count);
	}
	free(values);
	map__free(map);
}

/* So many keys that differ in one word only that some share their hash. */
static void map_compares_keys_not_only_their_hashes(void **state)
{
	struct map *map = map__new();
	uint64_t value;

	(void)state;
	for (uint64_t i = 0; i < 300000; i++) {
		map__set(map, i, 5, i);
		map__set(map, 5, i + 300000, i);
	}
	assert_int_equal(map__count(map), 600000);
	for (uint64_t i = 0; i < 300000; i++) {
		assert_true(map__get(map, i, 5, &value) && value == i);
		assert_true(map__get(map, 5, i + 300000, &value) && value == i);
	}
	map__free(map);
}

static void pool_numbers_each_string_once(void **state)
{
	struct pool *pool = pool__new();
	const char *first;
	char text[32];

	(void)state;
	assert_int_equal(pool__count(pool), 1);
	assert_int_equal(pool__add(pool, ""), 0);
	assert_int_equal(pool__add(pool, NULL), 0);
	assert_int_equal(pool__add_n(pool, NULL, 3), 0);
	assert_string_equal(pool__string(pool, 0), "");
	assert_int_equal(pool__add(pool, "first"), 1);
	first = pool__string(pool, 1);
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 50000; i++) {
			snprintf(text, sizeof(text), "string %u", i);
			assert_int_equal(pool__add(pool, text), i + 2);
		}
	}
	assert_int_equal(pool__count(pool), 50002);
	for (uint32_t i = 0; i < 50000; i++) {
		snprintf(text, sizeof(text), "string %u", i);
		assert_string_equal(pool__string(pool, i + 2), text);
	}
	/* Pointers stay good as the pool grows. */
	assert_ptr_equal(pool__string(pool, 1), first);
	assert_string_equal(first, "first");
	assert_string_equal(pool__string(pool, 50002), "");
	pool__free(pool);
	pool__free(NULL);
}

static void pool_takes_strings_of_any_size(void **state)
{
	struct pool *pool = pool__new();
	char *text = malloc(300001);

	(void)state;
	for (size_t size = 1; size <= 300000; size = size * 3 + 1) {
		uint32_t number;

		memset(text, 'x', size);
		text[size] = 0;
		number = pool__add_n(pool, text, size);
		assert_string_equal(pool__string(pool, number), text);
		assert_int_equal(pool__add(pool, text), number);
		text[size - 1] = 'y';
		assert_int_not_equal(pool__add(pool, text), number);
	}
	assert_int_equal(pool__add_n(pool, "ab\0cd", 5), pool__add(pool, "ab"));
	assert_int_equal(pool__add_n(pool, "abcd", 2), pool__add(pool, "ab"));
	free(text);
	pool__free(pool);
}

static bool is_even(void *context, uint64_t high, uint64_t low, uint64_t value)
{
	assert_int_equal(high, *(uint64_t *)context);
	assert_int_equal(low, value / 3);
	return !(low % 2);
}

static void map_keeps_what_a_filter_takes(void **state)
{
	struct map *map = map__new();
	uint64_t high = 7, value;

	(void)state;
	for (uint64_t i = 0; i < 10000; i++)
		map__set(map, high, i, 3 * i);
	map__filter(map, is_even, &high);
	assert_int_equal(map__count(map), 5000);
	for (uint64_t i = 0; i < 10000; i++) {
		assert_int_equal(map__get(map, high, i, &value), !(i % 2));
		if (!(i % 2))
			assert_int_equal(value, 3 * i);
	}
	map__free(map);
}

/* Numbers of what stays are the same, the others are used again, of large texts too. */
static void pool_forgets_what_is_swept(void **state)
{
	struct pool *pool = pool__new();
	static char large[100000];
	uint8_t kept[1002] = { 0 };
	char text[32];

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	for (uint32_t round = 0; round < 20; round++) {
		for (uint32_t i = 0; i < 1000; i++) {
			snprintf(text, sizeof(text), "string %u of %u", i, round);
			large[0] = (char)('a' + round);
			assert_in_range(pool__add(pool, i ? text : large), 1, 1001);
		}
		assert_int_equal(pool__count(pool), round ? 1002 : 1001);
		assert_int_equal(pool__used(pool), round ? 1002 : 1001);
		snprintf(text, sizeof(text), "string 3 of %u", round);
		memset(kept, 0, sizeof(kept));
		kept[pool__add(pool, text)] = 1;
		pool__sweep(pool, kept);
		assert_int_equal(pool__used(pool), 2);
		for (uint32_t i = 0; i < 1002; i++)
			assert_string_equal(pool__string(pool, i), kept[i] ? text : "");
		assert_int_equal(kept[pool__add(pool, text)], 1);
	}
	assert_int_equal(pool__added(pool), 20 * 1000);
	pool__free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_tells_what_was_set_last),
		cmocka_unit_test(map_adds_only_what_is_not_there),
		cmocka_unit_test(map_agrees_with_an_array_through_sets_and_removals),
		cmocka_unit_test(map_compares_keys_not_only_their_hashes),
		cmocka_unit_test(pool_numbers_each_string_once),
		cmocka_unit_test(pool_takes_strings_of_any_size),
		cmocka_unit_test(map_keeps_what_a_filter_takes),
		cmocka_unit_test(pool_forgets_what_is_swept),
	};

	return cmocka_run_group_tests_name("base_map", tests, NULL, NULL);
}
