// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Processes that have ended.  What they had in the kernel's tables is given back once their
 * last samples are resolved; what the recorder knew of them goes a moment later, when both
 * rings were drained again, so that a machine where processes come and go does not fill its
 * memory.  What counts in the ledger is kept; the model keeps what it has.
 */
#include "internal.h"

#define REST_NS 1000000000ull

static bool is_shared(const struct recorder *recorder, const struct process *process)
{
	for (uint32_t i = 0; i < recorder->processes_count; i++)
		if (recorder->processes[i]->alive && recorder->processes[i]->code == process)
			return true;
	return false;
}

void process__forget_ended(struct recorder *recorder, uint64_t now)
{
	for (uint32_t i = 0; i < recorder->processes_count; i++) {
		struct process *process = recorder->processes[i];

		if (!process->ended)
			continue;
		/* A child between fork and exec still runs its code. */
		if (process->code == process && is_shared(recorder, process))
			continue;
		process->ended = false;
		process->gone_ns = now;
		old_inliners__leave(recorder, process);
		publication__free(&process->publication);
		version_looks__free(&process->looks);
		if (process->code == process)
			bodies__forget(recorder, process);
	}
}

/* Nobody hears of it after this. */
static void take_last(struct recorder *recorder, struct process *process)
{
	bodies__close_gap(recorder, process);
	if (process->hooked)
		bodies__name_modules(recorder, process);
	function_ids__leave(recorder, process);
	hook_counts__leave(recorder, process);
	recorder->hooked_gone += process->hooked;
}

/* Also by those that ended between fork and exec, and ran its code. */
static bool is_wanted(const struct recorder *recorder, const struct process *process,
		      uint64_t now)
{
	if (!process->gone_ns || now < process->gone_ns + REST_NS)
		return true;
	for (uint32_t i = 0; i < recorder->processes_count; i++)
		if (recorder->processes[i] != process && recorder->processes[i]->code == process)
			return true;
	return false;
}

/* Unless another has its number by now. */
static bool has_number(const struct recorder *recorder, const struct process *process,
		       uint32_t number)
{
	uint64_t known;

	return map__get(recorder->by_space, process->space, (uint64_t)process->pid, &known) &&
	       known == number;
}

static void move(struct recorder *recorder, uint32_t from, uint32_t to)
{
	struct process *process = recorder->processes[from];

	if (has_number(recorder, process, from))
		map__set(recorder->by_space, process->space, (uint64_t)process->pid, to);
	recorder->processes[to] = process;
}

static void drop(struct recorder *recorder, uint32_t number)
{
	struct process *process = recorder->processes[number];

	if (has_number(recorder, process, number))
		map__remove(recorder->by_space, process->space, (uint64_t)process->pid);
	take_last(recorder, process);
	process__free(process);
}

void process__free_gone(struct recorder *recorder, uint64_t now)
{
	uint32_t kept = 0;

	/* Times of threads are told of all processes, at the end too. */
	if (recorder->off_cpu.count)
		return;
	for (uint32_t i = 0; i < recorder->processes_count; i++)
		recorder->processes[i]->wanted = is_wanted(recorder, recorder->processes[i],
							   now);
	for (uint32_t i = 0; i < recorder->processes_count; i++) {
		if (recorder->processes[i]->wanted)
			move(recorder, i, kept++);
		else
			drop(recorder, i);
	}
	recorder->processes_count = kept;
}
