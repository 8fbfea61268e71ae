// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Frames of the full-screen view, to the cell: golden files in tests/unit/frames/.  After a
 * change that is meant, `make unit-frames` writes them anew; look at what changed.
 */
#include "top_fixture.h"

#include "../../user/base/buf.h"

#include <locale.h>
#include <stdio.h>
#include <wchar.h>

#define FOLDER "tests/unit/frames/"

/* Two seconds of two processes; page faults beside the clock. */
static struct model *busy_model(bool several)
{
	struct model *model = fixture_new();
	struct model_body body = *model__body(model, BODY_TIER0);
	uint32_t young, stack;

	body.published_ns[1] = FIXTURE_START + 7;
	body.superseded_ns = FIXTURE_START + SECOND;
	model__update_body(model, BODY_TIER0, &body);
	body = *model__body(model, BODY_TIER1);
	body.born_ns = body.published_ns[1] = FIXTURE_START + SECOND;
	model__update_body(model, BODY_TIER1, &body);
	young = fixture_body(model, 0, "Shop.Internal.Ranking.Score(System.Collections.Generic.List<Shop.Item>, int)",
			     TS_TIER_1, 0, 4);
	body = *model__body(model, young);
	body.born_ns = FIXTURE_START + SECOND + SECOND / 2;
	model__update_body(model, young, &body);
	model__drop_samples(model);
	fixture_sample_body(model, young, FIXTURE_START + SECOND, 5);
	stack = fixture_push(model, 0, MODEL_FRAME_BODY, BODY_MAIN, "", 0);
	stack = fixture_push(model, stack, MODEL_FRAME_STUB, MODEL_NONE, "call_counting", 0);
	fixture_samples(model, 0, stack, 1);
	if (!several)
		return model;
	fixture_add_second(model);
	fixture_samples_of(model, model__add_event(model, &(struct model_event){
		.name = model__string(model, "page-faults"), .period = 1 }), stack, 3);
	model__add_event(model, &(struct model_event){
		.name = model__string(model, "context-switches"), .period = 1 });
	return model;
}

struct scene {
	struct model *model;
	struct top *top;
	struct top_snapshot *snapshot;
	struct top_details *details;
	struct top_state state;
};

static struct scene new_scene(struct model *model)
{
	struct scene scene = { .model = model, .top = top__new() };

	top_snapshot__free(fixture_look(scene.top, model, 1));
	fixture_sample_body(model, BODY_TIER1, FIXTURE_START + SECOND, 12);
	fixture_sample_body(model, BODY_OSR, FIXTURE_START + SECOND, 4);
	if (model__events(model) > 1)
		fixture_samples_of(model, 1, fixture_push(model, 0, MODEL_FRAME_BODY, BODY_MAIN,
							  "", 0), 250);
	scene.snapshot = fixture_look(scene.top, model, 2);
	top_state__init(&scene.state);
	return scene;
}

static void free_scene(struct scene *scene)
{
	top_details__free(scene->details);
	top_snapshot__free(scene->snapshot);
	top__free(scene->top);
	model__free(scene->model);
}

static void append_cells(struct buf *buf, const struct cells *cells)
{
	for (unsigned int row = 0; row < cells->rows; row++) {
		for (unsigned int column = 0; column < cells->columns; column++) {
			const struct cell *cell = &cells->cells[row * cells->columns + column];
			char bytes[16];
			int size = cell->code ? wctomb(bytes, (wchar_t)cell->code) : 0;

			assert_true(size >= 0);
			buf__append(buf, bytes, (size_t)size);
		}
		while (buf->size && buf->data[buf->size - 1] == ' ')
			buf__cut(buf, buf->size - 1);
		buf__append_char(buf, '\n');
	}
}

/* A digit for the colour; + bold, ! reverse, - dim; where it changes. */
static void append_styles(struct buf *buf, const struct cells *cells)
{
	for (unsigned int row = 0; row < cells->rows; row++) {
		uint32_t before = UINT32_MAX;

		for (unsigned int column = 0; column < cells->columns; column++) {
			uint32_t style = cells->cells[row * cells->columns + column].style;

			if (style == before)
				continue;
			before = style;
			buf__printf(buf, "%s%u:%u%s%s%s", column ? " " : "", column,
				    style & CELL_COLOUR, style & CELL_BOLD ? "+" : "",
				    style & CELL_REVERSE ? "!" : "", style & CELL_DIM ? "-" : "");
		}
		buf__append_char(buf, '\n');
	}
}

static void assert_golden(const char *name, const struct buf *got)
{
	struct buf path = BUF_INIT, wanted = BUF_INIT;
	const char *write = getenv("TIERSCOPE_FRAMES");
	FILE *file;

	buf__printf(&path, FOLDER "%s.txt", name);
	if (write && !strcmp(write, "write")) {
		file = fopen(buf__string(&path), "w");
		assert_non_null(file);
		assert_int_equal(fwrite(got->data, 1, got->size, file), got->size);
		fclose(file);
	} else {
		assert_int_equal(buf__read_file(&wanted, buf__string(&path), 1 << 20), 0);
		assert_string_equal(buf__string(got), buf__string(&wanted));
	}
	buf__free(&path);
	buf__free(&wanted);
}

static struct cells draw(struct scene *scene, unsigned int columns, unsigned int rows, bool utf8)
{
	struct cells cells = { .utf8 = utf8 };

	cells__reset(&cells, rows, columns);
	top_frame__fit(scene->snapshot, scene->details, &scene->state, &cells);
	top_frame__draw(scene->snapshot, scene->details, &scene->state, &cells);
	return cells;
}

static void check(struct scene *scene, unsigned int columns, unsigned int rows, const char *name)
{
	struct cells cells = draw(scene, columns, rows, true);
	struct buf buf = BUF_INIT;

	append_cells(&buf, &cells);
	assert_golden(name, &buf);
	buf__free(&buf);
	cells__free(&cells);
}

static void rows(void **state)
{
	struct scene scene = new_scene(busy_model(false));
	struct cells cells;
	struct buf buf = BUF_INIT;

	(void)state;
	check(&scene, 80, 24, "rows-80x24");
	check(&scene, 160, 16, "rows-160x16");
	cells = draw(&scene, 80, 24, true);
	append_styles(&buf, &cells);
	assert_golden("rows-80x24-styles", &buf);
	buf__clear(&buf);
	cells__free(&cells);
	cells = draw(&scene, 80, 12, false);
	append_cells(&buf, &cells);
	assert_golden("rows-80x12-ascii", &buf);
	buf__free(&buf);
	cells__free(&cells);
	fixture_keys(&scene.state, scene.snapshot, " vvp");
	check(&scene, 80, 24, "unfolded-80x24");
	check(&scene, 120, 14, "unfolded-120x14");
	fixture_keys(&scene.state, scene.snapshot, "^^ rt ");
	check(&scene, 80, 16, "tiers-80x16");
	fixture_keys(&scene.state, scene.snapshot, "t/rank");
	check(&scene, 80, 12, "search-80x12");
	fixture_keys(&scene.state, scene.snapshot, "xx\n");
	check(&scene, 80, 12, "nothing-found-80x12");
	fixture_keys(&scene.state, scene.snapshot, "\x1b?");
	check(&scene, 80, 24, "help-80x24");
	free_scene(&scene);
}

static void several_processes_and_events(void **state)
{
	struct scene scene = new_scene(busy_model(true));

	(void)state;
	check(&scene, 80, 14, "several-80x14");
	check(&scene, 160, 14, "several-160x14");
	fixture_keys(&scene.state, scene.snapshot, "e");
	check(&scene, 80, 14, "page-faults-80x14");
	free_scene(&scene);
}

static void details(void **state)
{
	struct scene scene = new_scene(busy_model(false));

	(void)state;
	fixture_keys(&scene.state, scene.snapshot, "\n");
	check(&scene, 80, 10, "looking-80x10");
	scene.details = top__details(scene.top, scene.model, &scene.state.looked_at, 0,
				     FIXTURE_START + 2 * SECOND);
	check(&scene, 80, 24, "details-80x24");
	check(&scene, 160, 24, "details-160x24");
	for (int i = 0; i < 100; i++)
		fixture_keys(&scene.state, scene.snapshot, "v");
	check(&scene, 80, 10, "details-end-80x10");
	free_scene(&scene);
}

/* Every size there is: nothing outside of the grid is written (ASan), nothing is endless. */
static void any_size(void **state)
{
	struct scene scene = new_scene(busy_model(true));

	(void)state;
	for (const char *keys = " s\x1bt e?"; *keys; keys++) {
		fixture_keys(&scene.state, scene.snapshot, (char[]){ *keys, 0 });
		for (unsigned int columns = 1; columns < 180; columns += columns < 30 ? 1 : 13)
			for (unsigned int rows = 1; rows < 60; rows += rows < 12 ? 1 : 9) {
				struct cells cells = draw(&scene, columns, rows, true);

				cells__free(&cells);
			}
	}
	fixture_keys(&scene.state, scene.snapshot, "?");
	check(&scene, 40, 7, "small-40x7");
	free_scene(&scene);
	scene = (struct scene){ .top = NULL };
	top_state__init(&scene.state);
	check(&scene, 80, 3, "not-yet-80x3");
}

/* Control characters, wide and combining ones, 10,000 of them. */
static void hostile_names(void **state)
{
	struct model *model = fixture_new();
	struct scene scene;
	char *name = malloc(10001);

	(void)state;
	memset(name, 'x', 10000);
	name[10000] = 0;
	model__drop_samples(model);
	fixture_sample_body(model, fixture_body(model, 0, name, TS_TIER_1, 0, 1), 0, 3);
	fixture_sample_body(model, fixture_body(model, 0, "\x1b[2J\r\n\x9b" "A.B\x07()", TS_TIER_1, 0, 1), 0, 20);
	fixture_sample_body(model, fixture_body(model, 0, "e\xcc\x81\xcc\x81.\xe2\x80\xae" "Flip()", TS_TIER_1, 0, 1), 0, 18);
	fixture_sample_body(model, fixture_body(model, 0, "命名空間.類別.方法方法方法方法方法(整數)", TS_TIER_1, 0, 1), 0, 15);
	fixture_sample_body(model, fixture_body(model, 0, "....(<<<>>>", TS_TIER_1, 0, 1), 0, 14);
	scene = new_scene(model);
	scene.state.looked_at = (struct top_key){ .level = TOP_METHOD,
		.number = model__body(model, 6)->name };
	for (int i = 0; i < 2; i++) {
		check(&scene, 80, 16, i ? "hostile-details-80x16" : "hostile-80x16");
		check(&scene, 160, 16, i ? "hostile-details-160x16" : "hostile-160x16");
		scene.state.screen = TOP_DETAILS;
		top_details__free(scene.details);
		scene.details = top__details(scene.top, model, &scene.state.looked_at, 0, 40 * SECOND);
	}
	free_scene(&scene);
	free(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows), cmocka_unit_test(several_processes_and_events),
		cmocka_unit_test(details), cmocka_unit_test(any_size),
		cmocka_unit_test(hostile_names),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
