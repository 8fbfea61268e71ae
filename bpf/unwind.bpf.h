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
 * The leaf can also stand in a stub of the runtime, which has no frame at all.
 * Native code is assumed to keep an rbp chain; where it does not, a caller is
 * missing.  That is one step of its own, native_step, so that a table of
 * unwind rules can take its place.
 */
#ifndef TIERSCOPE_UNWIND_BPF_H
#define TIERSCOPE_UNWIND_BPF_H

#include "returns.bpf.h"
#include "decode.bpf.h"

/* What there is at an address that no slot tells of. */
enum memory {
	MEMORY_NO_CODE,		/* the chain is broken */
	MEMORY_PENDING,		/* code that the loader has not heard of yet */
	MEMORY_JIT,		/* the JIT's, with its stubs */
};

#ifdef WALK_FROM_PIECE
#include "piece.bpf.h"
#else
#include "memory.bpf.h"
#endif

#define STACK_SPAN_MAX	(64ULL << 20)	/* a frame further away is no frame */

struct walk {
	__u64 ip, sp, bp;
	struct returns_of returns;	/* and the space */
	__u32 count;		/* frames found */
	__u32 flags;		/* enum ts_sample_flags */
	__u32 done;
	struct window window;	/* of the stack */
};

#define SAMPLE_WORDS	(sizeof(struct ts_sample) / 8)
/*
 * Up to 256 words of sample, frames and code; then a stack piece, and a page more,
 * since the verifier adds up what can not be at the same time.
 */
#define RECORD_WORDS \
	(256 + (sizeof(struct ts_stack_piece) + TS_STACK_PIECE_MAX + 4096) / 8)

/* Scratch of one walk, in map memory; belongs to the sampler alone. */
struct walk_scratch {
	struct walk walk;
	struct decoder decoder;
	__u32 event;
	__u32 unknown_leaf;	/* in JIT memory, an image or unknown code, in no function */
	/* A struct ts_sample and what follows it, which C cannot nest; the kernel
	 * frames have room for the one that shows that there were more. */
	__u64 record[RECORD_WORDS];
};

static __always_inline struct ts_sample *scratch_sample(struct walk_scratch *scratch)
{
	return (struct ts_sample *)scratch->record;
}

/* All but the registers.  (Assigning a whole struct walk would clear the window.) */
static __always_inline void walk_begin(struct walk *walk, struct returns_of of)
{
	walk->returns = of;
	walk->count = 0;
	walk->flags = 0;
	walk->done = 0;
	walk->window.bytes = 0;
}

/* What a frame with rbp begins with. */
struct frame {
	__u64 bp, ip;		/* the caller's */
};

static __always_inline bool read_frame(struct window *window, __u64 address,
				       struct frame *ret_frame)
{
	return read_word(window, address, &ret_frame->bp) &&
	       read_word(window, address + 8, &ret_frame->ip);
}

/* Ends the walk at a frame that could not be read. */
static __always_inline void walk_broken(struct walk *walk)
{
	walk->flags |= TS_SAMPLE_BAD_FRAME;
	walk->done = 1;
}

/* The caller, by its registers. */
static __always_inline void walk_up(struct walk *walk, __u64 ip, __u64 sp, __u64 bp)
{
	if (sp <= walk->sp || sp - walk->sp > STACK_SPAN_MAX) {
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

static __always_inline void walk_to(struct walk *walk, __u64 return_address_at,
				    __u64 sp, __u64 bp)
{
	__u64 ip;

	if (!read_word(&walk->window, return_address_at, &ip))
		walk_broken(walk);
	else
		walk_up(walk, ip, sp, bp);
}

/* rbp points at the frame: also OSR's, whose caller lies `words` further up. */
static __always_inline void framed_step(struct walk *walk, __u32 words)
{
	__u64 at = walk->bp + 16 + 8ULL * words;
	struct frame frame;

	if (walk->bp < walk->sp || !read_frame(&walk->window, walk->bp, &frame))
		walk_broken(walk);
	else if (words)
		walk_to(walk, at, at + 8, frame.bp);
	else
		walk_up(walk, frame.ip, at, frame.bp);
}

static __always_inline void native_step(struct walk *walk)
{
	if (walk->bp >= walk->sp && walk->bp - walk->sp <= STACK_SPAN_MAX) {
		framed_step(walk, 0);
		return;
	}
	/* A thread's first frame has 0; else rbp was used for something else. */
	if (walk->bp)
		walk->flags |= TS_SAMPLE_NATIVE_END;
	walk->done = 1;
}

static __always_inline void frameless_step(struct walk *walk, __u32 words)
{
	__u64 at = walk->sp + 8ULL * words;

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

/* In the prolog: true when the step was taken. */
static __always_inline bool prolog_step(struct walk *walk, const struct found *found,
					struct decoder *decoder)
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
	read_code(decoder, walk->ip - found->offset, found->offset);
	if (decoder->count < found->offset && decoder->count < DECODE_BYTES) {
		walk_broken(walk);
		return true;
	}
	depth = prolog_depth(decoder, found->offset);
	walk_to(walk, walk->sp + depth, walk->sp + depth + 8, walk->bp);
	return true;
}

/*
 * Is the epilog that was decoded the one of the body's frame?  A frame is left by
 * popping the rbp that it saved, last of all.  A funclet's epilog leaves the
 * funclet: it pops no rbp, or (before .NET 10) another one.
 */
static __always_inline bool leaves_frame(const struct walk *walk, __u32 shape,
					 struct decoder *decoder)
{
	__u64 saved = walk->bp;

	if (TS_SHAPE_KIND(shape) == TS_FRAME_FRAMELESS)
		return true;
	if (decoder->pops_rbp) {
		if (TS_SHAPE_KIND(shape) == TS_FRAME_OSR)
			saved += 8 + 8ULL * TS_SHAPE_SLOTS(shape);
		return (decoder->from_rbp ? walk->bp : walk->sp) + decoder->rbp == saved;
	}
	/* At the ret or jump itself: behind pop rbp, which is not 41 5D, pop r13? */
	if (decoder->moves)
		return false;
	read_code(decoder, walk->ip - 2, 2);
	return decoder->count == 2 && decoder->byte[1] == 0x5d && decoder->byte[0] != 0x41;
}

/* In the epilog: true when the step was taken. */
static __always_inline bool epilog_step(struct walk *walk, const struct found *found,
					struct decoder *decoder)
{
	__u64 base, bp = walk->bp;

	read_code(decoder, walk->ip, found->size - found->offset);
	/* Precompiled code leaves through cells, but may be split in two parts. */
	if (found->row)
		epilog_decode(decoder, -(__s64)found->offset, found->size - found->offset);
	else
		epilog_decode(decoder, -(1LL << 40), 1LL << 40);
	if (!decoder->found || !leaves_frame(walk, found->shape, decoder))
		return false;
	walk->flags |= TS_SAMPLE_LEAF_EPILOG;
	base = decoder->from_rbp ? walk->bp : walk->sp;
	if (decoder->pops_rbp && !read_word(&walk->window, base + decoder->rbp, &bp)) {
		walk_broken(walk);
		return true;
	}
	walk_to(walk, base + decoder->rsp, base + decoder->rsp + 8, bp);
	return true;
}

/* A return address that lies in code that we have heard of. */
static __always_inline bool is_code(__u32 space, __u64 address)
{
	struct ts_address_key key = {.space = space,
				     .number = (address - 1) >> TS_SLOT_SHIFT};

	return jit_page(space, address - 1) || bpf_map_lookup_elem(&slots, &key);
}

/* The loader goes on from here, with a piece of the stack. */
static __always_inline void walk_pending(struct walk *walk)
{
	walk->flags |= TS_SAMPLE_TABLE_PENDING;
	walk->done = 1;
}

/*
 * A stub has no frame: it jumps on, or returns, and what it pushed before that
 * is known by its bytes.  False where the word that should be the return address
 * is none: then this is no stub, but a body that nobody told of yet.
 */
static __always_inline bool stub_step(struct walk *walk, struct decoder *decoder)
{
	__s32 pushes = -1;
	__u64 at, ip;

	read_code(decoder, walk->ip - STUB_BEFORE, DECODE_BYTES);
	if (decoder->count == DECODE_BYTES)
		pushes = stub_pushes_near(decoder);
	if (pushes < 0) {
		read_code(decoder, walk->ip, DECODE_BYTES);
		pushes = stub_pushes_ahead(decoder);
	}
	at = walk->sp + 8 * pushes;
	if (!read_word(&walk->window, at, &ip))
		return false;
	if (is_code(walk->returns.space, ip)) {
		walk_to(walk, at, at + 8, walk->bp);
		return true;
	}
	if (!is_pending(ip - 1))
		return false;
	walk_pending(walk);
	return true;
}

/* The first step, from wherever in a body the thread stands. */
static __always_inline void leaf_step(struct walk *walk, const struct found *found,
				      struct decoder *decoder)
{
	if (TS_SHAPE_KIND(found->shape) != TS_FRAME_UNKNOWN &&
	    (prolog_step(walk, found, decoder) || epilog_step(walk, found, decoder)))
		return;
	if (!found->size && (found->in_jit || found->in_image) &&
	    stub_step(walk, decoder))
		return;
	shape_step(walk, found->shape);
}

static __always_inline void count_leaf(const struct found *found, __u32 event)
{
	struct ts_body_row *body;
	__u32 row = found->row;

	body = row ? bpf_map_lookup_elem(&bodies, &row) : NULL;
	if (body)
		__sync_fetch_and_add(&body->counts[event & (TS_EVENTS_MAX - 1)], 1);
}

/* One frame: bpf_loop callback. */
static long walk_one(__u64 index, struct walk_scratch **context)
{
	struct walk_scratch *scratch = *context;
	struct walk *walk = &scratch->walk;
	struct found found;
	/* A return address belongs to the instruction before it. */
	__u64 address = index ? walk->ip - 1 : walk->ip;

	if (index >= TS_FRAMES_MAX) {
		walk->flags |= TS_SAMPLE_TRUNCATED;
		return 1;
	}
	walk->count = index + 1;
	if (index)
		return_find(&walk->returns, address, &found);
	else
		leaf_find(&walk->returns, address, &found);
	scratch->record[SAMPLE_WORDS + (index & 127)] = found.frame;
	if (!found.known) {
		enum memory memory = memory_at(address);

		if (memory == MEMORY_PENDING) {
			walk_pending(walk);
			scratch->unknown_leaf = !index;
			return 1;
		}
		found.in_jit = memory == MEMORY_JIT;
	}
	if (index) {
		shape_step(walk, found.shape);
	} else {
		scratch->unknown_leaf = !found.size && (found.in_jit || found.in_image);
		count_leaf(&found, scratch->event);
		leaf_step(walk, &found, &scratch->decoder);
	}
	return walk->done ? 1 : 0;
}

/* A whole stack, leaf first, into scratch->record. */
static __always_inline void walk_stack(struct walk_scratch *scratch)
{
	bpf_loop(TS_FRAMES_MAX + 1, walk_one, &scratch, 0);
}

/*
 * Puts the kernel's own frames behind `count` user frames, leaf first; how many.
 * Kernel addresses need no tag: their top bits are it.
 */
static __always_inline __u32 add_kernel_frames(void *context, struct walk_scratch *scratch,
					       __u32 count)
{
	long bytes;

	/* Masked where it is used: the verifier of Linux 6.1 forgets its bound. */
	barrier_var(count);
	bytes = bpf_get_stack(context, &scratch->record[SAMPLE_WORDS + (count & 127)],
			      8 * (TS_KERNEL_FRAMES_MAX + 1), 0);
	if (bytes < 8) {
		ledger_count(TS_LEDGER_NO_KERNEL_STACK);
		return 0;
	}
	if (bytes > 8 * TS_KERNEL_FRAMES_MAX) {
		scratch->walk.flags |= TS_SAMPLE_KERNEL_CUT;
		return TS_KERNEL_FRAMES_MAX;
	}
	return (__u32)bytes / 8;
}

/*
 * Puts the bytes around an unknown leaf behind `count` user frames and
 * `kernel_count` others.  Gives the record's size in bytes.
 */
static __always_inline __u64 add_code(struct walk_scratch *scratch, __u32 count,
				      __u32 kernel_count, __u64 leaf)
{
	__u64 words;

	barrier_var(count);
	barrier_var(kernel_count);
	words = SAMPLE_WORDS + (count & 127) + (kernel_count & 127);
	if (!scratch->unknown_leaf ||
	    bpf_probe_read_user(&scratch->record[words], TS_CODE_BYTES,
				(const void *)(leaf - TS_CODE_BEFORE)))
		return 8 * words;
	scratch->walk.flags |= TS_SAMPLE_CODE;
	return 8 * words + TS_CODE_BYTES;
}

#define PIECE_STEPS 5	/* of up to a page, which can begin and end inside one */

struct piece_copy {
	struct walk_scratch *scratch;
	__u64 at;		/* of the piece's stack, in the record, in bytes */
	__u64 bytes;		/* of it that are there */
};

/* The rest of one page of the stack: bpf_loop callback. */
static long copy_stack(__u64 index, struct piece_copy *copy)
{
	__u64 from = copy->scratch->walk.sp + copy->bytes, at = copy->at + copy->bytes;
	__u32 size = 4096 - (from & 4095);

	if (size > TS_STACK_PIECE_MAX - copy->bytes)
		size = TS_STACK_PIECE_MAX - copy->bytes;
	barrier_var(size);
	barrier_var(at);
	if (!size || size > 4096 || at > 8 * RECORD_WORDS - 4096 ||
	    bpf_probe_read_user((__u8 *)copy->scratch->record + at, size,
				(const void *)from))
		return 1;
	copy->bytes += size;
	return 0;
}

/*
 * Puts registers and stack behind a record of `size` bytes, where the walk could not
 * go on.  Gives the record's new size.
 */
static __always_inline __u64 add_stack(struct walk_scratch *scratch, __u64 size)
{
	struct walk *walk = &scratch->walk;
	struct ts_stack_piece *piece;
	struct piece_copy copy = { .scratch = scratch, .at = size + sizeof(*piece) };

	if (!(walk->flags & TS_SAMPLE_TABLE_PENDING) || walk->sp & 7 || size > 8 * 255)
		return size;
	bpf_loop(PIECE_STEPS, copy_stack, &copy, 0);
	piece = (struct ts_stack_piece *)&scratch->record[size / 8 & 255];
	*piece = (struct ts_stack_piece){ .ip = walk->ip, .sp = walk->sp,
					  .bp = walk->bp, .bytes = copy.bytes };
	walk->flags |= TS_SAMPLE_STACK;
	return size + sizeof(*piece) + copy.bytes;
}

#endif /* TIERSCOPE_UNWIND_BPF_H */
