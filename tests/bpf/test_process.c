// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Processes as the kernel tells of them: fork, exec, exit, threads.
#include "kernel_side.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct kernel_side *kernel;
static struct child child;
static __u32 space;

/* --- what the child does -------------------------------------------------------- */

enum {
	NOTHING,
	THREADS,
	FORK,
	FORK_EXEC,
	EXEC_IN_PLACE,
	LEADER_GOES_FIRST,
	EXIT_7,
	DIE
};

static void *do_nothing(void *unused)
{
	return unused;
}

static void *end_process(void *unused)
{
	exit(9);
	return unused;
}

static void fork_and_wait(bool exec)
{
	char *argv[] = {"/bin/true", NULL};
	pid_t pid = fork();

	if (!pid) {
		if (exec)
			execv(argv[0], argv);
		_exit(exec ? 1 : 5);
	}
	waitpid(pid, NULL, 0);
}

static void work(int what)
{
	char *argv[] = {"/bin/true", NULL};
	pthread_t thread;

	switch (what) {
	case THREADS:
		for (int i = 0; i < 20; i++)
			if (!pthread_create(&thread, NULL, do_nothing, NULL))
				pthread_join(thread, NULL);
		break;
	case FORK:
	case FORK_EXEC:
		fork_and_wait(what == FORK_EXEC);
		break;
	case EXEC_IN_PLACE:
		execv(argv[0], argv);
		_exit(1);
	case LEADER_GOES_FIRST:
		pthread_create(&thread, NULL, end_process, NULL);
		pthread_exit(NULL);
	case EXIT_7:
		_exit(7);
	case DIE:
		raise(SIGKILL);
		break;
	default:
		break;
	}
}

/* --- set-up ----------------------------------------------------------------------- */

static int setup(void **state)
{
	if (kernel_side__missing())
		return 0;
	kernel = kernel_side__open(NULL);
	child__start(&child, work);
	kernel_side__attach_life(kernel);
	space = kernel_side__adopt(kernel, child.pid, TS_SPACE_FOLLOW);
	return 0;
}

static int teardown(void **state)
{
	if (!kernel)
		return 0;
	assert_int_equal(kernel_side__counted(kernel, TS_LEDGER_CODE_EVENTS),
			 kernel_side__counted(kernel, TS_LEDGER_CODE_SENT));
	kernel_side__close(kernel);
	kernel = NULL;
	return 0;
}

static const struct ts_process_event *event(size_t index)
{
	assert_true(index < kernel->events_count);
	assert_int_equal(kernel->events[index]->size, sizeof(struct ts_process_event));
	return (struct ts_process_event *)kernel->events[index];
}

static bool is_known(pid_t pid)
{
	struct ts_space found;
	__u32 key = (__u32)pid;

	return !bpf_map_lookup_elem(bpf_map__fd(kernel->skeleton->maps.spaces), &key,
				    &found);
}

/* --- tests -------------------------------------------------------------------------
 */

static void threads_come_and_go_unseen(void **state)
{
	SKIP_IF_MISSING();
	child__do(&child, THREADS);
	kernel_side__drain_code(kernel);
	assert_int_equal(kernel->events_count, 0);
	assert_true(is_known(child.pid));
	assert_int_equal(child__end(&child), 0);
	kernel_side__drain_code(kernel);
	assert_int_equal(kernel->events_count, 1);
	assert_int_equal(event(0)->header.type, TS_EVENT_EXIT);
}

static void a_forked_child_lives_in_the_same_space(void **state)
{
	pid_t grandchild;

	SKIP_IF_MISSING();
	child__do(&child, FORK);
	kernel_side__drain_code(kernel);
	assert_int_equal(kernel->events_count, 2);
	assert_int_equal(event(0)->header.type, TS_EVENT_FORK);
	assert_int_equal(event(0)->header.pid, child.pid);
	assert_int_equal(event(0)->header.space, space);
	assert_int_equal(event(0)->parent, child.pid);
	grandchild = (pid_t)event(0)->child_pid;
	assert_int_not_equal(grandchild, child.pid);
	assert_int_equal(event(1)->header.type, TS_EVENT_EXIT);
	assert_int_equal(event(1)->header.pid, grandchild);
	assert_int_equal(event(1)->header.space, space);
	assert_true(WIFEXITED(event(1)->exit_code));
	assert_int_equal(WEXITSTATUS(event(1)->exit_code), 5);
	assert_false(is_known(grandchild));
	assert_true(is_known(child.pid));
	child__end(&child);
}

static void exec_makes_a_new_space(void **state)
{
	SKIP_IF_MISSING();
	child__do(&child, FORK_EXEC);
	kernel_side__drain_code(kernel);
	assert_int_equal(kernel->events_count, 3);
	assert_int_equal(event(0)->header.type, TS_EVENT_FORK);
	assert_int_equal(event(1)->header.type, TS_EVENT_EXEC);
	assert_int_equal(event(1)->header.pid, event(0)->child_pid);
	assert_int_not_equal(event(1)->header.space, space);
	assert_string_equal(event(1)->comm, "true");
	assert_int_equal(event(2)->header.type, TS_EVENT_EXIT);
	assert_int_equal(event(2)->header.space, event(1)->header.space);
	assert_int_equal(event(2)->exit_code, 0);
	child__end(&child);
}

static void exec_in_place_leaves_the_old_code_behind(void **state)
{
	struct ts_journal_record record = {
		.start = 0x7f0000100000ULL, .size = 64, .shape = 1};
	struct ts_insert body;
	struct ts_space now;
	__u32 key;

	SKIP_IF_MISSING();
	key = (__u32)child.pid;
	body = kernel_side__insert(kernel, space, child.pid, &record);
	assert_int_equal(body.error, 0);
	child__tell(&child, EXEC_IN_PLACE);
	child__end(&child);
	kernel_side__drain_code(kernel);
	assert_int_equal(kernel->events_count, 2);
	assert_int_equal(event(0)->header.type, TS_EVENT_EXEC);
	assert_int_equal(event(0)->header.pid, child.pid);
	assert_true(event(0)->header.space > space);
	assert_int_equal(
		kernel_side__find(kernel, event(0)->header.space, record.start).shape,
		0);
	assert_int_equal(kernel_side__find(kernel, space, record.start).shape, 1);
	assert_int_equal(event(1)->header.type, TS_EVENT_EXIT);
	assert_int_not_equal(
		bpf_map_lookup_elem(bpf_map__fd(kernel->skeleton->maps.spaces), &key,
				    &now),
		0);
}

/* The thread that began the process ends first: it is not over. */
static void the_process_ends_with_its_last_thread(void **state)
{
	int status;

	SKIP_IF_MISSING();
	child__tell(&child, LEADER_GOES_FIRST);
	status = child__end(&child);
	assert_int_equal(WEXITSTATUS(status), 9);
	kernel_side__drain_code(kernel);
	assert_int_equal(kernel->events_count, 1);
	assert_int_equal(event(0)->header.type, TS_EVENT_EXIT);
	assert_int_equal(event(0)->header.pid, child.pid);
	assert_int_equal(event(0)->exit_code, status);
	assert_false(is_known(child.pid));
}

static void exit_codes_are_as_wait_gives_them(void **state)
{
	static const int ways[] = {EXIT_7, DIE};

	SKIP_IF_MISSING();
	for (size_t w = 0; w < 2; w++) {
		int status;

		if (w) {
			child__start(&child, work);
			kernel_side__adopt(kernel, child.pid, 0);
		}
		child__tell(&child, ways[w]);
		status = child__end(&child);
		kernel_side__drain_code(kernel);
		assert_int_equal(event(w)->header.type, TS_EVENT_EXIT);
		assert_int_equal(event(w)->exit_code, status);
	}
}

static void children_are_followed_only_when_asked(void **state)
{
	SKIP_IF_MISSING();
	kernel_side__adopt(kernel, child.pid, 0);
	child__do(&child, FORK_EXEC);
	kernel_side__drain_code(kernel);
	assert_int_equal(kernel->events_count, 0);
	child__end(&child);
	kernel_side__drain_code(kernel);
	assert_int_equal(kernel->events_count, 1);
}

static void others_are_not_seen(void **state)
{
	struct child other;

	SKIP_IF_MISSING();
	child__start(&other, work);
	child__do(&other, FORK_EXEC);
	child__end(&other);
	kernel_side__drain_code(kernel);
	assert_int_equal(kernel->events_count, 0);
	child__end(&child);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(threads_come_and_go_unseen),
		TEST(a_forked_child_lives_in_the_same_space),
		TEST(exec_makes_a_new_space),
		TEST(exec_in_place_leaves_the_old_code_behind),
		TEST(the_process_ends_with_its_last_thread),
		TEST(exit_codes_are_as_wait_gives_them),
		TEST(children_are_followed_only_when_asked),
		TEST(others_are_not_seen),
	};

	return cmocka_run_group_tests_name("bpf_process", tests, NULL, NULL);
}
