/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/* What all rooms share: the runtime's object, and the file that says what happened. */
#include "rejit.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct profiler_info *runtime_info;
struct rejit_info *rejit_info;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static FILE *told;

void give_up(const char *why)
{
	fprintf(stderr, "rejit_profiler: %s\n", why);
	abort();
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void tell_to(const char *path)
{
	told = path ? fopen(path, "w") : NULL;
}

/* Written through at once: the program may be killed. */
void tell(const char *event, uint64_t function, uint64_t rejit, hresult result)
{
	pthread_mutex_lock(&lock);
	if (told) {
		fprintf(told,
			"{\"event\": \"%s\", \"time_ns\": %" PRIu64
			", \"function_id\": \"0x%" PRIx64 "\", \"rejit_id\": %" PRIu64
			", \"result\": \"0x%08x\"}\n",
			event, now_ns(), function, rejit, (unsigned int)result);
		fflush(told);
	}
	pthread_mutex_unlock(&lock);
}
