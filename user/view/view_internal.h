/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* What the views share. */
#ifndef TIERSCOPE_VIEW_INTERNAL_H
#define TIERSCOPE_VIEW_INTERNAL_H

#include "json_writer.h"
#include "view.h"

#include "../base/map.h"

#include <stdbool.h>

/* Beside enum model_frame_kind: a process, a thread as the root of stacks. */
#define VIEW_FRAME_PROCESS 5u
#define VIEW_FRAME_THREAD  6u

/* The kept samples of one event, by what their leaf is, and what was lost. */
struct view_summary {
	uint64_t samples;	   /* the sum of their weights */
	uint64_t taken;		   /* how many there are */
	/* by leaf; the sum is samples */
	uint64_t body, native, kernel, stub, unknown;
	uint64_t lost, not_delivered; /* samples */
	uint64_t events_lost;
	uint64_t map_lost, hook_lost;
	uint32_t versions;	   /* bodies that are the user-mode leaf of a sample */
	uint64_t start_ns, end_ns; /* of the recording; end > start */
};

void view__summarize(const struct model *model, const struct view_options *options,
		     struct view_summary *ret_summary);
uint64_t view__sum_section(const struct model *model, enum model_ledger_section section);
/* What one sample of the event stands for, at least 1, so that all samples
 * together fit into 63 bits.  The unit is "nanoseconds" or "none". */
uint64_t view__period(const struct model *model, const struct view_options *options,
		      const char **ret_unit);
/* How many periods of what is shown the sample stands for; 0: it is not shown. */
uint64_t view__weight(const struct model *model, const struct view_options *options,
		      const struct model_sample *sample);
/* Of the options' event.  Not escaped. */
const char *view__event_name(const struct model *model, const struct view_options *options);
/* Where a recording begins and ends, from its samples if it does not say. */
void view__time_range(const struct model *model, uint64_t *ret_start_ns,
		      uint64_t *ret_end_ns);

/* [process]: has it samples of the event?  Returns how many have; the caller
 * frees the array. */
uint32_t view__sampled_processes(const struct model *model,
				 const struct view_options *options,
				 bool **ret_sampled);

/* The process of a sample. */
uint32_t view__sample_process(const struct model *model,
			      const struct model_sample *sample);
/* The frame at a sample's leaf, MODEL_NONE for an empty stack; and the one where
 * it was in user mode. */
uint32_t view__leaf_frame(const struct model *model, uint32_t stack);
uint32_t view__user_frame(const struct model *model, uint32_t stack);
/* enum model_frame_kind; no frame at all (NULL) counts as unknown. */
uint32_t view__frame_kind(const struct model_frame *frame);
/* "[kernel.kallsyms]", or "[ext4]" of a function of that module: the kernel's
 * image as perf calls it.  Appended; not escaped. */
void view__kernel_image(const struct model *model, const struct model_frame *frame,
			struct buf *buf);
/* A native frame of a known function: its name says all, its address nothing. */
bool view__is_function(const struct model *model, const struct model_frame *frame);

/* "calls reach tier1 native 2, counted". */
void view__append_reached(const struct model *model, const struct model_patch *patch,
			  struct buf *buf);
/* (process, function) -> its last model_active; the caller frees. */
struct map *view__actives(const struct model *model);
/* That of the body's function; NULL: not known. */
const struct model_active *view__active(const struct model *model, const struct map *actives,
					const struct model_body *body);
/* A time of the recording; what was before it is negative. */
double view__seconds(uint64_t start_ns, uint64_t time_ns);
/* The options' note as a line of text, if there is one. */
void view__append_note(const struct view_options *options, struct buf *buf);

/* The ledger's counts as members of the open object of `json`: one object per
 * section, named as in the JSON report's sections. */
void view__ledger_section(const struct model *model, struct json_writer *json,
			  const char *name, enum model_ledger_section section);

/* Where the time of each thread went, as a table: view_times.c. */
void view_times__append(const struct model *model, const struct view_options *options,
			struct buf *buf);

/* The thread as "name-tid".  Not escaped. */
void view__thread_label(const struct model *model, uint32_t thread, struct buf *buf);
/* A frame's label under a split in the options' names.  Not escaped. */
void view__label(const struct model *model, const struct view_options *options,
		 uint32_t frame, enum view_split split, struct buf *buf);

/* How often a process, or one thread of it, was seen with a stack. */
struct view_stack_count {
	uint32_t process, stack;
	uint32_t thread; /* one with this stack when not told apart */
	uint64_t count;
};
/* Every distinct stack of an event, by process, then thread if they are told
 * apart (per_thread), then stack; the caller frees. */
size_t view__distinct_stacks(const struct model *model,
			     const struct view_options *options,
			     struct view_stack_count **ret_stacks);

/*
 * Sorts 0..count-1 in `order` by key[order[i]], stably; keys are below
 * `buckets`.  `scratch` is as large as `order`.
 */
void view__counting_sort(uint32_t *order, uint32_t *scratch, size_t count,
			 const uint32_t *key, uint32_t buckets);

#endif /* TIERSCOPE_VIEW_INTERNAL_H */
