/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The kernel side as the loader sees it: open, configure, load, attach; rings
 * and their order; the ledger; tables of images.  One thread at a time.
 */
#ifndef TIERSCOPE_KERNEL_H
#define TIERSCOPE_KERNEL_H

#include "../../abi/offcpu.h"
#include "../../abi/ring.h"
#include "../../abi/space.h"
#include "../../abi/codemap.h"
#include "../../abi/ledger.h"
#include "../base/trouble.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct kernel;
struct image;
struct unwind_table;

#define KERNEL_EVENT_NAME_BYTES 64
#define KERNEL_FREQUENCY_MAX 20000

/* An event that is to be sampled (events.c). */
struct kernel_event {
	char name[KERNEL_EVENT_NAME_BYTES];
	uint32_t type;			/* perf_event_attr; or KERNEL_TRACEPOINT */
	uint64_t config;
	uint64_t period;		/* 0: made from a frequency */
	unsigned int frequency;		/* its own; 0: that of the options */
};
#define KERNEL_TRACEPOINT UINT32_MAX	/* none of perf's: "sched:sched_switch" */
/* "page-faults", "r1c2", "cycles/period=10007/", "cpu-clock/freq=997/"; 0 or -EINVAL. */
int kernel_event__parse(const char *text, struct kernel_event *ret_event,
			struct trouble *ret_trouble);
/* -EINVAL of a tracepoint that this kernel has not, as far as we may look. */
int kernel_event__check(const struct kernel_event *event, struct trouble *ret_trouble);
/* In the event's unit, which is ns for events of time. */
uint64_t kernel_event__period(const struct kernel_event *event, unsigned int frequency);

struct kernel_options {
	struct kernel_event events[TS_EVENTS_MAX];
	unsigned int events_count;
	unsigned int frequency;		/* Hz */
	uint32_t sample_ring_bytes;	/* 0: by CPUs and frequency */
	uint32_t code_ring_bytes;	/* 0: by CPUs */
	bool kernel_stacks;		/* kernel frames too */
	bool without_patches;		/* hooks are not asked for patches */
	bool off_cpu;			/* time off the CPU, as one more event */
};

/*
 * Opens the programs, sets sizes, loads them, opens the events (disabled) and
 * attaches all but the hook's probes.  -EPERM no privileges, -ENOSYS or
 * -EOPNOTSUPP this kernel cannot do it, else -Exxx; trouble says which.
 */
int kernel__open(const struct kernel_options *options, struct kernel **ret_kernel,
		 struct trouble *ret_trouble);
void kernel__free(struct kernel *kernel);
/*
 * To be called right before kernel__free() and the program's end: leaves taking
 * down to a child.  The kernel waits for grace periods, where probes are perf events for
 * half a second in all, for which nobody needs to wait.
 */
void kernel__hand_over(struct kernel *kernel);

/*
 * Arms the probes of a hook file.  pid: only in that process; -1 in every one.
 * A file that is armed already (same inode) is left as it is.
 */
int kernel__attach_hook(struct kernel *kernel, const char *path, pid_t pid,
			struct trouble *ret_trouble);
/* Takes a process into the recording and gives its space number. */
int kernel__adopt(struct kernel *kernel, pid_t pid, uint32_t flags,
		  uint32_t *ret_space);
/* The code map's doors, for what the journal tells. */
int kernel__insert(struct kernel *kernel, struct ts_insert *insert);
int kernel__remove(struct kernel *kernel, uint32_t space, uint64_t start);
int kernel__remove_page(struct kernel *kernel, uint32_t space, uint64_t address);
/* All that it has of a space, whose process is gone. */
void kernel__forget(struct kernel *kernel, uint32_t space);

int kernel__start(struct kernel *kernel);	/* events on */

/*
 * The event of time off the CPU, behind those of the options.  Its samples stand for as many
 * nanoseconds as their wait was long, so its period is 1.
 */
#define KERNEL_OFF_CPU_EVENT "off-cpu"
/* Where the time of each thread goes that is there now: calls `each`.  0 or -Exxx. */
int kernel__threads(struct kernel *kernel,
		    void (*each)(void *context, const struct ts_thread *thread),
		    void *context);
/* When times off the CPU began to be counted, and when they ceased to; 0: not yet. */
uint64_t kernel__off_cpu_since(const struct kernel *kernel);
uint64_t kernel__off_cpu_until(const struct kernel *kernel);
/*
 * Samples each thread that writes to an aligned word of 8 bytes, right after it did, by a
 * hardware watchpoint on every CPU; of KERNEL_WATCH_MAX words at most.  -ENOSPC: there are
 * so many, or others use the registers; -EOPNOTSUPP: this machine has none.
 */
#define KERNEL_WATCH_MAX 4
#define KERNEL_WATCH_EVENT "watchpoint"	/* it is the one behind those of the options */
int kernel__watch(struct kernel *kernel, uint64_t address, struct trouble *ret_trouble);
/* The sampling events only, for a moment: their counts stand still between. */
void kernel__pause(struct kernel *kernel);
int kernel__resume(struct kernel *kernel);
/* Events off and probes closed, for good: after one more drain the ledger is
 * exact. */
void kernel__stop(struct kernel *kernel);

/* Bytes of a sample without its stack piece and what follows: frames, kernel frames, code bytes. */
static inline size_t kernel_sample__plain_size(const struct ts_sample *sample)
{
	return sizeof(*sample) + 8u * (sample->frames_count + sample->kernel_count) +
	       (sample->flags & TS_SAMPLE_CODE ? TS_CODE_BYTES : 0);
}

/* TS_CODE_BYTES, or NULL. */
static inline const void *kernel_sample__code(const struct ts_sample *sample)
{
	return sample->flags & TS_SAMPLE_CODE ?
	       &sample->frames[sample->frames_count + sample->kernel_count] : NULL;
}

/* NULL when it has none. */
static inline const struct ts_stack_piece *
kernel_sample__piece(const struct ts_sample *sample)
{
	const char *piece = (const char *)sample + kernel_sample__plain_size(sample);

	return sample->flags & TS_SAMPLE_STACK ? (const struct ts_stack_piece *)piece : NULL;
}

/* Bytes of a whole sample, which never is of a hit and of time off the CPU. */
static inline size_t kernel_sample__size(const struct ts_sample *sample)
{
	const struct ts_stack_piece *piece = kernel_sample__piece(sample);

	return kernel_sample__plain_size(sample) +
	       (piece ? sizeof(*piece) + piece->bytes : 0) +
	       (sample->flags & TS_SAMPLE_HIT ? sizeof(struct ts_hit) : 0) +
	       (sample->flags & TS_SAMPLE_OFF_CPU ? sizeof(struct ts_off_cpu) : 0);
}

/* NULL: it was on the CPU. */
static inline const struct ts_off_cpu *kernel_sample__off_cpu(const struct ts_sample *sample)
{
	const char *end = (const char *)sample + kernel_sample__size(sample);

	return sample->flags & TS_SAMPLE_OFF_CPU ?
	       (const struct ts_off_cpu *)(end - sizeof(struct ts_off_cpu)) : NULL;
}

/* NULL when no watchpoint made it. */
static inline const struct ts_hit *kernel_sample__hit(const struct ts_sample *sample)
{
	const char *end = (const char *)sample + kernel_sample__size(sample);

	return sample->flags & TS_SAMPLE_HIT ?
	       (const struct ts_hit *)(end - sizeof(struct ts_hit)) : NULL;
}

/*
 * A file or memory mapped executable, as the kernel itself reports it; or, with
 * is_exec, the moment when exec gave the process a new address space.
 */
struct kernel_mapping {
	pid_t pid;
	bool is_exec;
	uint64_t time_ns;
	uint64_t start, size, file_offset;
	uint32_t device_major, device_minor;
	uint64_t inode;
	const char *path;		/* claimed, for people; not for opening */
};

struct kernel_handlers {
	void *context;
	void (*sample)(void *context, const struct ts_sample *sample);
	/* Among the samples, only with off_cpu: a ts_off_cpu_end or a ts_thread_end. */
	void (*off_cpu)(void *context, const struct ts_event *event);
	void (*mapping)(void *context, const struct kernel_mapping *mapping);
	void (*code)(void *context, const struct ts_code_event *event);
	void (*patch)(void *context, const struct ts_patch_event *event);
	void (*tiering)(void *context, const struct ts_tiering_event *event);
	void (*process)(void *context, const struct ts_process_event *event);
	void (*mapping_lost)(void *context, uint64_t count);
};

/* How often the rings want to be looked at when nothing wakes the caller. */
int kernel__look_ms(const struct kernel *kernel);
/*
 * Waits for something urgent (a module; with `mappings`, also a mapping of any
 * process), until the descriptor `also` can be read (-1: none), or timeout_ms.
 * 0 or -EINTR.
 */
int kernel__wait(struct kernel *kernel, int timeout_ms, bool mappings, int also);
/* Drains samples, then mappings, then code events; 0 or -Exxx. */
int kernel__drain(struct kernel *kernel, const struct kernel_handlers *handlers);

/* Sums over the CPUs. */
int kernel__ledger(struct kernel *kernel, uint64_t ret_counts[TS_LEDGER_SLOTS]);
/* What the events' own counts say should have fired, all CPUs. */
uint64_t kernel__due(struct kernel *kernel);
uint64_t kernel__event_period(const struct kernel *kernel, unsigned int event);
const char *kernel__event_name(const struct kernel *kernel, unsigned int event);
unsigned int kernel__cpus(const struct kernel *kernel);

/* A row of the code map as it is now; false for a number out of range. */
bool kernel__row(const struct kernel *kernel, uint32_t row,
		 struct ts_body_row *ret_row);

/*
 * Tables of images.  add: writes the image's rows and granules once and gives
 * it a number (-ENOSPC: the tables are full).  map: names it in a space.
 */
int kernel__add_image(struct kernel *kernel, const struct image *image,
		      uint32_t *ret_number);
int kernel__map_image(struct kernel *kernel, uint32_t space, uint32_t number,
		      uint64_t base, uint32_t size);

/*
 * The same of the rules of a native file (-EFBIG: more than there is room for in all).  RVA 0
 * is the table's base; what lies in [start, end) of the process belongs to the file.  A table
 * may be dropped only when no process maps its file.
 */
int kernel__add_rules(struct kernel *kernel, const struct unwind_table *table,
		      uint32_t *ret_number);
void kernel__drop_rules(struct kernel *kernel, uint32_t number);
int kernel__map_rules(struct kernel *kernel, uint32_t space, uint32_t number, uint64_t base,
		      uint64_t start, uint64_t end);

/*
 * Says that there is, or will be, code of the runtime's in that range (TS_SLOT_JIT),
 * or that it is a file without any, and without rules (TS_SLOT_NATIVE).  What was there
 * before is forgotten, except where the range only touches a slot.
 */
int kernel__map_other(struct kernel *kernel, uint32_t space, uint32_t kind,
		      uint64_t start, uint64_t end);

/*
 * Walks on from a sample's stack piece, with what the slots say by now.  Gives the
 * number of frames, and those from the piece's on in ret_frames, at their numbers;
 * ret_flags (enum ts_sample_flags) say how it ended.  0 or -Exxx.
 */
int kernel__finish_walk(struct kernel *kernel, const struct ts_sample *sample,
			uint64_t ret_frames[TS_FRAMES_MAX + 1], uint32_t *ret_count,
			uint32_t *ret_flags);

/* Takes any of these back, of a process that is gone. */
void kernel__unmap(struct kernel *kernel, uint32_t space, uint64_t start, uint64_t end);

#endif /* TIERSCOPE_KERNEL_H */
