// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * The text report: losses first if there are any, then what was recorded,
 * then the hottest code versions:
 *
 *   self %      self  total %  tier      #ReJITID  native  name
 *    13.50      1386    16.31  tier1            0       2  Shop.Ranking.Score(int)
 *
 * and what of it was late (late.h).  Percentages are of the samples of the process, or thread, of the table.
 * Native and kernel code stands in the table by name, so that the shares add
 * up to everything.
 */
#include "late.h"
#include "tiering.h"
#include "view_internal.h"

#include "../base/alloc.h"
#include "../base/map.h"
#include "../base/text.h"
#include "../model/name.h"

#include <stdlib.h>
#include <string.h>

#define NAME_BYTES 1000 /* of one name, on a terminal */

/* One line of a table: frames that the split does not tell apart. */
struct row {
	uint32_t frame; /* one of them; MODEL_NONE for an empty stack */
	uint32_t stamp; /* the last stack that counted for total */
	uint64_t self, total;
};

struct text {
	const struct model *model;
	const struct view_options *options;
	struct buf *buf;
	struct buf scratch;
	struct row *rows;
	uint32_t rows_count, rows_capacity;
	uint32_t *row_of; /* [frame], and the empty stack behind them */
	struct map *row_numbers;
};

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* --- header ------------------------------------------------------------- */

static void write_causes(struct text *text, enum model_ledger_section section)
{
	const char *separator = ": ";

	for (uint32_t i = 0; i < model__counts(text->model); i++) {
		const struct model_count *count = model__count_at(text->model, i);

		if (count->section != (uint32_t)section || !count->value)
			continue;
		buf__append_string(text->buf, separator);
		view__append_name(text->buf, model__text(text->model, count->name), NAME_BYTES);
		buf__printf(text->buf, " %llu", (unsigned long long)count->value);
		separator = ", ";
	}
	buf__append_char(text->buf, '\n');
}

static void write_losses(struct text *text, const struct view_summary *summary)
{
	uint64_t off_cpu_lost = view__sum_section(text->model, MODEL_LEDGER_OFF_CPU_LOST);
	struct buf *buf = text->buf;

	view__append_note(text->options, buf);
	if (summary->lost) {
		buf__printf(buf, "LOST: %llu samples",
			    (unsigned long long)summary->lost);
		write_causes(text, MODEL_LEDGER_SAMPLES_LOST);
	}
	if (summary->not_delivered)
		buf__printf(buf, "LOST: %llu samples that the kernel did not deliver\n",
			    (unsigned long long)summary->not_delivered);
	if (off_cpu_lost) {
		buf__printf(buf, "LOST: %llu stacks of time off the CPU",
			    (unsigned long long)off_cpu_lost);
		write_causes(text, MODEL_LEDGER_OFF_CPU_LOST);
	}
	if (summary->events_lost) {
		buf__printf(buf, "LOST: %llu code events",
			    (unsigned long long)summary->events_lost);
		write_causes(text, MODEL_LEDGER_EVENTS_LOST);
	}
	if (summary->map_lost) {
		buf__printf(buf, "LOST: %llu places in the code map",
			    (unsigned long long)summary->map_lost);
		write_causes(text, MODEL_LEDGER_CODE_MAP_LOST);
	}
	if (summary->hook_lost) {
		buf__printf(buf, "LOST: %llu records that a hook could not keep",
			    (unsigned long long)summary->hook_lost);
		write_causes(text, MODEL_LEDGER_HOOK_LOST);
	}
}

static void write_processes(struct text *text)
{
	uint32_t count = model__processes(text->model);

	for (uint32_t i = 0; i < count && i < 20; i++) {
		const struct model_process *process = model__process(text->model, i);
		const char *runtime = model__text(text->model, process->runtime);
		const char *trouble = model__text(text->model, process->trouble);

		buf__append_string(text->buf, i ? "            " : "processes   ");
		view__append_name(text->buf, model__text(text->model, process->comm), NAME_BYTES);
		buf__printf(text->buf, "-%d", (int)process->pid);
		if (*runtime) {
			buf__append_string(text->buf, ", .NET ");
			view__append_name(text->buf, runtime, NAME_BYTES);
		}
		if (*trouble) {
			buf__append_string(text->buf, ", no hook: ");
			view__append_name(text->buf, trouble, NAME_BYTES);
		}
		if (process->flags & MODEL_PROCESS_MAIN_PROFILER)
			buf__append_string(text->buf,
					   ", beside another profiler: ReJITID 0 may not be the original IL");
		buf__append_char(text->buf, '\n');
	}
	if (count > 20)
		buf__printf(text->buf, "            and %u more\n", count - 20);
}

/* Time, which samples stand for by their weight; in tables it stands in ms. */
static bool is_weighed(const struct text *text)
{
	return text->options->event == VIEW_WALL ||
	       model__is_off_cpu(text->model, text->options->event);
}

static void write_header(struct text *text, const struct view_summary *summary)
{
	const struct model_event *event =
		model__event(text->model, text->options->event);
	const char *event_name = view__event_name(text->model, text->options);
	const struct model_about *about = model__about_const(text->model);
	uint64_t known = summary->samples - summary->unknown;
	struct buf title = BUF_INIT;

	view__title(text->model, text->options, &title);
	buf__append_string(text->buf, "recording   ");
	view__append_name(text->buf, buf__string(&title), NAME_BYTES);
	buf__free(&title);
	buf__printf(text->buf, "\nduration    %.3f s\n",
		    (double)(summary->end_ns - summary->start_ns) / 1e9);
	if (about->part)
		buf__printf(text->buf, "part        %u of a recording that began %.3f s before it\n",
			    about->part,
			    (double)(summary->start_ns - about->whole_start_ns) / 1e9);
	write_processes(text);
	buf__printf(text->buf, "samples     %llu of ",
		    (unsigned long long)summary->taken);
	view__append_name(text->buf, event_name, NAME_BYTES);
	if (is_weighed(text))
		buf__printf(text->buf, ", which stand for %.3f s",
			    (double)summary->samples / 1e9);
	else if (event)
		buf__printf(text->buf, ", period %llu",
			    (unsigned long long)event->period);
	buf__printf(text->buf, "\nattributed  %.2f %%",
		    percent(known, summary->samples));
	buf__printf(text->buf, ": %.2f %% in %u code versions, %.2f %% native, ",
		    percent(summary->body, summary->samples), summary->versions,
		    percent(summary->native, summary->samples));
	buf__printf(text->buf, "%.2f %% kernel, %.2f %% stubs; %.2f %% unresolved",
		    percent(summary->kernel, summary->samples),
		    percent(summary->stub, summary->samples),
		    percent(summary->unknown, summary->samples));
	if (summary->unknown)
		write_causes(text, MODEL_LEDGER_UNRESOLVED_LEAF);
	else
		buf__append_char(text->buf, '\n');
}

/* --- tables ------------------------------------------------------------- */

/* What the split tells a body by, beside its name. */
static uint64_t body_key(const struct text *text, uint32_t index)
{
	const struct model_body *body = model__body(text->model, index);

	switch (text->options->split) {
	case VIEW_SPLIT_VERSION:
		return index;
	case VIEW_SPLIT_TIER:
		return view__tier(body);
	case VIEW_SPLIT_REJIT:
		return body->flags & MODEL_BODY_REJIT_UNKNOWN ? UINT64_MAX
							      : body->rejit_id;
	case VIEW_SPLIT_NONE:
		break;
	}
	return 0;
}

/* The row of a frame in the table at hand. */
static struct row *find_row(struct text *text, uint32_t frame)
{
	uint32_t slot = frame == MODEL_NONE ? model__frames(text->model) : frame;
	uint64_t high = UINT64_MAX, low = 0, known;

	if (text->row_of[slot] != MODEL_NONE)
		return &text->rows[text->row_of[slot]];
	if (frame != MODEL_NONE) {
		const struct model_frame *row = model__frame(text->model, frame);
		uint64_t kind = view__frame_kind(row);
		string_id name = row->name;

		if (kind == MODEL_FRAME_BODY) {
			name = model__body(text->model, row->body)->name;
			low = body_key(text, row->body);
		}
		high = kind << 32 | name;
	}
	if (!map__get(text->row_numbers, high, low, &known)) {
		known = text->rows_count;
		alloc__grow(text->rows, text->rows_count, text->rows_capacity);
		text->rows[text->rows_count++] = (struct row){.frame = frame};
		map__set(text->row_numbers, high, low, known);
	}
	text->row_of[slot] = (uint32_t)known;
	return &text->rows[known];
}

/* A stack counts once for each row on it; `stamp` is the stack's own number. */
static void count_stack(struct text *text, const struct view_stack_count *stack,
			uint32_t stamp)
{
	uint32_t at = stack->stack;

	find_row(text, view__leaf_frame(text->model, at))->self += stack->count;
	do {
		struct row *row = find_row(text, view__leaf_frame(text->model, at));

		if (row->stamp != stamp)
			row->total += stack->count;
		row->stamp = stamp;
		at = at ? model__stack(text->model, at)->parent : 0;
	} while (at);
}

/* qsort_r wants an order that holds on every machine: names break ties. */
static int compare_rows(const void *a, const void *b, void *argument)
{
	const struct row *one = a, *two = b;
	struct text *text = argument;
	struct buf labels[2] = {BUF_INIT, BUF_INIT};
	int order;

	if (one->self != two->self)
		return one->self < two->self ? 1 : -1;
	if (one->total != two->total)
		return one->total < two->total ? 1 : -1;
	view__label(text->model, text->options, one->frame, text->options->split,
		    &labels[0]);
	view__label(text->model, text->options, two->frame, text->options->split,
		    &labels[1]);
	order = strcmp(buf__string(&labels[0]), buf__string(&labels[1]));
	buf__free(&labels[0]);
	buf__free(&labels[1]);
	if (order)
		return order;
	return one->frame < two->frame ? -1 : one->frame > two->frame;
}

static bool has_tier(const struct text *text)
{
	return text->options->split <= VIEW_SPLIT_TIER;
}

static bool has_rejit(const struct text *text)
{
	return text->options->split == VIEW_SPLIT_VERSION ||
	       text->options->split == VIEW_SPLIT_REJIT;
}

static void write_table_head(struct text *text)
{
	buf__printf(text->buf, " self %%    %s  total %%",
		    is_weighed(text) ? "self ms" : "   self");
	if (has_tier(text))
		buf__append_string(text->buf, "  tier       ");
	if (has_rejit(text))
		buf__append_string(text->buf, "  #ReJITID");
	if (text->options->split == VIEW_SPLIT_VERSION)
		buf__append_string(text->buf, "  native");
	buf__append_string(text->buf, "  name\n");
}

/* "tier1", "osr@0x1a"; of what is not a body, what it is. */
static void write_tier(struct text *text, const struct model_frame *frame)
{
	static const char *const others[] = {
		[MODEL_FRAME_NATIVE] = "native",
		[MODEL_FRAME_KERNEL] = "kernel",
		[MODEL_FRAME_UNKNOWN] = "-",
		[MODEL_FRAME_STUB] = "stub",
	};

	buf__clear(&text->scratch);
	if (frame && frame->kind == MODEL_FRAME_BODY) {
		struct model_body body = *model__body(text->model, frame->body);

		body.rejit_id = 0;
		body.flags = 0;
		if (text->options->split == VIEW_SPLIT_VERSION)
			view__version_label(&body, &text->scratch);
		else
			buf__append_string(&text->scratch,
					   name__tier_short(view__tier(&body)));
	} else {
		buf__append_string(&text->scratch, others[view__frame_kind(frame)]);
	}
	buf__printf(text->buf, "  %-11s", buf__string(&text->scratch));
}

/* A number in a column, or why there is none. */
static void write_number(struct text *text, int width, const struct model_body *body,
			 uint32_t number, uint32_t unknown_flag)
{
	if (!body)
		buf__printf(text->buf, "  %*s", width, "");
	else if (body->flags & unknown_flag)
		buf__printf(text->buf, "  %*s", width, "?");
	else
		buf__printf(text->buf, "  %*u", width, number);
}

static void write_row(struct text *text, const struct row *row, uint64_t samples)
{
	const struct model_frame *frame = model__frame(text->model, row->frame);
	const struct model_body *body =
		frame ? model__body(text->model, frame->body) : NULL;
	struct buf label = BUF_INIT;

	buf__printf(text->buf, "%7.2f ", percent(row->self, samples));
	if (is_weighed(text))
		buf__printf(text->buf, "%10.1f", (double)row->self / 1e6);
	else
		buf__printf(text->buf, "%10llu", (unsigned long long)row->self);
	buf__printf(text->buf, " %8.2f", percent(row->total, samples));
	if (has_tier(text))
		write_tier(text, frame);
	if (has_rejit(text))
		write_number(text, 8, body, body ? body->rejit_id : 0,
			     MODEL_BODY_REJIT_UNKNOWN);
	if (text->options->split == VIEW_SPLIT_VERSION)
		write_number(text, 6, body, body ? body->native_version : 0,
			     MODEL_BODY_VERSION_UNKNOWN);
	buf__append_string(text->buf, "  ");
	/* The split that says the name alone: the columns say the rest. */
	view__label(text->model, text->options, row->frame, VIEW_SPLIT_NONE, &label);
	view__append_name(text->buf, buf__string(&label), NAME_BYTES);
	buf__append_char(text->buf, '\n');
	buf__free(&label);
}

static void clear_rows(struct text *text)
{
	map__free(text->row_numbers);
	text->row_numbers = map__new();
	text->rows_count = 0;
	memset(text->row_of, 0xff,
	       ((size_t)model__frames(text->model) + 1) * sizeof(*text->row_of));
}

/* Whose table it is: "web-10: 10 samples", "web-10, main-11: 10 samples". */
static void write_table_title(struct text *text, const struct view_stack_count *stack,
			      uint64_t samples, bool several)
{
	struct buf label = BUF_INIT;

	if (several)
		view__process_label(text->model, stack->process, &label);
	if (several && text->options->per_thread)
		buf__append_string(&label, ", ");
	if (text->options->per_thread)
		view__thread_label(text->model, stack->thread, &label);
	if (label.size) {
		view__append_name(text->buf, buf__string(&label), NAME_BYTES);
		if (is_weighed(text))
			buf__printf(text->buf, ": %.3f s\n", (double)samples / 1e9);
		else
			buf__printf(text->buf, ": %llu samples\n", (unsigned long long)samples);
	}
	buf__free(&label);
}

/* The table of the process, or thread, that `stacks` begins with; returns its
 * stacks. */
static size_t write_table(struct text *text, const struct view_stack_count *stacks,
			  size_t count, bool several)
{
	bool per_thread = text->options->per_thread;
	uint64_t samples = 0;
	uint32_t shown;
	size_t used = 0;

	clear_rows(text);
	for (; used < count && stacks[used].process == stacks->process &&
	       (!per_thread || stacks[used].thread == stacks->thread);
	     used++) {
		samples += stacks[used].count;
		count_stack(text, &stacks[used], (uint32_t)used + 1);
	}
	qsort_r(text->rows, text->rows_count, sizeof(*text->rows), compare_rows, text);
	buf__append_char(text->buf, '\n');
	write_table_title(text, stacks, samples, several);
	write_table_head(text);
	shown = text->rows_count;
	if (text->options->top && text->options->top < shown)
		shown = text->options->top;
	for (uint32_t i = 0; i < shown; i++)
		write_row(text, &text->rows[i], samples);
	if (shown < text->rows_count)
		buf__printf(text->buf, "        and %u more\n",
			    text->rows_count - shown);
	return used;
}

int view_text__write(const struct model *model, const struct view_options *options,
		     struct buf *buf)
{
	struct text text = {
		.model = model,
		.options = options,
		.buf = buf,
		.row_of = alloc__zeroed((size_t)model__frames(model) + 1,
					sizeof(uint32_t)),
	};
	struct view_stack_count *stacks;
	struct view_summary summary;
	size_t count = view__distinct_stacks(model, options, &stacks);
	bool several = count && stacks[0].process != stacks[count - 1].process;

	view__summarize(model, options, &summary);
	write_losses(&text, &summary);
	write_header(&text, &summary);
	for (size_t at = 0; at < count;)
		at += write_table(&text, stacks + at, count - at, several);
	if (is_weighed(&text)) {
		view_times__append(model, options, buf);
	} else {
		late__append(model, options, summary.samples, buf);
		if (!options->group_runtime)
			tiering__append(model, options, summary.samples, buf);
	}

	free(stacks);
	free(text.rows);
	free(text.row_of);
	map__free(text.row_numbers);
	buf__free(&text.scratch);
	return 0;
}
