// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * The screen:
 *
 *   tierscope top  demo 60                                    12.3 s  every 1 s
 *   cpu-clock 198 samples  99.5 % of managed attributed  213 versions  0 lost
 *   tiers  tier1 80.1  tier0 12.0  native 7.9
 *   new    3 tier-ups  1 osr  0 rejits in 10 s: Shop.Score(int) [tier1] 2s, ...
 *   self % total% cpu-clock tier  age state trend  method
 *   rows
 *   keys
 */
#include "frame_internal.h"

#include "../model/name.h"
#include "../view/stat.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define HEAD_ROWS 4u		/* above the heads of columns */
#define FOOT_ROWS 1u

unsigned int frame__put(struct cells *cells, unsigned int row, unsigned int column,
			unsigned int width, uint32_t style, const char *format, ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return cells__put(cells, row, column, width, style, text);
}

uint32_t frame__tier_style(uint32_t tier)
{
	static const uint32_t styles[TS_TIER_COUNT] = {
		[TS_TIER_QUICK] = CELL_RED, [TS_TIER_QUICK_INSTRUMENTED] = CELL_MAGENTA,
		[TS_TIER_1_INSTRUMENTED] = CELL_MAGENTA, [TS_TIER_1] = CELL_GREEN,
		[TS_TIER_1_OSR] = CELL_YELLOW, [TS_TIER_OPTIMIZED] = CELL_GREEN,
		[TS_TIER_MIN_OPT] = CELL_RED, [TS_TIER_READY_TO_RUN] = CELL_CYAN,
	};

	return tier < TS_TIER_COUNT ? styles[tier] : CELL_PLAIN;
}

const char *frame__short_name(const struct cells *cells, const char *name, unsigned int width)
{
	const char *method = NULL, *type = NULL;	/* the dots before them */
	int depth = 0;

	if (cells__width(cells, name) <= width)
		return name;
	for (const char *at = name; *at && (depth || (*at != '(' && *at != ' ')); at++) {
		depth += *at == '<' ? 1 : *at == '>' ? -1 : 0;
		if (depth || *at != '.' || at == name || at[-1] == '.')	/* "..ctor" */
			continue;
		type = method;
		method = at;
	}
	return type ? type + 1 : name;
}

void frame__age(uint64_t ns, char ret_text[8])
{
	uint64_t seconds = ns / 1000000000;

	if (seconds < 1000)
		snprintf(ret_text, 8, "%us", (unsigned int)seconds);
	else if (seconds < 60 * 1000)
		snprintf(ret_text, 8, "%um", (unsigned int)(seconds / 60));
	else if (seconds < 3600 * 100)
		snprintf(ret_text, 8, "%uh", (unsigned int)(seconds / 3600));
	else
		snprintf(ret_text, 8, "%ud", (unsigned int)(seconds / 86400 % 1000));
}

unsigned int sheet__next(struct sheet *sheet)
{
	uint32_t line = sheet->lines++;

	if (line < sheet->scroll || line - sheet->scroll >= sheet->to - sheet->from)
		return UINT32_MAX;
	return sheet->from + (line - sheet->scroll);
}

/* --- the head of the screen ---------------------------------------------- */

static void draw_title(const struct top_snapshot *snapshot, const struct top_state *state,
		       struct cells *cells)
{
	unsigned int at = cells__put(cells, 0, 0, cells->columns, CELL_BOLD, "tierscope top"), to;
	char right[64];

	snprintf(right, sizeof(right), "%s%.1f s  every %g s", state->paused ? "PAUSED  " : "",
		 (double)(snapshot->to_ns - snapshot->session.start_ns) / 1e9,
		 (double)snapshot->session.interval_ns / 1e9);
	to = (unsigned int)strlen(right) + 2;
	if (cells->columns <= at + 2 + to)
		return;
	cells__put(cells, 0, at + 2, cells->columns - at - 2 - to, CELL_PLAIN,
		   snapshot->text + snapshot->title);
	cells__put(cells, 0, cells->columns - to + 2, to,
		   state->paused ? CELL_BOLD | CELL_YELLOW : CELL_PLAIN, right);
}

static void draw_session(const struct top_snapshot *snapshot, const struct top_state *state,
			 struct cells *cells)
{
	const struct top_session *session = &snapshot->session;
	const struct top_event *event = &snapshot->events[state->event];

	frame__put(cells, 1, 0, cells->columns, session->lost ? CELL_YELLOW : CELL_PLAIN,
		   "%s %" PRIu64 " samples  %.1f %% of managed attributed  %" PRIu64
		   " versions  %" PRIu64 " lost", snapshot->text + event->name, event->samples,
		   session->managed ? stat__share(session->managed_named, session->managed) : 100,
		   session->bodies, session->lost);
}

/* All processes together. */
static void draw_tiers(const struct top_snapshot *snapshot, const struct top_state *state,
		       struct cells *cells)
{
	const struct top_rows *rows = &snapshot->levels[TOP_TIER];
	uint64_t tiers[TS_TIER_COUNT] = { 0 }, kinds[MODEL_FRAME_KINDS] = { 0 };
	uint64_t all = snapshot->events[state->event].samples;
	unsigned int at = 7;

	for (uint32_t i = 0; i < rows->count; i++) {
		const struct top_row *row = &rows->rows[i];
		uint64_t *count = row->key.kind == MODEL_FRAME_BODY ?
				  &tiers[row->key.number] : &kinds[row->key.kind];

		*count += row->self[state->event];
	}
	cells__put(cells, 2, 0, 7, CELL_DIM, "tiers");
	for (uint32_t i = 0; i < TS_TIER_COUNT; i++)
		if (tiers[i])
			at += 2 + frame__put(cells, 2, at, cells->columns, frame__tier_style(i),
					     "%s %.1f", name__tier_short(i),
					     stat__share(tiers[i], all));
	for (uint32_t i = MODEL_FRAME_BODY + 1; i < MODEL_FRAME_KINDS; i++)
		if (kinds[i])
			at += 2 + frame__put(cells, 2, at, cells->columns, CELL_PLAIN, "%s %.1f",
					     stat__kind_name(i), stat__share(kinds[i], all));
}

static void draw_changes(const struct top_snapshot *snapshot, struct cells *cells)
{
	unsigned int at = 7;

	cells__put(cells, 3, 0, 7, CELL_DIM, "new");
	at += frame__put(cells, 3, at, cells->columns, CELL_PLAIN,
			 "%u tier-ups  %u osr  %u rejits in %u s%s",
			 snapshot->changed[TOP_TIER_UP], snapshot->changed[TOP_OSR],
			 snapshot->changed[TOP_REJIT], (unsigned int)(TOP_CHANGES_NS / 1000000000),
			 snapshot->changes_count ? ":" : "");
	for (uint32_t i = 0; i < snapshot->changes_count && at + 2 < cells->columns; i++) {
		const struct top_change *change = &snapshot->changes[i];
		static const uint32_t styles[TOP_CHANGE_KINDS] = {
			[TOP_TIER_UP] = CELL_GREEN, [TOP_OSR] = CELL_YELLOW,
			[TOP_REJIT] = CELL_MAGENTA };
		char age[8];

		frame__age(snapshot->to_ns > change->time_ns ?
			   snapshot->to_ns - change->time_ns : 0, age);
		at += frame__put(cells, 3, at, cells->columns, styles[change->kind], "%s%s [%s] %s",
				 i ? ", " : " ",
				 frame__short_name(cells, snapshot->text + change->name, 0),
				 snapshot->text + change->label, age);
	}
}

/* --- its foot ------------------------------------------------------------ */

static void draw_keys(const struct top_state *state, struct cells *cells, unsigned int row)
{
	static const char *const sorts[TOP_SORTS] = {
		[TOP_BY_SELF] = "self", [TOP_BY_TOTAL] = "total", [TOP_BY_AGE] = "age",
		[TOP_BY_TIER] = "tier", [TOP_BY_NAME] = "name",
	};

	if (state->screen != TOP_ROWS)
		cells__put(cells, row, 0, cells->columns, CELL_PLAIN,
			   "Esc back  arrows, PgUp, PgDn scroll  q quit");
	else if (state->typing || state->search[0])
		frame__put(cells, row, 0, cells->columns, CELL_BOLD, "/%s%s", state->search,
			   state->typing ? "_" : "   Esc all rows again");
	else
		frame__put(cells, row, 0, cells->columns, CELL_PLAIN,
			   "? help  q quit  %s  / search  s sort:%s  e event  t %s  Space  Enter",
			   state->paused ? "r resume" : "p pause", sorts[state->sort],
			   state->group == TOP_TIER ? "methods" : "tiers");
}

/* --- rows ---------------------------------------------------------------- */

static void draw_left_out(const struct top_snapshot *snapshot, const struct top_state *state,
			  struct cells *cells, unsigned int row)
{
	if (!snapshot->left_out || state->group != TOP_METHOD)
		return;
	frame__put(cells, row, 0, cells->columns, CELL_DIM, "%6.2f  of %u methods more",
		   stat__share(snapshot->left_out_self[state->event],
			       snapshot->events[state->event].samples), snapshot->left_out);
}

static void draw_rows(const struct top_snapshot *snapshot, const struct top_state *state,
		      struct cells *cells, unsigned int from, unsigned int to)
{
	const struct top_row *bodies = snapshot->levels[TOP_BODY].rows;
	uint64_t all[MODEL_EVENTS_MAX];
	struct columns columns;
	struct top_lines lines;
	unsigned int row = from;

	for (uint32_t i = 0; i < MODEL_EVENTS_MAX; i++)
		all[i] = snapshot->events[i].samples;

	columns__choose(snapshot, state, cells->columns, &columns);
	columns__draw_head(&columns, snapshot, state, cells, row++);
	top_lines__build(&lines, snapshot, state);
	for (uint32_t i = state->first; i < lines.count && row < to; i++, row++) {
		const struct top_line *line = &lines.lines[i];
		const struct top_row *body = line->child ? line->row :
			line->row->hottest == MODEL_NONE ? NULL : &bodies[line->row->hottest];
		struct columns_row what = { line->row, body, snapshot->text, all, line };

		columns__draw(&columns, snapshot, state, &what, cells, row);
		if (!line->row->total[state->event])
			cells__style_row(cells, row, CELL_DIM);
		if (i == lines.place)
			cells__style_row(cells, row, CELL_REVERSE);
	}
	if (!lines.count && row < to)
		cells__put(cells, row, 0, cells->columns, CELL_DIM,
			   state->search[0] ? "no method of the last seconds has that in its name" :
			   "no samples yet: the processes use no CPU time, or have just begun");
	if (row < to)
		draw_left_out(snapshot, state, cells, row);
	top_lines__free(&lines);
}

/* Where the rows begin: on a small screen there is no more than them. */
static unsigned int head_rows(const struct cells *cells)
{
	return cells->rows > HEAD_ROWS + FOOT_ROWS + 3 ? HEAD_ROWS : 0;
}

static unsigned int foot_row(const struct cells *cells)
{
	return cells->rows > 2 ? cells->rows - FOOT_ROWS : cells->rows;
}

static void draw_sheet(const struct top_snapshot *snapshot, const struct top_details *details,
		       const struct top_state *state, struct sheet *sheet)
{
	if (state->screen == TOP_HELP)
		frame__help(sheet);
	else
		frame__details(snapshot, details, state, sheet);
}

void top_frame__fit(const struct top_snapshot *snapshot, const struct top_details *details,
		    struct top_state *state, const struct cells *cells)
{
	unsigned int from = head_rows(cells), to = foot_row(cells);
	struct cells none = { .columns = cells->columns, .utf8 = cells->utf8 };
	struct sheet sheet = { .cells = &none };
	uint32_t most;

	if (snapshot && state->event >= snapshot->events_count)
		state->event = 0;
	if (state->screen == TOP_ROWS || !snapshot) {
		top_state__fit(state, snapshot, to > from + 1 ? to - from - 1 : 1);
		return;
	}
	draw_sheet(snapshot, details, state, &sheet);
	state->page = to ? to : 1;
	most = sheet.lines > state->page ? sheet.lines - state->page : 0;
	if (state->scroll > most)
		state->scroll = most;
}

void top_frame__draw(const struct top_snapshot *snapshot, const struct top_details *details,
		     const struct top_state *state, struct cells *cells)
{
	unsigned int from = head_rows(cells), to = foot_row(cells);
	struct sheet sheet = { .cells = cells, .to = to, .scroll = state->scroll };

	if (!snapshot) {
		cells__put(cells, 0, 0, cells->columns, CELL_PLAIN,
			   "tierscope top: the first interval is not over yet");
	} else if (state->screen == TOP_ROWS) {
		if (from) {
			draw_title(snapshot, state, cells);
			draw_session(snapshot, state, cells);
			draw_tiers(snapshot, state, cells);
			draw_changes(snapshot, cells);
		}
		draw_rows(snapshot, state, cells, from, to);
	} else {
		draw_sheet(snapshot, details, state, &sheet);
	}
	draw_keys(state, cells, to);
}
