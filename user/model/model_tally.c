// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Samples per body: see model__tally in model.h.
#include "model_internal.h"

#include "../base/alloc.h"

#include <stdlib.h>

/*
 * Work is per stack, not per sample: first how many samples ended in each
 * stack, then, callees before callers, how many passed through it:
 *
 *   stack   frame   ended   passed through
 *   1       Main    1       4    = 1 + 3
 *   2        A      2       3    = 2 + 1
 *   3         B     1       1
 *
 * A body's total is what passed through its outermost frames: those with no
 * frame of the same body above them, so recursion counts a sample once.  They
 * are found by one walk of the tree that knows which bodies are above.
 */
struct tally {
	const struct model *model;
	uint64_t *samples;	/* [stack][event]: ended in, then passed through */
	uint32_t *child;	/* [stack] first child, 0 none */
	uint32_t *sibling;	/* [stack] next child of the same parent */
	uint32_t *above;	/* [body] frames of the body above the walk */
	uint64_t *self, *total; /* [body][event] */
};

static uint32_t body_of(const struct tally *tally, uint32_t stack)
{
	uint32_t frame = tally->model->stacks[stack].frame;

	return stack ? tally->model->frames[frame].body : MODEL_NONE;
}

uint32_t model__user_stack(const struct model *model, uint32_t stack)
{
	while (stack &&
	       model->frames[model->stacks[stack].frame].kind == MODEL_FRAME_KERNEL)
		stack = model->stacks[stack].parent;
	return stack;
}

static void add_row(uint64_t *sum, const uint64_t *row)
{
	for (int event = 0; event < MODEL_EVENTS_MAX; event++)
		sum[event] += row[event];
}

/*
 * How many samples ended in each stack, which is the self of its last frame in
 * user mode: a body that called the kernel keeps its samples.
 */
static void count_ends(struct tally *tally)
{
	const struct model *model = tally->model;

	for (size_t i = 0; i < model->samples_count; i++) {
		const struct model_sample *sample = &model->samples[i];
		size_t row = (size_t)sample->stack * MODEL_EVENTS_MAX;

		tally->samples[row + sample->event] += sample->weight;
	}
	for (uint32_t stack = 1; stack < model->stacks_count; stack++) {
		uint32_t body = body_of(tally, model__user_stack(model, stack));

		if (body != MODEL_NONE)
			add_row(&tally->self[(size_t)body * MODEL_EVENTS_MAX],
				&tally->samples[(size_t)stack * MODEL_EVENTS_MAX]);
	}
}

/* A parent's number is below its children's, so one pass backwards suffices. */
static void sum_up(struct tally *tally)
{
	for (uint32_t stack = tally->model->stacks_count - 1; stack > 0; stack--) {
		uint32_t parent = tally->model->stacks[stack].parent;

		add_row(&tally->samples[(size_t)parent * MODEL_EVENTS_MAX],
			&tally->samples[(size_t)stack * MODEL_EVENTS_MAX]);
		tally->sibling[stack] = tally->child[parent];
		tally->child[parent] = stack;
	}
}

static void enter(struct tally *tally, uint32_t stack)
{
	uint32_t body = body_of(tally, stack);

	if (body == MODEL_NONE)
		return;
	if (!tally->above[body]++)
		add_row(&tally->total[(size_t)body * MODEL_EVENTS_MAX],
			&tally->samples[(size_t)stack * MODEL_EVENTS_MAX]);
}

static void leave(struct tally *tally, uint32_t stack)
{
	uint32_t body = body_of(tally, stack);

	if (body != MODEL_NONE)
		tally->above[body]--;
}

/* Depth first without recursion: a stack may be as deep as a file claims. */
static void walk(struct tally *tally)
{
	uint32_t stack = 0;

	do {
		uint32_t next = tally->child[stack];

		while (!next && stack) {
			leave(tally, stack);
			next = tally->sibling[stack];
			if (!next)
				stack = tally->model->stacks[stack].parent;
		}
		stack = next;
		if (stack)
			enter(tally, stack);
	} while (stack);
}

void model__tally(const struct model *model, uint64_t **ret_self, uint64_t **ret_total)
{
	size_t bodies = model->bodies_count, stacks = model->stacks_count;
	struct tally tally = {
		.model = model,
		.samples = alloc__zeroed(stacks * MODEL_EVENTS_MAX, sizeof(uint64_t)),
		.child = alloc__zeroed(stacks, sizeof(uint32_t)),
		.sibling = alloc__zeroed(stacks, sizeof(uint32_t)),
		.above = alloc__zeroed(bodies, sizeof(uint32_t)),
		.self = alloc__zeroed(bodies * MODEL_EVENTS_MAX, sizeof(uint64_t)),
		.total = alloc__zeroed(bodies * MODEL_EVENTS_MAX, sizeof(uint64_t)),
	};

	count_ends(&tally);
	sum_up(&tally);
	walk(&tally);
	free(tally.samples);
	free(tally.child);
	free(tally.sibling);
	free(tally.above);
	*ret_self = tally.self;
	*ret_total = tally.total;
}
