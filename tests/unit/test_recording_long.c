// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// A recording that goes on for long: the model is rid of what the file holds, and
// the file tells the same as if it had not been.  And parts of one recording.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "recording_fixture.h"

#include "../../user/recording/format.h"

#define ROUNDS	  60u
#define SAMPLES	  2000u
#define DEPTH	  6u
#define STACKS_MAX 160000u	/* what the model may hold at any time */

/* Stacks that never repeat, on top of one that always does. */
static void add_round(struct model *model, uint32_t round)
{
	for (uint32_t i = 0; i < SAMPLES; i++) {
		uint32_t number = round * SAMPLES + i, stack = 0;

		for (uint32_t depth = 0; depth < DEPTH; depth++) {
			uint32_t own = depth < 2 ? depth : number >> (depth - 2);

			stack = model__add_stack(model, stack,
						 model__add_frame(model, &(struct model_frame){
							 .kind = MODEL_FRAME_NATIVE,
							 .body = MODEL_NONE,
							 .address = own % 50021 }));
		}
		assert_int_not_equal(model__add_sample(model, &(struct model_sample){
			.time_ns = 1000 + number, .stack = stack, .ip = number }),
			MODEL_NONE);
	}
	add_patch(model, round);
}

static struct model *begin(void)
{
	struct model *model = model__new();

	begin_model(model);
	model__add_thread(model, 0, 1, 0);
	return model;
}

static void long_shedding_changes_nothing_that_is_read(void **state)
{
	struct fixture *fixture = *state;
	struct model *kept = begin(), *shed = begin(), *read = model__new();
	struct recording_writer *writer = NULL;
	struct recording_result result;
	uint32_t most = 0;

	assert_int_equal(recording_writer__open(fixture->path, &writer), 0);
	for (uint32_t round = 0; round < ROUNDS; round++) {
		add_round(kept, round);
		add_round(shed, round);
		most = model__stacks(shed) > most ? model__stacks(shed) : most;
		assert_int_equal(recording_writer__flush(writer, shed), 0);
		assert_int_equal(recording_writer__shed(writer, shed), 0);
		assert_int_equal(model__samples(shed), 0);
		assert_int_equal(model__updates(shed), 0);
	}
	/* It did forget stacks, else this shows nothing. */
	assert_in_range(most, 1, STACKS_MAX);
	assert_true(model__stacks(kept) > STACKS_MAX);
	end_model(kept);
	end_model(shed);
	model__set_count(kept, MODEL_LEDGER_SAMPLES, "kept", model__samples(kept));
	model__set_count(shed, MODEL_LEDGER_SAMPLES, "kept", model__samples(kept));
	assert_int_equal(recording_writer__finish(writer, shed), 0);
	model__about(kept)->complete = true;
	assert_int_equal(recording__read(fixture->path, read, &result), 0);
	assert_int_equal(result.status, RECORDING_WHOLE);
	assert_same_model(read, kept);
	recording_writer__free(writer);
	model__free(kept);
	model__free(shed);
	model__free(read);
}

/* Nothing may be dropped that is not in the file yet. */
static void long_shedding_keeps_what_is_not_written(void **state)
{
	struct fixture *fixture = *state;
	struct recording_writer *writer = NULL;
	struct model *model = begin();

	assert_int_equal(recording_writer__open(fixture->path, &writer), 0);
	add_round(model, 0);
	assert_int_equal(recording_writer__shed(writer, model), 0);
	assert_int_equal(model__samples(model), SAMPLES);
	recording_writer__free(writer);
	model__free(model);
}

static void long_parts_open_by_themselves(void **state)
{
	struct fixture *fixture = *state;
	struct model *model = begin();

	for (uint32_t part = 1; part <= 3; part++) {
		struct recording_writer *writer = NULL;
		struct recording_result result;
		struct model *read = model__new();

		model__about(model)->part = part;
		model__about(model)->whole_start_ns = 7;
		assert_int_equal(recording_writer__open(fixture->path, &writer), 0);
		add_round(model, part);
		model__set_count(model, MODEL_LEDGER_SAMPLES, "kept", model__samples(model));
		assert_int_equal(recording_writer__finish(writer, model), 0);
		assert_int_equal(recording__read(fixture->path, read, &result), 0);
		assert_int_equal(result.status, RECORDING_WHOLE);
		assert_same_model(read, model);
		assert_int_equal(model__about(read)->part, part);
		assert_int_equal(model__about(read)->whole_start_ns, 7);
		recording_writer__free(writer);
		model__free(read);
		model__drop_samples(model);
		model__drop_stacks(model);
		model__drop_counts(model);
		assert_int_equal(model__counts(model), 0);
	}
	model__free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(long_shedding_changes_nothing_that_is_read,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_shedding_keeps_what_is_not_written,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_parts_open_by_themselves, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("recording_long", tests, NULL, NULL);
}
