// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Reading a journal: a good one, and everything that a target may put in its place.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/target/journal_map.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES	    65536u
#define CAPACITY    64u
#define TEXT_OFFSET (TS_JOURNAL_RECORDS_OFFSET + CAPACITY * 128u)
#define SEALS	    (F_SEAL_SHRINK | F_SEAL_GROW)
#define CODE_TEXT   "NS.T\0M\0void  ()\0\0"

/* A hook's side of the journal. */
struct writer {
	int fd;
	unsigned char *memory;
	struct ts_journal_header *header;
	struct ts_journal_record *records;
	char *text;
};

static void writer__fill(struct writer *writer)
{
	*writer->header = (struct ts_journal_header){
		.magic = TS_JOURNAL_MAGIC,
		.layout = TS_JOURNAL_LAYOUT,
		.header_bytes = sizeof(struct ts_journal_header),
		.total_bytes = BYTES,
		.record_bytes = sizeof(struct ts_journal_record),
		.records_capacity = CAPACITY,
		.records_offset = TS_JOURNAL_RECORDS_OFFSET,
		.text_offset = TEXT_OFFSET,
		.text_capacity = BYTES - TEXT_OFFSET,
		.records_used = 1,
		.pid = (uint32_t)getpid(),
		.state = TS_HOOK_LIVE,
		.live_ns = 42,
		.hook_version = "0.1.0",
	};
	memset(writer->records, 0, CAPACITY * sizeof(*writer->records));
	writer->records[0] = (struct ts_journal_record){
		.state = 2,
		.kind = TS_RECORD_CODE,
		.sequence = 1,
		.function_id = 0x1000,
		.start = 0x7f0000001000,
		.size = 64,
		.text_offset = 8,
		.text_size = sizeof(CODE_TEXT) - 1,
		.tier = TS_TIER_1,
		.shape = TS_SHAPE(TS_FRAME_FRAMED, 4, 0),
	};
	memcpy(writer->text + 8, CODE_TEXT, sizeof(CODE_TEXT) - 1);
}

static void writer__open(struct writer *writer, int seals)
{
	writer->fd = memfd_create(TS_JOURNAL_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_return_code(writer->fd, errno);
	assert_return_code(ftruncate(writer->fd, BYTES), errno);
	writer->memory =
		mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, writer->fd, 0);
	assert_ptr_not_equal(writer->memory, MAP_FAILED);
	writer->header = (void *)writer->memory;
	writer->records = (void *)(writer->memory + TS_JOURNAL_RECORDS_OFFSET);
	writer->text = (char *)writer->memory + TEXT_OFFSET;
	writer__fill(writer);
	assert_return_code(fcntl(writer->fd, F_ADD_SEALS, seals), errno);
}

static void writer__close(struct writer *writer)
{
	munmap(writer->memory, BYTES);
	close(writer->fd);
}

static int setup(void **state)
{
	struct writer *writer = calloc(1, sizeof(*writer));

	writer__open(writer, SEALS);
	*state = writer;
	return 0;
}

static int teardown(void **state)
{
	writer__close(*state);
	free(*state);
	return 0;
}

/* The last record seen, and how many. */
struct seen {
	unsigned int count;
	struct ts_journal_record record;
	char text[64];
	uint32_t text_size;
	uint32_t unreadable;
	int stop;
};

static int see(void *context, const struct ts_journal_record *record, const char *text,
	       uint32_t text_size)
{
	struct seen *seen = context;

	assert_true(text_size >= 1);
	assert_int_equal(text[text_size - 1], 0);
	seen->count++;
	seen->record = *record;
	seen->text_size = text_size;
	if (text_size <= sizeof(seen->text))
		memcpy(seen->text, text, text_size);
	return seen->stop;
}

static struct seen read_all(struct writer *writer)
{
	struct seen seen = {0};
	struct journal *journal;

	assert_int_equal(journal__map(writer->fd, &journal), 0);
	assert_int_equal(journal__each(journal, see, &seen, &seen.unreadable), 0);
	journal__free(journal);
	return seen;
}

static void journal_is_found_in_a_live_process(void **state)
{
	struct writer *writer = *state;
	struct ts_journal_header header;
	struct journal *journal;
	struct seen seen = {0};

	assert_int_equal(journal__open(getpid(), &journal), 0);
	journal__header(journal, &header);
	assert_int_equal(header.state, TS_HOOK_LIVE);
	assert_int_equal(header.live_ns, 42);
	assert_int_equal(header.records_used, 1);
	assert_string_equal(header.hook_version, "0.1.0");
	/* A record that comes later is seen through the same mapping. */
	writer->records[1] = writer->records[0];
	writer->records[1].sequence = 2;
	writer->header->records_used = 2;
	assert_int_equal(journal__each(journal, see, &seen, &seen.unreadable), 0);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.unreadable, 0);
	assert_int_equal(seen.record.sequence, 2);
	assert_int_equal(seen.record.start, 0x7f0000001000);
	assert_int_equal(seen.record.tier, TS_TIER_1);
	assert_int_equal(seen.text_size, sizeof(CODE_TEXT) - 1);
	assert_memory_equal(seen.text, CODE_TEXT, sizeof(CODE_TEXT) - 1);
	journal__free(journal);
}

static void journal_survives_its_target(void **state)
{
	struct journal *journal;
	struct seen seen = {0};
	int pipes[2];
	char ready;
	pid_t child;

	(void)state;
	assert_return_code(pipe(pipes), errno);
	child = fork();
	if (!child) {
		struct writer own;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		writer__open(&own, SEALS);
		if (write(pipes[1], "r", 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(pipes[0], &ready, 1), 1);
	/* It has inherited a journal of ours too, which is not its own. */
	assert_int_equal(journal__open(child, &journal), 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_int_equal(journal__each(journal, see, &seen, NULL), 0);
	assert_int_equal(seen.count, 1);
	journal__free(journal);
	assert_int_equal(journal__open(child, &journal), -ESRCH);
	close(pipes[0]);
	close(pipes[1]);
}

static void journal_of_another_process_is_not_taken(void **state)
{
	struct writer *writer = *state;
	struct journal *journal;

	writer->header->pid++;
	assert_int_equal(journal__open(getpid(), &journal), -ENOENT);
}

static void journal_may_be_missing(void **state)
{
	struct journal *journal;
	int other =
		memfd_create("tierscope-journalist", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	(void)state;
	assert_int_equal(journal__open(getpid(), &journal), -ENOENT);
	assert_int_equal(journal__open(0, &journal), -ESRCH);
	close(other);
}

/* The next look at such memory could kill us with SIGBUS. */
static void journal_that_can_shrink_is_refused(void **state)
{
	struct journal *journal;
	struct writer writer;

	(void)state;
	writer__open(&writer, F_SEAL_GROW);
	assert_int_equal(journal__open(getpid(), &journal), -EBADMSG);
	writer__close(&writer);
}

static void journal_file_of_another_kind_is_refused(void **state)
{
	struct journal *journal;
	int pipes[2];
	int file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	int small = memfd_create("x", MFD_ALLOW_SEALING);

	(void)state;
	assert_return_code(file, errno);
	assert_return_code(ftruncate(file, BYTES), errno);
	assert_int_equal(journal__map(file, &journal), -EBADMSG);
	assert_return_code(ftruncate(small, 64), errno);
	assert_return_code(fcntl(small, F_ADD_SEALS, SEALS), errno);
	assert_int_equal(journal__map(small, &journal), -EBADMSG);
	assert_return_code(pipe(pipes), errno);
	assert_int_equal(journal__map(pipes[0], &journal), -EBADMSG);
	close(pipes[0]);
	close(pipes[1]);
	close(small);
	close(file);
}

static void journal_of_absurd_size_is_refused(void **state)
{
	struct journal *journal;
	int huge = memfd_create("x", MFD_ALLOW_SEALING);

	(void)state;
	assert_return_code(ftruncate(huge, 2l << 30), errno);
	assert_return_code(fcntl(huge, F_ADD_SEALS, SEALS), errno);
	assert_int_equal(journal__map(huge, &journal), -EBADMSG);
	close(huge);
}

static void journal_headers_that_lie_are_refused(void **state)
{
	struct writer *writer = *state;
	const struct ts_journal_header good = *writer->header;
	struct ts_journal_header bad;
	struct journal *journal;

#define REFUSES(expected, field, value)                                         \
	do {                                                                    \
		bad = good;                                                     \
		bad.field = (value);                                            \
		*writer->header = bad;                                          \
		assert_int_equal(journal__map(writer->fd, &journal), expected); \
	} while (0)

	REFUSES(-ENOENT, magic, 0);
	REFUSES(-EBADMSG, magic, 1);
	REFUSES(-EPROTO, layout, TS_JOURNAL_LAYOUT + 1);
	REFUSES(-EPROTO, layout, 0);
	REFUSES(-EBADMSG, header_bytes, 0);
	REFUSES(-EBADMSG, header_bytes, sizeof(good) - 1);
	REFUSES(-EBADMSG, header_bytes, UINT32_MAX);
	REFUSES(-EBADMSG, total_bytes, BYTES + 1);
	REFUSES(-EBADMSG, total_bytes, UINT64_MAX);
	REFUSES(-EBADMSG, total_bytes, 0);
	REFUSES(-EBADMSG, record_bytes, 0);
	REFUSES(-EBADMSG, record_bytes, 64);
	REFUSES(-EBADMSG, record_bytes, UINT32_MAX);
	REFUSES(-EBADMSG, records_capacity, UINT32_MAX);
	REFUSES(-EBADMSG, records_capacity,
		(BYTES - TS_JOURNAL_RECORDS_OFFSET) / 128 + 1);
	REFUSES(-EBADMSG, records_offset, 0);
	REFUSES(-EBADMSG, records_offset, TS_JOURNAL_RECORDS_OFFSET + 1);
	REFUSES(-EBADMSG, records_offset, BYTES);
	REFUSES(-EBADMSG, records_offset, UINT64_MAX - 7);
	REFUSES(-EBADMSG, text_offset, 0);
	REFUSES(-EBADMSG, text_offset, BYTES + 8);
	REFUSES(-EBADMSG, text_offset, UINT64_MAX);
	REFUSES(-EBADMSG, text_capacity, BYTES - TEXT_OFFSET + 1);
	REFUSES(-EBADMSG, text_capacity, UINT64_MAX);
#undef REFUSES
	*writer->header = good;
	assert_int_equal(journal__map(writer->fd, &journal), 0);
	journal__free(journal);
}

/* The layout was checked once; what the target writes there later is not read. */
static void journal_header_that_turns_bad_changes_nothing(void **state)
{
	struct writer *writer = *state;
	struct ts_journal_header header;
	struct journal *journal;
	struct seen seen = {0};

	assert_int_equal(journal__map(writer->fd, &journal), 0);
	memset(writer->header, 0xff, sizeof(*writer->header));
	journal__header(journal, &header);
	assert_int_equal(header.records_capacity, CAPACITY);
	assert_int_equal(header.records_used, CAPACITY);
	assert_int_equal(header.total_bytes, BYTES);
	assert_int_equal(header.text_used, BYTES - TEXT_OFFSET);
	assert_int_equal(strlen(header.hook_version), sizeof(header.hook_version) - 1);
	for (const char *c = header.hook_version; *c; c++)
		assert_int_equal(*c, '?');
	assert_int_equal(journal__each(journal, see, &seen, NULL), 0);
	assert_int_equal(seen.count, 1);
	journal__free(journal);
}

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(journal_is_found_in_a_live_process),
		TEST(journal_survives_its_target),
		TEST(journal_of_another_process_is_not_taken),
		cmocka_unit_test(journal_may_be_missing),
		cmocka_unit_test(journal_that_can_shrink_is_refused),
		cmocka_unit_test(journal_file_of_another_kind_is_refused),
		cmocka_unit_test(journal_of_absurd_size_is_refused),
		TEST(journal_headers_that_lie_are_refused),
		TEST(journal_header_that_turns_bad_changes_nothing),
		TEST(journal_skips_free_records_and_counts_unfinished_ones),
		TEST(journal_walk_ends_when_asked_to),
		TEST(journal_text_that_makes_no_sense_reads_as_none),
		TEST(journal_records_that_cannot_be_are_counted),
		TEST(journal_numbers_out_of_range_become_unknown),
		TEST(journal_modules_need_no_address),
		TEST(journal_never_shows_half_a_record),
		TEST(journal_of_random_bytes_does_no_harm),
	};

	return cmocka_run_group_tests_name("target_journal", tests, NULL, NULL);
}
