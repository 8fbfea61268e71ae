/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Private to the frame: its pieces. */
#ifndef TIERSCOPE_TOP_FRAME_INTERNAL_H
#define TIERSCOPE_TOP_FRAME_INTERNAL_H

#include "frame.h"

/* Puts formatted text; returns the columns that it took. */
unsigned int frame__put(struct cells *cells, unsigned int row, unsigned int column,
			unsigned int width, uint32_t style, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
/* An enum cell_style for a tier. */
uint32_t frame__tier_style(uint32_t tier);
/* "Type.Method(int)" of a name that needs more columns than there are, else all of it. */
const char *frame__short_name(const struct cells *cells, const char *name, unsigned int width);
/* A time since, in four columns: "12s", "34m", "5h", "6d". */
void frame__age(uint64_t ns, char ret_text[8]);

/* What stands where in rows; NAME takes what is left. */
enum column_kind { COLUMN_SELF, COLUMN_TOTAL, COLUMN_COUNT, COLUMN_PROCESS, COLUMN_TIER,
		   COLUMN_AGE, COLUMN_STATE, COLUMN_TREND, COLUMN_NAME };
struct column {
	enum column_kind kind;
	uint32_t event;			/* of COLUMN_COUNT */
	unsigned int at, width;
};
#define COLUMNS_MOST (9 + MODEL_EVENTS_MAX)
struct columns {
	struct column items[COLUMNS_MOST];
	unsigned int count;
};
/* As many as there is room for. */
void columns__choose(const struct top_snapshot *snapshot, const struct top_state *state,
		     unsigned int width, struct columns *ret_columns);
void columns__draw_head(const struct columns *columns, const struct top_snapshot *snapshot,
			const struct top_state *state, struct cells *cells, unsigned int row);
struct columns_row {
	const struct top_row *row;
	const struct top_row *body;	/* that it tells of; NULL: of none */
	const char *text;		/* with the strings of both */
	const uint64_t *all;		/* [event]: what it has a share of */
	const struct top_line *line;	/* NULL: it stands alone */
};
void columns__draw(const struct columns *columns, const struct top_snapshot *snapshot,
		   const struct top_state *state, const struct columns_row *what,
		   struct cells *cells, unsigned int row);

/*
 * Lines that may be more than the screen has room for: those from `scroll` on are put into
 * the rows from `from` to `to`.
 */
struct sheet {
	struct cells *cells;
	unsigned int from, to;
	uint32_t scroll, lines;		/* lines so far */
};
/* The row of the next line; one beyond the screen when it is out of sight. */
unsigned int sheet__next(struct sheet *sheet);

void frame__details(const struct top_snapshot *snapshot, const struct top_details *details,
		    const struct top_state *state, struct sheet *sheet);
void frame__help(struct sheet *sheet);

#endif /* TIERSCOPE_TOP_FRAME_INTERNAL_H */
