// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The rows of a snapshot as they stand on the screen: grouped, searched, sorted, unfolded.
#include "state.h"

#include "../base/alloc.h"

#include <stdlib.h>
#include <string.h>

struct building {
	const struct top_snapshot *snapshot;
	const struct top_state *state;
	struct top_lines *lines;
	uint32_t capacity;
};

/* Which body a row tells of: itself, or its hottest; NULL: of none. */
static const struct top_row *body_of(const struct top_snapshot *snapshot,
				     const struct top_row *row)
{
	if (row->key.level == TOP_BODY)
		return row;
	return row->hottest == MODEL_NONE ? NULL :
	       &snapshot->levels[TOP_BODY].rows[row->hottest];
}

#define MOST_FIRST(left, right) \
	do { \
		if ((left) != (right)) \
			return (left) < (right) ? 1 : -1; \
	} while (0)

static int compare(const void *left, const void *right, void *context)
{
	const struct building *building = context;
	const struct top_snapshot *snapshot = building->snapshot;
	const struct top_row *a = ((const struct top_line *)left)->row;
	const struct top_row *b = ((const struct top_line *)right)->row;
	const struct top_row *body_a = body_of(snapshot, a), *body_b = body_of(snapshot, b);
	uint32_t event = building->state->event;
	int by_name;

	switch (building->state->sort) {
	case TOP_BY_TOTAL:
		MOST_FIRST(a->total[event], b->total[event]);
		break;
	case TOP_BY_AGE:
		MOST_FIRST(body_a ? body_a->born_ns : 0, body_b ? body_b->born_ns : 0);
		break;
	case TOP_BY_TIER:
		MOST_FIRST(body_a ? (int)body_a->tier : -1, body_b ? (int)body_b->tier : -1);
		break;
	case TOP_BY_NAME:
		by_name = strcmp(snapshot->text + a->name, snapshot->text + b->name);
		if (by_name)
			return by_name;
		break;
	case TOP_BY_SELF:
	case TOP_SORTS:
		break;
	}
	MOST_FIRST(a->self[event], b->self[event]);
	MOST_FIRST(a->total[event], b->total[event]);
	by_name = strcmp(snapshot->text + a->name, snapshot->text + b->name);
	if (by_name)
		return by_name;
	MOST_FIRST(b->key.process, a->key.process);
	MOST_FIRST(b->key.kind, a->key.kind);
	MOST_FIRST(b->key.number, a->key.number);
	return 0;
}

static bool has_part(const struct building *building, const struct top_row *row)
{
	return strcasestr(building->snapshot->text + row->name, building->state->search);
}

static bool is_open(const struct top_state *state, const struct top_key *key)
{
	for (uint32_t i = 0; i < state->open_count; i++)
		if (top_key__is(&state->open[i], key))
			return true;
	return false;
}

static void add(struct building *building, const struct top_line *line)
{
	struct top_lines *lines = building->lines;

	alloc__grow(lines->lines, lines->count, building->capacity);
	lines->lines[lines->count++] = *line;
}

/* In tiers, which have no names of their own, it is bodies that are searched. */
static void add_bodies(struct building *building, uint32_t group)
{
	const struct top_rows *bodies = &building->snapshot->levels[TOP_BODY];
	uint32_t level = building->state->group, from = building->lines->count;

	for (uint32_t i = 0; i < bodies->count; i++)
		if (bodies->rows[i].groups[level] == group &&
		    bodies->rows[i].key.kind == MODEL_FRAME_BODY &&
		    (level != TOP_TIER || has_part(building, &bodies->rows[i])))
			add(building, &(struct top_line){ .row = &bodies->rows[i],
							  .child = true });
	if (building->lines->count > from)
		qsort_r(&building->lines->lines[from], building->lines->count - from,
			sizeof(struct top_line), compare, building);
}

static void find_place(struct top_lines *lines, const struct top_state *state)
{
	lines->place = state->place < lines->count ? state->place :
		       lines->count ? lines->count - 1 : 0;
	if (!state->chosen)
		lines->place = 0;
	for (uint32_t i = 0; state->chosen && i < lines->count; i++)
		if (top_key__is(&lines->lines[i].row->key, &state->selected))
			lines->place = i;
}

void top_lines__build(struct top_lines *ret_lines, const struct top_snapshot *snapshot,
		      const struct top_state *state)
{
	struct building groups = { snapshot, state, &(struct top_lines){ 0 }, 0 };
	struct building building = { snapshot, state, ret_lines, 0 };
	const struct top_rows *rows;

	*ret_lines = (struct top_lines){ 0 };
	if (!snapshot)
		return;
	rows = &snapshot->levels[state->group];
	for (uint32_t i = 0; i < rows->count; i++)
		if (state->group == TOP_TIER || has_part(&groups, &rows->rows[i]))
			add(&groups, &(struct top_line){ .row = &rows->rows[i] });
	if (groups.lines->count)
		qsort_r(groups.lines->lines, groups.lines->count, sizeof(struct top_line),
			compare, &groups);
	for (uint32_t i = 0; i < groups.lines->count; i++) {
		struct top_line line = groups.lines->lines[i];

		line.folded = line.row->key.kind == MODEL_FRAME_BODY;
		line.open = line.folded && is_open(state, &line.row->key);
		add(&building, &line);
		if (line.open)
			add_bodies(&building, (uint32_t)(line.row - rows->rows));
	}
	free(groups.lines->lines);
	find_place(ret_lines, state);
}

void top_lines__free(struct top_lines *lines)
{
	free(lines->lines);
	*lines = (struct top_lines){ 0 };
}
