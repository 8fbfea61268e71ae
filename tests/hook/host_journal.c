/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The real hook in a mock runtime: what its journal says after events.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "mock_runtime.h"

#include <stdio.h>
#include <stdlib.h>

#define FLAG_DYNAMIC	1u
#define FLAG_GENERIC	2u
#define FLAG_TIER(tier) ((uint32_t)(tier) << 7)
#define HRESULT_CANCEL	((hresult)0x80131375)

static const uint8_t framed[] = {0x55, 0x48, 0x8b, 0xec, 0x33, 0xc0, 0x5d, 0xc3};
static const uint8_t frameless[] = {0x50, 0x90, 0x90, 0x48, 0x83, 0xc4, 0x08, 0xc3};
static const uint8_t osr[] = {0x48, 0x8b, 0x45, 0x00, 0x50, 0x48, 0x83, 0xec,
			      0x10, 0x48, 0x8d, 0x6c, 0x24, 0x10, 0xc3};

struct fixture {
	struct mock *mock;
	struct mock_module *core;
	const struct ts_journal_header *journal;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture || !(fixture->mock = mock__new()))
		return -1;
	fixture->core = mock__module(fixture->mock, u"/lib/Core.dll", 0);
	*state = fixture;
	fixture->journal = mock__launched(fixture->mock);
	return fixture->journal ? 0 : -1;
}

static int set_up_small(void **state)
{
	int err;

	setenv("TIERSCOPE_JOURNAL_MB", "1", 1);
	err = set_up(state);
	unsetenv("TIERSCOPE_JOURNAL_MB");
	return err;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	mock__unmap_journal(fixture->journal);
	mock__free(fixture->mock);
	free(fixture);
	return 0;
}

static struct mock_event event_of(const struct mock_method *method, uint64_t start,
				  uint32_t size, uint32_t tier)
{
	return (struct mock_event){
		.function = (uint64_t)(uintptr_t)&method->descriptor,
		.module = (uint64_t)(uintptr_t)method->module->bytes,
		.start = start,
		.size = size,
		.token = method->token,
		.flags = FLAG_TIER(tier) | 8,
		.type = u"NS.Type",
		.method = u"Method",
		.signature = u"void  ()",
	};
}

static uint64_t counter(const struct fixture *fixture, enum ts_hook_counter which)
{
	return fixture->journal->counters[which];
}

static void hook_introduces_itself(void **state)
{
	struct fixture *fixture = *state;
	const struct ts_journal_header *header = fixture->journal;
	int32_t notification = 0;

	fixture->mock->callback->table->load_as_notification_only(
		fixture->mock->callback, &notification);
	assert_int_equal(notification, 1);
	assert_true(header->magic == TS_JOURNAL_MAGIC);
	assert_int_equal(header->layout, TS_JOURNAL_LAYOUT);
	assert_int_equal(header->total_bytes, TS_JOURNAL_BYTES_DEFAULT);
	assert_int_equal(header->state, TS_HOOK_LIVE);
	assert_int_equal(header->attached, 0);
	assert_int_equal(header->runtime_major, 10);
	assert_int_equal(header->runtime_build, 12);
	assert_int_equal(fixture->mock->sessions, 1);
	assert_true(fixture->mock->provider.keywords == 0x1000000018);
	assert_int_equal(fixture->mock->provider.level, 5);
}

static void hook_is_there_once_per_process(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(mock__attach(fixture->mock), HRESULT_CANCEL);
	assert_int_equal(mock__launch(fixture->mock), HRESULT_CANCEL);
	assert_int_equal(fixture->mock->sessions, 1);
	assert_int_equal(fixture->journal->attached, 0);
}

static void load_is_recorded_whole(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *method = mock__method(fixture->mock, fixture->core);
	uint64_t start = mock__body(fixture->mock, method, framed, sizeof(framed));
	struct mock_event event =
		event_of(method, start, sizeof(framed), TS_TIER_QUICK);
	const struct ts_journal_record *record;

	mock__load(fixture->mock, &event);
	record = mock__record_of(fixture->journal, start);
	assert_non_null(record);
	assert_true(record->function_id == event.function);
	assert_true(record->module_id == event.module);
	assert_int_equal(record->size, sizeof(framed));
	assert_int_equal(record->token, method->token);
	assert_int_equal(record->tier, TS_TIER_QUICK);
	assert_int_equal(record->rejit_id, 0);
	assert_int_equal(record->native_version, 0);
	assert_int_equal(record->osr_il_offset, TS_NO_IL_OFFSET);
	assert_int_equal(record->shape, TS_SHAPE(TS_FRAME_FRAMED, 4, 0));
	assert_int_equal(record->flags, 0);
	assert_true(record->born_ns > 0);
	assert_true(record->thread > 0);
	assert_true(record->death_sequence == 0);
	assert_string_equal(mock__text(fixture->journal, record, 0), "NS.Type");
	assert_string_equal(mock__text(fixture->journal, record, 1), "Method");
	assert_string_equal(mock__text(fixture->journal, record, 2), "void  ()");
	assert_string_equal(mock__text(fixture->journal, record, 3), "");
	/* What a probe's reader sees lies in the hook's own mapping. */
	assert_memory_equal((const char *)(uintptr_t)record->text_address,
			    mock__text(fixture->journal, record, 0), record->text_size);
}

static void version_comes_from_its_node(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *method = mock__method(fixture->mock, fixture->core);
	uint64_t tier0 = mock__body(fixture->mock, method, framed, sizeof(framed));
	uint64_t start = mock__body(fixture->mock, method, osr, sizeof(osr));
	struct mock_event event =
		event_of(method, tier0, sizeof(framed), TS_TIER_QUICK);
	const struct ts_journal_record *record;
	struct mock_node *node;

	mock__load(fixture->mock, &event);
	(void)mock__node(method, 0x1000, 1);
	node = mock__node(method, start, 2);
	node->il_offset = 0x1a;
	node->il_version = 3;
	method->patchpoints.frame_bytes = 0x58;
	(void)mock__node(method, 0x2000, 1);
	event = event_of(method, start, sizeof(osr), TS_TIER_1_OSR);
	event.native_version = node->version;
	mock__load(fixture->mock, &event);
	record = mock__record_of(fixture->journal, start);
	assert_non_null(record);
	assert_int_equal(record->rejit_id, 3);
	assert_int_equal(record->native_version, 2);
	assert_int_equal(record->tier, TS_TIER_1_OSR);
	assert_int_equal(record->osr_il_offset, 0x1a);
	assert_int_equal(record->shape, TS_SHAPE(TS_FRAME_OSR, 14, 0x58 / 8));
	/* The layout is proven now, and found by plain loads. */
	node->version = 9;
	node->il_version = 4;
	event.start = mock__body(fixture->mock, method, framed, sizeof(framed));
	node->native_code = event.start;
	event.native_version = 9;
	mock__load(fixture->mock, &event);
	assert_int_equal(mock__record_of(fixture->journal, event.start)->rejit_id, 4);
	/* One text for all bodies of a function. */
	assert_int_equal(record->text_offset,
			 mock__record_of(fixture->journal, tier0)->text_offset);
}

/* A node that names another method is not believed; then the interface is asked. */
static void foreign_memory_is_not_believed(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *method = mock__method(fixture->mock, fixture->core);
	uint64_t start =
		mock__body(fixture->mock, method, frameless, sizeof(frameless));
	struct mock_event event = event_of(method, start, sizeof(frameless), TS_TIER_1);
	struct mock_node *node = mock__node(method, start, 1);
	const struct ts_journal_record *record;

	node->method++;
	node->il_version = 77;
	event.native_version = node->version;
	mock__load(fixture->mock, &event);
	record = mock__record_of(fixture->journal, start);
	assert_int_equal(record->rejit_id, 0);
	assert_int_equal(record->flags, 0);
	assert_int_equal(record->shape, TS_SHAPE(TS_FRAME_FRAMELESS, 1, 1));

	/* Nothing is mapped where the method should be: no crash, and it says so. */
	for (uint64_t function = 0x10; function < 0x800000000000; function <<= 4) {
		event.function = function;
		event.start += 64;
		mock__load(fixture->mock, &event);
		record = mock__record_of(fixture->journal, event.start);
		assert_int_equal(record->flags, TS_RECORD_REJIT_UNKNOWN);
	}
	assert_true(counter(fixture, TS_HOOK_API_FAILED) > 0);
}

static void type_arguments_are_spelled(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *method = mock__method(fixture->mock, fixture->core);
	uint64_t start = mock__body(fixture->mock, method, framed, sizeof(framed));
	struct mock_event event =
		event_of(method, start, sizeof(framed), TS_TIER_QUICK);
	const struct ts_journal_record *record;

	event.flags |= FLAG_GENERIC;
	method->arguments_count = 4;
	method->arguments[0] = 0x501;	  /* type 5 */
	method->arguments[1] = 0x50102;	  /* an array of it */
	method->arguments[2] = 0x5010203; /* Gen`1 of that array */
	method->arguments[3] = 0x901;	  /* nested */
	mock__load(fixture->mock, &event);
	record = mock__record_of(fixture->journal, start);
	assert_int_equal(record->flags, TS_RECORD_GENERIC);
	assert_string_equal(
		mock__text(fixture->journal, record, 3),
		"NS.Type5,NS.Type5[],NS.Gen`1[NS.Type5[]],NS.Type8+NS.Type9");
}

static void hostile_names_are_kept_as_text(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *method = mock__method(fixture->mock, fixture->core);
	uint64_t start = mock__body(fixture->mock, method, framed, sizeof(framed));
	struct mock_event event =
		event_of(method, start, sizeof(framed), TS_TIER_QUICK);
	static const uint16_t broken[] = {'<', '/', 0xd800, 0x1b, '[', 0xdfff, 0};
	static uint16_t long_name[10001], huge_name[70001];
	const struct ts_journal_record *record;

	for (size_t i = 0; i < 10000; i++)
		long_name[i] = 0x20ac;
	for (size_t i = 0; i < 70000; i++)
		huge_name[i] = 'x';
	event.type = broken;
	event.method = long_name;
	mock__load(fixture->mock, &event);
	record = mock__record_of(fixture->journal, start);
	assert_string_equal(mock__text(fixture->journal, record, 0),
			    "</\xef\xbf\xbd\x1b[\xef\xbf\xbd");
	assert_int_equal(strlen(mock__text(fixture->journal, record, 1)), 30000);
	assert_int_equal(record->flags, 0);

	event.start += 1;
	event.method = huge_name;
	mock__load(fixture->mock, &event);
	record = mock__record_of(fixture->journal, event.start);
	assert_int_equal(record->flags, TS_RECORD_TEXT_CUT);
	assert_int_equal(record->text_size, TS_TEXT_MAX);
	assert_string_equal(mock__text(fixture->journal, record, 2), "");
}

static void truncated_events_are_counted(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *method = mock__method(fixture->mock, fixture->core);
	struct mock_event event = event_of(method, MOCK_AREA, 8, TS_TIER_QUICK);
	uint8_t payload[512];
	size_t size = mock__payload(&event, payload);

	for (size_t part = 0; part < size; part++)
		mock__deliver(fixture->mock, 143, 1, payload, part);
	assert_int_equal(counter(fixture, TS_HOOK_BAD_EVENT), size);
	assert_int_equal(counter(fixture, TS_HOOK_CODE_LOADS), 0);
	assert_int_equal(fixture->journal->records_used, 0);
	/* The same number from another provider is not ours. */
	fixture->mock->callback->table->event_pipe_event_delivered(
		fixture->mock->callback, 2, 143, 1, 0, NULL, (uint32_t)size, payload,
		NULL, NULL, 0, 0, NULL);
	assert_int_equal(fixture->journal->records_used, 0);
	mock__deliver(fixture->mock, 143, 1, payload, size);
	assert_int_equal(counter(fixture, TS_HOOK_CODE_LOADS), 1);
}

static void unload_ends_a_body_and_frees_its_address(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *method = mock__method(fixture->mock, fixture->core);
	uint64_t start = mock__body(fixture->mock, method, framed, sizeof(framed));
	struct mock_event event = event_of(method, start, sizeof(framed), 2);
	const struct ts_journal_record *first, *second;

	event.flags |= FLAG_DYNAMIC;
	mock__load(fixture->mock, &event);
	mock__load(fixture->mock, &event); /* a lost race: the same body again */
	first = mock__record_of(fixture->journal, start);
	assert_int_equal(counter(fixture, TS_HOOK_CODE_LOADS), 1);
	mock__unload(fixture->mock, &event);
	assert_true(first->death_sequence > first->sequence);
	assert_true(first->died_ns >= first->born_ns);
	mock__unload(fixture->mock, &event); /* of nothing any more */
	assert_int_equal(counter(fixture, TS_HOOK_CODE_UNLOADS), 1);
	event.method = u"Other";
	mock__load(fixture->mock, &event);
	second = mock__record_of(fixture->journal, start);
	assert_ptr_not_equal(first, second);
	assert_true(second->sequence > first->death_sequence);
	assert_string_equal(mock__text(fixture->journal, second, 1), "Other");
	assert_string_equal(mock__text(fixture->journal, first, 1), "Method");
	/* Another body at the same address, with no unload: the old one is gone. */
	event.size = 4;
	mock__load(fixture->mock, &event);
	assert_true(second->death_sequence > 0);
}

static void module_takes_its_bodies_along(void **state)
{
	struct fixture *fixture = *state;
	struct mock *mock = fixture->mock;
	struct mock_module *plugin =
		mock__module(mock, u"/app/Plugin.dll", MODULE_INFO_COLLECTIBLE);
	struct mock_method *own = mock__method(mock, plugin);
	struct mock_method *over = mock__method(mock, fixture->core);
	struct mock_method *other = mock__method(mock, fixture->core);
	uint64_t starts[3] = {mock__body(mock, own, framed, 8),
			      mock__body(mock, over, framed, 8),
			      mock__body(mock, other, framed, 8)};
	struct mock_event event;
	uint64_t record_of_plugin;

	mock__module_event(mock, 152, fixture->core);
	mock__module_event(mock, 152, plugin);
	record_of_plugin = fixture->journal->records_used - 1;
	event = event_of(own, starts[0], 8, 2);
	mock__load(mock, &event);
	over->class = 0x10501 << 8 | 3; /* Gen`1 over type 5 of the plugin */
	event = event_of(over, starts[1], 8, 2);
	event.flags |= FLAG_GENERIC;
	mock__load(mock, &event);
	event = event_of(other, starts[2], 8, 2);
	mock__load(mock, &event);
	assert_int_equal(mock__record_of(fixture->journal, starts[1])->flags,
			 TS_RECORD_GENERIC | TS_RECORD_COLLECTIBLE);
	mock__module_event(mock, 153, plugin);
	assert_true(mock__record_of(fixture->journal, starts[0])->death_sequence > 0);
	assert_true(mock__record_of(fixture->journal, starts[1])->death_sequence > 0);
	assert_true(mock__record_of(fixture->journal, starts[2])->death_sequence == 0);
	assert_true(mock__record(fixture->journal, (uint32_t)record_of_plugin)
			    ->death_sequence > 0);
	/* At the end of a process every module is reported: its code stays. */
	mock__module_event(mock, 153, fixture->core);
	assert_true(mock__record_of(fixture->journal, starts[2])->death_sequence == 0);
}

static void full_journal_is_counted_not_fatal(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *method = mock__method(fixture->mock, fixture->core);
	uint32_t capacity = fixture->journal->records_capacity;
	struct mock_event event = event_of(method, 0, 16, TS_TIER_QUICK);

	assert_int_equal(fixture->journal->total_bytes, 1 << 20);
	for (uint32_t i = 0; i < capacity + 100; i++) {
		event.start = MOCK_AREA + 64ull * i;
		mock__load(fixture->mock, &event);
	}
	assert_int_equal(fixture->journal->records_used, capacity);
	/* The module is a record too. */
	assert_int_equal(counter(fixture, TS_HOOK_RECORD_OVERFLOW), 101);
	assert_int_equal(counter(fixture, TS_HOOK_CODE_LOADS), capacity + 100);
}

/* Dynamic methods come and go for ever: dead records and their texts are reused. */
static void churn_needs_no_more_room(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *method = mock__method(fixture->mock, fixture->core);
	struct mock_event event = event_of(method, 0, 16, 2);
	static uint16_t name[301];

	event.flags |= FLAG_DYNAMIC;
	event.method = name;
	for (uint32_t i = 0; i < 100000; i++) {
		uint32_t length = 1 + i * 37 % 300;

		for (uint32_t unit = 0; unit < length; unit++)
			name[unit] = 'a' + i % 26;
		name[length] = 0;
		event.start = MOCK_AREA + 64ull * (i % 5000);
		event.function = event.start;
		mock__load(fixture->mock, &event);
		if (i % 1000 == 999) {
			const struct ts_journal_record *record =
				mock__record_of(fixture->journal, event.start);

			assert_int_equal(record->text_size, 8 + length + 1 + 9 + 1);
			assert_int_equal(
				strlen(mock__text(fixture->journal, record, 1)),
				length);
		}
		mock__unload(fixture->mock, &event);
	}
	assert_int_equal(counter(fixture, TS_HOOK_RECORD_OVERFLOW), 0);
	assert_int_equal(counter(fixture, TS_HOOK_TEXT_OVERFLOW), 0);
	assert_int_equal(counter(fixture, TS_HOOK_CODE_UNLOADS), 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(hook_introduces_itself, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(hook_is_there_once_per_process, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(load_is_recorded_whole, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(version_comes_from_its_node, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(foreign_memory_is_not_believed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(type_arguments_are_spelled, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(hostile_names_are_kept_as_text, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(truncated_events_are_counted, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			unload_ends_a_body_and_frees_its_address, set_up, tear_down),
		cmocka_unit_test_setup_teardown(module_takes_its_bodies_along, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(full_journal_is_counted_not_fatal,
						set_up_small, tear_down),
		cmocka_unit_test_setup_teardown(churn_needs_no_more_room, set_up_small,
						tear_down),
	};

	return cmocka_run_group_tests_name("hook journal", tests, NULL, NULL);
}
