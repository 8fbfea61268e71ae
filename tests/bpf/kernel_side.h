/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The real BPF programs with real maps, for one test: loaded, their rings
 * drained into memory, their doors called; and a child process that does on
 * command what the test wants to see.  Failures are cmocka's.
 */
#ifndef TIERSCOPE_TESTS_KERNEL_SIDE_H
#define TIERSCOPE_TESTS_KERNEL_SIDE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/types.h>
#include <stdbool.h>
#include <sys/types.h>

#include "../../abi/codemap.h"
#include "../../abi/ledger.h"
#include "../../abi/ring.h"
#include "../../abi/space.h"
#include "tierscope.skel.h"

#define LINKS_MAX 64
#define PROBES_MAX 2

/* 0: the default. */
struct sizes {
	__u32 sample_ring, code_ring, rows, pages, spaces, bodies_of_a_space;
	__u32 kernel_stacks; /* not 0: kernel frames too */
	__u64 periods[TS_EVENTS_MAX]; /* of tracepoints, by event */
	__u32 threads;	     /* of time off the CPU, a power of two */
};

struct hook_probes;

struct kernel_side {
	struct tierscope *skeleton;
	struct ring_buffer *code_ring, *sample_ring;
	struct bpf_link *links[LINKS_MAX];
	int links_count;
	struct hook_probes *probes[PROBES_MAX];
	int probes_count;
	int perf[LINKS_MAX];
	int perf_count;
	/* What was drained, oldest first; owned. */
	struct ts_event **events;
	size_t events_count, events_capacity;
};

/* NULL when the programs can be loaded here, else why not. */
const char *kernel_side__missing(void);
/* For a test's setup: prints and skips when it cannot run. */
#define SKIP_IF_MISSING()                                              \
	do {                                                           \
		if (kernel_side__missing()) {                          \
			print_message("%s\n", kernel_side__missing()); \
			skip();                                        \
		}                                                      \
	} while (0)

struct kernel_side *kernel_side__open(const struct sizes *sizes);
void kernel_side__close(struct kernel_side *kernel);

/* All probes of this very executable, in that process only. */
void kernel_side__attach_probes(struct kernel_side *kernel, pid_t pid);
void kernel_side__attach_life(struct kernel_side *kernel);
/* Switches and wake-ups, from now on; sizes.threads has to be set. */
void kernel_side__attach_switches(struct kernel_side *kernel);
/* The program of that number of an event at a raw tracepoint, counting from now on. */
void kernel_side__attach_tracepoint(struct kernel_side *kernel, __u32 event,
				    const char *name);
/* How often the kernel has kept it from interrupting itself. */
__u64 kernel_side__missed(const struct kernel_side *kernel, __u32 event);
/* cpu-clock on every CPU, disabled. */
void kernel_side__attach_sampler(struct kernel_side *kernel, __u64 period_ns,
				 __u64 event);
void kernel_side__sampling(struct kernel_side *kernel, bool on);

void kernel_side__drain_code(struct kernel_side *kernel);
void kernel_side__drain_samples(struct kernel_side *kernel);
__u64 kernel_side__counted(const struct kernel_side *kernel, __u32 what);

/* The doors. */
__u32 kernel_side__adopt(struct kernel_side *kernel, pid_t pid, __u32 flags);
/* Slots for every executable mapping of a process, as the loader sets them. */
void kernel_side__map_native(struct kernel_side *kernel, __u32 space, pid_t pid);
/* Walks on from a sample's stack piece; the result is valid until the next call. */
const struct ts_finish *kernel_side__finish(struct kernel_side *kernel,
					    const struct ts_sample *sample);
struct ts_insert kernel_side__insert(struct kernel_side *kernel, __u32 space, pid_t pid,
				     const struct ts_journal_record *record);
int kernel_side__remove(struct kernel_side *kernel, __u32 space, __u64 start,
			bool whole_page);
struct ts_find kernel_side__find(struct kernel_side *kernel, __u32 space,
				 __u64 address);

/* A fork of this process that runs `work` with each number it is told. */
struct child {
	pid_t pid;
	int command, answer;
};
void child__start(struct child *child, void (*work)(int number));
void child__tell(struct child *child, int number); /* and does not wait */
void child__do(struct child *child, int number);   /* waits until it is done */
int child__end(struct child *child);		   /* as waitpid(2) gives it */

#endif /* TIERSCOPE_TESTS_KERNEL_SIDE_H */
