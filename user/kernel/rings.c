// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The two rings and the mappings, drained in the order that makes resolving
// exact: samples, then mappings, then code events.  A body's event was
// reserved before the body could be sampled, so a drained sample never names
// a body whose event is still to come.
#include "sampling.h"

#include "../base/alloc.h"
#include "tierscope.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define POLL_MAX 1024

static bool is_whole(const struct ts_sample *sample, size_t size)
{
	size_t plain;

	if (size < sizeof(*sample) || sample->header.type != TS_EVENT_SAMPLE ||
	    sample->frames_count > TS_FRAMES_MAX ||
	    sample->kernel_count > TS_KERNEL_FRAMES_MAX)
		return false;
	plain = kernel_sample__plain_size(sample);
	if (size < plain)
		return false;
	if (!(sample->flags & TS_SAMPLE_STACK))
		return size >= kernel_sample__size(sample);
	return sample->frames_count &&
	       size - plain >= sizeof(struct ts_stack_piece) &&
	       kernel_sample__piece(sample)->bytes <= TS_STACK_PIECE_MAX &&
	       size >= kernel_sample__size(sample);
}

/* They are made by our own programs; what is none of them is counted as a sample. */
static int on_sample_record(void *context, void *data, size_t size)
{
	struct kernel *kernel = context;
	const struct kernel_handlers *handlers = kernel->handlers;
	const struct ts_event *event = data;

	if ((size >= sizeof(struct ts_off_cpu_end) && event->type == TS_EVENT_OFF_CPU_END) ||
	    (size >= sizeof(struct ts_thread_end) && event->type == TS_EVENT_THREAD_END))
		handlers->off_cpu(handlers->context, event);
	else if (is_whole(data, size))
		handlers->sample(handlers->context, data);
	else
		kernel->bad_samples++;
	return 0;
}

static int on_code_record(void *context, void *data, size_t size)
{
	struct kernel *kernel = context;
	const struct kernel_handlers *handlers = kernel->handlers;
	const struct ts_event *event = data;

	if (size >= sizeof(struct ts_process_event) && event->type >= TS_EVENT_FORK &&
	    event->type <= TS_EVENT_EXIT)
		handlers->process(handlers->context, data);
	else if (size >= sizeof(struct ts_patch_event) && event->type == TS_EVENT_STUB_PATCH)
		handlers->patch(handlers->context, data);
	else if (size >= sizeof(struct ts_tiering_event) && event->type == TS_EVENT_TIERING)
		handlers->tiering(handlers->context, data);
	else if (size >= sizeof(struct ts_code_event) &&
		 ((const struct ts_code_event *)data)->text_size <=
			 size - sizeof(struct ts_code_event))
		handlers->code(handlers->context, data);
	else
		kernel->bad_code_events++;
	return 0;
}

int rings__open(struct kernel *kernel)
{
	kernel->sample_ring = ring_buffer__new(bpf_map__fd(kernel->skeleton->maps.samples),
					       on_sample_record, kernel, NULL);
	if (!kernel->sample_ring)
		return -errno;
	kernel->code_ring = ring_buffer__new(bpf_map__fd(kernel->skeleton->maps.code_events),
					     on_code_record, kernel, NULL);
	return kernel->code_ring ? 0 : -errno;
}

void rings__close(struct kernel *kernel)
{
	ring_buffer__free(kernel->sample_ring);
	ring_buffer__free(kernel->code_ring);
	kernel->sample_ring = NULL;
	kernel->code_ring = NULL;
}

int kernel__wait(struct kernel *kernel, int timeout_ms, bool mappings, int also)
{
	struct pollfd waits[POLL_MAX];
	const int *fds;
	unsigned int count = mappings__fds(kernel->mappings, &fds);

	if (!mappings)
		count = 0;
	if (count > POLL_MAX - 2)
		count = POLL_MAX - 2;
	waits[0] = (struct pollfd){ .fd = ring_buffer__epoll_fd(kernel->code_ring),
				    .events = POLLIN };
	waits[1] = (struct pollfd){ .fd = also, .events = POLLIN };
	for (unsigned int i = 0; i < count; i++)
		waits[i + 2] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	return poll(waits, count + 2, timeout_ms) < 0 ? -errno : 0;
}

int kernel__drain(struct kernel *kernel, const struct kernel_handlers *handlers)
{
	int err;

	kernel->handlers = handlers;
	err = ring_buffer__consume(kernel->sample_ring);
	if (err >= 0)
		err = mappings__drain(kernel->mappings, handlers);
	if (err >= 0)
		err = ring_buffer__consume(kernel->code_ring);
	kernel->handlers = NULL;
	return err < 0 ? err : 0;
}

int ledger__read(struct kernel *kernel, uint64_t ret_counts[TS_LEDGER_SLOTS])
{
	uint64_t *values = alloc__zeroed(kernel->cpus, sizeof(*values));
	int err = 0;

	memset(ret_counts, 0, TS_LEDGER_SLOTS * sizeof(ret_counts[0]));
	for (uint32_t slot = 0; slot < TS_LEDGER_SLOTS; slot++) {
		if (bpf_map_lookup_elem(bpf_map__fd(kernel->skeleton->maps.ledger), &slot,
					values)) {
			err = -errno;
			break;
		}
		for (unsigned int cpu = 0; cpu < kernel->cpus; cpu++)
			ret_counts[slot] += values[cpu];
	}
	ret_counts[TS_LEDGER_READER_DROPPED] += kernel->bad_samples;
	ret_counts[TS_LEDGER_CODE_READER_DROPPED] += kernel->bad_code_events;
	free(values);
	return err;
}

int kernel__ledger(struct kernel *kernel, uint64_t ret_counts[TS_LEDGER_SLOTS])
{
	int err = ledger__read(kernel, ret_counts);

	for (unsigned int i = 0; i < TS_LEDGER_CODE_LOADS && !err; i++)
		ret_counts[i] -= kernel->ledger_start[i];	/* of samples only */
	return err;
}
