/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The few instructions of which the JIT makes prologs and epilogs on x86-64
 * (clr-abi; jit/codegenxarch.cpp and emitted bytes of 8.0 to 10.0):
 *
 *   push r64          50+r | 41 50+r
 *   sub rsp, imm      48 83 EC ib | 48 81 EC id
 *   big frames        lea r11, [rsp-d]  4C 8D 9C 24 dd; call E8 dd | FF 15 dd;
 *                     mov rsp, r11  49 8B E3
 *   add rsp, imm      48 83 C4 ib | 48 81 C4 id
 *   lea rsp, [rbp+d]  48 8D 65 db | 48 8D A5 dd
 *   pop r64           58+r | 41 58+r
 *   vzeroupper        C5 F8 77
 *   ret               C3
 *   tail jump         E9 dd | EB db | FF 25 dd | FF /4 with REX.W or after one of
 *                     the above; without, FF E0+r is the jump of a switch
 *
 * And the stubs that push before they jump on (vm/amd64/virtualcallstubcpu.hpp,
 * the thunks of precompiled images, 8.0 to 10.0):
 *
 *   resolve   .. push rdx  52; mov r10, n  49 BA dq ..; pop rdx; jmp rax  5A FF E0
 *             push rdx; mov r10, n; push rax  50; mov rax, n  48 B8 dq; jmp rax
 *   lookup    mov rax, n; push rax; mov rax, n; jmp rax
 *   import    push n  6A db | 68 dd; push [module]  FF 35 dd; jmp [binder]  FF 25 dd
 *
 * Only the leaf can stand inside a prolog or an epilog.  An instruction of which
 * not all bytes could be read counts as unknown.
 */
#ifndef TIERSCOPE_DECODE_BPF_H
#define TIERSCOPE_DECODE_BPF_H

#define DECODE_BYTES	64	/* power of two, so that an index can be masked */
#define DECODE_STEPS	16	/* two times six registers, two adds, pop, ret */
#define INSTRUCTION_MAX	8

/*
 * A leaf's bytes and what is made of them.  It lives in map memory, where the
 * verifier takes every value for unknown: so it looks at one round of the
 * decoders for all, instead of at every combination of instructions.  bpf_loop
 * wants stack memory as its context: that is a pointer to it.
 */
struct decoder {
	__u8 byte[DECODE_BYTES + INSTRUCTION_MAX];
	__u32 count;		/* bytes that could be read */
	__u32 at;		/* of the next instruction */
	/* Of a prolog: */
	__u32 offset;		/* of the instruction pointer */
	__u32 depth;		/* rsp is this far below the return address */
	__u32 probed;		/* r11 is this far below rsp; 0: not in use */
	/* Of an epilog: */
	__u32 moves;		/* instructions that moved rsp */
	__u32 from_rbp;		/* rsp is set from rbp first */
	__u32 pops_rbp;
	__u32 found;
	__u32 reserved;
	__s64 low, high;	/* the body's bounds, from the instruction pointer */
	__s64 rsp;		/* the return address lies this far from rsp (or rbp) */
	__s64 rbp;		/* and the caller's rbp this far, if pops_rbp */
};

static __always_inline const __u8 *bytes_at(const struct decoder *decoder, __u32 at)
{
	return &decoder->byte[at & (DECODE_BYTES - 1)];
}

/* Three bytes of an instruction in reading order: 0x4883ec is sub rsp, ib. */
static __always_inline __u32 opcode_at(const struct decoder *decoder, __u32 at)
{
	const __u8 *byte = bytes_at(decoder, at);

	return (__u32)byte[0] << 16 | (__u32)byte[1] << 8 | byte[2];
}

static __always_inline __s32 byte_operand(const struct decoder *decoder, __u32 at)
{
	return (__s8)*bytes_at(decoder, at);
}

static __always_inline __s32 word_operand(const struct decoder *decoder, __u32 at)
{
	const __u8 *byte = bytes_at(decoder, at);

	return (__s32)((__u32)byte[0] | (__u32)byte[1] << 8 | (__u32)byte[2] << 16 |
		       (__u32)byte[3] << 24);
}

/* 50+r, 41 50+r: their length, or 0.  With 58 for `first`: pop. */
static __always_inline __u32 push_length(__u32 opcode, __u32 first)
{
	if ((opcode >> 16 & 0xf8) == first)
		return 1;
	return (opcode >> 8 & 0xfff8) == (0x4100 | first) ? 2 : 0;
}

/*
 * The three instructions that allocate more than a few pages; the call touches
 * them.  Their length, 0 for anything else.
 */
static __always_inline __u32 prolog_probe(struct decoder *decoder, __u32 opcode,
					  __u32 *down)
{
	if (opcode == 0x4c8d9c) {
		decoder->probed = -(__u32)word_operand(decoder, decoder->at + 4);
		return 8;
	}
	if (!decoder->probed)
		return 0;
	if (opcode >> 16 == 0xe8)
		return 5;
	if (opcode >> 8 == 0xff15)
		return 6;
	if (opcode == 0x498be3) {
		*down = decoder->probed;
		return 3;
	}
	return 0;
}

/* One instruction of a prolog; 1 to stop. */
static long prolog_instruction(__u64 index, struct decoder **context)
{
	struct decoder *decoder = *context;
	__u32 at = decoder->at, opcode = opcode_at(decoder, at);
	__u32 length = push_length(opcode, 0x50), down = 8;

	if (!length) {
		down = 0;
		if (opcode == 0x4883ec) {
			length = 4;
			down = byte_operand(decoder, at + 3);
		} else if (opcode == 0x4881ec) {
			length = 7;
			down = word_operand(decoder, at + 3);
		} else if (opcode == 0xc5f877) {
			length = 3;
		} else {
			length = prolog_probe(decoder, opcode, &down);
		}
	}
	if (!length || at + length > decoder->offset || at + length > decoder->count)
		return 1;
	decoder->at = at + length;
	decoder->depth += down;
	return 0;
}

/*
 * How far rsp is below the return address after `offset` bytes of a prolog
 * that the code begins with.  Stops at the first instruction that a prolog
 * uses for something else than moving rsp.
 */
static __always_inline __u32 prolog_depth(struct decoder *decoder, __u32 offset)
{
	decoder->offset = offset;
	decoder->at = 0;
	decoder->depth = 0;
	decoder->probed = 0;
	bpf_loop(DECODE_STEPS, prolog_instruction, &decoder, 0);
	return decoder->depth;
}

/* pop r64, add rsp, lea rsp, vzeroupper: the length, 0 if none of them. */
static __always_inline __u32 epilog_move(struct decoder *decoder, __u32 opcode)
{
	__u32 at = decoder->at, length = push_length(opcode, 0x58);

	if (opcode == 0xc5f877)
		return 3;
	if (length) {
		if (opcode >> 16 == 0x5d) {
			decoder->pops_rbp = 1;
			decoder->rbp = decoder->rsp;
		}
		decoder->rsp += 8;
	} else if (opcode == 0x4883c4) {
		length = 4;
		decoder->rsp += byte_operand(decoder, at + 3);
	} else if (opcode == 0x4881c4) {
		length = 7;
		decoder->rsp += word_operand(decoder, at + 3);
	} else if (opcode == 0x488d65 && !decoder->moves) {
		length = 4;
		decoder->from_rbp = 1;
		decoder->rsp = byte_operand(decoder, at + 3);
	} else if (opcode == 0x488da5 && !decoder->moves) {
		length = 7;
		decoder->from_rbp = 1;
		decoder->rsp = word_operand(decoder, at + 3);
	} else {
		return 0;
	}
	decoder->moves++;
	return length;
}

/* Does a direct jump of `length` bytes by `distance` leave the body? */
static __always_inline bool leaves(const struct decoder *decoder, __u32 length,
				   __s64 distance)
{
	__s64 target = (__s64)decoder->at + length + distance;

	return decoder->moves || target < decoder->low || target >= decoder->high;
}

/*
 * The length of a ret or of a jump that leaves the body, as a tail call does;
 * 0 for anything else.  After an instruction that moved rsp any jump is one.
 */
static __always_inline __u32 epilog_end(const struct decoder *decoder, __u32 opcode)
{
	__u32 at = decoder->at, length = 2, wide = 0;

	if (opcode >> 16 == 0xc3)
		return 1;
	if (opcode >> 16 == 0xe9)
		return leaves(decoder, 5, word_operand(decoder, at + 1)) ? 5 : 0;
	if (opcode >> 16 == 0xeb)
		return leaves(decoder, 2, byte_operand(decoder, at + 1)) ? 2 : 0;
	if (opcode >> 20 == 4) {
		wide = opcode & 0x80000;
		opcode <<= 8;
		length = 3;
	}
	if ((opcode >> 8 & 0xff38) != 0xff20)
		return 0;
	return decoder->moves || wide || (opcode >> 8 & 0xff) == 0x25 ? length : 0;
}

/* One instruction of an epilog; 1 to stop. */
static long epilog_instruction(__u64 index, struct decoder **context)
{
	struct decoder *decoder = *context;
	__u32 opcode = opcode_at(decoder, decoder->at);
	__u32 length = epilog_move(decoder, opcode);

	if (!length) {
		length = epilog_end(decoder, opcode);
		decoder->found = length && decoder->at + length <= decoder->count;
		return 1;
	}
	decoder->at += length;
	return decoder->at >= decoder->count;
}

/*
 * `low` and `high` bound the body, counted from the instruction pointer: where
 * a direct jump beyond them is not a tail call, they are as far as can be.
 */
static __always_inline void epilog_decode(struct decoder *decoder, __s64 low, __s64 high)
{
	decoder->at = 0;
	decoder->moves = 0;
	decoder->from_rbp = 0;
	decoder->pops_rbp = 0;
	decoder->found = 0;
	decoder->low = low;
	decoder->high = high;
	decoder->rsp = 0;
	decoder->rbp = 0;
	bpf_loop(DECODE_STEPS, epilog_instruction, &decoder, 0);
}

static __always_inline __u32 pair_at(const struct decoder *decoder, __u32 at)
{
	return opcode_at(decoder, at) >> 8;
}

#define STUB_BEFORE	24	/* bytes before the instruction pointer that matter */
#define MOV_IMMEDIATE	10	/* length of mov r64, n */

/*
 * How many words a stub has pushed, by the bytes around the instruction pointer,
 * which is at STUB_BEFORE; -1 if these do not tell.
 */
static __always_inline __s32 stub_pushes_near(const struct decoder *decoder)
{
	__u32 at = STUB_BEFORE, here = pair_at(decoder, at);
	__u32 before = at - MOV_IMMEDIATE;

	/* An image's thunk: before its second push, and behind it. */
	if (here == 0xff35 && pair_at(decoder, at + 6) == 0xff25)
		return 1;
	if (here == 0xff25 && pair_at(decoder, at - 6) == 0xff35)
		return 2;
	/* Behind a resolve stub's push rdx, in both of its ways. */
	if (opcode_at(decoder, at - 1) == 0x5249ba)
		return 1;
	if (here >> 8 == 0x50 && opcode_at(decoder, before - 1) == 0x5249ba)
		return 1;
	/* Behind push rax. */
	if (here == 0xffe0) {
		at = before;
		before -= MOV_IMMEDIATE;
	}
	if (opcode_at(decoder, at - 1) != 0x5048b8 ||
	    pair_at(decoder, at + MOV_IMMEDIATE) != 0xffe0)
		return -1;
	if (opcode_at(decoder, before - 2) == 0x5249ba)
		return 2;
	return pair_at(decoder, before - 1) == 0x48b8 ? 1 : -1;
}

/* One byte further through a resolve stub; 1 to stop. */
static long stub_scan(__u64 index, struct decoder **context)
{
	struct decoder *decoder = *context;
	__u32 opcode = opcode_at(decoder, index);

	decoder->found = opcode == 0x5affe0;
	return decoder->found || opcode == 0x5249ba || index + 3 > decoder->count;
}

/*
 * Is rdx pushed?  By the bytes from the instruction pointer on: in a resolve
 * stub its pop comes next, everywhere else no pop, or a push first.
 */
static __always_inline __u32 stub_pushes_ahead(struct decoder *decoder)
{
	decoder->found = 0;
	bpf_loop(DECODE_BYTES - 2, stub_scan, &decoder, 0);
	return decoder->found;
}

#endif /* TIERSCOPE_DECODE_BPF_H */
