/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* The threads of a process, as /proc tells of them. */
#ifndef TIERSCOPE_TARGET_THREADS_H
#define TIERSCOPE_TARGET_THREADS_H

#include <stdint.h>
#include <sys/types.h>

struct target_thread {
	pid_t tid;
	char comm[16];		/* NUL-ended */
	uint64_t start_ns;	/* CLOCK_MONOTONIC, in steps of a clock tick */
	char state;		/* as in stat: R, S, D, ... */
	int64_t call;		/* number of the system call it is in, -1: in none */
};

/* Calls `each` for those that are there.  0, -ESRCH, or -Exxx. */
int target__threads(pid_t pid,
		    void (*each)(void *context, const struct target_thread *thread),
		    void *context);

#endif /* TIERSCOPE_TARGET_THREADS_H */
