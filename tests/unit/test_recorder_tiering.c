// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What is told of tiering as a whole, on its way into the model.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/kernel/internal.h"
#include "recorder_fixture.h"

#define MOST (1u << 18)	/* of a process */

enum { SPACE = 3, PID = 70 };

static int set_up(void **state)
{
	(void)state;
	begin_recorder();
	process__new(recorder, SPACE, PID, 1, MODEL_NONE, MODEL_NONE);
	return 0;
}

static void tell(uint32_t space, uint32_t kind)
{
	recorder->handlers.tiering(recorder, &(struct ts_tiering_event){
		.header = { .type = TS_EVENT_TIERING, .time_ns = 1234, .space = space,
			    .pid = PID },
		.kind = kind, .pending = 5, .new_methods = 6, .compiled = 7 });
}

static void what_is_told_is_in_the_model(void **state)
{
	const struct model_tiering *row;

	(void)state;
	tell(SPACE, TS_TIERING_BATCH_ENDED);
	assert_int_equal(model__tierings(model), 1);
	row = model__tiering(model, 0);
	assert_int_equal(model__process(model, row->process)->pid, PID);
	assert_int_equal(row->kind, TS_TIERING_BATCH_ENDED);
	assert_int_equal(row->time_ns, 1234);
	assert_int_equal(row->pending, 5);
	assert_int_equal(row->new_methods, 6);
	assert_int_equal(row->compiled, 7);
	assert_int_equal(recorder->code_kept, 1);
	assert_int_equal(recorder->code_dropped, 0);
}

static void nonsense_and_strangers_are_dropped(void **state)
{
	(void)state;
	tell(SPACE, TS_TIERING_UNKNOWN);
	tell(SPACE, TS_TIERING_COUNT);
	tell(SPACE, UINT32_MAX);
	tell(SPACE + 1, TS_TIERING_DELAY_BEGAN);
	assert_int_equal(model__tierings(model), 0);
	assert_int_equal(recorder->code_kept, 0);
	assert_int_equal(recorder->code_dropped, 4);
}

static void a_process_can_tell_so_much_only(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < MOST + 3; i++)
		tell(SPACE, TS_TIERING_DELAY_BEGAN);
	assert_int_equal(model__tierings(model), MOST);
	assert_int_equal(recorder->tierings_dropped, 3);
	assert_int_equal(recorder->code_kept, MOST + 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_told_is_in_the_model),
		TEST(nonsense_and_strangers_are_dropped),
		TEST(a_process_can_tell_so_much_only),
	};

	return cmocka_run_group_tests_name("recorder, tiering", tests, NULL, NULL);
}
