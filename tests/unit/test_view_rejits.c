// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * user/view/rejits.c: what became of the ReJITs of one function, from what was seen of it.
 * Times are small numbers; a look is a row of what the runtime prefers.
 */
#include "view_fixture.h"

#include "../../user/view/rejits.h"

enum { FUNCTION = 0x5000, OTHER = 0x6000 };

static struct model *model;
static struct rejit_event *events;
static uint32_t count;
static uint64_t word;	/* in the cell */

static int set_up(void **state)
{
	(void)state;
	model = model__new();
	word = 1;
	fixture_process(model, 10, "web");
	fixture_process(model, 20, "job");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(events);
	events = NULL;
	model__free(model);
	return 0;
}

static uint32_t born(uint32_t rejit_id, uint64_t at, uint32_t source)
{
	return model__add_body(model, &(struct model_body){
		.function_id = FUNCTION, .start = 0x1000 + 0x100 * at, .size = 10,
		.rejit_id = rejit_id, .tier = TS_TIER_QUICK, .source = source,
		.osr_il_offset = TS_NO_IL_OFFSET, .born_ns = at,
		.name = model__string(model, "Score()") });
}

static void looked(uint64_t function, uint32_t rejit_id, uint64_t at)
{
	model__add_active(model, &(struct model_active){
		.function_id = function, .rejit_id = rejit_id, .body = MODEL_NONE,
		.code = MODEL_ACTIVE_UNKNOWN, .seen_ns = at });
}

static void il_seen(uint32_t rejit_id, uint32_t il_state, uint64_t at)
{
	model__add_il_version(model, &(struct model_il_version){
		.function_id = FUNCTION, .rejit_id = rejit_id, .state = il_state,
		.seen_ns = at });
}

static void patched(uint32_t body, uint64_t from, uint64_t to)
{
	model__add_patch(model, &(struct model_patch){
		.function_id = FUNCTION, .body = body,
		.target = body == MODEL_NONE ? TS_TARGET_PRESTUB : TS_TARGET_BODY,
		.words = { word, 0x100 + body }, .window_ns = { from, to } });
	word = 0x100 + body;
}

static void find(uint32_t wanted)
{
	free(events);
	count = rejits__find(model, &events);
	assert_int_equal(count, wanted);
}

static void expect(uint32_t index, enum rejit_event_kind kind, uint32_t rejit_id,
		   uint64_t from, uint64_t to)
{
	assert_true(index < count);
	assert_int_equal(events[index].kind, kind);
	assert_int_equal(events[index].rejit_id, rejit_id);
	assert_int_equal(events[index].window_ns[0], from);
	assert_int_equal(events[index].window_ns[1], to);
	assert_int_equal(events[index].function_id, FUNCTION);
	assert_string_equal(model__text(model, events[index].name), "Score()");
	assert_int_equal(events[index].body == MODEL_NONE, kind != REJIT_COMPILED);
}

static void the_whole_way_is_seen(void **state)
{
	uint32_t original = born(0, 5, MODEL_SOURCE_EVENT), changed;

	(void)state;
	patched(original, 5, 6);
	looked(FUNCTION, 0, 10);
	il_seen(2, TS_IL_REQUESTED, 20);
	looked(FUNCTION, 2, 20);
	patched(MODEL_NONE, 10, 21);
	changed = born(2, 30, MODEL_SOURCE_EVENT);
	il_seen(2, TS_IL_READY, 40);
	patched(changed, 30, 31);
	patched(born(2, 50, MODEL_SOURCE_EVENT), 50, 51);	/* its next tier */
	patched(original, 60, 70);
	looked(FUNCTION, 0, 70);
	find(3);
	expect(0, REJIT_REQUESTED, 2, 10, 20);
	expect(1, REJIT_COMPILED, 2, 30, 30);
	assert_int_equal(events[1].body, changed);
	expect(2, REJIT_REVERTED, 2, 60, 70);
}

/* It was requested before it was compiled, however late that was seen. */
static void a_request_ends_with_the_first_body(void **state)
{
	(void)state;
	born(0, 5, MODEL_SOURCE_EVENT);
	looked(FUNCTION, 0, 10);
	born(3, 15, MODEL_SOURCE_EVENT);
	il_seen(3, TS_IL_READY, 20);
	looked(FUNCTION, 3, 20);
	find(2);
	expect(0, REJIT_REQUESTED, 3, 10, 15);
	expect(1, REJIT_COMPILED, 3, 15, 15);
}

static void what_a_first_look_finds_has_no_begin(void **state)
{
	(void)state;
	born(0, 5, MODEL_SOURCE_CATCH_UP);
	born(2, 6, MODEL_SOURCE_CATCH_UP);	/* which is no event */
	il_seen(2, TS_IL_READY, 20);
	looked(FUNCTION, 2, 20);
	find(1);
	expect(0, REJIT_REQUESTED, 2, 0, 20);
}

/* One after the other is asked for; only the last is left. */
static void a_newer_request_is_no_revert(void **state)
{
	(void)state;
	born(0, 5, MODEL_SOURCE_EVENT);
	looked(FUNCTION, 0, 10);
	il_seen(2, TS_IL_REQUESTED, 20);
	looked(FUNCTION, 2, 20);
	il_seen(3, TS_IL_REQUESTED, 30);
	looked(FUNCTION, 3, 30);
	looked(FUNCTION, 0, 40);
	il_seen(4, TS_IL_REQUESTED, 50);
	looked(FUNCTION, 4, 50);
	find(4);
	expect(0, REJIT_REQUESTED, 2, 10, 20);
	expect(1, REJIT_REQUESTED, 3, 20, 30);
	expect(2, REJIT_REVERTED, 3, 30, 40);
	expect(3, REJIT_REQUESTED, 4, 40, 50);
}

/* Where the versions cannot be read there are patches only. */
static void patches_alone_tell_of_a_revert(void **state)
{
	uint32_t original = born(0, 5, MODEL_SOURCE_EVENT), changed;

	(void)state;
	patched(original, 5, 6);
	changed = born(2, 10, MODEL_SOURCE_EVENT);
	patched(changed, 10, 11);
	patched(MODEL_NONE, 20, 30);
	patched(original, 30, 40);
	patched(MODEL_NONE, 50, 60);
	patched(original, 60, 70);
	find(2);
	expect(0, REJIT_COMPILED, 2, 10, 10);
	/* It led calls back to where there was no body, which is not told from a request. */
	expect(1, REJIT_REVERTED, 2, 11, 40);
}

/* The original's new code is reached, but since the revert it was its old one. */
static void a_revert_can_be_long_before_the_body_that_is_reached(void **state)
{
	uint32_t original = born(0, 5, MODEL_SOURCE_EVENT);

	(void)state;
	patched(original, 5, 6);
	patched(born(2, 10, MODEL_SOURCE_EVENT), 10, 11);
	word = 0x100 + original;
	patched(born(0, 50, MODEL_SOURCE_EVENT), 51, 52);
	find(2);
	expect(1, REJIT_REVERTED, 2, 11, 52);
	/* Not before a look that found it active. */
	looked(FUNCTION, 2, 30);
	find(2);
	expect(1, REJIT_REVERTED, 2, 30, 52);
}

/* The original's next tier, published in the moment of a request, is no revert. */
static void the_original_is_no_revert_before_the_change_was_reached(void **state)
{
	uint32_t original = born(0, 5, MODEL_SOURCE_EVENT);

	(void)state;
	patched(original, 5, 6);
	looked(FUNCTION, 0, 10);
	il_seen(2, TS_IL_REQUESTED, 20);
	looked(FUNCTION, 2, 20);
	patched(born(0, 18, MODEL_SOURCE_EVENT), 19, 21);
	find(1);
	expect(0, REJIT_REQUESTED, 2, 10, 20);
	looked(FUNCTION, 0, 30);
	find(2);
	expect(1, REJIT_REVERTED, 2, 20, 30);
}

static void a_body_of_an_unknown_version_says_nothing(void **state)
{
	struct model_body body;
	uint32_t original = born(0, 5, MODEL_SOURCE_EVENT), changed;

	(void)state;
	changed = born(0, 10, MODEL_SOURCE_EVENT);
	body = *model__body(model, changed);
	body.flags |= MODEL_BODY_REJIT_UNKNOWN;
	model__update_body(model, changed, &body);
	patched(changed, 10, 11);
	patched(original, 20, 30);
	find(0);
	/* Of another function something is known. */
	model__add_il_version(model, &(struct model_il_version){
		.function_id = OTHER, .rejit_id = 2, .seen_ns = 9 });
	model__add_il_version(model, &(struct model_il_version){
		.process = 1, .function_id = FUNCTION, .rejit_id = 2, .seen_ns = 8 });
	find(2);
	assert_int_equal(events[0].process, 1);
	assert_int_equal(events[1].function_id, OTHER);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_whole_way_is_seen),
		TEST(a_request_ends_with_the_first_body),
		TEST(what_a_first_look_finds_has_no_begin),
		TEST(a_newer_request_is_no_revert),
		TEST(patches_alone_tell_of_a_revert),
		TEST(a_revert_can_be_long_before_the_body_that_is_reached),
		TEST(the_original_is_no_revert_before_the_change_was_reached),
		TEST(a_body_of_an_unknown_version_says_nothing),
	};

	return cmocka_run_group_tests_name("view, ReJITs", tests, NULL, NULL);
}
