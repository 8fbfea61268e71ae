// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Samples brought together by stack: see view_internal.h.
#include "view_internal.h"

#include "../base/alloc.h"

#include <stdlib.h>
#include <string.h>

void view__counting_sort(uint32_t *order, uint32_t *scratch, size_t count,
			 const uint32_t *key, uint32_t buckets)
{
	size_t *start = alloc__zeroed((size_t)buckets + 1, sizeof(*start));

	for (size_t i = 0; i < count; i++)
		start[key[order[i]] + 1]++;
	for (uint32_t bucket = 0; bucket < buckets; bucket++)
		start[bucket + 1] += start[bucket];
	for (size_t i = 0; i < count; i++)
		scratch[start[key[order[i]]]++] = order[i];
	memcpy(order, scratch, count * sizeof(*order));
	free(start);
}

/* The samples that are shown: thread, process and stack of each; returns how many. */
static size_t gather(const struct model *model, const struct view_options *options,
		     uint32_t *thread, uint32_t *process, uint32_t *stack, uint64_t *weight,
		     uint32_t *order)
{
	size_t count = 0;

	for (size_t i = 0; i < model__samples(model); i++) {
		const struct model_sample *sample = model__sample(model, i);

		weight[count] = view__weight(model, options, sample);
		if (!weight[count])
			continue;
		thread[count] = sample->thread;
		process[count] = view__sample_process(model, sample);
		stack[count] = sample->stack;
		order[count] = (uint32_t)count;
		count++;
	}
	return count;
}

size_t view__distinct_stacks(const struct model *model,
			     const struct view_options *options,
			     struct view_stack_count **ret_stacks)
{
	size_t room = model__samples(model), used = 0, capacity = 0, count;
	uint32_t *thread = alloc__zeroed(room, sizeof(*thread));
	uint32_t *process = alloc__zeroed(room, sizeof(*process));
	uint32_t *stack = alloc__zeroed(room, sizeof(*stack));
	uint64_t *weight = alloc__zeroed(room, sizeof(*weight));
	uint32_t *order = alloc__zeroed(room, sizeof(*order));
	uint32_t *scratch = alloc__zeroed(room, sizeof(*scratch));
	struct view_stack_count *stacks = NULL;

	count = gather(model, options, thread, process, stack, weight, order);
	view__counting_sort(order, scratch, count, stack, model__stacks(model));
	if (options->per_thread)
		view__counting_sort(order, scratch, count, thread,
				    model__threads(model));
	view__counting_sort(order, scratch, count, process, model__processes(model));
	for (size_t i = 0; i < count; i++) {
		uint32_t at = order[i];

		if (!used || stacks[used - 1].process != process[at] ||
		    stacks[used - 1].stack != stack[at] ||
		    (options->per_thread && stacks[used - 1].thread != thread[at])) {
			alloc__grow(stacks, used, capacity);
			stacks[used++] = (struct view_stack_count){
				.process = process[at],
				.stack = stack[at],
				.thread = thread[at],
			};
		}
		stacks[used - 1].count += weight[at];
	}
	free(thread);
	free(process);
	free(stack);
	free(weight);
	free(order);
	free(scratch);
	*ret_stacks = stacks;
	return used;
}
