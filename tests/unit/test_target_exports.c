// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Exported names of an executable, out of good and of broken ELF files.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/target/exports.h"
#include "target_fixture.h"

#include <elf.h>
#include <errno.h>
#include <sys/mman.h>

#define STRINGS "\0malloc\0DotNetRuntimeInfo\0xDotNetRuntimeDebugHeader2\0"
#define ROUNDS	20000
#define BASE	0x400000

/* The least of a file: headers, one segment, a dynamic section, its strings. */
struct image {
	Elf64_Ehdr elf;
	Elf64_Phdr headers[2];
	Elf64_Dyn dynamic[3];
	char strings[sizeof(STRINGS)];
};

/* Without the padding behind it. */
#define IMAGE_BYTES (offsetof(struct image, strings) + sizeof(STRINGS))

static const char *const names[] = {"DotNetRuntimeInfo", "DotNetRuntimeDebugHeader"};

static struct image good_image(void)
{
	struct image image = {
		.elf = {.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2,
			.e_phoff = offsetof(struct image, headers)},
		.headers = {{.p_type = PT_LOAD,
			     .p_vaddr = BASE,
			     .p_filesz = IMAGE_BYTES},
			    {.p_type = PT_DYNAMIC,
			     .p_offset = offsetof(struct image, dynamic),
			     .p_filesz = 3 * sizeof(Elf64_Dyn)}},
		.dynamic = {{.d_tag = DT_STRTAB,
			     .d_un.d_ptr = BASE + offsetof(struct image, strings)},
			    {.d_tag = DT_STRSZ, .d_un.d_val = sizeof(STRINGS)}},
		.strings = STRINGS,
	};

	memcpy(image.elf.e_ident, ELFMAG, SELFMAG);
	image.elf.e_ident[EI_CLASS] = ELFCLASS64;
	return image;
}

static int look(const void *data, size_t size, bool found[2])
{
	int err;
	int file = memfd_create("image", MFD_CLOEXEC);

	assert_int_equal(write(file, data, size), size);
	err = exports__find(file, names, 2, found);
	close(file);
	return err;
}

static void exports_are_found_by_their_whole_name(void **state)
{
	struct image image = good_image();
	bool found[2] = {false, true};

	(void)state;
	assert_int_equal(look(&image, sizeof(image), found), 0);
	assert_true(found[0]);
	assert_false(found[1]);
}

static void exports_of_a_real_program_are_read(void **state)
{
	const char *const real[] = {"abort", "DotNetRuntimeInfo"};
	bool found[2] = {false, true};
	int file = open("/proc/self/exe", O_RDONLY);

	(void)state;
	assert_int_equal(exports__find(file, real, 2, found), 0);
	assert_true(found[0]);
	assert_false(found[1]);
	close(file);
}

static void exports_of_what_is_no_program_are_refused(void **state)
{
	struct image image = good_image();
	bool found[2];

	(void)state;
	assert_int_equal(look("#!/bin/sh\n", 10, found), -ENOEXEC);
	assert_int_equal(look("", 0, found), -ENOEXEC);
	for (size_t size = 0; size < IMAGE_BYTES; size++)
		assert_int_equal(look(&image, size, found), -ENOEXEC);
	image.dynamic[1].d_un.d_val = UINT64_MAX;
	assert_int_equal(look(&image, sizeof(image), found), -ENOEXEC);
	image = good_image();
	image.dynamic[1].d_un.d_val++;
	assert_int_equal(look(&image, sizeof(image), found), -ENOEXEC);
	image = good_image();
	image.headers[0].p_offset = UINT64_MAX;
	assert_int_equal(look(&image, sizeof(image), found), -ENOEXEC);
	image = good_image();
	image.headers[1].p_offset = UINT64_MAX - 8;
	assert_int_equal(look(&image, sizeof(image), found), -ENOEXEC);
}

/* Deterministic noise in a good file: any answer, no harm. */
static void exports_of_spoilt_files_do_no_harm(void **state)
{
	uint64_t seed = 0x5eed;
	bool found[2];
	int answered = 0;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct image image = good_image();

		for (int i = 0; i < 4; i++) {
			size_t at;

			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			at = (seed >> 33) % sizeof(image);
			((unsigned char *)&image)[at] = (unsigned char)(seed >> 24);
		}
		answered += !look(&image, sizeof(image), found);
	}
	assert_true(answered > 0 && answered < ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exports_are_found_by_their_whole_name),
		cmocka_unit_test(exports_of_a_real_program_are_read),
		cmocka_unit_test(exports_of_what_is_no_program_are_refused),
		cmocka_unit_test(exports_of_spoilt_files_do_no_harm),
	};

	return cmocka_run_group_tests_name("target_exports", tests, NULL, NULL);
}
