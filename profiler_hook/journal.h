/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The writing side of the journal (layout: ../abi/journal.h).  Every function
 * may be called from any thread at once and waits for nobody.
 */
#ifndef TIERSCOPE_HOOK_JOURNAL_H
#define TIERSCOPE_HOOK_JOURNAL_H

#include "../abi/journal.h"
#include "text.h"

#include <stdbool.h>
#include <stdint.h>

/* Dead records stay readable until this many others died after them. */
#define JOURNAL_LINGER 4096u

#define JOURNAL_TEXT_CLASSES 11u /* blocks of 64 << class bytes, up to 64 KB */

struct journal {
	struct ts_journal_header *header;
	struct ts_journal_record *records;
	char *text;
	struct ts_precompiled *precompiled;
	uint32_t precompiled_capacity;
	uint32_t capacity;
	uint64_t text_capacity;
	/* Dead records, oldest first: a ring of index + 1. */
	uint32_t *dead;
	uint32_t dead_mask;
	uint32_t dead_head;
	uint32_t dead_tail;
	/* Free text blocks per class: (turn << 32 | block + 1), block in 8 bytes. */
	uint64_t free_text[JOURNAL_TEXT_CLASSES];
	int fd;
};

/* What TIERSCOPE_JOURNAL_MB asks for, or the default. */
uint64_t journal__wanted_bytes(void);

/* Makes the memfd and maps it; -Exxx.  Less than `bytes` if RLIMIT_FSIZE says. */
int journal__create(struct journal *journal, uint64_t bytes);
void journal__destroy(struct journal *journal);

/* Whether another copy of the hook, loaded from elsewhere, already keeps one. */
bool journal__exists_in_process(void);

uint64_t journal__now(void);
uint64_t journal__next_sequence(struct journal *journal);
void journal__count(struct journal *journal, enum ts_hook_counter counter,
		    uint64_t amount);

/* Puts `text` into the text area and its place into `record`.  A failure is
 * counted, and the record goes without.  A mortal text is freed with its record. */
void journal__store_text(struct journal *journal, const struct text *text,
			 const struct text_plan *plan, bool mortal,
			 struct ts_journal_record *record);
bool journal__is_mortal(const struct ts_journal_record *record);

/* A free record, marked as being written, or NULL, counted. */
struct ts_journal_record *journal__take(struct journal *journal);
/* Copies all but the state. */
void journal__fill(struct ts_journal_record *record,
		   const struct ts_journal_record *draft);
void journal__commit(struct ts_journal_record *record);
/* Of a taken record that shall not be. */
void journal__abandon(struct journal *journal, struct ts_journal_record *record);

uint32_t journal__index_of(const struct journal *journal,
			   const struct ts_journal_record *record);
/* High-water mark. */
uint32_t journal__records_used(const struct journal *journal);

/*
 * Marks the record that still has this birth sequence as dead, and gives a copy.
 * -ENOENT it is dead or another one, -EAGAIN it is being written right now.
 */
int journal__kill(struct journal *journal, struct ts_journal_record *record,
		  uint64_t sequence, struct ts_journal_record *ret_dead);

#endif /* TIERSCOPE_HOOK_JOURNAL_H */
