/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The real hook, launched in a mock runtime: which reader of a module's metadata it
 * names a method from.  To ask the runtime for its own makes that one slow for good.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "mock_runtime.h"

#include <stdlib.h>

static const uint8_t framed[] = {0x55, 0x48, 0x8b, 0xec, 0x33, 0xc0, 0x5d, 0xc3};

struct fixture {
	struct mock *mock;
	const struct ts_journal_header *journal;
};

static int launch(void **state, bool main_profiler)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture || !(fixture->mock = mock__new()))
		return -1;
	fixture->mock->main_profiler = main_profiler;
	*state = fixture;
	fixture->journal = mock__launched(fixture->mock);
	return fixture->journal ? 0 : -1;
}

static int set_up(void **state)
{
	return launch(state, false);
}

static int set_up_beside_another(void **state)
{
	return launch(state, true);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	mock__unmap_journal(fixture->journal);
	mock__free(fixture->mock);
	free(fixture);
	return 0;
}

static struct mock_module *module_with_image(struct fixture *fixture, uint32_t flags)
{
	struct mock_module *module = mock__module(fixture->mock, u"/lib/My.dll", flags);

	mock__give_image(module);
	return module;
}

/* Compiles a method of the module, and expects it to be called so. */
static const struct ts_journal_record *
expect_name(struct fixture *fixture, struct mock_module *module, uint32_t row,
	    const char *type, const char *name)
{
	struct profiler_callback *callback = fixture->mock->callback;
	struct mock_method *method = mock__method(fixture->mock, module);
	uint64_t start = mock__body(fixture->mock, method, framed, sizeof(framed));
	const struct ts_journal_record *record;

	method->token = 0x06000000 | row;
	/* Its class: a row of the same number in the same module. */
	method->class = (class_id)(module - fixture->mock->modules) << 16 | row << 8 | 1;
	callback->table->jit_compilation_finished(
		callback, (function_id)&method->descriptor, S_OK, 1);
	record = mock__record_of(fixture->journal, start);
	assert_non_null(record);
	assert_string_equal(mock__text(fixture->journal, record, 0), type);
	assert_string_equal(mock__text(fixture->journal, record, 1), name);
	return record;
}

static void module_is_opened_once_and_aside(void **state)
{
	struct fixture *fixture = *state;
	struct mock_module *mapped = module_with_image(fixture, 0);
	struct mock_module *flat = module_with_image(fixture, MODULE_INFO_FLAT);

	expect_name(fixture, mapped, 3, "NS.Type3", "Method3");
	expect_name(fixture, mapped, 4, "NS.Type4", "Method4");
	assert_int_equal(fixture->mock->aside_opened, 1);
	expect_name(fixture, flat, 3, "NS.Type3", "Method3");
	assert_int_equal(fixture->mock->aside_opened, 2);
	assert_int_equal(mapped->asked_for_metadata + flat->asked_for_metadata, 0);
	assert_int_equal(fixture->journal->counters[TS_HOOK_API_FAILED], 0);
	/* One reference each is kept, for the next name. */
	assert_int_equal(fixture->mock->aside_references, 2);
}

/* Without a call of anybody's reader. */
static void names_are_read_in_place(void **state)
{
	static const uint32_t flags[] = {0, MODULE_INFO_FLAT};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		struct mock_module *module =
			mock__module(fixture->mock, u"/lib/My.dll", flags[i]);
		const struct ts_journal_record *record;

		mock__give_whole_image(module);
		expect_name(fixture, module, 1, "<Module>", "<Module>");
		record = expect_name(fixture, module, 2, "NS.Place", "Here");
		assert_string_equal(mock__text(fixture->journal, record, 2),
				    "instance class NS.Place  (int32)");
		expect_name(fixture, module, 3, "NS.Place+Nested", "There");
		assert_int_equal(module->asked_for_metadata, 0);
	}
	assert_int_equal(fixture->mock->aside_opened, 0);
	assert_int_equal(fixture->journal->counters[TS_HOOK_API_FAILED], 0);
}

static void other_names_are_asked_of_a_reader(void **state)
{
	struct fixture *fixture = *state;
	struct mock_module *module = mock__module(fixture->mock, u"/lib/My.dll", 0);

	mock__give_whole_image(module);
	expect_name(fixture, module, MOCK_NOT_ASCII, "NS.Type4", "Method4");
	expect_name(fixture, module, MOCK_IN_PLACE_ROWS + 1, "NS.Type5", "Method5");
	assert_int_equal(fixture->mock->aside_opened, 1);
	assert_int_equal(module->asked_for_metadata, 0);
	expect_name(fixture, module, MOCK_ADDED_LATER, "NS.Type32", "Method32");
	assert_int_equal(module->asked_for_metadata, 2);
	assert_int_equal(fixture->journal->counters[TS_HOOK_API_FAILED], 0);
}

/* It may have changed them. */
static void beside_a_main_profiler_the_runtime_is_asked(void **state)
{
	struct fixture *fixture = *state;
	struct mock_module *module = mock__module(fixture->mock, u"/lib/My.dll", 0);

	mock__give_whole_image(module);
	expect_name(fixture, module, 2, "NS.Type2", "Method2");
	assert_true(module->asked_for_metadata);
	assert_int_equal(fixture->mock->aside_opened, 0);
}

/* By a hot reload, or by another profiler. */
static void what_was_added_later_is_asked_of_the_runtime(void **state)
{
	struct fixture *fixture = *state;
	struct mock_module *module = module_with_image(fixture, 0);

	expect_name(fixture, module, MOCK_ADDED_LATER, "NS.Type32", "Method32");
	assert_int_equal(module->asked_for_metadata, 2);
	expect_name(fixture, module, 5, "NS.Type5", "Method5");
	assert_int_equal(module->asked_for_metadata, 2);
	assert_int_equal(fixture->journal->counters[TS_HOOK_API_FAILED], 0);
	assert_int_equal(fixture->mock->aside_references, 1);
}

static void module_that_can_go_is_not_kept_open(void **state)
{
	struct fixture *fixture = *state;
	struct mock_module *module = module_with_image(fixture, MODULE_INFO_COLLECTIBLE);

	expect_name(fixture, module, 3, "NS.Type3", "Method3");
	assert_int_equal(fixture->mock->aside_opened, 0);
	assert_true(module->asked_for_metadata);
}

static void module_without_bytes_is_asked_of_the_runtime(void **state)
{
	struct fixture *fixture = *state;
	struct mock_module *module = mock__module(fixture->mock, u"Made", MODULE_INFO_DYNAMIC);

	expect_name(fixture, module, 3, "NS.Type3", "Method3");
	assert_int_equal(fixture->mock->aside_opened, 0);
	assert_true(module->asked_for_metadata);
}

/* Each damage of its own: nothing faults, and the runtime is asked. */
static void damaged_headers_are_not_followed(void **state)
{
	static const struct {
		uint32_t at, value, flags;
	} damages[] = {
		{0x3c, 0xffffff00, 0},	       /* PE header */
		{0x80, 0, 0},		       /* its signature */
		{0x98, 0x666, 0},	       /* the optional header's */
		{0x98 + 112 + 14 * 8, 0, 0},   /* no CLI header */
		{0x98 + 112 + 14 * 8, ~0u, 0}, /* or none that could be read */
		{0x2008, ~0u, 0},	       /* metadata beyond everything */
		{0x200c, ~0u, 0},	       /* too large */
		{0x2040, 0, 0},		       /* no metadata there */
		{0x188 + 12, 0x3000, MODULE_INFO_FLAT}, /* in no section */
		{0x188 + 16, 0x4, MODULE_INFO_FLAT},	/* in two */
		{0x86, 0, MODULE_INFO_FLAT},		/* without sections */
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct mock_module *module =
			module_with_image(fixture, damages[i].flags);

		memcpy(module->image + damages[i].at, &damages[i].value,
		       sizeof(damages[i].value));
		expect_name(fixture, module, 3, "NS.Type3", "Method3");
		assert_true(module->asked_for_metadata);
	}
	assert_int_equal(fixture->mock->aside_opened, 0);
}

static void detach_closes_all(void **state)
{
	struct fixture *fixture = *state;

	expect_name(fixture, module_with_image(fixture, 0), 3, "NS.Type3", "Method3");
	assert_int_equal(fixture->mock->aside_references, 1);
	mock__leave(fixture->mock);
	assert_int_equal(fixture->mock->aside_references, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(module_is_opened_once_and_aside),
		TEST(names_are_read_in_place),
		TEST(other_names_are_asked_of_a_reader),
		cmocka_unit_test_setup_teardown(
			beside_a_main_profiler_the_runtime_is_asked,
			set_up_beside_another, tear_down),
		TEST(what_was_added_later_is_asked_of_the_runtime),
		TEST(module_that_can_go_is_not_kept_open),
		TEST(module_without_bytes_is_asked_of_the_runtime),
		TEST(damaged_headers_are_not_followed),
		TEST(detach_closes_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
