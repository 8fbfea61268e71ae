// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The sampler on code whose stacks are known: machine code with each form of
// frame, interrupted wherever the clock does; and the ledger, to the last run.
//
// Samples are waited for by their number; the deadline only ends a hang.
#include "kernel_side.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PERIOD_NS  200000
#define EVENT	   1
#define DEADLINE_S 120 /* in an emulated machine beside other work; else a second */
#define ENOUGH	   300 /* samples of one form */

/* The child's code page:  OUTER calls BODY, which may leave by TAIL. */
#define CODE  0x7e5000000000ULL
#define OUTER (CODE + 0x1000)
#define BODY  (CODE + 0x1100)
#define TAIL  (CODE + 0x1200)
#define OSR   (CODE + 0x1300)
#define CELL  (CODE + 0x1400) /* holds the address of TAIL */

static struct kernel_side *kernel;
static struct child child;
static __u32 space;
static volatile int *stop; /* shared with the child */

/* --- forms of frames --------------------------------------------------------- */

struct form {
	const char *name;
	__u32 shape;
	const char *hex; /* of BODY; @T is the distance to TAIL, @O, @C, @B likewise, @L
			    a loop */
};

#define FRAMED(prolog)		 TS_SHAPE(TS_FRAME_FRAMED, prolog, 0)
#define FRAMELESS(prolog, slots) TS_SHAPE(TS_FRAME_FRAMELESS, prolog, slots)

static const struct form forms[] = {
	{"framed, nothing saved", FRAMED(4), "55488BEC@L5DC3"},
	{"framed, everything saved", FRAMED(19),
	 "554157415641554154534883EC18488D6C2440@L4883C4185B415C415D415E415F5DC3"},
	{"framed, with a stackalloc", FRAMED(11),
	 "55534883EC18488D6C24204883EC40@L488D65F85B5DC3"},
	{"framed, direct tail call", FRAMED(4), "55488BEC@L5DE9@T"},
	{"framed, tail call through a cell", FRAMED(4), "55488BEC@L5DFF25@C"},
	/* lea rax, [CELL] stands for a virtual method table */
	{"framed, virtual tail call", FRAMED(7), "5553488D6C2408@L488D05@C5B5D48FF20"},
	{"framed, tail call through a register", FRAMED(4),
	 "55488BEC@L488B05@C5D48FFE0"},
	{"frameless leaf", FRAMELESS(0, 0), "@LC3"},
	{"frameless leaf, tail call", FRAMELESS(0, 0), "@LE9@T"},
	{"frameless, one call", FRAMELESS(1, 1), "50@L4883C408C3"},
	{"frameless, registers saved", FRAMELESS(7, 4),
	 "4156534883EC10@L4883C4105B415EC3"},
	{"frameless, tail call", FRAMELESS(1, 1), "50@L4883C408E9@T"},
	/* tier 0 with 11 slots; its call of the patchpoint helper enters OSR */
	{"tier 0, left through OSR", FRAMED(11), "55534883EC48488D6C2450@LE8@OCC"},
};
#define FORMS (sizeof(forms) / sizeof(forms[0]))

#define OSR_SHAPE TS_SHAPE(TS_FRAME_OSR, 19, 11)
#define OSR_HEX	  "488B4500504883EC1848895C2460488D6C2418@L4883C4705B5DC3"
/* push rbp; mov rbp, rsp; push rbx; push rax; mov ebx, 1000;
   again: call BODY; dec ebx; jnz again; add rsp, 8; pop rbx; pop rbp; ret */
#define OUTER_HEX "55488BEC5350BBE8030000E8@BFFCB75F74883C4085B5DC3"
#define TAIL_HEX  "@LC3"

/* The bytes at `at`, to memory there if `write`; how many. */
static __u32 encode(__u64 at, const char *hex, bool write)
{
	/* mov ecx, 8; again: dec ecx; jnz again */
	static const __u8 loop[] = {0xb9, 8, 0, 0, 0, 0xff, 0xc9, 0x75, 0xfc};
	__u8 *to = (__u8 *)(uintptr_t)at;
	__u32 size = 0;

	for (; *hex; hex += 2) {
		__u64 target = hex[1] == 'T'   ? TAIL
			       : hex[1] == 'O' ? OSR
			       : hex[1] == 'C' ? CELL
					       : BODY;
		__s32 distance = (__s32)(target - (at + size + 4));
		unsigned int byte;

		if (hex[0] == '@' && hex[1] == 'L') {
			if (write)
				memcpy(to + size, loop, sizeof(loop));
			size += sizeof(loop);
			continue;
		}
		if (*hex == '@') {
			if (write)
				memcpy(to + size, &distance, sizeof(distance));
			size += sizeof(distance);
			continue;
		}
		sscanf(hex, "%2x", &byte);
		if (write)
			to[size] = (__u8)byte;
		size++;
	}
	return size;
}

static __u32 size_of(const char *hex)
{
	return encode(0, hex, false);
}

/* --- what the child does -------------------------------------------------------- */

enum { RECURSE = 100, SYSTEM_CALLS, STUB };
#define RECURSION 300

#define BUSY __attribute__((noinline, section("busy")))
extern char __start_busy[], __stop_busy[];

static BUSY void spin(void)
{
	void (*outer)(void) = (void (*)(void))(uintptr_t)OUTER;

	while (!*stop)
		outer();
}

static BUSY int recurse(int depth)
{
	int sum = 0;

	if (depth == 0)
		for (int i = 0; i < 100000; i++)
			__asm__ volatile("" : "+r"(sum));
	else
		sum = recurse(depth - 1);
	__asm__ volatile("" : "+r"(sum)); /* no tail call */
	return sum;
}

static void map_code(const char *body)
{
	void *code = mmap((void *)(uintptr_t)CODE, 0x10000,
			  PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (code != (void *)(uintptr_t)CODE)
		_exit(3);
	memset(code, 0xcc, 0x10000);
	encode(OUTER, OUTER_HEX, true);
	encode(BODY, body, true);
	encode(TAIL, TAIL_HEX, true);
	encode(OSR, OSR_HEX, true);
	*(__u64 *)(uintptr_t)CELL = TAIL;
}

static void work(int what)
{
	if (what == RECURSE) {
		while (!*stop)
			recurse(RECURSION);
		return;
	}
	if (what == SYSTEM_CALLS) {
		while (!*stop)
			syscall(SYS_getppid);
		return;
	}
	map_code(forms[what == STUB ? 3 : what].hex);
	spin();
	munmap((void *)(uintptr_t)CODE, 0x10000);
}

/* --- set-up ----------------------------------------------------------------------- */

/* Of the child all is known but its code page. */
static void adopt(void)
{
	space = kernel_side__adopt(kernel, child.pid, 0);
	kernel_side__map_native(kernel, space, child.pid);
}

static int setup_sized(const struct sizes *sizes)
{
	if (kernel_side__missing())
		return 0;
	stop = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		    0);
	assert_ptr_not_equal(stop, MAP_FAILED);
	*stop = 0;
	kernel = kernel_side__open(sizes);
	kernel_side__attach_sampler(kernel, PERIOD_NS, EVENT);
	child__start(&child, work);
	adopt();
	return 0;
}

static int setup(void **state)
{
	return setup_sized(NULL);
}

static int setup_kernel_stacks(void **state)
{
	return setup_sized(&(struct sizes){.kernel_stacks = 1});
}

static int setup_small_ring(void **state)
{
	return setup_sized(&(struct sizes){.sample_ring = 4096});
}

static __u64 counted(__u32 what)
{
	return kernel_side__counted(kernel, what);
}

/* runs = out of scope + kept + the losses, and what was kept is what came. */
static void assert_balance(void)
{
	kernel_side__drain_samples(kernel);
	assert_int_equal(counted(TS_LEDGER_RUNS),
			 counted(TS_LEDGER_OUT_OF_SCOPE) + counted(TS_LEDGER_KEPT) +
				 counted(TS_LEDGER_RING_FULL) +
				 counted(TS_LEDGER_NO_USER_REGISTERS) +
				 counted(TS_LEDGER_INTERNAL));
	assert_int_equal(counted(TS_LEDGER_KEPT), kernel->events_count);
	assert_int_equal(counted(TS_LEDGER_INTERNAL), 0);
}

static int teardown(void **state)
{
	if (!kernel)
		return 0;
	kernel_side__sampling(kernel, false);
	*stop = 1;
	assert_int_equal(child__end(&child), 0);
	assert_balance();
	kernel_side__close(kernel);
	kernel = NULL;
	munmap((void *)stop, 4096);
	return 0;
}

static const struct ts_sample *sample(size_t index)
{
	return (const struct ts_sample *)kernel->events[index];
}

/* --- sampling until there is enough -------------------------------------------- */

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

/* The child does it while `enough` says no; then all is off and drained. */
static void sample_until(int what, bool (*enough)(void))
{
	time_t deadline = now() + DEADLINE_S;

	*stop = 0;
	child__tell(&child, what);
	kernel_side__sampling(kernel, true);
	while (!enough()) {
		if (now() > deadline)
			fail_msg("too few samples in %d s", DEADLINE_S);
		usleep(10000);
		kernel_side__drain_samples(kernel);
	}
	kernel_side__sampling(kernel, false);
	*stop = 1;
	assert_int_equal(read(child.answer, &what, sizeof(what)), sizeof(what));
	assert_balance();
}

/* --- forms ------------------------------------------------------------------------ */

enum { OUTER_ROW, BODY_ROW, TAIL_ROW, OSR_ROW, ROWS };

static struct ts_insert rows[ROWS];

static struct ts_insert add(__u64 start, __u32 size, __u32 shape)
{
	struct ts_journal_record record = {
		.start = start, .size = size, .shape = shape, .function_id = start};
	struct ts_insert inserted =
		kernel_side__insert(kernel, space, child.pid, &record);

	assert_int_equal(inserted.error, 0);
	return inserted;
}

static bool is_row(__u64 frame, int row)
{
	return frame ==
	       TS_FRAME_MAKE(TS_FRAME_TAG_BODY, rows[row].generation, rows[row].row);
}

static bool is_busy(__u64 frame)
{
	return frame >= (__u64)(uintptr_t)__start_busy &&
	       frame < (__u64)(uintptr_t)__stop_busy;
}

/* Samples whose leaf is beyond OUTER: in what it calls. */
static size_t samples_in_bodies(void)
{
	size_t count = 0;

	for (size_t i = 0; i < kernel->events_count; i++)
		for (int row = BODY_ROW; row < ROWS; row++)
			count += is_row(sample(i)->frames[0], row);
	return count;
}

static bool enough_in_bodies(void)
{
	return samples_in_bodies() >= ENOUGH;
}

static const char *describe(const struct ts_sample *sample)
{
	static char text[512];
	int length = snprintf(text, sizeof(text), "ip %llx, flags %x:", sample->ip,
			      sample->flags);

	for (int i = 0; i < sample->frames_count && i < 6; i++)
		length += snprintf(text + length, sizeof(text) - (size_t)length,
				   " %llx", sample->frames[i]);
	return text;
}

/* Whatever is the leaf, OUTER is its caller, and `spin` that one's. */
static void check_form(const struct form *form, const struct ts_sample *sample)
{
	int at = 0;

	if (!is_row(sample->frames[0], OUTER_ROW)) {
		at = 1;
		if (!is_row(sample->frames[0], BODY_ROW) &&
		    !is_row(sample->frames[0], TAIL_ROW) &&
		    !is_row(sample->frames[0], OSR_ROW))
			return; /* the child's own code */
	}
	if (sample->frames_count < at + 2 || !is_row(sample->frames[at], OUTER_ROW) ||
	    !is_busy(sample->frames[at + 1]) || sample->flags & TS_SAMPLE_BAD_FRAME)
		fail_msg("%s: %s", form->name, describe(sample));
}

static void the_caller_is_right_wherever_the_clock_strikes(void **state)
{
	size_t first = 0;

	SKIP_IF_MISSING();
	for (size_t f = 0; f < FORMS; f++) {
		memset(rows, 0, sizeof(rows));
		adopt();
		rows[OUTER_ROW] = add(OUTER, size_of(OUTER_HEX), FRAMED(4));
		rows[BODY_ROW] = add(BODY, size_of(forms[f].hex), forms[f].shape);
		rows[TAIL_ROW] = add(TAIL, size_of(TAIL_HEX), FRAMELESS(0, 0));
		rows[OSR_ROW] = add(OSR, size_of(OSR_HEX), OSR_SHAPE);
		sample_until((int)f, enough_in_bodies);
		for (size_t i = first; i < kernel->events_count; i++)
			check_form(&forms[f], sample(i));
		first = kernel->events_count;
	}
}

/* --- memory of which nothing is known ------------------------------------------ */

static size_t flagged(__u32 flag)
{
	size_t count = 0;

	for (size_t i = 0; i < kernel->events_count; i++)
		count += !!(sample(i)->flags & flag);
	return count;
}

static size_t pending_wanted;

static bool enough_pending(void)
{
	return flagged(TS_SAMPLE_STACK) >= pending_wanted;
}

/* The sample as it would be, had its code been known. */
static void check_finished(const struct form *form, const struct ts_sample *pending)
{
	static __u64 room[sizeof(struct ts_sample) / 8 + TS_FRAMES_MAX];
	struct ts_sample *finished = (struct ts_sample *)room;
	const struct ts_finish *finish;

	assert_int_equal(pending->flags & TS_SAMPLE_TABLE_PENDING,
			 TS_SAMPLE_TABLE_PENDING);
	finish = kernel_side__finish(kernel, pending);
	assert_in_range(finish->count, pending->frames_count, TS_FRAMES_MAX);
	assert_int_equal(finish->flags & TS_SAMPLE_TABLE_PENDING, 0);
	*finished = *pending;
	finished->flags = (__u16)finish->flags;
	finished->frames_count = (__u16)finish->count;
	for (__u32 i = 0; i < finish->count; i++)
		finished->frames[i] = i < finish->first ? pending->frames[i]
							: finish->frames[i];
	check_form(form, finished);
}

/* Leaf or caller, in prologs and epilogs too: what is learnt later walks on. */
static void a_walk_is_finished_when_its_code_is_known(void **state)
{
	size_t first = 0, delivered;

	SKIP_IF_MISSING();
	for (size_t f = 0; f < FORMS; f++) {
		adopt();
		pending_wanted = (f + 1) * ENOUGH;
		sample_until((int)f, enough_pending);
		memset(rows, 0, sizeof(rows));
		rows[OUTER_ROW] = add(OUTER, size_of(OUTER_HEX), FRAMED(4));
		rows[BODY_ROW] = add(BODY, size_of(forms[f].hex), forms[f].shape);
		rows[TAIL_ROW] = add(TAIL, size_of(TAIL_HEX), FRAMELESS(0, 0));
		rows[OSR_ROW] = add(OSR, size_of(OSR_HEX), OSR_SHAPE);
		/* On a slow machine some find the ring full. */
		delivered = flagged(TS_SAMPLE_TABLE_PENDING);
		assert_in_range(counted(TS_LEDGER_TABLE_PENDING), delivered,
				delivered + counted(TS_LEDGER_RING_FULL));
		for (size_t i = first; i < kernel->events_count; i++)
			if (sample(i)->flags & TS_SAMPLE_STACK)
				check_finished(&forms[f], sample(i));
		first = kernel->events_count;
	}
}

/* In a page with another body: leaves of which the code map says no more than that. */
static bool enough_untold(void)
{
	size_t count = 0;

	for (size_t i = 0; i < kernel->events_count; i++)
		count += sample(i)->frames[0] - BODY < CELL - BODY;
	return count >= pending_wanted;
}

/* Where it looks like a stub, as one without a frame does, its caller is known at once. */
static void a_body_that_runs_before_its_event_is_waited_for(void **state)
{
	const struct ts_finish *finish;
	size_t first = 0, waited = 0;

	SKIP_IF_MISSING();
	for (size_t f = 0; f < FORMS; f++) {
		adopt();
		memset(rows, 0, sizeof(rows));
		rows[OUTER_ROW] = add(OUTER, size_of(OUTER_HEX), FRAMED(4));
		pending_wanted = (f + 1) * 20;
		sample_until((int)f, enough_untold);
		rows[BODY_ROW] = add(BODY, size_of(forms[f].hex), forms[f].shape);
		rows[TAIL_ROW] = add(TAIL, size_of(TAIL_HEX), FRAMELESS(0, 0));
		rows[OSR_ROW] = add(OSR, size_of(OSR_HEX), OSR_SHAPE);
		for (size_t i = first; i < kernel->events_count; i++) {
			if (!(sample(i)->flags & TS_SAMPLE_STACK))
				continue;
			check_finished(&forms[f], sample(i));
			finish = kernel_side__finish(kernel, sample(i));
			assert_int_equal(TS_FRAME_TAG(finish->frames[finish->first]),
					 TS_FRAME_TAG_BODY);
			waited++;
		}
		first = kernel->events_count;
	}
	assert_in_range(waited, 2, first);
}

/* Each sample is counted once, in the row of its leaf, for its event. */
static void leaves_are_counted_in_their_rows(void **state)
{
	__u64 want[ROWS] = {}, more = 0;

	SKIP_IF_MISSING();
	memset(rows, 0, sizeof(rows));
	rows[OUTER_ROW] = add(OUTER, size_of(OUTER_HEX), FRAMED(4));
	rows[BODY_ROW] = add(BODY, size_of(forms[3].hex), forms[3].shape);
	rows[TAIL_ROW] = add(TAIL, size_of(TAIL_HEX), FRAMELESS(0, 0));
	rows[OSR_ROW] = add(OSR, size_of(OSR_HEX), OSR_SHAPE);
	sample_until(3, enough_in_bodies);
	for (size_t i = 0; i < kernel->events_count; i++) {
		const struct ts_sample *one = sample(i);

		assert_int_equal(one->header.type, TS_EVENT_SAMPLE);
		assert_int_equal(one->header.space, space);
		assert_int_equal(one->header.pid, child.pid);
		assert_int_equal(one->header.tid, child.pid);
		assert_int_equal(one->event, EVENT);
		assert_in_range(one->frames_count, 1, TS_FRAMES_MAX);
		for (int row = 0; row < ROWS; row++)
			want[row] += is_row(one->frames[0], row);
	}
	for (int row = 0; row < ROWS; row++) {
		for (__u32 e = 0; e < TS_EVENTS_MAX; e++) {
			__u32 index = rows[row].row * TS_EVENTS_MAX + e;
			__u64 found;

			assert_return_code(
				bpf_map_lookup_elem(
					bpf_map__fd(kernel->skeleton->maps.leaf_counts),
					&index, &found),
				errno);
			assert_true(found >= (e == EVENT ? want[row] : 0));
			more += found - (e == EVENT ? want[row] : 0);
		}
	}
	/* On a slow machine some find the ring full. */
	assert_true(more <= counted(TS_LEDGER_RING_FULL));
}

/* --- the rest ------------------------------------------------------------------------
 */

static bool enough_truncated(void)
{
	return flagged(TS_SAMPLE_TRUNCATED) >= 50;
}

static void deep_stacks_are_cut_and_counted(void **state)
{
	SKIP_IF_MISSING();
	sample_until(RECURSE, enough_truncated);
	assert_int_equal(counted(TS_LEDGER_TRUNCATED), flagged(TS_SAMPLE_TRUNCATED));
	for (size_t i = 0; i < kernel->events_count; i++) {
		if (!(sample(i)->flags & TS_SAMPLE_TRUNCATED))
			continue;
		assert_int_equal(sample(i)->frames_count, TS_FRAMES_MAX);
		/* Further out may lie what called it, if it was on its way down. */
		for (int f = 0; f < TS_FRAMES_MAX - 27; f++)
			if (!is_busy(sample(i)->frames[f]))
				fail_msg("frame %d: %s", f, describe(sample(i)));
	}
}

static bool enough_in_kernel(void)
{
	return flagged(TS_SAMPLE_KERNEL_MODE) >= 50;
}

/* Where the thread was in user mode is known in the kernel too. */
static void samples_in_the_kernel_have_user_stacks(void **state)
{
	SKIP_IF_MISSING();
	sample_until(SYSTEM_CALLS, enough_in_kernel);
	for (size_t i = 0; i < kernel->events_count; i++) {
		assert_int_equal(TS_FRAME_TAG(sample(i)->frames[0]), TS_FRAME_TAG_RAW);
		assert_true(sample(i)->frames[0] == sample(i)->ip);
		assert_true(sample(i)->ip < 1ULL << 47);
		assert_int_equal(sample(i)->kernel_count, 0); /* not asked for */
	}
}

/* The kernel's code at an address, by the kernel's own list. */
static void name_address(__u64 address, char ret_name[128])
{
	FILE *file = fopen("/proc/kallsyms", "r");
	unsigned long long start, best = 0;
	char line[1024], name[128], type;

	assert_non_null(file);
	ret_name[0] = 0;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%llx %c %127s", &start, &type, name) != 3 ||
		    !strchr("tTwW", type) || start > address || start <= best)
			continue;
		best = start;
		strcpy(ret_name, name);
	}
	fclose(file);
}

/* Leaf first, and the way in last: a system call, an exception, an interrupt. */
static void samples_in_the_kernel_have_kernel_stacks(void **state)
{
	unsigned int calls = 0, modes[2] = {};
	char name[128];

	SKIP_IF_MISSING();
	sample_until(SYSTEM_CALLS, enough_in_kernel);
	for (size_t i = 0; i < kernel->events_count; i++) {
		const struct ts_sample *one = sample(i);
		bool in_kernel = one->flags & TS_SAMPLE_KERNEL_MODE;

		modes[in_kernel]++;
		assert_true(one->frames[0] == one->ip);
		assert_int_equal(one->header.size,
				 sizeof(*one) +
					 8 * (one->frames_count + one->kernel_count));
		if (in_kernel)
			assert_in_range(one->kernel_count, 1, TS_KERNEL_FRAMES_MAX);
		else
			assert_int_equal(one->kernel_count, 0);
		for (int f = 0; f < one->kernel_count; f++)
			assert_int_equal(TS_FRAME_TAG(one->frames[one->frames_count + f]),
					 TS_FRAME_TAG_KERNEL);
		if (one->kernel_count < 2 || calls >= 10)
			continue;
		name_address(one->frames[one->frames_count + one->kernel_count - 1], name);
		if (!strncmp(name, "entry_SYSCALL_64", 16))
			calls++;
	}
	assert_true(modes[1] >= 50);
	name_address(~0ULL, name);
	if (!name[0]) {
		print_message("this kernel hides the addresses of its symbols\n");
		skip();
	}
	assert_int_equal(calls, 10);
	assert_int_equal(counted(TS_LEDGER_NO_KERNEL_STACK), 0);
}

/* JIT memory without a body: the sample brings the code along. */
static bool is_stub(const struct ts_sample *sample)
{
	return sample->ip >= TAIL && sample->ip < TAIL + size_of(TAIL_HEX);
}

static bool enough_in_stub(void)
{
	size_t count = 0;

	for (size_t i = 0; i < kernel->events_count; i++)
		count += is_stub(sample(i));
	return count >= 20;
}

static void unknown_code_is_brought_along(void **state)
{
	SKIP_IF_MISSING();
	add(OUTER, size_of(OUTER_HEX), FRAMED(4));
	add(BODY, size_of(forms[3].hex), forms[3].shape);
	sample_until(STUB, enough_in_stub);
	for (size_t i = 0; i < kernel->events_count; i++) {
		const struct ts_sample *one = sample(i);
		const __u8 *code =
			(const __u8 *)&one->frames[one->frames_count + one->kernel_count];
		__u8 want[] = {0xb9, 8,	   0,	 0,    0,    0xff,
			       0xc9, 0x75, 0xfc, 0xc3, 0xcc, 0xcc};

		if (!is_stub(one)) {
			assert_int_equal(one->flags & TS_SAMPLE_CODE, 0);
			assert_int_equal(one->header.size,
					 sizeof(*one) + 8 * (one->frames_count +
							     one->kernel_count));
			continue;
		}
		assert_int_equal(one->flags & TS_SAMPLE_CODE, TS_SAMPLE_CODE);
		assert_int_equal(one->header.size,
				 sizeof(*one) +
					 8 * (one->frames_count + one->kernel_count) +
					 TS_CODE_BYTES);
		assert_memory_equal(code + TS_CODE_BEFORE - (one->ip - TAIL), want,
				    sizeof(want));
	}
}

static bool enough_lost(void)
{
	return counted(TS_LEDGER_RING_FULL) >= 100;
}

/* Nothing drains meanwhile: the balance must hold to the last run. */
static void a_full_ring_is_counted_exactly(void **state)
{
	time_t deadline = now() + DEADLINE_S;
	int what = RECURSE;

	SKIP_IF_MISSING();
	child__tell(&child, what);
	kernel_side__sampling(kernel, true);
	while (!enough_lost() && now() <= deadline)
		usleep(10000);
	kernel_side__sampling(kernel, false);
	*stop = 1;
	assert_int_equal(read(child.answer, &what, sizeof(what)), sizeof(what));
	assert_true(counted(TS_LEDGER_RING_FULL) >= 100);
	assert_int_not_equal(counted(TS_LEDGER_KEPT), 0);
	assert_true(counted(TS_LEDGER_KEPT) < 64);
	assert_balance();
}

static bool enough_runs(void)
{
	return counted(TS_LEDGER_RUNS) >= 500;
}

static void a_process_that_waits_for_its_exec_is_out_of_scope(void **state)
{
	SKIP_IF_MISSING();
	kernel_side__adopt(kernel, child.pid, TS_SPACE_PENDING);
	sample_until(RECURSE, enough_runs);
	assert_int_equal(counted(TS_LEDGER_KEPT), 0);
	assert_int_equal(counted(TS_LEDGER_OUT_OF_SCOPE), counted(TS_LEDGER_RUNS));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_caller_is_right_wherever_the_clock_strikes),
		TEST(a_walk_is_finished_when_its_code_is_known),
		TEST(a_body_that_runs_before_its_event_is_waited_for),
		TEST(leaves_are_counted_in_their_rows),
		TEST(deep_stacks_are_cut_and_counted),
		TEST(samples_in_the_kernel_have_user_stacks),
		cmocka_unit_test_setup_teardown(
			samples_in_the_kernel_have_kernel_stacks, setup_kernel_stacks,
			teardown),
		TEST(unknown_code_is_brought_along),
		cmocka_unit_test_setup_teardown(unknown_code_is_brought_along,
						setup_kernel_stacks, teardown),
		cmocka_unit_test_setup_teardown(a_full_ring_is_counted_exactly,
						setup_small_ring, teardown),
		TEST(a_process_that_waits_for_its_exec_is_out_of_scope),
	};

	return cmocka_run_group_tests_name("bpf_sample", tests, NULL, NULL);
}
