/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The stack walk.  Each body says by its shape where its return address lies
 * (abi/body.h), so a walk needs three registers: where we are (ip), the stack
 * pointer at that place (sp) and rbp, which managed code never uses for
 * anything but frames (ETW_EBP_FRAMED, jit/targetamd64.h, v8 to v10).
 *
 *        higher addresses
 *   FRAMED                FRAMELESS             OSR
 *   │ return address │    │ return address │    │ return address │ ◄─ real
 *   │ caller's rbp   │◄─rbp│ 8 * slots     │    │ tier-0 frame   │
 *   │ locals         │    │                │◄─sp│  8 * slots     │
 *   │                │◄─sp                      │ address in the │ ◄─ false
 *                                               │ tier-0 body    │
 *                                               │ caller's rbp   │◄─rbp
 *
 * Native code is assumed to keep an rbp chain; where it does not, a caller is
 * missing.  That is one step of its own, native_step, so that a table of
 * unwind rules can take its place.
 */
#ifndef TIERSCOPE_UNWIND_BPF_H
#define TIERSCOPE_UNWIND_BPF_H

#include "codemap.bpf.h"
#include "decode.bpf.h"

#define STACK_SPAN_MAX	(64ULL << 20)	/* a frame further away is no frame */

struct walk {
	__u64 ip, sp, bp;
	__u32 space;
	__u32 count;		/* frames found */
	__u32 flags;		/* enum ts_sample_flags */
	__u32 done;
};

#define SAMPLE_WORDS	(sizeof(struct ts_sample) / 8)

/* Scratch of one walk; belongs to the sampler alone. */
struct walk_scratch {
	struct code_bytes code;
	__u32 reserved;
	/* A struct ts_sample and its frames, which C cannot nest. */
	__u64 record[SAMPLE_WORDS + TS_FRAMES_MAX + 1];
};

static __always_inline struct ts_sample *scratch_sample(struct walk_scratch *scratch)
{
	return (struct ts_sample *)scratch->record;
}

static __always_inline bool read_word(__u64 address, __u64 *ret_word)
{
	return !bpf_probe_read_user(ret_word, 8, (const void *)address);
}

/* Ends the walk at a frame that could not be read. */
static __always_inline void walk_broken(struct walk *walk)
{
	walk->flags |= TS_SAMPLE_BAD_FRAME;
	walk->done = 1;
}

static __always_inline void walk_to(struct walk *walk, __u64 return_address_at,
				    __u64 sp, __u64 bp)
{
	__u64 ip;

	if (sp <= walk->sp || sp - walk->sp > STACK_SPAN_MAX ||
	    !read_word(return_address_at, &ip)) {
		walk_broken(walk);
		return;
	}
	if (ip < 0x1000) {	/* the outermost frame has no caller */
		walk->done = 1;
		return;
	}
	walk->ip = ip;
	walk->sp = sp;
	walk->bp = bp;
}

/* rbp points at the frame: also OSR's, whose caller lies `slots` further up. */
static __always_inline void framed_step(struct walk *walk, __u32 slots)
{
	__u64 at = walk->bp + 8, bp;

	if (slots)
		at += 8 + 8ULL * slots;
	if (walk->bp < walk->sp || !read_word(walk->bp, &bp)) {
		walk_broken(walk);
		return;
	}
	walk_to(walk, at, at + 8, bp);
}

static __always_inline void native_step(struct walk *walk)
{
	if (!walk->bp)
		walk->done = 1;	/* a thread's first frame, or none kept */
	else
		framed_step(walk, 0);
}

static __always_inline void frameless_step(struct walk *walk, __u32 slots)
{
	__u64 at = walk->sp + 8ULL * slots;

	walk_to(walk, at, at + 8, walk->bp);
}

static __always_inline void shape_step(struct walk *walk, __u32 shape)
{
	switch (TS_SHAPE_KIND(shape)) {
	case TS_FRAME_FRAMELESS:
		frameless_step(walk, TS_SHAPE_SLOTS(shape));
		break;
	case TS_FRAME_OSR:
		framed_step(walk, TS_SHAPE_SLOTS(shape));
		break;
	case TS_FRAME_FRAMED:
		framed_step(walk, 0);
		break;
	default:
		native_step(walk);
		break;
	}
}

static __always_inline void read_code(struct code_bytes *code, __u64 address,
				      __u32 count)
{
	if (count > DECODE_BYTES)
		count = DECODE_BYTES;
	code->count = 0;
	if (!bpf_probe_read_user(code->byte, count, (const void *)address))
		code->count = count;
}

/* In the prolog: true when the step was taken. */
static __always_inline bool prolog_step(struct walk *walk, const struct found *found,
					struct code_bytes *code)
{
	__u32 kind = TS_SHAPE_KIND(found->shape);
	__u32 depth;

	if (found->offset >= TS_SHAPE_PROLOG(found->shape))
		return false;
	walk->flags |= TS_SAMPLE_LEAF_PROLOG;
	if (kind == TS_FRAME_OSR) {
		/* rbp still is the tier-0 frame's: a framed step from there. */
		framed_step(walk, 0);
		return true;
	}
	read_code(code, walk->ip - found->offset, found->offset);
	depth = prolog_depth(code, found->offset);
	walk_to(walk, walk->sp + depth, walk->sp + depth + 8, walk->bp);
	return true;
}

/* In the epilog: true when the step was taken. */
static __always_inline bool epilog_step(struct walk *walk, const struct found *found,
					struct code_bytes *code)
{
	struct epilog epilog;
	__u64 base, bp = walk->bp;

	read_code(code, walk->ip, found->size - found->offset);
	if (!code->count)
		return false;
	/* Precompiled code leaves through cells, but may be split in two parts. */
	if (found->row)
		epilog_decode(code, -(__s64)found->offset, found->size - found->offset,
			      &epilog);
	else
		epilog_decode(code, -(1LL << 40), 1LL << 40, &epilog);
	if (!epilog.found)
		return false;
	walk->flags |= TS_SAMPLE_LEAF_EPILOG;
	base = epilog.from_rbp ? walk->bp : walk->sp;
	if (epilog.pops_rbp && !read_word(base + epilog.rbp, &bp)) {
		walk_broken(walk);
		return true;
	}
	walk_to(walk, base + epilog.rsp, base + epilog.rsp + 8, bp);
	return true;
}

/* The first step, from wherever in a body the thread stands. */
static __always_inline void leaf_step(struct walk *walk, const struct found *found,
				      struct code_bytes *code)
{
	if (TS_SHAPE_KIND(found->shape) != TS_FRAME_UNKNOWN &&
	    (prolog_step(walk, found, code) || epilog_step(walk, found, code)))
		return;
	shape_step(walk, found->shape);
}

#endif /* TIERSCOPE_UNWIND_BPF_H */
