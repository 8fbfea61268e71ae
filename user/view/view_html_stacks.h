/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The stacks of one event, or of time on a CPU and off it, as the flame graph page holds them: a tree that
 * begins with the process when there are several, and the thread when asked
 * for, and the samples per node and bin of time.  Native frames are told apart by name
 * only, and frames of one library that call each other are one: the page shows versions
 * of managed code, and a box per return address would bury them.
 */
#ifndef TIERSCOPE_VIEW_HTML_STACKS_H
#define TIERSCOPE_VIEW_HTML_STACKS_H

#include "view_internal.h"

#define PAGE_BINS 512u

struct page_frame {
	uint32_t kind; /* view__frame_kind, VIEW_FRAME_PROCESS or _THREAD */
	uint32_t row;  /* of the body, of the process, of the thread, else of a frame
			* of that name; MODEL_NONE for an empty stack */
};

struct page_node {
	uint32_t parent;
	uint32_t frame; /* page frame */
};

struct page_stacks {
	const struct model *model;
	struct page_frame *frames;
	struct page_node *nodes; /* [0] is everything; parent < own number */
	uint32_t *body_number;	 /* [body]: MODEL_NONE when not on any stack */
	uint32_t *node, *bin;	 /* [sample] */
	uint32_t *off;		 /* [sample] 1: it is of time off the CPU */
	uint64_t *weight;	 /* [sample] */
	uint32_t *order;	 /* samples by `off`, node, bin */
	struct map *frame_numbers, *node_numbers;
	uint64_t bin_ns;
	uint32_t frames_count, frames_capacity;
	uint32_t nodes_count, nodes_capacity;
	uint32_t samples_count, on_count;
	uint32_t event, off_cpu; /* of the model; MODEL_NONE: the page has one event only */
};

void page_stacks__collect(struct page_stacks *stacks, const struct model *model,
			  const struct view_options *options,
			  const struct view_summary *summary);
void page_stacks__free(struct page_stacks *stacks);
/* Appends the name of a frame that is not a body (a body's is ""). */
void page_stacks__frame_name(const struct page_stacks *stacks, uint32_t frame,
			     struct buf *buf);
/* Writes the members "bins", "nodes", "samples", and, of both halves of time, "off_samples". */
void page_stacks__write(const struct page_stacks *stacks, struct json_writer *json);

#endif /* TIERSCOPE_VIEW_HTML_STACKS_H */
