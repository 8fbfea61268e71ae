// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Where the time of each thread went, by the time stamps of all of its switches.
#include "view_internal.h"

#include "../base/alloc.h"
#include "../model/name.h"

#include <stdlib.h>

#define NAME_BYTES 60

struct row {
	uint32_t thread;
	struct model_times times;
};

static int by_running(const void *left, const void *right)
{
	const struct row *a = left, *b = right;

	if (a->times.ns[TS_STATE_RUNNING] != b->times.ns[TS_STATE_RUNNING])
		return a->times.ns[TS_STATE_RUNNING] < b->times.ns[TS_STATE_RUNNING] ? 1 : -1;
	return a->thread < b->thread ? -1 : a->thread > b->thread;
}

static void append_row(const struct row *row, const char *name, struct buf *buf)
{
	uint64_t sum = 0;

	for (uint32_t state = 0; state < TS_STATES; state++)
		sum += row->times.ns[state];
	buf__printf(buf, "%10.3f", (double)sum / 1e9);
	for (uint32_t state = 0; state < TS_STATES; state++)
		buf__printf(buf, " %9.3f", (double)row->times.ns[state] / 1e9);
	buf__printf(buf, " %10llu  ", (unsigned long long)row->times.switches);
	view__append_name(buf, name, NAME_BYTES);
	buf__append_char(buf, '\n');
}

static uint32_t collect(const struct model *model, struct row **ret_rows, struct row *ret_all)
{
	uint32_t count = 0, capacity = 0;

	for (uint32_t i = 0; i < model__threads(model); i++) {
		const struct model_times *times = model__times(model, i);

		if (!times)
			continue;
		alloc__grow(*ret_rows, count, capacity);
		(*ret_rows)[count++] = (struct row){ .thread = i, .times = *times };
		for (uint32_t state = 0; state < TS_STATES; state++)
			ret_all->times.ns[state] += times->ns[state];
		ret_all->times.switches += times->switches;
	}
	return count;
}

void view_times__append(const struct model *model, const struct view_options *options,
			struct buf *buf)
{
	uint32_t top = options->top ? options->top : UINT32_MAX;
	struct row *rows = NULL, all = { 0 };
	uint32_t count = collect(model, &rows, &all);
	struct buf name = BUF_INIT;

	if (!count)
		return;
	qsort(rows, count, sizeof(*rows), by_running);
	buf__append_string(buf, "\ntime of threads, in seconds\n       all");
	for (uint32_t state = 0; state < TS_STATES; state++)
		buf__printf(buf, " %9s", name__state(state));
	buf__append_string(buf, "   switches  thread\n");
	append_row(&all, "all threads", buf);
	for (uint32_t i = 0; i < count && i < top; i++) {
		buf__clear(&name);
		view__thread_label(model, rows[i].thread, &name);
		append_row(&rows[i], buf__string(&name), buf);
	}
	if (count > top)
		buf__printf(buf, "        and %u more\n", count - top);
	buf__free(&name);
	free(rows);
}
