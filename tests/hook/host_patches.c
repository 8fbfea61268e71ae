/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * When new code is reached: methods with precodes and slots as .NET 10 lays them out, and
 * the real hook, which looks at them while somebody listens to stub_patch.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "mock_probes.h"
#include "mock_runtime.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define OWN_SLOT	 0x8u
#define ELIGIBLE	 0x8000u
#define TIER0		 (3u << 7)
#define TIER1_OSR	 (5u << 7)
#define FLAG_DYNAMIC	 1u
#define STUBS		 0x80000u /* in the mock's code */
#define STUB_BYTES	 24u
#define TO_WORDS	 0x4000u
#define COUNTING	 600u /* a stub that is of no method */
#define FORWARDER	 601u
#define BUCKET		 8u   /* as in profiler_hook/patches.c */
#define PAUSE_US	 300000u

static const uint8_t framed[] = {0x55, 0x48, 0x8b, 0xec, 0x33, 0xc0, 0x5d, 0xc3};

struct fixture {
	struct mock *mock;
	struct mock_module *core;
	const struct ts_journal_header *journal;
	uint64_t slots[8]; /* of the module's method table */
	int listener;
	const char *probe;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture || !(fixture->mock = mock__new()))
		return -1;
	fixture->core = mock__module(fixture->mock, u"/lib/Core.dll", 0);
	fixture->listener = -1;
	fixture->probe = "stub_patches";
	fixture->journal = mock__launched(fixture->mock);
	*state = fixture;
	return fixture->journal ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	if (fixture->listener >= 0)
		close(fixture->listener);
	mock__unmap_journal(fixture->journal);
	mock__free(fixture->mock);
	free(fixture);
	return 0;
}

static void listen_now(struct fixture *fixture)
{
	fixture->listener = mock_probe__listen(fixture->probe, true);
	if (fixture->listener >= 0)
		return;
	print_message("SKIP no uprobe events here: %s\n", strerror(errno));
	skip();
}

static uint64_t counter(const struct fixture *fixture, enum ts_hook_counter counter)
{
	return __atomic_load_n(&fixture->journal->counters[counter], __ATOMIC_ACQUIRE);
}

static uint8_t *stub_of(const struct fixture *fixture, uint32_t number)
{
	return fixture->mock->code + STUBS + STUB_BYTES * number;
}

static uint64_t *words_of(const struct fixture *fixture, uint32_t number)
{
	return (uint64_t *)(void *)(stub_of(fixture, number) + TO_WORDS);
}

static uint64_t prestub_of(const struct fixture *fixture, uint32_t number)
{
	return (uint64_t)(uintptr_t)stub_of(fixture, number) + 6;
}

static uint64_t function_of(const struct mock_method *method)
{
	return (uint64_t)(uintptr_t)&method->descriptor;
}

/* jmp [target]; mov r10, [method]; jmp [prestub]. */
static uint64_t put_precode(struct fixture *fixture, uint32_t number,
			    const struct mock_method *method)
{
	static const uint8_t fixup[STUB_BYTES] = {
		0xff, 0x25, 0xfa, 0x3f, 0x00, 0x00, 0x4c, 0x8b, 0x15, 0xfb, 0x3f, 0x00,
		0x00, 0xff, 0x25, 0xfd, 0x3f, 0x00, 0x00, 0x90, 0x66, 0x0f, 0x1f, 0x44};

	memcpy(stub_of(fixture, number), fixup, sizeof(fixup));
	words_of(fixture, number)[0] = prestub_of(fixture, number);
	words_of(fixture, number)[1] = function_of(method);
	return (uint64_t)(uintptr_t)stub_of(fixture, number);
}

/* mov rax, [count]; dec word [rax]; je past; jmp [target]; past: jmp [threshold]. */
static uint64_t count_calls_of(struct fixture *fixture, uint64_t start)
{
	static const uint8_t counting[STUB_BYTES] = {
		0x48, 0x8b, 0x05, 0xf9, 0x3f, 0x00, 0x00, 0x66, 0xff, 0x08, 0x74, 0x06,
		0xff, 0x25, 0xf6, 0x3f, 0x00, 0x00, 0xff, 0x25, 0xf8, 0x3f, 0x00, 0x00};

	memcpy(stub_of(fixture, COUNTING), counting, sizeof(counting));
	words_of(fixture, COUNTING)[1] = start;
	return (uint64_t)(uintptr_t)stub_of(fixture, COUNTING);
}

/* A method that is called through its precode; its number is its place in the mock. */
static struct mock_method *ordinary(struct fixture *fixture)
{
	uint32_t number = fixture->mock->methods_count;
	struct mock_method *method = mock__method(fixture->mock, fixture->core);

	method->descriptor.flags3 = ELIGIBLE;
	method->descriptor.flags = OWN_SLOT;
	method->code_data.entry_point = put_precode(fixture, number, method);
	return method;
}

/* One that is called through a slot of its type. */
static struct mock_method *virtual_in(struct fixture *fixture, uint16_t slot)
{
	struct mock_method *method = ordinary(fixture);
	uint16_t count = 8;

	method->descriptor.flags = 0;
	method->descriptor.slot = slot;
	memcpy((uint8_t *)fixture->core->method_table + 12, &count, sizeof(count));
	/* What follows a method table are the addresses of its chunks of slots. */
	fixture->core->auxiliary[0] = (uint64_t)(uintptr_t)fixture->slots;
	fixture->slots[slot] = method->code_data.entry_point;
	return method;
}

static uint64_t *cell_of(struct fixture *fixture, const struct mock_method *method)
{
	return words_of(fixture, (uint32_t)(method - fixture->mock->methods));
}

/* A body that the runtime tells of, and does not publish yet. */
static uint64_t born_as(struct fixture *fixture, struct mock_method *method, uint32_t flags)
{
	struct mock_event event = {
		.function = function_of(method),
		.module = (uint64_t)(uintptr_t)fixture->core->bytes,
		.start = mock__body(fixture->mock, method, framed, sizeof(framed)),
		.size = sizeof(framed),
		.flags = flags,
		.type = u"T",
		.method = u"M",
		.signature = u"S",
	};

	method->bodies_count = 1; /* there is no room for many, nor need */
	mock__load(fixture->mock, &event);
	return event.start;
}

static uint64_t born(struct fixture *fixture, struct mock_method *method)
{
	return born_as(fixture, method, TIER0);
}

/* Any event that says nothing. */
static void happen(struct fixture *fixture)
{
	mock__deliver(fixture->mock, 145, 1, NULL, 0);
}

/* By whichever thread; hits of the listener are those of this one alone. */
static uint64_t told(const struct fixture *fixture)
{
	return counter(fixture, TS_HOOK_PATCHES);
}

static void wait_until_told(const struct fixture *fixture, uint64_t count)
{
	while (told(fixture) != count)
		usleep(100);
}

/* --- tests ---------------------------------------------------------------------------- */

static void a_thread_looks_at_its_next_event(void **state)
{
	struct fixture *fixture = *state;

	listen_now(fixture);
	for (uint64_t i = 0; i < 20; i++) {
		struct mock_method *method = ordinary(fixture);
		uint64_t start = born(fixture, method);

		assert_int_equal(told(fixture), i);
		happen(fixture);
		assert_int_equal(told(fixture), i);
		*cell_of(fixture, method) = start;
		happen(fixture);
		/* If the helper thread has it in hand, this one does not wait. */
		wait_until_told(fixture, i + 1);
	}
	/* Eight at a time, if the helper thread does not. */
	assert_in_range(mock_probe__hits(fixture->listener), 0, 20 / BUCKET);
	assert_int_equal(counter(fixture, TS_HOOK_PATCH_OVERFLOW), 0);
}

/* One by one at once, for who listens to that. */
static void each_is_told_to_who_wants_that(void **state)
{
	struct fixture *fixture = *state;

	fixture->probe = "stub_patch";
	listen_now(fixture);
	for (uint64_t i = 0; i < 20; i++) {
		struct mock_method *method = ordinary(fixture);

		*cell_of(fixture, method) = born(fixture, method);
		happen(fixture);
		wait_until_told(fixture, i + 1);
	}
	assert_in_range(mock_probe__hits(fixture->listener), 10, 20);
}

static void the_helper_looks_while_there_is_no_event(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *method = ordinary(fixture);
	uint64_t start;

	listen_now(fixture);
	start = born(fixture, method);
	usleep(20000);
	assert_int_equal(told(fixture), 0);
	*cell_of(fixture, method) = start;
	wait_until_told(fixture, 1);
	/* Told once: it is there to stay. */
	happen(fixture);
	usleep(20000);
	assert_int_equal(told(fixture), 1);
}

static void slots_and_what_they_lead_to_are_followed(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *methods[3];
	uint64_t start;

	listen_now(fixture);
	for (uint16_t i = 0; i < 3; i++)
		methods[i] = virtual_in(fixture, i);
	start = born(fixture, methods[0]);
	fixture->slots[0] = start;
	wait_until_told(fixture, 1);
	/* By way of a stub that counts calls, and of another precode. */
	start = born(fixture, methods[1]);
	fixture->slots[1] = count_calls_of(fixture, start);
	wait_until_told(fixture, 2);
	start = born(fixture, methods[2]);
	fixture->slots[2] = put_precode(fixture, FORWARDER, methods[2]);
	words_of(fixture, FORWARDER)[0] = start;
	wait_until_told(fixture, 3);
}

/* A slot with precompiled code, of which the hook does not know. */
static void a_slot_that_says_nothing_at_first_is_sought_again(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *method = virtual_in(fixture, 4);
	uint64_t start;

	listen_now(fixture);
	fixture->slots[4] = MOCK_AREA;
	start = born(fixture, method);
	happen(fixture);
	assert_int_equal(told(fixture), 0);
	fixture->slots[4] = start;
	wait_until_told(fixture, 1);
}

static void what_was_reached_before_its_birth_is_not_told(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *method = ordinary(fixture);
	/* Where the next body will be. */
	uint64_t start = mock__body(fixture->mock, method, framed, sizeof(framed));
	struct mock_event event = {
		.function = function_of(method),
		.module = (uint64_t)(uintptr_t)fixture->core->bytes,
		.start = start, .size = sizeof(framed), .flags = TIER0,
		.type = u"T", .method = u"M", .signature = u"S",
	};

	listen_now(fixture);
	*cell_of(fixture, method) = start;
	mock__load(fixture->mock, &event);
	happen(fixture);
	usleep(20000);
	assert_int_equal(told(fixture), 0);
}

static void what_is_never_reached_or_can_go_is_not_waited_for(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *method = ordinary(fixture), *collectible;
	struct mock_module *plugin =
		mock__module(fixture->mock, u"/lib/Plugin.dll", MODULE_INFO_COLLECTIBLE);

	listen_now(fixture);
	*cell_of(fixture, method) = born_as(fixture, method, TIER1_OSR);
	happen(fixture);
	*cell_of(fixture, method) = born_as(fixture, method, TIER0 | FLAG_DYNAMIC);
	happen(fixture);
	fixture->core = plugin;
	collectible = ordinary(fixture);
	*cell_of(fixture, collectible) = born(fixture, collectible);
	happen(fixture);
	usleep(20000);
	assert_int_equal(told(fixture), 0);
}

static void nobody_listens_and_nothing_is_done(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *method = ordinary(fixture);

	*cell_of(fixture, method) = born(fixture, method);
	happen(fixture);
	listen_now(fixture); /* too late for that one */
	happen(fixture);
	usleep(20000);
	assert_int_equal(told(fixture), 0);
}

static void more_than_fits_is_counted(void **state)
{
	struct fixture *fixture = *state;
	const uint32_t count = 3 * BUCKET;
	struct mock_method *methods[3 * BUCKET];
	uint64_t starts[3 * BUCKET];

	listen_now(fixture);
	for (uint32_t i = 0; i < count; i++) {
		methods[i] = ordinary(fixture);
		starts[i] = born(fixture, methods[i]);
	}
	assert_int_equal(counter(fixture, TS_HOOK_PATCH_OVERFLOW), count - BUCKET);
	for (uint32_t i = 0; i < count; i++)
		*cell_of(fixture, methods[i]) = starts[i];
	wait_until_told(fixture, BUCKET);
}

/* Nothing that is not what it should be is believed, or faults. */
static void memory_that_is_no_runtime_is_survived(void **state)
{
	struct fixture *fixture = *state;
	static const uint64_t wild[] = {0, 8, 0x10000, 0x7fffdead0000, ~0ull, 1ull << 63};

	listen_now(fixture);
	for (uint32_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
		struct mock_method *method = ordinary(fixture), *other = ordinary(fixture);

		method->code_data.entry_point = wild[i];
		(void)born(fixture, method);
		(void)born(fixture, other);
		*cell_of(fixture, other) = wild[i];
		happen(fixture);
	}
	assert_int_equal(told(fixture), 0);
}

/* How often the helper thread went to sleep so far. */
static unsigned long sleeps(void)
{
	unsigned long count = 0;
	char line[128];
	FILE *status = mock__helper_status();

	assert_non_null(status);
	while (fgets(line, sizeof(line), status) &&
	       sscanf(line, "voluntary_ctxt_switches: %lu", &count) != 1)
		;
	fclose(status);
	return count;
}

/* Ends only if it does. */
static void wait_until_it_sleeps_for_good(void)
{
	unsigned long before;

	do {
		before = sleeps();
		usleep(PAUSE_US);
	} while (sleeps() != before);
}

static void the_helper_sleeps_when_nothing_waits(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *method = ordinary(fixture), *never = ordinary(fixture);
	unsigned long before;
	uint64_t start;

	while (mock__helpers() != 1)
		usleep(1000);
	/* Nobody listens. */
	wait_until_it_sleeps_for_good();
	before = sleeps();
	(void)born(fixture, ordinary(fixture));
	happen(fixture);
	usleep(PAUSE_US);
	assert_int_equal(sleeps(), before);

	/* Somebody does, and all is told. */
	listen_now(fixture);
	start = born(fixture, method);
	*cell_of(fixture, method) = start;
	wait_until_told(fixture, 1);
	wait_until_it_sleeps_for_good();
	assert_true(sleeps() > before);
	/* What is never reached is not waited for for ever. */
	(void)born(fixture, never);
	wait_until_it_sleeps_for_good();
	assert_int_equal(told(fixture), 1);
	/* It wakes again for the next one. */
	method = ordinary(fixture);
	*cell_of(fixture, method) = born(fixture, method);
	wait_until_told(fixture, 2);
	/* What waits is given up when the listener goes. */
	(void)born(fixture, never);
	close(fixture->listener);
	fixture->listener = -1;
	wait_until_it_sleeps_for_good();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_thread_looks_at_its_next_event),
		TEST(each_is_told_to_who_wants_that),
		TEST(the_helper_looks_while_there_is_no_event),
		TEST(slots_and_what_they_lead_to_are_followed),
		TEST(a_slot_that_says_nothing_at_first_is_sought_again),
		TEST(what_was_reached_before_its_birth_is_not_told),
		TEST(what_is_never_reached_or_can_go_is_not_waited_for),
		TEST(nobody_listens_and_nothing_is_done),
		TEST(more_than_fits_is_counted),
		TEST(memory_that_is_no_runtime_is_survived),
		TEST(the_helper_sleeps_when_nothing_waits),
	};

	return cmocka_run_group_tests_name("hook patches", tests, NULL, NULL);
}
