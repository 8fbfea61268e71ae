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

#define NULL ((void *)0)

#include "send.bpf.h"
#include "threads.bpf.h"

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

	if ((ctx->regs.cs & 3) == 3) {
		walk_registers(walk, &ctx->regs);
		return true;
	}
	task = bpf_get_current_task_btf();
	if (!task->mm)
		return false;
	walk_registers(walk, (const struct pt_regs *)bpf_task_pt_regs(task));
	walk->flags |= TS_SAMPLE_KERNEL_MODE;
	return true;
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
	struct record_of of = { .now = bpf_ktime_get_ns(), .pid_tgid = pid_tgid,
				.space = number, .cpu = bpf_get_smp_processor_id() };
	__u32 zero = 0;
	__u64 size, whole, cookie;

	scratch_of_cpu = bpf_map_lookup_elem(&scratch, &zero);
	if (!scratch_of_cpu)
		return TS_LEDGER_INTERNAL;
	walk = &scratch_of_cpu->walk;
	walk_begin(walk, returns_of(of.cpu, number));
	if (!user_registers(ctx, walk))
		return TS_LEDGER_NO_USER_REGISTERS;
	if (!(walk->flags & TS_SAMPLE_KERNEL_MODE))
		thread_runs((__u32)pid_tgid, of.now);
	cookie = bpf_get_attach_cookie(ctx);
	scratch_of_cpu->event = cookie & TS_COOKIE_EVENT;
	sample = scratch_sample(scratch_of_cpu);
	sample->ip = walk->ip;
	walk_stack(scratch_of_cpu, (__u32)pid_tgid);

	of.event = scratch_of_cpu->event;
	whole = write_record(ctx, scratch_of_cpu, &of, &size);
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
