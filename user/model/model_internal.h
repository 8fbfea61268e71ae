/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * What the files of the model share: model.c keeps the rows, model_find.c the
 * index from addresses to bodies, model_tally.c and model_running.c count,
 * model_sweep.c frees.
 */
#ifndef TIERSCOPE_MODEL_INTERNAL_H
#define TIERSCOPE_MODEL_INTERNAL_H

#include "model.h"

#include "../base/buf.h"
#include "../base/map.h"
#include "../base/unused.h"

/* Bytes; more of a name helps nobody, and a chunk of a recording must hold it. */
#define MODEL_STRING_MAX (1u << 20)

struct model_find;
struct model_running;

struct model {
	struct pool *strings;
	struct buf scratch;	/* a string while it is repaired */
	struct model_about about;

	struct model_process *processes;
	struct model_event events[MODEL_EVENTS_MAX];
	struct model_body *bodies;
	struct model_thread *threads;
	struct model_frame *frames;
	struct model_stack *stacks;
	struct model_sample *samples;
	struct model_patch *patches;
	struct model_il_version *il_versions;
	struct model_active *actives;
	struct model_inlining *inlinings;
	struct model_tiering *tierings;
	struct model_count *counts;
	struct model_update *updates;
	struct model_times *times;	/* [thread]; since_ns 0: not known */

	uint32_t processes_count, processes_capacity;
	uint32_t events_count;
	uint32_t bodies_count, bodies_capacity;
	uint32_t threads_count, threads_capacity;
	uint32_t frames_count, frames_capacity;
	uint32_t stacks_count, stacks_capacity;
	uint32_t counts_count, counts_capacity;
	uint32_t patches_count, patches_capacity;
	uint32_t il_versions_count, il_versions_capacity;
	uint32_t actives_count, actives_capacity;
	uint32_t inlinings_count, inlinings_capacity;
	uint32_t tierings_count, tierings_capacity;
	uint32_t times_room;
	size_t samples_count, samples_capacity;
	uint64_t samples_dropped;
	size_t updates_count, updates_capacity;
	struct unused unused_processes, unused_bodies, unused_frames;
	uint64_t bodies_swept;

	struct model_running *running;

	struct map *thread_numbers;	/* (process, tid), name */
	struct map *frame_numbers;	/* address, (kind, body or name) */
	struct map *stack_numbers;	/* parent, frame */
	struct map *count_numbers;	/* section, name */

	/* Built as it is asked, also through a const model: see model_find.c */
	struct model_find *find;
};

struct model_find *model_find__new(void);
void model_find__free(struct model_find *find);
/* A body was added; the model holds it already. */
void model_find__added(struct model_find *find, const struct model *model,
		       uint32_t index);
/* A body is about to change from what the model holds to `body`. */
void model_find__changing(struct model_find *find, const struct model *model,
			  uint32_t index, const struct model_body *body);

/* model_running.c: counts that stay when samples are dropped. */
struct model_running *model_running__new(void);
void model_running__free(struct model_running *running);
/* The sample was added; its row is in the model. */
void model_running__added(struct model_running *running, const struct model *model,
			  const struct model_sample *sample);
/* What was counted of them is forgotten. */
void model_running__forget_process(struct model_running *running, uint32_t process);
void model_running__forget_body(struct model_running *running, uint32_t body);

#endif /* TIERSCOPE_MODEL_INTERNAL_H */
