// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Forgets what nobody needs any more: mark and sweep.  Rows keep their numbers, since many
 * hold them; a row that is swept is told by what is in it (struct model_body.process,
 * MODEL_PROCESS_SWEPT) until another one has its number.  Only rows that nobody holds by
 * number but the model's readers, which remember how far they got, move up.
 */
#include "model_internal.h"

#include "../base/alloc.h"

#include <stdlib.h>
#include <string.h>

/* --- marks --------------------------------------------------------------- */

void model_marks__init(struct model_marks *marks, const struct model *model)
{
	*marks = (struct model_marks){
		.model = model,
		.processes = alloc__zeroed((size_t)model->processes_count + 1, 1),
		.bodies = alloc__zeroed((size_t)model->bodies_count + 1, 1),
		.frames = alloc__zeroed((size_t)model->frames_count + 1, 1),
		.strings = alloc__zeroed((size_t)pool__count(model->strings) + 1, 1),
		.patches = model->patches_count, .il_versions = model->il_versions_count,
		.actives = model->actives_count,
	};
	model_marks__string(marks, model->about.kernel);
	model_marks__string(marks, model->about.machine);
	model_marks__string(marks, model->about.version);
	model_marks__string(marks, model->about.command);
	for (uint32_t i = 0; i < model->events_count; i++)
		model_marks__string(marks, model->events[i].name);
	for (uint32_t i = 0; i < model->counts_count; i++)
		model_marks__string(marks, model->counts[i].name);
}

void model_marks__free(struct model_marks *marks)
{
	free(marks->processes);
	free(marks->bodies);
	free(marks->frames);
	free(marks->strings);
	*marks = (struct model_marks){ .model = NULL };
}

void model_marks__string(struct model_marks *marks, string_id string)
{
	if (string < pool__count(marks->model->strings))
		marks->strings[string] = 1;
}

void model_marks__process(struct model_marks *marks, uint32_t index)
{
	const struct model_process *process = model__process(marks->model, index);

	if (!process || process->flags & MODEL_PROCESS_SWEPT || marks->processes[index])
		return;
	marks->processes[index] = 1;
	model_marks__string(marks, process->comm);
	model_marks__string(marks, process->executable);
	model_marks__string(marks, process->cmdline);
	model_marks__string(marks, process->container);
	model_marks__string(marks, process->runtime);
	model_marks__string(marks, process->hook_version);
	model_marks__string(marks, process->trouble);
}

void model_marks__body(struct model_marks *marks, uint32_t index)
{
	const struct model_body *body = model__body(marks->model, index);

	if (!body || body->process == MODEL_NONE || marks->bodies[index])
		return;
	marks->bodies[index] = 1;
	model_marks__process(marks, body->process);
	model_marks__string(marks, body->module);
	model_marks__string(marks, body->name);
}

void model_marks__frame(struct model_marks *marks, uint32_t index)
{
	const struct model_frame *frame = model__frame(marks->model, index);

	if (!frame)
		return;
	marks->frames[index] = 1;
	model_marks__body(marks, frame->body);
	model_marks__string(marks, frame->name);
}

/* From the first that is kept on, what the rows refer to is, too. */
void model_marks__patches(struct model_marks *marks, uint32_t seen)
{
	for (; marks->patches > seen; marks->patches--) {
		const struct model_patch *patch =
			model__patch(marks->model, marks->patches - 1);

		model_marks__process(marks, patch->process);
		model_marks__body(marks, patch->body);
	}
}

void model_marks__il_versions(struct model_marks *marks, uint32_t seen)
{
	for (; marks->il_versions > seen; marks->il_versions--)
		model_marks__process(marks, model__il_version(marks->model,
							      marks->il_versions - 1)->process);
}

void model_marks__actives(struct model_marks *marks, uint32_t seen)
{
	for (; marks->actives > seen; marks->actives--) {
		const struct model_active *active =
			model__active(marks->model, marks->actives - 1);

		model_marks__process(marks, active->process);
		model_marks__body(marks, active->body);
	}
}

bool model_marks__drops_process(const struct model_marks *marks, uint32_t process)
{
	return process < marks->model->processes_count && !marks->processes[process];
}

bool model_marks__drops_body(const struct model_marks *marks, uint32_t body)
{
	return body < marks->model->bodies_count && !marks->bodies[body];
}

bool model_marks__drops_frame(const struct model_marks *marks, uint32_t frame)
{
	return frame < marks->model->frames_count && !marks->frames[frame];
}

bool model_marks__drops_string(const struct model_marks *marks, string_id string)
{
	return string && string < pool__count(marks->model->strings) &&
	       !marks->strings[string];
}

/* --- the sweep ----------------------------------------------------------- */

static void sweep_processes(struct model *model, const struct model_marks *marks)
{
	for (uint32_t i = 0; i < model->processes_count; i++) {
		struct model_process *process = &model->processes[i];

		if (process->parent != MODEL_NONE && !marks->processes[process->parent])
			process->parent = MODEL_NONE;
		if (marks->processes[i] || process->flags & MODEL_PROCESS_SWEPT)
			continue;
		model_running__forget_process(model->running, i);
		/* It counts as ended, for those who look for that alone. */
		*process = (struct model_process){ .flags = MODEL_PROCESS_SWEPT,
						   .parent = MODEL_NONE, .end_ns = 1 };
		unused__add(&model->unused_processes, i);
	}
}

/* The index from addresses is made anew, of what is left. */
static void sweep_bodies(struct model *model, const struct model_marks *marks)
{
	model_find__free(model->find);
	model->find = model_find__new();
	for (uint32_t i = 0; i < model->bodies_count; i++) {
		struct model_body *body = &model->bodies[i];

		if (marks->bodies[i])
			model_find__added(model->find, model, i);
		if (marks->bodies[i] || body->process == MODEL_NONE)
			continue;
		model_running__forget_body(model->running, i);
		*body = (struct model_body){ .process = MODEL_NONE, .died_ns = 1,
					     .flags = MODEL_BODY_FUNCTION_UNKNOWN };
		unused__add(&model->unused_bodies, i);
		model->bodies_swept++;
	}
}

static bool is_marked(void *context, uint64_t high, uint64_t low, uint64_t value)
{
	const uint8_t *marked = context;

	(void)high, (void)low;
	return marked[value];
}

static void sweep_frames(struct model *model, const struct model_marks *marks)
{
	map__filter(model->frame_numbers, is_marked, marks->frames);
	model->unused_frames.count = 0;
	for (uint32_t i = 0; i < model->frames_count; i++) {
		if (marks->frames[i])
			continue;
		model->frames[i] = (struct model_frame){ .kind = MODEL_FRAME_UNKNOWN,
							 .body = MODEL_NONE };
		unused__add(&model->unused_frames, i);
	}
}

static void sweep_threads(struct model *model)
{
	map__free(model->thread_numbers);
	model->thread_numbers = map__new();
	model->threads_count = 0;
}

/* Takes the first `seen` rows away. */
#define MOVE_UP(array, seen) do { \
	model->array##_count -= (seen); \
	if (model->array##_count) \
		memmove(model->array, model->array + (seen), \
			model->array##_count * sizeof(*model->array)); \
	} while (0)

void model__sweep(struct model *model, const struct model_marks *marks)
{
	sweep_bodies(model, marks);
	sweep_processes(model, marks);
	sweep_frames(model, marks);
	sweep_threads(model);
	MOVE_UP(patches, marks->patches);
	MOVE_UP(il_versions, marks->il_versions);
	MOVE_UP(actives, marks->actives);
	model->inlinings_count = model->tierings_count = 0;
	model->updates_count = 0;
	pool__sweep(model->strings, marks->strings);
}

uint64_t model__size(const struct model *model)
{
	return (uint64_t)model->processes_count - model->unused_processes.count +
	       model->bodies_count - model->unused_bodies.count + model->frames_count -
	       model->unused_frames.count + model->threads_count + model->patches_count +
	       model->il_versions_count + model->actives_count + model->inlinings_count +
	       model->tierings_count + pool__used(model->strings);
}
