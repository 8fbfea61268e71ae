/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The stacks of the last samples of an event, in memory of one size: those of TOP_RECENT_NS, or fewer
 * where there are too many.  Frames are the model's, which it keeps when stacks are dropped.
 */
#ifndef TIERSCOPE_TOP_RECENT_H
#define TIERSCOPE_TOP_RECENT_H

#include "../model/model.h"

struct recent;

struct recent_sample {
	uint64_t time_ns;
	uint32_t process;
	uint32_t frames_count;
	bool cut;			/* there were more, rootward */
	const uint32_t *frames;		/* of the model, leaf first; until the next add */
};

struct recent *recent__new(void);
void recent__free(struct recent *recent);
void recent__add(struct recent *recent, const struct model *model,
		 const struct model_sample *sample);
/* Calls `each` with those from `since_ns` on, oldest first. */
void recent__each(const struct recent *recent, uint64_t since_ns,
		  void (*each)(void *context, const struct recent_sample *sample),
		  void *context);

#endif /* TIERSCOPE_TOP_RECENT_H */
