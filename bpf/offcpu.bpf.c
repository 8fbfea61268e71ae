// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Off the CPU: runs when threads are switched and woken, adds to their times, and takes
// the stacks of some that are switched out.
//
// As tp_btf, which keeps nothing else of the CPU from running (a "tp" program would
// silence the sampler), and only where --off-cpu asks for it.
#include "vmlinux.h"
#include <asm/errno.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define NULL ((void *)0)

#include "send.bpf.h"
#include "threads.bpf.h"

char LICENSE[] SEC("license") __weak = "GPL";

#define TASK_EXITING 4 /* include/linux/sched.h, PF_EXITING, 6.1 to 6.18 */

/* The program itself, bpf_trace_run4 and __traceiter_sched_switch: below is __schedule. */
#define OWN_FRAMES 3

/* Number of the event, and of the first return-address cache that is the switches' own. */
KNOB __u32 off_cpu_event __weak = 0;
KNOB __u32 off_cpu_caches __weak = 0;

/*
 * What is known before the walk lies in map memory too: the verifier of Linux 6.1 would
 * look at the walk once for each shift and each state that it saw come.
 */
struct stack_scratch {
	struct record_of of;
	struct ts_off_cpu off;
	struct walk_scratch walking;
};

/* Not the sampler's, which can interrupt a switch. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stack_scratch);
} off_cpu_scratch SEC(".maps");

/* Of processes of the recording only. */
static __always_inline struct ts_space *space_of(struct task_struct *task)
{
	__u32 tgid = task->tgid;
	struct ts_space *space;

	if (!tgid)
		return NULL;
	space = bpf_map_lookup_elem(&spaces, &tgid);
	return space && !(space->flags & TS_SPACE_PENDING) ? space : NULL;
}

static __always_inline struct pt_regs *registers_of(struct task_struct *task)
{
	return (struct pt_regs *)bpf_task_pt_regs(task);
}

static __always_inline __u32 state_of(struct task_struct *task)
{
	return ts_state__of_call((__s64)registers_of(task)->orig_rax);
}

/*
 * The row of a thread that has none yet, NULL if nobody asked for its process.  One whose row
 * was closed when it began to end gets no other.
 */
static __always_inline struct ts_thread *first_row(struct task_struct *task, __u32 state)
{
	struct ts_space *space = space_of(task);

	if (!space || task->flags & TASK_EXITING)
		return NULL;
	return thread_first_seen(task->pid, task->tgid, space, state);
}

static __always_inline __u64 add_off_cpu(struct ts_sample *sample, __u64 size,
					 const struct ts_off_cpu *off)
{
	if (size > 8 * RECORD_WORDS - sizeof(*off))
		return size;
	*(struct ts_off_cpu *)((__u8 *)sample + size) = *off;
	sample->flags |= TS_SAMPLE_OFF_CPU;
	sample->header.size = size + sizeof(*off);
	return size + sizeof(*off);
}

static __always_inline long send_off_cpu(struct ts_sample *sample, __u64 size,
					 const struct ts_off_cpu *off)
{
	return send_sample(sample, add_off_cpu(sample, size, off));
}

/* Of the current thread, which is about to be off.  False: the ring was full. */
static __always_inline bool take_stack(void *context, struct task_struct *task,
					struct stack_scratch *scratch)
{
	struct ts_sample *sample = scratch_sample(&scratch->walking);
	__u64 whole, plain;

	whole = record_current(context, task, &scratch->walking, &scratch->of, off_cpu_caches,
			       &plain);
	return !send_off_cpu(sample, whole, &scratch->off) ||
	       !send_off_cpu(drop_stack(sample, plain), plain, &scratch->off);
}

/* Of the current thread.  Whether a stack of it is to be taken: then the scratch is ready. */
static __always_inline struct stack_scratch *switched_out(struct task_struct *task,
							  struct ts_thread *thread,
							  bool preempted, __u64 now)
{
	struct pt_regs *regs = registers_of(task);
	struct stack_scratch *scratch;
	struct budget *chosen;
	__u32 zero = 0, state;

	state = preempted ? TS_STATE_RUNNABLE : ts_state__of_call((__s64)regs->orig_rax);
	thread_switched_out(thread, state, place_of(state, regs->rip, regs->rsp), now);
	chosen = task->mm ? choose(thread, now) : NULL;
	scratch = chosen ? bpf_map_lookup_elem(&off_cpu_scratch, &zero) : NULL;
	if (!scratch)
		return NULL;
	scratch->off = (struct ts_off_cpu){ .state = thread->state, .shift = chosen->shift };
	scratch->of = (struct record_of){ .now = now, .space = thread->space,
		.event = off_cpu_event, .pid_tgid = bpf_get_current_pid_tgid(),
		.own_frames = OWN_FRAMES,
		.cpu = bpf_get_smp_processor_id() };
	return scratch;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next,
	     unsigned int prev_state)
{
	struct ts_thread *out, *in;
	struct stack_scratch *scratch;
	__u64 now = 0;

	if (!off_cpu_since)
		return 0;
	out = thread_find(prev->pid);
	if (!out)
		out = first_row(prev, TS_STATE_RUNNING);
	in = thread_find(next->pid);
	if (!in)
		in = first_row(next, TS_STATE_RUNNABLE);
	if (in) {
		now = bpf_ktime_get_ns();
		thread_switched_in(next->pid, in, now);
	}
	if (!out)
		return 0;
	now = now ? now : bpf_ktime_get_ns();
	scratch = switched_out(prev, out, preempt || !prev_state, now);
	if (!scratch)
		return 0;
	ledger_count(TS_LEDGER_OFF_CPU_CHOSEN);
	if (take_stack(ctx, prev, scratch))
		out->sampled = 1;
	else
		ledger_count(TS_LEDGER_OFF_CPU_RING_FULL);
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(on_wakeup, struct task_struct *task)
{
	struct ts_thread *thread;

	if (!off_cpu_since)
		return 0;
	thread = thread_find(task->pid);
	if (!thread)
		thread = first_row(task, state_of(task));
	if (thread)
		thread_woken(thread, bpf_ktime_get_ns());
	return 0;
}

/* A new thread. */
SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(on_wakeup_new, struct task_struct *task)
{
	struct ts_space *space = off_cpu_since ? space_of(task) : NULL;

	if (space)
		thread_begin(task->pid, task->tgid, space, bpf_ktime_get_ns(),
			     TS_STATE_RUNNABLE);
	return 0;
}
