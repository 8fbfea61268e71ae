// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Stacks and samples for the flame graph page: see view_html_stacks.h.
#include "view_html_stacks.h"

#include "../base/alloc.h"
#include "../base/map.h"

#include <stdlib.h>

static uint32_t add_frame(struct page_stacks *stacks, uint32_t kind, uint32_t row,
			  uint64_t key)
{
	uint64_t known;

	if (!map__add(stacks->frame_numbers, kind, key, stacks->frames_count, &known))
		return (uint32_t)known;
	alloc__grow(stacks->frames, stacks->frames_count, stacks->frames_capacity);
	stacks->frames[stacks->frames_count] = (struct page_frame){
		.kind = kind,
		.row = row,
	};
	return stacks->frames_count++;
}

/* The page's number of a frame of the model; MODEL_NONE is the empty stack. */
static uint32_t page_frame(struct page_stacks *stacks, uint32_t frame)
{
	const struct model_frame *row;

	if (frame == MODEL_NONE)
		return add_frame(stacks, MODEL_FRAME_UNKNOWN, frame, UINT64_MAX);
	row = model__frame(stacks->model, frame);
	if (row->kind == MODEL_FRAME_BODY) {
		stacks->body_number[row->body] = 0; /* numbered when written */
		return add_frame(stacks, MODEL_FRAME_BODY, row->body, row->body);
	}
	return add_frame(stacks, view__frame_kind(row), frame, row->name);
}

static uint32_t add_node(struct page_stacks *stacks, uint32_t parent, uint32_t frame)
{
	uint64_t known;

	if (!map__add(stacks->node_numbers, parent, frame, stacks->nodes_count, &known))
		return (uint32_t)known;
	alloc__grow(stacks->nodes, stacks->nodes_count, stacks->nodes_capacity);
	stacks->nodes[stacks->nodes_count] = (struct page_node){
		.parent = parent,
		.frame = frame,
	};
	return stacks->nodes_count++;
}

/*
 * The node of a frame that `node` called.  An address within a library, with
 * no symbol, says nothing that its caller in the same library did not say.
 */
static uint32_t add_callee(struct page_stacks *stacks, uint32_t node, uint32_t frame)
{
	const struct model_frame *row = model__frame(stacks->model, frame);
	uint32_t number = page_frame(stacks, frame);

	if (node && row->kind == MODEL_FRAME_NATIVE && row->address &&
	    !view__is_function(stacks->model, row) &&
	    stacks->nodes[node].frame == number)
		return node;
	return add_node(stacks, node, number);
}

/*
 * Which node each stack of the model is, for the process or thread at hand:
 * native code is on stacks of several, so one is done after the other and
 * `owner` says for which one `node` was filled in.
 */
struct memo {
	uint32_t *node, *owner; /* [stack] */
	uint32_t *path;		/* stacks still to be numbered, leaf first */
	uint32_t path_capacity;
	uint32_t current, root;
};

static uint32_t stack_node(struct page_stacks *stacks, struct memo *memo,
			   uint32_t stack)
{
	uint32_t at = stack, node = memo->root, depth = 0;

	if (!stack)
		return add_node(stacks, memo->root, page_frame(stacks, MODEL_NONE));
	while (at && memo->owner[at] != memo->current) {
		alloc__grow(memo->path, depth, memo->path_capacity);
		memo->path[depth++] = at;
		at = model__stack(stacks->model, at)->parent;
	}
	if (at)
		node = memo->node[at];
	while (depth) {
		at = memo->path[--depth];
		node = add_callee(stacks, node, model__stack(stacks->model, at)->frame);
		memo->node[at] = node;
		memo->owner[at] = memo->current;
	}
	return node;
}

/* What the stacks of a process or thread begin with. */
static uint32_t root_node(struct page_stacks *stacks, uint32_t owner, bool per_thread,
			  bool several)
{
	uint32_t process =
		per_thread ? model__thread(stacks->model, owner)->process : owner;
	uint32_t node = 0;

	if (several)
		node = add_node(stacks, node,
				add_frame(stacks, VIEW_FRAME_PROCESS, process,
					  process));
	if (per_thread)
		node = add_node(stacks, node,
				add_frame(stacks, VIEW_FRAME_THREAD, owner, owner));
	return node;
}

/* Gives each sample its node; `order` holds the samples by owner. */
static void number_nodes(struct page_stacks *stacks, const uint32_t *owner,
			 bool per_thread, bool several)
{
	uint32_t count = model__stacks(stacks->model);
	struct memo memo = {
		.node = alloc__zeroed(count, sizeof(uint32_t)),
		.owner = alloc__zeroed(count, sizeof(uint32_t)),
		.current = MODEL_NONE,
	};

	for (uint32_t i = 0; i < count; i++)
		memo.owner[i] = MODEL_NONE;
	for (uint32_t i = 0; i < stacks->samples_count; i++) {
		uint32_t sample = stacks->order[i];

		if (memo.current != owner[sample]) {
			memo.current = owner[sample];
			memo.root =
				root_node(stacks, memo.current, per_thread, several);
		}
		/* The model's stack of the sample stands in `node` until here. */
		stacks->node[sample] = stack_node(stacks, &memo, stacks->node[sample]);
	}
	free(memo.node);
	free(memo.owner);
	free(memo.path);
}

/* The samples on the page: process or thread, stack (in `node`) and bin of each. */
static void gather(struct page_stacks *stacks, const struct view_options *options,
		   const struct view_summary *summary, uint32_t *owner)
{
	const struct model *model = stacks->model;

	for (size_t i = 0; i < model__samples(model); i++) {
		const struct model_sample *sample = model__sample(model, i);
		uint32_t at = stacks->samples_count;
		uint64_t bin = 0;

		if (sample->event != stacks->event && sample->event != stacks->off_cpu)
			continue;
		if (sample->time_ns > summary->start_ns)
			bin = (sample->time_ns - summary->start_ns) / stacks->bin_ns;
		owner[at] = options->per_thread ? sample->thread
						: view__sample_process(model, sample);
		stacks->node[at] = sample->stack;
		stacks->bin[at] = bin < PAGE_BINS ? (uint32_t)bin : PAGE_BINS - 1;
		stacks->off[at] = sample->event == stacks->off_cpu;
		stacks->weight[at] = sample->weight;
		stacks->order[at] = at;
		stacks->on_count += !stacks->off[at];
		stacks->samples_count++;
	}
}

/* Both halves of the wall clock where one of them is asked for, and both are there. */
static void choose_events(struct page_stacks *stacks, const struct view_options *options)
{
	uint32_t clock = model__clock(stacks->model), off_cpu = model__off_cpu(stacks->model);

	stacks->event = options->event;
	stacks->off_cpu = MODEL_NONE;
	if (clock == MODEL_NONE || off_cpu == MODEL_NONE)
		return;
	if (options->event == clock || options->event == off_cpu ||
	    options->event == VIEW_WALL) {
		stacks->event = clock;
		stacks->off_cpu = off_cpu;
	}
}

void page_stacks__collect(struct page_stacks *stacks, const struct model *model,
			  const struct view_options *options,
			  const struct view_summary *summary)
{
	size_t count = model__samples(model);
	uint32_t *owner = alloc__zeroed(count, sizeof(*owner));
	uint32_t *scratch = alloc__zeroed(count, sizeof(*scratch));
	struct view_options shown = *options;
	bool *sampled, several;

	*stacks = (struct page_stacks){
		.model = model,
		.body_number = alloc__zeroed(model__bodies(model), sizeof(uint32_t)),
		.node = alloc__zeroed(count, sizeof(uint32_t)),
		.bin = alloc__zeroed(count, sizeof(uint32_t)),
		.off = alloc__zeroed(count, sizeof(uint32_t)),
		.weight = alloc__zeroed(count, sizeof(uint64_t)),
		.order = alloc__zeroed(count, sizeof(uint32_t)),
		.frame_numbers = map__new(),
		.node_numbers = map__new(),
		.bin_ns = (summary->end_ns - summary->start_ns) / PAGE_BINS + 1,
	};
	choose_events(stacks, options);
	if (stacks->off_cpu != MODEL_NONE)
		shown.event = VIEW_WALL;
	several = view__sampled_processes(model, &shown, &sampled) > 1;
	for (uint32_t i = 0; i < model__bodies(model); i++)
		stacks->body_number[i] = MODEL_NONE;
	add_node(stacks, MODEL_NONE, MODEL_NONE);
	gather(stacks, options, summary, owner);
	view__counting_sort(stacks->order, scratch, stacks->samples_count, owner,
			    options->per_thread ? model__threads(model)
						: model__processes(model));
	number_nodes(stacks, owner, options->per_thread, several);
	view__counting_sort(stacks->order, scratch, stacks->samples_count, stacks->bin,
			    PAGE_BINS);
	view__counting_sort(stacks->order, scratch, stacks->samples_count, stacks->node,
			    stacks->nodes_count);
	view__counting_sort(stacks->order, scratch, stacks->samples_count, stacks->off, 2);
	free(sampled);
	free(scratch);
	free(owner);
}

void page_stacks__free(struct page_stacks *stacks)
{
	free(stacks->frames);
	free(stacks->nodes);
	free(stacks->body_number);
	free(stacks->node);
	free(stacks->bin);
	free(stacks->off);
	free(stacks->weight);
	free(stacks->order);
	map__free(stacks->frame_numbers);
	map__free(stacks->node_numbers);
}

void page_stacks__frame_name(const struct page_stacks *stacks, uint32_t frame,
			     struct buf *buf)
{
	const struct page_frame *row = &stacks->frames[frame];

	if (row->kind == VIEW_FRAME_PROCESS)
		view__process_label(stacks->model, row->row, buf);
	else if (row->kind == VIEW_FRAME_THREAD)
		view__thread_label(stacks->model, row->row, buf);
	else if (row->kind != MODEL_FRAME_BODY)
		/* The split that drops the address: frames differ by name only. */
		view__frame_label(stacks->model, row->row, VIEW_SPLIT_NONE, buf);
}

static void write_nodes(const struct page_stacks *stacks, struct json_writer *json)
{
	json_writer__object(json, "nodes");
	json_writer__array(json, "up");
	json_writer__number(json, NULL, 0);
	for (uint32_t i = 1; i < stacks->nodes_count; i++)
		json_writer__number(json, NULL, i - stacks->nodes[i].parent);
	json_writer__end(json);
	json_writer__array(json, "frame");
	json_writer__signed(json, NULL, -1);
	for (uint32_t i = 1; i < stacks->nodes_count; i++)
		json_writer__number(json, NULL, stacks->nodes[i].frame);
	json_writer__end(json);
	json_writer__end(json);
}

/* How many samples from `from` on have the same node, and the same bin. */
static uint32_t run_length(const struct page_stacks *stacks, uint32_t from,
			   const uint32_t *of, uint32_t end)
{
	uint32_t to = from + 1;

	while (to < end && of[stacks->order[to]] == of[stacks->order[from]])
		to++;
	return to - from;
}

static uint64_t sum_of(const struct page_stacks *stacks, uint32_t from, uint32_t end)
{
	uint64_t sum = 0;

	for (uint32_t at = from; at < end; at++)
		sum += stacks->weight[stacks->order[at]];
	return sum;
}

static void write_node_samples(const struct page_stacks *stacks,
			       struct json_writer *json, uint32_t from, uint32_t end)
{
	uint32_t bins = 0, last = 0;

	for (uint32_t at = from; at < end; bins++)
		at += run_length(stacks, at, stacks->bin, end);
	json_writer__number(json, NULL, bins);
	for (uint32_t at = from; at < end;) {
		uint32_t count = run_length(stacks, at, stacks->bin, end);
		uint32_t bin = stacks->bin[stacks->order[at]];

		json_writer__number(json, NULL, bin - last);
		json_writer__number(json, NULL, sum_of(stacks, at, at + count));
		last = bin;
		at += count;
	}
}

static void write_samples(const struct page_stacks *stacks, struct json_writer *json,
			  const char *name, uint32_t from, uint32_t end)
{
	uint32_t last = 0;

	json_writer__array(json, name);
	for (uint32_t at = from; at < end;) {
		uint32_t count = run_length(stacks, at, stacks->node, end);
		uint32_t node = stacks->node[stacks->order[at]];

		json_writer__number(json, NULL, node - last);
		write_node_samples(stacks, json, at, at + count);
		last = node;
		at += count;
	}
	json_writer__end(json);
}

void page_stacks__write(const struct page_stacks *stacks, struct json_writer *json)
{
	json_writer__object(json, "bins");
	json_writer__number(json, "count", PAGE_BINS);
	json_writer__number(json, "width_ns", stacks->bin_ns);
	json_writer__end(json);
	write_nodes(stacks, json);
	write_samples(stacks, json, "samples", 0, stacks->on_count);
	if (stacks->off_cpu != MODEL_NONE)
		write_samples(stacks, json, "off_samples", stacks->on_count,
			      stacks->samples_count);
}
