// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * What others tell of entry cells, with better times than a look from here:
 *
 *   the hook        new code is reached: within some ten microseconds (profiler_hook/patches.h)
 *   a watchpoint    each write to a cell, at its moment
 */
#include "watched.h"

#include <errno.h>

/* A process can lie about itself, but not about when. */
static bool is_plausible(const struct ts_stub_patch *patch, uint64_t told_ns)
{
	return patch->function_id && patch->kind < TS_CELL_COUNT &&
	       !(patch->cell % sizeof(uint64_t)) && !(patch->cell >> 47) &&
	       (patch->target == TS_TARGET_BODY || patch->target == TS_TARGET_CALL_COUNTING) &&
	       patch->window_ns[0] && patch->window_ns[0] <= patch->window_ns[1] &&
	       patch->window_ns[1] <= told_ns;
}

/* The function's item; NULL: there are too many. */
static struct watched *watch_told(const struct reading *reading,
				  const struct ts_stub_patch *patch)
{
	struct publication *publication = &reading->process->publication;
	struct watched *known = watched__find(publication, patch->function_id);
	struct watched watched = {
		.function = patch->function_id,
		.cell = { .address = patch->cell, .kind = (enum ts_cell_kind)patch->kind },
		.body = patch->words[0] ?
			watched__body_at(reading, patch->function_id, patch->words[0]) : MODEL_NONE,
		.state = { .word = patch->words[0] },
	};

	if (known || publication->count >= FUNCTIONS_MAX)
		return known;
	return watched__add(publication, &watched);
}

static void take(struct recorder *recorder, struct process *process,
		 const struct ts_stub_patch *patch)
{
	struct reading reading = { .recorder = recorder, .process = process,
				   .now = patch->window_ns[1],
				   .since = patch->window_ns[0] };
	struct entry_state state = { patch->words[1], (enum ts_target)patch->target,
				     patch->start };
	struct watched *watched;

	/* Its body's own event was lost: it is told of by the journal, and a look finds it. */
	if (watched__body_at(&reading, patch->function_id, patch->start) == MODEL_NONE)
		return;
	watched = watch_told(&reading, patch);
	/* A watchpoint knows better; and what a look found since is as it is now. */
	if (!watched || watched->exact || watched->cell.address != patch->cell ||
	    patch->window_ns[1] <= watched->seen_ns ||
	    patch->window_ns[1] <= watched->patched_ns)
		return;
	/* A look saw it lead elsewhere later than the hook did. */
	if (reading.since < watched->seen_ns)
		reading.since = watched->seen_ns;
	watched->behind_looks = 0;
	watched__note(&reading, watched, &state);
}

bool publication__told(struct recorder *recorder, const struct ts_patch_event *event)
{
	const struct ts_stub_patches *told = &event->told;
	struct process *process = process__by_space(recorder, event->header.space,
						    (pid_t)event->header.pid);

	if (!process || told->count > TS_PATCHES_MAX)
		return false;
	for (uint64_t i = 0; i < told->count; i++)
		if (!is_plausible(&told->patches[i], event->header.time_ns))
			return false;
	process->publication.told = true;
	for (uint64_t i = 0; i < told->count; i++)
		take(recorder, process, &told->patches[i]);
	return true;
}

void publication__hit(struct recorder *recorder, struct process *process,
		      const struct ts_hit *hit, uint64_t time_ns)
{
	struct publication *publication = &process->publication;
	struct reading reading = { .recorder = recorder, .process = process,
				   .now = time_ns, .until = UINT64_MAX };
	struct entry_reader reader = watched__reader(&reading);

	for (uint32_t i = 0; i < publication->count; i++) {
		struct watched *watched = &publication->items[i];
		struct entry_state state;

		/* What came before the last look is in it.  Two CPUs' writes can come in the
		 * wrong order: the older one is dropped, and the last state is right. */
		if (!watched->exact || watched->cell.address != hit->address ||
		    time_ns < watched->seen_ns)
			continue;
		watched->behind_looks = 0;
		state = entry_cell__decode(&reader, watched->function, hit->word);
		watched__note(&reading, watched, &state);
	}
}

/* Its turn came early. */
static void forget_wanted(struct publication *publication, uint64_t function)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < publication->wanted_count; i++)
		if (publication->wanted[i] != function)
			publication->wanted[kept++] = publication->wanted[i];
	publication->wanted_count = kept;
}

/* Between the first look, which finds the cell, and the watchpoint there can be a write:
 * hence a second look. */
int recorder__watch(struct recorder *recorder, uint32_t index, uint64_t function,
		    struct trouble *ret_trouble)
{
	struct process *process = process__by_index(recorder, index);
	struct reading reading = { .recorder = recorder, .process = process,
				   .now = clock__now(), .entered = clock__now(),
				   .until = UINT64_MAX };
	struct entry_reader reader = watched__reader(&reading);
	struct entry_state state;
	struct watched *watched;
	int err;

	if (!process || !watched__can_be_read(process))
		return trouble__set(ret_trouble, -ESRCH, "its process is gone");
	if (!watched__find(&process->publication, function)) {
		forget_wanted(&process->publication, function);
		watched__begin(&reading, function);
	}
	watched = watched__find(&process->publication, function);
	if (!watched || watched->cell.address % sizeof(uint64_t))
		return trouble__set(ret_trouble, -ENOENT,
				    "what decides where its calls go cannot be told");
	if (watched->exact)
		return 0;
	err = kernel__watch(recorder->kernel, watched->cell.address, ret_trouble);
	if (err)
		return err;
	reading.now = reading.entered = clock__now();
	if (!entry_cell__read(&reader, function, &watched->cell, &state))
		watched__note(&reading, watched, &state);
	watched->exact = true;
	return 0;
}
