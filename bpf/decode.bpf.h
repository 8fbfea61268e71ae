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
 * Only the leaf can stand inside a prolog or an epilog.
 */
#ifndef TIERSCOPE_DECODE_BPF_H
#define TIERSCOPE_DECODE_BPF_H

#define DECODE_BYTES	64	/* power of two, so that an index can be masked */
#define DECODE_STEPS	14	/* 8 callee-saved registers and change */

struct code_bytes {
	__u8 byte[DECODE_BYTES];
	__u32 count;		/* bytes that could be read */
};

static __always_inline __u8 byte_at(const struct code_bytes *code, __u32 at)
{
	return at < code->count ? code->byte[at & (DECODE_BYTES - 1)] : 0x90;
}

static __always_inline __s32 word_at(const struct code_bytes *code, __u32 at)
{
	return (__s32)((__u32)byte_at(code, at) | (__u32)byte_at(code, at + 1) << 8 |
		       (__u32)byte_at(code, at + 2) << 16 |
		       (__u32)byte_at(code, at + 3) << 24);
}

/*
 * Each decoder takes one instruction a call and is driven by bpf_loop: as a
 * plain loop the verifier would walk all the instructions' combinations.
 * Callbacks return 1 to stop.
 */
struct prolog {
	const struct code_bytes *code;
	__u32 offset;		/* of the instruction pointer */
	__u32 at;
	__u32 depth;		/* rsp is this far below the return address */
	__u32 probed;		/* r11 is this far below rsp; 0: not in use */
};

/*
 * The three instructions that allocate more than a few pages; the call touches
 * them.  Their length, 0 for anything else.
 */
static __always_inline __u32 prolog_probe(struct prolog *prolog, __u32 *down)
{
	const struct code_bytes *code = prolog->code;
	__u32 at = prolog->at;
	__u8 first = byte_at(code, at), second = byte_at(code, at + 1);
	__u8 third = byte_at(code, at + 2);

	*down = 0;
	if (first == 0x4c && second == 0x8d && third == 0x9c) {
		prolog->probed = -(__u32)word_at(code, at + 4);
		return 8;
	}
	if (!prolog->probed)
		return 0;
	if (first == 0xe8)
		return 5;
	if (first == 0xff && second == 0x15)
		return 6;
	if (first == 0x49 && second == 0x8b && third == 0xe3) {
		*down = prolog->probed;
		return 3;
	}
	return 0;
}

static long prolog_instruction(__u64 index, struct prolog *prolog)
{
	const struct code_bytes *code = prolog->code;
	__u32 at = prolog->at, length, down;
	__u8 first = byte_at(code, at), second = byte_at(code, at + 1);
	__u8 third = byte_at(code, at + 2);

	if (first >= 0x50 && first <= 0x57) {
		length = 1;
		down = 8;
	} else if (first == 0x41 && second >= 0x50 && second <= 0x57) {
		length = 2;
		down = 8;
	} else if (first == 0x48 && second == 0x83 && third == 0xec) {
		length = 4;
		down = byte_at(code, at + 3);
	} else if (first == 0x48 && second == 0x81 && third == 0xec) {
		length = 7;
		down = (__u32)word_at(code, at + 3);
	} else if (first == 0xc5 && second == 0xf8 && third == 0x77) {
		length = 3;
		down = 0;
	} else {
		length = prolog_probe(prolog, &down);
	}
	if (!length || at + length > prolog->offset)
		return 1;
	prolog->at = at + length;
	prolog->depth += down;
	return 0;
}

/*
 * How far rsp is below the return address after `offset` bytes of a prolog
 * that the code begins with.  Stops at the first instruction that a prolog
 * uses for something else than moving rsp.
 */
static __always_inline __u32 prolog_depth(const struct code_bytes *code, __u32 offset)
{
	struct prolog prolog = { .code = code, .offset = offset };

	bpf_loop(DECODE_STEPS, prolog_instruction, &prolog, 0);
	return prolog.depth;
}

/* What an epilog that begins at the instruction pointer still does. */
struct epilog {
	const struct code_bytes *code;
	__s64 low, high;	/* the body's bounds, from the instruction pointer */
	__u32 at;
	__u32 moves;		/* instructions that moved rsp */
	__u32 from_rbp;		/* rsp is set from rbp first */
	__u32 pops_rbp;
	__u32 found;
	__u32 reserved;
	__s64 rsp;		/* the return address lies this far from rsp (or rbp) */
	__s64 rbp;		/* and the caller's rbp this far, if pops_rbp */
};

/* Does a direct jump of `length` bytes by `distance` leave the body? */
static __always_inline bool leaves(const struct epilog *epilog, __u32 length,
				   __s64 distance)
{
	__s64 target = (__s64)epilog->at + length + distance;

	return epilog->at + length <= epilog->code->count &&
	       (target < epilog->low || target >= epilog->high);
}

/*
 * Is it a jump that leaves the body, as a tail call does?  After an
 * instruction that moved rsp any jump is one.
 */
static __always_inline bool is_tail_jump(const struct epilog *epilog)
{
	const struct code_bytes *code = epilog->code;
	__u32 at = epilog->at, wide = 0;
	__u8 first = byte_at(code, at), second;

	if (first == 0xe9)
		return epilog->moves || leaves(epilog, 5, word_at(code, at + 1));
	if (first == 0xeb)
		return epilog->moves || leaves(epilog, 2, (__s8)byte_at(code, at + 1));
	if ((first & 0xf0) == 0x40) {
		wide = first & 8;
		at++;
		first = byte_at(code, at);
	}
	second = byte_at(code, at + 1);
	if (first != 0xff || (second & 0x38) != 0x20 || at + 1 >= code->count)
		return false;
	return epilog->moves || wide || second == 0x25;
}

/* pop r64, add rsp, lea rsp: true if it was one of them. */
static __always_inline bool epilog_move(struct epilog *epilog, __u8 first, __u8 second,
					__u8 third)
{
	const struct code_bytes *code = epilog->code;
	__u32 at = epilog->at;

	if (first >= 0x58 && first <= 0x5f) {
		if (first == 0x5d) {
			epilog->pops_rbp = 1;
			epilog->rbp = epilog->rsp;
		}
		epilog->rsp += 8;
		epilog->at = at + 1;
	} else if (first == 0x41 && second >= 0x58 && second <= 0x5f) {
		epilog->rsp += 8;
		epilog->at = at + 2;
	} else if (first == 0x48 && second == 0x83 && third == 0xc4) {
		epilog->rsp += (__s8)byte_at(code, at + 3);
		epilog->at = at + 4;
	} else if (first == 0x48 && second == 0x81 && third == 0xc4) {
		epilog->rsp += word_at(code, at + 3);
		epilog->at = at + 7;
	} else if (first == 0x48 && second == 0x8d && third == 0x65 && !epilog->moves) {
		epilog->from_rbp = 1;
		epilog->rsp = (__s8)byte_at(code, at + 3);
		epilog->at = at + 4;
	} else if (first == 0x48 && second == 0x8d && third == 0xa5 && !epilog->moves) {
		epilog->from_rbp = 1;
		epilog->rsp = word_at(code, at + 3);
		epilog->at = at + 7;
	} else {
		return false;
	}
	return true;
}

static long epilog_instruction(__u64 index, struct epilog *epilog)
{
	const struct code_bytes *code = epilog->code;
	__u32 at = epilog->at;
	__u8 first = byte_at(code, at), second = byte_at(code, at + 1);
	__u8 third = byte_at(code, at + 2);

	if (epilog_move(epilog, first, second, third)) {
		epilog->moves++;
		return 0;
	}
	if (first == 0xc5 && second == 0xf8 && third == 0x77) {
		epilog->at = at + 3;
		return 0;
	}
	if (at < code->count)
		epilog->found = first == 0xc3 || is_tail_jump(epilog);
	return 1;
}

/*
 * `low` and `high` bound the body, counted from the instruction pointer: where
 * a direct jump beyond them is not a tail call, they are as far as can be.
 */
static __always_inline void epilog_decode(const struct code_bytes *code, __s64 low,
					  __s64 high, struct epilog *epilog)
{
	__builtin_memset(epilog, 0, sizeof(*epilog));
	epilog->code = code;
	epilog->low = low;
	epilog->high = high;
	bpf_loop(DECODE_STEPS, epilog_instruction, epilog, 0);
}

#endif /* TIERSCOPE_DECODE_BPF_H */
