// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Rows of methods and versions: which columns there is room for, and what stands in them.
#include "frame_internal.h"

#include "../view/stat.h"

#include <stdio.h>
#include <string.h>

#define WIDE	   100u		/* columns from which on there is room for words */
#define NAME_LEAST 20u
#define COUNT_LEAST 9u
#define COUNT_MOST 22u

/* Who has to go first when there is no room; 0 stays. */
static const unsigned int dispensable[] = {
	[COLUMN_COUNT] = 1,		/* of other events than the chosen one */
	[COLUMN_TREND] = 2, [COLUMN_PROCESS] = 3, [COLUMN_AGE] = 4, [COLUMN_STATE] = 5,
	[COLUMN_TIER] = 6, [COLUMN_TOTAL] = 7, [COLUMN_SELF] = 0, [COLUMN_NAME] = 0,
};

static void add(struct columns *columns, enum column_kind kind, unsigned int width,
		uint32_t event)
{
	columns->items[columns->count++] =
		(struct column){ .kind = kind, .width = width, .event = event };
}

static unsigned int count_width(const struct top_snapshot *snapshot, uint32_t event,
				unsigned int width)
{
	size_t name = strlen(snapshot->text + snapshot->events[event].name) +
		      (snapshot->events[event].is_time ? 3 : 0);

	if (width < WIDE || name < COUNT_LEAST)
		return COUNT_LEAST;
	return name < COUNT_MOST ? (unsigned int)name : COUNT_MOST;
}

static unsigned int rest(const struct columns *columns, unsigned int width)
{
	unsigned int used = 0;

	for (unsigned int i = 0; i < columns->count; i++)
		used += columns->items[i].width + 1;
	return used < width ? width - used : 0;
}

static bool can_go(const struct column *column, const struct top_state *state)
{
	return dispensable[column->kind] &&
	       (column->kind != COLUMN_COUNT || column->event != state->event);
}

/* The last of those that are least missed; false: all have to stay. */
static bool remove_one(struct columns *columns, const struct top_state *state)
{
	unsigned int least = COLUMNS_MOST;

	for (unsigned int i = 0; i < columns->count; i++)
		if (can_go(&columns->items[i], state) &&
		    (least == COLUMNS_MOST || dispensable[columns->items[i].kind] <=
						      dispensable[columns->items[least].kind]))
			least = i;
	if (least == COLUMNS_MOST)
		return false;
	columns->count--;
	memmove(&columns->items[least], &columns->items[least + 1],
		(columns->count - least) * sizeof(columns->items[0]));
	return true;
}

void columns__choose(const struct top_snapshot *snapshot, const struct top_state *state,
		     unsigned int width, struct columns *ret_columns)
{
	bool wide = width >= WIDE;
	unsigned int at = 0;

	*ret_columns = (struct columns){ .count = 0 };
	add(ret_columns, COLUMN_SELF, 6, 0);
	add(ret_columns, COLUMN_TOTAL, 6, 0);
	for (uint32_t i = 0; i < snapshot->events_count; i++)
		add(ret_columns, COLUMN_COUNT, count_width(snapshot, i, width), i);
	if (snapshot->several)
		add(ret_columns, COLUMN_PROCESS, wide ? 20 : 12, 0);
	add(ret_columns, COLUMN_TIER, wide ? 16 : 11, 0);
	add(ret_columns, COLUMN_AGE, 4, 0);
	add(ret_columns, COLUMN_STATE, wide ? 10 : 5, 0);
	add(ret_columns, COLUMN_TREND, wide ? TOP_TREND : 8, 0);
	while (rest(ret_columns, width) < NAME_LEAST && remove_one(ret_columns, state))
		;
	add(ret_columns, COLUMN_NAME, rest(ret_columns, width), 0);
	for (unsigned int i = 0; i < ret_columns->count; i++) {
		ret_columns->items[i].at = at;
		at += ret_columns->items[i].width + 1;
	}
}

/* --- the head ------------------------------------------------------------ */

static const char *head_of(const struct column *column, const struct top_snapshot *snapshot,
			   const struct top_state *state, char text[64])
{
	static const char *const words[] = {
		[COLUMN_SELF] = "self %", [COLUMN_TOTAL] = "total%",
		[COLUMN_PROCESS] = "process", [COLUMN_TIER] = "tier", [COLUMN_AGE] = " age",
		[COLUMN_STATE] = "state", [COLUMN_TREND] = "trend", [COLUMN_NAME] = "method",
	};
	const struct top_event *event = &snapshot->events[column->event];

	if (column->kind == COLUMN_NAME && state->group == TOP_TIER)
		return "tier, and its code versions";
	if (column->kind != COLUMN_COUNT)
		return words[column->kind];
	snprintf(text, 64, "%s%s", snapshot->text + event->name,
		 event->is_time && column->width >= COUNT_LEAST + 3 ? " ms" : "");
	return text;
}

static bool is_sorted_by(const struct column *column, const struct top_state *state)
{
	static const enum column_kind kinds[TOP_SORTS] = {
		[TOP_BY_SELF] = COLUMN_SELF, [TOP_BY_TOTAL] = COLUMN_TOTAL,
		[TOP_BY_AGE] = COLUMN_AGE, [TOP_BY_TIER] = COLUMN_TIER,
		[TOP_BY_NAME] = COLUMN_NAME,
	};

	return kinds[state->sort] == column->kind;
}

void columns__draw_head(const struct columns *columns, const struct top_snapshot *snapshot,
			const struct top_state *state, struct cells *cells, unsigned int row)
{
	char text[64];

	for (unsigned int i = 0; i < columns->count; i++) {
		const struct column *column = &columns->items[i];
		const char *head = head_of(column, snapshot, state, text);
		unsigned int width = cells__width(cells, head);
		unsigned int pad = column->kind == COLUMN_COUNT && width < column->width ?
				   column->width - width : 0;

		cells__put(cells, row, column->at + pad, column->width - pad,
			   is_sorted_by(column, state) ? CELL_BOLD : CELL_PLAIN, head);
	}
	cells__style_row(cells, row, CELL_REVERSE);
}

/* --- a row --------------------------------------------------------------- */

/* How large each was, next to the largest. */
static void draw_trend(const struct column *column, const uint16_t trend[TOP_TREND],
		       struct cells *cells, unsigned int row)
{
	static const char *const blocks[] = { " ", "\u2581", "\u2582", "\u2583", "\u2584",
					      "\u2585", "\u2586", "\u2587", "\u2588" };
	static const char *const plain[] = { " ", ".", ":", "-", "=", "+", "*", "#", "#" };
	unsigned int most = 1;

	for (unsigned int i = 0; i < TOP_TREND; i++)
		most = trend[i] > most ? trend[i] : most;
	for (unsigned int i = 0; i < column->width && i < TOP_TREND; i++) {
		unsigned int value = trend[TOP_TREND - 1 - i];
		unsigned int height = (8 * value + most - 1) / most;

		cells__put(cells, row, column->at + column->width - 1 - i, 1, CELL_CYAN,
			   cells->utf8 ? blocks[height] : plain[height]);
	}
}

static const char *short_state(const char *state, unsigned int width)
{
	if (strlen(state) <= width)
		return state;
	return !strcmp(state, "published") ? "publ" : !strcmp(state, "superseded") ? "super" :
	       state;
}

static void draw_count(const struct column *column, const struct top_snapshot *snapshot,
		       const struct top_row *what, struct cells *cells, unsigned int row)
{
	const struct top_event *event = &snapshot->events[column->event];
	uint64_t count = what->self[column->event] * (event->period ? event->period : 1);

	if (event->is_time)
		frame__put(cells, row, column->at, column->width, CELL_PLAIN, "%*.1f",
			   (int)column->width, (double)count / 1e6);
	else
		frame__put(cells, row, column->at, column->width, CELL_PLAIN, "%*llu",
			   (int)column->width, (unsigned long long)count);
}

/* What a row is beyond its numbers is what its body is.  A tier is no more than many. */
static void draw_body(const struct column *column, const struct top_snapshot *snapshot,
		      const struct columns_row *what, struct cells *cells, unsigned int row)
{
	const struct top_row *body = what->body;
	uint64_t now = snapshot->to_ns;
	char age[8];

	if (!body || body->key.kind != MODEL_FRAME_BODY)
		return;
	if (what->row->key.level == TOP_TIER) {
		if (column->kind == COLUMN_TIER)
			frame__put(cells, row, column->at, column->width, CELL_DIM, "%u ran",
				   what->row->bodies);
	} else if (column->kind == COLUMN_STATE) {
		cells__put(cells, row, column->at, column->width,
			   !strcmp(body->state, "superseded") ? CELL_YELLOW : CELL_PLAIN,
			   short_state(body->state, column->width));
	} else if (column->kind == COLUMN_AGE) {
		frame__age(now > body->born_ns ? now - body->born_ns : 0, age);
		if (body->source == MODEL_SOURCE_EVENT)
			frame__put(cells, row, column->at, column->width, CELL_PLAIN, "%4s", age);
		else		/* it was there before we were */
			cells__put(cells, row, column->at + 3, 1, CELL_PLAIN, "-");
	} else if (what->row->bodies > 1) {
		frame__put(cells, row, column->at, column->width, frame__tier_style(body->tier),
			   "%s +%u", what->text + body->label, what->row->bodies - 1);
	} else {
		cells__put(cells, row, column->at, column->width, frame__tier_style(body->tier),
			   what->text + body->label);
	}
}

static void draw_name(const struct column *column, const struct columns_row *what,
		      const struct top_state *state, struct cells *cells, unsigned int row)
{
	const struct top_line *line = what->line;
	const char *name = what->text + what->row->name;
	unsigned int at = column->at, width = column->width;

	if (line && width > 2) {
		if (line->folded)
			cells__put(cells, row, at, 1, CELL_BOLD, line->open ? "-" : "+");
		at += 2;
		width -= 2;
	}
	if (what->row->key.level == TOP_BODY && what->row->key.kind == MODEL_FRAME_BODY &&
	    (!line || (line->child && state->group == TOP_METHOD)))
		frame__put(cells, row, at, width, CELL_PLAIN, "%snative %u 0x%llx",
			   line ? "  " : "", what->row->native_version,
			   (unsigned long long)what->row->start);
	else if (line && line->child && width > 2)
		cells__put(cells, row, at + 2, width - 2, CELL_PLAIN,
			   frame__short_name(cells, name, width - 2));
	else
		cells__put(cells, row, at, width, CELL_PLAIN,
			   frame__short_name(cells, name, width));
}

void columns__draw(const struct columns *columns, const struct top_snapshot *snapshot,
		   const struct top_state *state, const struct columns_row *what,
		   struct cells *cells, unsigned int row)
{
	uint64_t all = what->all[state->event];

	for (unsigned int i = 0; i < columns->count; i++) {
		const struct column *column = &columns->items[i];

		switch (column->kind) {
		case COLUMN_SELF:
		case COLUMN_TOTAL:
			frame__put(cells, row, column->at, column->width, CELL_PLAIN, "%6.2f",
				   stat__share(column->kind == COLUMN_SELF ?
					       what->row->self[state->event] :
					       what->row->total[state->event], all));
			break;
		case COLUMN_COUNT:
			draw_count(column, snapshot, what->row, cells, row);
			break;
		case COLUMN_PROCESS:
			cells__put(cells, row, column->at, column->width, CELL_PLAIN,
				   what->text + what->row->process);
			break;
		case COLUMN_TIER:
		case COLUMN_AGE:
		case COLUMN_STATE:
			draw_body(column, snapshot, what, cells, row);
			break;
		case COLUMN_TREND:
			draw_trend(column, what->row->trend[state->event], cells, row);
			break;
		case COLUMN_NAME:
			draw_name(column, what, state, cells, row);
			break;
		}
	}
}
