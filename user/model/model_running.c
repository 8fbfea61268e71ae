// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Running counts of user-mode leaves: see model__body_samples in model.h.
#include "model_internal.h"

#include "../base/alloc.h"

#include <stdlib.h>
#include <string.h>

typedef uint64_t event_counts[MODEL_EVENTS_MAX];

struct model_running {
	event_counts *bodies;				/* [body] */
	event_counts (*leaves)[MODEL_FRAME_KINDS];	/* [process] */
	uint32_t bodies_room, leaves_room;		/* elements, zeroed */
};

static const event_counts nothing;

struct model_running *model_running__new(void)
{
	return alloc__zeroed(1, sizeof(struct model_running));
}

void model_running__free(struct model_running *running)
{
	if (!running)
		return;
	free(running->bodies);
	free(running->leaves);
	free(running);
}

/* Rows come without being counted: room is made when one is. */
void model_running__added(struct model_running *running, const struct model *model,
			  const struct model_sample *sample)
{
	uint32_t process = model->threads[sample->thread].process;
	uint32_t leaf = model__user_stack(model, sample->stack);
	const struct model_frame *frame =
		leaf ? &model->frames[model->stacks[leaf].frame] : NULL;

	running->leaves = alloc__room(running->leaves, &running->leaves_room, process + 1,
				      sizeof(*running->leaves));
	running->leaves[process][frame ? frame->kind : MODEL_FRAME_UNKNOWN][sample->event] +=
		sample->weight;
	if (!frame || frame->body == MODEL_NONE)
		return;
	running->bodies = alloc__room(running->bodies, &running->bodies_room, frame->body + 1,
				      sizeof(*running->bodies));
	running->bodies[frame->body][sample->event] += sample->weight;
}

void model_running__forget_process(struct model_running *running, uint32_t process)
{
	if (process < running->leaves_room)
		memset(running->leaves[process], 0, sizeof(running->leaves[process]));
}

void model_running__forget_body(struct model_running *running, uint32_t body)
{
	if (body < running->bodies_room)
		memset(running->bodies[body], 0, sizeof(running->bodies[body]));
}

const uint64_t *model__body_samples(const struct model *model, uint32_t body)
{
	const struct model_running *running = model->running;

	return body < running->bodies_room ? running->bodies[body] : nothing;
}

const uint64_t *model__leaf_samples(const struct model *model, uint32_t process,
				    uint32_t kind)
{
	const struct model_running *running = model->running;

	return process < running->leaves_room && kind < MODEL_FRAME_KINDS ?
	       running->leaves[process][kind] : nothing;
}
