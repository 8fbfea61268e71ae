// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// See ranges.h.
#include "ranges.h"

#include "../base/alloc.h"

#include <stdlib.h>
#include <string.h>

static void remove_at(struct ranges *ranges, uint32_t index)
{
	memmove(ranges->items + index, ranges->items + index + 1,
		(ranges->count - index - 1) * sizeof(*ranges->items));
	ranges->count--;
}

void ranges__give(struct ranges *ranges, uint32_t first, uint32_t count)
{
	uint32_t at = 0;

	while (at < ranges->count && ranges->items[at].first < first)
		at++;
	alloc__grow(ranges->items, ranges->count, ranges->capacity);
	memmove(ranges->items + at + 1, ranges->items + at,
		(ranges->count - at) * sizeof(*ranges->items));
	ranges->items[at] = (struct range){ first, count };
	ranges->count++;
	if (at + 1 < ranges->count && first + count == ranges->items[at + 1].first) {
		ranges->items[at].count += ranges->items[at + 1].count;
		remove_at(ranges, at + 1);
	}
	if (at && ranges->items[at - 1].first + ranges->items[at - 1].count == first) {
		ranges->items[at - 1].count += ranges->items[at].count;
		remove_at(ranges, at);
	}
}

bool ranges__take(struct ranges *ranges, uint32_t count, uint32_t *ret_first)
{
	for (uint32_t i = 0; i < ranges->count; i++) {
		struct range *range = &ranges->items[i];

		if (range->count < count)
			continue;
		*ret_first = range->first;
		range->first += count;
		range->count -= count;
		if (!range->count)
			remove_at(ranges, i);
		return true;
	}
	return false;
}

void ranges__free(struct ranges *ranges)
{
	free(ranges->items);
	*ranges = (struct ranges){ NULL, 0, 0 };
}
