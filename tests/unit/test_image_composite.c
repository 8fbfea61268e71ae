// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Composite images: a framework image made into one with a single component, whose
// metadata lies in the original file.  Where the compiler's debug information was lie the
// tables that only composite images have:
//
//   +0   the component: CLI header, core header (RVA and size each)
//   +16  its core header: flags, 1 section: the entry points
//   +64  its MVID
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/image/image_object.h"
#include "image_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME  "System.Linq.dll"
#define OTHER_NAME "System.Console.dll"
#define DEBUG_INFO 104
#define CORE_AT	   16u
#define MVID_AT	   64u

struct composite {
	struct buf bytes;
	struct image *alone;  /* the original */
	struct image *image;  /* the composite */
};

static uint8_t *at(struct composite *composite, uint32_t rva)
{
	return (uint8_t *)composite->bytes.data + pe__offset(&composite->alone->pe, rva, 4);
}

static void put(uint8_t *to, uint32_t value)
{
	memcpy(to, &value, 4);
}

static uint32_t get(const uint8_t *from)
{
	uint32_t value;

	memcpy(&value, from, 4);
	return value;
}

static void make(struct composite *composite)
{
	uint8_t *header = at(composite, composite->alone->pe.native_header.rva);
	struct pe_range methods = composite->alone->r2r.methods;
	uint8_t *entry_points = NULL, *debug_info = NULL, *space;
	uint32_t rva;

	for (uint32_t i = 0; i < get(header + 12); i++) {
		uint8_t *section = header + 16 + 12ul * i;

		if (get(section) == R2R_METHOD_ENTRY_POINTS)
			entry_points = section;
		else if (get(section) == DEBUG_INFO)
			debug_info = section;
		else if (get(section) == R2R_COMPONENT_MVIDS)
			put(section, DEBUG_INFO); /* it has none */
	}
	assert_non_null(entry_points);
	assert_non_null(debug_info);
	assert_true(get(debug_info + 8) >= MVID_AT + R2R_MVID_BYTES);
	rva = get(debug_info + 4);
	space = at(composite, rva);
	put(entry_points, R2R_COMPONENT_ASSEMBLIES);
	put(entry_points + 4, rva);
	put(entry_points + 8, R2R_COMPONENT_BYTES);
	put(debug_info, R2R_COMPONENT_MVIDS);
	put(debug_info + 4, rva + MVID_AT);
	put(debug_info + 8, R2R_MVID_BYTES);
	memset(space, 0, MVID_AT);
	put(space + 8, rva + CORE_AT);
	put(space + 12, 8 + 12);
	put(space + CORE_AT + 4, 1);
	put(space + CORE_AT + 8, R2R_METHOD_ENTRY_POINTS);
	put(space + CORE_AT + 12, methods.rva);
	put(space + CORE_AT + 16, methods.size);
	memcpy(space + MVID_AT, image__mvid(composite->alone), R2R_MVID_BYTES);
}

static int open_file(const char *name)
{
	char path[2048];

	return image_files__path(name, path, sizeof(path)) ? open(path, O_RDONLY) : -1;
}

static int set_up(void **state)
{
	static struct composite composite;
	int fd = open_file(FILE_NAME);

	composite = (struct composite){ .bytes = BUF_INIT };
	*state = NULL;
	if (fd < 0 || !image_files__read(FILE_NAME, &composite.bytes)) {
		print_message("no .NET framework here\n");
		return 0;
	}
	assert_int_equal(image__open(fd, 0, NULL, &composite.alone), 0);
	close(fd);
	make(&composite);
	*state = &composite;
	return 0;
}

static int tear_down(void **state)
{
	struct composite *composite = *state;

	if (!composite)
		return 0;
	image__free(composite->image);
	image__free(composite->alone);
	buf__free(&composite->bytes);
	return 0;
}

static void open_composite(struct composite *composite)
{
	assert_int_equal(image__open_memory(composite->bytes.data, composite->bytes.size,
					    &composite->image), 0);
	assert_int_equal(image__components(composite->image), 1);
}

static void give(struct composite *composite, const char *name)
{
	int fd = open_file(name);

	assert_int_equal(image__give_component(composite->image, 0, fd), 0);
	close(fd);
}

static void each_method_is_its_components(void **state)
{
	struct composite *composite = *state;
	const struct image_body *ours, *alone;
	uint32_t count, named = 0;

	if (!composite)
		skip();
	open_composite(composite);
	give(composite, FILE_NAME);
	count = image__bodies(composite->alone, &alone);
	assert_int_equal(image__bodies(composite->image, &ours), count);
	for (uint32_t i = 0; i < count; i++) {
		struct buf names[2] = { BUF_INIT, BUF_INIT };

		assert_int_equal(ours[i].begin, alone[i].begin);
		assert_int_equal(ours[i].end, alone[i].end);
		if (alone[i].instance != R2R_NO_INSTANCE)
			continue;
		assert_int_equal(ours[i].token, alone[i].token);
		assert_int_equal(image__body_text(composite->alone, i, &names[0]), 0);
		assert_int_equal(image__body_text(composite->image, i, &names[1]), 0);
		assert_int_equal(names[0].size, names[1].size);
		assert_memory_equal(names[0].data, names[1].data, names[0].size);
		assert_string_equal(image__body_assembly(composite->image, i),
				    image__component_name(composite->image, 0));
		buf__free(&names[0]);
		buf__free(&names[1]);
		named++;
	}
	assert_true(named > 20);
}

static uint32_t first_method(const struct image *image)
{
	const struct image_body *bodies;
	uint32_t count = image__bodies(image, &bodies), i = 0;

	while (i < count && (!bodies[i].token || bodies[i].instance != R2R_NO_INSTANCE))
		i++;
	assert_true(i < count);
	return i;
}

/* A wrong name is worse than none. */
static void another_assembly_gives_no_names(void **state)
{
	struct composite *composite = *state;
	struct buf text = BUF_INIT;
	uint32_t method;

	if (!composite)
		skip();
	open_composite(composite);
	method = first_method(composite->image);
	assert_int_equal(image__body_text(composite->image, method, &text), -ENOENT);
	give(composite, OTHER_NAME);
	assert_int_equal(image__body_text(composite->image, method, &text), -ENOENT);
	give(composite, FILE_NAME);
	assert_int_equal(image__body_text(composite->image, method, &text), 0);
	assert_int_equal(image__give_component(composite->image, 1, 0), -EINVAL);
	assert_int_equal(image__give_component(composite->image, 0, -1), -EBADF);
	buf__free(&text);
}

/* Every byte that only composite images have, changed in turn. */
static void damage_is_noticed_or_harmless(void **state)
{
	struct composite *composite = *state;
	const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	uint32_t opened = 0;
	uint8_t *space;

	if (!composite)
		skip();
	open_composite(composite);
	space = at(composite, composite->image->r2r.components.rva);
	image__free(composite->image);
	composite->image = NULL;
	for (uint32_t i = 0; i < MVID_AT + R2R_MVID_BYTES; i++) {
		const uint8_t was = space[i];

		for (uint32_t v = 0; v < sizeof(values); v++) {
			struct buf text = BUF_INIT;
			struct image *image = NULL;
			int err;

			space[i] = values[v];
			err = image__open_memory(composite->bytes.data,
						 composite->bytes.size, &image);
			if (!err) {
				(void)image__body_text(image, 0, &text);
				opened++;
			} else {
				assert_int_equal(err, -EBADMSG);
			}
			image__free(image);
			buf__free(&text);
		}
		space[i] = was;
	}
	assert_true(opened > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(each_method_is_its_components),
		TEST(another_assembly_gives_no_names),
		TEST(damage_is_noticed_or_harmless),
	};

	return cmocka_run_group_tests_name("image composite", tests, NULL, NULL);
}
