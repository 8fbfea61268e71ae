// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The events that can be sampled, by the names that perf gives them.
#include "kernel.h"

#include "../base/text.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#define TIME_PERIOD_LEAST 50000		/* ns: 20,000 samples per second and CPU */
#define HARDWARE_PERIOD_LEAST 100	/* fewer, and a CPU does nothing but sample */
#define PERIOD_MOST 1000000000000	/* far from overflow when it is multiplied */
#define RAW_DIGITS_MAX 16

#define SOFTWARE(name, id, period) { name, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_##id, period, 0 }
#define HARDWARE(name, id, period) { name, PERF_TYPE_HARDWARE, PERF_COUNT_HW_##id, period, 0 }
#define LOADS(name, cache, result, period) \
	{ name, PERF_TYPE_HW_CACHE, \
	  PERF_COUNT_HW_CACHE_##cache | PERF_COUNT_HW_CACHE_OP_READ << 8 | \
	  PERF_COUNT_HW_CACHE_RESULT_##result << 16, period, 0 }

/*
 * Hardware periods are primes: they do not beat with loops.  Software events but for the
 * clocks are taken one by one, so that their counts are exact.
 */
static const struct kernel_event events[] = {
	SOFTWARE("cpu-clock", CPU_CLOCK, 0),
	SOFTWARE("task-clock", TASK_CLOCK, 0),
	SOFTWARE("page-faults", PAGE_FAULTS, 1),
	SOFTWARE("minor-faults", PAGE_FAULTS_MIN, 1),
	SOFTWARE("major-faults", PAGE_FAULTS_MAJ, 1),
	SOFTWARE("context-switches", CONTEXT_SWITCHES, 1),
	SOFTWARE("cpu-migrations", CPU_MIGRATIONS, 1),
	SOFTWARE("alignment-faults", ALIGNMENT_FAULTS, 1),
	HARDWARE("cycles", CPU_CYCLES, 1000003),
	HARDWARE("instructions", INSTRUCTIONS, 1000003),
	HARDWARE("branches", BRANCH_INSTRUCTIONS, 100003),
	HARDWARE("branch-misses", BRANCH_MISSES, 10007),
	HARDWARE("cache-references", CACHE_REFERENCES, 100003),
	HARDWARE("cache-misses", CACHE_MISSES, 10007),
	HARDWARE("stalled-cycles-frontend", STALLED_CYCLES_FRONTEND, 1000003),
	HARDWARE("stalled-cycles-backend", STALLED_CYCLES_BACKEND, 1000003),
	LOADS("LLC-loads", LL, ACCESS, 100003),
	LOADS("LLC-load-misses", LL, MISS, 10007),
	LOADS("dTLB-loads", DTLB, ACCESS, 1000003),
	LOADS("dTLB-load-misses", DTLB, MISS, 10007),
};
#define EVENTS (sizeof(events) / sizeof(events[0]))
#define RAW_PERIOD 100003

static bool is_time(const struct kernel_event *event)
{
	return !event->period;
}

/* "r" and hexadecimal digits, as perf writes the CPU's own number of an event. */
static bool parse_raw(const char *name, struct kernel_event *ret_event)
{
	size_t digits = strspn(name + 1, "0123456789abcdefABCDEF");

	if (name[0] != 'r' || !digits || digits > RAW_DIGITS_MAX || name[1 + digits])
		return false;
	*ret_event = (struct kernel_event){ .type = PERF_TYPE_RAW, .period = RAW_PERIOD,
					    .config = strtoull(name + 1, NULL, 16) };
	strcpy(ret_event->name, name);
	return true;
}

/* "category:name", as perf and tracefs write it. */
static bool parse_tracepoint(const char *name, struct kernel_event *ret_event)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	size_t category = strspn(name, letters), size = strlen(name);

	if (!category || name[category] != ':' || !name[category + 1] ||
	    category + 1 + strspn(name + category + 1, letters) != size ||
	    size >= sizeof(ret_event->name))
		return false;
	*ret_event = (struct kernel_event){ .type = KERNEL_TRACEPOINT, .period = 1 };
	memcpy(ret_event->name, name, size + 1);
	return true;
}

static int unknown(const char *name, struct trouble *trouble)
{
	return trouble__set(trouble, -EINVAL,
			    "unknown event '%.64s'; --help lists those that there are, like cpu-clock and page-faults",
			    name);
}

static int find(const char *name, struct kernel_event *ret_event, struct trouble *trouble)
{
	for (unsigned int i = 0; i < EVENTS; i++) {
		if (!strcmp(events[i].name, name)) {
			*ret_event = events[i];
			return 0;
		}
	}
	return parse_raw(name, ret_event) || parse_tracepoint(name, ret_event) ?
	       0 : unknown(name, trouble);
}

static int set_period(struct kernel_event *event, const char *value, struct trouble *trouble)
{
	uint64_t least = is_time(event) ? TIME_PERIOD_LEAST :
			 event->type == PERF_TYPE_SOFTWARE ||
			 event->type == KERNEL_TRACEPOINT ? 1 : HARDWARE_PERIOD_LEAST;

	if (text__parse_number(value, least, PERIOD_MOST, &event->period))
		return trouble__set(trouble, -EINVAL,
				    "%s needs a period from %llu%s on, not '%.32s'", event->name,
				    (unsigned long long)least, is_time(event) ? " ns" : "", value);
	return 0;
}

/*
 * The kernel would change the period of a counted event all the time to keep a frequency;
 * then nobody could say how many samples were due.
 */
static int set_frequency(struct kernel_event *event, const char *value,
			 struct trouble *trouble)
{
	uint64_t number;

	if (!is_time(event))
		return trouble__set(trouble, -EINVAL,
				    "%s is counted and has no frequency; give it a period, like %s/period=%llu/",
				    event->name, event->name,
				    (unsigned long long)event->period);
	if (text__parse_number(value, 1, KERNEL_FREQUENCY_MAX, &number))
		return trouble__set(trouble, -EINVAL,
				    "%s needs samples per second, 1 to %d, not '%.32s'",
				    event->name, KERNEL_FREQUENCY_MAX, value);
	event->frequency = (unsigned int)number;
	return 0;
}

static int set_own(struct kernel_event *event, const char *setting, struct trouble *trouble)
{
	if (!strncmp(setting, "period=", 7))
		return set_period(event, setting + 7, trouble);
	if (!strncmp(setting, "freq=", 5))
		return set_frequency(event, setting + 5, trouble);
	return trouble__set(trouble, -EINVAL,
			    "event %s has period=N or freq=N between slashes, not '%.32s'",
			    event->name, setting);
}

int kernel_event__parse(const char *text, struct kernel_event *ret_event,
			struct trouble *ret_trouble)
{
	char copy[2 * KERNEL_EVENT_NAME_BYTES];
	size_t size = strlen(text);
	struct kernel_event event;
	char *slash;
	int err;

	if (size >= sizeof(copy))
		return unknown(text, ret_trouble);
	memcpy(copy, text, size + 1);
	slash = strchr(copy, '/');
	if (slash && (slash == copy + size - 1 || copy[size - 1] != '/'))
		return trouble__set(ret_trouble, -EINVAL,
				    "'%s': an event's own setting stands between slashes, like cpu-clock/freq=997/",
				    text);
	if (slash) {
		copy[size - 1] = 0;
		*slash++ = 0;
	}
	err = find(copy, &event, ret_trouble);
	if (!err && slash)
		err = set_own(&event, slash, ret_trouble);
	if (!err)
		*ret_event = event;
	return err;
}

uint64_t kernel_event__period(const struct kernel_event *event, unsigned int frequency)
{
	return event->period ? event->period :
	       1000000000 / (event->frequency ? event->frequency : frequency);
}
