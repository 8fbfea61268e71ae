// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Finding the hook, and placing it below a root where the target planted traps.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/target/hook_file.h"
#include "../../user/target/root.h"
#include "target_fixture.h"

#include <dirent.h>
#include <errno.h>

#define CONTENT "\177ELF the hook, say"
#define OTHER	65533 /* a user who is neither root, nor us, nor nobody */

static const struct buf content = {(char *)CONTENT, sizeof(CONTENT) - 1,
				   sizeof(CONTENT)};

static struct hook_reader open_reader(struct scratch *scratch)
{
	struct hook_reader reader = {.uid = geteuid(), .gid = getegid()};

	assert_return_code(mkdir(scratch__path(scratch, "root"), 0755), errno);
	assert_return_code(mkdir(scratch__path(scratch, "root/tmp"), 0755), errno);
	assert_return_code(chmod(scratch__path(scratch, "root/tmp"), 01777), errno);
	assert_return_code(mkdir(scratch__path(scratch, "outside"), 0755), errno);
	reader.root = open(scratch__path(scratch, "root"), O_PATH | O_DIRECTORY);
	assert_return_code(reader.root, errno);
	return reader;
}

static unsigned int count_files(const char *path)
{
	unsigned int count = 0;
	struct dirent *entry;
	DIR *listing = opendir(path);

	assert_non_null(listing);
	while ((entry = readdir(listing)))
		count += entry->d_name[0] != '.';
	closedir(listing);
	return count;
}

static void check_copy(const char *host_path)
{
	struct buf found = BUF_INIT;
	struct stat stat;

	assert_return_code(lstat(host_path, &stat), errno);
	assert_true(S_ISREG(stat.st_mode));
	assert_int_equal(stat.st_mode & 07777, 0755);
	assert_int_equal(buf__read_file(&found, host_path, 4096), 0);
	assert_int_equal(found.size, content.size);
	assert_memory_equal(found.data, content.data, content.size);
	buf__free(&found);
}

static char *copy(const struct hook_reader *reader, struct scratch *scratch)
{
	mode_t mask = umask(077);
	char *path = NULL;

	assert_int_equal(hook_file__copy_into(reader, "/tmp", &content, &path), 0);
	umask(mask);
	assert_memory_equal(path, "/tmp/libtierscope_hook-", 23);
	check_copy(scratch__path(scratch, "root%s", path));
	return path;
}

static void hook_file_is_copied_once(void **state)
{
	struct hook_reader reader = open_reader(*state);
	char *first = copy(&reader, *state);
	char *second = copy(&reader, *state);

	assert_string_equal(first, second);
	assert_int_equal(count_files(scratch__path(*state, "root/tmp")), 1);
	free(first);
	free(second);
	close(reader.root);
}

/* Each way of spoiling a copy, and that a new one is then made. */
static void hook_file_that_was_changed_is_not_taken(void **state)
{
	struct hook_reader reader = open_reader(*state);
	char *good = copy(&reader, *state);
	const char *host = scratch__path(*state, "root%s", good);
	char *other;

	assert_return_code(chmod(host, 0777), errno);
	other = copy(&reader, *state);
	assert_string_not_equal(good, other);
	assert_return_code(unlink(scratch__path(*state, "root%s", other)), errno);
	free(other);
	assert_return_code(chmod(host, 0600), errno);
	other = copy(&reader, *state);
	assert_string_not_equal(good, other);
	assert_return_code(unlink(scratch__path(*state, "root%s", other)), errno);
	free(other);
	assert_return_code(chmod(host, 0755), errno);
	scratch__write(host, "\177ELF the hook, sax");
	other = copy(&reader, *state);
	assert_string_not_equal(good, other);
	assert_return_code(unlink(scratch__path(*state, "root%s", other)), errno);
	free(other);
	scratch__write(host, CONTENT "and more");
	other = copy(&reader, *state);
	assert_string_not_equal(good, other);
	free(other);
	free(good);
	close(reader.root);
}

static void hook_file_of_a_third_user_is_not_taken(void **state)
{
	struct hook_reader reader = open_reader(*state);
	char *good, *other;

	if (geteuid()) {
		close(reader.root);
		print_message("SKIP: giving files away needs root\n");
		skip();
	}
	good = copy(&reader, *state);
	assert_return_code(chown(scratch__path(*state, "root%s", good), OTHER, OTHER),
			   errno);
	other = copy(&reader, *state);
	assert_string_not_equal(good, other);
	assert_return_code(unlink(scratch__path(*state, "root%s", other)), errno);
	free(other);
	/* But it is good enough for that user. */
	reader.uid = reader.gid = OTHER;
	other = copy(&reader, *state);
	assert_string_equal(good, other);
	free(other);
	free(good);
	close(reader.root);
}

static void hook_file_never_goes_through_a_planted_folder(void **state)
{
	struct hook_reader reader = open_reader(*state);
	char *path;

	assert_return_code(symlink(scratch__path(*state, "outside"),
				   scratch__path(*state, "root/absolute")),
			   errno);
	assert_return_code(symlink("../../outside",
				   scratch__path(*state, "root/tmp/relative")),
			   errno);
	assert_return_code(
		symlink("/proc/self/cwd", scratch__path(*state, "root/magic")), errno);
	assert_int_equal(hook_file__copy_into(&reader, "/absolute", &content, &path),
			 -ELOOP);
	assert_int_equal(hook_file__copy_into(&reader, "/tmp/relative", &content,
					      &path),
			 -ELOOP);
	assert_int_equal(hook_file__copy_into(&reader, "/magic", &content, &path),
			 -ELOOP);
	assert_int_equal(hook_file__copy_into(&reader, "/../outside", &content, &path),
			 -ENOENT);
	assert_int_equal(count_files(scratch__path(*state, "outside")), 0);
	close(reader.root);
}

static void hook_file_never_goes_through_a_planted_name(void **state)
{
	struct hook_reader reader = open_reader(*state);
	char *path = copy(&reader, *state);
	const char *host = scratch__path(*state, "root%s", path);
	const char *outside = scratch__path(*state, "outside/precious");
	char *again;
	int folder;

	/* The right content behind a link: it could be changed after the look. */
	assert_return_code(rename(host, outside), errno);
	assert_return_code(symlink(outside, host), errno);
	again = copy(&reader, *state);
	assert_string_not_equal(again, path);
	/* And a name that is taken is never written through. */
	scratch__write(outside, "precious");
	folder = open(scratch__path(*state, "root/tmp"), O_PATH | O_DIRECTORY);
	assert_int_equal(root__create_name(folder, strrchr(path, '/') + 1, O_RDWR,
					   0600),
			 -EEXIST);
	assert_return_code(unlink(outside), errno);
	assert_int_equal(root__create_name(folder, strrchr(path, '/') + 1, O_RDWR,
					   0600),
			 -EEXIST);
	assert_int_not_equal(access(outside, F_OK), 0);
	assert_int_equal(root__create_name(folder, "../x", O_RDWR, 0600), -EINVAL);
	close(folder);
	free(again);
	free(path);
	close(reader.root);
}

static void hook_file_ignores_pipes_of_a_good_name(void **state)
{
	struct hook_reader reader = open_reader(*state);
	char *path = copy(&reader, *state);
	const char *host = scratch__path(*state, "root%s", path);
	char *again;

	assert_return_code(unlink(host), errno);
	/* Opening it for reading would wait for ever. */
	assert_return_code(mkfifo(host, 0755), errno);
	again = copy(&reader, *state);
	assert_string_not_equal(again, path);
	free(again);
	free(path);
	close(reader.root);
}

static void hook_file_avoids_folders_that_others_can_change(void **state)
{
	struct hook_reader reader = open_reader(*state);
	const char *folder = scratch__path(*state, "root/tmp");
	char *path;

	assert_return_code(chmod(folder, 0777), errno);
	assert_int_equal(hook_file__copy_into(&reader, "/tmp", &content, &path),
			 -EPERM);
	assert_return_code(chmod(folder, 0775), errno);
	assert_int_equal(hook_file__copy_into(&reader, "/tmp", &content, &path),
			 -EPERM);
	assert_return_code(chmod(folder, 0755), errno);
	if (!geteuid()) {
		assert_return_code(chown(folder, OTHER, OTHER), errno);
		assert_int_equal(hook_file__copy_into(&reader, "/tmp", &content, &path),
				 -EPERM);
		reader.uid = reader.gid = OTHER;
	}
	assert_int_equal(hook_file__copy_into(&reader, "/tmp", &content, &path), 0);
	free(path);
	close(reader.root);
}

static void hook_file_avoids_folders_that_the_target_cannot_enter(void **state)
{
	struct hook_reader reader = open_reader(*state);
	char *path;

	if (geteuid()) {
		close(reader.root);
		print_message("SKIP: playing two users needs root\n");
		skip();
	}
	reader.uid = reader.gid = OTHER;
	assert_return_code(mkdir(scratch__path(*state, "root/deep"), 0700), errno);
	assert_return_code(mkdir(scratch__path(*state, "root/deep/tmp"), 0755), errno);
	assert_int_equal(hook_file__copy_into(&reader, "/deep", &content, &path),
			 -EACCES);
	assert_int_equal(hook_file__copy_into(&reader, "/deep/tmp", &content, &path),
			 -EACCES);
	close(reader.root);
}

static void hook_file_is_used_in_place_where_the_target_sees_it(void **state)
{
	struct hook_reader reader = open_reader(*state);
	int below = reader.root;
	struct scratch *scratch = *state;
	const char *host = scratch__path(scratch, "hook.so");

	scratch__write(host, CONTENT);
	reader.root = open("/", O_PATH | O_DIRECTORY);
	assert_true(hook_file__is_visible(&reader, host));
	assert_false(hook_file__is_visible(&reader, scratch__path(scratch, "none.so")));
	/* The same path below another root is no file, or another one. */
	close(reader.root);
	reader.root = below;
	assert_false(hook_file__is_visible(&reader, host));
	assert_return_code(
		mkdir(scratch__path(scratch, "root%s", scratch->folder), 0755), errno);
	scratch__write(scratch__path(scratch, "root%s", host), CONTENT);
	assert_false(hook_file__is_visible(&reader, host));
	close(below);
}

static void hook_file_is_not_used_in_place_when_closed_to_the_target(void **state)
{
	struct hook_reader reader = open_reader(*state);
	const char *host = scratch__path(*state, "root/hook.so");

	close(reader.root);
	reader.root = open("/", O_PATH | O_DIRECTORY);
	reader.uid = reader.gid = OTHER;
	scratch__write(host, CONTENT);
	assert_return_code(chmod(host, 0644), errno);
	assert_true(hook_file__is_visible(&reader, host));
	assert_return_code(chmod(host, 0600), errno);
	assert_false(hook_file__is_visible(&reader, host));
	assert_return_code(chmod(host, 0644), errno);
	assert_return_code(chmod(scratch__path(*state, "root"), 0700), errno);
	assert_false(hook_file__is_visible(&reader, host));
	close(reader.root);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, scratch__setup, scratch__teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hook_file_is_copied_once),
		TEST(hook_file_that_was_changed_is_not_taken),
		TEST(hook_file_of_a_third_user_is_not_taken),
		TEST(hook_file_never_goes_through_a_planted_folder),
		TEST(hook_file_never_goes_through_a_planted_name),
		TEST(hook_file_ignores_pipes_of_a_good_name),
		TEST(hook_file_avoids_folders_that_others_can_change),
		TEST(hook_file_avoids_folders_that_the_target_cannot_enter),
		TEST(hook_file_is_used_in_place_where_the_target_sees_it),
		TEST(hook_file_is_not_used_in_place_when_closed_to_the_target),
	};

	return cmocka_run_group_tests_name("target_hook_file", tests, NULL, NULL);
}
