// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// FunctionIDs of precompiled bodies.  An image tells names and tokens; which function
// it is in a process only that process's runtime knows.  A hook that was there from
// the start has written most of them down (struct ts_precompiled); for the rest, and
// after an attach for all, the hook is asked by address when a body is first sampled.
//
//   sampled ─→ waiting ─┬ told by the journal ──────────────────→ named
//                       ├ asked ─┬ answered with a function ────→ named
//                       │        ├ answered with none ──────────→ cannot_name
//                       │        └ not answered ────────────────→ no_answer
//                       └ no hook, or no mailbox, or no process ─→ not_asked
#include "internal.h"

#include "../base/alloc.h"
#include "../target/mailbox.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ANSWER_TRIES	20	/* at the end of a recording */
#define ANSWER_PAUSE_NS 10000000
#define ROOM_PAUSES	20	/* in one step */
#define ROOM_PAUSE_NS	200000

static const char *const cause_names[FUNCTION_CAUSES] = {
	[FUNCTION_NOT_ASKED] = "not_asked", [FUNCTION_NO_ANSWER] = "no_answer",
	[FUNCTION_CANNOT_NAME] = "cannot_name",
};

void function_ids__wait_for(struct process *process, uint32_t body, uint64_t start)
{
	struct function_ids *ids = &process->ids;

	alloc__grow(ids->waiting, ids->count, ids->capacity);
	ids->waiting[ids->count++] =
		(struct waiting_body){ .body = body, .start = start };
}

static void note(struct function_ids *ids, const struct ts_precompiled *entry)
{
	uint64_t known;

	/* The first that is told stays: an address has one function. */
	if (!map__get(ids->told, 0, entry->start, &known) || !known)
		map__set(ids->told, 0, entry->start, entry->function_id);
}

/* Entries whose address was not known yet are looked at each time, until it is. */
static void read_told(struct process *process)
{
	struct function_ids *ids = &process->ids;
	uint32_t used = journal__precompiled_used(process->journal);
	struct ts_precompiled entry;
	uint32_t kept = 0;

	if (used > PRECOMPILED_MAX)
		used = PRECOMPILED_MAX;
	for (uint32_t i = 0; i < ids->open_count; i++) {
		if (journal__precompiled(process->journal, ids->open[i], &entry))
			note(ids, &entry);
		else
			ids->open[kept++] = ids->open[i];
	}
	ids->open_count = kept;
	for (; ids->read < used; ids->read++) {
		if (journal__precompiled(process->journal, ids->read, &entry)) {
			note(ids, &entry);
			continue;
		}
		alloc__grow(ids->open, ids->open_count,
			    ids->open_capacity);
		ids->open[ids->open_count++] = ids->read;
	}
}

void function_ids__read(struct process *process)
{
	if (process->journal)
		read_told(process);
}

static void name_body(struct recorder *recorder, struct process *process, uint32_t index,
		      uint64_t function)
{
	struct model_body body = *model__body(recorder->model, index);
	uint64_t known;

	body.flags &= ~(uint32_t)MODEL_BODY_FUNCTION_UNKNOWN;
	body.function_id = function;
	model__update_body(recorder->model, index, &body);
	/* Of one that was compiled more is known. */
	(void)map__add(process->functions, 0, function, index, &known);
}

/* Names what is told, keeps the rest; how many are asked for and not answered. */
static uint32_t join(struct recorder *recorder, struct process *process)
{
	struct function_ids *ids = &process->ids;
	uint32_t kept = 0, open = 0;

	for (uint32_t i = 0; i < ids->count; i++) {
		struct waiting_body waiting = ids->waiting[i];
		uint64_t function = 0;

		if (waiting.cause != FUNCTION_CANNOT_NAME &&
		    map__get(ids->told, 0, waiting.start, &function) && !function)
			waiting.cause = FUNCTION_CANNOT_NAME;
		if (function)
			name_body(recorder, process, waiting.body, function);
		else
			ids->waiting[kept++] = waiting;
		open += !function && waiting.cause == FUNCTION_NO_ANSWER;
	}
	ids->count = kept;
	return open;
}

/* The hook empties a full mailbox in less than a millisecond, if it may run. */
static int ask_one(struct ts_mailbox *mailbox, uint64_t address, unsigned int *pauses_left)
{
	const struct timespec pause = { 0, ROOM_PAUSE_NS };
	int err;

	while ((err = mailbox__ask(mailbox, address)) && *pauses_left) {
		(*pauses_left)--;
		mailbox__ring(mailbox);
		nanosleep(&pause, NULL);
	}
	return err;
}

static void ask(struct process *process)
{
	struct ts_mailbox *mailbox = journal__mailbox(process->journal);
	struct function_ids *ids = &process->ids;
	unsigned int pauses_left = ROOM_PAUSES;
	bool asked = false;

	if (!mailbox || !process->alive || journal__state(process->journal) != TS_HOOK_LIVE)
		return;
	for (uint32_t i = 0; i < ids->count; i++) {
		struct waiting_body *waiting = &ids->waiting[i];

		if (waiting->cause != FUNCTION_NOT_ASKED)
			continue;
		if (ask_one(mailbox, waiting->start, &pauses_left))
			break;		/* the rest next time */
		waiting->cause = FUNCTION_NO_ANSWER;
		asked = true;
	}
	if (asked)
		mailbox__ring(mailbox);
}

/* How many bodies may still get an answer. */
static uint32_t step(struct recorder *recorder, struct process *process)
{
	uint32_t open;

	if (!process->ids.count || !process->journal)
		return 0;
	read_told(process);
	open = join(recorder, process);
	ask(process);
	return process->alive ? open : 0;
}

void function_ids__step(struct recorder *recorder)
{
	for (uint32_t i = 0; i < recorder->processes_count; i++)
		(void)step(recorder, recorder->processes[i]);
}

void function_ids__count_leaf(struct recorder *recorder, uint32_t body)
{
	uint64_t samples = 0;

	if (!(model__body(recorder->model, body)->flags & MODEL_BODY_FUNCTION_UNKNOWN))
		return;
	(void)map__get(recorder->unnamed_samples, 0, body, &samples);	/* 0: the first */
	map__set(recorder->unnamed_samples, 0, body, samples + 1);
}

static void count_waiting(const struct recorder *recorder, const struct process *process,
			  uint64_t counts[FUNCTION_CAUSES])
{
	const struct function_ids *ids = &process->ids;

	for (uint32_t i = 0; i < ids->count; i++) {
		uint64_t samples = 0;

		(void)map__get(recorder->unnamed_samples, 0, ids->waiting[i].body, &samples);
		counts[ids->waiting[i].cause] += samples;
	}
}

void function_ids__leave(struct recorder *recorder, struct process *process)
{
	(void)step(recorder, process);
	count_waiting(recorder, process, recorder->unnamed_gone);
}

/* What was named by now has its function, whenever its samples were taken. */
void function_ids__write_ledger(struct recorder *recorder)
{
	uint64_t counts[FUNCTION_CAUSES];

	memcpy(counts, recorder->unnamed_gone, sizeof(counts));
	memset(recorder->unnamed_gone, 0, sizeof(recorder->unnamed_gone));
	for (uint32_t i = 0; i < recorder->processes_count; i++)
		count_waiting(recorder, recorder->processes[i], counts);
	for (unsigned int i = 0; i < FUNCTION_CAUSES; i++)
		model__set_count(recorder->model, MODEL_LEDGER_FUNCTION_UNKNOWN,
				 cause_names[i], counts[i]);
	map__free(recorder->unnamed_samples);
	recorder->unnamed_samples = map__new();
}

void function_ids__finish(struct recorder *recorder)
{
	const struct timespec pause = { 0, ANSWER_PAUSE_NS };
	uint32_t open = 1;

	/* The first round asks what no step has asked for. */
	function_ids__step(recorder);
	for (unsigned int i = 0; i < ANSWER_TRIES && open; i++) {
		open = 0;
		for (uint32_t j = 0; j < recorder->processes_count; j++)
			open += step(recorder, recorder->processes[j]);
		if (open)
			nanosleep(&pause, NULL);
	}
}

void function_ids__free(struct function_ids *ids)
{
	map__free(ids->told);
	free(ids->open);
	free(ids->waiting);
}
