// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// See unused.h.
#include "unused.h"

#include "alloc.h"

#include <stdlib.h>

void unused__add(struct unused *unused, uint32_t number)
{
	alloc__grow(unused->numbers, unused->count, unused->capacity);
	unused->numbers[unused->count++] = number;
}

bool unused__take(struct unused *unused, uint32_t *ret_number)
{
	if (!unused->count)
		return false;
	*ret_number = unused->numbers[--unused->count];
	return true;
}

void unused__free(struct unused *unused)
{
	free(unused->numbers);
	*unused = (struct unused){ .numbers = NULL };
}
