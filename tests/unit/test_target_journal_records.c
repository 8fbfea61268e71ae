// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Walking a journal's records: unfinished, nonsensical, changing, random ones.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "journal_fixture.h"

#include <pthread.h>
#include <stdbool.h>

static void journal_skips_free_records_and_counts_unfinished_ones(void **state)
{
	struct writer *writer = *state;
	struct seen seen;

	writer->header->records_used = 4;
	writer->records[2] = writer->records[0];
	writer->records[2].state = 3;
	writer->records[3] = writer->records[0];
	writer->records[3].state = 0xfffffffe;
	seen = read_all(writer);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.unreadable, 1);
}

static void journal_walk_ends_when_asked_to(void **state)
{
	struct writer *writer = *state;
	struct seen seen = {.stop = -ECANCELED};
	struct journal *journal;

	writer->records[1] = writer->records[0];
	writer->header->records_used = 2;
	assert_int_equal(journal__map(writer->fd, &journal), 0);
	assert_int_equal(journal__each(journal, see, &seen, NULL), -ECANCELED);
	assert_int_equal(seen.count, 1);
	journal__free(journal);
}

static void journal_text_that_makes_no_sense_reads_as_none(void **state)
{
	static const struct {
		uint32_t offset, size;
	} bad[] = {{8, 0},
		   {8, 3},
		   {8, 65536},
		   {BYTES, 4},
		   {UINT32_MAX, 18},
		   {8, UINT32_MAX},
		   {BYTES - TEXT_OFFSET - 4, 18},
		   /* one string too many: the bytes before it are NUL */
		   {7, sizeof(CODE_TEXT)}};
	struct writer *writer = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct seen seen;

		writer->records[0].text_offset = bad[i].offset;
		writer->records[0].text_size = bad[i].size;
		seen = read_all(writer);
		assert_int_equal(seen.count, 1);
		assert_int_equal(seen.text_size, 1);
		assert_int_equal(seen.record.text_size, 1);
		assert_string_equal(seen.text, "");
	}
	/* A good text, but not all of it in the text area. */
	writer->header->text_capacity = 16;
	writer->records[0].text_offset = 8;
	writer->records[0].text_size = sizeof(CODE_TEXT) - 1;
	assert_int_equal(read_all(writer).text_size, 1);
	writer->header->text_capacity = 8 + sizeof(CODE_TEXT) - 1;
	assert_int_equal(read_all(writer).text_size, sizeof(CODE_TEXT) - 1);
}

static void journal_records_that_cannot_be_are_counted(void **state)
{
	struct writer *writer = *state;
	const struct ts_journal_record good = writer->records[0];

#define REFUSES(field, value)                         \
	do {                                          \
		struct seen seen;                     \
		writer->records[0] = good;            \
		writer->records[0].field = (value);   \
		seen = read_all(writer);              \
		assert_int_equal(seen.count, 0);      \
		assert_int_equal(seen.unreadable, 1); \
	} while (0)

	REFUSES(kind, 0);
	REFUSES(kind, 77);
	REFUSES(start, 0);
	REFUSES(start, UINT64_MAX);
	REFUSES(start, 1ull << 60);
	REFUSES(size, 0);
	REFUSES(size, UINT32_MAX);
#undef REFUSES
}

static void journal_numbers_out_of_range_become_unknown(void **state)
{
	struct writer *writer = *state;
	struct seen seen;

	writer->records[0].tier = 1000;
	writer->records[0].shape = 0xffffffff;
	seen = read_all(writer);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.record.tier, TS_TIER_UNKNOWN);
	assert_true(seen.record.flags & TS_RECORD_TIER_UNKNOWN);
	assert_int_equal(TS_SHAPE_KIND(seen.record.shape), TS_FRAME_UNKNOWN);
}

static void journal_modules_need_no_address(void **state)
{
	struct writer *writer = *state;
	struct seen seen;

	writer->records[0].kind = TS_RECORD_MODULE;
	writer->records[0].start = 0;
	writer->records[0].size = 0;
	memcpy(writer->text + 8, "/a.dll", 7);
	writer->records[0].text_size = 7;
	seen = read_all(writer);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.text, "/a.dll");
}

/*
 * A thread rewrites one record all the time; each copy must be of one piece:
 * every field carries the same number, and so does the text.
 */
struct churn {
	struct writer *writer;
	bool stop;
};

static void *churn(void *argument)
{
	struct churn *churn = argument;
	struct ts_journal_record *record = &churn->writer->records[0];
	uint32_t turn = 0;

	while (!__atomic_load_n(&churn->stop, __ATOMIC_RELAXED)) {
		char text[8] = {0};

		turn = turn % 200 + 1;
		memset(text, (int)turn, 4);
		__atomic_store_n(&record->state, record->state + 1, __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_RELEASE);
		record->function_id = turn;
		record->start = turn;
		record->size = turn;
		record->reserved = turn;
		memcpy(churn->writer->text + 8, text, sizeof(text));
		__atomic_store_n(&record->state, record->state + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static int see_one_piece(void *context, const struct ts_journal_record *record,
			 const char *text, uint32_t text_size)
{
	unsigned int *count = context;

	assert_int_equal(record->start, record->function_id);
	assert_int_equal(record->size, record->function_id);
	assert_int_equal(record->reserved, record->function_id);
	assert_int_equal(text_size, 8);
	assert_int_equal((unsigned char)text[0], record->function_id);
	assert_int_equal((unsigned char)text[3], record->function_id);
	(*count)++;
	return 0;
}

static void journal_never_shows_half_a_record(void **state)
{
	struct churn work = {.writer = *state};
	struct ts_journal_record *record = &work.writer->records[0];
	struct journal *journal;
	unsigned int count = 0;
	pthread_t thread;

	record->function_id = record->start = record->size = record->reserved = 1;
	record->text_size = 8;
	memcpy(work.writer->text + 8, "\1\1\1\1\0\0\0", 8);
	assert_int_equal(journal__map(work.writer->fd, &journal), 0);
	assert_int_equal(pthread_create(&thread, NULL, churn, &work), 0);
	for (int i = 0; i < 20000; i++)
		assert_int_equal(journal__each(journal, see_one_piece, &count, NULL),
				 0);
	__atomic_store_n(&work.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	assert_int_equal(journal__each(journal, see_one_piece, &count, NULL), 0);
	assert_true(count > 0);
	journal__free(journal);
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static int see_anything(void *context, const struct ts_journal_record *record,
			const char *text, uint32_t text_size)
{
	unsigned int *count = context;
	unsigned int sum = 0;

	/* Touch all of it, so that the sanitizer looks on. */
	for (uint32_t i = 0; i < text_size; i++)
		sum += (unsigned char)text[i];
	assert_true(record->tier < TS_TIER_COUNT);
	assert_true(record->kind == TS_RECORD_CODE || record->kind == TS_RECORD_MODULE);
	assert_true(sum < UINT32_MAX);
	(*count)++;
	return 0;
}

/* Some rounds are all noise, some only spoil a few words of a good journal. */
static void journal_of_random_bytes_does_no_harm(void **state)
{
	struct writer *writer = *state;
	unsigned int count = 0, opened = 0;
	uint64_t seed = 0x7153c0de;

	for (int round = 0; round < 3000; round++) {
		uint64_t *words = (void *)writer->memory;
		struct journal *journal;

		writer__fill(writer);
		writer->header->records_used = CAPACITY;
		for (size_t i = TS_JOURNAL_RECORDS_OFFSET / 8; i < TEXT_OFFSET / 8; i++)
			words[i] = next_random(&seed) >> (next_random(&seed) % 64);
		for (unsigned int i = 0; i < CAPACITY; i++) {
			writer->records[i].state &= ~(next_random(&seed) & 1);
			writer->records[i].kind = next_random(&seed) % 4;
		}
		for (uint64_t i = next_random(&seed) % 4; i > 0; i--)
			words[next_random(&seed) % 16] =
				next_random(&seed) >> (next_random(&seed) % 64);
		if (journal__map(writer->fd, &journal))
			continue;
		opened++;
		assert_int_equal(journal__each(journal, see_anything, &count, NULL), 0);
		journal__free(journal);
	}
	assert_true(opened > 100);
	assert_true(count > 100);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, writer__setup, writer__teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(journal_skips_free_records_and_counts_unfinished_ones),
		TEST(journal_walk_ends_when_asked_to),
		TEST(journal_text_that_makes_no_sense_reads_as_none),
		TEST(journal_records_that_cannot_be_are_counted),
		TEST(journal_numbers_out_of_range_become_unknown),
		TEST(journal_modules_need_no_address),
		TEST(journal_never_shows_half_a_record),
		TEST(journal_of_random_bytes_does_no_harm),
	};

	return cmocka_run_group_tests_name("target_journal_records", tests, NULL, NULL);
}
