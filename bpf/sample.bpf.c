// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The sampler: runs when an event's period is over, walks the user stack and
// sends it.  Samples of processes that nobody asked about leave after one
// look-up.
#include "vmlinux.h"
#include <asm/errno.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "record.bpf.h"

#define NULL ((void *)0)

char LICENSE[] SEC("license") __weak = "GPL";

/* The sampler's own: a perf event's program cannot interrupt itself. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk_scratch);
} scratch SEC(".maps");

static __always_inline bool user_registers(struct bpf_perf_event_data *ctx,
					   struct walk *walk)
{
	struct task_struct *task;
	struct pt_regs *regs;

	if ((ctx->regs.cs & 3) == 3) {
		walk->ip = ctx->regs.rip;
		walk->sp = ctx->regs.rsp;
		walk->bp = ctx->regs.rbp;
		return true;
	}
	task = bpf_get_current_task_btf();
	if (!task->mm)
		return false;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	walk->ip = regs->rip;
	walk->sp = regs->rsp;
	walk->bp = regs->rbp;
	walk->flags |= TS_SAMPLE_KERNEL_MODE;
	return true;
}

/* The helper for it takes longer than all the rest of the header. */
static __always_inline void copy_comm(struct ts_sample *sample)
{
	struct task_struct *task = bpf_get_current_task_btf();
	const __u64 *from = (const __u64 *)task->comm;
	__u64 *to = (__u64 *)sample->comm;

	to[0] = from[0];
	to[1] = from[1];
}

static __always_inline void note_walk(const struct walk *walk)
{
	if (walk->flags & TS_SAMPLE_BAD_FRAME)
		ledger_count(TS_LEDGER_BAD_FRAME);
	if (walk->flags & TS_SAMPLE_NATIVE_END)
		ledger_count(TS_LEDGER_NATIVE_END);
	if (walk->flags & TS_SAMPLE_TABLE_PENDING)
		ledger_count(TS_LEDGER_TABLE_PENDING);
	if (walk->flags & (TS_SAMPLE_TRUNCATED | TS_SAMPLE_KERNEL_CUT))
		ledger_count(TS_LEDGER_TRUNCATED);
}

static __always_inline long send_sample(struct ts_sample *sample, __u64 size)
{
	if (size > 8 * RECORD_WORDS)
		return -E2BIG;
	return bpf_ringbuf_output(&samples, sample, size, BPF_RB_NO_WAKEUP);
}

/*
 * Where the ring has no room for the stack, it may have some for the frames.  A hit is left
 * out too: then a look finds what was written, and says that it was some time before.
 */
static __always_inline struct ts_sample *drop_stack(struct ts_sample *sample, __u64 size)
{
	sample->header.size = size;
	sample->flags &= ~(TS_SAMPLE_STACK | TS_SAMPLE_HIT);
	return sample;
}

/* Puts what a watchpoint saw behind a record of `size` bytes; its new size. */
static __always_inline __u64 add_hit(struct bpf_perf_event_data *ctx,
				     struct ts_sample *sample, __u64 size)
{
	struct ts_hit *hit = (struct ts_hit *)((__u8 *)sample + size);
	__u64 address = ctx->addr;

	if (size > 8 * RECORD_WORDS - sizeof(*hit))
		return size;
	hit->address = address;
	if (bpf_probe_read_user(&hit->word, sizeof(hit->word), (const void *)address))
		return size;
	sample->flags |= TS_SAMPLE_HIT;
	sample->header.size = size + sizeof(*hit);
	return size + sizeof(*hit);
}

static __always_inline int sample_process(struct bpf_perf_event_data *ctx,
					  __u64 pid_tgid, __u32 number)
{
	struct walk_scratch *scratch_of_cpu;
	struct ts_sample *sample;
	struct walk *walk;
	__u32 zero = 0, count, kernel_count = 0;
	__u32 cpu = bpf_get_smp_processor_id();
	__u64 size, whole, cookie, now = bpf_ktime_get_ns();

	scratch_of_cpu = bpf_map_lookup_elem(&scratch, &zero);
	if (!scratch_of_cpu)
		return TS_LEDGER_INTERNAL;
	walk = &scratch_of_cpu->walk;
	walk_begin(walk, returns_of(cpu, number));
	if (!user_registers(ctx, walk))
		return TS_LEDGER_NO_USER_REGISTERS;
	cookie = bpf_get_attach_cookie(ctx);
	scratch_of_cpu->event = cookie & TS_COOKIE_EVENT;
	sample = scratch_sample(scratch_of_cpu);
	sample->ip = walk->ip;
	walk_stack(scratch_of_cpu);

	count = walk->count;
	if (count > TS_FRAMES_MAX)
		count = TS_FRAMES_MAX;
	if (kernel_stacks && walk->flags & TS_SAMPLE_KERNEL_MODE)
		kernel_count = add_kernel_frames(ctx, scratch_of_cpu, count);
	note_walk(walk);
	size = add_code(scratch_of_cpu, count, kernel_count, sample->ip);
	whole = add_stack(scratch_of_cpu, size);
	sample->header = (struct ts_event){ .type = TS_EVENT_SAMPLE, .size = whole,
		.time_ns = now, .space = number,
		.pid = pid_tgid >> 32, .tid = (__u32)pid_tgid,
		.cpu = cpu };
	sample->event = scratch_of_cpu->event;
	sample->flags = walk->flags;
	sample->frames_count = count;
	sample->kernel_count = kernel_count;
	copy_comm(sample);
	if (cookie & TS_COOKIE_WATCHPOINT)
		whole = add_hit(ctx, sample, whole);
	return send_sample(sample, whole) && send_sample(drop_stack(sample, size), size) ?
	       TS_LEDGER_RING_FULL : TS_LEDGER_KEPT;
}

SEC("perf_event")
int on_sample(struct bpf_perf_event_data *ctx)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	__u32 tgid = pid_tgid >> 32;
	struct ts_space *space;

	ledger_count(TS_LEDGER_RUNS);
	space = bpf_map_lookup_elem(&spaces, &tgid);
	if (!space || space->flags & TS_SPACE_PENDING) {
		ledger_count(TS_LEDGER_OUT_OF_SCOPE);
		return 0;
	}
	ledger_count(sample_process(ctx, pid_tgid, space->number));
	return 0;
}
