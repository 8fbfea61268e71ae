// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * All that was seen of a function that had a ReJIT is put into the order of time, and gone
 * through once: births of its bodies, patches of its entry, and what looks at the runtime's
 * own tree of versions found.
 */
#include "rejits.h"

#include "../base/alloc.h"
#include "../base/map.h"

#include <stdlib.h>

/* Of one function at one time, in this order: a look follows a patch that it saw. */
enum source { BIRTH, PATCH, IL_VERSION, ACTIVE };

struct step {
	uint32_t function;	/* number of it */
	uint32_t source;
	uint64_t time_ns;
	uint32_t row;		/* of the model */
};

/* An IL version of a function. */
struct il {
	bool was_requested, has_body;
	uint64_t window_ns[2];	/* of its first body: not seen before, and born */
};

struct walk {
	const struct model *model;
	struct map *functions;	/* (process, function) -> number of it */
	string_id *names;	/* [number] */
	uint32_t names_count, names_capacity;
	struct step *steps;
	uint32_t steps_count, steps_capacity;
	struct rejit_event *events;
	uint32_t events_count, events_capacity;
	struct map *il_numbers;	/* (function, ReJITID) -> number of it */
	struct il *ils;
	uint32_t ils_count, ils_capacity;
	/* Of the function that is gone through: */
	uint64_t looked_ns, looked_before_ns;	/* the last look, and the one before */
	uint32_t rejit_id;	/* that is active, as far as was seen */
	uint64_t active_ns;	/* when it was seen to be, last */
	uint32_t reached;	/* that calls reach */
	uint64_t reached_word;	/* what the cell holds then */
};

/* --- what there is -------------------------------------------------------------------- */

static bool has_rejit(const struct model_body *body)
{
	return body->rejit_id &&
	       !(body->flags & (MODEL_BODY_REJIT_UNKNOWN | MODEL_BODY_FUNCTION_UNKNOWN));
}

static void add_function(struct walk *walk, uint32_t process, uint64_t function)
{
	if (map__get(walk->functions, process, function, NULL))
		return;
	map__set(walk->functions, process, function, walk->names_count);
	alloc__grow(walk->names, walk->names_count, walk->names_capacity);
	walk->names[walk->names_count++] = 0;
}

static void find_functions(struct walk *walk)
{
	const struct model *model = walk->model;

	for (uint32_t i = 0; i < model__il_versions(model); i++)
		add_function(walk, model__il_version(model, i)->process,
			     model__il_version(model, i)->function_id);
	for (uint32_t i = 0; i < model__bodies(model); i++)
		if (has_rejit(model__body(model, i)))
			add_function(walk, model__body(model, i)->process,
				     model__body(model, i)->function_id);
}

static void add_step(struct walk *walk, uint32_t process, uint64_t function,
		     enum source source, uint64_t time_ns, uint32_t row)
{
	uint64_t number;

	if (!map__get(walk->functions, process, function, &number))
		return;
	alloc__grow(walk->steps, walk->steps_count, walk->steps_capacity);
	walk->steps[walk->steps_count++] = (struct step){
		.function = (uint32_t)number, .source = source, .time_ns = time_ns,
		.row = row };
}

static int by_function_and_time(const void *left, const void *right)
{
	const struct step *a = left, *b = right;

	if (a->function != b->function)
		return a->function < b->function ? -1 : 1;
	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	if (a->source != b->source)
		return a->source < b->source ? -1 : 1;
	return a->row < b->row ? -1 : a->row > b->row;
}

static void find_steps(struct walk *walk)
{
	const struct model *model = walk->model;
	uint64_t number;

	for (uint32_t i = 0; i < model__bodies(model); i++) {
		const struct model_body *body = model__body(model, i);

		if (body->flags & MODEL_BODY_FUNCTION_UNKNOWN ||
		    !map__get(walk->functions, body->process, body->function_id, &number))
			continue;
		walk->names[number] = body->name;
		if (has_rejit(body))
			add_step(walk, body->process, body->function_id, BIRTH,
				 body->born_ns, i);
	}
	for (uint32_t i = 0; i < model__patches(model); i++) {
		const struct model_patch *patch = model__patch(model, i);

		add_step(walk, patch->process, patch->function_id, PATCH,
			 patch->window_ns[1], i);
	}
	for (uint32_t i = 0; i < model__il_versions(model); i++) {
		const struct model_il_version *version = model__il_version(model, i);

		add_step(walk, version->process, version->function_id, IL_VERSION,
			 version->seen_ns, i);
	}
	for (uint32_t i = 0; i < model__actives(model); i++) {
		const struct model_active *active = model__active(model, i);

		add_step(walk, active->process, active->function_id, ACTIVE,
			 active->seen_ns, i);
	}
	if (walk->steps_count)
		qsort(walk->steps, walk->steps_count, sizeof(*walk->steps),
		      by_function_and_time);
}

/* --- one function ---------------------------------------------------------------------- */

/* Good until the next call. */
static struct il *il_of(struct walk *walk, uint32_t function, uint32_t rejit_id)
{
	uint64_t number;

	if (!map__add(walk->il_numbers, function, rejit_id, walk->ils_count, &number))
		return &walk->ils[number];
	alloc__grow(walk->ils, walk->ils_count, walk->ils_capacity);
	walk->ils[walk->ils_count] = (struct il){ .was_requested = false };
	return &walk->ils[walk->ils_count++];
}

static void add_event(struct walk *walk, const struct step *step,
		      const struct rejit_event *draft)
{
	alloc__grow(walk->events, walk->events_count, walk->events_capacity);
	walk->events[walk->events_count] = *draft;
	walk->events[walk->events_count++].name = walk->names[step->function];
}

static void take_birth(struct walk *walk, const struct step *step)
{
	const struct model_body *body = model__body(walk->model, step->row);
	struct il *il = il_of(walk, step->function, body->rejit_id);

	if (il->has_body)
		return;
	il->has_body = true;
	if (body->source != MODEL_SOURCE_EVENT)
		return;
	il->window_ns[0] = walk->looked_ns;
	il->window_ns[1] = body->born_ns;
	add_event(walk, step, &(struct rejit_event){
		.kind = REJIT_COMPILED, .process = body->process,
		.function_id = body->function_id, .rejit_id = body->rejit_id,
		.body = step->row, .window_ns = { body->born_ns, body->born_ns } });
}

static void look(struct walk *walk, uint64_t time_ns)
{
	if (time_ns <= walk->looked_ns)
		return;
	walk->looked_before_ns = walk->looked_ns;
	walk->looked_ns = time_ns;
}

static void take_il_version(struct walk *walk, const struct step *step)
{
	const struct model_il_version *version = model__il_version(walk->model, step->row);
	struct il *il = il_of(walk, step->function, version->rejit_id);
	struct rejit_event event = {
		.kind = REJIT_REQUESTED, .process = version->process,
		.function_id = version->function_id, .rejit_id = version->rejit_id,
		.body = MODEL_NONE };

	look(walk, step->time_ns);
	if (il->was_requested || !version->rejit_id)
		return;
	il->was_requested = true;
	event.window_ns[0] = walk->looked_before_ns;
	event.window_ns[1] = step->time_ns;
	/* It was asked for before it was compiled. */
	if (il->window_ns[1]) {
		event.window_ns[0] = il->window_ns[0];
		event.window_ns[1] = il->window_ns[1];
	}
	add_event(walk, step, &event);
}

static void revert(struct walk *walk, const struct step *step, uint32_t process,
		   uint64_t function, uint64_t since_ns)
{
	if (since_ns < walk->active_ns)
		since_ns = walk->active_ns;
	add_event(walk, step, &(struct rejit_event){
		.kind = REJIT_REVERTED, .process = process, .function_id = function,
		.rejit_id = walk->rejit_id, .body = MODEL_NONE,
		.window_ns = { since_ns, step->time_ns } });
}

static void take_active(struct walk *walk, const struct step *step)
{
	const struct model_active *active = model__active(walk->model, step->row);

	look(walk, step->time_ns);
	if (!active->rejit_id && walk->rejit_id)
		revert(walk, step, active->process, active->function_id,
		       walk->looked_before_ns);
	walk->rejit_id = active->rejit_id;
	walk->active_ns = step->time_ns;
}

/*
 * What calls reach lags behind a request, and can be seen later than that, so the original is
 * no sign of a revert before a body of the IL version was reached.  The window of a patch is
 * that of the revert only if the cell led to that body at its begin: in between calls may
 * have reached another body of the original, which nobody saw.
 */
static void take_patch(struct walk *walk, const struct step *step)
{
	const struct model_patch *patch = model__patch(walk->model, step->row);
	const struct model_body *body = patch->body == MODEL_NONE ? NULL :
					model__body(walk->model, patch->body);

	if (!body || body->flags & MODEL_BODY_REJIT_UNKNOWN)
		return;
	if (body->rejit_id) {
		walk->rejit_id = body->rejit_id;
		walk->active_ns = step->time_ns;
	} else if (walk->reached) {
		if (walk->rejit_id)
			revert(walk, step, patch->process, patch->function_id,
			       patch->words[0] == walk->reached_word ?
			       patch->window_ns[0] : 0);
		walk->rejit_id = 0;
	}
	walk->reached = body->rejit_id;
	walk->reached_word = patch->words[1];
}

static void take_step(struct walk *walk, const struct step *step)
{
	switch (step->source) {
	case BIRTH:
		take_birth(walk, step);
		break;
	case PATCH:
		take_patch(walk, step);
		break;
	case IL_VERSION:
		take_il_version(walk, step);
		break;
	default:
		take_active(walk, step);
	}
}

static int by_time(const void *left, const void *right)
{
	const struct rejit_event *a = left, *b = right;

	if (a->window_ns[1] != b->window_ns[1])
		return a->window_ns[1] < b->window_ns[1] ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return a->function_id < b->function_id ? -1 : a->function_id > b->function_id;
}

uint32_t rejits__find(const struct model *model, struct rejit_event **ret_events)
{
	struct walk walk = { .model = model, .functions = map__new(),
			     .il_numbers = map__new() };

	find_functions(&walk);
	if (walk.names_count)
		find_steps(&walk);
	for (uint32_t i = 0; i < walk.steps_count; i++) {
		if (!i || walk.steps[i].function != walk.steps[i - 1].function) {
			walk.looked_ns = walk.looked_before_ns = 0;
			walk.rejit_id = walk.reached = 0;
			walk.active_ns = 0;
		}
		take_step(&walk, &walk.steps[i]);
	}
	if (walk.events_count)
		qsort(walk.events, walk.events_count, sizeof(*walk.events), by_time);
	map__free(walk.functions);
	map__free(walk.il_numbers);
	free(walk.names);
	free(walk.steps);
	free(walk.ils);
	*ret_events = walk.events;
	return walk.events_count;
}
