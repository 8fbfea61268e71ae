// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Counting refusals by their cause: see refusals.h.
#include "refusals.h"

#include "../base/alloc.h"

#include <stdlib.h>
#include <string.h>

void refusals__add(struct refusals *refusals, const char *text)
{
	size_t size = strcspn(text, ";");

	refusals->total++;
	for (unsigned int i = 0; i < refusals->count; i++) {
		struct refusal *refusal = &refusals->items[i];

		if (strlen(refusal->text) == size && !strncmp(refusal->text, text, size)) {
			refusal->count++;
			return;
		}
	}
	alloc__grow(refusals->items, refusals->count, refusals->capacity);
	refusals->items[refusals->count++] =
		(struct refusal){ alloc__string_n(text, size), 1 };
}

void refusals__append(const struct refusals *refusals, struct buf *buf)
{
	if (refusals->total)
		buf__printf(buf, "; %u refused: ", refusals->total);
	for (unsigned int i = 0; i < refusals->count; i++)
		buf__printf(buf, "%s%u %s", i ? ", " : "", refusals->items[i].count,
			    refusals->items[i].text);
}

void refusals__free(struct refusals *refusals)
{
	for (unsigned int i = 0; i < refusals->count; i++)
		free(refusals->items[i].text);
	free(refusals->items);
	*refusals = (struct refusals){ NULL, 0, 0, 0 };
}
