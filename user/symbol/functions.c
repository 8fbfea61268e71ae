// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Functions by address: see functions.h.
#include "functions.h"

#include "../base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define NO_OUTER UINT32_MAX
/* Real code nests two or three deep.  Deeper, a made-up file would buy time. */
#define NESTING_MAX 64

void functions__add(struct functions *functions, const struct function *function)
{
	if (!function->size || function->start + function->size < function->start)
		return;
	alloc__grow(functions->items, functions->count, functions->capacity);
	functions->items[functions->count++] = *function;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* By start; of the same start the longest first, so that it is the outer one. */
static int compare_functions(const void *left, const void *right, void *names)
{
	const struct function *a = left, *b = right;
	int order = compare_numbers(a->start, b->start);

	if (!order)
		order = compare_numbers(b->size, a->size);
	if (!order)
		order = compare_numbers(a->rank, b->rank);
	if (!order && a->name && b->name)
		order = strcmp((const char *)names + a->name,
			       (const char *)names + b->name);
	return order;
}

/* What has no size of its own ends where the next function starts. */
static void cut_open_ends(struct functions *functions)
{
	uint64_t next = UINT64_MAX, start = UINT64_MAX;

	for (uint32_t i = functions->count; i > 0; i--) {
		struct function *item = &functions->items[i - 1];

		if (item->start != start)
			next = start;
		start = item->start;
		if (item->until_next && item->size > next - start)
			item->size = (uint32_t)(next - start);
	}
}

static void drop_same_bytes(struct functions *functions)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < functions->count; i++) {
		const struct function *item = &functions->items[i];

		if (kept && functions->items[kept - 1].start == item->start &&
		    functions->items[kept - 1].size == item->size)
			continue;
		functions->items[kept++] = *item;
	}
	functions->count = kept;
}

static uint64_t end_of(const struct function *function)
{
	return function->start + function->size;
}

/*
 *  outer   [---------------)      address x: the last start at or before x is
 *  inner      [---)               inner's, which does not hold it; inner.outer
 *                     x           is the nearest one before that can.
 */
static void link_outer(struct functions *functions)
{
	struct function *items = functions->items;

	for (uint32_t i = 0; i < functions->count; i++) {
		uint32_t outer = i ? i - 1 : NO_OUTER;

		while (outer != NO_OUTER && end_of(&items[outer]) <= end_of(&items[i]))
			outer = items[outer].outer;
		items[i].outer = outer;
	}
}

void functions__finish(struct functions *functions, const char *names)
{
	if (!functions->count)
		return;
	qsort_r(functions->items, functions->count, sizeof(*functions->items),
		compare_functions, (void *)names);
	cut_open_ends(functions);
	/* A cut may have brought two of the same start to the same size. */
	qsort_r(functions->items, functions->count, sizeof(*functions->items),
		compare_functions, (void *)names);
	drop_same_bytes(functions);
	link_outer(functions);
	functions->items = alloc__resize(functions->items, functions->count,
					 sizeof(*functions->items));
	functions->capacity = functions->count;
}

const struct function *functions__find(const struct functions *functions,
				       uint64_t address)
{
	uint32_t low = 0, high = functions->count, at;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (functions->items[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	at = low ? low - 1 : NO_OUTER;
	for (int i = 0; i < NESTING_MAX && at != NO_OUTER; i++) {
		if (address < end_of(&functions->items[at]))
			return &functions->items[at];
		at = functions->items[at].outer;
	}
	return NULL;
}

void functions__free(struct functions *functions)
{
	free(functions->items);
	*functions = (struct functions){NULL, 0, 0};
}
