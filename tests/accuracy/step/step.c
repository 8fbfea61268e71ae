// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Steps through the main thread of a program, one instruction at a time, and at each
// one in managed code or in a stub compares the walk of bpf/unwind.bpf.h with the calls
// that were really made: step PID STEPS.
//
// The truth needs no knowledge of frames.  A call instruction pushes its return address;
// until rsp rises above that word it is a caller, whatever else happens:
//
//      step                    rsp     callers
//      call X                  f8      f8 → after the call
//      push rbp; sub rsp, 40   b0      f8
//      call Y                  a8      a8, f8
//      ret                     b0      f8
//
// Two things are taken from the walk itself: the callers that were there before the
// first step, which are checked when they are returned to; and nothing is compared
// above the first native caller, since native frames are walked by rbp.  A call that
// is never returned to, because an OSR body took over, is known by that body.
#include "../../../user/recorder/stubs.h"
#include "native_walk.h"
#include "places.h"

#include <sched.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#define CALLERS_MAX 2048
#define SHOWN_MAX 12
#define NATIVE_MAX 1000000 /* instructions of native code, among them */
#define NATIVE_AT_ONCE 20000 /* more is a compilation or a collection: millions */
#define LOOKS_MAX 20000	/* for managed code, a millisecond apart */

struct caller {
	__u64 slot, address;	/* where on the stack, and what is there */
	bool of_funclet;	/* a method called its own finally block */
};

static struct caller callers[CALLERS_MAX], walked[CALLERS_MAX];
static unsigned int callers_count, walked_count;
static unsigned long checked, in_stubs, in_prologs, in_epilogs, native, wrong, bad_returns;
static unsigned long strange;	/* instructions in JIT memory that are in no body and no stub */
static unsigned long native_at_once;

static void code_find(__u32 space, __u64 address, struct found *found)
{
	const struct body *body = body_at(address);
	const struct range *range = range_at(address);
	const struct image_row *row;

	memset(found, 0, sizeof(*found));
	found->frame = address;
	found->known = range;
	if (body) {
		found->shape = body->shape;
		found->offset = (__u32)(address - body->start);
		found->size = body->size;
		found->row = 1;
	} else if (range && range->kind == RANGE_IMAGE) {
		row = row_at(address, range);
		found->in_image = true;
		found->shape = row ? row->shape : 0;
		found->offset = row ? (__u32)(address - range->base - row->begin) : 0;
		found->size = row ? row->end - row->begin : 0;
	}
	found->in_jit = range && range->kind == RANGE_JIT;
}

static void *jit_page(__u32 space, __u64 address)
{
	return (void *)range_at(address);
}

/* The callers of a place by the walk, innermost first; the leaf's flags. */
static __u32 walk_callers(const struct user_regs_struct *regs)
{
	static struct walk_scratch scratch;
	struct walk *walk = &scratch.walk;
	struct found found;

	walk->ip = regs->rip;
	walk->sp = regs->rsp;
	walk->bp = regs->rbp;
	walk->r10 = regs->r10;
	walk->rbx = regs->rbx;
	walk_begin(walk, (struct returns_of){ 0 });
	walked_count = 0;
	while (!walk->done && walked_count < CALLERS_MAX) {
		code_find(0, walked_count ? walk->ip - 1 : walk->ip, &found);
		if (walked_count || !leaf_step(&scratch, &found))
			shape_step(walk, found.shape);
		if (!walk->done)
			walked[walked_count++] =
				(struct caller){ walk->sp - 8, walk->ip, false };
	}
	return walk->flags;
}

static bool is_call(__u64 address)
{
	__u8 code[3];

	if (!read_memory(address, code, 3))
		return false;
	if (code[0] == 0xe8)
		return true;
	if (code[0] == 0x41 || code[0] == 0x48)
		return code[1] == 0xff && (code[2] >> 3 & 7) == 2;
	return code[0] == 0xff && (code[1] >> 3 & 7) == 2;
}

/* What the last step did to the callers. */
static void follow(const struct user_regs_struct *before, bool was_call,
		   const struct user_regs_struct *now)
{
	const struct range *from = range_at(before->rip);
	const struct body *body;
	bool returned = false;
	__u64 address;

	if (was_call && now->rsp == before->rsp - 8 && read_memory(now->rsp, &address, 8) &&
	    callers_count < CALLERS_MAX) {
		callers[callers_count++] = (struct caller){
			now->rsp, address, is_to_funclet(address - 1, now->rip) };
		return;
	}
	while (callers_count && callers[callers_count - 1].slot < now->rsp) {
		const struct caller *caller = &callers[--callers_count];

		if (caller->slot + 8 == now->rsp && before->rsp == caller->slot) {
			returned = true;
			bad_returns += caller->address != now->rip;
		}
	}
	if (returned || !from || from->kind != RANGE_NATIVE)
		return;
	/* The runtime jumps into an OSR body: its tier-0 body is not returned to. */
	from = range_at(now->rip);
	body = body_at(now->rip);
	if (!body && from && from->kind == RANGE_JIT) {	/* it was just made */
		read_bodies();
		body = body_at(now->rip);
	}
	if (body && body->start == now->rip && body->tier == TS_TIER_1_OSR && callers_count)
		callers_count--;
}

static void print_place(__u64 address, __u64 slot)
{
	const struct body *body = body_at(address - !!slot);

	printf("    %#llx %s+%#llx at %#llx\n", address, body ? body->name : "?",
	       body ? address - body->start : 0, slot);
}

static void print_code(__u64 address, unsigned int before)
{
	__u8 code[32] = {};

	read_memory(address - before, code, sizeof(code));
	for (unsigned int i = 0; i < sizeof(code); i++)
		printf("%s%02x", i == before ? " | " : " ", code[i]);
	printf("\n");
}

static void complain(const struct user_regs_struct *regs, __u32 flags, unsigned int at)
{
	wrong++;
	printf("wrong, caller %u, flags %#x, rsp %#llx rbp %#llx, code", at, flags, regs->rsp,
	       regs->rbp);
	print_code(regs->rip, 4);
	print_place(regs->rip, 0);
	printf("  walked\n");
	for (unsigned int i = 0; i < walked_count && i < at + 3; i++)
		print_place(walked[i].address, walked[i].slot);
	printf("  called\n");
	for (unsigned int i = 0; i < callers_count && i < at + 3; i++)
		print_place(callers[callers_count - 1 - i].address,
			    callers[callers_count - 1 - i].slot);
}

/* The first caller that differs, or -1. */
static int difference(void)
{
	for (unsigned int i = 0, at = callers_count; at > 0; i++) {
		const struct caller *caller = &callers[--at];
		const struct range *range = range_at(caller->address - 1);

		if (caller->of_funclet) {
			i--;
			continue;
		}
		if (i >= walked_count || walked[i].slot != caller->slot ||
		    walked[i].address != caller->address)
			return (int)i;
		if (range && range->kind == RANGE_NATIVE)
			return -1;
	}
	return -1;
}

/* What is in no body that we know is a stub, or a body that came a moment ago. */
static struct body *check_stub(__u64 address)
{
	struct body *body = NULL;
	struct stub_lead lead;

	if (stub__read(pid, address, &lead) == STUB_NONE) {
		read_bodies();
		body = body_at(address);
		if (!body) {
			strange++;
			printf("no stub that we know at %#llx:", address);
			print_code(address, 16);
		}
	}
	in_stubs += !body;
	return body;
}

static void check_here(const struct user_regs_struct *regs)
{
	const struct range *range = range_at(regs->rip);
	struct body *body;
	__u32 flags;
	int at;

	if (range && range->kind == RANGE_NATIVE) {
		native++;
		native_at_once++;
		return;
	}
	native_at_once = 0;
	flags = walk_callers(regs);
	at = difference();
	/* Perhaps there is code, or a library, that came a moment ago. */
	for (int attempt = 0; at >= 0 && attempt < 2; attempt++) {
		attempt ? read_ranges() : read_bodies();
		flags = walk_callers(regs);
		at = difference();
	}
	checked++;
	body = body_at(regs->rip);
	if (!body && range && range->kind == RANGE_JIT)
		body = check_stub(regs->rip);
	if (body && !body->seen)
		printf("body %s\n", body->name);
	if (body)
		body->seen = true;
	in_prologs += !!(flags & TS_SAMPLE_LEAF_PROLOG);
	in_epilogs += !!(flags & TS_SAMPLE_LEAF_EPILOG);
	if (at >= 0)
		complain(regs, flags, (unsigned int)at);
}

/* One instruction; false when the thread is gone. */
static bool step(struct user_regs_struct *ret_regs)
{
	int status, signal = 0;

	do {
		if (ptrace(PTRACE_SINGLESTEP, pid, 0, signal) ||
		    waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
			return false;
		signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
	} while (signal);
	forget_memory();
	return !ptrace(PTRACE_GETREGS, pid, 0, ret_regs);
}

/* Stops the thread, which runs; signals that come first are its own. */
static bool stop(struct user_regs_struct *ret_regs)
{
	int status;

	if (ptrace(PTRACE_INTERRUPT, pid, 0, 0))
		return false;
	while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
		if (status >> 16 == PTRACE_EVENT_STOP)
			return !ptrace(PTRACE_GETREGS, pid, 0, ret_regs);
		if (ptrace(PTRACE_CONT, pid, 0, WSTOPSIG(status)))
			return false;
	}
	return false;
}

/* Lets the running thread run until a look finds it in managed code, and takes the callers
 * that it has from the walk.  Steps would not do: through a compilation they take minutes. */
static bool begin(struct user_regs_struct *ret_regs)
{
	const struct range *range;

	for (int look = 0; look < LOOKS_MAX; look++) {
		usleep(1000);
		if (!stop(ret_regs))
			return false;
		read_ranges();
		range = range_at(ret_regs->rip);
		if (range && range->kind != RANGE_NATIVE)
			break;
		if (ptrace(PTRACE_CONT, pid, 0, 0))
			return false;
	}
	if (!range || range->kind == RANGE_NATIVE)
		return false;
	forget_memory();
	native_at_once = 0;
	read_bodies();
	walk_callers(ret_regs);
	for (callers_count = 0; callers_count < walked_count; callers_count++)
		callers[callers_count] = walked[walked_count - 1 - callers_count];
	return true;
}

/* The two take turns, so one CPU serves them better than two that wake each other. */
static void share_a_cpu(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	sched_setaffinity(0, sizeof(here), &here);
	sched_setaffinity(pid, sizeof(here), &here);
}

int main(int argc, char **argv)
{
	struct user_regs_struct before, now;

	if (argc != 3)
		return 3;
	pid = (pid_t)strtol(argv[1], NULL, 10);
	if (journal__open(pid, &journal))
		return 2;
	share_a_cpu();
	if (ptrace(PTRACE_SEIZE, pid, 0, 0) || !begin(&now))
		return 2;
	while (checked < strtoul(argv[2], NULL, 10) && native < NATIVE_MAX && wrong < SHOWN_MAX) {
		bool was_call = is_call(now.rip);

		before = now;
		if (!step(&now))
			return 2;
		follow(&before, was_call, &now);
		check_here(&now);
		if (native_at_once > NATIVE_AT_ONCE &&
		    (ptrace(PTRACE_CONT, pid, 0, 0) || !begin(&now)))
			return 2;
	}
	ptrace(PTRACE_DETACH, pid, 0, 0);
	printf("checked %lu stubs %lu prologs %lu epilogs %lu native %lu wrong %lu "
	       "astray %lu strange %lu\n", checked, in_stubs, in_prologs, in_epilogs, native,
	       wrong, bad_returns, strange);
	journal__free(journal);
	return wrong || bad_returns || strange ? 1 : 0;
}
