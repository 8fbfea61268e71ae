/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * When calls of a function reach its new body: the probes stub_patch and stub_patches.
 *
 * The runtime tells of a body before it publishes it, and of that no more.  So each new
 * body waits in a small set until its function's entry cell leads to it:
 *
 *   born ─→ waits ─┬─ next event of the same thread ─┬→ reached: is told
 *                  └─ the helper thread ─────────────┴→ not yet: waits on, a second at most
 *
 * By its next event a thread has mostly published what it compiled before.  The helper
 * thread looks at what is left while there is any, and sleeps without a time-out
 * otherwise.  The window of the change begins when the cell was last seen to lead
 * elsewhere, which is at the body's birth at first.  Of changes that follow no compilation
 * nothing is known here; the loader reads the cells from outside.
 *
 * All of it is done only while somebody listens to one of them.  Nobody waits for anybody:
 * an entry that another thread looks at is passed over, and given back before the probe.
 */
#ifndef TIERSCOPE_HOOK_PATCHES_H
#define TIERSCOPE_HOOK_PATCHES_H

#include "../abi/journal.h"

#include <stdbool.h>
#include <stdint.h>

struct hook;
struct waiting;

struct patches {
	struct waiting *waiting; /* in buckets by thread: see patches.c */
	uint32_t count;		 /* that wait */
	uint32_t awake;		 /* the helper thread knows of them */
	uint32_t births;	 /* so far; one may be missed */
	/* The helper thread's own: */
	uint32_t births_seen;
	uint32_t looks;		 /* since it woke */
	uint32_t idle;		 /* of those, the last ones with nothing new */
};

/* -ENOMEM. */
int patches__create(struct patches *patches);
void patches__destroy(struct patches *patches);

/* A body was born, on this thread, which has not published it yet. */
void patches__born(struct hook *hook, const struct ts_journal_record *record);

/* At any event: looks at what this thread compiled before. */
void patches__event(struct hook *hook);

/* What was seen and not told so far: at the end. */
void patches__tell_all(struct hook *hook);

/* The helper thread's turn: looks at all that waits, and tells.  When the next one is due, 0: never,
 * patches__born rings. */
uint64_t patches__watch(struct hook *hook, uint64_t now);

#endif /* TIERSCOPE_HOOK_PATCHES_H */
