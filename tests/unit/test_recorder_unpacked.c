// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Images that a process has in memory only: this program lays one out in its own memory,
// and the recorder reads it from there.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/image/image.h"
#include "../../user/recorder/internal.h"
#include "image_files.h"
#include "no_image_arrays.h"
#include "no_kernel.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define NAME	"System.Collections"
#define GRANULE 65536ul

struct fixture {
	struct model *model;
	struct recorder *recorder;
	struct process *one, *other; /* two programs that this one has run, say */
	uint8_t *reserved, *base;
	size_t size;
	uint64_t code;
};

static bool lay_out(struct fixture *fixture)
{
	struct buf file = BUF_INIT;
	struct image *image;

	if (!image_files__read(NAME ".dll", &file))
		return false;
	assert_int_equal(image__open_memory(file.data, file.size, &image), 0);
	fixture->size = image__size(image) + 2 * GRANULE;
	fixture->reserved = mmap(NULL, fixture->size, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(fixture->reserved, MAP_FAILED);
	fixture->base = (uint8_t *)(((uintptr_t)fixture->reserved + GRANULE - 1) &
				    ~(GRANULE - 1));
	fixture->code = (uintptr_t)fixture->base +
			image_files__lay_out(image, &file, fixture->base);
	image__free(image);
	buf__free(&file);
	return true;
}

static int set_up(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){ .model = model__new() };
	setenv("TIERSCOPE_CACHE", "", 1);
	fixture.recorder = recorder__new(NULL, fixture.model);
	fixture.one = process__new(fixture.recorder, 1, getpid(), 100, MODEL_NONE, MODEL_NONE);
	fixture.other = process__new(fixture.recorder, 2, getpid(), 200, MODEL_NONE, MODEL_NONE);
	*state = &fixture;
	if (!lay_out(&fixture))
		print_message("no .NET framework here\n");
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	recorder__free(fixture->recorder);
	model__free(fixture->model);
	if (fixture->reserved)
		munmap(fixture->reserved, fixture->size);
	return 0;
}

static void tell_code(struct fixture *fixture, struct mapping *mapping)
{
	*mapping = (struct mapping){ .start = fixture->code, .end = fixture->code + 8192,
				     .kind = MAPPING_ANONYMOUS, .file = NO_IMAGE };
}

static void it_is_read_once_and_named(void **state)
{
	struct fixture *fixture = *state;
	const struct image_body *bodies;
	struct mapping mapping;
	uint32_t number, body;

	if (!fixture->base)
		skip();
	tell_code(fixture, &mapping);
	number = unpacked__open(fixture->recorder, fixture->one, &mapping);
	assert_int_not_equal(number, NO_IMAGE);
	assert_int_equal(mapping.image_base, (uintptr_t)fixture->base);
	assert_true(image__bodies(fixture->recorder->files[number].image, &bodies) > 0);
	body = images__body(fixture->recorder, fixture->one, number, mapping.image_base,
			    bodies[0].begin, model__string(fixture->model, "//anon"));
	assert_string_equal(model__text(fixture->model, model__body(fixture->model, body)->module),
			    NAME ".dll");
	/* Another process of the same executable and user has the same image. */
	tell_code(fixture, &mapping);
	assert_int_equal(unpacked__open(fixture->recorder, fixture->other, &mapping), number);
	assert_int_equal(fixture->recorder->files_count, 1);
}

static void what_lies_there_later_is_another_matter(void **state)
{
	struct fixture *fixture = *state;
	struct process *process = fixture->one;
	struct mapping mapping;
	uint64_t copied;

	if (!fixture->base)
		skip();
	tell_code(fixture, &mapping);
	mapping.file = unpacked__open(fixture->recorder, process, &mapping);
	assert_int_not_equal(mapping.file, NO_IMAGE);
	process->mappings.items = calloc(1, sizeof(mapping));
	process->mappings.items[0] = mapping;
	process->mappings.count = process->mappings.capacity = 1;
	/* The runtime changes protections: nothing is copied again. */
	copied = process->unpacked_bytes;
	assert_int_equal(unpacked__open(fixture->recorder, process, &mapping), mapping.file);
	assert_int_equal(process->unpacked_bytes, copied);
	/* What was published, which is more than the code, is taken back. */
	bodies__forget(fixture->recorder, process);
	assert_int_equal(no_kernel_unmapped_end,
			 mapping.image_base +
			 image__size(fixture->recorder->files[mapping.file].image));
	memset(fixture->base, 0xcc, 4096);
	assert_int_equal(unpacked__open(fixture->recorder, process, &mapping), NO_IMAGE);
}

static void a_process_may_have_only_so_much_copied(void **state)
{
	struct fixture *fixture = *state;
	struct mapping mapping;

	if (!fixture->base)
		skip();
	tell_code(fixture, &mapping);
	fixture->one->unpacked_bytes = 1ull << 30;
	assert_int_equal(unpacked__open(fixture->recorder, fixture->one, &mapping), NO_IMAGE);
	assert_int_equal(fixture->one->unpacked_bytes, 1ull << 30);
	/* And all of them together keep only so much, which is said. */
	fixture->recorder->unpacked_bytes = 1ull << 30;
	assert_int_equal(unpacked__open(fixture->recorder, fixture->other, &mapping), NO_IMAGE);
	assert_true(mapping.unreadable);
	assert_true(fixture->recorder->unpacked_told);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(it_is_read_once_and_named),
		TEST(what_lies_there_later_is_another_matter),
		TEST(a_process_may_have_only_so_much_copied),
	};

	return cmocka_run_group_tests_name("recorder unpacked", tests, NULL, NULL);
}
