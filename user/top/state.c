// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What keys do: see state.h.
#include "state.h"

#include "../base/buf.h"
#include "../base/text.h"
#include "../terminal/cells.h"

#include <string.h>

#define MARGIN 1u		/* rows that stay in sight beside the chosen one */

void top_state__init(struct top_state *state)
{
	*state = (struct top_state){ .group = TOP_METHOD };
}

/* --- which row ----------------------------------------------------------- */

static void choose(struct top_state *state, const struct top_lines *lines, uint32_t place)
{
	if (!lines->count)
		return;
	state->place = place < lines->count ? place : lines->count - 1;
	state->selected = lines->lines[state->place].row->key;
	state->chosen = true;
}

void top_state__fit(struct top_state *state, const struct top_snapshot *snapshot,
		    uint32_t page)
{
	struct top_lines lines;
	uint32_t margin = page > 2 * MARGIN ? MARGIN : 0, most;

	top_lines__build(&lines, snapshot, state);
	state->page = page ? page : 1;
	state->place = lines.place;
	if (state->place < state->first + margin)
		state->first = state->place > margin ? state->place - margin : 0;
	if (state->place + margin >= state->first + state->page)
		state->first = state->place + margin + 1 - state->page;
	most = lines.count > state->page ? lines.count - state->page : 0;
	if (state->first > most)
		state->first = most;
	top_lines__free(&lines);
}

static void move(struct top_state *state, const struct top_snapshot *snapshot, uint32_t key)
{
	struct top_lines lines;
	uint32_t page = state->page ? state->page : 1;

	top_lines__build(&lines, snapshot, state);
	switch (key) {
	case KEY_OF_UP:
		choose(state, &lines, lines.place ? lines.place - 1 : 0);
		break;
	case KEY_OF_DOWN:
		choose(state, &lines, lines.place + 1);
		break;
	case KEY_OF_PAGE_UP:
		choose(state, &lines, lines.place > page ? lines.place - page : 0);
		break;
	case KEY_OF_PAGE_DOWN:
		choose(state, &lines, lines.place + page);
		break;
	case KEY_OF_END:
		choose(state, &lines, lines.count);
		break;
	case KEY_OF_HOME:	/* the first, whichever that is */
		state->chosen = false;
		state->place = 0;
		break;
	}
	top_lines__free(&lines);
}

/* The chosen line; false: there is none. */
static bool chosen_line(const struct top_state *state, const struct top_snapshot *snapshot,
			struct top_line *ret_line)
{
	struct top_lines lines;
	bool found;

	top_lines__build(&lines, snapshot, state);
	found = lines.count > 0;
	if (found)
		*ret_line = lines.lines[lines.place];
	top_lines__free(&lines);
	return found;
}

static void fold(struct top_state *state, const struct top_key *key)
{
	for (uint32_t i = 0; i < state->open_count; i++)
		if (top_key__is(&state->open[i], key))
			state->open[i] = state->open[--state->open_count];
}

/* Another one folds where there are too many. */
static void unfold(struct top_state *state, const struct top_key *key)
{
	if (state->open_count == TOP_OPEN_MOST)
		memmove(state->open, state->open + 1,
			--state->open_count * sizeof(state->open[0]));
	state->open[state->open_count++] = *key;
}

/* Of a version, its method. */
static void fold_parent(struct top_state *state, const struct top_snapshot *snapshot,
			const struct top_row *row)
{
	const struct top_key *key = &snapshot->levels[state->group].rows[row->groups[state->group]].key;

	fold(state, key);
	state->selected = *key;
	state->chosen = true;
}

static void open_or_close(struct top_state *state, const struct top_snapshot *snapshot,
			  uint32_t key)
{
	struct top_line line;

	if (!chosen_line(state, snapshot, &line))
		return;
	if (line.child) {
		if (key != KEY_OF_RIGHT)
			fold_parent(state, snapshot, line.row);
		return;
	}
	if (line.open && key != KEY_OF_RIGHT)
		fold(state, &line.row->key);
	else if (line.folded && !line.open && key != KEY_OF_LEFT)
		unfold(state, &line.row->key);
	else
		return;
	state->selected = line.row->key;
	state->chosen = true;
}

/* --- keys of each screen ------------------------------------------------- */

static void drop_last(char *text)
{
	size_t size = strlen(text);

	text[size ? text__cut(text, size, size - 1) : 0] = 0;
}

static void append(char *text, size_t room, uint32_t code)
{
	uint16_t unit = (uint16_t)code;
	struct buf character = BUF_INIT;

	if (code < 0x20 || code == 0x7f || code > 0xffff)
		return;
	text__append_utf16(&character, &unit, 1);
	if (strlen(text) + character.size < room)
		strcat(text, buf__string(&character));
	buf__free(&character);
}

static void type(struct top_state *state, uint32_t key)
{
	switch (key) {
	case KEY_OF_ENTER:
		state->typing = false;
		break;
	case KEY_OF_ESCAPE:
		state->typing = false;
		state->search[0] = 0;
		break;
	case KEY_OF_BACKSPACE:
		if (!state->search[0])
			state->typing = false;
		drop_last(state->search);
		break;
	default:
		append(state->search, sizeof(state->search), key);
	}
}

static enum top_action look_closely(struct top_state *state,
				    const struct top_snapshot *snapshot)
{
	struct top_line line;

	if (!chosen_line(state, snapshot, &line))
		return TOP_NOTHING;
	state->looked_at = line.row->key;
	state->screen = TOP_DETAILS;
	state->scroll = 0;
	return TOP_LOOK_CLOSELY;
}

static enum top_action key_of_rows(struct top_state *state,
				   const struct top_snapshot *snapshot, uint32_t key)
{
	switch (key) {
	case KEY_OF_LEFT:
	case KEY_OF_RIGHT:
	case ' ':
		open_or_close(state, snapshot, key);
		break;
	case KEY_OF_ENTER:
		return look_closely(state, snapshot);
	case KEY_OF_ESCAPE:
		state->search[0] = 0;
		break;
	case '/':
		state->typing = true;
		break;
	case 's':
		state->sort = (state->sort + 1) % TOP_SORTS;
		break;
	case 't':
		state->group = state->group == TOP_METHOD ? TOP_TIER : TOP_METHOD;
		state->chosen = false;
		break;
	default:
		move(state, snapshot, key);
	}
	return TOP_NOTHING;
}

/* Details and help, which are scrolled. */
static void key_of_sheet(struct top_state *state, uint32_t key)
{
	uint32_t page = state->page ? state->page : 1;

	switch (key) {
	case KEY_OF_UP:
		state->scroll -= state->scroll > 0;
		break;
	case KEY_OF_DOWN:
		state->scroll++;
		break;
	case KEY_OF_PAGE_UP:
		state->scroll -= state->scroll > page ? page : state->scroll;
		break;
	case KEY_OF_PAGE_DOWN:
	case ' ':
		state->scroll += page;
		break;
	case KEY_OF_HOME:
		state->scroll = 0;
		break;
	case KEY_OF_ESCAPE:
	case KEY_OF_ENTER:
	case KEY_OF_LEFT:
	case KEY_OF_BACKSPACE:
		state->screen = state->screen == TOP_HELP ? state->left_screen : TOP_ROWS;
		state->scroll = 0;
		break;
	}
}

enum top_action top_state__key(struct top_state *state, const struct top_snapshot *snapshot,
			       uint32_t key)
{
	if (state->typing) {
		type(state, key);
		return TOP_NOTHING;
	}
	switch (key) {
	case 'q':
		return TOP_QUIT;
	case 'p':
		state->paused = true;
		return TOP_NOTHING;
	case 'r':
		state->paused = false;
		return TOP_NOTHING;
	case '?':
		if (state->screen != TOP_HELP)
			state->left_screen = state->screen;
		state->screen = state->screen == TOP_HELP ? state->left_screen : TOP_HELP;
		state->scroll = 0;
		return TOP_NOTHING;
	case 'e':
		if (snapshot)
			state->event = (state->event + 1) % snapshot->events_count;
		return state->screen == TOP_DETAILS ? TOP_LOOK_CLOSELY : TOP_NOTHING;
	}
	if (state->screen == TOP_ROWS)
		return key_of_rows(state, snapshot, key);
	key_of_sheet(state, key);
	return TOP_NOTHING;
}
