/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Records and texts of the journal: taking, committing, killing, reusing.
 *
 * A text whose record can die (dynamic methods, collectible code, modules) lies
 * in a block of 64 << n bytes and goes to a free list when its record is
 * reused.  All others live as long as the process and are packed; the bodies of
 * one function share one.
 */
#include "journal.h"

#include <errno.h>
#include <string.h>

#define NO_TEXT UINT64_MAX

uint32_t journal__index_of(const struct journal *journal,
			   const struct ts_journal_record *record)
{
	return (uint32_t)(record - journal->records);
}

uint32_t journal__records_used(const struct journal *journal)
{
	uint32_t used =
		__atomic_load_n(&journal->header->records_used, __ATOMIC_ACQUIRE);

	return used < journal->capacity ? used : journal->capacity;
}

bool journal__is_mortal(const struct ts_journal_record *record)
{
	return record->kind == TS_RECORD_MODULE ||
	       (record->flags & (TS_RECORD_DYNAMIC | TS_RECORD_COLLECTIBLE));
}

/* --- text ------------------------------------------------------------------- */

static uint32_t text_class(uint32_t bytes)
{
	uint32_t class = 0;

	while (64u << class < bytes && class < JOURNAL_TEXT_CLASSES - 1)
		class ++;
	return class;
}

static uint64_t bump_text(struct journal *journal, uint64_t bytes)
{
	__u64 *used = &journal->header->text_used;
	__u64 offset = __atomic_load_n(used, __ATOMIC_RELAXED);
	__u64 end;

	bytes = (bytes + 7) & ~7ull;
	do {
		end = offset + bytes;
		if (offset % 8 || offset > journal->text_capacity ||
		    end > journal->text_capacity)
			return NO_TEXT;
	} while (!__atomic_compare_exchange_n(used, &offset, end, 1, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	return offset;
}

/* A free block's first four bytes are the next block + 1. */
static uint32_t *block_link(struct journal *journal, uint32_t block)
{
	return (uint32_t *)(void *)(journal->text + (uint64_t)block * 8);
}

static bool block_fits(const struct journal *journal, uint32_t block, uint32_t class)
{
	return (uint64_t)block * 8 + (64u << class) <= journal->text_capacity;
}

static uint64_t pop_text(struct journal *journal, uint32_t class)
{
	uint64_t *list = &journal->free_text[class];
	uint64_t head = __atomic_load_n(list, __ATOMIC_ACQUIRE);
	uint32_t block;
	uint64_t next;

	do {
		if (!(uint32_t)head)
			return NO_TEXT;
		block = (uint32_t)head - 1;
		if (!block_fits(journal, block, class))
			return NO_TEXT;
		/* May be rubbish when another thread just took this block; then
		 * the turn has moved on and the swap fails. */
		next = __atomic_load_n(block_link(journal, block), __ATOMIC_RELAXED);
		next |= ((head >> 32) + 1) << 32;
	} while (!__atomic_compare_exchange_n(list, &head, next, 1, __ATOMIC_ACQ_REL,
					      __ATOMIC_ACQUIRE));
	return (uint64_t)block * 8;
}

static void push_text(struct journal *journal, uint64_t offset, uint32_t class)
{
	uint64_t *list = &journal->free_text[class];
	uint64_t head = __atomic_load_n(list, __ATOMIC_RELAXED);
	uint32_t block = (uint32_t)(offset / 8);
	uint64_t next;

	if (offset % 8 || !block_fits(journal, block, class))
		return;
	do {
		__atomic_store_n(block_link(journal, block), (uint32_t)head,
				 __ATOMIC_RELAXED);
		next = (((head >> 32) + 1) << 32) | (block + 1);
	} while (!__atomic_compare_exchange_n(list, &head, next, 1, __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
}

/* --- records ------------------------------------------------------------------ */

static void push_dead(struct journal *journal, uint32_t index)
{
	uint32_t turn = __atomic_fetch_add(&journal->dead_tail, 1, __ATOMIC_ACQ_REL);

	__atomic_store_n(&journal->dead[turn & journal->dead_mask], index + 1,
			 __ATOMIC_RELEASE);
}

/*
 * The record that has been dead longest, if more than `linger` are dead; else
 * NULL.  A thread that pauses inside while 200,000 others come by can lose one
 * record for good; nothing worse.
 */
static struct ts_journal_record *pop_dead(struct journal *journal, uint32_t linger)
{
	uint32_t head = __atomic_load_n(&journal->dead_head, __ATOMIC_ACQUIRE);
	uint32_t *slot;
	uint32_t entry;

	do {
		uint32_t tail = __atomic_load_n(&journal->dead_tail, __ATOMIC_ACQUIRE);

		if ((int32_t)(tail - head) <= (int32_t)linger)
			return NULL;
		slot = &journal->dead[head & journal->dead_mask];
		if (!__atomic_load_n(slot, __ATOMIC_ACQUIRE))
			return NULL; /* its pusher is not done: take a fresh one */
	} while (!__atomic_compare_exchange_n(&journal->dead_head, &head, head + 1, 0,
					      __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	entry = __atomic_exchange_n(slot, 0, __ATOMIC_ACQ_REL);
	if (!entry || entry > journal->capacity)
		return NULL;
	return &journal->records[entry - 1];
}

static struct ts_journal_record *bump_record(struct journal *journal)
{
	__u32 *used = &journal->header->records_used;
	uint32_t index = __atomic_load_n(used, __ATOMIC_RELAXED);

	do {
		if (index >= journal->capacity)
			return NULL;
	} while (!__atomic_compare_exchange_n(used, &index, index + 1, 1,
					      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return &journal->records[index];
}

static void begin_writing(struct ts_journal_record *record)
{
	__atomic_store_n(&record->state, record->state | 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

void journal__commit(struct ts_journal_record *record)
{
	__atomic_store_n(&record->state, record->state + 1, __ATOMIC_RELEASE);
}

/* --- text into a record ----------------------------------------------------- */

static void release_text(struct journal *journal, struct ts_journal_record *record)
{
	if (record->text_size && journal__is_mortal(record))
		push_text(journal, record->text_offset, text_class(record->text_size));
	record->text_size = 0;
}

static uint64_t allocate_text(struct journal *journal, uint32_t bytes, bool mortal)
{
	uint32_t class = text_class(bytes);
	uint64_t offset = NO_TEXT;

	if (bytes > 64u << class)
		return NO_TEXT;
	if (mortal)
		offset = pop_text(journal, class);
	if (offset == NO_TEXT)
		offset = bump_text(journal, mortal ? 64u << class : bytes);
	return offset;
}

void journal__store_text(struct journal *journal, const struct text *text,
			 const struct text_plan *plan, bool mortal,
			 struct ts_journal_record *record)
{
	uint64_t offset = allocate_text(journal, plan->bytes, mortal);

	if (offset == NO_TEXT || offset > UINT32_MAX) {
		journal__count(journal, TS_HOOK_TEXT_OVERFLOW, 1);
		return;
	}
	text__write(text, plan, journal->text + offset);
	record->text_offset = (uint32_t)offset;
	record->text_size = plan->bytes;
	record->text_address = (uint64_t)(uintptr_t)(journal->text + offset);
}

/* --- life ------------------------------------------------------------------------ */

struct ts_journal_record *journal__take(struct journal *journal)
{
	uint32_t linger = journal->capacity / 4 < JOURNAL_LINGER ? journal->capacity / 4
								 : JOURNAL_LINGER;
	struct ts_journal_record *record = pop_dead(journal, linger);

	if (!record)
		record = bump_record(journal);
	if (!record)
		record = pop_dead(journal, 0);
	if (!record) {
		journal__count(journal, TS_HOOK_RECORD_OVERFLOW, 1);
		return NULL;
	}
	begin_writing(record);
	release_text(journal, record);
	return record;
}

void journal__fill(struct ts_journal_record *record,
		   const struct ts_journal_record *draft)
{
	_Static_assert(offsetof(struct ts_journal_record, state) == 0, "state first");
	memcpy((char *)record + sizeof(record->state),
	       (const char *)draft + sizeof(draft->state),
	       sizeof(*draft) - sizeof(draft->state));
}

void journal__abandon(struct journal *journal, struct ts_journal_record *record)
{
	release_text(journal, record);
	record->kind = 0;
	record->flags = 0;
	record->sequence = 0;
	__atomic_store_n(&record->state, 0, __ATOMIC_RELEASE);
	push_dead(journal, journal__index_of(journal, record));
}

int journal__kill(struct journal *journal, struct ts_journal_record *record,
		  uint64_t sequence, struct ts_journal_record *ret_dead)
{
	uint32_t state = __atomic_load_n(&record->state, __ATOMIC_ACQUIRE);

	if (state & 1)
		return -EAGAIN;
	if (!state || record->sequence != sequence || record->death_sequence)
		return -ENOENT;
	if (!__atomic_compare_exchange_n(&record->state, &state, state + 1, 0,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return -EAGAIN;
	record->died_ns = journal__now();
	record->death_sequence = journal__next_sequence(journal);
	*ret_dead = *record;
	__atomic_store_n(&record->state, state + 2, __ATOMIC_RELEASE);
	push_dead(journal, journal__index_of(journal, record));
	return 0;
}
