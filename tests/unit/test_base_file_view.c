// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// user/base/file_view.c: a file that is cut while it is looked at.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/base/file_view.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES 4

static int make_file(void)
{
	int fd = memfd_create("view", MFD_CLOEXEC);
	char page[4096];

	assert_true(fd >= 0);
	memset(page, 'x', sizeof(page));
	for (int i = 0; i < PAGES; i++)
		assert_int_equal(write(fd, page, sizeof(page)), sizeof(page));
	return fd;
}

static void what_is_cut_off_reads_as_zeros(void **state)
{
	struct file_view *view, *other;
	int fd = make_file();

	(void)state;
	assert_int_equal(file_view__open(fd, 0, PAGES * 4096, &view), 0);
	assert_int_equal(file_view__open(fd, 0, 4096, &other), 0);
	assert_int_equal(ftruncate(fd, 4096), 0);
	close(fd);
	assert_int_equal(view->data[0], 'x');
	assert_int_equal(view->data[3 * 4096], 0);
	assert_int_equal(view->data[4096], 0);
	assert_int_equal(view->data[4095], 'x');
	file_view__rest(view);
	assert_int_equal(view->data[4095], 'x');
	file_view__close(view);
	assert_int_equal(other->data[1], 'x');
	file_view__close(other);
	file_view__close(NULL);
}

/* A bus error anywhere else is none of ours. */
static void another_bus_error_ends_the_program(void **state)
{
	int status;
	pid_t child;

	(void)state;
	child = fork();
	if (!child) {
		struct file_view *view;
		int fd = make_file();
		volatile char *strange;

		signal(SIGBUS, SIG_DFL);
		if (file_view__open(fd, 0, 4096, &view))
			_exit(1);
		strange = mmap(NULL, PAGES * 4096, PROT_READ, MAP_PRIVATE, fd, 0);
		if (ftruncate(fd, 0))
			_exit(2);
		_exit(strange[4096] + 3);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGBUS);
}

static void what_cannot_be_mapped_is_refused(void **state)
{
	struct file_view *view;

	(void)state;
	assert_int_equal(file_view__open(-1, 0, 4096, &view), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_bus_error_ends_the_program),
		cmocka_unit_test(what_is_cut_off_reads_as_zeros),
		cmocka_unit_test(what_cannot_be_mapped_is_refused),
	};

	return cmocka_run_group_tests_name("base_file_view", tests, NULL, NULL);
}
