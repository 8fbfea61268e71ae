// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// bpf/decode.bpf.h: each form of prolog and epilog that the JIT of .NET 8 to 10
// emits, byte for byte, and bytes that end too early or mean nothing.
#include "bpf_shim.h"
#include "bpf_machine.h"

#include "../../bpf/decode.bpf.h"

#define FAR (1LL << 40)

static struct decoder code_of(const struct insn *insns, int count)
{
	struct decoder code = {};

	for (int i = 0; i < count; i++)
		code.count += insn__bytes(&insns[i], code.byte + code.count);
	return code;
}

static int insns_count(const struct insn *insns, int max)
{
	int count = 0;

	while (count < max && insns[count].hex)
		count++;
	return count;
}

/* Prologs, each to the last instruction that moves rsp, or a bit further. */
static const struct insn prologs[][12] = {
	/* framed */
	{{"55", OP_PUSH_RBP}, {"488BEC", OP_OTHER}},
	{{"55", OP_PUSH_RBP}, {"C5F877"}, {"488BEC", OP_OTHER}},
	{{"55", OP_PUSH_RBP}, {"4883EC70", OP_SUB, 0x70}, {"488D6C2470"}},
	{{"55", OP_PUSH_RBP}, {"4881EC80000000", OP_SUB, 0x80}, {"488DAC2480000000"}},
	{{"55", OP_PUSH_RBP}, {"53", OP_PUSH}, {"488D6C2408"}},
	{{"55", OP_PUSH_RBP},
	 {"4157", OP_PUSH},
	 {"4156", OP_PUSH},
	 {"4155", OP_PUSH},
	 {"4154", OP_PUSH},
	 {"53", OP_PUSH},
	 {"4883EC18", OP_SUB, 0x18},
	 {"C5F877"},
	 {"488D6C2440"}},
	/* frames of more than three pages are touched by a helper first */
	{{"55", OP_PUSH_RBP},
	 {"53", OP_PUSH},
	 {"4C8D9C2488EAFFFF", OP_LEA_R11, 0x1578},
	 {"E899833D7B"},
	 {"498BE3", OP_MOV_RSP_R11},
	 {"488DAC24A0150000"}},
	{{"55", OP_PUSH_RBP},
	 {"4C8D9C2488EAFFFF", OP_LEA_R11, 0x1578},
	 {"FF1599833D7B"},
	 {"498BE3", OP_MOV_RSP_R11},
	 {"488DAC24A0150000"}},
	/* frameless */
	{{"50", OP_PUSH}, {"488BFE"}},
	{{"4883EC18", OP_SUB, 0x18}, {"33C0"}},
	{{"53", OP_PUSH}, {"4883EC10", OP_SUB, 0x10}, {"48897C2408"}},
	{{"4157", OP_PUSH},
	 {"4156", OP_PUSH},
	 {"53", OP_PUSH},
	 {"4881EC90000000", OP_SUB, 0x90},
	 {"C5F877"},
	 {"8BC7"}},
	/* no prolog at all */
	{{"8D047F"}, {"C3", OP_LEAVE}},
};

/* At each instruction the depth is what the processor made it. */
static void prolog_depth_is_right_at_every_instruction(void **state)
{
	static struct machine machine;

	for (size_t p = 0; p < sizeof(prologs) / sizeof(prologs[0]); p++) {
		int count = insns_count(prologs[p], 12);
		struct decoder code = code_of(prologs[p], count);
		__u8 ignored[16];
		__u32 offset = 0;
		__u64 top;

		machine__start(&machine);
		top = machine.rsp;
		for (int i = 0; i < count; i++) {
			assert_int_equal(prolog_depth(&code, offset),
					 top - machine.rsp);
			machine__execute(&machine, &prologs[p][i]);
			offset += insn__bytes(&prologs[p][i], ignored);
		}
		assert_int_equal(prolog_depth(&code, offset), top - machine.rsp);
	}
}

static void every_register_is_pushed_and_popped(void **state)
{
	for (int reg = 0; reg < 8; reg++) {
		struct decoder low = {.byte = {0x50 + reg}, .count = 1};
		struct decoder high = {.byte = {0x41, 0x50 + reg}, .count = 2};

		assert_int_equal(prolog_depth(&low, 1), 8);
		assert_int_equal(prolog_depth(&high, 2), 8);
		low = (struct decoder){.byte = {0x58 + reg, 0xc3}, .count = 2};
		epilog_decode(&low, 0, 2);
		assert_true(low.found && low.rsp == 8);
		assert_int_equal(low.pops_rbp, reg == 5);
		high = (struct decoder){.byte = {0x41, 0x58 + reg, 0xc3}, .count = 3};
		epilog_decode(&high, 0, 3);
		assert_true(high.found && high.rsp == 8 && !high.pops_rbp);
	}
}

static void prolog_stops_where_it_understands_nothing(void **state)
{
	/* push rbp; xor eax, eax; push rbx */
	struct decoder code = {.byte = {0x55, 0x33, 0xc0, 0x53}, .count = 4};

	assert_int_equal(prolog_depth(&code, 4), 8);
	/* A call without the instruction before it belongs to no prolog. */
	code = (struct decoder){.byte = {0x55, 0xe8, 0, 0, 0, 0, 0x53}, .count = 7};
	assert_int_equal(prolog_depth(&code, 7), 8);
	code = (struct decoder){.byte = {0x55, 0x49, 0x8b, 0xe3, 0x53}, .count = 5};
	assert_int_equal(prolog_depth(&code, 5), 8);
}

static void prolog_ends_with_its_bytes(void **state)
{
	/* push rbp; sub rsp, 0x80, of which only so many bytes could be read */
	struct decoder code = {.byte = {0x55, 0x48, 0x81, 0xec, 0x80, 0, 0, 0, 0x53}};

	for (__u32 count = 0; count <= 7; count++) {
		code.count = count;
		assert_int_equal(prolog_depth(&code, count), count ? 8 : 0);
		assert_int_equal(prolog_depth(&code, 9), count ? 8 : 0);
	}
	memset(code.byte, 0x53, sizeof(code.byte));
	code.count = DECODE_BYTES;
	assert_in_range(prolog_depth(&code, 255), 8, 8 * DECODE_BYTES);
}

struct epilog_case {
	struct insn insns[12];
	int rsp, rbp; /* rbp: -1 when it is not popped */
	bool from_rbp;
};

static const struct epilog_case epilogs[] = {
	{{{"C3"}}, 0, -1, false},
	{{{"5D"}, {"C3"}}, 8, 0, false},
	{{{"4883C408"}, {"C3"}}, 8, -1, false},
	{{{"4883C470"}, {"5D"}, {"C3"}}, 0x78, 0x70, false},
	{{{"4881C480000000"}, {"5D"}, {"C3"}}, 0x88, 0x80, false},
	{{{"C5F877"},
	  {"4883C418"},
	  {"5B"},
	  {"415C"},
	  {"415D"},
	  {"415E"},
	  {"415F"},
	  {"5D"},
	  {"C3"}},
	 0x48,
	 0x40,
	 false},
	{{{"C5F877"}, {"5D"}, {"C3"}}, 8, 0, false},
	{{{"4883C410"}, {"5B"}, {"C3"}}, 0x18, -1, false},
	{{{"59"}, {"C3"}}, 8, -1, false},
	/* a frame of no fixed size (stackalloc) is left by rbp */
	{{{"488D6500"}, {"5D"}, {"C3"}}, 8, 0, true},
	{{{"488D65D8"}, {"5B"}, {"415C"}, {"415D"}, {"415E"}, {"415F"}, {"5D"}, {"C3"}},
	 8,
	 0,
	 true},
	{{{"488DA570FFFFFF"}, {"5B"}, {"5D"}, {"C3"}}, -0x80, -0x88, true},
	{{{"C5F877"}, {"488D65F8"}, {"5B"}, {"5D"}, {"C3"}}, 8, 0, true},
	/* OSR: its own frame and that of tier 0 in one step, then tier 0's rbp */
	{{{"4881C4D8000000"}, {"5B"}, {"415E"}, {"415F"}, {"5D"}, {"C3"}},
	 0xf8,
	 0xf0,
	 false},
	/* tail calls: direct, through a cell, a register, a virtual slot */
	{{{"5D"}, {"E91F86387E"}}, 8, 0, false},
	{{{"5D"}, {"EB20"}}, 8, 0, false},
	{{{"4883C410"}, {"5D"}, {"FF251546FBFF"}}, 0x18, 0x10, false},
	{{{"5D"}, {"48FF251546FBFF"}}, 8, 0, false},
	{{{"5B"}, {"5D"}, {"48FFE0"}}, 0x10, 8, false},
	{{{"5D"}, {"49FFE2"}}, 8, 0, false},
	{{{"5D"}, {"48FF20"}}, 8, 0, false},
	{{{"5D"}, {"49FF23"}}, 8, 0, false},
	{{{"4883C428"}, {"5D"}, {"48FF6028"}}, 0x30, 0x28, false},
	{{{"4883C408"}, {"48FFA080000000"}}, 8, -1, false},
	{{{"5D"}, {"FFE0"}}, 8, 0, false},
	/* and standing at the jump itself, with nothing left to move */
	{{{"FF251546FBFF"}}, 0, -1, false},
	{{{"48FFE0"}}, 0, -1, false},
	{{{"48FF20"}}, 0, -1, false},
	{{{"49FF23"}}, 0, -1, false},
	{{{"48FF6028"}}, 0, -1, false},
	{{{"E91F86387E"}}, 0, -1, false},
	{{{"E900000080"}}, 0, -1, false},
};

static void epilogs_say_where_the_caller_is(void **state)
{
	for (size_t e = 0; e < sizeof(epilogs) / sizeof(epilogs[0]); e++) {
		const struct epilog_case *want = &epilogs[e];
		struct decoder code =
			code_of(want->insns, insns_count(want->insns, 12));

		epilog_decode(&code, -100, code.count);
		assert_true(code.found);
		assert_int_equal(code.from_rbp, want->from_rbp);
		assert_true(code.rsp == want->rsp);
		assert_int_equal(code.pops_rbp, want->rbp != -1);
		if (want->rbp != -1)
			assert_true(code.rbp == want->rbp);
	}
}

/* However few bytes could be read: the same answer or none. */
static void epilogs_cut_short_are_not_found(void **state)
{
	for (size_t e = 0; e < sizeof(epilogs) / sizeof(epilogs[0]); e++) {
		const struct epilog_case *want = &epilogs[e];
		int insns = insns_count(want->insns, 12);
		struct decoder code = code_of(want->insns, insns);
		__u8 ignored[16];
		__u32 before_last = code.count;

		before_last -= insn__bytes(&want->insns[insns - 1], ignored);
		for (__u32 count = 0; count <= before_last; count++) {
			code.count = count;
			epilog_decode(&code, -100, 100);
			assert_false(code.found);
		}
	}
}

static void ordinary_code_is_no_epilog(void **state)
{
	static const char *const bodies[] = {
		"FFE0",		  /* jmp rax: a switch */
		"41FFE1",	  /* jmp r9: a switch */
		"EB10",		  /* jmp ahead, in the body */
		"E9F0FFFFFF",	  /* jmp back, in the body */
		"FF1500000000C3", /* call, ret */
		"48FF50185DC3",	  /* call [rax+0x18] */
		"488BC3C3",
		"4883C408488BD8", /* add rsp, 8 in the midst of a call */
		"C5F877488BC3C3",
		"5B33C0C3",
		"5B488D65F8C3", /* rsp is set from rbp first or never */
		"488D4500C3",	/* lea rax, [rbp] */
		"",
	};

	for (size_t b = 0; b < sizeof(bodies) / sizeof(bodies[0]); b++) {
		struct insn insn = {bodies[b]};
		struct decoder code = code_of(&insn, 1);

		epilog_decode(&code, -100, 100);
		assert_false(code.found);
	}
}

/* A direct jump is a tail call exactly when it leaves the body. */
static void direct_jumps_leave_by_distance(void **state)
{
	static const struct {
		const char *hex;
		__s64 low, high;
		bool leaves;
	} jumps[] = {
		{"E90B000000", 0, 17, false},
		{"E90B000000", 0, 16, true},
		{"E9FBFFFFFF", 0, 5, false}, /* to itself */
		{"E9FAFFFFFF", 0, 5, true},
		{"E9FAFFFFFF", -1, 5, false},
		{"EB0E", 0, 17, false},
		{"EB0E", 0, 16, true},
		{"EBFD", 0, 2, true},
		{"EBFD", -1, 2, false},
		{"E91F86387E", -FAR, FAR, false},
	};

	for (size_t j = 0; j < sizeof(jumps) / sizeof(jumps[0]); j++) {
		struct insn insn = {jumps[j].hex};
		struct decoder code = code_of(&insn, 1);

		epilog_decode(&code, jumps[j].low, jumps[j].high);
		assert_int_equal(code.found, jumps[j].leaves);
	}
}

/* Bytes without meaning: bounded, and no answer but what they hold. */
static void random_bytes_do_no_harm(void **state)
{
	__u64 seed = 0x7157;

	for (int round = 0; round < 200000; round++) {
		struct decoder code;

		for (int i = 0; i < DECODE_BYTES; i += 8) {
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			/* Half of all rounds from bytes that mean something. */
			for (int j = 0; j < 8; j++)
				code.byte[i + j] =
					round & 1
						? (__u8)(seed >> (8 * j))
						: "\x48\x81\xc4\x5d\xc3\xc5\xf8\x77\x41"
						  "\x55\x8d\xa5\xff\xe9\xec\x4c"
							  [(seed >> (7 * j + 5)) & 15];
		}
		code.count = (seed >> 40) % (DECODE_BYTES + 1);
		epilog_decode(&code, -(__s64)(seed & 0xfff), seed >> 50);
		assert_true(code.at <= DECODE_STEPS * 7u);
		if (code.found)
			assert_true(code.at < code.count);
		(void)prolog_depth(&code, (seed >> 20) & 0xff); /* only that it ends */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prolog_depth_is_right_at_every_instruction),
		cmocka_unit_test(every_register_is_pushed_and_popped),
		cmocka_unit_test(prolog_stops_where_it_understands_nothing),
		cmocka_unit_test(prolog_ends_with_its_bytes),
		cmocka_unit_test(epilogs_say_where_the_caller_is),
		cmocka_unit_test(epilogs_cut_short_are_not_found),
		cmocka_unit_test(ordinary_code_is_no_epilog),
		cmocka_unit_test(direct_jumps_leave_by_distance),
		cmocka_unit_test(random_bytes_do_no_harm),
	};

	return cmocka_run_group_tests_name("bpf_decode", tests, NULL, NULL);
}
