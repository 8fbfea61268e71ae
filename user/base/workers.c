// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// A queue of jobs, the threads that run them, a queue of what is done: see
// workers.h.
#include "workers.h"

#include "alloc.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

struct queue {
	struct job *first, **last;
};

/*
 * Shared by the owner and the threads; who leaves last frees it.  A job can be
 * stuck in a time-out when the owner goes, and nobody should wait for that.
 */
struct workers {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct queue waiting, done;
	unsigned int threads, threads_max, idle;
	unsigned int busy;		/* the owner's alone */
	bool closed;
};

static void push(struct queue *queue, struct job *job)
{
	job->next = NULL;
	*queue->last = job;
	queue->last = &job->next;
}

static struct job *pop(struct queue *queue)
{
	struct job *job = queue->first;

	if (!job)
		return NULL;
	queue->first = job->next;
	if (!queue->first)
		queue->last = &queue->first;
	return job;
}

static void drop_all(struct queue *queue)
{
	struct job *job;

	while ((job = pop(queue)))
		job->drop(job);
}

/* Called with the lock held, which is gone after it. */
static void leave(struct workers *workers)
{
	bool last = workers->closed && !workers->threads;

	pthread_mutex_unlock(&workers->lock);
	if (!last)
		return;
	drop_all(&workers->waiting);
	drop_all(&workers->done);
	pthread_cond_destroy(&workers->wake);
	pthread_mutex_destroy(&workers->lock);
	free(workers);
}

static void *work(void *context)
{
	struct workers *workers = context;
	struct job *job;

	pthread_mutex_lock(&workers->lock);
	while (!workers->closed) {
		job = pop(&workers->waiting);
		if (!job) {
			workers->idle++;
			pthread_cond_wait(&workers->wake, &workers->lock);
			workers->idle--;
			continue;
		}
		pthread_mutex_unlock(&workers->lock);
		job->run(job);
		pthread_mutex_lock(&workers->lock);
		push(&workers->done, job);
	}
	workers->threads--;
	leave(workers);
	return NULL;
}

struct workers *workers__new(unsigned int threads)
{
	struct workers *workers = alloc__zeroed(1, sizeof(*workers));

	pthread_mutex_init(&workers->lock, NULL);
	pthread_cond_init(&workers->wake, NULL);
	workers->waiting.last = &workers->waiting.first;
	workers->done.last = &workers->done.first;
	workers->threads_max = threads;
	return workers;
}

void workers__free(struct workers *workers)
{
	if (!workers)
		return;
	pthread_mutex_lock(&workers->lock);
	workers->closed = true;
	pthread_cond_broadcast(&workers->wake);
	leave(workers);
}

/* Signals are the main thread's: none is delivered to a worker. */
static int start_thread(struct workers *workers)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	int err;

	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&thread, &attributes, work, workers);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (!err)
		workers->threads++;
	return -err;
}

int workers__submit(struct workers *workers, struct job *job)
{
	int err = 0;

	pthread_mutex_lock(&workers->lock);
	if (!workers->idle && workers->threads < workers->threads_max)
		err = start_thread(workers);
	if (err && workers->threads)
		err = 0;		/* the others will do it */
	if (!err) {
		push(&workers->waiting, job);
		workers->busy++;
		pthread_cond_signal(&workers->wake);
	}
	pthread_mutex_unlock(&workers->lock);
	return err;
}

struct job *workers__take(struct workers *workers)
{
	struct job *job;

	pthread_mutex_lock(&workers->lock);
	job = pop(&workers->done);
	pthread_mutex_unlock(&workers->lock);
	workers->busy -= !!job;
	return job;
}

unsigned int workers__busy(const struct workers *workers)
{
	return workers->busy;
}
