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
#include "internal.h"

#include "../base/alloc.h"
#include "../target/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

#define READ_NS	      500000000ull
#define LATELY_NS     10000000000ull
#define FUNCTIONS_MAX 65536u	/* of a process: half a second at the end */
#define FIND_MAX      64u	/* in one look: some five reads each */
#define BATCH	      128u
#define UNKNOWN_LOOKS 2u
#define LOOK_NS	      10000000ull  /* of our CPU time, at a process: the rest next time */
#define LAST_LOOK_NS  500000000ull /* at the end */
#define PATCHES_MAX   (1u << 18) /* of a process: 20 MB */
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
static uint64_t cpu_time(void)
{
	struct timespec time = { 0 };

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static bool is_over(const struct reading *reading)
{
	return cpu_time() > reading->until;
}

static uint64_t after_reading(const struct reading *reading)
{
	return reading->entered ? reading->now + (clock__now() - reading->entered) :
				  reading->now;
}

void publication__init(struct publication *publication)
{
	publication->numbers = map__new();
}

void publication__free(struct publication *publication)
{
	map__free(publication->numbers);
	free(publication->items);
	free(publication->wanted);
	*publication = (struct publication){ 0 };
}

static void want(struct publication *publication, uint64_t function)
{
	if (publication->wanted_count >= FUNCTIONS_MAX)
		return;
	alloc__grow(publication->wanted, publication->wanted_count,
		    publication->wanted_capacity);
	publication->wanted[publication->wanted_count++] = function;
	map__set(publication->numbers, 0, function, WANTED);
}

static bool has_cell(const struct model_body *body)
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

	if (!process->alive || !has_cell(body))
		return;
	(void)map__get(publication->numbers, 0, body->function_id, &number);
	/* Not found, so far: it may lead to a body that we were to hear of in a moment. */
	if (!number)
		want(publication, body->function_id);
	else if (number != WANTED)
		publication->items[number - 1].until_ns = time_ns + LATELY_NS;
}

static bool read_memory(void *context, uint64_t address, void *buffer, size_t size)
{
	const struct reading *reading = context;

	return memory__read(reading->process->pid, address, buffer, size) == (ssize_t)size;
}

/* The function's own body, that begins there and is alive. */
static uint32_t body_at(const struct reading *reading, uint64_t function, uint64_t address)
{
	const struct model_body *body;
	uint64_t known;

	if (!map__get(reading->process->bodies, 0, address, &known))
		known = images__known_body(reading->recorder, reading->process, address,
					   reading->now);
	if (known == MODEL_NONE)
		return MODEL_NONE;
	body = model__body(reading->recorder->model, (uint32_t)known);
	return body->start == address && body->function_id == function && !body->died_ns &&
	       !(body->flags & MODEL_BODY_FUNCTION_UNKNOWN) ? (uint32_t)known : MODEL_NONE;
}

static bool is_body(void *context, uint64_t function, uint64_t address)
{
	return body_at(context, function, address) != MODEL_NONE;
}

static struct entry_reader reader_of(struct reading *reading)
{
	return (struct entry_reader){ read_memory, read_memory, is_body, reading };
}

static void supersede(struct model *model, uint32_t index, uint64_t by)
{
	struct model_body body = *model__body(model, index);

	body.superseded_ns = by;
	model__update_body(model, index, &body);
}

static void publish(struct model *model, uint32_t index, uint64_t from, uint64_t by)
{
	struct model_body body = *model__body(model, index);

	/* It was not reached before it was there; when that was, a catch-up cannot tell. */
	if (body.source == MODEL_SOURCE_EVENT && from < body.born_ns && body.born_ns < by)
		from = body.born_ns;
	body.published_ns[0] = from;
	body.published_ns[1] = by;
	body.superseded_ns = 0;
	model__update_body(model, index, &body);
}

static void add_patch(struct reading *reading, const struct model_patch *patch)
{
	if (reading->process->publication.patches_count++ < PATCHES_MAX)
		model__add_patch(reading->recorder->model, patch);
	else
		reading->recorder->patches_dropped++;
}

/* When the cell was last known to lead elsewhere. */
static uint64_t before_reading(const struct reading *reading, const struct watched *watched,
			       uint64_t after)
{
	if (reading->since)
		return reading->since;
	return reading->entered ? watched->seen_ns : after;
}

static void note(struct reading *reading, struct watched *watched,
		 const struct entry_state *state)
{
	struct model *model = reading->recorder->model;
	uint32_t body = state->body ? body_at(reading, watched->function, state->body) :
				      MODEL_NONE;
	uint64_t after = after_reading(reading);
	uint64_t before = before_reading(reading, watched, after);

	if (state->target != TS_TARGET_UNKNOWN)
		watched->unknown_looks = 0;
	else if (!watched->seen_ns ||
		 (reading->entered && ++watched->unknown_looks < UNKNOWN_LOOKS))
		return;
	if (!watched->seen_ns || state->target != watched->state.target ||
	    body != watched->body) {
		add_patch(reading, &(struct model_patch){
			.process = reading->process->index, .kind = watched->cell.kind,
			.function_id = watched->function, .cell = watched->cell.address,
			.words = { watched->state.word, state->word },
			.target = state->target, .body = body,
			.window_ns = { before, after } });
		if (watched->body != MODEL_NONE && watched->body != body)
			supersede(model, watched->body, after);
		if (body != MODEL_NONE && watched->body != body)
			publish(model, body, before, after);
		watched->patched_ns = after;
	}
	watched->state = *state;
	watched->body = body;
	/* What a watchpoint sees while we look would be before our end: the next look has it. */
	watched->seen_ns = watched->exact ? after : reading->now;
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

/* So is what the hook saw, if the change is that new code is reached. */
static bool is_the_hooks(const struct reading *reading, struct watched *watched,
			 const struct entry_state *state)
{
	uint32_t index = state->body ? body_at(reading, watched->function, state->body) :
				       MODEL_NONE;
	const struct model_body *body =
		index == MODEL_NONE ? NULL : model__body(reading->recorder->model, index);

	if (!watched->exact && reading->process->publication.told && body &&
	    body->source == MODEL_SOURCE_EVENT && !body->published_ns[1] &&
	    ++watched->behind_looks < UNKNOWN_LOOKS)
		return true;
	watched->behind_looks = 0;
	return false;
}

static void look(struct reading *reading, struct watched *watched, uint64_t word)
{
	struct entry_reader reader = reader_of(reading);
	struct entry_state state;

	if (is_awaited(watched, word))
		return;
	if (is_settled(watched, word)) {
		watched->seen_ns = reading->now;
		watched->unknown_looks = 0;
		return;
	}
	state = entry_cell__decode(&reader, watched->function, word);
	if (!is_the_hooks(reading, watched, &state))
		note(reading, watched, &state);
}

/* One call ends at a cell that is not mapped any more; the next begins behind it.  False:
 * the process is gone. */
static bool read_batch(struct reading *reading, struct watched **batch, unsigned int count)
{
	struct iovec local[BATCH], remote[BATCH];
	uint64_t words[BATCH];
	ssize_t got;

	for (unsigned int i = 0; i < count; i++) {
		local[i] = (struct iovec){ &words[i], sizeof(words[i]) };
		remote[i] = (struct iovec){ (void *)(uintptr_t)batch[i]->cell.address,
					    sizeof(words[i]) };
	}
	for (unsigned int begin = 0; begin < count; begin++) {
		got = process_vm_readv(reading->process->pid, local + begin, count - begin,
				       remote + begin, count - begin, 0);
		if (got < 0 && errno != EFAULT)
			return false;
		for (; got >= (ssize_t)sizeof(words[0]); got -= (ssize_t)sizeof(words[0])) {
			look(reading, batch[begin], words[begin]);
			begin++;
		}
	}
	return true;
}

static void read_watched(struct reading *reading)
{
	struct publication *publication = &reading->process->publication;
	uint32_t left = publication->count;
	struct watched *batch[BATCH];
	unsigned int count;

	while (left && !is_over(reading)) {
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
	}
}

static struct watched *watched_of(const struct publication *publication, uint64_t function)
{
	uint64_t number = 0;

	(void)map__get(publication->numbers, 0, function, &number);
	return number && number != WANTED ? &publication->items[number - 1] : NULL;
}

static struct watched *add_watched(struct publication *publication,
				   const struct watched *watched)
{
	alloc__grow(publication->items, publication->count, publication->capacity);
	publication->items[publication->count++] = *watched;
	map__set(publication->numbers, 0, watched->function, publication->count);
	return &publication->items[publication->count - 1];
}

/* Finds the cell of a function, and reads it. */
static void watch(struct reading *reading, uint64_t function)
{
	struct publication *publication = &reading->process->publication;
	struct entry_reader reader = reader_of(reading);
	struct watched watched = { .function = function, .body = MODEL_NONE,
				   .until_ns = reading->now + LATELY_NS };
	struct entry_state state;

	map__set(publication->numbers, 0, function, 0);
	if (entry_cell__find(&reader, function, &watched.cell, &state))
		return;
	if (!is_the_hooks(reading, &watched, &state))
		note(reading, &watched, &state);
	(void)add_watched(publication, &watched);
}

void publication__hit(struct recorder *recorder, struct process *process,
		      const struct ts_hit *hit, uint64_t time_ns)
{
	struct publication *publication = &process->publication;
	struct reading reading = { .recorder = recorder, .process = process,
				   .now = time_ns };
	struct entry_reader reader = reader_of(&reading);

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
		note(&reading, watched, &state);
	}
}

/* A process can lie about itself, but not about when. */
static bool is_plausible(const struct ts_stub_patch *patch, uint64_t told_ns)
{
	return patch->function_id && patch->kind < TS_CELL_COUNT &&
	       (patch->target == TS_TARGET_BODY || patch->target == TS_TARGET_CALL_COUNTING) &&
	       patch->window_ns[0] && patch->window_ns[0] <= patch->window_ns[1] &&
	       patch->window_ns[1] <= told_ns;
}

/* The function's item; NULL: there are too many. */
static struct watched *watch_told(const struct reading *reading,
				  const struct ts_stub_patch *patch)
{
	struct publication *publication = &reading->process->publication;
	struct watched *known = watched_of(publication, patch->function_id);
	struct watched watched = {
		.function = patch->function_id,
		.cell = { .address = patch->cell, .kind = (enum ts_cell_kind)patch->kind },
		.body = patch->words[0] ?
			body_at(reading, patch->function_id, patch->words[0]) : MODEL_NONE,
		.state = { .word = patch->words[0] },
	};

	if (known || publication->count >= FUNCTIONS_MAX)
		return known;
	return add_watched(publication, &watched);
}

bool publication__told(struct recorder *recorder, const struct ts_patch_event *event)
{
	const struct ts_stub_patch *patch = &event->patch;
	struct process *process = process__by_space(recorder, event->header.space,
						    (pid_t)event->header.pid);
	struct reading reading = { .recorder = recorder, .process = process,
				   .now = patch->window_ns[1],
				   .since = patch->window_ns[0] };
	struct entry_state state = { patch->words[1], (enum ts_target)patch->target,
				     patch->start };
	struct watched *watched;

	if (!process || !is_plausible(patch, event->header.time_ns))
		return false;
	process->publication.told = true;
	/* Its body's own event was lost: it is told of by the journal, and a look finds it. */
	if (body_at(&reading, patch->function_id, patch->start) == MODEL_NONE)
		return true;
	watched = watch_told(&reading, patch);
	/* A watchpoint knows better; and what a look found since is as it is now. */
	if (!watched || watched->exact || watched->cell.address != patch->cell ||
	    patch->window_ns[1] <= watched->seen_ns ||
	    patch->window_ns[1] <= watched->patched_ns)
		return true;
	/* A look saw it lead elsewhere later than the hook did. */
	if (reading.since < watched->seen_ns)
		reading.since = watched->seen_ns;
	watched->behind_looks = 0;
	note(&reading, watched, &state);
	return true;
}

static void watch_wanted(struct reading *reading, uint32_t most)
{
	struct publication *publication = &reading->process->publication;
	uint32_t done = 0;

	for (; done < most && done < publication->wanted_count &&
	       publication->count < FUNCTIONS_MAX && !is_over(reading); done++) {
		/* The hook may have told of it meanwhile. */
		if (!watched_of(publication, publication->wanted[done]))
			watch(reading, publication->wanted[done]);
	}
	publication->wanted_count -= done;
	if (done)
		memmove(publication->wanted, publication->wanted + done,
			publication->wanted_count * sizeof(*publication->wanted));
}

static bool can_be_read(const struct process *process)
{
	return process->alive && process->hooked && process->code == process;
}

void publication__step(struct recorder *recorder, uint64_t now)
{
	uint64_t entered = clock__now();

	for (uint32_t i = 0; i < recorder->processes_count; i++) {
		struct process *process = recorder->processes[i];
		struct reading reading = { .recorder = recorder, .process = process,
					   .now = now, .entered = entered,
					   .until = cpu_time() + LOOK_NS };

		if (!can_be_read(process) || now - process->publication.read_ns < READ_NS)
			continue;
		process->publication.read_ns = now;
		read_watched(&reading);
		watch_wanted(&reading, FIND_MAX);
	}
}

/* Also what was never sampled: a tree of versions is to be whole. */
static void want_all(struct recorder *recorder, struct process *process)
{
	struct publication *publication = &process->publication;

	for (uint32_t i = 0; i < model__bodies(recorder->model); i++) {
		const struct model_body *body = model__body(recorder->model, i);
		uint64_t number = 0;

		if (body->process != process->index || !has_cell(body) || body->died_ns)
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
					   .now = now, .entered = entered,
					   .until = cpu_time() + LAST_LOOK_NS };

		if (!can_be_read(process))
			continue;
		/* All that was on its way is here. */
		process->publication.told = false;
		for (uint32_t j = 0; j < process->publication.count; j++) {
			process->publication.items[j].until_ns = now;
			/* The watchpoints are closed. */
			process->publication.items[j].exact = false;
		}
		read_watched(&reading);
		want_all(recorder, process);
		watch_wanted(&reading, FUNCTIONS_MAX);
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
	struct entry_reader reader = reader_of(&reading);
	struct entry_state state;
	struct watched *watched;
	int err;

	if (!process || !can_be_read(process))
		return trouble__set(ret_trouble, -ESRCH, "its process is gone");
	if (!watched_of(&process->publication, function)) {
		forget_wanted(&process->publication, function);
		watch(&reading, function);
	}
	watched = watched_of(&process->publication, function);
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
		note(&reading, watched, &state);
	watched->exact = true;
	return 0;
}
