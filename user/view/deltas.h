/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* What a model's running counts have grown by since one looked last. */
#ifndef TIERSCOPE_VIEW_DELTAS_H
#define TIERSCOPE_VIEW_DELTAS_H

#include "../model/model.h"

struct deltas {
	uint64_t *bodies;	/* [body][event], as they were at the last look */
	uint64_t *leaves;	/* [process][kind][event] */
	uint32_t bodies_room, processes_room;
};

/* Before others: room for what the model has by now. */
void deltas__begin(struct deltas *deltas, const struct model *model);
/* False when nothing was added.  The second is for kinds other than bodies. */
bool deltas__body(struct deltas *deltas, const struct model *model, uint32_t body,
		  uint64_t ret_samples[MODEL_EVENTS_MAX]);
bool deltas__leaf(struct deltas *deltas, const struct model *model, uint32_t process,
		  uint32_t kind, uint64_t ret_samples[MODEL_EVENTS_MAX]);
/* Whether anything was added that was not taken. */
bool deltas__has_body(const struct deltas *deltas, const struct model *model, uint32_t body);
bool deltas__has_leaves(const struct deltas *deltas, const struct model *model,
			uint32_t process);
/* Before a sweep of the model: marks what has grown since; and what goes is forgotten. */
void deltas__mark(const struct deltas *deltas, const struct model *model,
		  struct model_marks *marks);
void deltas__forget(struct deltas *deltas, const struct model_marks *marks);
/* To a sum of MODEL_EVENTS_MAX. */
void deltas__add(uint64_t *sum, const uint64_t *samples);
void deltas__free(struct deltas *deltas);	/* the contents only */

#endif /* TIERSCOPE_VIEW_DELTAS_H */
