// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The threads of a process: see threads.h.
#include "threads.h"

#include "inspect.h"
#include "proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "202 0x7f..", "-1 0x7f.. 0x..", "running". */
static int64_t read_call(int directory)
{
	struct buf text = BUF_INIT;
	int64_t call = -1;
	char *end;

	if (!proc__read(directory, "syscall", 256, &text)) {
		call = strtoll(buf__string(&text), &end, 10);
		if (end == buf__string(&text))
			call = -1;
	}
	buf__free(&text);
	return call;
}

static int read_thread(int directory, struct target_thread *ret_thread)
{
	struct buf name = BUF_INIT;
	uint64_t ticks;
	int err = proc__read_stat(directory, &ret_thread->state, &ticks);

	if (!err)
		err = proc__read(directory, "comm", sizeof(ret_thread->comm), &name);
	if (!err) {
		ret_thread->start_ns = inspect__start_ns(ticks);
		ret_thread->call = read_call(directory);
		snprintf(ret_thread->comm, sizeof(ret_thread->comm), "%.*s",
			 (int)strcspn(buf__string(&name), "\n"), buf__string(&name));
	}
	buf__free(&name);
	return err;
}

int target__threads(pid_t pid,
		    void (*each)(void *context, const struct target_thread *thread),
		    void *context)
{
	int process = proc__open(pid), fd, err;
	struct dirent *entry;
	DIR *tasks;

	if (process < 0)
		return process;
	fd = openat(process, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = fd < 0 ? -errno : 0;
	close(process);
	if (err)
		return err;
	tasks = fdopendir(fd);
	if (!tasks) {
		err = -errno;
		close(fd);
		return err;
	}
	while ((entry = readdir(tasks))) {
		struct target_thread thread = { .tid = (pid_t)atoi(entry->d_name) };
		int directory;

		if (thread.tid <= 0)
			continue;
		directory = openat(dirfd(tasks), entry->d_name,
				   O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (directory < 0)
			continue;	/* it ended meanwhile */
		if (!read_thread(directory, &thread))
			each(context, &thread);
		close(directory);
	}
	closedir(tasks);
	return 0;
}
