/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* What tests of the unwinder share: a process with an empty code map, a machine with its
 * stack and a page of code, and walks from where it stands. */
#ifndef TIERSCOPE_TESTS_BPF_WALK_H
#define TIERSCOPE_TESTS_BPF_WALK_H

#include "bpf_shim.h"
#include "bpf_machine.h"

#include "../../bpf/record.bpf.h"

#define SPACE 7

static struct ts_space space = {.number = SPACE};
static struct machine machine;
static struct walk_scratch scratch;
static __u8 code[4096];

static void walk_setup(void)
{
	shim__clear();
	SHIM_MAP(slots, 64);
	SHIM_MAP(jit_slots, 64);
	SHIM_MAP(jit_granules, 64);
	SHIM_MAP(bodies, 64);
	SHIM_MAP(leaf_counts, 64 * TS_EVENTS_MAX);
	SHIM_MAP(free_rows, 64);
	SHIM_MAP(free_pages, 64);
	SHIM_MAP(images, 4);
	SHIM_MAP(image_granules, 64);
	SHIM_MAP(image_rows, 256);
	SHIM_MAP(returns, TS_RETURNS);
	SHIM_MAP(leaf_cache, TS_LEAVES);
	SHIM_MAP(paths, TS_PATHS);
	SHIM_MAP(ledger, TS_LEDGER_SLOTS);
	next_row = next_page = 1;
	events_counted = TS_EVENTS_MAX;
	code_epoch = 1;
	free_rows_top = free_pages_top = 0;
	space.bodies = 0;
	memset(code, 0xcc, sizeof(code));
	memset(&scratch, 0, sizeof(scratch));
	memset(&machine, 0, sizeof(machine));
	shim__add_memory(MACHINE_STACK, machine.stack, sizeof(machine.stack));
	shim__add_memory(MACHINE_CODE, code, sizeof(code));
}

static int teardown(void **state)
{
	shim__clear();
	return 0;
}

static __u32 add_body(__u64 start, __u32 size, __u32 shape)
{
	struct ts_journal_record record = {
		.start = start, .size = size, .shape = shape, .function_id = start};
	struct placed placed = {};

	assert_int_equal(body_insert(&space, &record, &placed), 0);
	return placed.row;
}

static struct walk walk_from(__u64 ip, __u64 sp, __u64 bp)
{
	return (struct walk){.ip = ip, .sp = sp, .bp = bp, .returns = {.space = SPACE}};
}

/* Without the cache of answers; with it, and once more when all is in it. */
static void walk_whole(__u64 ip)
{
	static struct walk_scratch first;

	for (int pass = 0; pass < 3; pass++) {
		memset(&scratch, 0, sizeof(scratch));
		scratch.walk = walk_from(ip, machine.rsp, machine.rbp);
		scratch.walk.rbx = machine.rbx;
		if (pass)
			scratch.walk.returns = returns_of(0, SPACE);
		walk_stack(&scratch, 0);
		if (!pass)
			first = scratch;
		assert_int_equal(scratch.walk.count, first.walk.count);
		assert_int_equal(scratch.walk.flags, first.walk.flags);
		assert_memory_equal(scratch.record, first.record, sizeof(first.record));
	}
}

#endif /* TIERSCOPE_TESTS_BPF_WALK_H */
