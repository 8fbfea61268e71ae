// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * A table of `stat` as text, as CSV and as a line of JSON:
 *
 *     1.000 to 2.000 s: 99 samples of cpu-clock, 12 samples of page-faults; 3 lost
 *    share %  cpu-clock ms  page-faults  tier         #ReJITID  native  state       name
 *      50.51         505.1           12  tier1               0       2  published   Shop.Score(int)
 *
 * Events of time are shown in ms on the CPU, others as how often they happened: samples times
 * the event's period, both of them.  Ratios follow where both halves are counted.
 */
#include "json_rows.h"
#include "stat.h"
#include "stat_ratio.h"
#include "view_internal.h"

#include "../base/text.h"
#include "../model/name.h"

#include <string.h>

#define NAME_BYTES 400	/* of one name, on a terminal */

const char *stat__state(const struct model_body *body)
{
	if (body->died_ns)
		return "dead";
	if (body->superseded_ns)
		return "superseded";
	return body->published_ns[1] ? "published" : "alive";
}

uint64_t stat__count(const struct model *model, uint32_t event, uint64_t samples)
{
	uint64_t count, period = model__event(model, event)->period;

	return __builtin_mul_overflow(samples, period ? period : 1, &count) ? UINT64_MAX : count;
}

double stat__share(uint64_t samples, uint64_t all)
{
	return all ? 100.0 * (double)samples / (double)all : 0;
}

static double share(const struct stat_view *view, const uint64_t *samples)
{
	uint32_t event = view->options.sort < MODEL_EVENTS_MAX ? view->options.sort : 0;

	return stat__share(samples[event], view->samples[event]);
}

const char *stat__kind_name(uint32_t kind)
{
	static const char *const names[MODEL_FRAME_KINDS] = {
		[MODEL_FRAME_BODY] = "body", [MODEL_FRAME_NATIVE] = "native",
		[MODEL_FRAME_KERNEL] = "kernel", [MODEL_FRAME_UNKNOWN] = "unknown",
		[MODEL_FRAME_STUB] = "stub",
	};

	return names[kind];
}

static uint32_t shown_rows(const struct stat_view *view)
{
	uint32_t top = view->options.top;

	return top && top < view->rows_count ? top : view->rows_count;
}

/* --- text ---------------------------------------------------------------- */

static int event_width(const struct model *model, uint32_t event)
{
	const char *name = model__text(model, model__event(model, event)->name);
	int width = (int)strlen(name) + (view__is_time(model, event) ? 3 : 0);

	return width < 10 ? 10 : width;
}

static void append_counts(const struct model *model, const uint64_t *samples, struct buf *buf)
{
	for (uint32_t i = 0; i < model__events(model); i++) {
		uint64_t count = stat__count(model, i, samples[i]);
		int width = event_width(model, i);

		if (view__is_time(model, i))
			buf__printf(buf, "  %*.1f", width, (double)count / 1e6);
		else
			buf__printf(buf, "  %*llu", width, (unsigned long long)count);
	}
}

static int ratio_width(const struct stat_ratio *ratio)
{
	int width = (int)(strlen(ratio->name) + strlen(ratio->unit));

	return width < 6 ? 6 : width;
}

/* Those that the events of a table have. */
struct ratios {
	struct stat_ratio items[MODEL_EVENTS_MAX];
	unsigned int count;
};

static void append_ratios(const struct model *model, const struct ratios *ratios,
			  const uint64_t *samples, struct buf *buf)
{
	double value;

	for (unsigned int i = 0; i < ratios->count; i++) {
		const struct stat_ratio *ratio = &ratios->items[i];

		if (stat_ratio__of(model, ratio, samples, &value))
			buf__printf(buf, "  %*.2f", ratio_width(ratio), value);
		else
			buf__printf(buf, "  %*s", ratio_width(ratio), "-");
	}
}

static void append_ratio_heads(const struct ratios *ratios, struct buf *buf)
{
	for (unsigned int i = 0; i < ratios->count; i++) {
		const struct stat_ratio *ratio = &ratios->items[i];

		buf__printf(buf, "  %*s%s", ratio_width(ratio) - (int)strlen(ratio->unit),
			    ratio->name, ratio->unit);
	}
}

static void append_head(const struct stat_view *view, const struct model *model,
			const struct ratios *ratios, struct buf *buf)
{
	buf__append_string(buf, "share %");
	for (uint32_t i = 0; i < model__events(model); i++) {
		const char *name = model__text(model, model__event(model, i)->name);
		bool time = view__is_time(model, i);
		int width = event_width(model, i) - (time ? 3 : 0);

		buf__printf(buf, "  %*s%s", width, name, time ? " ms" : "");
	}
	append_ratio_heads(ratios, buf);
	if (view->several)
		buf__append_string(buf, "  process             ");
	if (view->options.by == STAT_BY_BODY)
		buf__append_string(buf, "  tier         #ReJITID  native  state       name\n");
	else
		buf__printf(buf, "  bodies  %s\n",
			    view->options.by == STAT_BY_METHOD ? "name" : "tier");
}

static void append_number(const struct model_body *body, int width, uint32_t number,
			  uint32_t unknown_flag, struct buf *buf)
{
	if (body->flags & unknown_flag)
		buf__printf(buf, "  %*s", width, "?");
	else
		buf__printf(buf, "  %*u", width, number);
}

static void append_version(const struct model_body *body, struct buf *buf)
{
	struct model_body plain = *body;
	struct buf label = BUF_INIT;

	plain.rejit_id = 0;	/* has a column of its own */
	plain.flags = 0;
	view__version_label(&plain, &label);
	buf__printf(buf, "  %-11s", buf__string(&label));
	buf__free(&label);
	append_number(body, 8, body->rejit_id, MODEL_BODY_REJIT_UNKNOWN, buf);
	append_number(body, 6, body->native_version, MODEL_BODY_VERSION_UNKNOWN, buf);
	buf__printf(buf, "  %-10s", stat__state(body));
}

static void append_row(const struct stat_view *view, const struct model *model,
		       const struct ratios *ratios, const struct stat_row *row, struct buf *buf)
{
	const struct model_body *body = model__body(model, row->body);

	buf__printf(buf, "%7.2f", share(view, row->samples));
	append_counts(model, row->samples, buf);
	append_ratios(model, ratios, row->samples, buf);
	if (view->several) {
		struct buf label = BUF_INIT, safe = BUF_INIT;

		view__process_label(model, row->process, &label);
		view__append_name(&safe, buf__string(&label), NAME_BYTES);
		buf__printf(buf, "  %-20s", buf__string(&safe));
		buf__free(&label);
		buf__free(&safe);
	}
	if (view->options.by != STAT_BY_BODY)
		buf__printf(buf, "  %6u", row->bodies);
	else if (body)
		append_version(body, buf);
	else
		buf__printf(buf, "  %-11s  %8s  %6s  %-10s", stat__kind_name(row->kind), "", "", "");
	buf__append_string(buf, "  ");
	if (body && view->options.by == STAT_BY_TIER)
		buf__append_string(buf, name__tier_short(view__tier(body)));
	else if (body)
		view__append_name(buf, model__text(model, body->name), NAME_BYTES);
	else
		buf__printf(buf, "[%s]", stat__kind_name(row->kind));
	buf__append_char(buf, '\n');
}

static void append_rest(const struct stat_view *view, const struct model *model,
			const struct ratios *ratios, uint32_t shown, struct buf *buf)
{
	uint64_t samples[MODEL_EVENTS_MAX] = { 0 };

	for (uint32_t i = shown; i < view->rows_count; i++)
		deltas__add(samples, view->rows[i].samples);
	buf__printf(buf, "%7.2f", share(view, samples));
	append_counts(model, samples, buf);
	append_ratios(model, ratios, samples, buf);
	buf__printf(buf, "  and %u more\n", view->rows_count - shown);
}

static void append_text(const struct stat_view *view, const struct model *model,
			struct buf *buf)
{
	const struct model_about *about = model__about_const(model);
	uint64_t start = about->part ? about->whole_start_ns : about->start_ns;
	uint32_t shown = shown_rows(view);
	struct ratios ratios;

	if (view->has_begun)
		buf__append_char(buf, '\n');
	buf__printf(buf, "%.3f to %.3f s: ", view__seconds(start, view->from_ns),
		    view__seconds(start, view->to_ns));
	for (uint32_t i = 0; i < model__events(model); i++)
		buf__printf(buf, "%s%llu samples of %s", i ? ", " : "",
			    (unsigned long long)view->samples[i],
			    model__text(model, model__event(model, i)->name));
	if (view->lost)
		buf__printf(buf, "; %llu lost", (unsigned long long)view->lost);
	buf__append_char(buf, '\n');
	if (!view->rows_count)
		return;
	ratios.count = stat_ratio__find(model, ratios.items);
	append_head(view, model, &ratios, buf);
	for (uint32_t i = 0; i < shown; i++)
		append_row(view, model, &ratios, &view->rows[i], buf);
	if (shown < view->rows_count)
		append_rest(view, model, &ratios, shown, buf);
}

/* --- CSV ----------------------------------------------------------------- */

/* In quotes, which are doubled; control characters as on a terminal. */
static void append_quoted(struct buf *buf, const char *text)
{
	struct buf safe = BUF_INIT;

	text__append_terminal(&safe, text);
	buf__append_char(buf, '"');
	for (const char *at = buf__string(&safe); *at; at++) {
		if (*at == '"')
			buf__append_char(buf, '"');
		buf__append_char(buf, *at);
	}
	buf__append_char(buf, '"');
	buf__free(&safe);
}

static void append_csv_body(const struct stat_view *view, const struct model *model,
			    const struct model_body *body, struct buf *buf)
{
	bool one = view->options.by == STAT_BY_BODY;

	if (view->options.by == STAT_BY_METHOD)
		buf__append_string(buf, ",");
	else
		buf__printf(buf, "%s,", name__tier(view__tier(body)));
	if (one && !(body->flags & MODEL_BODY_REJIT_UNKNOWN))
		buf__printf(buf, "%u", body->rejit_id);
	buf__append_char(buf, ',');
	if (one && !(body->flags & MODEL_BODY_VERSION_UNKNOWN))
		buf__printf(buf, "%u", body->native_version);
	buf__append_char(buf, ',');
	if (one)
		buf__printf(buf, "0x%llx,%s,", (unsigned long long)body->start,
			    stat__state(body));
	else
		buf__append_string(buf, ",,");
	append_quoted(buf, view->options.by == STAT_BY_TIER ? "" :
		      model__text(model, body->name));
}

static void append_csv(const struct stat_view *view, const struct model *model,
		       struct buf *buf)
{
	if (!view->has_begun) {
		buf__append_string(buf, "from_ns,to_ns,pid,kind,bodies,");
		for (uint32_t i = 0; i < model__events(model); i++) {
			const char *name = model__text(model, model__event(model, i)->name);

			buf__printf(buf, "%s samples,%s,", name, name);
		}
		buf__append_string(buf, "tier,rejit_id,native_version,start,state,name\n");
	}
	for (uint32_t i = 0; i < shown_rows(view); i++) {
		const struct stat_row *row = &view->rows[i];
		const struct model_body *body = model__body(model, row->body);

		buf__printf(buf, "%llu,%llu,%d,%s,%u,", (unsigned long long)view->from_ns,
			    (unsigned long long)view->to_ns,
			    (int)model__process(model, row->process)->pid,
			    stat__kind_name(row->kind), row->bodies);
		for (uint32_t j = 0; j < model__events(model); j++)
			buf__printf(buf, "%llu,%llu,", (unsigned long long)row->samples[j],
				    (unsigned long long)stat__count(model, j, row->samples[j]));
		if (body)
			append_csv_body(view, model, body, buf);
		else
			buf__append_string(buf, ",,,,,\"\"");
		buf__append_char(buf, '\n');
	}
}

/* --- JSON ---------------------------------------------------------------- */

static void append_json_events(const struct model *model, const uint64_t *samples,
			       struct json_writer *json)
{
	json_writer__object(json, "events");
	for (uint32_t i = 0; i < model__events(model); i++) {
		json_writer__object(json, model__text(model, model__event(model, i)->name));
		json_writer__number(json, "samples", samples[i]);
		json_writer__number(json, "count", stat__count(model, i, samples[i]));
		json_writer__end(json);
	}
	json_writer__end(json);
}

static void append_json_row(const struct stat_view *view, const struct model *model,
			    const struct stat_row *row, struct json_writer *json)
{
	const struct model_body *body = model__body(model, row->body);

	json_writer__object(json, NULL);
	json_writer__signed(json, "pid", model__process(model, row->process)->pid);
	json_writer__string(json, "kind", stat__kind_name(row->kind));
	append_json_events(model, row->samples, json);
	if (body && view->options.by != STAT_BY_TIER)
		json_writer__string(json, "name", model__text(model, body->name));
	if (view->options.by != STAT_BY_BODY)
		json_writer__number(json, "bodies", row->bodies);
	if (body && view->options.by == STAT_BY_TIER)
		json_writer__string(json, "tier", name__tier(view__tier(body)));
	if (body && view->options.by == STAT_BY_BODY) {
		json_rows__function(json, body);
		json_rows__rejit(json, body);
		json_rows__code(json, body);
		json_rows__osr(json, body);
		json_writer__string(json, "state", stat__state(body));
	}
	json_writer__end(json);
}

static int append_json(const struct stat_view *view, const struct model *model,
		       struct buf *buf)
{
	struct json_writer json;
	int err;

	json_writer__init(&json, buf);
	json_writer__object(&json, NULL);
	json_writer__number(&json, "from_ns", view->from_ns);
	json_writer__number(&json, "to_ns", view->to_ns);
	append_json_events(model, view->samples, &json);
	json_writer__number(&json, "lost", view->lost);
	json_writer__array(&json, "rows");
	for (uint32_t i = 0; i < shown_rows(view); i++)
		append_json_row(view, model, &view->rows[i], &json);
	json_writer__end(&json);
	json_writer__end(&json);
	err = json_writer__finish(&json);
	buf__append_char(buf, '\n');
	return err;
}

int stat_view__format(const struct stat_view *view, const struct model *model,
		      struct buf *buf)
{
	switch (view->options.format) {
	case STAT_TEXT:
		append_text(view, model, buf);
		return 0;
	case STAT_CSV:
		append_csv(view, model, buf);
		return 0;
	case STAT_JSON:
		break;
	}
	return append_json(view, model, buf);
}
