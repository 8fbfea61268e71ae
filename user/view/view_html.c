// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * The flame graph page: the assets of html/, with the profile as JSON in their
 * middle.  The layout of that JSON belongs to the page (html/data.js reads it)
 * and may change with it; the public one is view_json.c's.
 *
 *   strings   every text once; all other members hold indexes into it
 *   bodies    one array per code version, see write_body
 *   frames    kind[], body[] (-1 none), name[]
 *   nodes     up[] (distance to the parent), frame[]; node 0 is everything
 *   samples   flat: for each node with samples, distance from the last one,
 *             number of bins, and per bin: distance from the last bin, count
 *   off_samples   the same of time off the CPU, in ns; where there is any
 *   clock     what is shown first: "cpu", "off" or "wall"
 *
 * Times are nanoseconds since the recording began.
 */
#include "view_html_stacks.h"
#include "view_internal.h"

#include "../base/alloc.h"
#include "../base/map.h"
#include "../model/name.h"
#include "view_assets.h"

#include <stdlib.h>

struct page {
	const struct model *model;
	const struct view_options *options;
	struct view_summary summary;
	struct page_stacks stacks;
	struct pool *strings;
	struct json_writer json;
	struct buf scratch;
};

static uint32_t page_string(struct page *page, string_id string)
{
	return pool__add(page->strings, model__text(page->model, string));
}

static void write_string(struct page *page, const char *name, string_id string)
{
	json_writer__number(&page->json, name, page_string(page, string));
}

/* A time relative to the start; what was before it is negative, 0 is null. */
static void write_time_or_null(struct page *page, uint64_t time_ns)
{
	if (time_ns)
		json_writer__signed(&page->json, NULL,
				    (int64_t)(time_ns - page->summary.start_ns));
	else
		json_writer__null(&page->json, NULL);
}

static void write_head(struct page *page)
{
	struct json_writer *json = &page->json;

	json_writer__number(json, "format", 1);
	buf__clear(&page->scratch);
	view__title(page->model, page->options, &page->scratch);
	json_writer__string(json, "title", buf__string(&page->scratch));
	json_writer__string(json, "note", page->options->note);
	json_writer__number(json, "split", page->options->split);
	json_writer__number(json, "sampled_bodies", page->summary.versions);
	json_writer__array(json, "tiers");
	for (uint32_t tier = 0; tier < TS_TIER_COUNT; tier++)
		json_writer__string(json, NULL, name__tier_short(tier));
	json_writer__end(json);
	json_writer__array(json, "tier_names");
	for (uint32_t tier = 0; tier < TS_TIER_COUNT; tier++)
		json_writer__string(json, NULL, name__tier(tier));
	json_writer__end(json);
}

static void write_about(struct page *page)
{
	const struct model_about *about = model__about_const(page->model);
	const struct model_event *event = model__event(page->model, page->stacks.event);
	struct json_writer *json = &page->json;

	json_writer__object(json, "about");
	json_writer__number(json, "duration_ns",
			    page->summary.end_ns - page->summary.start_ns);
	json_writer__signed(json, "start_unix_ms", about->start_unix_ns / 1000000);
	json_writer__number(json, "cpus", about->cpus);
	write_string(page, "kernel", about->kernel);
	write_string(page, "machine", about->machine);
	write_string(page, "version", about->version);
	write_string(page, "command", about->command);
	json_writer__bool(json, "complete", about->complete);
	json_writer__end(json);
	json_writer__object(json, "event");
	write_string(page, "name", event ? event->name : 0);
	json_writer__number(json, "period", event ? event->period : 0);
	json_writer__end(json);
	json_writer__string(json, "clock",
			    page->options->event == VIEW_WALL		  ? "wall" :
			    page->options->event == page->stacks.off_cpu ? "off" : "cpu");
}

static void write_processes(struct page *page)
{
	struct json_writer *json = &page->json;

	json_writer__array(json, "processes");
	for (uint32_t i = 0; i < model__processes(page->model); i++) {
		const struct model_process *process = model__process(page->model, i);

		json_writer__object(json, NULL);
		json_writer__signed(json, "pid", process->pid);
		json_writer__bool(json, "hooked",
				  process->flags & MODEL_PROCESS_HOOKED);
		json_writer__bool(json, "attached",
				  process->flags & MODEL_PROCESS_ATTACHED);
		json_writer__bool(json, "main_profiler",
				  process->flags & MODEL_PROCESS_MAIN_PROFILER);
		write_string(page, "comm", process->comm);
		write_string(page, "executable", process->executable);
		write_string(page, "cmdline", process->cmdline);
		write_string(page, "container", process->container);
		write_string(page, "runtime", process->runtime);
		write_string(page, "hook_version", process->hook_version);
		write_string(page, "trouble", process->trouble);
		json_writer__end(json);
	}
	json_writer__end(json);
}

static void write_ledger(struct page *page)
{
	static const struct {
		const char *name;
		enum model_ledger_section section;
	} sections[] = {
		{"samples", MODEL_LEDGER_SAMPLES},
		{"samples_lost", MODEL_LEDGER_SAMPLES_LOST},
		{"notes", MODEL_LEDGER_NOTES},
		{"events", MODEL_LEDGER_EVENTS},
		{"events_lost", MODEL_LEDGER_EVENTS_LOST},
		{"off_cpu", MODEL_LEDGER_OFF_CPU},
		{"off_cpu_lost", MODEL_LEDGER_OFF_CPU_LOST},
		{"code_map_lost", MODEL_LEDGER_CODE_MAP_LOST},
		{"hook_lost", MODEL_LEDGER_HOOK_LOST},
		{"unresolved_leaf", MODEL_LEDGER_UNRESOLVED_LEAF},
		{"stub_leaf", MODEL_LEDGER_STUB_LEAF},
		{"function_unknown", MODEL_LEDGER_FUNCTION_UNKNOWN},
	};

	json_writer__object(&page->json, "ledger");
	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++)
		view__ledger_section(page->model, &page->json, sections[i].name,
				     sections[i].section);
	json_writer__end(&page->json);
}

static void write_number_or_null(struct page *page, uint32_t number, bool known)
{
	if (known)
		json_writer__number(&page->json, NULL, number);
	else
		json_writer__null(&page->json, NULL);
}

static void write_body_life(struct page *page, const struct model_body *body)
{
	static const char *const sources[] = {"event", "catch-up", "image"};
	struct json_writer *json = &page->json;

	write_time_or_null(page, body->born_ns);
	write_time_or_null(page, body->died_ns);
	write_time_or_null(page, body->published_ns[1] ? body->published_ns[0] : 0);
	write_time_or_null(page, body->published_ns[1]);
	write_time_or_null(page, body->superseded_ns);
	json_writer__string(
		json, NULL,
		sources[body->source <= MODEL_SOURCE_IMAGE ? body->source
							   : MODEL_SOURCE_EVENT]);
	json_writer__bool(json, NULL, body->flags & MODEL_BODY_SHARED_GENERIC);
}

/* In the order of decodeBody in html/data.js. */
static void write_body(struct page *page, const struct model_body *body)
{
	struct json_writer *json = &page->json;

	json_writer__line(json);
	json_writer__array(json, NULL);
	json_writer__number(json, NULL, body->process);
	write_string(page, NULL, body->name);
	buf__clear(&page->scratch);
	view__version_label(body, &page->scratch);
	json_writer__number(json, NULL,
			    pool__add(page->strings, buf__string(&page->scratch)));
	json_writer__number(json, NULL, view__tier(body));
	write_number_or_null(page, body->rejit_id,
			     !(body->flags & MODEL_BODY_REJIT_UNKNOWN));
	write_number_or_null(page, body->native_version,
			     !(body->flags & MODEL_BODY_VERSION_UNKNOWN));
	write_number_or_null(page, body->osr_il_offset,
			     body->osr_il_offset != TS_NO_IL_OFFSET);
	json_writer__hex(json, NULL, body->start);
	json_writer__number(json, NULL, body->size);
	if (body->flags & MODEL_BODY_FUNCTION_UNKNOWN)
		json_writer__null(json, NULL);
	else
		json_writer__hex(json, NULL, body->function_id);
	json_writer__hex(json, NULL, body->token);
	write_string(page, NULL, body->module);
	write_body_life(page, body);
	json_writer__end(json);
}

/* A sampled body, and every other version of the same method beside it. */
static void write_bodies(struct page *page)
{
	const struct model *model = page->model;
	struct map *methods = map__new();
	uint32_t written = 0;
	uint64_t ignored;

	for (uint32_t i = 0; i < model__bodies(model); i++)
		if (page->stacks.body_number[i] != MODEL_NONE)
			map__set(methods, model__body(model, i)->process,
				 model__body(model, i)->name, 1);
	json_writer__array(&page->json, "bodies");
	for (uint32_t i = 0; i < model__bodies(model); i++) {
		const struct model_body *body = model__body(model, i);

		if (!map__get(methods, body->process, body->name, &ignored))
			continue;
		page->stacks.body_number[i] = written++;
		write_body(page, body);
	}
	json_writer__end(&page->json);
	map__free(methods);
}

static void write_frames(struct page *page)
{
	const struct page_stacks *stacks = &page->stacks;
	struct json_writer *json = &page->json;

	json_writer__object(json, "frames");
	json_writer__array(json, "kind");
	for (uint32_t i = 0; i < stacks->frames_count; i++)
		json_writer__number(json, NULL, stacks->frames[i].kind);
	json_writer__end(json);
	json_writer__array(json, "body");
	for (uint32_t i = 0; i < stacks->frames_count; i++)
		if (stacks->frames[i].kind == MODEL_FRAME_BODY)
			json_writer__number(json, NULL,
					    stacks->body_number[stacks->frames[i].row]);
		else
			json_writer__signed(json, NULL, -1);
	json_writer__end(json);
	json_writer__array(json, "name");
	for (uint32_t i = 0; i < stacks->frames_count; i++) {
		buf__clear(&page->scratch);
		page_stacks__frame_name(stacks, i, &page->scratch);
		json_writer__number(json, NULL,
				    pool__add(page->strings,
					      buf__string(&page->scratch)));
	}
	json_writer__end(json);
	json_writer__end(json);
}

static void write_strings(struct page *page)
{
	json_writer__array(&page->json, "strings");
	for (uint32_t i = 0; i < pool__count(page->strings); i++)
		json_writer__string(&page->json, NULL, pool__string(page->strings, i));
	json_writer__end(&page->json);
}

int view_html__write(const struct model *model, const struct view_options *options,
		     struct buf *buf)
{
	struct page page = {
		.model = model,
		.options = options,
		.strings = pool__new(),
		.scratch = BUF_INIT,
	};
	int err;

	view__summarize(model, options, &page.summary);
	page_stacks__collect(&page.stacks, model, options, &page.summary);
	buf__append(buf, view_page_before, sizeof(view_page_before));
	json_writer__init(&page.json, buf);
	json_writer__object(&page.json, NULL);
	write_head(&page);
	write_about(&page);
	write_processes(&page);
	write_ledger(&page);
	write_bodies(&page);
	write_frames(&page);
	page_stacks__write(&page.stacks, &page.json);
	write_strings(&page);
	json_writer__end(&page.json);
	err = json_writer__finish(&page.json);
	buf__append(buf, view_page_behind, sizeof(view_page_behind));

	page_stacks__free(&page.stacks);
	buf__free(&page.scratch);
	pool__free(page.strings);
	return err;
}
