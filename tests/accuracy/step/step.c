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
#include "native_walk.h"

#include "../../../user/image/image.h"
#include "../../../user/target/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define BODIES_MAX 65536
#define RANGES_MAX 2048
#define CALLERS_MAX 2048
#define SHOWN_MAX 12
#define NATIVE_MAX 1000000 /* instructions of native code, among them */

struct body {
	__u64 start;
	__u32 size, shape, tier;
	bool seen;
	char name[64];
};

enum range_kind { RANGE_JIT, RANGE_IMAGE, RANGE_NATIVE };

struct range {
	__u64 start, end;
	enum range_kind kind;
	struct image *image;
	__u64 base;
};

struct caller {
	__u64 slot, address;	/* where on the stack, and what is there */
	bool of_funclet;	/* a method called its own finally block */
};

static pid_t pid;
static struct journal *journal;
static struct body known_bodies[BODIES_MAX];
static struct range ranges[RANGES_MAX];
static unsigned int bodies_count, ranges_count;
static struct caller callers[CALLERS_MAX], walked[CALLERS_MAX];
static unsigned int callers_count, walked_count;
static unsigned long checked, in_stubs, in_prologs, in_epilogs, native, wrong, bad_returns;
static struct {
	__u64 page;
	__u8 bytes[4096];
} cache[64];

static bool read_page(__u64 page, __u8 *to)
{
	struct iovec local = { to, 4096 }, remote = { (void *)page, 4096 };

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == 4096;
}

/* Memory as it is at this step: pages are kept until the next. */
static bool read_memory(__u64 address, void *to, __u32 size)
{
	while (size) {
		__u64 page = address & ~4095ull;
		__u32 part = 4096 - (address & 4095), slot = (page >> 12) % 64;

		if (part > size)
			part = size;
		if (cache[slot].page != page) {
			cache[slot].page = 0;
			if (!read_page(page, cache[slot].bytes))
				return false;
			cache[slot].page = page;
		}
		memcpy(to, cache[slot].bytes + (address & 4095), part);
		to = (char *)to + part;
		address += part;
		size -= part;
	}
	return true;
}

static const struct range *range_at(__u64 address)
{
	for (unsigned int i = 0; i < ranges_count; i++)
		if (address >= ranges[i].start && address < ranges[i].end)
			return &ranges[i];
	return NULL;
}

static struct body *body_at(__u64 address)
{
	unsigned int low = 0, high = bodies_count;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (known_bodies[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || address - known_bodies[low - 1].start >= known_bodies[low - 1].size)
		return NULL;
	return &known_bodies[low - 1];
}

/* The row of an image, NULL if no function is there. */
static const struct image_row *row_at(__u64 address, const struct range *range)
{
	const struct image_row *rows;
	__u32 count = image__rows(range->image, &rows), low = 0, high = count;
	__u64 rva = address - range->base;

	while (low < high) {
		__u32 middle = (low + high) / 2;

		if (rows[middle].begin <= rva)
			low = middle + 1;
		else
			high = middle;
	}
	return low && rva < rows[low - 1].end ? &rows[low - 1] : NULL;
}

/* Is this a call from within a body to another place of it than its start? */
static bool is_to_funclet(__u64 from, __u64 to)
{
	const struct body *body = body_at(to);
	const struct range *range = range_at(to);
	const struct image_row *row, *calling;
	const struct image_body *image_bodies;

	if (body)
		return body == body_at(from) && to != body->start;
	if (!range || range->kind != RANGE_IMAGE || range_at(from) != range)
		return false;
	row = row_at(to, range);
	calling = row_at(from, range);
	if (!row || !calling || row->body != calling->body ||
	    row->body >= image__bodies(range->image, &image_bodies))
		return false;
	return to - range->base != image_bodies[row->body].begin;
}

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

static int add_body(void *context, const struct ts_journal_record *record,
		    const char *text, uint32_t text_size)
{
	struct body *body = &known_bodies[bodies_count];
	const char *method = text + strlen(text) + 1;

	if (record->kind != TS_RECORD_CODE || record->death_sequence)
		return 0;
	if (bodies_count == BODIES_MAX)
		return -E2BIG;
	*body = (struct body){ .start = record->start, .size = record->size,
			       .shape = record->shape, .tier = record->tier };
	snprintf(body->name, sizeof(body->name), "%.30s.%.30s", text,
		 method < text + text_size ? method : "");
	bodies_count++;
	return 0;
}

static int by_start(const void *a, const void *b)
{
	__u64 x = ((const struct body *)a)->start, y = ((const struct body *)b)->start;

	return x < y ? -1 : x > y;
}

static void add_range(__u64 start, __u64 end, __u64 offset, const char *path)
{
	const char *dot = strrchr(path, '.');
	struct range *range = &ranges[ranges_count];
	int fd;

	if (ranges_count == RANGES_MAX)
		return;
	*range = (struct range){ .start = start, .end = end, .kind = RANGE_NATIVE };
	if (path[0] != '/' || strstr(path, "doublemapper")) {
		range->kind = path[0] == '[' ? RANGE_NATIVE : RANGE_JIT;
	} else if (dot && !strcmp(dot, ".dll")) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && !image__open(fd, 0, NULL, &range->image)) {
			range->kind = RANGE_IMAGE;
			range->base = image__base_of_mapping(range->image, start, offset);
		}
		if (fd >= 0)
			close(fd);
	}
	ranges_count++;
}

static void read_bodies(void)
{
	__u32 unreadable;

	bodies_count = 0;
	if (journal__each(journal, add_body, NULL, &unreadable))
		exit(2);
	qsort(known_bodies, bodies_count, sizeof(known_bodies[0]), by_start);
}

static void read_ranges(void)
{
	char path[64], line[1024];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	if (!maps)
		exit(2);
	for (unsigned int i = 0; i < ranges_count; i++)
		image__free(ranges[i].image);
	ranges_count = 0;
	while (fgets(line, sizeof(line), maps)) {
		unsigned long long start, end, offset;
		char mode[8], file[900] = "";

		if (sscanf(line, "%llx-%llx %7s %llx %*s %*s %899[^\n]", &start, &end, mode,
			   &offset, file) >= 4 && mode[2] == 'x')
			add_range(start, end, offset, file);
	}
	fclose(maps);
}

/* The callers of a place by the walk, innermost first; the leaf's flags. */
static __u32 walk_callers(const struct user_regs_struct *regs)
{
	static struct decoder decoder;
	static struct walk walk;
	struct found found;

	walk.ip = regs->rip;
	walk.sp = regs->rsp;
	walk.bp = regs->rbp;
	walk_begin(&walk, (struct returns_of){ 0 });
	walked_count = 0;
	while (!walk.done && walked_count < CALLERS_MAX) {
		code_find(0, walked_count ? walk.ip - 1 : walk.ip, &found);
		if (walked_count)
			shape_step(&walk, found.shape);
		else
			leaf_step(&walk, &found, &decoder);
		if (!walk.done)
			walked[walked_count++] =
				(struct caller){ walk.sp - 8, walk.ip, false };
	}
	return walk.flags;
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

static void complain(const struct user_regs_struct *regs, __u32 flags, unsigned int at)
{
	__u8 code[16] = {};

	wrong++;
	read_memory(regs->rip - 4, code, sizeof(code));
	printf("wrong, caller %u, flags %#x, rsp %#llx rbp %#llx, code", at, flags, regs->rsp,
	       regs->rbp);
	for (unsigned int i = 0; i < sizeof(code); i++)
		printf("%s%02x", i == 4 ? " | " : " ", code[i]);
	printf("\n");
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

static void check_here(const struct user_regs_struct *regs)
{
	const struct range *range = range_at(regs->rip);
	struct body *body;
	__u32 flags;
	int at;

	if (range && range->kind == RANGE_NATIVE) {
		native++;
		return;
	}
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
	if (body && !body->seen)
		printf("body %s\n", body->name);
	if (body)
		body->seen = true;
	in_stubs += !body && range && range->kind == RANGE_JIT;
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
	for (unsigned int i = 0; i < 64; i++)
		cache[i].page = 0;
	return !ptrace(PTRACE_GETREGS, pid, 0, ret_regs);
}

/* Runs on until the thread is in managed code. */
static bool begin(struct user_regs_struct *ret_regs)
{
	const struct range *range;
	int status;

	if (ptrace(PTRACE_SEIZE, pid, 0, 0) || ptrace(PTRACE_INTERRUPT, pid, 0, 0) ||
	    waitpid(pid, &status, __WALL) != pid)
		return false;
	do {
		if (!step(ret_regs))
			return false;
		range = range_at(ret_regs->rip);
	} while (!range || range->kind == RANGE_NATIVE);
	read_bodies();
	walk_callers(ret_regs);
	for (callers_count = 0; callers_count < walked_count; callers_count++)
		callers[callers_count] = walked[walked_count - 1 - callers_count];
	return true;
}

int main(int argc, char **argv)
{
	struct user_regs_struct before, now;

	if (argc != 3)
		return 3;
	pid = (pid_t)strtol(argv[1], NULL, 10);
	if (journal__open(pid, &journal))
		return 2;
	read_bodies();
	read_ranges();
	if (!begin(&now))
		return 2;
	while (checked < strtoul(argv[2], NULL, 10) && native < NATIVE_MAX && wrong < SHOWN_MAX) {
		bool was_call = is_call(now.rip);

		before = now;
		if (!step(&now))
			return 2;
		follow(&before, was_call, &now);
		check_here(&now);
	}
	ptrace(PTRACE_DETACH, pid, 0, 0);
	printf("checked %lu stubs %lu prologs %lu epilogs %lu native %lu wrong %lu "
	       "astray %lu\n", checked, in_stubs, in_prologs, in_epilogs, native,
	       wrong, bad_returns);
	journal__free(journal);
	return wrong || bad_returns ? 1 : 0;
}
