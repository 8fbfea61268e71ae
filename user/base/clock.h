/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Nanoseconds of the two clocks in use. */
#ifndef TIERSCOPE_BASE_CLOCK_H
#define TIERSCOPE_BASE_CLOCK_H

#include <stdint.h>

uint64_t clock__now(void);	/* CLOCK_MONOTONIC, as the kernel stamps events */
int64_t clock__wall(void);	/* since 1970 */

#endif /* TIERSCOPE_BASE_CLOCK_H */
