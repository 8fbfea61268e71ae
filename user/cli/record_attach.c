// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Recording a process that runs already: find it, take it into the recording,
// arm the probes, then bring the hook in (or find the one that is there), so
// that whatever it tells is heard.
#include "cli.h"
#include "record.h"

#include "../base/clock.h"
#include "../base/log.h"
#include "../target/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ATTACH_TIMEOUT_MS 10000

/* The hook writes its journal in its own time: wait for it that long. */
#define JOURNAL_TRIES 1000
#define JOURNAL_PAUSE_NS 5000000

static bool has_name(const struct target *target, const char *name)
{
	const char *slash = strrchr(target->executable, '/');

	return !strcmp(target->comm, name) || !strcmp(target->entry, name) ||
	       !strcmp(slash ? slash + 1 : target->executable, name);
}

static int find_by_name(const char *name, pid_t *ret_pid)
{
	struct target *targets;
	unsigned int count, found = 0;
	int err = target__list(&targets, &count);

	if (err) {
		log__error("cannot list processes: %s", strerror(-err));
		return EXIT_NO_START;
	}
	for (unsigned int i = 0; i < count; i++) {
		if (!has_name(&targets[i], name))
			continue;
		found++;
		*ret_pid = targets[i].pid;
	}
	target__free_list(targets, count);
	if (found == 1)
		return EXIT_OK;
	if (found)
		log__error("%u .NET processes are called '%s'; choose one with -p (tierscope ps lists them)",
			   found, name);
	else
		log__error("no .NET process is called '%s'; tierscope ps lists them", name);
	return EXIT_NO_START;
}

static int inspect(pid_t pid, struct target *ret_target)
{
	struct trouble trouble = { "" };
	int err = target__inspect(pid, ret_target);

	if (err == -ESRCH || err == -ENOENT) {
		log__error("no process %d; tierscope ps lists the .NET processes", pid);
		return EXIT_NO_START;
	}
	if (err == -EACCES || err == -EPERM) {
		log__error("process %d: not allowed to look at it; run as its user or as root",
			   pid);
		return EXIT_NO_START;
	}
	if (err) {
		log__error("process %d: cannot look at it: %s", pid, strerror(-err));
		return EXIT_NO_START;
	}
	if (!target__can_profile(ret_target, &trouble))
		return EXIT_OK;
	log__error("process %d (%s): %s", pid, ret_target->comm, trouble.text);
	target__free(ret_target);
	return EXIT_NO_START;
}

/* Until the journal is there, and whole; or, is_there, at once if there is none. */
static int wait_for_journal(struct record *record, const struct target *target,
			    bool is_there, struct trouble *trouble)
{
	const struct timespec pause = { 0, JOURNAL_PAUSE_NS };
	int err = -EAGAIN;

	for (int i = 0; i < JOURNAL_TRIES && err == -EAGAIN && !record_interrupted; i++) {
		if (!target__alive(target->pid, target->start_ticks))
			return trouble__set(trouble, -ESRCH,
					    "it ended before the hook was in it");
		err = recorder__catch_up(record->recorder, target->pid, trouble);
		if (err == -ENOENT && !is_there)
			err = -EAGAIN;
		if (err == -EAGAIN)
			nanosleep(&pause, NULL);
	}
	if (err == -EAGAIN)
		trouble__set(trouble, err, "the hook left no journal");
	return err;
}

static int bring_hook(struct record *record, const struct target *target,
		      struct trouble *trouble)
{
	char *hook = NULL, *path = NULL, *host_path = NULL;
	int err = hook_file__find(&hook, trouble);

	if (!err)
		err = hook_file__place(target, hook, &path, &host_path, trouble);
	if (!err)
		err = kernel__attach_hook(record->kernel, host_path, target->pid, trouble);
	/* A hook that is there is woken; attaching again would cost it more. */
	if (!err && wait_for_journal(record, target, true, trouble)) {
		trouble->text[0] = 0;
		err = ipc__attach_profiler(target, path, ATTACH_TIMEOUT_MS, trouble);
		if (!err)
			err = wait_for_journal(record, target, false, trouble);
	}
	free(hook);
	free(path);
	free(host_path);
	return err;
}

int record__attach(struct record *record)
{
	uint64_t start = clock__now();
	pid_t pid = record->options->pid;
	struct trouble trouble = { "" };
	struct target target;
	int err, code = EXIT_OK;

	if (record->options->name)
		code = find_by_name(record->options->name, &pid);
	if (!code)
		code = inspect(pid, &target);
	if (code)
		return code;
	record->target_ticks = target.start_ticks;
	err = recorder__adopt(record->recorder, pid, 0);
	if (err)
		trouble__set(&trouble, err, "%s", strerror(-err));
	else
		err = bring_hook(record, &target, &trouble);
	if (err) {
		log__error("process %d (%s): %s", pid, target.comm,
			   trouble.text[0] ? trouble.text : strerror(-err));
		code = EXIT_NO_START;
	} else {
		log__verbose("process %d: all of its %u bodies known after %llu us", pid,
			     model__bodies(record->model),
			     (unsigned long long)(clock__now() - start) / 1000);
	}
	target__free(&target);
	return code;
}
