// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What was seen of a cell, against what was known of it.
#include "watched.h"

#include "../base/alloc.h"
#include "../target/memory.h"

#include <stdlib.h>
#include <time.h>

#define PATCHES_MAX (1u << 18) /* of a process: 20 MB */
#define GRACE_NS    100000000ull

uint64_t watched__cpu_time(void)
{
	struct timespec time = { 0 };

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static bool is_over_by(const struct reading *reading, uint64_t grace)
{
	uint64_t now = watched__cpu_time();

	return now > reading->until && now - reading->until > grace;
}

bool watched__is_over(const struct reading *reading)
{
	return is_over_by(reading, 0);
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

struct watched *watched__find(const struct publication *publication, uint64_t function)
{
	uint64_t number = 0;

	(void)map__get(publication->numbers, 0, function, &number);
	return number && number != WANTED ? &publication->items[number - 1] : NULL;
}

struct watched *watched__add(struct publication *publication,
				   const struct watched *watched)
{
	alloc__grow(publication->items, publication->count, publication->capacity);
	publication->items[publication->count++] = *watched;
	map__set(publication->numbers, 0, watched->function, publication->count);
	return &publication->items[publication->count - 1];
}

static bool read_memory(void *context, uint64_t address, void *buffer, size_t size)
{
	const struct reading *reading = context;

	return memory__read(reading->process->pid, address, buffer, size) == (ssize_t)size;
}

uint32_t publication__body_at(const struct recorder *recorder, struct process *process,
			      uint64_t function, uint64_t address, uint64_t now)
{
	const struct model_body *body;
	uint64_t known;

	if (!map__get(process->bodies, 0, address, &known))
		known = images__known_body(recorder, process, address, now);
	if (known == MODEL_NONE)
		return MODEL_NONE;
	body = model__body(recorder->model, (uint32_t)known);
	return body->start == address && body->function_id == function && !body->died_ns &&
	       !(body->flags & MODEL_BODY_FUNCTION_UNKNOWN) ? (uint32_t)known : MODEL_NONE;
}

uint32_t watched__body_at(const struct reading *reading, uint64_t function, uint64_t address)
{
	return publication__body_at(reading->recorder, reading->process, function, address,
				    reading->now);
}

static bool is_body(void *context, uint64_t function, uint64_t address)
{
	return watched__body_at(context, function, address) != MODEL_NONE;
}

struct entry_reader watched__reader(struct reading *reading)
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

void watched__note(struct reading *reading, struct watched *watched,
		 const struct entry_state *state)
{
	struct model *model = reading->recorder->model;
	uint32_t body = state->body ? watched__body_at(reading, watched->function, state->body) :
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
		/* New code that is reached is also what the runtime prefers.  Who makes looks
		 * endless has that told at the end. */
		if (!reading->since && !is_over_by(reading, GRACE_NS))
			versions__look(reading->recorder, reading->process,
				       watched->function, after);
	}
	watched->state = *state;
	watched->body = body;
	/* What a watchpoint sees while we look would be before our end: the next look has it. */
	watched->seen_ns = watched->exact ? after : reading->now;
}

/* So is what the hook saw, if the change is that new code is reached. */
bool watched__is_the_hooks(const struct reading *reading, struct watched *watched,
			 const struct entry_state *state)
{
	uint32_t index = state->body ? watched__body_at(reading, watched->function, state->body) :
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

/* Finds the cell of a function, and reads it. */
void watched__begin(struct reading *reading, uint64_t function)
{
	struct publication *publication = &reading->process->publication;
	struct entry_reader reader = watched__reader(reading);
	struct watched watched = { .function = function, .body = MODEL_NONE,
				   .until_ns = reading->now + LATELY_NS };
	struct entry_state state;

	map__set(publication->numbers, 0, function, 0);
	if (entry_cell__find(&reader, function, &watched.cell, &state))
		return;
	if (!watched__is_the_hooks(reading, &watched, &state))
		watched__note(reading, &watched, &state);
	(void)watched__add(publication, &watched);
}

bool watched__can_be_read(const struct process *process)
{
	return process->alive && process->hooked && process->code == process;
}
