// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// user/unwind against an independent reader of the same tables, libdw: every row of
// the C library, of the .NET runtime and of this very program, and every address
// where libdw says that something changes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/symbol/eh_frame.h"
#include "../../user/symbol/elf_view.h"
#include "../../user/symbol/symbol_file.h"
#include "../../user/unwind/unwind.h"
#include "image_files.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { RBX = 3, RBP = 6, RSP = 7, RIP = 16 };

/* --- libdw's answer, as a shape --------------------------------------------- */

/* How a register is found, in what libdw makes of it. */
struct place {
	enum { SAME, UNDEFINED, FROM_CFA, EXPRESSION } kind;
	int64_t offset;
	Dwarf_Op *operations;
	size_t count;
};

static struct place place_of(Dwarf_Frame *frame, int number, Dwarf_Op memory[3])
{
	struct place place = {.kind = EXPRESSION};

	assert_int_equal(dwarf_frame_register(frame, number, memory, &place.operations,
					      &place.count), 0);
	if (!place.count)
		place.kind = place.operations ? UNDEFINED : SAME;
	else if (place.operations[0].atom == DW_OP_call_frame_cfa &&
		 (place.count == 1 || (place.count == 2 &&
				       place.operations[1].atom == DW_OP_plus_uconst))) {
		place.kind = FROM_CFA;
		if (place.count == 2)
			place.offset = (int64_t)place.operations[1].number;
	}
	return place;
}

/* [rbp + offset] or [rsp + offset], whose frame's CFA lies on the stack of operations. */
static bool is_based(const struct place *place, int base, int64_t offset)
{
	return place->kind == EXPRESSION && place->count == 2 &&
	       place->operations[1].atom == DW_OP_breg0 + base &&
	       (int64_t)place->operations[1].number == offset;
}

static uint32_t words_of(int64_t bytes, int64_t least, int64_t most)
{
	return bytes % 8 || bytes / 8 < least || bytes / 8 > most ? UINT32_MAX :
								  (uint32_t)(bytes / 8);
}

static uint32_t plain(uint32_t kind, int64_t cfa, const struct place *rbp)
{
	uint32_t up = words_of(cfa, 1, TS_SHAPE_SLOTS_MAX), saved = 0;

	if (rbp->kind == FROM_CFA)
		saved = words_of(-rbp->offset, 2, TS_SHAPE_PROLOG_MAX);
	else if (rbp->kind == EXPRESSION)
		return 0;
	return up == UINT32_MAX || saved == UINT32_MAX ? 0 : TS_SHAPE(kind, saved, up);
}

static uint32_t by_cfa(const Dwarf_Op *cfa, size_t count, const struct place *rbp)
{
	int64_t offset = (int64_t)cfa[0].number;

	if (count == 1 && cfa[0].atom == DW_OP_bregx && cfa[0].number == RSP)
		return plain(TS_RULE_RSP, (int64_t)cfa[0].number2, rbp);
	if (count == 1 && cfa[0].atom == DW_OP_bregx && cfa[0].number == RBP)
		return plain(TS_RULE_RBP, (int64_t)cfa[0].number2, rbp);
	if (count == 1 && cfa[0].atom == DW_OP_bregx && cfa[0].number == RBX &&
	    rbp->kind == SAME)
		return plain(TS_RULE_RBX, (int64_t)cfa[0].number2, rbp);
	if (count == 2 && cfa[0].atom == DW_OP_breg6 && cfa[1].atom == DW_OP_deref &&
	    is_based(rbp, RBP, 0) &&
	    words_of(-offset, 1, TS_SHAPE_SLOTS_MAX) != UINT32_MAX)
		return TS_SHAPE(TS_RULE_ALIGNED, 0, -offset / 8);
	if (count == 9 && cfa[0].atom == DW_OP_breg7 && offset == 8 &&
	    cfa[1].atom == DW_OP_breg16 && cfa[2].atom == DW_OP_lit15 &&
	    cfa[3].atom == DW_OP_and && cfa[5].atom == DW_OP_ge &&
	    cfa[6].atom == DW_OP_lit3 && cfa[7].atom == DW_OP_shl &&
	    cfa[8].atom == DW_OP_plus && rbp->kind == SAME)
		return TS_SHAPE(TS_RULE_PLT, cfa[4].atom - DW_OP_lit0, 1);
	return 0;
}

static uint32_t shape_of(Dwarf_Frame *frame)
{
	Dwarf_Op rbp_memory[3], rip_memory[3], *cfa;
	struct place rbp = place_of(frame, RBP, rbp_memory);
	struct place rip = place_of(frame, RIP, rip_memory);
	bool signal = false;
	size_t count;

	if (rip.kind == UNDEFINED)
		return TS_SHAPE(TS_RULE_END, 0, 0);
	dwarf_frame_info(frame, NULL, NULL, &signal);
	if (dwarf_frame_cfa(frame, &cfa, &count) || !count)
		return 0;
	if (signal)
		return count == 2 && cfa[0].atom == DW_OP_breg7 &&
		       cfa[0].number == 160 && cfa[1].atom == DW_OP_deref &&
		       is_based(&rbp, RSP, 120) && is_based(&rip, RSP, 168) ?
		       TS_SHAPE(TS_RULE_SIGNAL, 0, 0) : 0;
	if (rip.kind != FROM_CFA || rip.offset != -8)
		return 0;
	return by_cfa(cfa, count, &rbp);
}

/* --- comparing -------------------------------------------------------------- */

struct counts {
	uint32_t kinds[TS_RULE_COUNT], gaps;
	uint64_t hijack_stub, hijack_stub_end;
};

static void check_address(Dwarf_CFI *reader, const struct unwind_table *table,
			  uint64_t address, const char *path, struct counts *counts)
{
	uint32_t ours = unwind_table__find(table, address), theirs;
	Dwarf_Frame *frame = NULL;

	if (dwarf_cfi_addrframe(reader, address, &frame)) {
		/* None is there: ours is a gap, or padding. */
		counts->gaps++;
		return;
	}
	theirs = shape_of(frame);
	free(frame);
	/* Its own rules are wrong: check_hijack_stub(). */
	if (address >= counts->hijack_stub && address < counts->hijack_stub_end)
		return;
	/* Where a callee saved rbx libdw does not say here. */
	if (TS_SHAPE_KIND(theirs) == TS_RULE_RBX && TS_SHAPE_KIND(ours) == TS_RULE_RBX)
		theirs = TS_SHAPE(TS_RULE_RBX, TS_SHAPE_PROLOG(ours), TS_SHAPE_SLOTS(theirs));
	if (ours != theirs)
		fail_msg("%s: %#lx: %#x, but libdw says %#x", path, (unsigned long)address,
			 ours, theirs);
	counts->kinds[TS_SHAPE_KIND(ours)]++;
}

static void find_end(void *context, const struct eh_function *function)
{
	struct counts *counts = context;

	if (counts->hijack_stub && function->start == counts->hijack_stub)
		counts->hijack_stub_end = function->start + function->size;
}

static void find_hijack_stub(const struct elf_view *view, struct counts *counts)
{
	struct symbol_file file = {.names = BUF_INIT};
	struct elf_bytes bytes;

	symbol_file__read(&file, view, NULL, 64u << 20);
	counts->hijack_stub = file.hijack_stub;
	symbol_file__free(&file);
	assert_int_equal(elf_view__eh_frame(view, &bytes), 0);
	eh_frame__read(&(struct eh_frame){bytes.data, bytes.size, bytes.address}, find_end, counts);
}

/*
 * What comes before that function is no caller of it.  It begins by making room for the
 * return address and ends by returning to it: in both places rsp points right there.
 */
static void check_hijack_stub(const struct unwind_table *table, const struct counts *counts)
{
	uint64_t stub = counts->hijack_stub;

	if (!stub)
		return;
	assert_int_equal(unwind_table__find(table, stub - 1), TS_SHAPE_GAP);
	assert_int_equal(unwind_table__find(table, stub), TS_SHAPE(TS_RULE_RSP, 0, 0));
	assert_int_equal(unwind_table__find(table, stub + 1), TS_SHAPE(TS_RULE_RSP, 0, 1));
	assert_int_equal(unwind_table__find(table, counts->hijack_stub_end - 1),
			 TS_SHAPE(TS_RULE_RSP, 0, 1));
}

static struct counts compare_file(const char *path)
{
	struct counts counts = {.gaps = 0};
	struct unwind_table table;
	struct elf_view view;
	Dwarf_CFI *reader;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(elf_view__open(&view, fd), 0);
	assert_int_equal(unwind_table__read(&table, &view), 0);
	reader = dwarf_getcfi_elf(view.elf);
	assert_non_null(reader);
	find_hijack_stub(&view, &counts);
	for (uint32_t i = 0; i + 1 < table.count; i++) {
		uint64_t begin = table.base + table.rows[i].begin;
		uint64_t end = table.base + table.rows[i + 1].begin;

		assert_true(begin < end);
		check_address(reader, &table, begin, path, &counts);
		check_address(reader, &table, end - 1, path, &counts);
	}
	print_message("%s: %u rows;", path, table.count);
	for (uint32_t kind = 0; kind < TS_RULE_COUNT; kind++)
		print_message(" %u", counts.kinds[kind]);
	print_message(", %u in no function\n", counts.gaps);
	check_hijack_stub(&table, &counts);
	dwarf_cfi_end(reader);
	unwind_table__free(&table);
	elf_view__close(&view);
	close(fd);
	return counts;
}

static void the_c_library(void **state)
{
	struct counts counts = compare_file("/lib/x86_64-linux-gnu/libc.so.6");

	(void)state;
	assert_true(counts.kinds[TS_RULE_RSP] > 10000);
	assert_true(counts.kinds[TS_RULE_RBP] > 100);
	assert_true(counts.kinds[TS_RULE_SIGNAL] > 0);
	assert_true(counts.kinds[TS_RULE_END] > 0);
	assert_true(counts.kinds[TS_RULE_PLT] > 0);
}

static void the_runtime(void **state)
{
	char path[2048];
	struct counts counts;

	(void)state;
	if (!image_files__path("libcoreclr.so", path, sizeof(path)))
		skip();
	counts = compare_file(path);
	assert_true(counts.kinds[TS_RULE_RSP] > 50000);
	assert_true(counts.kinds[TS_RULE_RBP] > 20000);
	/* Next to nothing is left to guess. */
	assert_true(counts.kinds[0] < 100);
	assert_true(counts.hijack_stub_end);
}

/* Its ways to a function that is called for the first time, for three kinds of processors. */
static void the_dynamic_linker(void **state)
{
	struct counts counts = compare_file("/lib64/ld-linux-x86-64.so.2");

	(void)state;
	assert_true(counts.kinds[TS_RULE_RBX] >= 2 * 3);
}

static void this_program(void **state)
{
	struct counts counts = compare_file("/proc/self/exe");

	(void)state;
	assert_true(counts.kinds[TS_RULE_RSP] > 100);
	assert_true(counts.kinds[TS_RULE_END] > 0); /* _start */
	assert_false(counts.hijack_stub_end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_c_library),
		cmocka_unit_test(the_runtime),
		cmocka_unit_test(the_dynamic_linker),
		cmocka_unit_test(this_program),
	};

	return cmocka_run_group_tests_name("unwind_real", tests, NULL, NULL);
}
