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
#include "json_rows.h"
#include "rejits.h"
#include "tiering.h"
#include "view_internal.h"

#include "../base/alloc.h"
#include "../base/map.h"
#include "../base/text.h"
#include "../model/name.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct event {
	uint64_t time_ns;
	unsigned int kind;	/* VIEW_EVENTS_... */
	uint32_t index;		/* of body, patch, row of tiering or ReJIT's event */
};

struct list {
	const struct model *model;
	struct buf *buf;
	uint64_t start_ns;
	struct event *events;
	size_t count, capacity;
	string_id *names;	/* of patches: of the last body that was known of its function */
	struct rejit_event *rejits;
	uint32_t rejits_count;
};

/* What is told of a row of the model. */
struct row_kind {
	uint32_t (*process)(const struct list *list, uint32_t index);
	string_id (*name)(const struct list *list, uint32_t index);	/* 0: it is of no method */
	void (*append)(const struct list *list, const struct event *event);
	void (*write)(const struct list *list, const struct event *event,
		      struct json_writer *json);
};

/* --- text ------------------------------------------------------------------- */

static void append_version(const struct model_body *body, struct buf *buf)
{
	view__version_label(body, buf);
	if (!(body->flags & MODEL_BODY_VERSION_UNKNOWN))
		buf__printf(buf, " native %u", body->native_version);
}

static void append_code(const struct list *list, const struct model_body *body)
{
	append_version(body, list->buf);
	buf__printf(list->buf, ", %u bytes at 0x%" PRIx64, body->size, body->start);
}

static void append_body(const struct list *list, const struct event *event)
{
	append_code(list, model__body(list->model, event->index));
}

void view__append_reached(const struct model *model, const struct model_patch *patch,
			  struct buf *buf)
{
	if (patch->body == MODEL_NONE) {
		buf__append_string(buf, patch->target == TS_TARGET_PRESTUB ?
				   "calls reach no body, the next one is compiled first" :
				   "calls reach something unknown");
		return;
	}
	buf__append_string(buf, "calls reach ");
	append_version(model__body(model, patch->body), buf);
	if (patch->target == TS_TARGET_CALL_COUNTING)
		buf__append_string(buf, ", counted");
}

/* The begin of a window at whose end the event stands. */
static void append_since(const struct list *list, const uint64_t window_ns[2])
{
	if (window_ns[0] && window_ns[0] == window_ns[1])
		buf__append_string(list->buf, ", since then exactly");
	else if (window_ns[0])
		buf__printf(list->buf, ", since %+.6f s at the earliest",
			    view__seconds(list->start_ns, window_ns[0]));
}

static void append_patch(const struct list *list, const struct event *event)
{
	const struct model_patch *patch = model__patch(list->model, event->index);

	view__append_reached(list->model, patch, list->buf);
	append_since(list, patch->window_ns);
}

static const char *const rejit_names[] = {
	[REJIT_REQUESTED] = "requested", [REJIT_COMPILED] = "compiled",
	[REJIT_REVERTED] = "reverted",
};

static void append_rejit(const struct list *list, const struct event *event)
{
	const struct rejit_event *rejit = &list->rejits[event->index];

	buf__printf(list->buf, "#%u %s", rejit->rejit_id, rejit_names[rejit->kind]);
	if (rejit->body == MODEL_NONE) {
		append_since(list, rejit->window_ns);
		return;
	}
	buf__append_string(list->buf, ": ");
	append_code(list, model__body(list->model, rejit->body));
}

static void append_tiering(const struct list *list, const struct event *event)
{
	const struct model_tiering *tiering = model__tiering(list->model, event->index);

	buf__append_string(list->buf, tiering__is_begin(tiering) ? "begins" : "ends");
	if (tiering->kind == TS_TIERING_DELAY_ENDED)
		buf__printf(list->buf, ", %u new", tiering->new_methods);
	if (tiering->kind == TS_TIERING_BATCH_ENDED)
		buf__printf(list->buf, ", %u compiled", tiering->compiled);
	if (event->kind == VIEW_EVENTS_BATCH)
		buf__printf(list->buf, ", %u pending", tiering->pending);
}

/* --- JSON -------------------------------------------------------------------- */

static void write_version(const struct list *list, uint32_t body, struct json_writer *json)
{
	if (body == MODEL_NONE)
		return;
	json_rows__rejit(json, model__body(list->model, body));
	json_rows__code(json, model__body(list->model, body));
}

static void write_body(const struct list *list, const struct event *event,
		       struct json_writer *json)
{
	json_rows__function(json, model__body(list->model, event->index));
	write_version(list, event->index, json);
}

static void write_patch(const struct list *list, const struct event *event,
			struct json_writer *json)
{
	const struct model_patch *patch = model__patch(list->model, event->index);

	json_writer__hex(json, "function_id", patch->function_id);
	json_rows__patch(json, patch);
	write_version(list, patch->body, json);
}

static void write_tiering(const struct list *list, const struct event *event,
			  struct json_writer *json)
{
	const struct model_tiering *tiering = model__tiering(list->model, event->index);

	json_writer__string(json, "event", tiering__is_begin(tiering) ? "begin" : "end");
	if (tiering->kind == TS_TIERING_DELAY_ENDED)
		json_writer__number(json, "new_methods", tiering->new_methods);
	if (tiering->kind == TS_TIERING_BATCH_ENDED)
		json_writer__number(json, "compiled", tiering->compiled);
	if (event->kind == VIEW_EVENTS_BATCH)
		json_writer__number(json, "pending", tiering->pending);
}

static void write_rejit(const struct list *list, const struct event *event,
			struct json_writer *json)
{
	const struct rejit_event *rejit = &list->rejits[event->index];

	json_writer__string(json, "event", rejit_names[rejit->kind]);
	json_writer__hex(json, "function_id", rejit->function_id);
	json_rows__window(json, "window_ns", rejit->window_ns);
	json_writer__number(json, "rejit_id", rejit->rejit_id);
	if (rejit->body != MODEL_NONE)
		json_rows__code(json, model__body(list->model, rejit->body));
}

/* --- kinds -------------------------------------------------------------------- */

static uint32_t process_of_body(const struct list *list, uint32_t index)
{
	return model__body(list->model, index)->process;
}

static string_id name_of_body(const struct list *list, uint32_t index)
{
	return model__body(list->model, index)->name;
}

static const struct row_kind bodies = { process_of_body, name_of_body, append_body, write_body };

static uint32_t process_of_patch(const struct list *list, uint32_t index)
{
	return model__patch(list->model, index)->process;
}

static string_id name_of_patch(const struct list *list, uint32_t index)
{
	return list->names[index];
}

static const struct row_kind patches = { process_of_patch, name_of_patch, append_patch,
					write_patch };

static uint32_t process_of_tiering(const struct list *list, uint32_t index)
{
	return model__tiering(list->model, index)->process;
}

static string_id name_of_nothing(const struct list *list, uint32_t index)
{
	(void)list, (void)index;
	return 0;
}

static const struct row_kind tierings = { process_of_tiering, name_of_nothing, append_tiering,
					 write_tiering };

static uint32_t process_of_rejit(const struct list *list, uint32_t index)
{
	return list->rejits[index].process;
}

static string_id name_of_rejit(const struct list *list, uint32_t index)
{
	return list->rejits[index].name;
}

static const struct row_kind rejits = { process_of_rejit, name_of_rejit, append_rejit,
					write_rejit };

static const struct kind {
	const char *name;
	unsigned int flag;
	const struct row_kind *rows;
} kinds[] = {
	{ "load", VIEW_EVENTS_LOAD, &bodies },
	{ "unload", VIEW_EVENTS_UNLOAD, &bodies },
	{ "patch", VIEW_EVENTS_PATCH, &patches },
	{ "delay", VIEW_EVENTS_DELAY, &tierings },
	{ "batch", VIEW_EVENTS_BATCH, &tierings },
	{ "rejit", VIEW_EVENTS_REJIT, &rejits },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static unsigned int flag_of(const char *name, size_t size)
{
	for (unsigned int i = 0; i < KINDS; i++)
		if (strlen(kinds[i].name) == size && !memcmp(kinds[i].name, name, size))
			return kinds[i].flag;
	return 0;
}

unsigned int view_events__kinds(const char *names)
{
	unsigned int found = 0;

	for (;; names++) {
		size_t size = strcspn(names, ",");
		unsigned int flag = flag_of(names, size);

		if (!flag)
			return 0;
		found |= flag;
		names += size;
		if (!*names)
			return found;
	}
}

static const struct kind *kind_of(const struct event *event)
{
	unsigned int i = 0;

	while (kinds[i].flag != event->kind)
		i++;
	return &kinds[i];
}

static const char *name_of(const struct list *list, const struct event *event)
{
	return model__text(list->model, kind_of(event)->rows->name(list, event->index));
}

static int32_t pid_of(const struct list *list, const struct event *event)
{
	uint32_t process = kind_of(event)->rows->process(list, event->index);

	return model__process(list->model, process)->pid;
}

/* --- lines ---------------------------------------------------------------------- */

static void append_line(const struct list *list, const struct event *event)
{
	const char *name = name_of(list, event);

	buf__printf(list->buf, "%+12.6f s  %-6s  ", view__seconds(list->start_ns, event->time_ns),
		    kind_of(event)->name);
	if (model__processes(list->model) > 1)
		buf__printf(list->buf, "process %d: ", pid_of(list, event));
	text__append_terminal(list->buf, name);
	buf__append_string(list->buf, *name ? ": " : "");
	kind_of(event)->rows->append(list, event);
	buf__append_char(list->buf, '\n');
}

static int write_object(const struct list *list, const struct event *event)
{
	const struct kind *kind = kind_of(event);
	struct json_writer json;
	int err;

	json_writer__init(&json, list->buf);
	json_writer__object(&json, NULL);
	json_writer__number(&json, "time_ns", event->time_ns);
	json_writer__string(&json, "kind", kind->name);
	json_writer__signed(&json, "pid", pid_of(list, event));
	if (kind->rows != &tierings)
		json_writer__string(&json, "name", name_of(list, event));
	kind->rows->write(list, event, &json);
	json_writer__end(&json);
	err = json_writer__finish(&json);
	buf__append_char(list->buf, '\n');
	return err;
}

/* --- the list --------------------------------------------------------------------- */

/* Of the body that calls reach; without one, of a body of the function. */
static void name_patches(struct list *list)
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

static bool is_first_look(const struct list *list, const struct event *event)
{
	if (event->kind == VIEW_EVENTS_PATCH)
		return !model__patch(list->model, event->index)->window_ns[0];
	return event->kind == VIEW_EVENTS_REJIT && !list->rejits[event->index].window_ns[0];
}

static void add(struct list *list, const struct view_events_filter *filter,
		const struct event *event)
{
	/* Who looks on wants no history, and a first look is no change. */
	if (filter->seen && (event->time_ns < list->start_ns || is_first_look(list, event)))
		return;
	if (!(filter->kinds & event->kind) ||
	    (filter->part && !strcasestr(name_of(list, event), filter->part)))
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
static bool is_same_as_before(const struct list *list, struct view_events_seen *seen)
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

static void collect_rejits(struct list *list, const struct view_events_filter *filter)
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

static void collect(struct list *list, const struct view_events_filter *filter)
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
	struct list list = { .model = model, .buf = buf };
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
			err = write_object(&list, &list.events[i]);
		else
			append_line(&list, &list.events[i]);
	}
	free(list.events);
	free(list.names);
	free(list.rejits);
	return err;
}
