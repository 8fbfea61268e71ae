// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Workers: every job is run once and comes back, at most so many at a time, and
// leaving never waits for a job.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/base/workers.h"

#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

#define JOBS	100
#define THREADS 3

struct counted {
	struct job job;
	unsigned int runs;
};

static unsigned int at_once, most_at_once, dropped;
static sem_t gate, entered, left;

static void run(struct job *job)
{
	unsigned int now = __atomic_add_fetch(&at_once, 1, __ATOMIC_SEQ_CST);
	unsigned int most = __atomic_load_n(&most_at_once, __ATOMIC_SEQ_CST);

	while (now > most && !__atomic_compare_exchange_n(&most_at_once, &most, now, 0,
							  __ATOMIC_SEQ_CST,
							  __ATOMIC_SEQ_CST))
		;
	((struct counted *)job)->runs++;
	nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
	__atomic_sub_fetch(&at_once, 1, __ATOMIC_SEQ_CST);
}

static void run_stuck(struct job *job)
{
	(void)job;
	sem_post(&entered);
	sem_wait(&gate);
}

static void drop(struct job *job)
{
	free(job);
	__atomic_add_fetch(&dropped, 1, __ATOMIC_SEQ_CST);
	sem_post(&left);
}

static struct counted *counted__new(void (*how)(struct job *job))
{
	struct counted *counted = calloc(1, sizeof(*counted));

	counted->job = (struct job){ .run = how, .drop = drop };
	return counted;
}

static void workers_run_each_job_once(void **state)
{
	struct workers *workers = workers__new(THREADS);
	unsigned int back = 0;

	(void)state;
	assert_null(workers__take(workers));
	for (int i = 0; i < JOBS; i++)
		assert_int_equal(workers__submit(workers, &counted__new(run)->job), 0);
	assert_int_equal(workers__busy(workers), JOBS);
	while (workers__busy(workers)) {
		struct job *job = workers__take(workers);

		if (!job)
			continue;
		assert_int_equal(((struct counted *)job)->runs, 1);
		free(job);
		back++;
	}
	assert_int_equal(back, JOBS);
	assert_in_range(most_at_once, 1, THREADS);
	workers__free(workers);
}

static void workers_leave_a_stuck_job_behind(void **state)
{
	struct workers *workers = workers__new(1);

	(void)state;
	dropped = 0;
	assert_int_equal(workers__submit(workers, &counted__new(run_stuck)->job), 0);
	assert_int_equal(workers__submit(workers, &counted__new(run_stuck)->job), 0);
	sem_wait(&entered);
	workers__free(workers);		/* returns although one is stuck */
	assert_int_equal(__atomic_load_n(&dropped, __ATOMIC_SEQ_CST), 0);
	sem_post(&gate);
	sem_wait(&left);		/* both: the one that ran, the one that waited */
	sem_wait(&left);
	assert_int_equal(__atomic_load_n(&dropped, __ATOMIC_SEQ_CST), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workers_run_each_job_once),
		cmocka_unit_test(workers_leave_a_stuck_job_behind),
	};

	sem_init(&gate, 0, 0);
	sem_init(&entered, 0, 0);
	sem_init(&left, 0, 0);
	return cmocka_run_group_tests_name("base_workers", tests, NULL, NULL);
}
