// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Without a recording nobody needs the past: what is known of processes that have ended and of
 * code that is gone is swept out of the model, once that has grown to twice of what was left
 * last time.  So memory follows what is alive, and each row pays for being looked at about
 * once.
 */
#include "record.h"

#include "../base/log.h"

#include <inttypes.h>
#include <stdlib.h>

#define LEAST 8192u		/* rows and strings of a model that is worth it: some 4 MB */

static uint64_t least(void)
{
	const char *told = getenv("TIERSCOPE_SWEEP_FROM");	/* docs/TESTING.md */
	uint64_t rows = told ? strtoull(told, NULL, 10) : 0;

	return rows ? rows : LEAST;
}

static bool is_wanted_whole(const struct record *record)
{
	for (const struct record_sink *sink = record->sinks; sink; sink = sink->next)
		if (!sink->mark)
			return true;
	return false;
}

static bool mark(struct record *record, struct model_marks *marks, uint64_t now)
{
	for (struct record_sink *sink = record->sinks; sink; sink = sink->next)
		if (!sink->mark(sink, record, marks))
			return false;
	return recorder__mark(record->recorder, marks, now);
}

static void forget(struct record *record, const struct model_marks *marks)
{
	for (struct record_sink *sink = record->sinks; sink; sink = sink->next)
		sink->forget(sink, record, marks);
	recorder__forget(record->recorder, marks);
	model__sweep(record->model, marks);
}

void record__sweep(struct record *record, uint64_t now)
{
	uint64_t size = model__size(record->model), left;
	struct model_marks marks;

	if (!record->sweep_at)
		record->sweep_at = least();
	if (size < record->sweep_at || is_wanted_whole(record))
		return;
	model_marks__init(&marks, record->model);
	if (mark(record, &marks, now)) {
		forget(record, &marks);
		left = model__size(record->model);
		log__debug("swept: %" PRIu64 " of %" PRIu64 " rows and strings are left", left,
			   size);
		record->sweep_at = 2 * left > least() ? 2 * left : least();
	}
	model_marks__free(&marks);
}
