// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Precompiled callers that have old IL inlined, over a recording: the image is one of the
// installed framework, mapped by this very program, and a method of it that was inlined.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/base/alloc.h"
#include "../../user/image/image_object.h"
#include "../../user/recorder/internal.h"
#include "image_files.h"
#include "no_image_arrays.h"
#include "no_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define NAME	     "System.Collections.dll"
#define FUNCTION     0x7000u
#define INLINER      0x8000u
#define OTHER_BASE   0x10000000000ull
#define BASE	     0x20000000000ull
#define COPY_PATH    "/elsewhere/" NAME

struct fixture {
	struct model *model;
	struct recorder *recorder;
	struct process *process;
	struct image *image;	/* NULL: no framework here */
	char path[2048];
	uint32_t token;		/* was inlined */
	uint32_t body;		/* into this one, and perhaps others */
};

static bool take_first(void *context, uint32_t body)
{
	struct fixture *fixture = context;

	if (fixture->body == UINT32_MAX)
		fixture->body = body;
	return true;
}

/* Any that was inlined into something with a body. */
static void choose_method(struct fixture *fixture)
{
	fixture->body = UINT32_MAX;
	for (uint32_t row = 1; fixture->body == UINT32_MAX && row < 65536; row++) {
		fixture->token = 0x06000000 | row;
		assert_int_equal(image__each_inliner(fixture->image, "System.Collections",
						     fixture->token, take_first, fixture), 0);
	}
	assert_int_not_equal(fixture->body, UINT32_MAX);
}

static struct image *open_image(const char *path)
{
	struct image *image = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_return_code(fd, errno);
	assert_int_equal(image__open(fd, 0, NULL, &image), 0);
	close(fd);
	return image;
}

/* As if the process mapped the file of that path there. */
static void add_mapping(struct fixture *fixture, uint64_t base, const char *path)
{
	struct image_file file = { .inode = base, .image = open_image(fixture->path),
				   .number = NO_IMAGE };
	struct mapping_list *list = &fixture->process->mappings;

	alloc__grow(list->items, list->count, list->capacity);
	list->items[list->count++] = (struct mapping){
		.start = base, .end = base + image__size(file.image), .image_base = base,
		.kind = MAPPING_FILE, .path = model__string(fixture->model, path),
		.file = images__keep(fixture->recorder, &file, path) };
}

static int set_up(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){ .model = model__new() };
	setenv("TIERSCOPE_CACHE", "", 1);
	fixture.recorder = recorder__new(NULL, fixture.model);
	fixture.process = process__new(fixture.recorder, 1, getpid(), 100, MODEL_NONE,
				       MODEL_NONE);
	*state = &fixture;
	if (!image_files__path(NAME, fixture.path, sizeof(fixture.path))) {
		print_message("no .NET framework here\n");
		return 0;
	}
	fixture.image = open_image(fixture.path);
	choose_method(&fixture);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	image__free(fixture->image);
	recorder__free(fixture->recorder);
	model__free(fixture->model);
	return 0;
}

static struct fixture *need_image(void **state)
{
	struct fixture *fixture = *state;

	if (!fixture->image)
		skip();
	return fixture;
}

static void note(struct fixture *fixture, uint64_t function, const char *path, uint32_t copy)
{
	const struct model_body body = {
		.function_id = function, .token = fixture->token, .copy = copy,
		.module = model__string(fixture->model, path) };

	old_inliners__note(fixture->recorder, fixture->process, &body);
}

static bool never(void *context)
{
	(void)context;
	return false;
}

static uint32_t step(struct fixture *fixture)
{
	old_inliners__step(fixture->recorder, fixture->process, 1000, never, NULL);
	return model__inlinings(fixture->model);
}

static uint64_t start_of(const struct fixture *fixture, uint64_t base)
{
	const struct image_body *bodies;

	image__bodies(fixture->image, &bodies);
	return base + bodies[fixture->body].begin;
}

/* As the hook tells that the runtime uses it. */
static void tell_use(struct fixture *fixture, uint64_t base, uint64_t function)
{
	map__set(fixture->process->ids.told, 0, start_of(fixture, base), function);
}

static void assert_inlining(const struct fixture *fixture, uint32_t index, uint64_t function,
			    uint64_t inliner)
{
	const struct model_inlining *row = model__inlining(fixture->model, index);

	assert_int_equal(row->function_id, function);
	assert_int_equal(row->inliner_id, inliner);
	assert_int_equal(row->process, fixture->process->index);
}

static void who_is_used_is_told_once(void **state)
{
	struct fixture *fixture = need_image(state);
	const struct model_body *body;

	add_mapping(fixture, BASE, fixture->path);
	note(fixture, FUNCTION, fixture->path, 0);
	note(fixture, FUNCTION, fixture->path, 0);
	assert_int_equal(step(fixture), 0);
	assert_int_equal(model__bodies(fixture->model), 0);
	tell_use(fixture, BASE, INLINER);
	assert_int_equal(step(fixture), 1);
	assert_int_equal(step(fixture), 1);
	assert_inlining(fixture, 0, FUNCTION, INLINER);
	/* A view finds its name. */
	assert_int_equal(model__bodies(fixture->model), 1);
	body = model__body(fixture->model, 0);
	assert_int_equal(body->start, start_of(fixture, BASE));
	assert_int_equal(body->tier, TS_TIER_READY_TO_RUN);
}

/* That it was sampled says that it is used; which function it is comes later. */
static void who_was_sampled_is_told(void **state)
{
	struct fixture *fixture = need_image(state);
	struct model_body body;
	const struct mapping *mapping;
	uint64_t known;
	uint32_t index;

	add_mapping(fixture, BASE, fixture->path);
	mapping = &fixture->process->mappings.items[0];
	index = images__body(fixture->recorder, fixture->process, mapping->file, BASE,
			     (uint32_t)(start_of(fixture, BASE) - BASE), mapping->path);
	note(fixture, FUNCTION, fixture->path, 0);
	assert_int_equal(step(fixture), 0);
	body = *model__body(fixture->model, index);
	body.flags &= ~(uint32_t)MODEL_BODY_FUNCTION_UNKNOWN;
	body.function_id = INLINER;
	model__update_body(fixture->model, index, &body);
	map__add(fixture->process->functions, 0, INLINER, index, &known);
	assert_int_equal(step(fixture), 1);
	assert_inlining(fixture, 0, FUNCTION, INLINER);
}

static void an_image_that_comes_later_is_searched(void **state)
{
	struct fixture *fixture = need_image(state);

	note(fixture, FUNCTION, fixture->path, 0);
	assert_int_equal(step(fixture), 0);
	add_mapping(fixture, BASE, fixture->path);
	tell_use(fixture, BASE, INLINER);
	assert_int_equal(step(fixture), 1);
}

/* Two files, one assembly's name: each method has the inliners of its own file. */
static void files_of_one_name_are_told_apart(void **state)
{
	struct fixture *fixture = need_image(state);

	add_mapping(fixture, OTHER_BASE, COPY_PATH);
	add_mapping(fixture, BASE, fixture->path);
	tell_use(fixture, OTHER_BASE, INLINER + 1);
	tell_use(fixture, BASE, INLINER);
	note(fixture, FUNCTION, fixture->path, 0);
	assert_int_equal(step(fixture), 1);
	assert_inlining(fixture, 0, FUNCTION, INLINER);
	note(fixture, FUNCTION + 1, COPY_PATH, 1);
	assert_int_equal(step(fixture), 2);
	assert_inlining(fixture, 1, FUNCTION + 1, INLINER + 1);
}

/* By way of a link, or from inside another file: no image has the module's path. */
static void a_path_that_nothing_is_mapped_by_is_no_hindrance(void **state)
{
	struct fixture *fixture = need_image(state);

	add_mapping(fixture, BASE, fixture->path);
	tell_use(fixture, BASE, INLINER);
	note(fixture, FUNCTION, NAME, 0);
	assert_int_equal(step(fixture), 1);
}

static void add_module(struct fixture *fixture, uint64_t sequence, const char *path)
{
	const struct module module = { .sequence = sequence, .numbered = true,
				       .path = model__string(fixture->model, path),
				       .name = model__string(fixture->model, NAME) };

	module_list__load(&fixture->process->modules, sequence, &module);
}

/* The method's own file has no precompiled code; another module's image has its token, too. */
static void an_image_of_another_module_says_nothing(void **state)
{
	struct fixture *fixture = need_image(state);

	add_mapping(fixture, BASE, fixture->path);
	add_module(fixture, 1, fixture->path);
	add_module(fixture, 2, COPY_PATH);
	tell_use(fixture, BASE, INLINER);
	note(fixture, FUNCTION, COPY_PATH, 0);
	assert_int_equal(step(fixture), 0);
	note(fixture, FUNCTION + 1, fixture->path, 0);
	assert_int_equal(step(fixture), 1);
}

/* The second module of a file has no precompiled code. */
static void a_file_that_is_loaded_again_has_no_inliners(void **state)
{
	struct fixture *fixture = need_image(state);

	add_module(fixture, 1, fixture->path);
	add_module(fixture, 2, fixture->path);
	add_mapping(fixture, BASE, fixture->path);
	tell_use(fixture, BASE, INLINER);
	note(fixture, FUNCTION, fixture->path, 1);
	assert_int_equal(step(fixture), 0);
	note(fixture, FUNCTION + 1, fixture->path, 0);
	assert_int_equal(step(fixture), 1);
}

/* Without a changed method no table of inlinings is read. */
static void nothing_is_read_without_need(void **state)
{
	struct fixture *fixture = need_image(state);
	const struct image_file *file;

	add_mapping(fixture, BASE, fixture->path);
	file = &fixture->recorder->files[fixture->process->mappings.items[0].file];
	assert_int_equal(step(fixture), 0);
	assert_false(file->image->inlinings_read);
	note(fixture, FUNCTION, fixture->path, 0);
	assert_int_equal(step(fixture), 0);
	assert_true(file->image->inlinings_read);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_is_used_is_told_once),
		TEST(who_was_sampled_is_told),
		TEST(an_image_that_comes_later_is_searched),
		TEST(files_of_one_name_are_told_apart),
		TEST(a_path_that_nothing_is_mapped_by_is_no_hindrance),
		TEST(an_image_of_another_module_says_nothing),
		TEST(a_file_that_is_loaded_again_has_no_inliners),
		TEST(nothing_is_read_without_need),
	};

	return cmocka_run_group_tests_name("recorder, old inliners", tests, NULL, NULL);
}
