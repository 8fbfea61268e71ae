/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The real hook, launched in a mock runtime: bodies from JIT callbacks, and functions
 * from searches for precompiled code.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "mock_runtime.h"

#include <stdlib.h>

#define FLAG_ELIGIBLE	   0x8000
#define FLAG_STATIC	   0x80
#define FLAG_DYNAMIC_CLASS 7
#define SEARCH_LAG	   32u /* precompiled.c */

static const uint8_t framed[] = {0x55, 0x48, 0x8b, 0xec, 0x33, 0xc0, 0x5d, 0xc3};
static const uint8_t osr[] = {0x48, 0x8b, 0x45, 0x00, 0x50, 0x48, 0x83, 0xec,
			      0x10, 0x48, 0x8d, 0x6c, 0x24, 0x10, 0xc3};

#define COUNTING_SLOTS 11u

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
	const struct ts_journal_header *journal;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	uint64_t address;

	if (!fixture || !(fixture->mock = mock__new()))
		return -1;
	fixture->mock->main_profiler = false;
	fixture->counting.slots_address = (uint64_t)(uintptr_t)fixture->counting.slots;
	fixture->counting.size = COUNTING_SLOTS;
	fixture->counting.max = COUNTING_SLOTS * 3 / 4;
	fixture->core = mock__module(fixture->mock, u"/lib/Core.dll", 0);
	address = (uint64_t)(uintptr_t)&fixture->counting;
	memcpy(fixture->core->allocator + 1992, &address, sizeof(address));
	*state = fixture;
	return 0;
}

static int launch(void **state)
{
	struct fixture *fixture;

	if (set_up(state))
		return -1;
	fixture = *state;
	fixture->journal = mock__launched(fixture->mock);
	return fixture->journal ? 0 : -1;
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

static function_id id_of(const struct mock_method *method)
{
	return (function_id)&method->descriptor;
}

static void compiled(struct fixture *fixture, const struct mock_method *method)
{
	struct profiler_callback *callback = fixture->mock->callback;

	callback->table->jit_compilation_finished(callback, id_of(method), S_OK, 1);
}

static void starting(struct fixture *fixture, const struct mock_method *method)
{
	struct profiler_callback *callback = fixture->mock->callback;

	callback->table->jit_compilation_started(callback, id_of(method), 1);
}

static void searched(struct fixture *fixture, const struct mock_method *method,
		     uint32_t result)
{
	struct profiler_callback *callback = fixture->mock->callback;

	callback->table->jit_cached_function_search_finished(callback, id_of(method),
							     result);
}

/* A method that the runtime would tier, with the body of its default version. */
static struct mock_method *eligible_method(struct fixture *fixture, uint64_t *ret_start)
{
	struct mock_method *method = mock__method(fixture->mock, fixture->core);

	method->descriptor.flags3 = FLAG_ELIGIBLE;
	*ret_start = mock__body(fixture->mock, method, framed, sizeof(framed));
	return method;
}

/* Where the runtime's own hash would put an entry: the `turn`-th place for a key. */
static uint32_t slot_of(const struct mock_method *method, uint32_t turn)
{
	uint32_t key = (uint32_t)id_of(method);

	return (uint32_t)((key % COUNTING_SLOTS +
			   (uint64_t)turn * (key % (COUNTING_SLOTS - 1) + 1)) %
			  COUNTING_SLOTS);
}

static void count_calls(struct fixture *fixture, uint32_t slot, uint64_t method,
			uint8_t stage)
{
	struct counting *counting = &fixture->counting;
	uint32_t turn = counting->count++;

	counting->occupied++;
	counting->infos[turn].kind = 2;
	counting->infos[turn].method = method;
	counting->infos[turn].stage = stage;
	counting->slots[slot] = (uint64_t)(uintptr_t)&counting->infos[turn];
}

static const struct ts_journal_record *record_of(struct fixture *fixture,
						 uint64_t start)
{
	const struct ts_journal_record *record =
		mock__record_of(fixture->journal, start);

	assert_non_null(record);
	return record;
}

static void callbacks_are_asked_for_instead_of_a_session(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(fixture->mock->mask_low, 0x20024);
	assert_int_equal(fixture->mock->mask_high, 0x4);
	assert_int_equal(fixture->mock->sessions, 0);
	assert_int_equal(fixture->journal->state, TS_HOOK_LIVE);
	assert_int_equal(fixture->journal->source, TS_SOURCE_CALLBACKS);
}

static void session_is_opened_where_callbacks_do_not_suffice(void **state)
{
	struct fixture *fixture = *state;

	fixture->mock->major = 8; /* no nodes to read */
	assert_int_equal(mock__launch(fixture->mock), S_OK);
	fixture->journal = mock__journal();
	assert_int_equal(fixture->mock->mask_low, 0x20000);
	assert_int_equal(fixture->mock->sessions, 1);
	assert_int_equal(fixture->journal->source, TS_SOURCE_SESSION);
}

static void first_body_is_recorded_whole(void **state)
{
	struct fixture *fixture = *state;
	uint64_t start;
	struct mock_method *method = eligible_method(fixture, &start);
	const struct ts_journal_record *record;

	compiled(fixture, method);
	record = record_of(fixture, start);
	assert_int_equal(record->flags, 0);
	assert_true(record->function_id == id_of(method));
	assert_true(record->module_id == (uint64_t)(uintptr_t)fixture->core->bytes);
	assert_int_equal(record->size, sizeof(framed));
	assert_int_equal(record->token, method->token);
	assert_int_equal(record->tier, TS_TIER_QUICK);
	assert_int_equal(record->native_version, 0);
	assert_int_equal(record->osr_il_offset, TS_NO_IL_OFFSET);
	assert_int_equal(record->shape, TS_SHAPE(TS_FRAME_FRAMED, 4, 0));
	assert_string_equal(mock__text(fixture->journal, record, 0), "NS.Type1");
	assert_string_equal(mock__text(fixture->journal, record, 1), "Method1");
	assert_string_equal(mock__text(fixture->journal, record, 2),
			    "instance int32  (class System.String)");
	/* Once, however often it is told. */
	compiled(fixture, method);
	assert_int_equal(fixture->journal->counters[TS_HOOK_CODE_LOADS], 1);
	assert_int_equal(fixture->journal->counters[TS_HOOK_CALLBACKS], 2);
}

static void failed_compilation_is_none(void **state)
{
	struct fixture *fixture = *state;
	struct profiler_callback *callback = fixture->mock->callback;
	uint64_t start;
	struct mock_method *method = eligible_method(fixture, &start);

	callback->table->jit_compilation_finished(callback, id_of(method), E_FAIL, 1);
	assert_null(mock__record_of(fixture->journal, start));
}

static void later_versions_come_from_their_nodes(void **state)
{
	struct fixture *fixture = *state;
	uint64_t first, second, third;
	struct mock_method *method = eligible_method(fixture, &first);
	const struct ts_journal_record *record;
	struct mock_node *node;

	compiled(fixture, method);
	second = mock__body(fixture->mock, method, framed, sizeof(framed));
	(void)mock__node(method, second, 1);
	compiled(fixture, method);
	record = record_of(fixture, second);
	assert_int_equal(record->tier, TS_TIER_1);
	assert_int_equal(record->native_version, 1);
	assert_int_equal(record->text_offset, record_of(fixture, first)->text_offset);
	assert_int_equal(record->token, method->token);
	assert_true(record->module_id == (uint64_t)(uintptr_t)fixture->core->bytes);

	third = mock__body(fixture->mock, method, osr, sizeof(osr));
	node = mock__node(method, third, 2);
	node->il_offset = 0x1a;
	method->patchpoints.frame_bytes = 0x58;
	compiled(fixture, method);
	record = record_of(fixture, third);
	assert_int_equal(record->tier, TS_TIER_1_OSR);
	assert_int_equal(record->native_version, 2);
	assert_int_equal(record->osr_il_offset, 0x1a);
	assert_int_equal(record->shape, TS_SHAPE(TS_FRAME_OSR, 14, 0x58 / 8));
	assert_int_equal(fixture->journal->counters[TS_HOOK_CODE_LOADS], 3);
}

static void two_bodies_of_one_moment_are_both_taken_in(void **state)
{
	struct fixture *fixture = *state;
	uint64_t first, second, third;
	struct mock_method *method = eligible_method(fixture, &first);

	compiled(fixture, method);
	second = mock__body(fixture->mock, method, framed, sizeof(framed));
	third = mock__body(fixture->mock, method, framed, sizeof(framed));
	(void)mock__node(method, second, 4);
	(void)mock__node(method, third, 1);
	compiled(fixture, method);
	assert_int_equal(record_of(fixture, second)->tier, TS_TIER_QUICK_INSTRUMENTED);
	assert_int_equal(record_of(fixture, third)->tier, TS_TIER_1);
}

static void precompiled_code_is_no_body(void **state)
{
	struct fixture *fixture = *state;
	uint64_t precompiled, start;
	struct mock_method *method = eligible_method(fixture, &precompiled);

	method->bodies[0]->header_address = 0; /* it lies in an image */
	start = mock__body(fixture->mock, method, framed, sizeof(framed));
	(void)mock__node(method, start, 5);
	compiled(fixture, method);
	assert_null(mock__record_of(fixture->journal, precompiled));
	assert_int_equal(record_of(fixture, start)->tier, TS_TIER_1_INSTRUMENTED);
}

static void method_that_the_jit_took_out_of_tiering(void **state)
{
	struct fixture *fixture = *state;
	uint64_t starts[3];
	struct mock_method *switched = eligible_method(fixture, &starts[0]);
	struct mock_method *counted = eligible_method(fixture, &starts[1]);
	struct mock_method *absent = eligible_method(fixture, &starts[2]);

	/* Its first place is deleted, its second another's. */
	fixture->counting.slots[slot_of(switched, 0)] = UINT64_MAX;
	count_calls(fixture, slot_of(switched, 1), 0x1000, 4);
	count_calls(fixture, slot_of(switched, 2), id_of(switched), 4);
	compiled(fixture, switched);
	assert_int_equal(record_of(fixture, starts[0])->tier, TS_TIER_OPTIMIZED);

	memset(fixture->counting.slots, 0, sizeof(fixture->counting.slots));
	count_calls(fixture, slot_of(counted, 0), id_of(counted), 1);
	compiled(fixture, counted);
	assert_int_equal(record_of(fixture, starts[1])->tier, TS_TIER_QUICK);

	/* A hash that is none: nothing is believed. */
	memset(fixture->counting.slots, 0, sizeof(fixture->counting.slots));
	count_calls(fixture, slot_of(absent, 0), id_of(absent), 9);
	compiled(fixture, absent);
	assert_int_equal(record_of(fixture, starts[2])->tier, TS_TIER_UNKNOWN);
	assert_int_equal(record_of(fixture, starts[2])->flags, TS_RECORD_TIER_UNKNOWN);
}

static void hash_that_did_not_change_is_not_searched(void **state)
{
	struct fixture *fixture = *state;
	uint64_t starts[3];
	struct mock_method *first = eligible_method(fixture, &starts[0]);
	struct mock_method *switched = eligible_method(fixture, &starts[1]);
	struct mock_method *unchanged = eligible_method(fixture, &starts[2]);

	count_calls(fixture, 0, 0x1000, 1);
	starting(fixture, first);
	compiled(fixture, first); /* from now on the hash is known */
	starting(fixture, switched);
	count_calls(fixture, slot_of(switched, 0), id_of(switched), 4);
	compiled(fixture, switched);
	assert_int_equal(record_of(fixture, starts[1])->tier, TS_TIER_OPTIMIZED);
	/* This one would be refused, if it was looked at. */
	memset(fixture->counting.slots, 0, sizeof(fixture->counting.slots));
	count_calls(fixture, slot_of(unchanged, 0), id_of(unchanged), 9);
	starting(fixture, unchanged);
	compiled(fixture, unchanged);
	assert_int_equal(record_of(fixture, starts[2])->tier, TS_TIER_QUICK);
}

/* Those that only native code calls are put there before their compilation begins. */
static void static_method_may_have_been_there_at_the_begin(void **state)
{
	struct fixture *fixture = *state;
	uint64_t starts[4];
	struct mock_method *first = eligible_method(fixture, &starts[0]);
	struct mock_method *called = eligible_method(fixture, &starts[1]);
	struct mock_method *unchanged = eligible_method(fixture, &starts[2]);
	struct mock_method *last = eligible_method(fixture, &starts[3]);

	called->descriptor.flags = unchanged->descriptor.flags = FLAG_STATIC;
	count_calls(fixture, 0, 0x1000, 1);
	compiled(fixture, first); /* from now on the hash is known */
	starting(fixture, last);
	compiled(fixture, last);
	count_calls(fixture, slot_of(called, 0), id_of(called), 4);
	starting(fixture, called);
	compiled(fixture, called);
	assert_int_equal(record_of(fixture, starts[1])->tier, TS_TIER_OPTIMIZED);
	/* This one would be refused, if it was looked at. */
	starting(fixture, called);
	memset(fixture->counting.slots, 0, sizeof(fixture->counting.slots));
	fixture->counting.slots[slot_of(unchanged, 0)] =
		(uint64_t)(uintptr_t)&fixture->counting.infos[0];
	fixture->counting.infos[0].stage = 9;
	starting(fixture, unchanged);
	compiled(fixture, unchanged);
	assert_int_equal(record_of(fixture, starts[2])->tier, TS_TIER_QUICK);
}

/* It may have been put there before the inner one began. */
static void compilation_inside_another_makes_that_one_be_searched(void **state)
{
	struct fixture *fixture = *state;
	uint64_t starts[3];
	struct mock_method *first = eligible_method(fixture, &starts[0]);
	struct mock_method *outer = eligible_method(fixture, &starts[1]);
	struct mock_method *inner = eligible_method(fixture, &starts[2]);

	count_calls(fixture, 0, 0x1000, 1);
	compiled(fixture, first);
	starting(fixture, outer);
	count_calls(fixture, slot_of(outer, 0), id_of(outer), 4);
	starting(fixture, inner);
	compiled(fixture, inner);
	assert_int_equal(record_of(fixture, starts[2])->tier, TS_TIER_QUICK);
	compiled(fixture, outer);
	assert_int_equal(record_of(fixture, starts[1])->tier, TS_TIER_OPTIMIZED);
}

static void method_that_is_not_tiered(void **state)
{
	struct fixture *fixture = *state;
	uint64_t optimized, debug;
	struct mock_method *method = eligible_method(fixture, &optimized);

	method->descriptor.flags3 = 0;
	compiled(fixture, method);
	assert_int_equal(record_of(fixture, optimized)->tier, TS_TIER_OPTIMIZED);
	memset(fixture->core->bytes + 232, 0, 4);
	method = eligible_method(fixture, &debug);
	method->descriptor.flags3 = 0;
	compiled(fixture, method);
	assert_int_equal(record_of(fixture, debug)->tier, TS_TIER_MIN_OPT);
}

static void function_that_cannot_be_asked_about(void **state)
{
	struct fixture *fixture = *state;
	uint64_t tiered, other;
	struct mock_method *method = eligible_method(fixture, &tiered);
	const struct ts_journal_record *record;

	method->nameless = true;
	compiled(fixture, method);
	record = record_of(fixture, tiered);
	assert_int_equal(record->tier, TS_TIER_UNKNOWN);
	assert_int_equal(record->flags, TS_RECORD_TIER_UNKNOWN);
	assert_int_equal(record->size, sizeof(framed));
	method = eligible_method(fixture, &other);
	method->nameless = true;
	method->descriptor.flags3 = 0;
	compiled(fixture, method);
	assert_int_equal(record_of(fixture, other)->tier, TS_TIER_UNKNOWN);
}

static void dynamic_method_comes_and_goes(void **state)
{
	static const char name[] = "Lambda";
	struct fixture *fixture = *state;
	struct profiler_callback *callback = fixture->mock->callback;
	uint64_t start;
	struct mock_method *method = eligible_method(fixture, &start);
	const struct ts_journal_record *record;

	method->descriptor.flags3 = 0;
	method->descriptor.flags = FLAG_DYNAMIC_CLASS;
	method->descriptor.name = (uint64_t)(uintptr_t)name;
	callback->table->dynamic_method_jit_compilation_finished(
		callback, id_of(method), S_OK, 1);
	record = record_of(fixture, start);
	assert_int_equal(record->flags, TS_RECORD_DYNAMIC);
	assert_int_equal(record->tier, TS_TIER_OPTIMIZED);
	assert_string_equal(mock__text(fixture->journal, record, 0), "dynamicClass");
	assert_string_equal(mock__text(fixture->journal, record, 1), name);
	callback->table->dynamic_method_unloaded(callback, id_of(method));
	assert_true(record->death_sequence > 0);
	/* Its id is given to another one, elsewhere. */
	method->bodies_count = 0;
	start = mock__body(fixture->mock, method, framed, sizeof(framed));
	callback->table->dynamic_method_jit_compilation_finished(
		callback, id_of(method), S_OK, 1);
	assert_true(record_of(fixture, start)->death_sequence == 0);
	assert_int_equal(fixture->journal->counters[TS_HOOK_CODE_UNLOADS], 1);
}

/* Compiles a dynamic method; its record. */
static const struct ts_journal_record *compile_dynamic(struct fixture *fixture, const char *name)
{
	static const uint8_t signature[] = {0x00, 0x01, 0x0a, 0x0e};
	struct profiler_callback *callback = fixture->mock->callback;
	uint64_t start;
	struct mock_method *method = eligible_method(fixture, &start);

	method->descriptor.flags3 = 0;
	method->descriptor.flags = FLAG_DYNAMIC_CLASS;
	method->descriptor.signature = (uint64_t)(uintptr_t)signature;
	method->descriptor.signature_size = sizeof(signature);
	method->descriptor.name = (uint64_t)(uintptr_t)name;
	callback->table->dynamic_method_jit_compilation_finished(callback, id_of(method),
								 S_OK, 1);
	return record_of(fixture, start);
}

static void dynamic_method_is_named_by_the_runtime_or_its_descriptor(void **state)
{
	static const char of_signature[] = "int64  (class System.String)";
	static char name[9000];
	struct fixture *fixture = *state;
	const struct ts_journal_record *asked, *refused, *cut;

	asked = compile_dynamic(fixture, "Asked");
	assert_int_equal(fixture->mock->dynamic_told, 1);
	assert_string_equal(mock__text(fixture->journal, asked, 1), "Asked");
	assert_string_equal(mock__text(fixture->journal, asked, 2), of_signature);
	fixture->mock->dynamic_refused = true;
	refused = compile_dynamic(fixture, "Refused");
	assert_string_equal(mock__text(fixture->journal, refused, 1), "Refused");
	assert_string_equal(mock__text(fixture->journal, refused, 2), of_signature);
	/* One that the runtime would cut off is whole, as when it is read after an attach. */
	fixture->mock->dynamic_refused = false;
	memset(name, 'x', sizeof(name) - 1);
	cut = compile_dynamic(fixture, name);
	assert_int_equal(fixture->mock->dynamic_told, 2);
	assert_true(strlen(mock__text(fixture->journal, cut, 1)) > 8192);
}

static void module_takes_its_bodies_along(void **state)
{
	struct fixture *fixture = *state;
	struct profiler_callback *callback = fixture->mock->callback;
	struct mock_module *plugin = mock__module(fixture->mock, u"/lib/Plugin.dll",
						  MODULE_INFO_COLLECTIBLE);
	struct mock_method *method;
	uint64_t start;

	callback->table->module_load_finished(callback, (module_id)plugin->bytes, S_OK);
	assert_int_equal(mock__record(fixture->journal, 0)->kind, TS_RECORD_MODULE);
	assert_int_equal(mock__record(fixture->journal, 0)->flags,
			 TS_RECORD_COLLECTIBLE);
	method = mock__method(fixture->mock, plugin);
	start = mock__body(fixture->mock, method, framed, sizeof(framed));
	compiled(fixture, method);
	assert_int_equal(record_of(fixture, start)->flags, TS_RECORD_COLLECTIBLE);
	callback->table->module_unload_started(callback, (module_id)plugin->bytes);
	assert_true(record_of(fixture, start)->death_sequence > 0);
	assert_true(mock__record(fixture->journal, 0)->death_sequence > 0);
}

static const struct ts_precompiled *precompiled(const struct fixture *fixture,
						uint32_t index)
{
	return (const struct ts_precompiled
			*)(const void *)((const char *)fixture->journal +
					 fixture->journal->precompiled_offset) +
	       index;
}

static void precompiled_functions_get_their_addresses_later(void **state)
{
	struct fixture *fixture = *state;
	struct profiler_callback *callback = fixture->mock->callback;
	uint64_t start;
	struct mock_method *first = eligible_method(fixture, &start);
	struct mock_method *other = mock__method(fixture->mock, fixture->core);

	first->bodies_count = 0; /* the runtime has not written it down yet */
	searched(fixture, first, CACHED_FUNCTION_FOUND);
	searched(fixture, other, 1);
	assert_int_equal(fixture->journal->precompiled_used, 1);
	first->bodies_count = 1;
	for (uint32_t i = 1; i < SEARCH_LAG; i++)
		searched(fixture, other, CACHED_FUNCTION_FOUND);
	assert_true(precompiled(fixture, 0)->start == 0);
	searched(fixture, other, CACHED_FUNCTION_FOUND);
	assert_true(precompiled(fixture, 0)->function_id == id_of(first));
	assert_true(precompiled(fixture, 0)->start == start);
	/* The last ones at the latest when the process ends. */
	(void)mock__body(fixture->mock, other, framed, sizeof(framed));
	callback->table->shutdown(callback);
	assert_int_equal(fixture->journal->precompiled_used, SEARCH_LAG + 1);
	assert_true(precompiled(fixture, SEARCH_LAG)->start ==
		    (uint64_t)(uintptr_t)other->bodies[0]->code);
	assert_int_equal(fixture->journal->counters[TS_HOOK_CACHE_SEARCHES],
			 SEARCH_LAG + 1);
}

static void function_that_can_go_is_not_kept(void **state)
{
	struct fixture *fixture = *state;
	struct profiler_callback *callback = fixture->mock->callback;
	struct mock_module *plugin = mock__module(fixture->mock, u"/lib/Plugin.dll",
						  MODULE_INFO_COLLECTIBLE);
	struct mock_method *mortal = mock__method(fixture->mock, plugin);
	struct mock_method *lasting = mock__method(fixture->mock, fixture->core);

	callback->table->module_load_finished(callback, (module_id)fixture->core->bytes,
					      S_OK);
	callback->table->module_load_finished(callback, (module_id)plugin->bytes, S_OK);
	searched(fixture, mortal, CACHED_FUNCTION_FOUND);
	assert_int_equal(fixture->journal->precompiled_used, 0);
	searched(fixture, lasting, CACHED_FUNCTION_FOUND);
	assert_int_equal(fixture->journal->precompiled_used, 1);
}

static void full_array_is_counted(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *method = mock__method(fixture->mock, fixture->core);
	uint32_t capacity = fixture->journal->precompiled_capacity;

	assert_true(capacity >= 262144);
	for (uint32_t i = 0; i < capacity + 3; i++)
		searched(fixture, method, CACHED_FUNCTION_FOUND);
	assert_int_equal(fixture->journal->precompiled_used, capacity);
	assert_int_equal(fixture->journal->counters[TS_HOOK_PRECOMPILED_OVERFLOW], 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define LAUNCHED(test) cmocka_unit_test_setup_teardown(test, launch, tear_down)
		LAUNCHED(callbacks_are_asked_for_instead_of_a_session),
		cmocka_unit_test_setup_teardown(
			session_is_opened_where_callbacks_do_not_suffice, set_up,
			tear_down),
		LAUNCHED(first_body_is_recorded_whole),
		LAUNCHED(failed_compilation_is_none),
		LAUNCHED(later_versions_come_from_their_nodes),
		LAUNCHED(two_bodies_of_one_moment_are_both_taken_in),
		LAUNCHED(precompiled_code_is_no_body),
		LAUNCHED(method_that_the_jit_took_out_of_tiering),
		LAUNCHED(hash_that_did_not_change_is_not_searched),
		LAUNCHED(static_method_may_have_been_there_at_the_begin),
		LAUNCHED(compilation_inside_another_makes_that_one_be_searched),
		LAUNCHED(method_that_is_not_tiered),
		LAUNCHED(function_that_cannot_be_asked_about),
		LAUNCHED(dynamic_method_comes_and_goes),
		LAUNCHED(dynamic_method_is_named_by_the_runtime_or_its_descriptor),
		LAUNCHED(module_takes_its_bodies_along),
		LAUNCHED(precompiled_functions_get_their_addresses_later),
		LAUNCHED(function_that_can_go_is_not_kept),
		LAUNCHED(full_array_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
