// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The asker's half of the mailbox, and the list of precompiled functions, against
// memory that says whatever it likes.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/target/mailbox.h"
#include "journal_fixture.h"

#define LIST_OFFSET (BYTES - 64u * sizeof(struct ts_precompiled))

static struct ts_mailbox *hooks_side(struct writer *writer)
{
	return (void *)(writer->memory + TS_MAILBOX_OFFSET);
}

static struct journal *open_journal(void)
{
	struct journal *journal;

	assert_int_equal(journal__open(getpid(), &journal), 0);
	return journal;
}

static void questions_fill_the_slots_and_no_more(void **state)
{
	struct ts_mailbox *hook = hooks_side(*state);
	struct journal *journal = open_journal();
	struct ts_mailbox *mailbox = journal__mailbox(journal);

	assert_non_null(mailbox);
	/* Turns go on past the end of their type. */
	hook->asked = hook->taken = UINT32_MAX - 10;
	for (uint32_t i = 0; i < TS_MAILBOX_SLOTS; i++)
		assert_int_equal(mailbox__ask(mailbox, 0x1000 + i), 0);
	assert_int_equal(mailbox__ask(mailbox, 0x9000), -EAGAIN);
	assert_int_equal(hook->addresses[(UINT32_MAX - 10) % TS_MAILBOX_SLOTS], 0x1000);
	hook->taken++;
	assert_int_equal(mailbox__ask(mailbox, 0x9000), 0);
	assert_int_equal(hook->addresses[(UINT32_MAX - 10) % TS_MAILBOX_SLOTS], 0x9000);
	journal__free(journal);
}

static void counts_that_make_no_sense_end_nothing(void **state)
{
	struct ts_mailbox *hook = hooks_side(*state);
	struct journal *journal = open_journal();

	hook->asked = 5;
	hook->taken = 6;
	assert_int_equal(mailbox__ask(journal__mailbox(journal), 0x1000), -EAGAIN);
	hook->taken = 0x80000000u;
	assert_int_equal(mailbox__ask(journal__mailbox(journal), 0x1000), -EAGAIN);
	journal__free(journal);
}

static void one_command_at_a_time(void **state)
{
	struct ts_mailbox *hook = hooks_side(*state);
	struct journal *journal = open_journal();
	struct ts_mailbox *mailbox = journal__mailbox(journal);
	uint32_t bell = hook->bell, result = 0;

	assert_int_equal(mailbox__command(mailbox, TS_COMMAND_RESUME), 0);
	assert_int_equal(hook->command, TS_COMMAND_RESUME);
	assert_int_equal(hook->bell, bell + 1);
	assert_int_equal(mailbox__command(mailbox, TS_COMMAND_DETACH), -EBUSY);
	assert_false(mailbox__is_done(mailbox, TS_COMMAND_RESUME, &result));
	hook->result = 0x80131363;
	hook->command = TS_COMMAND_NONE;
	assert_true(mailbox__is_done(mailbox, TS_COMMAND_RESUME, &result));
	assert_true(result == 0x80131363);
	assert_false(mailbox__withdraw(mailbox, TS_COMMAND_RESUME));
	assert_int_equal(mailbox__command(mailbox, TS_COMMAND_DETACH), 0);
	assert_true(mailbox__withdraw(mailbox, TS_COMMAND_DETACH));
	assert_int_equal(hook->command, TS_COMMAND_NONE);
	journal__free(journal);
}

static void a_journal_that_cannot_be_written_has_no_mailbox(void **state)
{
	struct journal *journal;

	(void)state;
	journal = open_journal();
	assert_null(journal__mailbox(journal));
	journal__free(journal);
}

static int setup_read_only(void **state)
{
	struct writer *writer = calloc(1, sizeof(*writer));

	/* Sealed against new writers; the hook's own mapping goes on. */
	writer__open(writer, SEALS | F_SEAL_FUTURE_WRITE);
	*state = writer;
	return 0;
}

static void functions_are_read_as_they_come(void **state)
{
	struct writer *writer = *state;
	struct ts_precompiled *list = (void *)(writer->memory + LIST_OFFSET);
	struct ts_precompiled entry;
	struct journal *journal;

	writer->header->precompiled_offset = LIST_OFFSET;
	writer->header->precompiled_capacity = 64;
	journal = open_journal();
	assert_int_equal(journal__precompiled_used(journal), 0);
	writer->header->precompiled_used = 2;
	list[0] = (struct ts_precompiled){ 0x7f01, 0x7f0000002000 };
	list[1] = (struct ts_precompiled){ 0x7f02, 0 };
	assert_int_equal(journal__precompiled_used(journal), 2);
	assert_true(journal__precompiled(journal, 0, &entry));
	assert_int_equal(entry.function_id, 0x7f01);
	assert_int_equal(entry.start, 0x7f0000002000);
	assert_false(journal__precompiled(journal, 1, &entry));
	list[1].start = 0x7f0000003000;
	assert_true(journal__precompiled(journal, 1, &entry));
	/* Counts run ahead, or lie. */
	writer->header->precompiled_used = UINT32_MAX;
	writer->header->precompiled_capacity = UINT32_MAX;
	assert_int_equal(journal__precompiled_used(journal), 64);
	assert_false(journal__precompiled(journal, 64, &entry));
	assert_false(journal__precompiled(journal, UINT32_MAX, &entry));
	journal__free(journal);
}

static void a_list_outside_the_journal_is_refused(void **state)
{
	struct writer *writer = *state;
	struct journal *journal;

	writer->header->precompiled_offset = LIST_OFFSET;
	writer->header->precompiled_capacity = 65;
	assert_int_equal(journal__open(getpid(), &journal), -EBADMSG);
	writer->header->precompiled_offset = LIST_OFFSET + 1;
	writer->header->precompiled_capacity = 1;
	assert_int_equal(journal__open(getpid(), &journal), -EBADMSG);
	writer->header->precompiled_offset = UINT64_MAX - 7;
	assert_int_equal(journal__open(getpid(), &journal), -EBADMSG);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, writer__setup, writer__teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(questions_fill_the_slots_and_no_more),
		TEST(counts_that_make_no_sense_end_nothing),
		TEST(one_command_at_a_time),
		cmocka_unit_test_setup_teardown(a_journal_that_cannot_be_written_has_no_mailbox,
						setup_read_only, writer__teardown),
		TEST(functions_are_read_as_they_come),
		TEST(a_list_outside_the_journal_is_refused),
	};

	return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
