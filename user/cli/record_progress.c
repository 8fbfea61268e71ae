// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What a person sees while and after recording: one line that is redrawn on a
// terminal, plain lines elsewhere.
#include "cli.h"
#include "record.h"

#include "../base/clock.h"
#include "../base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define PLAIN_NS 5000000000ull
#define TERMINAL_NS 500000000ull

static double share(const struct recorder_progress *progress)
{
	return progress->managed ?
	       100.0 * (double)progress->managed_named / (double)progress->managed : 100.0;
}

/* Of what happens: that is what its user waits for, with samples or without. */
static bool tells_lines(const struct record_options *options)
{
	return options->watch.method || options->events.wanted;
}

void record__progress(struct record *record, bool last)
{
	struct recorder_progress progress;
	uint64_t now = clock__now();
	uint64_t since = now - record->told_ns;
	bool terminal;

	if (tells_lines(record->options) || log__level() < LOG_NORMAL ||
	    (!last && since < TERMINAL_NS))
		return;
	if (!last && (record->options->stat.wanted || record->options->screen))
		return;		/* these are progress enough */
	terminal = isatty(STDERR_FILENO);
	if (!last && !terminal && since < PLAIN_NS)
		return;
	record->told_ns = now;
	recorder__progress(record->recorder, &progress);
	fprintf(stderr,
		"%s%6.1f s  %" PRIu64 " samples  %.2f%% of managed attributed  %" PRIu64
		" code versions  %" PRIu64 " lost%s",
		terminal ? "\r\x1b[K" : "", (double)(now - record->start_ns) / 1e9,
		progress.samples, share(&progress), progress.bodies, progress.lost,
		terminal && !last ? "" : "\n");
	fflush(stderr);
}

static void list_alive(void *context, uint32_t index)
{
	const struct record *record = context;
	const struct model_process *process = model__process(record->model, index);

	if (record->options->command)
		log__info("still running: process %d (%s)", process->pid,
			  model__text(record->model, process->comm));
}

void record__summary(struct record *record)
{
	struct recorder_progress progress;

	recorder__alive(record->recorder, list_alive, record);
	record_all__summary(record);
	recorder__progress(record->recorder, &progress);
	if (!progress.samples && !tells_lines(record->options))
		log__warn("no sample fell into the recording: the target used no CPU time, or ended at once");
}
