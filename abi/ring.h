/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * What the BPF programs send to the loader, through two rings: `samples` and
 * `code_events`.  The loader drains samples first, then code events, then
 * resolves; a body's event is reserved before the body can be sampled, so
 * each sampled body is known by then.
 */
#ifndef TIERSCOPE_ABI_RING_H
#define TIERSCOPE_ABI_RING_H

#include "journal.h"

enum ts_event_type {
	TS_EVENT_SAMPLE = 1,
	TS_EVENT_CODE_LOAD = 2,
	TS_EVENT_CODE_UNLOAD = 3,
	TS_EVENT_MODULE_LOAD = 4,
	TS_EVENT_MODULE_UNLOAD = 5,
	TS_EVENT_FORK = 6,
	TS_EVENT_EXEC = 7,
	TS_EVENT_EXIT = 8,
	TS_EVENT_STUB_PATCH = 9,
	TS_EVENT_OFF_CPU_END = 10,	/* these two among the samples: abi/offcpu.h */
	TS_EVENT_THREAD_END = 11,
	TS_EVENT_TIERING = 12,
};

struct ts_event {
	__u32 type;		/* enum ts_event_type */
	__u32 size;		/* bytes, this header included */
	__u64 time_ns;		/* CLOCK_MONOTONIC */
	__u32 space;		/* the process, as numbered by the kernel side */
	__u32 pid;		/* thread group, in the initial namespace */
	__u32 tid;
	__u32 cpu;
};

_Static_assert(sizeof(struct ts_event) == 32, "event header layout");

/*
 * One frame of a stack, in one word; the top four bits tell which:
 *
 *   0   a user address that no table knew
 *   1   a JIT body:  generation (bits 32..59), row (bits 0..31)
 *   2   an image:    image number (bits 32..59), offset from its base (RVA)
 *   15  a kernel address, as it is
 */
enum ts_frame_tag {
	TS_FRAME_TAG_RAW = 0,
	TS_FRAME_TAG_BODY = 1,
	TS_FRAME_TAG_IMAGE = 2,
	TS_FRAME_TAG_KERNEL = 15,
};
#define TS_FRAME_TAG(frame)	((__u32)((frame) >> 60))
#define TS_FRAME_HIGH(frame)	((__u32)((frame) >> 32) & 0x0fffffffu)
#define TS_FRAME_LOW(frame)	((__u32)(frame))
#define TS_FRAME_MAKE(tag, high, low) \
	(((__u64)(tag) << 60) | ((__u64)((high) & 0x0fffffffu) << 32) | \
	 (__u32)(low))

#define TS_FRAMES_MAX		127	/* user frames of one sample */

/* Why a walk ended, or what it could not be sure of. */
enum ts_sample_flags {
	TS_SAMPLE_KERNEL_MODE = 1 << 0,	/* taken in the kernel; user stack below */
	TS_SAMPLE_TRUNCATED = 1 << 1,	/* more frames than TS_FRAMES_MAX */
	TS_SAMPLE_BAD_FRAME = 1 << 2,	/* a frame could not be read */
	TS_SAMPLE_TABLE_PENDING = 1 << 3, /* met an image without its table, or a body
					   * that no event had told of */
	TS_SAMPLE_LEAF_PROLOG = 1 << 4,
	TS_SAMPLE_LEAF_EPILOG = 1 << 5,
	TS_SAMPLE_NATIVE_END = 1 << 6,	/* native code without a rule that kept no rbp chain */
	TS_SAMPLE_CODE = 1 << 7,	/* TS_CODE_BYTES follow the frames */
	TS_SAMPLE_STACK = 1 << 8,	/* a struct ts_stack_piece follows those */
	TS_SAMPLE_KERNEL_CUT = 1 << 9,	/* more than TS_KERNEL_FRAMES_MAX: those
					 * nearest to user mode are missing */
	TS_SAMPLE_HIJACKED = 1 << 10,	/* the runtime had hidden a return address;
					 * set by the loader */
	TS_SAMPLE_HIT = 1 << 11,	/* a struct ts_hit follows all the rest */
	TS_SAMPLE_OFF_CPU = 1 << 12,	/* a struct ts_off_cpu does */
};

/* In the cookie of an event's program, beside the index of the event. */
#define TS_COOKIE_EVENT		0xffu
#define TS_COOKIE_WATCHPOINT	0x100u	/* the event is a hardware watchpoint */

/* What a thread wrote to a word that is watched. */
struct ts_hit {
	__u64 address;
	__u64 word;		/* that is there now */
};

_Static_assert(sizeof(struct ts_hit) == 16, "hit layout");

/*
 * Where the leaf is in JIT memory or in an image but in no function, most often
 * a stub: the bytes around it, as they were when it ran, ip at TS_CODE_BEFORE.
 */
#define TS_CODE_BYTES		192
#define TS_CODE_BEFORE		96

struct ts_sample {
	struct ts_event header;
	__u64 ip;		/* where the thread was in user mode */
	__u16 event;		/* index of the event that fired */
	__u16 flags;		/* enum ts_sample_flags */
	__u16 frames_count;	/* user frames */
	__u16 kernel_count;	/* kernel frames, which follow the user frames */
	char comm[16];		/* the thread's name, not always NUL-ended */
	/* User frames, leaf first; kernel frames, leaf first; then perhaps code
	 * bytes; then perhaps a stack piece; then perhaps a hit, or what it waits for. */
	__u64 frames[];
};

_Static_assert(sizeof(struct ts_sample) == 64, "sample layout");

#define TS_KERNEL_FRAMES_MAX	64

/*
 * Where the walk came to an address of which no table said what it is (a file mapped
 * a moment ago, a body whose event is to come): the registers at that frame and the
 * stack above, for the loader to walk on once it knows.  The frame itself is the last of
 * the user frames.
 */
#define TS_STACK_PIECE_MAX	16384u
struct ts_stack_piece {
	__u64 ip, sp, bp, r10, rbx;
	__u32 bytes;		/* that follow, from sp on; a multiple of 8 */
	__u32 reserved;
	__u8 stack[];
};

_Static_assert(sizeof(struct ts_stack_piece) == 48, "stack piece layout");

/* A load or unload of code or of a module. */
struct ts_code_event {
	struct ts_event header;
	__u32 row;		/* of the code map; 0 none */
	__u32 generation;	/* of the row */
	struct ts_journal_record record;
	__u32 text_size;	/* bytes of text that follow, may be cut */
	__u32 reserved;
	char text[];
};

_Static_assert(sizeof(struct ts_code_event) == 176, "code event layout");

/* What the hook saw of entry cells. */
struct ts_patch_event {
	struct ts_event header;
	struct ts_stub_patches told;
};

_Static_assert(sizeof(struct ts_patch_event) == 616, "patch event layout");

/* What the runtime told of tiering as a whole. */
struct ts_tiering_event {
	struct ts_event header;
	__u32 kind;		/* enum ts_tiering_kind */
	__u32 pending;		/* methods; each 0 where the kind has none */
	__u32 new_methods;
	__u32 compiled;
};

_Static_assert(sizeof(struct ts_tiering_event) == 48, "tiering event layout");

/* Fork, exec, exit. */
struct ts_process_event {
	struct ts_event header;
	__u32 parent;		/* pid, fork only */
	__u32 child_pid;	/* fork only; it shares the space until exec */
	__s32 exit_code;	/* exit only, as wait(2) gives it */
	__u32 reserved;
	char comm[16];
};

_Static_assert(sizeof(struct ts_process_event) == 64, "process event layout");

#endif /* TIERSCOPE_ABI_RING_H */
