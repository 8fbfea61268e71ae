// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What every view needs: labels, and a summary of the samples.
#include "view_internal.h"

#include "../base/alloc.h"
#include "../base/text.h"
#include "../model/name.h"

#include <stdlib.h>
#include <string.h>

uint32_t view__sample_process(const struct model *model,
			      const struct model_sample *sample)
{
	return model__thread(model, sample->thread)->process;
}

uint32_t view__leaf_frame(const struct model *model, uint32_t stack)
{
	return stack ? model__stack(model, stack)->frame : MODEL_NONE;
}

uint32_t view__user_frame(const struct model *model, uint32_t stack)
{
	return view__leaf_frame(model, model__user_stack(model, stack));
}

uint32_t view__frame_kind(const struct model_frame *frame)
{
	return frame ? frame->kind : MODEL_FRAME_UNKNOWN;
}

void view__kernel_image(const struct model *model, const struct model_frame *frame,
			struct buf *buf)
{
	const char *module = strchr(model__text(model, frame->name), '[');

	buf__append_string(buf, module ? module : "[kernel.kallsyms]");
}

bool view__is_function(const struct model *model, const struct model_frame *frame)
{
	return frame->kind == MODEL_FRAME_NATIVE &&
	       strchr(model__text(model, frame->name), '!');
}

uint32_t view__tier(const struct model_body *body)
{
	return body->tier < TS_TIER_COUNT ? body->tier : TS_TIER_UNKNOWN;
}

double view__seconds(uint64_t start_ns, uint64_t time_ns)
{
	return ((double)time_ns - (double)start_ns) / 1e9;
}

void view__append_name(struct buf *buf, const char *name, size_t most)
{
	size_t size = strlen(name), cut = text__cut(name, size, most);
	struct buf piece = BUF_INIT;

	if (cut == size) {
		text__append_terminal(buf, name);
		return;
	}
	buf__append(&piece, name, cut);
	text__append_terminal(buf, buf__string(&piece));
	buf__append_string(buf, "...");
	buf__free(&piece);
}

void view__append_note(const struct view_options *options, struct buf *buf)
{
	if (!options->note)
		return;
	buf__append_string(buf, "WARNING: ");
	text__append_terminal(buf, options->note);
	buf__append_char(buf, '\n');
}

void view__process_label(const struct model *model, uint32_t process, struct buf *buf)
{
	const struct model_process *row = model__process(model, process);

	buf__printf(buf, "%s-%d", model__text(model, row->comm), (int)row->pid);
}

static bool rejit_unknown(const struct model_body *body)
{
	return body->flags & MODEL_BODY_REJIT_UNKNOWN;
}

/* Appends " [tier1 #2]"; an unknown ReJITID, which is not 0, is " #?". */
static void append_version(const struct model_body *body, struct buf *buf)
{
	name__append_version(buf, view__tier(body),
			     rejit_unknown(body) ? 0 : body->rejit_id,
			     body->osr_il_offset);
	if (rejit_unknown(body)) {
		buf->size--; /* the bracket */
		buf__append_string(buf, " #?]");
	}
}

void view__version_label(const struct model_body *body, struct buf *buf)
{
	struct buf label = BUF_INIT;

	append_version(body, &label);
	/* Without the " [" before and the "]" behind. */
	if (label.size > 3)
		buf__append(buf, label.data + 2, label.size - 3);
	buf__free(&label);
}

static void body_label(const struct model *model, const struct model_body *body,
		       enum view_split split, struct buf *buf)
{
	buf__append_string(buf, model__text(model, body->name));
	switch (split) {
	case VIEW_SPLIT_VERSION:
		append_version(body, buf);
		break;
	case VIEW_SPLIT_TIER:
		buf__printf(buf, " [%s]", name__tier_short(view__tier(body)));
		break;
	case VIEW_SPLIT_REJIT:
		if (rejit_unknown(body))
			buf__append_string(buf, " [#?]");
		else if (body->rejit_id)
			buf__printf(buf, " [#%u]", body->rejit_id);
		break;
	case VIEW_SPLIT_NONE:
		break;
	}
}

void view__frame_label(const struct model *model, uint32_t frame, enum view_split split,
		       struct buf *buf)
{
	const struct model_frame *row = model__frame(model, frame);
	const char *name = row ? model__text(model, row->name) : "no stack";
	uint32_t kind = view__frame_kind(row);

	if (kind == MODEL_FRAME_UNKNOWN || kind == MODEL_FRAME_STUB) {
		buf__printf(buf,
			    kind == MODEL_FRAME_STUB ? "[stub: %s]" : "[unknown: %s]",
			    name);
		return;
	}
	if (row->kind == MODEL_FRAME_BODY) {
		body_label(model, model__body(model, row->body), split, buf);
		return;
	}
	if (!*name)
		name = row->kind == MODEL_FRAME_KERNEL ? "[kernel]" : "[native]";
	buf__append_string(buf, name);
	/* An address says which version of nothing: only the finest split has it. */
	if (row->kind == MODEL_FRAME_NATIVE && row->address && split == VIEW_SPLIT_VERSION &&
	    !view__is_function(model, row))
		buf__printf(buf, "+0x%llx", (unsigned long long)row->address);
}

uint64_t view__sum_section(const struct model *model,
			   enum model_ledger_section section)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < model__counts(model); i++)
		if (model__count_at(model, i)->section == section)
			sum += model__count_at(model, i)->value;
	return sum;
}

void view__time_range(const struct model *model, uint64_t *ret_start_ns,
		      uint64_t *ret_end_ns)
{
	const struct model_about *about = model__about_const(model);
	uint64_t low = UINT64_MAX, high = 0;

	if (!about->start_ns || about->end_ns <= about->start_ns)
		for (size_t i = 0; i < model__samples(model); i++) {
			uint64_t time = model__sample(model, i)->time_ns;

			low = time < low ? time : low;
			high = time > high ? time : high;
		}
	if (about->start_ns)
		low = about->start_ns;
	if (about->end_ns > low)
		high = about->end_ns;
	if (low == UINT64_MAX)
		low = 0;
	*ret_start_ns = low;
	*ret_end_ns = high > low ? high : low + 1;
}

bool view__is_time(const struct model *model, uint32_t event)
{
	return event == VIEW_WALL || model__is_clock(model, event) ||
	       model__is_off_cpu(model, event);
}

uint64_t view__weight(const struct model *model, const struct view_options *options,
		      const struct model_sample *sample)
{
	if (options->event != VIEW_WALL)
		return sample->event == options->event ? sample->weight : 0;
	if (sample->event == model__clock(model))
		return sample->weight * model__event(model, sample->event)->period;
	return model__is_off_cpu(model, sample->event) ? sample->weight : 0;
}

const char *view__event_name(const struct model *model, const struct view_options *options)
{
	const struct model_event *event = model__event(model, options->event);

	return options->event == VIEW_WALL ? "wall-clock" :
	       event ? model__text(model, event->name) : "no event";
}

uint64_t view__period(const struct model *model, const struct view_options *options,
		      const char **ret_unit)
{
	const struct model_event *event = model__event(model, options->event);
	uint64_t samples = model__samples(model);
	uint64_t most = samples ? INT64_MAX / samples : INT64_MAX;
	bool time = view__is_time(model, options->event);

	*ret_unit = time ? "nanoseconds" : "none";
	if (!event || !event->period)
		return 1;
	return event->period < most ? event->period : most;
}

static void count_leaf(const struct model *model, uint32_t stack, uint64_t weight,
		       uint8_t *seen, struct view_summary *summary)
{
	uint32_t leaf = view__leaf_frame(model, stack);
	const struct model_frame *frame = model__frame(model, leaf);
	const struct model_frame *user =
		model__frame(model, view__user_frame(model, stack));

	summary->taken++;
	summary->samples += weight;
	if (view__frame_kind(user) == MODEL_FRAME_BODY && !seen[user->body]) {
		seen[user->body] = 1;
		summary->versions++;
	}
	switch (view__frame_kind(frame)) {
	case MODEL_FRAME_BODY:
		summary->body += weight;
		break;
	case MODEL_FRAME_NATIVE:
		summary->native += weight;
		break;
	case MODEL_FRAME_KERNEL:
		summary->kernel += weight;
		break;
	case MODEL_FRAME_STUB:
		summary->stub += weight;
		break;
	default:
		summary->unknown += weight;
	}
}

void view__summarize(const struct model *model, const struct view_options *options,
		     struct view_summary *ret_summary)
{
	uint8_t *seen = alloc__zeroed(model__bodies(model), 1);
	struct view_summary summary = {
		.lost = view__sum_section(model, MODEL_LEDGER_SAMPLES_LOST),
		.not_delivered =
			model__count(model, MODEL_LEDGER_SAMPLES, "not_delivered"),
		.events_lost = view__sum_section(model, MODEL_LEDGER_EVENTS_LOST),
		.map_lost = view__sum_section(model, MODEL_LEDGER_CODE_MAP_LOST),
		.hook_lost = view__sum_section(model, MODEL_LEDGER_HOOK_LOST),
	};

	for (size_t i = 0; i < model__samples(model); i++) {
		const struct model_sample *sample = model__sample(model, i);

		uint64_t weight = view__weight(model, options, sample);

		if (weight)
			count_leaf(model, sample->stack, weight, seen, &summary);
	}
	view__time_range(model, &summary.start_ns, &summary.end_ns);
	free(seen);
	*ret_summary = summary;
}

uint32_t view__sampled_processes(const struct model *model,
				 const struct view_options *options, bool **ret_sampled)
{
	bool *sampled = alloc__zeroed(model__processes(model), sizeof(*sampled));
	uint32_t count = 0;

	for (size_t i = 0; i < model__samples(model); i++) {
		const struct model_sample *sample = model__sample(model, i);
		uint32_t process = view__sample_process(model, sample);

		if (view__weight(model, options, sample) && !sampled[process]) {
			sampled[process] = true;
			count++;
		}
	}
	*ret_sampled = sampled;
	return count;
}

#define TITLE_PROCESSES 8u

void view__title(const struct model *model, const struct view_options *options,
		 struct buf *buf)
{
	const char *command = model__text(model, model__about_const(model)->command);
	unsigned int told = 0;

	if (options->title) {
		buf__append_string(buf, options->title);
		return;
	}
	if (*command) {
		buf__append_string(buf, command);
		return;
	}
	for (uint32_t i = 0; i < model__processes(model) && told < TITLE_PROCESSES; i++) {
		if (model__process(model, i)->flags & MODEL_PROCESS_SWEPT)
			continue;
		if (told++)
			buf__append_string(buf, ", ");
		view__process_label(model, i, buf);
	}
}

void view__ledger_section(const struct model *model, struct json_writer *json,
			  const char *name, enum model_ledger_section section)
{
	json_writer__object(json, name);
	for (uint32_t i = 0; i < model__counts(model); i++) {
		const struct model_count *count = model__count_at(model, i);

		if (count->section == (uint32_t)section)
			json_writer__number(json, model__text(model, count->name),
					    count->value);
	}
	json_writer__end(json);
}

struct map *view__actives(const struct model *model)
{
	struct map *actives = map__new();

	for (uint32_t i = 0; i < model__actives(model); i++) {
		const struct model_active *active = model__active(model, i);

		map__set(actives, active->process, active->function_id, i);
	}
	return actives;
}

const struct model_active *view__active(const struct model *model, const struct map *actives,
					const struct model_body *body)
{
	uint64_t active;

	if (body->flags & MODEL_BODY_FUNCTION_UNKNOWN ||
	    !map__get(actives, body->process, body->function_id, &active))
		return NULL;
	return model__active(model, (uint32_t)active);
}
