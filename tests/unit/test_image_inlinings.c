// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The tables of inlinings of a precompiled image: made by hand number by number, damaged in
// thousands of ways, and those of the installed framework.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/image/image_object.h"
#include "../../user/image/modules.h"
#include "image_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RVA	     0x1000u
#define ENTRIES	     8u
#define NUMBERS	     12u
#define MULTI_MODULE 0x40u
#define METHOD(row)  (0x06000000u | (row))
#define FLIPS	     20000u

/* The numbers of an entry, ended by END. */
#define END UINT32_MAX

struct fixture {
	struct buf bytes;	/* of the one section, which the image is */
	struct pe pe;
	struct r2r r2r;
	struct inlinings inlinings;
};

static int set_up(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){ .bytes = BUF_INIT };
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	inlinings__free(&fixture->inlinings);
	buf__free(&fixture->bytes);
	return 0;
}

static void put_u32(struct buf *bytes, uint32_t value)
{
	buf__append(bytes, (const char *)&value, sizeof(value));
}

static void put_number(struct buf *bytes, uint32_t value)
{
	if (value < 128) {
		buf__append_char(bytes, (char)(value << 1));
		return;
	}
	buf__append_char(bytes, 0x0f);
	put_u32(bytes, value);
}

/*
 * A hash table with one bucket:
 *
 *   header, begin and end of the bucket   hash, offset per entry   the entries
 */
static struct pe_range put_table(struct fixture *fixture,
				 const uint32_t entries[ENTRIES][NUMBERS], uint32_t count)
{
	struct buf *bytes = &fixture->bytes, data = BUF_INIT;
	struct pe_range range = { RVA + (uint32_t)bytes->size, 0 };

	buf__append_char(bytes, 2); /* offsets of four bytes */
	put_u32(bytes, 8);
	put_u32(bytes, 8 + 6 * count);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t numbers = 0;

		buf__append_char(bytes, 0x77);
		/* From here to behind the list, and on to where it lies. */
		buf__append_char(bytes, 0x0f);
		put_u32(bytes, 6 * (count - i) - 1 + (uint32_t)data.size);
		while (entries[i][numbers] != END)
			numbers++;
		put_number(&data, numbers);
		for (uint32_t j = 0; j < numbers; j++)
			put_number(&data, entries[i][j]);
	}
	buf__append(bytes, data.data, data.size);
	buf__free(&data);
	range.size = RVA + (uint32_t)bytes->size - range.rva;
	return range;
}

static int read_bytes(struct fixture *fixture, const void *bytes, uint32_t size)
{
	fixture->pe = (struct pe){ .data = bytes, .size = size, .sections_count = 1 };
	fixture->pe.sections[0] = (struct image_section){
		.rva = RVA, .virtual_size = size, .file_size = size };
	inlinings__free(&fixture->inlinings);
	return inlinings__read(&fixture->pe, &fixture->r2r, &fixture->inlinings);
}

static int read_all(struct fixture *fixture)
{
	return read_bytes(fixture, fixture->bytes.data, (uint32_t)fixture->bytes.size);
}

static void assert_items(const struct fixture *fixture, const struct inlining *wanted,
			 uint32_t count)
{
	assert_int_equal(fixture->inlinings.count, count);
	for (uint32_t i = 0; i < count; i++)
		assert_memory_equal(&fixture->inlinings.items[i], &wanted[i],
				    sizeof(*wanted));
}

static void single_module_has_differences_alone(void **state)
{
	const uint32_t entries[ENTRIES][NUMBERS] = {
		{ 7 << 2, 3, 2, 200, END }, { 5 << 2, 9, END }, { END } };
	const struct inlining wanted[] = {
		{ 0, METHOD(5), 0, METHOD(9) }, { 0, METHOD(7), 0, METHOD(3) },
		{ 0, METHOD(7), 0, METHOD(5) }, { 0, METHOD(7), 0, METHOD(205) } };
	struct fixture *fixture = *state;

	fixture->r2r.cross_module_inlinings = put_table(fixture, entries, 2);
	assert_int_equal(read_all(fixture), 0);
	assert_items(fixture, wanted, 4);
	assert_int_equal(inlinings__first(&fixture->inlinings, 0, METHOD(5)), 0);
	assert_int_equal(inlinings__first(&fixture->inlinings, 0, METHOD(7)), 1);
	assert_int_equal(inlinings__first(&fixture->inlinings, 0, METHOD(8)), 4);
	assert_int_equal(inlinings__first(&fixture->inlinings, 1, 0), 4);
}

/* Who has no module of its own has that of what it inlined. */
static void several_modules_are_told(void **state)
{
	const uint32_t entries[ENTRIES][NUMBERS] = {
		{ 7 << 2, 0, 3 << 1, 2 << 1 | 1, 4, 1 << 1, END },
		{ 7 << 2, 6, 3 << 1, END } };
	const struct inlining wanted[] = {
		{ 0, METHOD(7), 0, METHOD(3) }, { 0, METHOD(7), 0, METHOD(6) },
		{ 0, METHOD(7), 4, METHOD(5) }, { 6, METHOD(7), 6, METHOD(3) } };
	struct fixture *fixture = *state;

	fixture->r2r.flags = MULTI_MODULE;
	fixture->r2r.cross_module_inlinings = put_table(fixture, entries, 2);
	assert_int_equal(read_all(fixture), 0);
	assert_items(fixture, wanted, 4);
}

/* What is known by import only is not told, all else is. */
static void methods_by_import_are_left_out(void **state)
{
	const uint32_t entries[ENTRIES][NUMBERS] = {
		{ 7 << 2 | 1, 3, 4, END },	       /* inlinee by import */
		{ 8 << 2 | 2, 2, 40, 41, 3, 4, END },  /* two inliners by import */
		{ 9 << 2 | 3, 1, 40, 3, END } };
	const struct inlining wanted[] = { { 0, METHOD(8), 0, METHOD(3) },
					   { 0, METHOD(8), 0, METHOD(7) } };
	struct fixture *fixture = *state;

	fixture->r2r.cross_module_inlinings = put_table(fixture, entries, 3);
	assert_int_equal(read_all(fixture), 0);
	assert_items(fixture, wanted, 2);
}

/* Header: 8 bytes and 12 for each section. */
static struct pe_range put_core_header(struct fixture *fixture, struct pe_range inlinings)
{
	struct pe_range range = { RVA + (uint32_t)fixture->bytes.size, 8 + 12 };

	put_u32(&fixture->bytes, 0x20);
	put_u32(&fixture->bytes, 1);
	put_u32(&fixture->bytes, R2R_INLININGS);
	put_u32(&fixture->bytes, inlinings.rva);
	put_u32(&fixture->bytes, inlinings.size);
	return range;
}

/* Of each component a table of its own; who has no module there is the component's. */
static void components_have_tables_of_their_own(void **state)
{
	const uint32_t first[ENTRIES][NUMBERS] = { { 7 << 1, 3 << 1, 1 << 1 | 1, 3, END } };
	const uint32_t second[ENTRIES][NUMBERS] = { { 7 << 1 | 1, 2, 9 << 1, END } };
	const struct inlining wanted[] = { { 2, METHOD(7), 2, METHOD(3) },
					   { 2, METHOD(7), 3, METHOD(4) },
					   { 2, METHOD(7), 3, METHOD(9) } };
	struct fixture *fixture = *state;
	struct pe_range headers[2];

	headers[0] = put_core_header(fixture, put_table(fixture, first, 1));
	headers[1] = put_core_header(fixture, put_table(fixture, second, 1));
	fixture->r2r.components = (struct pe_range){ RVA + (uint32_t)fixture->bytes.size,
						     2 * R2R_COMPONENT_BYTES };
	for (uint32_t i = 0; i < 2; i++) {
		put_u32(&fixture->bytes, 0);
		put_u32(&fixture->bytes, 0);
		put_u32(&fixture->bytes, headers[i].rva);
		put_u32(&fixture->bytes, headers[i].size);
	}
	assert_int_equal(read_all(fixture), 0);
	assert_items(fixture, wanted, 3);
}

static void assert_damaged(struct fixture *fixture, const uint32_t numbers[NUMBERS])
{
	uint32_t entries[ENTRIES][NUMBERS];

	memcpy(entries[0], numbers, sizeof(entries[0]));
	buf__clear(&fixture->bytes);
	fixture->r2r.cross_module_inlinings = put_table(fixture, entries, 1);
	assert_int_equal(read_all(fixture), -EBADMSG);
	assert_int_equal(fixture->inlinings.count, 0);
}

static void lists_that_make_no_sense_are_refused(void **state)
{
	struct fixture *fixture = *state;

	assert_damaged(fixture, (const uint32_t[NUMBERS]){ END }); /* not even an inlinee */
	assert_damaged(fixture, (const uint32_t[NUMBERS]){ 7 << 2 | 2, END });
	assert_damaged(fixture, (const uint32_t[NUMBERS]){ 7 << 2 | 2, 3, 1, 1, END });
	assert_damaged(fixture, (const uint32_t[NUMBERS]){ 7 << 2, 0x1000000, END });
	assert_damaged(fixture, (const uint32_t[NUMBERS]){ 0x1000000 << 2, 5, END });
	fixture->r2r.flags = MULTI_MODULE;
	assert_damaged(fixture, (const uint32_t[NUMBERS]){ 7 << 2, END });
	assert_damaged(fixture, (const uint32_t[NUMBERS]){ 7 << 2, 0, 3 << 1 | 1, END });
	assert_damaged(fixture, (const uint32_t[NUMBERS]){ 7 << 2, 4096, 3 << 1, END });
	assert_damaged(fixture, (const uint32_t[NUMBERS]){ 7 << 2, 0, 3 << 1 | 1, 4096, END });
}

static void an_inliner_that_is_named_again_comes_once(void **state)
{
	const uint32_t entries[ENTRIES][NUMBERS] = { { 7 << 2, 3, 0, 0, 2, END }, { END } };
	const struct inlining wanted[] = {
		{ 0, METHOD(7), 0, METHOD(3) }, { 0, METHOD(7), 0, METHOD(5) } };
	struct fixture *fixture = *state;

	fixture->r2r.cross_module_inlinings = put_table(fixture, entries, 1);
	assert_int_equal(read_all(fixture), 0);
	assert_items(fixture, wanted, 2);
}

/* A thousand components with one large, empty table would take minutes. */
static void tables_that_overlap_are_refused(void **state)
{
	const uint32_t entries[ENTRIES][NUMBERS] = { { 8 << 1, 3 << 1, END }, { END } };
	struct fixture *fixture = *state;
	struct pe_range range = put_table(fixture, entries, 1);

	fixture->r2r.inlinings = range;
	assert_int_equal(read_all(fixture), 0);
	inlinings__free(&fixture->inlinings);
	fixture->r2r.cross_module_inlinings = range;
	assert_int_equal(read_all(fixture), -EBADMSG);
	fixture->r2r.inlinings = (struct pe_range){ 0, 0 };
	assert_int_equal(read_all(fixture), 0);
}

/* Many entries that lead to one long list would be many times as much as the section. */
static void a_list_is_not_read_over_and_over(void **state)
{
	struct fixture *fixture = *state;
	struct buf *bytes = &fixture->bytes;
	const uint32_t count = 100;

	fixture->r2r.cross_module_inlinings = (struct pe_range){ RVA, 9 + 6 * count + 101 };
	buf__append_char(bytes, 2);
	put_u32(bytes, 8);
	put_u32(bytes, 8 + 6 * count);
	for (uint32_t i = 0; i < count; i++) {
		buf__append_char(bytes, 0x77);
		buf__append_char(bytes, 0x0f);
		put_u32(bytes, 6 * (count - i) - 1);
	}
	put_number(bytes, 100);
	for (uint32_t i = 0; i < 100; i++)
		put_number(bytes, 4);
	assert_int_equal(read_all(fixture), -EBADMSG);
	assert_int_equal(fixture->inlinings.count, 0);
}

/* Whatever happens to the bytes: no access leaves them (ASan), and numbers stay in bounds. */
static void read_damaged(struct fixture *fixture, const void *bytes, uint32_t size)
{
	void *copy = malloc(size ? size : 1);
	int err;

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	err = read_bytes(fixture, copy, size);
	assert_true(!err || err == -EBADMSG);
	assert_true(fixture->inlinings.count <= size);
	for (uint32_t i = 0; i < fixture->inlinings.count; i++) {
		assert_int_equal(fixture->inlinings.items[i].token >> 24, 6);
		assert_int_equal(fixture->inlinings.items[i].inliner >> 24, 6);
	}
	free(copy);
}

static void damaged_tables_are_refused_or_read(void **state)
{
	const uint32_t entries[ENTRIES][NUMBERS] = {
		{ 7 << 2, 0, 3 << 1, 2 << 1 | 1, 4, 1 << 1, END },
		{ 7 << 2 | 2, 6, 1, 1, 3 << 1, END },
		{ 300 << 2, 0, 300 << 1, 200 << 1, END } };
	struct fixture *fixture = *state;
	uint8_t bytes[512];
	uint32_t size;

	fixture->r2r.flags = MULTI_MODULE;
	fixture->r2r.cross_module_inlinings = put_table(fixture, entries, 3);
	size = (uint32_t)fixture->bytes.size;
	assert_true(size < sizeof(bytes));
	for (uint32_t cut = 0; cut < size; cut++)
		read_damaged(fixture, fixture->bytes.data, cut);
	srandom(20261123);
	for (uint32_t i = 0; i < FLIPS; i++) {
		memcpy(bytes, fixture->bytes.data, size);
		for (uint32_t j = 0; j < 1 + i % 3; j++)
			bytes[(uint32_t)random() % size] = (uint8_t)random();
		read_damaged(fixture, bytes, size);
	}
}

/* --- the framework ---------------------------------------------------------------------- */

static struct image *open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct image *image = NULL;

	if (fd >= 0) {
		if (image__open(fd, 0, NULL, &image))
			image = NULL;
		close(fd);
	}
	return image;
}

static bool count_body(void *context, uint32_t body)
{
	(void)body;
	(*(uint32_t *)context)++;
	return true;
}

/* Of each image: they can be read, and some of the inliners have a body. */
static void every_image_of_the_framework_tells(void **state)
{
	uint32_t images = 0, told = 0;
	glob_t files;

	(void)state;
	if (!image_files__all(&files)) {
		print_message("SKIP: no .NET framework here\n");
		skip();
	}
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct image *image = open_file(files.gl_pathv[i]);
		const struct inlinings *inlinings;
		uint32_t bodies = 0;

		if (!image)
			continue;
		assert_int_equal(image__each_inliner(image, image__assembly(image), 0,
						     count_body, &bodies), 0);
		inlinings = &image->inlinings;
		for (uint32_t j = 0; j < inlinings->count; j++)
			if (!j || inlinings->items[j].token != inlinings->items[j - 1].token)
				assert_int_equal(image__each_inliner(
					image, image__assembly(image),
					inlinings->items[j].token, count_body, &bodies), 0);
		images++;
		told += inlinings->count > 0;
		assert_int_equal(bodies > 0, inlinings->count > 0);
		image__free(image);
	}
	globfree(&files);
	assert_true(told > images / 2);
}

static uint32_t find_method(const struct image *image, const char *name)
{
	const struct metadata *metadata = &image->metadata;

	for (uint32_t row = 1; row <= metadata->tables[TABLE_METHOD_DEF].count; row++)
		if (!strcmp(metadata__string(metadata, TABLE_METHOD_DEF, row,
					     METHOD_DEF_NAME), name))
			return METHOD(row);
	return 0;
}

struct named {
	struct image *image;
	struct buf names;
};

static bool add_name(void *context, uint32_t body)
{
	struct named *named = context;
	struct buf text = BUF_INIT;

	assert_int_equal(image__body_text(named->image, body, &text), 0);
	buf__append_string(&named->names, text.data + strlen(text.data) + 1);
	buf__append_char(&named->names, ' ');
	buf__free(&text);
	return true;
}

/* So the runtime's own profiling interface says of 8, 9 and 10, too (test_old_inliners.py). */
static void a_known_method_has_its_inliners(void **state)
{
	struct named named = { .names = BUF_INIT };
	char path[2048];
	uint32_t token;

	(void)state;
	if (!image_files__path(MODULES_CORE_NAME ".dll", path, sizeof(path))) {
		print_message("SKIP: no .NET framework here\n");
		skip();
	}
	named.image = open_file(path);
	assert_non_null(named.image);
	assert_string_equal(image__assembly(named.image), MODULES_CORE_NAME);
	token = find_method(named.image, "IsSupplementary");
	assert_int_not_equal(token, 0);
	assert_int_equal(image__each_inliner(named.image, MODULES_CORE_NAME, token, add_name,
					     &named), 0);
	assert_non_null(strstr(buf__string(&named.names), "PunycodeEncode "));
	assert_non_null(strstr(buf__string(&named.names), "PunycodeDecode "));
	assert_int_equal(named.names.size, strlen("PunycodeEncode PunycodeDecode "));
	buf__clear(&named.names);
	assert_int_equal(image__each_inliner(named.image, "System.Linq", token, add_name,
					     &named), 0);
	assert_int_equal(named.names.size, 0);
	buf__free(&named.names);
	image__free(named.image);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(single_module_has_differences_alone),
		TEST(several_modules_are_told),
		TEST(methods_by_import_are_left_out),
		TEST(components_have_tables_of_their_own),
		TEST(lists_that_make_no_sense_are_refused),
		TEST(an_inliner_that_is_named_again_comes_once),
		TEST(tables_that_overlap_are_refused),
		TEST(a_list_is_not_read_over_and_over),
		TEST(damaged_tables_are_refused_or_read),
		cmocka_unit_test(every_image_of_the_framework_tells),
		cmocka_unit_test(a_known_method_has_its_inliners),
	};

	return cmocka_run_group_tests_name("image, inlinings", tests, NULL, NULL);
}
