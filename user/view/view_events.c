// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * What happened to code, in the order of time:
 *
 *   +0.101034 s  load    Shop.Ranking.Score(int): tier0 native 0, 96 bytes at 0x7f…
 *   +1.503200 s  patch   Shop.Ranking.Score(int): calls reach tier1 native 2, since +1.503174 s at the earliest
 *
 *   +1.601201 s  delay   begins
 *   +1.714010 s  delay   ends, 12 new
 *
 *   +2.100730 s  rejit   Shop.Ranking.Score(int): #2 requested, since +1.604014 s at the earliest
 *
 * A patch stands where it was seen, at the end of its window; so does what became of a ReJIT.
 * Bodies that a catch-up found are no loads: they were there before.
 */
#include "event_rows.h"
#include "tiering.h"

#include "../base/alloc.h"
#include "../base/map.h"

#include <stdlib.h>
#include <string.h>

/* Of the body that calls reach; without one, of a body of the function. */
static void name_patches(struct event_list *list)
{
	const struct model *model = list->model;
	struct map *functions = map__new();
	uint64_t name;

	list->names = alloc__zeroed(model__patches(model) + 1, sizeof(*list->names));
	for (uint32_t i = 0; i < model__bodies(model); i++) {
		const struct model_body *body = model__body(model, i);

		if (!(body->flags & MODEL_BODY_FUNCTION_UNKNOWN))
			map__set(functions, body->process, body->function_id, body->name);
	}
	for (uint32_t i = 0; i < model__patches(model); i++) {
		const struct model_patch *patch = model__patch(model, i);

		if (patch->body != MODEL_NONE) {
			list->names[i] = model__body(model, patch->body)->name;
			map__set(functions, patch->process, patch->function_id,
				 list->names[i]);
		} else if (map__get(functions, patch->process, patch->function_id, &name)) {
			list->names[i] = (string_id)name;
		}
	}
	map__free(functions);
}

static bool is_first_look(const struct event_list *list, const struct event *event)
{
	if (event->kind == VIEW_EVENTS_PATCH)
		return !model__patch(list->model, event->index)->window_ns[0];
	return event->kind == VIEW_EVENTS_REJIT && !list->rejits[event->index].window_ns[0];
}

static void add(struct event_list *list, const struct view_events_filter *filter,
		const struct event *event)
{
	/* Who looks on wants no history, and a first look is no change. */
	if (filter->seen && (event->time_ns < list->start_ns || is_first_look(list, event)))
		return;
	if (!(filter->kinds & event->kind) ||
	    (filter->part && !strcasestr(event_row__name(list, event), filter->part)))
		return;
	alloc__grow(list->events, list->count, list->capacity);
	list->events[list->count++] = *event;
}

static int by_time(const void *left, const void *right)
{
	const struct event *a = left, *b = right;

	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static bool is_news(struct view_events_seen *seen, uint32_t body)
{
	bool told;

	if (!seen)
		return true;
	seen->dead = alloc__room(seen->dead, &seen->dead_room, body + 1, sizeof(*seen->dead));
	told = seen->dead[body];
	seen->dead[body] = true;
	return !told;
}

/* One of a kind for each function and IL version. */
static bool is_news_of_rejit(struct view_events_seen *seen, const struct rejit_event *event)
{
	uint64_t known;

	if (!seen)
		return true;
	if (!seen->rejits)
		seen->rejits = map__new();
	return map__add(seen->rejits, (uint64_t)event->process << 32 | event->rejit_id,
			event->function_id << 2 | event->kind, 0, &known);
}

/* All is gone through again, ten times a second: only if there is more of it, or a number is
 * still to come. */
static bool is_same_as_before(const struct event_list *list, struct view_events_seen *seen)
{
	const struct model *model = list->model;
	uint64_t rows = (uint64_t)model__bodies(model) + model__patches(model) +
			model__il_versions(model) + model__actives(model);
	bool is_same = seen->rejit_rows == rows && !seen->rejit_waits;

	seen->rejit_rows = rows;
	seen->rejit_waits = false;
	for (uint32_t i = 0; i < model__bodies(model); i++)
		seen->rejit_waits |= !!(model__body(model, i)->flags & MODEL_BODY_REJIT_UNKNOWN);
	return is_same;
}

static void collect_rejits(struct event_list *list, const struct view_events_filter *filter)
{
	if (filter->seen && is_same_as_before(list, filter->seen))
		return;
	list->rejits_count = rejits__find(list->model, &list->rejits);
	for (uint32_t i = 0; i < list->rejits_count; i++) {
		const struct rejit_event *event = &list->rejits[i];

		if (is_news_of_rejit(filter->seen, event))
			add(list, filter, &(struct event){ event->window_ns[1],
							   VIEW_EVENTS_REJIT, i });
	}
}

static void collect(struct event_list *list, const struct view_events_filter *filter)
{
	struct view_events_seen *seen = filter->seen;

	for (uint32_t i = 0; i < model__bodies(list->model); i++) {
		const struct model_body *body = model__body(list->model, i);

		if (body->source == MODEL_SOURCE_EVENT && (!seen || i >= seen->bodies))
			add(list, filter,
			    &(struct event){ body->born_ns, VIEW_EVENTS_LOAD, i });
		if (body->died_ns && is_news(seen, i))
			add(list, filter,
			    &(struct event){ body->died_ns, VIEW_EVENTS_UNLOAD, i });
	}
	for (uint32_t i = seen ? seen->patches : 0; i < model__patches(list->model); i++)
		add(list, filter, &(struct event){ model__patch(list->model, i)->window_ns[1],
						   VIEW_EVENTS_PATCH, i });
	for (uint32_t i = seen ? seen->tierings : 0; i < model__tierings(list->model); i++) {
		const struct model_tiering *tiering = model__tiering(list->model, i);

		add(list, filter, &(struct event){ tiering->time_ns,
						   tiering__is_batch(tiering) ?
						   VIEW_EVENTS_BATCH : VIEW_EVENTS_DELAY, i });
	}
	if (filter->kinds & VIEW_EVENTS_REJIT)
		collect_rejits(list, filter);
	if (list->count)
		qsort(list->events, list->count, sizeof(*list->events), by_time);
	if (seen) {
		seen->bodies = model__bodies(list->model);
		seen->patches = model__patches(list->model);
		seen->tierings = model__tierings(list->model);
	}
}

void view_events_seen__free(struct view_events_seen *seen)
{
	free(seen->dead);
	map__free(seen->rejits);
	*seen = (struct view_events_seen){ 0 };
}

int view_events__write(const struct model *model, const struct view_options *options,
		       const struct view_events_filter *filter, bool json,
		       struct buf *buf)
{
	struct event_list list = { .model = model, .buf = buf };
	uint64_t end_ns;
	int err = 0;

	view__time_range(model, &list.start_ns, &end_ns);
	if (!filter->seen || filter->seen->patches < model__patches(model))
		name_patches(&list);
	collect(&list, filter);
	if (!json)
		view__append_note(options, buf);
	for (size_t i = 0; i < list.count && !err; i++) {
		if (json)
			err = event_row__write(&list, &list.events[i]);
		else
			event_row__append(&list, &list.events[i]);
	}
	free(list.events);
	free(list.names);
	free(list.rejits);
	return err;
}
