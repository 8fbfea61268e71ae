// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The sink that keeps metrics up to date for whoever scrapes them.
#include "cli.h"
#include "record.h"

#include "../base/alloc.h"
#include "../base/log.h"
#include "../http/server.h"
#include "../view/metrics.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define INTERVAL_NS 1000000000ull

struct serve_sink {
	struct record_sink sink;	/* first: it is what the recording has of us */
	struct metrics *metrics;
	struct http_server *server;
	uint64_t highest[RECORDER_COUNTS_MAX];
};

static const struct metrics_family families[] = {
	[RECORDER_SAMPLES_FIRED] = { "tierscope_ledger_samples_fired",
		"Runs of the sampler for recorded processes." },
	[RECORDER_SAMPLES_KEPT] = { "tierscope_ledger_samples_kept", "Samples that were kept." },
	[RECORDER_SAMPLES_LOST] = { "tierscope_ledger_samples_lost",
		"Samples that were lost, by cause." },
	[RECORDER_CODE_FIRED] = { "tierscope_ledger_code_events_fired",
		"Code events that fired." },
	[RECORDER_CODE_KEPT] = { "tierscope_ledger_code_events_kept",
		"Code events that were kept." },
	[RECORDER_CODE_LOST] = { "tierscope_ledger_code_events_lost",
		"Code events that were lost, by cause." },
	[RECORDER_CODE_MAP_LOST] = { "tierscope_ledger_code_map_lost",
		"Bodies that found no place in the code map, by cause." },
	[RECORDER_NOTE] = { "tierscope_ledger_notes",
		"What is to be known of kept samples, by cause." },
};

/* Differences of counts that are read one after the other may go back by a few. */
static unsigned int read_counts(struct serve_sink *serve, struct recorder *recorder,
				struct metrics_count counts[RECORDER_COUNTS_MAX])
{
	struct recorder_count now[RECORDER_COUNTS_MAX];
	unsigned int count;

	if (recorder__counts(recorder, now, &count))
		return 0;
	for (unsigned int i = 0; i < count; i++) {
		if (serve->highest[i] < now[i].value)
			serve->highest[i] = now[i].value;
		counts[i] = (struct metrics_count){ now[i].kind, now[i].cause,
						    serve->highest[i] };
	}
	return count;
}

static uint64_t resident_bytes(void)
{
	unsigned long long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (!file)
		return 0;
	if (fscanf(file, "%*u %llu", &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static double seconds(const struct timeval *time)
{
	return (double)time->tv_sec + 1e-6 * (double)time->tv_usec;
}

static int look(struct record_sink *sink, struct record *record, uint64_t now, bool last)
{
	struct serve_sink *serve = (struct serve_sink *)sink;
	struct metrics_count counts[RECORDER_COUNTS_MAX];
	struct metrics_outside outside = {
		.families = families, .counts = counts,
		.families_count = sizeof(families) / sizeof(families[0]) };
	struct buf open = BUF_INIT, plain = BUF_INIT;
	struct rusage usage = { 0 };

	(void)now;
	(void)last;
	getrusage(RUSAGE_SELF, &usage);
	outside.counts_count = read_counts(serve, record->recorder, counts);
	outside.cpu_seconds = seconds(&usage.ru_utime) + seconds(&usage.ru_stime);
	outside.resident_bytes = resident_bytes();
	metrics__look(serve->metrics, record->model, http_server__read(serve->server));
	metrics__write(serve->metrics, record->model, &outside, true, &open);
	metrics__write(serve->metrics, record->model, &outside, false, &plain);
	http_server__publish(serve->server, &open, &plain, serve->metrics->text);
	return EXIT_OK;
}

static bool mark(struct record_sink *sink, struct record *record, struct model_marks *marks)
{
	metrics__mark(((struct serve_sink *)sink)->metrics, record->model, marks);
	return true;
}

static void forget(struct record_sink *sink, struct record *record,
		   const struct model_marks *marks)
{
	metrics__forget(((struct serve_sink *)sink)->metrics, record->model, marks);
}

static void free_serve(struct record_sink *sink)
{
	struct serve_sink *serve = (struct serve_sink *)sink;

	http_server__free(serve->server);
	metrics__free(serve->metrics);
	free(serve);
}

int record_serve__new(const struct record_options *options, struct record_sink **ret_sink)
{
	struct trouble trouble = { "" };
	struct http_server *server;
	struct serve_sink *serve;
	int err = http_server__new(options->listen, &server, &trouble);

	if (err) {
		log__error("%s: %s", options->as->name, trouble.text);
		return err == -EINVAL ? EXIT_USAGE : EXIT_NO_START;
	}
	serve = alloc__zeroed(1, sizeof(*serve));
	serve->sink = (struct record_sink){ .interval_ns = INTERVAL_NS, .look = look,
					    .mark = mark, .forget = forget,
					    .free = free_serve };
	serve->metrics = metrics__new();
	serve->server = server;
	log__info("metrics are at http://%s/metrics", http_server__address(server));
	if (http_server__is_public(server))
		log__warn("others than this machine can read them: names of methods and processes");
	*ret_sink = &serve->sink;
	return EXIT_OK;
}
