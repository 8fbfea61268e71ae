/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Process life.  A space is given when the loader adopts a process or when a
 * followed process forks; exec gives a fresh one (other code, other
 * addresses); the exit of the last thread drops it.  Who is who comes from
 * the kernel alone, never from a probe's arguments.
 */
#ifndef TIERSCOPE_PROCESS_BPF_H
#define TIERSCOPE_PROCESS_BPF_H

#include "publish.bpf.h"

__u32 next_space __weak = 1;

static __always_inline int space_new(__u32 tgid, __u32 flags, __u32 *ret_number)
{
	struct ts_space space = { .flags = flags, .since_ns = bpf_ktime_get_ns() };

	space.number = __sync_fetch_and_add(&next_space, 1);
	if (bpf_map_update_elem(&spaces, &tgid, &space, BPF_ANY)) {
		ledger_count(TS_LEDGER_SPACES_FULL);
		return -ENOSPC;
	}
	*ret_number = space.number;
	return 0;
}

static __always_inline void send_process(__u32 type, __u32 space,
					 const struct ts_process_event *from)
{
	struct ts_process_event *event;

	ledger_count(TS_LEDGER_CODE_EVENTS);
	event = bpf_ringbuf_reserve(&code_events, sizeof(*event), 0);
	if (!event) {
		ledger_count(TS_LEDGER_CODE_RING_FULL);
		return;
	}
	*event = *from;
	fill_header(&event->header, type, sizeof(*event), space);
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	bpf_ringbuf_submit(event, BPF_RB_FORCE_WAKEUP);
	ledger_count(TS_LEDGER_CODE_SENT);
}

/*
 * Runs on the parent's thread.  Until it calls exec the child runs its
 * parent's code at its parent's addresses, so it shares the space.
 */
static __always_inline int on_process_fork(struct task_struct *parent, struct task_struct *child)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	__u32 child_tgid = BPF_CORE_READ(child, tgid);
	struct ts_space *space, copy;
	struct ts_process_event event = {};

	if (child_tgid == tgid)
		return 0;	/* a thread */
	space = bpf_map_lookup_elem(&spaces, &tgid);
	if (!space || !(space->flags & TS_SPACE_FOLLOW))
		return 0;
	copy = *space;
	if (bpf_map_update_elem(&spaces, &child_tgid, &copy, BPF_ANY)) {
		ledger_count(TS_LEDGER_SPACES_FULL);
		return 0;
	}
	event.parent = tgid;
	event.child_pid = child_tgid;
	send_process(TS_EVENT_FORK, copy.number, &event);
	return 0;
}

/* Renumbered in place, which cannot fail: no sample finds the old code map. */
static __always_inline int on_process_exec(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct ts_space *space = bpf_map_lookup_elem(&spaces, &tgid);
	struct ts_process_event event = {};

	if (!space)
		return 0;
	WRITE_ONCE(space->number, __sync_fetch_and_add(&next_space, 1));
	space->flags &= ~TS_SPACE_PENDING;
	space->bodies = 0;
	space->pages = 0;
	space->since_ns = bpf_ktime_get_ns();
	send_process(TS_EVENT_EXEC, space->number, &event);
	return 0;
}

#define SIGNAL_GROUP_EXIT 4 /* include/linux/sched/signal.h, 6.1 to 6.18 */

/*
 * As wait() gives it (wait_task_zombie in kernel/exit.c).  The exiting thread's own code
 * will not do: where the last two exit at once, both may find that no thread is left, and
 * the one that did not end the process may come first.
 */
static __always_inline int exit_code_of(struct task_struct *task)
{
	if (BPF_CORE_READ(task, signal, flags) & SIGNAL_GROUP_EXIT)
		return BPF_CORE_READ(task, signal, group_exit_code);
	return BPF_CORE_READ(task, group_leader, exit_code);
}

static __always_inline int on_process_exit(struct task_struct *task)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct ts_space *space = bpf_map_lookup_elem(&spaces, &tgid);
	struct ts_process_event event = {};
	__u32 number;

	/* do_exit counts `live` down before this tracepoint (kernel/exit.c). */
	if (!space || BPF_CORE_READ(task, signal, live.counter) > 0)
		return 0;
	number = space->number;
	event.exit_code = exit_code_of(task);
	bpf_map_delete_elem(&spaces, &tgid);
	send_process(TS_EVENT_EXIT, number, &event);
	return 0;
}

#endif /* TIERSCOPE_PROCESS_BPF_H */
