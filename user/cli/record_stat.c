// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The sink that prints a table of what ran since the one before.
#include "cli.h"
#include "record.h"

#include "../base/alloc.h"
#include "../base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stat_sink {
	struct record_sink sink;	/* first: it is what the recording has of us */
	struct stat_view *view;
	struct sink_output output;
};

static int look(struct record_sink *sink, struct record *record, uint64_t now, bool last)
{
	struct stat_sink *stat = (struct stat_sink *)sink;
	struct recorder_progress progress;
	struct buf buf = BUF_INIT;
	int code, err;

	recorder__progress(record->recorder, &progress);
	stat_view__lost(stat->view, progress.lost);
	err = stat_view__write(stat->view, record->model, sink->looked_ns, now, &buf);
	(void)last;
	if (err)
		log__error("cannot make the table: %s", strerror(-err));
	code = err ? EXIT_BROKEN : sink_output__write(&stat->output, sink, record, &buf);
	buf__free(&buf);
	return code;
}

static bool mark(struct record_sink *sink, struct record *record, struct model_marks *marks)
{
	stat_view__mark(((struct stat_sink *)sink)->view, record->model, marks);
	return true;
}

static void forget(struct record_sink *sink, struct record *record,
		   const struct model_marks *marks)
{
	(void)record;
	stat_view__forget(((struct stat_sink *)sink)->view, marks);
}

static void free_stat(struct record_sink *sink)
{
	struct stat_sink *stat = (struct stat_sink *)sink;

	stat_view__free(stat->view);
	sink_output__close(&stat->output);
	free(stat);
}

int record_stat__new(const struct record_options *options, struct record_sink **ret_sink)
{
	struct stat_sink *stat = alloc__zeroed(1, sizeof(*stat));
	int code = sink_output__init(&stat->output,
				     options->no_recording ? options->output : NULL);

	if (code) {
		free(stat);
		return code;
	}
	stat->sink = (struct record_sink){ .interval_ns = options->stat.interval_ns,
					   .look = look, .free = free_stat };
	/* One table, at the end, has all that ever ran. */
	if (options->stat.interval_ns) {
		stat->sink.mark = mark;
		stat->sink.forget = forget;
	}
	stat->view = stat_view__new(&options->stat.view);
	*ret_sink = &stat->sink;
	return EXIT_OK;
}
