// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The sampling events: one per CPU and event, each with a fixed period, so
// that the event's own count over its period says how many samples were due.
#include "sampling.h"

#include "../base/alloc.h"
#include "../base/log.h"
#include "tierscope.skel.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_trouble(int err, const struct kernel_event *event, struct trouble *trouble)
{
	if (err == -ENOENT || err == -EOPNOTSUPP || err == -ENODEV)
		return trouble__set(trouble, -EOPNOTSUPP,
			"this machine cannot count '%s' (no hardware counters here); use -e cpu-clock",
			event->name);
	if (err == -EACCES || err == -EPERM)
		return trouble__set(trouble, -EPERM,
			"not allowed to open '%s' on all CPUs; run as root or with CAP_PERFMON",
			event->name);
	return trouble__set(trouble, err, "cannot open event '%s': %s", event->name,
			    strerror(-err));
}

static int open_sampler(struct kernel *kernel, struct perf_event_attr *attr,
			uint32_t cookie, unsigned int cpu)
{
	struct sampler *sampler = &kernel->samplers[kernel->samplers_count];
	LIBBPF_OPTS(bpf_perf_event_opts, options, .bpf_cookie = cookie);

	attr->size = sizeof(*attr);
	attr->disabled = 1;
	sampler->fd = (int)syscall(SYS_perf_event_open, attr, -1, cpu, -1,
				   PERF_FLAG_FD_CLOEXEC);
	if (sampler->fd < 0)
		return errno == ENODEV && cpu ? 0 : -errno;	/* a CPU that is off */
	sampler->event = cookie & TS_COOKIE_EVENT;
	sampler->period = attr->sample_period;
	kernel->samplers_count++;
	/* The link owns the descriptor from here on; it also enables the event. */
	sampler->link = bpf_program__attach_perf_event_opts(kernel->skeleton->progs.on_sample,
							    sampler->fd, &options);
	if (!sampler->link)
		return -errno;
	return ioctl(sampler->fd, PERF_EVENT_IOC_DISABLE, 0) ? -errno : 0;
}

int sampling__open(struct kernel *kernel, const struct kernel_options *options,
		   struct trouble *ret_trouble)
{
	kernel->samplers = alloc__zeroed(
		(size_t)kernel->cpus * (kernel->events_count + KERNEL_WATCH_MAX),
		sizeof(*kernel->samplers));
	for (unsigned int event = 0; event < kernel->events_count; event++) {
		const struct kernel_event *kind = &kernel->events[event];

		kernel->periods[event] = kernel_event__period(kind, options->frequency);
		if (kind->type == KERNEL_TRACEPOINT)
			continue;
		for (unsigned int cpu = 0; cpu < kernel->cpus; cpu++) {
			struct perf_event_attr attr = {
				.type = kind->type, .config = kind->config,
				.sample_period = kernel->periods[event],
			};
			int err = open_sampler(kernel, &attr, event, cpu);

			if (err)
				return open_trouble(err, kind, ret_trouble);
		}
	}
	return 0;
}

void sampling__close(struct kernel *kernel)
{
	for (unsigned int i = 0; i < kernel->samplers_count; i++) {
		if (kernel->samplers[i].link)
			bpf_link__destroy(kernel->samplers[i].link);
		else
			close(kernel->samplers[i].fd);
	}
	free(kernel->samplers);
	kernel->samplers = NULL;
	kernel->samplers_count = 0;
}

/*
 * Attaching enables an event for a moment: what fired then is in the counts of
 * both sides, so both start from where they stand now, with the events off.
 */
int kernel__start(struct kernel *kernel)
{
	int err = ledger__read(kernel, kernel->ledger_start);

	if (err)
		return err;
	for (unsigned int i = 0; i < kernel->samplers_count; i++)
		ioctl(kernel->samplers[i].fd, PERF_EVENT_IOC_RESET, 0);
	kernel->started = true;
	off_cpu__start(kernel);
	tracepoints__start(kernel);
	return kernel__resume(kernel);
}

static int watch_trouble(int err, struct trouble *trouble)
{
	if (err == -ENOSPC)
		return trouble__set(trouble, err,
			"all hardware watchpoints of this machine are taken; is a debugger at work?");
	if (err == -ENOENT || err == -EOPNOTSUPP || err == -ENODEV || err == -EINVAL)
		return trouble__set(trouble, -EOPNOTSUPP,
			"this machine has no hardware watchpoints (some virtual ones have none)");
	return trouble__set(trouble, err, "cannot set a hardware watchpoint: %s",
			    strerror(-err));
}

/* Of one word: none of its CPUs is left when one could not be had. */
static void unwatch(struct kernel *kernel, unsigned int samplers)
{
	while (kernel->samplers_count > samplers) {
		struct sampler *sampler = &kernel->samplers[--kernel->samplers_count];

		if (sampler->link)
			bpf_link__destroy(sampler->link);
		else
			close(sampler->fd);
		*sampler = (struct sampler){ 0 };
	}
}

int kernel__watch(struct kernel *kernel, uint64_t address, struct trouble *ret_trouble)
{
	unsigned int samplers = kernel->samplers_count;
	int err = kernel->watched < KERNEL_WATCH_MAX &&
		  kernel->events_count < TS_EVENTS_MAX ? 0 : -ENOSPC;

	for (unsigned int cpu = 0; !err && cpu < kernel->cpus; cpu++) {
		struct perf_event_attr attr = {
			.type = PERF_TYPE_BREAKPOINT, .sample_period = 1,
			.bp_type = HW_BREAKPOINT_W, .bp_addr = address,
			.bp_len = HW_BREAKPOINT_LEN_8, .exclude_kernel = 1,
		};

		err = open_sampler(kernel, &attr,
				   kernel->events_count | TS_COOKIE_WATCHPOINT, cpu);
	}
	/* What fired when it was attached is in the counts of both sides. */
	for (unsigned int i = samplers; !err && kernel->started && i < kernel->samplers_count; i++)
		if (ioctl(kernel->samplers[i].fd, PERF_EVENT_IOC_ENABLE, 0))
			err = -errno;
	if (err) {
		unwatch(kernel, samplers);
		return watch_trouble(err, ret_trouble);
	}
	kernel->watched++;
	return 0;
}

void kernel__pause(struct kernel *kernel)
{
	for (unsigned int i = 0; i < kernel->samplers_count; i++)
		ioctl(kernel->samplers[i].fd, PERF_EVENT_IOC_DISABLE, 0);
	tracepoints__set(kernel, false);
}

int kernel__resume(struct kernel *kernel)
{
	for (unsigned int i = 0; i < kernel->samplers_count; i++)
		if (ioctl(kernel->samplers[i].fd, PERF_EVENT_IOC_ENABLE, 0))
			return -errno;
	tracepoints__set(kernel, true);
	return 0;
}

/* How many periods one event's count holds. */
static uint64_t sampler_due(const struct sampler *sampler)
{
	uint64_t count = 0;

	if (read(sampler->fd, &count, sizeof(count)) != sizeof(count))
		return 0;
	return count / sampler->period;
}

uint64_t kernel__due(struct kernel *kernel)
{
	uint64_t due = 0;

	if (kernel->stopped)
		return kernel->due;
	for (unsigned int i = 0; i < kernel->samplers_count; i++)
		due += sampler_due(&kernel->samplers[i]);
	return due + tracepoints__due(kernel);
}

void kernel__stop(struct kernel *kernel)
{
	if (!kernel || kernel->stopped)
		return;
	kernel__pause(kernel);
	kernel->due = kernel__due(kernel);
	kernel->stopped = true;
	off_cpu__stop(kernel);
	if (code_events__close(kernel))
		log__verbose("the kernel cannot say when the last probe was over");
}

uint64_t kernel__event_period(const struct kernel *kernel, unsigned int event)
{
	return kernel->periods[event];
}

const char *kernel__event_name(const struct kernel *kernel, unsigned int event)
{
	return kernel->events[event].name;
}
