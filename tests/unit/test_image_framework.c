// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Every precompiled image of the installed .NET framework and C# compiler:
// tables in order, shapes against the instructions of the prolog, a name for
// every body, and some names that are known.  Reads no table of its own: the
// code bytes are found through the section list.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../user/image/image.h"
#include "image_files.h"

#define NO_FRAMEWORK "`dotnet --list-runtimes` shows no Microsoft.NETCore.App"

struct file {
	const char *path;
	struct buf bytes;
	struct image *image;
};

static int skip_without(const char *why)
{
	print_message("SKIP: %s\n", why);
	skip();
	return 0;
}

/* Calls `check` for every image with precompiled code; returns how many. */
static uint32_t each_image(void (*check)(const struct file *file))
{
	uint32_t count = 0;
	glob_t files;

	if (!image_files__all(&files)) {
		skip_without(NO_FRAMEWORK);
		return 0;
	}
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct file file = {.path = files.gl_pathv[i]};
		int err;

		assert_int_equal(buf__read_file(&file.bytes, file.path, 256u << 20), 0);
		err = image__open_memory(file.bytes.data, file.bytes.size, &file.image);
		if (!err) {
			check(&file);
			count++;
		} else if (err != -ENODATA) { /* a facade without code */
			fail_msg("%s: %s", file.path, strerror(-err));
		}
		image__free(file.image);
		buf__free(&file.bytes);
	}
	globfree(&files);
	return count;
}

static const uint8_t *code_at(const struct file *file, uint32_t rva)
{
	const struct image_section *sections;
	uint32_t count = image__sections(file->image, &sections);

	for (uint32_t i = 0; i < count; i++)
		if (sections[i].executable && rva >= sections[i].rva &&
		    rva - sections[i].rva < sections[i].file_size)
			return (const uint8_t *)file->bytes.data +
			       sections[i].file_offset + (rva - sections[i].rva);
	return NULL;
}

static void check_tables(const struct file *file)
{
	const struct image_body *bodies;
	const struct image_row *rows;
	uint32_t bodies_count = image__bodies(file->image, &bodies);
	uint32_t rows_count = image__rows(file->image, &rows), row = 0;

	assert_true(rows_count > 0 && bodies_count > 0 && bodies_count <= rows_count);
	assert_non_null(image__mvid(file->image));
	assert_true(*image__assembly(file->image));
	for (uint32_t i = 0; i < bodies_count; i++) {
		const struct image_body *body = &bodies[i];

		assert_int_equal(body->first_row, row);
		assert_true(body->rows > 0);
		assert_int_equal(body->begin, rows[row].begin);
		for (uint32_t j = 0; j < body->rows; j++, row++) {
			assert_true(row < rows_count);
			assert_int_equal(rows[row].body, i);
			assert_true(rows[row].begin < rows[row].end);
			assert_true(!row || rows[row - 1].end <= rows[row].begin);
		}
		assert_int_equal(body->end, rows[row - 1].end);
		assert_true(body->end <= image__size(file->image));
		assert_int_equal(body->token >> 24, 0x06);
		assert_int_equal(image__find(file->image, body->begin), i);
		assert_int_equal(image__find(file->image, body->end - 1), i);
		assert_int_not_equal(image__find(file->image, body->end), i);
	}
	assert_int_equal(row, rows_count);
	assert_int_equal(image__find(file->image, 0), -1);
	assert_int_equal(image__find(file->image, UINT32_MAX), -1);
}

static void tables_are_in_order(void **state)
{
	(void)state;
	assert_true(each_image(check_tables) > 50);
}

/* What the prolog does, read from its instructions. */
struct prolog {
	uint32_t length, slots;
	bool framed;
};

static uint32_t u32_at(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* One push or sub of the prolog, or 0. */
static uint32_t take_instruction(const uint8_t *at, struct prolog *prolog)
{
	if (at[0] >= 0x50 && at[0] <= 0x57) {
		prolog->slots++;
		return 1;
	}
	if (at[0] == 0x41 && at[1] >= 0x50 && at[1] <= 0x57) {
		prolog->slots++;
		return 2;
	}
	if (at[0] == 0x48 && at[1] == 0x83 && at[2] == 0xec) {
		prolog->slots += at[3] / 8;
		return 4;
	}
	if (at[0] == 0x48 && at[1] == 0x81 && at[2] == 0xec) {
		prolog->slots += u32_at(at + 3) / 8;
		return 7;
	}
	return 0;
}

static struct prolog read_prolog(const uint8_t *code)
{
	struct prolog prolog = {0};
	const uint8_t *at = code;
	uint32_t length;

	while ((length = take_instruction(at, &prolog)))
		at += length;
	prolog.framed = code[0] == 0x55;
	if (!memcmp(at, "\x48\x8b\xec", 3))
		at += 3;
	else if (!memcmp(at, "\x48\x8d\x6c\x24", 4))
		at += 5;
	else if (!memcmp(at, "\x48\x8d\xac\x24", 4))
		at += 8;
	else
		prolog.framed = false;
	prolog.length = (uint32_t)(at - code);
	return prolog;
}

/*
 * Frames of several pages are allocated with a probe between, which
 * read_prolog does not know: `lea r11,[rsp-n]; call ...; mov rsp,r11`.
 */
static bool probes_stack(const uint8_t *code, uint32_t length)
{
	for (uint32_t i = 0; i + 4 < length; i++)
		if (!memcmp(code + i, "\x4c\x8d\x9c\x24", 4) ||
		    !memcmp(code + i, "\x4c\x8d\x5c\x24", 4))
			return true;
	return false;
}

static void check_shapes(const struct file *file)
{
	const struct image_body *bodies;
	const struct image_row *rows;
	uint32_t count = image__bodies(file->image, &bodies);

	image__rows(file->image, &rows);
	for (uint32_t i = 0; i < count; i++) {
		const struct image_row *row = &rows[bodies[i].first_row];
		const uint8_t *code = code_at(file, row->begin);
		uint32_t prolog_length = TS_SHAPE_PROLOG(row->shape);
		struct prolog prolog;

		assert_non_null(code);
		/* Its funclets share the frame of the method. */
		for (uint32_t j = 1; j < bodies[i].rows; j++)
			assert_int_equal(TS_SHAPE_KIND(row[j].shape), TS_FRAME_FRAMED);
		if (probes_stack(code, prolog_length))
			continue;
		prolog = read_prolog(code);
		if (prolog.length != prolog_length)
			fail_msg("%s: prolog at %#x is %u bytes, not %u", file->path,
				 row->begin, prolog.length, prolog_length);
		assert_int_equal(TS_SHAPE_KIND(row->shape),
				 prolog.framed ? TS_FRAME_FRAMED : TS_FRAME_FRAMELESS);
		assert_int_equal(TS_SHAPE_SLOTS(row->shape),
				 prolog.framed ? 0 : prolog.slots);
	}
}

static void shapes_agree_with_the_prologs(void **state)
{
	(void)state;
	assert_true(each_image(check_shapes) > 50);
}

static void check_names(const struct file *file)
{
	const struct image_body *bodies;
	uint32_t count = image__bodies(file->image, &bodies);
	struct buf text = BUF_INIT;

	for (uint32_t i = 0; i < count; i++) {
		const char *parts[4], *at;

		buf__clear(&text);
		assert_int_equal(image__body_text(file->image, i, &text), 0);
		at = text.data;
		for (int j = 0; j < 4; j++) {
			assert_true(at < text.data + text.size);
			parts[j] = at;
			at += strlen(at) + 1;
		}
		assert_ptr_equal(at, text.data + text.size);
		assert_true(*parts[0] && *parts[1]);
		assert_non_null(strstr(parts[2], "  ("));
		assert_int_equal(parts[2][strlen(parts[2]) - 1], ')');
		assert_int_equal(strstr(parts[2], "generic ") != NULL, *parts[3] != 0);
	}
	buf__free(&text);
}

static void every_body_has_a_name(void **state)
{
	(void)state;
	assert_true(each_image(check_names) > 50);
}

/* Type, method, signature, method type arguments, each ended by NUL. */
static const char *const known[] = {
	"System.String\0Concat\0"
	"class System.String  (class System.String,class System.String)\0",
	"System.Collections.Generic.Dictionary`2[System.__Canon,System.__Canon]\0"
	"FindValue\0instance !1&  (!0)\0",
	"System.Collections.Generic.List`1+Enumerator[System.__Canon]\0"
	"MoveNext\0instance bool  ()\0",
	"System.Collections.Generic.List`1[System.Int32]\0Add\0instance void  (!0)\0",
	"System.Array\0ConvertAll\0"
	"generic !!1[]  (!!0[],class System.Converter`2<!!0,!!1>)\0"
	"System.__Canon,System.__Canon",
	"System.Array\0Resize\0generic void  (!!0[]&,int32)\0System.__Canon",
	"System.Array\0Resize\0generic void  (!!0[]&,int32)\0System.Int32",
	"System.String\0GetPinnableReference\0instance required_modifier "
	"System.Runtime.InteropServices.InAttribute wchar&  ()\0",
	"System.RuntimeType+CreateUninitializedCache\0GetCreateUninitializedInfo\0"
	"void  (class System.RuntimeType,fnptr class System.Object(void*)&,void*&)\0",
};

static size_t text_size(const char *text)
{
	const char *at = text;

	for (int i = 0; i < 4; i++)
		at += strlen(at) + 1;
	return (size_t)(at - text);
}

static void well_known_methods_are_found_once(void **state)
{
	struct buf bytes = BUF_INIT, text = BUF_INIT;
	struct image *image;
	uint32_t count;

	(void)state;
	if (!image_files__read("System.Private.CoreLib.dll", &bytes)) {
		skip_without(NO_FRAMEWORK);
		return;
	}
	assert_int_equal(image__open_memory(bytes.data, bytes.size, &image), 0);
	assert_string_equal(image__assembly(image), "System.Private.CoreLib");
	count = image__bodies(image, &(const struct image_body *){NULL});
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		uint32_t found = 0;

		for (uint32_t j = 0; j < count; j++) {
			buf__clear(&text);
			assert_int_equal(image__body_text(image, j, &text), 0);
			found += text.size == text_size(known[i]) &&
				 !memcmp(text.data, known[i], text.size);
		}
		if (found != 1)
			fail_msg("%s was found %u times", known[i], found);
	}
	image__free(image);
	buf__free(&bytes);
	buf__free(&text);
}

/* From a descriptor: the same, though most of the copy was given back. */
static void descriptor_and_memory_give_the_same(void **state)
{
	struct buf bytes = BUF_INIT, one = BUF_INIT, two = BUF_INIT;
	char framework[1024], path[2048];
	struct image *memory, *file;
	uint32_t count;
	int fd;

	(void)state;
	if (!image_files__framework(framework, sizeof(framework))) {
		skip_without(NO_FRAMEWORK);
		return;
	}
	snprintf(path, sizeof(path), "%s/System.Linq.dll", framework);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_return_code(fd, errno);
	assert_int_equal(image__open(fd, 0, NULL, &file), 0);
	close(fd);
	assert_int_equal(buf__read_file(&bytes, path, 64u << 20), 0);
	assert_int_equal(image__open_memory(bytes.data, bytes.size, &memory), 0);
	count = image__bodies(file, &(const struct image_body *){NULL});
	assert_int_equal(count,
			 image__bodies(memory, &(const struct image_body *){NULL}));
	for (uint32_t i = 0; i < count; i++) {
		buf__clear(&one);
		buf__clear(&two);
		assert_int_equal(image__body_text(file, i, &one), 0);
		assert_int_equal(image__body_text(memory, i, &two), 0);
		assert_int_equal(one.size, two.size);
		assert_memory_equal(one.data, two.data, one.size);
	}
	assert_memory_equal(image__mvid(file), image__mvid(memory), 16);
	image__free(file);
	image__free(memory);
	buf__free(&bytes);
	buf__free(&one);
	buf__free(&two);
}

/*
 * The runtime maps whole pages: .text at RVA 0x10200 and file offset 0x200 is
 * a mapping of offset 0 at base + 0x10000.
 */
static void check_base(const struct file *file)
{
	const struct image_section *sections;
	uint32_t count = image__sections(file->image, &sections);
	const uint64_t base = 0x7f0012340000;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t page = sections[i].file_offset & ~0xfffull;
		uint64_t at = base + sections[i].rva - (sections[i].file_offset - page);

		if (!sections[i].executable)
			continue;
		assert_int_equal(image__base_of_mapping(file->image, at, page), base);
		assert_int_equal(image__base_of_mapping(file->image, at + 0x1000,
							page + 0x1000),
				 base);
	}
	assert_int_equal(image__base_of_mapping(file->image, base, 1ull << 40), 0);
}

static void base_follows_from_an_executable_mapping(void **state)
{
	(void)state;
	assert_true(each_image(check_base) > 50);
}

static void what_is_no_image_is_told_apart(void **state)
{
	struct image *image;
	uint8_t text[64] = "MZ but nothing that follows";
	int fd;

	(void)state;
	assert_int_equal(image__open_memory("", 0, &image), -ENOEXEC);
	assert_int_equal(image__open_memory("\177ELF", 4, &image), -ENOEXEC);
	assert_int_equal(image__open_memory(text, sizeof(text), &image), -ENOEXEC);
	fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	assert_return_code(fd, errno);
	assert_int_equal(image__open(fd, 0, NULL, &image), -ENOEXEC);
	close(fd);
	assert_int_equal(image__open(-1, 0, NULL, &image), -EBADF);
	fd = memfd_create("sparse", MFD_CLOEXEC);
	assert_return_code(fd, errno);
	assert_return_code(ftruncate(fd, 1ll << 40), errno);
	assert_int_equal(image__open(fd, 0, NULL, &image), -ENOEXEC);
	assert_int_equal(pwrite(fd, "MZ", 2, 0), 2);
	assert_int_equal(image__open(fd, 0, NULL, &image), -EFBIG);
	assert_return_code(ftruncate(fd, 100), errno);
	assert_int_equal(image__open(fd, 0, NULL, &image), -ENOEXEC);
	close(fd);
	image__free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_in_order),
		cmocka_unit_test(shapes_agree_with_the_prologs),
		cmocka_unit_test(every_body_has_a_name),
		cmocka_unit_test(well_known_methods_are_found_once),
		cmocka_unit_test(descriptor_and_memory_give_the_same),
		cmocka_unit_test(base_follows_from_an_executable_mapping),
		cmocka_unit_test(what_is_no_image_is_told_apart),
	};

	return cmocka_run_group_tests_name("image of the framework", tests, NULL, NULL);
}
