// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Kernel frames in the views.  Beside view_fixture.h's samples:
//
//   5   Main [r2r];Work [tier1 #2];do_syscall_64;ext4_sync_fs [ext4]
//   2   Main [r2r];Work [tier1 #2];do_syscall_64
//   1   Main [r2r];[kernel]
#include "view_fixture.h"

static int setup(void **state)
{
	struct model *model = fixture_new();
	uint32_t root = fixture_push(model, 0, MODEL_FRAME_BODY, BODY_MAIN, "", 0);
	uint32_t work = fixture_push(model, root, MODEL_FRAME_BODY, BODY_TIER1, "", 0);
	uint32_t call = fixture_push(model, work, MODEL_FRAME_KERNEL, MODEL_NONE,
				     "do_syscall_64", 0);

	fixture_samples(model, 0,
			fixture_push(model, call, MODEL_FRAME_KERNEL, MODEL_NONE,
				     "ext4_sync_fs [ext4]", 0),
			5);
	fixture_samples(model, 0, call, 2);
	fixture_samples(
		model, 0,
		fixture_push(model, root, MODEL_FRAME_KERNEL, MODEL_NONE, "", 0), 1);
	*state = model;
	return 0;
}

static void folded_marks_kernel_frames(void **state)
{
	char *text = fixture_write(view_folded__write, *state, VIEW_SPLIT_VERSION);

	assert_contains(text, "\nMain [r2r];Work(int) [tier1 #2];do_syscall_64_[k];"
			      "ext4_sync_fs [ext4]_[k] 5\n");
	assert_contains(text,
			"\nMain [r2r];Work(int) [tier1 #2];do_syscall_64_[k] 2\n");
	assert_contains(text, "Main [r2r];[kernel]_[k] 1\n");
	assert_contains(text, "Work(int) [tier1 #2];libcoreclr.so+0x1c99 3\n");
	free(text);
}

/* What ran in user mode keeps its samples; what the leaf is, is said beside it. */
static void json_counts_a_body_below_the_kernel_as_self(void **state)
{
	char *text = fixture_write(view_json__write, *state, VIEW_SPLIT_VERSION);

	assert_contains(text, "\"samples\":18,\"samples_summary\":{\"body_leaf\":6,"
			      "\"native_leaf\":3,\"kernel_leaf\":8,\"stub_leaf\":0,"
			      "\"unresolved_leaf\":1,\"bodies_sampled\":4}");
	assert_contains(text, /* Work [tier1 #2] */
			"\"self\":{\"cpu-clock\":7},\"total\":{\"cpu-clock\":10},"
			"\"late\":{\"cpu-clock\":0}}");
	assert_contains(text, /* Main */
			"\"self\":{\"cpu-clock\":1},\"total\":{\"cpu-clock\":17},"
			"\"late\":{\"cpu-clock\":0}}");
	free(text);
}

/* The table's shares add up to everything: a kernel function has its own self. */
static void the_table_has_rows_for_kernel_functions(void **state)
{
	char *text = fixture_write(view_text__write, *state, VIEW_SPLIT_VERSION);

	assert_contains(text, "44.44 % kernel");
	assert_contains(text, "in 4 code versions");
	assert_contains(text, "  27.78          5    27.78  kernel                   "
			      "      ext4_sync_fs [ext4]\n");
	assert_contains(text, "  11.11          2    38.89  kernel                   "
			      "      do_syscall_64\n");
	assert_contains(text, "[kernel]\n");
	free(text);
}

static void user_stacks_lie_below_the_kernel_frames(void **state)
{
	const struct model *model = *state;

	assert_int_equal(model__user_stack(model, 0), 0);
	for (uint32_t i = 1; i < model__stacks(model); i++) {
		uint32_t user = model__user_stack(model, i);
		uint32_t frame = model__stack(model, i)->frame;
		bool in_kernel = model__frame(model, frame)->kind == MODEL_FRAME_KERNEL;

		assert_true(in_kernel ? user < i : user == i);
		frame = model__stack(model, user)->frame;
		assert_int_not_equal(model__frame(model, frame)->kind,
				     MODEL_FRAME_KERNEL);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(folded_marks_kernel_frames),
		TEST(json_counts_a_body_below_the_kernel_as_self),
		TEST(the_table_has_rows_for_kernel_functions),
		TEST(user_stacks_lie_below_the_kernel_frames),
	};

	return cmocka_run_group_tests_name("view_kernel", tests, NULL, NULL);
}
