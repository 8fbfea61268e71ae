// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Images that lie in a process's memory as loaded, without a file: laid out here as the
// runtime does it, and read back.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/image/image.h"
#include "image_files.h"

#include <errno.h>

#define BASE	 0x7f1234560000ull
#define NAME	 "System.Collections.dll"
#define COMPARED 200u

struct memory {
	struct buf file;
	uint8_t *bytes;
	uint32_t size;
	uint64_t code;	/* address of the first executable section's page */
	uint32_t reads;
	struct image *alone;
};

static bool read_memory(void *context, uint64_t address, void *bytes, size_t size)
{
	struct memory *memory = context;

	memory->reads++;
	if (address < BASE || address - BASE > memory->size ||
	    size > memory->size - (address - BASE))
		return false;
	memcpy(bytes, memory->bytes + (address - BASE), size);
	return true;
}

static int set_up(void **state)
{
	static struct memory memory;

	memory = (struct memory){ .file = BUF_INIT };
	*state = NULL;
	if (!image_files__read(NAME, &memory.file)) {
		print_message("no .NET framework here\n");
		return 0;
	}
	assert_int_equal(image__open_memory(memory.file.data, memory.file.size,
					    &memory.alone), 0);
	memory.size = image__size(memory.alone) + 65536;
	memory.bytes = calloc(1, memory.size);
	assert_non_null(memory.bytes);
	memory.code = BASE + image_files__lay_out(memory.alone, &memory.file, memory.bytes);
	*state = &memory;
	return 0;
}

static int tear_down(void **state)
{
	struct memory *memory = *state;

	if (!memory)
		return 0;
	image__free(memory->alone);
	free(memory->bytes);
	buf__free(&memory->file);
	return 0;
}

#define METHODS 65536u

static bool add_body(void *context, uint32_t body)
{
	buf__append(context, (const char *)&body, sizeof(body));
	return true;
}

/* Of all methods: the tables lie where nothing else is read later. */
static void inliners_are_those_of_the_file(void **state)
{
	struct memory *memory = *state;
	struct buf bodies[2] = { BUF_INIT, BUF_INIT };
	struct image *image = NULL;
	uint64_t base = 0;

	if (!memory)
		skip();
	assert_int_equal(image__open_loaded(read_memory, memory, memory->code, &image,
					    &base), 0);
	for (uint32_t row = 1; row < METHODS; row++) {
		assert_int_equal(image__each_inliner(memory->alone, "System.Collections",
						     0x06000000 | row, add_body, &bodies[0]), 0);
		assert_int_equal(image__each_inliner(image, "System.Collections",
						     0x06000000 | row, add_body, &bodies[1]), 0);
	}
	assert_int_not_equal(bodies[0].size, 0);
	assert_int_equal(bodies[0].size, bodies[1].size);
	assert_memory_equal(bodies[0].data, bodies[1].data, bodies[0].size);
	buf__free(&bodies[0]);
	buf__free(&bodies[1]);
	image__free(image);
}

static void it_is_the_image_of_the_file(void **state)
{
	struct memory *memory = *state;
	const struct image_body *bodies[2];
	struct image *image = NULL;
	uint64_t base = 0;
	uint32_t count;

	if (!memory)
		skip();
	assert_int_equal(image__open_loaded(read_memory, memory, memory->code, &image,
					    &base), 0);
	assert_int_equal(base, BASE);
	count = image__bodies(memory->alone, &bodies[0]);
	assert_true(count > COMPARED);
	assert_int_equal(image__bodies(image, &bodies[1]), count);
	assert_memory_equal(bodies[0], bodies[1], count * sizeof(**bodies));
	/* Also after the rest was given back. */
	for (uint32_t i = 0; i < count; i += count / COMPARED) {
		struct buf names[2] = { BUF_INIT, BUF_INIT };

		assert_int_equal(image__body_text(memory->alone, i, &names[0]), 0);
		assert_int_equal(image__body_text(image, i, &names[1]), 0);
		assert_int_equal(names[0].size, names[1].size);
		assert_memory_equal(names[0].data, names[1].data, names[0].size);
		buf__free(&names[0]);
		buf__free(&names[1]);
	}
	assert_memory_equal(image__mvid(image), image__mvid(memory->alone), 16);
	image__free(image);
}

static void other_memory_is_no_image(void **state)
{
	struct memory *memory = *state;
	struct image *image = NULL;
	uint64_t base = 0;

	if (!memory)
		skip();
	/* In the middle of it: a mapping of something else that lies there. */
	assert_int_equal(image__open_loaded(read_memory, memory, memory->code + 8192, &image,
					    &base), -ENOENT);
	assert_int_equal(image__open_loaded(read_memory, memory, BASE - 65536, &image, &base),
			 -ENOENT);
	assert_int_equal(image__open_loaded(read_memory, memory, 0, &image, &base), -ENOENT);
	memory->reads = 0;
	memory->bytes[0] = 'X';
	assert_int_equal(image__open_loaded(read_memory, memory, memory->code, &image, &base),
			 -ENOENT);
	assert_in_range(memory->reads, 1, 8);
}

/* Each byte of the headers, changed in turn: the sanitizers watch. */
static void damaged_headers_are_noticed_or_harmless(void **state)
{
	const uint8_t values[] = { 0x00, 0x7f, 0xff };
	struct memory *memory = *state;
	uint32_t opened = 0, refused = 0;

	if (!memory)
		skip();
	for (uint32_t i = 0; i < 640; i++) {
		const uint8_t was = memory->bytes[i];

		for (uint32_t v = 0; v < sizeof(values); v++) {
			struct image *image = NULL;
			uint64_t base = 0;
			int err;

			memory->bytes[i] = values[v];
			err = image__open_loaded(read_memory, memory, memory->code, &image,
						 &base);
			opened += !err;
			refused += err < 0;
			image__free(image);
		}
		memory->bytes[i] = was;
	}
	assert_true(opened > 100);
	assert_true(refused > 100);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(it_is_the_image_of_the_file),
		TEST(inliners_are_those_of_the_file),
		TEST(other_memory_is_no_image),
		TEST(damaged_headers_are_noticed_or_harmless),
	};

	return cmocka_run_group_tests_name("image loaded", tests, NULL, NULL);
}
