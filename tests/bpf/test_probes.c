// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// From the hook's probes, fired by a child process, to the ring, the code map
// and the ledger; and what a hostile process could fire.
#define _SDT_HAS_SEMAPHORES	1
#define STAP_SDT_ARG_CONSTRAINT r
#include <sys/sdt.h>

#include "kernel_side.h"
#include "../../profiler_hook/events.h"
#include "../../profiler_hook/probes.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define BASE 0x7f0000100000ULL
#define MANY 5000 /* loads of a burst */

extern volatile unsigned short tierscope_code_load_semaphore;
extern volatile unsigned short tierscope_code_unload_semaphore;
extern volatile unsigned short tierscope_module_load_semaphore;
extern volatile unsigned short tierscope_stub_patches_semaphore;

static struct kernel_side *kernel;
static struct child child;
static __u32 space;

/* --- what the child does -------------------------------------------------------- */

enum {
	LOAD,
	UNLOAD,
	LOAD_LONG_TEXT,
	LOAD_TEXT_NOWHERE,
	MODULE,
	BURST,
	SIZES,
	STARTS,
	RECORDS,
	UNMAPPED_RECORD,
	SEMAPHORES,
	PATCH,
	PATCH_NOWHERE,
	TIERING,
};

static char long_text[TS_TEXT_MAX];

static struct ts_journal_record record_of(__u64 sequence)
{
	static const char text[] = "NS.Type\0Method\0void ()\0";

	return (struct ts_journal_record){.state = 2,
					  .kind = TS_RECORD_CODE,
					  .sequence = sequence,
					  .death_sequence = sequence + 1000,
					  .function_id = 0xf0000 + sequence,
					  .module_id = 0x900d,
					  .start = BASE + 0x100 * sequence,
					  .size = 0x40,
					  .token = 0x06000001,
					  .rejit_id = 3,
					  .native_version = 2,
					  .tier = TS_TIER_1,
					  .shape = TS_SHAPE(TS_FRAME_FRAMED, 4, 0),
					  .text_address = (__u64)(uintptr_t)text,
					  .text_size = sizeof(text)};
}

/* The probe with arguments of any kind, as only a hostile process would. */
static void __attribute__((noinline))
fire_load(__u64 start, __u64 size, const void *record)
{
	STAP_PROBE8(tierscope, code_load, 1ULL, 2ULL, start, size, 0ULL, 0ULL, 0ULL,
		    record);
}

static void __attribute__((noinline)) fire_unload(__u64 start, __u64 size)
{
	STAP_PROBE4(tierscope, code_unload, 1ULL, 2ULL, start, size);
}

static void __attribute__((noinline))
fire_module(__u64 start, __u64 size, const void *record)
{
	STAP_PROBE5(tierscope, module_load, 1ULL, 2ULL, start, size, record);
}

static struct ts_stub_patches patches_of(__u64 sequence)
{
	return (struct ts_stub_patches){
		.patches = {{sequence, 0xf0001, BASE + 8, {1, 2}, {3, 4}, BASE, TS_CELL_SLOT,
			     TS_TARGET_CALL_COUNTING}},
		.count = 1};
}

static void __attribute__((noinline)) fire_patches(__u64 count, const void *patches)
{
	STAP_PROBE2(tierscope, stub_patches, count, patches);
}

static const __u64 wild_sizes[] = {0,	  0xffffffff, 0x100000000ULL,
				   ~0ULL, 1ULL << 63, TS_BODY_SIZE_MAX + 1};
static const __u64 wild_starts[] = {
	0, 0xffff, 1ULL << 56, 0xffff888000000000ULL, 0xffffffff81000000ULL, ~0ULL};
static const __u64 wild_records[] = {
	0,    8, 0xffff888000000000ULL, 0xffffffff81000000ULL, 0xffffffffff600000ULL,
	~0ULL};
#define COUNT(array) (sizeof(array) / sizeof(array[0]))

static void fire_wild(int what)
{
	struct ts_journal_record record = record_of(1);

	for (size_t i = 0; what == SIZES && i < COUNT(wild_sizes); i++)
		fire_load(BASE, wild_sizes[i], &record);
	for (size_t i = 0; what == STARTS && i < COUNT(wild_starts); i++) {
		fire_load(wild_starts[i], 64, &record);
		fire_unload(wild_starts[i], 64);
	}
	for (size_t i = 0; what == RECORDS && i < COUNT(wild_records); i++) {
		fire_load(BASE, 64, (void *)(uintptr_t)wild_records[i]);
		fire_module(BASE, 64, (void *)(uintptr_t)wild_records[i]);
	}
}

/* A record whose second half lies on a page that is not there. */
static void fire_unmapped(void)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct ts_journal_record record = record_of(1);

	if (pages == MAP_FAILED)
		_exit(1);
	memcpy(pages + 4096 - 64, &record, sizeof(record));
	munmap(pages + 4096, 4096);
	fire_load(BASE, 64, pages + 4096 - 64);
	munmap(pages, 4096);
}

static void work(int what)
{
	struct ts_journal_record record = record_of(1);
	struct ts_stub_patches patches = patches_of(1);
	struct tiering_event tiering = {TS_TIERING_BATCH_ENDED, 5, 6, 0x80000007};

	switch (what) {
	case LOAD:
		probes__code_load(&record);
		break;
	case UNLOAD:
		probes__code_unload(&record);
		break;
	case LOAD_LONG_TEXT:
		record.text_address = (__u64)(uintptr_t)long_text;
		record.text_size = sizeof(long_text);
		probes__code_load(&record);
		break;
	case LOAD_TEXT_NOWHERE:
		record.text_size = 0xffffffff;
		record.text_address = 0xffff888000000000ULL;
		probes__code_load(&record);
		record.text_address = ~0ULL;
		probes__code_load(&record);
		record.text_size = 7;
		record.text_address = 0;
		probes__code_load(&record);
		break;
	case MODULE:
		record.kind = TS_RECORD_MODULE;
		probes__module_load(&record);
		probes__module_unload(&record, &record);
		break;
	case BURST:
		for (int i = 0; i < MANY; i++) {
			record = record_of(i);
			probes__code_load(&record);
		}
		break;
	case UNMAPPED_RECORD:
		fire_unmapped();
		break;
	case PATCH:
		probes__stub_patches(&patches);
		break;
	case PATCH_NOWHERE:
		for (size_t i = 0; i < COUNT(wild_records); i++)
			fire_patches(wild_sizes[i], (void *)(uintptr_t)wild_records[i]);
		break;
	case TIERING:
		probes__tiering(9, &tiering);
		break;
	case SEMAPHORES:
		if (!tierscope_code_load_semaphore || !tierscope_module_load_semaphore)
			_exit(2);
		break;
	default:
		fire_wild(what);
		break;
	}
}

/* --- set-up ----------------------------------------------------------------------- */

static int setup_sized(const struct sizes *sizes)
{
	if (kernel_side__missing())
		return 0;
	/* Present before the fork: a probe's handler cannot bring pages in. */
	memset(long_text, 'x', sizeof(long_text));
	kernel = kernel_side__open(sizes);
	child__start(&child, work);
	kernel_side__attach_probes(kernel, child.pid);
	space = kernel_side__adopt(kernel, child.pid, 0);
	return 0;
}

static int setup(void **state)
{
	return setup_sized(NULL);
}

static int setup_large_ring(void **state)
{
	return setup_sized(&(struct sizes){.code_ring = 4 << 20});
}

static int setup_small_ring(void **state)
{
	return setup_sized(&(struct sizes){.code_ring = 4096});
}

static __u64 counted(__u32 what)
{
	return kernel_side__counted(kernel, what);
}

/* Every event that fired is sent or counted under one cause. */
static void assert_balance(void)
{
	kernel_side__drain_code(kernel);
	assert_int_equal(
		counted(TS_LEDGER_CODE_EVENTS),
		counted(TS_LEDGER_CODE_SENT) + counted(TS_LEDGER_CODE_RING_FULL) +
			counted(TS_LEDGER_BAD_PROBE) + counted(TS_LEDGER_BAD_RECORD));
	assert_int_equal(counted(TS_LEDGER_CODE_SENT), kernel->events_count);
}

static int teardown(void **state)
{
	int status;

	if (!kernel)
		return 0;
	assert_balance();
	status = child__end(&child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	kernel_side__close(kernel);
	kernel = NULL;
	return 0;
}

static const struct ts_code_event *do_one(int what)
{
	child__do(&child, what);
	kernel_side__drain_code(kernel);
	assert_int_not_equal(kernel->events_count, 0);
	return (struct ts_code_event *)kernel->events[kernel->events_count - 1];
}

static void assert_found(const struct ts_code_event *event, __u64 start)
{
	struct ts_find found = kernel_side__find(kernel, space, start + 5);

	assert_true(found.frame ==
		    TS_FRAME_MAKE(TS_FRAME_TAG_BODY, event->generation, event->row));
	assert_int_equal(found.offset, 5);
	assert_int_equal(found.shape, TS_SHAPE(TS_FRAME_FRAMED, 4, 0));
}

/* --- tests -------------------------------------------------------------------------
 */

static void a_load_reaches_ring_and_code_map(void **state)
{
	struct ts_journal_record want = record_of(1);
	const struct ts_code_event *event;

	SKIP_IF_MISSING();
	event = do_one(LOAD);
	assert_int_equal(event->header.type, TS_EVENT_CODE_LOAD);
	assert_int_equal(event->header.space, space);
	assert_int_equal(event->header.pid, child.pid);
	assert_int_equal(event->header.tid, child.pid);
	assert_int_equal(event->header.size, sizeof(*event) + want.text_size);
	want.text_address = event->record.text_address; /* another run, another place */
	assert_memory_equal(&event->record, &want, sizeof(want));
	assert_memory_equal(event->text, "NS.Type\0Method\0void ()\0", want.text_size);
	assert_found(event, want.start);
	assert_int_equal(counted(TS_LEDGER_CODE_LOADS), 1);
}

static void an_unload_takes_the_body_out(void **state)
{
	const struct ts_code_event *load, *unload;

	SKIP_IF_MISSING();
	load = do_one(LOAD);
	unload = do_one(UNLOAD);
	assert_int_equal(unload->header.type, TS_EVENT_CODE_UNLOAD);
	assert_int_equal(unload->row, load->row);
	assert_int_equal(unload->generation, load->generation);
	assert_int_equal(unload->record.sequence, 1001);
	assert_int_equal(unload->record.start, load->record.start);
	assert_int_equal(kernel_side__find(kernel, space, load->record.start).shape, 0);
	load = do_one(LOAD);
	assert_int_equal(load->row, unload->row);
	assert_int_not_equal(load->generation, unload->generation);
}

static void modules_are_told(void **state)
{
	const struct ts_code_event *event;

	SKIP_IF_MISSING();
	event = do_one(MODULE);
	assert_int_equal(kernel->events_count, 2);
	assert_int_equal(event->header.type, TS_EVENT_MODULE_UNLOAD);
	assert_int_equal(event->record.module_id, 0x900d);
	assert_int_equal(event->record.sequence, 1001);
	event = (struct ts_code_event *)kernel->events[0];
	assert_int_equal(event->header.type, TS_EVENT_MODULE_LOAD);
	assert_int_equal(event->record.start, BASE + 0x100);
	assert_int_equal(event->record.size, 0x40);
}

static void patches_are_told(void **state)
{
	struct ts_stub_patches want = patches_of(1);
	const struct ts_patch_event *event;

	SKIP_IF_MISSING();
	event = (const struct ts_patch_event *)do_one(PATCH);
	assert_int_equal(event->header.type, TS_EVENT_STUB_PATCH);
	assert_int_equal(event->header.space, space);
	assert_int_equal(event->header.pid, child.pid);
	assert_int_equal(event->header.size, sizeof(*event));
	assert_memory_equal(&event->told, &want, sizeof(want));
	/* What cannot be read is none. */
	event = (const struct ts_patch_event *)do_one(PATCH_NOWHERE);
	assert_int_equal(event->told.count, 0);
	assert_int_equal(kernel->events_count, 1 + COUNT(wild_records));
	assert_int_equal(counted(TS_LEDGER_STUB_PATCHES), 1 + COUNT(wild_records));
}

static void tiering_is_told(void **state)
{
	const struct ts_tiering_event *event;

	SKIP_IF_MISSING();
	event = (const struct ts_tiering_event *)do_one(TIERING);
	assert_int_equal(event->header.type, TS_EVENT_TIERING);
	assert_int_equal(event->header.space, space);
	assert_int_equal(event->header.pid, child.pid);
	assert_int_equal(event->header.size, sizeof(*event));
	assert_int_equal(event->kind, TS_TIERING_BATCH_ENDED);
	assert_int_equal(event->pending, 5);
	assert_int_equal(event->new_methods, 6);
	assert_int_equal(event->compiled, 0x80000007);
	assert_int_equal(counted(TS_LEDGER_TIERING), 1);
}

static void long_texts_are_cut(void **state)
{
	const struct ts_code_event *event;

	SKIP_IF_MISSING();
	event = do_one(LOAD_LONG_TEXT);
	assert_int_equal(event->header.size, 4096);
	assert_int_equal(event->text_size, 4096 - sizeof(*event));
	assert_int_equal(event->record.text_size, TS_TEXT_MAX);
	for (__u32 i = 0; i < event->text_size; i++)
		assert_int_equal(event->text[i], 'x');
}

static void the_semaphores_are_raised(void **state)
{
	SKIP_IF_MISSING();
	child__do(&child, SEMAPHORES); /* the child ends with 2 if not */
	assert_int_equal(tierscope_code_load_semaphore, 0); /* and not in others */
}

static void a_burst_is_all_there(void **state)
{
	SKIP_IF_MISSING();
	child__do(&child, BURST);
	assert_balance();
	assert_int_equal(kernel->events_count, MANY);
	assert_int_equal(counted(TS_LEDGER_CODE_LOADS), MANY);
	for (int i = 0; i < MANY; i++) {
		const struct ts_code_event *event =
			(struct ts_code_event *)kernel->events[i];

		assert_int_equal(event->record.sequence, i);
		assert_found(event, BASE + 0x100 * i);
	}
}

/* The events are lost and counted; the bodies are in the code map all the same. */
static void a_full_ring_loses_events_but_no_body(void **state)
{
	SKIP_IF_MISSING();
	child__do(&child, BURST);
	assert_balance();
	assert_int_not_equal(kernel->events_count, 0);
	assert_true(kernel->events_count < 16);
	assert_int_equal(counted(TS_LEDGER_CODE_RING_FULL),
			 MANY - kernel->events_count);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(
			TS_FRAME_TAG(kernel_side__find(kernel, space, BASE + 0x100 * i)
					     .frame),
			TS_FRAME_TAG_BODY);
}

static void other_processes_are_not_heard(void **state)
{
	struct ts_journal_record record = record_of(1);

	SKIP_IF_MISSING();
	/* The probes are armed in the child only, and only it is adopted. */
	probes__code_load(&record);
	fire_load(BASE, 64, &record);
	assert_int_equal(counted(TS_LEDGER_CODE_EVENTS), 0);
	/* Armed, but not asked for. */
	kernel_side__attach_probes(kernel, getpid());
	probes__code_load(&record);
	fire_load(BASE, 64, &record);
	assert_int_equal(counted(TS_LEDGER_CODE_EVENTS), 0);
}

static void wild_sizes_and_starts_are_counted(void **state)
{
	SKIP_IF_MISSING();
	child__do(&child, SIZES);
	assert_int_equal(counted(TS_LEDGER_BAD_PROBE), COUNT(wild_sizes));
	child__do(&child, STARTS);
	assert_int_equal(counted(TS_LEDGER_BAD_PROBE),
			 COUNT(wild_sizes) + COUNT(wild_starts));
	assert_int_equal(counted(TS_LEDGER_CODE_UNLOADS), COUNT(wild_starts));
	assert_balance();
	for (size_t i = 0; i < kernel->events_count; i++)
		assert_int_equal(((struct ts_code_event *)kernel->events[i])->row, 0);
}

static void wild_record_pointers_are_counted(void **state)
{
	SKIP_IF_MISSING();
	child__do(&child, RECORDS);
	child__do(&child, UNMAPPED_RECORD);
	assert_int_equal(counted(TS_LEDGER_BAD_RECORD), 2 * COUNT(wild_records) + 1);
	assert_int_equal(counted(TS_LEDGER_CODE_SENT), 0);
	assert_int_equal(kernel_side__find(kernel, space, BASE).shape, 0);
}

static void wild_texts_are_none(void **state)
{
	SKIP_IF_MISSING();
	do_one(LOAD_TEXT_NOWHERE);
	assert_int_equal(kernel->events_count, 3);
	for (int i = 0; i < 3; i++) {
		const struct ts_code_event *event =
			(struct ts_code_event *)kernel->events[i];

		assert_int_equal(event->text_size, 0);
		assert_int_equal(event->header.size, sizeof(*event));
		assert_int_not_equal(event->row, 0);
	}
}

/* What it does to itself is its own; another process's rows stay as they are. */
static void a_wild_process_harms_no_other(void **state)
{
	struct ts_journal_record record = record_of(1);
	struct ts_insert body;
	struct ts_find found;
	__u32 mine;

	SKIP_IF_MISSING();
	mine = kernel_side__adopt(kernel, getpid(), 0);
	body = kernel_side__insert(kernel, mine, getpid(), &record);
	assert_int_equal(body.error, 0);
	for (int what = LOAD; what <= UNMAPPED_RECORD; what++)
		child__do(&child, what);
	found = kernel_side__find(kernel, mine, record.start + 0x3f);
	assert_true(found.frame ==
		    TS_FRAME_MAKE(TS_FRAME_TAG_BODY, body.generation, body.row));
	assert_int_equal(found.offset, 0x3f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_load_reaches_ring_and_code_map),
		TEST(an_unload_takes_the_body_out),
		TEST(modules_are_told),
		TEST(patches_are_told),
		TEST(tiering_is_told),
		TEST(long_texts_are_cut),
		TEST(the_semaphores_are_raised),
		cmocka_unit_test_setup_teardown(a_burst_is_all_there, setup_large_ring,
						teardown),
		cmocka_unit_test_setup_teardown(a_full_ring_loses_events_but_no_body,
						setup_small_ring, teardown),
		TEST(other_processes_are_not_heard),
		TEST(wild_sizes_and_starts_are_counted),
		TEST(wild_record_pointers_are_counted),
		TEST(wild_texts_are_none),
		TEST(a_wild_process_harms_no_other),
	};

	return cmocka_run_group_tests_name("bpf_probes", tests, NULL, NULL);
}
