// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Processes that have ended are freed, and nothing that counts goes with them.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "no_kernel.h"
#include "recorder_fixture.h"

/* Pids that are not there, so that /proc tells nothing. */
#define FIRST_PID 0x3fff0000
#define PROCESSES 6
#define SECOND	  1000000000ull

static int set_up(void **state)
{
	(void)state;
	begin_recorder();
	for (int i = 0; i < PROCESSES; i++)
		process__new(recorder, (uint32_t)i + 1, FIRST_PID + i, 100, MODEL_NONE,
			     MODEL_NONE);
	return 0;
}

static struct process *find(int number)
{
	return process__by_space(recorder, (uint32_t)number + 1, FIRST_PID + number);
}

static void tell_exit(uint32_t space, int number)
{
	process__on_event(recorder, &(struct ts_process_event){
		.header = { .type = TS_EVENT_EXIT, .time_ns = 200, .space = space,
			    .pid = (uint32_t)(FIRST_PID + number) } });
}

static void step(uint64_t now)
{
	process__forget_ended(recorder, now);
	process__free_gone(recorder, now);
}

/* The others are found under their numbers still, whichever goes. */
static void who_ended_goes_after_a_rest(void **state)
{
	static const int ended[] = { 0, 3, 5 };
	uint64_t now = SECOND;

	(void)state;
	for (int i = 0; i < 3; i++) {
		tell_exit((uint32_t)ended[i] + 1, ended[i]);
		step(now);
		step(now + SECOND - 1);
		assert_non_null(find(ended[i]));	/* a late sample may come */
		now += SECOND;
		step(now);
		assert_null(find(ended[i]));
		assert_null(process__by_pid(recorder, FIRST_PID + ended[i]));
		assert_int_equal(recorder->processes_count, PROCESSES - 1 - i);
		for (int j = 0; j < PROCESSES; j++)
			if (find(j))
				assert_int_equal(find(j)->pid, FIRST_PID + j);
	}
	assert_non_null(find(1));
	assert_non_null(find(4));
	assert_int_equal(model__process(model, 3)->end_ns, 200);	/* as the model has it */
}

/* Its samples are in the code of whom it was forked from. */
static void who_is_between_fork_and_exec_keeps_its_parent(void **state)
{
	struct process *child;

	(void)state;
	process__on_event(recorder, &(struct ts_process_event){
		.header = { .type = TS_EVENT_FORK, .time_ns = 150, .space = 2,
			    .pid = FIRST_PID + 1 },
		.parent = FIRST_PID + 1, .child_pid = FIRST_PID + 100 });
	child = process__by_space(recorder, 2, FIRST_PID + 100);
	assert_ptr_equal(child->code, find(1));
	tell_exit(2, 1);
	for (uint64_t now = SECOND; now <= 9 * SECOND; now += SECOND)
		step(now);
	assert_non_null(find(1));
	tell_exit(2, 100);
	step(10 * SECOND);
	assert_non_null(find(1));	/* the child's last samples may come */
	step(11 * SECOND);
	step(12 * SECOND);
	assert_null(process__by_space(recorder, 2, FIRST_PID + 100));
	assert_null(find(1));
	assert_int_equal(recorder->processes_count, PROCESSES - 1);
}

static void times_of_threads_keep_all(void **state)
{
	(void)state;
	recorder->off_cpu.count = 1;
	tell_exit(1, 0);
	step(SECOND);
	step(9 * SECOND);
	recorder->off_cpu.count = 0;
	assert_non_null(find(0));
}

static void what_nobody_named_stays_counted(void **state)
{
	uint32_t body = model__add_body(model, &(struct model_body){
		.process = find(2)->index, .source = MODEL_SOURCE_IMAGE, .size = 1,
		.flags = MODEL_BODY_FUNCTION_UNKNOWN });

	(void)state;
	function_ids__wait_for(find(2), body, 0x1000);
	for (int i = 0; i < 7; i++)
		function_ids__count_leaf(recorder, body);
	tell_exit(3, 2);
	step(SECOND);
	step(2 * SECOND);
	assert_null(find(2));
	function_ids__write_ledger(recorder);
	assert_int_equal(model__count(model, MODEL_LEDGER_FUNCTION_UNKNOWN, "not_asked"), 7);
	function_ids__write_ledger(recorder);	/* of the next part */
	assert_int_equal(model__count(model, MODEL_LEDGER_FUNCTION_UNKNOWN, "not_asked"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(who_ended_goes_after_a_rest),
		TEST(who_is_between_fork_and_exec_keeps_its_parent),
		TEST(times_of_threads_keep_all),
		TEST(what_nobody_named_stays_counted),
	};

	return cmocka_run_group_tests_name("processes that are gone", tests, NULL, NULL);
}
