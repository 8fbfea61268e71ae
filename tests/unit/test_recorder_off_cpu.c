// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Stacks of threads that were switched out, until it is known for how long.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/kernel/internal.h"
#include "../../user/recorder/internal.h"

#include <string.h>

enum { SPACE = 3, PID = 70, TID = 71, OFF_CPU = 1 };

struct fixture {
	struct model *model;
	struct recorder *recorder;
	uint32_t thread;
};

static int set_up(void **state)
{
	static struct fixture fixture;

	fixture.model = model__new();
	model__add_event(fixture.model, &(struct model_event){
						.name = model__string(fixture.model, "cpu-clock"),
						.period = 1000 });
	model__add_event(fixture.model, &(struct model_event){
						.name = model__string(fixture.model, "off-cpu"),
						.period = 1 });
	fixture.recorder = recorder__new(NULL, fixture.model);
	fixture.thread = model__add_thread(
		fixture.model, process__new(fixture.recorder, SPACE, PID, 1, MODEL_NONE,
					    MODEL_NONE)->index, TID, 0);
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

static void hold(struct fixture *fixture, uint64_t out_ns, uint32_t wait, uint32_t shift)
{
	struct {
		struct ts_sample sample;
		struct ts_off_cpu off;
	} of = {
		.sample = { .header = { .type = TS_EVENT_SAMPLE, .time_ns = out_ns,
					.space = SPACE, .pid = PID, .tid = TID },
			    .flags = TS_SAMPLE_OFF_CPU },
		.off = { .state = wait, .shift = shift },
	};
	uint32_t path[] = { model__add_frame(fixture->model, &(struct model_frame){
		.kind = MODEL_FRAME_NATIVE, .body = MODEL_NONE, .name = 0 }) };

	off_cpu__hold(fixture->recorder, &of.sample, fixture->thread, 0, path, 1);
}

static void end(struct fixture *fixture, uint64_t out_ns, uint64_t woken_ns, uint64_t in_ns)
{
	off_cpu__end(fixture->recorder, &(struct ts_off_cpu_end){
		.header = { .time_ns = in_ns, .space = SPACE, .pid = PID, .tid = TID },
		.out_ns = out_ns, .woken_ns = woken_ns });
}

static void assert_sample(const struct fixture *fixture, size_t index, const char *leaf,
			  uint64_t weight)
{
	const struct model_sample *sample = model__sample(fixture->model, index);
	const struct model_stack *stack;

	assert_non_null(sample);
	assert_int_equal(sample->event, OFF_CPU);
	assert_int_equal(sample->weight, weight);
	stack = model__stack(fixture->model, sample->stack);
	assert_string_equal(model__text(fixture->model,
					model__frame(fixture->model, stack->frame)->name),
			    leaf);
	assert_int_not_equal(stack->parent, 0);
}

static void a_wait_has_two_parts(void **state)
{
	struct fixture *fixture = *state;

	hold(fixture, 1000, TS_STATE_FUTEX, 2);
	assert_int_equal(model__samples(fixture->model), 0);
	end(fixture, 1000, 1700, 2000);
	assert_int_equal(model__samples(fixture->model), 2);
	assert_sample(fixture, 0, "off-cpu futex", 700 << 2);
	assert_sample(fixture, 1, "off-cpu runnable", 300 << 2);
	/* Who was preempted only waits for a CPU. */
	hold(fixture, 3000, TS_STATE_RUNNABLE, 0);
	end(fixture, 3000, 0, 3500);
	assert_int_equal(model__samples(fixture->model), 3);
	assert_sample(fixture, 2, "off-cpu runnable", 500);
	assert_int_equal(fixture->recorder->off_cpu.kept, 2);
	assert_int_equal(fixture->recorder->off_cpu.end_lost, 0);
}

/* What is forgotten meanwhile takes no stack away. */
static void a_wait_outlives_the_stacks_of_the_model(void **state)
{
	struct fixture *fixture = *state;

	hold(fixture, 1000, TS_STATE_IO, 0);
	model__drop_samples(fixture->model);
	model__drop_stacks(fixture->model);
	end(fixture, 1000, 0, 1001);
	assert_sample(fixture, 0, "off-cpu io", 1);
}

static void an_end_that_got_lost_is_counted(void **state)
{
	struct fixture *fixture = *state;

	hold(fixture, 1000, TS_STATE_POLL, 0);
	hold(fixture, 2000, TS_STATE_POLL, 0);
	assert_int_equal(fixture->recorder->off_cpu.end_lost, 1);
	end(fixture, 1500, 0, 1600); /* of another wait, whose stack got lost */
	assert_int_equal(model__samples(fixture->model), 0);
	end(fixture, 2000, 0, 2500);
	end(fixture, 2000, 0, 2600); /* once */
	assert_int_equal(model__samples(fixture->model), 1);
	assert_sample(fixture, 0, "off-cpu poll", 500);
	assert_int_equal(fixture->recorder->off_cpu.kept, 1);
}

static void an_ended_thread_leaves_its_times(void **state)
{
	struct fixture *fixture = *state;
	struct ts_thread_end told = {
		.header = { .space = SPACE, .pid = PID, .tid = TID },
		.thread = { .since_ns = 100, .switches = 4, .times = { 10, 20, 30 } },
		.comm = "worker",
	};
	const struct model_times *times;
	uint32_t thread;

	hold(fixture, 1000, TS_STATE_POLL, 0);
	off_cpu__thread_end(fixture->recorder, &told);
	assert_int_equal(fixture->recorder->off_cpu.end_lost, 1);
	thread = model__add_thread(fixture->model, 0, TID,
				   model__string(fixture->model, "worker"));
	times = model__times(fixture->model, thread);
	assert_non_null(times);
	assert_int_equal(times->ns[TS_STATE_RUNNING], 10);
	assert_int_equal(times->ns[TS_STATE_FUTEX], 30);
	assert_int_equal(times->switches, 4);
	/* Another one of that number and name. */
	off_cpu__thread_end(fixture->recorder, &told);
	times = model__times(fixture->model, thread);
	assert_int_equal(times->ns[TS_STATE_RUNNABLE], 40);
	assert_int_equal(times->switches, 8);
}

/* A part of a recording tells of its own time only. */
static void times_of_a_part_begin_with_it(void **state)
{
	struct fixture *fixture = *state;
	struct ts_thread_end told = {
		.header = { .space = SPACE, .pid = PID, .tid = TID },
		.thread = { .since_ns = 100, .changed_ns = 160, .times = { 40, 20 } },
		.comm = "worker",
	};
	const struct model_times *times;
	struct off_thread *item;
	uint64_t number;

	hold(fixture, 110, TS_STATE_POLL, 0);
	assert_true(map__get(fixture->recorder->off_cpu.numbers, SPACE, TID, &number));
	item = &fixture->recorder->off_cpu.items[number];
	item->told = (struct ts_thread){ .since_ns = 100, .changed_ns = 130, .times = { 30 } };
	off_cpu__thread_end(fixture->recorder, &told);
	times = model__times(fixture->model,
			     model__add_thread(fixture->model, 0, TID,
					       model__string(fixture->model, "worker")));
	assert_int_equal(times->since_ns, 130);
	assert_int_equal(times->ns[TS_STATE_RUNNING] + times->ns[TS_STATE_RUNNABLE], 30);
}

/* At exec the thread has the name of the next program already. */
static void an_end_without_a_name_is_of_the_thread_that_is_known(void **state)
{
	struct fixture *fixture = *state;
	struct ts_thread_end told = {
		.header = { .space = SPACE, .pid = PID, .tid = TID },
		.thread = { .since_ns = 100, .times = { 10 } },
	};
	uint32_t other;

	hold(fixture, 1000, TS_STATE_POLL, 0);
	fixture->thread = model__add_thread(fixture->model, 0, TID,
					    model__string(fixture->model, "before"));
	hold(fixture, 2000, TS_STATE_POLL, 0);
	off_cpu__thread_end(fixture->recorder, &told);
	assert_int_equal(model__times(fixture->model, fixture->thread)->ns[0], 10);
	/* Of one that nobody saw, it is the program's. */
	told.header.tid++;
	off_cpu__thread_end(fixture->recorder, &told);
	other = model__add_thread(fixture->model, 0, TID + 1,
				  model__process(fixture->model, 0)->comm);
	assert_int_equal(model__times(fixture->model, other)->ns[0], 10);
	/* The next one of that number is another. */
	told.header.tid--;
	off_cpu__thread_end(fixture->recorder, &told);
	assert_int_equal(model__times(fixture->model, fixture->thread)->ns[0], 10);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_wait_has_two_parts),
		TEST(a_wait_outlives_the_stacks_of_the_model),
		TEST(an_end_that_got_lost_is_counted),
		TEST(an_ended_thread_leaves_its_times),
		TEST(times_of_a_part_begin_with_it),
		TEST(an_end_without_a_name_is_of_the_thread_that_is_known),
	};

	return cmocka_run_group_tests_name("recorder, time off the CPU", tests, NULL, NULL);
}
