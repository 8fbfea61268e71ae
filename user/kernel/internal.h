/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* What the files of this room share: the object behind struct kernel. */
#ifndef TIERSCOPE_KERNEL_INTERNAL_H
#define TIERSCOPE_KERNEL_INTERNAL_H

#include "kernel.h"
#include "ranges.h"

#include <stddef.h>

struct tierscope;
struct bpf_link;
struct ring_buffer;
struct mappings;
struct hook_probes;

#define PROCESS_LINKS 3
#define OFF_CPU_LINKS 3

/* A hook's library, and the process in which its probes are armed. */
struct armed_hook {
	uint64_t device, inode;
	pid_t pid;
	struct hook_probes *probes;
};

/* One sampling event on one CPU. */
struct sampler {
	int fd;
	unsigned int event;
	uint64_t period;
	struct bpf_link *link;
};

/* What is free in the arrays of tables. */
struct table_room {
	struct ranges granules, rows, numbers;
};

struct image_arrays {
	uint32_t *granules;		/* mapped; NULL if not */
	struct ts_image_row *rows;
	size_t granules_max, rows_max;
	/* Room of their own, so that native files leave all of theirs to the images. */
	struct table_room of_images, of_rules;
};

struct kernel {
	struct tierscope *skeleton;
	struct kernel_event events[TS_EVENTS_MAX];
	uint64_t periods[TS_EVENTS_MAX];
	unsigned int events_count, cpus;
	unsigned int watched;		/* words; their event is the last one */
	bool started;
	struct sampler *samplers;
	unsigned int samplers_count;
	struct bpf_link *process_links[PROCESS_LINKS];
	struct bpf_link *off_cpu_links[OFF_CPU_LINKS];
	struct bpf_link *tracepoint_links[TS_EVENTS_MAX]; /* [event] */
	uint64_t tracepoint_misses[TS_EVENTS_MAX];	/* before the start */
	bool off_cpu;
	uint64_t off_cpu_since, off_cpu_until;
	struct armed_hook *hooks;
	unsigned int hooks_count, hooks_capacity;
	bool without_patches;
	struct ring_buffer *sample_ring, *code_ring;
	int look_ms;
	struct mappings *mappings;
	struct ts_body_row *rows;	/* mapped, read-only */
	size_t rows_max;
	struct image_arrays images;
	struct ts_finish *finishing;	/* mapped */
	const struct kernel_handlers *handlers;	/* while draining */
	uint64_t due;			/* kept when the events are closed */
	uint64_t ledger_start[TS_LEDGER_SLOTS]; /* counts before the start */
	uint64_t bad_samples, bad_code_events;
	int handed_over;		/* open while another has our descriptors too, -1 */
	bool stopped;
};

/* No code or process event is sent or counted any more when it returns.  0 or -Exxx:
 * then one that was under way may still come. */
int code_events__close(struct kernel *kernel);

/* off_cpu.c: before the load, after it, and taken down. */
void off_cpu__configure(struct kernel *kernel, const struct kernel_options *options);
int off_cpu__attach(struct kernel *kernel);
void off_cpu__start(struct kernel *kernel);
void off_cpu__stop(struct kernel *kernel);
void off_cpu__close(struct kernel *kernel);

/* tracepoints.c: before the load, after it, and taken down.  on: counted; when it is off,
 * nothing of before is under way any more. */
unsigned int tracepoints__count(const struct kernel_options *options);
void tracepoints__configure(struct kernel *kernel, const struct kernel_options *options);
int tracepoints__attach(struct kernel *kernel, struct trouble *ret_trouble);
void tracepoints__start(struct kernel *kernel);
void tracepoints__set(struct kernel *kernel, bool on);
/* How many periods of them are over, counted apart from the samples. */
uint64_t tracepoints__due(struct kernel *kernel);
void tracepoints__close(struct kernel *kernel);

/* PERF_RECORD_MMAP2 of every process, by a dummy event per CPU. */
int mappings__open(unsigned int cpus, struct mappings **ret_mappings);
void mappings__free(struct mappings *mappings);
int mappings__drain(struct mappings *mappings, const struct kernel_handlers *handlers);
unsigned int mappings__fds(const struct mappings *mappings, const int **ret_fds);

int image_arrays__open(struct kernel *kernel);
/* The addresses from RVA 0 that a table knows; false: no such table. */
bool image_arrays__code(const struct kernel *kernel, uint32_t number, uint64_t *ret_from,
			uint64_t *ret_to);
void image_arrays__close(struct kernel *kernel);

int finish__open(struct kernel *kernel);
void finish__close(struct kernel *kernel);

#endif /* TIERSCOPE_KERNEL_INTERNAL_H */
