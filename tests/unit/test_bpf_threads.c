// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// bpf/threads.bpf.h: where the time of a thread goes, and of which times off the CPU a
// stack is taken.
#include "bpf_shim.h"

#include "../../bpf/threads.bpf.h"

#include "bpf_counted.h"

#define TID   70
#define PID   7
#define START 1000000000ULL
#define MS    1000000ULL
#define US    1000ULL

static struct ts_space space;

static int setup(void **state)
{
	(void)state;
	shim__clear();
	SHIM_MAP(threads, 4);
	threads_max = 4;
	SHIM_MAP(off_cpu_budget, 1);
	SHIM_MAP(ledger, TS_LEDGER_SLOTS);
	shim.ring_room = 1 << 20;
	space = (struct ts_space){.number = 3, .since_ns = START};
	off_cpu_since = START;
	off_cpu_grain = 10 * MS;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	shim__clear();
	return 0;
}

static __u64 sum_of(const struct ts_thread *thread)
{
	__u64 sum = 0;

	for (int i = 0; i < TS_STATES; i++)
		sum += thread->times[i];
	return sum;
}

static struct ts_thread *thread_at_start(__u32 state)
{
	struct ts_thread *thread = thread_first_seen(TID, PID, &space, state);

	assert_non_null(thread);
	assert_int_equal(thread->since_ns, START);
	return thread;
}

static void times_add_up_at_every_switch(void **state)
{
	struct ts_thread *thread = thread_at_start(TS_STATE_RUNNING);

	(void)state;
	thread_switched_out(thread, TS_STATE_FUTEX, 1, START + 5);
	thread_woken(thread, START + 105);
	thread_woken(thread, START + 110); /* it is already */
	thread_switched_in(TID, thread, START + 135);
	thread_woken(thread, START + 140); /* it runs */
	thread_switched_out(thread, TS_STATE_RUNNABLE, 0, START + 235);
	thread_switched_in(TID, thread, START + 1235);
	thread_switched_out(thread, TS_STATE_IO, 1, START + 1236);
	assert_int_equal(thread->times[TS_STATE_RUNNING], 5 + 100 + 1);
	assert_int_equal(thread->times[TS_STATE_FUTEX], 100);
	assert_int_equal(thread->times[TS_STATE_RUNNABLE], 30 + 1000);
	assert_int_equal(thread->times[TS_STATE_IO], 0);
	assert_int_equal(thread->switches, 3);
	/* A wake-up of an earlier wait is none of this one. */
	assert_int_equal(thread->woken_ns, 0);
	ts_thread__advance(thread, START + 2236);
	assert_int_equal(thread->times[TS_STATE_IO], 1000);
	assert_int_equal(sum_of(thread), thread->changed_ns - thread->since_ns);
	/* A clock that is behind. */
	ts_thread__advance(thread, START + 2000);
	assert_int_equal(sum_of(thread), 2236);
}

/* It was where it is found since its process is in the recording, or since that began. */
static void a_first_sight_tells_of_the_time_before(void **state)
{
	struct ts_thread *thread = thread_at_start(TS_STATE_POLL);

	(void)state;
	thread_woken(thread, START + 500);
	thread_switched_in(TID, thread, START + 600);
	assert_int_equal(thread->times[TS_STATE_POLL], 500);
	assert_int_equal(thread->times[TS_STATE_RUNNABLE], 100);

	off_cpu_since = START + 50;
	thread = thread_first_seen(TID + 1, PID, &space, TS_STATE_RUNNING);
	assert_int_equal(thread->since_ns, START + 50);
	assert_non_null(thread_first_seen(TID + 4, PID, &space, TS_STATE_RUNNING));
	assert_non_null(thread_first_seen(TID + 8, PID, &space, TS_STATE_RUNNING));
	assert_int_equal(thread_find(TID + 8)->tid, TID + 8);
	assert_null(thread_first_seen(TID + 2, PID, &space, TS_STATE_RUNNING)); /* no place */
	assert_null(thread_find(TID + 2));
	assert_int_equal(counted(TS_LEDGER_OFF_CPU_THREADS_FULL), 1);
}

static void an_end_tells_all(void **state)
{
	struct ts_thread *thread = thread_at_start(TS_STATE_RUNNING);
	const struct ts_off_cpu_end *end;
	const struct ts_thread_end *last;

	(void)state;
	thread_switched_out(thread, TS_STATE_FUTEX, 1, START + 10);
	thread->sampled = 1;
	thread_woken(thread, START + 20);
	thread_switched_in(TID, thread, START + 30);
	assert_int_equal(thread->sampled, 0);
	end = shim.records[0].bytes;
	assert_int_equal(end->header.type, TS_EVENT_OFF_CPU_END);
	assert_int_equal(end->header.time_ns, START + 30);
	assert_int_equal(end->out_ns, START + 10);
	assert_int_equal(end->woken_ns, START + 20);
	/* Its process is gone: it ends without having been told to run again. */
	thread_switched_out(thread, TS_STATE_RUNNABLE, 0, START + 40);
	thread->sampled = 1;
	shim.now = START + 59;
	strcpy(shim.comm, "worker");
	on_thread_exit(TID, true);
	assert_int_equal(shim.records_count, 3);
	end = shim.records[1].bytes;
	assert_int_equal(end->out_ns, START + 40);
	assert_int_equal(end->header.time_ns, START + 60);
	last = shim.records[2].bytes;
	assert_int_equal(last->header.type, TS_EVENT_THREAD_END);
	assert_int_equal(sum_of(&last->thread), 60);
	assert_string_equal(last->comm, "worker");
	on_thread_exit(TID, true); /* once */
	assert_int_equal(shim.records_count, 3);
	/* With its program: it has the name of the next one by then. */
	thread_at_start(TS_STATE_RUNNING);
	on_thread_exit(TID, false);
	last = shim.records[3].bytes;
	assert_string_equal(last->comm, "");
}

static void what_has_no_room_is_counted(void **state)
{
	(void)state;
	thread_at_start(TS_STATE_RUNNING);
	shim.ring_room = 0;
	on_thread_exit(TID, true);
	assert_int_equal(counted(TS_LEDGER_OFF_CPU_THREAD_LOST), 1);
	assert_null(thread_find(TID));
}

static void a_switch_that_was_not_told_is_counted(void **state)
{
	struct ts_thread *thread = thread_at_start(TS_STATE_RUNNING);

	(void)state;
	thread_switched_out(thread, TS_STATE_RUNNABLE, 0, START + 10);
	thread->sampled = 1;
	thread_switched_out(thread, TS_STATE_RUNNABLE, 0, START + 20);
	assert_int_equal(counted(TS_LEDGER_OFF_CPU_NOT_TOLD), 1);
	assert_int_equal(thread->sampled, 0); /* for how long, nobody knows */
}

/* What follows is counted right, and the switch out is none that was not told. */
static void a_sample_tells_that_a_thread_runs(void **state)
{
	struct ts_thread *thread = thread_at_start(TS_STATE_RUNNING);

	(void)state;
	thread_runs(TID, START + 5);
	thread_runs(TID + 1, START + 5); /* no row */
	assert_int_equal(sum_of(thread), 0);
	thread_switched_out(thread, TS_STATE_FUTEX, 0, START + 10);
	thread->sampled = 1;
	thread_woken(thread, START + 15);
	thread_runs(TID, START + 20);
	assert_int_equal(thread->sampled, 0);
	thread_switched_out(thread, TS_STATE_SLEEP, 0, START + 100);
	assert_int_equal(thread->times[TS_STATE_FUTEX], 5);
	assert_int_equal(thread->times[TS_STATE_RUNNABLE], 5);
	assert_int_equal(thread->times[TS_STATE_RUNNING], 10 + 80);
	assert_int_equal(counted(TS_LEDGER_OFF_CPU_NOT_TOLD), 1);
	off_cpu_since = 0; /* nobody asked */
	thread_runs(TID, START + 200);
	assert_int_equal(sum_of(thread), 100);
}

static void a_call_says_what_for(void **state)
{
	static const struct {
		__s64 call;
		__u32 wanted;
	} calls[] = {{0, TS_STATE_IO}, {7, TS_STATE_POLL}, {35, TS_STATE_SLEEP}, {45, TS_STATE_IO},
		     {47, TS_STATE_IO}, {202, TS_STATE_FUTEX}, {230, TS_STATE_SLEEP},
		     {232, TS_STATE_POLL}, {281, TS_STATE_POLL}, {-1, TS_STATE_FAULT},
		     {61, TS_STATE_OTHER}, {100000, TS_STATE_OTHER}, {-1000, TS_STATE_OTHER}};

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		assert_int_equal(ts_state__of_call(calls[i].call), calls[i].wanted);
}

/* Waits `ns` at a place; whether a stack was taken, and its shift. */
static bool wait_at(struct ts_thread *thread, __u32 place, __u64 *now, __u64 ns, __u32 *ret_shift)
{
	const struct budget *chosen;

	thread_switched_out(thread, TS_STATE_FUTEX, place, *now);
	chosen = choose(thread, *now);
	if (chosen)
		*ret_shift = chosen->shift;
	*now += ns;
	thread_switched_in(TID, thread, *now);
	*now += US;
	return chosen;
}

static void long_waits_are_never_missed(void **state)
{
	struct ts_thread *thread = thread_at_start(TS_STATE_RUNNING);
	__u64 now = START;
	__u32 shift = 9;

	(void)state;
	for (int i = 0; i < 50; i++) {
		assert_true(wait_at(thread, 0x01000001, &now, 40 * MS, &shift));
		assert_int_equal(shift, 0);
		/* Short ones elsewhere change nothing. */
		for (int j = 0; j < 20; j++)
			wait_at(thread, 0x02000002, &now, 5 * US, &shift);
	}
	/* Nor do they at a place with the same number: that one is new again. */
	wait_at(thread, 0x03000001, &now, 5 * US, &shift);
	assert_true(wait_at(thread, 0x01000001, &now, 40 * MS, &shift));
}

/* What stands for the waits is right on the average, however they were guessed. */
static void weights_are_right_on_the_average(void **state)
{
	static const __u64 lengths[] = {5 * US, 900 * US, 5 * US, 20 * US, 3 * MS, 100 * US};
	struct ts_thread *thread = thread_at_start(TS_STATE_RUNNING);
	__u64 now = START, truth = 0, estimate = 0, taken = 0;
	__u32 shift;

	(void)state;
	for (int i = 0; i < 600000; i++) {
		__u64 length = lengths[bpf_get_prandom_u32() % 6];

		truth += length;
		if (wait_at(thread, 5, &now, length, &shift)) {
			estimate += length << shift;
			taken++;
		}
	}
	/* Expected to be 3 ms mostly, so that one in four is taken: the deviation is 0.7 %,
	 * and this five of it. */
	assert_in_range(estimate, truth - truth / 28, truth + truth / 28);
	assert_in_range(taken, 1000, 300000);
}

/* Each wait at another place of a new thread, as when a runtime starts. */
static __u32 new_places(struct ts_thread *thread, __u64 *now, __u32 count)
{
	__u32 shift = 0, coarsest = 0;

	for (__u32 i = 0; i < count; i++) {
		memset(thread->expected, 0, sizeof(thread->expected));
		wait_at(thread, 5, now, 40 * US, &shift);
		if (shift > coarsest)
			coarsest = shift;
	}
	return coarsest;
}

static void a_start_of_a_runtime_is_within_the_budget(void **state)
{
	struct ts_thread *thread = thread_at_start(TS_STATE_RUNNING);
	__u64 now = START;
	__u32 shift;

	(void)state;
	assert_int_equal(new_places(thread, &now, 250), 0);
	assert_true(wait_at(thread, 7, &now, 40 * MS, &shift));
	assert_int_equal(shift, 0);
}

/* Whoever waits first after a quiet time is not missed for what was before. */
static void a_storm_is_forgotten_in_time(void **state)
{
	struct ts_thread *thread = thread_at_start(TS_STATE_RUNNING);
	__u32 zero = 0, shift, coarse;
	struct budget *budget = bpf_map_lookup_elem(&off_cpu_budget, &zero);
	__u64 now = START;

	(void)state;
	assert_in_range(new_places(thread, &now, 20000), 3, COARSE_MOST);
	coarse = budget->coarse;
	assert_in_range(coarse, 3, COARSE_MOST);
	budget->taken = BUDGET / 4; /* the time that is left of this one was no quiet one */
	now = budget->since_ns + 3 * BUDGET_NS;
	wait_at(thread, 7, &now, 5 * US, &shift);
	assert_int_equal(budget->coarse, coarse - 2);
	now = budget->since_ns + COARSE_MOST * BUDGET_NS;
	assert_true(wait_at(thread, 8, &now, 40 * MS, &shift));
	assert_int_equal(shift, 0);
	/* Nor does it say anything if the clock is behind. */
	budget->coarse = 5;
	now = budget->since_ns - 1;
	wait_at(thread, 8, &now, 5 * US, &shift);
	assert_int_equal(budget->coarse, 5);
}

/* A ping-pong of 10 us: the budget holds, whatever each wait asks for. */
static void the_budget_holds(void **state)
{
	struct ts_thread *thread = thread_at_start(TS_STATE_RUNNING);
	__u64 now = START, taken = 0, end;
	__u32 shift;

	(void)state;
	off_cpu_grain = 50 * US; /* -F 20000 */
	for (end = START + 1000 * MS; now < end;)
		wait_at(thread, 5, &now, 9 * US, &shift);
	for (end += 4000 * MS; now < end;)
		taken += wait_at(thread, 5, &now, 9 * US, &shift);
	assert_in_range(taken, 4 * 100, 4 * 2 * 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(times_add_up_at_every_switch),
		TEST(a_first_sight_tells_of_the_time_before),
		TEST(an_end_tells_all),
		TEST(what_has_no_room_is_counted),
		TEST(a_switch_that_was_not_told_is_counted),
		TEST(a_sample_tells_that_a_thread_runs),
		TEST(a_call_says_what_for),
		TEST(long_waits_are_never_missed),
		TEST(weights_are_right_on_the_average),
		TEST(the_budget_holds),
		TEST(a_start_of_a_runtime_is_within_the_budget),
		TEST(a_storm_is_forgotten_in_time),
	};

	return cmocka_run_group_tests_name("bpf threads", tests, NULL, NULL);
}
