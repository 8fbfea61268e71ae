// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Starting a command under the recording: the child is forked, taken into the
// recording and held at a gate; only when probes and events are armed does it
// call exec, so its very first method is seen.
#include "cli.h"
#include "record.h"

#include "../base/clock.h"
#include "../base/log.h"
#include "../target/target.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* In the child: wait for the gate, then become the command.  output -1: it has our files. */
static void run_child(const struct record *record, int gate, int errors, int input, int output,
		      char **environment)
{
	char go;
	int err;

	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	if (output >= 0 && (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
			    dup2(output, STDERR_FILENO) < 0))
		_exit(127);
	if (read(gate, &go, 1) != 1)
		_exit(127);		/* the recorder gave up */
	execvpe(record->options->command[0], record->options->command, environment);
	err = errno;
	if (write(errors, &err, sizeof(err)) != sizeof(err))
		_exit(126);
	_exit(127);
}

/* The terminal is taken: its keys are not for the command, nor has that a place there. */
static int open_files(const char *path, int *ret_input, int *ret_output)
{
	*ret_input = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (*ret_input < 0)
		return -errno;
	return output__open(path ? path : "/dev/null", ret_output);
}

static int start_child(struct record *record, const char *hook)
{
	int gate[2] = { -1, -1 }, errors[2] = { -1, -1 }, input = -1, output = -1;
	char **environment = launch__environment(environ, hook, record->options->tiering);

	if (!environment || pipe2(gate, O_CLOEXEC) || pipe2(errors, O_CLOEXEC))
		return -errno;
	if (record->options->screen) {
		int err = open_files(record->options->output, &input, &output);

		if (err)
			return err;
	}
	record->child = fork();
	if (!record->child) {
		close(gate[1]);
		close(errors[0]);
		run_child(record, gate[0], errors[1], input, output, environment);
	}
	launch__free_environment(environment);
	close(gate[0]);
	close(errors[1]);
	if (output >= 0) {
		close(input);
		close(output);
	}
	record->child_gate = gate[1];
	record->child_errno = errors[0];
	return record->child < 0 ? -errno : 0;
}

/* While the child waits: what it will map is known when it does. */
static void preload(struct record *record)
{
	struct framework_folders folders;
	uint64_t start = clock__now();

	framework__folders(record->options->command, &folders);
	for (unsigned int i = 0; i < folders.count; i++)
		recorder__preload(record->recorder, folders.path[i]);
	framework__free(&folders);
	log__verbose("tables of images that the command may map: ready after %llu us",
		     (unsigned long long)(clock__now() - start) / 1000);
}

int record__launch(struct record *record)
{
	struct trouble trouble = { "" };
	char *hook = NULL;
	int err, code = EXIT_NO_START;

	if (hook_file__find(&hook, &trouble) ||
	    kernel__attach_hook(record->kernel, hook, -1, &trouble)) {
		log__error("cannot record '%s': %s", record->options->command[0], trouble.text);
		goto out;
	}
	err = start_child(record, hook);
	if (!err)
		err = recorder__adopt(record->recorder, record->child,
				      TS_SPACE_FOLLOW | TS_SPACE_PENDING);
	if (err) {
		log__error("cannot start '%s': %s", record->options->command[0],
			   strerror(-err));
		goto out;
	}
	preload(record);
	code = EXIT_OK;
out:
	free(hook);
	return code;
}

int record__release(struct record *record)
{
	int failed = 0;
	ssize_t got;

	if (record->child_gate < 0)
		return EXIT_OK;
	if (write(record->child_gate, "g", 1) != 1)
		failed = errno;
	close(record->child_gate);
	record->child_gate = -1;
	/* Closed by exec when it went well. */
	do
		got = read(record->child_errno, &failed, sizeof(failed));
	while (got < 0 && errno == EINTR);
	if (!failed)
		return EXIT_OK;
	record__reap(record, true);
	log__error("cannot run '%s': %s", record->options->command[0], strerror(failed));
	return EXIT_NO_START;
}

void record__reap(struct record *record, bool wait)
{
	int status;
	pid_t pid;

	if (record->child <= 0 || record->child_ended)
		return;
	do
		pid = waitpid(record->child, &status, wait ? 0 : WNOHANG);
	while (pid < 0 && errno == EINTR && !record_interrupted);
	if (pid != record->child)
		return;
	record->child_ended = true;
	record->child_status = status;
}

void record__stop_child(struct record *record)
{
	const struct timespec pause = { 0, 20000000 };

	if (record->child <= 0)
		return;
	if (record->child_gate >= 0) {	/* never let go: it leaves by itself */
		close(record->child_gate);
		record->child_gate = -1;
		record__reap(record, true);
		return;
	}
	record__reap(record, false);
	if (record->child_ended)
		return;
	record->child_stopped_by_us = true;
	kill(record->child, SIGTERM);
	for (int i = 0; i < 250 && !record->child_ended; i++) {
		nanosleep(&pause, NULL);
		record__reap(record, false);
	}
	if (!record->child_ended)
		log__warn("process %d did not end on SIGTERM and goes on", record->child);
}
