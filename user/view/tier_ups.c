// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// See tier_ups.h.
#include "tier_ups.h"

#include "../base/alloc.h"

#include <stdlib.h>

/* Their function, or their IL version, cannot be told. */
#define NO_WAY (MODEL_BODY_FUNCTION_UNKNOWN | MODEL_BODY_REJIT_UNKNOWN | MODEL_BODY_DYNAMIC)

enum {
	ENTERED = 1 << 0,	/* among the first ones, or it is not one */
	PENDING = 1 << 1,	/* tier 1, to be looked at when all are entered */
	COMPILED = 1 << 2,	/* told as */
	REACHED = 1 << 3,	/* calls were seen to reach it: that is told, or cannot be */
};

static bool is_tier_up(const struct model_body *body)
{
	return body->tier == TS_TIER_1 && body->source == MODEL_SOURCE_EVENT;
}

/*
 * A version's first code of all is the one that was born first, in whatever order they are
 * told: a tier 1 that was taken for it waits for another look.
 */
static void enter(struct tier_ups *ups, const struct model *model, uint32_t index)
{
	const struct model_body *body = model__body(model, index);
	struct map **first = &ups->first[body->process];
	uint64_t known;

	ups->bodies[index] |= ENTERED;
	if (is_tier_up(body))
		ups->bodies[index] |= PENDING;
	if (!*first)
		*first = map__new();
	if (!map__add(*first, body->rejit_id, body->function_id, index, &known) &&
	    body->born_ns < model__body(model, (uint32_t)known)->born_ns) {
		map__set(*first, body->rejit_id, body->function_id, index);
		if (is_tier_up(model__body(model, (uint32_t)known)))
			ups->bodies[known] |= PENDING;
	}
}

static void tell_compiled(struct tier_ups *ups, const struct model *model, uint32_t index,
			  tier_ups_tell *tell, void *context)
{
	const struct model_body *body = model__body(model, index), *begin;
	uint64_t number;

	ups->bodies[index] &= (uint8_t)~PENDING;
	if (ups->bodies[index] & COMPILED || !ups->first[body->process] ||
	    !map__get(ups->first[body->process], body->rejit_id, body->function_id, &number))
		return;
	begin = model__body(model, (uint32_t)number);
	/* What is instrumented at tier 1 was precompiled, sampled there or not. */
	if (number == index || begin->source != MODEL_SOURCE_EVENT ||
	    begin->tier == TS_TIER_1_INSTRUMENTED)
		return;
	ups->bodies[index] |= COMPILED;
	tell(context, TIER_UP_COMPILED, body,
	     body->born_ns > begin->born_ns ? body->born_ns - begin->born_ns : 0);
}

/*
 * Of cells that were looked at before: the first look says nothing of when.  And each body's
 * first: calls return to it after a revert.
 */
static void tell_published(struct tier_ups *ups, const struct model *model,
			   const struct model_patch *patch, tier_ups_tell *tell, void *context)
{
	const struct model_body *body;

	if (patch->body == MODEL_NONE || ups->bodies[patch->body] & REACHED)
		return;
	ups->bodies[patch->body] |= REACHED;
	body = model__body(model, patch->body);
	if (patch->window_ns[0] && is_tier_up(body))
		tell(context, TIER_UP_PUBLISHED, body,
		     patch->window_ns[1] > body->born_ns ? patch->window_ns[1] - body->born_ns :
							   0);
}

void tier_ups__look(struct tier_ups *ups, const struct model *model, tier_ups_tell *tell,
		    void *context)
{
	uint32_t count = model__bodies(model);

	ups->bodies = alloc__room(ups->bodies, &ups->bodies_room, count, sizeof(*ups->bodies));
	ups->first = alloc__room(ups->first, &ups->processes_room, model__processes(model),
				 sizeof(*ups->first));
	for (uint32_t i = 0; i < count; i++)	/* what is not known of one may come later */
		if (!(ups->bodies[i] & ENTERED) && !(model__body(model, i)->flags & NO_WAY))
			enter(ups, model, i);
	for (uint32_t i = 0; i < count; i++)
		if (ups->bodies[i] & PENDING)
			tell_compiled(ups, model, i, tell, context);
	for (; ups->patches_seen < model__patches(model); ups->patches_seen++)
		tell_published(ups, model, model__patch(model, ups->patches_seen), tell, context);
}

void tier_ups__forget(struct tier_ups *ups, uint32_t process)
{
	if (process >= ups->processes_room)
		return;
	map__free(ups->first[process]);
	ups->first[process] = NULL;
}

static bool is_kept(void *marks, uint64_t high, uint64_t low, uint64_t body)
{
	(void)high, (void)low;
	return !model_marks__drops_body(marks, (uint32_t)body);
}

void tier_ups__sweep(struct tier_ups *ups, const struct model_marks *marks)
{
	for (uint32_t i = 0; i < ups->bodies_room; i++)
		if (model_marks__drops_body(marks, i))
			ups->bodies[i] = 0;
	for (uint32_t i = 0; i < ups->processes_room; i++)
		if (ups->first[i])
			map__filter(ups->first[i], is_kept, (void *)(uintptr_t)marks);
	ups->patches_seen -= marks->patches;
}

void tier_ups__free(struct tier_ups *ups)
{
	for (uint32_t i = 0; i < ups->processes_room; i++)
		map__free(ups->first[i]);
	free(ups->first);
	free(ups->bodies);
	*ups = (struct tier_ups){ 0 };
}
