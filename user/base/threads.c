// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// See threads.h.
#include "threads.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has_name(pid_t pid, const char *thread, const char *wanted)
{
	char path[64], name[32] = "";
	FILE *file;
	bool has;

	snprintf(path, sizeof(path), "/proc/%d/task/%.16s/comm", pid, thread);
	file = fopen(path, "re");
	has = file && fgets(name, sizeof(name), file);
	name[strcspn(name, "\n")] = 0;
	if (file)
		fclose(file);
	return has && !strcmp(name, wanted);
}

pid_t threads__find(pid_t pid, const char *name)
{
	char path[64];
	struct dirent *entry;
	pid_t found = 0;
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	threads = opendir(path);
	if (!threads)
		return -1;
	while (!found && (entry = readdir(threads)))
		if (entry->d_name[0] != '.' && has_name(pid, entry->d_name, name))
			found = (pid_t)strtol(entry->d_name, NULL, 10);
	closedir(threads);
	return found;
}
