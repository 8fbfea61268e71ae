// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Mappings and execs come through two rings, in any order that draining allows.
// In each of them every mapping must end at the program that made it.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/recorder/internal.h"
#include "no_kernel.h"

#include <string.h>
#include <unistd.h>

/* A pid that is not there, so that /proc tells nothing. */
#define NO_PID 0x3fffffff

struct fixture {
	struct model *model;
	struct recorder *recorder;
};

static int set_up(void **state)
{
	static struct fixture fixture;

	fixture.model = model__new();
	fixture.recorder = recorder__new(NULL, fixture.model);
	process__new(fixture.recorder, 1, NO_PID, 100, MODEL_NONE, MODEL_NONE);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	recorder__free(fixture->recorder);
	model__free(fixture->model);
	return 0;
}

static void tell_mapping(struct fixture *fixture, uint64_t time_ns, uint64_t start)
{
	mappings__on_mapping(fixture->recorder, &(struct kernel_mapping){
		.pid = NO_PID, .time_ns = time_ns, .start = start, .size = 0x1000,
		.path = "[test]" });
}

static void tell_exec_begins(struct fixture *fixture, uint64_t time_ns)
{
	mappings__on_mapping(fixture->recorder, &(struct kernel_mapping){
		.pid = NO_PID, .time_ns = time_ns, .is_exec = true, .path = "" });
}

static struct process *tell_exec_done(struct fixture *fixture, uint64_t time_ns,
				      uint32_t space)
{
	process__on_event(fixture->recorder, &(struct ts_process_event){
		.header = { .type = TS_EVENT_EXEC, .time_ns = time_ns, .space = space,
			    .pid = NO_PID } });
	return process__by_pid(fixture->recorder, NO_PID);
}

static bool has(struct process *process, uint64_t start)
{
	return mappings__find(process, start, UINT64_MAX) != NULL;
}

static void what_an_exec_maps_is_the_new_programs(void **state)
{
	struct process *old = process__by_pid(((struct fixture *)*state)->recorder, NO_PID);
	struct process *process;

	tell_mapping(*state, 110, 0x10000);
	tell_exec_begins(*state, 120);
	tell_mapping(*state, 121, 0x20000);
	process = tell_exec_done(*state, 130, 2);
	tell_mapping(*state, 140, 0x30000);
	assert_true(has(old, 0x10000) && !has(old, 0x20000) && !has(old, 0x30000));
	assert_true(!has(process, 0x10000) && has(process, 0x20000));
	assert_true(has(process, 0x30000));
}

/* The event was drained a step before the mappings: they are not of a next exec. */
static void an_exec_event_may_come_before_its_mappings(void **state)
{
	struct process *process = tell_exec_done(*state, 130, 2);

	tell_exec_begins(*state, 120);
	tell_mapping(*state, 121, 0x20000);
	tell_mapping(*state, 140, 0x30000);
	assert_true(has(process, 0x20000));
	assert_true(has(process, 0x30000));
}

static void two_execs_may_come_at_once(void **state)
{
	struct process *first, *second;

	tell_exec_begins(*state, 120);
	tell_mapping(*state, 121, 0x20000);
	tell_exec_begins(*state, 150);
	tell_mapping(*state, 151, 0x30000);
	first = tell_exec_done(*state, 130, 2);
	second = tell_exec_done(*state, 160, 3);
	tell_mapping(*state, 170, 0x40000);
	assert_true(has(first, 0x20000) && !has(first, 0x30000));
	assert_true(!has(second, 0x20000) && has(second, 0x30000));
	assert_true(has(second, 0x40000));
}

static void half_of_the_second_exec_may_come_later(void **state)
{
	struct process *first, *second;

	tell_exec_begins(*state, 120);
	tell_mapping(*state, 121, 0x20000);
	tell_exec_begins(*state, 150);
	first = tell_exec_done(*state, 130, 2);
	tell_mapping(*state, 151, 0x30000);
	second = tell_exec_done(*state, 160, 3);
	assert_true(has(first, 0x20000) && !has(first, 0x30000));
	assert_true(has(second, 0x30000));
}

/* Born while the recorder was at it: later than when its turn began. */
static void a_process_is_given_its_second_to_load_the_hook(void **state)
{
	struct fixture *fixture = *state;
	struct process *process = process__by_pid(fixture->recorder, NO_PID);
	const uint64_t second = 1000000000;

	process__check_hooks(fixture->recorder, process->born_ns - 1);
	assert_false(process->checked);
	process__check_hooks(fixture->recorder, process->born_ns + second - 1);
	assert_false(process->checked);
	process__check_hooks(fixture->recorder, process->born_ns + second);
	assert_true(process->checked);
}

static void tell_process(struct fixture *fixture, uint32_t type, uint32_t space, uint32_t pid)
{
	process__on_event(fixture->recorder, &(struct ts_process_event){
		.header = { .type = type, .time_ns = 200, .space = space, .pid = pid },
		.parent = NO_PID, .child_pid = NO_PID - 1 });
	process__forget_ended(fixture->recorder, 200);
}

/* Until its exec the child runs the parent's code, and the parent may be gone by then. */
static void the_last_one_that_ran_it_takes_code_along(void **state)
{
	tell_mapping(*state, 110, 0x10000);
	tell_process(*state, TS_EVENT_FORK, 1, NO_PID);
	no_kernel_unmapped_end = 0;
	tell_process(*state, TS_EVENT_EXIT, 1, NO_PID);
	assert_int_equal(no_kernel_unmapped_end, 0);
	tell_process(*state, TS_EVENT_EXEC, 2, NO_PID - 1);
	assert_int_equal(no_kernel_unmapped_end, 0x11000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_an_exec_maps_is_the_new_programs,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_exec_event_may_come_before_its_mappings,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(two_execs_may_come_at_once, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(half_of_the_second_exec_may_come_later,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_process_is_given_its_second_to_load_the_hook, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_last_one_that_ran_it_takes_code_along,
						set_up, tear_down),
	};

	return cmocka_run_group_tests_name("mappings across exec", tests, NULL, NULL);
}
