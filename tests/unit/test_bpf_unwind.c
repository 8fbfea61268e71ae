// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// bpf/unwind.bpf.h: from every instruction of every kind of body the walk finds
// the caller; whole stacks through mixed frames; stacks that lie, loop or end.
#include "bpf_walk.h"

#define TIER0_SLOTS 11 /* of the tier-0 frame below an OSR frame */

static int setup(void **state)
{
	walk_setup();
	return 0;
}

/* --- every instruction of synthetic bodies -------------------------------- */

struct body {
	const char *name;
	__u32 kind, prolog, slots;
	struct insn insns[24];
};

/* What is in no prolog or epilog: a call, a move. */
#define WORK              \
	{"FF1500000000"}, \
	{                 \
		"33C0"    \
	}

static const struct body bodies_made[] = {
	{"framed, nothing saved",
	 TS_FRAME_FRAMED,
	 4,
	 0,
	 {{"55", OP_PUSH_RBP},
	  {"488BEC", OP_LEA_RBP, 0},
	  WORK,
	  {"5D", OP_POP_RBP},
	  {"C3", OP_LEAVE}}},
	{"framed, tier 0",
	 TS_FRAME_FRAMED,
	 10,
	 0,
	 {{"55", OP_PUSH_RBP},
	  {"4883EC70", OP_SUB, 0x70},
	  {"488D6C2470", OP_LEA_RBP, 0x70},
	  {"33C0"},
	  WORK,
	  {"4883C470", OP_ADD, 0x70},
	  {"5D", OP_POP_RBP},
	  {"C3", OP_LEAVE}}},
	{"framed, everything saved",
	 TS_FRAME_FRAMED,
	 22,
	 0,
	 {{"55", OP_PUSH_RBP},
	  {"4157", OP_PUSH},
	  {"4156", OP_PUSH},
	  {"4155", OP_PUSH},
	  {"4154", OP_PUSH},
	  {"53", OP_PUSH},
	  {"4883EC18", OP_SUB, 0x18},
	  {"C5F877"},
	  {"488D6C2440", OP_LEA_RBP, 0x40},
	  WORK,
	  {"C5F877"},
	  {"4883C418", OP_ADD, 0x18},
	  {"5B", OP_POP},
	  {"415C", OP_POP},
	  {"415D", OP_POP},
	  {"415E", OP_POP},
	  {"415F", OP_POP},
	  {"5D", OP_POP_RBP},
	  {"C3", OP_LEAVE}}},
	{"framed, left by a virtual tail call",
	 TS_FRAME_FRAMED,
	 7,
	 0,
	 {{"55", OP_PUSH_RBP},
	  {"53", OP_PUSH},
	  {"488D6C2408", OP_LEA_RBP, 8},
	  WORK,
	  {"5B", OP_POP},
	  {"5D", OP_POP_RBP},
	  {"48FF6028", OP_LEAVE}}},
	{"framed, left by a tail call through a cell",
	 TS_FRAME_FRAMED,
	 4,
	 0,
	 {{"55", OP_PUSH_RBP},
	  {"488BEC", OP_LEA_RBP, 0},
	  WORK,
	  {"5D", OP_POP_RBP},
	  {"FF251546FBFF", OP_LEAVE}}},
	{"framed, left by a direct tail call",
	 TS_FRAME_FRAMED,
	 4,
	 0,
	 {{"55", OP_PUSH_RBP},
	  {"488BEC", OP_LEA_RBP, 0},
	  WORK,
	  {"5D", OP_POP_RBP},
	  {"E91F86387E", OP_LEAVE}}},
	{"framed, with a stackalloc",
	 TS_FRAME_FRAMED,
	 11,
	 0,
	 {{"55", OP_PUSH_RBP},
	  {"53", OP_PUSH},
	  {"4883EC18", OP_SUB, 0x18},
	  {"488D6C2420", OP_LEA_RBP, 0x20},
	  {"4883EC40", OP_SUB, 0x40},
	  WORK,
	  {"488D65F8", OP_LEA_RSP, -8},
	  {"5B", OP_POP},
	  {"5D", OP_POP_RBP},
	  {"C3", OP_LEAVE}}},
	{"framed, larger than three pages",
	 TS_FRAME_FRAMED,
	 26,
	 0,
	 {{"55", OP_PUSH_RBP},
	  {"53", OP_PUSH},
	  {"4C8D9C2488EAFFFF", OP_LEA_R11, 0x1578},
	  {"E899833D7B"},
	  {"498BE3", OP_MOV_RSP_R11},
	  {"488DAC2480150000", OP_LEA_RBP, 0x1580},
	  WORK,
	  {"4881C478150000", OP_ADD, 0x1578},
	  {"5B", OP_POP},
	  {"5D", OP_POP_RBP},
	  {"C3", OP_LEAVE}}},
	{"frameless leaf", TS_FRAME_FRAMELESS, 0, 0, {{"8D047F"}, {"C3", OP_LEAVE}}},
	{"frameless leaf, left by a tail call",
	 TS_FRAME_FRAMELESS,
	 0,
	 0,
	 {{"8BFE"}, {"E91F86387E", OP_LEAVE}}},
	{"frameless, one call",
	 TS_FRAME_FRAMELESS,
	 1,
	 1,
	 {{"50", OP_PUSH}, WORK, {"4883C408", OP_ADD, 8}, {"C3", OP_LEAVE}}},
	{"frameless, saves",
	 TS_FRAME_FRAMELESS,
	 7,
	 4,
	 {{"4156", OP_PUSH},
	  {"53", OP_PUSH},
	  {"4883EC10", OP_SUB, 0x10},
	  WORK,
	  {"4883C410", OP_ADD, 0x10},
	  {"5B", OP_POP},
	  {"415E", OP_POP},
	  {"C3", OP_LEAVE}}},
	{"frameless, big, vector code",
	 TS_FRAME_FRAMELESS,
	 7,
	 18,
	 {{"4881EC90000000", OP_SUB, 0x90},
	  {"C5F877"},
	  WORK,
	  {"C5F877"},
	  {"4881C490000000", OP_ADD, 0x90},
	  {"C3", OP_LEAVE}}},
	{"frameless, left by tail calls",
	 TS_FRAME_FRAMELESS,
	 1,
	 1,
	 {{"50", OP_PUSH}, WORK, {"4883C408", OP_ADD, 8}, {"48FFE0", OP_LEAVE}}},
	{"frameless, pops what it pushed",
	 TS_FRAME_FRAMELESS,
	 1,
	 1,
	 {{"53", OP_PUSH}, WORK, {"5B", OP_POP}, {"49FF23", OP_LEAVE}}},
	/* tier 0: 0x58 bytes with its rbp, so 11 slots; rbp is on top of them */
	{"OSR",
	 TS_FRAME_OSR,
	 19,
	 TIER0_SLOTS,
	 {{"488B4500", OP_LOAD_RAX},
	  {"50", OP_PUSH_RAX},
	  {"4883EC18", OP_SUB, 0x18},
	  {"48895C2460"},
	  {"488D6C2418", OP_LEA_RBP, 0x18},
	  WORK,
	  {"4883C470", OP_ADD, 0x18 + 8 + 8 + 0x48},
	  {"5B", OP_POP},
	  {"5D", OP_POP_RBP},
	  {"C3", OP_LEAVE}}},
	{"OSR without locals",
	 TS_FRAME_OSR,
	 8,
	 TIER0_SLOTS,
	 {{"488B4500", OP_LOAD_RAX},
	  {"50", OP_PUSH_RAX},
	  {"488BEC", OP_LEA_RBP, 0},
	  WORK,
	  {"C5F877"},
	  {"4883C460", OP_ADD, 8 + 8 + 0x50},
	  {"5D", OP_POP_RBP},
	  {"FF251546FBFF", OP_LEAVE}}},
	/* stays in tier 0's frame (CastHelpers.StelemRef): walked by its rbp */
	{"OSR without a frame",
	 TS_FRAME_FRAMED,
	 0,
	 0,
	 {{"50", OP_PUSH},
	  {"488B742430"},
	  {"4883C460", OP_ADD, 8 + 8 + 0x50},
	  {"5D", OP_POP_RBP},
	  {"E9FB27537E", OP_LEAVE}}},
};

static bool is_osr(const struct body *body)
{
	return strncmp(body->name, "OSR", 3) == 0;
}

/* The frame of the tier-0 body, and the call of the patchpoint helper in it. */
static void enter_from_tier0(void)
{
	machine__push(&machine, machine.rbp);
	machine.rbp = machine.rsp;
	machine.rsp -= 8 * (TIER0_SLOTS - 1);
	machine__push(&machine, 0x7f0000300456ULL); /* the false return address */
}

static void check_caller(const struct body *body, __u32 offset, __u64 sp_of_caller)
{
	struct walk *walk = &scratch.walk;
	struct found found;

	*walk = walk_from(MACHINE_CODE + offset, machine.rsp, machine.rbp);
	code_find(SPACE, walk->ip, &found);
	assert_int_equal(found.offset, offset);
	if (!leaf_step(&scratch, &found))
		shape_step(walk, found.shape);
	if (walk->ip != MACHINE_CALLER || walk->sp != sp_of_caller ||
	    walk->bp != MACHINE_CALLER_BP || walk->done ||
	    walk->flags & TS_SAMPLE_BAD_FRAME)
		fail_msg("%s, at %u: ip %llx sp %llx (not %llx) bp %llx done %u flags "
			 "%x",
			 body->name, offset, walk->ip, walk->sp, sp_of_caller, walk->bp,
			 walk->done, walk->flags);
}

static void the_caller_is_found_from_every_instruction(void **state)
{
	for (size_t b = 0; b < sizeof(bodies_made) / sizeof(bodies_made[0]); b++) {
		const struct body *body = &bodies_made[b];
		__u32 size = 0, offset = 0;
		__u64 sp_of_caller;

		setup(state);
		for (int i = 0; body->insns[i].hex; i++)
			size += insn__bytes(&body->insns[i], code + size);
		add_body(MACHINE_CODE, size,
			 TS_SHAPE(body->kind, body->prolog, body->slots));
		machine__start(&machine);
		sp_of_caller = machine.rsp + 8;
		if (is_osr(body))
			enter_from_tier0();
		for (int i = 0; body->insns[i].hex; i++) {
			__u8 ignored[16];

			check_caller(body, offset, sp_of_caller);
			machine__execute(&machine, &body->insns[i]);
			offset += insn__bytes(&body->insns[i], ignored);
		}
		/* The processor agrees that the body was left as it was entered. */
		assert_true(machine.rsp + 8 == sp_of_caller);
		assert_true(machine.rbp == MACHINE_CALLER_BP);
	}
}

/*
 * Funclets run below the machinery that called them; the right caller is that
 * of the method, by its frame.  From .NET 10 on rbp is the method's throughout,
 * before that a funclet saves and restores its own caller's.
 */
static const struct body funclets[] = {
	{"funclet of .NET 10",
	 TS_FRAME_FRAMED,
	 4,
	 0,
	 {{"50", OP_PUSH}, WORK, {"4883C408", OP_ADD, 8}, {"C3", OP_LEAVE}}},
	{"funclet of .NET 10 that saves",
	 TS_FRAME_FRAMED,
	 4,
	 0,
	 {{"53", OP_PUSH},
	  {"4155", OP_PUSH},
	  {"4883EC08", OP_SUB, 8},
	  WORK,
	  {"4883C408", OP_ADD, 8},
	  {"5B", OP_POP},
	  {"415D", OP_POP},
	  {"C3", OP_LEAVE}}},
	{"funclet of .NET 10 of an OSR body",
	 TS_FRAME_OSR,
	 8,
	 TIER0_SLOTS,
	 {{"50", OP_PUSH}, WORK, {"4883C408", OP_ADD, 8}, {"C3", OP_LEAVE}}},
	{"older funclet",
	 TS_FRAME_FRAMED,
	 4,
	 0,
	 {{"4883C408", OP_ADD, 8}, {"5D", OP_POP_RBP}}},
};

static void the_caller_of_the_method_is_found_from_its_funclets(void **state)
{
	for (size_t f = 0; f < sizeof(funclets) / sizeof(funclets[0]); f++) {
		const struct body *funclet = &funclets[f];
		__u32 size = 64, offset = 64;
		__u64 sp_of_caller;

		setup(state);
		for (int i = 0; funclet->insns[i].hex; i++)
			size += insn__bytes(&funclet->insns[i], code + size);
		add_body(MACHINE_CODE, size + 16,
			 TS_SHAPE(funclet->kind, funclet->prolog, funclet->slots));
		machine__start(&machine);
		sp_of_caller = machine.rsp + 8;
		if (funclet->kind == TS_FRAME_OSR) {
			enter_from_tier0();
			machine__push(&machine, MACHINE_CALLER_BP);
		} else {
			machine__push(&machine, machine.rbp);
		}
		machine.rbp = machine.rsp;
		machine.rsp -= 0x80;
		machine__push(&machine, 0x7f4400001111ULL);
		if (funclet == &funclets[3]) {	/* stands before its epilog */
			machine__push(&machine, 0x7ffd00001110ULL);
			machine.rsp -= 8;
		}
		for (int i = 0; funclet->insns[i].hex; i++) {
			__u8 ignored[16];

			check_caller(funclet, offset, sp_of_caller);
			machine__execute(&machine, &funclet->insns[i]);
			offset += insn__bytes(&funclet->insns[i], ignored);
		}
	}
}

/* --- whole stacks ----------------------------------------------------------- */

#define AT(body, offset) (MACHINE_CODE + 0x100 * (body) + (offset))

enum { OUTER, FRAMED, FRAMELESS, OSR, LEAF, BODIES };

/*
 * OUTER calls FRAMED calls FRAMELESS (3 slots) calls OSR (over tier 0) calls
 * LEAF (frameless, no slots).  The processor stands in LEAF.
 */
static void build_stack(__u32 *rows)
{
	static const __u32 shapes[BODIES] = {TS_SHAPE(TS_FRAME_FRAMED, 4, 0),
					     TS_SHAPE(TS_FRAME_FRAMED, 4, 0),
					     TS_SHAPE(TS_FRAME_FRAMELESS, 4, 3),
					     TS_SHAPE(TS_FRAME_OSR, 8, TIER0_SLOTS),
					     TS_SHAPE(TS_FRAME_FRAMELESS, 0, 0)};

	for (int b = 0; b < BODIES; b++)
		rows[b] = add_body(AT(b, 0), 0x80, shapes[b]);
	memset(&machine, 0, sizeof(machine));
	machine.rsp = MACHINE_CALLER_BP;
	machine__push(&machine, 0); /* nobody calls OUTER */
	for (int b = OUTER; b <= FRAMED; b++) {
		machine__push(&machine, machine.rbp);
		machine.rbp = machine.rsp;
		machine.rsp -= 0x20;
		machine__push(&machine, AT(b, 0x40));
	}
	machine.rsp -= 3 * 8;
	machine__push(&machine, AT(FRAMELESS, 0x40));
	enter_from_tier0();
	machine__push(&machine, *machine__word(&machine, machine.rbp));
	machine.rbp = machine.rsp;
	machine__push(&machine, AT(OSR, 0x40));
}

static void assert_body_frame(__u32 index, __u32 row)
{
	__u64 frame = scratch.record[SAMPLE_WORDS + index];

	assert_int_equal(TS_FRAME_TAG(frame), TS_FRAME_TAG_BODY);
	assert_int_equal(TS_FRAME_LOW(frame), row);
}

static void a_stack_of_every_kind_is_walked_to_its_end(void **state)
{
	__u32 rows[BODIES];

	build_stack(rows);
	walk_whole(AT(LEAF, 8));
	assert_int_equal(scratch.walk.count, BODIES);
	for (int b = 0; b < BODIES; b++)
		assert_body_frame(b, rows[LEAF - b]);
	assert_int_equal(scratch.walk.flags, 0);
	assert_int_equal(scratch.walk.done, 1);
}

/*
 * OUTER calls FRAMED calls FRAMED calls LEAF, whose return address the runtime has
 * changed to a function of its own.  Only that caller is missing.
 */
static void beyond_a_hijacked_return_address_the_callers_are_right(void **state)
{
	__u64 hijacked = 0x7f1100001000ULL;
	__u32 rows[BODIES];

	build_stack(rows);
	machine.rsp = MACHINE_CALLER_BP;
	machine.rbp = 0;
	machine__push(&machine, 0);
	for (int i = 0; i < 3; i++) {
		machine__push(&machine, machine.rbp);
		machine.rbp = machine.rsp;
		machine__push(&machine, i == 2 ? hijacked : AT(i ? FRAMED : OUTER, 0x40));
	}
	walk_whole(AT(LEAF, 8));
	assert_int_equal(scratch.walk.count, 4);
	assert_body_frame(0, rows[LEAF]);
	assert_true(scratch.record[SAMPLE_WORDS + 1] == hijacked - 1);
	assert_body_frame(2, rows[FRAMED]);
	assert_body_frame(3, rows[OUTER]);
	assert_int_equal(scratch.walk.flags, 0);
}

/* The leaf's body is counted, and only that one, for the event that fired. */
static void the_leaf_is_counted(void **state)
{
	__u32 rows[BODIES];

	build_stack(rows);
	memset(&scratch, 0, sizeof(scratch));
	scratch.walk = walk_from(AT(LEAF, 8), machine.rsp, machine.rbp);
	scratch.event = 2;
	walk_stack(&scratch, 0);
	for (int b = 0; b < BODIES; b++) {
		for (__u32 e = 0; e < events_counted; e++)
			assert_int_equal(*leaf_count(rows[b], e), b == LEAF && e == 2);
	}
}

/* A call that is a body's last instruction returns to the byte beyond it. */
static void a_return_address_belongs_to_the_call_before_it(void **state)
{
	__u32 row = add_body(AT(0, 0), 0x40, TS_SHAPE(TS_FRAME_FRAMED, 4, 0));
	__u32 next = add_body(AT(0, 0x40), 0x40, TS_SHAPE(TS_FRAME_FRAMED, 4, 0));
	__u32 leaf = add_body(AT(1, 0), 0x40, TS_SHAPE(TS_FRAME_FRAMELESS, 0, 0));

	memset(&machine, 0, sizeof(machine));
	machine.rsp = machine.rbp = MACHINE_CALLER_BP;
	machine__push(&machine, AT(0, 0x40));
	walk_whole(AT(1, 4));
	assert_int_equal(scratch.walk.count, 2);
	assert_body_frame(0, leaf);
	assert_body_frame(1, row);
	/* But a leaf that stands there is in the next body. */
	walk_whole(AT(0, 0x40));
	assert_body_frame(0, next);
}

static void native_frames_keep_their_addresses(void **state)
{
	memset(&machine, 0, sizeof(machine));
	machine.rsp = MACHINE_CALLER_BP;
	machine__push(&machine, 0x7f1100001111ULL);
	machine__push(&machine, 0);
	machine.rbp = machine.rsp;
	walk_whole(0x7f1100002222ULL);
	assert_int_equal(scratch.walk.count, 2);
	assert_true(scratch.record[SAMPLE_WORDS] == 0x7f1100002222ULL);
	assert_true(scratch.record[SAMPLE_WORDS + 1] == 0x7f1100001110ULL);
	assert_int_equal(scratch.walk.flags, 0);
}

/* A chain of frames, the innermost at the lowest address. */
static void build_chain(int frames)
{
	memset(&machine, 0, sizeof(machine));
	machine.rsp = MACHINE_CALLER_BP;
	for (int i = 0; i < frames; i++) {
		machine__push(&machine, i ? AT(0, 0x40) : 0);
		machine__push(&machine, machine.rbp);
		machine.rbp = machine.rsp;
	}
}

static void deep_stacks_are_cut_and_say_so(void **state)
{
	add_body(AT(0, 0), 0x80, TS_SHAPE(TS_FRAME_FRAMED, 4, 0));
	build_chain(TS_FRAMES_MAX);
	walk_whole(AT(0, 0x10));
	assert_int_equal(scratch.walk.count, TS_FRAMES_MAX);
	assert_int_equal(scratch.walk.flags, 0);
	build_chain(TS_FRAMES_MAX + 1);
	walk_whole(AT(0, 0x10));
	assert_int_equal(scratch.walk.count, TS_FRAMES_MAX);
	assert_int_equal(scratch.walk.flags, TS_SAMPLE_TRUNCATED);
}

/* --- every instruction of the stubs that push ------------------------------- */

struct stub {
	const char *name;
	struct insn insns[20];
};

static const struct stub stubs[] = {
	{"resolve, hit",
	 {{"488B07"},
	  {"52", OP_PUSH},
	  {"49BA0010203040506070"},
	  {"488BD0"},
	  {"48C1E80C"},
	  {"4803C2"},
	  {"483550504850"},
	  {"4825F87F0000"},
	  {"4A8B0410"},
	  {"49BA5AFFE15249BB0000"},
	  {"483B5000"},
	  {"752B"},
	  {"4C3B5008"},
	  {"7525"},
	  {"488B4010"},
	  {"5A", OP_POP},
	  {"FFE0", OP_LEAVE}}},
	{"resolve, miss",
	 {{"48B80102030405060708"},
	  {"8300FF"},
	  {"7D04"},
	  {"4983CB01"},
	  {"52", OP_PUSH},
	  {"49BA0010203040506070"},
	  {"50", OP_PUSH},
	  {"48B80102030405060708"},
	  {"FFE0", OP_LEAVE}}},
	{"lookup",
	 {{"48B80102030405060708"},
	  {"50", OP_PUSH},
	  {"48B80102030405060708"},
	  {"FFE0", OP_LEAVE}}},
	{"import",
	 {{"33C0"},
	  {"6A05", OP_PUSH},
	  {"FF3500010000", OP_PUSH},
	  {"FF2500020000", OP_LEAVE}}},
	{"import with a large number",
	 {{"498BC3"},
	  {"6805010000", OP_PUSH},
	  {"FF3500010000", OP_PUSH},
	  {"FF2500020000", OP_LEAVE}}},
	{"dispatch",
	 {{"48B80102030405060708"},
	  {"483907"},
	  {"48B80102030405060708"},
	  {"0F8500010000"},
	  {"FFE0", OP_LEAVE}}},
	{"precode", {{"FF25FA3F0000", OP_LEAVE}}},
	{"jump", {{"48B85048B80506070850"}, {"FFE0", OP_LEAVE}}},
};

static void check_stub(const struct stub *stub, __u32 offset, __u64 sp)
{
	struct walk *walk = &scratch.walk;
	struct found found;

	*walk = walk_from(MACHINE_CODE + offset, machine.rsp, machine.rbp);
	code_find(SPACE, walk->ip, &found);
	assert_int_equal(found.size, 0);
	if (!leaf_step(&scratch, &found))
		shape_step(walk, found.shape);
	if (walk->ip != MACHINE_CALLER || walk->sp != sp || walk->bp != MACHINE_CALLER_BP ||
	    walk->done || walk->flags)
		fail_msg("%s, at %u: ip %llx sp %llx bp %llx done %u flags %x", stub->name,
			 offset, walk->ip, walk->sp, walk->bp, walk->done, walk->flags);
}

static void who_called_is_found_from_every_instruction_of_a_stub(void **state)
{
	for (size_t s = 0; s < sizeof(stubs) / sizeof(stubs[0]); s++) {
		__u32 size = 64, offset = 64;
		__u64 sp;

		setup(state);
		/* Another stub before it and, as after a resolve stub's hit, one behind. */
		size += insn__bytes(&(struct insn){"5AFFE0"}, code + size - 3) - 3;
		for (int i = 0; stubs[s].insns[i].hex; i++)
			size += insn__bytes(&stubs[s].insns[i], code + size);
		insn__bytes(&(struct insn){"488B075249BA0010203040506070488BD05AFFE0"},
			    code + size);
		add_body(MACHINE_CODE + 0x800, 16, TS_SHAPE(TS_FRAME_FRAMED, 4, 0));
		add_body(MACHINE_CALLER & ~15ULL, 16, TS_SHAPE(TS_FRAME_FRAMED, 4, 0));
		machine__start(&machine);
		sp = machine.rsp + 8;
		for (int i = 0; stubs[s].insns[i].hex; i++) {
			__u8 ignored[16];

			check_stub(&stubs[s], offset, sp);
			machine__execute(&machine, &stubs[s].insns[i]);
			offset += insn__bytes(&stubs[s].insns[i], ignored);
		}
	}
}

/* --- bodies before their events --------------------------------------------------- */

/* The word on the stack is no address of code, so that is no stub: as a leaf. */
static void a_leaf_that_no_event_told_of_is_waited_for(void **state)
{
	add_body(AT(1, 0), 0x80, TS_SHAPE(TS_FRAME_FRAMED, 4, 0));
	insn__bytes(&(struct insn){"FF25FA3F0000"}, code);
	build_chain(3);
	machine__push(&machine, 0x7f4400001111ULL);
	walk_whole(AT(0, 0));
	assert_int_equal(scratch.walk.flags, TS_SAMPLE_TABLE_PENDING);
	assert_int_equal(scratch.walk.count, 1);
	assert_int_equal(scratch.unknown_leaf, 1);
	assert_true(scratch.walk.ip == AT(0, 0) && scratch.walk.sp == machine.rsp);
}

static void walk_to_untold_caller(__u64 caller)
{
	build_chain(3);
	machine__push(&machine, caller);
	scratch.walk = walk_from(AT(1, 0x10), machine.rsp, machine.rbp);
	walk_stack(&scratch, 0);
}

static void a_caller_that_no_event_told_of_is_waited_for(void **state)
{
	add_body(AT(1, 0), 0x80, TS_SHAPE(TS_FRAME_FRAMELESS, 0, 0));
	walk_to_untold_caller(AT(0, 0x11));
	assert_int_equal(scratch.walk.flags, TS_SAMPLE_TABLE_PENDING);
	assert_int_equal(scratch.walk.count, 2);
	assert_int_equal(scratch.unknown_leaf, 0);
	assert_true(scratch.record[SAMPLE_WORDS + 1] == AT(0, 0x10));
	assert_true(scratch.walk.ip == AT(0, 0x11) && scratch.walk.sp == machine.rsp + 8);
}

/* Who is never told of fills no ring: rbp is all there is then. */
static void so_many_are_waited_for_at_once_and_later_more(void **state)
{
	int waited = 0;

	shim.now = 1ULL << 40;
	add_body(AT(1, 0), 0x80, TS_SHAPE(TS_FRAME_FRAMELESS, 0, 0));
	for (int i = 0; i < 3 * UNTOLD_BURST; i++) {
		walk_to_untold_caller(AT(0, 0x11));
		if (scratch.walk.flags & TS_SAMPLE_TABLE_PENDING)
			waited++;
		else
			assert_int_equal(scratch.walk.count, 4);
	}
	assert_in_range(waited, UNTOLD_BURST, UNTOLD_BURST + 1);
	shim.now += UNTOLD_NS;
	walk_to_untold_caller(AT(0, 0x11));
	assert_int_equal(scratch.walk.flags, TS_SAMPLE_TABLE_PENDING);
	walk_to_untold_caller(AT(0, 0x11));
	assert_int_equal(scratch.walk.flags, 0);
}

/* --- stacks that are not as they should be ---------------------------------- */

static void assert_broken_after(__u32 frames)
{
	assert_int_equal(scratch.walk.count, frames);
	assert_int_equal(scratch.walk.flags & TS_SAMPLE_BAD_FRAME, TS_SAMPLE_BAD_FRAME);
	assert_int_equal(scratch.walk.done, 1);
}

static void a_chain_that_loops_ends(void **state)
{
	add_body(AT(0, 0), 0x80, TS_SHAPE(TS_FRAME_FRAMED, 4, 0));
	build_chain(5);
	*machine__word(&machine, machine.rbp + 32) = machine.rbp; /* third to first */
	walk_whole(AT(0, 0x10));
	assert_broken_after(4);
	build_chain(5);
	*machine__word(&machine, machine.rbp) = machine.rbp; /* to itself */
	walk_whole(AT(0, 0x10));
	assert_broken_after(2);
}

static void a_frame_below_the_stack_pointer_is_none(void **state)
{
	add_body(AT(0, 0), 0x80, TS_SHAPE(TS_FRAME_FRAMED, 4, 0));
	build_chain(3);
	machine.rsp = machine.rbp + 8;
	walk_whole(AT(0, 0x10));
	assert_broken_after(1);
	machine.rsp = machine.rbp;
	walk_whole(AT(0, 0x10));
	assert_int_equal(scratch.walk.count, 3);
}

/* Readable memory, but further away than any stack is deep. */
static void a_frame_beyond_the_span_is_none(void **state)
{
	static __u64 pages[2 * 512]; /* memory comes by the page */

	for (int beyond = 0; beyond < 2; beyond++) {
		/* The frame's end, sp of the caller, is 16 above its rbp. */
		__u64 at = MACHINE_CALLER_BP + STACK_SPAN_MAX - 16 + 8 * beyond;
		__u64 first = at & ~0xfffULL;

		setup(state);
		pages[(at - first) / 8] = 0;
		pages[(at - first) / 8 + 1] = 0x7f1100001111ULL;
		shim__add_memory(first, pages, sizeof(pages));
		machine.rsp = MACHINE_CALLER_BP;
		machine.rbp = at;
		walk_whole(0x7f1100002222ULL);
		if (beyond)
			assert_broken_after(1);
		else
			assert_int_equal(scratch.walk.count, 2);
	}
}

static void unreadable_stacks_break_the_walk(void **state)
{
	static const __u64 nowhere[] = {0x1000, 0x7ffe00000000ULL,
					0xffff888000000000ULL, ~0ULL - 8, ~0ULL};
	static const __u32 kinds[] = {TS_FRAME_UNKNOWN, TS_FRAME_FRAMED,
				      TS_FRAME_FRAMELESS, TS_FRAME_OSR};

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		for (size_t n = 0; n < sizeof(nowhere) / sizeof(nowhere[0]); n++) {
			setup(state);
			add_body(AT(0, 0), 0x80, TS_SHAPE(kinds[k], 4, 5));
			machine.rsp = machine.rbp = nowhere[n];
			walk_whole(AT(0, 0x10));
			assert_broken_after(1);
		}
	}
}

/* The biggest shape there is must not wrap around to something plausible. */
static void huge_shapes_break_the_walk(void **state)
{
	add_body(AT(0, 0), 0x80, TS_SHAPE(TS_FRAME_OSR, 4, TS_SHAPE_SLOTS_MAX));
	add_body(AT(1, 0), 0x80, TS_SHAPE(TS_FRAME_FRAMELESS, 4, TS_SHAPE_SLOTS_MAX));
	for (int b = 0; b < 2; b++) {
		build_chain(3);
		walk_whole(AT(b, 0x10));
		assert_broken_after(1);
	}
}

static void a_thread_without_frames_ends_at_once(void **state)
{
	memset(&machine, 0, sizeof(machine));
	machine.rsp = MACHINE_CALLER_BP;
	walk_whole(0x7f1100002222ULL);
	assert_int_equal(scratch.walk.count, 1);
	assert_int_equal(scratch.walk.flags, 0);
	assert_int_equal(scratch.walk.done, 1);
}

/* A prolog whose bytes cannot be read: no caller rather than a wrong one. */
static void an_unreadable_prolog_breaks_the_walk(void **state)
{
	add_body(0x7f0000700000ULL, 0x80, TS_SHAPE(TS_FRAME_FRAMED, 10, 0));
	build_chain(3);
	walk_whole(0x7f0000700005ULL);
	assert_broken_after(1);
	/* At its first instruction no byte is needed. */
	build_chain(3);
	machine__push(&machine, AT(0, 0x40));
	walk_whole(0x7f0000700000ULL);
	assert_int_equal(scratch.walk.flags, TS_SAMPLE_LEAF_PROLOG);
	assert_int_equal(scratch.walk.count, 4);
}

/* An epilog at the end of a page, with more of the body on a page not there. */
static void an_epilog_before_an_unreadable_page_is_seen(void **state)
{
	static const __u8 epilog[] = {0x5d, 0xc3};

	memcpy(code + sizeof(code) - 2, epilog, 2);
	add_body(AT(0, 0), 0x80, TS_SHAPE(TS_FRAME_FRAMED, 4, 0));
	add_body(MACHINE_CODE + sizeof(code) - 0x80, 0x100,
		 TS_SHAPE(TS_FRAME_FRAMED, 4, 0));
	build_chain(3);
	walk_whole(MACHINE_CODE + sizeof(code) - 2);
	assert_int_equal(scratch.walk.flags, TS_SAMPLE_LEAF_EPILOG);
	assert_int_equal(scratch.walk.count, 3);
	/* At the ret itself: rbp is the caller's already. */
	machine.rbp = *machine__word(&machine, machine.rsp);
	machine.rsp += 8;
	walk_whole(MACHINE_CODE + sizeof(code) - 1);
	assert_int_equal(scratch.walk.flags, TS_SAMPLE_LEAF_EPILOG);
	assert_int_equal(scratch.walk.count, 3);
}

/* --- memory of which nothing is known ------------------------------------------- */

static const struct ts_stack_piece *piece_of(__u64 size)
{
	return (const struct ts_stack_piece *)&scratch.record[size / 8];
}

/* The walk ends there, and brings registers and stack along. */
static void a_walk_stops_at_executable_memory_without_a_slot(void **state)
{
	const __u64 strange = 0x7f1100000000ULL;
	const struct ts_stack_piece *piece;
	__u64 size = 8 * (SAMPLE_WORDS + 2), whole;

	shim.executable = strange;
	memset(&machine, 0, sizeof(machine));
	add_body(AT(0, 0), 0x80, TS_SHAPE(TS_FRAME_FRAMELESS, 0, 1));
	machine.rsp = MACHINE_CALLER_BP - 16;
	*machine__word(&machine, machine.rsp + 8) = strange + 0x111;
	*machine__word(&machine, machine.rsp + 16) = 0x5ca1ab1e;
	machine.rbp = MACHINE_CALLER_BP + 64;
	walk_whole(AT(0, 0x10));
	assert_int_equal(scratch.walk.flags, TS_SAMPLE_TABLE_PENDING);
	assert_int_equal(scratch.walk.count, 2);
	assert_int_equal(scratch.unknown_leaf, 0);
	whole = add_stack(&scratch, size);
	piece = piece_of(size);
	assert_int_equal(scratch.walk.flags & TS_SAMPLE_STACK, TS_SAMPLE_STACK);
	assert_true(piece->ip == strange + 0x111);
	assert_true(piece->sp == machine.rsp + 16);
	assert_true(piece->bp == machine.rbp);
	assert_true(*(const __u64 *)piece->stack == 0x5ca1ab1e);
	/* Up to the end of the stack's memory, which is nearer than the most. */
	assert_int_equal(piece->bytes,
			 MACHINE_STACK + sizeof(machine.stack) - piece->sp);
	assert_int_equal(whole, size + sizeof(*piece) + piece->bytes);
}

/* A stub in a page that the loader has not heard of: its caller is found as always. */
static void a_stub_in_new_memory_of_the_jit_has_its_caller(void **state)
{
	const __u64 caller = 0x7f0000700000ULL;

	add_body(caller, 0x80, TS_SHAPE(TS_FRAME_FRAMED, 4, 0));
	insn__bytes(&(struct insn){"FF25FA3F0000"}, code);
	build_chain(1);
	machine__push(&machine, caller + 0x40);
	shim.executable = MACHINE_CODE;
	shim.executable_file = "memfd:doublemapper";
	walk_whole(MACHINE_CODE);
	assert_int_equal(scratch.walk.flags, 0);
	assert_int_equal(scratch.walk.count, 2);
	assert_true(TS_FRAME_TAG(scratch.record[SAMPLE_WORDS + 1]) == TS_FRAME_TAG_BODY);
	assert_int_equal(scratch.unknown_leaf, 1);
	/* Another file, or an image that was unpacked into memory, has a table to come. */
	shim.executable_file = "memfd:doublemapper2";
	walk_whole(MACHINE_CODE);
	assert_int_equal(scratch.walk.flags, TS_SAMPLE_TABLE_PENDING);
	shim.executable_file = NULL;
	walk_whole(MACHINE_CODE);
	assert_int_equal(scratch.walk.flags, TS_SAMPLE_TABLE_PENDING);
}

/* Its caller lies in an image that was mapped a moment ago: no walk without it. */
static void a_stub_called_from_what_is_not_known_yet_waits_for_it(void **state)
{
	const __u64 strange = 0x7f1100000000ULL;

	add_body(AT(1, 0), 0x80, TS_SHAPE(TS_FRAME_FRAMED, 4, 0));
	insn__bytes(&(struct insn){"FF25FA3F0000"}, code);
	build_chain(3);
	machine__push(&machine, strange + 0x111);
	shim.executable = strange;
	walk_whole(AT(0, 0));
	assert_int_equal(scratch.walk.flags, TS_SAMPLE_TABLE_PENDING);
	assert_int_equal(scratch.walk.count, 1);
	assert_true(scratch.walk.ip == AT(0, 0) && scratch.walk.sp == machine.rsp);
}

static void a_piece_is_no_longer_than_its_most(void **state)
{
	__u64 size = 8 * (SAMPLE_WORDS + 1);

	shim.executable = 0x7f1100000000ULL;
	memset(&machine, 0, sizeof(machine));
	machine.rsp = MACHINE_STACK + 8; /* not at a page's begin */
	walk_whole(shim.executable);
	assert_int_equal(scratch.walk.count, 1);
	assert_int_equal(scratch.unknown_leaf, 1);
	assert_int_equal(add_stack(&scratch, size),
			 size + sizeof(struct ts_stack_piece) + TS_STACK_PIECE_MAX);
	assert_int_equal(piece_of(size)->bytes, TS_STACK_PIECE_MAX);
}

/* Other files have slots: their frames are walked by rbp, and not asked about. */
static void native_memory_is_known(void **state)
{
	struct ts_address_key key = {.space = SPACE,
				     .number = 0x7f1100000000ULL >> TS_SLOT_SHIFT};
	struct ts_slot slot = {.image = TS_SLOT_NATIVE};

	shim.executable = 0x7f1100000000ULL;
	bpf_map_update_elem(&slots, &key, &slot, 0);
	memset(&machine, 0, sizeof(machine));
	machine.rsp = MACHINE_CALLER_BP;
	machine__push(&machine, shim.executable + 0x10);
	machine__push(&machine, 0);
	machine.rbp = machine.rsp;
	walk_whole(shim.executable + 0x20);
	assert_int_equal(scratch.walk.count, 2);
	assert_int_equal(scratch.walk.flags, 0);
	assert_int_equal(scratch.unknown_leaf, 0);
}

/* Precompiled code may be split: a jump to its other part is no tail call. */
static void a_jump_out_of_an_image_function_is_no_tail_call(void **state)
{
	struct ts_image image = {
		.granules = 1, .text_rva = 0x1000, .rows = 2, .size = 0x2000};
	struct ts_image_row row = {.begin = 0x1000,
				   .shape = TS_SHAPE(TS_FRAME_FRAMED, 0, 0)};
	struct ts_image_row fence = {.begin = 0x1010, .shape = TS_SHAPE_GAP};
	struct ts_slot slot = {.image = 0, .base = MACHINE_CODE - 0x1000};
	struct ts_address_key key = {.space = SPACE,
				     .number = MACHINE_CODE >> TS_SLOT_SHIFT};
	__u32 zero = 0, one = 1;

	bpf_map_update_elem(&images, &zero, &image, 0);
	bpf_map_update_elem(&image_rows, &zero, &row, 0);
	bpf_map_update_elem(&image_rows, &one, &fence, 0);
	bpf_map_update_elem(&slots, &key, &slot, 0);
	code[0] = 0xe9; /* jmp +0x1000 */
	code[1] = 0x00, code[2] = 0x10, code[3] = 0, code[4] = 0;
	build_chain(3);
	walk_whole(MACHINE_CODE);
	assert_int_equal(scratch.walk.flags, 0);
	assert_int_equal(scratch.walk.count, 3);
	assert_int_equal(TS_FRAME_TAG(scratch.record[SAMPLE_WORDS]),
			 TS_FRAME_TAG_IMAGE);
}

/* Anything at all on the stack, in the code, in the registers. */
static void random_walks_end_and_stay_in_bounds(void **state)
{
	__u64 seed = 0x5eed;

	for (int round = 0; round < 3000; round++) {
		__u32 shape;

		setup(state);
		for (size_t i = 0; i < sizeof(code); i++) {
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			code[i] = "\x55\x5d\xc3\xe9\x48\x83\xc4\x08\x41\x5b\xff\x25\x00"
				  "\xec\x8d\x65"[(seed >> 33) & 15];
		}
		for (int i = 0; i < MACHINE_STACK_WORDS; i++) {
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			machine.stack[i] =
				seed & (1ULL << 40)
					? MACHINE_STACK + ((seed >> 41) & 0x7ff8)
					: AT((seed >> 45) & 7, (seed >> 50) & 0x7f);
		}
		shape = (__u32)(seed >> 32) & 0xffff;
		for (int b = 0; b < 8; b++)
			add_body(AT(b, 0), 0x80, shape ^ (b & 3));
		machine.rsp = MACHINE_STACK + ((seed >> 20) & 0x7ff8);
		machine.rbp = MACHINE_STACK + ((seed >> 24) & 0x7ff8);
		walk_whole(AT(seed & 7, (seed >> 3) & 0x7f));
		assert_in_range(scratch.walk.count, 1, TS_FRAMES_MAX);
		assert_true(scratch.walk.done ||
			    scratch.walk.flags & TS_SAMPLE_TRUNCATED);
	}
}

/* --- behind the user frames ------------------------------------------------- */

#define KERNEL_ADDRESS(n) (0xffffffff81000000ULL + 16 * (n))

static __u32 kernel_frames_of(__u32 deep, __u32 user_frames)
{
	memset(&scratch, 0, sizeof(scratch));
	shim.kernel_stack_count = deep;
	for (__u32 i = 0; i < deep; i++)
		shim.kernel_stack[i] = KERNEL_ADDRESS(i);
	return add_kernel_frames(NULL, &scratch, user_frames, 0);
}

static void kernel_frames_stand_behind_the_user_frames(void **state)
{
	static const __u32 deep[] = {1, 9, TS_KERNEL_FRAMES_MAX,
				     TS_KERNEL_FRAMES_MAX + 1, 100};
	static const __u32 user[] = {1, 17, TS_FRAMES_MAX};

	for (int d = 0; d < 5; d++)
		for (int u = 0; u < 3; u++) {
			__u32 count = kernel_frames_of(deep[d], user[u]);
			bool cut = deep[d] > TS_KERNEL_FRAMES_MAX;

			assert_int_equal(count, cut ? TS_KERNEL_FRAMES_MAX : deep[d]);
			assert_int_equal(scratch.walk.flags,
					 cut ? TS_SAMPLE_KERNEL_CUT : 0);
			for (__u32 i = 0; i < count; i++) {
				__u64 word = scratch.record[SAMPLE_WORDS + user[u] + i];

				assert_true(word == KERNEL_ADDRESS(i));
				assert_int_equal(TS_FRAME_TAG(word),
						 TS_FRAME_TAG_KERNEL);
			}
		}
}

static void a_missing_kernel_stack_is_counted(void **state)
{
	__u32 what = TS_LEDGER_NO_KERNEL_STACK;

	shim.kernel_stack_error = -EFAULT;
	assert_int_equal(kernel_frames_of(5, 3), 0);
	shim.kernel_stack_error = 0;
	assert_int_equal(kernel_frames_of(0, 3), 0);
	assert_int_equal(*(__u64 *)bpf_map_lookup_elem(&ledger, &what), 2);
}

/* The longest record there is: all user and all kernel frames, then code. */
static void code_stands_behind_the_kernel_frames(void **state)
{
	__u32 count = kernel_frames_of(100, TS_FRAMES_MAX);
	__u64 at = SAMPLE_WORDS + TS_FRAMES_MAX + TS_KERNEL_FRAMES_MAX;

	for (size_t i = 0; i < sizeof(code); i++)
		code[i] = (__u8)i;
	scratch.unknown_leaf = 1;
	assert_int_equal(add_code(&scratch, TS_FRAMES_MAX, count, MACHINE_CODE + 0x200),
			 8 * at + TS_CODE_BYTES);
	assert_true(8 * at + TS_CODE_BYTES <= sizeof(scratch.record));
	assert_memory_equal(&scratch.record[at], code + 0x200 - TS_CODE_BEFORE,
			    TS_CODE_BYTES);
	assert_true(scratch.record[at - 1] == KERNEL_ADDRESS(TS_KERNEL_FRAMES_MAX - 1));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_caller_is_found_from_every_instruction),
		TEST(the_caller_of_the_method_is_found_from_its_funclets),
		TEST(who_called_is_found_from_every_instruction_of_a_stub),
		TEST(a_leaf_that_no_event_told_of_is_waited_for),
		TEST(a_caller_that_no_event_told_of_is_waited_for),
		TEST(so_many_are_waited_for_at_once_and_later_more),
		TEST(a_stack_of_every_kind_is_walked_to_its_end),
		TEST(beyond_a_hijacked_return_address_the_callers_are_right),
		TEST(the_leaf_is_counted),
		TEST(a_return_address_belongs_to_the_call_before_it),
		TEST(native_frames_keep_their_addresses),
		TEST(deep_stacks_are_cut_and_say_so),
		TEST(a_chain_that_loops_ends),
		TEST(a_frame_below_the_stack_pointer_is_none),
		TEST(a_frame_beyond_the_span_is_none),
		TEST(unreadable_stacks_break_the_walk),
		TEST(huge_shapes_break_the_walk),
		TEST(a_thread_without_frames_ends_at_once),
		TEST(an_unreadable_prolog_breaks_the_walk),
		TEST(an_epilog_before_an_unreadable_page_is_seen),
		TEST(a_walk_stops_at_executable_memory_without_a_slot),
		TEST(a_stub_in_new_memory_of_the_jit_has_its_caller),
		TEST(a_stub_called_from_what_is_not_known_yet_waits_for_it),
		TEST(a_piece_is_no_longer_than_its_most),
		TEST(native_memory_is_known),
		TEST(a_jump_out_of_an_image_function_is_no_tail_call),
		TEST(random_walks_end_and_stay_in_bounds),
		TEST(kernel_frames_stand_behind_the_user_frames),
		TEST(a_missing_kernel_stack_is_counted),
		TEST(code_stands_behind_the_kernel_frames),
	};

	return cmocka_run_group_tests_name("bpf_unwind", tests, NULL, NULL);
}
