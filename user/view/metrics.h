/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * What a recording holds, as metrics for a monitoring system, while it is being made.  Each
 * sample counts in one series of each family, for good, with the labels that it has when it
 * is seen: so series only grow, and their sum is the number of samples.
 *
 * Bounds: METRICS_METHODS methods have series of their own, the first that had half a per
 * cent of their process's samples; what else ran is in the process's series of others.
 * One thread at a time.
 */
#ifndef TIERSCOPE_VIEW_METRICS_H
#define TIERSCOPE_VIEW_METRICS_H

#include "deltas.h"
#include "tier_ups.h"

#include "../base/buf.h"
#include "../base/map.h"

#define METRICS_METHODS 100
#define METRICS_VERSIONS 1000	/* of these methods: more are with the others */
#define METRICS_ENDED 256	/* processes that ended and were not scraped since */
#define METRICS_FORGOTTEN UINT32_MAX
/* enum ts_tier, then kinds of leaves that are no body. */
#define METRICS_TIERS (TS_TIER_COUNT + MODEL_FRAME_KINDS)

/* Of durations; the last bucket has what is longer than all bounds. */
#define METRICS_BUCKETS 13
struct metrics_bound {
	uint64_t ns;			/* up to it, inclusive */
	const char *seconds;
};
extern const struct metrics_bound metrics_bounds[METRICS_BUCKETS - 1];

struct metrics_histogram {
	uint64_t buckets[METRICS_BUCKETS];	/* each without those below it */
	uint64_t sum_ns;
};

/* Of a function's IL versions: see docs/METRICS.md. */
enum metrics_rejit { METRICS_REQUESTED, METRICS_COMPILED, METRICS_REVERTED, METRICS_REJITS };

/* What bodies add that the model does not have any more. */
struct metrics_gone {
	uint64_t loads, unloads, compiled;
	uint64_t bodies[TS_TIER_COUNT];	/* that lived to their process's end */
};

/* A process as a monitoring system sees it: one pid and name, whatever it has exec'ed. */
struct metrics_process {
	int32_t pid;
	uint32_t name;			/* of the pool of labels */
	bool used, alive;
	uint64_t ended;			/* the first text that says all it ever will */
	uint64_t samples[METRICS_TIERS][MODEL_EVENTS_MAX];
	uint64_t others[MODEL_EVENTS_MAX]; /* of bodies without a series */
	uint64_t bodies[TS_TIER_COUNT];	/* alive */
	uint64_t loads, unloads, patches;
	uint64_t rejits[METRICS_REJITS];
	struct metrics_histogram tier_ups[TIER_UPS];
	struct metrics_gone gone;
};

struct metrics_method {
	uint32_t process;		/* of metrics */
	uint32_t name;
	string_id string;		/* of the model: a name that has that label */
	bool own;			/* has series of its own */
	uint64_t samples[MODEL_EVENTS_MAX]; /* while it had none */
};

struct metrics_version {
	uint32_t process, name;
	uint32_t tier, rejit_id, native_version;	/* UINT32_MAX: not known */
	uint64_t samples[MODEL_EVENTS_MAX];
};

struct metrics_family {
	const char *name;		/* "tierscope_samples_lost" */
	const char *help;
};

/* What the model does not have yet while recording. */
struct metrics_count {
	unsigned int family;		/* index */
	const char *cause;		/* label; NULL: none */
	uint64_t value;
};

/* What is told beside the model. */
struct metrics_outside {
	const struct metrics_family *families; /* in the order in which they are told */
	unsigned int families_count;
	const struct metrics_count *counts;
	unsigned int counts_count;
	double cpu_seconds;		/* tierscope's own */
	uint64_t resident_bytes;
};

struct metrics {
	struct deltas deltas;
	struct pool *labels;		/* text that is escaped and cut already */
	struct metrics_process *processes;
	uint32_t processes_count, processes_capacity;
	struct map *process_numbers;	/* (pid, name) -> index */
	uint32_t *slots;		/* [process of the model] -> index + 1, 0 none yet,
					 * METRICS_FORGOTTEN */
	uint32_t slots_room;
	struct metrics_method *methods;
	uint32_t methods_count, methods_capacity;
	struct map *method_numbers;	/* (process, name) -> index */
	struct metrics_version *versions;
	uint32_t versions_count, versions_capacity;
	uint32_t own_methods;
	struct metrics_code *code;	/* what was seen of it */
	uint64_t text;			/* number of the one that is written after this look */
};

struct metrics *metrics__new(void);
void metrics__free(struct metrics *metrics);
/* Takes in what the model has got since.  Forgets processes that had ended in a text that
 * was read: `scraped` is the number of the last one. */
void metrics__look(struct metrics *metrics, const struct model *model, uint64_t scraped);
/*
 * Before a sweep of the model: marks what was not looked at in full; and what goes is
 * forgotten, but what it counted for stays.
 */
void metrics__mark(const struct metrics *metrics, const struct model *model,
		   struct model_marks *marks);
void metrics__forget(struct metrics *metrics, const struct model *model,
		     const struct model_marks *marks);
/* Appends the text; `open`: as OpenMetrics 1.0, else in Prometheus's older format. */
void metrics__write(const struct metrics *metrics, const struct model *model,
		    const struct metrics_outside *outside, bool open, struct buf *buf);

#endif /* TIERSCOPE_VIEW_METRICS_H */
