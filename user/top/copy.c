// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The snapshot out of what is counted: the rows that matter most, with their names.
#include "top_internal.h"

#include "../base/alloc.h"
#include "../base/map.h"
#include "../model/name.h"
#include "../view/stat.h"
#include "../view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void top_snapshot__free(struct top_snapshot *snapshot)
{
	if (!snapshot)
		return;
	for (unsigned int level = 0; level < TOP_LEVELS; level++)
		free(snapshot->levels[level].rows);
	free(snapshot->text);
	free(snapshot);
}

#define WORD_BYTES 32

/* Strings are told apart by what they are of. */
enum { TEXT_NAME, TEXT_PROCESS };

struct copy {
	const struct top *top;
	const struct model *model;
	struct top_snapshot *snapshot;
	struct buf text;
	struct map *texts;		/* (what, number) -> where its text begins */
	uint32_t *places[TOP_LEVELS];	/* [row of the table]: in the snapshot, MODEL_NONE */
};

uint32_t top__add_text(struct buf *text, const char *name)
{
	uint32_t at = (uint32_t)text->size;

	view__append_name(text, name, TOP_NAME_BYTES);
	buf__append_char(text, 0);
	return at;
}

uint32_t top__take_text(struct buf *text, struct buf *label)
{
	uint32_t at = top__add_text(text, buf__string(label));

	buf__free(label);
	return at;
}

static uint32_t add_process(struct buf *text, const struct model *model, uint32_t process)
{
	struct buf label = BUF_INIT;

	view__process_label(model, process, &label);
	return top__take_text(text, &label);
}

static uint32_t add_version(struct buf *text, const struct model_body *body)
{
	struct buf label = BUF_INIT;

	view__version_label(body, &label);
	return top__take_text(text, &label);
}

/* Everything but names of methods and processes, which many rows share. */
static void fill(const struct model *model, const struct top_key *key,
		 const struct top_counted *counted, struct buf *text, struct top_row *row)
{
	const struct model_body *body;

	*row = (struct top_row){ .key = *key, .hottest = MODEL_NONE, .state = "" };
	if (counted) {
		row->hottest = counted->hottest;
		row->bodies = counted->bodies;
		memcpy(row->self, counted->self, sizeof(row->self));
		memcpy(row->total, counted->total, sizeof(row->total));
		memcpy(row->trend, counted->trend, sizeof(row->trend));
	}
	if (key->kind != MODEL_FRAME_BODY || key->level != TOP_BODY)
		return;
	body = model__body(model, key->number);
	row->label = add_version(text, body);
	row->tier = view__tier(body);
	row->state = stat__state(body);
	row->source = body->source;
	row->born_ns = body->born_ns;
	row->start = body->start;
	row->native_version = body->native_version;
}

/* Of a row that a method's name stands in. */
static string_id id_of(const struct model *model, const struct top_key *key)
{
	return key->level == TOP_METHOD ? key->number : model__body(model, key->number)->name;
}

static const char *name_of(const struct model *model, const struct top_key *key,
			   char word[WORD_BYTES])
{
	if (key->kind != MODEL_FRAME_BODY) {
		snprintf(word, WORD_BYTES, "[%s]", stat__kind_name(key->kind));
		return word;
	}
	if (key->level == TOP_TIER)
		return name__tier_short(key->number);
	return model__text(model, id_of(model, key));
}

void top__fill_row(const struct model *model, const struct top_key *key,
		   const struct top_counted *counted, struct buf *text,
		   struct top_row *ret_row)
{
	char word[WORD_BYTES];

	fill(model, key, counted, text, ret_row);
	ret_row->name = top__add_text(text, name_of(model, key, word));
	ret_row->process = add_process(text, model, key->process);
}

static void name_row(struct copy *copy, struct top_row *row)
{
	const struct top_key *key = &row->key;
	uint64_t at = copy->text.size;
	char word[WORD_BYTES];

	if (key->level == TOP_TIER || key->kind != MODEL_FRAME_BODY) {
		row->name = top__add_text(&copy->text, name_of(copy->model, key, word));
	} else {
		if (map__add(copy->texts, TEXT_NAME, id_of(copy->model, key), at, &at))
			top__add_text(&copy->text, name_of(copy->model, key, word));
		row->name = (uint32_t)at;
	}
	at = copy->text.size;
	if (map__add(copy->texts, TEXT_PROCESS, key->process, at, &at))
		add_process(&copy->text, copy->model, key->process);
	row->process = (uint32_t)at;
}

/* --- which rows ---------------------------------------------------------- */

static uint64_t weight(const struct top_counted *row)
{
	uint64_t now = 0, before = 0;

	for (unsigned int event = 0; event < MODEL_EVENTS_MAX; event++) {
		now += row->self[event] + row->total[event];
		for (unsigned int i = 0; i < TOP_TREND; i++)
			before += row->trend[event][i];
	}
	return (now << 24) + before;
}

static int heaviest(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	if (a[0] != b[0])
		return a[0] < b[0] ? 1 : -1;
	return a[1] < b[1] ? -1 : a[1] > b[1];
}

/* Weight and place of each row of a table, most first; the caller frees. */
static uint64_t (*sort(const struct top_table *table))[2]
{
	uint64_t (*order)[2] = alloc__zeroed((size_t)table->count + 1, sizeof(*order));

	for (uint32_t i = 0; i < table->count; i++) {
		order[i][0] = weight(&table->rows[i]);
		order[i][1] = i;
	}
	qsort(order, table->count, sizeof(*order), heaviest);
	return order;
}

static void leave_out(struct copy *copy, const struct top_counted *row)
{
	if (row->key.level != TOP_METHOD)
		return;
	copy->snapshot->left_out++;
	deltas__add(copy->snapshot->left_out_self, row->self);
}

static void copy_level(struct copy *copy, uint32_t level, uint32_t most)
{
	const struct top_table *table = &copy->top->tables[level];
	uint64_t (*order)[2] = sort(table);
	struct top_rows *rows = &copy->snapshot->levels[level];

	rows->rows = alloc__zeroed((table->count < most ? table->count : most) + 1,
				   sizeof(*rows->rows));
	copy->places[level] = alloc__zeroed((size_t)table->count + 1, sizeof(uint32_t));
	for (uint32_t i = 0; i < table->count; i++) {
		const struct top_counted *counted = &table->rows[order[i][1]];
		struct top_row *row = &rows->rows[rows->count];

		copy->places[level][order[i][1]] = MODEL_NONE;
		if (rows->count == most) {
			leave_out(copy, counted);
			continue;
		}
		fill(copy->model, &counted->key, counted, &copy->text, row);
		name_row(copy, row);
		copy->snapshot->several |= row->key.process != rows->rows[0].key.process;
		copy->places[level][order[i][1]] = rows->count++;
	}
	free(order);
}

/* Bodies know their groups, and groups the hottest of them, if they are here. */
static void link_rows(struct copy *copy)
{
	struct top_rows *bodies = &copy->snapshot->levels[TOP_BODY];

	for (uint32_t level = TOP_METHOD; level < TOP_LEVELS; level++) {
		for (uint32_t i = 0; i < bodies->count; i++) {
			const struct top_key *own = &bodies->rows[i].key;
			struct top_key key = top__key(copy->model, level, own->process, own->kind,
						      own->number);
			const struct top_counted *group = top__find(copy->top, &key);

			bodies->rows[i].groups[level] = group ?
				copy->places[level][group - copy->top->tables[level].rows] :
				MODEL_NONE;
		}
		for (uint32_t i = 0; i < copy->snapshot->levels[level].count; i++) {
			struct top_row *row = &copy->snapshot->levels[level].rows[i];
			struct top_key key = { .level = TOP_BODY, .process = row->key.process,
					       .kind = row->key.kind, .number = row->hottest };
			const struct top_counted *body =
				row->hottest == MODEL_NONE ? NULL : top__find(copy->top, &key);

			row->hottest = body ?
				copy->places[TOP_BODY][body - copy->top->tables[TOP_BODY].rows] :
				MODEL_NONE;
		}
	}
}

/* --- the rest ------------------------------------------------------------ */

static void copy_events(struct copy *copy)
{
	struct top_snapshot *snapshot = copy->snapshot;

	snapshot->events_count = model__events(copy->model);
	for (uint32_t i = 0; i < snapshot->events_count; i++) {
		const struct model_event *event = model__event(copy->model, i);

		snapshot->events[i] = (struct top_event){
			.name = top__add_text(&copy->text, model__text(copy->model, event->name)),
			.is_time = view__is_time(copy->model, i), .period = event->period,
			.samples = copy->top->stat->samples[i] };
	}
}

static void copy_changes(struct copy *copy)
{
	const struct top *top = copy->top;
	struct top_snapshot *snapshot = copy->snapshot;
	uint64_t since = snapshot->to_ns > TOP_CHANGES_NS ? snapshot->to_ns - TOP_CHANGES_NS : 0;
	uint64_t kept = top->changes_end < TOP_CHANGES_KEPT ? top->changes_end :
			TOP_CHANGES_KEPT;

	for (uint64_t i = 0; i < kept; i++) {
		const struct top_born *born =
			&top->changes[(top->changes_end - 1 - i) % TOP_CHANGES_KEPT];
		const struct model_body *body = model__body(copy->model, born->body);

		if (born->time_ns < since)
			continue;
		snapshot->changed[born->kind]++;
		if (snapshot->changes_count == TOP_CHANGES)
			continue;
		snapshot->changes[snapshot->changes_count++] = (struct top_change){
			.kind = born->kind, .time_ns = born->time_ns,
			.name = top__add_text(&copy->text, model__text(copy->model, body->name)),
			.label = add_version(&copy->text, body) };
	}
}

static void copy_title(struct copy *copy)
{
	struct buf title = BUF_INIT;

	view__title(copy->model, &(struct view_options){ .top = 0 }, &title);
	copy->snapshot->title = top__take_text(&copy->text, &title);
}

struct top_snapshot *top__copy(const struct top *top, const struct model *model,
			       const struct top_session *session)
{
	struct copy copy = { .top = top, .model = model, .texts = map__new(),
			     .snapshot = alloc__zeroed(1, sizeof(*copy.snapshot)) };

	buf__append_char(&copy.text, 0);	/* 0 is "" */
	copy.snapshot->session = *session;
	copy.snapshot->to_ns = top->stat->to_ns;
	copy_level(&copy, TOP_METHOD, TOP_GROUPS);
	copy_level(&copy, TOP_TIER, TOP_GROUPS);
	copy_level(&copy, TOP_BODY, TOP_BODIES);
	link_rows(&copy);
	copy_events(&copy);
	copy_changes(&copy);
	copy_title(&copy);
	for (unsigned int level = 0; level < TOP_LEVELS; level++)
		free(copy.places[level]);
	map__free(copy.texts);
	copy.snapshot->text = buf__steal(&copy.text);
	return copy.snapshot;
}
