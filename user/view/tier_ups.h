/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * How long functions take to tier 1, and from there to their callers: each way is told once,
 * by the look that finds both its ends.  Only what was born in the recording has a beginning.
 * One thread at a time.
 */
#ifndef TIERSCOPE_VIEW_TIER_UPS_H
#define TIERSCOPE_VIEW_TIER_UPS_H

#include "../base/map.h"
#include "../model/model.h"

enum tier_up {
	TIER_UP_COMPILED = 0,		/* from a function's first code to its tier-1 code */
	TIER_UP_PUBLISHED,		/* from then until calls were seen to reach it */
	TIER_UPS
};

struct tier_ups {			/* all 0: nothing was looked at */
	struct map **first;		/* [process]: (ReJITID, function) -> its first body */
	uint32_t processes_room;
	uint8_t *bodies;		/* [body]: what was done with it */
	uint32_t bodies_room;
	uint32_t patches_seen;
};

typedef void tier_ups_tell(void *context, enum tier_up way, const struct model_body *body,
			   uint64_t ns);

/* Tells what the model has got since the last look. */
void tier_ups__look(struct tier_ups *ups, const struct model *model, tier_ups_tell *tell,
		    void *context);
/* A process of which nothing is wanted any more. */
void tier_ups__forget(struct tier_ups *ups, uint32_t process);
/* Before a sweep of the model, which was looked at. */
void tier_ups__sweep(struct tier_ups *ups, const struct model_marks *marks);
void tier_ups__free(struct tier_ups *ups);

#endif /* TIERSCOPE_VIEW_TIER_UPS_H */
