// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The events that can be sampled, by the names that perf gives them.
#include "kernel.h"

#include <linux/perf_event.h>
#include <string.h>

/* Hardware periods are primes near a million: they do not beat with loops. */
static const struct kernel_event events[] = {
	{ "cpu-clock", "time on the CPU", PERF_TYPE_SOFTWARE,
	  PERF_COUNT_SW_CPU_CLOCK, 0 },
	{ "cycles", "CPU cycles, needs a PMU", PERF_TYPE_HARDWARE,
	  PERF_COUNT_HW_CPU_CYCLES, 1000003 },
	{ "instructions", "instructions retired, needs a PMU", PERF_TYPE_HARDWARE,
	  PERF_COUNT_HW_INSTRUCTIONS, 1000003 },
	{ "cache-misses", "last-level cache misses, needs a PMU", PERF_TYPE_HARDWARE,
	  PERF_COUNT_HW_CACHE_MISSES, 10007 },
	{ "branch-misses", "mispredicted branches, needs a PMU", PERF_TYPE_HARDWARE,
	  PERF_COUNT_HW_BRANCH_MISSES, 10007 },
	{ "page-faults", "page faults", PERF_TYPE_SOFTWARE,
	  PERF_COUNT_SW_PAGE_FAULTS, 1 },
};

const struct kernel_event *kernel_event__at(unsigned int index)
{
	return index < sizeof(events) / sizeof(events[0]) ? &events[index] : NULL;
}

const struct kernel_event *kernel_event__find(const char *name)
{
	const struct kernel_event *event;

	for (unsigned int i = 0; (event = kernel_event__at(i)); i++)
		if (!strcmp(event->name, name))
			return event;
	return NULL;
}
