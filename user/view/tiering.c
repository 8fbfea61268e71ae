// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// A sample in the JIT is one with a frame of it anywhere in its stack, so what the JIT asks
// of the runtime counts as the JIT's.
#include "tiering.h"

#include "json_rows.h"
#include "runtime_group.h"
#include "tier_ups.h"
#include "view_internal.h"

#include "../base/alloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *text;
} costs[TIERING_COSTS] = {
	[TIERING_JIT_BACKGROUND] = { "jit_background", "in the JIT, in the background" },
	[TIERING_JIT_CALLER] = { "jit_caller", "in the JIT, while a caller waits" },
	[TIERING_INSTRUMENTED] = { "instrumented", "in instrumented code" },
	[TIERING_CALL_COUNTING] = { "call_counting", "in stubs that count calls" },
};

static bool is_jit(const struct model *model, const struct model_frame *frame)
{
	return frame->kind == MODEL_FRAME_NATIVE &&
	       !strncmp(model__text(model, frame->name), "libclrjit.so", 12);
}

/* [stack]: is there a frame of the JIT in it?  A parent's number is lower than its own. */
static bool *find_jit(const struct model *model)
{
	bool *in_jit = alloc__zeroed((size_t)model__stacks(model) + 1, sizeof(*in_jit));

	for (uint32_t i = 1; i < model__stacks(model); i++) {
		const struct model_stack *stack = model__stack(model, i);

		in_jit[i] = in_jit[stack->parent] ||
			    is_jit(model, model__frame(model, stack->frame));
	}
	return in_jit;
}

static enum tiering_cost cost_of(const struct model *model, const struct model_sample *sample,
				 const bool *in_jit)
{
	const struct model_thread *thread = model__thread(model, sample->thread);
	const struct model_frame *frame =
		model__frame(model, view__user_frame(model, sample->stack));
	uint32_t tier;

	if (in_jit[sample->stack])
		return !strcmp(model__text(model, thread->name), RUNTIME_TIERING_THREAD) ?
		       TIERING_JIT_BACKGROUND : TIERING_JIT_CALLER;
	if (view__frame_kind(frame) == MODEL_FRAME_STUB &&
	    !strncmp(model__text(model, frame->name), "call_counting", 13))
		return TIERING_CALL_COUNTING;
	if (view__frame_kind(frame) != MODEL_FRAME_BODY)
		return TIERING_COSTS;
	tier = view__tier(model__body(model, frame->body));
	return tier == TS_TIER_QUICK_INSTRUMENTED || tier == TS_TIER_1_INSTRUMENTED ?
	       TIERING_INSTRUMENTED : TIERING_COSTS;
}

static void tally(const struct model *model, uint64_t (*tallies)[TIERING_COSTS])
{
	bool *in_jit = find_jit(model);

	for (size_t i = 0; i < model__samples(model); i++) {
		const struct model_sample *sample = model__sample(model, i);
		enum tiering_cost cost = cost_of(model, sample, in_jit);

		if (cost < TIERING_COSTS && sample->event < MODEL_EVENTS_MAX)
			tallies[sample->event][cost] += sample->weight;
	}
	free(in_jit);
}

void tiering__costs(const struct model *model, const struct view_options *options,
		    uint64_t ret_costs[TIERING_COSTS])
{
	uint64_t tallies[MODEL_EVENTS_MAX][TIERING_COSTS] = { 0 };

	tally(model, tallies);
	memcpy(ret_costs, tallies[options->event % MODEL_EVENTS_MAX], sizeof(tallies[0]));
}

/* --- how long it takes ---------------------------------------------------------------- */

struct times {
	uint64_t *items;
	uint32_t count, capacity;
};

static int by_size(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

static struct tiering_times summarize(struct times *times)
{
	struct tiering_times result = { .count = times->count };

	if (times->count) {
		qsort(times->items, times->count, sizeof(*times->items), by_size);
		result.median = times->items[(times->count - 1) / 2];
		result.most_of_ten = times->items[(9 * (uint64_t)times->count + 9) / 10 - 1];
		result.longest = times->items[times->count - 1];
	}
	free(times->items);
	return result;
}

/* context: of each way its times */
static void add_tier_up(void *context, enum tier_up way, const struct model_body *body,
			uint64_t ns)
{
	struct times *times = (struct times *)context + way;

	(void)body;
	alloc__grow(times->items, times->count, times->capacity);
	times->items[times->count++] = ns;
}

void tiering__latency(const struct model *model, struct tiering_latency *ret_latency)
{
	struct times times[TIER_UPS] = { 0 };
	struct tier_ups ups = { 0 };

	tier_ups__look(&ups, model, add_tier_up, times);
	tier_ups__free(&ups);
	ret_latency->compiled = summarize(&times[TIER_UP_COMPILED]);
	ret_latency->published = summarize(&times[TIER_UP_PUBLISHED]);
}

/* --- delays and batches ------------------------------------------------------------------ */

bool tiering__is_begin(const struct model_tiering *row)
{
	return row->kind == TS_TIERING_DELAY_BEGAN || row->kind == TS_TIERING_BATCH_BEGAN;
}

bool tiering__is_batch(const struct model_tiering *row)
{
	return row->kind == TS_TIERING_BATCH_BEGAN || row->kind == TS_TIERING_BATCH_ENDED;
}

void tiering__spans(const struct model *model, struct tiering_spans ret_spans[TIERING_SPANS])
{
	/* [process]: when those that have not ended began, 0: none has begun. */
	uint64_t (*begun)[TIERING_SPANS] = alloc__zeroed((size_t)model__processes(model) + 1,
							 sizeof(*begun));

	memset(ret_spans, 0, TIERING_SPANS * sizeof(*ret_spans));
	for (uint32_t i = 0; i < model__tierings(model); i++) {
		const struct model_tiering *row = model__tiering(model, i);
		enum tiering_span span = tiering__is_batch(row) ? TIERING_BATCHES : TIERING_DELAYS;
		uint64_t *began = &begun[row->process][span];

		if (tiering__is_begin(row)) {
			*began = row->time_ns;
			continue;
		}
		if (*began && row->time_ns >= *began) {
			ret_spans[span].count++;
			ret_spans[span].ns += row->time_ns - *began;
			ret_spans[span].methods += span == TIERING_BATCHES ? row->compiled :
									     row->new_methods;
		}
		*began = 0;
	}
	free(begun);
}

/* --- as text, and as JSON ---------------------------------------------------------------- */

static void append_times(const char *what, const struct tiering_times *times, struct buf *buf)
{
	if (times->count)
		buf__printf(buf, "  %s: half within %.3f s, 9 of 10 within %.3f s, longest %.3f s (%u)\n",
			    what, (double)times->median / 1e9, (double)times->most_of_ten / 1e9,
			    (double)times->longest / 1e9, times->count);
}

static void append_spans(const char *what, const char *methods,
			 const struct tiering_spans *spans, struct buf *buf)
{
	if (spans->count)
		buf__printf(buf, "  %s: %" PRIu64 " in %.3f s, methods %s: %" PRIu64 "\n", what,
			    spans->count, (double)spans->ns / 1e9, methods, spans->methods);
}

void tiering__append(const struct model *model, const struct view_options *options,
		     uint64_t samples, struct buf *buf)
{
	struct tiering_latency latency;
	struct tiering_spans spans[TIERING_SPANS];
	uint64_t counts[TIERING_COSTS], sum = 0;

	tiering__costs(model, options, counts);
	tiering__latency(model, &latency);
	tiering__spans(model, spans);
	for (unsigned int i = 0; i < TIERING_COSTS; i++)
		sum += counts[i];
	if (!sum && !latency.compiled.count && !spans[TIERING_DELAYS].count &&
	    !spans[TIERING_BATCHES].count)
		return;
	buf__printf(buf, "\ntiering: %" PRIu64 " samples, %.2f %%\n", sum,
		    samples ? 100.0 * (double)sum / (double)samples : 0.0);
	for (unsigned int i = 0; i < TIERING_COSTS; i++)
		if (counts[i])
			buf__printf(buf, "%7.2f %10" PRIu64 "  %s\n",
				    100.0 * (double)counts[i] / (double)samples, counts[i],
				    costs[i].text);
	append_times("from a method's first code to tier 1", &latency.compiled, buf);
	append_times("from there until calls were seen to reach it", &latency.published, buf);
	append_spans("delays while new methods came", "new", &spans[TIERING_DELAYS], buf);
	append_spans("batches compiled in the background", "compiled", &spans[TIERING_BATCHES], buf);
}

static void write_times(struct json_writer *json, const char *name,
			const struct tiering_times *times)
{
	json_writer__object(json, name);
	json_writer__number(json, "count", times->count);
	json_rows__time(json, "median_ns", times->median);
	json_rows__time(json, "nine_of_ten_ns", times->most_of_ten);
	json_rows__time(json, "longest_ns", times->longest);
	json_writer__end(json);
}

static void write_spans(struct json_writer *json, const char *name, const char *methods,
			const struct tiering_spans *spans)
{
	json_writer__object(json, name);
	json_writer__number(json, "count", spans->count);
	json_writer__number(json, "ns", spans->ns);
	json_writer__number(json, methods, spans->methods);
	json_writer__end(json);
}

void tiering__write(const struct model *model, struct json_writer *json)
{
	uint64_t tallies[MODEL_EVENTS_MAX][TIERING_COSTS] = { 0 };
	struct tiering_latency latency;
	struct tiering_spans spans[TIERING_SPANS];

	tally(model, tallies);
	tiering__latency(model, &latency);
	tiering__spans(model, spans);
	json_writer__object(json, "tiering");
	for (unsigned int i = 0; i < TIERING_COSTS; i++) {
		json_writer__object(json, costs[i].name);
		for (uint32_t event = 0; event < model__events(model); event++)
			json_writer__number(json,
				model__text(model, model__event(model, event)->name),
				tallies[event][i]);
		json_writer__end(json);
	}
	write_times(json, "first_code_to_tier1", &latency.compiled);
	write_times(json, "tier1_to_seen_published", &latency.published);
	write_spans(json, "delays", "new_methods", &spans[TIERING_DELAYS]);
	write_spans(json, "batches", "compiled", &spans[TIERING_BATCHES]);
	json_writer__end(json);
}
