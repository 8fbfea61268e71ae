// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What a sweep of the model takes, and what it leaves as it was.
#include "view_fixture.h"

static struct model_marks marks;

static void begin(struct model *model)
{
	model__drop_samples(model);
	model__drop_stacks(model);
	model_marks__init(&marks, model);
}

static void sweep(struct model *model)
{
	model__sweep(model, &marks);
	model_marks__free(&marks);
}

static void what_a_marked_row_refers_to_stays(void **state)
{
	struct model *model = *state;
	uint32_t frame = model__add_frame(model, &(struct model_frame){
		.kind = MODEL_FRAME_BODY, .body = BODY_OSR });
	uint32_t native = model__add_frame(model, &(struct model_frame){
		.kind = MODEL_FRAME_NATIVE, .name = model__string(model, "libx.so!go") });
	string_id other = model__string(model, "nobody's");
	uint64_t size;

	begin(model);
	model_marks__frame(&marks, frame);
	model_marks__frame(&marks, native);
	assert_false(model_marks__drops_body(&marks, BODY_OSR));
	assert_true(model_marks__drops_body(&marks, BODY_TIER0));
	assert_false(model_marks__drops_process(&marks, 0));
	assert_true(model_marks__drops_string(&marks, other));
	assert_false(model_marks__drops_string(&marks, 0));
	assert_false(model_marks__drops_body(&marks, model__bodies(model)));
	size = model__size(model);
	sweep(model);
	assert_in_range(model__size(model), 1, size - 5);
	assert_string_equal(model__text(model, model__body(model, BODY_OSR)->name), "Work(int)");
	assert_string_equal(model__text(model, model__body(model, BODY_OSR)->module), "/app/app.dll");
	assert_string_equal(model__text(model, model__process(model, 0)->comm), "web");
	assert_string_equal(model__text(model, model__frame(model, native)->name), "libx.so!go");
	assert_int_equal(model__frame(model, frame)->body, BODY_OSR);
	assert_string_equal(model__text(model, model__event(model, 0)->name), "cpu-clock");
	assert_string_equal(model__text(model, other), "");
	assert_int_equal(model__body(model, BODY_TIER0)->process, MODEL_NONE);
	/* The same frames are the same still. */
	assert_int_equal(model__add_frame(model, &(struct model_frame){
		.kind = MODEL_FRAME_BODY, .body = BODY_OSR }), frame);
	assert_int_equal(model__string(model, "Work(int)"),
			 model__body(model, BODY_OSR)->name);
}

static void numbers_are_used_again_and_count_from_nothing(void **state)
{
	struct model *model = *state;
	uint32_t bodies = model__bodies(model), used = 0;
	uint64_t added = model__bodies_added(model);

	assert_int_equal(model__body_samples(model, BODY_TIER0)[0], 4);
	assert_int_equal(model__leaf_samples(model, 0, MODEL_FRAME_NATIVE)[0], 3);
	begin(model);
	sweep(model);
	assert_int_equal(model__leaf_samples(model, 0, MODEL_FRAME_NATIVE)[0], 0);
	assert_true(model__process(model, 0)->flags & MODEL_PROCESS_SWEPT);
	/* It is no process for a body, and no body to be changed. */
	model__update_body(model, BODY_TIER0, &(struct model_body){ .process = 0 });
	assert_int_equal(model__body(model, BODY_TIER0)->process, MODEL_NONE);
	assert_int_equal(model__add_process(model, &(struct model_process){
		.pid = 7, .parent = MODEL_NONE }), 0);
	while (used < bodies) {
		uint32_t index = fixture_body(model, 0, "New()", TS_TIER_1, 0, 0);

		assert_in_range(index, 0, bodies - 1);
		assert_int_equal(model__body_samples(model, index)[0], 0);
		used++;
	}
	assert_int_equal(fixture_body(model, 0, "New()", TS_TIER_1, 0, 0), bodies);
	assert_int_equal(model__bodies_added(model), added + bodies + 1);
}

/* Nothing lies where what was swept had been; what is left lies where it was. */
static void bodies_are_found_by_address(void **state)
{
	struct model *model = *state;
	uint64_t kept = model__body(model, BODY_TIER1)->start + 5;
	uint64_t gone = model__body(model, BODY_TIER0)->start + 5;
	uint32_t again;

	assert_int_equal(model__find_body(model, 0, gone, FIXTURE_START + 9), BODY_TIER0);
	begin(model);
	model_marks__body(&marks, BODY_TIER1);
	sweep(model);
	assert_int_equal(model__find_body(model, 0, kept, FIXTURE_START + 9), BODY_TIER1);
	assert_int_equal(model__find_body(model, 0, gone, FIXTURE_START + 9), MODEL_NONE);
	again = model__add_body(model, &(struct model_body){
		.start = gone, .size = 8, .born_ns = FIXTURE_START + 7 });
	assert_int_equal(model__find_body(model, 0, gone, FIXTURE_START + 9), again);
	assert_int_equal(model__find_body(model, 0, gone, FIXTURE_START + 6), MODEL_NONE);
}

static void rows_that_were_seen_go(void **state)
{
	struct model *model = *state;
	struct model_patch patch = { .body = BODY_TIER0, .window_ns = { 1, 1 } };

	model__add_patch(model, &patch);
	patch.body = BODY_TIER1;
	patch.window_ns[1] = 2;
	model__add_patch(model, &patch);
	model__add_il_version(model, &(struct model_il_version){ .rejit_id = 1 });
	model__add_active(model, &(struct model_active){ .body = BODY_MINOPT,
							 .code = MODEL_ACTIVE_BODY });
	model__add_tiering(model, &(struct model_tiering){ .kind = 1 });
	model__add_inlining(model, &(struct model_inlining){ .seen_ns = 1 });
	begin(model);
	model_marks__patches(&marks, 1);
	model_marks__actives(&marks, 0);
	model_marks__actives(&marks, 1);	/* another one has seen it */
	sweep(model);
	assert_int_equal(model__patches(model), 1);
	assert_int_equal(model__patch(model, 0)->window_ns[1], 2);
	assert_int_equal(model__body(model, BODY_TIER1)->process, 0);
	assert_int_equal(model__body(model, BODY_TIER0)->process, MODEL_NONE);
	assert_int_equal(model__actives(model), 1);
	assert_int_equal(model__body(model, BODY_MINOPT)->process, 0);
	assert_int_equal(model__il_versions(model), 0);
	assert_int_equal(model__tierings(model), 0);
	assert_int_equal(model__inlinings(model), 0);
	assert_int_equal(model__threads(model), 0);
}

static void a_parent_that_is_gone_is_none(void **state)
{
	struct model *model = *state;
	uint32_t child = model__add_process(model, &(struct model_process){ .pid = 8 });

	assert_int_equal(model__process(model, child)->parent, 0);
	begin(model);
	model_marks__process(&marks, child);
	sweep(model);
	assert_int_equal(model__process(model, child)->parent, MODEL_NONE);
	assert_int_equal(model__process(model, child)->pid, 8);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_a_marked_row_refers_to_stays),
		TEST(numbers_are_used_again_and_count_from_nothing),
		TEST(bodies_are_found_by_address),
		TEST(rows_that_were_seen_go),
		TEST(a_parent_that_is_gone_is_none),
	};

	return cmocka_run_group_tests_name("what a sweep of the model takes", tests, NULL, NULL);
}
