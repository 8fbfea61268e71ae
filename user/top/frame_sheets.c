// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What is read from top to bottom: one row looked at closely, and the help.
#include "frame_internal.h"

#include "../base/buf.h"
#include "../base/text.h"
#include "../view/stat.h"

#include <inttypes.h>
#include <string.h>

static void put(struct sheet *sheet, uint32_t style, const char *text)
{
	cells__put(sheet->cells, sheet__next(sheet), 0, sheet->cells->columns, style, text);
}

/* On as many lines as it needs: names can be longer than any screen is wide. */
static void put_wrapped(struct sheet *sheet, uint32_t style, const char *text)
{
	struct buf line = BUF_INIT;
	unsigned int used = 0;
	uint32_t code;

	while (*text) {
		size_t size = text__decode(text, strnlen(text, 4), &code);
		char character[5] = "";
		unsigned int width;

		memcpy(character, text, size ? size : 1);
		width = cells__width(sheet->cells, character);
		if (line.size && used + width > sheet->cells->columns) {
			put(sheet, style, buf__string(&line));
			buf__clear(&line);
			used = 0;
		}
		buf__append_string(&line, character);
		used += width;
		text += strlen(character);
	}
	put(sheet, style, buf__string(&line));
	buf__free(&line);
}

static void draw_versions(const struct top_snapshot *snapshot,
			  const struct top_details *details, const struct top_state *state,
			  struct sheet *sheet)
{
	struct columns columns;

	if (!details->versions_count)
		return;
	columns__choose(snapshot, state, sheet->cells->columns, &columns);
	put(sheet, CELL_PLAIN, "");
	columns__draw_head(&columns, snapshot, state, sheet->cells, sheet__next(sheet));
	for (uint32_t i = 0; i < details->versions_count; i++) {
		struct columns_row what = { &details->versions[i], &details->versions[i],
					    details->text, details->interval_samples, NULL };

		columns__draw(&columns, snapshot, state, &what, sheet->cells,
			      sheet__next(sheet));
	}
	if (details->versions_more)
		frame__put(sheet->cells, sheet__next(sheet), 0, sheet->cells->columns, CELL_DIM,
			   "and %u older ones", details->versions_more);
}

static void draw_stacks(const struct top_snapshot *snapshot, const struct top_details *details,
			struct sheet *sheet)
{
	struct cells *cells = sheet->cells;

	put(sheet, CELL_PLAIN, "");
	frame__put(cells, sheet__next(sheet), 0, cells->columns, CELL_BOLD,
		   "hottest stacks of %s: %" PRIu64 " samples with it in the last %.0f s",
		   snapshot->text + snapshot->events[details->event].name, details->samples,
		   (double)details->span_ns / 1e9);
	for (uint32_t i = 0; i < details->stacks_count; i++) {
		put(sheet, CELL_PLAIN, "");
		for (uint32_t j = 0; j < details->stacks[i].frames_count; j++) {
			unsigned int row = sheet__next(sheet);

			if (!j)
				frame__put(cells, row, 0, 16, CELL_PLAIN, "%6.2f %% %6" PRIu64,
					   stat__share(details->stacks[i].samples,
						       details->samples),
					   details->stacks[i].samples);
			cells__put(cells, row, 17, cells->columns,
				   details->stacks[i].marked[j] ? CELL_BOLD : CELL_PLAIN,
				   details->text + details->stacks[i].frames[j]);
		}
		if (details->stacks[i].cut)
			cells__put(cells, sheet__next(sheet), 17, cells->columns, CELL_DIM,
				   "and who called it");
	}
	if (details->stacks_more)
		frame__put(cells, sheet__next(sheet), 0, cells->columns, CELL_DIM,
			   "and %u stacks more", details->stacks_more);
}

void frame__details(const struct top_snapshot *snapshot, const struct top_details *details,
		    const struct top_state *state, struct sheet *sheet)
{
	if (!details || !top_key__is(&details->key, &state->looked_at)) {
		put(sheet, CELL_DIM, "looking ...");
		return;
	}
	put_wrapped(sheet, CELL_BOLD, details->text + details->title);
	draw_versions(snapshot, details, state, sheet);
	draw_stacks(snapshot, details, sheet);
}

void frame__help(struct sheet *sheet)
{
	static const char *const lines[] = {
		"tierscope top: which code versions burn what, in the last interval", "",
		"  p r          pause, resume: the recording goes on meanwhile",
		"  up down      choose a row; also PgUp, PgDn, Home, End",
		"  Space        unfold a method into its versions, and fold it (also left, right)",
		"  Enter        its versions and the hottest stacks that it is on",
		"  t            rows are tiers, which unfold into versions; or methods again",
		"  s            sort by self, total, age, tier, name",
		"  e            the next event: shares, trend and order are of it",
		"  /            only methods with that in their name; Esc: all again",
		"  Ctrl-L       draw all of the screen again",
		"  q Ctrl-C     quit", "",
		"  self %       samples in the code itself, as tierscope stat counts them",
		"  total%       samples with it on the stack, once each",
		"  tier         of a method: that of its hottest version, and +N that ran too;",
		"               so are age and state",
		"  age          since it was compiled; -: before the recording, or precompiled",
		"  state        published: calls reach it; superseded: they do not any more;",
		"               alive: nobody has seen which; dead: its code is gone",
		"  trend        self in the last intervals, next to the most of them",
		"  new          code that came in the last 10 s: tier 1, OSR, ReJIT",
	};

	for (unsigned int i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		put(sheet, i ? CELL_PLAIN : CELL_BOLD, lines[i]);
}
