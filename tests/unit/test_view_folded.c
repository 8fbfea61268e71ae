// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Folded stacks, and the labels of frames under each split.
#include "view_fixture.h"

static void assert_folded(const struct model *model, enum view_split split,
			  const char *wanted)
{
	char *text = fixture_write(view_folded__write, model, split);

	assert_string_equal(text, wanted);
	free(text);
}

static void folded_has_a_line_per_stack_of_versions(void **state)
{
	assert_folded(*state, VIEW_SPLIT_VERSION,
		      "Main [r2r];Work(int) [tier0] 4\n"
		      "Main [r2r];Work(int) [tier0];Work(int) [osr@0x1a] 2\n"
		      "Main [r2r];Work(int) [tier1 #2];libcoreclr.so+0x1c99 3\n"
		      "[unknown: no_table] 1\n");
}

static void folded_honours_the_other_splits(void **state)
{
	assert_folded(*state, VIEW_SPLIT_TIER,
		      "Main [r2r];Work(int) [tier0] 4\n"
		      "Main [r2r];Work(int) [tier0];Work(int) [osr] 2\n"
		      "Main [r2r];Work(int) [tier1];libcoreclr.so 3\n"
		      "[unknown: no_table] 1\n");
	assert_folded(*state, VIEW_SPLIT_REJIT,
		      "Main;Work(int) 4\n"
		      "Main;Work(int) [#2];libcoreclr.so 3\n"
		      "Main;Work(int);Work(int) 2\n"
		      "[unknown: no_table] 1\n");
	assert_folded(*state, VIEW_SPLIT_NONE,
		      "Main;Work(int) 4\n"
		      "Main;Work(int);Work(int) 2\n"
		      "Main;Work(int);libcoreclr.so 3\n"
		      "[unknown: no_table] 1\n");
}

static void folded_merges_lines_with_the_same_text(void **state)
{
	struct model *model = *state;
	uint32_t root = fixture_push(model, 0, MODEL_FRAME_BODY, BODY_MAIN, "", 0);
	uint32_t other = fixture_push(model, root, MODEL_FRAME_BODY, BODY_TIER1, "", 0);
	char *text;

	fixture_samples(model, 0, other, 5);
	text = fixture_write(view_folded__write, model, VIEW_SPLIT_NONE);
	assert_contains(text, "Main;Work(int) 9\n");
	free(text);
}

static void folded_begins_with_the_process_when_there_are_several(void **state)
{
	char *text;

	fixture_add_second(*state);
	text = fixture_write(view_folded__write, *state, VIEW_SPLIT_VERSION);
	assert_contains(text, "web-10;Main [r2r];Work(int) [tier0] 4\n");
	/* The `;` in the process' name would have been a separator. */
	assert_contains(text, "job:x-20;Main [tier1] 1\n");
	free(text);
}

static void folded_keeps_hostile_names_on_one_line(void **state)
{
	struct model *model = *state;
	uint32_t body =
		fixture_body(model, 0, "A;B\nC\r\x1b[31m\xe2\x80\xae", TS_TIER_1, 0, 1);
	uint32_t nameless =
		fixture_push(model, 0, MODEL_FRAME_NATIVE, MODEL_NONE, "", 0);
	char *text;

	fixture_samples(model, 0,
			fixture_push(model, nameless, MODEL_FRAME_BODY, body, "", 0),
			1);
	fixture_samples(model, 0, 0, 1);
	text = fixture_write(view_folded__write, model, VIEW_SPLIT_NONE);
	assert_contains(text, "[native];A:B\\x0aC\\x0d\\x1b[31m\\u{202e} 1\n");
	assert_contains(text, "[unknown: no stack] 1\n");
	free(text);
}

static void folded_leaves_out_other_events(void **state)
{
	struct model *model = *state;
	struct view_options options = {.event = 1};
	struct buf buf = BUF_INIT;

	model__add_event(model, &(struct model_event){.period = 1});
	assert_int_equal(view_folded__write(model, &options, &buf), 0);
	assert_string_equal(buf__string(&buf), "");
	buf__free(&buf);
}

/* Its name has the address already, or needs none. */
static void label_of_a_native_function_is_its_name(void **state)
{
	static const char *const names[] = {"libcoreclr.so!+0x1c99a0", "libc.so.6!memmove",
					    "[vdso]!clock_gettime"};
	struct buf label = BUF_INIT;

	for (size_t i = 0; i < 3; i++)
		for (int split = VIEW_SPLIT_VERSION; split <= VIEW_SPLIT_NONE; split++) {
			uint32_t stack = fixture_push(*state, 0, MODEL_FRAME_NATIVE,
						      MODEL_NONE, names[i], 0x1c99a0);

			buf__clear(&label);
			view__frame_label(*state, model__stack(*state, stack)->frame,
					  (enum view_split)split, &label);
			assert_string_equal(buf__string(&label), names[i]);
		}
	buf__free(&label);
}

static void label_says_that_the_rejit_id_is_not_known(void **state)
{
	struct model *model = *state;
	struct model_body body = *model__body(model, BODY_TIER1);
	struct model_frame frame = {.kind = MODEL_FRAME_BODY, .body = BODY_TIER1};
	struct buf label = BUF_INIT;
	uint32_t number = model__add_frame(model, &frame);

	body.flags |= MODEL_BODY_REJIT_UNKNOWN;
	model__update_body(model, BODY_TIER1, &body);
	view__frame_label(model, number, VIEW_SPLIT_VERSION, &label);
	assert_string_equal(buf__string(&label), "Work(int) [tier1 #?]");
	buf__clear(&label);
	view__frame_label(model, number, VIEW_SPLIT_REJIT, &label);
	assert_string_equal(buf__string(&label), "Work(int) [#?]");
	buf__free(&label);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		TEST(folded_has_a_line_per_stack_of_versions),
		TEST(folded_honours_the_other_splits),
		TEST(folded_merges_lines_with_the_same_text),
		TEST(folded_begins_with_the_process_when_there_are_several),
		TEST(folded_keeps_hostile_names_on_one_line),
		TEST(folded_leaves_out_other_events),
		TEST(label_of_a_native_function_is_its_name),
		TEST(label_says_that_the_rejit_id_is_not_known),
	};

	return cmocka_run_group_tests_name("view_folded", tests, NULL, NULL);
}
