/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The prologs that the runtime's JIT writes on x86-64 Linux:
 *
 *   framed     55                    push rbp
 *              41 57, 53 ...         push of further saved registers
 *              48 83 EC ib           sub rsp, n           (48 81 EC id)
 *              C5 F8 77              vzeroupper
 *              48 8D 6C 24 ib        lea rbp, [rsp+n]     (48 8D AC 24 id)
 *                                    or 48 8B EC, mov rbp, rsp
 *   frameless  the same without rbp; `push rax` stands for sub rsp, 8
 *   OSR        48 8B 45 00           mov rax, [rbp+0]     caller's rbp ...
 *              50                    push rax             ... once more
 *              48 83 EC ib           sub rsp, n
 *              4C 89 7C 24 ib ...    saved registers go into the tier-0 frame
 *              48 8D 6C 24 ib        lea rbp, [rsp+n]
 *
 * An OSR body that needs no frame keeps the tier-0 frame's rbp, from its first
 * instruction to its epilog.
 *
 * Frames of a page or more are probed before rsp moves: test [rsp-n], eax, or
 * lea r11, [rsp-n]; call helper; mov rsp, r11.
 *
 * rbp is never a scratch register in managed code on Unix (ETW_EBP_FRAMED in
 * dotnet/runtime src/coreclr/jit/targetamd64.h), so a body that pushes it sets
 * it up, and a body that does not leaves it the caller's.
 */
#include "shape.h"

#include "../abi/body.h"

#include <stdbool.h>
#include <string.h>

struct prolog {
	const uint8_t *code;
	size_t size;
	size_t offset;	/* of the next instruction */
	size_t settled; /* end of the last one that moved rsp or set rbp */
	uint64_t frame_bytes;
	uint64_t probed_bytes; /* r11 = rsp - this, not yet moved into rsp */
	bool framed;
};

static bool matches(const struct prolog *prolog, const char *bytes, size_t count,
		    size_t operand)
{
	return prolog->size - prolog->offset >= count + operand &&
	       !memcmp(prolog->code + prolog->offset, bytes, count);
}

static int32_t operand_i32(const struct prolog *prolog, size_t at)
{
	int32_t value;

	memcpy(&value, prolog->code + prolog->offset + at, sizeof(value));
	return value;
}

static bool moved_rsp(struct prolog *prolog, size_t length, int64_t bytes)
{
	if (bytes < 0 || bytes > INT32_MAX)
		return false;
	prolog->offset += length;
	prolog->settled = prolog->offset;
	prolog->frame_bytes += (uint64_t)bytes;
	return true;
}

static bool skipped(struct prolog *prolog, size_t length)
{
	prolog->offset += length;
	return true;
}

static bool step_push_or_sub(struct prolog *prolog)
{
	const uint8_t *code = prolog->code + prolog->offset;

	if (matches(prolog, "", 0, 1) && (code[0] & 0xf8) == 0x50)
		return moved_rsp(prolog, 1, 8);
	if (matches(prolog, "\x41", 1, 1) && (code[1] & 0xf8) == 0x50)
		return moved_rsp(prolog, 2, 8);
	if (matches(prolog, "\x48\x83\xec", 3, 1))
		return moved_rsp(prolog, 4, (int8_t)code[3]);
	if (matches(prolog, "\x48\x81\xec", 3, 4))
		return moved_rsp(prolog, 7, operand_i32(prolog, 3));
	return false;
}

static bool step_probe(struct prolog *prolog)
{
	if (matches(prolog, "\x85\x84\x24", 3, 4)) /* test [rsp+id], eax */
		return skipped(prolog, 7);
	if (matches(prolog, "\x48\x85\x84\x24", 4, 4))
		return skipped(prolog, 8);
	if (matches(prolog, "\x4c\x8d\x9c\x24", 4, 4)) { /* lea r11, [rsp+id] */
		int64_t distance = -(int64_t)operand_i32(prolog, 4);

		if (distance <= 0)
			return false;
		prolog->probed_bytes = (uint64_t)distance;
		return skipped(prolog, 8);
	}
	if (!prolog->probed_bytes)
		return false;
	if (matches(prolog, "\xe8", 1, 4)) /* call helper */
		return skipped(prolog, 5);
	if (matches(prolog, "\xff\x15", 2, 4))
		return skipped(prolog, 6);
	if (matches(prolog, "\x49\x8b\xe3", 3, 0)) { /* mov rsp, r11 */
		int64_t bytes = (int64_t)prolog->probed_bytes;

		prolog->probed_bytes = 0;
		return moved_rsp(prolog, 3, bytes);
	}
	return false;
}

static bool step_common(struct prolog *prolog)
{
	if (matches(prolog, "\xc5\xf8\x77", 3, 0)) /* vzeroupper */
		return skipped(prolog, 3);
	return step_push_or_sub(prolog) || step_probe(prolog);
}

/* True when an instruction that sets rbp stands here; steps over it. */
static bool at_frame_setup(struct prolog *prolog)
{
	size_t length = 0;

	if (matches(prolog, "\x48\x8b\xec", 3, 0) ||
	    matches(prolog, "\x48\x89\xe5", 3, 0))
		length = 3;
	else if (matches(prolog, "\x48\x8d\x6c\x24", 4, 1))
		length = 5;
	else if (matches(prolog, "\x48\x8d\xac\x24", 4, 4))
		length = 8;
	if (!length)
		return false;
	prolog->offset += length;
	prolog->settled = prolog->offset;
	prolog->framed = true;
	return true;
}

/* mov [rsp+disp], reg, or [rbp+disp]: a saved register goes into the tier-0 frame. */
static bool step_osr_save(struct prolog *prolog)
{
	const uint8_t *code = prolog->code + prolog->offset;
	size_t length = 3;

	if (!matches(prolog, "\x48\x89", 2, 2) && !matches(prolog, "\x4c\x89", 2, 2))
		return false;
	if ((code[2] & 7) == 4 && code[3] == 0x24)
		length = 4;
	else if ((code[2] & 7) != 5)
		return false;
	if (code[2] >> 6 == 1)
		length += 1;
	else if (code[2] >> 6 == 2)
		length += 4;
	else
		return false;
	return matches(prolog, "", 0, length) && skipped(prolog, length);
}

uint32_t shape__decode(const uint8_t *code, size_t size, uint32_t *ret_frame_bytes)
{
	struct prolog prolog = {.code = code, .size = size};
	bool saves_rbp = size > 0 && code[0] == 0x55;
	uint32_t shape = TS_SHAPE(TS_FRAME_UNKNOWN, 0, 0);

	while (!(saves_rbp && at_frame_setup(&prolog)) && step_common(&prolog))
		;
	if (ret_frame_bytes)
		*ret_frame_bytes = SHAPE_FRAME_UNKNOWN;
	if (size == 0 || saves_rbp != prolog.framed || prolog.probed_bytes ||
	    prolog.settled > TS_SHAPE_PROLOG_MAX ||
	    prolog.frame_bytes / 8 > TS_SHAPE_SLOTS_MAX || prolog.frame_bytes % 8)
		return shape;
	if (ret_frame_bytes)
		*ret_frame_bytes = (uint32_t)prolog.frame_bytes;
	if (prolog.framed)
		return TS_SHAPE(TS_FRAME_FRAMED, prolog.settled, 0);
	return TS_SHAPE(TS_FRAME_FRAMELESS, prolog.settled, prolog.frame_bytes / 8);
}

uint32_t shape__decode_osr(const uint8_t *code, size_t size, uint32_t tier0_frame_bytes)
{
	struct prolog prolog = {.code = code, .size = size};

	if (tier0_frame_bytes == SHAPE_FRAME_UNKNOWN || tier0_frame_bytes % 8 ||
	    tier0_frame_bytes / 8 > TS_SHAPE_SLOTS_MAX)
		return TS_SHAPE(TS_FRAME_UNKNOWN, 0, 0);
	while (matches(&prolog, "\xc5\xf8\x77", 3, 0))
		skipped(&prolog, 3);
	if (!matches(&prolog, "\x48\x8b\x45\x00\x50", 5, 0))
		return matches(&prolog, "", 0, 5) ? TS_SHAPE(TS_FRAME_FRAMED, 0, 0)
						  : TS_SHAPE(TS_FRAME_UNKNOWN, 0, 0);
	skipped(&prolog, 4);
	while (!at_frame_setup(&prolog) &&
	       (step_common(&prolog) || step_osr_save(&prolog)))
		;
	if (!prolog.framed || prolog.settled > TS_SHAPE_PROLOG_MAX)
		return TS_SHAPE(TS_FRAME_UNKNOWN, 0, 0);
	return TS_SHAPE(TS_FRAME_OSR, prolog.settled, tier0_frame_bytes / 8);
}
