// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What is said of a process from outside, and whether it can be profiled.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/target/inspect.h"
#include "../../user/target/proc.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* --- text ---------------------------------------------------------------- */

static void inspect_reads_the_runtime_out_of_the_maps(void **state)
{
	static const char path[] =
		"/usr/share/dotnet/shared/Microsoft.NETCore.App/10.0.12/"
		"libcoreclr.so";
	struct mapped mapped = {0};
	char line[512];

	(void)state;
	inspect__maps_line("7f00-7f01 r-xp 00000000 00:15 12 /x/libcoreclr.so.dbg\n",
			   &mapped);
	inspect__maps_line("7f00-7f01 rw-p 00000000 00:00 0 \n", &mapped);
	inspect__maps_line("7f00-7f01 rw-p 00000000 00:00 0   [heap]\n", &mapped);
	inspect__maps_line("7f00-7f01 r-xp 00000000 00:15 12 /libcoreclr.so/x\n",
			   &mapped);
	inspect__maps_line("7f00-7f01 r-xp 00000000 00:15 12 /xlibcoreclr.so\n",
			   &mapped);
	inspect__maps_line("libcoreclr.so\n", &mapped);
	inspect__maps_line("", &mapped);
	assert_null(mapped.runtime_path);
	assert_false(mapped.musl || mapped.hook);
	snprintf(line, sizeof(line), "7f00-7f01 r-xp 0 00:15 12      %s (deleted)\n",
		 path);
	inspect__maps_line(line, &mapped);
	assert_string_equal(mapped.runtime_path, path);
	inspect__maps_line("7f0-7f1 r-xp 0 00:15 12 /lib/ld-musl-x86_64.so.1\n",
			   &mapped);
	assert_true(mapped.musl);
	inspect__maps_line("7f0-7f1 r-xp 0 00:15 12 /tmp/libtierscope_hook-1-2.so\n",
			   &mapped);
	assert_true(mapped.hook);
	free(mapped.runtime_path);
}

static void check_version(const char *path, const char *expected)
{
	char *version = inspect__version_of_path(path);

	if (expected)
		assert_string_equal(version, expected);
	else
		assert_null(version);
	free(version);
}

static void inspect_reads_the_version_out_of_the_path(void **state)
{
	(void)state;
	check_version("/d/shared/Microsoft.NETCore.App/10.0.12/libcoreclr.so",
		      "10.0.12");
	check_version("/d/Microsoft.NETCore.App/11.0.0-preview.1.2/libcoreclr.so",
		      "11.0.0-preview.1.2");
	check_version("/app/libcoreclr.so", NULL);
	check_version("/Microsoft.NETCore.App/libcoreclr.so", NULL);
	check_version("/Microsoft.NETCore.App/x/libcoreclr.so", NULL);
	check_version("/Microsoft.NETCore.App/1.0/x/libcoreclr.so", NULL);
	check_version("", NULL);
}

static void check_text_version(const char *text, const char *expected)
{
	char *version = inspect__version_of_text(text);

	assert_string_equal(version, expected);
	free(version);
}

static void inspect_reads_the_version_out_of_what_a_runtime_says(void **state)
{
	(void)state;
	check_text_version("10.0.12", "10.0.12");
	check_text_version("10.0.12+95017c711e6a", "10.0.12");
	check_text_version("9.0.0-rc.1 @Commit", "9.0.0-rc.1");
	check_text_version("<script>", "");
	check_text_version("", "");
	check_text_version(
		"1111111111111111111111111111111111111111111111111111111111111111111",
		"");
}

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void check_container(const char *cgroup, const char *expected)
{
	char *container = inspect__container(cgroup);

	assert_string_equal(container, expected);
	free(container);
}

static void inspect_finds_the_container(void **state)
{
	(void)state;
	check_container("0::/system.slice/docker-" ID ".scope\n", ID);
	check_container("12:cpu:/docker/" ID "\n11:pids:/docker/" ID "\n", ID);
	check_container(
		"0::/kubepods/burstable/pod12345678-1234-1234-1234-123456789abc/" ID,
		ID);
	check_container("0::/x/cri-containerd-" ID ".scope", ID);
	check_container("0::/user.slice/user-1000.slice/session-2.scope\n", "");
	check_container("0::/a" ID "\n", "");
	check_container("0::/" ID "0\n", "");
	check_container("0::/x" ID "\n", "");
	check_container("", "");
}

static void check_entry(const char *arguments, size_t size, const char *executable,
			const char *expected)
{
	char *entry = inspect__entry(arguments, size, executable);

	assert_string_equal(entry, expected);
	free(entry);
}

static void inspect_names_the_program_for_people(void **state)
{
	static const char hosted[] =
		"dotnet\0exec\0--roll-forward\0Major\0/a/Web.App.dll\0x.dll";
	static const char build[] = "dotnet\0build\0";
	static const char direct[] = "./Web.App\0other.dll";

	(void)state;
	check_entry(hosted, sizeof(hosted), "/usr/bin/dotnet", "Web.App");
	check_entry(build, sizeof(build), "/usr/bin/dotnet", "dotnet");
	check_entry(direct, sizeof(direct), "/a/Web.App", "Web.App");
	check_entry(".dll", 5, "/usr/bin/dotnet", "dotnet");
	check_entry("", 0, "", "");
	check_entry("", 0, "/a/\xff", "\xef\xbf\xbd");
}

static bool off(const char *environment, size_t size)
{
	struct buf buf = BUF_INIT;
	bool result;

	buf__append(&buf, environment, size);
	result = inspect__switched_off(&buf, "EnableDiagnostics");
	buf__free(&buf);
	return result;
}
#define OFF(environment) off(environment, sizeof(environment))

static void inspect_reads_switches_as_the_runtime_does(void **state)
{
	(void)state;
	assert_true(OFF("A=b\0DOTNET_EnableDiagnostics=0\0"));
	assert_true(OFF("COMPlus_EnableDiagnostics=0"));
	assert_true(OFF("DOTNET_EnableDiagnostics=0x0"));
	assert_true(OFF("DOTNET_EnableDiagnostics=00"));
	assert_false(OFF("DOTNET_EnableDiagnostics=1"));
	assert_false(OFF("DOTNET_EnableDiagnostics="));
	assert_false(OFF("DOTNET_EnableDiagnostics=no"));
	assert_false(OFF("DOTNET_EnableDiagnostics_IPC=0"));
	assert_false(OFF("XDOTNET_EnableDiagnostics=0"));
	assert_false(OFF("DOTNET_EnableDiagnostics=1\0COMPlus_EnableDiagnostics=0"));
	assert_false(OFF("DOTNET_EnableDiagnostics=0a"));
	assert_false(off("DOTNET_EnableDiagnostics=0", 24));
	assert_false(off("", 0));
}

static void inspect_takes_the_temporary_folder_of_the_target(void **state)
{
	struct buf buf = BUF_INIT;

	(void)state;
	assert_string_equal(proc__temporary_folder(&buf), "/tmp");
	buf__append(&buf, "A=b\0TMPDIR=/t\0", 14);
	assert_string_equal(proc__temporary_folder(&buf), "/t");
	buf__clear(&buf);
	buf__append(&buf, "TMPDIR=relative", 16);
	assert_string_equal(proc__temporary_folder(&buf), "/tmp");
	buf__free(&buf);
}

/* --- live ---------------------------------------------------------------- */

static void inspect_knows_itself(void **state)
{
	struct trouble trouble = {""};
	struct timespec now;
	struct target target;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &now);
	assert_int_equal(target__inspect(getpid(), &target), 0);
	assert_int_equal(target.runtime, TARGET_NOT_DOTNET);
	assert_int_equal(target.pid, getpid());
	assert_int_equal(target.uid, geteuid());
	assert_non_null(strstr(target.cmdline, "test_target_inspect"));
	assert_non_null(strstr(target.executable, "test_target_inspect"));
	/* Younger than the machine, older than now; a tick of tolerance. */
	assert_true(target.start_ns > 0);
	assert_true(target.start_ns <= (uint64_t)now.tv_sec * 1000000000u +
					       (uint64_t)now.tv_nsec + 10000000u);
	assert_true(target__alive(getpid(), target.start_ticks));
	assert_false(target__alive(getpid(), target.start_ticks + 1));
	assert_int_equal(target__can_profile(&target, &trouble), -ENOEXEC);
	assert_string_not_equal(trouble.text, "");
	target__free(&target);
}

static void *sit(void *argument)
{
	*(pid_t *)argument = (pid_t)syscall(SYS_gettid);
	pause();
	return NULL;
}

static void inspect_finds_no_process_where_there_is_none(void **state)
{
	struct target target;
	pthread_t thread;
	volatile pid_t tid = 0;
	uint64_t ticks;
	int directory;
	char letter;
	siginfo_t info;
	pid_t child;

	(void)state;
	assert_int_equal(target__inspect(0, &target), -ESRCH);
	assert_int_equal(target__inspect(-1, &target), -ESRCH);
	assert_int_equal(target__inspect(0x7fffffff, &target), -ESRCH);
	child = fork();
	if (!child)
		_exit(0);
	assert_return_code(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), errno);
	assert_int_equal(target__inspect(child, &target), -ESRCH); /* a zombie */
	directory = proc__open(child);
	assert_int_equal(proc__read_stat(directory, &letter, &ticks), 0);
	assert_false(target__alive(child, ticks));
	close(directory);
	waitpid(child, NULL, 0);
	assert_int_equal(target__inspect(child, &target), -ESRCH);
	assert_int_equal(pthread_create(&thread, NULL, sit, (void *)&tid), 0);
	while (!tid)
		usleep(1000);
	assert_int_equal(target__inspect(tid, &target), -ESRCH); /* a thread */
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}

/* A process that calls itself what it likes, in every text that is read. */
static void inspect_makes_hostile_names_safe(void **state)
{
	struct target target, parent;
	int pipes[2];
	char ready;
	pid_t child;

	(void)state;
	assert_return_code(pipe(pipes), errno);
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, ") R 1 \n\xff");
		if (write(pipes[1], "r", 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(pipes[0], &ready, 1), 1);
	assert_int_equal(target__inspect(child, &target), 0);
	assert_int_equal(target.pid, child);
	assert_non_null(strstr(target.comm, "\xef\xbf\xbd"));
	/* The number is the right one of the line, whatever the name says. */
	assert_int_equal(target__inspect(getpid(), &parent), 0);
	assert_true(target.start_ticks >= parent.start_ticks);
	target__free(&parent);
	assert_true(target__alive(child, target.start_ticks));
	target__free(&target);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(pipes[0]);
	close(pipes[1]);
}

static void inspect_tells_what_cannot_be_profiled(void **state)
{
	static char version[] = "6.0.36", good[] = "10.0.12";
	struct target old = {
		.runtime = TARGET_DOTNET, .uid = geteuid(), .runtime_version = version};
	struct target compiled = {.runtime = TARGET_NATIVE_AOT,
				  .uid = geteuid(),
				  .runtime_version = good};
	struct target musl = {.runtime = TARGET_DOTNET,
			      .uid = geteuid(),
			      .musl = true,
			      .runtime_version = good};
	struct trouble trouble = {""};

	(void)state;
	assert_int_equal(target__can_profile(&old, &trouble), -ENOTSUP);
	assert_non_null(strstr(trouble.text, "6.0.36"));
	assert_int_equal(target__can_profile(&compiled, &trouble), -ENOTSUP);
	assert_non_null(strstr(trouble.text, "Native AOT"));
	assert_int_equal(target__can_profile(&musl, &trouble), -ENOTSUP);
	assert_non_null(strstr(trouble.text, "musl"));
}

static void inspect_says_when_the_user_is_another(void **state)
{
	int status;
	pid_t child;

	(void)state;
	if (geteuid()) {
		print_message("SKIP: playing two users needs root\n");
		skip();
	}
	child = fork();
	if (!child) {
		struct target target = {
			.runtime = TARGET_DOTNET, .uid = 0, .runtime_version = ""};
		struct trouble trouble = {""};

		if (setuid(65534))
			_exit(2);
		_exit(target__can_profile(&target, &trouble) != -EACCES ||
		      !strstr(trouble.text, "user 0"));
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inspect_reads_the_runtime_out_of_the_maps),
		cmocka_unit_test(inspect_reads_the_version_out_of_the_path),
		cmocka_unit_test(inspect_reads_the_version_out_of_what_a_runtime_says),
		cmocka_unit_test(inspect_finds_the_container),
		cmocka_unit_test(inspect_names_the_program_for_people),
		cmocka_unit_test(inspect_reads_switches_as_the_runtime_does),
		cmocka_unit_test(inspect_takes_the_temporary_folder_of_the_target),
		cmocka_unit_test(inspect_knows_itself),
		cmocka_unit_test(inspect_finds_no_process_where_there_is_none),
		cmocka_unit_test(inspect_makes_hostile_names_safe),
		cmocka_unit_test(inspect_tells_what_cannot_be_profiled),
		cmocka_unit_test(inspect_says_when_the_user_is_another),
	};

	return cmocka_run_group_tests_name("target_inspect", tests, NULL, NULL);
}
