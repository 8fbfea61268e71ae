// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Views per thread, names as in a perf map, and speedscope files.
#include "json_check.h"
#include "view_fixture.h"

/* A second thread of the first process: 3 more samples of `Main;Work`. */
static void add_thread(struct model *model)
{
	uint32_t thread =
		model__add_thread(model, 0, 12, model__string(model, "GC;Server\n"));
	uint32_t stack = fixture_push(model, 0, MODEL_FRAME_BODY, BODY_MAIN, "", 0);

	stack = fixture_push(model, stack, MODEL_FRAME_BODY, BODY_TIER0, "", 0);
	for (unsigned int i = 0; i < 3; i++)
		model__add_sample(model, &(struct model_sample){
						 .time_ns = FIXTURE_START,
						 .thread = thread,
						 .stack = stack,
					 });
}

static char *write_view(view_writer writer, const struct model *model,
			const struct view_options *options)
{
	struct buf buf = BUF_INIT;

	assert_int_equal(writer(model, options, &buf), 0);
	return buf__steal(&buf);
}

static const struct view_options per_thread = {.per_thread = true};

static void folded_per_thread_begins_with_the_thread(void **state)
{
	char *text;

	add_thread(*state);
	text = write_view(view_folded__write, *state, &per_thread);
	assert_string_equal(
		text,
		"GC:Server\\x0a-12;Main [r2r];Work(int) [tier0] 3\n"
		"thread-11;Main [r2r];Work(int) [tier0] 4\n"
		"thread-11;Main [r2r];Work(int) [tier0];Work(int) [osr@0x1a] 2\n"
		"thread-11;Main [r2r];Work(int) [tier1 #2];libcoreclr.so+0x1c99 3\n"
		"thread-11;[unknown: no_table] 1\n");
	free(text);
	fixture_add_second(*state);
	text = write_view(view_folded__write, *state, &per_thread);
	assert_contains(text, "job:x-20;thread-11;Main [tier1] 1\n");
	assert_contains(text,
			"web-10;GC:Server\\x0a-12;Main [r2r];Work(int) [tier0] 3\n");
	free(text);
}

static void folded_without_threads_merges_them(void **state)
{
	char *text;

	add_thread(*state);
	text = fixture_write(view_folded__write, *state, VIEW_SPLIT_VERSION);
	assert_contains(text, "Main [r2r];Work(int) [tier0] 7\n");
	assert_lacks(text, "-12");
	free(text);
}

static void text_per_thread_has_a_table_each(void **state)
{
	char *text;

	add_thread(*state);
	text = write_view(view_text__write, *state, &per_thread);
	assert_contains(text, "\nthread-11: 10 samples\n");
	assert_contains(text, "\nGC;Server\\x0a-12: 3 samples\n");
	assert_contains(text, " 100.00          3   100.00  tier0");
	free(text);
	fixture_add_second(*state);
	text = write_view(view_text__write, *state, &per_thread);
	assert_contains(text, "\nweb-10, thread-11: 10 samples\n");
	free(text);
}

/* Node 0 is everything; its children are the threads. */
static void html_per_thread_has_a_node_per_thread(void **state)
{
	char *text;

	add_thread(*state);
	text = write_view(view_html__write, *state, &per_thread);
	assert_contains(text, "\"kind\":[6,0,0,0,0,1,3,6]");
	assert_contains(text, "thread-11");
	assert_contains(text, "GC;Server");
	free(text);
	text = fixture_write(view_html__write, *state, VIEW_SPLIT_VERSION);
	assert_contains(text, "\"kind\":[0,0,0,0,1,3]");
	free(text);
}

static void assert_perf_map_name(struct model *model, const char *name,
				 const char *wanted)
{
	struct view_options options = {.names = VIEW_NAMES_PERFMAP};
	uint32_t thread = model__add_thread(model, 0, 11, 0);
	uint32_t event = model__add_event(model, &(struct model_event){.period = 1});
	uint32_t body = fixture_body(model, 0, name, TS_TIER_1_OSR, 3, 1);
	char *text;

	options.event = event;
	model__add_sample(
		model,
		&(struct model_sample){
			.thread = thread,
			.event = event,
			.stack = fixture_push(model, 0, MODEL_FRAME_BODY, body, "", 0),
		});
	text = write_view(view_folded__write, model, &options);
	assert_string_equal(text, wanted);
	free(text);
}

static void perf_map_names_say_module_type_method_and_tier(void **state)
{
	assert_perf_map_name(*state, "NS.Type.Method(int)",
			     "[app] NS.Type::Method(int)[OptimizedTier1OSR] 1\n");
	assert_perf_map_name(*state, "NS.C..ctor(NS.B)",
			     "[app] NS.C::.ctor(NS.B)[OptimizedTier1OSR] 1\n");
}

static void perf_map_names_find_the_type(void **state)
{
	assert_perf_map_name(
		*state, "NS.Gen<NS.A, B.C>.Echo<int>(!0)",
		"[app] NS.Gen<NS.A, B.C>::Echo<int>(!0)[OptimizedTier1OSR] 1\n");
	assert_perf_map_name(*state, "NS.C.FetchAsync [async]",
			     "[app] NS.C::FetchAsync [async][OptimizedTier1OSR] 1\n");
}

static void perf_map_names_of_hostile_names_are_whole(void **state)
{
	assert_perf_map_name(*state, ".>.<(", "[app] .>.<([OptimizedTier1OSR] 1\n");
	assert_perf_map_name(*state, "..", "[app] ..[OptimizedTier1OSR] 1\n");
}

/* The text's columns say the tier, so that the name does not. */
static void text_has_perf_map_names(void **state)
{
	struct view_options options = {.names = VIEW_NAMES_PERFMAP};
	char *text = write_view(view_text__write, *state, &options);

	assert_contains(text, "osr@0x1a            0       1  [app] Work(int)\n");
	free(text);
}

static void speedscope_has_the_samples_in_order_of_time(void **state)
{
	struct model *model = *state;
	char *text = fixture_write(view_speedscope__write, model, VIEW_SPLIT_TIER);

	assert_true(json_check(text));
	/* All four stacks begin at once; then they alternate by the millisecond. */
	assert_contains(
		text,
		"\"name\":\"web-10\",\"unit\":\"nanoseconds\",\"startValue\":0,"
		"\"endValue\":10030090,\"samples\":[[0,1],[0,1,2],[0,3,4],[5],"
		"[0,1],[0,1,2],[0,3,4],[0,1],[0,3,4],[0,1]],\"weights\":[1003009,");
	assert_contains(text,
			"{\"name\":\"Work(int) [osr]\",\"file\":\"/app/app.dll\"}");
	free(text);
	text = write_view(view_speedscope__write, model,
			  &(struct view_options){.event = 1});
	assert_true(json_check(text));
	assert_contains(text, "\"profiles\":[]");
	free(text);
}

static void speedscope_per_thread_has_a_profile_each(void **state)
{
	char *text;

	add_thread(*state);
	text = write_view(view_speedscope__write, *state, &per_thread);
	assert_true(json_check(text));
	assert_contains(text, "\"name\":\"thread-11\"");
	/* Same stack, one after the other: one entry. */
	assert_contains(
		text, "GC;Server\\\\x0a-12\",\"unit\":\"nanoseconds\",\"startValue\":0,"
		      "\"endValue\":3009027,\"samples\":[[0,1]],\"weights\":[3009027]");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		TEST(folded_per_thread_begins_with_the_thread),
		TEST(folded_without_threads_merges_them),
		TEST(text_per_thread_has_a_table_each),
		TEST(html_per_thread_has_a_node_per_thread),
		TEST(perf_map_names_say_module_type_method_and_tier),
		TEST(perf_map_names_find_the_type),
		TEST(perf_map_names_of_hostile_names_are_whole),
		TEST(text_has_perf_map_names),
		TEST(speedscope_has_the_samples_in_order_of_time),
		TEST(speedscope_per_thread_has_a_profile_each),
	};

	return cmocka_run_group_tests_name("view_threads", tests, NULL, NULL);
}
