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
#include "../../user/target/target.h"
#include "target_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define CONTENT "\177ELF the hook, say"
#define OTHER	65534 /* a user who is neither root nor us */

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
	const char *host = scratch__path(*state, "root/hook.so");
	const char *copied = scratch__path(*state, "outside/hook.so");

	scratch__write(host, CONTENT);
	scratch__write(copied, CONTENT);
	reader.root = open("/", O_PATH | O_DIRECTORY);
	assert_true(hook_file__is_visible(&reader, host));
	assert_false(
		hook_file__is_visible(&reader, scratch__path(*state, "root/none.so")));
	/* The same path below another root is another file, or none. */
	close(reader.root);
	reader.root = below;
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

/* --- live ---------------------------------------------------------------- */

/* A target with a root of its own; `prepare` may refuse with 0 for SKIP. */
struct live {
	pid_t child;
	int go[2], done[2];
	struct target target;
};

static bool wait_byte(int fd)
{
	char byte = 0;

	return read(fd, &byte, 1) == 1 && byte == 'r';
}

static void sit(struct live *live, char byte)
{
	if (write(live->done[1], &byte, 1) == 1)
		pause();
	_exit(0);
}

static void mount_noexec(const char *root)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/tmp", root);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", path, "tmpfs", MS_NOEXEC, "mode=1777"))
		_exit(1);
}

/* As a rootless container does: a user namespace whose root is OTHER outside. */
static void mount_rootless(struct live *live, const char *root)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/tmp", root);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		_exit(1);
	if (write(live->done[1], "r", 1) != 1 || !wait_byte(live->go[0]))
		_exit(1);
	if (setresgid(0, 0, 0) || setresuid(0, 0, 0) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", path, "tmpfs", 0, "mode=1777"))
		_exit(1);
}

static void write_map(pid_t child, const char *name, const char *map)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)child, name);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, map, strlen(map)) < 0)
		print_message("%s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

enum live_kind { LIVE_CHROOT, LIVE_NOEXEC, LIVE_ROOTLESS };

/* False if this machine cannot play that target. */
static bool start(struct live *live, struct scratch *scratch, enum live_kind kind)
{
	bool ready;

	if (geteuid())
		return false;
	assert_return_code(pipe(live->go), errno);
	assert_return_code(pipe(live->done), errno);
	live->child = fork();
	if (!live->child) {
		const char *root = scratch__path(scratch, "root");

		close(live->go[1]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (kind == LIVE_NOEXEC)
			mount_noexec(root);
		if (kind == LIVE_ROOTLESS)
			mount_rootless(live, root);
		if (chroot(root) || chdir("/"))
			_exit(1);
		sit(live, 'r');
	}
	close(live->done[1]);
	ready = wait_byte(live->done[0]);
	if (ready && kind == LIVE_ROOTLESS) {
		write_map(live->child, "uid_map", "0 65534 1");
		write_map(live->child, "gid_map", "0 65534 1");
		ready = write(live->go[1], "r", 1) == 1 && wait_byte(live->done[0]);
	}
	return ready && !target__inspect(live->child, &live->target);
}

static void stop(struct live *live)
{
	kill(live->child, SIGKILL);
	waitpid(live->child, NULL, 0);
	target__free(&live->target);
	close(live->go[0]);
	close(live->go[1]);
	close(live->done[0]);
}

/* Places a hook from outside the root; where it went, as the target sees it. */
static char *place(struct live *live, struct scratch *scratch)
{
	const char *hook = scratch__path(scratch, "outside/hook.so");
	struct trouble trouble = {""};
	char *path, *host_path, expected[256];

	scratch__write(hook, CONTENT);
	assert_int_equal(
		hook_file__place(&live->target, hook, &path, &host_path, &trouble), 0);
	snprintf(expected, sizeof(expected), "/proc/%d/root%s", (int)live->child, path);
	assert_string_equal(host_path, expected);
	check_copy(host_path);
	free(host_path);
	return path;
}

static void hook_file_is_placed_below_another_root(void **state)
{
	struct hook_reader reader = open_reader(*state);
	struct live live;
	char *path;

	close(reader.root);
	if (!start(&live, *state, LIVE_CHROOT)) {
		print_message("SKIP: a root of one's own needs privileges\n");
		skip();
	}
	path = place(&live, *state);
	check_copy(scratch__path(*state, "root%s", path));
	free(path);
	stop(&live);
}

static void hook_file_goes_where_code_may_be_mapped(void **state)
{
	struct hook_reader reader = open_reader(*state);
	struct trouble trouble = {""};
	struct live live;
	char *path, *host_path;

	close(reader.root);
	if (!start(&live, *state, LIVE_NOEXEC)) {
		print_message("SKIP: mounting needs privileges\n");
		skip();
	}
	/* /tmp is noexec and there is no other folder yet. */
	scratch__write(scratch__path(*state, "outside/hook.so"), CONTENT);
	assert_int_equal(hook_file__place(&live.target,
					  scratch__path(*state, "outside/hook.so"),
					  &path, &host_path, &trouble),
			 -EACCES);
	assert_non_null(strstr(trouble.text, "noexec"));
	assert_return_code(mkdir(scratch__path(*state, "root/var"), 0755), errno);
	assert_return_code(mkdir(scratch__path(*state, "root/var/tmp"), 0755), errno);
	path = place(&live, *state);
	assert_memory_equal(path, "/var/tmp/", 9);
	free(path);
	stop(&live);
}

static void hook_file_is_placed_in_a_rootless_container(void **state)
{
	struct hook_reader reader = open_reader(*state);
	struct stat stat_file;
	char host[256], *path, *again;
	struct live live;

	close(reader.root);
	if (!start(&live, *state, LIVE_ROOTLESS)) {
		print_message("SKIP: user namespaces are not available\n");
		skip();
	}
	assert_int_equal(live.target.uid, OTHER);
	path = place(&live, *state);
	snprintf(host, sizeof(host), "/proc/%d/root%s", (int)live.child, path);
	assert_return_code(stat(host, &stat_file), errno);
	assert_int_equal(stat_file.st_uid, OTHER);
	/* The file-system ids were only borrowed. */
	scratch__write(scratch__path(*state, "outside/mine"), "x");
	assert_return_code(stat(scratch__path(*state, "outside/mine"), &stat_file),
			   errno);
	assert_int_equal(stat_file.st_uid, geteuid());
	again = place(&live, *state);
	assert_string_equal(path, again);
	free(again);
	free(path);
	stop(&live);
}

static void hook_file_is_not_placed_into_the_dead(void **state)
{
	struct target target = {.pid = getpid(), .start_ticks = 1};
	struct trouble trouble = {""};
	char *path, *host_path;

	(void)state;
	assert_int_equal(hook_file__place(&target, "/x.so", &path, &host_path,
					  &trouble),
			 -ESRCH);
	assert_string_not_equal(trouble.text, "");
}

/* --- find ---------------------------------------------------------------- */

static int find(const char *wanted, char **ret_path)
{
	struct trouble trouble = {""};
	int err;

	setenv("TIERSCOPE_HOOK", wanted, 1);
	err = hook_file__find(ret_path, &trouble);
	unsetenv("TIERSCOPE_HOOK");
	assert_int_equal(err != 0, trouble.text[0] != 0);
	return err;
}

static void hook_file_is_found_where_the_variable_says(void **state)
{
	const char *good = scratch__path(*state, "good.so");
	const char *link = scratch__path(*state, "link.so");
	char *path;

	scratch__write(good, CONTENT);
	assert_return_code(symlink("good.so", link), errno);
	assert_int_equal(find(link, &path), 0);
	assert_string_equal(path, good);
	free(path);
}

static void hook_file_that_cannot_be_loaded_is_told(void **state)
{
	const char *text = scratch__path(*state, "text.so");
	const char *odd = scratch__path(*state, "odd;name=.so");
	char *path;

	scratch__write(text, "#!/bin/sh");
	scratch__write(odd, CONTENT);
	assert_int_equal(find(scratch__path(*state, "none.so"), &path), -ENOENT);
	assert_int_equal(find(text, &path), -ENOEXEC);
	assert_int_equal(find(scratch__path(*state, "."), &path), -ENOEXEC);
	/* "path={CLSID};" could not be read back. */
	assert_int_equal(find(odd, &path), -EINVAL);
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
		TEST(hook_file_is_placed_below_another_root),
		TEST(hook_file_goes_where_code_may_be_mapped),
		TEST(hook_file_is_placed_in_a_rootless_container),
		TEST(hook_file_is_not_placed_into_the_dead),
		TEST(hook_file_is_found_where_the_variable_says),
		TEST(hook_file_that_cannot_be_loaded_is_told),
	};

	return cmocka_run_group_tests_name("target_hook_file", tests, NULL, NULL);
}
