// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Precompiled code for x86-64 Linux carries Windows' UNWIND_INFO
 * (learn.microsoft.com, "x64 exception handling"; the code that Unix adds is
 * dotnet/runtime src/coreclr/inc/win64unwind.h):
 *
 *   0  version 1 (3 bits), flags   2  number of 2-byte codes
 *   1  size of prolog, bytes       3  frame register (4 bits), its offset
 *   4  codes, last instruction of the prolog first:
 *        offset of the next instruction, operation (4 bits), argument (4 bits)
 *
 * Most framed methods do not name rbp as their frame register: they push it,
 * and the lea or mov that makes it the frame pointer stands right behind the
 * prolog that UNWIND_INFO describes:
 *
 *   55              push rbp            ┐
 *   41 57           push r15            │ size of prolog
 *   48 83 ec 10     sub  rsp, 16        ┘
 *   48 8d 6c 24 18  lea  rbp, [rsp+24]    found in the code
 *
 * The compiler never uses rbp for anything else, so a push of it is the sign
 * of a frame.  Checked on all 445,182 RUNTIME_FUNCTIONs of .NET 10.0.12, the
 * SDK 10.0.401 and its C# compiler: the lea or mov stood there each time, and
 * made rbp point at the caller's rbp each time.
 *
 * A cold part, split off its method, points at the UNWIND_INFO of the hot part
 * instead of having codes of its own (flag 4).
 *
 * Funclets.  From .NET 10 on (ReadyToRun 13) a funclet is entered with rbp
 * already the frame of its method, before that it sets it up in its prolog.
 * Either way a walk through [rbp] leads from the funclet to the caller of its
 * method: the method is seen once, and the frames of the exception machinery
 * between the two, or the method's own frame when it calls its finally block,
 * are left out.  So every funclet is FRAMED.
 */
#include "unwind_info.h"

#define VERSION	     1
#define REGISTER_RBP 5
#define SLOT	     8
/* ModRM bytes: rbp, and memory at that register. */
#define OPERAND_RDI  0x2f
#define OPERAND_RBP  0x2d
#define OPERAND_RSP  0x2c /* a SIB byte follows */
#define FLAG_CHAINED 4

enum operation {
	PUSH_NONVOLATILE = 0,
	ALLOC_LARGE = 1,
	ALLOC_SMALL = 2,
	SET_FRAME = 3,
	SAVE_NONVOLATILE = 4,
	SAVE_NONVOLATILE_FAR = 5,
	SAVE_XMM128 = 8,
	SAVE_XMM128_FAR = 9,
	SET_FRAME_LARGE = 11,
};

struct prolog {
	uint32_t size;	/* bytes, as UNWIND_INFO tells it */
	uint64_t stack; /* bytes between rsp and the return address */
	bool pushes_rbp, sets_rbp;
};

/* One code and the operands behind it. */
static bool decode_code(struct cursor *codes, struct prolog *prolog)
{
	uint8_t code, argument;

	cursor__u8(codes);
	code = cursor__u8(codes);
	argument = code >> 4;
	switch (code & 15) {
	case PUSH_NONVOLATILE:
		prolog->stack += SLOT;
		prolog->pushes_rbp |= argument == REGISTER_RBP;
		break;
	case ALLOC_LARGE:
		if (argument > 1)
			return false;
		prolog->stack += argument ? cursor__u32(codes)
					  : (uint64_t)cursor__u16(codes) * SLOT;
		break;
	case ALLOC_SMALL:
		prolog->stack += (uint64_t)argument * SLOT + SLOT;
		break;
	case SET_FRAME:
		prolog->sets_rbp = true;
		break;
	case SET_FRAME_LARGE:
		prolog->sets_rbp = true;
		cursor__take(codes, 4);
		break;
	case SAVE_NONVOLATILE:
	case SAVE_XMM128:
		cursor__take(codes, 2);
		break;
	case SAVE_NONVOLATILE_FAR:
	case SAVE_XMM128_FAR:
		cursor__take(codes, 4);
		break;
	default:
		return false;
	}
	return !codes->bad;
}

static bool decode_prolog(struct cursor *info, struct prolog *prolog)
{
	uint8_t version, count, frame;
	struct cursor codes;

	*prolog = (struct prolog){0};
	version = cursor__u8(info) & 7;
	prolog->size = cursor__u8(info);
	count = cursor__u8(info);
	frame = cursor__u8(info) & 15;
	codes = cursor__of(cursor__take(info, count * 2u), count * 2u);
	if (info->bad || version != VERSION || (frame && frame != REGISTER_RBP))
		return false;
	while (cursor__left(&codes))
		if (!decode_code(&codes, prolog))
			return false;
	return prolog->stack % SLOT == 0 && prolog->stack / SLOT <= TS_SHAPE_SLOTS_MAX;
}

/* Length of the instruction that makes rbp the frame pointer, or 0. */
static uint32_t set_frame_length(struct cursor *code)
{
	static const uint8_t mov[] = {0x48, 0x8b, 0xec};
	static const uint8_t lea8[] = {0x48, 0x8d, 0x6c, 0x24};
	static const uint8_t lea32[] = {0x48, 0x8d, 0xac, 0x24};
	const uint8_t *at = code->data + code->at;
	uint32_t left = cursor__left(code);

	if (left >= 3 && !memcmp(at, mov, sizeof(mov)))
		return 3;
	if (left >= 5 && !memcmp(at, lea8, sizeof(lea8)))
		return 5;
	if (left >= 8 && !memcmp(at, lea32, sizeof(lea32)))
		return 8;
	return 0;
}

/*
 * Takes one instruction with a memory operand [register+n]: `opcode` is what
 * stands before its ModRM byte, `operand` that byte without the size of n.
 */
static void take_memory(struct cursor *code, uint8_t opcode, uint8_t operand)
{
	static const uint8_t displacement[] = {0, 1, 4};
	uint8_t modrm;

	code->bad |= cursor__u8(code) != 0x48;
	code->bad |= cursor__u8(code) != opcode;
	modrm = cursor__u8(code);
	if ((modrm & 0x3f) != operand || modrm >> 6 == 3)
		code->bad = true;
	else
		cursor__take(code, displacement[modrm >> 6] + (operand == OPERAND_RSP));
}

/*
 * The older funclets fetch their method's frame from a slot of the frame that
 * called them, and keep a copy, n may be 0:
 *
 *   48 8b 2f        mov rbp, [rdi+n]
 *   48 89 2c 24     mov [rsp+n], rbp
 *   48 8d 6d 20     lea rbp, [rbp+n]
 */
static uint32_t fetch_frame_length(struct cursor code)
{
	uint32_t start = code.at;

	take_memory(&code, 0x8b, OPERAND_RDI);
	take_memory(&code, 0x89, OPERAND_RSP);
	take_memory(&code, 0x8d, OPERAND_RBP);
	return code.bad ? 0 : code.at - start;
}

static uint32_t framed(const struct prolog *prolog, struct cursor code,
		       enum unwind_role role)
{
	uint32_t size = prolog->size, length = 0;

	if (!prolog->sets_rbp) {
		cursor__seek(&code, size);
		if (code.bad)
			return TS_SHAPE(TS_FRAME_UNKNOWN, 0, 0);
		length = set_frame_length(&code);
		if (!length && role == UNWIND_FUNCLET)
			length = fetch_frame_length(code);
		if (!length)
			return TS_SHAPE(TS_FRAME_UNKNOWN, 0, 0);
	}
	size += length;
	if (size > TS_SHAPE_PROLOG_MAX)
		size = TS_SHAPE_PROLOG_MAX;
	return TS_SHAPE(TS_FRAME_FRAMED, size, 0);
}

uint32_t unwind_info__chained(struct cursor info)
{
	uint8_t flags = cursor__u8(&info) >> 3, count;

	cursor__u8(&info);
	count = cursor__u8(&info);
	/* An even number of codes is stored; then a whole RUNTIME_FUNCTION. */
	cursor__take(&info, 1 + (count + 1u) / 2 * 4 + 8);
	return flags & FLAG_CHAINED && !info.bad ? cursor__u32(&info) : 0;
}

uint32_t unwind_info__shape(struct cursor info, struct cursor code,
			    enum unwind_role role)
{
	struct prolog prolog;

	if (!decode_prolog(&info, &prolog))
		return TS_SHAPE(TS_FRAME_UNKNOWN, 0, 0);
	if (role == UNWIND_COLD) /* the hot part's prolog has run */
		return prolog.pushes_rbp
			       ? TS_SHAPE(TS_FRAME_FRAMED, 0, 0)
			       : TS_SHAPE(TS_FRAME_FRAMELESS, 0, prolog.stack / SLOT);
	if (prolog.pushes_rbp)
		return framed(&prolog, code, role);
	if (role == UNWIND_FUNCLET)
		return TS_SHAPE(TS_FRAME_FRAMED, 0, 0);
	return TS_SHAPE(TS_FRAME_FRAMELESS, prolog.size, prolog.stack / SLOT);
}
