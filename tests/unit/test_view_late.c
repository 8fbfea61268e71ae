// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// user/view/late.c: samples in code that calls did not reach any more, no one else's.
#include "view_fixture.h"

#include "../../user/view/late.h"

#define MS 1000000u
#define AT(ms) (FIXTURE_START + (uint64_t)((ms) * MS))

static void set_life(struct model *model, uint32_t index, uint64_t published,
		     uint64_t superseded)
{
	struct model_body body = *model__body(model, index);

	body.born_ns = FIXTURE_START + 10 + index; /* the later, the newer */
	body.published_ns[1] = published;
	body.superseded_ns = superseded;
	model__update_body(model, index, &body);
}

static uint64_t late(const struct model *model, uint32_t body)
{
	uint64_t *tally = late__tally(model), count;

	count = tally[(size_t)body * MODEL_EVENTS_MAX];
	free(tally);
	return count;
}

static void expect_text(const struct model *model, const char *wanted)
{
	char *text = fixture_write(view_text__write, model, VIEW_SPLIT_VERSION);

	if (wanted)
		assert_contains(text, wanted);
	else
		assert_lacks(text, "late");
	free(text);
}

/* The samples of tier0 are at 0, 1, 2 and 3 ms. */
static void samples_after_a_body_was_superseded_are_late(void **state)
{
	struct model *model = *state;
	char *json;

	expect_text(model, NULL);
	set_life(model, BODY_TIER0, AT(0), AT(1));
	assert_int_equal(late(model, BODY_TIER0), 2); /* not the one at that moment */
	assert_int_equal(late(model, BODY_OSR), 0);
	expect_text(model, "late: 2 samples, in code that calls did not reach any more\n"
			   " late %       late  name\n"
			   "  20.00          2  Work(int) [tier0]\n");
	json = fixture_write(view_json__write, model, VIEW_SPLIT_VERSION);
	assert_contains(json, "\"self\":{\"cpu-clock\":4},\"total\":{\"cpu-clock\":6},"
			      "\"late\":{\"cpu-clock\":2}");
	free(json);
}

/* Nothing supersedes an OSR body: it was never published. */
static void samples_after_the_tier_1_body_was_published_are_late_in_what_came_before(
	void **state)
{
	struct model *model = *state;
	uint32_t tier1 = fixture_body(model, 0, "Work(int)", TS_TIER_1, 0, 6);

	assert_int_equal(late(model, BODY_OSR), 0);
	set_life(model, tier1, AT(0.5), 0);
	assert_int_equal(late(model, BODY_TIER0), 3);
	assert_int_equal(late(model, BODY_OSR), 1);
	expect_text(model, "  30.00          3  Work(int) [tier0]\n"
			   "  10.00          1  Work(int) [osr@0x1a]\n");
	/* It went, and calls reach the older code again, or the prestub. */
	set_life(model, tier1, AT(0.5), AT(1.5));
	assert_int_equal(late(model, BODY_OSR), 0);
}

static void code_of_an_older_il_version_is_late_once_calls_reach_a_newer_one(void **state)
{
	struct model *model = *state;

	set_life(model, BODY_TIER1, AT(0.5), 0); /* of ReJIT 2 */
	assert_int_equal(late(model, BODY_TIER0), 3);
	assert_int_equal(late(model, BODY_OSR), 1);
}

/* Code of a new version runs a moment before anybody sees that it is reached. */
static void what_is_newer_than_what_is_reached_is_not_late(void **state)
{
	struct model *model = *state;
	struct model_body tier1 = *model__body(model, BODY_TIER1);

	set_life(model, BODY_TIER1, AT(0.5), 0);
	tier1.born_ns = FIXTURE_START; /* calls went back to it */
	tier1.published_ns[1] = AT(0.5);
	model__update_body(model, BODY_TIER1, &tier1);
	assert_int_equal(late(model, BODY_TIER0), 0);
	assert_int_equal(late(model, BODY_OSR), 0);
	expect_text(model, NULL);
}

/* Its samples are in native code that it called. */
static void a_caller_is_not_late(void **state)
{
	struct model *model = *state;

	set_life(model, BODY_TIER1, AT(0), AT(0.5));
	assert_int_equal(late(model, BODY_TIER1), 0);
	expect_text(model, NULL);
}

static void only_samples_of_the_event_are_counted(void **state)
{
	struct model *model = *state;
	struct view_options options = { .event = 1 };
	struct buf buf = BUF_INIT;

	model__add_event(model, &(struct model_event){ .name = 0, .period = 1 });
	set_life(model, BODY_TIER0, AT(0), AT(1));
	late__append(model, &options, 10, &buf);
	assert_int_equal(buf.size, 0);
	buf__free(&buf);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(samples_after_a_body_was_superseded_are_late),
		TEST(samples_after_the_tier_1_body_was_published_are_late_in_what_came_before),
		TEST(code_of_an_older_il_version_is_late_once_calls_reach_a_newer_one),
		TEST(what_is_newer_than_what_is_reached_is_not_late),
		TEST(a_caller_is_not_late),
		TEST(only_samples_of_the_event_are_counted),
	};

	return cmocka_run_group_tests_name("view late", tests, NULL, NULL);
}
