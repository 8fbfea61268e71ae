/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The runtime's diagnostics socket: where it is, and connecting to the one
 * that the target itself listens on.
 *
 *   ${TMPDIR:-/tmp}/dotnet-diagnostic-{pid}-{start time in ticks}-socket
 *
 * with the pid and the folder as the target sees them.
 */
#ifndef TIERSCOPE_TARGET_DIAGNOSTICS_H
#define TIERSCOPE_TARGET_DIAGNOSTICS_H

#include "target.h"

#include <stdbool.h>
#include <stdint.h>

/* CLOCK_MONOTONIC, in milliseconds; deadlines are in these. */
uint64_t diagnostics__now_ms(void);

/* True if the socket of exactly this process exists in its folder. */
bool diagnostics__socket_exists(int root, const char *folder, pid_t namespace_pid,
				uint64_t start_ticks);

/*
 * Connects, without blocking, to the socket of that name, else to any of the
 * same pid (a target may see another start time than we do), and makes sure
 * that the process `pid` of `uid` is who listens.  Returns the socket or
 * -ENOENT, -ECONNREFUSED (left behind by a dead process), -EPERM (someone
 * else's), -EACCES, -ETIMEDOUT.
 */
int diagnostics__connect_in(int root, const char *folder, const struct target *target,
			    uint64_t deadline_ms, struct trouble *ret_trouble);

/* The same, with root and folder taken from the live process. */
int diagnostics__connect(const struct target *target, uint64_t deadline_ms,
			 struct trouble *ret_trouble);

#endif /* TIERSCOPE_TARGET_DIAGNOSTICS_H */
