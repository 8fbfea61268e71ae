// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The model: interning, what is refused, bodies by address and time against a
// slow and obvious search, self and total against counting sample by sample.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../user/model/model.h"

static int new_model(void **state)
{
	struct model *model = model__new();

	model__add_process(model,
			   &(struct model_process){.pid = 1, .parent = MODEL_NONE});
	*state = model;
	return 0;
}

static int free_model(void **state)
{
	model__free(*state);
	return 0;
}

static uint32_t add_body(struct model *model, uint64_t start, uint32_t size,
			 uint64_t born_ns, uint64_t died_ns)
{
	return model__add_body(model, &(struct model_body){.start = start,
							   .size = size,
							   .born_ns = born_ns,
							   .died_ns = died_ns});
}

static void set_death(struct model *model, uint32_t index, uint64_t died_ns)
{
	struct model_body body = *model__body(model, index);

	body.died_ns = died_ns;
	model__update_body(model, index, &body);
}

/* A generator of our own, so that a failure is the same everywhere. */
static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*seed >> 33);
}

static void model_interns_strings_frames_stacks_threads(void **state)
{
	struct model *model = *state;
	struct model_frame native = {.kind = MODEL_FRAME_NATIVE, .address = 0x10};
	string_id name = model__string(model, "libc.so");
	uint32_t body = add_body(model, 0x1000, 64, 1, 0);
	uint32_t frame, stack;

	assert_int_equal(model__string(model, ""), 0);
	assert_int_equal(model__string(model, NULL), 0);
	assert_int_equal(model__string(model, "libc.so"), name);
	assert_int_not_equal(model__string(model, "libm.so"), name);
	native.name = name;
	frame = model__add_frame(model, &native);
	assert_int_equal(model__add_frame(model, &native), frame);
	native.address = 0x20;
	assert_int_not_equal(model__add_frame(model, &native), frame);
	/* Two addresses in one body are one frame. */
	assert_int_equal(model__add_frame(model, &(struct model_frame){.body = body,
								       .address = 1}),
			 model__add_frame(model, &(struct model_frame){.body = body,
								       .address = 2}));
	stack = model__add_stack(model, 0, frame);
	assert_int_not_equal(stack, 0);
	assert_int_equal(model__add_stack(model, 0, frame), stack);
	assert_true(model__add_stack(model, stack, frame) > stack);
	assert_int_equal(model__add_thread(model, 0, 7, name),
			 model__add_thread(model, 0, 7, name));
	assert_int_not_equal(model__add_thread(model, 0, 7, 0),
			     model__add_thread(model, 0, 7, name));
}

static void model_repairs_strings_that_are_not_utf8(void **state)
{
	struct model *model = *state;
	string_id broken = model__string(model, "caf\xe9");

	assert_string_equal(model__text(model, broken), "caf\xef\xbf\xbd");
	assert_string_equal(model__text(model, model__string_n(model, "a\0b", 3)), "a");
	assert_string_equal(model__text(model,
					model__string_n(model, "\xc3\xa9\0b", 4)),
			    "\xc3\xa9");
	assert_string_equal(model__text(model, MODEL_NONE), "");
}

static void model_refuses_references_to_nothing(void **state)
{
	struct model *model = *state;
	struct model_sample sample = {0};

	assert_int_equal(model__add_process(model,
					    &(struct model_process){.parent = 1}),
			 MODEL_NONE);
	assert_int_equal(model__add_body(model, &(struct model_body){.process = 1}),
			 MODEL_NONE);
	assert_int_equal(model__add_thread(model, 1, 1, 0), MODEL_NONE);
	assert_int_equal(model__add_frame(model, &(struct model_frame){.body = 0}),
			 MODEL_NONE);
	assert_int_equal(model__add_stack(model, 0, 0), MODEL_NONE);
	assert_int_equal(model__add_stack(model, 1, 0), MODEL_NONE);
	assert_int_equal(model__add_sample(model, &sample), MODEL_NONE);
	for (int i = 0; i < MODEL_EVENTS_MAX; i++)
		assert_int_equal(model__add_event(model, &(struct model_event){0}), i);
	assert_int_equal(model__add_event(model, &(struct model_event){0}), MODEL_NONE);
	model__add_thread(model, 0, 1, 0);
	assert_int_equal(model__add_sample(model, &sample), 0);
	sample.event = MODEL_EVENTS_MAX;
	assert_int_equal(model__add_sample(model, &sample), MODEL_NONE);
	assert_null(model__body(model, 0));
	assert_null(model__sample(model, 1));
	assert_int_equal(model__samples(model), 1);
}

static void model_refuses_patches_that_make_no_sense(void **state)
{
	struct model *model = *state;
	uint32_t body = add_body(model, 0x1000, 64, 1, 0);
	const struct model_patch good = {
		.kind = TS_CELL_COUNT - 1,
		.target = TS_TARGET_COUNT - 1,
		.body = body,
		.window_ns = {0, UINT64_MAX},
	};
	struct model_patch bad = good;

	model__add_process(model,
			   &(struct model_process){.pid = 2, .parent = MODEL_NONE});
	bad.process = 1; /* which the body is not of */
	assert_int_equal(model__add_patch(model, &bad), MODEL_NONE);
	bad = good;
	bad.process = 2;
	bad.body = MODEL_NONE;
	assert_int_equal(model__add_patch(model, &bad), MODEL_NONE);
	bad = good;
	bad.kind = TS_CELL_COUNT;
	assert_int_equal(model__add_patch(model, &bad), MODEL_NONE);
	bad = good;
	bad.target = TS_TARGET_COUNT;
	assert_int_equal(model__add_patch(model, &bad), MODEL_NONE);
	bad = good;
	bad.body = body + 1;
	assert_int_equal(model__add_patch(model, &bad), MODEL_NONE);
	assert_int_equal(model__patches(model), 0);
	assert_null(model__patch(model, 0));
	assert_int_equal(model__add_patch(model, &good), 0);
	bad = good;
	bad.process = 1;
	bad.body = MODEL_NONE;
	assert_int_equal(model__add_patch(model, &bad), 1);
	assert_int_equal(model__patches(model), 2);
	assert_memory_equal(model__patch(model, 0), &good, sizeof(good));
	assert_null(model__patch(model, 2));
}

static void model_refuses_tiering_that_makes_no_sense(void **state)
{
	struct model *model = *state;
	const struct model_tiering good = {
		.kind = TS_TIERING_COUNT - 1, .time_ns = UINT64_MAX, .pending = UINT32_MAX};
	struct model_tiering bad = good;

	bad.process = model__processes(model);
	assert_int_equal(model__add_tiering(model, &bad), MODEL_NONE);
	bad = good;
	bad.kind = TS_TIERING_COUNT;
	assert_int_equal(model__add_tiering(model, &bad), MODEL_NONE);
	bad.kind = TS_TIERING_UNKNOWN;
	assert_int_equal(model__add_tiering(model, &bad), MODEL_NONE);
	assert_int_equal(model__tierings(model), 0);
	assert_int_equal(model__add_tiering(model, &good), 0);
	assert_int_equal(model__tierings(model), 1);
	assert_int_equal(model__tiering(model, 0)->pending, UINT32_MAX);
	assert_null(model__tiering(model, 1));
}

static void model_remembers_updates_in_order(void **state)
{
	struct model *model = *state;
	uint32_t first = add_body(model, 0x1000, 64, 1, 0);
	uint32_t second = add_body(model, 0x2000, 64, 1, 0);

	set_death(model, second, 5);
	model__update_process(
		model, 0,
		&(struct model_process){.pid = 1, .parent = MODEL_NONE, .end_ns = 9});
	set_death(model, first, 6);
	set_death(model, first, 6); /* no news */
	assert_int_equal(model__updates(model), 3);
	assert_int_equal(model__update(model, 0)->kind, MODEL_UPDATE_BODY);
	assert_int_equal(model__update(model, 0)->index, second);
	assert_int_equal(model__update(model, 1)->kind, MODEL_UPDATE_PROCESS);
	assert_int_equal(model__update(model, 2)->index, first);
	assert_int_equal(model__process(model, 0)->end_ns, 9);
	assert_int_equal(model__body(model, first)->died_ns, 6);
	assert_null(model__update(model, 3));
}

static void model_keeps_the_last_value_of_a_count(void **state)
{
	struct model *model = *state;

	model__set_count(model, MODEL_LEDGER_SAMPLES, "kept", 1);
	model__set_count(model, MODEL_LEDGER_NOTES, "kept", 2);
	model__set_count(model, MODEL_LEDGER_SAMPLES, "kept", 3);
	assert_int_equal(model__counts(model), 2);
	assert_int_equal(model__count(model, MODEL_LEDGER_SAMPLES, "kept"), 3);
	assert_int_equal(model__count(model, MODEL_LEDGER_NOTES, "kept"), 2);
	assert_int_equal(model__count(model, MODEL_LEDGER_NOTES, "due"), 0);
}

static void find_takes_the_one_alive_at_the_time(void **state)
{
	struct model *model = *state;
	uint32_t first = add_body(model, 0x1000, 0x100, 10, 20);
	uint32_t second = add_body(model, 0x1080, 0x100, 30, 40);
	uint32_t third = add_body(model, 0x1000, 0x40, 50, 0);

	assert_int_equal(model__find_body(model, 0, 0x10ff, 9), MODEL_NONE);
	assert_int_equal(model__find_body(model, 0, 0x10ff, 10), first);
	assert_int_equal(model__find_body(model, 0, 0x1100, 10), MODEL_NONE);
	assert_int_equal(model__find_body(model, 0, 0xfff, 10), MODEL_NONE);
	assert_int_equal(model__find_body(model, 0, 0x10ff, 19), first);
	assert_int_equal(model__find_body(model, 0, 0x10ff, 20), MODEL_NONE);
	assert_int_equal(model__find_body(model, 0, 0x10ff, 30), second);
	assert_int_equal(model__find_body(model, 0, 0x1000, 30), MODEL_NONE);
	assert_int_equal(model__find_body(model, 0, 0x1000, UINT64_MAX), third);
	assert_int_equal(model__find_body(model, 1, 0x1000, 60), MODEL_NONE);
}

static void find_ends_a_life_where_another_body_is_born(void **state)
{
	struct model *model = *state;
	uint32_t silent = add_body(model, 0x1000, 0x100, 10, 0);
	uint32_t late = add_body(model, 0x2000, 0x100, 10, 99);
	uint32_t same_time = add_body(model, 0x3000, 0x10, 10, 0);
	uint32_t younger = add_body(model, 0x3000, 0x10, 10, 0);

	add_body(model, 0x10f0, 0x20, 30, 40);
	add_body(model, 0x20f0, 0x20, 30, 40);
	assert_int_equal(model__find_body(model, 0, 0x1000, 29), silent);
	assert_int_equal(model__find_body(model, 0, 0x1000, 30), MODEL_NONE);
	assert_int_equal(model__find_body(model, 0, 0x10f0, 50), MODEL_NONE);
	assert_int_equal(model__find_body(model, 0, 0x2000, 29), late);
	assert_int_equal(model__find_body(model, 0, 0x2000, 50), MODEL_NONE);
	assert_int_not_equal(same_time, younger);
	assert_int_equal(model__find_body(model, 0, 0x3000, 10), younger);
}

static void find_leaves_out_precompiled_and_empty_bodies(void **state)
{
	struct model *model = *state;

	model__add_body(model, &(struct model_body){.start = 0x1000,
						    .size = 64,
						    .source = MODEL_SOURCE_IMAGE});
	add_body(model, 0x2000, 0, 0, 0);
	add_body(model, UINT64_MAX, 0xffffffff, 0, 0);
	assert_int_equal(model__find_body(model, 0, 0x1000, 1), MODEL_NONE);
	assert_int_equal(model__find_body(model, 0, 0x2000, 1), MODEL_NONE);
	assert_int_equal(add_body(model, UINT64_MAX - 9, 0xffffffff, 0, 0), 3);
	assert_int_equal(model__find_body(model, 0, UINT64_MAX - 9, 1), 3);
}

/* What model_find.c promises, body by body. */
static uint32_t find_slowly(const struct model *model, uint64_t address,
			    uint64_t time_ns)
{
	for (uint32_t i = 0; i < model__bodies(model); i++) {
		const struct model_body *body = model__body(model, i);
		uint64_t dead_ns = body->died_ns ? body->died_ns : UINT64_MAX;

		for (uint32_t j = 0; j < model__bodies(model); j++) {
			const struct model_body *other = model__body(model, j);
			bool younger = other->born_ns > body->born_ns ||
				       (other->born_ns == body->born_ns && j > i);

			if (younger && other->size &&
			    other->start < body->start + body->size &&
			    body->start < other->start + other->size &&
			    other->born_ns < dead_ns)
				dead_ns = other->born_ns;
		}
		if (address >= body->start && address < body->start + body->size &&
		    time_ns >= body->born_ns && time_ns < dead_ns)
			return i;
	}
	return MODEL_NONE;
}

static void change_at_random(struct model *model, uint64_t *seed)
{
	uint32_t index = next_random(seed) % model__bodies(model);
	struct model_body body = *model__body(model, index);

	switch (next_random(seed) % 8) {
	case 0:
		body.died_ns = 0;
		break;
	case 1:
		body.start += next_random(seed) % 64;
		break;
	case 2:
		body.born_ns = next_random(seed) % 1000;
		break;
	default:
		body.died_ns = body.born_ns + next_random(seed) % 100;
	}
	model__update_body(model, index, &body);
}

/*
 * A precompiled body has no birth, and one is added whenever another is sampled first.
 * If that made the index anew each time, this would take minutes.
 */
static void find_bears_precompiled_bodies_in_between(void **state)
{
	struct model *model = *state;

	alarm(60);
	for (uint32_t i = 0; i < 20000; i++)
		add_body(model, 0x1000000 + i * 0x100, 0x100, 10 + i, 0);
	for (uint32_t i = 0; i < 20000; i++) {
		model__add_body(model, &(struct model_body){
					       .start = 0x10 * (i + 1),
					       .size = 0x10,
					       .source = MODEL_SOURCE_IMAGE});
		assert_int_equal(model__find_body(model, 0, 0x1000000 + i * 0x100, 30000),
				 i);
	}
	alarm(0);
}

static void find_agrees_with_a_slow_search_whatever_happens(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < 24; round++) {
		struct model *model = model__new();
		bool in_order = round % 2;
		uint32_t found = 0;

		model__add_process(model,
				   &(struct model_process){.parent = MODEL_NONE});
		for (uint32_t i = 1; i <= 120; i++) {
			uint64_t born = in_order ? 8 * i : next_random(&seed) % 1000;
			uint32_t size = next_random(&seed) % 200;
			uint64_t life = next_random(&seed) % 300;

			add_body(model, 0x1000 + next_random(&seed) % 1024,
				 size > 190 ? size * 16 : size, born,
				 life > 150 ? born + life : 0);
			if (next_random(&seed) % 4 == 0)
				change_at_random(model, &seed);
			for (int query = 0; query < 20; query++) {
				uint64_t address = 0xf00 + next_random(&seed) % 1500;
				uint64_t time = next_random(&seed) % 1100;
				uint32_t body = find_slowly(model, address, time);

				assert_int_equal(model__find_body(model, 0, address,
								  time),
						 body);
				found += body != MODEL_NONE;
			}
		}
		assert_true(found > 100);
		model__free(model);
	}
}

/* 100,000 bodies one after the other at one address, beside one that stays. */
static void find_is_right_after_an_address_was_used_100000_times(void **state)
{
	struct model *model = *state;
	uint32_t stays = add_body(model, 0x1000, 0x100, 1, 0);

	for (uint32_t i = 1; i <= 100000; i++) {
		add_body(model, 0x1100, 0x100, 10 * i, i % 3 ? 10 * i + 5 : 0);
		assert_int_equal(model__find_body(model, 0, 0x1180, 10 * i + 4), i);
	}
	for (uint32_t i = 1; i <= 100000; i++) {
		assert_int_equal(model__find_body(model, 0, 0x1000, 10 * i), stays);
		assert_int_equal(model__find_body(model, 0, 0x1100, 10 * i), i);
		assert_int_equal(model__find_body(model, 0, 0x1100, 10 * i + 9),
				 i % 3 ? MODEL_NONE : i);
		assert_int_equal(model__find_body(model, 0, 0x1200, 10 * i),
				 MODEL_NONE);
	}
}

static uint32_t frame_of(struct model *model, uint32_t body)
{
	if (body != MODEL_NONE)
		return model__add_frame(model, &(struct model_frame){.body = body});
	return model__add_frame(model,
				&(struct model_frame){.kind = MODEL_FRAME_KERNEL});
}

static void tally_counts_recursion_once(void **state)
{
	struct model *model = *state;
	uint32_t main = add_body(model, 0x1000, 16, 1, 0);
	uint32_t fib = add_body(model, 0x2000, 16, 1, 0);
	uint32_t idle = add_body(model, 0x3000, 16, 1, 0);
	uint32_t stack = model__add_stack(model, 0, frame_of(model, main));
	struct model_sample sample = {0};
	uint64_t *self, *total;

	model__add_event(model, &(struct model_event){.period = 1});
	model__add_event(model, &(struct model_event){.period = 1});
	model__add_thread(model, 0, 1, 0);
	for (int depth = 0; depth < 5; depth++) {
		stack = model__add_stack(model, stack, frame_of(model, fib));
		sample.stack = stack;
		sample.event = depth == 4;
		model__add_sample(model, &sample);
	}
	sample.event = 0;
	sample.stack = model__add_stack(
		model, stack,
		model__add_frame(model,
				 &(struct model_frame){.kind = MODEL_FRAME_NATIVE}));
	model__add_sample(model, &sample);
	/* Taken in the kernel, two calls deep: fib's all the same. */
	for (int depth = 0; depth < 2; depth++)
		stack = model__add_stack(model, stack, frame_of(model, MODEL_NONE));
	sample.stack = stack;
	model__add_sample(model, &sample);
	sample.stack = 0;
	model__add_sample(model, &sample);
	model__tally(model, &self, &total);
	assert_int_equal(self[main * MODEL_EVENTS_MAX], 0);
	assert_int_equal(total[main * MODEL_EVENTS_MAX], 6);
	assert_int_equal(self[fib * MODEL_EVENTS_MAX], 5);
	assert_int_equal(total[fib * MODEL_EVENTS_MAX], 6);
	assert_int_equal(self[fib * MODEL_EVENTS_MAX + 1], 1);
	assert_int_equal(total[main * MODEL_EVENTS_MAX + 1], 1);
	assert_int_equal(total[idle * MODEL_EVENTS_MAX], 0);
	free(self);
	free(total);
}

/* Sample by sample, frame by frame. */
static void tally_slowly(const struct model *model, uint64_t *self, uint64_t *total)
{
	for (size_t i = 0; i < model__samples(model); i++) {
		const struct model_sample *sample = model__sample(model, i);
		bool seen[16] = {false}, is_leaf = true;

		for (uint32_t at = sample->stack; at;
		     at = model__stack(model, at)->parent) {
			uint32_t frame = model__stack(model, at)->frame;
			uint32_t body = model__frame(model, frame)->body;

			if (body == MODEL_NONE)
				continue;
			if (is_leaf) /* but for the kernel's frames above it */
				self[body * MODEL_EVENTS_MAX + sample->event]++;
			is_leaf = false;
			if (!seen[body])
				total[body * MODEL_EVENTS_MAX + sample->event]++;
			seen[body] = true;
		}
	}
}

static void tally_agrees_with_counting_each_sample(void **state)
{
	struct model *model = *state;
	uint64_t expected_self[16 * MODEL_EVENTS_MAX] = {0};
	uint64_t expected_total[16 * MODEL_EVENTS_MAX] = {0};
	uint64_t *self, *total;
	uint64_t seed = 7;

	model__add_thread(model, 0, 1, 0);
	for (int i = 0; i < MODEL_EVENTS_MAX; i++)
		model__add_event(model, &(struct model_event){0});
	for (uint32_t i = 0; i < 16; i++)
		add_body(model, 0x1000 * i, 16, 1, 0);
	for (uint32_t i = 0; i < 5000; i++) {
		struct model_sample sample = {.event = i % MODEL_EVENTS_MAX};
		uint32_t depth = next_random(&seed) % 12;

		while (depth--) {
			uint32_t body = next_random(&seed) % 17;

			sample.stack = model__add_stack(
				model, sample.stack,
				frame_of(model, body < 16 ? body : MODEL_NONE));
		}
		model__add_sample(model, &sample);
	}
	tally_slowly(model, expected_self, expected_total);
	model__tally(model, &self, &total);
	assert_memory_equal(self, expected_self, sizeof(expected_self));
	assert_memory_equal(total, expected_total, sizeof(expected_total));
	free(self);
	free(total);
}

/* One stack of 200,000 frames and a million samples: neither recursion nor
 * work per sample and frame would survive it. */
static void tally_bears_a_million_samples_on_deep_stacks(void **state)
{
	struct model *model = *state;
	uint32_t body = add_body(model, 0x1000, 16, 1, 0);
	uint32_t other = add_body(model, 0x2000, 16, 1, 0);
	struct model_sample sample = {0};
	uint64_t *self, *total;

	model__add_event(model, &(struct model_event){0});
	model__add_thread(model, 0, 1, 0);
	sample.stack = model__add_stack(model, 0, frame_of(model, other));
	for (uint32_t i = 0; i < 200000; i++)
		sample.stack =
			model__add_stack(model, sample.stack, frame_of(model, body));
	for (uint32_t i = 0; i < 1000000; i++)
		model__add_sample(model, &sample);
	model__tally(model, &self, &total);
	assert_int_equal(self[body * MODEL_EVENTS_MAX], 1000000);
	assert_int_equal(total[body * MODEL_EVENTS_MAX], 1000000);
	assert_int_equal(total[other * MODEL_EVENTS_MAX], 1000000);
	free(self);
	free(total);
}

#define MODEL_TEST(name) cmocka_unit_test_setup_teardown(name, new_model, free_model)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MODEL_TEST(model_interns_strings_frames_stacks_threads),
		MODEL_TEST(model_repairs_strings_that_are_not_utf8),
		MODEL_TEST(model_refuses_references_to_nothing),
		MODEL_TEST(model_refuses_patches_that_make_no_sense),
		MODEL_TEST(model_refuses_tiering_that_makes_no_sense),
		MODEL_TEST(model_remembers_updates_in_order),
		MODEL_TEST(model_keeps_the_last_value_of_a_count),
		MODEL_TEST(find_takes_the_one_alive_at_the_time),
		MODEL_TEST(find_ends_a_life_where_another_body_is_born),
		MODEL_TEST(find_leaves_out_precompiled_and_empty_bodies),
		MODEL_TEST(find_bears_precompiled_bodies_in_between),
		cmocka_unit_test(find_agrees_with_a_slow_search_whatever_happens),
		MODEL_TEST(find_is_right_after_an_address_was_used_100000_times),
		MODEL_TEST(tally_counts_recursion_once),
		MODEL_TEST(tally_agrees_with_counting_each_sample),
		MODEL_TEST(tally_bears_a_million_samples_on_deep_stacks),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
