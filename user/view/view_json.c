// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * The JSON report, a public format for other tools and for tests: members are
 * added freely and never renamed; docs/JSON.md describes them.  Addresses and
 * 64-bit ids are strings in hexadecimal, times are CLOCK_MONOTONIC
 * nanoseconds.  JIT bodies are listed whether or not they were sampled; bodies
 * of precompiled images only when they were, or are among the inliners, because an
 * image has thousands.
 */
#include "json_rows.h"
#include "late.h"
#include "tiering.h"
#include "view_internal.h"

#include "../model/name.h"

#include <stdlib.h>

struct report {
	const struct model *model;
	const struct view_options *options;
	struct json_writer json;
	uint64_t *self, *total; /* [body][event], from model__tally */
	uint64_t *late;		/* the same, of samples that were late */
	struct map *actives;
	struct map *inliners;	/* (process, FunctionID) */
};

static void write_text(struct report *report, const char *name, string_id string)
{
	json_writer__string(&report->json, name, model__text(report->model, string));
}

static void write_text_or_null(struct report *report, const char *name,
			       string_id string)
{
	if (*model__text(report->model, string))
		write_text(report, name, string);
	else
		json_writer__null(&report->json, name);
}

static void write_about(struct report *report)
{
	const struct model_about *about = model__about_const(report->model);
	struct json_writer *json = &report->json;

	json_writer__object(json, "tierscope");
	json_writer__string(json, "version", TIERSCOPE_VERSION);
	json_writer__number(json, "format", 1);
	json_writer__end(json);
	json_writer__line(json);
	json_writer__object(json, "recording");
	json_writer__number(json, "start_ns", about->start_ns);
	json_writer__number(json, "end_ns", about->end_ns);
	json_writer__signed(json, "start_unix_ns", about->start_unix_ns);
	json_writer__number(json, "cpus", about->cpus);
	write_text(report, "kernel", about->kernel);
	write_text(report, "machine", about->machine);
	write_text(report, "recorded_by", about->version);
	write_text(report, "command", about->command);
	json_writer__bool(json, "complete", about->complete);
	if (about->part)
		json_writer__number(json, "part", about->part);
	else
		json_writer__null(json, "part");
	json_rows__time(json, "whole_start_ns", about->whole_start_ns);
	json_writer__string(json, "note",
			    report->options->note ? report->options->note : "");
	json_writer__end(json);
}

static void write_process(struct report *report, const struct model_process *process)
{
	struct json_writer *json = &report->json;

	json_writer__line(json);
	json_writer__object(json, NULL);
	json_writer__signed(json, "pid", process->pid);
	json_writer__number(json, "start_ns", process->start_ns);
	json_rows__time(json, "end_ns", process->end_ns);
	write_text(report, "comm", process->comm);
	write_text(report, "executable", process->executable);
	write_text(report, "cmdline", process->cmdline);
	write_text_or_null(report, "container", process->container);
	write_text_or_null(report, "runtime", process->runtime);
	write_text_or_null(report, "hook_version", process->hook_version);
	write_text_or_null(report, "trouble", process->trouble);
	if (process->parent == MODEL_NONE)
		json_writer__null(json, "parent_pid");
	else
		json_writer__signed(
			json, "parent_pid",
			model__process(report->model, process->parent)->pid);
	json_writer__bool(json, "hooked", process->flags & MODEL_PROCESS_HOOKED);
	json_writer__bool(json, "attached", process->flags & MODEL_PROCESS_ATTACHED);
	json_writer__bool(json, "main_profiler",
			  process->flags & MODEL_PROCESS_MAIN_PROFILER);
	json_writer__end(json);
}

static void write_processes(struct report *report)
{
	json_writer__line(&report->json);
	json_writer__array(&report->json, "processes");
	for (uint32_t i = 0; i < model__processes(report->model); i++)
		write_process(report, model__process(report->model, i));
	json_writer__end(&report->json);
}

static void write_times(struct report *report, const struct model_times *times)
{
	struct json_writer *json = &report->json;

	if (!times) {
		json_writer__null(json, "times");
		return;
	}
	json_writer__object(json, "times");
	json_writer__number(json, "since_ns", times->since_ns);
	json_writer__number(json, "switches", times->switches);
	for (uint32_t state = 0; state < TS_STATES; state++)
		json_writer__number(json, name__state(state), times->ns[state]);
	json_writer__end(json);
}

static void write_threads(struct report *report)
{
	struct json_writer *json = &report->json;

	json_writer__line(json);
	json_writer__array(json, "threads");
	for (uint32_t i = 0; i < model__threads(report->model); i++) {
		const struct model_thread *thread = model__thread(report->model, i);

		json_writer__line(json);
		json_writer__object(json, NULL);
		json_writer__signed(
			json, "pid",
			model__process(report->model, thread->process)->pid);
		json_writer__signed(json, "tid", thread->tid);
		write_text(report, "name", thread->name);
		write_times(report, model__times(report->model, i));
		json_writer__end(json);
	}
	json_writer__end(json);
}

/* Each event with its samples, and what their leaves are. */
static void write_events(struct report *report)
{
	struct json_writer *json = &report->json;

	json_writer__line(json);
	json_writer__array(json, "events");
	for (uint32_t i = 0; i < model__events(report->model); i++) {
		const struct model_event *event = model__event(report->model, i);
		struct view_options of_event = {.event = i};
		struct view_summary summary;

		view__summarize(report->model, &of_event, &summary);
		json_writer__line(json);
		json_writer__object(json, NULL);
		write_text(report, "name", event->name);
		json_writer__number(json, "period", event->period);
		json_writer__number(json, "samples", summary.taken);
		json_writer__object(json, "samples_summary");
		json_writer__number(json, "body_leaf", summary.body);
		json_writer__number(json, "native_leaf", summary.native);
		json_writer__number(json, "kernel_leaf", summary.kernel);
		json_writer__number(json, "stub_leaf", summary.stub);
		json_writer__number(json, "unresolved_leaf", summary.unknown);
		json_writer__number(json, "bodies_sampled", summary.versions);
		json_writer__end(json);
		json_writer__number(json, "weight", summary.samples);
		json_writer__end(json);
	}
	json_writer__end(json);
}

/* {"cpu-clock": n} */
static void write_counts(struct report *report, const char *name,
			 const uint64_t *counts)
{
	json_writer__object(&report->json, name);
	for (uint32_t i = 0; i < model__events(report->model); i++)
		json_writer__number(&report->json,
				    model__text(report->model,
						model__event(report->model, i)->name),
				    counts[i]);
	json_writer__end(&report->json);
}

static void write_identity(struct report *report, const struct model_body *body)
{
	struct json_writer *json = &report->json;

	json_writer__signed(json, "pid",
			    model__process(report->model, body->process)->pid);
	json_rows__function(json, body);
	json_rows__rejit(json, body);
	json_rows__code(json, body);
	json_rows__osr(json, body);
	write_text(report, "module", body->module);
	json_writer__hex(json, "module_id", body->module_id);
}

/* A metadata token, always eight digits as disassemblers print it. */
static void write_token(struct report *report, const struct model_body *body)
{
	struct buf token = BUF_INIT;

	buf__printf(&token, "0x%08x", body->token);
	json_writer__string(&report->json, "token", buf__string(&token));
	buf__free(&token);
}

static void write_life(struct report *report, const struct model_body *body)
{
	static const char *const sources[] = {"event", "catch-up", "image"};
	struct json_writer *json = &report->json;

	json_writer__number(json, "born_ns", body->born_ns);
	json_rows__time(json, "died_ns", body->died_ns);
	json_writer__string(json, "source",
			    body->source <= MODEL_SOURCE_IMAGE ? sources[body->source]
							       : "unknown");
	if (body->published_ns[1])
		json_rows__window(json, "published_ns", body->published_ns);
	else
		json_writer__null(json, "published_ns");
	json_rows__time(json, "superseded_ns", body->superseded_ns);
}

static struct map *list_inliners(const struct model *model)
{
	struct map *inliners = map__new();

	for (uint32_t i = 0; i < model__inlinings(model); i++)
		map__set(inliners, model__inlining(model, i)->process,
			 model__inlining(model, i)->inliner_id, 1);
	return inliners;
}

static bool is_listed(const struct report *report, const struct model_body *body,
		      uint64_t samples)
{
	return body->tier != TS_TIER_READY_TO_RUN || samples ||
	       (!(body->flags & MODEL_BODY_FUNCTION_UNKNOWN) &&
		map__get(report->inliners, body->process, body->function_id, NULL));
}

static void write_body(struct report *report, uint32_t index)
{
	const struct model_body *body = model__body(report->model, index);
	const uint64_t *self = report->self + (size_t)index * MODEL_EVENTS_MAX;
	const uint64_t *total = report->total + (size_t)index * MODEL_EVENTS_MAX;
	struct json_writer *json = &report->json;
	uint64_t samples = 0;

	for (uint32_t i = 0; i < MODEL_EVENTS_MAX; i++)
		samples += total[i];
	if (!is_listed(report, body, samples))
		return;
	json_writer__line(json);
	json_writer__object(json, NULL);
	write_identity(report, body);
	write_token(report, body);
	write_text(report, "name", body->name);
	write_life(report, body);
	json_rows__active(json, view__active(report->model, report->actives, body), index);
	json_rows__in_vain(json, body);
	json_writer__bool(json, "dynamic", body->flags & MODEL_BODY_DYNAMIC);
	json_writer__bool(json, "shared_generic",
			  body->flags & MODEL_BODY_SHARED_GENERIC);
	write_counts(report, "self", self);
	write_counts(report, "total", total);
	write_counts(report, "late", report->late + (size_t)index * MODEL_EVENTS_MAX);
	json_writer__end(json);
}

static void write_bodies(struct report *report)
{
	json_writer__line(&report->json);
	json_writer__array(&report->json, "bodies");
	for (uint32_t i = 0; i < model__bodies(report->model); i++)
		write_body(report, i);
	json_writer__end(&report->json);
}

static void write_patch(struct report *report, const struct model_patch *patch)
{
	struct json_writer *json = &report->json;

	json_writer__line(json);
	json_writer__object(json, NULL);
	json_writer__signed(json, "pid",
			    model__process(report->model, patch->process)->pid);
	json_writer__hex(json, "function_id", patch->function_id);
	json_writer__hex(json, "cell", patch->cell);
	json_writer__string(json, "kind", name__cell(patch->kind));
	json_writer__hex(json, "old", patch->words[0]);
	json_writer__hex(json, "new", patch->words[1]);
	json_writer__string(json, "target", name__target(patch->target));
	if (patch->body == MODEL_NONE)
		json_writer__null(json, "body");
	else
		json_writer__hex(json, "body",
				 model__body(report->model, patch->body)->start);
	json_rows__window(json, "window_ns", patch->window_ns);
	json_writer__end(json);
}

static void write_patches(struct report *report)
{
	json_writer__line(&report->json);
	json_writer__array(&report->json, "patches");
	for (uint32_t i = 0; i < model__patches(report->model); i++)
		write_patch(report, model__patch(report->model, i));
	json_writer__end(&report->json);
}

static void write_il_versions(struct report *report)
{
	struct json_writer *json = &report->json;

	json_writer__line(json);
	json_writer__array(json, "il_versions");
	for (uint32_t i = 0; i < model__il_versions(report->model); i++) {
		const struct model_il_version *il = model__il_version(report->model, i);

		json_writer__line(json);
		json_writer__object(json, NULL);
		json_writer__signed(json, "pid",
				    model__process(report->model, il->process)->pid);
		json_writer__hex(json, "function_id", il->function_id);
		json_writer__number(json, "rejit_id", il->rejit_id);
		json_writer__string(json, "state", name__il_state(il->state));
		json_writer__number(json, "seen_ns", il->seen_ns);
		json_writer__end(json);
	}
	json_writer__end(json);
}

static void write_active_versions(struct report *report)
{
	struct json_writer *json = &report->json;

	json_writer__line(json);
	json_writer__array(json, "active_versions");
	for (uint32_t i = 0; i < model__actives(report->model); i++) {
		const struct model_active *active = model__active(report->model, i);

		json_writer__line(json);
		json_writer__object(json, NULL);
		json_writer__signed(json, "pid",
				    model__process(report->model, active->process)->pid);
		json_writer__hex(json, "function_id", active->function_id);
		json_rows__active_version(json, report->model, active);
		json_writer__end(json);
	}
	json_writer__end(json);
}

static void write_inlinings(struct report *report)
{
	struct json_writer *json = &report->json;

	json_writer__line(json);
	json_writer__array(json, "inlinings");
	for (uint32_t i = 0; i < model__inlinings(report->model); i++) {
		const struct model_inlining *inlining = model__inlining(report->model, i);

		json_writer__line(json);
		json_writer__object(json, NULL);
		json_writer__signed(json, "pid",
				    model__process(report->model, inlining->process)->pid);
		json_writer__hex(json, "function_id", inlining->function_id);
		json_writer__hex(json, "inliner_id", inlining->inliner_id);
		json_writer__number(json, "seen_ns", inlining->seen_ns);
		json_writer__end(json);
	}
	json_writer__end(json);
}

/* The named counts of a section into the object that is open. */
static void write_plain_counts(struct report *report, enum model_ledger_section section)
{
	for (uint32_t i = 0; i < model__counts(report->model); i++) {
		const struct model_count *count = model__count_at(report->model, i);

		if (count->section == (uint32_t)section)
			json_writer__number(&report->json,
					    model__text(report->model, count->name),
					    count->value);
	}
}

static void write_ledger(struct report *report)
{
	struct json_writer *json = &report->json;

	json_writer__line(json);
	json_writer__object(json, "ledger");
	json_writer__object(json, "samples");
	write_plain_counts(report, MODEL_LEDGER_SAMPLES);
	view__ledger_section(report->model, json, "lost", MODEL_LEDGER_SAMPLES_LOST);
	json_writer__end(json);
	json_writer__object(json, "events");
	write_plain_counts(report, MODEL_LEDGER_EVENTS);
	view__ledger_section(report->model, json, "lost", MODEL_LEDGER_EVENTS_LOST);
	json_writer__end(json);
	json_writer__object(json, "off_cpu");
	write_plain_counts(report, MODEL_LEDGER_OFF_CPU);
	view__ledger_section(report->model, json, "lost", MODEL_LEDGER_OFF_CPU_LOST);
	json_writer__end(json);
	view__ledger_section(report->model, json, "code_map_lost",
			     MODEL_LEDGER_CODE_MAP_LOST);
	view__ledger_section(report->model, json, "hook_lost", MODEL_LEDGER_HOOK_LOST);
	view__ledger_section(report->model, json, "stub_leaf", MODEL_LEDGER_STUB_LEAF);
	view__ledger_section(report->model, json, "unresolved_leaf",
			     MODEL_LEDGER_UNRESOLVED_LEAF);
	view__ledger_section(report->model, json, "function_unknown",
			     MODEL_LEDGER_FUNCTION_UNKNOWN);
	view__ledger_section(report->model, json, "notes", MODEL_LEDGER_NOTES);
	json_writer__end(json);
}

int view_json__write(const struct model *model, const struct view_options *options,
		     struct buf *buf)
{
	struct report report = {.model = model, .options = options};
	int err;

	model__tally(model, &report.self, &report.total);
	report.late = late__tally(model);
	report.actives = view__actives(model);
	report.inliners = list_inliners(model);
	json_writer__init(&report.json, buf);
	json_writer__object(&report.json, NULL);
	write_about(&report);
	write_processes(&report);
	write_threads(&report);
	write_events(&report);
	write_bodies(&report);
	write_patches(&report);
	write_il_versions(&report);
	write_active_versions(&report);
	write_inlinings(&report);
	json_writer__line(&report.json);
	tiering__write(model, &report.json);
	json_writer__line(&report.json);
	write_ledger(&report);
	json_writer__end(&report.json);
	err = json_writer__finish(&report.json);
	buf__append_char(buf, '\n');

	free(report.self);
	free(report.total);
	free(report.late);
	map__free(report.actives);
	map__free(report.inliners);
	return err;
}
