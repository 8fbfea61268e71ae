// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Since when a body is late is worked out once; then each sample is compared with it.
#include "late.h"

#include "view_internal.h"

#include "../base/alloc.h"
#include "../base/map.h"
#include "../base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NEVER	 UINT64_MAX
#define ROWS_MAX 10u

struct late_body {
	uint32_t body;
	uint64_t samples;
};

/* Bodies that the JIT makes to be replaced; those of a loop (OSR) are never published. */
static bool is_early(const struct model_body *body)
{
	return body->tier == TS_TIER_QUICK || body->tier == TS_TIER_QUICK_INSTRUMENTED ||
	       body->tier == TS_TIER_1_OSR;
}

/* The body that calls of each function reached when it was seen last. */
static struct map *find_reached(const struct model *model)
{
	struct map *reached = map__new();

	for (uint32_t i = 0; i < model__bodies(model); i++) {
		const struct model_body *body = model__body(model, i);

		if (body->published_ns[1] && !body->superseded_ns &&
		    !(body->flags & MODEL_BODY_FUNCTION_UNKNOWN))
			map__set(reached, body->process, body->function_id, i);
	}
	return reached;
}

/*
 * Since what is reached instead: code that was made to replace it, or that of a newer IL
 * version.  Of what is newer than that, nobody knows whether it is reached by now.
 */
static uint64_t late_since(const struct model *model, const struct map *reached,
			   uint32_t index)
{
	const struct model_body *body = model__body(model, index), *other;
	uint64_t since = body->superseded_ns ? body->superseded_ns : NEVER, number;

	if (!map__get(reached, body->process, body->function_id, &number) || number == index)
		return since;
	other = model__body(model, (uint32_t)number);
	if (other->born_ns > body->born_ns && other->published_ns[1] < since &&
	    (other->rejit_id != body->rejit_id ||
	     (is_early(body) && other->tier == TS_TIER_1)))
		since = other->published_ns[1];
	return since;
}

uint64_t *late__tally(const struct model *model)
{
	uint32_t bodies = model__bodies(model);
	uint64_t *since = alloc__zeroed((size_t)bodies + 1, sizeof(*since));
	uint64_t *late = alloc__zeroed((size_t)bodies * MODEL_EVENTS_MAX + 1, sizeof(*late));
	struct map *reached = find_reached(model);

	for (uint32_t i = 0; i < bodies; i++)
		since[i] = late_since(model, reached, i);
	for (size_t i = 0; i < model__samples(model); i++) {
		const struct model_sample *sample = model__sample(model, i);
		const struct model_frame *frame =
			model__frame(model, view__user_frame(model, sample->stack));

		if (view__frame_kind(frame) == MODEL_FRAME_BODY &&
		    sample->time_ns > since[frame->body])
			late[(size_t)frame->body * MODEL_EVENTS_MAX + sample->event] +=
				sample->weight;
	}
	map__free(reached);
	free(since);
	return late;
}

static int by_samples(const void *left, const void *right)
{
	const struct late_body *a = left, *b = right;

	if (a->samples != b->samples)
		return a->samples < b->samples ? 1 : -1;
	return a->body < b->body ? -1 : a->body > b->body;
}

static void append_row(const struct model *model, const struct late_body *row,
		       uint64_t samples, struct buf *buf)
{
	const struct model_body *body = model__body(model, row->body);

	buf__printf(buf, "%7.2f %10" PRIu64 "  ",
		    100.0 * (double)row->samples / (double)samples, row->samples);
	text__append_terminal(buf, model__text(model, body->name));
	buf__append_string(buf, " [");
	view__version_label(body, buf);
	buf__append_string(buf, "]\n");
}

void late__append(const struct model *model, const struct view_options *options,
		  uint64_t samples, struct buf *buf)
{
	struct late_body *rows = NULL;
	uint32_t count = 0, capacity = 0;
	uint64_t *late = late__tally(model), sum = 0;

	for (uint32_t i = 0; i < model__bodies(model); i++) {
		uint64_t own = late[(size_t)i * MODEL_EVENTS_MAX + options->event];

		if (!own)
			continue;
		alloc__grow(rows, count, capacity);
		rows[count++] = (struct late_body){ i, own };
		sum += own;
	}
	if (!count)
		goto out;
	qsort(rows, count, sizeof(*rows), by_samples);
	buf__printf(buf, "\nlate: %" PRIu64 " samples, in code that calls did not reach any more\n"
		    " late %%       late  name\n", sum);
	for (uint32_t i = 0; i < count && i < ROWS_MAX; i++)
		append_row(model, &rows[i], samples, buf);
	if (count > ROWS_MAX)
		buf__printf(buf, "        and %u more\n", count - ROWS_MAX);
out:
	free(rows);
	free(late);
}
