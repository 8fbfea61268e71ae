// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// See event_rows.h.
#include "event_rows.h"

#include "json_rows.h"
#include "tiering.h"

#include "../base/text.h"
#include "../model/name.h"

#include <inttypes.h>
#include <string.h>

/* What is told of a row of the model. */
struct row_kind {
	uint32_t (*process)(const struct event_list *list, uint32_t index);
	string_id (*name)(const struct event_list *list, uint32_t index);	/* 0: it is of no method */
	void (*append)(const struct event_list *list, const struct event *event);
	void (*write)(const struct event_list *list, const struct event *event,
		      struct json_writer *json);
};

/* --- text ------------------------------------------------------------------- */

static void append_version(const struct model_body *body, struct buf *buf)
{
	view__version_label(body, buf);
	if (!(body->flags & MODEL_BODY_VERSION_UNKNOWN))
		buf__printf(buf, " native %u", body->native_version);
}

static void append_code(const struct event_list *list, const struct model_body *body)
{
	append_version(body, list->buf);
	buf__printf(list->buf, ", %u bytes at 0x%" PRIx64, body->size, body->start);
}

static void append_body(const struct event_list *list, const struct event *event)
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
static void append_since(const struct event_list *list, const uint64_t window_ns[2])
{
	if (window_ns[0] && window_ns[0] == window_ns[1])
		buf__append_string(list->buf, ", since then exactly");
	else if (window_ns[0])
		buf__printf(list->buf, ", since %+.6f s at the earliest",
			    view__seconds(list->start_ns, window_ns[0]));
}

static void append_patch(const struct event_list *list, const struct event *event)
{
	const struct model_patch *patch = model__patch(list->model, event->index);

	view__append_reached(list->model, patch, list->buf);
	append_since(list, patch->window_ns);
}

static const char *const rejit_names[] = {
	[REJIT_REQUESTED] = "requested", [REJIT_COMPILED] = "compiled",
	[REJIT_REVERTED] = "reverted",
};

static void append_rejit(const struct event_list *list, const struct event *event)
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

static void append_tiering(const struct event_list *list, const struct event *event)
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

static void write_version(const struct event_list *list, uint32_t body, struct json_writer *json)
{
	if (body == MODEL_NONE)
		return;
	json_rows__rejit(json, model__body(list->model, body));
	json_rows__code(json, model__body(list->model, body));
}

static void write_body(const struct event_list *list, const struct event *event,
		       struct json_writer *json)
{
	json_rows__function(json, model__body(list->model, event->index));
	write_version(list, event->index, json);
}

static void write_patch(const struct event_list *list, const struct event *event,
			struct json_writer *json)
{
	const struct model_patch *patch = model__patch(list->model, event->index);

	json_writer__hex(json, "function_id", patch->function_id);
	json_rows__patch(json, patch);
	write_version(list, patch->body, json);
}

static void write_tiering(const struct event_list *list, const struct event *event,
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

static void write_rejit(const struct event_list *list, const struct event *event,
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

static uint32_t process_of_body(const struct event_list *list, uint32_t index)
{
	return model__body(list->model, index)->process;
}

static string_id name_of_body(const struct event_list *list, uint32_t index)
{
	return model__body(list->model, index)->name;
}

static const struct row_kind bodies = { process_of_body, name_of_body, append_body, write_body };

static uint32_t process_of_patch(const struct event_list *list, uint32_t index)
{
	return model__patch(list->model, index)->process;
}

static string_id name_of_patch(const struct event_list *list, uint32_t index)
{
	return list->names[index];
}

static const struct row_kind patches = { process_of_patch, name_of_patch, append_patch,
					write_patch };

static uint32_t process_of_tiering(const struct event_list *list, uint32_t index)
{
	return model__tiering(list->model, index)->process;
}

static string_id name_of_nothing(const struct event_list *list, uint32_t index)
{
	(void)list, (void)index;
	return 0;
}

static const struct row_kind tierings = { process_of_tiering, name_of_nothing, append_tiering,
					 write_tiering };

static uint32_t process_of_rejit(const struct event_list *list, uint32_t index)
{
	return list->rejits[index].process;
}

static string_id name_of_rejit(const struct event_list *list, uint32_t index)
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

const char *event_row__name(const struct event_list *list, const struct event *event)
{
	return model__text(list->model, kind_of(event)->rows->name(list, event->index));
}

static int32_t pid_of(const struct event_list *list, const struct event *event)
{
	uint32_t process = kind_of(event)->rows->process(list, event->index);

	return model__process(list->model, process)->pid;
}

/* --- lines ---------------------------------------------------------------------- */

void event_row__append(const struct event_list *list, const struct event *event)
{
	const char *name = event_row__name(list, event);

	buf__printf(list->buf, "%+12.6f s  %-6s  ", view__seconds(list->start_ns, event->time_ns),
		    kind_of(event)->name);
	if (model__processes(list->model) > 1)
		buf__printf(list->buf, "process %d: ", pid_of(list, event));
	text__append_terminal(list->buf, name);
	buf__append_string(list->buf, *name ? ": " : "");
	kind_of(event)->rows->append(list, event);
	buf__append_char(list->buf, '\n');
}

int event_row__write(const struct event_list *list, const struct event *event)
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
		json_writer__string(&json, "name", event_row__name(list, event));
	kind->rows->write(list, event, &json);
	json_writer__end(&json);
	err = json_writer__finish(&json);
	buf__append_char(list->buf, '\n');
	return err;
}
