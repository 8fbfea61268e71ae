// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Entry points of the hook's probes and of process life, and the doors through
// which the loader reaches the same functions (SEC("syscall"), run by
// bpf_prog_test_run_opts).
//
// A handler can be preempted and interrupted, so it builds its record in
// reserved ring memory, never in shared scratch.
#include "vmlinux.h"
#include <asm/errno.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define NULL ((void *)0)

#include "arguments.bpf.h"
#include "codefind.bpf.h"
#include "publish.bpf.h"
#include "process.bpf.h"
#include "threads.bpf.h"

char LICENSE[] SEC("license") __weak = "GPL";

/*
 * What is the same of code and modules; what it returns is the argument that tells of the
 * journal's record.  Not inlined: with the registers on the stack of all that follows, that
 * would be more than Linux 6.1 allows.
 */
static __noinline __u64 probe_fetch(struct pt_regs *ctx, struct probe *probe, __u32 record_at)
{
	struct arguments arguments;

	arguments_fetch(&arguments, ctx);
	probe->sequence = argument(&arguments, 0);
	probe->function_id = argument(&arguments, 1);
	probe->start = argument(&arguments, 2);
	probe->size = argument(&arguments, 3);
	return argument(&arguments, record_at);
}

/* What each probe tells, one argument after the other: profiler_hook/probes.h.  All give 0:
 * to kernels before the end of 2024 another value can mean that a probe is to be taken out. */
SEC("uprobe")
int code_load(struct pt_regs *ctx)
{
	struct probe probe = { .kind = TS_EVENT_CODE_LOAD };
	__u64 record = probe_fetch(ctx, &probe, 7);

	return on_code_load(&probe, (void *)record);
}

SEC("uprobe")
int code_unload(struct pt_regs *ctx)
{
	struct probe probe = { .kind = TS_EVENT_CODE_UNLOAD };

	probe_fetch(ctx, &probe, 0);
	return on_code_unload(&probe);
}

static __always_inline int module_event(struct pt_regs *ctx, __u32 kind)
{
	struct probe probe = { .kind = kind };
	__u64 record = probe_fetch(ctx, &probe, 4);

	return on_module(&probe, (void *)record);
}

SEC("uprobe")
int module_load(struct pt_regs *ctx)
{
	return module_event(ctx, TS_EVENT_MODULE_LOAD);
}

SEC("uprobe")
int module_unload(struct pt_regs *ctx)
{
	return module_event(ctx, TS_EVENT_MODULE_UNLOAD);
}

SEC("uprobe")
int stub_patches(struct pt_regs *ctx)
{
	struct arguments arguments;

	arguments_fetch(&arguments, ctx);
	return on_stub_patches((void *)argument(&arguments, 1));
}

SEC("uprobe")
int tiering(struct pt_regs *ctx)
{
	struct arguments arguments;

	arguments_fetch(&arguments, ctx);
	return on_tiering(argument(&arguments, 1), argument(&arguments, 2),
			  argument(&arguments, 3), argument(&arguments, 4));
}

SEC("raw_tp/sched_process_fork")
int BPF_PROG(process_fork, struct task_struct *parent, struct task_struct *child)
{
	return on_process_fork(parent, child);
}

SEC("raw_tp/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task, int old_tid)
{
	/* The others have ended; the one that is left has the number of the first. */
	on_thread_exit(old_tid, false);
	on_thread_exit((__u32)bpf_get_current_pid_tgid(), false);
	return on_process_exec();
}

SEC("raw_tp/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task)
{
	on_thread_exit((__u32)bpf_get_current_pid_tgid(), true);
	return on_process_exit(task);
}

SEC("syscall")
int door_adopt(struct ts_adopt *adopt)
{
	__u32 tgid = adopt->pid;

	adopt->error = space_new(tgid, adopt->flags, &adopt->number);
	return 0;
}

SEC("syscall")
int door_insert(struct ts_insert *insert)
{
	__u32 tgid = insert->pid;
	struct ts_space *space = bpf_map_lookup_elem(&spaces, &tgid);
	struct ts_journal_record record = insert->record;
	struct placed placed = {};

	insert->error = -ESRCH;
	if (!space || space->number != insert->space)
		return 0;
	insert->error = body_insert(space, &record, &placed);
	insert->row = placed.row;
	insert->generation = placed.generation;
	return 0;
}

SEC("syscall")
int door_remove(struct ts_remove *remove)
{
	struct placed placed = {};

	if (remove->whole_page)
		remove->error = page_remove(remove->space, remove->start);
	else
		remove->error = body_remove(remove->space, remove->start, NULL, &placed);
	return 0;
}

SEC("syscall")
int door_find(struct ts_find *find)
{
	struct found found;

	code_find(find->space, find->address, &found);
	find->frame = found.frame;
	find->shape = found.shape;
	find->offset = found.offset;
	return 0;
}
