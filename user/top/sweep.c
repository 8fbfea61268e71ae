// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What the full-screen view needs of a model that is swept: see top__mark.
#include "top_internal.h"

#include "../view/stat.h"

#include <string.h>

static void mark_key(const struct top_key *key, struct model_marks *marks)
{
	model_marks__process(marks, key->process);
	if (key->kind != MODEL_FRAME_BODY)
		return;
	if (key->level == TOP_BODY)
		model_marks__body(marks, key->number);
	else if (key->level == TOP_METHOD)
		model_marks__string(marks, key->number);
}

static void mark_sample(void *context, const struct recent_sample *sample)
{
	struct model_marks *marks = context;

	model_marks__process(marks, sample->process);
	for (uint32_t i = 0; i < sample->frames_count; i++)
		model_marks__frame(marks, sample->frames[i]);
}

/* Of changes and stacks only those that are young enough to be shown once more. */
void top__mark(const struct top *top, const struct model *model, const struct top_key *key,
	       struct model_marks *marks)
{
	uint64_t to_ns = top->stat->to_ns;
	uint64_t changes_ns = to_ns > TOP_CHANGES_NS ? to_ns - TOP_CHANGES_NS : 0;
	uint64_t recent_ns = to_ns > TOP_RECENT_NS ? to_ns - TOP_RECENT_NS : 0;

	stat_view__mark(top->stat, model, marks);
	for (uint32_t level = 0; level < TOP_LEVELS; level++) {
		for (uint32_t i = 0; i < top->tables[level].count; i++) {
			const struct top_counted *row = &top->tables[level].rows[i];

			mark_key(&row->key, marks);
			model_marks__body(marks, row->hottest);
		}
	}
	for (uint32_t i = 0; i < TOP_CHANGES_KEPT; i++)
		if (top->changes[i].time_ns >= changes_ns)
			model_marks__body(marks, top->changes[i].body);
	for (unsigned int event = 0; event < MODEL_EVENTS_MAX; event++)
		if (top->recent[event])
			recent__each(top->recent[event], recent_ns, mark_sample, marks);
	for (uint32_t i = 0; i < model__bodies(model); i++)
		if (i >= top->bodies_room || !top->bodies_seen[i])
			model_marks__body(marks, i);
	if (key)
		mark_key(key, marks);
}

void top__forget(struct top *top, const struct model_marks *marks)
{
	stat_view__forget(top->stat, marks);
	for (uint32_t i = 0; i < top->bodies_room; i++)
		if (model_marks__drops_body(marks, i))
			top->bodies_seen[i] = 0;
}
