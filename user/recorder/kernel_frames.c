// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Kernel frames of a sample.  Their addresses are not kept: they say nothing that
// the name does not, but would tell whoever reads a report where the kernel lies.
#include "internal.h"

#include "../base/log.h"

#include <string.h>

static uint32_t add_frame(struct recorder *recorder, const char *name)
{
	struct model_frame frame = { .kind = MODEL_FRAME_KERNEL, .body = MODEL_NONE };

	frame.name = model__string(recorder->model, name);
	return model__add_frame(recorder->model, &frame);
}

/* Names are read when the first frame comes; without them all is "[kernel]". */
static const struct kernel_symbols *names(struct recorder *recorder)
{
	int err;

	if (!recorder->kernel_symbols_asked) {
		recorder->kernel_symbols_asked = true;
		err = kernel_symbols__read(NULL, &recorder->kernel_symbols);
		if (err)
			log__verbose("no names of kernel functions: %s", strerror(-err));
	}
	return recorder->kernel_symbols;
}

static uint32_t frame_of(struct recorder *recorder, uint64_t address)
{
	const struct kernel_symbols *symbols = names(recorder);
	struct buf name = BUF_INIT;
	uint64_t known;
	uint32_t frame;

	if (map__get(recorder->kernel_frames, address, 0, &known))
		return (uint32_t)known;
	if (symbols)
		kernel_symbols__name(symbols, address, &name);
	frame = add_frame(recorder, buf__string(&name));
	buf__free(&name);
	map__set(recorder->kernel_frames, address, 0, frame);
	return frame;
}

/* A program at a tracepoint is called by one or two functions that are nobody's work. */
static bool calls_program(const struct recorder *recorder, uint32_t frame)
{
	const char *name = model__text(recorder->model,
				       model__frame(recorder->model, frame)->name);

	return !strncmp(name, "__traceiter_", 12) || !strncmp(name, "__bpf_trace_", 12);
}

static bool is_of_tracepoint(const struct recorder *recorder, const struct ts_sample *sample)
{
	const struct model_event *event = model__event(recorder->model, sample->event);

	return event && strchr(model__text(recorder->model, event->name), ':');
}

uint32_t kernel_frames__add(struct recorder *recorder, const struct ts_sample *sample,
			    uint32_t path[PATH_MAX_FRAMES], uint32_t count)
{
	const uint64_t *frames = (const uint64_t *)&sample->frames[sample->frames_count];
	uint32_t first = count;

	/* A frame without a name stands for those that had no room. */
	if (sample->flags & TS_SAMPLE_KERNEL_CUT)
		path[count++] = add_frame(recorder, "");
	for (uint16_t i = sample->kernel_count; i > 0; i--) {
		/* A return address belongs to the call before it. */
		uint64_t address = frames[i - 1] - (i > 1 ? 1 : 0);

		path[count++] = frame_of(recorder, address);
	}
	while (count > first + 1 && is_of_tracepoint(recorder, sample) &&
	       calls_program(recorder, path[count - 1]))
		count--;
	return count;
}
