/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The set is split into buckets by thread, so that a thread finds its own entries at once:
 * one that compiles more than a bucket holds without publishing any of it, or many threads
 * that share one, lose some, which is counted.
 *
 * An entry's state:   FREE ─→ TAKEN ─→ WAITS ─→ TAKEN ─→ WAITS, DONE or FREE
 *                        fills it in       looks at it
 *                     DONE ─→ TAKEN ─→ FREE
 *                          tells of it
 *
 * A probe costs a microsecond, and is fired by threads that have other things to do.  So
 * what is DONE waits, for the listener to stub_patches, until a bucket is full or the
 * helper thread comes by, some milliseconds later, and is told some at a time.
 */
#include "patches.h"

#include "bodies.h"
#include "cells.h"
#include "helper.h"
#include "hook.h"
#include "memory.h"
#include "probes.h"

#include <errno.h>

#define BUCKETS 64u
#define BUCKET	TS_PATCHES_MAX

#define MS	 1000000ull
#define WAIT_NS	 (1000 * MS) /* for a body to be reached at all */
#define SOON_NS	 (1 * MS)    /* between the helper's first two looks */
#define DOUBLED	 5u	     /* times, while bodies come and go: threads look too */
#define RARE_NS	 (50 * MS)   /* when what waits has waited long */
#define IDLE	 2u	     /* looks without a birth before, until it sleeps */

enum waiting_state { FREE, TAKEN, WAITS, DONE };

struct waiting {
	uint32_t state;
	uintptr_t thread;
	struct cells_question body;
	uint64_t sequence; /* of the birth */
	uint64_t born_ns;
	uint64_t seen_ns; /* that the cell led elsewhere */
	struct entry_cell cell; /* address 0: it could not be told so far */
	struct entry_state before;
	struct ts_stub_patch patch; /* when it is DONE */
};

int patches__create(struct patches *patches)
{
	patches->waiting = memory__map(BUCKETS * BUCKET * sizeof(*patches->waiting));
	return patches->waiting ? 0 : -ENOMEM;
}

void patches__destroy(struct patches *patches)
{
	memory__unmap(patches->waiting, BUCKETS * BUCKET * sizeof(*patches->waiting));
	patches->waiting = NULL;
}

static struct waiting *bucket_of(struct patches *patches, uintptr_t thread)
{
	return patches->waiting + BUCKET * hook__slot_of(thread, BUCKETS);
}

static bool take(struct waiting *waiting, uint32_t from)
{
	return __atomic_load_n(&waiting->state, __ATOMIC_RELAXED) == from &&
	       __atomic_compare_exchange_n(&waiting->state, &from, TAKEN, 0,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void give_back(struct waiting *waiting, uint32_t state)
{
	__atomic_store_n(&waiting->state, state, __ATOMIC_RELEASE);
}

/* --- telling ------------------------------------------------------------------------ */

static void finish(struct hook *hook, struct waiting *waiting)
{
	give_back(waiting, FREE);
	__atomic_fetch_sub(&hook->patches.count, 1, __ATOMIC_SEQ_CST);
}

/* Of a bucket; true: there was something. */
static bool tell(struct hook *hook, struct waiting *bucket)
{
	struct ts_stub_patches told = {.count = 0};

	for (unsigned int i = 0; i < BUCKET; i++) {
		if (!take(&bucket[i], DONE))
			continue;
		told.patches[told.count++] = bucket[i].patch;
		finish(hook, &bucket[i]);
	}
	if (told.count)
		probes__stub_patches(&told);
	return told.count;
}

void patches__tell_all(struct hook *hook)
{
	for (unsigned int i = 0; i < BUCKETS; i++)
		(void)tell(hook, hook->patches.waiting + BUCKET * i);
}

static bool are_listened(void)
{
	return probes__stub_patches_are_listened() || probes__stub_patch_is_listened();
}

/* --- births ------------------------------------------------------------------------- */

/* Code that can be freed is not versioned, and OSR code is reached from a loop only. */
static bool can_be_reached(const struct ts_journal_record *record)
{
	return !(record->flags & (TS_RECORD_CATCH_UP | TS_RECORD_DYNAMIC |
				  TS_RECORD_COLLECTIBLE)) &&
	       record->tier != TS_TIER_1_OSR;
}

static bool add(struct patches *patches, const struct waiting *draft)
{
	struct waiting *bucket = bucket_of(patches, draft->thread);

	for (unsigned int i = 0; i < BUCKET; i++) {
		if (!take(&bucket[i], FREE))
			continue;
		bucket[i] = *draft; /* its state is TAKEN too */
		__atomic_fetch_add(&patches->count, 1, __ATOMIC_SEQ_CST);
		give_back(&bucket[i], WAITS);
		return true;
	}
	return false;
}

void patches__born(struct hook *hook, const struct ts_journal_record *record)
{
	struct patches *patches = &hook->patches;
	struct waiting draft;

	if (!are_listened() || !can_be_reached(record) ||
	    !cells__can_be_told(hook))
		return;
	draft = (struct waiting){
		.state = TAKEN,
		.thread = (uintptr_t)__builtin_thread_pointer(),
		.body = {record->function_id, record->start, true},
		.sequence = record->sequence,
		.born_ns = record->born_ns,
		.seen_ns = record->born_ns,
	};
	/* Precompiled code in a slot is not known here: once ours is there, it is. */
	if (cells__find(hook, &draft.body, &draft.cell, &draft.before)) {
		draft.cell.address = 0;
		draft.before = (struct entry_state){0};
	}
	/* Another thread was quicker: when, only the loader may know. */
	if (draft.before.body == record->start)
		return;
	/* From now on nobody holds it for us. */
	draft.body.alive = cells__lasts(hook, record->function_id);
	__atomic_store_n(&patches->births, patches->births + 1, __ATOMIC_RELAXED);
	if (!add(patches, &draft) &&
	    !(tell(hook, bucket_of(patches, draft.thread)) && add(patches, &draft)))
		hook__count(hook, TS_HOOK_PATCH_OVERFLOW);
	else if (!__atomic_load_n(&patches->awake, __ATOMIC_SEQ_CST) &&
		 !__atomic_exchange_n(&patches->awake, 1, __ATOMIC_SEQ_CST))
		helper__ring(hook);
}

/* --- looks -------------------------------------------------------------------------- */

static bool read_cell(struct hook *hook, struct waiting *waiting,
		      struct entry_state *ret_state)
{
	if (!waiting->cell.address) {
		if (!cells__find(hook, &waiting->body, &waiting->cell, ret_state))
			return true;
		waiting->cell.address = 0;
		return false;
	}
	return !cells__read(hook, &waiting->body, &waiting->cell, ret_state);
}

/* Calls reach a body that is newer than the one that waits. */
static bool is_passed_by(struct hook *hook, const struct waiting *waiting,
			 const struct entry_state *state)
{
	const struct ts_journal_record *record =
		state->body ? bodies__find(hook, state->body) : NULL;

	return record && record->sequence > waiting->sequence;
}

static struct ts_stub_patch patch_of(struct hook *hook, const struct waiting *waiting,
				     const struct entry_state *state, uint64_t until_ns)
{
	__u64 *told = &hook->journal.header->counters[TS_HOOK_PATCHES];

	return (struct ts_stub_patch){
		.sequence = __atomic_add_fetch(told, 1, __ATOMIC_RELAXED),
		.function_id = waiting->body.function,
		.cell = waiting->cell.address,
		.words = {waiting->before.word, state->word},
		.window_ns = {waiting->seen_ns, until_ns},
		.start = waiting->body.start,
		.kind = waiting->cell.kind,
		.target = state->target,
	};
}

/* Of an entry that the caller has taken; gives it back before the probe. */
static void settle(struct hook *hook, struct waiting *waiting,
		   const struct entry_state *state)
{
	struct ts_stub_patch patch = patch_of(hook, waiting, state, journal__now());

	if (probes__stub_patches_are_listened()) {
		waiting->patch = patch;
		give_back(waiting, DONE);
	} else {
		finish(hook, waiting);
	}
	probes__stub_patch(&patch);
}

/* Of an entry that the caller has taken; gives it back. */
static void look(struct hook *hook, struct waiting *waiting)
{
	struct entry_state state = {0};
	uint64_t now = journal__now();
	bool readable = read_cell(hook, waiting, &state);

	if (readable && state.body == waiting->body.start) {
		settle(hook, waiting, &state);
		return;
	}
	/* What cannot be told could be the way to it, caught while it is made. */
	if (readable && state.target != TS_TARGET_UNKNOWN) {
		waiting->seen_ns = now;
		waiting->before = state;
	}
	if (!are_listened() || now - waiting->born_ns > WAIT_NS ||
	    is_passed_by(hook, waiting, &state)) {
		if (!waiting->cell.address)
			hook__count(hook, TS_HOOK_CELLS_UNKNOWN);
		finish(hook, waiting);
	} else {
		give_back(waiting, WAITS);
	}
}

void patches__event(struct hook *hook)
{
	struct patches *patches = &hook->patches;
	uintptr_t thread = (uintptr_t)__builtin_thread_pointer();
	struct waiting *bucket;

	if (!__atomic_load_n(&patches->count, __ATOMIC_RELAXED))
		return;
	bucket = bucket_of(patches, thread);
	for (unsigned int i = 0; i < BUCKET; i++) {
		/* If it is another's by then, that is looked at. */
		if (__atomic_load_n(&bucket[i].thread, __ATOMIC_RELAXED) == thread &&
		    take(&bucket[i], WAITS))
			look(hook, &bucket[i]);
	}
}

/* --- the helper thread ---------------------------------------------------------------- */

/* When the youngest of those that wait on was born, 0: none does. */
static uint64_t look_at_all(struct hook *hook)
{
	uint64_t youngest = 0, born;

	for (unsigned int i = 0; i < BUCKETS * BUCKET; i++) {
		struct waiting *waiting = &hook->patches.waiting[i];

		if (!take(waiting, WAITS))
			continue;
		born = waiting->born_ns;
		look(hook, waiting);
		if (__atomic_load_n(&waiting->state, __ATOMIC_RELAXED) == WAITS &&
		    born > youngest)
			youngest = born;
	}
	patches__tell_all(hook);
	return youngest;
}

static uint64_t pause_before(uint32_t looks, uint64_t age)
{
	uint64_t pause = SOON_NS << (looks < DOUBLED ? looks : DOUBLED);

	if (age / 4 > pause)
		pause = age / 4 < RARE_NS ? age / 4 : RARE_NS;
	return pause;
}

uint64_t patches__watch(struct hook *hook, uint64_t now)
{
	struct patches *patches = &hook->patches;
	uint64_t youngest;
	uint32_t births;

	if (!__atomic_load_n(&patches->awake, __ATOMIC_SEQ_CST))
		return 0;
	births = __atomic_load_n(&patches->births, __ATOMIC_RELAXED);
	youngest = look_at_all(hook);
	patches->idle = youngest || births != patches->births_seen ? 0 : patches->idle + 1;
	patches->births_seen = births;
	if (patches->idle >= IDLE) {
		patches->looks = patches->idle = 0;
		__atomic_store_n(&patches->awake, 0, __ATOMIC_SEQ_CST);
		/* One that came in between found us awake, and did not ring. */
		if (!__atomic_load_n(&patches->count, __ATOMIC_SEQ_CST))
			return 0;
		__atomic_store_n(&patches->awake, 1, __ATOMIC_SEQ_CST);
	}
	return now + pause_before(patches->looks++,
				  youngest && now > youngest ? now - youngest : 0);
}
