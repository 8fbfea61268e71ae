// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Folded stacks, the interchange format of flame graph tools: one line per
 * stack, root first, and how many samples it had:
 *
 *   NS.Program.Main() [tier0];NS.Work.Loop(int) [osr@0x1a] 42
 *
 * A frame of the kernel ends in `_[k]`, as tools for such files expect, which
 * then give it a colour of its own.
 *
 * With several processes the first frame is the process, "comm-pid", as perf
 * script's collapsers and async-profiler put it; per thread, "name-tid" of the
 * thread stands behind it.  A frame holds neither `;`
 * nor a line break, so that a reader can split blindly: `;` becomes `:`, and
 * what is unseen is spelt out.  Lines with the same text are one line; they
 * are in byte order, so that two runs over one recording give the same file.
 */
#include "view_internal.h"

#include "../base/alloc.h"
#include "../base/map.h"
#include "../base/text.h"

#include <stdlib.h>
#include <string.h>

struct line {
	const char *text; /* in the pool */
	uint64_t count;
};

struct folded {
	const struct model *model;
	const struct view_options *options;
	bool several;
	struct pool *labels;
	struct pool *lines;
	uint64_t *counts; /* [line in the pool] */
	uint32_t counts_room;
	uint32_t *label; /* [frame] number of its label + 1, 0 not made yet */
	uint32_t *path;
	uint32_t path_capacity;
	struct buf scratch, clean;
};

/* Makes a label safe for the format and gives its number. */
static uint32_t add_label(struct folded *folded)
{
	buf__clear(&folded->clean);
	text__append_terminal(&folded->clean, buf__string(&folded->scratch));
	for (size_t i = 0; i < folded->clean.size; i++)
		if (folded->clean.data[i] == ';')
			folded->clean.data[i] = ':';
	return pool__add(folded->labels, buf__string(&folded->clean));
}

static const char *frame_label(struct folded *folded, uint32_t frame)
{
	if (!folded->label[frame]) {
		buf__clear(&folded->scratch);
		view__label(folded->model, folded->options, frame,
			    folded->options->split, &folded->scratch);
		if (model__frame(folded->model, frame)->kind == MODEL_FRAME_KERNEL)
			buf__append_string(&folded->scratch, "_[k]");
		folded->label[frame] = add_label(folded) + 1;
	}
	return pool__string(folded->labels, folded->label[frame] - 1);
}

static void append_frame(struct buf *line, const char *label)
{
	if (line->size)
		buf__append_char(line, ';');
	/* An empty name would make two separators meet. */
	buf__append_string(line, *label ? label : "[no name]");
}

static void append_stack(struct folded *folded, uint32_t stack, struct buf *line)
{
	uint32_t depth = 0;

	if (!stack) {
		append_frame(line, "[unknown: no stack]");
		return;
	}
	for (uint32_t at = stack; at; at = model__stack(folded->model, at)->parent) {
		alloc__grow(folded->path, depth, folded->path_capacity);
		folded->path[depth++] = model__stack(folded->model, at)->frame;
	}
	while (depth)
		append_frame(line, frame_label(folded, folded->path[--depth]));
}

static void count_line(struct folded *folded, const struct buf *line, uint64_t count)
{
	uint32_t number = pool__add(folded->lines, buf__string(line));

	folded->counts = alloc__room(folded->counts, &folded->counts_room, number + 1,
				     sizeof(*folded->counts));
	folded->counts[number] += count;
}

/* The frames before the first of the stack itself. */
static void append_roots(struct folded *folded, const struct view_stack_count *stack,
			 struct buf *line)
{
	if (folded->several) {
		buf__clear(&folded->scratch);
		view__process_label(folded->model, stack->process, &folded->scratch);
		append_frame(line, pool__string(folded->labels, add_label(folded)));
	}
	if (folded->options->per_thread) {
		buf__clear(&folded->scratch);
		view__thread_label(folded->model, stack->thread, &folded->scratch);
		append_frame(line, pool__string(folded->labels, add_label(folded)));
	}
}

static void collect(struct folded *folded)
{
	struct view_stack_count *stacks;
	size_t count = view__distinct_stacks(folded->model, folded->options, &stacks);
	struct buf line = BUF_INIT;

	for (size_t i = 0; i < count; i++) {
		buf__clear(&line);
		append_roots(folded, &stacks[i], &line);
		append_stack(folded, stacks[i].stack, &line);
		count_line(folded, &line, stacks[i].count);
	}
	buf__free(&line);
	free(stacks);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->text, ((const struct line *)b)->text);
}

static void write_lines(struct folded *folded, struct buf *buf)
{
	uint32_t count = pool__count(folded->lines);
	struct line *lines = alloc__zeroed(count, sizeof(*lines));
	uint32_t used = 0;

	for (uint32_t i = 0; i < count && i < folded->counts_room; i++)
		if (folded->counts[i])
			lines[used++] = (struct line){pool__string(folded->lines, i),
						      folded->counts[i]};
	qsort(lines, used, sizeof(*lines), compare_lines);
	for (uint32_t i = 0; i < used; i++) {
		buf__append_string(buf, lines[i].text);
		buf__printf(buf, " %llu\n", (unsigned long long)lines[i].count);
	}
	free(lines);
}

int view_folded__write(const struct model *model, const struct view_options *options,
		       struct buf *buf)
{
	struct folded folded = {
		.model = model,
		.options = options,
		.labels = pool__new(),
		.lines = pool__new(),
		.label = alloc__zeroed(model__frames(model), sizeof(uint32_t)),
	};
	bool *sampled;

	folded.several = view__sampled_processes(model, options, &sampled) > 1;
	collect(&folded);
	write_lines(&folded, buf);

	free(sampled);
	free(folded.counts);
	free(folded.label);
	free(folded.path);
	buf__free(&folded.scratch);
	buf__free(&folded.clean);
	pool__free(folded.labels);
	pool__free(folded.lines);
	return 0;
}
