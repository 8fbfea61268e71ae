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
 *
 * Native code is walked by the rules of its file's table (enum ts_rule_kind).  They
 * are exact at every instruction (but see rbx_caller()), and leave rbp as managed callers
 * need it.  Where there is none, it is assumed to keep an rbp chain; where it does not, a
 * caller is missing.
 */
#ifndef TIERSCOPE_UNWIND_BPF_H
#define TIERSCOPE_UNWIND_BPF_H

#include "leaves.bpf.h"
#include "paths.bpf.h"
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
	__u64 r10, rbx;		/* where the thread stands; callers' are gone */
	struct returns_of returns;	/* and the space */
	__u32 count;		/* frames found */
	__u32 flags;		/* enum ts_sample_flags */
	__u32 done;
	__u32 interrupted;	/* by a signal: ip is where it stands, as the leaf's is */
	struct path_place place;
	struct window window;	/* of the stack */
};

#define SAMPLE_WORDS	(sizeof(struct ts_sample) / 8)
/*
 * Up to 256 words of sample, frames and code; then a stack piece, and a page more,
 * since the verifier adds up what can not be at the same time.
 */
#define RECORD_WORDS \
	(256 + (sizeof(struct ts_stack_piece) + TS_STACK_PIECE_MAX + 4096) / 8)

/* Scratch of one walk, in map memory: the sampler has its own, and so have switches. */
struct walk_scratch {
	struct walk walk;
	struct decoder decoder;
	__u32 event;
	__u32 unknown_leaf;	/* in JIT memory, an image or unknown code, in no function */
	__u64 untold_until;	/* see may_be_told() */
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
	walk->interrupted = 0;
	walk->place = (struct path_place){};
	walk->window.bytes = 0;
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
	walk->rbx = 0;
}

/*
 * The caller, by its rsp, right below which the return address lies in every frame there
 * is, and by where its rbp was saved; 0: nowhere, it is as it was.  That one lies lower,
 * and the window that is read for it holds the other too.
 */
static __always_inline void walk_to(struct walk *walk, __u64 sp, __u64 bp_at)
{
	__u64 bp = walk->bp, ip;

	if ((bp_at && !read_word(&walk->window, bp_at, &bp)) ||
	    !read_word(&walk->window, sp - 8, &ip))
		walk_broken(walk);
	else
		walk_up(walk, ip, sp, bp);
}

/* Where a caller is: walk_to(). */
struct caller_place {
	__u64 sp, bp_at;
};

/* rbp points at the frame: also OSR's, whose caller lies further up. */
static __always_inline bool framed_caller(struct walk *walk, __u64 further,
					  struct caller_place *caller)
{
	caller->sp = walk->bp + 16 + further;
	caller->bp_at = walk->bp;
	if (walk->bp >= walk->sp)
		return true;
	walk_broken(walk);
	return false;
}

/* Of native code without a rule. */
static __always_inline bool native_caller(struct walk *walk, struct caller_place *caller)
{
	if (walk->bp >= walk->sp && walk->bp - walk->sp <= STACK_SPAN_MAX)
		return framed_caller(walk, 0, caller);
	/* A thread's first frame has 0; else rbp was used for something else. */
	if (walk->bp)
		walk->flags |= TS_SAMPLE_NATIVE_END;
	walk->done = 1;
	return false;
}

/*
 * What the signal interrupted goes on where it stood, perhaps on another stack, above
 * or below: so nothing is asked of rsp.  A chain of made-up frames ends as others do.
 */
static __always_inline void signal_step(struct walk *walk)
{
	__u64 ip, sp, bp, r10, rbx, at = walk->sp;

	if (!read_word(&walk->window, at + TS_SIGNAL_R10, &r10) ||
	    !read_word(&walk->window, at + TS_SIGNAL_RBP, &bp) ||
	    !read_word(&walk->window, at + TS_SIGNAL_RBX, &rbx) ||
	    !read_word(&walk->window, at + TS_SIGNAL_RSP, &sp) ||
	    !read_word(&walk->window, at + TS_SIGNAL_RIP, &ip) || ip < 0x1000) {
		walk_broken(walk);
		return;
	}
	walk->ip = ip;
	walk->sp = sp;
	walk->bp = bp;
	walk->r10 = r10;
	walk->rbx = rbx;
	walk->interrupted = 1;
}

/* CFA is the caller's rsp. */
static __always_inline void rule_caller(__u64 cfa, __u32 shape, struct caller_place *caller)
{
	__u32 prolog = TS_SHAPE_PROLOG(shape);

	caller->sp = cfa;
	caller->bp_at = prolog ? cfa - 8ULL * prolog : 0;
}

/*
 * The first instructions of a callee have not saved it yet: then anything can lie there.  And
 * a piece of stack begins above it: one that begins at such a frame goes on by rbp.
 */
static __always_inline bool rbx_caller(struct walk *walk, __u32 shape,
				       struct caller_place *caller)
{
	__u32 saved = TS_SHAPE_PROLOG(shape);
	__u64 rbx = walk->rbx;

	if ((saved && !read_word(&walk->window, walk->sp - 8ULL * saved, &rbx)) ||
	    rbx & 7 || rbx < walk->sp || rbx - walk->sp > STACK_SPAN_MAX)
		return native_caller(walk, caller);
	caller->sp = rbx + 8ULL * TS_SHAPE_SLOTS(shape);
	return true;
}

/* False: the walk is at its end, or goes on in what a signal interrupted. */
static __always_inline bool find_caller(struct walk *walk, __u32 shape,
					struct caller_place *caller)
{
	__u64 words = 8ULL * TS_SHAPE_SLOTS(shape);

	switch (TS_SHAPE_KIND(shape)) {
	case TS_FRAME_FRAMELESS:
		caller->sp = walk->sp + 8 + words;
		return true;
	case TS_FRAME_OSR:
		return framed_caller(walk, 8 + words, caller);
	case TS_FRAME_FRAMED:
		return framed_caller(walk, 0, caller);
	case TS_RULE_RSP:
		rule_caller(walk->sp + words, shape, caller);
		return true;
	case TS_RULE_RBP:
		rule_caller(walk->bp + words, shape, caller);
		return true;
	case TS_RULE_ALIGNED:
		caller->bp_at = walk->bp;
		if (read_word(&walk->window, walk->bp - words, &caller->sp))
			return true;
		walk_broken(walk);
		return false;
	case TS_RULE_R10:
		caller->sp = walk->r10;
		if (walk->bp >= walk->sp && walk->bp < walk->r10)
			caller->bp_at = walk->bp;
		return true;
	case TS_RULE_PLT:
		caller->sp = walk->sp + words +
			     ((walk->ip & 15) >= TS_SHAPE_PROLOG(shape) ? 8 : 0);
		return true;
	case TS_RULE_RBX:
		return rbx_caller(walk, shape, caller);
	case TS_RULE_SIGNAL:
		signal_step(walk);
		return false;
	case TS_RULE_END:
		walk->done = 1;
		return false;
	default:
		return native_caller(walk, caller);
	}
}

static __always_inline void shape_step(struct walk *walk, __u32 shape)
{
	struct caller_place caller = {};

	if (find_caller(walk, shape, &caller))
		walk_to(walk, caller.sp, caller.bp_at);
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
		shape_step(walk, TS_SHAPE(TS_FRAME_FRAMED, 0, 0));
		return true;
	}
	read_code(decoder, walk->ip - found->offset, found->offset);
	if (decoder->count < found->offset && decoder->count < DECODE_BYTES) {
		walk_broken(walk);
		return true;
	}
	depth = prolog_depth(decoder, found->offset);
	walk_to(walk, walk->sp + depth + 8, 0);
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
	__u64 base;

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
	walk_to(walk, base + decoder->rsp + 8, decoder->pops_rbp ? base + decoder->rbp : 0);
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
		walk_to(walk, at + 8, 0);
		return true;
	}
	if (!is_pending(ip - 1))
		return false;
	walk_pending(walk);
	return true;
}

/* A body's; a rule is exact everywhere. */
static __always_inline bool has_prolog(__u32 shape)
{
	return TS_SHAPE_KIND(shape) != TS_FRAME_UNKNOWN &&
	       TS_SHAPE_KIND(shape) < TS_FRAME_COUNT;
}

/*
 * The first step, from wherever in a body or a stub the thread stands: true when it was taken.
 * False: the frame is a whole one, to be left by its shape.
 */
VERIFIED_ONCE int leaf_step(struct walk_scratch *scratch, const struct found *found)
{
	struct decoder *decoder;
	struct walk *walk;

	if (!scratch || !found)
		return false;
	walk = &scratch->walk;
	decoder = &scratch->decoder;
	if (has_prolog(found->shape) &&
	    (prolog_step(walk, found, decoder) || epilog_step(walk, found, decoder)))
		return true;
	return !found->size && (found->in_jit || found->in_image) && stub_step(walk, decoder);
}

static __always_inline void count_leaf(const struct found *found, __u32 event)
{
	__u64 *count = found->row ? leaf_count(found->row, event) : NULL;

	if (count)
		__sync_fetch_and_add(count, 1);
}

/* What walks, and what it did before, or NULL. */
struct walking {
	struct walk_scratch *scratch;
	struct ts_path *path;
};

/*
 * Code of the JIT that no event has told of, and no stub (which calls nobody, and of which
 * the bytes tell): a thread can run a body between the runtime's store of its address and
 * the event.  How it is left is not known, and a guess would pass over a caller.  So the
 * loader goes on, when the event is there.
 */
static __always_inline bool is_untold(struct walk_scratch *scratch, const struct found *found)
{
	return found->in_jit && !found->size && may_be_told(&scratch->untold_until);
}

/* One frame: bpf_loop callback. */
static long walk_one(__u64 index, struct walking *walking)
{
	struct walk_scratch *scratch = walking->scratch;
	struct walk *walk = &scratch->walk;
	bool is_return = index && !walk->interrupted;
	/* A return address belongs to the instruction before it. */
	__u64 address = is_return ? walk->ip - 1 : walk->ip;
	struct found found;

	walk->interrupted = 0;
	if (index >= TS_FRAMES_MAX) {
		walk->flags |= TS_SAMPLE_TRUNCATED;
		return 1;
	}
	walk->count = index + 1;
	if (is_return)
		path_find(&walk->returns, walking->path, &walk->place, address, walk->sp, &found);
	else
		leaf_find(&walk->returns, address, &found);
	scratch->record[SAMPLE_WORDS + (index & 127)] = found.frame;
	if (!found.known) {
		int memory = memory_at(address);	/* enum memory */

		if (memory == MEMORY_PENDING) {
			/* Whoever goes on takes it for a return address, also where a
			 * signal interrupted. */
			if (index)
				walk->ip = address + 1;
			walk_pending(walk);
			scratch->unknown_leaf = !index;
			return 1;
		}
		found.in_jit = memory == MEMORY_JIT;
	}
	if (!index) {
		scratch->unknown_leaf = !found.size && (found.in_jit || found.in_image);
		count_leaf(&found, scratch->event);
	}
	if (!is_return && leaf_step(scratch, &found))
		return walk->done ? 1 : 0;
	/* (Whoever goes on takes a frame that a signal interrupted for a caller: then the
	 * byte before is looked up, and one in a body's first instruction stays unknown.) */
	if (is_untold(scratch, &found))
		walk_pending(walk);
	else
		shape_step(walk, found.shape);
	return walk->done ? 1 : 0;
}

/* A whole stack of a thread, leaf first, into scratch->record. */
static __always_inline void walk_stack(struct walk_scratch *scratch, __u32 thread)
{
	struct walking walking = { .scratch = scratch,
				   .path = path_of(&scratch->walk.returns, thread) };

	bpf_loop(TS_FRAMES_MAX + 1, walk_one, &walking, 0);
	path_end(walking.path, &scratch->walk.place);
}

#endif /* TIERSCOPE_UNWIND_BPF_H */
