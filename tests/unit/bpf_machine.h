/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * A tiny processor for tests of the unwinder: it executes prologs and epilogs
 * from a description of each instruction, not from its bytes, so that it is a
 * truth of its own beside the decoder.
 */
#ifndef TIERSCOPE_TESTS_BPF_MACHINE_H
#define TIERSCOPE_TESTS_BPF_MACHINE_H

#define MACHINE_STACK	    0x7ffd00000000ULL
#define MACHINE_STACK_WORDS 4096
#define MACHINE_CODE	    0x7f0000100000ULL
#define MACHINE_CALLER	    0x7f0000200123ULL /* the return address */
#define MACHINE_CALLER_BP   (MACHINE_STACK + 8 * (MACHINE_STACK_WORDS - 16))

enum op {
	OP_OTHER, /* nothing that the unwinder must know of */
	OP_PUSH,  /* of a register that is not rbp */
	OP_PUSH_RBP,
	OP_PUSH_RAX, /* an OSR prolog pushes the caller's rbp so */
	OP_LOAD_RAX, /* mov rax, [rbp] */
	OP_POP,
	OP_POP_RBP,
	OP_SUB,	    /* sub rsp, n */
	OP_ADD,	    /* add rsp, n */
	OP_LEA_RSP, /* lea rsp, [rbp + n] */
	OP_LEA_RBP, /* lea rbp, [rsp + n], mov rbp, rsp */
	OP_LEA_R11, /* lea r11, [rsp - n] */
	OP_MOV_RSP_R11,
	OP_LEA_R10,	/* lea r10, [rsp + n] */
	OP_LEA_RSP_R10, /* lea rsp, [r10 - n] */
	OP_PUSH_R10_AT, /* push [r10 - n] */
	OP_PUSH_R10,
	OP_POP_R10,
	OP_AND, /* and rsp, -n */
	OP_LEAVE, /* ret, tail jump */
};

struct insn {
	const char *hex;
	enum op op;
	int n;
};

struct machine {
	__u64 stack[MACHINE_STACK_WORDS];
	__u64 rsp, rbp, rax, rbx, r10, r11;
};

static __u64 *machine__word(struct machine *m, __u64 address)
{
	assert_true(address >= MACHINE_STACK && !(address & 7));
	assert_true((address - MACHINE_STACK) / 8 < MACHINE_STACK_WORDS);
	return &m->stack[(address - MACHINE_STACK) / 8];
}

static void machine__push(struct machine *m, __u64 value)
{
	m->rsp -= 8;
	*machine__word(m, m->rsp) = value;
}

/* As it is at the first instruction of a function that was just called. */
static void machine__start(struct machine *m)
{
	for (int i = 0; i < MACHINE_STACK_WORDS; i++)
		m->stack[i] = 0xdead0000dead0000ULL + i;
	m->rbp = MACHINE_CALLER_BP;
	m->rsp = MACHINE_CALLER_BP - 0x40;
	m->rax = m->rbx = m->r10 = m->r11 = 0x1111;
	*machine__word(m, m->rbp) = 0;
	*machine__word(m, m->rbp + 8) = 0;
	machine__push(m, MACHINE_CALLER);
}

static void machine__execute(struct machine *m, const struct insn *insn)
{
	switch (insn->op) {
	case OP_PUSH:
		machine__push(m, 0xabab0000abab0000ULL);
		break;
	case OP_PUSH_RBP:
		machine__push(m, m->rbp);
		break;
	case OP_PUSH_RAX:
		machine__push(m, m->rax);
		break;
	case OP_LOAD_RAX:
		m->rax = *machine__word(m, m->rbp);
		break;
	case OP_POP_RBP:
		m->rbp = *machine__word(m, m->rsp);
		m->rsp += 8;
		break;
	case OP_POP:
		m->rsp += 8;
		break;
	case OP_SUB:
		m->rsp -= insn->n;
		break;
	case OP_ADD:
		m->rsp += insn->n;
		break;
	case OP_LEA_RSP:
		m->rsp = m->rbp + insn->n;
		break;
	case OP_LEA_RBP:
		m->rbp = m->rsp + insn->n;
		break;
	case OP_LEA_R11:
		m->r11 = m->rsp - insn->n;
		break;
	case OP_MOV_RSP_R11:
		m->rsp = m->r11;
		break;
	case OP_LEA_R10:
		m->r10 = m->rsp + insn->n;
		break;
	case OP_LEA_RSP_R10:
		m->rsp = m->r10 - insn->n;
		break;
	case OP_PUSH_R10_AT:
		machine__push(m, *machine__word(m, m->r10 - insn->n));
		break;
	case OP_PUSH_R10:
		machine__push(m, m->r10);
		break;
	case OP_POP_R10:
		m->r10 = *machine__word(m, m->rsp);
		m->rsp += 8;
		break;
	case OP_AND:
		m->rsp &= -(__u64)insn->n;
		break;
	case OP_OTHER:
	case OP_LEAVE:
		break;
	}
}

/* Puts an instruction's bytes at `to`; how many. */
static int insn__bytes(const struct insn *insn, __u8 *to)
{
	int length = (int)strlen(insn->hex) / 2;

	for (int i = 0; i < length; i++) {
		unsigned int byte;

		assert_int_equal(sscanf(insn->hex + 2 * i, "%2x", &byte), 1);
		to[i] = (__u8)byte;
	}
	return length;
}

#endif /* TIERSCOPE_TESTS_BPF_MACHINE_H */
