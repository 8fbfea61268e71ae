/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Precompiled callers that may run the original IL of a method still. */
#ifndef TIERSCOPE_RECORDER_OLD_INLINERS_H
#define TIERSCOPE_RECORDER_OLD_INLINERS_H

#include <stdbool.h>
#include <stdint.h>

struct map;
struct model_body;
struct process;
struct recorder;

/* Of one process. */
struct old_inliners {
	struct map *known;		/* FunctionIDs of methods; (base, file) of images */
	struct old_method *methods;	/* that were given another IL */
	uint32_t methods_count, methods_capacity;
	uint32_t *mappings;		/* of images */
	uint32_t images, images_capacity;
	uint32_t mappings_seen;		/* of the process, in its list */
	struct old_inliner *open;	/* bodies that are not known to be in use */
	uint32_t open_count, open_capacity;
	uint32_t next, to_look_at;	/* of these, in a round */
	uint64_t known_before;		/* of precompiled code, when they were looked at last */
};

void old_inliners__init(struct old_inliners *inliners);
void old_inliners__free(struct old_inliners *inliners);
/* The method of this body was given another IL. */
void old_inliners__note(struct recorder *recorder, struct process *process,
			const struct model_body *body);
/* Looks for those that came into use; until it is over. */
void old_inliners__step(struct recorder *recorder, struct process *process, uint64_t now,
			bool (*is_over)(void *context), void *context);
/* Looks for all that is left, for the last time. */
void old_inliners__leave(struct recorder *recorder, struct process *process);

#endif /* TIERSCOPE_RECORDER_OLD_INLINERS_H */
