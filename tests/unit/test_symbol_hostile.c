// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Damaged ELF files: a small library cut at every length and changed in
// thousands of places, the same ones each time.  Whatever opens must keep its
// promises; each mutant lies in a block of exactly its size.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <errno.h>

#include "../../user/symbol/symbol_file.h"
#include "symbol_fixture.h"

/* Larger numbers on a compiler's command line make a night's run of this. */
#ifndef MUTANTS
#define MUTANTS 8000
#endif
#ifndef SEED
#define SEED 20261121
#endif
#define ROOM (1u << 20)

static struct buf library;
static uint64_t random_state = SEED;

/* xorshift64*: the same numbers on each run. */
static uint32_t random_below(uint32_t limit)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 0x2545f4914f6cdd1dull) >> 33) % limit;
}

static int setup(void **state)
{
	char folder[] = "/tmp/tierscope-symbol-XXXXXX", path[128];

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/libfull.so", folder);
	if (library_build(folder))
		buf__read_file(&library, path, 1u << 20);
	return run("rm -rf %s", folder);
}

static int teardown(void **state)
{
	(void)state;
	buf__free(&library);
	return 0;
}

static void need_library(void)
{
	if (library.size)
		return;
	print_message("SKIP: no C compiler to build the library with\n");
	skip();
}

static bool lies_in_a_segment(const struct elf_loads *loads,
			      const struct function *function)
{
	for (uint32_t i = 0; i < loads->count; i++) {
		const struct elf_load *load = &loads->items[i];

		if (load->executable && function->start >= load->address &&
		    function->start + function->size <=
			    load->address + load->memory_size)
			return true;
	}
	return false;
}

static void check_functions(const struct symbol_file *file,
			    const struct functions *functions)
{
	for (uint32_t i = 0; i < functions->count; i++) {
		const struct function *function = &functions->items[i];

		assert_true(function->size > 0);
		assert_true(lies_in_a_segment(&file->loads, function));
		assert_true(function->name < file->names.size);
		assert_true(!i || function[-1].start <= function->start);
		assert_true(function->outer == UINT32_MAX || function->outer < i);
	}
}

static void check_promises(const struct symbol_file *file)
{
	check_functions(file, &file->named);
	check_functions(file, &file->bounds);
	assert_true(symbol_file__memory(file) <= 3 * ROOM);
	assert_int_equal(file->names.data[file->names.size - 1], 0);
	for (uint64_t offset = 0; offset < 0x4000; offset += 3) {
		const struct function *function;
		uint64_t address;

		if (!elf_loads__address(&file->loads, offset, &address))
			continue;
		function = symbol_file__find(file, address);
		if (function)
			assert_true(address >= function->start &&
				    address - function->start < function->size);
	}
}

/* True if it opened. */
static bool try_open(const char *bytes, size_t size)
{
	struct symbol_file file = {.names = BUF_INIT};
	char *copy = malloc(size ? size : 1);
	uint8_t build_id[ELF_BUILD_ID_MAX];
	struct elf_view view;
	bool opened;

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	opened = !elf_view__open_memory(&view, copy, size);
	if (opened) {
		assert_true(elf_view__build_id(&view, build_id) <= sizeof(build_id));
		symbol_file__read(&file, &view, &view, ROOM);
		elf_view__close(&view);
	}
	free(copy);
	if (opened)
		check_promises(&file);
	symbol_file__free(&file);
	return opened;
}

static void test_whole(void **state)
{
	(void)state;
	need_library();
	assert_true(try_open(library.data, library.size));
	assert_false(try_open(library.data, 0));
}

static void test_cut(void **state)
{
	unsigned int opened = 0;

	(void)state;
	need_library();
	for (size_t size = 0; size < library.size; size += 7)
		opened += try_open(library.data, size);
	assert_true(opened > 100);
}

/* Bits, and numbers that make sums pass their limits. */
static void damage(char *at)
{
	static const uint64_t values[] = {0,	      1,
					  0x7fffffff, 0x80000000,
					  0xffffffff, INT64_MAX,
					  UINT64_MAX, UINT64_MAX - 16};
	uint64_t value = values[random_below(sizeof(values) / sizeof(values[0]))];

	switch (random_below(3)) {
	case 0:
		*at ^= (char)(1 << random_below(8));
		break;
	case 1:
		*at = (char)random_below(256);
		break;
	default:
		memcpy(at, &value, random_below(2) ? 4 : 8);
	}
}

/* Where damage matters: headers, and what is read of the sections. */
static size_t place(const char *bytes)
{
	Elf64_Ehdr header;
	Elf64_Shdr section;

	memcpy(&header, bytes, sizeof(header));
	switch (random_below(4)) {
	case 0:
		return random_below(sizeof(header) + 11 * sizeof(Elf64_Phdr));
	case 1:
		return header.e_shoff +
		       random_below(header.e_shnum * (uint32_t)sizeof(section));
	case 2:
		return random_below((uint32_t)library.size);
	default:
		memcpy(&section,
		       bytes + header.e_shoff +
			       random_below(header.e_shnum) * sizeof(section),
		       sizeof(section));
		if (!section.sh_size || section.sh_type == SHT_NOBITS)
			return 0;
		return section.sh_offset + random_below((uint32_t)section.sh_size);
	}
}

static void test_damaged(void **state)
{
	struct buf mutant = BUF_INIT;
	unsigned int opened = 0;

	(void)state;
	need_library();
	buf__append(&mutant, library.data, library.size);
	for (unsigned int i = 0; i < MUTANTS; i++) {
		memcpy(mutant.data, library.data, library.size);
		for (uint32_t n = 1 + random_below(4); n > 0; n--) {
			size_t at = place(library.data);

			if (at + 8 <= library.size)
				damage(mutant.data + at);
		}
		opened += try_open(mutant.data, mutant.size);
	}
	print_message("%u of %u mutants opened\n", opened, MUTANTS);
	assert_true(opened > MUTANTS / 2);
	buf__free(&mutant);
}

/* A table of a million functions is not read into all memory. */
static void test_room(void **state)
{
	struct symbol_file file = {.names = BUF_INIT};
	struct elf_view view;

	(void)state;
	need_library();
	assert_int_equal(elf_view__open_memory(&view, library.data, library.size), 0);
	symbol_file__read(&file, &view, NULL, 5 * sizeof(struct function));
	assert_int_equal(file.bounds.count, 5);
	assert_int_equal(file.named.count, 0);
	symbol_file__free(&file);
	elf_view__close(&view);
}

/* Through a file descriptor, as files come: cut while it is open. */
static void test_shrinking(void **state)
{
	struct symbol_file file = {.names = BUF_INIT};
	int fd = memfd_create("library", MFD_CLOEXEC);
	struct elf_view view;

	(void)state;
	need_library();
	assert_int_equal(write(fd, library.data, library.size), (int)library.size);
	assert_int_equal(elf_view__open(&view, fd), 0);
	assert_int_equal(ftruncate(fd, 4096), 0);
	symbol_file__read(&file, &view, NULL, ROOM);
	elf_view__close(&view);
	check_promises(&file);
	symbol_file__free(&file);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),	  cmocka_unit_test(test_cut),
		cmocka_unit_test(test_damaged),	  cmocka_unit_test(test_room),
		cmocka_unit_test(test_shrinking),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
