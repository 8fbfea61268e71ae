/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * What one native code body is: its tier and how a stack is unwound through
 * it.  Shared by the hook, the BPF programs and the loader.
 *
 * This folder, abi/, holds every layout that crosses a border between two of
 * the three parts, once, with asserts that both compilers check.
 */
#ifndef TIERSCOPE_ABI_BODY_H
#define TIERSCOPE_ABI_BODY_H

#ifndef __bpf__
#include <linux/types.h>
#include <stddef.h>
#endif

/*
 * The memory file in which the runtime keeps code and stubs with W^X, as the kernel calls
 * it; in paths of mappings a slash stands before it (v8 to v10).
 */
#define TS_CODE_MEMORY "memfd:doublemapper"

/*
 * The runtime's own numbering, (MethodFlags >> 7) & 7 of MethodLoadVerbose
 * (dotnet/runtime src/coreclr/inc/eventtracebase.h, v8 to v10).  Precompiled
 * code never gets that event; its value, 8, is ours.
 */
enum ts_tier {
	TS_TIER_UNKNOWN = 0,
	TS_TIER_MIN_OPT = 1,
	TS_TIER_OPTIMIZED = 2,
	TS_TIER_QUICK = 3,
	TS_TIER_1 = 4,
	TS_TIER_1_OSR = 5,
	TS_TIER_QUICK_INSTRUMENTED = 6,
	TS_TIER_1_INSTRUMENTED = 7,
	TS_TIER_READY_TO_RUN = 8,
	TS_TIER_COUNT
};

/*
 * Where the return address of a frame lies, once the prolog has run.  A slot
 * is 8 bytes.
 *
 *   FRAMED      [rbp + 8], caller's rbp at [rbp]
 *   FRAMELESS   [rsp + 8 * slots]; rbp is the caller's already
 *   OSR         [rbp + 16 + 8 * slots], caller's rbp at [rbp]: the frame of
 *               the tier-0 body, `slots` long, still lies below the caller
 *   UNKNOWN     not decoded; the walk assumes FRAMED and says so
 */
enum ts_frame_kind {
	TS_FRAME_UNKNOWN = 0,
	TS_FRAME_FRAMED = 1,
	TS_FRAME_FRAMELESS = 2,
	TS_FRAME_OSR = 3,
	TS_FRAME_COUNT
};

/*
 * Native code has no frame of one shape: a table of its file says for each address how
 * the caller is found, with rsp and rbp as they are there (user/unwind makes it).  The
 * rules are kinds of shapes too.  CFA is the caller's rsp, the return address lies
 * right below it; `slots` s and `prolog` p of the shape are numbers of words:
 *
 *   RSP         CFA = rsp + 8s; caller's rbp at [CFA - 8p], p 0: unchanged
 *   RBP         CFA = rbp + 8s; the same
 *   ALIGNED     CFA = [rbp - 8s], caller's rbp at [rbp]
 *   R10         CFA = r10, on the way into such a frame and out of it, where nothing is
 *               called; rbp is the caller's, or points into the frame to where that is
 *   PLT         CFA = rsp + 8s, from byte p of each 16 on rsp + 8s + 8; rbp unchanged
 *   RBX         CFA = rbx + 8s, where the thread stands; of a caller rbx is at [rsp - 8p],
 *               where its callee saved it, or with p 0 nowhere; rbp unchanged
 *   SIGNAL      a signal's handler returns here: rip, rsp and rbp of what it
 *               interrupted are in the kernel's frame, from rsp on
 *   END         nobody called
 */
enum ts_rule_kind {
	TS_RULE_RSP = TS_FRAME_COUNT,
	TS_RULE_RBP,
	TS_RULE_ALIGNED,
	TS_RULE_R10,
	TS_RULE_PLT,
	TS_RULE_SIGNAL,
	TS_RULE_END,
	TS_RULE_RBX,
	TS_RULE_COUNT
};
_Static_assert(TS_RULE_COUNT <= 16, "kinds have four bits");

/*
 * What SIGNAL reads: struct ucontext of the kernel (arch/x86/include/uapi/asm/ucontext.h
 * and sigcontext.h), which begins where rsp points once the handler has returned.
 */
#define TS_SIGNAL_R10	56
#define TS_SIGNAL_RBP	120
#define TS_SIGNAL_RBX	128
#define TS_SIGNAL_RSP	160
#define TS_SIGNAL_RIP	168

/*
 * A frame shape in one word, small enough for a kernel table row:
 *
 *    31            12 11         4 3      0
 *   +----------------+------------+--------+
 *   |     slots      | prolog len |  kind  |
 *   +----------------+------------+--------+
 *
 * Prolog length is in bytes, up to and including the instruction that sets
 * rbp (framed, OSR) or that last moves rsp (frameless).
 */
#define TS_SHAPE_SLOTS_MAX	0xfffffu
#define TS_SHAPE_PROLOG_MAX	0xffu
#define TS_SHAPE(kind, prolog, slots) \
	(((__u32)(slots) << 12) | (((__u32)(prolog) & 0xffu) << 4) | \
	 ((__u32)(kind) & 0xfu))
#define TS_SHAPE_KIND(shape)	((shape) & 0xfu)
#define TS_SHAPE_PROLOG(shape)	(((shape) >> 4) & 0xffu)
#define TS_SHAPE_SLOTS(shape)	((shape) >> 12)

#define TS_NO_IL_OFFSET		0xffffffffu

/* An entry cell: the word that decides which body runs when a function is called. */
enum ts_cell_kind {
	TS_CELL_PRECODE = 0,	/* the target of the function's precode */
	TS_CELL_SLOT = 1,	/* of a method table; it may lead on to a precode */
	TS_CELL_COUNT
};

/* What it leads to. */
enum ts_target {
	TS_TARGET_UNKNOWN = 0,
	TS_TARGET_PRESTUB = 1,	/* the next caller has a body compiled, or looked up */
	TS_TARGET_BODY = 2,
	TS_TARGET_CALL_COUNTING = 3,	/* a body, by way of the stub that counts calls */
	TS_TARGET_COUNT
};

/* How far the runtime has come with an IL version that a ReJIT asked for. */
enum ts_il_state {
	TS_IL_UNKNOWN = 0,
	TS_IL_REQUESTED = 1,	/* nobody has called the method since */
	TS_IL_PREPARING = 2,	/* the profiler is being asked for the IL */
	TS_IL_READY = 3,	/* its IL is there; bodies are compiled when they are called */
	TS_IL_COUNT
};

/* What the runtime tells of tiering as a whole; counts that come with it in the same words. */
enum ts_tiering_kind {
	TS_TIERING_UNKNOWN = 0,
	/* A method was called for the first time: no calls are counted, and nothing is compiled
	 * in the background, until for a while no other one is. */
	TS_TIERING_DELAY_BEGAN = 1,
	TS_TIERING_DELAY_ENDED = 2,	/* new methods */
	/* The background thread compiles, for some milliseconds at a time. */
	TS_TIERING_BATCH_BEGAN = 3,	/* methods pending */
	TS_TIERING_BATCH_ENDED = 4,	/* methods pending, and compiled in this batch */
	TS_TIERING_COUNT
};

/* A change of an entry cell that the hook saw: calls of the function reach a body now. */
struct ts_stub_patch {
	__u64 sequence;		/* of patches, from 1 */
	__u64 function_id;
	__u64 cell;		/* its address */
	__u64 words[2];		/* in it before, 0 where that was not seen; and now */
	__u64 window_ns[2];	/* of the change; CLOCK_MONOTONIC */
	__u64 start;		/* of the body */
	__u32 kind;		/* enum ts_cell_kind */
	__u32 target;		/* enum ts_target */
};

_Static_assert(sizeof(struct ts_stub_patch) == 72, "patch layout");

#define TS_PATCHES_MAX	8	/* told at once */
struct ts_stub_patches {
	struct ts_stub_patch patches[TS_PATCHES_MAX];	/* `count` of them mean something */
	__u64 count;
};

#endif /* TIERSCOPE_ABI_BODY_H */
