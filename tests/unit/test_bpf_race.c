// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The code map while it changes.  A writer is stopped before each of its stores
// and a reader looks; then the reader, too, is stopped before each of its loads
// while the writer goes on, as on another CPU.  Whatever the reader says must
// have been true before, after, or between two of the writer's calls, or be a
// raw address.
#include "bpf_shim.h"

#include <ucontext.h>

#include "../../bpf/returns.bpf.h"

#define SPACE	  7
#define BASE	  0x7f0000100000ULL
#define STEPS	  4 /* calls of one writer */
#define NEVER	  100000
#define LOADS_MAX 9

static struct ts_space space, other;

static struct ts_space *owner_of(__u32 number)
{
	return number == SPACE ? &space : &other;
}

/* One call of a writer. */
struct call {
	enum { END, INSERT, REMOVE, PAGE_REMOVE } what;
	__u32 space;
	__u64 start;
	__u32 size;
};

struct story {
	const char *name;
	struct call before[STEPS], calls[STEPS];
	__u64 looked_at[4];
};

static const struct story stories[] = {
	{"a body comes",
	 {},
	 {{INSERT, SPACE, BASE + 0xff0, 0x20}},
	 {BASE + 0xff0, BASE + 0x100f}},
	{"a body goes",
	 {{INSERT, SPACE, BASE + 0xff0, 0x20}},
	 {{REMOVE, SPACE, BASE + 0xff0}},
	 {BASE + 0xff0, BASE + 0x100f}},
	{"its row goes to a body elsewhere",
	 {{INSERT, SPACE, BASE, 0x20}},
	 {{REMOVE, SPACE, BASE}, {INSERT, SPACE, BASE + 0x100, 0x30}},
	 {BASE, BASE + 0x1f, BASE + 0x100, BASE + 0x12f}},
	{"its row goes to a body at the same place",
	 {{INSERT, SPACE, BASE, 0x20}},
	 {{REMOVE, SPACE, BASE}, {INSERT, SPACE, BASE, 0x30}},
	 {BASE, BASE + 0x1f, BASE + 0x2f}},
	{"its row goes to a body that begins before",
	 {{INSERT, SPACE, BASE + 0x20, 0x20}},
	 {{REMOVE, SPACE, BASE + 0x20}, {INSERT, SPACE, BASE, 0x60}},
	 {BASE + 0x20, BASE + 0x3f, BASE + 0x5f}},
	{"its row goes to another process",
	 {{INSERT, SPACE, BASE, 0x20}},
	 {{REMOVE, SPACE, BASE}, {INSERT, SPACE + 1, BASE, 0x30}},
	 {BASE, BASE + 0x1f, BASE + 0x2f}},
	{"another takes its place unseen",
	 {{INSERT, SPACE, BASE, 0x40}},
	 {{INSERT, SPACE, BASE, 0x20}},
	 {BASE, BASE + 0x1f, BASE + 0x2f, BASE + 0x3f}},
	{"another takes its place, and a third its row",
	 {{INSERT, SPACE, BASE, 0x40}},
	 {{INSERT, SPACE, BASE, 0x20}, {INSERT, SPACE, BASE + 0x10, 0x50}},
	 {BASE, BASE + 0x1f, BASE + 0x2f, BASE + 0x3f}},
	{"another covers its end",
	 {{INSERT, SPACE, BASE, 0x40}},
	 {{INSERT, SPACE, BASE + 0x20, 0x40}},
	 {BASE + 0x1f, BASE + 0x20, BASE + 0x3f, BASE + 0x5f}},
	{"a body comes beside another",
	 {{INSERT, SPACE, BASE + 0x100, 0x20}},
	 {{INSERT, SPACE, BASE, 0x20}, {INSERT, SPACE, BASE + 0x2000, 0x20}},
	 {BASE, BASE + 0x1f, BASE + 0x100, BASE + 0x2000}},
	{"its page goes to another process",
	 {{INSERT, SPACE, BASE, 0x20}},
	 {{REMOVE, SPACE, BASE},
	  {PAGE_REMOVE, SPACE, BASE},
	  {INSERT, SPACE + 1, BASE, 0x20}},
	 {BASE, BASE + 0x1f}},
};

static void call_out(const struct call *call, int number)
{
	struct ts_journal_record record = {.start = call->start,
					   .size = call->size,
					   .shape = 0x100 + call->size,
					   .function_id = number};
	struct ts_space *owner = owner_of(call->space);
	struct placed placed;

	if (call->what == INSERT)
		body_insert(owner, &record, &placed);
	else if (call->what == REMOVE)
		body_remove(call->space, call->start, &owner->bodies, &placed);
	else if (call->what == PAGE_REMOVE)
		page_remove(call->space, call->start);
}

/* --- the writer, as a coroutine --------------------------------------------- */

static struct writer {
	ucontext_t self, reader;
	char stack[256 * 1024];
	const struct story *story;
	int stores;   /* done */
	int pause_at; /* stop before this store */
	bool running, finished;
} writer;

static void before_store(void)
{
	if (!writer.running)
		return;
	while (writer.stores >= writer.pause_at) {
		writer.running = false;
		swapcontext(&writer.self, &writer.reader);
	}
	writer.stores++;
}

static void writer_main(void)
{
	for (int c = 0; c < STEPS; c++)
		call_out(&writer.story->calls[c], 100 + c);
	writer.finished = true;
	writer.running = false;
	swapcontext(&writer.self, &writer.reader);
}

/* Lets the writer go on up to, not including, its store number `store`. */
static void writer__to(int store)
{
	writer.pause_at = store;
	if (writer.finished || writer.stores >= store)
		return;
	writer.running = true;
	swapcontext(&writer.reader, &writer.self);
}

static void writer__start(const struct story *story)
{
	writer.story = story;
	writer.stores = 0;
	writer.running = writer.finished = false;
	getcontext(&writer.self);
	writer.self.uc_stack.ss_sp = writer.stack;
	writer.self.uc_stack.ss_size = sizeof(writer.stack);
	writer.self.uc_link = NULL;
	makecontext(&writer.self, writer_main, 0);
	writer.pause_at = 0;
	writer.running = true;
	swapcontext(&writer.reader, &writer.self);
}

/* --- the reader --------------------------------------------------------------- */

static struct reader {
	bool running;
	int loads;
	int switch_at[2]; /* before this load the writer goes on ... */
	int switch_to[2]; /* ... to this store */
} reader;

static void before_load(void)
{
	if (!reader.running || writer.running)
		return;
	for (int s = 0; s < 2; s++) {
		if (reader.loads != reader.switch_at[s])
			continue;
		writer__to(reader.switch_to[s]);
	}
	reader.loads++;
}

static struct found look(__u64 address)
{
	struct found found;

	reader.loads = 0;
	reader.running = true;
	code_find(SPACE, address, &found);
	reader.running = false;
	return found;
}

/* --- stories -------------------------------------------------------------------- */

static void begin(const struct story *story)
{
	shim__clear();
	SHIM_MAP(slots, 8);
	SHIM_MAP(jit_slots, 8);
	SHIM_MAP(jit_granules, 8);
	SHIM_MAP(bodies, 8);
	SHIM_MAP(leaf_counts, 8 * TS_EVENTS_MAX);
	SHIM_MAP(free_rows, 8);
	SHIM_MAP(free_pages, 8);
	SHIM_MAP(images, 1);
	SHIM_MAP(image_granules, 1);
	SHIM_MAP(image_rows, 1);
	SHIM_MAP(returns, TS_RETURNS);
	SHIM_MAP(ledger, TS_LEDGER_SLOTS);
	code_epoch = 1;
	next_row = next_page = 1;
	events_counted = TS_EVENTS_MAX;
	free_rows_top = free_pages_top = 0;
	rows_max = pages_max = 8;
	space = (struct ts_space){.number = SPACE};
	other = (struct ts_space){.number = SPACE + 1};
	for (int c = 0; c < STEPS; c++)
		call_out(&story->before[c], c);
	reader = (struct reader){.switch_at = {-1, -1}};
	shim.on_store = before_store;
	shim.on_load = before_load;
}

/* What may be said of one address: the truth between any two calls. */
struct truth {
	struct found found[STEPS + 1];
	int count;
};

static struct truth truth_of(const struct story *story, __u64 address)
{
	struct truth truth = {};

	begin(story);
	truth.found[truth.count++] = look(address);
	for (int c = 0; c < STEPS; c++) {
		call_out(&story->calls[c], 100 + c);
		truth.found[truth.count++] = look(address);
	}
	return truth;
}

static int stores_of(const struct story *story)
{
	begin(story);
	writer__start(story);
	writer__to(NEVER);
	assert_true(writer.finished);
	return writer.stores;
}

static void assert_true_or_raw(const struct story *story, const struct truth *truth,
			       __u64 address, const struct found *found,
			       const char *when)
{
	if (found->frame == address && !found->shape && !found->row)
		return;
	for (int t = 0; t < truth->count; t++)
		if (truth->found[t].frame == found->frame &&
		    truth->found[t].shape == found->shape &&
		    truth->found[t].offset == found->offset &&
		    truth->found[t].size == found->size)
			return;
	fail_msg("%s, %s: at %llx the reader said %llx, shape %x, offset %u, size %u",
		 story->name, when, address, found->frame, found->shape, found->offset,
		 found->size);
}

/* A sample in the middle of a writer, on its own CPU. */
static void a_sample_at_any_store_is_right_or_raw(void **state)
{
	for (size_t s = 0; s < sizeof(stories) / sizeof(stories[0]); s++) {
		const struct story *story = &stories[s];
		int stores = stores_of(story);

		for (int l = 0; l < 4 && story->looked_at[l]; l++) {
			__u64 address = story->looked_at[l];
			struct truth truth = truth_of(story, address);
			struct found found;

			begin(story);
			writer__start(story);
			for (int store = 0; store <= stores; store++) {
				writer__to(store);
				found = look(address);
				assert_true_or_raw(story, &truth, address, &found,
						   "interrupted");
			}
			writer__to(NEVER);
			found = look(address);
			assert_true(found.frame == truth.found[truth.count - 1].frame);
		}
	}
}

/* Page clearing is 256 stores that all look alike. */
static int next_store(int store, int stores)
{
	return stores > 100 && store > 8 && store < stores - 30 ? store + 50
								: store + 1;
}

/* A sample that another CPU takes while the writer goes on, at any load. */
static void a_sample_beside_a_writer_is_right_or_raw(void **state)
{
	for (size_t s = 0; s < sizeof(stories) / sizeof(stories[0]); s++) {
		const struct story *story = &stories[s];
		int stores = stores_of(story);

		for (int l = 0; l < 4 && story->looked_at[l]; l++) {
			__u64 address = story->looked_at[l];
			struct truth truth = truth_of(story, address);

			for (int a = 0; a <= stores; a = next_store(a, stores))
				for (int b = a + 1; b <= stores + 1;
				     b = next_store(b, stores))
					for (int load = 0; load < LOADS_MAX; load++) {
						struct found found;

						begin(story);
						writer__start(story);
						writer__to(a);
						reader.switch_at[0] = load;
						reader.switch_to[0] =
							b > stores ? NEVER : b;
						found = look(address);
						assert_true_or_raw(story, &truth,
								   address, &found,
								   "beside");
						writer__to(NEVER);
					}
		}
	}
}

/* And stopped twice, for the story in which most can go wrong. */
static void a_sample_stopped_twice_is_right_or_raw(void **state)
{
	const struct story *story = &stories[3];
	int stores = stores_of(story);
	struct truth truth = truth_of(story, BASE);

	for (int a = 0; a <= stores; a++)
		for (int b = a + 1; b <= stores; b++)
			for (int c = b + 1; c <= stores + 1; c++)
				for (int loads = 0; loads < LOADS_MAX * LOADS_MAX;
				     loads++) {
					struct found found;

					if (loads / LOADS_MAX >= loads % LOADS_MAX)
						continue;
					begin(story);
					writer__start(story);
					writer__to(a);
					reader = (struct reader){
						.switch_at = {loads / LOADS_MAX,
							      loads % LOADS_MAX},
						.switch_to = {b,
							      c > stores ? NEVER : c}};
					found = look(BASE);
					assert_true_or_raw(story, &truth, BASE, &found,
							   "twice");
					writer__to(NEVER);
				}
}

/* --- with the return-address cache ------------------------------------------------ */

static struct found look_cached(__u64 address)
{
	struct returns_of of;
	struct found found = {};

	reader.loads = 0;
	reader.running = true;
	of = returns_of(0, SPACE);
	return_find(&of, address, &found);
	reader.running = false;
	/* The rest is not for callers of this. */
	found.offset = found.size = found.row = 0;
	return found;
}

static void assert_cached_true_or_raw(const struct story *story,
				      const struct truth *truth, __u64 address,
				      const struct found *found, const char *when)
{
	if (found->frame == address && !found->shape)
		return;
	for (int t = 0; t < truth->count; t++)
		if (truth->found[t].frame == found->frame &&
		    truth->found[t].shape == found->shape)
			return;
	fail_msg("%s, %s: at %llx the cache said %llx, shape %x", story->name, when,
		 address, found->frame, found->shape);
}

/* What the cache says when the writer is done is the last truth, nothing before. */
static void assert_cached_last(const struct story *story, const struct truth *truth,
			       __u64 address)
{
	const struct found *last = &truth->found[truth->count - 1];

	for (int twice = 0; twice < 2; twice++) {
		struct found found = look_cached(address);

		if (found.frame != last->frame || found.shape != last->shape)
			fail_msg(
				"%s, in the end: at %llx the cache said %llx, not %llx",
				story->name, address, found.frame, last->frame);
	}
}

/* The cache holds the truth from before; a sample comes at any store. */
static void a_cached_answer_at_any_store_is_right_or_raw(void **state)
{
	for (size_t s = 0; s < sizeof(stories) / sizeof(stories[0]); s++) {
		const struct story *story = &stories[s];
		int stores = stores_of(story);

		for (int l = 0; l < 4 && story->looked_at[l]; l++) {
			__u64 address = story->looked_at[l];
			struct truth truth = truth_of(story, address);

			for (int at = 0; at <= stores; at = next_store(at, stores)) {
				struct found found;

				begin(story);
				look_cached(address);
				writer__start(story);
				writer__to(at);
				found = look_cached(address);
				assert_cached_true_or_raw(story, &truth, address,
							  &found, "interrupted");
				writer__to(NEVER);
				assert_cached_last(story, &truth, address);
			}
		}
	}
}

/* A sample begins, asks the map, and keeps the answer while the writer goes on. */
static void an_answer_kept_beside_a_writer_does_not_outlive_it(void **state)
{
	for (size_t s = 0; s < sizeof(stories) / sizeof(stories[0]); s++) {
		const struct story *story = &stories[s];
		int stores = stores_of(story);

		for (int l = 0; l < 4 && story->looked_at[l]; l++) {
			__u64 address = story->looked_at[l];
			struct truth truth = truth_of(story, address);

			for (int a = 0; a <= stores; a = next_store(a, stores))
				for (int load = 0; load <= LOADS_MAX; load++) {
					struct found found;

					begin(story);
					writer__start(story);
					writer__to(a);
					reader.switch_at[0] = load;
					reader.switch_to[0] = NEVER;
					found = look_cached(address);
					assert_cached_true_or_raw(story, &truth,
								  address, &found,
								  "beside");
					reader.switch_at[0] = -1;
					writer__to(NEVER);
					assert_cached_last(story, &truth, address);
				}
		}
	}
}

static int teardown(void **state)
{
	shim__clear();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sample_at_any_store_is_right_or_raw),
		cmocka_unit_test(a_sample_beside_a_writer_is_right_or_raw),
		cmocka_unit_test(a_sample_stopped_twice_is_right_or_raw),
		cmocka_unit_test(a_cached_answer_at_any_store_is_right_or_raw),
		cmocka_unit_test(an_answer_kept_beside_a_writer_does_not_outlive_it),
	};

	return cmocka_run_group_tests_name("bpf_race", tests, NULL, teardown);
}
