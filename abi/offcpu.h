/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Where the time of a thread goes: running, waiting for a CPU, or blocked, and in what.
 *
 *            switched out     woken     switched in
 *   ──running──┤────blocked────┤─runnable─┤──running──
 *
 * The kernel side keeps one struct ts_thread a thread and adds to it at each switch, so
 * these times are exact whatever is sampled.
 */
#ifndef TIERSCOPE_ABI_OFFCPU_H
#define TIERSCOPE_ABI_OFFCPU_H

#include "ring.h"

/* Numbers are kept in recordings: none is ever used again for something else. */
/*    number, identifier, name in output */
#define TS_STATE_TABLE(X) \
X(0, RUNNING,	"running") \
X(1, RUNNABLE,	"runnable") \
X(2, FUTEX,	"futex") \
X(3, POLL,	"poll") \
X(4, IO,	"io") \
X(5, SLEEP,	"sleep") \
X(6, FAULT,	"fault") \
X(7, OTHER,	"other")

enum ts_state {
#define TS_STATE_ENUM(number, id, name) TS_STATE_##id = number,
	TS_STATE_TABLE(TS_STATE_ENUM)
#undef TS_STATE_ENUM
	TS_STATES = 8
};

#define TS_PLACES	16	/* a power of two */

/*
 * A thread's row is in one of these places of the array, whose size is a power of two: with
 * as many rows as there are thread numbers, in the first.  (An array takes a few ns where a
 * hash takes tens, and a switch looks up two.)
 */
#define TS_THREAD_WAYS		4
#define TS_THREAD_INDEX(tid, way, rows) \
	(((tid) + (way) * 8191u) & ((rows) - 1))

struct ts_thread {
	__u64 since_ns;		/* its times are counted from here on */
	__u64 changed_ns;	/* the last switch; they are counted up to here */
	__u64 woken_ns;		/* of the time off that it is in; 0: not woken yet */
	__u32 space;
	__u32 pid;
	__u32 state;		/* enum ts_state, since changed_ns */
	__u32 sampled;		/* the loader holds a stack of the time off it is in */
	__u64 switches;		/* how often it was switched out */
	__u64 times[TS_STATES];	/* ns; the sum is changed_ns - since_ns */
	__u32 place;		/* of the time off: where in the program it waits */
	__u32 tid;		/* 0: nobody's row */
	__u32 expected[TS_PLACES]; /* how long it will be off there: bpf/threads.bpf.h */
};
_Static_assert(sizeof(struct ts_thread) == 184, "thread layout");

/*
 * Counts up to `now`.  What a thread that was woken waits for is a CPU.  Clocks of CPUs
 * can differ by some ns: then nothing is added.
 */
static inline void ts_thread__advance(struct ts_thread *thread, __u64 now)
{
	__u32 state = thread->state & (TS_STATES - 1);
	__u64 from = thread->changed_ns, woken = thread->woken_ns;

	if (now <= from)
		return;
	if (woken > from && woken < now && state > TS_STATE_RUNNABLE) {
		thread->times[state] += woken - from;
		thread->times[TS_STATE_RUNNABLE] += now - woken;
	} else {
		thread->times[state] += now - from;
	}
	thread->changed_ns = now;
}

/* What a thread is blocked in, by the number of its system call (x86-64); -1: in none. */
static inline __u32 ts_state__of_call(__s64 call)
{
	switch (call) {
	case 202: case 449: case 454: case 455: case 456: /* futex, futex_waitv ... _requeue */
		return TS_STATE_FUTEX;
	case 7: case 23: case 232: case 270: case 271: case 281: case 441:
		/* poll, select, epoll_wait, pselect6, ppoll, epoll_pwait, epoll_pwait2 */
		return TS_STATE_POLL;
	case 0: case 1: case 17: case 18: case 19: case 20: case 295: case 296: case 327:
	case 328: /* read, write and their kin */
	case 40: case 275: case 276: case 278: case 326: /* sendfile, splice ... */
	case 42: case 43: case 44: case 45: case 46: case 47: case 288: case 299: case 307:
		/* connect, accept, send*, recv* */
	case 26: case 74: case 75: case 162: case 277: case 306: /* msync, fsync ... */
	case 2: case 257: case 437: case 3: /* open*, close */
	case 208: case 333: case 426: /* io_getevents, io_uring_enter */
		return TS_STATE_IO;
	case 34: case 35: case 230: /* pause, nanosleep, clock_nanosleep */
		return TS_STATE_SLEEP;
	case -1:
		return TS_STATE_FAULT;
	}
	return TS_STATE_OTHER;
}

/*
 * A sample of the off-CPU event is taken when its thread is switched out, and sent then:
 * struct ts_off_cpu says what for.  How long it was off is told by a struct ts_off_cpu_end
 * of the same thread, at the next switch.  Of the stacks of such waits one in 2^shift was
 * taken, so that it stands for 2^shift times as long.
 */
struct ts_off_cpu {
	__u32 state;		/* enum ts_state */
	__u32 shift;
};
_Static_assert(sizeof(struct ts_off_cpu) == 8, "off-CPU layout");

struct ts_off_cpu_end {
	struct ts_event header;
	__u64 out_ns;		/* header.time_ns of the sample */
	__u64 woken_ns;		/* 0: it never was anything but runnable */
};
_Static_assert(sizeof(struct ts_off_cpu_end) == 48, "off-CPU end layout");

/* The thread, or its space, is at its end: its times are all there.  A space ends by an exec,
 * after which the name is another one: then it is not told. */
struct ts_thread_end {
	struct ts_event header;
	struct ts_thread thread;
	char comm[16];
};
_Static_assert(sizeof(struct ts_thread_end) == 232, "thread end layout");

#endif /* TIERSCOPE_ABI_OFFCPU_H */
