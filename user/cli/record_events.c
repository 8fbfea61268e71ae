// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The sink of tierscope events -p: what happened to code since the last look.
#include "cli.h"
#include "record.h"

#include "../base/alloc.h"
#include "../base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INTERVAL_NS 100000000ull

struct events_sink {
	struct record_sink sink;	/* first: it is what the recording has of us */
	struct view_events_seen seen;
	struct view_events_filter filter;
	struct sink_output output;
	bool json;
};

static int look(struct record_sink *sink, struct record *record, uint64_t now, bool last)
{
	struct events_sink *events = (struct events_sink *)sink;
	struct buf buf = BUF_INIT;
	int code, err;

	(void)now, (void)last;
	err = view_events__write(record->model, &(struct view_options){ .top = 0 },
				 &events->filter, events->json, &buf);
	if (err)
		log__error("cannot make the lines: %s", strerror(-err));
	code = err ? EXIT_BROKEN : sink_output__write(&events->output, sink, record, &buf);
	buf__free(&buf);
	return code;
}

static void free_events(struct record_sink *sink)
{
	struct events_sink *events = (struct events_sink *)sink;

	view_events_seen__free(&events->seen);
	sink_output__close(&events->output);
	free(events);
}

int record_events__new(const struct record_events_options *options,
		       struct record_sink **ret_sink)
{
	struct events_sink *events = alloc__zeroed(1, sizeof(*events));
	int code = sink_output__init(&events->output, options->output);

	if (code) {
		free(events);
		return code;
	}
	events->sink = (struct record_sink){ .interval_ns = INTERVAL_NS, .look = look,
					     .free = free_events };
	events->filter = options->filter;
	events->filter.seen = &events->seen;
	events->json = options->json;
	*ret_sink = &events->sink;
	return EXIT_OK;
}
