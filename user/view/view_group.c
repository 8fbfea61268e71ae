// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Stacks with the runtime's own frames folded, so that every view shows them so.  Samples keep
 * all but their stack, and the kind of its leaf: no sum changes.
 */
#include "runtime_group.h"
#include "view_internal.h"

#include "../base/alloc.h"

#include <stdlib.h>

struct grouping {
	struct model *model;
	struct map *known;		/* (stack, name of thread) -> stack */
	struct runtime_frame *frames;	/* of the stack at hand, outermost caller first */
	uint32_t *numbers;		/* theirs in the model */
	enum runtime_group *groups;
	uint32_t room;			/* of the three */
};

static struct runtime_frame describe(const struct model *model, uint32_t number)
{
	const struct model_frame *frame = model__frame(model, number);
	struct runtime_frame result = {
		.name = model__text(model, frame->name),
		.native = frame->kind == MODEL_FRAME_NATIVE,
		.managed = frame->kind == MODEL_FRAME_BODY,
	};

	if (result.managed) {
		const struct model_body *body = model__body(model, frame->body);

		result.name = model__text(model, body->name);
		result.instrumented = body->tier == TS_TIER_QUICK_INSTRUMENTED ||
				      body->tier == TS_TIER_1_INSTRUMENTED;
	}
	return result;
}

/* Fills frames and numbers; returns how many. */
static uint32_t spread(struct grouping *grouping, uint32_t stack)
{
	uint32_t depth = 0, at;

	for (at = stack; at; at = model__stack(grouping->model, at)->parent)
		depth++;
	if (depth > grouping->room) {
		grouping->room = 2 * depth;
		free(grouping->frames);
		free(grouping->numbers);
		free(grouping->groups);
		grouping->frames = alloc__zeroed(grouping->room, sizeof(*grouping->frames));
		grouping->numbers = alloc__zeroed(grouping->room, sizeof(*grouping->numbers));
		grouping->groups = alloc__zeroed(grouping->room, sizeof(*grouping->groups));
	}
	at = stack;
	for (uint32_t i = depth; i--; at = model__stack(grouping->model, at)->parent) {
		grouping->numbers[i] = model__stack(grouping->model, at)->frame;
		grouping->frames[i] = describe(grouping->model, grouping->numbers[i]);
	}
	return depth;
}

static uint32_t group_stack(struct grouping *grouping, uint32_t stack, string_id thread)
{
	struct model *model = grouping->model;
	uint32_t depth = spread(grouping, stack), grouped = 0;
	const enum runtime_group *groups = grouping->groups;

	runtime_group__of_stack(grouping->frames, depth, model__text(model, thread),
				grouping->groups);
	for (uint32_t i = 0; i < depth; i++) {
		uint32_t number = grouping->numbers[i];

		if (groups[i] && i && groups[i] == groups[i - 1])
			continue;
		if (groups[i])
			number = model__add_frame(model, &(struct model_frame){
				.kind = MODEL_FRAME_NATIVE,
				.name = model__string(model, runtime_group__name(groups[i])),
			});
		grouped = model__add_stack(model, grouped, number);
	}
	return grouped;
}

void view__group_runtime(struct model *model)
{
	struct grouping grouping = { .model = model, .known = map__new() };

	for (size_t i = 0; i < model__samples(model); i++) {
		const struct model_sample *sample = model__sample(model, i);
		string_id thread = model__thread(model, sample->thread)->name;
		uint64_t stack;

		if (!map__get(grouping.known, sample->stack, thread, &stack)) {
			stack = group_stack(&grouping, sample->stack, thread);
			map__set(grouping.known, sample->stack, thread, stack);
		}
		model__set_sample_stack(model, i, (uint32_t)stack);
	}
	free(grouping.frames);
	free(grouping.numbers);
	free(grouping.groups);
	map__free(grouping.known);
}
