// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Messages while something fills the terminal: held back, in bounds, and printed after it.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../user/base/log.h"

static int saved, file;

/* Standard error goes into a file. */
static int setup(void **state)
{
	FILE *made = tmpfile();

	(void)state;
	saved = dup(STDERR_FILENO);
	file = dup(fileno(made));
	dup2(file, STDERR_FILENO);
	fclose(made);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(file);
	return 0;
}

static char *printed(void)
{
	off_t size = lseek(file, 0, SEEK_END);
	char *text = calloc(1, (size_t)size + 1);

	assert_int_equal(pread(file, text, (size_t)size, 0), size);
	return text;
}

static void assert_printed(const char *wanted)
{
	char *text = printed();

	assert_string_equal(text, wanted);
	free(text);
}

static void held_messages_come_after(void **state)
{
	(void)state;
	log__warn("before");
	assert_printed("tierscope: warning: before\n");
	log__hold();
	log__error("while %d\x1b[2J", 1);
	log__info("while 2");
	assert_printed("tierscope: warning: before\n");
	log__release();
	log__info("after");
	assert_printed("tierscope: warning: before\ntierscope: while 1\\x1b[2J\n"
		       "tierscope: while 2\ntierscope: after\n");
	log__release();		/* of nothing */
	assert_printed("tierscope: warning: before\ntierscope: while 1\\x1b[2J\n"
		       "tierscope: while 2\ntierscope: after\n");
}

static void held_messages_are_bounded(void **state)
{
	char *text;

	(void)state;
	log__hold();
	for (int i = 0; i < 100000; i++)
		log__warn("message %d", i);
	log__release();
	text = printed();
	assert_in_range(strlen(text), 60000, 70000);
	assert_non_null(strstr(text, "message 1000\n"));
	assert_non_null(strstr(text, " messages more\n"));
	free(text);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(held_messages_come_after), TEST(held_messages_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
