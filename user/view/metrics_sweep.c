// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What metrics need of a model that is swept, and what they keep of what goes.
#include "metrics_internal.h"

#include "../base/alloc.h"

#include <stdlib.h>

/* Nothing more is told of the process, whatever comes. */
static bool is_forgotten(const struct metrics *metrics, uint32_t process)
{
	return process < metrics->slots_room && metrics->slots[process] == METRICS_FORGOTTEN;
}

void metrics__mark(const struct metrics *metrics, const struct model *model,
		   struct model_marks *marks)
{
	for (uint32_t i = 0; i < model__processes(model); i++)
		if (!is_forgotten(metrics, i) &&
		    (!metrics__process(metrics, i) ||
		     deltas__has_leaves(&metrics->deltas, model, i)))
			model_marks__process(marks, i);
	for (uint32_t i = 0; i < model__bodies(model); i++)
		if (!is_forgotten(metrics, model__body(model, i)->process) &&
		    deltas__has_body(&metrics->deltas, model, i))
			model_marks__body(marks, i);
	metrics_code__mark(metrics, model, marks);
}

static void sweep_labels(struct metrics *metrics)
{
	uint8_t *kept = alloc__zeroed((size_t)pool__count(metrics->labels) + 1, 1);

	for (uint32_t i = 0; i < metrics->processes_count; i++)
		if (metrics->processes[i].used)
			kept[metrics->processes[i].name] = 1;
	for (uint32_t i = 0; i < metrics->methods_count; i++)
		kept[metrics->methods[i].name] = 1;
	for (uint32_t i = 0; i < metrics->versions_count; i++)
		kept[metrics->versions[i].name] = 1;
	pool__sweep(metrics->labels, kept);
	free(kept);
}

void metrics__forget(struct metrics *metrics, const struct model *model,
		     const struct model_marks *marks)
{
	metrics_code__sweep(metrics, model, marks);
	deltas__forget(&metrics->deltas, marks);
	for (uint32_t i = 0; i < metrics->slots_room; i++)
		if (model_marks__drops_process(marks, i))
			metrics->slots[i] = 0;
	metrics__forget_methods(metrics, marks);
	sweep_labels(metrics);
}
