/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The real hook, attached to a mock runtime that has code already.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "mock_runtime.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define FLAG_ELIGIBLE		0x8000
#define FLAG_INSTANTIATED_CLASS 5
#define FLAG_DYNAMIC_CLASS	7

static const uint8_t framed[] = {0x55, 0x48, 0x8b, 0xec, 0x33, 0xc0, 0x5d, 0xc3};
static const uint8_t osr[] = {0x48, 0x8b, 0x45, 0x00, 0x50, 0x48, 0x83, 0xec,
			      0x10, 0x48, 0x8d, 0x6c, 0x24, 0x10, 0xc3};

#define COUNTING_SLOTS 1009

/* The call counting manager's hash, as .NET 10.0.12 lays it out. */
struct counting {
	uint64_t slots_address;
	uint32_t size, count, occupied, max;
	uint64_t slots[COUNTING_SLOTS];
	struct {
		uint32_t kind, padding;
		uint64_t method, stub;
		uint16_t calls;
		uint8_t stage, padding2[5];
	} infos[COUNTING_SLOTS];
};

struct fixture {
	struct mock *mock;
	struct mock_module *core;
	struct counting counting;
	uint64_t first, second, last; /* dynamic methods */
	struct mock_event unload;     /* of the second */
	pthread_t thread;
	bool unloaded, wrong;
	const struct ts_journal_header *journal;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct counting *counting;
	uint64_t address;

	if (!fixture || !(fixture->mock = mock__new()))
		return -1;
	counting = &fixture->counting;
	counting->slots_address = (uint64_t)(uintptr_t)counting->slots;
	counting->size = COUNTING_SLOTS;
	counting->max = COUNTING_SLOTS * 3 / 4;
	/* As full as it gets, with versions that have nodes. */
	for (uint32_t i = 0; i < counting->max - 2; i++) {
		counting->infos[i].kind = 1;
		counting->infos[i].stage = i % 5;
		counting->slots[i + 200] = (uint64_t)(uintptr_t)&counting->infos[i];
	}
	counting->count = counting->occupied = counting->max - 2;
	fixture->core = mock__module(fixture->mock, u"/lib/Core.dll", 0);
	fixture->core->listed = true;
	address = (uint64_t)(uintptr_t)counting;
	memcpy(fixture->core->allocator + 1992, &address, sizeof(address));
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	if (fixture->journal)
		mock__unmap_journal(fixture->journal);
	mock__free(fixture->mock);
	free(fixture);
	return 0;
}

static struct mock_method *listed_method(struct fixture *fixture)
{
	struct mock_method *method = mock__method(fixture->mock, fixture->core);

	method->listed = true;
	method->class = 0x701;
	return method;
}

static void attach(struct fixture *fixture)
{
	assert_int_equal(mock__attach(fixture->mock), S_OK);
	fixture->journal = mock__journal();
	assert_non_null(fixture->journal);
}

/* Call counting disabled for a method's default version. */
static void switch_to_optimized(struct fixture *fixture, struct mock_method *method)
{
	struct counting *counting = &fixture->counting;

	counting->infos[0].kind = 2;
	counting->infos[0].method = (uint64_t)(uintptr_t)&method->descriptor;
	counting->infos[0].stage = 4;
	counting->slots[5] = UINT64_MAX; /* deleted */
	counting->occupied++;
}

static const struct ts_journal_record *record_of(struct fixture *fixture,
						 uint64_t start)
{
	const struct ts_journal_record *record =
		mock__record_of(fixture->journal, start);

	assert_non_null(record);
	assert_true(record->flags & TS_RECORD_CATCH_UP);
	assert_true(record->death_sequence == 0);
	return record;
}

static void catch_up_lists_methods_with_names(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *method = listed_method(fixture);
	uint64_t start = mock__body(fixture->mock, method, framed, sizeof(framed));
	const struct ts_journal_record *record;

	method->descriptor.flags3 = FLAG_ELIGIBLE;
	attach(fixture);
	assert_int_equal(fixture->journal->state, TS_HOOK_LIVE);
	assert_int_equal(fixture->journal->attached, 1);
	assert_int_equal(fixture->journal->counters[TS_HOOK_CATCH_UP_BODIES], 1);
	record = record_of(fixture, start);
	assert_int_equal(record->flags, TS_RECORD_CATCH_UP);
	assert_int_equal(record->tier, TS_TIER_QUICK);
	assert_int_equal(record->size, sizeof(framed));
	assert_int_equal(record->token, method->token);
	assert_true(record->module_id == (uint64_t)(uintptr_t)fixture->core->bytes);
	assert_int_equal(record->shape, TS_SHAPE(TS_FRAME_FRAMED, 4, 0));
	assert_string_equal(mock__text(fixture->journal, record, 0), "NS.Type7");
	assert_string_equal(mock__text(fixture->journal, record, 1), "Method1");
	assert_string_equal(mock__text(fixture->journal, record, 2),
			    "instance int32  (class System.String)");
	/* Its module came first. */
	assert_int_equal(mock__record(fixture->journal, 0)->kind, TS_RECORD_MODULE);
	assert_string_equal(mock__text(fixture->journal,
				       mock__record(fixture->journal, 0), 0),
			    "/lib/Core.dll");
}

static void catch_up_tells_the_tiers_apart(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *switched = listed_method(fixture);
	struct mock_method *ineligible = listed_method(fixture);
	struct mock_method *tiered = listed_method(fixture);
	uint64_t starts[4];
	struct mock_node *node;
	const struct ts_journal_record *record;

	starts[0] = mock__body(fixture->mock, switched, framed, sizeof(framed));
	switched->descriptor.flags3 = FLAG_ELIGIBLE;
	switch_to_optimized(fixture, switched);
	starts[1] = mock__body(fixture->mock, ineligible, framed, sizeof(framed));
	starts[2] = mock__body(fixture->mock, tiered, framed, sizeof(framed));
	tiered->descriptor.flags3 = FLAG_ELIGIBLE;
	starts[3] = mock__body(fixture->mock, tiered, osr, sizeof(osr));
	node = mock__node(tiered, starts[3], 2);
	node->il_offset = 7;
	node->il_version = 4;
	tiered->patchpoints.frame_bytes = 0x40;
	attach(fixture);
	assert_int_equal(record_of(fixture, starts[0])->tier, TS_TIER_OPTIMIZED);
	assert_int_equal(record_of(fixture, starts[1])->tier, TS_TIER_OPTIMIZED);
	assert_int_equal(record_of(fixture, starts[2])->tier, TS_TIER_QUICK);
	record = record_of(fixture, starts[3]);
	assert_int_equal(record->tier, TS_TIER_1_OSR);
	assert_int_equal(record->osr_il_offset, 7);
	assert_int_equal(record->rejit_id, 4);
	assert_int_equal(record->native_version, 1);
	assert_int_equal(record->shape, TS_SHAPE(TS_FRAME_OSR, 14, 8));
	assert_int_equal(fixture->journal->counters[TS_HOOK_CATCH_UP_BODIES], 4);
}

static void debug_module_is_not_optimized(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *method = listed_method(fixture);
	uint64_t start = mock__body(fixture->mock, method, framed, sizeof(framed));

	memset(fixture->core->bytes + 232, 0, 4);
	attach(fixture);
	assert_int_equal(record_of(fixture, start)->tier, TS_TIER_MIN_OPT);
}

/* Where the runtime's hash is not what it should be, no tier is made up. */
static void unknown_memory_gives_unknown_tiers(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *method = listed_method(fixture);
	uint64_t start = mock__body(fixture->mock, method, framed, sizeof(framed));
	const struct ts_journal_record *record;

	method->descriptor.flags3 = FLAG_ELIGIBLE;
	switch_to_optimized(fixture, method);
	fixture->counting.infos[0].kind = 9;
	attach(fixture);
	record = record_of(fixture, start);
	assert_int_equal(record->tier, TS_TIER_UNKNOWN);
	assert_true(record->flags & TS_RECORD_TIER_UNKNOWN);
}

static void dynamic_methods_are_found_in_the_code_heaps(void **state)
{
	static const uint8_t signature[] = {0x00, 0x01, 0x0a, 0x0e};
	struct fixture *fixture = *state;
	struct mock_method *method = mock__method(fixture->mock, fixture->core);
	uint64_t start = mock__body(fixture->mock, method, framed, sizeof(framed));
	const struct ts_journal_record *record;

	method->descriptor.flags = FLAG_DYNAMIC_CLASS;
	method->descriptor.signature = (uint64_t)(uintptr_t)signature;
	method->descriptor.signature_size = sizeof(signature);
	method->descriptor.name = (uint64_t)(uintptr_t) "lambda_method1";
	attach(fixture);
	record = record_of(fixture, start);
	assert_int_equal(record->flags, TS_RECORD_CATCH_UP | TS_RECORD_DYNAMIC);
	assert_int_equal(record->token, 0);
	assert_int_equal(record->tier, TS_TIER_OPTIMIZED);
	assert_string_equal(mock__text(fixture->journal, record, 0), "dynamicClass");
	assert_string_equal(mock__text(fixture->journal, record, 1), "lambda_method1");
	assert_string_equal(mock__text(fixture->journal, record, 2),
			    "int64  (class System.String)");
}

static void precompiled_default_versions_are_left_out(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *method = listed_method(fixture);
	uint64_t start = mock__body(fixture->mock, method, framed, sizeof(framed));

	/* What stands in front of precompiled code is other code. */
	method->bodies[0]->header_address = (uint64_t)(uintptr_t)fixture->core->bytes;
	attach(fixture);
	assert_null(mock__record_of(fixture->journal, start));
	assert_int_equal(fixture->journal->counters[TS_HOOK_CATCH_UP_BODIES], 0);
}

/*
 * A module that no enumeration lists any more is being taken down: its methods are
 * not asked about, wherever they turn up.
 */
static void dying_code_is_not_asked_about(void **state)
{
	struct fixture *fixture = *state;
	struct mock_module *dying = mock__module(fixture->mock, u"/app/Plugin.dll",
						 MODULE_INFO_COLLECTIBLE);
	struct mock_method *own = mock__method(fixture->mock, dying);
	struct mock_method *over = listed_method(fixture);
	struct mock_method *safe = listed_method(fixture);
	uint64_t starts[3] = {mock__body(fixture->mock, own, framed, sizeof(framed)),
			      mock__body(fixture->mock, over, framed, sizeof(framed)),
			      mock__body(fixture->mock, safe, framed, sizeof(framed))};
	uint64_t arguments[1] = {(uint64_t)(uintptr_t)dying->method_table};

	own->listed = true;
	/* A generic method of a lasting class, over a type of the dying module. */
	over->descriptor.flags = FLAG_INSTANTIATED_CLASS;
	over->descriptor.signature_size = 0;
	memcpy((char *)&over->descriptor + 24,
	       &(uint64_t){(uint64_t)(uintptr_t)arguments}, 8);
	memcpy((char *)&over->descriptor + 34, &(uint16_t){1}, 2);
	attach(fixture);
	assert_int_equal(fixture->mock->asked_about_dying, 0);
	assert_null(mock__record_of(fixture->journal, starts[0]));
	assert_null(mock__record_of(fixture->journal, starts[1]));
	assert_non_null(mock__record_of(fixture->journal, starts[2]));
}

/* --- unloads while the catch-up asks ------------------------------------------ */

/* `first` is asked about before `second`, and `last` after both. */
static void add_dynamic_methods(struct fixture *fixture)
{
	uint64_t *starts[] = {&fixture->first, &fixture->second, &fixture->last};

	for (int i = 0; i < 3; i++) {
		struct mock_method *method = listed_method(fixture);

		method->descriptor.flags = FLAG_DYNAMIC_CLASS;
		*starts[i] = mock__body(fixture->mock, method, framed, sizeof(framed));
		if (i == 1)
			fixture->unload.function = (uint64_t)(uintptr_t)&method->descriptor;
	}
	fixture->unload.module = (uint64_t)(uintptr_t)fixture->core->bytes;
	fixture->unload.start = fixture->second;
	fixture->unload.size = sizeof(framed);
	fixture->unload.flags = 1;
	fixture->mock->context = fixture;
}

static void *unload_second(void *argument)
{
	struct fixture *fixture = argument;

	mock__unload(fixture->mock, &fixture->unload);
	__atomic_store_n(&fixture->unloaded, true, __ATOMIC_RELEASE);
	return NULL;
}

static void begin_unload(struct fixture *fixture)
{
	assert_int_equal(pthread_create(&fixture->thread, NULL, unload_second, fixture), 0);
}

static void end_unload(struct fixture *fixture)
{
	assert_int_equal(pthread_join(fixture->thread, NULL), 0);
}

static void unload_another(struct mock *mock, uint64_t start)
{
	struct fixture *fixture = mock->context;

	fixture->wrong = fixture->wrong || start == fixture->second;
	if (start != fixture->first)
		return;
	begin_unload(fixture);
	end_unload(fixture);
}

/* A catch-up takes a second; a thread that waited for it would stop all others. */
static void unload_of_another_method_does_not_wait(void **state)
{
	struct fixture *fixture = *state;

	add_dynamic_methods(fixture);
	fixture->mock->at_question = unload_another;
	attach(fixture);
	assert_true(fixture->unloaded);
	assert_false(fixture->wrong);
	assert_non_null(mock__record_of(fixture->journal, fixture->first));
	assert_null(mock__record_of(fixture->journal, fixture->second));
	assert_non_null(mock__record_of(fixture->journal, fixture->last));
	assert_int_equal(fixture->journal->counters[TS_HOOK_RECORD_OVERFLOW], 0);
}

static void unload_this_one(struct mock *mock, uint64_t start)
{
	struct fixture *fixture = mock->context;

	if (start != fixture->second)
		return;
	begin_unload(fixture);
	usleep(2000); /* give it the chance to run ahead */
	fixture->wrong = __atomic_load_n(&fixture->unloaded, __ATOMIC_ACQUIRE);
}

static void unload_waits_for_the_question_about_it(void **state)
{
	struct fixture *fixture = *state;

	add_dynamic_methods(fixture);
	fixture->mock->at_question = unload_this_one;
	attach(fixture);
	end_unload(fixture);
	assert_non_null(mock__record_of(fixture->journal, fixture->second));
	assert_true(mock__record_of(fixture->journal, fixture->second)->death_sequence > 0);
	assert_int_equal(fixture->journal->counters[TS_HOOK_CODE_UNLOADS], 1);
	/* The question took longer than an unload waits: this machine has much to do. */
	if (fixture->journal->counters[TS_HOOK_RECORD_OVERFLOW])
		skip();
	assert_false(fixture->wrong);
	assert_non_null(mock__record_of(fixture->journal, fixture->last));
}

/* As if the question needed what the unloading thread holds. */
static void unload_in_the_question(struct mock *mock, uint64_t start)
{
	struct fixture *fixture = mock->context;

	fixture->wrong = fixture->wrong || start == fixture->last;
	if (start != fixture->second)
		return;
	begin_unload(fixture);
	end_unload(fixture);
}

static void unload_does_not_wait_for_ever(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *lasting;
	uint64_t start;

	add_dynamic_methods(fixture);
	lasting = listed_method(fixture);
	start = mock__body(fixture->mock, lasting, framed, sizeof(framed));
	fixture->mock->at_question = unload_in_the_question;
	attach(fixture);
	assert_false(fixture->wrong);
	assert_true(mock__record_of(fixture->journal, fixture->second)->death_sequence > 0);
	/* From then on only what is never freed is asked about. */
	assert_null(mock__record_of(fixture->journal, fixture->last));
	assert_non_null(mock__record_of(fixture->journal, start));
	assert_int_equal(fixture->journal->counters[TS_HOOK_RECORD_OVERFLOW], 1);
}

static void event_after_catch_up_adds_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *method = listed_method(fixture);
	uint64_t start = mock__body(fixture->mock, method, framed, sizeof(framed));
	struct mock_event event = {
		.function = (uint64_t)(uintptr_t)&method->descriptor,
		.module = (uint64_t)(uintptr_t)fixture->core->bytes,
		.start = start,
		.size = sizeof(framed),
		.token = method->token,
		.flags = TS_TIER_OPTIMIZED << 7,
		.type = u"NS.Type7",
		.method = u"Method1",
		.signature = u"instance int32  (class System.String)",
	};
	uint32_t used;

	attach(fixture);
	used = fixture->journal->records_used;
	mock__load(fixture->mock, &event);
	assert_int_equal(fixture->journal->records_used, used);
	/* But where they disagree about the tier, the event is right. */
	event.flags = TS_TIER_QUICK << 7;
	mock__load(fixture->mock, &event);
	assert_int_equal(mock__record_of(fixture->journal, start)->tier, TS_TIER_QUICK);
	assert_int_equal(fixture->journal->counters[TS_HOOK_CODE_UNLOADS], 1);
}

static void failed_session_is_said(void **state)
{
	struct fixture *fixture = *state;

	fixture->mock->session_result = E_FAIL;
	attach(fixture);
	assert_int_equal(fixture->journal->state, TS_HOOK_FAILED);
	assert_int_equal(fixture->journal->failure, (uint32_t)E_FAIL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(catch_up_lists_methods_with_names,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(catch_up_tells_the_tiers_apart, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(debug_module_is_not_optimized, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(unknown_memory_gives_unknown_tiers,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			dynamic_methods_are_found_in_the_code_heaps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			precompiled_default_versions_are_left_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(dying_code_is_not_asked_about, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(unload_of_another_method_does_not_wait,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(unload_waits_for_the_question_about_it,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(unload_does_not_wait_for_ever,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(event_after_catch_up_adds_nothing,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(failed_session_is_said, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("hook attach", tests, NULL, NULL);
}
