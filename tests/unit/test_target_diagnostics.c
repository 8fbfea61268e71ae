// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Finding the diagnostics socket below a target's root, whatever is planted there.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/target/diagnostics.h"
#include "target_fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#define NAMESPACE_PID 77
#define TICKS	      123
#define SHORT_MS      50
#define LONG_MS	      10000

static struct target self(void)
{
	return (struct target){
		.pid = getpid(),
		.namespace_pid = NAMESPACE_PID,
		.uid = geteuid(),
		.start_ticks = TICKS,
	};
}

static int listen_at(const char *path, int backlog)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(strlen(path) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path) + 1);
	assert_return_code(bind(fd, (struct sockaddr *)&address, sizeof(address)),
			   errno);
	assert_return_code(listen(fd, backlog), errno);
	return fd;
}

static int open_root(struct scratch *scratch)
{
	int fd;

	assert_return_code(mkdir(scratch__path(scratch, "root"), 0755), errno);
	assert_return_code(mkdir(scratch__path(scratch, "root/tmp"), 0755), errno);
	assert_return_code(mkdir(scratch__path(scratch, "outside"), 0755), errno);
	fd = open(scratch__path(scratch, "root"), O_PATH | O_DIRECTORY);
	assert_return_code(fd, errno);
	return fd;
}

static int try(int root, const char *folder, const struct target *target,
	       unsigned int ms)
{
	struct trouble trouble = {""};
	int result = diagnostics__connect_in(root, folder, target,
					     diagnostics__now_ms() + ms, &trouble);

	/* A failure always comes with what to do. */
	assert_int_equal(result < 0, trouble.text[0] != 0);
	return result;
}

static void diagnostics_connects_to_the_socket_of_the_process(void **state)
{
	struct target target = self();
	int root = open_root(*state);
	int server = listen_at(
		scratch__path(*state, "root/tmp/dotnet-diagnostic-77-123-socket"), 1);
	int fd = try(root, "/tmp", &target, LONG_MS);

	assert_return_code(fd, -fd);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(diagnostics__socket_exists(root, "/tmp", NAMESPACE_PID, TICKS));
	close(fd);
	close(server);
	close(root);
}

static void diagnostics_accepts_another_start_time_of_the_same_pid(void **state)
{
	struct target target = self();
	int root = open_root(*state);
	int server = listen_at(
		scratch__path(*state, "root/tmp/dotnet-diagnostic-77-9-socket"), 1);
	int fd = try(root, "/tmp", &target, LONG_MS);

	assert_return_code(fd, -fd);
	/* It says nothing about who runs .NET: a pid comes round again. */
	assert_false(diagnostics__socket_exists(root, "/tmp", NAMESPACE_PID, TICKS));
	close(fd);
	close(server);
	close(root);
}

static void diagnostics_leaves_sockets_of_other_names_alone(void **state)
{
	static const char *const names[] = {"dotnet-diagnostic-778-123-socket",
					    "dotnet-diagnostic-7-123-socket",
					    "dotnet-diagnostic-77-12x-socket",
					    "dotnet-diagnostic-77--socket",
					    "dotnet-diagnostic-77-123-socket2"};
	struct target target = self();
	int root = open_root(*state);
	int servers[5];

	for (int i = 0; i < 5; i++)
		servers[i] =
			listen_at(scratch__path(*state, "root/tmp/%s", names[i]), 1);
	assert_int_equal(try(root, "/tmp", &target, LONG_MS), -ENOENT);
	for (int i = 0; i < 5; i++)
		close(servers[i]);
	close(root);
}

static void diagnostics_says_when_there_is_no_folder(void **state)
{
	struct target target = self();
	int root = open_root(*state);

	assert_int_equal(try(root, "/tmp/nowhere", &target, LONG_MS), -ENOENT);
	close(root);
}

static void diagnostics_passes_by_what_dead_processes_left(void **state)
{
	struct target target = self();
	int root = open_root(*state);
	int server, fd;

	close(listen_at(
		scratch__path(*state, "root/tmp/dotnet-diagnostic-77-123-socket"), 1));
	assert_int_equal(try(root, "/tmp", &target, LONG_MS), -ECONNREFUSED);
	server = listen_at(
		scratch__path(*state, "root/tmp/dotnet-diagnostic-77-5-socket"), 1);
	fd = try(root, "/tmp", &target, LONG_MS);
	assert_return_code(fd, -fd);
	close(fd);
	close(server);
	close(root);
}

static void diagnostics_refuses_a_listener_that_is_not_the_target(void **state)
{
	const char *path =
		scratch__path(*state, "root/tmp/dotnet-diagnostic-77-123-socket");
	struct target target = self();
	int root = open_root(*state);
	char ready;
	int pipes[2], fd;
	pid_t child;

	assert_return_code(pipe(pipes), errno);
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		listen_at(path, 1);
		if (write(pipes[1], "r", 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(pipes[0], &ready, 1), 1);
	assert_int_equal(try(root, "/tmp", &target, LONG_MS), -EPERM);
	target.pid = child;
	fd = try(root, "/tmp", &target, LONG_MS);
	assert_return_code(fd, -fd);
	close(fd);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(pipes[0]);
	close(pipes[1]);
	close(root);
}

static void diagnostics_follows_no_link_to_another_socket(void **state)
{
	struct target target = self();
	int root = open_root(*state);
	const char *outside = scratch__path(*state, "outside/socket");
	int server = listen_at(outside, 1);

	assert_return_code(
		symlink(outside,
			scratch__path(*state,
				      "root/tmp/dotnet-diagnostic-77-123-socket")),
		errno);
	assert_int_equal(try(root, "/tmp", &target, LONG_MS), -EPERM);
	assert_false(diagnostics__socket_exists(root, "/tmp", NAMESPACE_PID, TICKS));
	close(server);
	close(root);
}

static void diagnostics_keeps_folder_links_inside_the_root(void **state)
{
	struct target target = self();
	int root = open_root(*state);
	int server = listen_at(
		scratch__path(*state, "outside/dotnet-diagnostic-77-123-socket"), 1);
	int inside, fd;

	assert_return_code(symlink(scratch__path(*state, "outside"),
				   scratch__path(*state, "root/absolute")),
			   errno);
	assert_return_code(symlink("../../outside",
				   scratch__path(*state, "root/tmp/relative")),
			   errno);
	assert_int_equal(try(root, "/absolute", &target, LONG_MS), -ENOENT);
	assert_int_equal(try(root, "/tmp/relative", &target, LONG_MS), -ENOENT);
	assert_int_equal(try(root, "/../outside", &target, LONG_MS), -ENOENT);
	/* Not because links fail as such: the same link can lead to a folder inside. */
	assert_return_code(mkdir(scratch__path(*state, "root/outside"), 0755), errno);
	inside = listen_at(
		scratch__path(*state, "root/outside/dotnet-diagnostic-77-123-socket"),
		1);
	fd = try(root, "/tmp/relative", &target, LONG_MS);
	assert_return_code(fd, -fd);
	close(fd);
	close(inside);
	close(server);
	close(root);
}

static void diagnostics_refuses_a_file_of_that_name(void **state)
{
	struct target target = self();
	int root = open_root(*state);

	scratch__write(
		scratch__path(*state, "root/tmp/dotnet-diagnostic-77-123-socket"), "x");
	assert_int_equal(try(root, "/tmp", &target, LONG_MS), -EPERM);
	assert_false(diagnostics__socket_exists(root, "/tmp", NAMESPACE_PID, TICKS));
	close(root);
}

static void diagnostics_gives_up_on_a_full_queue(void **state)
{
	struct target target = self();
	int root = open_root(*state);
	int waiting[8];
	int server = listen_at(
		scratch__path(*state, "root/tmp/dotnet-diagnostic-77-123-socket"), 0);
	int count = 0;
	int result = 0;

	/* Nobody accepts: after a few connections the next one must wait. */
	while (count < 8) {
		result = try(root, "/tmp", &target, SHORT_MS);
		if (result < 0)
			break;
		waiting[count++] = result;
	}
	assert_int_equal(result, -ETIMEDOUT);
	while (count > 0)
		close(waiting[--count]);
	close(server);
	close(root);
}

static void diagnostics_reaches_sockets_deeper_than_an_address_is_long(void **state)
{
	struct target target = self();
	int root = open_root(*state);
	char folder[400] = "";
	int here = open(".", O_PATH | O_DIRECTORY);
	int server, fd;

	assert_return_code(chdir(scratch__path(*state, "root")), errno);
	for (int i = 0; i < 20; i++) {
		assert_return_code(mkdir("fifteen-letters", 0755), errno);
		assert_return_code(chdir("fifteen-letters"), errno);
		strcat(folder, "/fifteen-letters");
	}
	server = listen_at("dotnet-diagnostic-77-123-socket", 1);
	assert_return_code(fchdir(here), errno);
	fd = try(root, folder, &target, LONG_MS);
	assert_return_code(fd, -fd);
	close(fd);
	close(server);
	close(here);
	close(root);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, scratch__setup, scratch__teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(diagnostics_connects_to_the_socket_of_the_process),
		TEST(diagnostics_accepts_another_start_time_of_the_same_pid),
		TEST(diagnostics_leaves_sockets_of_other_names_alone),
		TEST(diagnostics_says_when_there_is_no_folder),
		TEST(diagnostics_passes_by_what_dead_processes_left),
		TEST(diagnostics_refuses_a_listener_that_is_not_the_target),
		TEST(diagnostics_follows_no_link_to_another_socket),
		TEST(diagnostics_keeps_folder_links_inside_the_root),
		TEST(diagnostics_refuses_a_file_of_that_name),
		TEST(diagnostics_gives_up_on_a_full_queue),
		TEST(diagnostics_reaches_sockets_deeper_than_an_address_is_long),
	};

	return cmocka_run_group_tests_name("target_diagnostics", tests, NULL, NULL);
}
