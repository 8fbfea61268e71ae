/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Reading a process's memory from outside: it is not stopped, and not touched. */
#ifndef TIERSCOPE_TARGET_MEMORY_H
#define TIERSCOPE_TARGET_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* How many bytes from the address on could be read; fewer than asked for where the rest is
 * not mapped.  -1 with errno: none. */
ssize_t memory__read(pid_t pid, uint64_t address, void *bytes, size_t size);

#endif /* TIERSCOPE_TARGET_MEMORY_H */
