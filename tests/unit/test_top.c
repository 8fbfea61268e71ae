// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What the full-screen view counts: the same as stat, and who is on the stack; and what is
// forgotten.
#include "top_fixture.h"

#include "../../user/top/recent.h"
#include "../../user/view/stat.h"

#include <stdio.h>

static const struct top_row *row(const struct top_snapshot *snapshot, uint32_t level,
				 const char *name)
{
	const struct top_row *found = fixture_row(snapshot, level, name);

	assert_non_null(found);
	return found;
}

/* Every row of stat, by any of its ways to group, is one of ours with the same samples. */
static void assert_like_stat(const struct model *model, struct stat_view *views[TOP_LEVELS],
			     const struct top_snapshot *snapshot)
{
	for (uint32_t level = 0; level < TOP_LEVELS; level++) {
		const struct stat_view *view = views[level];
		uint64_t sum = 0;

		stat_view__look(views[level], model, 0, 1);
		for (uint32_t i = 0; i < view->rows_count; i++) {
			const struct stat_row *wanted = &view->rows[i];
			bool found = false;

			for (uint32_t j = 0; j < snapshot->levels[level].count; j++) {
				const struct top_row *ours = &snapshot->levels[level].rows[j];
				const struct model_body *body = model__body(model, wanted->body);

				if (ours->key.process != wanted->process ||
				    ours->key.kind != wanted->kind ||
				    (body && ours->key.number !=
					     (level == TOP_BODY ? wanted->body :
					      level == TOP_METHOD ? body->name : body->tier)))
					continue;
				found = true;
				assert_memory_equal(ours->self, wanted->samples, sizeof(ours->self));
				assert_int_equal(ours->bodies, wanted->bodies);
			}
			assert_true(found);
		}
		for (uint32_t j = 0; j < snapshot->levels[level].count; j++)
			sum += snapshot->levels[level].rows[j].self[0];
		assert_int_equal(sum, view->samples[0]);
		assert_int_equal(sum, snapshot->events[0].samples);
	}
}

static void self_is_that_of_stat(void **state)
{
	struct model *model = *state;
	struct stat_view *views[TOP_LEVELS];
	struct top *top = top__new();

	for (int by = 0; by < TOP_LEVELS; by++)
		views[by] = stat_view__new(&(struct stat_options){ .by = (enum stat_by)by });
	for (uint64_t second = 1; second < 5; second++) {
		struct top_snapshot *snapshot = fixture_look(top, model, second);

		assert_like_stat(model, views, snapshot);
		top_snapshot__free(snapshot);
		if (second == 2)
			fixture_add_second(model);
		model__drop_samples(model);
		model__drop_stacks(model);
		fixture_sample_body(model, BODY_TIER1, second, 7);
		fixture_sample_body(model, BODY_OSR, second, (unsigned int)second);
		top__step(top, model);
	}
	for (int by = 0; by < TOP_LEVELS; by++)
		stat_view__free(views[by]);
	top__free(top);
}

/* Main is below all; Work twice on a stack counts once, as a method and as each version. */
static void total_counts_a_sample_once(void **state)
{
	struct top *top = top__new();
	struct top_snapshot *snapshot = fixture_look(top, *state, 1);

	assert_int_equal(row(snapshot, TOP_METHOD, "Main")->self[0], 0);
	assert_int_equal(row(snapshot, TOP_METHOD, "Main")->total[0], 9);
	assert_int_equal(row(snapshot, TOP_METHOD, "Work(int)")->self[0], 6);
	assert_int_equal(row(snapshot, TOP_METHOD, "Work(int)")->total[0], 9);
	assert_int_equal(row(snapshot, TOP_METHOD, "[native]")->total[0], 3);
	assert_int_equal(row(snapshot, TOP_METHOD, "[unknown]")->total[0], 1);
	assert_int_equal(row(snapshot, TOP_TIER, "tier0")->total[0], 6);
	assert_int_equal(row(snapshot, TOP_TIER, "osr")->total[0], 2);
	assert_int_equal(row(snapshot, TOP_TIER, "tier1")->total[0], 3);
	assert_null(fixture_row(snapshot, TOP_METHOD, "Never()"));
	top_snapshot__free(snapshot);
	/* A sample without a stack is unknown code. */
	model__drop_samples(*state);
	fixture_samples(*state, 0, 0, 2);
	snapshot = fixture_look(top, *state, 2);
	assert_int_equal(row(snapshot, TOP_METHOD, "[unknown]")->self[0], 2);
	assert_int_equal(row(snapshot, TOP_METHOD, "[unknown]")->total[0], 2);
	assert_int_equal(row(snapshot, TOP_METHOD, "Main")->total[0], 0);
	top_snapshot__free(snapshot);
	top__free(top);
}

/* Steps and dropping in between change nothing; nothing is counted twice. */
static void samples_are_taken_once(void **state)
{
	struct model *model = *state;
	struct top *top = top__new();
	struct top_snapshot *snapshot;

	for (int i = 0; i < 3; i++)
		top__step(top, model);
	model__drop_samples(model);
	model__drop_stacks(model);
	top__step(top, model);
	fixture_sample_body(model, BODY_TIER1, 1, 10);	/* as many as there were */
	top__step(top, model);
	/* What is dropped unseen has no total; it would be there for stat. */
	fixture_sample_body(model, BODY_TIER1, 1, 5);
	model__drop_samples(model);
	fixture_sample_body(model, BODY_TIER1, 1, 3);
	snapshot = fixture_look(top, model, 1);
	assert_int_equal(row(snapshot, TOP_METHOD, "Main")->total[0], 9 + 10 + 3);
	assert_int_equal(row(snapshot, TOP_METHOD, "Work(int)")->self[0], 6 + 10 + 5 + 3);
	top_snapshot__free(snapshot);
	top__free(top);
}

static void rows_know_each_other(void **state)
{
	struct top *top = top__new();
	struct top_snapshot *snapshot = fixture_look(top, *state, 1);
	const struct top_rows *bodies = &snapshot->levels[TOP_BODY];
	const struct top_row *work = row(snapshot, TOP_METHOD, "Work(int)");
	const struct top_row *hottest = &bodies->rows[work->hottest];
	unsigned int versions = 0;

	assert_int_equal(work->bodies, 2);
	assert_int_equal(hottest->key.number, BODY_TIER0);
	assert_string_equal(snapshot->text + hottest->label, "tier0");
	assert_string_equal(hottest->state, "alive");
	assert_string_equal(snapshot->text + hottest->process, "web-10");
	for (uint32_t i = 0; i < bodies->count; i++) {
		const struct top_row *body = &bodies->rows[i];

		if (body->key.kind == MODEL_FRAME_BODY &&
		    &snapshot->levels[TOP_METHOD].rows[body->groups[TOP_METHOD]] == work) {
			versions++;
			assert_int_equal(snapshot->levels[TOP_TIER].rows[body->groups[TOP_TIER]].key.number,
					 body->tier);
		}
	}
	assert_int_equal(versions, 3);
	assert_int_equal(row(snapshot, TOP_METHOD, "[native]")->hottest, MODEL_NONE);
	assert_false(snapshot->several);
	top_snapshot__free(snapshot);
	fixture_add_second(*state);
	snapshot = fixture_look(top, *state, 2);
	assert_true(snapshot->several);
	top_snapshot__free(snapshot);
	top__free(top);
}

static void trends_and_forgetting(void **state)
{
	struct model *model = *state;
	struct top *top = top__new();
	struct top_snapshot *snapshot = fixture_look(top, model, 1);

	assert_int_equal(row(snapshot, TOP_METHOD, "Work(int)")->trend[0][TOP_TREND - 1], 6);
	top_snapshot__free(snapshot);
	model__drop_samples(model);
	fixture_sample_body(model, BODY_TIER1, 1, 70000);
	snapshot = fixture_look(top, model, 2);
	assert_int_equal(row(snapshot, TOP_METHOD, "Work(int)")->trend[0][TOP_TREND - 2], 6);
	assert_int_equal(row(snapshot, TOP_METHOD, "Work(int)")->trend[0][TOP_TREND - 1], UINT16_MAX);
	top_snapshot__free(snapshot);
	for (uint64_t i = 3; i < 3 + TOP_TREND; i++) {
		snapshot = fixture_look(top, model, i);
		assert_int_equal(row(snapshot, TOP_METHOD, "Work(int)")->self[0], 0);
		top_snapshot__free(snapshot);
	}
	snapshot = fixture_look(top, model, 3 + TOP_TREND);
	for (uint32_t level = 0; level < TOP_LEVELS; level++)
		assert_int_equal(snapshot->levels[level].count, 0);
	top_snapshot__free(snapshot);
	/* And can be there again. */
	fixture_sample_body(model, BODY_TIER1, 1, 2);
	snapshot = fixture_look(top, model, 4 + TOP_TREND);
	assert_int_equal(row(snapshot, TOP_METHOD, "Work(int)")->self[0], 2);
	assert_int_equal(row(snapshot, TOP_METHOD, "Work(int)")->trend[0][TOP_TREND - 2], 0);
	top_snapshot__free(snapshot);
	top__free(top);
}

/* What there is no room for is told as a sum. */
static void most_rows_are_bounded(void **state)
{
	struct model *model = *state;
	struct top *top = top__new();
	struct top_snapshot *snapshot;
	uint64_t sum = 0;

	top_snapshot__free(fixture_look(top, model, 1));
	model__drop_samples(model);
	for (uint32_t i = 0; i < TOP_BODIES + 100; i++) {
		char name[32];

		snprintf(name, sizeof(name), "Many.M%u()", i);
		fixture_sample_body(model, fixture_body(model, 0, name, TS_TIER_1, 0, 1), i, 1 + i % 3);
	}
	snapshot = fixture_look(top, model, 2);
	assert_int_equal(snapshot->levels[TOP_METHOD].count, TOP_GROUPS);
	assert_int_equal(snapshot->levels[TOP_BODY].count, TOP_BODIES);
	assert_int_equal(snapshot->left_out, TOP_BODIES + 104 - TOP_GROUPS);
	for (uint32_t i = 0; i < TOP_GROUPS; i++)
		sum += snapshot->levels[TOP_METHOD].rows[i].self[0];
	assert_int_equal(sum + snapshot->left_out_self[0], snapshot->events[0].samples);
	assert_int_equal(row(snapshot, TOP_METHOD, "Main")->total[0], snapshot->events[0].samples);
	top_snapshot__free(snapshot);
	top__free(top);
}

static uint32_t born(struct model *model, const char *name, uint32_t tier, uint32_t rejit,
		     uint64_t second, uint32_t source)
{
	uint32_t index = fixture_body(model, 0, name, tier, rejit, 3);
	struct model_body body = *model__body(model, index);

	body.born_ns = FIXTURE_START + second * SECOND;
	body.source = source;
	model__update_body(model, index, &body);
	return index;
}

static void changes_of_the_last_seconds(void **state)
{
	struct model *model = *state;
	struct top *top = top__new();
	struct top_snapshot *snapshot;

	born(model, "Old()", TS_TIER_1, 0, 1, MODEL_SOURCE_EVENT);
	born(model, "Up()", TS_TIER_1, 0, 18, MODEL_SOURCE_EVENT);
	born(model, "Loop()", TS_TIER_1_OSR, 0, 18, MODEL_SOURCE_EVENT);
	born(model, "First()", TS_TIER_QUICK, 0, 19, MODEL_SOURCE_EVENT);
	born(model, "Found()", TS_TIER_1, 0, 19, MODEL_SOURCE_CATCH_UP);
	born(model, "Changed()", TS_TIER_QUICK, 2, 19, MODEL_SOURCE_EVENT);
	snapshot = fixture_look(top, model, 20);
	assert_int_equal(snapshot->changed[TOP_TIER_UP], 1);
	assert_int_equal(snapshot->changed[TOP_OSR], 1);
	assert_int_equal(snapshot->changed[TOP_REJIT], 1);
	assert_int_equal(snapshot->changes_count, 3);
	assert_string_equal(snapshot->text + snapshot->changes[0].name, "Changed()");
	assert_string_equal(snapshot->text + snapshot->changes[0].label, "tier0 #2");
	assert_string_equal(snapshot->text + snapshot->changes[2].name, "Up()");
	top_snapshot__free(snapshot);
	snapshot = fixture_look(top, model, 29);
	assert_int_equal(snapshot->changes_count, 1);
	top_snapshot__free(snapshot);
	top__free(top);
}

static struct top_details *look_at(struct top *top, const struct model *model, uint32_t level,
				   uint32_t kind, uint32_t number, uint64_t now_ns)
{
	struct top_key key = { .level = level, .kind = kind, .number = number };

	return top__details(top, model, &key, 0, now_ns);
}

static void details_of_a_method(void **state)
{
	struct model *model = *state;
	struct top *top = top__new();
	struct top_details *details;

	top_snapshot__free(fixture_look(top, model, 1));
	model__drop_samples(model);
	model__drop_stacks(model);
	details = look_at(top, model, TOP_METHOD, MODEL_FRAME_BODY,
			  model__body(model, BODY_TIER0)->name, FIXTURE_START + SECOND);
	assert_string_equal(details->text + details->title, "Work(int)");
	assert_int_equal(details->versions_count, 3);
	assert_int_equal(details->versions[0].key.number, BODY_TIER1);
	assert_string_equal(details->text + details->versions[0].label, "tier1 #2");
	assert_int_equal(details->versions[2].self[0], 4);
	assert_int_equal(details->versions[2].total[0], 6);
	assert_int_equal(details->samples, 9);
	assert_int_equal(details->stacks_count, 3);
	assert_int_equal(details->stacks[0].samples, 4);
	assert_int_equal(details->stacks[0].frames_count, 2);
	assert_string_equal(details->text + details->stacks[0].frames[0], "Work(int) [tier0]");
	assert_string_equal(details->text + details->stacks[0].frames[1], "Main [r2r]");
	assert_true(details->stacks[0].marked[0]);
	assert_false(details->stacks[0].marked[1]);
	assert_string_equal(details->text + details->stacks[1].frames[0], "libcoreclr.so+0x1c99");
	assert_int_equal(details->stacks[1].samples, 3);
	top_details__free(details);
	/* One version of it; a tier; other code. */
	details = look_at(top, model, TOP_BODY, MODEL_FRAME_BODY, BODY_OSR, FIXTURE_START + SECOND);
	assert_int_equal(details->versions_count, 1);
	assert_int_equal(details->samples, 2);
	assert_int_equal(details->stacks_count, 1);
	top_details__free(details);
	details = look_at(top, model, TOP_TIER, MODEL_FRAME_BODY, TS_TIER_1, FIXTURE_START + SECOND);
	assert_int_equal(details->samples, 3);
	top_details__free(details);
	details = look_at(top, model, TOP_METHOD, MODEL_FRAME_NATIVE, 0, FIXTURE_START + SECOND);
	assert_string_equal(details->text + details->title, "[native]");
	assert_int_equal(details->samples, 3);
	top_details__free(details);
	/* Samples are forgotten after a while; versions are not. */
	details = look_at(top, model, TOP_METHOD, MODEL_FRAME_BODY,
			  model__body(model, BODY_TIER0)->name, FIXTURE_START + 60 * SECOND);
	assert_int_equal(details->samples, 0);
	assert_int_equal(details->stacks_count, 0);
	assert_int_equal(details->versions_count, 3);
	top_details__free(details);
	top__free(top);
}

struct counting {
	uint64_t samples, last_ns;
	bool ordered;
};

static void count(void *context, const struct recent_sample *sample)
{
	struct counting *counting = context;

	counting->ordered &= counting->samples == 0 || sample->time_ns == counting->last_ns + 1;
	counting->last_ns = sample->time_ns;
	counting->samples++;
	for (uint32_t i = 0; i < sample->frames_count; i++)
		counting->ordered &= sample->frames[i] ==
			(sample->frames_count - 1 - i) % 2;
	counting->ordered &= sample->cut == (sample->time_ns % 61 > TOP_STACK_FRAMES);
}

/* Memory of one size: the newest are there, whole and in order, however many come. */
static void recent_samples_are_bounded(void **state)
{
	struct model *model = model__new();
	uint32_t process = fixture_process(model, 1, "x"), stacks[61] = { 0 };
	struct recent *recent = recent__new();
	struct counting counting = { .ordered = true };
	uint64_t count_of_all = 150000;

	(void)state;
	model__add_thread(model, process, 1, 0);
	for (int i = 0; i < 2; i++)
		model__add_frame(model, &(struct model_frame){ .kind = MODEL_FRAME_NATIVE,
							       .body = MODEL_NONE,
							       .address = (uint64_t)i });
	/* Those frames that are kept are 0 and 1 in turn, from the rootmost on. */
	for (uint32_t i = 1; i < 61; i++) {
		uint32_t stack = 0;

		for (uint32_t j = 0; j < i; j++) {
			uint32_t from_leaf = i - 1 - j;
			uint32_t kept = i < TOP_STACK_FRAMES ? i : TOP_STACK_FRAMES;

			stack = model__add_stack(model, stack, from_leaf < kept ?
						 (kept - 1 - from_leaf) % 2 : 1);
		}
		stacks[i] = stack;
	}
	for (uint64_t i = 0; i < count_of_all; i++)
		recent__add(recent, model, &(struct model_sample){
						   .time_ns = i, .stack = stacks[i % 61] });
	recent__each(recent, 0, count, &counting);
	assert_true(counting.ordered);
	assert_int_equal(counting.last_ns, count_of_all - 1);
	assert_in_range(counting.samples, 10000, 30000);
	counting.samples = 0;
	recent__each(recent, count_of_all - 5, count, &counting);
	assert_int_equal(counting.samples, 5);
	recent__free(recent);
	model__free(model);
}

static void sweep(struct top *top, struct model *model, const struct top_key *key,
		  uint32_t process)
{
	struct model_marks marks;

	model__drop_samples(model);
	model__drop_stacks(model);
	model_marks__init(&marks, model);
	model_marks__process(&marks, process);
	top__mark(top, model, key, &marks);
	top__forget(top, &marks);
	model__sweep(model, &marks);
	model_marks__free(&marks);
}

/* Rows, trends, changes and stacks need what they tell of; the row that is looked at, too. */
static void a_sweep_takes_nothing_that_is_shown(void **state)
{
	struct model *model = *state;
	struct top *top = top__new();
	struct top_snapshot *snapshot = fixture_look(top, model, 1);
	struct top_key key = row(snapshot, TOP_METHOD, "Work(int)")->key;
	struct top_details *details;
	uint32_t frames = model__frames(model);

	top_snapshot__free(snapshot);
	sweep(top, model, NULL, MODEL_NONE);
	assert_int_equal(model__body(model, BODY_R2R_UNSAMPLED)->process, MODEL_NONE);
	snapshot = fixture_look(top, model, 2);
	assert_int_equal(row(snapshot, TOP_METHOD, "Work(int)")->trend[0][TOP_TREND - 2], 6);
	assert_int_equal(row(snapshot, TOP_TIER, "tier0")->trend[0][TOP_TREND - 2], 4);
	assert_int_equal(model__frames(model), frames);
	details = top__details(top, model, &key, 0, FIXTURE_START + 2 * SECOND);
	assert_int_equal(details->samples, 9);
	assert_string_equal(details->text + details->title, "Work(int)");
	top_details__free(details);
	top_snapshot__free(snapshot);
	for (uint64_t second = 3; second < 40; second++)
		top_snapshot__free(fixture_look(top, model, second));
	sweep(top, model, &key, MODEL_NONE);
	assert_string_equal(model__text(model, key.number), "Work(int)");
	sweep(top, model, NULL, MODEL_NONE);
	assert_string_equal(model__text(model, key.number), "");
	for (uint32_t i = 0; i < model__bodies(model); i++)
		assert_int_equal(model__body(model, i)->process, MODEL_NONE);
	assert_true(model__process(model, 0)->flags & MODEL_PROCESS_SWEPT);
	/* The title is of the processes that there are, or else of the command. */
	model__about(model)->command = 0;
	snapshot = fixture_look(top, model, 40);
	assert_string_equal(snapshot->text + snapshot->title, "");
	top_snapshot__free(snapshot);
	top__free(top);
}

/* Bodies that have numbers of others now are new ones. */
static void after_a_sweep_changes_are_told(void **state)
{
	struct model *model = *state;
	struct top *top = top__new();
	struct top_snapshot *snapshot = fixture_look(top, model, 1);
	uint32_t bodies = model__bodies(model), number;

	top_snapshot__free(snapshot);
	for (uint64_t second = 2; second < 40; second++)
		top_snapshot__free(fixture_look(top, model, second));
	sweep(top, model, NULL, 0);
	for (number = 0; number < bodies; number++) {
		uint32_t index = fixture_body(model, 0, "New()", TS_TIER_1, 0, 1);
		struct model_body body = *model__body(model, index);

		assert_in_range(index, 0, bodies - 1);
		body.born_ns = FIXTURE_START + 39 * SECOND;
		model__update_body(model, index, &body);
	}
	snapshot = fixture_look(top, model, 40);
	assert_int_equal(snapshot->changed[TOP_TIER_UP], bodies);
	assert_string_equal(snapshot->text + snapshot->changes[0].name, "New()");
	top_snapshot__free(snapshot);
	snapshot = fixture_look(top, model, 41);
	assert_int_equal(snapshot->changed[TOP_TIER_UP], bodies);
	top_snapshot__free(snapshot);
	top__free(top);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(self_is_that_of_stat), TEST(total_counts_a_sample_once),
		TEST(samples_are_taken_once), TEST(rows_know_each_other),
		TEST(trends_and_forgetting), TEST(most_rows_are_bounded),
		TEST(changes_of_the_last_seconds), TEST(details_of_a_method),
		TEST(a_sweep_takes_nothing_that_is_shown), TEST(after_a_sweep_changes_are_told),
		cmocka_unit_test(recent_samples_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
