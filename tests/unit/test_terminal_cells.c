// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Text in cells: what fits, what is cut, and that no text can break the grid.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "../../user/terminal/cells.h"

static struct cells new_cells(unsigned int rows, unsigned int columns, bool utf8)
{
	struct cells cells = { .utf8 = utf8 };

	cells__reset(&cells, rows, columns);
	return cells;
}

static void assert_row(const struct cells *cells, unsigned int row, const wchar_t *wanted)
{
	for (unsigned int i = 0; i < cells->columns; i++)
		assert_int_equal(cells->cells[row * cells->columns + i].code,
				 wanted[i] == L'|' ? 0 : (uint32_t)wanted[i]);
	assert_int_equal(wcslen(wanted), cells->columns);
}

static void text_fits_or_is_cut(void **state)
{
	struct cells cells = new_cells(4, 8, true);

	(void)state;
	assert_int_equal(cells__put(&cells, 0, 0, 8, 0, "abc"), 3);
	assert_row(&cells, 0, L"abc     ");
	assert_int_equal(cells__put(&cells, 0, 4, 4, 0, "wxyz"), 4);
	assert_row(&cells, 0, L"abc wxyz");
	assert_int_equal(cells__put(&cells, 1, 2, 4, CELL_BOLD, "abcdefgh"), 4);
	assert_row(&cells, 1, L"  abc…  ");
	assert_int_equal(cells.cells[8 + 2].style, CELL_BOLD);
	assert_int_equal(cells.cells[8 + 6].style, CELL_PLAIN);
	assert_int_equal(cells__put(&cells, 2, 6, 100, 0, "abc"), 2);
	assert_row(&cells, 2, L"      a…");
	assert_int_equal(cells__put(&cells, 3, 0, 0, 0, "abc"), 0);
	assert_int_equal(cells__put(&cells, 3, 0, 5, 0, ""), 0);
	assert_int_equal(cells__put(&cells, 3, 8, 5, 0, "abc"), 0);
	assert_int_equal(cells__put(&cells, 4, 0, 5, 0, "abc"), 0);
	assert_int_equal(cells__put(&cells, UINT32_MAX, 0, 5, 0, "abc"), 0);
	assert_row(&cells, 3, L"        ");
	cells__style_row(&cells, 3, CELL_REVERSE);
	cells__style_row(&cells, 9, CELL_REVERSE);
	assert_int_equal(cells.cells[3 * 8].style, CELL_REVERSE);
	cells__free(&cells);
}

static void wide_characters_take_two(void **state)
{
	struct cells cells = new_cells(4, 6, true);

	(void)state;
	assert_int_equal(cells__width(&cells, "a中b"), 4);
	assert_int_equal(cells__put(&cells, 0, 0, 6, 0, "a中b"), 4);
	assert_row(&cells, 0, L"a中|b  ");
	assert_int_equal(cells__put(&cells, 1, 0, 6, 0, "中文中"), 6);
	assert_row(&cells, 1, L"中|文|中|");
	/* Never half of one. */
	assert_int_equal(cells__put(&cells, 2, 0, 5, 0, "中文中"), 5);
	assert_row(&cells, 2, L"中|文|… ");
	assert_int_equal(cells__put(&cells, 3, 0, 2, 0, "中文"), 1);
	assert_row(&cells, 3, L"…     ");
	cells__free(&cells);
}

/* Escapes, what stands on its neighbour, broken UTF-8: one replaced character each. */
static void hostile_text_is_replaced(void **state)
{
	struct cells cells = new_cells(5, 6, true);

	(void)state;
	cells__put(&cells, 0, 0, 6, 0, "\x1b[2J\n");
	assert_row(&cells, 0, L"\xfffd[2J\xfffd ");
	cells__put(&cells, 1, 0, 6, 0, "e\xcc\x81\xcc\x81x");	/* combining accents */
	assert_row(&cells, 1, L"e\xfffd\xfffdx  ");
	cells__put(&cells, 2, 0, 6, 0, "\xff\xc2x\xed\xa0\x80");
	assert_row(&cells, 2, L"\xfffd\xfffdx\xfffd\xfffd\xfffd");
	cells__put(&cells, 3, 0, 6, 0, "\xe2\x80\x8b\xc2\x9b");	/* zero width; C1 */
	assert_row(&cells, 3, L"\xfffd\xfffd    ");
	cells__free(&cells);
}

static void without_utf8_all_is_ascii(void **state)
{
	struct cells cells = new_cells(2, 6, false);

	(void)state;
	assert_int_equal(cells__width(&cells, "a中b"), 3);
	cells__put(&cells, 0, 0, 6, 0, "a中b\xff");
	assert_row(&cells, 0, L"a?b?  ");
	cells__put(&cells, 1, 0, 3, 0, "abcd");
	assert_row(&cells, 1, L"ab~   ");
	cells__free(&cells);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_fits_or_is_cut),
		cmocka_unit_test(wide_characters_take_two),
		cmocka_unit_test(hostile_text_is_replaced),
		cmocka_unit_test(without_utf8_all_is_ascii),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
