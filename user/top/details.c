// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// One row looked at closely: its versions, and the stacks that it was on lately.
#include "top_internal.h"

#include "../base/alloc.h"
#include "../base/map.h"
#include "../view/stat.h"
#include "../view/view.h"

#include <stdlib.h>
#include <string.h>

void top_details__free(struct top_details *details)
{
	if (!details)
		return;
	free(details->versions);
	free(details->text);
	free(details);
}

/* A stack that samples have in common. */
struct common {
	const uint32_t *frames;
	uint32_t frames_count;
	bool cut;
	uint64_t samples;
};

struct gathering {
	const struct model *model;
	struct top_details *details;
	struct map *numbers;		/* a hash of two words -> place */
	struct common *stacks;
	uint32_t count, capacity;
	uint64_t oldest_ns;		/* of all samples, or UINT64_MAX */
};

static bool is_of(const struct model *model, const struct top_key *key, uint32_t frame)
{
	const struct model_frame *row = model__frame(model, frame);
	struct top_key own;

	if (row->kind != key->kind)
		return false;
	own = top__key(model, key->level, key->process, row->kind, row->body);
	return own.number == key->number;
}

static bool is_on(const struct gathering *gathering, const struct recent_sample *sample)
{
	const struct top_key *key = &gathering->details->key;

	if (sample->process != key->process)
		return false;
	if (!sample->frames_count)
		return key->kind == MODEL_FRAME_UNKNOWN;
	for (uint32_t i = 0; i < sample->frames_count; i++)
		if (is_of(gathering->model, key, sample->frames[i]))
			return true;
	return false;
}

/* Two hashes of 64 bits: nobody chooses frames' numbers so that both collide. */
static void hash(const struct recent_sample *sample, uint64_t ret_words[2])
{
	ret_words[0] = 0xcbf29ce484222325u + sample->cut;
	ret_words[1] = 0x9e3779b97f4a7c15u ^ sample->frames_count;
	for (uint32_t i = 0; i < sample->frames_count; i++) {
		ret_words[0] = (ret_words[0] ^ sample->frames[i]) * 0x100000001b3u;
		ret_words[1] = (ret_words[1] << 7 | ret_words[1] >> 57) * 0xff51afd7ed558ccdu +
			       sample->frames[i];
	}
}

static void gather(void *context, const struct recent_sample *sample)
{
	struct gathering *gathering = context;
	uint64_t words[2], number;

	if (sample->time_ns < gathering->oldest_ns)
		gathering->oldest_ns = sample->time_ns;
	if (!is_on(gathering, sample))
		return;
	gathering->details->samples++;
	hash(sample, words);
	if (map__add(gathering->numbers, words[0], words[1], gathering->count, &number)) {
		alloc__grow(gathering->stacks, gathering->count, gathering->capacity);
		gathering->stacks[gathering->count++] = (struct common){
			.frames = sample->frames, .frames_count = sample->frames_count,
			.cut = sample->cut };
	}
	gathering->stacks[number].samples++;
}

static int most_first(const void *left, const void *right)
{
	const struct common *a = left, *b = right;

	if (a->samples != b->samples)
		return a->samples < b->samples ? 1 : -1;
	return a->frames < b->frames ? -1 : a->frames > b->frames;
}

static void copy_stacks(struct gathering *gathering, struct buf *text)
{
	struct top_details *details = gathering->details;
	uint32_t shown = gathering->count < TOP_STACKS ? gathering->count : TOP_STACKS;

	if (gathering->count)
		qsort(gathering->stacks, gathering->count, sizeof(*gathering->stacks),
		      most_first);
	details->stacks_count = shown;
	details->stacks_more = gathering->count - shown;
	for (uint32_t i = 0; i < shown; i++) {
		const struct common *stack = &gathering->stacks[i];

		details->stacks[i].samples = stack->samples;
		details->stacks[i].frames_count = stack->frames_count;
		details->stacks[i].cut = stack->cut;
		for (uint32_t j = 0; j < stack->frames_count; j++) {
			struct buf label = BUF_INIT;

			view__frame_label(gathering->model, stack->frames[j],
					  VIEW_SPLIT_VERSION, &label);
			details->stacks[i].frames[j] = top__take_text(text, &label);
			details->stacks[i].marked[j] =
				is_of(gathering->model, &details->key, stack->frames[j]);
		}
	}
}

static void find_stacks(const struct top *top, const struct model *model, uint64_t now_ns,
			struct top_details *details, struct buf *text)
{
	struct gathering gathering = { .model = model, .details = details,
				       .numbers = map__new(), .oldest_ns = UINT64_MAX };

	if (top->recent[details->event])
		recent__each(top->recent[details->event], now_ns > TOP_RECENT_NS ? now_ns - TOP_RECENT_NS : 0,
			     gather, &gathering);
	if (gathering.oldest_ns < now_ns)
		details->span_ns = now_ns - gathering.oldest_ns;
	copy_stacks(&gathering, text);
	map__free(gathering.numbers);
	free(gathering.stacks);
}

/* All that the model has, sampled or not; the youngest are the last. */
static void find_versions(const struct top *top, const struct model *model,
			  struct top_details *details, struct buf *text)
{
	const struct top_key *wanted = &details->key;

	if (wanted->kind != MODEL_FRAME_BODY || wanted->level == TOP_TIER)
		return;
	details->versions = alloc__zeroed(TOP_VERSIONS, sizeof(*details->versions));
	for (uint32_t i = model__bodies(model); i > 0; i--) {
		uint32_t process = model__body(model, i - 1)->process;
		struct top_key key = top__key(model, wanted->level, process, MODEL_FRAME_BODY,
					      i - 1);

		if (process != wanted->process || key.number != wanted->number)
			continue;
		if (details->versions_count == TOP_VERSIONS) {
			details->versions_more++;
			continue;
		}
		key = top__key(model, TOP_BODY, process, MODEL_FRAME_BODY, i - 1);
		top__fill_row(model, &key, top__find(top, &key), text,
			      &details->versions[details->versions_count++]);
	}
}

struct top_details *top__details(const struct top *top, const struct model *model,
				 const struct top_key *key, uint32_t event, uint64_t now_ns)
{
	struct top_details *details = alloc__zeroed(1, sizeof(*details));
	struct buf text = BUF_INIT;
	struct top_row row;

	buf__append_char(&text, 0);
	details->key = *key;
	details->event = event;
	top__fill_row(model, key, NULL, &text, &row);
	details->title = row.name;
	memcpy(details->interval_samples, top->stat->samples, sizeof(details->interval_samples));
	find_versions(top, model, details, &text);
	find_stacks(top, model, now_ns, details, &text);
	details->text = buf__steal(&text);
	return details;
}
