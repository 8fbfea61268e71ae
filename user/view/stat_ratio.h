/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Ratios of two events that are both counted: how well code uses the CPU. */
#ifndef TIERSCOPE_VIEW_STAT_RATIO_H
#define TIERSCOPE_VIEW_STAT_RATIO_H

#include "../model/model.h"

struct stat_ratio {
	const char *name;	/* "IPC", "cache-misses" */
	const char *unit;	/* "" or "/1k", for the head of a column */
	uint32_t above, below;	/* indexes of events */
	double scale;
};

/* Instructions per cycle, and misses per 1,000 instructions; how many. */
unsigned int stat_ratio__find(const struct model *model,
			      struct stat_ratio ret_ratios[MODEL_EVENTS_MAX]);
/* Of samples by event; false: there is nothing to divide by. */
bool stat_ratio__of(const struct model *model, const struct stat_ratio *ratio,
		    const uint64_t samples[MODEL_EVENTS_MAX], double *ret_value);

#endif /* TIERSCOPE_VIEW_STAT_RATIO_H */
