// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Reads the hook's journal: see journal.h.
#include "journal.h"

#include "../../abi/codemap.h"
#include "../base/alloc.h"
#include "journal_map.h"
#include "mailbox.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define USER_ADDRESS_END (1ull << 56) /* with five levels of page tables */
#define CODE_TEXTS	 4
#define MODULE_TEXTS	 1
/*
 * A record is written in well under a microsecond, unless its thread stops.  A
 * target that never finishes any may cost one walk this many tries in all.
 */
#define READ_TRIES	   1000
#define READ_TRIES_WALK	   2000000
#define TRIES_BEFORE_YIELD 100

struct journal {
	const unsigned char *memory;
	size_t size;
	struct ts_mailbox *mailbox; /* NULL: it cannot be written to */
	struct ts_journal_header layout; /* checked once; the target may lie later */
};

int journal__map(int file, struct journal **ret_journal)
{
	struct journal *journal;
	struct ts_journal_header layout;
	void *memory;
	size_t size;
	int err = journal_map__map(file, &memory, &size);

	if (err)
		return err;
	/* One copy is checked and used: a second look could find other numbers. */
	memcpy(&layout, memory, sizeof(layout));
	err = journal_map__check(&layout, size);
	if (err) {
		munmap(memory, size);
		return err;
	}
	journal = alloc__zeroed(1, sizeof(*journal));
	journal->memory = memory;
	journal->size = size;
	journal->mailbox = mailbox__map(file);
	journal->layout = layout;
	*ret_journal = journal;
	return 0;
}

void journal__free(struct journal *journal)
{
	if (!journal)
		return;
	mailbox__unmap(journal->mailbox);
	munmap((void *)journal->memory, journal->size);
	free(journal);
}

static const struct ts_journal_header *live_header(const struct journal *journal)
{
	return (const struct ts_journal_header *)journal->memory;
}

static uint32_t records_used(const struct journal *journal)
{
	uint32_t used =
		__atomic_load_n(&live_header(journal)->records_used, __ATOMIC_ACQUIRE);

	return used < journal->layout.records_capacity
		       ? used
		       : journal->layout.records_capacity;
}

void journal__header(const struct journal *journal,
		     struct ts_journal_header *ret_header)
{
	const struct ts_journal_header *layout = &journal->layout;
	struct ts_journal_header header;
	/* First: what a state promises (live_ns, failure) is written before it. */
	uint32_t state =
		__atomic_load_n(&live_header(journal)->state, __ATOMIC_ACQUIRE);

	memcpy(&header, journal->memory, sizeof(header));
	header.state = state;
	header.magic = layout->magic;
	header.layout = layout->layout;
	header.header_bytes = layout->header_bytes;
	header.total_bytes = layout->total_bytes;
	header.record_bytes = layout->record_bytes;
	header.records_capacity = layout->records_capacity;
	header.records_offset = layout->records_offset;
	header.text_offset = layout->text_offset;
	header.text_capacity = layout->text_capacity;
	header.pid = layout->pid;
	header.records_used = records_used(journal);
	if (header.text_used > header.text_capacity)
		header.text_used = header.text_capacity;
	for (size_t i = 0; i < sizeof(header.hook_version); i++) {
		char c = header.hook_version[i];

		if (c && (c < ' ' || c > '~'))
			header.hook_version[i] = '?';
	}
	header.hook_version[sizeof(header.hook_version) - 1] = 0;
	*ret_header = header;
}

uint32_t journal__state(const struct journal *journal)
{
	return __atomic_load_n(&live_header(journal)->state, __ATOMIC_ACQUIRE);
}

struct ts_mailbox *journal__mailbox(const struct journal *journal)
{
	return journal->mailbox;
}

uint32_t journal__precompiled_used(const struct journal *journal)
{
	uint32_t used = __atomic_load_n(&live_header(journal)->precompiled_used,
					__ATOMIC_ACQUIRE);

	return used < journal->layout.precompiled_capacity
		       ? used
		       : journal->layout.precompiled_capacity;
}

bool journal__precompiled(const struct journal *journal, uint32_t index,
			  struct ts_precompiled *ret_entry)
{
	const struct ts_precompiled *entry =
		(const void *)(journal->memory + journal->layout.precompiled_offset);

	if (index >= journal->layout.precompiled_capacity)
		return false;
	/* First: the function is written before it. */
	ret_entry->start = __atomic_load_n(&entry[index].start, __ATOMIC_ACQUIRE);
	ret_entry->function_id =
		__atomic_load_n(&entry[index].function_id, __ATOMIC_RELAXED);
	return ret_entry->start;
}

/*
 * Copies the text; its size, or 0 if it makes no sense.  Bounds come from the
 * copy of the record, never from memory that may change.
 */
static uint32_t copy_text(const struct journal *journal,
			  const struct ts_journal_record *record, char *text)
{
	const unsigned char *area = journal->memory + journal->layout.text_offset;

	if (!record->text_size || record->text_size > TS_TEXT_MAX ||
	    record->text_offset > journal->layout.text_capacity ||
	    record->text_size > journal->layout.text_capacity - record->text_offset)
		return 0;
	memcpy(text, area + record->text_offset, record->text_size);
	return record->text_size;
}

/* The text has as many strings as its kind of record, and nothing after them. */
static bool is_whole_text(const char *text, uint32_t size, unsigned int kind)
{
	uint32_t ends = 0;

	for (uint32_t i = 0; i < size; i++)
		ends += !text[i];
	return size && !text[size - 1] &&
	       ends == (kind == TS_RECORD_CODE ? CODE_TEXTS : MODULE_TEXTS);
}

/*
 * The reader's half of the protocol in abi/journal.h.  The copy may race with
 * the hook; a torn one is thrown away, because `state` has moved by then.
 * 1: a stable copy; 0: nothing there; -EAGAIN: it never stood still.
 */
static int copy_record(const struct journal *journal, uint32_t index,
		       struct ts_journal_record *record, char *text,
		       uint32_t *text_size, uint32_t *tries_left)
{
	const unsigned char *at = journal->memory + journal->layout.records_offset +
				  (size_t)index * sizeof(*record);
	const struct ts_journal_record *live = (const struct ts_journal_record *)at;

	for (unsigned int i = 0; i < READ_TRIES; i++) {
		uint32_t before = __atomic_load_n(&live->state, __ATOMIC_ACQUIRE);

		if (!before)
			return 0;
		if (i && !*tries_left)
			break;
		*tries_left -= i > 0;
		if (i % TRIES_BEFORE_YIELD == TRIES_BEFORE_YIELD - 1)
			sched_yield(); /* the writer may wait for this very CPU */
		if (before & 1)
			continue;
		memcpy(record, at, sizeof(*record));
		*text_size = copy_text(journal, record, text);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(&live->state, __ATOMIC_RELAXED) == before)
			return 1;
	}
	return -EAGAIN;
}

/* Believable, with what is out of range replaced by "unknown". */
static bool check_record(struct ts_journal_record *record)
{
	if (record->kind != TS_RECORD_CODE && record->kind != TS_RECORD_MODULE)
		return false;
	if (record->start >= USER_ADDRESS_END ||
	    record->size > USER_ADDRESS_END - record->start)
		return false;
	if (record->kind == TS_RECORD_CODE &&
	    (!record->start || !record->size || record->size > TS_BODY_SIZE_MAX))
		return false;
	if (record->tier >= TS_TIER_COUNT) {
		record->tier = TS_TIER_UNKNOWN;
		record->flags |= TS_RECORD_TIER_UNKNOWN;
	}
	if (TS_SHAPE_KIND(record->shape) >= TS_FRAME_COUNT)
		record->shape = 0;
	return true;
}

int journal__each(const struct journal *journal, journal_each each, void *context,
		  uint32_t *ret_unreadable)
{
	char *text = alloc__zeroed(TS_TEXT_MAX, 1);
	uint32_t used = records_used(journal);
	uint32_t unreadable = 0, tries_left = READ_TRIES_WALK;
	int result = 0;

	for (uint32_t i = 0; i < used && !result; i++) {
		struct ts_journal_record record;
		uint32_t text_size = 0;
		int copied =
			copy_record(journal, i, &record, text, &text_size, &tries_left);

		if (!copied)
			continue;
		if (copied < 0 || !check_record(&record)) {
			unreadable++;
			continue;
		}
		if (!is_whole_text(text, text_size, record.kind)) {
			text[0] = 0;
			text_size = 1;
		}
		record.text_size = text_size;
		result = each(context, &record, text, text_size);
	}
	free(text);
	if (ret_unreadable)
		*ret_unreadable = unreadable;
	return result;
}
