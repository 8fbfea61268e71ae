/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The real hook under many threads at once.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "mock_runtime.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS	     4
#define LOADS	     100000u
#define FLAG_DYNAMIC 1u

struct flood {
	struct mock *mock;
	uint32_t first;
	uint32_t step;
	uint32_t count;
	uint32_t flags;
	bool unload;
};

static struct mock_event event_number(uint32_t number)
{
	return (struct mock_event){
		.function = 0x10000000 + 32ull * number,
		.module = 0x5000,
		.start = MOCK_AREA + 64ull * number,
		.size = 32 + number % 16,
		.token = 0x06000000 | (number & 0xffffff),
		.type = u"NS.Type",
		.method = u"Method",
		.signature = u"void  ()",
	};
}

static void *run(void *argument)
{
	struct flood *flood = argument;

	for (uint32_t i = 0; i < flood->count; i++) {
		struct mock_event event = event_number(flood->first + i * flood->step);

		event.flags = flood->flags;
		mock__load(flood->mock, &event);
		if (flood->unload)
			mock__unload(flood->mock, &event);
	}
	return NULL;
}

/* Runs `floods` at once and waits for all. */
static void run_all(struct flood *floods)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run, &floods[i]), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static int set_up(void **state)
{
	struct mock *mock = mock__new();

	*state = mock;
	return mock && mock__launch(mock) == S_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	mock__free(*state);
	return 0;
}

static void every_load_is_recorded_once(void **state)
{
	struct flood floods[THREADS];
	const struct ts_journal_header *header = mock__journal();
	uint8_t *bodies = calloc(LOADS, 1);
	uint8_t *sequences = calloc(LOADS + THREADS + 1, 1);
	uint32_t code = 0;

	assert_non_null(bodies);
	assert_non_null(sequences);
	for (uint32_t i = 0; i < THREADS; i++)
		floods[i] =
			(struct flood){*state, i, THREADS, LOADS / THREADS, 0, false};
	run_all(floods);
	for (uint32_t i = 0; i < header->records_used; i++) {
		const struct ts_journal_record *record = mock__record(header, i);
		uint64_t number = (record->start - MOCK_AREA) / 64;

		/* Of threads that meet a module at once, all but one give up. */
		if (!record->state)
			continue;
		assert_int_equal(record->state % 2, 0);
		assert_in_range(record->sequence, 1, LOADS + THREADS);
		assert_int_equal(sequences[record->sequence]++, 0);
		if (record->kind != TS_RECORD_CODE)
			continue;
		assert_in_range(number, 0, LOADS - 1);
		assert_int_equal(bodies[number]++, 0);
		assert_int_equal(record->size, 32 + number % 16);
		assert_true(record->function_id == 0x10000000 + 32 * number);
		assert_string_equal(mock__text(header, record, 1), "Method");
		code++;
	}
	assert_int_equal(code, LOADS);
	assert_int_equal(header->counters[TS_HOOK_CODE_LOADS], LOADS);
	assert_int_equal(header->counters[TS_HOOK_RECORD_OVERFLOW], 0);
	free(bodies);
	free(sequences);
	mock__unmap_journal(header);
}

/* All threads report the same bodies, as losers of a JIT race do. */
static void same_load_from_all_threads_is_one_body(void **state)
{
	struct flood floods[THREADS];
	const struct ts_journal_header *header = mock__journal();
	uint32_t committed = 0;

	for (int i = 0; i < THREADS; i++)
		floods[i] = (struct flood){*state, 0, 1, 20000, 0, false};
	run_all(floods);
	for (uint32_t i = 0; i < header->records_used; i++) {
		const struct ts_journal_record *record = mock__record(header, i);

		committed += record->kind == TS_RECORD_CODE && record->state;
	}
	assert_int_equal(committed, 20000);
	assert_int_equal(header->counters[TS_HOOK_CODE_LOADS], 20000);
	mock__unmap_journal(header);
}

/* Word by word and volatile: a compiler may move plain loads across the fence. */
static struct ts_journal_record copy_of(const struct ts_journal_record *record)
{
	const volatile uint64_t *from = (const volatile void *)record;
	struct ts_journal_record copy;
	uint64_t words[sizeof(copy) / 8];

	for (size_t i = 0; i < sizeof(words) / 8; i++)
		words[i] = from[i];
	memcpy(&copy, words, sizeof(copy));
	return copy;
}

/* A reader meanwhile never sees a record whose parts do not belong together. */
static void *read_all_the_time(void *argument)
{
	const struct ts_journal_header *header = argument;
	uint64_t torn = 0;

	while (__atomic_load_n(&header->counters[TS_HOOK_CODE_UNLOADS],
			       __ATOMIC_ACQUIRE) < THREADS * 20000u) {
		uint32_t used =
			__atomic_load_n(&header->records_used, __ATOMIC_ACQUIRE);

		for (uint32_t i = 0; i < used; i++) {
			const struct ts_journal_record *record =
				mock__record(header, i);
			uint32_t state =
				__atomic_load_n(&record->state, __ATOMIC_ACQUIRE);
			struct ts_journal_record copy = copy_of(record);

			__atomic_thread_fence(__ATOMIC_ACQUIRE);
			if (!state || state % 2 ||
			    __atomic_load_n(&record->state, __ATOMIC_RELAXED) !=
				    state ||
			    copy.kind != TS_RECORD_CODE)
				continue;
			torn += copy.function_id - 0x10000000 !=
					(copy.start - MOCK_AREA) / 2 ||
				copy.size != 32 + (copy.start - MOCK_AREA) / 64 % 16 ||
				(copy.death_sequence &&
				 copy.death_sequence <= copy.sequence);
		}
	}
	return (void *)(uintptr_t)torn;
}

static void records_are_reused_whole(void **state)
{
	struct flood floods[THREADS];
	const struct ts_journal_header *header = mock__journal();
	pthread_t reader;
	void *torn;

	assert_int_equal(pthread_create(&reader, NULL, read_all_the_time,
					(void *)(uintptr_t)header),
			 0);
	for (uint32_t i = 0; i < THREADS; i++)
		floods[i] =
			(struct flood){*state, i, THREADS, 20000, FLAG_DYNAMIC, true};
	run_all(floods);
	assert_int_equal(pthread_join(reader, &torn), 0);
	assert_ptr_equal(torn, NULL);
	assert_int_equal(header->counters[TS_HOOK_CODE_UNLOADS], THREADS * 20000);
	/* Some 5,000 as a rule; more when a thread pauses just while it adds to the
	 * ring of the dead, and the others take fresh records meanwhile. */
	assert_true(header->records_used < THREADS * 20000);
	mock__unmap_journal(header);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_load_is_recorded_once, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(same_load_from_all_threads_is_one_body,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(records_are_reused_whole, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("hook flood", tests, NULL, NULL);
}
