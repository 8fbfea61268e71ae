// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The differences between two looks at the model's running counts, as rows.
#include "stat.h"

#include "view_internal.h"

#include "../base/alloc.h"
#include "../base/map.h"

#include <stdlib.h>
#include <string.h>

struct stat_view *stat_view__new(const struct stat_options *options)
{
	struct stat_view *view = alloc__zeroed(1, sizeof(*view));

	view->options = *options;
	return view;
}

void stat_view__free(struct stat_view *view)
{
	if (!view)
		return;
	deltas__free(&view->deltas);
	free(view->rows);
	free(view);
}

/* What rows are told apart by, beside process and kind. */
static uint64_t key_of(const struct stat_view *view, const struct model *model,
		       uint32_t index)
{
	const struct model_body *body = model__body(model, index);

	switch (view->options.by) {
	case STAT_BY_BODY:
		return index;
	case STAT_BY_METHOD:
		return body->name;
	case STAT_BY_TIER:
		break;
	}
	return view__tier(body);
}

static void add(struct stat_view *view, struct map *numbers, uint64_t key,
		const struct stat_row *row)
{
	uint64_t number;

	if (!map__add(numbers, (uint64_t)row->kind << 32 | row->process, key,
		      view->rows_count, &number)) {
		view->rows[number].bodies += row->bodies;
		deltas__add(view->rows[number].samples, row->samples);
	} else {
		alloc__grow(view->rows, view->rows_count, view->rows_capacity);
		view->rows[view->rows_count++] = *row;
	}
	view->several |= row->process != view->rows[0].process;
	deltas__add(view->samples, row->samples);
}

static void collect(struct stat_view *view, const struct model *model)
{
	struct map *numbers = map__new();
	struct stat_row row;

	deltas__begin(&view->deltas, model);
	for (uint32_t i = 0; i < model__bodies(model); i++) {
		row = (struct stat_row){ .process = model__body(model, i)->process,
					 .kind = MODEL_FRAME_BODY, .body = i, .bodies = 1 };
		if (deltas__body(&view->deltas, model, i, row.samples))
			add(view, numbers, key_of(view, model, i), &row);
	}
	for (uint32_t i = 0; i < model__processes(model); i++) {
		for (uint32_t kind = MODEL_FRAME_BODY + 1; kind < MODEL_FRAME_KINDS; kind++) {
			row = (struct stat_row){ .process = i, .kind = kind,
						 .body = MODEL_NONE };
			if (deltas__leaf(&view->deltas, model, i, kind, row.samples))
				add(view, numbers, 0, &row);
		}
	}
	map__free(numbers);
}

struct order {
	const struct model *model;
	uint32_t sort;
};

static const char *name_of(const struct model *model, const struct stat_row *row)
{
	const struct model_body *body = model__body(model, row->body);

	return body ? model__text(model, body->name) : "";
}

static uint64_t weight(const struct order *order, const struct stat_row *row)
{
	return order->sort < MODEL_EVENTS_MAX ? row->samples[order->sort] : 0;
}

static int compare(const void *left, const void *right, void *context)
{
	const struct stat_row *a = left, *b = right;
	const struct order *order = context;
	int by_name;

	if (weight(order, a) != weight(order, b))
		return weight(order, a) < weight(order, b) ? 1 : -1;
	by_name = strcmp(name_of(order->model, a), name_of(order->model, b));
	if (by_name)
		return by_name;
	if (a->process != b->process)
		return a->process < b->process ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return a->body < b->body ? -1 : a->body > b->body;
}

void stat_view__mark(const struct stat_view *view, const struct model *model,
		     struct model_marks *marks)
{
	deltas__mark(&view->deltas, model, marks);
}

void stat_view__forget(struct stat_view *view, const struct model_marks *marks)
{
	deltas__forget(&view->deltas, marks);
}

void stat_view__lost(struct stat_view *view, uint64_t so_far)
{
	view->lost = so_far > view->lost_so_far ? so_far - view->lost_so_far : 0;
	/* While recording it can be ahead by what is under way. */
	if (view->lost)
		view->lost_so_far = so_far;
}

void stat_view__look(struct stat_view *view, const struct model *model, uint64_t from_ns,
		     uint64_t to_ns)
{
	view->from_ns = from_ns;
	view->to_ns = to_ns;
	view->rows_count = 0;
	view->several = false;
	memset(view->samples, 0, sizeof(view->samples));
	collect(view, model);
}

int stat_view__write(struct stat_view *view, const struct model *model, uint64_t from_ns,
		     uint64_t to_ns, struct buf *buf)
{
	struct order order = { model, view->options.sort };
	int err;

	stat_view__look(view, model, from_ns, to_ns);
	if (view->rows_count)
		qsort_r(view->rows, view->rows_count, sizeof(*view->rows), compare, &order);
	err = stat_view__format(view, model, buf);
	view->has_begun = true;
	return err;
}
