/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The functions whose entry cells are known, and how what was seen of one becomes a patch.
 * It is seen by looks from outside (publication.c), or told by the hook and by watchpoints
 * (publication_told.c).
 */
#ifndef TIERSCOPE_RECORDER_WATCHED_H
#define TIERSCOPE_RECORDER_WATCHED_H

#include "internal.h"

#define FUNCTIONS_MAX 65536u	/* of a process: half a second at the end */
#define UNKNOWN_LOOKS 2u
#define LATELY_NS     10000000000ull
#define WANTED	      UINT64_MAX /* number of a function that waits for its turn */

/* One look at a process: what it finds was so some time after `now`, when it began. */
struct reading {
	struct recorder *recorder;
	struct process *process;
	uint64_t now;
	uint64_t entered;	/* the clock's time then: `now` is the caller's; 0: the word
				 * was read at `now`, by a watchpoint */
	uint64_t until;		/* of our CPU time: no longer than that */
	uint64_t since;		/* told: when the cell was seen before `now`; else 0 */
};

/* A hostile process can make each look long; a busy machine does not make it longer. */
uint64_t watched__cpu_time(void);
bool watched__is_over(const struct reading *reading);

/* Reads the process's memory, as an entry cell is found and decoded. */
struct entry_reader watched__reader(struct reading *reading);

/* publication__body_at, while reading. */
uint32_t watched__body_at(const struct reading *reading, uint64_t function, uint64_t address);

/* NULL: its cell is not known. */
struct watched *watched__find(const struct publication *publication, uint64_t function);
/* A copy; valid until the next one is added. */
struct watched *watched__add(struct publication *publication, const struct watched *watched);
/* Finds the cell of a function, reads it, and adds it. */
void watched__begin(struct reading *reading, uint64_t function);

/* What the cell leads to: a patch, if that is news. */
void watched__note(struct reading *reading, struct watched *watched,
		   const struct entry_state *state);
/* Whether the hook will tell of that, which a look was the first to see: wait for it. */
bool watched__is_the_hooks(const struct reading *reading, struct watched *watched,
			   const struct entry_state *state);

/* Whether there is a process with cells to read. */
bool watched__can_be_read(const struct process *process);

#endif /* TIERSCOPE_RECORDER_WATCHED_H */
