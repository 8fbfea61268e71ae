// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// user/base/kept_files.c: an entry comes back as it was, for the same state of the same file
// and for its own kind only; what is damaged or not ours does not; the folder stays small.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/base/file_view.h"
#include "../../user/base/kept_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LAYOUT 3
#define HOLE   4096u

static const char first[] = "first piece", second[] = "and another", late[] = "late";
static const size_t checked = KEPT_CONTENT + sizeof(first) + sizeof(second);

static char folder[] = "/tmp/tierscope-kept-XXXXXX", entry[200];
/* Of no file: only what it says counts. */
static const struct kept_identity known = {1, 2, 3, 4, 5, 6};

static int set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	setenv("TIERSCOPE_CACHE", folder, 1);
	snprintf(entry, sizeof(entry), "%s/1-2-6.test.table", folder);
	return 0;
}

static int tear_down(void **state)
{
	char command[200];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	return 0;
}

static struct kept_files *open_files(const char *kind, uint32_t layout)
{
	struct kept_files *files = kept_files__open(kind, layout);

	assert_non_null(files);
	return files;
}

static void keep_times(const struct kept_identity *identity, int times)
{
	struct kept_files *files = open_files("test", LAYOUT);
	const struct kept_piece pieces[] = {
		{KEPT_CONTENT, first, sizeof(first)},
		{KEPT_CONTENT + sizeof(first), second, sizeof(second)},
		{HOLE, late, sizeof(late)},
	};

	for (int i = 0; i < times; i++)
		kept_files__write(files, identity, &(struct kept_pieces){
			.items = pieces, .count = 3, .checked = checked,
			.size = HOLE + sizeof(late)});
	kept_files__close(files);
}

static void keep(void)
{
	keep_times(&known, 1);
}

static bool is_there_for(const char *kind, uint32_t layout,
			 const struct kept_identity *identity)
{
	struct kept_files *files = open_files(kind, layout);
	struct file_view *view;
	size_t found;
	int err = kept_files__load(files, identity, &view, &found);

	kept_files__close(files);
	if (err)
		return false;
	assert_int_equal(found, checked);
	assert_int_equal(view->size, HOLE + sizeof(late));
	assert_memory_equal(view->data + KEPT_CONTENT, first, sizeof(first));
	assert_memory_equal(view->data + KEPT_CONTENT + sizeof(first), second, sizeof(second));
	file_view__close(view);
	return true;
}

static bool is_there(void)
{
	return is_there_for("test", LAYOUT, &known);
}

static void an_entry_comes_back_for_its_file_kind_and_layout(void **state)
{
	uint64_t words[sizeof(known) / 8];

	(void)state;
	assert_false(is_there());
	keep();
	assert_true(is_there());
	assert_false(is_there_for("other", LAYOUT, &known));
	assert_false(is_there_for("test", LAYOUT + 1, &known));
	for (size_t i = 0; i < sizeof(known) / 8; i++) {
		struct kept_identity other;

		memcpy(words, &known, sizeof(known));
		words[i]++;
		memcpy(&other, words, sizeof(other));
		assert_false(is_there_for("test", LAYOUT, &other));
	}
	keep();
	assert_true(is_there());
}

/* Also one that was given another's name. */
static void an_entry_is_of_one_kind_whatever_its_name(void **state)
{
	char other[200];

	(void)state;
	keep();
	snprintf(other, sizeof(other), "%s/1-2-6.other.table", folder);
	assert_int_equal(link(entry, other), 0);
	assert_false(is_there_for("other", LAYOUT, &known));
	snprintf(other, sizeof(other), "%s/1-2-7.test.table", folder);
	assert_int_equal(link(entry, other), 0);
	assert_false(is_there_for("test", LAYOUT, &(struct kept_identity){1, 2, 3, 4, 5, 7}));
	assert_true(is_there());
}

static void change_byte(off_t at)
{
	int fd = open(entry, O_RDWR);
	char byte;

	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x40;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static void what_is_damaged_is_not_there(void **state)
{
	(void)state;
	keep();
	for (off_t at = 0; at < (off_t)checked; at++) {
		change_byte(at);
		assert_false(is_there());
		change_byte(at);
	}
	assert_true(is_there());
	change_byte(HOLE);	/* behind what the checksum covers */
	assert_true(is_there());
	for (off_t size = (off_t)checked - 1; size >= 0; size--) {
		assert_int_equal(truncate(entry, size), 0);
		assert_false(is_there());
	}
}

static void what_is_not_ours_is_not_there(void **state)
{
	char other[200];

	(void)state;
	keep();
	assert_int_equal(chmod(entry, 0620), 0);
	assert_false(is_there());
	assert_int_equal(chmod(entry, 0602), 0);
	assert_false(is_there());
	assert_int_equal(chmod(entry, 0644), 0);
	assert_true(is_there());
	if (!geteuid()) {
		assert_int_equal(chown(entry, 12345, (gid_t)-1), 0);
		assert_false(is_there());
		assert_int_equal(chown(entry, 0, (gid_t)-1), 0);
	}
	snprintf(other, sizeof(other), "%s/elsewhere", folder);
	assert_int_equal(rename(entry, other), 0);
	assert_int_equal(symlink(other, entry), 0);
	assert_false(is_there());
	assert_int_equal(unlink(entry), 0);
	assert_int_equal(mkfifo(entry, 0600), 0);
	assert_false(is_there());
	keep();
	assert_true(is_there());
}

static void a_folder_that_is_not_ours_is_none(void **state)
{
	char path[200];

	(void)state;
	assert_int_equal(chmod(folder, 0720), 0);
	assert_null(kept_files__open("test", LAYOUT));
	assert_int_equal(chmod(folder, 0702), 0);
	assert_null(kept_files__open("test", LAYOUT));
	assert_int_equal(chmod(folder, 0755), 0);
	if (!geteuid()) {
		assert_int_equal(chown(folder, 12345, (gid_t)-1), 0);
		assert_null(kept_files__open("test", LAYOUT));
		assert_int_equal(chown(folder, 0, (gid_t)-1), 0);
	}
	keep();
	snprintf(path, sizeof(path), "%s/link", folder);
	assert_int_equal(symlink(folder, path), 0);
	setenv("TIERSCOPE_CACHE", path, 1);
	assert_null(kept_files__open("test", LAYOUT));
	setenv("TIERSCOPE_CACHE", entry, 1);
	assert_null(kept_files__open("test", LAYOUT));
	setenv("TIERSCOPE_CACHE", "", 1);
	assert_null(kept_files__open("test", LAYOUT));
	kept_files__close(NULL);
}

/* Its process number may be ours by now, as in a container that was started again. */
static void what_a_killed_writer_left_is_in_nobodys_way(void **state)
{
	char path[300];
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s.%d", entry, getpid());
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	keep();
	assert_true(is_there());
}

static void put_file(const char *name, time_t modified)
{
	struct timespec times[2] = {{modified, 0}, {modified, 0}};
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(posix_fallocate(fd, 0, 40 << 20), 0);
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

static bool exists(const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return !access(path, F_OK);
}

/* The oldest of all kinds go, each time that there is too much; what is none of ours stays. */
static void the_folder_is_kept_below_its_size(void **state)
{
	struct kept_files *files;
	struct kept_piece piece = {KEPT_CONTENT, first, sizeof(first)};
	struct kept_pieces pieces = {&piece, 1, KEPT_CONTENT + sizeof(first),
				     KEPT_CONTENT + sizeof(first)};

	(void)state;
	put_file("none-of-ours", 10);
	put_file("a.image.table", 1000);
	put_file("b.rules.table", 999);
	files = open_files("test", LAYOUT);
	for (int i = 0; i < 8; i++)
		kept_files__write(files, &known, &pieces);
	assert_true(exists("a.image.table") && !exists("b.rules.table"));
	/* A writer that was killed left it. */
	put_file("c.rules.table.77", 998);
	for (int i = 0; i < 8; i++)
		kept_files__write(files, &known, &pieces);
	assert_true(exists("a.image.table") && !exists("c.rules.table.77"));
	put_file("d.rules.table", 1001);
	kept_files__write(files, &known, &pieces);
	kept_files__close(files);
	assert_true(exists("d.rules.table") && !exists("a.image.table"));
	assert_true(exists("none-of-ours"));
	assert_int_equal(access(entry, F_OK), 0);
}

static void a_file_is_known_by_its_state(void **state)
{
	struct timespec times[2] = {{0, UTIME_OMIT}, {0, 0}};
	struct kept_identity before, after;
	int fd;

	(void)state;
	keep();
	fd = open(entry, O_RDWR);
	assert_int_equal(kept_files__identify(fd, 7, &before), 0);
	assert_int_equal(before.offset, 7);
	assert_int_equal(kept_files__identify(fd, 7, &after), 0);
	assert_memory_equal(&before, &after, sizeof(before));
	/* Who hides a change from mtime cannot from ctime. */
	usleep(20000);
	change_byte(0);
	times[1].tv_sec = (time_t)(before.modified_ns / 1000000000);
	times[1].tv_nsec = (long)(before.modified_ns % 1000000000);
	assert_int_equal(futimens(fd, times), 0);
	assert_int_equal(kept_files__identify(fd, 7, &after), 0);
	assert_true(before.modified_ns == after.modified_ns);
	assert_true(before.changed_ns != after.changed_ns);
	close(fd);
	assert_int_equal(kept_files__identify(fd, 7, &after), -EBADF);
	keep_times(&after, 1);	/* of no file: nothing */
	assert_false(exists("0-0-0.test.table"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(an_entry_comes_back_for_its_file_kind_and_layout),
		TEST(an_entry_is_of_one_kind_whatever_its_name),
		TEST(what_is_damaged_is_not_there),
		TEST(what_is_not_ours_is_not_there),
		TEST(a_folder_that_is_not_ours_is_none),
		TEST(what_a_killed_writer_left_is_in_nobodys_way),
		TEST(the_folder_is_kept_below_its_size),
		TEST(a_file_is_known_by_its_state),
	};

	return cmocka_run_group_tests_name("base_kept_files", tests, NULL, NULL);
}
