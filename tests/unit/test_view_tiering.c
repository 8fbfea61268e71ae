// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// user/view/tiering.c: what tiering costs, each sample once, and how long it takes.
#include "view_fixture.h"

#include "../../user/view/tiering.h"

#define MS 1000000u

static void add_samples(struct model *model, const char *thread, uint32_t stack,
			unsigned int count)
{
	uint32_t index = model__add_thread(model, 0, 77, model__string(model, thread));

	while (count--)
		model__add_sample(model, &(struct model_sample){
						 .time_ns = FIXTURE_START + count,
						 .thread = index, .stack = stack });
}

static uint32_t native(struct model *model, uint32_t stack, const char *name)
{
	return fixture_push(model, stack, MODEL_FRAME_NATIVE, MODEL_NONE, name, 0);
}

static void nothing_is_said_of_nothing(void **state)
{
	char *text = fixture_write(view_text__write, *state, VIEW_SPLIT_VERSION);

	assert_lacks(text, "tiering");
	free(text);
}

static void each_cost_is_counted_once(void **state)
{
	struct model *model = *state;
	uint64_t costs[TIERING_COSTS];
	uint32_t instrumented = fixture_body(model, 0, "Work(int)", TS_TIER_QUICK_INSTRUMENTED, 0, 7);
	uint32_t code = fixture_push(model, 0, MODEL_FRAME_BODY, instrumented, "", 0);
	uint32_t jit = native(model, native(model, 0, "libcoreclr.so!+0x10"), "libclrjit.so!+0x20");
	char *text;

	add_samples(model, ".NET Tiered Com", jit, 3);
	/* What the JIT asks of the runtime is the JIT's; so is what it runs for a caller. */
	add_samples(model, ".NET Tiered Com", native(model, jit, "libcoreclr.so!+0x30"), 1);
	add_samples(model, "worker", native(model, code, "libclrjit.so!+0x20"), 2);
	add_samples(model, "worker", code, 5);
	add_samples(model, "worker", native(model, code, "libcoreclr.so!+0x40"), 1);
	add_samples(model, "worker", fixture_push(model, 0, MODEL_FRAME_STUB, MODEL_NONE,
						  "call_counting -> Work(int)", 0), 1);
	add_samples(model, "worker", fixture_push(model, 0, MODEL_FRAME_STUB, MODEL_NONE,
						  "precode", 0), 1);
	/* Only looks like it. */
	add_samples(model, "worker", native(model, 0, "app!libclrjit.so"), 6);

	tiering__costs(model, &(struct view_options){ .event = 0 }, costs);
	assert_int_equal(costs[TIERING_JIT_BACKGROUND], 4);
	assert_int_equal(costs[TIERING_JIT_CALLER], 2);
	assert_int_equal(costs[TIERING_INSTRUMENTED], 5);
	assert_int_equal(costs[TIERING_CALL_COUNTING], 1);
	text = fixture_write(view_text__write, model, VIEW_SPLIT_VERSION);
	assert_contains(text, "\ntiering: 12 samples, 40.00 %\n"
			      "  13.33          4  in the JIT, in the background\n"
			      "   6.67          2  in the JIT, while a caller waits\n"
			      "  16.67          5  in instrumented code\n"
			      "   3.33          1  in stubs that count calls\n");
	free(text);
	text = fixture_write(view_json__write, model, VIEW_SPLIT_VERSION);
	assert_contains(text, "\"tiering\":{\"jit_background\":{\"cpu-clock\":4},"
			      "\"jit_caller\":{\"cpu-clock\":2},\"instrumented\":{\"cpu-clock\":5},"
			      "\"call_counting\":{\"cpu-clock\":1},"
			      "\"first_code_to_tier1\":{\"count\":0,\"median_ns\":null,");
	free(text);
}

static void tell(struct model *model, uint32_t process, uint32_t kind, unsigned int at_ms)
{
	model__add_tiering(model, &(struct model_tiering){
					  .process = process, .kind = kind,
					  .time_ns = FIXTURE_START + (uint64_t)at_ms * MS,
					  .new_methods = kind == TS_TIERING_DELAY_ENDED ? 6 : 0,
					  .compiled = kind == TS_TIERING_BATCH_ENDED ? 7 : 0 });
}

static void delays_and_batches_are_summed_by_process(void **state)
{
	struct model *model = *state;
	uint32_t other = fixture_process(model, 4712, "other");
	char *text;

	tell(model, 0, TS_TIERING_BATCH_ENDED, 5);	/* began before */
	tell(model, 0, TS_TIERING_DELAY_BEGAN, 10);
	tell(model, other, TS_TIERING_DELAY_BEGAN, 20);
	tell(model, 0, TS_TIERING_DELAY_ENDED, 110);
	tell(model, other, TS_TIERING_DELAY_ENDED, 150);
	tell(model, 0, TS_TIERING_BATCH_BEGAN, 200);
	tell(model, 0, TS_TIERING_DELAY_BEGAN, 201);
	tell(model, 0, TS_TIERING_BATCH_ENDED, 202);
	text = fixture_write(view_text__write, model, VIEW_SPLIT_VERSION);
	assert_contains(text, "  delays while new methods came: 2 in 0.230 s, methods new: 12\n"
			      "  batches compiled in the background: 1 in 0.002 s, methods compiled: 7\n");
	free(text);
	text = fixture_write(view_json__write, model, VIEW_SPLIT_VERSION);
	assert_contains(text, "\"delays\":{\"count\":2,\"ns\":230000000,\"new_methods\":12},"
			      "\"batches\":{\"count\":1,\"ns\":2000000,\"compiled\":7}}");
	free(text);
}

/* A function with its first code and its tier 1 born at those milliseconds. */
static uint32_t tiered(struct model *model, uint64_t function, uint32_t rejit_id,
		       unsigned int first_ms, unsigned int tier1_ms)
{
	const uint32_t tiers[2] = { TS_TIER_QUICK, TS_TIER_1 };
	const uint64_t born[2] = { first_ms, tier1_ms };
	uint32_t index = MODEL_NONE;

	for (unsigned int i = 0; i < 2; i++) {
		struct model_body body;

		index = fixture_body(model, 0, "Tiered()", tiers[i], rejit_id, i);
		body = *model__body(model, index);
		body.function_id = function;
		body.born_ns = FIXTURE_START + born[i] * MS;
		model__update_body(model, index, &body);
	}
	return index;
}

static void latencies_are_of_what_was_born_in_the_recording(void **state)
{
	struct model *model = *state;
	struct tiering_latency latency;
	struct model_body body;
	uint32_t index;
	char *text;

	for (unsigned int i = 1; i <= 10; i++)
		index = tiered(model, 0x1000 * i, 0, 100, 100 + 10 * i);
	tiered(model, 0x1000, 4, 500, 900);	/* another IL version has a way of its own */
	tiering__latency(model, &latency);
	/* 11 of them, and the fixture's own tier 1 has no other code of its IL version. */
	assert_int_equal(latency.compiled.count, 11);
	assert_int_equal(latency.compiled.median, 60 * MS);
	assert_int_equal(latency.compiled.most_of_ten, 100 * MS);
	assert_int_equal(latency.compiled.longest, 400 * MS);
	assert_int_equal(latency.published.count, 0);

	/* Found by a catch-up: since when it was there nobody knows. */
	body = *model__body(model, index - 1);
	body.source = MODEL_SOURCE_CATCH_UP;
	model__update_body(model, index - 1, &body);
	tiering__latency(model, &latency);
	assert_int_equal(latency.compiled.count, 10);

	text = fixture_write(view_text__write, model, VIEW_SPLIT_VERSION);
	assert_contains(text, "  from a method's first code to tier 1: half within 0.050 s, "
			      "9 of 10 within 0.090 s, longest 0.400 s (10)\n");
	assert_lacks(text, "from there");
	free(text);
}

static void add_patch(struct model *model, uint32_t body, unsigned int from_ms, unsigned int by_ms)
{
	const struct model_body *reached = model__body(model, body);

	model__add_patch(model, &(struct model_patch){
		.process = 0, .function_id = reached->function_id, .cell = 0x10,
		.target = TS_TARGET_BODY, .body = body,
		.window_ns = { from_ms ? FIXTURE_START + from_ms * (uint64_t)MS : 0,
			       FIXTURE_START + by_ms * (uint64_t)MS } });
}

/* The first look at a cell says nothing of when it changed. */
static void publication_is_timed_by_windows_that_have_a_begin(void **state)
{
	struct model *model = *state;
	struct tiering_latency latency;
	uint32_t first = tiered(model, 0x1000, 0, 100, 200), second = tiered(model, 0x2000, 0, 100, 300);

	add_patch(model, first, 0, 1900);
	add_patch(model, second, 290, 350);
	add_patch(model, second - 1, 50, 120);	/* tier 0 is no tier-up */
	tiering__latency(model, &latency);
	assert_int_equal(latency.published.count, 1);
	assert_int_equal(latency.published.median, 50 * MS);
	assert_int_equal(latency.published.longest, 50 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_said_of_nothing, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(each_cost_is_counted_once, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(delays_and_batches_are_summed_by_process, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(latencies_are_of_what_was_born_in_the_recording,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(publication_is_timed_by_windows_that_have_a_begin,
						fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests_name("tiering", tests, NULL, NULL);
}
