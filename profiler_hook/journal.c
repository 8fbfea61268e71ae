/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Making the memfd, and the life of a record:
 *
 *   free (0) → taken (odd) → committed (even) → dying (odd) → dead (even) ─┐
 *                 ↑                                                        │
 *                 └──────────── after JOURNAL_LINGER other deaths ─────────┘
 *
 * The state only ever grows while a record is in use, so whoever saw one value
 * and swaps it for the next has seen the record whole.
 */
#include "journal.h"

#include "environment.h"
#include "memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MFD_FLAGS      3u /* MFD_CLOEXEC | MFD_ALLOW_SEALING (Linux 3.17) */
#define JOURNAL_MB_MAX 1024u

_Static_assert(sizeof(struct ts_journal_header) <= TS_JOURNAL_RECORDS_OFFSET,
	       "the header lies before the records");

uint64_t journal__wanted_bytes(void)
{
	return environment__number("TIERSCOPE_JOURNAL_MB", 1, JOURNAL_MB_MAX,
				   TS_JOURNAL_BYTES_DEFAULT >> 20)
	       << 20;
}

/* Growing a file beyond RLIMIT_FSIZE would kill the process with SIGXFSZ. */
static uint64_t within_file_limit(uint64_t bytes)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur >= bytes)
		return bytes;
	return limit.rlim_cur & ~0xfffffull;
}

static int create_memfd(uint64_t bytes, int *ret_fd)
{
	/* By number: the libc wrapper is newer than GLIBC_2.17. */
	int fd = (int)syscall(SYS_memfd_create, TS_JOURNAL_NAME, MFD_FLAGS);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)bytes) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW))
		err = -errno;
	if (err)
		close(fd);
	else
		*ret_fd = fd;
	return err;
}

static void lay_out(struct journal *journal, uint64_t bytes)
{
	struct ts_journal_header *header = journal->header;
	uint64_t precompiled_bytes = bytes / 16 & ~4095ull;
	uint64_t records_bytes =
		(bytes - precompiled_bytes - TS_JOURNAL_RECORDS_OFFSET) / 8 * 3;

	journal->capacity =
		(uint32_t)(records_bytes / sizeof(struct ts_journal_record));
	records_bytes = journal->capacity * sizeof(struct ts_journal_record);
	header->layout = TS_JOURNAL_LAYOUT;
	header->header_bytes = sizeof(*header);
	header->total_bytes = bytes;
	header->record_bytes = sizeof(struct ts_journal_record);
	header->records_capacity = journal->capacity;
	header->records_offset = TS_JOURNAL_RECORDS_OFFSET;
	header->text_offset = TS_JOURNAL_RECORDS_OFFSET + records_bytes;
	header->text_capacity = bytes - precompiled_bytes - header->text_offset;
	header->precompiled_offset = header->text_offset + header->text_capacity;
	header->precompiled_capacity =
		(uint32_t)(precompiled_bytes / sizeof(struct ts_precompiled));
	header->pid = (uint32_t)getpid();
	header->journal_fd = journal->fd;
	memcpy(header->hook_version, TIERSCOPE_VERSION, sizeof(TIERSCOPE_VERSION));
	journal->text_capacity = header->text_capacity;
	journal->precompiled_capacity = header->precompiled_capacity;
	journal->records = (void *)((char *)header + header->records_offset);
	journal->text = (char *)header + header->text_offset;
	journal->precompiled = (void *)((char *)header + header->precompiled_offset);
	/* Last, so that a reader that sees the magic sees all of it. */
	__atomic_store_n(&header->magic, TS_JOURNAL_MAGIC, __ATOMIC_RELEASE);
}

int journal__create(struct journal *journal, uint64_t bytes)
{
	uint32_t slots = 1;
	int err;

	memset(journal, 0, sizeof(*journal));
	journal->fd = -1;
	bytes = within_file_limit(bytes);
	if (bytes < 1u << 20)
		return -EFBIG;
	err = create_memfd(bytes, &journal->fd);
	if (err)
		return err;
	journal->header =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, journal->fd, 0);
	if (journal->header == MAP_FAILED) {
		err = -errno;
		journal->header = NULL;
		goto out;
	}
	lay_out(journal, bytes);
	while (slots < journal->capacity)
		slots *= 2;
	journal->dead_mask = slots - 1;
	journal->dead = memory__map((size_t)slots * sizeof(*journal->dead));
	if (!journal->dead)
		err = -ENOMEM;
out:
	if (err)
		journal__destroy(journal);
	return err;
}

void journal__destroy(struct journal *journal)
{
	memory__unmap(journal->dead,
		      ((size_t)journal->dead_mask + 1) * sizeof(*journal->dead));
	if (journal->header)
		munmap(journal->header, journal->header->total_bytes);
	if (journal->fd >= 0)
		close(journal->fd);
	memset(journal, 0, sizeof(*journal));
	journal->fd = -1;
}

bool journal__exists_in_process(void)
{
	static const char wanted[] = "/memfd:" TS_JOURNAL_NAME;
	char link[sizeof(wanted) + 1];
	struct dirent *entry;
	bool found = false;
	DIR *folder;

	folder = opendir("/proc/self/fd");
	if (!folder)
		return false;
	while (!found && (entry = readdir(folder)) != NULL) {
		ssize_t size =
			readlinkat(dirfd(folder), entry->d_name, link, sizeof(link));

		/* What follows the name is " (deleted)". */
		found = size > (ssize_t)sizeof(wanted) - 1 &&
			!memcmp(link, wanted, sizeof(wanted) - 1) &&
			link[sizeof(wanted) - 1] == ' ';
	}
	closedir(folder);
	return found;
}

uint64_t journal__now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t journal__next_sequence(struct journal *journal)
{
	return __atomic_add_fetch(&journal->header->sequence, 1, __ATOMIC_ACQ_REL);
}

void journal__count(struct journal *journal, enum ts_hook_counter counter,
		    uint64_t amount)
{
	__atomic_fetch_add(&journal->header->counters[counter], amount,
			   __ATOMIC_RELAXED);
}
