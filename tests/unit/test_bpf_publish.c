// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// bpf/publish.bpf.h and process.bpf.h: from a probe to the code map and the
// ring, spaces through fork, exec and exit, and probes that lie.
#include "bpf_shim.h"

#include "../../bpf/codefind.bpf.h"
#include "../../bpf/publish.bpf.h"
#include "../../bpf/process.bpf.h"

#include "bpf_counted.h"

#define PID    100
#define BASE   0x7f0000100000ULL
#define RECORD 0x7e0000000000ULL
#define TEXT   0x7e0000100000ULL

static struct ts_journal_record record;
static char text[8192];

static int setup(void **state)
{
	__u32 number;

	shim__clear();
	SHIM_MAP(spaces, 4);
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
	SHIM_MAP(ledger, TS_LEDGER_SLOTS);
	next_row = next_page = 1;
	events_counted = TS_EVENTS_MAX;
	free_rows_top = free_pages_top = 0;
	next_space = 40;
	rows_max = pages_max = 8;
	space_bodies_max = 100;
	shim.pid_tgid = (__u64)PID << 32 | (PID + 5);
	memcpy(shim.comm, "dotnet", 7);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 26);
	record = (struct ts_journal_record){.state = 2,
					    .kind = TS_RECORD_CODE,
					    .token = 0x06000002,
					    .tier = TS_TIER_1,
					    .shape = TS_SHAPE(TS_FRAME_FRAMED, 4, 0),
					    .text_address = TEXT,
					    .text_size = 20};
	shim__add_memory(RECORD, &record, sizeof(record));
	shim__add_memory(TEXT, text, sizeof(text));
	assert_int_equal(space_new(PID, TS_SPACE_FOLLOW, &number), 0);
	assert_int_equal(number, 40);
	return 0;
}

/* Whatever happened: all that was reserved is submitted, all is accounted for. */
static int teardown(void **state)
{
	for (int r = 0; r < shim.records_count; r++)
		assert_true(shim.records[r].submitted);
	assert_int_equal(
		counted(TS_LEDGER_CODE_EVENTS),
		counted(TS_LEDGER_CODE_SENT) + counted(TS_LEDGER_CODE_RING_FULL) +
			counted(TS_LEDGER_BAD_PROBE) + counted(TS_LEDGER_BAD_RECORD));
	assert_int_equal(counted(TS_LEDGER_CODE_SENT), shim.records_count);
	shim__clear();
	return 0;
}

static struct probe load_of(__u64 start, __u64 size)
{
	return (struct probe){.kind = TS_EVENT_CODE_LOAD,
			      .sequence = 77,
			      .function_id = 0xf00d,
			      .start = start,
			      .size = size};
}

static void load(__u64 start, __u64 size)
{
	struct probe probe = load_of(start, size);

	on_code_load(&probe, (void *)RECORD);
}

static void unload(__u64 start, __u64 size)
{
	struct probe probe = load_of(start, size);

	probe.kind = TS_EVENT_CODE_UNLOAD;
	on_code_unload(&probe);
}

static struct ts_space *space_of(__u32 pid)
{
	return bpf_map_lookup_elem(&spaces, &pid);
}

static const struct ts_code_event *last_code(void)
{
	assert_int_not_equal(shim.records_count, 0);
	assert_ptr_equal(shim.records[shim.records_count - 1].ring, &code_events);
	return shim.records[shim.records_count - 1].bytes;
}

static const struct ts_process_event *last_process(void)
{
	return (const struct ts_process_event *)last_code();
}

static __u32 row_of(__u64 address)
{
	struct found found;

	code_find(40, address, &found);
	return found.row;
}

/* --- probes ----------------------------------------------------------------- */

static void a_load_is_sent_and_can_be_found(void **state)
{
	const struct ts_code_event *event;

	/* The record does not say it; the probe does. */
	record.start = 0xbad;
	record.size = 0xbad;
	record.function_id = 0xbad;
	record.sequence = 0xbad;
	load(BASE, 0x40);
	event = last_code();
	assert_int_equal(event->header.type, TS_EVENT_CODE_LOAD);
	assert_int_equal(event->header.size, sizeof(*event) + 20);
	assert_int_equal(event->header.space, 40);
	assert_int_equal(event->header.pid, PID);
	assert_int_equal(event->header.tid, PID + 5);
	assert_int_not_equal(event->header.time_ns, 0);
	assert_int_equal(event->record.start, BASE);
	assert_int_equal(event->record.size, 0x40);
	assert_int_equal(event->record.function_id, 0xf00d);
	assert_int_equal(event->record.sequence, 77);
	assert_int_equal(event->record.token, 0x06000002);
	assert_int_equal(event->text_size, 20);
	assert_memory_equal(event->text, text, 20);
	assert_int_equal(event->row, row_of(BASE));
	assert_int_not_equal(event->row, 0);
	assert_int_equal(event->generation, 1);
	assert_int_equal(counted(TS_LEDGER_CODE_LOADS), 1);
	/* The loader is not woken for each body. */
	assert_int_equal(shim.records[0].flags, BPF_RB_NO_WAKEUP);
}

/* Else a burst would fill the ring before the loader looks. */
static void the_loader_is_woken_when_the_ring_fills(void **state)
{
	code_ring_much = 2048;
	for (int i = 0; i < 6; i++) {
		load(BASE, 0x40);
		assert_int_equal(shim.records[i].flags, i < 3 ? BPF_RB_NO_WAKEUP
							      : BPF_RB_FORCE_WAKEUP);
	}
	code_ring_much = 1 << 20;
}

static void an_unload_is_sent_with_the_row_it_freed(void **state)
{
	const struct ts_code_event *event;
	__u32 row;

	load(BASE, 0x40);
	row = row_of(BASE);
	unload(BASE, 0x40);
	event = last_code();
	assert_int_equal(event->header.type, TS_EVENT_CODE_UNLOAD);
	assert_int_equal(event->row, row);
	assert_int_equal(event->generation, 1);
	assert_int_equal(event->record.start, BASE);
	assert_int_equal(event->text_size, 0);
	assert_int_equal(row_of(BASE), 0);
	assert_int_equal(space_of(PID)->bodies, 0);
	assert_int_equal(counted(TS_LEDGER_CODE_UNLOADS), 1);
	/* Of something that was never there: told, with no row. */
	unload(BASE + 0x100, 0x40);
	assert_int_equal(last_code()->row, 0);
}

#define PATCH 0x7e0000200000ULL

static void patches_are_sent_as_they_were_told(void **state)
{
	static struct ts_stub_patches told = {
		.patches = {{7, 0xf00d, BASE, {1, 2}, {3, 4}, BASE, TS_CELL_SLOT,
			     TS_TARGET_BODY}},
		.count = 1};
	const struct ts_patch_event *event;

	shim__add_memory(PATCH, &told, sizeof(told));
	on_stub_patches((void *)PATCH);
	event = (const struct ts_patch_event *)last_code();
	assert_int_equal(event->header.type, TS_EVENT_STUB_PATCH);
	assert_int_equal(event->header.size, sizeof(*event));
	assert_int_equal(event->header.space, 40);
	assert_int_equal(event->header.pid, PID);
	assert_memory_equal(&event->told, &told, sizeof(told));
	assert_int_equal(shim.records[0].flags, BPF_RB_NO_WAKEUP);
	assert_int_equal(counted(TS_LEDGER_STUB_PATCHES), 1);
	/* What cannot be read is none. */
	on_stub_patches(NULL);
	assert_int_equal(((const struct ts_patch_event *)last_code())->told.count, 0);
	on_stub_patches((void *)(PATCH + 8));
	assert_int_equal(((const struct ts_patch_event *)last_code())->told.count, 0);
	shim.ring_room = 0;
	on_stub_patches((void *)PATCH);
	assert_int_equal(counted(TS_LEDGER_CODE_RING_FULL), 1);
	shim.pid_tgid = 999;
	on_stub_patches((void *)PATCH);
	assert_int_equal(counted(TS_LEDGER_STUB_PATCHES), 4);
	assert_int_equal(shim.records_count, 3);
}

static void tiering_is_sent_as_it_was_told(void **state)
{
	const struct ts_tiering_event *event;

	(void)state;
	on_tiering(TS_TIERING_BATCH_ENDED, 5, 6, 7);
	event = (const struct ts_tiering_event *)last_code();
	assert_int_equal(event->header.type, TS_EVENT_TIERING);
	assert_int_equal(event->header.size, sizeof(*event));
	assert_int_equal(event->header.space, 40);
	assert_int_equal(event->header.pid, PID);
	assert_int_equal(event->kind, TS_TIERING_BATCH_ENDED);
	assert_int_equal(event->pending, 5);
	assert_int_equal(event->new_methods, 6);
	assert_int_equal(event->compiled, 7);
	assert_int_equal(shim.records[0].flags, BPF_RB_NO_WAKEUP);
	shim.ring_room = 0;
	on_tiering(TS_TIERING_DELAY_BEGAN, 0, 0, 0);
	assert_int_equal(counted(TS_LEDGER_CODE_RING_FULL), 1);
	assert_int_equal(counted(TS_LEDGER_TIERING), 2);
	assert_int_equal(counted(TS_LEDGER_CODE_EVENTS), 2);
	shim.pid_tgid = 999;
	on_tiering(TS_TIERING_DELAY_BEGAN, 0, 0, 0);
	assert_int_equal(counted(TS_LEDGER_TIERING), 2);
	assert_int_equal(shim.records_count, 1);
}

static void text_is_cut_at_what_an_event_holds(void **state)
{
	static const struct {
		__u32 size, kept;
	} cases[] = {{0, 0},
		     {1, 1},
		     {TEXT_SHORT, TEXT_SHORT},
		     {TEXT_SHORT + 1, TEXT_SHORT + 1},
		     {TEXT_LONG, TEXT_LONG},
		     {TEXT_LONG + 1, TEXT_LONG},
		     {TS_TEXT_MAX, TEXT_LONG},
		     {~0u, TEXT_LONG}};

	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		record.text_size = cases[c].size;
		load(BASE, 0x40);
		assert_int_equal(last_code()->text_size, cases[c].kept);
		assert_int_equal(last_code()->header.size,
				 sizeof(struct ts_code_event) + cases[c].kept);
		assert_memory_equal(last_code()->text, text, cases[c].kept);
		/* The record still says how long it really is. */
		assert_int_equal(last_code()->record.text_size, cases[c].size);
	}
}

static void text_that_cannot_be_read_is_none(void **state)
{
	static const __u64 addresses[] = {0, 0xdead0000, 0xffff888000000000ULL, ~0ULL,
					  TEXT + sizeof(text) - 10};

	for (size_t a = 0; a < sizeof(addresses) / sizeof(addresses[0]); a++) {
		record.text_address = addresses[a];
		load(BASE, 0x40);
		assert_int_equal(last_code()->text_size, 0);
		assert_int_equal(last_code()->header.size,
				 sizeof(struct ts_code_event));
	}
	assert_int_not_equal(row_of(BASE), 0);
}

static void a_module_is_sent_and_wakes_the_loader(void **state)
{
	struct probe probe = {.kind = TS_EVENT_MODULE_LOAD,
			      .sequence = 5,
			      .function_id = 0x900d,
			      .start = BASE,
			      .size = 0};

	record.kind = TS_RECORD_MODULE;
	on_module(&probe, (void *)RECORD);
	assert_int_equal(last_code()->header.type, TS_EVENT_MODULE_LOAD);
	assert_int_equal(last_code()->record.module_id, 0x900d);
	assert_int_equal(last_code()->record.start, BASE);
	assert_int_equal(shim.records[0].flags, BPF_RB_FORCE_WAKEUP);
	assert_int_equal(row_of(BASE), 0);
	probe.kind = TS_EVENT_MODULE_UNLOAD;
	on_module(&probe, (void *)RECORD);
	assert_int_equal(last_code()->header.type, TS_EVENT_MODULE_UNLOAD);
}

static void processes_that_nobody_asked_for_are_nothing(void **state)
{
	struct probe probe = load_of(BASE, 0x40);

	shim.pid_tgid = (__u64)(PID + 1) << 32 | (PID + 1);
	load(BASE, 0x40);
	unload(BASE, 0x40);
	on_module(&probe, (void *)RECORD);
	assert_int_equal(shim.records_count, 0);
	for (__u32 what = 0; what < TS_LEDGER_SLOTS; what++)
		assert_int_equal(counted(what), 0);
	assert_int_equal(shim__map(&jit_slots)->count, 0);
}

/* A full ring loses the event, never the body. */
static void a_full_ring_is_counted_and_the_body_is_found(void **state)
{
	shim.ring_room = 511;
	load(BASE, 0x40);
	assert_int_equal(shim.records_count, 0);
	assert_int_equal(counted(TS_LEDGER_CODE_RING_FULL), 1);
	assert_int_not_equal(row_of(BASE), 0);
	unload(BASE, 0x40);
	assert_int_equal(counted(TS_LEDGER_CODE_RING_FULL), 2);
	assert_int_equal(row_of(BASE), 0);
	record.text_size = 600;
	shim.ring_room = 4095;
	load(BASE, 0x40);
	assert_int_equal(counted(TS_LEDGER_CODE_RING_FULL), 3);
	assert_int_not_equal(row_of(BASE), 0);
}

static void a_full_map_loses_the_body_never_the_event(void **state)
{
	space_bodies_max = 1;
	load(BASE, 0x40);
	load(BASE + 0x100, 0x40);
	assert_int_equal(shim.records_count, 2);
	assert_int_equal(last_code()->record.start, BASE + 0x100);
	assert_int_equal(last_code()->row, 0);
	assert_int_equal(last_code()->generation, 0);
	assert_int_equal(counted(TS_LEDGER_QUOTA), 1);
}

static void probes_that_make_no_sense_are_counted(void **state)
{
	static const struct {
		__u64 start, size;
	} nonsense[] = {{BASE, 0},
			{BASE, 0xffffffff},
			{BASE, 0x100000000ULL},
			{BASE, 0x100000040ULL},
			{BASE, ~0ULL},
			{0, 16},
			{0xffff888000000000ULL, 16},
			{~0ULL, 16}};
	size_t count = sizeof(nonsense) / sizeof(nonsense[0]);

	for (size_t n = 0; n < count; n++)
		load(nonsense[n].start, nonsense[n].size);
	assert_int_equal(counted(TS_LEDGER_BAD_PROBE), count);
	assert_int_equal(shim.records_count, 0);
	unload(BASE, 0x100000000ULL);
	assert_int_equal(counted(TS_LEDGER_BAD_PROBE), count + 1);
	assert_int_equal(next_row, 1);
}

static void records_that_cannot_be_read_are_counted(void **state)
{
	static const __u64 addresses[] = {0,	      8,	  0xffff888000000000ULL,
					  ~0ULL - 64, RECORD + 1, RECORD - 1};
	size_t count = sizeof(addresses) / sizeof(addresses[0]);

	for (size_t a = 0; a < count; a++) {
		struct probe probe = load_of(BASE, 0x40);

		on_code_load(&probe, (void *)addresses[a]);
		assert_int_equal(counted(TS_LEDGER_BAD_RECORD), 2 * a + 1);
		probe.kind = TS_EVENT_MODULE_LOAD;
		on_module(&probe, (void *)addresses[a]);
		assert_int_equal(counted(TS_LEDGER_BAD_RECORD), 2 * a + 2);
	}
	assert_int_equal(shim.records_count, 0);
	assert_int_equal(row_of(BASE), 0);
}

/* --- process life ---------------------------------------------------------- */

static struct signal_struct signals;

static struct task_struct task_of(int tgid, int pid, int alive)
{
	static struct task_struct leader = {.exit_code = 0x700};

	signals = (struct signal_struct){.live.counter = alive};
	return (struct task_struct){
		.pid = pid, .tgid = tgid, .group_leader = &leader, .signal = &signals};
}

static void a_forked_child_shares_the_space_until_exec(void **state)
{
	struct task_struct parent = task_of(PID, PID, 1),
			   child = task_of(PID + 1, PID + 1, 1);

	load(BASE, 0x40);
	on_process_fork(&parent, &child);
	assert_int_equal(space_of(PID + 1)->number, 40);
	assert_int_equal(space_of(PID + 1)->flags, TS_SPACE_FOLLOW);
	assert_int_equal(last_process()->header.type, TS_EVENT_FORK);
	assert_int_equal(last_process()->header.size, sizeof(struct ts_process_event));
	assert_int_equal(last_process()->header.space, 40);
	assert_int_equal(last_process()->parent, PID);
	assert_int_equal(last_process()->child_pid, PID + 1);

	shim.pid_tgid = (__u64)(PID + 1) << 32 | (PID + 1);
	memcpy(shim.comm, "csc", 4);
	on_process_exec();
	assert_int_equal(space_of(PID + 1)->number, 41);
	assert_int_equal(space_of(PID + 1)->flags, TS_SPACE_FOLLOW);
	assert_int_equal(space_of(PID + 1)->bodies, 0);
	assert_int_equal(space_of(PID + 1)->pages, 0);
	assert_int_equal(space_of(PID)->number, 40);
	assert_int_equal(last_process()->header.type, TS_EVENT_EXEC);
	assert_int_equal(last_process()->header.space, 41);
	assert_int_equal(last_process()->header.pid, PID + 1);
	assert_string_equal(last_process()->comm, "csc");
	assert_int_equal(shim.records[shim.records_count - 1].flags,
			 BPF_RB_FORCE_WAKEUP);
	assert_int_not_equal(row_of(BASE), 0);
}

static void a_child_that_is_not_followed_is_nothing(void **state)
{
	struct task_struct parent = task_of(PID, PID, 1),
			   child = task_of(PID + 1, PID + 1, 1);

	space_of(PID)->flags = 0;
	on_process_fork(&parent, &child);
	assert_null(space_of(PID + 1));
	assert_int_equal(shim.records_count, 0);
}

static void a_new_thread_is_no_process(void **state)
{
	struct task_struct parent = task_of(PID, PID, 1),
			   thread = task_of(PID, PID + 9, 2);

	on_process_fork(&parent, &thread);
	assert_int_equal(shim.records_count, 0);
	assert_int_equal(shim__map(&spaces)->count, 1);
}

static void only_the_last_threads_exit_ends_the_process(void **state)
{
	struct task_struct task = task_of(PID, PID + 9, 1);

	on_process_exit(&task);
	assert_non_null(space_of(PID));
	assert_int_equal(shim.records_count, 0);
	task = task_of(PID, PID, 0);
	on_process_exit(&task);
	assert_null(space_of(PID));
	assert_int_equal(last_process()->header.type, TS_EVENT_EXIT);
	assert_int_equal(last_process()->header.space, 40);
	assert_int_equal(last_process()->exit_code, 0x700);
	/* Two last threads at once: the second finds nothing to end. */
	on_process_exit(&task);
	assert_int_equal(shim.records_count, 1);
}

/* The leader went by itself, and is late; another thread has ended the process. */
static void the_exit_code_is_the_processs_whoever_comes_last(void **state)
{
	struct task_struct leader = task_of(PID, PID, 0);

	signals.flags = 4;
	signals.group_exit_code = 0x900;
	on_process_exit(&leader);
	assert_int_equal(last_process()->exit_code, 0x900);
}

static void others_live_and_die_unseen(void **state)
{
	struct task_struct task = task_of(PID + 7, PID + 7, 0);

	shim.pid_tgid = (__u64)(PID + 7) << 32 | (PID + 7);
	on_process_fork(&task, &task);
	on_process_exec();
	on_process_exit(&task);
	assert_int_equal(shim.records_count, 0);
	assert_int_equal(next_space, 41);
}

/* Even when the table is full or busy, no sample may find the old code map. */
static void exec_renumbers_whatever_happens(void **state)
{
	shim__map(&spaces)->fail_updates = 100;
	shim__map(&spaces)->fail_with = -EBUSY;
	on_process_exec();
	assert_int_equal(space_of(PID)->number, 41);
	shim.ring_room = 0;
	on_process_exec();
	assert_int_equal(space_of(PID)->number, 42);
	assert_int_equal(counted(TS_LEDGER_CODE_RING_FULL), 1);
}

static void a_full_table_of_spaces_is_counted(void **state)
{
	struct task_struct parent = task_of(PID, PID, 1);
	__u32 number = 0;

	for (int p = 1; p < 4; p++)
		assert_int_equal(space_new(PID + p, 0, &number), 0);
	assert_int_equal(space_new(PID + 4, 0, &number), -ENOSPC);
	assert_int_equal(number, 43);
	assert_int_equal(counted(TS_LEDGER_SPACES_FULL), 1);
	for (int p = 4; p < 6; p++) {
		struct task_struct child = task_of(PID + p, PID + p, 1);

		on_process_fork(&parent, &child);
	}
	assert_int_equal(counted(TS_LEDGER_SPACES_FULL), 3);
	assert_int_equal(shim.records_count, 0);
}

static void numbers_are_not_reused(void **state)
{
	__u32 number, last = 40;

	for (int i = 0; i < 100; i++) {
		struct task_struct task = task_of(PID, PID, 0);

		on_process_exit(&task);
		assert_int_equal(space_new(PID, 0, &number), 0);
		assert_true(number > last);
		last = number;
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_load_is_sent_and_can_be_found),
		TEST(the_loader_is_woken_when_the_ring_fills),
		TEST(an_unload_is_sent_with_the_row_it_freed),
		TEST(patches_are_sent_as_they_were_told),
		TEST(tiering_is_sent_as_it_was_told),
		TEST(text_is_cut_at_what_an_event_holds),
		TEST(text_that_cannot_be_read_is_none),
		TEST(a_module_is_sent_and_wakes_the_loader),
		TEST(processes_that_nobody_asked_for_are_nothing),
		TEST(a_full_ring_is_counted_and_the_body_is_found),
		TEST(a_full_map_loses_the_body_never_the_event),
		TEST(probes_that_make_no_sense_are_counted),
		TEST(records_that_cannot_be_read_are_counted),
		TEST(a_forked_child_shares_the_space_until_exec),
		TEST(a_child_that_is_not_followed_is_nothing),
		TEST(a_new_thread_is_no_process),
		TEST(only_the_last_threads_exit_ends_the_process),
		TEST(the_exit_code_is_the_processs_whoever_comes_last),
		TEST(others_live_and_die_unseen),
		TEST(exec_renumbers_whatever_happens),
		TEST(a_full_table_of_spaces_is_counted),
		TEST(numbers_are_not_reused),
	};

	return cmocka_run_group_tests_name("bpf_publish", tests, NULL, NULL);
}
