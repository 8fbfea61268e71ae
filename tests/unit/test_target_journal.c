// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Finding a journal, and refusing everything that a target may put in its place.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "journal_fixture.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

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
	REFUSES(-EBADMSG, precompiled_offset, 12);
	REFUSES(-EBADMSG, precompiled_offset, BYTES + 8);
	REFUSES(-EBADMSG, precompiled_capacity, 1);
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

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, writer__setup, writer__teardown)

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
	};

	return cmocka_run_group_tests_name("target_journal", tests, NULL, NULL);
}
