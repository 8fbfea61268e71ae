// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// user/unwind/table.c: rows of a library made for it, whose rules are known byte by
// byte; and files that are damaged in every way.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/symbol/elf_view.h"
#include "../../user/unwind/unwind.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RSP(words, rbp) TS_SHAPE(TS_RULE_RSP, rbp, words)
#define RBP(words, rbp) TS_SHAPE(TS_RULE_RBP, rbp, words)
#define TOLD_BY_RBX(saved) TS_SHAPE(TS_RULE_RBX, saved, 4)

/* Offsets are those of the rows below. */
static const char source[] =
	".text\n"
	/* 0: two small functions with padding between them: one rule for all */
	".cfi_startproc\n nop\n ret\n .cfi_endproc\n .balign 16\n"
	".cfi_startproc\n nop\n ret\n .cfi_endproc\n .balign 32\n"
	/* 32: a frame with rbp */
	".cfi_startproc\n push %rbp\n .cfi_def_cfa_offset 16\n .cfi_offset rbp, -16\n"
	"mov %rsp, %rbp\n .cfi_def_cfa_register rbp\n nop\n pop %rbp\n"
	".cfi_def_cfa rsp, 8\n .cfi_restore rbp\n ret\n .cfi_endproc\n"
	/* 39 (7 bytes): 41 bytes that are no function's */
	".org 80, 0x90\n"
	/* 80: a rule that is none of ours, and one of ours again */
	".cfi_startproc\n nop\n .cfi_def_cfa_register r12\n nop\n .cfi_def_cfa_register rsp\n"
	"nop\n nop\n .cfi_endproc\n"
	/* 84: nobody calls it */
	".cfi_startproc\n .cfi_undefined rip\n .org 96, 0x90\n .cfi_endproc\n"
	/* 96: damaged instructions, an unknown one */
	".cfi_startproc\n nop\n .cfi_def_cfa_offset 16\n nop\n .cfi_escape 0x3f\n .org 112, 0x90\n"
	".cfi_endproc\n"
	/* 112: its CFA is told from rbx, as it calls what saves rbx and what does not */
	".cfi_startproc\n nop\n .cfi_def_cfa rbx, 32\n call 1f\n call 2f\n call 3f\n nop\n"
	".cfi_endproc\n"
	/* 129 */
	"1: .cfi_startproc\n push %rax\n push %rbx\n .cfi_def_cfa_offset 24\n .cfi_offset rbx, -24\n"
	"pop %rbx\n pop %rax\n .cfi_def_cfa_offset 8\n ret\n .cfi_endproc\n"
	/* 134, 136: the second saves it in two places */
	"2: .cfi_startproc\n nop\n nop\n .cfi_endproc\n"
	"3: .cfi_startproc\n nop\n .cfi_offset rbx, -16\n nop\n .cfi_offset rbx, -24\n nop\n .cfi_endproc\n";

static const struct {
	uint32_t at, shape;
} expected[] = {
	{0, RSP(1, 0)}, {33, RSP(2, 2)}, {36, RBP(2, 2)}, {38, RSP(1, 0)},
	{39, TS_SHAPE_GAP}, {80, RSP(1, 0)}, {81, 0}, {82, RSP(1, 0)},
	{84, TS_SHAPE(TS_RULE_END, 0, 0)}, {96, 0}, {112, RSP(1, 0)},
	{113, TOLD_BY_RBX(0)}, {114, TOLD_BY_RBX(3)}, {118, TOLD_BY_RBX(0)}, {129, RSP(1, 0)},
	{131, RSP(3, 0)}, {133, RSP(1, 0)}, {139, TS_SHAPE_GAP},
};

struct file {
	char *data;
	size_t size;
};

static struct file library;

static struct file read_whole(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct file file;
	struct stat state;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &state), 0);
	file.size = (size_t)state.st_size;
	file.data = malloc(file.size);
	assert_non_null(file.data);
	assert_int_equal(read(fd, file.data, file.size), file.size);
	close(fd);
	return file;
}

static struct file assemble(const char *text)
{
	char path[] = "/tmp/tierscope-unwind-XXXXXX", command[256];
	int fd = mkstemp(path);
	struct file file;
	FILE *compiler;

	assert_true(fd >= 0);
	close(fd);
	snprintf(command, sizeof(command), "cc -shared -nostdlib -Wl,-Ttext=0x403000 -Wl,--no-eh-frame-hdr -x assembler -o %s -",
		 path);
	compiler = popen(command, "w");
	assert_non_null(compiler);
	fputs(text, compiler);
	assert_int_equal(pclose(compiler), 0);
	file = read_whole(path);
	unlink(path);
	return file;
}

static int set_up(void **state)
{
	(void)state;
	library = assemble(source);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(library.data);
	return 0;
}

static int read_table(struct file *file, struct unwind_table *table)
{
	struct elf_view view;
	int err = elf_view__open_memory(&view, file->data, file->size);

	*table = (struct unwind_table){.rows = NULL};
	if (err)
		return err;
	err = unwind_table__read(table, &view);
	elf_view__close(&view);
	return err;
}

static void every_row_is_as_the_source_says(void **state)
{
	struct unwind_table table;
	uint32_t count = sizeof(expected) / sizeof(expected[0]), text;

	(void)state;
	assert_int_equal(read_table(&library, &table), 0);
	assert_int_equal(table.count, count);
	text = (uint32_t)(0x403000 - table.base);
	for (uint32_t i = 0; i < count; i++)
		if (table.rows[i].begin != text + expected[i].at ||
		    table.rows[i].shape != expected[i].shape)
			fail_msg("row %u: %#x at %u, not %#x at %u", i, table.rows[i].shape,
				 table.rows[i].begin - text, expected[i].shape,
				 expected[i].at);
	assert_true(table.bytes_read > 100);
	assert_int_equal(unwind_table__find(&table, 0x403000 + 37), RBP(2, 2));
	assert_int_equal(unwind_table__find(&table, table.base - 1), TS_SHAPE_GAP);
	unwind_table__free(&table);
}

/* So many calls are looked at, and no more: each can be a long way. */
static void calls_told_by_rbx_are_bounded(void **state)
{
	static const char many[] =
		".text\n .cfi_startproc\n .cfi_def_cfa rbx, 32\n .rept 1000\n call 1f\n .endr\n .cfi_endproc\n"
		"1: .cfi_startproc\n push %rbx\n .cfi_def_cfa_offset 16\n .cfi_offset rbx, -16\n ret\n"
		".cfi_endproc\n";
	struct file file = assemble(many);
	struct unwind_table table;
	uint32_t calls = 0;

	(void)state;
	assert_int_equal(read_table(&file, &table), 0);
	for (uint32_t i = 0; i < table.count; i++)
		calls += table.rows[i].shape == TS_SHAPE(TS_RULE_RBX, 2, 4);
	/* (A distance can look like a call.) */
	assert_in_range(calls, 32, 64);
	unwind_table__free(&table);
	free(file.data);
}

/* --- damage ------------------------------------------------------------------ */

static void check_table(const struct unwind_table *table)
{
	assert_true(table->count >= 2);
	for (uint32_t i = 0; i < table->count; i++) {
		assert_true(!i || table->rows[i].begin > table->rows[i - 1].begin);
		assert_true(table->rows[i].shape == TS_SHAPE_GAP ||
			    TS_SHAPE_KIND(table->rows[i].shape) < TS_RULE_COUNT);
	}
	assert_int_equal(table->rows[table->count - 1].shape, TS_SHAPE_GAP);
}

/* The section's header, whose size and place a file may lie about. */
static Elf64_Shdr *section(struct file *file, const char *name)
{
	Elf64_Ehdr *header = (void *)file->data;
	Elf64_Shdr *sections = (void *)(file->data + header->e_shoff);
	const char *names = file->data + sections[header->e_shstrndx].sh_offset;

	for (int i = 0; i < header->e_shnum; i++)
		if (!strcmp(names + sections[i].sh_name, name))
			return &sections[i];
	fail_msg("no section %s", name);
	return NULL;
}

static struct file copy_of(const struct file *file)
{
	struct file copy = {malloc(file->size), file->size};

	assert_non_null(copy.data);
	memcpy(copy.data, file->data, file->size);
	return copy;
}

static void a_table_cut_anywhere_gives_what_is_there(void **state)
{
	uint64_t size = section(&library, ".eh_frame")->sh_size;
	int good = 0;

	(void)state;
	for (uint64_t cut = 0; cut <= size; cut++) {
		struct file file = copy_of(&library);
		struct unwind_table table;

		section(&file, ".eh_frame")->sh_size = cut;
		if (!read_table(&file, &table)) {
			check_table(&table);
			good++;
		}
		unwind_table__free(&table);
		free(file.data);
	}
	assert_true(good > 50);
}

static void damage(const struct file *file, int rounds, int bytes)
{
	const Elf64_Shdr *place = section((struct file *)file, ".eh_frame");
	uint64_t seed = 0x5eed;
	int good = 0;

	for (int round = 0; round < rounds; round++) {
		struct file damaged = copy_of(file);
		struct unwind_table table;

		for (int i = 0; i < bytes; i++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			damaged.data[place->sh_offset + (seed >> 20) % place->sh_size] =
				(char)(seed >> 12);
		}
		if (!read_table(&damaged, &table)) {
			check_table(&table);
			good++;
		}
		unwind_table__free(&table);
		free(damaged.data);
	}
	assert_true(good > rounds / 2);
}

static void damaged_tables_do_no_harm(void **state)
{
	struct file libc = read_whole("/lib/x86_64-linux-gnu/libc.so.6");

	(void)state;
	damage(&library, 5000, 2);
	damage(&libc, 20, 500);
	free(libc.data);
}

/* Code that claims to lie far apart: numbers of rows have 32 bits. */
static void code_that_is_too_large_is_refused(void **state)
{
	struct file file = copy_of(&library);
	Elf64_Ehdr *header = (void *)file.data;
	Elf64_Phdr *segments = (void *)(file.data + header->e_phoff);
	struct unwind_table table;

	(void)state;
	for (int i = 0; i < header->e_phnum; i++)
		if (segments[i].p_type == PT_LOAD && segments[i].p_flags & PF_X)
			segments[i].p_memsz = 1ull << 31;
	assert_int_equal(read_table(&file, &table), -EFBIG);
	unwind_table__free(&table);
	for (int i = 0; i < header->e_phnum; i++)
		segments[i].p_flags &= ~(unsigned int)PF_X;
	assert_int_equal(read_table(&file, &table), -ENOENT);
	unwind_table__free(&table);
	free(file.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_as_the_source_says),
		cmocka_unit_test(calls_told_by_rbx_are_bounded),
		cmocka_unit_test(a_table_cut_anywhere_gives_what_is_there),
		cmocka_unit_test(damaged_tables_do_no_harm),
		cmocka_unit_test(code_that_is_too_large_is_refused),
	};

	return cmocka_run_group_tests_name("unwind_table", tests, set_up, tear_down);
}
