// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Precompiled images that lie in a process's memory only, as a compressed single-file
// application unpacks them.  They are copied, within bounds: the process may be hostile.
#include "internal.h"

#include "../base/log.h"
#include "../image/image.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define UNPACKED_MAX (512ull << 20) /* kept of all processes, and copied of one */

struct reading {
	pid_t pid;
	uint64_t bytes; /* asked for so far */
};

static bool read_memory(void *context, uint64_t address, void *bytes, size_t size)
{
	struct reading *reading = context;
	struct iovec local = { bytes, size };
	struct iovec remote = { (void *)(uintptr_t)address, size };

	reading->bytes += size;
	return process_vm_readv(reading->pid, &local, 1, &remote, 1, 0) == (ssize_t)size;
}

/*
 * Processes of one executable and one user have unpacked the same image from it, where
 * the bits of its MVID are the same.
 */
static bool identify(const struct process *process, struct image_file *file)
{
	const uint8_t *mvid = image__mvid(file->image);
	char path[64];
	struct stat executable, folder;

	snprintf(path, sizeof(path), "/proc/%d/exe", process->pid);
	if (!mvid || stat(path, &executable))
		return false;
	snprintf(path, sizeof(path), "/proc/%d", process->pid);
	if (stat(path, &folder))
		return false;
	file->device = executable.st_dev;
	file->inode = executable.st_ino;
	file->owner = folder.st_uid;
	memcpy(&file->mapped, mvid, sizeof(file->mapped));
	file->mapped |= UNPACKED;
	return true;
}

/* The runtime changes the protection of its memory again and again. */
static uint32_t find_unpacked(const struct recorder *recorder, const struct process *process,
			      struct mapping *mapping)
{
	struct reading reading = { .pid = process->pid };

	for (uint32_t i = process->mappings.count; i > 0; i--) {
		const struct mapping *earlier = &process->mappings.items[i - 1];

		if (earlier->start != mapping->start || earlier->file == NO_IMAGE ||
		    !(recorder->files[earlier->file].mapped & UNPACKED))
			continue;
		mapping->image_base = earlier->image_base;
		return image__is_still_loaded(recorder->files[earlier->file].image,
					      read_memory, &reading, earlier->image_base) ?
		       earlier->file : NO_IMAGE;
	}
	return NO_IMAGE;
}

static uint32_t keep_unpacked(struct recorder *recorder, const struct process *process,
			      struct image *image)
{
	struct image_file file = { .number = NO_IMAGE, .image = image };
	uint32_t number = NO_IMAGE;

	if (!identify(process, &file))
		goto out;
	number = images__find(recorder, file.device, file.inode, file.mapped, file.owner);
	if (number != NO_IMAGE ||
	    recorder->unpacked_bytes + image__memory_bytes(image) > UNPACKED_MAX)
		goto out;
	recorder->unpacked_bytes += image__memory_bytes(image);
	return images__keep(recorder, &file, image__assembly(image));
out:
	image__free(image);
	return number;
}

uint32_t unpacked__open(struct recorder *recorder, struct process *process,
			       struct mapping *mapping)
{
	uint32_t number = find_unpacked(recorder, process, mapping);
	struct reading reading = { .pid = process->pid };
	struct image *image = NULL;
	int err;

	if (number != NO_IMAGE || process->unpacked_bytes > UNPACKED_MAX)
		return number;
	err = image__open_loaded(read_memory, &reading, mapping->start, &image,
				 &mapping->image_base);
	process->unpacked_bytes += reading.bytes;
	if (!err)
		number = keep_unpacked(recorder, process, image);
	if (err == -EFBIG || (!err && number == NO_IMAGE)) {
		if (!recorder->unpacked_told)
			log__warn("process %d has more precompiled code in memory without a file than is read; samples in it will have no names",
				  process->pid);
		recorder->unpacked_told = mapping->unreadable = true;
	}
	return number;
}
