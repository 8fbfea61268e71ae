// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Damaged images: real ones of the framework, cut at many lengths and changed
// in thousands of places, the same ones each time.  Whatever opens must keep
// its promises; the sanitizers watch every access, since each mutant lies in a
// block of exactly its size.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../abi/journal.h"
#include "../../user/image/image_object.h"
#include "image_files.h"

#define RANGES 11
/* Larger numbers on a compiler's command line make a night's run of this. */
#ifndef MUTANTS
#define MUTANTS 1500 /* per image */
#endif
#ifndef SEED
#define SEED 20261121
#endif

static const char *const names[] = {
	"System.Threading.dll", /* small, generic types */
	"System.Linq.dll",	/* mostly instantiations */
};

static uint64_t random_state;

/* xorshift64*: the same numbers on each run. */
static uint32_t random_below(uint32_t limit)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 0x2545f4914f6cdd1dull) >> 33) % limit;
}

static void check_text(const char *text, size_t size)
{
	const char *at = text;

	assert_true(size <= TS_TEXT_MAX);
	for (int i = 0; i < 4; i++) {
		assert_true(at < text + size);
		at += strlen(at) + 1;
	}
	assert_ptr_equal(at, text + size);
}

static bool check_inliner(void *context, uint32_t body)
{
	assert_true(body < *(const uint32_t *)context);
	return true;
}

/* Of what the table names, and of what it does not. */
static void check_inliners(struct image *image, uint32_t bodies)
{
	int err = image__each_inliner(image, image__assembly(image), 0, check_inliner,
				      &bodies);

	assert_true(!err || err == -EBADMSG);
	for (uint32_t i = 0; i < 10 && image->inlinings.count; i++) {
		uint32_t at = random_below(image->inlinings.count);

		err = image__each_inliner(image, image__assembly(image),
					  image->inlinings.items[at].token,
					  check_inliner, &bodies);
		assert_true(!err || err == -EBADMSG);
	}
}

static void check_promises(struct image *image)
{
	const struct image_body *bodies;
	const struct image_row *rows;
	uint32_t bodies_count = image__bodies(image, &bodies);
	uint32_t rows_count = image__rows(image, &rows), row = 0;
	struct buf text = BUF_INIT;

	for (uint32_t i = 0; i < rows_count; i++) {
		assert_true(rows[i].begin < rows[i].end);
		assert_true(rows[i].end <= image__size(image));
		assert_true(!i || rows[i - 1].end <= rows[i].begin);
		assert_true(rows[i].body < bodies_count);
		assert_true(TS_SHAPE_KIND(rows[i].shape) < TS_FRAME_COUNT);
	}
	for (uint32_t i = 0; i < bodies_count; i++) {
		int err;

		assert_int_equal(bodies[i].first_row, row);
		row += bodies[i].rows;
		buf__clear(&text);
		buf__append_char(&text, 'x');
		err = image__body_text(image, i, &text);
		if (err)
			assert_int_equal(text.size, 1);
		else
			check_text(text.data + 1, text.size - 1);
	}
	assert_int_equal(row, rows_count);
	assert_true(strlen(image__assembly(image)) < 65536);
	if (image__mvid(image))
		assert_true(image__mvid(image)[15] + 1);
	for (uint32_t i = 0; i < 100; i++) {
		uint32_t rva = random_below(image__size(image) | 1);
		int64_t body = image__find(image, rva);

		assert_true(body < (int64_t)bodies_count);
		if (body >= 0)
			assert_true(bodies[body].begin <= rva &&
				    rva < bodies[body].end);
	}
	buf__free(&text);
	check_inliners(image, bodies_count);
}

/* Opens a copy in a block of exactly this size.  True if it opened. */
static bool try_open(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct image *image = NULL;
	int err;

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	err = image__open_memory(copy, size, &image);
	if (!err)
		check_promises(image);
	else if (err != -ENOEXEC && err != -ENODATA && err != -EBADMSG &&
		 err != -ENOTSUP)
		fail_msg("unexpected error %d", err);
	image__free(image);
	free(copy);
	return !err;
}

/* Where structure is dense: a change there says more than one in the code. */
static uint32_t find_ranges(const struct image *image, struct pe_range ranges[RANGES])
{
	const struct pe_range wanted[] = {
		image->pe.native_header, image->r2r.functions,
		image->r2r.methods,	 image->r2r.instances,
		image->r2r.manifest,	 {image->pe.metadata.rva, 1024},
		image->pe.metadata,	 image->r2r.cross_module_inlinings,
	};
	uint32_t count = 0;

	ranges[count++] = (struct pe_range){0, 0x400}; /* file offsets from here */
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		int64_t offset = pe__offset(&image->pe, wanted[i].rva, wanted[i].size);

		if (offset >= 0 && wanted[i].size)
			ranges[count++] =
				(struct pe_range){(uint32_t)offset, wanted[i].size};
	}
	return count;
}

static void mutate(uint8_t *bytes, size_t size, const struct pe_range *ranges,
		   uint32_t ranges_count)
{
	static const uint32_t extremes[] = {0,		1,	    0x7f,
					    0xff,	0xffff,	    0x7fffffff,
					    0x80000000, 0xfffffffe, 0xffffffff};
	uint32_t which = random_below(ranges_count + 1), at;

	if (which == ranges_count)
		at = random_below((uint32_t)size);
	else
		at = ranges[which].rva + random_below(ranges[which].size);
	switch (random_below(3)) {
	case 0:
		bytes[at] ^= (uint8_t)(1u << random_below(8));
		break;
	case 1:
		bytes[at] = (uint8_t)random_below(256);
		break;
	default:
		if (at + 4 <= size)
			memcpy(bytes + at, &extremes[random_below(9)], 4);
	}
}

static bool read_original(const char *name, struct buf *ret_bytes)
{
	if (image_files__read(name, ret_bytes))
		return true;
	print_message(
		"SKIP: `dotnet --list-runtimes` shows no Microsoft.NETCore.App\n");
	skip();
	return false;
}

static void changed_images_keep_their_promises(void **state)
{
	(void)state;
	random_state = SEED;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct pe_range ranges[RANGES];
		uint32_t ranges_count, opened = 0;
		struct buf original = BUF_INIT;
		struct image *image;
		uint8_t *mutant;

		if (!read_original(names[i], &original))
			return;
		assert_int_equal(
			image__open_memory(original.data, original.size, &image), 0);
		ranges_count = find_ranges(image, ranges);
		assert_true(ranges_count >= 7);
		image__free(image);
		mutant = malloc(original.size);
		for (uint32_t j = 0; j < MUTANTS; j++) {
			memcpy(mutant, original.data, original.size);
			for (uint32_t k = random_below(3) + 1; k; k--)
				mutate(mutant, original.size, ranges, ranges_count);
			opened += try_open(mutant, original.size);
		}
		/* Both ways must be taken, or this tests nothing. */
		assert_true(opened > MUTANTS / 10 && opened < MUTANTS * 9 / 10);
		free(mutant);
		buf__free(&original);
	}
}

static void cut_images_keep_their_promises(void **state)
{
	struct buf original = BUF_INIT;

	(void)state;
	random_state = 1;
	if (!read_original(names[0], &original))
		return;
	for (uint32_t size = 0; size < 0x800; size++)
		assert_false(try_open((uint8_t *)original.data, size));
	for (uint32_t i = 0; i < 1000; i++)
		try_open((uint8_t *)original.data,
			 random_below((uint32_t)original.size));
	assert_true(try_open((uint8_t *)original.data, original.size));
	buf__free(&original);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changed_images_keep_their_promises),
		cmocka_unit_test(cut_images_keep_their_promises),
	};

	return cmocka_run_group_tests_name("image, hostile", tests, NULL, NULL);
}
