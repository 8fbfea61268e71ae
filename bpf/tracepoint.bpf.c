// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Tracepoints as events: runs whenever a tracepoint of the kernel fires, and samples the
// current thread each time that a period of them is over.
//
// As raw_tp, which keeps nothing else of the CPU from running (a "tp" program, or one at a
// perf event of the tracepoint, would silence the sampler).  One program for each number of
// an event: a tracepoint can fire in any context, within a system call, an interrupt or
// another of these programs, and the kernel keeps each of them from interrupting itself
// only (__bpf_trace_run, 6.1 to 6.18).  What it keeps from running so, it counts:
// recursion_misses.  So each has a scratch and a cache of return addresses of its own.
#include "vmlinux.h"
#include <asm/errno.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define NULL ((void *)0)

#include "send.bpf.h"

char LICENSE[] SEC("license") __weak = "GPL";

/* The program itself and bpf_trace_run<N>; user/recorder/kernel_frames.c knows the others. */
#define OWN_FRAMES 2

/* The loader's: nothing is counted while it is 0. */
__u32 tracepoints_on = 0;

/* By the number of the event: its period, and the first of its return-address caches. */
KNOB __u64 tracepoint_periods[TS_EVENTS_MAX] = {1, 1, 1, 1};
KNOB __u32 tracepoint_caches[TS_EVENTS_MAX] = {};

/* How often it fired in processes of the recording. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TS_EVENTS_MAX);
	__type(key, __u32);
	__type(value, __u64);
} tracepoint_counts SEC(".maps");

/* In map memory for the verifier of Linux 6.1, as bpf/offcpu.bpf.c has it. */
struct tracepoint_scratch {
	struct record_of of;
	struct walk_scratch walking;
};

/* The loader makes room for as many as there are. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TS_EVENTS_MAX);
	__type(key, __u32);
	__type(value, struct tracepoint_scratch);
} tracepoint_scratches SEC(".maps");

static __always_inline __u32 sample_current(void *context, __u32 event, __u64 pid_tgid,
					    __u32 space)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct tracepoint_scratch *scratch;
	struct ts_sample *sample;
	__u64 whole, plain;
	__u32 key = event;	/* so that the verifier sees `event` as the constant that it is */

	if (!task->mm)
		return TS_LEDGER_NO_USER_REGISTERS;
	scratch = bpf_map_lookup_elem(&tracepoint_scratches, &key);
	if (!scratch)
		return TS_LEDGER_INTERNAL;
	scratch->of = (struct record_of){ .now = bpf_ktime_get_ns(), .pid_tgid = pid_tgid,
		.space = space, .event = event, .own_frames = OWN_FRAMES,
		.cpu = bpf_get_smp_processor_id() };
	whole = record_current(context, task, &scratch->walking, &scratch->of,
			       tracepoint_caches[event], &plain);
	sample = scratch_sample(&scratch->walking);
	return send_sample(sample, whole) && send_sample(drop_stack(sample, plain), plain) ?
	       TS_LEDGER_RING_FULL : TS_LEDGER_KEPT;
}

static __always_inline int on_event(void *context, __u32 event)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	__u32 tgid = pid_tgid >> 32, key = event;
	struct ts_space *space;
	__u64 *count;

	if (!tracepoints_on || !tgid)
		return 0;
	space = bpf_map_lookup_elem(&spaces, &tgid);
	count = bpf_map_lookup_elem(&tracepoint_counts, &key);
	if (!count || !space || space->flags & TS_SPACE_PENDING)
		return 0;
	if (++*count % tracepoint_periods[event])
		return 0;
	ledger_count(TS_LEDGER_RUNS);
	ledger_count(sample_current(context, event, pid_tgid, space->number));
	return 0;
}

SEC("raw_tp")
int on_tracepoint0(struct bpf_raw_tracepoint_args *ctx)
{
	return on_event(ctx, 0);
}

SEC("raw_tp")
int on_tracepoint1(struct bpf_raw_tracepoint_args *ctx)
{
	return on_event(ctx, 1);
}

SEC("raw_tp")
int on_tracepoint2(struct bpf_raw_tracepoint_args *ctx)
{
	return on_event(ctx, 2);
}

SEC("raw_tp")
int on_tracepoint3(struct bpf_raw_tracepoint_args *ctx)
{
	return on_event(ctx, 3);
}
