/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * What its user has made of the full-screen view: which rows, in which order, which one is
 * chosen; changed by keys alone.  And the rows that follow from it.
 */
#ifndef TIERSCOPE_TOP_STATE_H
#define TIERSCOPE_TOP_STATE_H

#include "snapshot.h"

#define TOP_OPEN_MOST	 64u	/* rows that are unfolded at a time */
#define TOP_SEARCH_BYTES 64u

enum top_screen { TOP_ROWS, TOP_DETAILS, TOP_HELP };
enum top_sort { TOP_BY_SELF, TOP_BY_TOTAL, TOP_BY_AGE, TOP_BY_TIER, TOP_BY_NAME, TOP_SORTS };

struct top_state {
	enum top_screen screen;
	bool paused;
	uint32_t group;			/* TOP_METHOD or TOP_TIER */
	uint32_t event;
	enum top_sort sort;
	char search[TOP_SEARCH_BYTES];	/* in names, in any case; "": all */
	bool typing;			/* it is being typed */
	bool chosen;			/* a row is; else the first one is */
	struct top_key selected;
	uint32_t place, first;		/* line of the chosen row, and at the top */
	uint32_t page;			/* lines that there is room for */
	struct top_key open[TOP_OPEN_MOST];
	uint32_t open_count;
	struct top_key looked_at;	/* by the details */
	uint32_t scroll;		/* of details and help */
	uint32_t left_screen;		/* enum top_screen: where help goes back to */
};

/* A row as it stands on the screen. */
struct top_line {
	const struct top_row *row;
	bool child, folded, open;
};

struct top_lines {
	struct top_line *lines;
	uint32_t count;
	uint32_t place;			/* of the chosen one */
};

void top_lines__build(struct top_lines *ret_lines, const struct top_snapshot *snapshot,
		      const struct top_state *state);
void top_lines__free(struct top_lines *lines);

void top_state__init(struct top_state *state);
/* Has the chosen row in sight, with room for so many lines; snapshot may be NULL. */
void top_state__fit(struct top_state *state, const struct top_snapshot *snapshot,
		    uint32_t page);

enum top_action { TOP_NOTHING, TOP_QUIT, TOP_LOOK_CLOSELY };
/* What a key does, on the snapshot that is shown (NULL: none yet). */
enum top_action top_state__key(struct top_state *state, const struct top_snapshot *snapshot,
			       uint32_t key);

#endif /* TIERSCOPE_TOP_STATE_H */
