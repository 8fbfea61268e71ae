// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Finding the hook, and placing it for live processes with roots of their own.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/base/buf.h"
#include "../../user/target/target.h"
#include "target_fixture.h"

#include <errno.h>
#include <sys/mman.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define CONTENT "\177ELF the hook, say"
#define OTHER	65534 /* a user who is neither root nor us */

static void make_folders(struct scratch *scratch)
{
	assert_return_code(mkdir(scratch__path(scratch, "root"), 0755), errno);
	assert_return_code(mkdir(scratch__path(scratch, "root/tmp"), 0755), errno);
	assert_return_code(chmod(scratch__path(scratch, "root/tmp"), 01777), errno);
	assert_return_code(mkdir(scratch__path(scratch, "outside"), 0755), errno);
}

static void check_copy(const char *host_path)
{
	struct buf found = BUF_INIT;

	assert_int_equal(buf__read_file(&found, host_path, 4096), 0);
	assert_string_equal(buf__string(&found), CONTENT);
	buf__free(&found);
}

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
	struct live live;
	char *path;

	make_folders(*state);
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
	struct trouble trouble = {""};
	struct live live;
	char *path, *host_path;

	make_folders(*state);
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
	struct stat stat_file;
	char host[256], *path, *again;
	struct live live;

	make_folders(*state);
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

/* The file under a name can be another one by now, or none. */
static void hook_file_that_is_mapped_is_found_when_it_was_replaced(void **state)
{
	const char *file = scratch__path(*state, "libtierscope_hook.so");
	struct target self = {.pid = getpid(), .hooked = true};
	struct trouble trouble = {""};
	struct stat mapped, found;
	char *path = NULL, *host_path = NULL;
	void *memory;
	int fd;

	assert_int_equal(hook_file__mapped(getpid(), &path, &host_path), -ENOENT);
	scratch__write(file, "old");
	fd = open(file, O_RDONLY);
	assert_return_code(fd, errno);
	memory = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	assert_return_code(fstat(fd, &mapped), errno);
	close(fd);
	for (int i = 0; i < 2; i++) {
		assert_return_code(unlink(file), errno);
		if (!i)
			scratch__write(file, "new");
		assert_int_equal(hook_file__place(&self, "/elsewhere.so", &path,
						  &host_path, &trouble),
				 0);
		assert_string_equal(path, file);
		assert_return_code(stat(host_path, &found), errno);
		assert_int_equal(found.st_ino, mapped.st_ino);
		assert_int_equal(found.st_dev, mapped.st_dev);
		free(path);
		free(host_path);
	}
	munmap(memory, 4096);
}

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
		TEST(hook_file_is_placed_below_another_root),
		TEST(hook_file_goes_where_code_may_be_mapped),
		TEST(hook_file_is_placed_in_a_rootless_container),
		TEST(hook_file_is_not_placed_into_the_dead),
		TEST(hook_file_that_is_mapped_is_found_when_it_was_replaced),
		TEST(hook_file_is_found_where_the_variable_says),
		TEST(hook_file_that_cannot_be_loaded_is_told),
	};

	return cmocka_run_group_tests_name("target_hook_place", tests, NULL, NULL);
}
