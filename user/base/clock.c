// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Nanoseconds: see clock.h.
#include "clock.h"

#include <time.h>

static uint64_t read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

uint64_t clock__now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t clock__wall(void)
{
	return (int64_t)read_clock(CLOCK_REALTIME);
}
