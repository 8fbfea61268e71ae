/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * A space is a process as the kernel side numbers it: given at first sight,
 * renewed at exec, passed on at fork, dropped at exit.  Numbers are not
 * reused.  And the arguments of the loader's calls into the kernel side.
 */
#ifndef TIERSCOPE_ABI_SPACE_H
#define TIERSCOPE_ABI_SPACE_H

#include "ring.h"

enum ts_space_flags {
	TS_SPACE_FOLLOW = 1 << 0,	/* children belong to the recording too */
	TS_SPACE_PENDING = 1 << 1,	/* not sampled before its first exec */
};

struct ts_space {
	__u32 number;
	__u32 flags;		/* enum ts_space_flags */
	__u32 bodies;		/* alive now: a process may have only so many */
	__u32 pages;		/* of JIT code that it took; the same */
	__u64 since_ns;		/* it is in the recording, as this program */
};
_Static_assert(sizeof(struct ts_space) == 24, "space layout");

/* Take a process into the recording (door_adopt). */
struct ts_adopt {
	__u32 pid;
	__u32 flags;
	__u32 number;		/* out */
	__s32 error;		/* out: 0 or -Exxx */
};

/* Insert one body that the journal told of (door_insert). */
struct ts_insert {
	__u32 space;
	__u32 pid;
	struct ts_journal_record record;
	__u32 row;		/* out */
	__u32 generation;	/* out */
	__s32 error;		/* out */
	__u32 reserved;
};

/* Remove one body, or all that is left of a page (door_remove). */
struct ts_remove {
	__u32 space;
	__u32 whole_page;	/* 1: give the page of `start` back */
	__u64 start;
	__s32 error;		/* out */
	__u32 reserved;
};

/* Look one address up (door_find); also the test's view of the code map. */
struct ts_find {
	__u32 space;
	__u32 reserved;
	__u64 address;
	__u64 frame;		/* out */
	__u32 shape;		/* out */
	__u32 offset;		/* out: from the start of body or function */
};

/*
 * Walk on from a stack piece (door_finish).  It lies in a map of its own, of one
 * element, mapped into the loader: an argument could not be as large.
 */
struct ts_finish {
	__u32 space;
	__u32 event;		/* index, to count a leaf */
	__u32 first;		/* which frame of the sample it is; 0 the leaf */
	__u32 code_bytes;	/* around ip, as TS_SAMPLE_CODE; 0 or TS_CODE_BYTES */
	__u64 ip, sp, bp, r10, rbx;
	__u32 bytes;		/* of stack */
	__u32 flags;		/* out: enum ts_sample_flags */
	__u32 count;		/* out: frames, those before `first` included */
	__u32 reserved;
	__u64 frames[TS_FRAMES_MAX + 1];	/* out: those from `first` on */
	__u8 code[256];
	__u8 stack[TS_STACK_PIECE_MAX];
};

#endif /* TIERSCOPE_ABI_SPACE_H */
