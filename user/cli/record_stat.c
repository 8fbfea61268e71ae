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
	const char *path;		/* NULL: standard output */
	int fd;
};

static int look(struct record_sink *sink, struct record *record, uint64_t now, bool last)
{
	struct stat_sink *stat = (struct stat_sink *)sink;
	struct buf buf = BUF_INIT;
	int code, err = stat_view__write(stat->view, record->model, sink->looked_ns, now, &buf);

	(void)last;
	if (err)
		log__error("cannot make the table: %s", strerror(-err));
	code = err ? EXIT_BROKEN : record_sinks__write(stat->fd, stat->path, &buf);
	buf__free(&buf);
	return code;
}

static void free_stat(struct record_sink *sink)
{
	struct stat_sink *stat = (struct stat_sink *)sink;

	stat_view__free(stat->view);
	if (stat->path)
		close(stat->fd);
	free(stat);
}

int record_stat__new(const struct record_options *options, struct record_sink **ret_sink)
{
	const char *path = options->no_recording ? options->output : NULL;
	struct stat_sink *stat;
	int fd, err = output__open(path, &fd);

	if (err) {
		output__cannot_write(path, err);
		return EXIT_RECORDING;
	}
	stat = alloc__zeroed(1, sizeof(*stat));
	stat->sink = (struct record_sink){ .interval_ns = options->stat.interval_ns,
					   .look = look, .free = free_stat };
	stat->view = stat_view__new(&options->stat.view);
	stat->path = path;
	stat->fd = fd;
	*ret_sink = &stat->sink;
	return EXIT_OK;
}
