// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Keeps the series: see metrics.h.
#include "metrics_internal.h"

#include "view_internal.h"

#include "../base/alloc.h"
#include "../base/text.h"

#include <stdlib.h>
#include <string.h>

#define LABEL_BYTES 200		/* of a name, before its quotes are escaped */
#define LEAST_SAMPLES 10	/* for series of its own */
#define LEAST_SHARE 200		/* and one in so many of the process */

struct metrics *metrics__new(void)
{
	struct metrics *metrics = alloc__zeroed(1, sizeof(*metrics));

	metrics->labels = pool__new();
	metrics->process_numbers = map__new();
	metrics->method_numbers = map__new();
	metrics->code = metrics_code__new();
	return metrics;
}

void metrics__free(struct metrics *metrics)
{
	if (!metrics)
		return;
	deltas__free(&metrics->deltas);
	metrics_code__free(metrics->code);
	pool__free(metrics->labels);
	map__free(metrics->process_numbers);
	map__free(metrics->method_numbers);
	free(metrics->processes);
	free(metrics->slots);
	free(metrics->methods);
	free(metrics->versions);
	free(metrics);
}

/*
 * A name as the inside of a label's quotes, as on a terminal: cut between two characters.
 * Names that are alike then are one label, so that no two series have the same labels.
 */
static uint32_t label(struct metrics *metrics, const char *name)
{
	struct buf safe = BUF_INIT, buf = BUF_INIT;
	size_t size;
	uint32_t number;

	text__append_terminal(&safe, name);	/* no control characters are left */
	size = text__cut(buf__string(&safe), safe.size, LABEL_BYTES);
	for (size_t i = 0; i < size; i++) {
		if (safe.data[i] == '\\' || safe.data[i] == '"')
			buf__append_char(&buf, '\\');
		buf__append_char(&buf, safe.data[i]);
	}
	number = pool__add(metrics->labels, buf__string(&buf));
	buf__free(&safe);
	buf__free(&buf);
	return number;
}

/* --- processes ----------------------------------------------------------- */

/* One that is forgotten, or else the next. */
static uint32_t free_process(const struct metrics *metrics)
{
	uint32_t index = 0;

	while (index < metrics->processes_count && metrics->processes[index].used)
		index++;
	return index;
}

static uint32_t add_process(struct metrics *metrics, const struct model *model,
			    const struct model_process *process)
{
	uint32_t name = label(metrics, model__text(model, process->comm));
	uint64_t number;

	if (!map__add(metrics->process_numbers, (uint32_t)process->pid, name,
		      free_process(metrics), &number))
		return (uint32_t)number;
	if (number == metrics->processes_count) {
		alloc__grow(metrics->processes, metrics->processes_count,
			    metrics->processes_capacity);
		metrics->processes_count++;
	}
	metrics->processes[number] = (struct metrics_process){
		.pid = process->pid, .name = name, .used = true };
	return (uint32_t)number;
}

struct metrics_process *metrics__process(const struct metrics *metrics, uint32_t index)
{
	uint32_t slot = index < metrics->slots_room ? metrics->slots[index] : 0;

	return slot && slot != METRICS_FORGOTTEN ? &metrics->processes[slot - 1] : NULL;
}

static void look_at_processes(struct metrics *metrics, const struct model *model)
{
	uint32_t count = model__processes(model);

	metrics->slots = alloc__room(metrics->slots, &metrics->slots_room, count,
				     sizeof(*metrics->slots));
	for (uint32_t i = 0; i < metrics->processes_count; i++)
		metrics->processes[i].alive = false;
	for (uint32_t i = 0; i < count; i++) {
		const struct model_process *row = model__process(model, i);

		if (row->flags & MODEL_PROCESS_SWEPT)
			continue;
		if (!metrics->slots[i] && (row->comm || row->end_ns))
			metrics->slots[i] = add_process(metrics, model, row) + 1;
		if (metrics__process(metrics, i) && !row->end_ns)
			metrics__process(metrics, i)->alive = true;
	}
}

/* --- methods and versions ------------------------------------------------ */

static struct metrics_method *method_of(struct metrics *metrics, const struct model *model,
					const struct model_body *body)
{
	uint32_t process = metrics->slots[body->process] - 1;
	uint32_t name = label(metrics, model__text(model, body->name));
	uint64_t number;

	if (map__add(metrics->method_numbers, process, name, metrics->methods_count, &number)) {
		alloc__grow(metrics->methods, metrics->methods_count,
			    metrics->methods_capacity);
		metrics->methods[metrics->methods_count++] = (struct metrics_method){
			.process = process, .name = name };
	}
	metrics->methods[number].string = body->name;
	return &metrics->methods[number];
}

/* Few enough for a search from the first to the last.  NULL: there are too many. */
static struct metrics_version *version_of(struct metrics *metrics,
					  const struct metrics_method *method,
					  const struct model_body *body)
{
	struct metrics_version wanted = {
		.process = method->process, .name = method->name, .tier = view__tier(body),
		.rejit_id = body->flags & MODEL_BODY_REJIT_UNKNOWN ? UINT32_MAX : body->rejit_id,
		.native_version = body->flags & MODEL_BODY_VERSION_UNKNOWN ? UINT32_MAX :
				  body->native_version,
	};

	for (uint32_t i = 0; i < metrics->versions_count; i++) {
		struct metrics_version *version = &metrics->versions[i];

		if (version->process == wanted.process && version->name == wanted.name &&
		    version->tier == wanted.tier && version->rejit_id == wanted.rejit_id &&
		    version->native_version == wanted.native_version)
			return version;
	}
	if (metrics->versions_count >= METRICS_VERSIONS)
		return NULL;
	alloc__grow(metrics->versions, metrics->versions_count, metrics->versions_capacity);
	metrics->versions[metrics->versions_count] = wanted;
	return &metrics->versions[metrics->versions_count++];
}

/* Of one of the events. */
static bool has_large_share(const struct metrics_process *process,
			    const struct metrics_method *method)
{
	for (unsigned int event = 0; event < MODEL_EVENTS_MAX; event++) {
		uint64_t all = 0;

		for (unsigned int i = 0; i < METRICS_TIERS; i++)
			all += process->samples[i][event];
		if (method->samples[event] >= LEAST_SAMPLES &&
		    method->samples[event] >= all / LEAST_SHARE)
			return true;
	}
	return false;
}

static void add_body(struct metrics *metrics, const struct model *model,
		     struct metrics_process *process, const struct model_body *body,
		     const uint64_t *samples)
{
	struct metrics_version *version = NULL;
	struct metrics_method *method;

	deltas__add(process->samples[view__tier(body)], samples);
	method = method_of(metrics, model, body);
	if (method->own)
		version = version_of(metrics, method, body);
	deltas__add(version ? version->samples : process->others, samples);
	if (method->own)
		return;
	deltas__add(method->samples, samples);
	if (metrics->own_methods < METRICS_METHODS && has_large_share(process, method)) {
		method->own = true;	/* from the next sample on */
		metrics->own_methods++;
	}
}

/* Samples of a process without a name wait for it. */
static void look_at_bodies(struct metrics *metrics, const struct model *model)
{
	uint64_t samples[MODEL_EVENTS_MAX];

	for (uint32_t i = 0; i < model__bodies(model); i++) {
		const struct model_body *body = model__body(model, i);
		struct metrics_process *process = metrics__process(metrics, body->process);

		if (process && deltas__body(&metrics->deltas, model, i, samples))
			add_body(metrics, model, process, body, samples);
	}
	for (uint32_t i = 0; i < model__processes(model); i++) {
		struct metrics_process *process = metrics__process(metrics, i);

		for (uint32_t kind = MODEL_FRAME_BODY + 1;
		     process && kind < MODEL_FRAME_KINDS; kind++)
			if (deltas__leaf(&metrics->deltas, model, i, kind, samples))
				deltas__add(process->samples[TS_TIER_COUNT + kind], samples);
	}
}

/* --- what has ended ------------------------------------------------------- */

void metrics__forget_methods(struct metrics *metrics, const struct model_marks *marks)
{
	uint32_t kept = 0;

	map__free(metrics->method_numbers);
	metrics->method_numbers = map__new();
	for (uint32_t i = 0; i < metrics->methods_count; i++) {
		struct metrics_method method = metrics->methods[i];

		if (!metrics->processes[method.process].used) {
			metrics->own_methods -= method.own;
			continue;
		}
		if (marks && !method.own && model_marks__drops_string(marks, method.string))
			continue;
		map__set(metrics->method_numbers, method.process, method.name, kept);
		metrics->methods[kept++] = method;
	}
	metrics->methods_count = kept;
}

/* All that have just gone at once: there may be a hundred of them in a second. */
static void forget_what_they_had(struct metrics *metrics)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < metrics->slots_room; i++) {
		uint32_t slot = metrics->slots[i];

		if (!slot || slot == METRICS_FORGOTTEN || metrics->processes[slot - 1].used)
			continue;
		metrics->slots[i] = METRICS_FORGOTTEN;
		metrics_code__forget(metrics->code, i);
	}
	for (uint32_t i = 0; i < metrics->versions_count; i++)
		if (metrics->processes[metrics->versions[i].process].used)
			metrics->versions[kept++] = metrics->versions[i];
	metrics->versions_count = kept;
	metrics__forget_methods(metrics, NULL);
}

static void forget(struct metrics *metrics, uint32_t index)
{
	struct metrics_process *process = &metrics->processes[index];

	process->used = false;
	map__remove(metrics->process_numbers, (uint32_t)process->pid, process->name);
}

/* The one that ended first; UINT32_MAX without one. */
static uint32_t oldest_ended(const struct metrics *metrics)
{
	uint32_t oldest = UINT32_MAX;

	for (uint32_t i = 0; i < metrics->processes_count; i++) {
		const struct metrics_process *process = &metrics->processes[i];

		if (process->used && !process->alive &&
		    (oldest == UINT32_MAX ||
		     process->ended < metrics->processes[oldest].ended))
			oldest = i;
	}
	return oldest;
}

/* Each stays for one text that is read; those that nobody reads do not pile up. */
static void forget_ended(struct metrics *metrics, uint64_t scraped)
{
	uint32_t ended = 0, gone = 0;

	for (uint32_t i = 0; i < metrics->processes_count; i++) {
		struct metrics_process *process = &metrics->processes[i];

		if (!process->used)
			continue;
		if (process->alive)
			process->ended = 0;
		else if (!process->ended)
			process->ended = metrics->text;
		if (process->alive)
			continue;
		if (process->ended <= scraped) {
			forget(metrics, i);
			gone++;
		} else {
			ended++;
		}
	}
	for (; ended > METRICS_ENDED; ended--, gone++)
		forget(metrics, oldest_ended(metrics));
	if (gone)
		forget_what_they_had(metrics);
}

void metrics__look(struct metrics *metrics, const struct model *model, uint64_t scraped)
{
	metrics->text++;
	deltas__begin(&metrics->deltas, model);
	look_at_processes(metrics, model);
	look_at_bodies(metrics, model);
	metrics_code__look(metrics, model);
	forget_ended(metrics, scraped);
}
