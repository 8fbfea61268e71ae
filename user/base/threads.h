/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Threads of other processes, by their names. */
#ifndef TIERSCOPE_BASE_THREADS_H
#define TIERSCOPE_BASE_THREADS_H

#include <sys/types.h>

/*
 * The number of a thread of that name, which is at most 15 bytes long, as the kernel has it;
 * 0: there is none, -1: the process cannot be looked at.
 */
pid_t threads__find(pid_t pid, const char *name);

#endif /* TIERSCOPE_BASE_THREADS_H */
