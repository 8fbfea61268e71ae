// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Which body calls of a function reach, and since when, as far as it shows from outside:
 * entry cells of functions that were sampled lately are read twice a second.  A change
 * lies between two looks.
 *
 *   sampled ─→ wanted ─→ watched ─┬ read ─→ the same
 *                  └→ no cell     └───────→ another: a patch; its body is published,
 *                                           the one before is superseded
 *
 * What cannot be told at one look is no patch: its body may be one that we hear of in a
 * moment.  At two, calls reach something unknown.
 *
 * The hook looks too, from inside and much closer, but only at what a compilation leads
 * to (profiler_hook/patches.h).  A look from here that finds such a change first leaves it
 * to the hook's own telling, which is on its way, for one look.
 */
#include "watched.h"

#include "../base/alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#define READ_NS	      500000000ull
#define FIND_MAX      64u	/* in one look: some five reads each */
#define BATCH	      128u
#define GAP_MAX	      256u	/* bytes between two cells of a piece */
#define PAGE_BYTES    4096u
#define LOOK_NS	      10000000ull  /* of our CPU time, at a process: the rest next time */
#define LAST_LOOK_NS  500000000ull /* at the end */

static void want(struct publication *publication, uint64_t function)
{
	if (publication->wanted_count >= FUNCTIONS_MAX)
		return;
	alloc__grow(publication->wanted, publication->wanted_count,
		    publication->wanted_capacity);
	publication->wanted[publication->wanted_count++] = function;
	map__set(publication->numbers, 0, function, WANTED);
}

bool publication__has_cell(const struct model_body *body)
{
	return body->function_id && !(body->flags & (MODEL_BODY_FUNCTION_UNKNOWN |
						     MODEL_BODY_DYNAMIC |
						     MODEL_BODY_COLLECTIBLE));
}

void publication__ran(struct process *process, const struct model_body *body,
		      uint64_t time_ns)
{
	struct publication *publication = &process->publication;
	uint64_t number = 0;

	if (!process->alive || !publication__has_cell(body))
		return;
	(void)map__get(publication->numbers, 0, body->function_id, &number);
	/* Not found, so far: it may lead to a body that we were to hear of in a moment. */
	if (!number)
		want(publication, body->function_id);
	else if (number != WANTED)
		publication->items[number - 1].until_ns = time_ns + LATELY_NS;
}

/* What leads on to a stub can change behind it; a body is the end. */
static bool is_settled(const struct watched *watched, uint64_t word)
{
	return watched->seen_ns && word == watched->state.word && word == watched->state.body;
}

/*
 * What a watchpoint saw is on its way, and has the true time.  At two looks it is lost, or
 * was before the watchpoint.  What the word leads on to no watchpoint sees.
 */
static bool is_awaited(struct watched *watched, uint64_t word)
{
	if (watched->exact && word != watched->state.word &&
	    ++watched->behind_looks < UNKNOWN_LOOKS)
		return true;
	if (watched->exact)
		watched->behind_looks = 0;
	return false;
}

static void look(struct reading *reading, struct watched *watched, uint64_t word)
{
	struct entry_reader reader = watched__reader(reading);
	struct entry_state state;

	if (is_awaited(watched, word))
		return;
	if (is_settled(watched, word)) {
		watched->seen_ns = reading->now;
		watched->unknown_looks = 0;
		return;
	}
	state = entry_cell__decode(&reader, watched->function, word);
	if (!watched__is_the_hooks(reading, watched, &state))
		watched__note(reading, watched, &state);
}

/*
 * Cells that lie close together on a page are one piece: the kernel takes some 4 us for
 * each piece, and next to nothing for 256 bytes more.
 */
struct piece {
	struct iovec remote;
	unsigned int cells;
};

static int by_address(const void *left, const void *right)
{
	uint64_t a = (*(struct watched *const *)left)->cell.address;
	uint64_t b = (*(struct watched *const *)right)->cell.address;

	return (a > b) - (a < b);
}

static bool joins(const struct piece *piece, uint64_t address)
{
	uint64_t begin = (uint64_t)(uintptr_t)piece->remote.iov_base;

	return address <= begin + piece->remote.iov_len + GAP_MAX &&
	       begin / PAGE_BYTES == (address + sizeof(uint64_t) - 1) / PAGE_BYTES;
}

/* Of sorted cells. */
static unsigned int make_pieces(struct watched **batch, unsigned int count,
				struct piece ret_pieces[BATCH])
{
	unsigned int pieces = 0;

	for (unsigned int i = 0; i < count; i++) {
		uint64_t address = batch[i]->cell.address;
		struct piece *piece = pieces ? &ret_pieces[pieces - 1] : NULL;

		if (!piece || !joins(piece, address)) {
			piece = &ret_pieces[pieces++];
			*piece = (struct piece){ { (void *)(uintptr_t)address, 0 }, 0 };
		}
		piece->remote.iov_len = address + sizeof(uint64_t) -
					(uint64_t)(uintptr_t)piece->remote.iov_base;
		piece->cells++;
	}
	return pieces;
}

static void look_at_piece(struct reading *reading, struct watched **cells,
			  const struct piece *piece, const uint8_t *bytes)
{
	uint64_t begin = (uint64_t)(uintptr_t)piece->remote.iov_base, word;

	for (unsigned int i = 0; i < piece->cells; i++) {
		memcpy(&word, bytes + (cells[i]->cell.address - begin), sizeof(word));
		look(reading, cells[i], word);
	}
}

/* One call ends at a piece that is not mapped any more; the next begins behind it.  False:
 * the process is gone. */
static bool read_batch(struct reading *reading, struct watched **batch, unsigned int count)
{
	uint8_t bytes[BATCH * (GAP_MAX + sizeof(uint64_t))];
	struct iovec local = { bytes, sizeof(bytes) }, remote[BATCH];
	struct piece pieces[BATCH];
	unsigned int pieces_count;
	ssize_t got;

	qsort(batch, count, sizeof(*batch), by_address);
	pieces_count = make_pieces(batch, count, pieces);
	for (unsigned int i = 0; i < pieces_count; i++)
		remote[i] = pieces[i].remote;
	for (unsigned int next = 0; next < pieces_count; next++) {
		const uint8_t *from = bytes;

		got = process_vm_readv(reading->process->pid, &local, 1, remote + next,
				       pieces_count - next, 0);
		if (got < 0 && errno != EFAULT)
			return false;
		for (; next < pieces_count && got >= (ssize_t)remote[next].iov_len; next++) {
			look_at_piece(reading, batch, &pieces[next], from);
			batch += pieces[next].cells;
			from += remote[next].iov_len;
			got -= (ssize_t)remote[next].iov_len;
		}
		if (next < pieces_count)
			batch += pieces[next].cells;
	}
	return true;
}

/* A ReJIT that was asked for shows there first.  Only a main profiler asks. */
static void look_at_versions(struct reading *reading, struct watched **batch,
			     unsigned int count)
{
	const struct model_process *process =
		model__process(reading->recorder->model, reading->process->index);

	if (!(process->flags & MODEL_PROCESS_MAIN_PROFILER))
		return;
	for (unsigned int i = 0; i < count && !watched__is_over(reading); i++)
		versions__look(reading->recorder, reading->process, batch[i]->function,
			       reading->now);
}

static void read_watched(struct reading *reading)
{
	struct publication *publication = &reading->process->publication;
	uint32_t left = publication->count;
	struct watched *batch[BATCH];
	unsigned int count;

	while (left && !watched__is_over(reading)) {
		for (count = 0; left && count < BATCH; left--) {
			struct watched *watched;

			if (publication->next >= publication->count)
				publication->next = 0;
			watched = &publication->items[publication->next++];
			if (watched->exact || watched->until_ns >= reading->now)
				batch[count++] = watched;
		}
		if (!read_batch(reading, batch, count))
			break;
		look_at_versions(reading, batch, count);
	}
}

static void watch_wanted(struct reading *reading, uint32_t most)
{
	struct publication *publication = &reading->process->publication;
	uint32_t done = 0;

	for (; done < most && done < publication->wanted_count &&
	       publication->count < FUNCTIONS_MAX && !watched__is_over(reading); done++) {
		/* The hook may have told of it meanwhile. */
		if (!watched__find(publication, publication->wanted[done]))
			watched__begin(reading, publication->wanted[done]);
	}
	publication->wanted_count -= done;
	if (done)
		memmove(publication->wanted, publication->wanted + done,
			publication->wanted_count * sizeof(*publication->wanted));
}

static bool is_over(void *context)
{
	return watched__is_over(context);
}

void publication__step(struct recorder *recorder, uint64_t now)
{
	uint64_t entered = clock__now();

	for (uint32_t i = 0; i < recorder->processes_count; i++) {
		struct process *process = recorder->processes[i];
		struct reading reading = { .recorder = recorder, .process = process,
					   .now = now, .entered = entered };

		if (!watched__can_be_read(process) || now - process->publication.read_ns < READ_NS)
			continue;
		process->publication.read_ns = now;
		reading.until = watched__cpu_time() + LOOK_NS;
		read_watched(&reading);
		watch_wanted(&reading, FIND_MAX);
		reading.until = watched__cpu_time() + LOOK_NS;
		versions__step(recorder, process, now, is_over, &reading);
		reading.until = watched__cpu_time() + LOOK_NS;
		old_inliners__step(recorder, process, now, is_over, &reading);
	}
}

/* Also what was never sampled: a tree of versions is to be whole. */
static void want_all(struct recorder *recorder, struct process *process)
{
	struct publication *publication = &process->publication;

	for (uint32_t i = 0; i < model__bodies(recorder->model); i++) {
		const struct model_body *body = model__body(recorder->model, i);
		uint64_t number = 0;

		if (body->process != process->index || !publication__has_cell(body) || body->died_ns)
			continue;
		(void)map__get(publication->numbers, 0, body->function_id, &number);
		if (!number)
			want(publication, body->function_id);
	}
}

void publication__finish(struct recorder *recorder, uint64_t now)
{
	uint64_t entered = clock__now();

	for (uint32_t i = 0; i < recorder->processes_count; i++) {
		struct process *process = recorder->processes[i];
		struct reading reading = { .recorder = recorder, .process = process,
					   .now = now, .entered = entered };

		if (!watched__can_be_read(process))
			continue;
		/* All that was on its way is here. */
		process->publication.told = false;
		for (uint32_t j = 0; j < process->publication.count; j++) {
			process->publication.items[j].until_ns = now;
			/* The watchpoints are closed. */
			process->publication.items[j].exact = false;
		}
		reading.until = watched__cpu_time() + LAST_LOOK_NS;
		read_watched(&reading);
		want_all(recorder, process);
		watch_wanted(&reading, FUNCTIONS_MAX);
		reading.until = watched__cpu_time() + LAST_LOOK_NS;
		versions__finish(recorder, process, now, is_over, &reading);
	}
}
