// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// See deltas.h.
#include "deltas.h"

#include "../base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define LEAVES (MODEL_FRAME_KINDS * MODEL_EVENTS_MAX)

static uint64_t *grow(uint64_t *numbers, uint32_t *room, uint32_t wanted, size_t each)
{
	if (wanted <= *room)
		return numbers;
	wanted += wanted / 2;
	numbers = alloc__resize(numbers, wanted * each, sizeof(*numbers));
	memset(numbers + *room * each, 0, (wanted - *room) * each * sizeof(*numbers));
	*room = wanted;
	return numbers;
}

void deltas__begin(struct deltas *deltas, const struct model *model)
{
	deltas->bodies = grow(deltas->bodies, &deltas->bodies_room, model__bodies(model),
			      MODEL_EVENTS_MAX);
	deltas->leaves = grow(deltas->leaves, &deltas->processes_room, model__processes(model),
			      LEAVES);
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

void deltas__free(struct deltas *deltas)
{
	free(deltas->bodies);
	free(deltas->leaves);
	*deltas = (struct deltas){ 0 };
}
