// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// See deltas.h.
#include "deltas.h"

#include "../base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define LEAVES (MODEL_FRAME_KINDS * MODEL_EVENTS_MAX)

void deltas__begin(struct deltas *deltas, const struct model *model)
{
	deltas->bodies = alloc__room(deltas->bodies, &deltas->bodies_room, model__bodies(model),
				     MODEL_EVENTS_MAX * sizeof(uint64_t));
	deltas->leaves = alloc__room(deltas->leaves, &deltas->processes_room,
				     model__processes(model), LEAVES * sizeof(uint64_t));
}

static bool take(const uint64_t *now, uint64_t *before, uint64_t ret_samples[MODEL_EVENTS_MAX])
{
	bool some = false;

	for (unsigned int i = 0; i < MODEL_EVENTS_MAX; i++) {
		ret_samples[i] = now[i] - before[i];
		before[i] = now[i];
		some |= ret_samples[i];
	}
	return some;
}

bool deltas__body(struct deltas *deltas, const struct model *model, uint32_t body,
		  uint64_t ret_samples[MODEL_EVENTS_MAX])
{
	return take(model__body_samples(model, body),
		    &deltas->bodies[(size_t)body * MODEL_EVENTS_MAX], ret_samples);
}

bool deltas__leaf(struct deltas *deltas, const struct model *model, uint32_t process,
		  uint32_t kind, uint64_t ret_samples[MODEL_EVENTS_MAX])
{
	return take(model__leaf_samples(model, process, kind),
		    &deltas->leaves[(size_t)process * LEAVES + kind * MODEL_EVENTS_MAX],
		    ret_samples);
}

bool deltas__has_body(const struct deltas *deltas, const struct model *model, uint32_t body)
{
	static const uint64_t nothing[MODEL_EVENTS_MAX];

	return memcmp(model__body_samples(model, body),
		      body < deltas->bodies_room ?
			      &deltas->bodies[(size_t)body * MODEL_EVENTS_MAX] : nothing,
		      sizeof(nothing)) != 0;
}

bool deltas__has_leaves(const struct deltas *deltas, const struct model *model,
			uint32_t process)
{
	static const uint64_t nothing[LEAVES];
	const uint64_t *before = process < deltas->processes_room ?
				 &deltas->leaves[(size_t)process * LEAVES] : nothing;

	for (uint32_t kind = MODEL_FRAME_BODY + 1; kind < MODEL_FRAME_KINDS; kind++)
		if (memcmp(model__leaf_samples(model, process, kind),
			   before + kind * MODEL_EVENTS_MAX,
			   MODEL_EVENTS_MAX * sizeof(uint64_t)) != 0)
			return true;
	return false;
}

void deltas__mark(const struct deltas *deltas, const struct model *model,
		  struct model_marks *marks)
{
	for (uint32_t i = 0; i < model__bodies(model); i++)
		if (deltas__has_body(deltas, model, i))
			model_marks__body(marks, i);
	for (uint32_t i = 0; i < model__processes(model); i++)
		if (deltas__has_leaves(deltas, model, i))
			model_marks__process(marks, i);
}

void deltas__forget(struct deltas *deltas, const struct model_marks *marks)
{
	for (uint32_t i = 0; i < deltas->bodies_room; i++)
		if (model_marks__drops_body(marks, i))
			memset(&deltas->bodies[(size_t)i * MODEL_EVENTS_MAX], 0,
			       MODEL_EVENTS_MAX * sizeof(uint64_t));
	for (uint32_t i = 0; i < deltas->processes_room; i++)
		if (model_marks__drops_process(marks, i))
			memset(&deltas->leaves[(size_t)i * LEAVES], 0,
			       LEAVES * sizeof(uint64_t));
}

void deltas__add(uint64_t *sum, const uint64_t *samples)
{
	for (unsigned int i = 0; i < MODEL_EVENTS_MAX; i++)
		sum[i] += samples[i];
}

void deltas__free(struct deltas *deltas)
{
	free(deltas->bodies);
	free(deltas->leaves);
	*deltas = (struct deltas){ 0 };
}
