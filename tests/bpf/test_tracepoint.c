// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Tracepoints as events: how often they fire is known, also where a program of theirs
// makes the kernel come to the same tracepoint again.
#include "kernel_side.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define FORKS	    7
#define SIGNALS	    23
#define PERIOD	    5
#define READS	    40
#define PAGE	    4096
#define STACK_BYTES (64 * PAGE)

static struct kernel_side *kernel;
static struct child child;
static __u32 space;

enum { FORK, SIGNAL, FAULT };

/* Reads into pages that are not there yet: the kernel faults on them, in its copy. */
static void *fault(void *unused)
{
	int file = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	char *pages = mmap(NULL, READS * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (int i = 0; i < READS; i++)
		if (read(file, pages + i * PAGE, 8) != 8)
			abort();
	munmap(pages, READS * PAGE);
	close(file);
	return unused;
}

/*
 * On a stack that ends soon above: a copy of what lies there, which a sample brings along,
 * runs into memory that is not there.
 */
static void fault_near_the_end(void)
{
	char *memory = mmap(NULL, STACK_BYTES + PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t attributes;
	pthread_t thread;

	if (memory == MAP_FAILED || mprotect(memory + STACK_BYTES, PAGE, PROT_NONE) ||
	    pthread_attr_init(&attributes) ||
	    pthread_attr_setstack(&attributes, memory, STACK_BYTES) ||
	    pthread_create(&thread, &attributes, fault, NULL) ||
	    pthread_join(thread, NULL))
		abort();
}

static void work(int what)
{
	cpu_set_t first;

	/* A CPU's periods are its own. */
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first))
		abort();
	switch (what) {
	case FORK:
		for (int i = 0; i < FORKS; i++) {
			pid_t pid = fork();

			if (!pid)
				_exit(0);
			waitpid(pid, NULL, 0);
		}
		break;
	case SIGNAL:
		signal(SIGUSR1, SIG_IGN);
		for (int i = 0; i < SIGNALS; i++)
			kill(getpid(), SIGUSR1);
		break;
	case FAULT:
		fault_near_the_end();
		break;
	}
}

static int set_up_sized(const struct sizes *sizes, bool native)
{
	SKIP_IF_MISSING();
	kernel = kernel_side__open(sizes);
	child__start(&child, work);
	space = kernel_side__adopt(kernel, child.pid, 0);
	if (native)
		kernel_side__map_native(kernel, space, child.pid);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	return set_up_sized(&(struct sizes){.periods = {[1] = PERIOD}}, true);
}

/* Nothing is known of the child's memory, so each sample brings its stack along. */
static int set_up_unknown(void **state)
{
	(void)state;
	return set_up_sized(&(struct sizes){.periods = {0}}, false);
}

static int tear_down(void **state)
{
	(void)state;
	if (!kernel)
		return 0;
	child__end(&child);
	kernel_side__close(kernel);
	kernel = NULL;
	return 0;
}

/* Samples of an event; each is whole, and of the child. */
static __u64 samples(__u32 event)
{
	__u64 count = 0;

	for (size_t i = 0; i < kernel->events_count; i++) {
		const struct ts_sample *sample = (const void *)kernel->events[i];

		assert_int_equal(sample->header.type, TS_EVENT_SAMPLE);
		assert_int_equal(sample->header.space, space);
		assert_int_equal(sample->header.pid, child.pid);
		assert_true(sample->flags & TS_SAMPLE_KERNEL_MODE);
		assert_in_range(sample->frames_count, 1, TS_FRAMES_MAX);
		assert_int_equal(TS_FRAME_LOW(sample->frames[0]), (__u32)sample->ip);
		count += sample->event == event;
	}
	return count;
}

static void assert_balance(void)
{
	kernel_side__drain_samples(kernel);
	assert_int_equal(kernel_side__counted(kernel, TS_LEDGER_RUNS), kernel->events_count);
	assert_int_equal(kernel_side__counted(kernel, TS_LEDGER_KEPT), kernel->events_count);
}

static void every_one_and_every_nth(void **state)
{
	(void)state;
	kernel_side__attach_tracepoint(kernel, 0, "sched_process_fork");
	kernel_side__attach_tracepoint(kernel, 1, "signal_generate");
	child__do(&child, FORK);
	child__do(&child, SIGNAL);
	assert_balance();
	assert_int_equal(samples(0), FORKS);
	assert_int_equal(samples(1), SIGNALS / PERIOD);
	assert_int_equal(kernel_side__missed(kernel, 0) + kernel_side__missed(kernel, 1), 0);
}

static void off_is_off(void **state)
{
	(void)state;
	kernel_side__attach_tracepoint(kernel, 0, "sched_process_fork");
	kernel->skeleton->bss->tracepoints_on = 0;
	child__do(&child, FORK);
	assert_balance();
	assert_int_equal(kernel->events_count, 0);
}

/*
 * Each run's own reads fault, which is the same event again: the program is not run within
 * itself, and that is counted; the other one at the same tracepoint runs within it.
 */
static void a_run_that_comes_upon_its_own_event(void **state)
{
	(void)state;
	kernel_side__attach_tracepoint(kernel, 0, "page_fault_kernel");
	kernel_side__attach_tracepoint(kernel, 3, "page_fault_kernel");
	child__do(&child, FAULT);
	assert_balance();
	assert_true(samples(0) >= READS);
	assert_true(samples(3) >= samples(0));
	assert_true(kernel_side__missed(kernel, 0) >= READS);
	assert_int_equal(kernel_side__counted(kernel, TS_LEDGER_RING_FULL), 0);
}

int main(void)
{
#define TEST(name, begin) cmocka_unit_test_setup_teardown(name, begin, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(every_one_and_every_nth, set_up),
		TEST(off_is_off, set_up),
		TEST(a_run_that_comes_upon_its_own_event, set_up_unknown),
	};

	return cmocka_run_group_tests_name("bpf_tracepoint", tests, NULL, NULL);
}
