// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Names of kernel functions: lists with all that occurs in them, lists that hide
// or lie, and the kernel that this runs on against its own list.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/symbol/symbol.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/tierscope-kallsyms-XXXXXX";

static void write_list(const char *text, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static int read_list(const char *text, struct kernel_symbols **ret_symbols)
{
	int err;

	*ret_symbols = NULL;
	write_list(text, strlen(text));
	err = kernel_symbols__read(path, ret_symbols);
	assert_int_equal(kernel_symbols__check(path), err);
	assert_true(err ? !*ret_symbols : !!*ret_symbols);
	return err;
}

static void assert_name(const struct kernel_symbols *symbols, uint64_t address,
			const char *want)
{
	struct buf name = BUF_INIT;
	bool found = kernel_symbols__name(symbols, address, &name);

	assert_int_equal(found, want != NULL);
	assert_string_equal(buf__string(&name), want ? want : "");
	buf__free(&name);
}

static void functions_end_where_the_next_one_starts(void **state)
{
	struct kernel_symbols *symbols;

	(void)state;
	assert_int_equal(read_list("0000000000000000 A fixed_percpu_data\n"
				   "ffffffff81000100 T second\n"
				   "ffffffff81000000 T first\n"
				   "ffffffff81000180 D some_data\n"
				   "ffffffff81000200 W third\n",
				   &symbols),
			 0);
	assert_name(symbols, 0xffffffff80ffffff, NULL);
	assert_name(symbols, 0xffffffff81000000, "first");
	assert_name(symbols, 0xffffffff810000ff, "first");
	assert_name(symbols, 0xffffffff81000100, "second");
	assert_name(symbols, 0xffffffff810001ff, "second");
	assert_name(symbols, 0xffffffff81000200, "third");
	assert_name(symbols, 0, NULL);
	assert_name(symbols, 0x7f0000000000, NULL);
	assert_name(symbols, UINT64_MAX, NULL);
	kernel_symbols__free(symbols);
}

/* Code behind a module, such as a BPF program, is not its last function. */
static void the_last_function_of_a_module_ends_with_its_page(void **state)
{
	struct kernel_symbols *symbols;

	(void)state;
	assert_int_equal(read_list("ffffffff81000000 T vfs_read\n"
				   "ffffffffc0002000 t other_one\t[other]\n"
				   "ffffffffc0000f00 t ext4_two\t[ext4]\n"
				   "ffffffffc0000000 t ext4_one\t[ext4]\n"
				   "ffffffffc0002100 t other_two\t[other]\n",
				   &symbols),
			 0);
	assert_name(symbols, 0xffffffff81000fff, "vfs_read");
	assert_name(symbols, 0xffffffff81001000, NULL);
	assert_name(symbols, 0xffffffffc0000eff, "ext4_one [ext4]");
	assert_name(symbols, 0xffffffffc0000fff, "ext4_two [ext4]");
	assert_name(symbols, 0xffffffffc0001000, NULL);
	assert_name(symbols, 0xffffffffc00020ff, "other_one [other]");
	assert_name(symbols, 0xffffffffc0002fff, "other_two [other]");
	assert_name(symbols, 0xffffffffc0003000, NULL);
	kernel_symbols__free(symbols);
}

static void the_best_of_several_names_wins(void **state)
{
	struct kernel_symbols *symbols;

	(void)state;
	assert_int_equal(read_list("ffffffff81000000 T __do_it\n"
				   "ffffffff81000000 t do_it_local\n"
				   "ffffffff81000000 W do_it_weak\n"
				   "ffffffff81000000 T do_it\n"
				   "ffffffff81000000 T do_it_too\n"
				   "ffffffff81000100 t only_local\n",
				   &symbols),
			 0);
	assert_name(symbols, 0xffffffff81000010, "do_it");
	assert_name(symbols, 0xffffffff81000110, "only_local");
	kernel_symbols__free(symbols);
}

static void hidden_and_empty_lists_are_told_apart(void **state)
{
	struct kernel_symbols *symbols;

	(void)state;
	assert_int_equal(read_list("", &symbols), -ENODATA);
	assert_int_equal(read_list("\n\nnothing here\n", &symbols), -ENODATA);
	assert_int_equal(read_list("0000000000000000 A cpu_debug_store\n", &symbols),
			 -ENODATA);
	assert_int_equal(read_list("0000000000000000 A fixed_percpu_data\n"
				   "0000000000000000 T _stext\n"
				   "0000000000000000 t do_one\t[ext4]\n",
				   &symbols),
			 -EACCES);
	assert_int_equal(kernel_symbols__read("/nowhere/kallsyms", &symbols), -ENOENT);
	assert_int_equal(kernel_symbols__check("/nowhere/kallsyms"), -ENOENT);
	kernel_symbols__free(NULL);
}

/* Names of any length, at the very ends of the address space. */
static void hostile_lists_do_no_harm(void **state)
{
	struct kernel_symbols *symbols;
	char *text = malloc(40000);
	uint32_t seed = 7;

	(void)state;
	memset(text, 'a', 40000);
	memcpy(text, "ffffffff81000000 T ", 19);
	text[39999] = 0;
	assert_int_equal(read_list(text, &symbols), 0);
	kernel_symbols__free(symbols);
	assert_int_equal(read_list("ffffffffffffffff T end\n8000000000000000 T begin\n"
				   "fffffffffffffff0 T near\nffffffffffff0000 T far [\n"
				   "ffffffffffff1000 T \xff\xfe [\xff\n",
				   &symbols),
			 0);
	assert_name(symbols, 0x8000000000000000, "begin");
	kernel_symbols__free(symbols);
	for (int round = 0; round < 200; round++) {
		size_t size = 2000;

		for (size_t i = 0; i < size; i++) {
			seed = seed * 1664525 + 1013904223;
			text[i] = "0123456789abcdef TtWw[]\n\t_"[(seed >> 16) % 26];
		}
		write_list(text, size);
		if (kernel_symbols__read(path, &symbols))
			continue;
		for (int i = 0; i < 1000; i++) {
			struct buf name = BUF_INIT;

			seed = seed * 1664525 + 1013904223;
			kernel_symbols__name(symbols, ~0ULL << (seed >> 26), &name);
			buf__free(&name);
		}
		kernel_symbols__free(symbols);
	}
	free(text);
}

/* Each symbol of this kernel names its own address, or another of it does. */
static void this_kernel_is_named_as_it_says(void **state)
{
	(void)state;
	struct kernel_symbols *symbols;
	char line[2048], name[1024], type;
	unsigned int checked = 0;
	uint64_t address;
	FILE *file;

	if (kernel_symbols__check(NULL)) {
		print_message("this kernel hides the addresses of its symbols\n");
		skip();
	}
	assert_int_equal(kernel_symbols__read(NULL, &symbols), 0);
	file = fopen("/proc/kallsyms", "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		struct buf found = BUF_INIT;

		if (sscanf(line, "%" SCNx64 " %c %1023s", &address, &type, name) != 3 ||
		    type != 'T' || strchr(line, '[') || strncmp(name, "vfs_", 4) ||
		    address < 1ULL << 63)
			continue;
		assert_true(kernel_symbols__name(symbols, address + 1, &found));
		if (strcmp(buf__string(&found), name) &&
		    strncmp(buf__string(&found), "vfs_", 4))
			fail_msg("%s is said to be %s", name, buf__string(&found));
		checked++;
		buf__free(&found);
	}
	fclose(file);
	assert_true(checked > 20);
	kernel_symbols__free(symbols);
}

static int setup_path(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	return close(fd);
}

static int remove_path(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_end_where_the_next_one_starts),
		cmocka_unit_test(the_last_function_of_a_module_ends_with_its_page),
		cmocka_unit_test(the_best_of_several_names_wins),
		cmocka_unit_test(hidden_and_empty_lists_are_told_apart),
		cmocka_unit_test(hostile_lists_do_no_harm),
		cmocka_unit_test(this_kernel_is_named_as_it_says),
	};

	return cmocka_run_group_tests_name("symbol_kernel", tests, setup_path,
					   remove_path);
}
