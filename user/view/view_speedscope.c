// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * A file for speedscope (https://www.speedscope.app/file-format-schema.json):
 * one "sampled" profile per process, or per thread, with the samples in the
 * order of time, so that its time axis means something.  Samples that follow
 * each other with the same stack are one entry with their common weight.  Time
 * off the CPU has no samples and so no width.
 */
#include "view_internal.h"

#include "../base/alloc.h"
#include "../base/map.h"
#include "../base/text.h"

#include <stdlib.h>
#include <string.h>

/* A sample and what decides its place. */
struct entry {
	uint32_t process, thread, stack;
	uint64_t time_ns, weight;
	size_t number; /* makes the order total */
};

struct speedscope {
	const struct model *model;
	const struct view_options *options;
	struct json_writer json;
	struct entry *entries;
	size_t count;
	bool several;
	uint64_t period;
	const char *unit;
	struct map *frame_numbers; /* of label and module */
	uint32_t *frame; /* [frame] number + 1, 0 none yet; the empty stack behind */
	struct pool *texts;
	uint32_t *label, *module; /* [number] in texts */
	uint32_t frames_count, label_capacity, module_capacity;
	uint32_t *path;
	uint32_t path_capacity;
	struct buf scratch;
};

static void gather(struct speedscope *speedscope)
{
	const struct model *model = speedscope->model;

	speedscope->entries =
		alloc__zeroed(model__samples(model), sizeof(*speedscope->entries));
	for (size_t i = 0; i < model__samples(model); i++) {
		const struct model_sample *sample = model__sample(model, i);

		uint64_t weight = view__weight(model, speedscope->options, sample);

		if (!weight)
			continue;
		speedscope->entries[speedscope->count] = (struct entry){
			.process = view__sample_process(model, sample),
			.thread = speedscope->options->per_thread ? sample->thread : 0,
			.stack = sample->stack,
			.time_ns = sample->time_ns,
			.weight = weight,
			.number = speedscope->count,
		};
		speedscope->count++;
	}
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *one = a, *two = b;

	if (one->process != two->process)
		return one->process < two->process ? -1 : 1;
	if (one->thread != two->thread)
		return one->thread < two->thread ? -1 : 1;
	if (one->time_ns != two->time_ns)
		return one->time_ns < two->time_ns ? -1 : 1;
	return one->number < two->number ? -1 : one->number > two->number;
}

static bool same_profile(const struct entry *one, const struct entry *two)
{
	return one->process == two->process && one->thread == two->thread;
}

/* --- frames -------------------------------------------------------------- */

static uint32_t add_frame(struct speedscope *speedscope, uint32_t frame)
{
	const struct model_frame *row = model__frame(speedscope->model, frame);
	const struct model_body *body =
		row && row->kind == MODEL_FRAME_BODY
			? model__body(speedscope->model, row->body)
			: NULL;
	uint32_t label, module = 0, number = speedscope->frames_count;
	uint64_t known;

	buf__clear(&speedscope->scratch);
	view__label(speedscope->model, speedscope->options, frame,
		    speedscope->options->split, &speedscope->scratch);
	label = pool__add(speedscope->texts, buf__string(&speedscope->scratch));
	if (body) {
		module = pool__add(speedscope->texts,
				   model__text(speedscope->model, body->module));
	} else if (row && row->kind == MODEL_FRAME_KERNEL) {
		buf__clear(&speedscope->scratch);
		view__kernel_image(speedscope->model, row, &speedscope->scratch);
		module = pool__add(speedscope->texts, buf__string(&speedscope->scratch));
	}
	if (map__get(speedscope->frame_numbers, label, module, &known))
		return (uint32_t)known;
	alloc__grow(speedscope->label, number, speedscope->label_capacity);
	alloc__grow(speedscope->module, number, speedscope->module_capacity);
	speedscope->label[number] = label;
	speedscope->module[number] = module;
	map__set(speedscope->frame_numbers, label, module, number);
	return speedscope->frames_count++;
}

/* MODEL_NONE, the empty stack, has its place behind the others. */
static uint32_t frame_number(struct speedscope *speedscope, uint32_t frame)
{
	uint32_t slot = frame == MODEL_NONE ? model__frames(speedscope->model) : frame;

	if (!speedscope->frame[slot])
		speedscope->frame[slot] = add_frame(speedscope, frame) + 1;
	return speedscope->frame[slot] - 1;
}

/* What a text is in a viewer: control characters spelt out. */
static void write_text(struct speedscope *speedscope, const char *name,
		       const char *text)
{
	struct buf clean = BUF_INIT;

	text__append_terminal(&clean, text);
	json_writer__string(&speedscope->json, name, buf__string(&clean));
	buf__free(&clean);
}

static void write_frames(struct speedscope *speedscope)
{
	struct json_writer *json = &speedscope->json;

	json_writer__object(json, "shared");
	json_writer__array(json, "frames");
	for (uint32_t i = 0; i < speedscope->frames_count; i++) {
		const char *label =
			pool__string(speedscope->texts, speedscope->label[i]);

		json_writer__line(json);
		json_writer__object(json, NULL);
		write_text(speedscope, "name", *label ? label : "[no name]");
		if (speedscope->module[i])
			write_text(speedscope, "file",
				   pool__string(speedscope->texts,
						speedscope->module[i]));
		json_writer__end(json);
	}
	json_writer__end(json);
	json_writer__end(json);
}

/* --- profiles ------------------------------------------------------------ */

static void write_stack(struct speedscope *speedscope, uint32_t stack)
{
	uint32_t depth = 0;

	json_writer__array(&speedscope->json, NULL);
	if (!stack)
		json_writer__number(&speedscope->json, NULL,
				    frame_number(speedscope, MODEL_NONE));
	for (uint32_t at = stack; at;
	     at = model__stack(speedscope->model, at)->parent) {
		alloc__grow(speedscope->path, depth, speedscope->path_capacity);
		speedscope->path[depth++] = model__stack(speedscope->model, at)->frame;
	}
	while (depth)
		json_writer__number(&speedscope->json, NULL,
				    frame_number(speedscope,
						 speedscope->path[--depth]));
	json_writer__end(&speedscope->json);
}

/* How many entries from `from` on are one: same stack, one after the other. */
static size_t run_length(const struct entry *entries, size_t from, size_t end)
{
	size_t to = from + 1;

	while (to < end && entries[to].stack == entries[from].stack)
		to++;
	return to - from;
}

static uint64_t sum_of(const struct entry *entries, size_t from, size_t end)
{
	uint64_t sum = 0;

	for (size_t at = from; at < end; at++)
		sum += entries[at].weight;
	return sum;
}

static void write_profile_name(struct speedscope *speedscope, const struct entry *entry)
{
	struct buf *name = &speedscope->scratch;

	buf__clear(name);
	if (speedscope->several || !speedscope->options->per_thread)
		view__process_label(speedscope->model, entry->process, name);
	if (speedscope->options->per_thread) {
		if (name->size)
			buf__append_string(name, ", ");
		view__thread_label(speedscope->model, entry->thread, name);
	}
	write_text(speedscope, "name", buf__string(name));
}

/* The profile of the entries from `from` to before `end`. */
static void write_profile(struct speedscope *speedscope, size_t from, size_t end)
{
	const struct entry *entries = speedscope->entries;
	struct json_writer *json = &speedscope->json;

	json_writer__line(json);
	json_writer__object(json, NULL);
	json_writer__string(json, "type", "sampled");
	write_profile_name(speedscope, &entries[from]);
	json_writer__string(json, "unit", speedscope->unit);
	json_writer__number(json, "startValue", 0);
	json_writer__number(json, "endValue", sum_of(entries, from, end) * speedscope->period);
	json_writer__array(json, "samples");
	for (size_t at = from; at < end; at += run_length(entries, at, end))
		write_stack(speedscope, entries[at].stack);
	json_writer__end(json);
	json_writer__array(json, "weights");
	for (size_t at = from, run; at < end; at += run) {
		run = run_length(entries, at, end);
		json_writer__number(json, NULL, sum_of(entries, at, at + run) * speedscope->period);
	}
	json_writer__end(json);
	json_writer__end(json);
}

static void write_profiles(struct speedscope *speedscope)
{
	json_writer__array(&speedscope->json, "profiles");
	for (size_t from = 0, end; from < speedscope->count; from = end) {
		for (end = from + 1; end < speedscope->count &&
				     same_profile(&speedscope->entries[from],
						  &speedscope->entries[end]);)
			end++;
		write_profile(speedscope, from, end);
	}
	json_writer__end(&speedscope->json);
}

static void write_head(struct speedscope *speedscope)
{
	struct json_writer *json = &speedscope->json;
	struct buf title = BUF_INIT;

	json_writer__string(json, "$schema",
			    "https://www.speedscope.app/file-format-schema.json");
	json_writer__string(json, "exporter", "tierscope@" TIERSCOPE_VERSION);
	view__title(speedscope->model, speedscope->options, &title);
	/* What is missing is said where the name of the file stands. */
	if (speedscope->options->note)
		buf__printf(&title, " (%s)", speedscope->options->note);
	write_text(speedscope, "name", buf__string(&title));
	json_writer__number(json, "activeProfileIndex", 0);
	buf__free(&title);
}

int view_speedscope__write(const struct model *model,
			   const struct view_options *options, struct buf *buf)
{
	struct speedscope speedscope = {
		.model = model,
		.options = options,
		.frame_numbers = map__new(),
		.frame = alloc__zeroed((size_t)model__frames(model) + 1,
				       sizeof(uint32_t)),
		.texts = pool__new(),
	};
	bool *sampled;
	int err;

	speedscope.several = view__sampled_processes(model, options, &sampled) > 1;
	speedscope.period = view__period(model, options, &speedscope.unit);
	gather(&speedscope);
	qsort(speedscope.entries, speedscope.count, sizeof(*speedscope.entries),
	      compare_entries);
	json_writer__init(&speedscope.json, buf);
	json_writer__object(&speedscope.json, NULL);
	write_head(&speedscope);
	write_profiles(&speedscope);
	write_frames(&speedscope);
	json_writer__end(&speedscope.json);
	err = json_writer__finish(&speedscope.json);
	buf__append_char(buf, '\n');

	free(sampled);
	free(speedscope.entries);
	free(speedscope.frame);
	free(speedscope.label);
	free(speedscope.module);
	free(speedscope.path);
	buf__free(&speedscope.scratch);
	map__free(speedscope.frame_numbers);
	pool__free(speedscope.texts);
	return err;
}
