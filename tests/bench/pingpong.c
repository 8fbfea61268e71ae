// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Two threads on one CPU that wake each other through pipes.
//
//     pingpong SWITCHES       ends when there were so many (0: never)
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int there[2], back[2];
static long rounds;

static void *answer(void *none)
{
	char byte;

	while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1)
		;
	return none;
}

int main(int argc, char **argv)
{
	pthread_t partner;
	cpu_set_t cpus;
	char byte = 0;

	rounds = argc > 1 ? atol(argv[1]) / 2 : 0;
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) || pipe(there) || pipe(back) ||
	    pthread_create(&partner, NULL, answer, NULL)) {
		perror("pingpong");
		return 1;
	}
	printf("pingpong: pid %d\n", getpid());
	fflush(stdout);
	for (long i = 0; !rounds || i < rounds; i++)
		if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
			return 1;
	return 0;
}
