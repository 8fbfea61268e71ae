// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * The text of metrics (metrics.h).  Two formats, which differ in little: OpenMetrics 1.0
 * (https://github.com/OpenObservability/OpenMetrics) names a counter's family without the
 * "_total" of its samples and ends with "# EOF".
 */
#include "metrics.h"

#include "view_internal.h"

#include "../model/name.h"

#include <string.h>

#define TOTAL "_total"	/* what the samples of a counter end in */

struct text {
	const struct metrics *metrics;
	const struct model *model;
	bool open;
	struct buf *buf;
};

static void family(const struct text *text, const char *name, const char *type, const char *help)
{
	bool counter = !strcmp(type, "counter");
	const char *total = counter && !text->open ? TOTAL : "";

	buf__printf(text->buf, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, total, help, name,
		    total, type);
}

static void number(const struct text *text, const char *name, uint64_t value)
{
	buf__printf(text->buf, "%s %llu\n", name, (unsigned long long)value);
}

static const char *label(const struct text *text, uint32_t name)
{
	return pool__string(text->metrics->labels, name);
}

/* `name{pid="1",process="x"`, open for more. */
static void begin(const struct text *text, const char *name, const char *suffix, uint32_t index)
{
	const struct metrics_process *process = &text->metrics->processes[index];

	buf__printf(text->buf, "%s%s{pid=\"%d\",process=\"%s\"", name, suffix, (int)process->pid,
		    label(text, process->name));
}

static void end(const struct text *text, uint64_t value)
{
	buf__printf(text->buf, "} %llu\n", (unsigned long long)value);
}

static const char *tier_name(uint32_t tier)
{
	static const char *const kinds[MODEL_FRAME_KINDS] = {
		[MODEL_FRAME_BODY] = "", [MODEL_FRAME_NATIVE] = "native",
		[MODEL_FRAME_KERNEL] = "kernel", [MODEL_FRAME_UNKNOWN] = "unresolved",
		[MODEL_FRAME_STUB] = "stub",
	};

	return tier < TS_TIER_COUNT ? name__tier_short(tier) : kinds[tier - TS_TIER_COUNT];
}

static const char *event_name(const struct text *text, uint32_t event)
{
	return model__text(text->model, model__event(text->model, event)->name);
}

/* What a series of samples is in. */
enum unit { SAMPLES, SECONDS, COUNT };

static void tier_series(const struct text *text, const char *name, const char *help,
			enum unit unit)
{
	family(text, name, "counter", help);
	for (uint32_t i = 0; i < text->metrics->processes_count; i++) {
		const struct metrics_process *process = &text->metrics->processes[i];

		for (uint32_t j = 0; process->used && j < METRICS_TIERS * MODEL_EVENTS_MAX; j++) {
			uint32_t tier = j / MODEL_EVENTS_MAX, event = j % MODEL_EVENTS_MAX;
			uint64_t samples = process->samples[tier][event];
			bool time = view__is_time(text->model, event);

			if (!samples || (unit == SECONDS && !time) || (unit == COUNT && time))
				continue;
			begin(text, name, TOTAL, i);
			buf__printf(text->buf, ",tier=\"%s\",event=\"%s\"", tier_name(tier),
				    event_name(text, event));
			if (unit == SAMPLES)
				end(text, samples);
			else if (unit == COUNT)
				end(text, samples * model__event(text->model, event)->period);
			else
				buf__printf(text->buf, "} %.9f\n", 1e-9 * (double)samples *
					    (double)model__event(text->model, event)->period);
		}
	}
}

static void samples(const struct text *text)
{
	tier_series(text, "tierscope_samples",
		    "Samples by the code that they were in: a tier, or what is no code body.",
		    SAMPLES);
	tier_series(text, "tierscope_cpu_seconds",
		    "CPU time by the same: samples times the period, of clocks.", SECONDS);
	tier_series(text, "tierscope_events",
		    "Other events by the same: samples times the period.", COUNT);
}

/* 1, or ? where nobody knows. */
static void optional(const struct text *text, const char *name, uint32_t value)
{
	if (value == UINT32_MAX)
		buf__printf(text->buf, ",%s=\"?\"", name);
	else
		buf__printf(text->buf, ",%s=\"%u\"", name, value);
}

static void versions(const struct text *text)
{
	static const char name[] = "tierscope_version_samples";
	const struct metrics *metrics = text->metrics;

	family(text, name, "counter",
	       "Samples by code version, of methods with a large share; all others are one.");
	for (uint32_t j = 0; j < model__events(text->model); j++) {
		for (uint32_t i = 0; i < metrics->versions_count; i++) {
			const struct metrics_version *version = &metrics->versions[i];

			begin(text, name, TOTAL, version->process);
			buf__printf(text->buf, ",method=\"%s\",tier=\"%s\"",
				    label(text, version->name), tier_name(version->tier));
			optional(text, "rejit_id", version->rejit_id);
			optional(text, "native_version", version->native_version);
			buf__printf(text->buf, ",event=\"%s\"", event_name(text, j));
			end(text, version->samples[j]);
		}
		for (uint32_t i = 0; i < metrics->processes_count; i++) {
			if (!metrics->processes[i].used)
				continue;
			begin(text, name, TOTAL, i);
			buf__printf(text->buf, ",method=\"other\",tier=\"\",rejit_id=\"\","
				    "native_version=\"\",event=\"%s\"", event_name(text, j));
			end(text, metrics->processes[i].others[j]);
		}
	}
}

static void bodies(const struct text *text)
{
	static const char name[] = "tierscope_code_bodies";

	family(text, name, "gauge",
	       "Code bodies alive by tier; precompiled ones once they are sampled.");
	for (uint32_t i = 0; i < text->metrics->processes_count; i++) {
		const struct metrics_process *process = &text->metrics->processes[i];

		for (uint32_t tier = 0; process->used && tier < TS_TIER_COUNT; tier++) {
			if (!process->bodies[tier])
				continue;
			begin(text, name, "", i);
			buf__printf(text->buf, ",tier=\"%s\"", tier_name(tier));
			end(text, process->bodies[tier]);
		}
	}
}

static void code_events(const struct text *text)
{
	static const struct {
		const char *family, *help;
		size_t offset;
	} rows[] = {
		{ "tierscope_code_loads",
		  "Code bodies that the runtime compiled, those from before included.",
		  offsetof(struct metrics_process, loads) },
		{ "tierscope_code_unloads",
		  "Of those, the ones that are gone.", offsetof(struct metrics_process, unloads) },
		{ "tierscope_patches",
		  "Changes of entry cells that were seen.",
		  offsetof(struct metrics_process, patches) },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		family(text, rows[i].family, "counter", rows[i].help);
		for (uint32_t j = 0; j < text->metrics->processes_count; j++) {
			const struct metrics_process *process = &text->metrics->processes[j];
			uint64_t value;

			if (!process->used)
				continue;
			memcpy(&value, (const char *)process + rows[i].offset, sizeof(value));
			begin(text, rows[i].family, TOTAL, j);
			end(text, value);
		}
	}
}

static void rejits(const struct text *text)
{
	static const char name[] = "tierscope_rejits";
	static const char *const kinds[METRICS_REJITS] = {
		[METRICS_REQUESTED] = "requested", [METRICS_COMPILED] = "compiled",
		[METRICS_REVERTED] = "reverted",
	};

	family(text, name, "counter",
	       "ReJITs: of a function by ReJITID, the bodies of them, returns to the original IL.");
	for (uint32_t i = 0; i < text->metrics->processes_count; i++) {
		const struct metrics_process *process = &text->metrics->processes[i];

		for (unsigned int kind = 0; process->used && kind < METRICS_REJITS; kind++) {
			begin(text, name, TOTAL, i);
			buf__printf(text->buf, ",kind=\"%s\"", kinds[kind]);
			end(text, process->rejits[kind]);
		}
	}
}

static void histogram(const struct text *text, const char *name, uint32_t index,
		      const struct metrics_histogram *histogram)
{
	uint64_t count = 0;

	for (unsigned int i = 0; i < METRICS_BUCKETS; i++) {
		count += histogram->buckets[i];
		begin(text, name, "_bucket", index);
		buf__printf(text->buf, ",le=\"%s\"",
			    i < METRICS_BUCKETS - 1 ? metrics_bounds[i].seconds : "+Inf");
		end(text, count);
	}
	begin(text, name, "_count", index);
	end(text, count);
	begin(text, name, "_sum", index);
	buf__printf(text->buf, "} %.9f\n", 1e-9 * (double)histogram->sum_ns);
}

/* From 0 on, as a rate needs it; but most processes that come and go never reach tier 1. */
static void tier_ups(const struct text *text)
{
	static const struct {
		const char *family, *help;
	} rows[TIER_UPS] = {
		[TIER_UP_COMPILED] = { "tierscope_tier_up_seconds",
			"From a function's first code to its tier-1 code." },
		[TIER_UP_PUBLISHED] = { "tierscope_tier_up_publish_seconds",
			"From tier-1 code until calls were seen to reach it." },
	};

	for (unsigned int way = 0; way < TIER_UPS; way++) {
		family(text, rows[way].family, "histogram", rows[way].help);
		for (uint32_t i = 0; i < text->metrics->processes_count; i++) {
			const struct metrics_process *process = &text->metrics->processes[i];
			uint64_t count = 0;

			for (unsigned int j = 0; j < METRICS_BUCKETS; j++)
				count += process->tier_ups[way].buckets[j];
			if (process->used && (count || (process->alive && process->loads)))
				histogram(text, rows[way].family, i, &process->tier_ups[way]);
		}
	}
}

/* Counts of one family stand together. */
static void ledger(const struct text *text, const struct metrics_outside *outside)
{
	for (unsigned int i = 0; i < outside->families_count; i++) {
		const char *name = outside->families[i].name;

		family(text, name, "counter", outside->families[i].help);
		for (unsigned int j = 0; j < outside->counts_count; j++) {
			const struct metrics_count *count = &outside->counts[j];

			if (count->family != i)
				continue;
			buf__printf(text->buf, "%s" TOTAL, name);
			if (count->cause)
				buf__printf(text->buf, "{cause=\"%s\"}", count->cause);
			buf__printf(text->buf, " %llu\n", (unsigned long long)count->value);
		}
	}
}

static void own(const struct text *text, const struct metrics_outside *outside)
{
	const struct model_about *about = model__about_const(text->model);
	const char *build = text->open ? "tierscope_build" : "tierscope_build_info";

	family(text, build, text->open ? "info" : "gauge", "Which tierscope this is.");
	buf__printf(text->buf, "tierscope_build_info{version=\"%s\"} 1\n", TIERSCOPE_VERSION);
	family(text, "tierscope_recording_start_time_seconds", "gauge",
	       "When counting began, since 1970.");
	buf__printf(text->buf, "tierscope_recording_start_time_seconds %.3f\n",
		    1e-9 * (double)about->start_unix_ns);
	family(text, "tierscope_process_cpu_seconds", "counter",
	       "CPU time of tierscope itself, without what its programs use in the kernel.");
	buf__printf(text->buf, "tierscope_process_cpu_seconds_total %.6f\n",
		    outside->cpu_seconds);
	family(text, "tierscope_process_resident_memory_bytes", "gauge",
	       "Resident memory of tierscope itself.");
	number(text, "tierscope_process_resident_memory_bytes", outside->resident_bytes);
}

void metrics__write(const struct metrics *metrics, const struct model *model,
		    const struct metrics_outside *outside, bool open, struct buf *buf)
{
	const struct text text = { metrics, model, open, buf };
	uint64_t alive = 0;

	for (uint32_t i = 0; i < metrics->processes_count; i++)
		alive += metrics->processes[i].used && metrics->processes[i].alive;
	family(&text, "tierscope_processes", "gauge", "Processes that are recorded and alive.");
	number(&text, "tierscope_processes", alive);
	samples(&text);
	versions(&text);
	bodies(&text);
	code_events(&text);
	rejits(&text);
	tier_ups(&text);
	ledger(&text, outside);
	own(&text, outside);
	if (open)
		buf__append_string(buf, "# EOF\n");
}
