// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Which copy of a file a module is, however its births and deaths are told.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/recorder/internal.h"

#define PATH  7
#define OTHER 8
#define NAMES 100 /* a name per path */

static int set_up(void **state)
{
	static struct module_list list;

	list = (struct module_list){ .items = NULL };
	module_list__init(&list);
	*state = &list;
	return 0;
}

static int tear_down(void **state)
{
	module_list__free(*state);
	return 0;
}

static void load(struct module_list *list, uint64_t id, uint64_t sequence, string_id path,
		 bool numbered)
{
	module_list__load(list, id, &(struct module){ .sequence = sequence, .path = path,
						      .name = NAMES + path,
						      .numbered = numbered });
}

static uint32_t copy_of(const struct module_list *list, uint64_t id)
{
	const struct module *module = module_list__find(list, id);

	assert_non_null(module);
	return module->copy;
}

static void each_name_is_counted_alone(void **state)
{
	struct module_list *list = *state;

	assert_null(module_list__find(list, 0x1000));
	load(list, 0x1000, 1, PATH, true);
	load(list, 0x2000, 2, PATH, true);
	load(list, 0x3000, 3, OTHER, true);
	assert_int_equal(copy_of(list, 0x1000), 0);
	assert_int_equal(copy_of(list, 0x2000), 1);
	assert_int_equal(copy_of(list, 0x3000), 0);
	assert_int_equal(module_list__find(list, 0x3000)->path, OTHER);
}

static void the_name_counts_not_the_folder(void **state)
{
	struct module_list *list = *state;

	load(list, 0x1000, 1, PATH, true);
	module_list__load(list, 0x2000, &(struct module){ .sequence = 2, .path = OTHER,
							  .name = NAMES + PATH,
							  .numbered = true });
	assert_int_equal(copy_of(list, 0x2000), 1);
	assert_int_equal(module_list__find(list, 0x2000)->path, OTHER);
}

static void a_plugin_that_comes_and_goes_stays_one(void **state)
{
	struct module_list *list = *state;

	for (uint32_t i = 0; i < 100; i++) {
		uint64_t id = 0x1000 * (1 + i % 3);

		load(list, id, 1 + 2 * i, PATH, true);
		assert_int_equal(copy_of(list, id), 0);
		module_list__unload(list, id, 2 + 2 * i);
		assert_int_equal(copy_of(list, id), 0);
	}
}

static void the_number_of_the_first_is_used_again(void **state)
{
	struct module_list *list = *state;

	load(list, 0x1000, 1, PATH, true);
	load(list, 0x2000, 2, PATH, true);
	module_list__unload(list, 0x1000, 3);
	module_list__unload(list, 0x1000, 3);
	load(list, 0x3000, 4, PATH, true);
	load(list, 0x4000, 5, PATH, true);
	assert_int_equal(copy_of(list, 0x2000), 1);
	assert_int_equal(copy_of(list, 0x3000), 0);
	assert_int_equal(copy_of(list, 0x4000), 2);
}

static void a_birth_is_told_twice(void **state)
{
	struct module_list *list = *state;

	load(list, 0x1000, 1, PATH, true);
	load(list, 0x1000, 1, PATH, true);
	load(list, 0x2000, 2, PATH, true);
	assert_int_equal(copy_of(list, 0x1000), 0);
	assert_int_equal(copy_of(list, 0x2000), 1);
}

/* The ring lost the end; the journal has it, or a later birth at the same place. */
static void an_end_that_was_missed(void **state)
{
	struct module_list *list = *state;

	load(list, 0x1000, 1, PATH, true);
	load(list, 0x1000, 1, PATH, false);
	load(list, 0x2000, 2, PATH, true);
	assert_int_equal(copy_of(list, 0x2000), 0);
	load(list, 0x2000, 3, OTHER, true);
	load(list, 0x3000, 4, PATH, true);
	assert_int_equal(copy_of(list, 0x3000), 0);
}

static void an_older_life_changes_nothing(void **state)
{
	struct module_list *list = *state;

	load(list, 0x1000, 5, PATH, true);
	load(list, 0x1000, 2, OTHER, false);
	assert_int_equal(module_list__find(list, 0x1000)->path, PATH);
	load(list, 0x2000, 6, PATH, true);
	assert_int_equal(copy_of(list, 0x2000), 1);
}

/* The journal told of the younger before the ring's older events were read. */
static void an_older_end_changes_nothing(void **state)
{
	struct module_list *list = *state;

	load(list, 0x1000, 9, PATH, true);
	load(list, 0x1000, 5, PATH, true);
	module_list__unload(list, 0x1000, 6);
	load(list, 0x2000, 10, PATH, true);
	assert_int_equal(copy_of(list, 0x2000), 1);
}

static void more_copies_than_numbers(void **state)
{
	struct module_list *list = *state;

	for (uint32_t i = 0; i < 100; i++)
		load(list, 0x1000 * (1 + i), 1 + i, PATH, true);
	assert_int_equal(copy_of(list, 0x1000 * 64), 63);
	assert_int_equal(copy_of(list, 0x1000 * 100), 63);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(each_name_is_counted_alone),
		TEST(the_name_counts_not_the_folder),
		TEST(a_plugin_that_comes_and_goes_stays_one),
		TEST(the_number_of_the_first_is_used_again),
		TEST(a_birth_is_told_twice),
		TEST(an_end_that_was_missed),
		TEST(an_older_life_changes_nothing),
		TEST(an_older_end_changes_nothing),
		TEST(more_copies_than_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
