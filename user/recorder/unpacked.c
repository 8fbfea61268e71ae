// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Precompiled images that lie in a process's memory only, as a compressed single-file
// application unpacks them.  They are copied, within bounds: the process may be hostile.
#include "internal.h"

#include "../base/log.h"
#include "../image/image.h"
#include "../target/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define UNPACKED_MAX (512ull << 20) /* kept of all processes, and copied of one */
#define FAILED_BYTES (8u << 20)	    /* what looking at a damaged one counts for */

struct reading {
	pid_t pid;
	uint64_t bytes; /* asked for so far */
};

static bool read_memory(void *context, uint64_t address, void *bytes, size_t size)
{
	struct reading *reading = context;

	reading->bytes += size;
	return memory__read(reading->pid, address, bytes, size) == (ssize_t)size;
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

	for (uint32_t i = process->has_unpacked ? process->mappings.count : 0; i > 0; i--) {
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

/* Takes the image over.  -EFBIG: there are too many of them; -ESRCH: it cannot be told
 * whose it is. */
static int keep(struct recorder *recorder, const struct process *process,
		struct image *image, uint32_t *ret_number)
{
	struct image_file file = { .number = NO_IMAGE, .image = image };
	int err = 0;

	if (!identify(process, &file)) {
		err = -ESRCH;
		goto out;
	}
	*ret_number = images__find(recorder, file.device, file.inode, file.mapped, file.owner);
	if (*ret_number != NO_IMAGE)
		goto out;
	if (recorder->unpacked_bytes + image__memory_bytes(image) > UNPACKED_MAX) {
		err = -EFBIG;
		goto out;
	}
	recorder->unpacked_bytes += image__memory_bytes(image);
	*ret_number = images__keep(recorder, &file, image__assembly(image));
	return 0;
out:
	image__free(image);
	return err;
}

static void tell_too_much(struct recorder *recorder, const struct process *process)
{
	if (!recorder->unpacked_told)
		log__warn("process %d has more precompiled code in memory without a file than is read; samples in it will have no names",
			  process->pid);
	recorder->unpacked_told = true;
}

uint32_t unpacked__open(struct recorder *recorder, struct process *process,
			struct mapping *mapping)
{
	uint32_t number = find_unpacked(recorder, process, mapping);
	struct reading reading = { .pid = process->pid };
	struct image *image = NULL;
	int err;

	if (number != NO_IMAGE)
		return number;
	if (process->unpacked_bytes > UNPACKED_MAX) {
		/* Perhaps no image: it stays anonymous memory. */
		tell_too_much(recorder, process);
		return NO_IMAGE;
	}
	err = image__open_loaded(read_memory, &reading, mapping->start, &image,
				 &mapping->image_base);
	process->unpacked_bytes += reading.bytes + (err && err != -ENOENT ? FAILED_BYTES : 0);
	if (!err)
		err = keep(recorder, process, image, &number);
	if (err == -EFBIG) {
		tell_too_much(recorder, process);
		mapping->unreadable = true;
	}
	process->has_unpacked |= !err;
	return number;
}
