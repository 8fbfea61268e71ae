// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * The whole way to a process, against one that plays a runtime: this program
 * starts itself again, and "--serve N" listens on a diagnostics socket, calls
 * itself .NET 10.0.12 and takes a profiler after it refused N times as not ready.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/target/ipc.h"
#include "../../user/target/ipc_wire.h"
#include "../../user/target/proc.h"
#include "target_fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#define ATTACH_MS 20000

static void answer(int client, uint32_t *refusals)
{
	static const char zero[24];
	struct buf reply = BUF_INIT, payload = BUF_INIT;
	unsigned char header[IPC_HEADER_BYTES + 4096];
	unsigned char id = IPC_SERVER_OK;

	if (recv(client, header, sizeof(header), 0) < IPC_HEADER_BYTES)
		return;
	if (header[16] == IPC_SET_PROFILER) {
		bool refuse = *refusals > 0;

		*refusals -= refuse;
		id = refuse ? IPC_SERVER_ERROR : IPC_SERVER_OK;
		ipc_wire__append_u32(&payload, refuse ? IPC_HR_NOT_YET_AVAILABLE : 0);
	} else {
		ipc_wire__append_u32(&payload, 1);
		buf__append(&payload, zero, sizeof(zero));
		for (int i = 0; i < 5; i++)
			(void)ipc_wire__append_string(&payload, "10.0.12+95017c71");
	}
	buf__append(&reply, IPC_MAGIC, IPC_MAGIC_BYTES);
	buf__append_char(&reply, (char)(IPC_HEADER_BYTES + payload.size));
	buf__append_char(&reply, (char)((IPC_HEADER_BYTES + payload.size) >> 8));
	buf__append_char(&reply, (char)IPC_SET_SERVER);
	buf__append_char(&reply, (char)id);
	buf__append(&reply, "\0", 2);
	buf__append(&reply, payload.data, payload.size);
	(void)!send(client, reply.data, reply.size, MSG_NOSIGNAL);
	buf__free(&payload);
	buf__free(&reply);
}

static int serve(uint32_t refusals)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	uint64_t ticks;
	char state;
	int self = proc__open(getpid());
	int server = socket(AF_UNIX, SOCK_STREAM, 0);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (self < 0 || proc__read_stat(self, &state, &ticks))
		return 1;
	snprintf(address.sun_path, sizeof(address.sun_path),
		 "%.40s/dotnet-diagnostic-%d-%llu-socket", getenv("TMPDIR"),
		 (int)getpid(), (unsigned long long)ticks);
	if (bind(server, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(server, 8))
		return 1;
	(void)!write(1, "r", 1);
	for (;;) {
		int client = accept(server, NULL, NULL);

		if (client < 0)
			return 1;
		answer(client, &refusals);
		close(client);
	}
}

struct served {
	struct scratch *scratch;
	pid_t child;
	struct target target;
};

/* Starts a target in a temporary folder of its own; `extra` is its environment. */
static void start(struct served *served, void **state, const char *refusals,
		  const char *extra)
{
	char temporary[128], ready;
	int pipes[2];

	served->scratch = *state;
	snprintf(temporary, sizeof(temporary), "TMPDIR=%s", served->scratch->folder);
	assert_return_code(pipe(pipes), errno);
	served->child = fork();
	if (!served->child) {
		char *arguments[] = {"served", "--serve", (char *)refusals, NULL};
		char *environment[] = {temporary, (char *)extra, NULL};

		dup2(pipes[1], 1);
		execve("/proc/self/exe", arguments, environment);
		_exit(1);
	}
	assert_int_equal(read(pipes[0], &ready, 1), 1);
	close(pipes[0]);
	close(pipes[1]);
	assert_int_equal(target__inspect(served->child, &served->target), 0);
}

static void stop(struct served *served)
{
	kill(served->child, SIGKILL);
	waitpid(served->child, NULL, 0);
	target__free(&served->target);
}

static void served_recognises_a_runtime_by_its_socket(void **state)
{
	struct trouble trouble = {""};
	struct target *list;
	struct ipc_info info;
	unsigned int count, found = 0;
	struct served served;

	start(&served, state, "0", NULL);
	assert_int_equal(served.target.runtime, TARGET_DOTNET);
	assert_string_equal(served.target.runtime_version, "10.0.12");
	assert_string_equal(served.target.runtime_path, "");
	assert_string_equal(served.target.cmdline, "served --serve 0");
	assert_int_equal(target__can_profile(&served.target, &trouble), 0);
	assert_int_equal(ipc__process_info(&served.target, &info, &trouble), 0);
	assert_string_equal(info.runtime_version, "10.0.12+95017c71");
	ipc_info__free(&info);
	assert_int_equal(target__list(&list, &count), 0);
	for (unsigned int i = 0; i < count; i++)
		found += list[i].pid == served.child;
	target__free_list(list, count);
	assert_int_equal(found, 1);
	stop(&served);
	/* Gone between the listing and the attach. */
	assert_int_not_equal(ipc__attach_profiler(&(struct target){.pid = served.child},
						  "/x", ATTACH_MS, &trouble),
			     0);
	assert_string_not_equal(trouble.text, "");
}

static void served_attaches_once_the_runtime_is_ready(void **state)
{
	struct trouble trouble = {""};
	struct served served;

	start(&served, state, "3", NULL);
	assert_int_equal(
		ipc__attach_profiler(&served.target, "/x", ATTACH_MS, &trouble), 0);
	stop(&served);
}

static void served_stops_waiting_for_a_runtime_that_never_is_ready(void **state)
{
	struct trouble trouble = {""};
	struct served served;

	start(&served, state, "4000000000", NULL);
	assert_int_equal(ipc__attach_profiler(&served.target, "/x", 100, &trouble),
			 -EAGAIN);
	assert_string_not_equal(trouble.text, "");
	stop(&served);
}

static void served_tells_which_switch_is_in_the_way(void **state)
{
	static const struct {
		const char *setting, *word;
		bool diagnostics, profiler;
	} switches[] = {
		{"DOTNET_EnableDiagnostics=0", "DOTNET_EnableDiagnostics=0", true,
		 true},
		{"COMPlus_EnableDiagnostics=0", "COMPlus_EnableDiagnostics=0", true,
		 true},
		{"DOTNET_EnableDiagnostics_IPC=0", "_IPC=0", true, false},
		{"COMPlus_EnableDiagnostics_IPC=0", "COMPlus_", true, false},
		{"DOTNET_EnableDiagnostics_Profiler=0", "_Profiler=0", false, true},
	};

	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		struct trouble trouble = {""};
		struct served served;

		start(&served, state, "0", switches[i].setting);
		assert_int_equal(served.target.diagnostics_off,
				 switches[i].diagnostics);
		assert_int_equal(served.target.profiler_off, switches[i].profiler);
		assert_int_equal(target__can_profile(&served.target, &trouble), -EPERM);
		assert_non_null(strstr(trouble.text, switches[i].word));
		/* A hook that is there already needs none of them. */
		served.target.hooked = true;
		assert_int_equal(target__can_profile(&served.target, &trouble), 0);
		stop(&served);
	}
}

static void served_says_when_the_socket_is_gone(void **state)
{
	struct trouble trouble = {""};
	struct served served;

	start(&served, state, "0", NULL);
	assert_return_code(
		unlink(scratch__path(served.scratch, "dotnet-diagnostic-%d-%llu-socket",
				     (int)served.child,
				     (unsigned long long)served.target.start_ticks)),
		errno);
	assert_int_equal(target__can_profile(&served.target, &trouble), -ENOENT);
	assert_non_null(strstr(trouble.text, served.scratch->folder));
	stop(&served);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, scratch__setup, scratch__teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(served_recognises_a_runtime_by_its_socket),
		TEST(served_attaches_once_the_runtime_is_ready),
		TEST(served_stops_waiting_for_a_runtime_that_never_is_ready),
		TEST(served_tells_which_switch_is_in_the_way),
		TEST(served_says_when_the_socket_is_gone),
	};

	if (argc == 3 && !strcmp(argv[1], "--serve"))
		return serve((uint32_t)strtoul(argv[2], NULL, 10));
	return cmocka_run_group_tests_name("target_served", tests, NULL, NULL);
}
