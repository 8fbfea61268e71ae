/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* From a walk to a sample in the ring, whatever made it be taken. */
#ifndef TIERSCOPE_SEND_BPF_H
#define TIERSCOPE_SEND_BPF_H

#include "record.bpf.h"

/* The helper for it takes longer than all the rest of the header. */
static __always_inline void copy_comm(struct ts_sample *sample)
{
	struct task_struct *task = bpf_get_current_task_btf();
	const __u64 *from = (const __u64 *)task->comm;
	__u64 *to = (__u64 *)sample->comm;

	to[0] = from[0];
	to[1] = from[1];
}

/* Not inlined: see jit_page_make(). */
__weak __noinline int note_walk(__u32 flags)
{
	if (flags & TS_SAMPLE_BAD_FRAME)
		ledger_count(TS_LEDGER_BAD_FRAME);
	if (flags & TS_SAMPLE_NATIVE_END)
		ledger_count(TS_LEDGER_NATIVE_END);
	if (flags & TS_SAMPLE_TABLE_PENDING)
		ledger_count(TS_LEDGER_TABLE_PENDING);
	if (flags & (TS_SAMPLE_TRUNCATED | TS_SAMPLE_KERNEL_CUT))
		ledger_count(TS_LEDGER_TRUNCATED);
	return 0;
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

/* Whose sample it is. */
struct record_of {
	__u64 pid_tgid, now;
	__u32 space, cpu, event;
	__u32 own_frames;	/* of the kernel's stack, between its leaf and us */
};

/* After the walk: all the rest of the record.  Gives its size, and that without a stack. */
static __always_inline __u64 write_record(void *context, struct walk_scratch *scratch,
					  const struct record_of *of, __u64 *ret_plain)
{
	struct ts_sample *sample = scratch_sample(scratch);
	struct walk *walk = &scratch->walk;
	__u32 count = walk->count, kernel_count = 0;
	__u64 whole;

	if (count > TS_FRAMES_MAX)
		count = TS_FRAMES_MAX;
	if (kernel_stacks && walk->flags & TS_SAMPLE_KERNEL_MODE)
		kernel_count = add_kernel_frames(context, scratch, count, of->own_frames);
	note_walk(walk->flags);
	*ret_plain = add_code(scratch, count, kernel_count, sample->ip);
	whole = *ret_plain;
	if (walk->flags & TS_SAMPLE_TABLE_PENDING)
		whole = add_stack(scratch, whole);
	sample->header = (struct ts_event){ .type = TS_EVENT_SAMPLE, .size = whole,
		.time_ns = of->now, .space = of->space, .pid = of->pid_tgid >> 32,
		.tid = (__u32)of->pid_tgid, .cpu = of->cpu };
	sample->event = of->event;
	sample->flags = walk->flags;
	sample->frames_count = count;
	sample->kernel_count = kernel_count;
	copy_comm(sample);
	return whole;
}

/* Where a thread stands in user mode, which is where a walk begins. */
static __always_inline void walk_registers(struct walk *walk, const struct pt_regs *regs)
{
	walk->ip = regs->rip;
	walk->sp = regs->rsp;
	walk->bp = regs->rbp;
	walk->r10 = regs->r10;
	walk->rbx = regs->rbx;
}

/*
 * All of it for the current thread while it is in the kernel: walks from where it left user
 * mode.  caches: the first return-address cache of those that belong to the caller.
 */
static __always_inline __u64 record_current(void *context, struct task_struct *task,
					    struct walk_scratch *scratch,
					    const struct record_of *of, __u32 caches,
					    __u64 *ret_plain)
{
	struct walk *walk = &scratch->walk;

	walk_begin(walk, returns_of(caches + of->cpu, of->space));
	walk_registers(walk, (const struct pt_regs *)bpf_task_pt_regs(task));
	walk->flags |= TS_SAMPLE_KERNEL_MODE;
	scratch->event = of->event;
	scratch_sample(scratch)->ip = walk->ip;
	walk_stack(scratch, (__u32)of->pid_tgid);
	return write_record(context, scratch, of, ret_plain);
}

#endif /* TIERSCOPE_SEND_BPF_H */
