// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// See cells.h.
#include "cells.h"

#include "../base/alloc.h"
#include "../base/text.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define REPLACEMENT 0xfffdu
#define ELLIPSIS    0x2026u
#define CHARACTER_BYTES 4u

void cells__reset(struct cells *cells, unsigned int rows, unsigned int columns)
{
	size_t count = (size_t)rows * columns;

	cells->cells = alloc__resize(cells->cells, count + 1, sizeof(*cells->cells));
	cells->rows = rows;
	cells->columns = columns;
	for (size_t i = 0; i < count; i++)
		cells->cells[i] = (struct cell){ ' ', CELL_PLAIN };
}

void cells__free(struct cells *cells)
{
	free(cells->cells);
	*cells = (struct cells){ 0 };
}

/* The next character, as it is shown; how many columns it takes. */
static unsigned int next(const struct cells *cells, const char **text, uint32_t *ret_code)
{
	uint32_t code = 0;	/* what begins no character is shown as a control is */
	size_t size = text__decode(*text, strnlen(*text, CHARACTER_BYTES), &code);
	int width;

	*text += size ? size : 1;
	*ret_code = code;
	if (code >= 0x20 && code < 0x7f)
		return 1;
	if (!cells->utf8) {
		*ret_code = '?';
		return 1;
	}
	width = size ? wcwidth((wchar_t)code) : -1;
	if (width < 1 || width > 2) {	/* controls; what stands on top of its neighbour */
		*ret_code = REPLACEMENT;
		return 1;
	}
	return (unsigned int)width;
}

unsigned int cells__width(const struct cells *cells, const char *utf8)
{
	unsigned int width = 0;
	uint32_t code;

	while (*utf8)
		width += next(cells, &utf8, &code);
	return width;
}

static void set(struct cells *cells, unsigned int row, unsigned int column, uint32_t code,
		uint32_t style)
{
	cells->cells[(size_t)row * cells->columns + column] = (struct cell){ code, style };
}

unsigned int cells__put(struct cells *cells, unsigned int row, unsigned int column,
			unsigned int width, uint32_t style, const char *utf8)
{
	unsigned int used = 0;
	uint32_t code;

	if (row >= cells->rows || column >= cells->columns)
		return 0;
	if (width > cells->columns - column)
		width = cells->columns - column;
	while (*utf8 && used < width) {
		unsigned int wide = next(cells, &utf8, &code);

		if (used + wide > width || (used + wide == width && *utf8)) {
			set(cells, row, column + used, cells->utf8 ? ELLIPSIS : '~', style);
			return used + 1;
		}
		set(cells, row, column + used, code, style);
		if (wide == 2)
			set(cells, row, column + used + 1, 0, style);
		used += wide;
	}
	return used;
}

void cells__style_row(struct cells *cells, unsigned int row, uint32_t style)
{
	for (unsigned int i = 0; row < cells->rows && i < cells->columns; i++)
		cells->cells[(size_t)row * cells->columns + i].style |= style;
}
