/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * A screen as a grid of cells, and the keys of a keyboard: what a full-screen view is made
 * of, without a terminal.  Whatever text is put into it, one cell never takes more than one
 * column of the screen, or two with the cell to its right: what a terminal could take as a
 * command, or has no width of its own, is replaced.  Where `utf8` is set, the locale of the
 * calling thread has to be one of UTF-8; else all cells are ASCII.  One thread at a time.
 */
#ifndef TIERSCOPE_TERMINAL_CELLS_H
#define TIERSCOPE_TERMINAL_CELLS_H

#include <stdbool.h>
#include <stdint.h>

/* A colour, or none, and how it is shown. */
enum cell_style {
	CELL_PLAIN = 0, CELL_RED, CELL_GREEN, CELL_YELLOW, CELL_BLUE, CELL_MAGENTA, CELL_CYAN,
	CELL_COLOURS,			/* the number of them, not one */
	CELL_COLOUR = 0x0f,
	CELL_BOLD = 0x10,
	CELL_REVERSE = 0x20,
	CELL_DIM = 0x40,
};

struct cell {
	uint32_t code;			/* 0: the right half of the one to the left */
	uint32_t style;
};

struct cells {
	unsigned int rows, columns;
	bool utf8;
	struct cell *cells;		/* [row * columns + column] */
};

/* Beyond Unicode; others are the character that was typed. */
enum cells_key {
	KEY_OF_UP = 0x110000, KEY_OF_DOWN, KEY_OF_LEFT, KEY_OF_RIGHT, KEY_OF_PAGE_UP,
	KEY_OF_PAGE_DOWN, KEY_OF_HOME, KEY_OF_END, KEY_OF_ENTER, KEY_OF_BACKSPACE,
	KEY_OF_ESCAPE,
};

/* Blank cells; the old ones are gone. */
void cells__reset(struct cells *cells, unsigned int rows, unsigned int columns);
void cells__free(struct cells *cells);	/* the contents only */

/*
 * Puts text into `width` columns of a row from a column on; what is outside of the grid is
 * left out.  Text that does not fit ends in an ellipsis.  Returns the columns it took.
 */
unsigned int cells__put(struct cells *cells, unsigned int row, unsigned int column,
			unsigned int width, uint32_t style, const char *utf8);
/* The columns that it would take. */
unsigned int cells__width(const struct cells *cells, const char *utf8);
/* Adds to the style of a row's cells. */
void cells__style_row(struct cells *cells, unsigned int row, uint32_t style);

#endif /* TIERSCOPE_TERMINAL_CELLS_H */
