// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Native code by the rules of its file's table: bpf/codefind.bpf.h finds them,
// bpf/unwind.bpf.h walks by them, from every instruction, through signals, between
// managed frames; what has no rule goes by rbp as before.
#include "bpf_walk.h"

#define NATIVE 0x7f1100000000ULL /* base of the native file at hand */
#define TEXT   0x1000		 /* RVA of its code */
#define SECOND 0x7f110000c000ULL /* of another one, in the same slot */

#define RSP(words, rbp) TS_SHAPE(TS_RULE_RSP, rbp, words)
#define RBP(words, rbp) TS_SHAPE(TS_RULE_RBP, rbp, words)
#define ALIGNED_FRAME	TS_SHAPE(TS_RULE_ALIGNED, 0, 1)
#define R10		TS_SHAPE(TS_RULE_R10, 0, 0)
#define END		TS_SHAPE(TS_RULE_END, 0, 0)
#define SIGNAL		TS_SHAPE(TS_RULE_SIGNAL, 0, 0)

static __u32 rows_used, granules_used;

static int setup(void **state)
{
	walk_setup();
	rows_used = granules_used = 0;
	return 0;
}

/* --- tables ----------------------------------------------------------------- */

struct rule {
	__u32 begin, shape;
};

/* Granule by granule, as user/kernel/image_arrays.c fills them; the last rule is the
 * fence. */
static void add_table(__u32 number, const struct rule *rules, __u32 count)
{
	struct ts_image image = {.first_granule = granules_used,
				 .text_rva = rules[0].begin & ~63U,
				 .first_row = rows_used,
				 .rows = count,
				 .size = rules[count - 1].begin};
	__u32 row = 0;

	image.granules = ((image.size - image.text_rva) >> TS_IMAGE_GRANULE_SHIFT) + 1;
	for (__u32 i = 0; i < count; i++) {
		struct ts_image_row entry = {rules[i].begin, rules[i].shape};
		__u32 index = rows_used + i;

		bpf_map_update_elem(&image_rows, &index, &entry, 0);
	}
	for (__u32 g = 0; g < image.granules; g++) {
		__u32 at = granules_used + g, element = at / TS_IMAGE_GRANULES;
		struct ts_image_granules *granules =
			bpf_map_lookup_elem(&image_granules, &element);

		while (row + 1 < count &&
		       rules[row + 1].begin <= image.text_rva + 64 * g)
			row++;
		granules->row[at % TS_IMAGE_GRANULES] = rows_used + row;
	}
	bpf_map_update_elem(&images, &number, &image, 0);
	rows_used += count;
	granules_used += image.granules;
}

static void add_slot(__u64 address, const struct ts_slot *slot)
{
	struct ts_address_key key = {.space = SPACE, .number = address >> TS_SLOT_SHIFT};

	bpf_map_update_elem(&slots, &key, slot, 0);
}

static void add_native(const struct rule *rules, __u32 count)
{
	struct ts_slot slot = {
		.image = TS_SLOT_NATIVE, .table = {1}, .table_base = {NATIVE}};

	add_table(1, rules, count);
	add_slot(NATIVE, &slot);
}

static __u64 frame(__u32 index)
{
	return scratch.record[SAMPLE_WORDS + index];
}

static __u32 shape_at(__u64 address)
{
	struct found found;

	code_find(SPACE, address, &found);
	return found.shape;
}

static void every_rule_of_a_file_is_found(void **state)
{
	/* A row for each byte of one granule, few around it, and a gap. */
	struct rule rules[80];
	__u32 count = 0;

	rules[count++] = (struct rule){TEXT, RSP(1, 0)};
	rules[count++] = (struct rule){TEXT + 0x48, TS_SHAPE_GAP};
	rules[count++] = (struct rule){TEXT + 0x60, RSP(2, 2)};
	for (__u32 i = 0; i < 64; i++)
		rules[count++] = (struct rule){TEXT + 0x80 + i, RSP(100 + i, 0)};
	rules[count++] = (struct rule){TEXT + 0x200, RBP(2, 2)};
	rules[count++] = (struct rule){TEXT + 0x210, TS_SHAPE_GAP};
	add_native(rules, count);
	for (__u32 i = 0; i + 1 < count; i++)
		for (__u32 rva = rules[i].begin; rva < rules[i + 1].begin; rva++)
			assert_int_equal(shape_at(NATIVE + rva),
					 rules[i].shape == TS_SHAPE_GAP ?
						 0 : rules[i].shape);
	assert_int_equal(shape_at(NATIVE + TEXT - 1), 0);
	assert_int_equal(shape_at(NATIVE + TEXT + 0x210), 0);
}

/* The address stays what it is, and an answer of the cache is the same. */
static void a_native_frame_keeps_its_address(void **state)
{
	static const struct rule rules[] = {{TEXT, RSP(3, 0)}, {TEXT + 0x40, TS_SHAPE_GAP}};
	struct found found;

	add_native(rules, 2);
	code_find(SPACE, NATIVE + TEXT + 5, &found);
	assert_true(found.frame == NATIVE + TEXT + 5);
	assert_true(found.known && found.lasting);
	assert_false(found.in_image || found.in_jit);
	for (int again = 0; again < 2; again++) {
		struct returns_of of = returns_of(0, SPACE);

		leaf_find(&of, NATIVE + TEXT + 5, &found);
		assert_int_equal(found.shape, RSP(3, 0));
		return_find(&of, NATIVE + TEXT + 6, &found);
		assert_int_equal(found.shape, RSP(3, 0));
	}
}

static void two_files_and_jit_code_share_a_slot(void **state)
{
	static const struct rule first[] = {{TEXT, RSP(3, 0)}, {TEXT + 0x40, TS_SHAPE_GAP}};
	static const struct rule second[] = {{TEXT, RSP(4, 0)}, {TEXT + 0x40, TS_SHAPE_GAP}};
	struct ts_slot slot = {.image = TS_SLOT_JIT, .table = {1, 2},
			       .table_base = {NATIVE, SECOND}};
	struct found found;

	add_table(1, first, 2);
	add_table(2, second, 2);
	add_slot(NATIVE, &slot);
	assert_int_equal(shape_at(NATIVE + TEXT), RSP(3, 0));
	assert_int_equal(shape_at(SECOND + TEXT), RSP(4, 0));
	assert_int_equal(shape_at(SECOND + TEXT + 0x40), 0);
	code_find(SPACE, SECOND + TEXT, &found);
	assert_false(found.in_jit);
	code_find(SPACE, SECOND + TEXT + 0x40, &found);
	assert_true(found.in_jit);
}

/* --- every instruction of native functions ---------------------------------- */

struct function {
	const char *name;
	struct {
		struct insn insn;
		__u32 shape; /* before it */
	} steps[20];
};

static const struct function functions[] = {
	{"without a frame pointer",
	 {{{"4157", OP_PUSH}, RSP(1, 0)},
	  {{"55", OP_PUSH_RBP}, RSP(2, 0)},
	  {{"53", OP_PUSH}, RSP(3, 3)},
	  {{"4883EC28", OP_SUB, 0x28}, RSP(4, 3)},
	  {{"4889FD", OP_LEA_RBP, 0x11}, RSP(9, 3)}, /* rbp is used for something else */
	  {{"FF1500000000"}, RSP(9, 3)},
	  {{"4883C428", OP_ADD, 0x28}, RSP(9, 3)},
	  {{"5B", OP_POP}, RSP(4, 3)},
	  {{"5D", OP_POP_RBP}, RSP(3, 3)},
	  {{"415F", OP_POP}, RSP(2, 0)},
	  {{"C3", OP_LEAVE}, RSP(1, 0)}}},
	{"with one",
	 {{{"55", OP_PUSH_RBP}, RSP(1, 0)},
	  {{"4889E5", OP_LEA_RBP, 0}, RSP(2, 2)},
	  {{"4157", OP_PUSH}, RBP(2, 2)},
	  {{"4883EC18", OP_SUB, 0x18}, RBP(2, 2)},
	  {{"FF1500000000"}, RBP(2, 2)},
	  {{"4883C418", OP_ADD, 0x18}, RBP(2, 2)},
	  {{"415F", OP_POP}, RBP(2, 2)},
	  {{"5D", OP_POP_RBP}, RBP(2, 2)},
	  {{"C3", OP_LEAVE}, RSP(1, 0)}}},
	/* As gcc 12 writes it, with its rules where they are. */
	{"that aligns its frame",
	 {{{"4C8D542408", OP_LEA_R10, 8}, RSP(1, 0)},
	  {{"4883E4C0", OP_AND, 64}, R10},
	  {{"41FF72F8", OP_PUSH_R10_AT, 8}, R10},
	  {{"55", OP_PUSH_RBP}, R10},
	  {{"4889E5", OP_LEA_RBP, 0}, R10},
	  {{"4152", OP_PUSH_R10}, R10},
	  {{"53", OP_PUSH}, ALIGNED_FRAME},
	  {{"4883C480", OP_SUB, 0x80}, ALIGNED_FRAME},
	  {{"488D65F0", OP_LEA_RSP, -0x10}, ALIGNED_FRAME},
	  {{"5B", OP_POP}, ALIGNED_FRAME},
	  {{"415A", OP_POP_R10}, ALIGNED_FRAME},
	  {{"5D", OP_POP_RBP}, R10},
	  {{"498D62F8", OP_LEA_RSP_R10, 8}, R10},
	  {{"C3", OP_LEAVE}, RSP(1, 0)}}},
	{"that only jumps on", {{{"FF2500000000", OP_LEAVE}, RSP(1, 0)}}},
};

static void check_function(const struct function *function)
{
	struct rule rules[21];
	__u32 count = 0, at = TEXT;
	__u64 sp_of_caller;

	for (; function->steps[count].insn.hex; count++) {
		__u8 ignored[16];

		rules[count] = (struct rule){at, function->steps[count].shape};
		at += insn__bytes(&function->steps[count].insn, ignored);
	}
	rules[count] = (struct rule){at, TS_SHAPE_GAP};
	add_native(rules, count + 1);
	machine__start(&machine);
	sp_of_caller = machine.rsp + 8;
	for (__u32 i = 0; i < count; i++) {
		struct walk *walk = &scratch.walk;
		struct found found;

		*walk = walk_from(NATIVE + rules[i].begin, machine.rsp, machine.rbp);
		walk->r10 = machine.r10;
		code_find(SPACE, walk->ip, &found);
		if (!leaf_step(&scratch, &found))
			shape_step(walk, found.shape);
		if (walk->ip != MACHINE_CALLER || walk->sp != sp_of_caller ||
		    walk->bp != MACHINE_CALLER_BP || walk->done || walk->flags)
			fail_msg("%s, step %u: ip %llx sp %llx bp %llx flags %x",
				 function->name, i, walk->ip, walk->sp, walk->bp, walk->flags);
		machine__execute(&machine, &function->steps[i].insn);
	}
	assert_true(machine.rsp + 8 == sp_of_caller && machine.rbp == MACHINE_CALLER_BP);
}

static void the_caller_is_found_from_every_instruction(void **state)
{
	for (size_t f = 0; f < sizeof(functions) / sizeof(functions[0]); f++) {
		setup(state);
		check_function(&functions[f]);
	}
}

/* --- whole stacks ----------------------------------------------------------- */

enum { START = TEXT, MIDDLE = TEXT + 0x40, FRAMED = TEXT + 0x80, HOLE = TEXT + 0xc0,
       RETURN = TEXT + 0x100, HANDLER = TEXT + 0x140, LINKAGE = TEXT + 0x180,
       ALIGNED = TEXT + 0x1c0, ENTERED = TEXT + 0x200, RESOLVER = TEXT + 0x240,
       FIXUP = TEXT + 0x280, STANDING = TEXT + 0x2c0, FENCE = TEXT + 0x300 };

static const struct rule rules[] = {
	{START, END}, {MIDDLE, RSP(4, 3)}, {FRAMED, RBP(2, 2)}, {HOLE, 0},
	{RETURN, SIGNAL}, {HANDLER, RSP(2, 0)}, {LINKAGE, TS_SHAPE(TS_RULE_PLT, 11, 1)},
	{ALIGNED, ALIGNED_FRAME}, {ENTERED, R10},
	{RESOLVER, TS_SHAPE(TS_RULE_RBX, 3, 4)}, {FIXUP, RSP(5, 0)},
	{STANDING, TS_SHAPE(TS_RULE_RBX, 0, 4)}, {FENCE, TS_SHAPE_GAP}};

#define MANAGED (MACHINE_CODE + 0x100)

/*
 * The thread's start calls FRAMED, that calls a managed method with a frame, that
 * calls MIDDLE, which keeps rbp in its frame and uses it for something else.
 */
static void build_stack(void)
{
	add_native(rules, sizeof(rules) / sizeof(rules[0]));
	add_body(MANAGED, 0x80, TS_SHAPE(TS_FRAME_FRAMED, 4, 0));
	machine.rsp = MACHINE_CALLER_BP;
	machine.rbp = 0x1234567; /* the kernel leaves anything there */
	machine__push(&machine, NATIVE + START + 0x20);
	machine__push(&machine, machine.rbp);
	machine.rbp = machine.rsp;
	machine.rsp -= 0x20;
	machine__push(&machine, NATIVE + FRAMED + 0x20);
	machine__push(&machine, machine.rbp);
	machine.rbp = machine.rsp;
	machine.rsp -= 0x30;
	machine__push(&machine, MANAGED + 0x40);
	machine.rsp -= 8;
	machine__push(&machine, machine.rbp);
	machine.rsp -= 8;
	machine.rbp = 42;
}

static void assert_rest(__u32 at)
{
	assert_int_equal(scratch.walk.count, at + 3);
	assert_int_equal(TS_FRAME_TAG(frame(at)), TS_FRAME_TAG_BODY);
	assert_true(frame(at + 1) == NATIVE + FRAMED + 0x1f);
	assert_true(frame(at + 2) == NATIVE + START + 0x1f);
	assert_int_equal(scratch.walk.done, 1);
}

static void managed_callers_of_native_code_have_their_rbp(void **state)
{
	build_stack();
	walk_whole(NATIVE + MIDDLE + 8);
	assert_true(frame(0) == NATIVE + MIDDLE + 8);
	assert_rest(1);
	assert_int_equal(scratch.walk.flags, 0);
}

static void a_linkage_table_has_a_caller_before_and_after_its_push(void **state)
{
	build_stack();
	machine__push(&machine, NATIVE + MIDDLE + 0x20);
	for (__u32 at = 0; at < 16; at++) {
		if (at == 11)
			machine__push(&machine, 5);
		walk_whole(NATIVE + LINKAGE + at);
		assert_int_equal(scratch.walk.count, 5);
		assert_true(frame(1) == NATIVE + MIDDLE + 0x1f);
		assert_rest(2);
	}
}

static void an_aligned_frame_names_its_cfa(void **state)
{
	__u64 caller_sp;

	build_stack();
	machine__push(&machine, NATIVE + MIDDLE + 0x20);
	caller_sp = machine.rsp + 8;
	machine.rsp = (machine.rsp & ~63ULL) - 64;
	machine__push(&machine, machine.rbp);
	machine.rbp = machine.rsp;
	machine__push(&machine, caller_sp);
	machine.rsp -= 0x40;
	walk_whole(NATIVE + ALIGNED + 0x20);
	assert_true(frame(1) == NATIVE + MIDDLE + 0x1f);
	assert_rest(2);
	/* Without the word there is no caller. */
	machine.rbp = 8;
	walk_whole(NATIVE + ALIGNED + 0x20);
	assert_int_equal(scratch.walk.count, 1);
	assert_int_equal(scratch.walk.flags, TS_SAMPLE_BAD_FRAME);
}

/*
 * As the dynamic linker does: two words that the linkage table pushed, rbx, a frame that
 * is aligned; and what it calls saves rbx as its second register.
 */
static void an_aligned_frame_is_left_by_the_rbx_that_its_callee_saved(void **state)
{
	__u64 rbx, saved;

	build_stack();
	machine__push(&machine, NATIVE + MIDDLE + 0x20);
	machine__push(&machine, 1);
	machine__push(&machine, 2);
	machine__push(&machine, 3);
	rbx = machine.rsp;
	machine.rsp = (machine.rsp & ~63ULL) - 0x380;
	machine__push(&machine, NATIVE + RESOLVER + 0x20);
	machine__push(&machine, machine.rbp);
	machine__push(&machine, rbx);
	saved = machine.rsp;
	machine.rsp -= 16;
	walk_whole(NATIVE + FIXUP + 0x20);
	assert_true(frame(1) == NATIVE + RESOLVER + 0x1f);
	assert_true(frame(2) == NATIVE + MIDDLE + 0x1f);
	assert_rest(3);
	assert_int_equal(scratch.walk.flags, 0);
	/* What was not saved yet can be anything. */
	for (__u32 i = 0; i < 4; i++) {
		const __u64 wrong[] = {0, saved, rbx + 4, rbx + (1ULL << 40)};

		machine.rbx = rbx; /* no caller's */

		*machine__word(&machine, saved) = wrong[i];
		walk_whole(NATIVE + FIXUP + 0x20);
		assert_int_equal(scratch.walk.count, 2);
		assert_int_equal(scratch.walk.flags, TS_SAMPLE_NATIVE_END);
	}
}

/* The kernel's frame of a signal that came at `ip`; the handler is called. */
static void interrupt(__u64 ip)
{
	__u64 sp = machine.rsp;

	machine.rsp -= 0x400;
	*machine__word(&machine, machine.rsp + TS_SIGNAL_R10) = machine.r10;
	*machine__word(&machine, machine.rsp + TS_SIGNAL_RBP) = machine.rbp;
	*machine__word(&machine, machine.rsp + TS_SIGNAL_RBX) = machine.rbx;
	*machine__word(&machine, machine.rsp + TS_SIGNAL_RSP) = sp;
	*machine__word(&machine, machine.rsp + TS_SIGNAL_RIP) = ip;
	machine__push(&machine, NATIVE + RETURN + 1);
	machine.rsp -= 8;
}

/* Before it calls, and with the whole frame of a signal above it. */
static void where_a_thread_stands_rbx_is_its_own(void **state)
{
	build_stack();
	machine__push(&machine, NATIVE + MIDDLE + 0x20);
	machine.rsp -= 24;
	machine.rbx = machine.rsp;
	machine.rsp = (machine.rsp & ~63ULL) - 0x380;
	walk_whole(NATIVE + STANDING + 0x20);
	assert_true(frame(1) == NATIVE + MIDDLE + 0x1f);
	assert_rest(2);
	interrupt(NATIVE + STANDING + 0x20);
	machine.rbx = 0x2222;
	walk_whole(NATIVE + HANDLER + 4);
	assert_true(frame(2) == NATIVE + STANDING + 0x20);
	assert_true(frame(3) == NATIVE + MIDDLE + 0x1f);
	assert_rest(4);
	/* As a caller it has none. */
	machine__push(&machine, NATIVE + STANDING + 0x20);
	machine.rsp -= 32;
	machine.rbx = machine.rsp + 0x400;
	walk_whole(NATIVE + FIXUP + 0x20);
	assert_int_equal(scratch.walk.count, 2);
	assert_int_equal(scratch.walk.flags, TS_SAMPLE_NATIVE_END);
}

/* It stands where it stands: at a first instruction the one before is another's. */
static void what_a_signal_interrupted_is_not_a_caller(void **state)
{
	build_stack();
	interrupt(NATIVE + MIDDLE);
	walk_whole(NATIVE + HANDLER + 4);
	assert_int_equal(scratch.walk.count, 6);
	assert_true(frame(1) == NATIVE + RETURN);
	assert_true(frame(2) == NATIVE + MIDDLE);
	assert_rest(3);
	assert_int_equal(scratch.walk.flags, 0);
}

/* Managed code too, in its prolog, where rbp still is the caller's. */
static void a_signal_in_a_prolog_has_its_caller(void **state)
{
	__u32 at = MANAGED + 0x100 - MACHINE_CODE;

	build_stack();
	insn__bytes(&(struct insn){"55"}, code + at);
	insn__bytes(&(struct insn){"488BEC"}, code + at + 1);
	add_body(MANAGED + 0x100, 0x40, TS_SHAPE(TS_FRAME_FRAMED, 4, 0));
	machine__push(&machine, NATIVE + MIDDLE + 0x20);
	interrupt(MANAGED + 0x100);
	walk_whole(NATIVE + HANDLER + 4);
	assert_int_equal(scratch.walk.count, 7);
	assert_int_equal(TS_FRAME_TAG(frame(2)), TS_FRAME_TAG_BODY);
	assert_true(frame(3) == NATIVE + MIDDLE + 0x1f);
	assert_rest(4);
}

/* On the way into an aligned frame only r10 tells where that began. */
static void a_signal_finds_the_cfa_in_r10(void **state)
{
	build_stack();
	machine__push(&machine, NATIVE + MIDDLE + 0x20);
	machine.r10 = machine.rsp + 8;
	machine.rsp = (machine.rsp & ~63ULL) - 64;
	interrupt(NATIVE + ENTERED + 5);
	machine.r10 = 0x2222;
	walk_whole(NATIVE + HANDLER + 4);
	assert_int_equal(scratch.walk.count, 7);
	assert_true(frame(3) == NATIVE + MIDDLE + 0x1f);
	assert_rest(4);
	assert_int_equal(scratch.walk.flags, 0);
}

/* Its stack lies above the one that was interrupted. */
static void a_handler_may_have_a_stack_of_its_own(void **state)
{
	struct machine handler;
	static __u64 other[512];
	const __u64 at = 0x7ffe00000000ULL;

	build_stack();
	shim__add_memory(at, other, sizeof(other));
	memset(other, 0, sizeof(other));
	other[0] = 0xabab;
	other[1] = NATIVE + RETURN + 1;
	other[2 + TS_SIGNAL_RBP / 8] = machine.rbp;
	other[2 + TS_SIGNAL_RSP / 8] = machine.rsp;
	other[2 + TS_SIGNAL_RIP / 8] = NATIVE + MIDDLE + 8;
	handler = machine;
	machine.rsp = at;
	walk_whole(NATIVE + HANDLER + 4);
	machine = handler;
	assert_int_equal(scratch.walk.count, 6);
	assert_rest(3);
}

/* Frames of signals that lead to each other: as many as a stack can have. */
static void signals_without_an_end_are_cut(void **state)
{
	build_stack();
	machine.rsp -= 0x200;
	*machine__word(&machine, machine.rsp + TS_SIGNAL_RSP) = machine.rsp;
	*machine__word(&machine, machine.rsp + TS_SIGNAL_RIP) = NATIVE + RETURN + 1;
	walk_whole(NATIVE + RETURN);
	assert_int_equal(scratch.walk.count, TS_FRAMES_MAX);
	assert_int_equal(scratch.walk.flags, TS_SAMPLE_TRUNCATED);
	*machine__word(&machine, machine.rsp + TS_SIGNAL_RIP) = 0;
	walk_whole(NATIVE + RETURN);
	assert_int_equal(scratch.walk.count, 1);
	assert_int_equal(scratch.walk.flags, TS_SAMPLE_BAD_FRAME);
}

/* Where a signal came in memory that is not known yet the loader goes on at the same
 * address. */
static void what_was_interrupted_may_be_pending(void **state)
{
	build_stack();
	shim.executable = 0x7f2200000000ULL;
	interrupt(shim.executable + 0x100);
	walk_whole(NATIVE + HANDLER + 4);
	assert_int_equal(scratch.walk.flags, TS_SAMPLE_TABLE_PENDING);
	assert_int_equal(scratch.walk.count, 3);
	assert_true(frame(2) == shim.executable + 0x100);
	assert_true(scratch.walk.ip - 1 == frame(2));
}

/* No rule, or one that is none of ours: the chain of rbp, as without a table. */
static void without_a_rule_rbp_is_followed(void **state)
{
	static const __u32 places[] = {HOLE + 0x20, FENCE + 8};

	for (size_t p = 0; p < 2; p++) {
		setup(state);
		build_stack();
		machine.rbp = *machine__word(&machine, machine.rsp + 8);
		machine__push(&machine, NATIVE + FRAMED + 0x20);
		machine__push(&machine, machine.rbp);
		machine.rbp = machine.rsp;
		machine.rsp -= 0x18;
		walk_whole(NATIVE + places[p]);
		assert_true(frame(1) == NATIVE + FRAMED + 0x1f);
		assert_int_equal(scratch.walk.flags, 0);
		setup(state);
		build_stack();
		walk_whole(NATIVE + places[p]);
		assert_int_equal(scratch.walk.count, 1);
		assert_int_equal(scratch.walk.flags, TS_SAMPLE_NATIVE_END);
	}
}

/* Rules that lead down, too far up, or to what cannot be read. */
static void rules_that_lie_break_the_walk(void **state)
{
	static const struct {
		__u32 shape;
		__u64 sp, bp;
	} lies[] = {
		{RBP(2, 2), MACHINE_STACK + 0x800, MACHINE_STACK + 0x100},
		{RBP(2, 0), MACHINE_STACK + 0x800, MACHINE_STACK + 0x100},
		{RBP(2, 2), MACHINE_STACK, ~0ULL - 7},
		{RBP(2, 2), MACHINE_STACK, 0xffff888000000000ULL},
		{RSP(TS_SHAPE_SLOTS_MAX, 0), MACHINE_STACK, 0},
		{RSP(2, 255), MACHINE_STACK, 0},
		{TS_SHAPE(TS_RULE_ALIGNED, 0, 2), MACHINE_STACK, MACHINE_STACK},
		{SIGNAL, MACHINE_STACK + sizeof(machine.stack) - 8, 0},
		{RSP(1, 0), 0x1000, 0},
	};

	for (size_t l = 0; l < sizeof(lies) / sizeof(lies[0]); l++) {
		struct rule lie[2] = {{TEXT, lies[l].shape}, {TEXT + 0x40, TS_SHAPE_GAP}};

		setup(state);
		machine__start(&machine);
		add_native(lie, 2);
		machine.rsp = lies[l].sp;
		machine.rbp = lies[l].bp;
		walk_whole(NATIVE + TEXT + 8);
		if (scratch.walk.count != 1 ||
		    scratch.walk.flags != TS_SAMPLE_BAD_FRAME || !scratch.walk.done)
			fail_msg("lie %zu: %u frames, flags %x", l, scratch.walk.count,
				 scratch.walk.flags);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_rule_of_a_file_is_found),
		TEST(a_native_frame_keeps_its_address),
		TEST(two_files_and_jit_code_share_a_slot),
		TEST(the_caller_is_found_from_every_instruction),
		TEST(managed_callers_of_native_code_have_their_rbp),
		TEST(a_linkage_table_has_a_caller_before_and_after_its_push),
		TEST(an_aligned_frame_names_its_cfa),
		TEST(an_aligned_frame_is_left_by_the_rbx_that_its_callee_saved),
		TEST(where_a_thread_stands_rbx_is_its_own),
		TEST(what_a_signal_interrupted_is_not_a_caller),
		TEST(a_signal_in_a_prolog_has_its_caller),
		TEST(a_signal_finds_the_cfa_in_r10),
		TEST(a_handler_may_have_a_stack_of_its_own),
		TEST(signals_without_an_end_are_cut),
		TEST(what_was_interrupted_may_be_pending),
		TEST(without_a_rule_rbp_is_followed),
		TEST(rules_that_lie_break_the_walk),
	};

	return cmocka_run_group_tests_name("bpf_rules", tests, NULL, NULL);
}
