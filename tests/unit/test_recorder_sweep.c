// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// A session without a recording that goes on for long: what is kept follows what is alive,
// what is counted stays exact.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "no_kernel.h"
#include "recorder_fixture.h"

#include "../../user/cli/record.h"
#include "../../user/top/top.h"
#include "../../user/view/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pids that are not there, so that /proc tells nothing. */
#define LONG_PID  0x3ffeffff
#define FIRST_PID 0x3fff0000
#define SECOND	  1000000000ull

#define ROUNDS	200u
#define BRIEF	250u		/* processes of a round, and methods that the long one drops */
#define STARTS	64u		/* places of these */
/* Twice what `top` remembers, of 30 rounds; without a sweep it would be several times as much. */
#define ROWS_MAX  40000u
#define SIZE_MOST (3 * ROWS_MAX)

void kernel__forget(struct kernel *kernel, uint32_t space)
{
	(void)kernel, (void)space;
}

/* Sinks as serve, stat -i and top have them. */
static struct metrics *metrics;
static struct stat_view *table_view;
static struct top *top;
static struct record session;
static struct record_sink sinks[3];
static uint64_t now;
static uint32_t rows;

static bool mark_metrics(struct record_sink *sink, struct record *record,
			 struct model_marks *marks)
{
	(void)sink;
	metrics__mark(metrics, record->model, marks);
	return true;
}

static void forget_metrics(struct record_sink *sink, struct record *record,
			   const struct model_marks *marks)
{
	(void)sink;
	metrics__forget(metrics, record->model, marks);
}

static bool mark_stat(struct record_sink *sink, struct record *record,
		      struct model_marks *marks)
{
	(void)sink;
	stat_view__mark(table_view, record->model, marks);
	return true;
}

static void forget_stat(struct record_sink *sink, struct record *record,
			const struct model_marks *marks)
{
	(void)sink, (void)record;
	stat_view__forget(table_view, marks);
}

static bool mark_top(struct record_sink *sink, struct record *record,
		     struct model_marks *marks)
{
	(void)sink;
	top__mark(top, record->model, NULL, marks);
	return true;
}

static void forget_top(struct record_sink *sink, struct record *record,
		       const struct model_marks *marks)
{
	(void)sink, (void)record;
	top__forget(top, marks);
}

static int set_up(void **state)
{
	(void)state;
	begin_recorder();
	model__add_event(model, &(struct model_event){
		.name = model__string(model, "cpu-clock"), .period = 1000000 });
	metrics = metrics__new();
	table_view = stat_view__new(&(struct stat_options){ .by = STAT_BY_METHOD });
	top = top__new();
	sinks[0] = (struct record_sink){ .mark = mark_metrics, .forget = forget_metrics,
					 .next = &sinks[1] };
	sinks[1] = (struct record_sink){ .mark = mark_stat, .forget = forget_stat,
					 .next = &sinks[2] };
	sinks[2] = (struct record_sink){ .mark = mark_top, .forget = forget_top };
	session = (struct record){ .model = model, .recorder = recorder, .sinks = sinks };
	now = 1000 * SECOND;
	rows = 0;
	return 0;
}

static int end(void **state)
{
	metrics__free(metrics);
	stat_view__free(table_view);
	top__free(top);
	return tear_down(state);
}

static struct process *begin(uint32_t space, pid_t pid, const char *name)
{
	struct process *process = process__new(recorder, space, pid, now, MODEL_NONE,
					       MODEL_NONE);
	struct model_process entry = *model__process(model, process->index);

	entry.comm = model__string(model, name);
	model__update_process(model, process->index, &entry);
	return process;
}

/* As hooks number what they tell. */
static uint64_t next_of(const struct process *process)
{
	return process->sequence_highest + 1;
}

/* `name` in a type `T`; gives the body. */
static uint32_t load(const struct process *process, uint64_t start, const char *name)
{
	union {
		struct ts_code_event event;
		char bytes[sizeof(struct ts_code_event) + 128];
	} told = { .event = {
		.header = { .type = TS_EVENT_CODE_LOAD, .time_ns = now,
			    .space = process->space, .pid = (uint32_t)process->pid },
		.row = ++rows, .generation = 1,
		.record = { .kind = TS_RECORD_CODE, .sequence = next_of(process),
			    .start = start, .size = 64,
			    .function_id = 0x7000 + next_of(process), .tier = TS_TIER_1,
			    .flags = TS_RECORD_DYNAMIC, .born_ns = now },
	} };
	uint64_t sequence = next_of(process), body;
	uint32_t size = (uint32_t)strlen(name) + 5;

	snprintf(told.event.text, 100, "T%c%s", 0, name);	/* and two that are empty */
	told.event.text_size = told.event.record.text_size = size;
	assert_true(bodies__on_event(recorder, &told.event));
	assert_true(map__get(process->births, 0, sequence, &body));
	return (uint32_t)body;
}

static void unload(const struct process *process, uint32_t index)
{
	const struct model_body *body = model__body(model, index);
	struct ts_code_event event = {
		.header = { .type = TS_EVENT_CODE_UNLOAD, .time_ns = now,
			    .space = process->space, .pid = (uint32_t)process->pid },
		.record = { .start = body->start, .function_id = body->function_id,
			    .sequence = next_of(process) },
	};

	assert_true(bodies__on_event(recorder, &event));
	assert_int_equal(model__body(model, index)->died_ns, now);
}

static void run(const struct process *process, uint32_t body)
{
	uint32_t frame = model__add_frame(model, &(struct model_frame){
		.kind = MODEL_FRAME_BODY, .body = body });

	model__add_sample(model, &(struct model_sample){
		.time_ns = now, .stack = model__add_stack(model, 0, frame),
		.thread = model__add_thread(model, process->index, process->pid, 0) });
}

static void exit_of(const struct process *process)
{
	process__on_event(recorder, &(struct ts_process_event){
		.header = { .type = TS_EVENT_EXIT, .time_ns = now, .space = process->space,
			    .pid = (uint32_t)process->pid } });
}

/* As a round of the recording's loop does it, with a look of each sink: what page and table
 * have of processes that ended, once each. */
static uint64_t look(uint64_t *ret_table)
{
	uint64_t told = 0;

	process__forget_ended(recorder, now);
	process__free_gone(recorder, now);
	metrics__look(metrics, model, metrics->text);
	for (uint32_t i = 0; i < metrics->processes_count; i++) {
		const struct metrics_process *process = &metrics->processes[i];

		if (process->used && !process->alive && process->ended == metrics->text)
			told += process->samples[TS_TIER_1][0];
	}
	stat_view__look(table_view, model, now - SECOND, now);
	*ret_table += table_view->samples[0];
	top_snapshot__free(top__look(top, model, &(struct top_session){ .start_ns = 1 },
				     now - SECOND, now));
	model__drop_samples(model);
	model__drop_stacks(model);
	record__sweep(&session, now);
	now += SECOND;
	return told;
}

static const struct metrics_process *metrics_of(pid_t pid)
{
	for (uint32_t i = 0; i < metrics->processes_count; i++)
		if (metrics->processes[i].used && metrics->processes[i].pid == pid)
			return &metrics->processes[i];
	return NULL;
}

static uint64_t version_samples(const struct metrics_process *process)
{
	uint64_t all = process->others[0];

	for (uint32_t i = 0; i < metrics->versions_count; i++)
		if (&metrics->processes[metrics->versions[i].process] == process)
			all += metrics->versions[i].samples[0];
	return all;
}

static void assert_bounded(const struct process *process)
{
	assert_in_range(model__size(model), 0, SIZE_MOST);
	assert_in_range(model__bodies(model), 0, ROWS_MAX);
	assert_in_range(model__processes(model), 0, ROWS_MAX);
	assert_in_range(model__strings_count(model), 0, ROWS_MAX);
	assert_in_range(model__frames(model), 0, ROWS_MAX);
	assert_in_range(map__count(recorder->rows), 0, ROWS_MAX);
	assert_in_range(map__count(process->births), 0, ROWS_MAX);
	assert_in_range(map__count(process->functions), 0, ROWS_MAX);
	assert_in_range(process->told_bytes, 0, ROWS_MAX * TOLD_BYTES);
	assert_in_range(pool__count(metrics->labels), 0, ROWS_MAX);
	assert_in_range(metrics->methods_count, 0, ROWS_MAX);
	assert_in_range(metrics->slots_room, 0, ROWS_MAX * 2);
}

/* 50,000 processes with a method each, and as many methods that one process drops. */
static void what_ended_goes_and_stays_counted(void **state)
{
	struct process *process = begin(1, LONG_PID, "long");
	uint32_t alive = load(process, 0x1000, "Stays"), dropped[BRIEF];
	uint64_t ended = 0, table = 0;
	char name[64];

	(void)state;
	for (uint32_t round = 0; round < ROUNDS; round++) {
		for (uint32_t i = 0; i < BRIEF; i++) {
			struct process *brief = begin(2 + round * BRIEF + i,
						      FIRST_PID + (int)(round * BRIEF + i), "brief");

			snprintf(name, sizeof(name), "Brief%u", round * BRIEF + i);
			run(brief, load(brief, 0x1000, name));
			exit_of(brief);
			snprintf(name, sizeof(name), "Lambda%u", round * BRIEF + i);
			dropped[i] = load(process, 0x10000 + 0x100 * (i % STARTS), name);
			run(process, dropped[i]);
			unload(process, dropped[i]);
		}
		run(process, alive);
		ended += look(&table);
		assert_bounded(process);
	}
	ended += look(&table);
	/* Every sample of them was on a page, and in a table. */
	assert_int_equal(ended, ROUNDS * BRIEF);
	assert_int_equal(table, 2 * ROUNDS * BRIEF + ROUNDS);
	assert_int_equal(metrics_of(LONG_PID)->samples[TS_TIER_1][0], ROUNDS * BRIEF + ROUNDS);
	assert_int_equal(version_samples(metrics_of(LONG_PID)), ROUNDS * BRIEF + ROUNDS);
	assert_int_equal(metrics_of(LONG_PID)->loads, ROUNDS * BRIEF + 1);
	assert_int_equal(metrics_of(LONG_PID)->unloads, ROUNDS * BRIEF);
	assert_int_equal(metrics_of(LONG_PID)->bodies[TS_TIER_1], 1);
	assert_int_equal(model__bodies_added(model), 2 * ROUNDS * BRIEF + 1);
	/* Who lives on is what it was. */
	assert_string_equal(model__text(model, model__body(model, alive)->name), "T.Stays");
	assert_string_equal(model__text(model, model__process(model, process->index)->comm),
			    "long");
	assert_int_equal(model__find_body(model, process->index, 0x1010, now), alive);
	assert_int_equal(bodies__of_row(recorder, process, 1, 1, now), alive);
	assert_int_equal(recorder->processes_count, 1);
}

static void sweep_now(void)
{
	session.sweep_at = 1;
	record__sweep(&session, now);
}

/* It may be sampled, its event may be read again, a table may not have it yet. */
static void what_died_a_moment_ago_stays(void **state)
{
	struct process *process = begin(1, LONG_PID, "long");
	uint32_t body = load(process, 0x1000, "Dies");
	uint64_t table = 0;

	(void)state;
	(void)look(&table);
	unload(process, body);
	now += SECOND;
	sweep_now();
	assert_string_equal(model__text(model, model__body(model, body)->name), "T.Dies");
	now += 2 * SECOND;
	run(process, body);	/* not told by any sink */
	model__drop_samples(model);
	model__drop_stacks(model);
	sweep_now();
	assert_int_equal(model__body(model, body)->process, process->index);
	(void)look(&table);
	assert_int_equal(table, 1);
	now += 60 * SECOND;
	for (uint32_t i = 0; i < TOP_TREND + 2; i++)	/* until top has no row of it */
		(void)look(&table);
	sweep_now();
	assert_int_equal(model__body(model, body)->process, MODEL_NONE);
	assert_int_equal(metrics_of(LONG_PID)->samples[TS_TIER_1][0], 1);
	assert_int_equal(model__find_body(model, process->index, 0x1010, now), MODEL_NONE);
}

/* The ring lost something: what the journal tells can be of any of them. */
static void where_something_is_missing_all_stays(void **state)
{
	struct process *process = begin(1, LONG_PID, "long");
	uint32_t body = load(process, 0x1000, "Dies");
	uint64_t table = 0;

	(void)state;
	unload(process, body);
	now += 60 * SECOND;
	(void)look(&table);
	process->sequence_highest++;
	sweep_now();
	assert_int_equal(model__body(model, body)->process, process->index);
	process->sequence_highest--;
	sweep_now();
	assert_int_equal(model__body(model, body)->process, MODEL_NONE);
}

/* The journal keeps records of the dead for longer, and is read again. */
static void what_is_told_again_is_not_new(void **state)
{
	struct process *process = begin(1, LONG_PID, "long");
	uint32_t body = load(process, 0x1000, "Dies"), other;
	uint64_t born = process->sequence_highest, table = 0;
	struct ts_code_event event = {
		.header = { .type = TS_EVENT_CODE_LOAD, .space = 1, .pid = LONG_PID },
		.record = { .kind = TS_RECORD_CODE, .sequence = born, .start = 0x1000,
			    .size = 64, .function_id = 1, .died_ns = now },
	};

	(void)state;
	unload(process, body);
	now += 60 * SECOND;
	(void)look(&table);
	sweep_now();
	assert_int_equal(model__body(model, body)->process, MODEL_NONE);
	(void)bodies__on_event(recorder, &event);
	assert_int_equal(model__bodies_added(model), 1);
	/* A younger one that died already is one. */
	event.record.sequence = next_of(process);
	assert_true(bodies__on_event(recorder, &event));
	assert_int_equal(model__bodies_added(model), 2);
	other = load(process, 0x1000, "Other");
	assert_string_equal(model__text(model, model__body(model, other)->name), "T.Other");
	assert_int_equal(metrics_of(LONG_PID)->loads, 1);
	(void)look(&table);
	assert_int_equal(metrics_of(LONG_PID)->loads, 3);
	assert_int_equal(metrics_of(LONG_PID)->unloads, 2);
}

/* One of the sinks needs all of it: a table of everything, lines of events. */
static void who_needs_all_has_it(void **state)
{
	struct process *process = begin(1, LONG_PID, "long");
	uint32_t body = load(process, 0x1000, "Dies");
	uint64_t table = 0;

	(void)state;
	unload(process, body);
	now += 60 * SECOND;
	sinks[1].mark = NULL;
	(void)look(&table);
	sweep_now();
	assert_int_equal(model__body(model, body)->process, process->index);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, end)
	const struct CMUnitTest tests[] = {
		TEST(what_ended_goes_and_stays_counted),
		TEST(what_died_a_moment_ago_stays),
		TEST(where_something_is_missing_all_stays),
		TEST(what_is_told_again_is_not_new),
		TEST(who_needs_all_has_it),
	};

	return cmocka_run_group_tests_name("sessions that go on for long", tests, NULL, NULL);
}
