/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Where the time of each thread goes (abi/offcpu.h), and of which times off the CPU a
 * stack is taken.
 *
 * A thread's row is written when the thread is switched or woken, which the kernel does
 * under the lock of its run queue, and when it ends, on its own CPU: never twice at once.
 * (Where the tracepoint of an exit may be preempted, the switch can come between: some
 * microseconds of a thread at its end are lost then, or counted twice.)
 *
 * How long a thread will be off is not known when its stack must be taken.  So it is
 * guessed from how long it was off before, at this place, and the stack is taken with a
 * probability in proportion:
 *
 *   place      instruction and stack pointer: nearly as good as the stack itself.  Of
 *              threads that are preempted, which can be anywhere, there is one.
 *   wanted     one stack for each `off_cpu_grain` of time, as the clock samples do
 *   expected   the longest lately: at once up, slowly down; at a new place, off_cpu_grain
 *   q          1 / 2^shift, the least that gives expected * 2^shift >= wanted
 *
 * So a new place is always taken, whoever waits long is never missed, and a ping-pong costs
 * little.  The guess came before the wait, so duration / q is right on the average, however
 * wrong the guess was.
 *
 * Should more stacks than BUDGET be taken on a CPU all the same, `wanted` is doubled, and
 * halved again when that is over.  This bounds what new places cost too, of a storm of
 * threads say: then their waits, and long ones, are a matter of chance as short ones are.
 * The budget is that of a time in which a runtime starts, whose waits are all at new places.
 */
#ifndef TIERSCOPE_THREADS_BPF_H
#define TIERSCOPE_THREADS_BPF_H

#include "maps.bpf.h"
#include "ledger.bpf.h"

#define BUDGET_NS	(1ULL << 28)	/* four times a second ... */
#define BUDGET		256		/* ... so many stacks */
#define COARSE_MOST	8		/* doublings of what is wanted */
#define SHIFT_MOST	6		/* of one wait, with none of these */
#define EXPECT_SLOWLY	32

/* Since when all times are counted; 0: not yet, or not any more. */
__u64 off_cpu_since __weak = 0;

/* Of the array of threads. */
KNOB __u32 threads_max __weak = 1;

/* ns that a stack stands for. */
KNOB __u64 off_cpu_grain __weak = 10000000;

struct budget {
	__u64 since_ns;
	__u64 random;
	__u32 taken;		/* since then, or since what is wanted was doubled */
	__u32 coarse;		/* how often what is wanted is doubled */
	__u32 shift;		/* of the stack that was chosen last */
	__u32 reserved;
};

/* The CPU's; only switches use it, and they cannot interrupt each other. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct budget);
} off_cpu_budget SEC(".maps") __weak;

/* The loader holds its stack, and waits for this. */
static __always_inline void send_end(__u32 tid, struct ts_thread *thread, __u64 now)
{
	struct ts_off_cpu_end end = {
		.header = { .type = TS_EVENT_OFF_CPU_END, .size = sizeof(end), .time_ns = now,
			    .space = thread->space, .pid = thread->pid, .tid = tid },
		.out_ns = thread->changed_ns, .woken_ns = thread->woken_ns,
	};

	/* The loader, which misses it, counts it. */
	(void)bpf_ringbuf_output(&samples, &end, sizeof(end), BPF_RB_NO_WAKEUP);
	thread->sampled = 0;
}

/* Its times are on their way to the loader, or lost, and that is counted. */
static __always_inline void thread_end(__u32 tid, struct ts_thread *thread, __u64 now,
				       bool named)
{
	struct ts_thread_end *end;

	/* Its process can be gone already when it runs again for the last time. */
	if (thread->sampled)
		send_end(tid, thread, now);
	ts_thread__advance(thread, now);
	end = bpf_ringbuf_reserve(&samples, sizeof(*end), 0);
	if (end) {
		end->header = (struct ts_event){ .type = TS_EVENT_THREAD_END,
			.size = sizeof(*end), .time_ns = now, .space = thread->space,
			.pid = thread->pid, .tid = tid };
		end->thread = *thread;
		__builtin_memset(end->comm, 0, sizeof(end->comm));
		if (named)
			bpf_get_current_comm(end->comm, sizeof(end->comm));
		bpf_ringbuf_submit(end, BPF_RB_NO_WAKEUP);
	} else {
		ledger_count(TS_LEDGER_OFF_CPU_THREAD_LOST);
	}
	WRITE_ONCE(thread->tid, 0);
}

static __always_inline struct ts_thread *thread_way(__u32 tid, __u32 way)
{
	__u32 index = TS_THREAD_INDEX(tid, way, threads_max);

	return bpf_map_lookup_elem(&threads, &index);
}

/* NULL: it has no row. */
static __always_inline struct ts_thread *thread_find(__u32 tid)
{
	struct ts_thread *thread;

	if (!tid)
		return NULL;	/* an idle CPU */
	for (__u32 way = 0; way < TS_THREAD_WAYS; way++) {
		thread = thread_way(tid, way);
		if (thread && thread->tid == tid)
			return thread;
	}
	return NULL;
}

/* A row that is free, which nobody else takes at the same time. */
static __always_inline struct ts_thread *thread_take(__u32 tid)
{
	struct ts_thread *thread;

	for (__u32 way = 0; way < TS_THREAD_WAYS; way++) {
		thread = thread_way(tid, way);
		if (thread && !__sync_val_compare_and_swap(&thread->tid, 0, tid))
			return thread;
	}
	return NULL;
}

static __always_inline struct ts_thread *thread_begin(__u32 tid, __u32 pid,
						      const struct ts_space *space,
						      __u64 since, __u32 state)
{
	struct ts_thread *thread = thread_take(tid);

	if (!thread) {
		ledger_count(TS_LEDGER_OFF_CPU_THREADS_FULL);
		return NULL;
	}
	/* Not its tid: with 0 for a moment, another CPU could take the row too. */
	__builtin_memset(thread, 0, offsetof(struct ts_thread, tid));
	__builtin_memset(thread->expected, 0, sizeof(thread->expected));
	thread->pid = pid;
	thread->state = state;
	thread->space = space->number;
	thread->since_ns = since;
	thread->changed_ns = since;
	return thread;
}

/* A thread that is seen for the first time was in `state` since its program is in the
 * recording, or since that began. */
static __always_inline struct ts_thread *thread_first_seen(__u32 tid, __u32 pid,
							   const struct ts_space *space,
							   __u32 state)
{
	__u64 since = space->since_ns;

	return thread_begin(tid, pid, space, since < off_cpu_since ? off_cpu_since : since,
			    state);
}

static __always_inline __u32 place_of(__u32 state, __u64 ip, __u64 sp)
{
	return state == TS_STATE_RUNNABLE ? 0 : ((ip ^ sp << 20) * 0x9e3779b97f4a7c15ULL) >> 32;
}

/*
 * Of a thread that counts as off the CPU and is found on it.  Until when it was off nobody
 * knows: the time counts as before, and a stack that was taken stands for nothing.
 */
static __always_inline void thread_not_told(struct ts_thread *thread)
{
	ledger_count(TS_LEDGER_OFF_CPU_NOT_TOLD);
	thread->sampled = 0;
}

static __always_inline void thread_switched_out(struct ts_thread *thread, __u32 state,
						__u32 place, __u64 now)
{
	if (thread->state != TS_STATE_RUNNING)
		thread_not_told(thread);
	ts_thread__advance(thread, now);
	thread->state = state;
	thread->place = place;
	thread->woken_ns = 0;
	thread->switches++;
}

static __always_inline void thread_woken(struct ts_thread *thread, __u64 now)
{
	if (thread->state != TS_STATE_RUNNING && !thread->woken_ns)
		thread->woken_ns = now;
}

/*
 * An expectation: the place's upper bits, so that another one is not taken for it, and
 * the time in units of 1,024 ns, up to 17 s.
 */
#define EXPECT_UNIT	10
#define EXPECT_MOST	0xffffffu
#define PLACE_MARK	0xff000000u

static __always_inline void expect(struct ts_thread *thread, __u64 was)
{
	__u32 *expected = &thread->expected[thread->place & (TS_PLACES - 1)];
	__u32 mark = thread->place & PLACE_MARK, units = EXPECT_MOST, before;

	if (was >> EXPECT_UNIT < EXPECT_MOST)
		units = was >> EXPECT_UNIT;
	if (!units)
		units = 1;
	before = (*expected & PLACE_MARK) == mark ? *expected & EXPECT_MOST : 0;
	if (units < before)
		units = before - (before - units + EXPECT_SLOWLY - 1) / EXPECT_SLOWLY;
	*expected = mark | units;
}

/* 0: the thread never waited there, or some time ago. */
static __always_inline __u64 expected_of(const struct ts_thread *thread)
{
	__u32 expected = thread->expected[thread->place & (TS_PLACES - 1)];

	return (expected & PLACE_MARK) == (thread->place & PLACE_MARK) ?
	       (__u64)(expected & EXPECT_MOST) << EXPECT_UNIT : 0;
}

static __always_inline void thread_switched_in(__u32 tid, struct ts_thread *thread, __u64 now)
{
	if (thread->sampled)
		send_end(tid, thread, now);
	if (thread->state != TS_STATE_RUNNING)
		expect(thread, now > thread->changed_ns ? now - thread->changed_ns : 0);
	ts_thread__advance(thread, now);
	thread->state = TS_STATE_RUNNING;
}

/*
 * A sample found the thread in user mode, so it runs, whether that was told or not: then
 * no more than the time until the first sample is counted wrong.  Who is in user mode is in
 * no switch, so nobody else writes the row now.
 */
static __always_inline void thread_runs(__u32 tid, __u64 now)
{
	struct ts_thread *thread = off_cpu_since ? thread_find(tid) : NULL;

	if (!thread || thread->state == TS_STATE_RUNNING)
		return;
	thread_not_told(thread);
	ts_thread__advance(thread, now);
	thread->state = TS_STATE_RUNNING;
}

/* The next power of two that makes `wanted` of `expected`. */
static __always_inline __u32 shift_of(__u64 expected, __u64 wanted, __u32 most)
{
	__u32 shift = 0;

	while (shift < most && shift < SHIFT_MOST + COARSE_MOST &&
	       expected << shift < wanted)
		shift++;
	return shift;
}

/*
 * Before each choice, so that none is made by what was wanted before a quiet time: after
 * the first BUDGET_NS nothing was switched out here, or that would have begun the next.
 */
static __always_inline void budget_renew(struct budget *budget, __u64 now)
{
	__u64 quiet;

	/* (The clock can be a little behind what it said.) */
	if (now < budget->since_ns + BUDGET_NS)
		return;
	quiet = (now - budget->since_ns) / BUDGET_NS;
	if (budget->taken >= BUDGET / 4)
		quiet--;
	budget->coarse -= quiet < budget->coarse ? quiet : budget->coarse;
	budget->since_ns = now;
	budget->taken = 0;
}

static __always_inline void budget_spend(struct budget *budget)
{
	if (++budget->taken < BUDGET)
		return;
	if (budget->coarse < COARSE_MOST)
		budget->coarse++;
	budget->taken = 0;
}

/* Marsaglia's xorshift: good enough for this, and a third of what the helper takes. */
static __always_inline __u32 next_random(struct budget *budget)
{
	__u64 random = budget->random ? budget->random : bpf_get_prandom_u32() | 1ULL << 32;

	random ^= random << 13;
	random ^= random >> 7;
	random ^= random << 17;
	budget->random = random;
	return random >> 32;
}

/*
 * Whether a stack is to be taken of the thread that is switched out; its shift is in the
 * budget then.  (As a value of the caller's, the verifier of Linux 6.1 would look at all
 * that follows once for each shift.)
 */
static __always_inline struct budget *choose(struct ts_thread *thread, __u64 now)
{
	struct budget *budget;
	__u32 zero = 0, shift;
	__u64 expected;

	budget = bpf_map_lookup_elem(&off_cpu_budget, &zero);
	if (!budget)
		return NULL;
	budget_renew(budget, now);
	expected = expected_of(thread);
	shift = shift_of(expected ? expected : off_cpu_grain,
			 off_cpu_grain << (budget->coarse & 15),
			 SHIFT_MOST + budget->coarse);
	if (shift && next_random(budget) & ((1U << (shift & 31)) - 1))
		return NULL;
	budget_spend(budget);
	budget->shift = shift;
	return budget;
}

/* A thread ends, or the program that it was a thread of; then its name is the next one's. */
static __always_inline void on_thread_exit(__u32 tid, bool named)
{
	struct ts_thread *thread;

	if (!off_cpu_since)
		return;
	thread = thread_find(tid);
	if (thread)
		thread_end(tid, thread, bpf_ktime_get_ns(), named);
}

#endif /* TIERSCOPE_THREADS_BPF_H */
