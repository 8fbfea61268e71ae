/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Reads the journal that the hook keeps in a target (abi/journal.h).  The
 * mapping outlives the target.  Every field is checked before it is used.
 */
#ifndef TIERSCOPE_TARGET_JOURNAL_H
#define TIERSCOPE_TARGET_JOURNAL_H

#include "../../abi/journal.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct journal;

/*
 * Finds the memfd among /proc/PID/fd, checks seals, size and header, maps it
 * read-only.  -ENOENT there is none (yet), -ESRCH no process, -EPROTO a layout
 * that this program does not read, -EBADMSG it makes no sense.
 */
int journal__open(pid_t pid, struct journal **ret_journal);
void journal__free(struct journal *journal);

/* A stable copy of the header. */
void journal__header(const struct journal *journal,
		     struct ts_journal_header *ret_header);

/*
 * Calls `each` with a stable, checked copy of every committed record, in
 * record order.  `text` has text_size bytes, the last one NUL ("" if the
 * record's text makes no sense).  A non-zero return of `each` ends the walk
 * and is returned.  Records that cannot be read stable are counted.
 */
typedef int (*journal_each)(void *context, const struct ts_journal_record *record,
			    const char *text, uint32_t text_size);
int journal__each(const struct journal *journal, journal_each each,
		  void *context, uint32_t *ret_unreadable);

/* Cheaper than the whole header: enum ts_hook_state. */
uint32_t journal__state(const struct journal *journal);

/* Where the hook is asked and told (mailbox.h); NULL when it cannot be written to.
 * It belongs to the journal. */
struct ts_mailbox *journal__mailbox(const struct journal *journal);

/*
 * Functions whose precompiled code is in use: how many entries there are, and one of
 * them.  False: its address is not told yet, look again later.
 */
uint32_t journal__precompiled_used(const struct journal *journal);
bool journal__precompiled(const struct journal *journal, uint32_t index,
			  struct ts_precompiled *ret_entry);

#endif /* TIERSCOPE_TARGET_JOURNAL_H */
