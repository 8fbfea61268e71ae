/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The journal: shared memory that the hook writes and the loader reads.  It
 * holds every code body and module of the process, so that a loader which
 * comes late, or lost events, ends up with the same truth as one that was
 * there from the start.
 *
 *   offset 0                     struct ts_journal_header
 *   header.records_offset        struct ts_journal_record[records_capacity]
 *   header.text_offset           text area, text_capacity bytes
 *   header.precompiled_offset    struct ts_precompiled[precompiled_capacity]
 *   TS_MAILBOX_OFFSET            struct ts_mailbox: the one thing that flows back
 *
 * It is a memfd called TS_JOURNAL_NAME, sealed with F_SEAL_SHRINK and
 * F_SEAL_GROW, so a reader's mapping can not fault.  Memory is touched only
 * as far as it is used.
 *
 * Writer: takes a free record, makes `state` odd, fills it in, stores an even
 * `state` with release order.  Reader: load state (acquire), skip 0 and odd,
 * copy, load state again, retry if it moved.  Everything in here comes from
 * the target: the loader believes no offset, size or count unchecked.
 */
#ifndef TIERSCOPE_ABI_JOURNAL_H
#define TIERSCOPE_ABI_JOURNAL_H

#include "body.h"

#define TS_JOURNAL_NAME		"tierscope-journal"
#define TS_JOURNAL_MAGIC	0x4c4e524a50435354ULL	/* "TSCPJRNL" */
#define TS_JOURNAL_LAYOUT	2
#define TS_JOURNAL_BYTES_DEFAULT (64u << 20)
#define TS_TEXT_MAX		65535u	/* longest text of one record, bytes */

enum ts_record_kind {
	TS_RECORD_CODE = 1,
	TS_RECORD_MODULE = 2,
};

enum ts_record_flags {
	TS_RECORD_CATCH_UP = 1 << 0,	/* found after the fact, not by event */
	TS_RECORD_DYNAMIC = 1 << 1,	/* dynamic method or IL stub */
	TS_RECORD_GENERIC = 1 << 2,
	TS_RECORD_SHARED_GENERIC = 1 << 3,
	TS_RECORD_REJIT_UNKNOWN = 1 << 4, /* rejit_id is not 0, number unknown */
	TS_RECORD_TIER_UNKNOWN = 1 << 5,
	TS_RECORD_TEXT_CUT = 1 << 6,	/* the text was longer than TS_TEXT_MAX */
	TS_RECORD_COLLECTIBLE = 1 << 7,
};

/*
 * Text of a code record: four UTF-8 strings, each ended by NUL:
 *
 *   type \0 method \0 signature \0 method type arguments \0
 *
 * type       as the runtime spells it, e.g. NS.Gen`1[System.Int32]
 * signature  as the runtime spells it, e.g. "instance void  (int32,class A.B)"
 * arguments  comma separated runtime spellings, "" for none
 *
 * Text of a module record: path \0.
 */
struct ts_journal_record {
	__u32 state;		/* 0 free, odd being written, even committed */
	__u16 kind;		/* enum ts_record_kind */
	__u16 flags;		/* enum ts_record_flags */
	__u64 sequence;		/* of the birth, process-wide, from 1 */
	__u64 death_sequence;	/* 0 while alive */
	__u64 born_ns;		/* CLOCK_MONOTONIC; for catch-up: when found */
	__u64 died_ns;		/* 0 while alive */
	__u64 function_id;
	__u64 module_id;
	__u64 start;		/* code start, or image base (0: unknown) */
	__u64 entry_cell;	/* address of the entry cell, 0 unknown */
	__u64 text_address;	/* of the text, in the target's memory */
	__u32 text_offset;	/* of the text, in the text area */
	__u32 text_size;	/* bytes, NULs included */
	__u32 size;		/* bytes of code, or of the image (0: unknown) */
	__u32 token;
	__u32 rejit_id;
	__u32 native_version;
	__u32 osr_il_offset;	/* TS_NO_IL_OFFSET when not OSR */
	__u32 shape;		/* TS_SHAPE */
	__u32 tier;		/* enum ts_tier */
	__u32 thread;		/* that compiled it, 0 unknown */
	__u64 reserved;
};

_Static_assert(sizeof(struct ts_journal_record) == 128, "record layout");
_Static_assert(__builtin_offsetof(struct ts_journal_record, text_offset) == 80,
	       "record layout");

/*
 * A function whose precompiled code is in use.  Written once, `start` last; never
 * taken back.  start 0: the runtime had not looked the code up yet when it was last
 * asked.  function_id 0: an address from the mailbox that the runtime cannot name.
 */
struct ts_precompiled {
	__u64 function_id;
	__u64 start;		/* address of its code, or as asked in the mailbox */
};

_Static_assert(sizeof(struct ts_precompiled) == 16, "precompiled layout");

/*
 * Loader to hook.  An asker claims a turn (compare and swap on `asked`) while
 * asked - taken is below TS_MAILBOX_SLOTS, stores the address into slot turn % SLOTS,
 * counts `bell` up, and wakes it: a futex shared by both processes.  A slot that stays
 * 0, of an asker that was killed, is passed over.  The hook's
 * helper thread sleeps on the bell, answers into the precompiled array, clears the
 * slot and counts `taken` up.  A command is stored when the field is 0, and set back
 * to 0 by the hook when it has been carried out; RESUME when the catch-up is done.
 * A detach that succeeds leaves it: the state becomes GONE.
 */
#define TS_MAILBOX_OFFSET	1024u
#define TS_MAILBOX_SLOTS	256u

enum ts_hook_command {
	TS_COMMAND_NONE = 0,
	TS_COMMAND_REST = 1,	/* stop the session: nobody listens any more */
	TS_COMMAND_RESUME = 2,	/* open it again, and catch up */
	TS_COMMAND_DETACH = 3,	/* leave the process */
};

/* A result of the hook's own, beside the runtime's: somebody still listens. */
#define TS_RESULT_BUSY 0x800700aau

struct ts_mailbox {
	__u32 bell;		/* the futex */
	__u32 asked;
	__u32 taken;
	__u32 command;		/* enum ts_hook_command */
	__u32 result;		/* HRESULT of the last command */
	__u32 reserved;
	__u64 addresses[TS_MAILBOX_SLOTS];
};

/* Why the journal or the hook could not keep something; index of counters. */
enum ts_hook_counter {
	TS_HOOK_EVENTS = 0,		/* EventPipe events seen */
	TS_HOOK_CODE_LOADS,
	TS_HOOK_CODE_UNLOADS,
	/* No free record: published, not kept.  Or a catch-up has passed over code that
	 * may be freed, once for however many bodies: profiler_hook/asking.h. */
	TS_HOOK_RECORD_OVERFLOW,
	TS_HOOK_TEXT_OVERFLOW,		/* no room for the text */
	TS_HOOK_BAD_EVENT,		/* payload did not decode */
	TS_HOOK_API_FAILED,		/* a runtime call failed */
	TS_HOOK_CATCH_UP_BODIES,
	TS_HOOK_CATCH_UP_NS,		/* how long the last catch-up took */
	TS_HOOK_CALLBACKS,		/* JIT callbacks seen */
	TS_HOOK_CACHE_SEARCHES,		/* cache-search callbacks seen */
	TS_HOOK_PRECOMPILED_OVERFLOW,	/* no room in the precompiled array */
	TS_HOOK_MAILBOX_ANSWERS,
	TS_HOOK_SESSIONS,		/* sessions opened so far */
	TS_HOOK_PATCHES,		/* changes of entry cells that a probe told of */
	TS_HOOK_PATCH_OVERFLOW,		/* no room to wait for one */
	TS_HOOK_CELLS_UNKNOWN,		/* functions whose entry cell could not be told */
	TS_HOOK_TIERING,		/* events of tiering as a whole */
	TS_HOOK_COUNTERS = 32
};

enum ts_hook_state {
	TS_HOOK_STARTING = 0,
	TS_HOOK_LIVE = 1,		/* session open, catch-up done */
	TS_HOOK_FAILED = 2,		/* session could not be opened */
	TS_HOOK_RESTING = 3,		/* attached, and nobody listens: no session */
	TS_HOOK_GONE = 4,		/* detached: this journal is kept no more */
};

/* Where bodies come from at the moment. */
enum ts_hook_source {
	TS_SOURCE_SESSION = 0,
	TS_SOURCE_CALLBACKS = 1, /* launched: the session is opened later */
};

struct ts_journal_header {
	__u64 magic;
	__u32 layout;
	__u32 header_bytes;
	__u64 total_bytes;
	__u32 record_bytes;
	__u32 records_capacity;
	__u64 records_offset;
	__u64 text_offset;
	__u64 text_capacity;
	__u32 records_used;	/* high-water mark; records beyond are free */
	__u32 pid;		/* in the target's own namespace */
	__u64 text_used;
	__u64 sequence;		/* last one given out */
	__s32 journal_fd;	/* numbers in the target */
	__u32 source;		/* enum ts_hook_source */
	__u32 state;		/* enum ts_hook_state */
	__u32 attached;		/* 1 attached late, 0 launched with the hook */
	__u16 runtime_major;
	__u16 runtime_minor;
	__u16 runtime_build;
	__u16 runtime_revision;
	__u32 failure;		/* HRESULT when state is FAILED */
	__u32 main_profiler;	/* 1 when another profiler holds the main slot */
	__u64 live_ns;		/* when state became LIVE */
	char hook_version[32];
	__u64 precompiled_offset;
	__u32 precompiled_capacity;
	__u32 precompiled_used;	/* may run ahead of what is written */
	__u64 counters[TS_HOOK_COUNTERS];
};

_Static_assert(sizeof(struct ts_journal_header) <= TS_MAILBOX_OFFSET,
	       "the header lies before the mailbox");

#define TS_JOURNAL_RECORDS_OFFSET	4096u

_Static_assert(TS_MAILBOX_OFFSET + sizeof(struct ts_mailbox) <=
		       TS_JOURNAL_RECORDS_OFFSET,
	       "the mailbox lies before the records");

/* CLSID of the hook: {7A5C09E1-3B52-4D64-9C1E-7E1D5C09E001} */
#define TS_HOOK_CLSID_STRING "{7A5C09E1-3B52-4D64-9C1E-7E1D5C09E001}"
#define TS_HOOK_CLSID_BYTES { \
	0xe1, 0x09, 0x5c, 0x7a, 0x52, 0x3b, 0x64, 0x4d, \
	0x9c, 0x1e, 0x7e, 0x1d, 0x5c, 0x09, 0xe0, 0x01 }

#endif /* TIERSCOPE_ABI_JOURNAL_H */
