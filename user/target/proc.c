// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Reading one process's /proc folder: see proc.h.
#include "proc.h"

#include "../base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STAT_LIMIT	  4096
#define STATUS_LIMIT	  65536
#define ENVIRONMENT_LIMIT (4u << 20)
#define STAT_START_FIELD  22
#define STAT_STATE_FIELD  3

/* These files exist for as long as the process does. */
static int process_error(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return -ESRCH;
	case EPERM:
		return -EACCES;
	default:
		return -error;
	}
}

int proc__open(pid_t pid)
{
	char path[32];
	int fd;

	if (pid <= 0)
		return -ESRCH;
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? process_error(errno) : fd;
}

int proc__read(int directory, const char *name, size_t limit, struct buf *buf)
{
	char chunk[4096];
	int err = 0;
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return process_error(errno);
	while (limit > 0) {
		size_t wanted = limit < sizeof(chunk) ? limit : sizeof(chunk);
		ssize_t got = read(fd, chunk, wanted);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			err = process_error(errno);
		if (got <= 0)
			break;
		buf__append(buf, chunk, (size_t)got);
		limit -= (size_t)got;
	}
	close(fd);
	return err;
}

int proc__read_link(int directory, const char *name, char **ret_target)
{
	char target[PATH_MAX];
	ssize_t size = readlinkat(directory, name, target, sizeof(target));

	if (size < 0)
		return process_error(errno);
	*ret_target = alloc__string_n(target, (size_t)size);
	return 0;
}

int proc__read_stat(int directory, char *ret_state, uint64_t *ret_start_ticks)
{
	struct buf buf = BUF_INIT;
	const char *at;
	char *end;
	unsigned long long ticks;
	int field;
	int err = proc__read(directory, "stat", STAT_LIMIT, &buf);

	if (err)
		goto out;
	err = -ESRCH;
	/* The name in field 2 may hold blanks and parentheses itself. */
	at = strrchr(buf__string(&buf), ')');
	if (!at || at[1] != ' ' || !at[2])
		goto out;
	at += 2;
	*ret_state = *at;
	for (field = STAT_STATE_FIELD; field < STAT_START_FIELD; field++) {
		at = strchr(at, ' ');
		if (!at)
			goto out;
		at++;
	}
	errno = 0;
	ticks = strtoull(at, &end, 10);
	if (errno || end == at)
		goto out;
	*ret_start_ticks = ticks;
	err = 0;
out:
	buf__free(&buf);
	return err;
}

/* The number in column `column` (from 0; -1: the last) of the line `key`. */
static int status_number(const char *status, const char *key, int column,
			 long *ret_number)
{
	const char *at = strstr(status, key);
	int index = 0;
	bool found = false;

	if (!at)
		return -ENOENT;
	at += strlen(key);
	while (*at && *at != '\n') {
		char *end;
		long number = strtol(at, &end, 10);

		/* strtol skips blanks, a line's end among them. */
		if (end == at || memchr(at, '\n', (size_t)(end - at)))
			break;
		at = end;
		if (column < 0 || index == column) {
			*ret_number = number;
			found = true;
		}
		index++;
	}
	return found ? 0 : -ENOENT;
}

int proc__read_status(int directory, struct proc_status *ret_status)
{
	struct buf buf = BUF_INIT;
	long tgid, inner, uid, gid;
	int err = proc__read(directory, "status", STATUS_LIMIT, &buf);

	if (err)
		goto out;
	/* A key begins a line; Name: comes first and has its newlines escaped. */
	if (status_number(buf__string(&buf), "\nTgid:", 0, &tgid) ||
	    status_number(buf__string(&buf), "\nUid:", 1, &uid) ||
	    status_number(buf__string(&buf), "\nGid:", 1, &gid)) {
		err = -ESRCH;
		goto out;
	}
	if (status_number(buf__string(&buf), "\nNSpid:", -1, &inner))
		inner = tgid; /* a kernel without pid namespaces */
	ret_status->tgid = (pid_t)tgid;
	ret_status->namespace_pid = (pid_t)inner;
	ret_status->uid = (uid_t)uid;
	ret_status->gid = (gid_t)gid;
out:
	buf__free(&buf);
	return err;
}

int proc__read_environment(int directory, struct buf *buf)
{
	return proc__read(directory, "environ", ENVIRONMENT_LIMIT, buf);
}

const char *proc__variable(const struct buf *environment, const char *name)
{
	size_t size = strlen(name);
	size_t at = 0;

	/* buf is NUL-ended, so that a cut last entry ends there too. */
	while (at < environment->size) {
		const char *entry = environment->data + at;

		if (!strncmp(entry, name, size) && entry[size] == '=')
			return entry + size + 1;
		at += strlen(entry) + 1;
	}
	return NULL;
}

const char *proc__temporary_folder(const struct buf *environment)
{
	const char *folder = proc__variable(environment, "TMPDIR");

	return folder && folder[0] == '/' ? folder : "/tmp";
}
