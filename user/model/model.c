// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The rows of the model, which only grow: see model.h.
#include "model_internal.h"

#include "../base/alloc.h"
#include "../base/text.h"

#include <stdlib.h>
#include <string.h>

struct model *model__new(void)
{
	struct model *model = alloc__zeroed(1, sizeof(*model));

	model->strings = pool__new();
	model->thread_numbers = map__new();
	model->frame_numbers = map__new();
	model->stack_numbers = map__new();
	model->count_numbers = map__new();
	model->find = model_find__new();
	model->running = model_running__new();
	/* Stack 0 is the empty stack, the root of all others. */
	alloc__grow(model->stacks, model->stacks_count, model->stacks_capacity);
	model->stacks[model->stacks_count++] = (struct model_stack){
		.parent = 0,
		.frame = MODEL_NONE,
	};
	return model;
}

void model__free(struct model *model)
{
	if (!model)
		return;
	model_find__free(model->find);
	model_running__free(model->running);
	map__free(model->count_numbers);
	map__free(model->stack_numbers);
	map__free(model->frame_numbers);
	map__free(model->thread_numbers);
	free(model->updates);
	free(model->counts);
	free(model->times);
	free(model->samples);
	free(model->patches);
	free(model->il_versions);
	free(model->actives);
	free(model->inlinings);
	free(model->tierings);
	free(model->stacks);
	free(model->frames);
	free(model->threads);
	free(model->bodies);
	free(model->processes);
	unused__free(&model->unused_processes);
	unused__free(&model->unused_bodies);
	unused__free(&model->unused_frames);
	buf__free(&model->scratch);
	pool__free(model->strings);
	free(model);
}

string_id model__string_n(struct model *model, const char *utf8, size_t size)
{
	size_t ascii = 0;

	if (!utf8)
		return 0;
	if (size > MODEL_STRING_MAX)
		size = MODEL_STRING_MAX;
	while (ascii < size && utf8[ascii] && (uint8_t)utf8[ascii] < 0x80)
		ascii++;
	if (ascii == size || !utf8[ascii])
		return pool__add_n(model->strings, utf8, ascii);
	/* Views rely on valid UTF-8, so nothing else comes in. */
	buf__clear(&model->scratch);
	text__append_utf8(&model->scratch, utf8, strnlen(utf8, size));
	return pool__add_n(model->strings, model->scratch.data, model->scratch.size);
}

string_id model__string(struct model *model, const char *utf8)
{
	return model__string_n(model, utf8, utf8 ? strlen(utf8) : 0);
}

const char *model__text(const struct model *model, string_id string)
{
	return pool__string(model->strings, string);
}

uint32_t model__strings_count(const struct model *model)
{
	return pool__count(model->strings);
}

uint64_t model__strings_added(const struct model *model)
{
	return pool__added(model->strings);
}

struct model_about *model__about(struct model *model)
{
	return &model->about;
}

const struct model_about *model__about_const(const struct model *model)
{
	return &model->about;
}

/*
 * An add that refers to what is not there returns MODEL_NONE and adds nothing:
 * readers of the model never check an index.
 */
uint32_t model__add_process(struct model *model, const struct model_process *process)
{
	uint32_t index;

	if (process->parent != MODEL_NONE && process->parent >= model->processes_count)
		return MODEL_NONE;
	if (!unused__take(&model->unused_processes, &index)) {
		alloc__grow(model->processes, model->processes_count,
			    model->processes_capacity);
		index = model->processes_count++;
	}
	model->processes[index] = *process;
	return index;
}

uint32_t model__add_body(struct model *model, const struct model_body *body)
{
	uint32_t index;

	if (body->process >= model->processes_count)
		return MODEL_NONE;
	if (!unused__take(&model->unused_bodies, &index)) {
		alloc__grow(model->bodies, model->bodies_count, model->bodies_capacity);
		index = model->bodies_count++;
	}
	model->bodies[index] = *body;
	model_find__added(model->find, model, index);
	return index;
}

uint32_t model__add_thread(struct model *model, uint32_t process, int32_t tid,
			   string_id name)
{
	uint64_t key = (uint64_t)process << 32 | (uint32_t)tid;
	uint64_t known;

	if (process >= model->processes_count)
		return MODEL_NONE;
	if (map__get(model->thread_numbers, key, name, &known))
		return (uint32_t)known;
	alloc__grow(model->threads, model->threads_count, model->threads_capacity);
	model->threads[model->threads_count] = (struct model_thread){
		.process = process,
		.tid = tid,
		.name = name,
	};
	map__set(model->thread_numbers, key, name, model->threads_count);
	return model->threads_count++;
}

uint32_t model__add_frame(struct model *model, const struct model_frame *frame)
{
	struct model_frame row = *frame;
	uint64_t what, known;
	uint32_t index;

	if (row.kind >= MODEL_FRAME_KINDS)
		row.kind = MODEL_FRAME_UNKNOWN;
	/* Only the fields that the kind has, so that equal frames are equal. */
	if (row.kind == MODEL_FRAME_BODY) {
		if (row.body >= model->bodies_count)
			return MODEL_NONE;
		row.name = 0;
		row.address = 0;
	} else {
		row.body = MODEL_NONE;
	}
	what = (uint64_t)row.kind << 32 |
	       (row.kind == MODEL_FRAME_BODY ? row.body : row.name);
	if (map__get(model->frame_numbers, row.address, what, &known))
		return (uint32_t)known;
	if (!unused__take(&model->unused_frames, &index)) {
		alloc__grow(model->frames, model->frames_count, model->frames_capacity);
		index = model->frames_count++;
	}
	map__set(model->frame_numbers, row.address, what, index);
	model->frames[index] = row;
	return index;
}

uint32_t model__add_stack(struct model *model, uint32_t parent, uint32_t frame)
{
	uint64_t known;

	if (parent >= model->stacks_count || frame >= model->frames_count)
		return MODEL_NONE;
	if (!map__add(model->stack_numbers, parent, frame, model->stacks_count, &known))
		return (uint32_t)known;
	alloc__grow(model->stacks, model->stacks_count, model->stacks_capacity);
	model->stacks[model->stacks_count] = (struct model_stack){
		.parent = parent,
		.frame = frame,
	};
	return model->stacks_count++;
}

uint32_t model__add_path(struct model *model, const uint32_t *frames, uint32_t count)
{
	uint32_t stack = 0;

	for (uint32_t i = 0; i < count; i++)
		stack = model__add_stack(model, stack, frames[i]);
	return stack;
}

uint32_t model__add_sample(struct model *model, const struct model_sample *sample)
{
	if (sample->thread >= model->threads_count ||
	    sample->stack >= model->stacks_count ||
	    sample->event >= model->events_count || model->samples_count >= MODEL_NONE)
		return MODEL_NONE;
	alloc__grow(model->samples, model->samples_count, model->samples_capacity);
	model->samples[model->samples_count] = *sample;
	if (!sample->weight)
		model->samples[model->samples_count].weight = 1;
	model_running__added(model->running, model, &model->samples[model->samples_count]);
	return (uint32_t)model->samples_count++;
}

void model__set_sample_stack(struct model *model, size_t index, uint32_t stack)
{
	if (index < model->samples_count && stack < model->stacks_count)
		model->samples[index].stack = stack;
}

/* MODEL_NONE, or one of that process. */
static bool is_body_of(const struct model *model, uint32_t body, uint32_t process)
{
	return body == MODEL_NONE || (body < model->bodies_count &&
				      model->bodies[body].process == process);
}

void model__set_times(struct model *model, uint32_t thread, const struct model_times *times)
{
	if (thread >= model->threads_count)
		return;
	model->times = alloc__room(model->times, &model->times_room, thread + 1,
				   sizeof(*model->times));
	model->times[thread] = *times;
}

uint32_t model__add_patch(struct model *model, const struct model_patch *patch)
{
	if (patch->process >= model->processes_count || patch->kind >= TS_CELL_COUNT ||
	    patch->target >= TS_TARGET_COUNT ||
	    !is_body_of(model, patch->body, patch->process))
		return MODEL_NONE;
	alloc__grow(model->patches, model->patches_count, model->patches_capacity);
	model->patches[model->patches_count] = *patch;
	return model->patches_count++;
}

uint32_t model__add_il_version(struct model *model, const struct model_il_version *version)
{
	if (version->process >= model->processes_count || version->state >= TS_IL_COUNT)
		return MODEL_NONE;
	alloc__grow(model->il_versions, model->il_versions_count,
		    model->il_versions_capacity);
	model->il_versions[model->il_versions_count] = *version;
	return model->il_versions_count++;
}

uint32_t model__add_active(struct model *model, const struct model_active *active)
{
	if (active->process >= model->processes_count || active->code >= MODEL_ACTIVE_COUNT ||
	    (active->code == MODEL_ACTIVE_BODY) != (active->body != MODEL_NONE) ||
	    !is_body_of(model, active->body, active->process))
		return MODEL_NONE;
	alloc__grow(model->actives, model->actives_count, model->actives_capacity);
	model->actives[model->actives_count] = *active;
	return model->actives_count++;
}

uint32_t model__add_inlining(struct model *model, const struct model_inlining *inlining)
{
	if (inlining->process >= model->processes_count)
		return MODEL_NONE;
	alloc__grow(model->inlinings, model->inlinings_count, model->inlinings_capacity);
	model->inlinings[model->inlinings_count] = *inlining;
	return model->inlinings_count++;
}

uint32_t model__add_tiering(struct model *model, const struct model_tiering *tiering)
{
	if (tiering->process >= model->processes_count || !tiering->kind ||
	    tiering->kind >= TS_TIERING_COUNT)
		return MODEL_NONE;
	alloc__grow(model->tierings, model->tierings_count, model->tierings_capacity);
	model->tierings[model->tierings_count] = *tiering;
	return model->tierings_count++;
}

static void remember_update(struct model *model, enum model_update_kind kind,
			    uint32_t index)
{
	alloc__grow(model->updates, model->updates_count, model->updates_capacity);
	model->updates[model->updates_count++] = (struct model_update){
		.kind = kind,
		.index = index,
	};
}

void model__update_process(struct model *model, uint32_t index,
			   const struct model_process *process)
{
	if (index >= model->processes_count)
		return;
	if (process->parent != MODEL_NONE && process->parent >= model->processes_count)
		return;
	/* Padding may differ where nothing else does: one update too many. */
	if (!memcmp(&model->processes[index], process, sizeof(*process)))
		return;
	model->processes[index] = *process;
	remember_update(model, MODEL_UPDATE_PROCESS, index);
}

void model__update_body(struct model *model, uint32_t index,
			const struct model_body *body)
{
	/* A body never changes its process. */
	if (index >= model->bodies_count ||
	    body->process != model->bodies[index].process)
		return;
	if (!memcmp(&model->bodies[index], body, sizeof(*body)))
		return;
	model_find__changing(model->find, model, index, body);
	model->bodies[index] = *body;
	remember_update(model, MODEL_UPDATE_BODY, index);
}

void model__drop_samples(struct model *model)
{
	model->samples_dropped += model->samples_count;
	model->samples_count = 0;
	model->updates_count = 0;
}

void model__drop_stacks(struct model *model)
{
	map__free(model->stack_numbers);
	model->stack_numbers = map__new();
	model->stacks_count = 1;	/* the empty stack stays */
}

void model__drop_times(struct model *model)
{
	free(model->times);
	model->times = NULL;
	model->times_room = 0;
}

/* Row number `index` of an array of the model, NULL beyond its end. */
#define ROW(array, index) ((index) < model->array##_count ? &model->array[index] : NULL)

const struct model_process *model__process(const struct model *model, uint32_t index)
{
	return ROW(processes, index);
}

const struct model_body *model__body(const struct model *model, uint32_t index)
{
	return ROW(bodies, index);
}

const struct model_thread *model__thread(const struct model *model, uint32_t index)
{
	return ROW(threads, index);
}

const struct model_frame *model__frame(const struct model *model, uint32_t index)
{
	return ROW(frames, index);
}

const struct model_stack *model__stack(const struct model *model, uint32_t index)
{
	return ROW(stacks, index);
}

const struct model_sample *model__sample(const struct model *model, size_t index)
{
	return ROW(samples, index);
}

const struct model_patch *model__patch(const struct model *model, uint32_t index)
{
	return ROW(patches, index);
}

const struct model_il_version *model__il_version(const struct model *model, uint32_t index)
{
	return ROW(il_versions, index);
}

const struct model_active *model__active(const struct model *model, uint32_t index)
{
	return ROW(actives, index);
}

const struct model_inlining *model__inlining(const struct model *model, uint32_t index)
{
	return ROW(inlinings, index);
}

const struct model_tiering *model__tiering(const struct model *model, uint32_t index)
{
	return ROW(tierings, index);
}

const struct model_times *model__times(const struct model *model, uint32_t thread)
{
	return thread < model->times_room && model->times[thread].since_ns ?
	       &model->times[thread] : NULL;
}

const struct model_update *model__update(const struct model *model, size_t index)
{
	return ROW(updates, index);
}

uint32_t model__processes(const struct model *model)
{
	return model->processes_count;
}

uint32_t model__bodies(const struct model *model)
{
	return model->bodies_count;
}

uint64_t model__bodies_added(const struct model *model)
{
	return model->bodies_swept + model->bodies_count - model->unused_bodies.count;
}

uint32_t model__threads(const struct model *model)
{
	return model->threads_count;
}

uint32_t model__frames(const struct model *model)
{
	return model->frames_count;
}

uint32_t model__stacks(const struct model *model)
{
	return model->stacks_count;
}

size_t model__samples(const struct model *model)
{
	return model->samples_count;
}

uint64_t model__samples_dropped(const struct model *model)
{
	return model->samples_dropped;
}

uint32_t model__patches(const struct model *model)
{
	return model->patches_count;
}

uint32_t model__il_versions(const struct model *model)
{
	return model->il_versions_count;
}

uint32_t model__actives(const struct model *model)
{
	return model->actives_count;
}

uint32_t model__inlinings(const struct model *model)
{
	return model->inlinings_count;
}

uint32_t model__tierings(const struct model *model)
{
	return model->tierings_count;
}

size_t model__updates(const struct model *model)
{
	return model->updates_count;
}
