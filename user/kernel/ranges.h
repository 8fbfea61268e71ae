/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Which elements of an array are free: ranges that are taken and given back. */
#ifndef TIERSCOPE_KERNEL_RANGES_H
#define TIERSCOPE_KERNEL_RANGES_H

#include <stdbool.h>
#include <stdint.h>

struct range {
	uint32_t first, count;
};

/* What is free, in order, no two of them side by side. */
struct ranges {
	struct range *items;
	uint32_t count, capacity;
};

/* `count` > 0 elements that were taken, or that are there to begin with. */
void ranges__give(struct ranges *ranges, uint32_t first, uint32_t count);
/* The first range that is large enough; false: there is none. */
bool ranges__take(struct ranges *ranges, uint32_t count, uint32_t *ret_first);
void ranges__free(struct ranges *ranges);

#endif /* TIERSCOPE_KERNEL_RANGES_H */
