/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * What tiering costs, and how long it takes: samples in the stubs that count calls, in
 * instrumented code and in the JIT, the way of each function from its first code to tier 1,
 * and from there to its callers, and when the runtime compiles in the background.
 */
#ifndef TIERSCOPE_VIEW_TIERING_H
#define TIERSCOPE_VIEW_TIERING_H

#include "json_writer.h"
#include "view.h"

enum tiering_cost {
	TIERING_JIT_BACKGROUND = 0,	/* on the runtime's own thread for it */
	TIERING_JIT_CALLER,		/* somebody waits for the code */
	TIERING_INSTRUMENTED,		/* leaf in code that counts what it does */
	TIERING_CALL_COUNTING,		/* leaf in a stub that counts calls */
	TIERING_COSTS
};

/* Samples of the options' event, each in one of the costs at most. */
void tiering__costs(const struct model *model, const struct view_options *options,
		    uint64_t ret_costs[TIERING_COSTS]);

/* Nearest-rank quantiles of some times, in ns. */
struct tiering_times {
	uint32_t count;
	uint64_t median, most_of_ten, longest;	/* half, nine of ten, all are within it */
};

struct tiering_latency {
	struct tiering_times compiled;	/* from a function's first code to its tier-1 code */
	struct tiering_times published;	/* from then until calls were seen to reach it */
};

/* Of functions whose first code and tier-1 code were born in the recording. */
void tiering__latency(const struct model *model, struct tiering_latency *ret_latency);

/* Of a begin or an end that was told: which of the two, and whether of a batch or a delay. */
bool tiering__is_begin(const struct model_tiering *row);
bool tiering__is_batch(const struct model_tiering *row);

enum tiering_span {
	TIERING_DELAYS = 0,	/* new methods are called: nothing is counted, nor compiled */
	TIERING_BATCHES,	/* the background thread compiles */
	TIERING_SPANS
};

/* Those of which begin and end were told. */
struct tiering_spans {
	uint64_t count, ns;
	uint64_t methods;	/* that were new, or were compiled */
};
void tiering__spans(const struct model *model, struct tiering_spans ret_spans[TIERING_SPANS]);

/* The section of the text report, with shares of `samples`; nothing if there is nothing. */
void tiering__append(const struct model *model, const struct view_options *options,
		     uint64_t samples, struct buf *buf);
/* The same as member "tiering" of the open object. */
void tiering__write(const struct model *model, struct json_writer *json);

#endif /* TIERSCOPE_VIEW_TIERING_H */
