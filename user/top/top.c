// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What ran, counted by body, method and tier: see top.h.
#include "top_internal.h"

#include "../base/alloc.h"
#include "../base/map.h"
#include "../view/stat.h"
#include "../view/view.h"

#include <stdlib.h>
#include <string.h>

struct top *top__new(void)
{
	struct top *top = alloc__zeroed(1, sizeof(*top));

	top->stat = stat_view__new(&(struct stat_options){ .by = STAT_BY_BODY });
	for (unsigned int level = 0; level < TOP_LEVELS; level++)
		top->tables[level].numbers = map__new();
	return top;
}

void top__free(struct top *top)
{
	if (!top)
		return;
	for (unsigned int level = 0; level < TOP_LEVELS; level++) {
		map__free(top->tables[level].numbers);
		free(top->tables[level].rows);
	}
	stat_view__free(top->stat);
	for (unsigned int event = 0; event < MODEL_EVENTS_MAX; event++)
		recent__free(top->recent[event]);
	free(top->bodies_seen);
	free(top);
}

struct top_key top__key(const struct model *model, uint32_t level, uint32_t process,
			uint32_t kind, uint32_t body)
{
	struct top_key key = { .level = level, .process = process, .kind = kind };

	if (kind != MODEL_FRAME_BODY)
		return key;
	key.number = level == TOP_BODY ? body :
		     level == TOP_METHOD ? model__body(model, body)->name :
		     view__tier(model__body(model, body));
	return key;
}

static uint64_t high(const struct top_key *key)
{
	return (uint64_t)key->kind << 32 | key->process;
}

struct top_counted *top__find(const struct top *top, const struct top_key *key)
{
	const struct top_table *table = &top->tables[key->level];
	uint64_t number;

	return map__get(table->numbers, high(key), key->number, &number) ?
	       &table->rows[number] : NULL;
}

/* The row of a key; a new one, if there is none. */
static struct top_counted *row_of(struct top *top, const struct top_key *key)
{
	struct top_table *table = &top->tables[key->level];
	uint64_t number;

	if (map__add(table->numbers, high(key), key->number, table->count, &number)) {
		alloc__grow(table->rows, table->count, table->capacity);
		table->rows[table->count++] =
			(struct top_counted){ .key = *key, .hottest = MODEL_NONE };
	}
	return &table->rows[number];
}

/* --- samples ------------------------------------------------------------- */

/* Once per sample, however often it is on the stack. */
static void count_frame(struct top *top, const struct model *model, uint32_t process,
			uint32_t kind, uint32_t body, uint32_t event)
{
	for (uint32_t level = 0; level < TOP_LEVELS; level++) {
		struct top_key key = top__key(model, level, process, kind, body);
		struct top_counted *row = row_of(top, &key);

		if (row->seen == top->samples_seen)
			continue;
		row->seen = top->samples_seen;
		row->coming[event]++;
	}
}

static void count_sample(struct top *top, const struct model *model,
			 const struct model_sample *sample)
{
	uint32_t process = model__thread(model, sample->thread)->process;
	uint32_t stack = model__user_stack(model, sample->stack);

	if (!stack)
		count_frame(top, model, process, MODEL_FRAME_UNKNOWN, MODEL_NONE,
			    sample->event);
	for (; stack; stack = model__stack(model, stack)->parent) {
		const struct model_frame *frame =
			model__frame(model, model__stack(model, stack)->frame);

		count_frame(top, model, process, frame->kind, frame->body, sample->event);
	}
	/* One each: those of a frequent event would leave no room for the others'. */
	if (!top->recent[sample->event])
		top->recent[sample->event] = recent__new();
	recent__add(top->recent[sample->event], model, sample);
}

void top__step(struct top *top, const struct model *model)
{
	uint64_t dropped = model__samples_dropped(model);

	if (top->samples_seen < dropped)
		top->samples_seen = dropped;
	while (top->samples_seen - dropped < model__samples(model)) {
		const struct model_sample *sample =
			model__sample(model, top->samples_seen - dropped);

		top->samples_seen++;	/* from 1 on, for rows that none was seen of */
		count_sample(top, model, sample);
	}
}

/* --- the interval -------------------------------------------------------- */

static uint64_t sum(const uint64_t *samples)
{
	uint64_t all = 0;

	for (unsigned int i = 0; i < MODEL_EVENTS_MAX; i++)
		all += samples[i];
	return all;
}

static void begin_rows(struct top_table *table)
{
	for (uint32_t i = 0; i < table->count; i++) {
		struct top_counted *row = &table->rows[i];

		memcpy(row->total, row->coming, sizeof(row->total));
		memset(row->coming, 0, sizeof(row->coming));
		memset(row->self, 0, sizeof(row->self));
		row->bodies = 0;
		row->most = 0;
	}
}

/* Self, from the table that `stat` would have shown. */
static void add_self(struct top *top, const struct model *model)
{
	for (uint32_t i = 0; i < top->stat->rows_count; i++) {
		const struct stat_row *stat = &top->stat->rows[i];

		for (uint32_t level = 0; level < TOP_LEVELS; level++) {
			struct top_key key = top__key(model, level, stat->process,
						      stat->kind, stat->body);
			struct top_counted *row = row_of(top, &key);

			deltas__add(row->self, stat->samples);
			row->bodies += stat->bodies;
		}
	}
}

/* The body that a group's row tells of; that of before, where nothing ran. */
static void find_hottest(struct top *top, const struct model *model)
{
	const struct top_table *bodies = &top->tables[TOP_BODY];

	for (uint32_t i = 0; i < bodies->count; i++) {
		const struct top_counted *body = &bodies->rows[i];
		uint64_t weight = (sum(body->self) << 32) + sum(body->total);

		if (!weight || body->key.kind != MODEL_FRAME_BODY)
			continue;
		for (uint32_t level = TOP_METHOD; level < TOP_LEVELS; level++) {
			struct top_key key = top__key(model, level, body->key.process,
						      body->key.kind, body->key.number);
			struct top_counted *group = row_of(top, &key);

			if (weight <= group->most)
				continue;
			group->most = weight;
			group->hottest = body->key.number;
		}
	}
}

static void remember(struct top_counted *row)
{
	for (unsigned int event = 0; event < MODEL_EVENTS_MAX; event++) {
		uint16_t *trend = row->trend[event];

		memmove(trend, trend + 1, (TOP_TREND - 1) * sizeof(*trend));
		trend[TOP_TREND - 1] = row->self[event] < UINT16_MAX ?
				       (uint16_t)row->self[event] : UINT16_MAX;
	}
	row->idle = sum(row->self) || sum(row->total) ? 0 : row->idle + 1;
}

/* What had no sample in all that is remembered is forgotten. */
static void end_rows(struct top_table *table)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < table->count; i++) {
		struct top_counted *row = &table->rows[i];

		remember(row);
		if (row->idle > TOP_TREND) {
			map__remove(table->numbers, high(&row->key), row->key.number);
			continue;
		}
		if (kept != i) {
			table->rows[kept] = *row;
			map__set(table->numbers, high(&row->key), row->key.number, kept);
		}
		kept++;
	}
	table->count = kept;
}

/* --- changes ------------------------------------------------------------- */

static bool is_change(const struct model_body *body, enum top_change_kind *ret_kind)
{
	if (body->source != MODEL_SOURCE_EVENT)
		return false;
	if (body->tier == TS_TIER_1_OSR)
		*ret_kind = TOP_OSR;
	else if (body->tier == TS_TIER_1)
		*ret_kind = TOP_TIER_UP;
	else if (body->rejit_id || body->flags & MODEL_BODY_REJIT_UNKNOWN)
		*ret_kind = TOP_REJIT;
	else
		return false;
	return true;
}

static void find_changes(struct top *top, const struct model *model)
{
	enum top_change_kind kind;

	top->bodies_seen = alloc__room(top->bodies_seen, &top->bodies_room,
				       model__bodies(model), sizeof(*top->bodies_seen));
	for (uint32_t i = 0; i < model__bodies(model); i++) {
		const struct model_body *body = model__body(model, i);

		if (top->bodies_seen[i] || body->process == MODEL_NONE)
			continue;
		top->bodies_seen[i] = 1;
		if (is_change(body, &kind))
			top->changes[top->changes_end++ % TOP_CHANGES_KEPT] =
				(struct top_born){ i, kind, body->born_ns };
	}
}

struct top_snapshot *top__look(struct top *top, const struct model *model,
			       const struct top_session *session, uint64_t from_ns,
			       uint64_t to_ns)
{
	top__step(top, model);
	stat_view__look(top->stat, model, from_ns, to_ns);
	for (unsigned int level = 0; level < TOP_LEVELS; level++)
		begin_rows(&top->tables[level]);
	add_self(top, model);
	find_hottest(top, model);
	for (unsigned int level = 0; level < TOP_LEVELS; level++)
		end_rows(&top->tables[level]);
	find_changes(top, model);
	return top__copy(top, model, session);
}
