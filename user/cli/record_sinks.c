// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Sinks of a recording: see struct record_sink in record.h.
#include "cli.h"
#include "record.h"

#include "../base/clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#define POLL_MS 100

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
	if (!code && options->screen) {
		code = record_top__new(options, &sink);
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
		sink_code = sink->step && !last ? sink->step(sink, record) : EXIT_OK;
		code = code ? code : sink_code;
		if (!last &&
		    (!sink->interval_ns || now - sink->looked_ns < sink->interval_ns))
			continue;
		sink_code = sink->look(sink, record, now, last);
		sink->looked_ns = now;
		code = code ? code : sink_code;
	}
	return code;
}

int sink_output__init(struct sink_output *output, const char *path)
{
	*output = (struct sink_output){ .path = path, .fd = path ? -1 : STDOUT_FILENO };
	return output__check(path);
}

void sink_output__close(struct sink_output *output)
{
	if (output->path && output->fd >= 0)
		close(output->fd);
}

/* A pipe that is ready takes so many bytes at once: no write waits for long. */
static int write_patiently(int fd, const struct buf *buf)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };
	size_t done = 0;

	while (done < buf->size) {
		size_t size = buf->size - done < PIPE_BUF ? buf->size - done : PIPE_BUF;
		ssize_t written;

		if (poll(&ready, 1, POLL_MS) <= 0) {
			if (record_interrupted)
				return -EINTR;
			continue;
		}
		written = write(fd, buf->data + done, size);
		if (written < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (written > 0)
			done += (size_t)written;
	}
	return 0;
}

int sink_output__write(struct sink_output *output, struct record_sink *sink,
		       struct record *record, const struct buf *buf)
{
	int err = 0;

	if (sink->off || !buf->size)
		return EXIT_OK;
	if (output->fd < 0)
		err = output__open(output->path, &output->fd);
	if (!err)
		err = write_patiently(output->fd, buf);
	if (!err || err == -EINTR)
		return EXIT_OK;
	sink->off = true;
	/* Who read it has seen enough; that is no failure. */
	if (err == -EPIPE && !output->path) {
		if (record->options->no_recording && !record->sinks->next)
			record_interrupted = 1;
		return EXIT_OK;
	}
	output__cannot_write(output->path, err);
	return record->path ? EXIT_OK : EXIT_RECORDING;
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
