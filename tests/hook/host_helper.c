/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The real hook's own thread in a mock runtime: the mailbox, rest and resume, the late
 * session, detach.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "mock_runtime.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FLAG_DYNAMIC_CLASS 7

static const uint8_t framed[] = {0x55, 0x48, 0x8b, 0xec, 0x33, 0xc0, 0x5d, 0xc3};
static const uint8_t signature[] = {0x00, 0x01, 0x0a, 0x0e};

struct fixture {
	struct mock *mock;
	struct mock_module *core;
	const struct ts_journal_header *journal;
	struct ts_mailbox *mailbox;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture || !(fixture->mock = mock__new()))
		return -1;
	fixture->core = mock__module(fixture->mock, u"/lib/Core.dll", 0);
	fixture->core->listed = true;
	*state = fixture;
	return 0;
}

static void let_go(struct fixture *fixture)
{
	if (fixture->journal)
		mock__unmap_journal(fixture->journal);
	if (fixture->mailbox)
		mock__unmap_mailbox(fixture->mailbox);
	fixture->journal = NULL;
	fixture->mailbox = NULL;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	let_go(fixture);
	mock__free(fixture->mock);
	free(fixture);
	return 0;
}

static void attach(struct fixture *fixture)
{
	assert_int_equal(mock__attach(fixture->mock), S_OK);
	fixture->journal = mock__journal();
	fixture->mailbox = mock__mailbox();
	assert_non_null(fixture->journal);
	assert_non_null(fixture->mailbox);
	assert_int_equal(fixture->journal->state, TS_HOOK_LIVE);
}

static void wait_for(const uint32_t *number, uint32_t wanted)
{
	while (__atomic_load_n(number, __ATOMIC_ACQUIRE) != wanted)
		usleep(1000);
}

static const struct ts_precompiled *told(struct fixture *fixture, uint32_t index)
{
	const char *base = (const char *)fixture->journal;

	return (const struct ts_precompiled *)(const void *)(base +
							     fixture->journal
								     ->precompiled_offset) +
	       index;
}

static void ask(struct fixture *fixture, uint64_t address)
{
	uint32_t turn = __atomic_fetch_add(&fixture->mailbox->asked, 1, __ATOMIC_ACQ_REL);

	__atomic_store_n(&fixture->mailbox->addresses[turn % TS_MAILBOX_SLOTS], address,
			 __ATOMIC_RELEASE);
	mock__ring(fixture->mailbox);
}

/* --- the thread ------------------------------------------------------------------- */

static void wait_for_helpers(unsigned int wanted)
{
	while (mock__helpers() != wanted)
		usleep(1000);
}

static void there_is_one_thread(void **state)
{
	struct fixture *fixture = *state;

	wait_for_helpers(0);
	attach(fixture);
	wait_for_helpers(1);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(mock__command(fixture->mailbox, TS_COMMAND_REST), S_OK);
		assert_int_equal(mock__command(fixture->mailbox, TS_COMMAND_RESUME), S_OK);
	}
	wait_for_helpers(1);
}

static void its_signals_are_blocked(void **state)
{
	struct fixture *fixture = *state;
	unsigned long long blocked = 0;
	char line[128];
	FILE *status;

	attach(fixture);
	wait_for_helpers(1);
	status = mock__helper_status();
	assert_non_null(status);
	while (fgets(line, sizeof(line), status) &&
	       sscanf(line, "SigBlk: %llx", &blocked) != 1)
		;
	fclose(status);
	assert_true(blocked & 1ull << (SIGTERM - 1));
	assert_true(blocked & 1ull << (SIGRTMIN - 1));
	/* The runtime makes exceptions of these; blocked, they would end it. */
	assert_false(blocked & 1ull << (SIGSEGV - 1));
	assert_false(blocked & 1ull << (SIGFPE - 1));
}

/* --- the mailbox -------------------------------------------------------------------- */

static void addresses_get_their_functions(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *method = mock__method(fixture->mock, fixture->core);
	uint64_t start = mock__body(fixture->mock, method, framed, sizeof(framed));

	attach(fixture);
	ask(fixture, start);
	ask(fixture, 0x10000);
	wait_for(&fixture->mailbox->taken, 2);
	assert_int_equal(fixture->journal->precompiled_used, 2);
	assert_true(told(fixture, 0)->function_id ==
		    (uint64_t)(uintptr_t)&method->descriptor);
	assert_true(told(fixture, 0)->start == start);
	/* What the runtime cannot name is an answer too. */
	assert_true(told(fixture, 1)->function_id == 0);
	assert_true(told(fixture, 1)->start == 0x10000);
	assert_int_equal(fixture->journal->counters[TS_HOOK_MAILBOX_ANSWERS], 2);
}

static void more_than_fits_is_answered_in_turns(void **state)
{
	struct fixture *fixture = *state;
	const uint32_t count = TS_MAILBOX_SLOTS * 4;

	attach(fixture);
	for (uint32_t i = 0; i < count; i++) {
		while (fixture->mailbox->asked -
			       __atomic_load_n(&fixture->mailbox->taken,
					       __ATOMIC_ACQUIRE) >=
		       TS_MAILBOX_SLOTS)
			usleep(100);
		ask(fixture, 0x10000 + i);
	}
	wait_for(&fixture->mailbox->taken, count);
	assert_int_equal(fixture->journal->precompiled_used, count);
	for (uint32_t i = 0; i < count; i++)
		assert_true(told(fixture, i)->start == 0x10000 + i);
}

/* An asker that is killed between its claim and its store. */
static void a_turn_that_stays_empty_is_passed_over(void **state)
{
	struct fixture *fixture = *state;

	attach(fixture);
	fixture->mailbox->asked++;
	ask(fixture, 0x20000);
	wait_for(&fixture->mailbox->taken, 2);
	assert_int_equal(fixture->journal->precompiled_used, 1);
	assert_true(told(fixture, 0)->start == 0x20000);
}

static void nonsense_in_the_mailbox_is_survived(void **state)
{
	struct fixture *fixture = *state;

	attach(fixture);
	__atomic_store_n(&fixture->mailbox->asked, 0x80000000u, __ATOMIC_RELEASE);
	mock__ring(fixture->mailbox);
	wait_for(&fixture->mailbox->taken, 0x80000000u);
	assert_true((uint32_t)mock__command(fixture->mailbox, 77) == 0x80070057u);
	ask(fixture, 0x30000);
	wait_for(&fixture->journal->precompiled_used, 1);
}

/* --- rest and resume ------------------------------------------------------------------ */

static void rest_closes_the_session(void **state)
{
	struct fixture *fixture = *state;

	attach(fixture);
	assert_int_equal(fixture->mock->sessions, 1);
	assert_int_equal(mock__command(fixture->mailbox, TS_COMMAND_REST), S_OK);
	assert_int_equal(fixture->journal->state, TS_HOOK_RESTING);
	assert_int_equal(fixture->mock->stops, 1);
	assert_int_equal(mock__command(fixture->mailbox, TS_COMMAND_REST), S_FALSE);
	assert_int_equal(mock__command(fixture->mailbox, TS_COMMAND_RESUME), S_OK);
	assert_int_equal(fixture->journal->state, TS_HOOK_LIVE);
	assert_int_equal(mock__command(fixture->mailbox, TS_COMMAND_RESUME), S_OK);
	assert_int_equal(fixture->mock->sessions, 2);
	assert_int_equal(fixture->mock->stops, 1);
	assert_int_equal(fixture->journal->counters[TS_HOOK_SESSIONS], 2);
}

static void nothing_is_asked_on_a_thread_of_the_runtime(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *method = mock__method(fixture->mock, fixture->core);

	method->descriptor.flags = FLAG_DYNAMIC_CLASS;
	method->descriptor.signature = (uint64_t)(uintptr_t)signature;
	method->descriptor.signature_size = sizeof(signature);
	attach(fixture);
	(void)mock__command(fixture->mailbox, TS_COMMAND_REST);
	fixture->mock->asked_on_session_thread = 0;
	mock__body(fixture->mock, method, framed, sizeof(framed));
	(void)mock__command(fixture->mailbox, TS_COMMAND_RESUME);
	ask(fixture, 0x10000);
	wait_for(&fixture->mailbox->taken, 1);
	assert_int_equal(fixture->journal->counters[TS_HOOK_CATCH_UP_BODIES], 1);
	assert_int_equal(fixture->mock->asked_on_session_thread, 0);
}

static struct mock_method *dynamic_method(struct fixture *fixture, const char *name)
{
	struct mock_method *method = mock__method(fixture->mock, fixture->core);

	method->descriptor.flags = FLAG_DYNAMIC_CLASS;
	method->descriptor.signature = (uint64_t)(uintptr_t)signature;
	method->descriptor.signature_size = sizeof(signature);
	method->descriptor.name = (uint64_t)(uintptr_t)name;
	return method;
}

/*
 * Three dynamic methods: one stays, one is freed, one gives its FunctionID, address and
 * size to another.
 */
static void resume_finds_what_ended_meanwhile(void **state)
{
	struct fixture *fixture = *state;
	struct mock_method *stays = dynamic_method(fixture, "Stays");
	struct mock_method *goes = dynamic_method(fixture, "Goes");
	struct mock_method *changes = dynamic_method(fixture, "Before");
	uint64_t starts[3] = {
		mock__body(fixture->mock, stays, framed, sizeof(framed)),
		mock__body(fixture->mock, goes, framed, sizeof(framed)),
		mock__body(fixture->mock, changes, framed, sizeof(framed)),
	};
	const struct ts_journal_record *before[3], *after;

	attach(fixture);
	for (int i = 0; i < 3; i++) {
		before[i] = mock__record_of(fixture->journal, starts[i]);
		assert_non_null(before[i]);
		assert_true(before[i]->death_sequence == 0);
	}
	(void)mock__command(fixture->mailbox, TS_COMMAND_REST);
	goes->bodies[0]->header_address = 0;
	goes->bodies_count = 0;
	changes->descriptor.name = (uint64_t)(uintptr_t)"After";
	(void)mock__command(fixture->mailbox, TS_COMMAND_RESUME);
	assert_true(before[0]->death_sequence == 0);
	assert_ptr_equal(mock__record_of(fixture->journal, starts[0]), before[0]);
	assert_true(before[1]->death_sequence != 0);
	assert_true(before[2]->death_sequence != 0);
	after = mock__record_of(fixture->journal, starts[2]);
	assert_true(after->sequence > before[2]->death_sequence);
	assert_true(after->death_sequence == 0);
	assert_string_equal(mock__text(fixture->journal, after, 1), "After");
}

static void resume_finds_modules_that_went(void **state)
{
	struct fixture *fixture = *state;
	struct mock_module *plugin =
		mock__module(fixture->mock, u"/lib/Plugin.dll", MODULE_INFO_COLLECTIBLE);
	struct mock_method *method = mock__method(fixture->mock, plugin);
	const struct ts_journal_record *record;
	uint64_t start = mock__body(fixture->mock, method, framed, sizeof(framed));

	plugin->listed = true;
	method->listed = true;
	method->class = 0x010701;
	attach(fixture);
	record = mock__record_of(fixture->journal, start);
	assert_non_null(record);
	assert_true(record->flags & TS_RECORD_COLLECTIBLE);
	(void)mock__command(fixture->mailbox, TS_COMMAND_REST);
	/* Its id is another module's now. */
	plugin->path = u"/lib/Other.dll";
	method->listed = false;
	method->bodies[0]->header_address = 0;
	method->bodies_count = 0;
	(void)mock__command(fixture->mailbox, TS_COMMAND_RESUME);
	assert_true(record->death_sequence != 0);
	for (uint32_t i = 0; (record = mock__record(fixture->journal, i)) != NULL; i++) {
		if (record->kind == TS_RECORD_MODULE && !record->death_sequence)
			assert_string_not_equal(mock__text(fixture->journal, record, 0),
						"/lib/Plugin.dll");
	}
}

static void a_further_attach_resumes(void **state)
{
	struct fixture *fixture = *state;

	attach(fixture);
	(void)mock__command(fixture->mailbox, TS_COMMAND_REST);
	assert_true((uint32_t)mock__attach(fixture->mock) == 0x80131375u);
	wait_for(&fixture->journal->state, TS_HOOK_LIVE);
	assert_int_equal(fixture->mock->sessions, 2);
}

/* Its loader was killed: the next event finds that nobody listens. */
static void an_event_that_nobody_hears_brings_rest(void **state)
{
	struct fixture *fixture = *state;

	attach(fixture);
	mock__module_event(fixture->mock, 152, fixture->core);
	wait_for(&fixture->journal->state, TS_HOOK_RESTING);
	assert_int_equal(fixture->mock->stops, 1);
	(void)mock__command(fixture->mailbox, TS_COMMAND_RESUME);
	mock__module_event(fixture->mock, 152, fixture->core);
	wait_for(&fixture->journal->state, TS_HOOK_RESTING);
	assert_int_equal(fixture->mock->stops, 2);
}

static void a_session_that_cannot_be_opened_again_is_told(void **state)
{
	struct fixture *fixture = *state;

	attach(fixture);
	(void)mock__command(fixture->mailbox, TS_COMMAND_REST);
	fixture->mock->session_result = (hresult)0x80131363;
	assert_true((uint32_t)mock__command(fixture->mailbox, TS_COMMAND_RESUME) ==
		    0x80131363u);
	assert_int_equal(fixture->journal->state, TS_HOOK_FAILED);
	fixture->mock->session_result = S_OK;
	assert_int_equal(mock__command(fixture->mailbox, TS_COMMAND_RESUME), S_OK);
	assert_int_equal(fixture->journal->state, TS_HOOK_LIVE);
}

/* --- launched --------------------------------------------------------------------------- */

static void launch(struct fixture *fixture, const char *delay)
{
	setenv("TIERSCOPE_SESSION_DELAY_MS", delay, 1);
	fixture->mock->main_profiler = false;
	assert_int_equal(mock__launch(fixture->mock), S_OK);
	unsetenv("TIERSCOPE_SESSION_DELAY_MS");
	fixture->journal = mock__journal();
	fixture->mailbox = mock__mailbox();
	assert_non_null(fixture->journal);
}

static void the_session_follows_the_callbacks(void **state)
{
	struct fixture *fixture = *state;

	launch(fixture, "50");
	wait_for(&fixture->journal->source, TS_SOURCE_SESSION);
	assert_int_equal(fixture->mock->sessions, 1);
	assert_int_equal(fixture->mock->mask_low, MONITOR_CACHE_SEARCHES);
	assert_int_equal(fixture->mock->mask_high, 0);
	assert_int_equal(fixture->journal->state, TS_HOOK_LIVE);
	/* Its journal is kept for whoever comes. */
	assert_int_equal(mock__command(fixture->mailbox, TS_COMMAND_REST), S_FALSE);
	mock__module_event(fixture->mock, 152, fixture->core);
	assert_int_equal(fixture->mock->stops, 0);
}

static void a_session_without_delay_is_there_from_the_start(void **state)
{
	struct fixture *fixture = *state;

	launch(fixture, "0");
	assert_int_equal(fixture->journal->source, TS_SOURCE_SESSION);
	assert_int_equal(fixture->mock->sessions, 1);
	assert_int_equal(fixture->mock->mask_low, MONITOR_CACHE_SEARCHES);
	assert_int_equal(fixture->journal->state, TS_HOOK_LIVE);
}

static void without_a_session_from_the_start_there_are_callbacks(void **state)
{
	struct fixture *fixture = *state;

	fixture->mock->session_result = E_FAIL;
	launch(fixture, "0");
	assert_int_equal(fixture->journal->source, TS_SOURCE_CALLBACKS);
	assert_int_equal(fixture->journal->state, TS_HOOK_LIVE);
	assert_true(fixture->mock->mask_low & MONITOR_JIT_COMPILATION);
}

static void without_a_session_the_callbacks_go_on(void **state)
{
	struct fixture *fixture = *state;

	fixture->mock->session_result = E_FAIL;
	launch(fixture, "1");
	wait_for(&fixture->mock->sessions, 1);
	(void)mock__command(fixture->mailbox, TS_COMMAND_RESUME);
	assert_int_equal(fixture->journal->source, TS_SOURCE_CALLBACKS);
	assert_int_equal(fixture->journal->state, TS_HOOK_LIVE);
	assert_true(fixture->mock->mask_low & MONITOR_JIT_COMPILATION);
}

/* --- detach ------------------------------------------------------------------------------ */

static void leave(struct fixture *fixture)
{
	const struct profiler_callback_table *table = fixture->mock->callback->table;

	fixture->mailbox->command = TS_COMMAND_DETACH;
	mock__ring(fixture->mailbox);
	wait_for(&fixture->mock->detaches, 1);
	assert_int_equal(table->profiler_detach_succeeded(fixture->mock->callback), S_OK);
}

static void detach_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;

	launch(fixture, "60000");
	leave(fixture);
	assert_int_equal(fixture->journal->state, TS_HOOK_GONE);
	assert_int_equal(fixture->mock->mask_low, 0);
	assert_null(mock__journal());
	wait_for_helpers(0);
	/* And it may come again. */
	let_go(fixture);
	fixture->mock->detaches = 0;
	attach(fixture);
	assert_int_equal(fixture->journal->attached, 1);
	assert_int_equal(fixture->mock->sessions, 1);
	wait_for_helpers(1);
}

static void a_refused_detach_changes_nothing(void **state)
{
	struct fixture *fixture = *state;

	launch(fixture, "1");
	wait_for(&fixture->journal->source, TS_SOURCE_SESSION);
	fixture->mock->detach_result = (hresult)0x80131372;
	assert_true((uint32_t)mock__command(fixture->mailbox, TS_COMMAND_DETACH) ==
		    0x80131372u);
	/* Answered once the session is open again. */
	(void)mock__command(fixture->mailbox, TS_COMMAND_RESUME);
	assert_int_equal(fixture->journal->state, TS_HOOK_LIVE);
	assert_int_equal(fixture->mock->sessions, 2);
	assert_int_equal(fixture->mock->stops, 1);
	assert_int_equal(fixture->mock->mask_low, MONITOR_CACHE_SEARCHES);
	wait_for_helpers(1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(there_is_one_thread),
		TEST(its_signals_are_blocked),
		TEST(addresses_get_their_functions),
		TEST(more_than_fits_is_answered_in_turns),
		TEST(a_turn_that_stays_empty_is_passed_over),
		TEST(nonsense_in_the_mailbox_is_survived),
		TEST(rest_closes_the_session),
		TEST(nothing_is_asked_on_a_thread_of_the_runtime),
		TEST(resume_finds_what_ended_meanwhile),
		TEST(resume_finds_modules_that_went),
		TEST(a_further_attach_resumes),
		TEST(an_event_that_nobody_hears_brings_rest),
		TEST(a_session_that_cannot_be_opened_again_is_told),
		TEST(the_session_follows_the_callbacks),
		TEST(a_session_without_delay_is_there_from_the_start),
		TEST(without_a_session_from_the_start_there_are_callbacks),
		TEST(without_a_session_the_callbacks_go_on),
		TEST(detach_leaves_nothing),
		TEST(a_refused_detach_changes_nothing),
	};

	alarm(120); /* the waits have no end of their own */
	return cmocka_run_group_tests_name("helper", tests, NULL, NULL);
}
