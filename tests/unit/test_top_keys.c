// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What keys do to the full-screen view: choosing, unfolding, sorting, searching, pausing.
#include "top_fixture.h"

#include "../../user/base/buf.h"

#include <stdio.h>

struct screen {
	struct model *model;
	struct top *top;
	struct top_snapshot *snapshot;
	struct top_state state;
};

static int setup(void **state)
{
	struct screen *screen = calloc(1, sizeof(*screen));

	screen->model = fixture_new();
	fixture_sample_body(screen->model, fixture_body(screen->model, 0, "App.Young()", TS_TIER_1, 0, 1),
			    FIXTURE_START, 1);
	screen->top = top__new();
	screen->snapshot = fixture_look(screen->top, screen->model, 1);
	top_state__init(&screen->state);
	*state = screen;
	return 0;
}

static int teardown(void **state)
{
	struct screen *screen = *state;

	top_snapshot__free(screen->snapshot);
	top__free(screen->top);
	model__free(screen->model);
	free(screen);
	return 0;
}

/* The rows' names, versions by their label, the chosen one in brackets. */
static void assert_rows(const struct screen *screen, const char *wanted)
{
	struct buf buf = BUF_INIT;
	struct top_lines lines;

	top_lines__build(&lines, screen->snapshot, &screen->state);
	for (uint32_t i = 0; i < lines.count; i++) {
		const struct top_row *row = lines.lines[i].row;
		const char *name = screen->snapshot->text +
				   (lines.lines[i].child ? row->label : row->name);

		buf__printf(&buf, "%s%s%s%s", i ? ", " : "", i == lines.place ? "<" : "", name,
			    i == lines.place ? ">" : "");
	}
	top_lines__free(&lines);
	assert_string_equal(buf__string(&buf), wanted);
	buf__free(&buf);
}

static void press(struct screen *screen, const char *keys)
{
	fixture_keys(&screen->state, screen->snapshot, keys);
}

static void choosing(void **state)
{
	struct screen *screen = *state;

	assert_rows(screen, "<Work(int)>, [native], App.Young(), [unknown], Main");
	press(screen, "vv");
	assert_rows(screen, "Work(int), [native], <App.Young()>, [unknown], Main");
	press(screen, "vvvvvvv");
	assert_rows(screen, "Work(int), [native], App.Young(), [unknown], <Main>");
	press(screen, "^^^^^^^^^");
	assert_rows(screen, "<Work(int)>, [native], App.Young(), [unknown], Main");
	/* It stays chosen where its row goes. */
	press(screen, "vv");
	fixture_sample_body(screen->model, 6, 0, 20);
	top_snapshot__free(screen->snapshot);
	screen->snapshot = fixture_look(screen->top, screen->model, 2);
	assert_rows(screen, "<App.Young()>, Main, Work(int), [native], [unknown]");
	top_state__key(&screen->state, screen->snapshot, KEY_OF_END);
	assert_rows(screen, "App.Young(), Main, Work(int), [native], <[unknown]>");
	top_state__key(&screen->state, screen->snapshot, KEY_OF_HOME);
	assert_rows(screen, "<App.Young()>, Main, Work(int), [native], [unknown]");
}

static void unfolding(void **state)
{
	struct screen *screen = *state;

	press(screen, " ");
	assert_rows(screen, "<Work(int)>, tier0, osr@0x1a, tier1 #2, [native], App.Young(), [unknown], Main");
	press(screen, "vv");
	assert_rows(screen, "Work(int), tier0, <osr@0x1a>, tier1 #2, [native], App.Young(), [unknown], Main");
	press(screen, " ");
	assert_rows(screen, "<Work(int)>, [native], App.Young(), [unknown], Main");
	top_state__key(&screen->state, screen->snapshot, KEY_OF_RIGHT);
	top_state__key(&screen->state, screen->snapshot, KEY_OF_RIGHT);
	assert_rows(screen, "<Work(int)>, tier0, osr@0x1a, tier1 #2, [native], App.Young(), [unknown], Main");
	top_state__key(&screen->state, screen->snapshot, KEY_OF_LEFT);
	assert_rows(screen, "<Work(int)>, [native], App.Young(), [unknown], Main");
	press(screen, "v ");		/* has no versions */
	assert_rows(screen, "Work(int), <[native]>, App.Young(), [unknown], Main");
}

/* However many are unfolded. */
static void unfolding_is_bounded(void **state)
{
	struct screen *screen = *state;
	char name[32];

	for (uint32_t i = 0; i < TOP_OPEN_MOST + 10; i++) {
		snprintf(name, sizeof(name), "M%03u", i);
		fixture_sample_body(screen->model,
				    fixture_body(screen->model, 0, name, TS_TIER_1, 0, 1), 0, 100);
	}
	top_snapshot__free(screen->snapshot);
	screen->snapshot = fixture_look(screen->top, screen->model, 2);
	for (uint32_t i = 0; i < TOP_OPEN_MOST + 10; i++)
		press(screen, " vv");
	assert_int_equal(screen->state.open_count, TOP_OPEN_MOST);
}

static void sorting_and_tiers(void **state)
{
	struct screen *screen = *state;

	press(screen, "s");
	assert_int_equal(screen->state.sort, TOP_BY_TOTAL);
	assert_rows(screen, "<Main>, Work(int), [native], App.Young(), [unknown]");
	press(screen, "sss");
	assert_int_equal(screen->state.sort, TOP_BY_NAME);
	assert_rows(screen, "<App.Young()>, Main, Work(int), [native], [unknown]");
	press(screen, "s");
	assert_int_equal(screen->state.sort, TOP_BY_SELF);
	press(screen, "vt");
	assert_rows(screen, "<tier0>, [native], osr, tier1, [unknown], r2r");
	press(screen, "vvv ");
	assert_rows(screen, "tier0, [native], osr, <tier1>, tier1, tier1 #2, [unknown], r2r");
	press(screen, "/young\n");
	assert_rows(screen, "tier0, [native], osr, <tier1>, tier1, [unknown], r2r");
	press(screen, "\x1bt");
	assert_rows(screen, "<Work(int)>, [native], App.Young(), [unknown], Main");
}

static void searching(void **state)
{
	struct screen *screen = *state;

	press(screen, "/q");		/* a letter, while one types */
	assert_true(screen->state.typing);
	assert_string_equal(screen->state.search, "q");
	assert_rows(screen, "");
	press(screen, "\bYOU");
	assert_rows(screen, "<App.Young()>");
	press(screen, "\n");
	assert_false(screen->state.typing);
	assert_rows(screen, "<App.Young()>");
	assert_int_equal(top_state__key(&screen->state, screen->snapshot, 'q'), TOP_QUIT);
	press(screen, "\x1b");
	assert_string_equal(screen->state.search, "");
	press(screen, "/");
	top_state__key(&screen->state, screen->snapshot, 0x4e2d);	/* 3 bytes */
	top_state__key(&screen->state, screen->snapshot, 0x1f600);	/* beyond: left out */
	top_state__key(&screen->state, screen->snapshot, 0x01);
	top_state__key(&screen->state, screen->snapshot, KEY_OF_UP);
	assert_string_equal(screen->state.search, "中");
	press(screen, "\b\b");
	assert_false(screen->state.typing);
	press(screen, "/");
	for (int i = 0; i < 1000; i++)
		press(screen, "x");
	assert_in_range(strlen(screen->state.search), 1, TOP_SEARCH_BYTES - 1);
}

static void screens(void **state)
{
	struct screen *screen = *state;
	struct top_state *own = &screen->state;

	assert_int_equal(top_state__key(own, screen->snapshot, KEY_OF_ENTER), TOP_LOOK_CLOSELY);
	assert_int_equal(own->screen, TOP_DETAILS);
	assert_int_equal(own->looked_at.kind, MODEL_FRAME_BODY);
	press(screen, "?");
	assert_int_equal(own->screen, TOP_HELP);
	press(screen, "v?");
	assert_int_equal(own->screen, TOP_DETAILS);
	press(screen, "\x1b");
	assert_int_equal(own->screen, TOP_ROWS);
	press(screen, "p");
	assert_true(own->paused);
	press(screen, "r");
	assert_false(own->paused);
	press(screen, "e");
	assert_int_equal(own->event, 0);	/* there is but one */
	/* Before the first interval is over there is nothing to choose. */
	for (const char *keys = "vv^^ \n\x1bstepr?"; *keys; keys++)
		fixture_keys(own, NULL, (char[]){ *keys, 0 });
	assert_int_equal(top_state__key(own, NULL, 'q'), TOP_QUIT);
}

/* The chosen row is in sight, wherever it is, and the screen is full if it can be. */
static void scrolling(void **state)
{
	struct screen *screen = *state;
	struct top_state *own = &screen->state;

	for (uint32_t page = 1; page < 7; page++) {
		for (int i = 0; i < 12; i++) {
			top_state__fit(own, screen->snapshot, page);
			assert_in_range(own->place, own->first, own->first + page - 1);
			assert_in_range(own->first, 0, page < 5 ? 5 - page : 0);
			press(screen, i < 6 ? "v" : "^");
		}
	}
	top_state__fit(own, NULL, 3);
	assert_int_equal(own->first, 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(choosing), TEST(unfolding), TEST(unfolding_is_bounded),
		TEST(sorting_and_tiers), TEST(searching), TEST(screens), TEST(scrolling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
