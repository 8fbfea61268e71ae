// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Samples: their stacks, frame by frame, into the model, or held until it is known for how
// long they were so.
#include "resolve.h"

#include "../base/clock.h"

#include <string.h>

static void count_leaf(struct recorder *recorder, uint64_t word,
		       const struct resolved *leaf)
{
	if (leaf->cause >= 0)
		recorder->leaf_causes[leaf->cause]++;
	if (leaf->stub != STUB_NONE)
		recorder->stub_leaf[leaf->stub]++;
	if (!leaf->managed)
		return;
	recorder->managed++;
	if (leaf->frame.kind != MODEL_FRAME_BODY)
		return;
	recorder->managed_named++;
	function_ids__count_leaf(recorder, leaf->frame.body);
	if (TS_FRAME_TAG(word) == TS_FRAME_TAG_RAW &&
	    model__body(recorder->model, leaf->frame.body)->source == MODEL_SOURCE_IMAGE)
		recorder->table_late++;
}

static void note_run(const struct recorder *recorder, struct process *process,
		     const struct resolved *leaf, uint64_t time_ns)
{
	if (leaf->frame.kind == MODEL_FRAME_BODY)
		publication__ran(process, model__body(recorder->model, leaf->frame.body),
				 time_ns);
}

/* Has the method of a tier-0 body an OSR body too? */
static bool has_osr_body(const struct model *model, uint32_t index)
{
	const struct model_body *body = model__body(model, index), *other;

	if (body->tier != TS_TIER_QUICK && body->tier != TS_TIER_QUICK_INSTRUMENTED)
		return false;
	for (uint32_t i = 0; i < model__bodies(model); i++) {
		other = model__body(model, i);
		if (other->tier == TS_TIER_1_OSR && other->process == body->process &&
		    other->function_id == body->function_id)
			return true;
	}
	return false;
}

/*
 * The walk left a caller of which it did not know the shape by rbp.  Was that an
 * OSR body, then what was found is the false return address in its tier-0 body and
 * no caller (bpf/unwind.bpf.h).  The two cannot be told apart: such a stack ends.
 */
static bool may_be_false(const struct recorder *recorder, const struct resolved *resolved)
{
	return resolved->frame.kind == MODEL_FRAME_BODY &&
	       has_osr_body(recorder->model, resolved->frame.body);
}

/*
 * Frames of a sample, leaf first; how many.  A caller at an address where
 * nothing is mapped is no caller: the chain was broken below it, by native code
 * that uses rbp for something else, and the stack ends there.
 */
static uint16_t resolve_stack(struct recorder *recorder, struct process *process,
			      const struct ts_sample *sample, uint32_t *frames,
			      uint32_t *ret_flags)
{
	bool hidden = false;	/* the frame before this one was not to be seen */
	const uint8_t *code = kernel_sample__code(sample);
	uint64_t words[TS_FRAMES_MAX];
	uint16_t count = finish__frames(recorder, process, sample, words, ret_flags);

	for (uint16_t i = 0; i < count; i++) {
		struct place place = {
			.address = words[i], .time_ns = sample->header.time_ns,
			.code = i ? NULL : code, .is_caller = i,
		};
		struct resolved resolved = resolve__frame(recorder, process, &place);

		if (!i) {
			if (!(sample->flags & TS_SAMPLE_OFF_CPU))
				count_leaf(recorder, sample->frames[0], &resolved);
			note_run(recorder, process, &resolved, place.time_ns);
		} else if (resolved.cause == LEAF_NO_MAPPING) {
			recorder->broken_chains++;
			return i;
		} else if (hidden && may_be_false(recorder, &resolved)) {
			return i;
		}
		hidden = resolved.hijacked;
		if (hidden)
			*ret_flags |= TS_SAMPLE_HIJACKED;
		frames[i] = model__add_frame(recorder->model, &resolved.frame);
	}
	return count;
}

static void add_to_model(struct recorder *recorder, const struct ts_sample *sample,
			 uint32_t thread, uint32_t flags, const uint32_t *path,
			 uint32_t count)
{
	struct model *model = recorder->model;
	uint32_t stack = model__add_path(model, path, count);

	if (model__add_sample(model, &(struct model_sample){
		    .time_ns = sample->header.time_ns, .thread = thread, .stack = stack,
		    .event = sample->event, .flags = flags, .ip = sample->ip,
	    }) == MODEL_NONE)
		recorder->dropped++;
	else
		recorder->kept++;
}

static void add_sample(struct recorder *recorder, const struct ts_sample *sample)
{
	struct process *process = process__by_space(recorder, sample->header.space,
						    (pid_t)sample->header.pid);
	uint32_t frames[TS_FRAMES_MAX], path[PATH_MAX_FRAMES], count, thread, flags;
	bool off_cpu = sample->flags & TS_SAMPLE_OFF_CPU;

	if (!process) {
		*(off_cpu ? &recorder->off_cpu.dropped : &recorder->dropped) += 1;
		return;
	}
	count = resolve_stack(recorder, process->code, sample, frames, &flags);
	for (uint32_t i = 0; i < count; i++)
		path[i] = frames[count - 1 - i];
	count = kernel_frames__add(recorder, sample, path, count);
	thread = model__add_thread(recorder->model, process->index,
				   (int32_t)sample->header.tid,
				   model__string_n(recorder->model, sample->comm,
						   strnlen(sample->comm,
							   sizeof(sample->comm))));
	if (off_cpu)
		off_cpu__hold(recorder, sample, thread, flags, path, count);
	else
		add_to_model(recorder, sample, thread, flags, path, count);
	/* Not of a child between fork and exec, which writes to a copy. */
	if (kernel_sample__hit(sample) && process->code == process)
		publication__hit(recorder, process, kernel_sample__hit(sample),
				 sample->header.time_ns);
	recorder->hijacked += !!(flags & TS_SAMPLE_HIJACKED);
}

/*
 * Its bodies are in a journal that is about to be read: see recorder__catch_up.  Or it met a
 * body whose event is to come.  (Not a stack of time off the CPU: the record that ends that
 * time must not come before it.)
 */
static bool waits(struct recorder *recorder, const struct ts_event *event, uint64_t now)
{
	const struct ts_sample *sample = (const struct ts_sample *)event;
	const struct process *process = process__by_space(recorder, event->space,
							  (pid_t)event->pid);

	if (!process || !process->code->alive)
		return false;
	if (now < process->code->hold_until_ns)
		return true;
	return event->type == TS_EVENT_SAMPLE && !(sample->flags & TS_SAMPLE_OFF_CPU) &&
	       now < event->time_ns + BODY_LATE_NS &&
	       finish__is_untold(recorder, process->code, sample);
}

static void resolve_one(struct recorder *recorder, const struct ts_event *event)
{
	if (event->type == TS_EVENT_OFF_CPU_END)
		off_cpu__end(recorder, (const struct ts_off_cpu_end *)event);
	else if (event->type == TS_EVENT_THREAD_END)
		off_cpu__thread_end(recorder, (const struct ts_thread_end *)event);
	else
		add_sample(recorder, (const struct ts_sample *)event);
}

void samples__resolve(struct recorder *recorder, bool all)
{
	uint64_t now = clock__now();
	char *data = recorder->pending.data;
	size_t at = 0, kept = 0, size;

	for (; at < recorder->pending.size; at += size) {
		const struct ts_event *event = (const void *)(data + at);

		size = event->type == TS_EVENT_SAMPLE ?
		       kernel_sample__size((const struct ts_sample *)event) : event->size;
		if (all || !waits(recorder, event, now)) {
			resolve_one(recorder, event);
		} else {
			memmove(data + kept, data + at, size);
			kept += size;
		}
	}
	buf__cut(&recorder->pending, kept);
}
