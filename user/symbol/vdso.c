// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// See vdso.h.
#include "vdso.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>

#define VDSO_MAX (1u << 20)

/* Size of our own, 0 if we have none: the kernel maps the same into each process. */
static size_t vdso_size(uint64_t address)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char *line = NULL;
	size_t capacity = 0, size = 0;
	uint64_t start, end;

	while (maps && !size && getline(&line, &capacity, maps) > 0)
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) == 2 &&
		    start == address && end - start <= VDSO_MAX)
			size = end - start;
	free(line);
	if (maps)
		fclose(maps);
	return size;
}

int vdso__open(struct elf_view *view)
{
	void *image =
		(void *)getauxval(AT_SYSINFO_EHDR); // NOLINT(performance-no-int-to-ptr)
	size_t size = image ? vdso_size((uint64_t)(uintptr_t)image) : 0;

	return size && !elf_view__open_memory(view, image, size) ? 0 : -ENOENT;
}
