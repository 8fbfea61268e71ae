/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* In place of user/kernel/slots.c, for a test program without a kernel side. */
#ifndef TIERSCOPE_TESTS_NO_KERNEL_H
#define TIERSCOPE_TESTS_NO_KERNEL_H

#include "../../user/kernel/kernel.h"

int kernel__map_image(struct kernel *kernel, uint32_t space, uint32_t number, uint64_t base,
		      uint32_t size)
{
	(void)kernel, (void)space, (void)number, (void)base, (void)size;
	return 0;
}

int kernel__map_other(struct kernel *kernel, uint32_t space, uint32_t kind, uint64_t start,
		      uint64_t end)
{
	(void)kernel, (void)space, (void)kind, (void)start, (void)end;
	return 0;
}

/* Rules of a native file that were told last, and how often any were. */
static struct {
	uint32_t number, times;
	uint64_t base, start, end;
} no_kernel_rules;

int kernel__map_rules(struct kernel *kernel, uint32_t space, uint32_t number, uint64_t base,
		      uint64_t start, uint64_t end)
{
	(void)kernel, (void)space;
	no_kernel_rules.number = number;
	no_kernel_rules.base = base;
	no_kernel_rules.start = start;
	no_kernel_rules.end = end;
	no_kernel_rules.times++;
	return 0;
}

static uint64_t no_kernel_unmapped_end; /* of the last range */

void kernel__unmap(struct kernel *kernel, uint32_t space, uint64_t start, uint64_t end)
{
	(void)kernel, (void)space, (void)start;
	no_kernel_unmapped_end = end;
}

#endif /* TIERSCOPE_TESTS_NO_KERNEL_H */
