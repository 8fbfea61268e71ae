// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Every .NET process of this machine: see target.h.
#include "target.h"

#include "../base/alloc.h"
#include "../base/text.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

int target__list(struct target **ret_targets, unsigned int *ret_count)
{
	struct target *targets = NULL;
	unsigned int count = 0, capacity = 0;
	struct dirent *entry;
	DIR *listing = opendir("/proc");

	if (!listing)
		return -errno;
	while ((entry = readdir(listing))) {
		struct target target;
		uint64_t pid;

		if (text__parse_number(entry->d_name, 1, INT_MAX, &pid))
			continue;
		/* Those that end meanwhile or are not ours to look at are left out. */
		if (target__inspect((pid_t)pid, &target))
			continue;
		if (target.runtime == TARGET_NOT_DOTNET) {
			target__free(&target);
			continue;
		}
		alloc__grow(targets, count, capacity);
		targets[count++] = target;
	}
	closedir(listing);
	*ret_targets = targets;
	*ret_count = count;
	return 0;
}

void target__free_list(struct target *targets, unsigned int count)
{
	if (!targets)
		return;
	for (unsigned int i = 0; i < count; i++)
		target__free(&targets[i]);
	free(targets);
}
