// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Time off the CPU in the views.  Beside view_fixture.h's samples, of cpu-clock:
//
//   300,000,000 ns   Main [r2r];Work [tier1 #2];off-cpu futex
//   100,000,000 ns   Main [r2r];Work [tier1 #2];off-cpu runnable
//     1,000,000 ns   Main [r2r];off-cpu io
#include "view_fixture.h"

enum { OFF_CPU = 1 };

static uint32_t push_wait(struct model *model, uint32_t stack, const char *name)
{
	return fixture_push(model, stack, MODEL_FRAME_KERNEL, MODEL_NONE, name, 0);
}

static void add(struct model *model, uint32_t stack, uint64_t ns)
{
	model__add_sample(model, &(struct model_sample){
		.time_ns = FIXTURE_START + 4000000, .event = OFF_CPU, .stack = stack,
		.thread = model__add_thread(model, 0, 11, 0), .weight = ns });
}

static int setup(void **state)
{
	struct model *model = fixture_new();
	uint32_t root = fixture_push(model, 0, MODEL_FRAME_BODY, BODY_MAIN, "", 0);
	uint32_t work = fixture_push(model, root, MODEL_FRAME_BODY, BODY_TIER1, "", 0);
	struct model_times times = {.since_ns = FIXTURE_START, .switches = 77};

	model__add_event(model, &(struct model_event){.name = model__string(model, "off-cpu"),
						      .period = 1});
	add(model, push_wait(model, work, "off-cpu futex"), 100000000);
	add(model, push_wait(model, work, "off-cpu futex"), 200000000);
	add(model, push_wait(model, work, "off-cpu runnable"), 100000000);
	add(model, push_wait(model, root, "off-cpu io"), 1000000);
	times.ns[TS_STATE_RUNNING] = 1600000000;
	times.ns[TS_STATE_FUTEX] = 399000000;
	times.ns[TS_STATE_IO] = 1000000;
	model__set_times(model, model__add_thread(model, 0, 11, 0), &times);
	*state = model;
	return 0;
}

static char *write_of(view_writer writer, const struct model *model, uint32_t event)
{
	struct view_options options = {.event = event};
	struct buf buf = BUF_INIT;

	assert_int_equal(writer(model, &options, &buf), 0);
	return buf__steal(&buf);
}

static void folded_counts_nanoseconds(void **state)
{
	char *text = write_of(view_folded__write, *state, OFF_CPU);

	assert_string_equal(text,
		"Main [r2r];Work(int) [tier1 #2];off-cpu futex_[k] 300000000\n"
		"Main [r2r];Work(int) [tier1 #2];off-cpu runnable_[k] 100000000\n"
		"Main [r2r];off-cpu io_[k] 1000000\n");
	free(text);
	/* On the CPU nothing has changed. */
	text = write_of(view_folded__write, *state, 0);
	assert_contains(text, "Main [r2r];Work(int) [tier0] 4\n");
	assert_lacks(text, "off-cpu");
	free(text);
	text = write_of(view_folded__write, *state, VIEW_WALL);
	assert_contains(text, "Main [r2r];Work(int) [tier0] 4012036\n");
	assert_contains(text, "Main [r2r];off-cpu io_[k] 1000000\n");
	free(text);
}

static void the_text_has_a_table_of_threads(void **state)
{
	char *text = write_of(view_text__write, *state, OFF_CPU);

	assert_contains(text, "samples     4 of off-cpu, which stand for 0.401 s\n");
	assert_contains(text, "  74.81      300.0    74.81  kernel");
	assert_contains(text, "       all   running  runnable     futex      poll        io");
	assert_contains(text, "     2.000     1.600     0.000     0.399     0.000     0.001"
			      "     0.000     0.000     0.000         77  thread-11\n");
	free(text);
	text = write_of(view_text__write, *state, VIEW_WALL);
	assert_contains(text, "samples     14 of wall-clock, which stand for 0.411 s\n");
	free(text);
	text = write_of(view_text__write, *state, 0);
	assert_contains(text, "samples     10 of cpu-clock");
	assert_lacks(text, "time of threads");
	free(text);
}

static void json_has_both(void **state)
{
	char *text = write_of(view_json__write, *state, 0);

	assert_contains(text, "{\"name\":\"off-cpu\",\"period\":1,\"samples\":4,"
			      "\"samples_summary\":{\"body_leaf\":0,\"native_leaf\":0,"
			      "\"kernel_leaf\":401000000,\"stub_leaf\":0,"
			      "\"unresolved_leaf\":0,\"bodies_sampled\":2},"
			      "\"weight\":401000000}");
	assert_contains(text, "\"total\":{\"cpu-clock\":3,\"off-cpu\":400000000}");
	assert_contains(text, "\"times\":{\"since_ns\":1000000000,\"switches\":77,"
			      "\"running\":1600000000,\"runnable\":0,\"futex\":399000000,");
	free(text);
}

static void the_page_has_both_halves(void **state)
{
	char *text = write_of(view_html__write, *state, 0);

	assert_contains(text, "\"clock\":\"cpu\"");
	assert_contains(text, "\"off_samples\":[");
	assert_contains(text, ",1,1,300000000,");
	free(text);
	text = write_of(view_html__write, *state, OFF_CPU);
	assert_contains(text, "\"clock\":\"off\"");
	/* The other half is there all the same. */
	assert_contains(text, "\"event\":{\"name\":");
	assert_contains(text, "\"period\":1003009}");
	free(text);
	text = write_of(view_html__write, *state, VIEW_WALL);
	assert_contains(text, "\"clock\":\"wall\"");
	free(text);
}

static void speedscope_counts_nanoseconds(void **state)
{
	char *text = write_of(view_speedscope__write, *state, OFF_CPU);

	assert_contains(text, "\"unit\":\"nanoseconds\",\"startValue\":0,\"endValue\":401000000");
	free(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(folded_counts_nanoseconds),
		TEST(the_text_has_a_table_of_threads),
		TEST(json_has_both),
		TEST(the_page_has_both_halves),
		TEST(speedscope_counts_nanoseconds),
	};

	return cmocka_run_group_tests_name("time off the CPU in views", tests, NULL, NULL);
}
