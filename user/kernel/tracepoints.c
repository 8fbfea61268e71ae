// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Tracepoints as events: the programs at them, one for each number of an event, loaded
// only where they are asked for.
#include "internal.h"

#include "../base/alloc.h"
#include "../base/log.h"
#include "tierscope.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TRACEFS "/sys/kernel/tracing/events"

static bool is_of(const struct kernel_event *event, const char *category)
{
	size_t size = strlen(category);

	return !strncmp(event->name, category, size) && event->name[size] == ':';
}

static const char *name_of(const struct kernel_event *event)
{
	return strchr(event->name, ':') + 1;
}

/*
 * The directory of an event in tracefs.  Where that is not there, or not for us, the
 * kernel says it when the program is attached.
 */
static bool is_known(const struct kernel_event *event)
{
	char path[sizeof(TRACEFS) + KERNEL_EVENT_NAME_BYTES + 1];
	struct stat status;

	if (access(TRACEFS "/sched", X_OK))
		return true;
	snprintf(path, sizeof(path), TRACEFS "/%s", event->name);
	*strchr(path, ':') = '/';
	return !stat(path, &status) || errno != ENOENT;
}

int kernel_event__check(const struct kernel_event *event, struct trouble *ret_trouble)
{
	if (event->type != KERNEL_TRACEPOINT)
		return 0;
	if (is_of(event, "syscalls"))
		return trouble__set(ret_trouble, -EINVAL,
			"'%s' is no tracepoint of its own; raw_syscalls:sys_enter and sys_exit are, of all system calls",
			event->name);
	/* contention_end fires while the lock is held, and it can be that of our ring. */
	if (is_of(event, "lock"))
		return trouble__set(ret_trouble, -EINVAL,
			"'%s' can fire within the kernel's part of tierscope and is not taken",
			event->name);
	if (!is_known(event))
		return trouble__set(ret_trouble, -EINVAL,
			"unknown event '%s': there is no such tracepoint below " TRACEFS,
			event->name);
	return 0;
}

unsigned int tracepoints__count(const struct kernel_options *options)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < options->events_count; i++)
		count += options->events[i].type == KERNEL_TRACEPOINT;
	return count;
}

static struct bpf_program *program(const struct kernel *kernel, unsigned int event)
{
	struct bpf_program *programs[TS_EVENTS_MAX] = {
		kernel->skeleton->progs.on_tracepoint0, kernel->skeleton->progs.on_tracepoint1,
		kernel->skeleton->progs.on_tracepoint2, kernel->skeleton->progs.on_tracepoint3 };

	return programs[event];
}

static bool is_tracepoint(const struct kernel *kernel, unsigned int event)
{
	return event < kernel->events_count && kernel->events[event].type == KERNEL_TRACEPOINT;
}

void tracepoints__configure(struct kernel *kernel, const struct kernel_options *options)
{
	uint32_t caches = (1 + options->off_cpu) * kernel->cpus, scratches = 1;

	for (unsigned int i = 0; i < TS_EVENTS_MAX; i++) {
		bool wanted = is_tracepoint(kernel, i);

		bpf_program__set_autoload(program(kernel, i), wanted);
		if (!wanted)
			continue;
		kernel->skeleton->rodata->tracepoint_periods[i] =
			kernel_event__period(&options->events[i], options->frequency);
		kernel->skeleton->rodata->tracepoint_caches[i] = caches;
		caches += kernel->cpus;
		scratches = i + 1;
	}
	bpf_map__set_max_entries(kernel->skeleton->maps.tracepoint_scratches, scratches);
}

int tracepoints__attach(struct kernel *kernel, struct trouble *ret_trouble)
{
	for (unsigned int i = 0; i < TS_EVENTS_MAX; i++) {
		const struct kernel_event *event = &kernel->events[i];

		if (!is_tracepoint(kernel, i))
			continue;
		kernel->tracepoint_links[i] =
			bpf_program__attach_raw_tracepoint(program(kernel, i),
							   name_of(event));
		if (!kernel->tracepoint_links[i] && errno == ENOENT)
			return trouble__set(ret_trouble, -EOPNOTSUPP,
				"this kernel has no tracepoint '%s' that a program can be attached to",
				event->name);
		if (!kernel->tracepoint_links[i])
			return trouble__set(ret_trouble, -errno,
				"cannot attach to tracepoint '%s': %s", event->name,
				strerror(errno));
	}
	return 0;
}

/* Runs that the kernel left out, because the program was running on that CPU. */
static uint64_t misses_of(const struct kernel *kernel, unsigned int event)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(bpf_program__fd(program(kernel, event)), &info, &size) ?
	       0 : info.recursion_misses;
}

void tracepoints__start(struct kernel *kernel)
{
	for (unsigned int i = 0; i < TS_EVENTS_MAX; i++)
		if (kernel->tracepoint_links[i])
			kernel->tracepoint_misses[i] = misses_of(kernel, i);
}

static bool are_there(const struct kernel *kernel)
{
	for (unsigned int i = 0; i < TS_EVENTS_MAX; i++)
		if (kernel->tracepoint_links[i])
			return true;
	return false;
}

/* The programs run as RCU readers, for which this kind of membarrier waits. */
void tracepoints__set(struct kernel *kernel, bool on)
{
	if (!are_there(kernel))
		return;
	__atomic_store_n(&kernel->skeleton->bss->tracepoints_on, on, __ATOMIC_RELEASE);
	if (!on && syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		log__verbose("the kernel cannot say when the last tracepoint was over");
}

/* Each CPU has periods of its own. */
static uint64_t periods_of(const struct kernel *kernel, unsigned int event)
{
	uint64_t *counts = alloc__zeroed(kernel->cpus, sizeof(*counts));
	uint64_t sum = 0;

	if (!bpf_map_lookup_elem(bpf_map__fd(kernel->skeleton->maps.tracepoint_counts), &event,
				 counts))
		for (unsigned int i = 0; i < kernel->cpus; i++)
			sum += counts[i] / kernel->periods[event];
	free(counts);
	return sum;
}

uint64_t tracepoints__due(struct kernel *kernel)
{
	uint64_t due = 0;

	for (unsigned int i = 0; i < TS_EVENTS_MAX; i++) {
		uint64_t missed;

		if (!kernel->tracepoint_links[i])
			continue;
		missed = misses_of(kernel, i) - kernel->tracepoint_misses[i];
		due += periods_of(kernel, i) +
		       (missed + kernel->periods[i] - 1) / kernel->periods[i];
	}
	return due;
}

void tracepoints__close(struct kernel *kernel)
{
	for (unsigned int i = 0; i < TS_EVENTS_MAX; i++)
		bpf_link__destroy(kernel->tracepoint_links[i]);
}
