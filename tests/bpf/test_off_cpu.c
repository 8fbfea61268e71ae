// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Time off the CPU, with the kernel's own switches: what a child does is known.
#include "kernel_side.h"

#include "../../abi/offcpu.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define NAPS	 5
#define NAP_NS	 20000000ULL
#define POLL_NS	 30000000ULL
/* The time runs from the call on, and a slow machine comes to the switch later. */
#define MOST_OF(ns) ((ns) / 2)
#define THREADS	 10
#define PATIENCE_MS 10000

static struct kernel_side *kernel;
static struct child child;
static __u32 space;

enum { NAP, POLL, MAKE_THREADS, EXEC, END };

static void *do_nothing(void *unused)
{
	return unused;
}

static void work(int what)
{
	struct timespec time = {.tv_nsec = NAP_NS};
	pthread_t thread;

	switch (what) {
	case NAP:
		for (int i = 0; i < NAPS; i++)
			nanosleep(&time, NULL);
		break;
	case POLL:
		poll(NULL, 0, POLL_NS / 1000000);
		break;
	case MAKE_THREADS:
		for (int i = 0; i < THREADS; i++)
			if (!pthread_create(&thread, NULL, do_nothing, NULL))
				pthread_join(thread, NULL);
		break;
	case EXEC:
		execl("/bin/true", "true", (char *)NULL);
		exit(1);
	case END:
		exit(0);
	}
}

static int set_up(void **state)
{
	struct sizes sizes = {.threads = 32768};

	(void)state;
	SKIP_IF_MISSING();
	kernel = kernel_side__open(&sizes);
	kernel_side__attach_life(kernel);
	child__start(&child, work);
	space = kernel_side__adopt(kernel, child.pid, 0);
	kernel_side__map_native(kernel, space, child.pid);
	kernel_side__attach_switches(kernel);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (!kernel)
		return 0;
	if (child.pid)
		child__end(&child);
	kernel_side__close(kernel);
	kernel = NULL;
	return 0;
}

static const struct ts_off_cpu *off_cpu_of(const struct ts_sample *sample)
{
	const char *end = (const char *)sample + sample->header.size;

	assert_true(sample->flags & TS_SAMPLE_OFF_CPU);
	return (const struct ts_off_cpu *)(end - sizeof(struct ts_off_cpu));
}

/* When the wait that began at `out_ns` was over; 0: nobody told. */
static __u64 end_of(__u64 out_ns)
{
	for (size_t i = 0; i < kernel->events_count; i++) {
		const struct ts_off_cpu_end *end = (const void *)kernel->events[i];

		if (end->header.type == TS_EVENT_OFF_CPU_END && end->out_ns == out_ns)
			return end->header.time_ns;
	}
	return 0;
}

/* Waits in a state that were at least so long, each with a stack. */
static unsigned int waits(__u32 state, __u64 least_ns)
{
	unsigned int count = 0;

	kernel_side__drain_samples(kernel);
	for (size_t i = 0; i < kernel->events_count; i++) {
		const struct ts_sample *sample = (const void *)kernel->events[i];
		__u64 out = sample->header.time_ns;

		if (sample->header.type != TS_EVENT_SAMPLE ||
		    off_cpu_of(sample)->state != state || end_of(out) < out + least_ns)
			continue;
		assert_int_equal(sample->header.space, space);
		assert_int_equal(off_cpu_of(sample)->shift, 0);
		assert_true(sample->flags & TS_SAMPLE_KERNEL_MODE);
		assert_in_range(sample->frames_count, 2, TS_FRAMES_MAX);
		count++;
	}
	return count;
}

/* Of a switch that a virtual machine hides, nobody is told. */
static unsigned int hidden(void)
{
	return (unsigned int)kernel_side__counted(kernel, TS_LEDGER_OFF_CPU_NOT_TOLD);
}

static void waits_have_their_reason_and_their_length(void **state)
{
	(void)state;
	child__do(&child, NAP);
	child__do(&child, POLL);
	assert_in_range(waits(TS_STATE_SLEEP, MOST_OF(NAP_NS)) + hidden(), NAPS, NAPS + hidden());
	assert_in_range(waits(TS_STATE_POLL, MOST_OF(POLL_NS)) + hidden(), 1, 1 + hidden());
	assert_int_equal(kernel_side__counted(kernel, TS_LEDGER_OFF_CPU_RING_FULL), 0);
}

static const struct ts_thread_end *thread_end(__u32 tid)
{
	kernel_side__drain_samples(kernel);
	for (size_t i = 0; i < kernel->events_count; i++)
		if (kernel->events[i]->type == TS_EVENT_THREAD_END &&
		    kernel->events[i]->tid == tid)
			return (const void *)kernel->events[i];
	return NULL;
}

static void an_ended_thread_has_all_its_times(void **state)
{
	const struct ts_thread_end *end;
	__u64 sum = 0;

	(void)state;
	child__do(&child, NAP);
	child__tell(&child, END);
	child__end(&child);
	end = thread_end((__u32)child.pid);
	child.pid = 0;
	assert_non_null(end);
	assert_string_not_equal(end->comm, "");
	for (int i = 0; i < TS_STATES; i++)
		sum += end->thread.times[i];
	assert_int_equal(sum, end->thread.changed_ns - end->thread.since_ns);
	assert_int_equal(end->header.time_ns, end->thread.changed_ns);
	assert_true(end->thread.times[TS_STATE_SLEEP] + NAP_NS * hidden() >=
		    MOST_OF(NAPS * NAP_NS));
	assert_true(end->thread.times[TS_STATE_RUNNING] > 0);
	assert_true(end->thread.switches + hidden() >= NAPS);
}

/* By then the thread has the name of the next program. */
static void an_exec_ends_a_thread_without_a_name(void **state)
{
	const struct ts_thread_end *end;

	(void)state;
	child__do(&child, NAP);
	child__tell(&child, EXEC);
	assert_int_equal(child__end(&child), 0);
	end = thread_end((__u32)child.pid);
	child.pid = 0;
	assert_non_null(end);
	assert_int_equal(end->header.space, space);
	assert_string_equal(end->comm, "");
}

static unsigned int ended_threads(void)
{
	unsigned int ended = 0;

	kernel_side__drain_samples(kernel);
	for (size_t i = 0; i < kernel->events_count; i++)
		ended += kernel->events[i]->type == TS_EVENT_THREAD_END &&
			 kernel->events[i]->pid == (__u32)child.pid;
	return ended;
}

static void threads_come_and_go(void **state)
{
	(void)state;
	child__do(&child, MAKE_THREADS);
	/* They were joined, and can be on their way out still. */
	for (int tries = 0; ended_threads() < THREADS && tries < PATIENCE_MS; tries++)
		usleep(1000);
	assert_int_equal(ended_threads(), THREADS);
	assert_int_equal(kernel_side__counted(kernel, TS_LEDGER_OFF_CPU_THREADS_FULL), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(waits_have_their_reason_and_their_length),
		TEST(an_ended_thread_has_all_its_times),
		TEST(an_exec_ends_a_thread_without_a_name),
		TEST(threads_come_and_go),
	};

	return cmocka_run_group_tests_name("bpf_off_cpu", tests, NULL, NULL);
}
