// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The hook library that a process has mapped already: see target.h.
#include "../base/alloc.h"
#include "inspect.h"
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAPS_LINES_MAX 1000000

/* Whether the line is of a hook library; then the two paths to it. */
static bool take_line(pid_t pid, const char *line, char **ret_path, char **ret_host_path)
{
	struct mapped mapped = { 0 };
	struct buf link = BUF_INIT;
	uint64_t start, end;
	const char *path;
	size_t size;

	inspect__maps_line(line, &mapped);
	free(mapped.runtime_path);
	path = inspect__maps_path(line, &size);
	if (!mapped.hook || !path ||
	    sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2)
		return false;
	buf__printf(&link, "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, (int)pid, start, end);
	*ret_path = alloc__string_n(path, size);
	*ret_host_path = buf__steal(&link);
	return true;
}

int hook_file__mapped(pid_t pid, char **ret_path, char **ret_host_path)
{
	int directory = proc__open(pid), fd, err = -ENOENT;
	FILE *file = NULL;
	char *line = NULL;
	size_t capacity = 0;

	if (directory < 0)
		return directory;
	fd = openat(directory, "maps", O_RDONLY | O_CLOEXEC);
	close(directory);
	if (fd < 0)
		return -errno;
	file = fdopen(fd, "r");
	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	for (unsigned int i = 0; err && i < MAPS_LINES_MAX; i++) {
		if (getline(&line, &capacity, file) < 0)
			break;
		if (take_line(pid, line, ret_path, ret_host_path))
			err = 0;
	}
	free(line);
	fclose(file);
	return err;
}
