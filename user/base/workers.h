/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * A few threads for what may take long and must not hold up the thread that
 * drains the rings.  submit, take and busy belong to that one thread.
 */
#ifndef TIERSCOPE_BASE_WORKERS_H
#define TIERSCOPE_BASE_WORKERS_H

struct workers;

/*
 * Embedded in what the job is about.  `run` runs on a worker and touches
 * nothing but its own job; `drop` frees a job that nobody will take.
 */
struct job {
	void (*run)(struct job *job);
	void (*drop)(struct job *job);
	struct job *next;
};

/* Threads are started as they are needed, at most `threads` of them. */
struct workers *workers__new(unsigned int threads);
/* Does not wait: a job that runs ends on its own, and what it leaves is dropped. */
void workers__free(struct workers *workers);

/* Queues a job.  0, or -Exxx if there is no thread and none can be started. */
int workers__submit(struct workers *workers, struct job *job);
/* A job that was run, NULL: none now.  It is the caller's again. */
struct job *workers__take(struct workers *workers);
/* Jobs submitted and not taken yet. */
unsigned int workers__busy(const struct workers *workers);

#endif /* TIERSCOPE_BASE_WORKERS_H */
