// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The text report: losses first, the table per split and per process.
#include "view_fixture.h"

static void text_says_what_was_recorded(void **state)
{
	char *text = fixture_write(view_text__write, *state, VIEW_SPLIT_VERSION);

	assert_ptr_equal(strstr(text, "recording   web --port 80\n"), text);
	assert_contains(text, "duration    2.000 s\n");
	assert_contains(text, "processes   web-10, .NET 10.0.12\n");
	assert_contains(text, "samples     10 of cpu-clock, period 1003009\n");
	assert_contains(text,
			"attributed  90.00 %: 60.00 % in 2 code versions, 30.00 % "
			"native, 0.00 % kernel, 0.00 % stubs; 10.00 % unresolved\n");
	assert_lacks(text, "LOST");
	free(text);
}

static void text_says_that_the_original_may_not_be_one(void **state)
{
	struct model *model = *state;
	struct model_process process = *model__process(model, 0);
	char *text;

	process.flags |= MODEL_PROCESS_MAIN_PROFILER;
	model__update_process(model, 0, &process);
	text = fixture_write(view_text__write, model, VIEW_SPLIT_VERSION);
	assert_contains(text, "processes   web-10, .NET 10.0.12, beside another profiler: "
			      "ReJITID 0 may not be the original IL\n");
	free(text);
}

static void text_lists_the_hottest_versions(void **state)
{
	char *text = fixture_write(view_text__write, *state, VIEW_SPLIT_VERSION);

	/* clang-format off */
	assert_contains(text, "\n"
" self %       self  total %  tier         #ReJITID  native  name\n"
"  40.00          4    60.00  tier0               0       0  Work(int)\n"
"  30.00          3    30.00  native                         libcoreclr.so\n"
"  20.00          2    20.00  osr@0x1a            0       1  Work(int)\n"
"  10.00          1    10.00  -                              [unknown: no_table]\n"
"   0.00          0    90.00  r2r                 0       0  Main\n"
"   0.00          0    30.00  tier1               2       5  Work(int)\n");
	/* clang-format on */
	free(text);
}

/* A stack with two versions of a method counts once for the method. */
static void text_merges_versions_without_counting_twice(void **state)
{
	char *text = fixture_write(view_text__write, *state, VIEW_SPLIT_NONE);

	assert_contains(text, " self %       self  total %  name\n"
			      "  60.00          6    90.00  Work(int)\n");
	free(text);
	text = fixture_write(view_text__write, *state, VIEW_SPLIT_TIER);
	assert_contains(text, "  20.00          2    20.00  osr          Work(int)\n");
	free(text);
	text = fixture_write(view_text__write, *state, VIEW_SPLIT_REJIT);
	assert_contains(text, " self %       self  total %  #ReJITID  name\n"
			      "  60.00          6    60.00         0  Work(int)\n");
	assert_contains(text, "   0.00          0    30.00         2  Work(int)\n");
	free(text);
}

static void text_tells_losses_first(void **state)
{
	struct model *model = *state;
	struct view_options options = {.note = "the recording was cut"};
	struct buf buf = BUF_INIT;

	model__set_count(model, MODEL_LEDGER_SAMPLES_LOST, "ring_full", 7);
	model__set_count(model, MODEL_LEDGER_SAMPLES, "not_delivered", 3);
	model__set_count(model, MODEL_LEDGER_EVENTS_LOST, "rows_full", 2);
	assert_int_equal(view_text__write(model, &options, &buf), 0);
	assert_ptr_equal(strstr(buf.data, "WARNING: the recording was cut\n"
					  "LOST: 7 samples: ring_full 7\n"
					  "LOST: 3 samples that the kernel did not "
					  "deliver\n"
					  "LOST: 2 code events: rows_full 2\n"
					  "recording "),
			 buf.data);
	buf__free(&buf);
}

static void text_has_a_table_per_process(void **state)
{
	char *text;

	fixture_add_second(*state);
	text = fixture_write(view_text__write, *state, VIEW_SPLIT_NONE);
	assert_contains(text, "\nweb-10: 10 samples\n");
	assert_contains(text,
			"\njob;x-20: 1 samples\n self %       self  total %  name\n"
			" 100.00          1   100.00  Main\n");
	/* The second process' Main is not the first one's. */
	assert_contains(text, "   0.00          0    90.00  Main\n");
	free(text);
}

static void text_shows_the_top_and_how_many_more(void **state)
{
	struct view_options options = {.top = 2};
	struct buf buf = BUF_INIT;

	assert_int_equal(view_text__write(*state, &options, &buf), 0);
	assert_contains(buf.data, "libcoreclr.so\n        and 4 more\n");
	assert_lacks(buf.data, "osr@");
	buf__free(&buf);
}

static void text_escapes_and_cuts_hostile_names(void **state)
{
	struct model *model = *state;
	char name[10001];
	uint32_t body;
	char *text;

	memset(name, 'a', 10000);
	/* A character of two bytes, so that the cut falls into its middle. */
	memcpy(name + 999, "\xc3\xa9", 2);
	name[10000] = 0;
	memcpy(name, "\x1b[2J\n", 5);
	body = fixture_body(model, 0, name, TS_TIER_1, 0, 0);
	fixture_samples(model, 0, fixture_push(model, 0, MODEL_FRAME_BODY, body, "", 0),
			1);
	text = fixture_write(view_text__write, model, VIEW_SPLIT_VERSION);
	assert_contains(text, "  \\x1b[2J\\x0aaaaa");
	assert_contains(text, "aaaa...\n");
	assert_null(strchr(text, '\x1b'));
	assert_null(strchr(text, '\xc3'));
	free(text);
}

static void text_counts_stubs_of_the_runtime_as_known(void **state)
{
	struct model *model = *state;
	char *text;

	fixture_samples(model, 0,
			fixture_push(model, 0, MODEL_FRAME_STUB, MODEL_NONE, "resolve",
				     0),
			10);
	text = fixture_write(view_text__write, model, VIEW_SPLIT_VERSION);
	assert_contains(text, "attributed  95.00 %");
	assert_contains(text, "50.00 % stubs; 5.00 % unresolved");
	assert_contains(text,
			"  stub                           [stub: resolve]\n");
	free(text);
}

static void text_of_an_empty_recording_is_a_header(void **state)
{
	struct model *model = model__new();
	char *text = fixture_write(view_text__write, model, VIEW_SPLIT_VERSION);

	(void)state;
	assert_contains(text, "samples     0 of no event\n");
	assert_lacks(text, "self %");
	free(text);
	model__free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		TEST(text_says_what_was_recorded),
		TEST(text_says_that_the_original_may_not_be_one),
		TEST(text_lists_the_hottest_versions),
		TEST(text_merges_versions_without_counting_twice),
		TEST(text_tells_losses_first),
		TEST(text_has_a_table_per_process),
		TEST(text_shows_the_top_and_how_many_more),
		TEST(text_escapes_and_cuts_hostile_names),
		TEST(text_counts_stubs_of_the_runtime_as_known),
		TEST(text_of_an_empty_recording_is_a_header),
	};

	return cmocka_run_group_tests_name("view_text", tests, NULL, NULL);
}
