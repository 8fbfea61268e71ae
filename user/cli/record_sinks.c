// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Sinks of a recording: see struct record_sink in record.h.
#include "cli.h"
#include "record.h"

#include "../base/clock.h"

#include <errno.h>

static void add(struct record *record, struct record_sink *sink)
{
	sink->next = record->sinks;
	record->sinks = sink;
}

int record_sinks__open(struct record *record)
{
	const struct record_options *options = record->options;
	struct record_sink *sink;
	int code = EXIT_OK;

	if (options->stat.wanted) {
		code = record_stat__new(options, &sink);
		if (!code)
			add(record, sink);
	}
	if (!code && options->events.wanted) {
		code = record_events__new(&options->events, &sink);
		if (!code)
			add(record, sink);
	}
	if (!code && options->watch.method)
		add(record, record_watch__new(&options->watch));
	if (!code && options->listen) {
		code = record_serve__new(options, &sink);
		if (!code)
			add(record, sink);
	}
	return code;
}

void record_sinks__begin(struct record *record)
{
	for (struct record_sink *sink = record->sinks; sink; sink = sink->next)
		sink->looked_ns = record->start_ns;
}

int record_sinks__step(struct record *record, uint64_t now, bool last)
{
	int code = EXIT_OK, sink_code;

	for (struct record_sink *sink = record->sinks; sink; sink = sink->next) {
		if (!last && (!sink->interval_ns || now - sink->looked_ns < sink->interval_ns))
			continue;
		sink_code = sink->look(sink, record, now, last);
		sink->looked_ns = now;
		code = code ? code : sink_code;
	}
	return code;
}

int record_sinks__write(int fd, const char *path, const struct buf *buf)
{
	int err = output__append(fd, buf);

	if (!err)
		return EXIT_OK;
	/* Who read it has seen enough: that is no failure, but there is nothing left to do. */
	if (err == -EPIPE && !path) {
		record_interrupted = 1;
		return EXIT_OK;
	}
	output__cannot_write(path, err);
	return EXIT_RECORDING;
}

int record_sinks__wait_ms(const struct record *record, int wait_ms)
{
	uint64_t now = clock__now();

	for (const struct record_sink *sink = record->sinks; sink; sink = sink->next) {
		uint64_t due = sink->looked_ns + sink->interval_ns;
		uint64_t left = due > now ? (due - now) / 1000000 + 1 : 0;

		if (sink->interval_ns && left < (uint64_t)wait_ms)
			wait_ms = (int)left;
	}
	return wait_ms;
}

void record_sinks__free(struct record *record)
{
	while (record->sinks) {
		struct record_sink *sink = record->sinks;

		record->sinks = sink->next;
		sink->free(sink);
	}
}
