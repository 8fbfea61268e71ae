// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What gets mapped executable, told by the kernel itself: PERF_RECORD_MMAP2 of
// a dummy event on every CPU.  Device and inode come from the kernel; only the
// path is a claim.
#include "internal.h"

#include "../base/alloc.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define RING_PAGES 64			/* a power of two */

/* One thing to deliver, with its path. */
struct told {
	struct kernel_mapping mapping;
	char *path;
};

struct mappings {
	unsigned int count;
	int *fds;
	void **rings;
	size_t ring_bytes;		/* control page included */
	char *record;			/* room for one whole record */
	struct told *told;		/* of this drain, to be sorted by time */
	size_t told_count, told_capacity;
};

/* PERF_RECORD_MMAP2 (linux/perf_event.h), then the sample id we asked for. */
struct mmap2_record {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t address, length, offset;
	uint32_t major, minor;
	uint64_t inode, inode_generation;
	uint32_t protection, flags;
	char path[];
};
struct sample_id {
	uint32_t pid, tid;
	uint64_t time;
};
struct lost_record {
	struct perf_event_header header;
	uint64_t id, lost;
};

static int open_one(struct mappings *mappings, unsigned int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME,
		.sample_id_all = 1,
		.mmap = 1,
		.mmap2 = 1,
		.comm = 1,		/* told at exec, before the new mappings */
		.comm_exec = 1,
		.watermark = 1,
		/*
		 * Some eight mappings wake the loader; its next look finds the others.  The
		 * runtime maps a page of stubs at a time, a compiler five hundred in two
		 * seconds, and the sampler knows such memory by itself.
		 */
		.wakeup_watermark = 1024,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1,
			      PERF_FLAG_FD_CLOEXEC);
	void *ring;

	if (fd < 0)
		return errno == ENODEV ? 0 : -errno;	/* a CPU that is off */
	ring = mmap(NULL, mappings->ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ring == MAP_FAILED) {
		int err = -errno;

		close(fd);
		return err;
	}
	mappings->fds[mappings->count] = fd;
	mappings->rings[mappings->count++] = ring;
	return 0;
}

int mappings__open(unsigned int cpus, struct mappings **ret_mappings)
{
	struct mappings *mappings = alloc__zeroed(1, sizeof(*mappings));
	int err = 0;

	mappings->ring_bytes = (size_t)sysconf(_SC_PAGESIZE) * (RING_PAGES + 1);
	mappings->fds = alloc__zeroed(cpus, sizeof(int));
	mappings->rings = alloc__zeroed(cpus, sizeof(void *));
	mappings->record = alloc__zeroed(1, UINT16_MAX + 1);
	for (unsigned int cpu = 0; cpu < cpus && !err; cpu++)
		err = open_one(mappings, cpu);
	if (err) {
		mappings__free(mappings);
		return err;
	}
	*ret_mappings = mappings;
	return 0;
}

void mappings__free(struct mappings *mappings)
{
	if (!mappings)
		return;
	for (unsigned int i = 0; i < mappings->count; i++) {
		munmap(mappings->rings[i], mappings->ring_bytes);
		close(mappings->fds[i]);
	}
	free(mappings->fds);
	free(mappings->rings);
	free(mappings->record);
	free(mappings->told);
	free(mappings);
}

unsigned int mappings__fds(const struct mappings *mappings, const int **ret_fds)
{
	*ret_fds = mappings->fds;
	return mappings->count;
}

static void keep(struct mappings *mappings, const struct kernel_mapping *mapping)
{
	struct told *told;

	alloc__grow(mappings->told, mappings->told_count, mappings->told_capacity);
	told = &mappings->told[mappings->told_count++];
	told->mapping = *mapping;
	told->path = alloc__string(mapping->path);
	told->mapping.path = told->path;
}

static void read_record(struct mappings *mappings, size_t size,
			const struct kernel_handlers *handlers)
{
	const char *record = mappings->record;
	const struct mmap2_record *map = (const void *)record;
	struct kernel_mapping mapping = { .path = "" };
	struct sample_id id;

	if (map->header.type == PERF_RECORD_LOST && size >= sizeof(struct lost_record)) {
		handlers->mapping_lost(handlers->context,
				       ((const struct lost_record *)record)->lost);
		return;
	}
	if (size < sizeof(map->header) + sizeof(id) + 8)
		return;
	memcpy(&id, record + size - sizeof(id), sizeof(id));
	mapping.pid = (pid_t)map->pid;
	mapping.time_ns = id.time;
	if (map->header.type == PERF_RECORD_COMM &&
	    map->header.misc & PERF_RECORD_MISC_COMM_EXEC) {
		mapping.is_exec = true;
		keep(mappings, &mapping);
	} else if (map->header.type == PERF_RECORD_MMAP2 &&
		   size > sizeof(*map) + sizeof(id)) {
		mapping.start = map->address;
		mapping.size = map->length;
		mapping.file_offset = map->offset;
		mapping.device_major = map->major;
		mapping.device_minor = map->minor;
		mapping.inode = map->inode;
		mapping.path = map->path;
		keep(mappings, &mapping);
	}
}

static void drain_ring(struct mappings *mappings, void *ring,
		       const struct kernel_handlers *handlers)
{
	struct perf_event_mmap_page *control = ring;
	size_t size = mappings->ring_bytes - (size_t)sysconf(_SC_PAGESIZE);
	const char *data = (const char *)ring + control->data_offset;
	uint64_t head = __atomic_load_n(&control->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = control->data_tail;

	while (tail < head) {
		struct perf_event_header header;
		uint64_t at = tail % size;
		size_t first;

		/* Records are 8-aligned, so a header never wraps. */
		memcpy(&header, data + at, sizeof(header));
		if (header.size < sizeof(header))
			break;
		first = size - at < header.size ? size - at : header.size;
		memcpy(mappings->record, data + at, first);
		memcpy(mappings->record + first, data, header.size - first);
		mappings->record[header.size] = 0;
		read_record(mappings, header.size, handlers);
		tail += header.size;
	}
	__atomic_store_n(&control->data_tail, tail, __ATOMIC_RELEASE);
}

static int by_time(const void *left, const void *right)
{
	uint64_t a = ((const struct told *)left)->mapping.time_ns;
	uint64_t b = ((const struct told *)right)->mapping.time_ns;

	return a < b ? -1 : a > b;
}

/* Each CPU has a ring, and a thread may move between two mappings: sort. */
int mappings__drain(struct mappings *mappings, const struct kernel_handlers *handlers)
{
	for (unsigned int i = 0; i < mappings->count; i++)
		drain_ring(mappings, mappings->rings[i], handlers);
	qsort(mappings->told, mappings->told_count, sizeof(*mappings->told), by_time);
	for (size_t i = 0; i < mappings->told_count; i++) {
		handlers->mapping(handlers->context, &mappings->told[i].mapping);
		free(mappings->told[i].path);
	}
	mappings->told_count = 0;
	return 0;
}
