// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * What the recorder needs of the model where that is swept (model_sweep.c): its processes,
 * and their bodies, but for those that died so long ago that no sample in them is under way.
 *
 * A journal holds a record for longer, and is read again when the ring has lost something.
 * What it says of the dead was all told by then, up to the sequence at which nothing was
 * missing: so a body that is forgotten is not taken for a new one.
 */
#include "internal.h"

#include "../base/alloc.h"

#include <stdlib.h>
#include <string.h>

/* From an end until no sample can name it: rings are drained four times a second, or else,
 * where the loader stood still, before anything is swept. */
#define REST_NS 2000000000ull

/* By index in the model; the caller frees. */
static struct process **list_processes(const struct recorder *recorder)
{
	uint32_t count = model__processes(recorder->model);
	struct process **processes = alloc__zeroed((size_t)count + 1, sizeof(struct process *));

	for (uint32_t i = 0; i < recorder->processes_count; i++)
		if (recorder->processes[i]->index < count)
			processes[recorder->processes[i]->index] = recorder->processes[i];
	return processes;
}

static void mark_mappings(const struct mapping_list *list, struct model_marks *marks)
{
	for (uint32_t i = 0; i < list->count; i++)
		model_marks__string(marks, list->items[i].path);
}

static void mark_process(const struct process *process, struct model_marks *marks)
{
	model_marks__process(marks, process->index);
	mark_mappings(&process->mappings, marks);
	mark_mappings(&process->next, marks);
	for (uint32_t i = 0; i < process->modules.count; i++) {
		model_marks__string(marks, process->modules.items[i].path);
		model_marks__string(marks, process->modules.items[i].name);
	}
	for (uint32_t i = 0; i < process->publication.count; i++)
		model_marks__body(marks, process->publication.items[i].body);
	for (uint32_t i = 0; i < process->looks.young_count; i++)
		model_marks__body(marks, process->looks.young[i]);
	for (uint32_t i = 0; i < process->ids.count; i++)
		model_marks__body(marks, process->ids.waiting[i].body);
}

/* Its journal is to be read, or samples wait until it was. */
static bool is_unsettled(const struct process *process, uint64_t now)
{
	return bodies__has_gap(process) || now < process->hold_until_ns;
}

bool recorder__mark(const struct recorder *recorder, struct model_marks *marks, uint64_t now)
{
	const struct model *model = recorder->model;
	struct process **processes;

	/* Stacks that are held have frames and threads of the model. */
	if (recorder->off_cpu.count)
		return false;
	processes = list_processes(recorder);
	for (uint32_t i = 0; i < recorder->processes_count; i++)
		mark_process(recorder->processes[i], marks);
	for (uint32_t i = 0; i < model__bodies(model); i++) {
		const struct model_body *body = model__body(model, i);
		const struct process *process =
			body->process == MODEL_NONE ? NULL : processes[body->process];

		if (process && (!body->died_ns || now < body->died_ns + REST_NS ||
				is_unsettled(process, now)))
			model_marks__body(marks, i);
	}
	free(processes);
	return true;
}

static bool has_kept_body(void *marks, uint64_t high, uint64_t low, uint64_t value)
{
	(void)high, (void)low;
	return !model_marks__drops_body(marks, (uint32_t)value);
}

static bool is_kept_body(void *marks, uint64_t high, uint64_t low, uint64_t value)
{
	(void)high, (void)value;
	return !model_marks__drops_body(marks, (uint32_t)low);
}

static bool has_kept_frame(void *marks, uint64_t high, uint64_t low, uint64_t value)
{
	(void)high, (void)low;
	return !model_marks__drops_frame(marks, (uint32_t)value);
}

struct start_filter {
	const struct model_marks *marks;
	const struct map *bodies;
};

static bool is_kept_start(void *context, uint64_t high, uint64_t low, uint64_t value)
{
	const struct start_filter *filter = context;
	uint64_t body;

	(void)high, (void)value;
	return map__get(filter->bodies, 0, low, &body) &&
	       !model_marks__drops_body(filter->marks, (uint32_t)body);
}

static void forget_moduleless(struct process *process, const struct model_marks *marks)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < process->moduleless_count; i++)
		if (!model_marks__drops_body(marks, process->moduleless[i]))
			process->moduleless[kept++] = process->moduleless[i];
	process->moduleless_count = kept;
}

static void forget_bodies(struct process *process, struct model_marks *marks)
{
	struct start_filter filter = { marks, process->bodies };

	forget_moduleless(process, marks);
	map__filter(process->youngest, is_kept_start, &filter);
	map__filter(process->bodies, has_kept_body, marks);
	map__filter(process->births, has_kept_body, marks);
	map__filter(process->functions, has_kept_body, marks);
	map__filter(process->image_bodies, has_kept_body, marks);
	version_looks__forget(&process->looks, marks);
	/* Nothing is missing up to there, else all of its bodies would be kept. */
	process->sequence_base = process->sequence_highest;
	process->sequence_seen = 0;
	process->swept = true;
}

/* Of what a process may have us keep. */
static void give_room(struct process *process, uint64_t bytes)
{
	process->told_bytes -= bytes < process->told_bytes ? bytes : process->told_bytes;
}

/* A process of NULL is not in the recording any more. */
static void forget_dead(struct recorder *recorder, struct process **processes,
			struct model_marks *marks)
{
	const struct model *model = recorder->model;
	uint8_t *lost = alloc__zeroed((size_t)model__processes(model) + 1, 1);
	struct map *names = map__new();
	uint64_t known;

	for (uint32_t i = 0; i < model__bodies(model); i++) {
		const struct model_body *body = model__body(model, i);
		struct process *process =
			body->process == MODEL_NONE ? NULL : processes[body->process];

		if (!process || !model_marks__drops_body(marks, i))
			continue;
		lost[body->process] = 1;
		give_room(process, TOLD_BYTES);
		if (model_marks__drops_string(marks, body->name) &&
		    map__add(names, 0, body->name, 1, &known))
			give_room(process, strlen(model__text(model, body->name)));
	}
	for (uint32_t i = 0; i < model__processes(model); i++)
		if (lost[i])
			forget_bodies(processes[i], marks);
	map__free(names);
	free(lost);
}

void recorder__forget(struct recorder *recorder, const struct model_marks *marks)
{
	struct process **processes = list_processes(recorder);
	struct model_marks *context = (struct model_marks *)(uintptr_t)marks;	/* of filters */

	forget_dead(recorder, processes, context);
	map__filter(recorder->rows, has_kept_body, context);
	map__filter(recorder->unnamed_samples, is_kept_body, context);
	map__filter(recorder->native_frames, has_kept_frame, context);
	map__filter(recorder->kernel_frames, has_kept_frame, context);
	for (uint32_t i = 0; i < recorder->processes_count; i++) {
		struct process *process = recorder->processes[i];

		/* Bounds of what the model has. */
		process->tierings = 0;
		if (marks->patches == model__patches(recorder->model))
			process->publication.patches_count = 0;
	}
	free(processes);
}
