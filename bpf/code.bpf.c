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
#include <bpf/usdt.bpf.h>

#define NULL ((void *)0)

#include "codefind.bpf.h"
#include "publish.bpf.h"
#include "process.bpf.h"
#include "threads.bpf.h"

char LICENSE[] SEC("license") __weak = "GPL";

SEC("usdt")
int BPF_USDT(code_load, __u64 sequence, __u64 function_id, __u64 start, __u64 size,
	     __u64 rejit_id, __u64 native_version, __u64 tier_and_flags, void *record)
{
	struct probe probe = { .kind = TS_EVENT_CODE_LOAD, .sequence = sequence,
		.function_id = function_id, .start = start, .size = size };

	return on_code_load(&probe, record);
}

SEC("usdt")
int BPF_USDT(code_unload, __u64 sequence, __u64 function_id, __u64 start, __u64 size)
{
	struct probe probe = { .kind = TS_EVENT_CODE_UNLOAD, .sequence = sequence,
		.function_id = function_id, .start = start, .size = size };

	return on_code_unload(&probe);
}

SEC("usdt")
int BPF_USDT(module_load, __u64 sequence, __u64 module_id, __u64 base, __u64 size,
	     void *record)
{
	struct probe probe = { .kind = TS_EVENT_MODULE_LOAD, .sequence = sequence,
		.function_id = module_id, .start = base, .size = size };

	return on_module(&probe, record);
}

SEC("usdt")
int BPF_USDT(module_unload, __u64 sequence, __u64 module_id, __u64 base, __u64 size,
	     void *record)
{
	struct probe probe = { .kind = TS_EVENT_MODULE_UNLOAD, .sequence = sequence,
		.function_id = module_id, .start = base, .size = size };

	return on_module(&probe, record);
}

SEC("usdt")
int BPF_USDT(stub_patches, __u64 count, void *told)
{
	return on_stub_patches(told);
}

SEC("usdt")
int BPF_USDT(tiering, __u64 sequence, __u64 kind, __u64 pending, __u64 new_methods,
	     __u64 compiled)
{
	return on_tiering(kind, pending, new_methods, compiled);
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
