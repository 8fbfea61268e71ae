// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Images that lie one behind the other in a file, as in a single-file application: each
// is found by what is mapped of it, and is the same image that it is alone.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "image_files.h"

#include "../../user/image/cache.h"
#include "../../user/image/image.h"

#include <errno.h>
#include <unistd.h>

#define PAGE 4096u
#define PARTS 3

/* Wherever in a page the runtime's bundler lets them begin. */
static const struct {
	const char *name;
	uint32_t gap;
} parts[PARTS] = { { "System.Console.dll", 8192 + 0xf80 },
		   { "System.Linq.dll", 0x4c0 },
		   { "System.Collections.dll", 0x10 } };

struct bundle {
	int fd;
	uint64_t offsets[PARTS];
	struct buf files[PARTS];
};

static int set_up(void **state)
{
	static struct bundle bundle;
	char path[] = "/tmp/tierscope-bundle-XXXXXX";
	uint64_t at = 0;

	bundle = (struct bundle){ .fd = mkstemp(path) };
	if (bundle.fd < 0)
		return -1;
	unlink(path);
	*state = &bundle;
	for (int i = 0; i < PARTS; i++) {
		if (!image_files__read(parts[i].name, &bundle.files[i])) {
			print_message("no .NET framework here\n");
			*state = NULL;
			return 0;
		}
		at = (at + 63) / 64 * 64 + parts[i].gap;
		bundle.offsets[i] = at;
		if (pwrite(bundle.fd, bundle.files[i].data, bundle.files[i].size,
			   (off_t)at) != (ssize_t)bundle.files[i].size)
			return -1;
		at += bundle.files[i].size;
	}
	return 0;
}

static int tear_down(void **state)
{
	struct bundle *bundle = *state;

	for (int i = 0; bundle && i < PARTS; i++)
		buf__free(&bundle->files[i]);
	if (bundle)
		close(bundle->fd);
	return 0;
}

/* The page of the file from which an image's code is mapped, and where its bytes lie. */
static uint64_t code_page(const struct image *image, uint64_t offset, uint64_t *ret_rva)
{
	const struct image_section *sections;
	uint32_t count = image__sections(image, &sections);

	for (uint32_t i = 0; i < count; i++) {
		uint64_t start = offset + sections[i].file_offset;

		if (!sections[i].executable)
			continue;
		*ret_rva = sections[i].rva - start % PAGE;
		return start / PAGE * PAGE;
	}
	fail_msg("no code");
	return 0;
}

static void expect_same(struct image *one, struct image *other)
{
	struct buf names[2] = { BUF_INIT, BUF_INIT };
	const struct image_row *rows[2];
	uint32_t count = image__rows(one, &rows[0]);

	assert_true(count > 10);
	assert_int_equal(image__rows(other, &rows[1]), count);
	assert_memory_equal(rows[0], rows[1], count * sizeof(**rows));
	for (uint32_t body = 0; body < 10; body++) {
		assert_int_equal(image__body_text(one, body, &names[0]), 0);
		assert_int_equal(image__body_text(other, body, &names[1]), 0);
	}
	assert_int_equal(names[0].size, names[1].size);
	assert_memory_equal(names[0].data, names[1].data, names[0].size);
	assert_string_equal(image__assembly(one), image__assembly(other));
	buf__free(&names[0]);
	buf__free(&names[1]);
}

static void each_part_is_found_by_what_is_mapped_of_it(void **state)
{
	struct bundle *bundle = *state;

	if (!bundle)
		skip();
	for (int i = 0; i < PARTS; i++) {
		struct image *alone = NULL, *part = NULL;
		const uint64_t base = 0x7f0000230000 + bundle->offsets[i] % PAGE;
		uint64_t mapped, rva, found = 0;

		assert_int_equal(image__open_memory(bundle->files[i].data,
						    bundle->files[i].size, &alone), 0);
		mapped = code_page(alone, bundle->offsets[i], &rva);
		assert_int_equal(image__find_start(bundle->fd, mapped, &found), 0);
		assert_int_equal(found, bundle->offsets[i]);
		assert_int_equal(image__open(bundle->fd, found, NULL, &part), 0);
		assert_int_equal(image__base_of_mapping(part, base + rva, mapped), base);
		expect_same(alone, part);
		image__free(part);
		image__free(alone);
	}
}

static void what_is_mapped_of_no_image_finds_none(void **state)
{
	struct bundle *bundle = *state;
	uint64_t found = 0;

	if (!bundle)
		skip();
	assert_int_equal(image__find_start(bundle->fd, 0, &found), -ENOENT);
	assert_int_equal(image__find_start(bundle->fd, 1ull << 40, &found), -ENOENT);
	/* Code, but not where it begins: a mapping that was split, or a hostile one. */
	assert_int_equal(image__find_start(bundle->fd, bundle->offsets[1] / PAGE * PAGE +
					   8 * PAGE, &found), -ENOENT);
	assert_int_equal(image__find_start(-1, PAGE, &found), -ENOENT);
}

static void each_part_has_a_table_of_its_own_in_the_cache(void **state)
{
	char folder[] = "/tmp/tierscope-cache-XXXXXX", command[600];
	struct bundle *bundle = *state;

	if (!bundle)
		skip();
	assert_non_null(mkdtemp(folder));
	setenv("TIERSCOPE_CACHE", folder, 1);
	for (int run = 0; run < 2; run++) {
		struct image_cache *cache = image_cache__open();
		struct image *images[PARTS];

		for (int i = 0; i < PARTS; i++) {
			struct image *alone = NULL;

			assert_int_equal(image__open(bundle->fd, bundle->offsets[i], cache,
						     &images[i]), 0);
			assert_int_equal(image__open_memory(bundle->files[i].data,
							    bundle->files[i].size,
							    &alone), 0);
			expect_same(alone, images[i]);
			image__free(alone);
		}
		image_cache__free(cache);
		for (int i = 0; i < PARTS; i++)
			image__free(images[i]);
	}
	snprintf(command, sizeof(command), "test $(ls %s | wc -l) = %d && rm -rf %s", folder,
		 PARTS, folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(each_part_is_found_by_what_is_mapped_of_it),
		TEST(what_is_mapped_of_no_image_finds_none),
		TEST(each_part_has_a_table_of_its_own_in_the_cache),
	};

	return cmocka_run_group_tests_name("image bundle", tests, NULL, NULL);
}
