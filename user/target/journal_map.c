// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Finding and mapping a journal safely: see journal.h and journal_map.h.
#include "journal_map.h"

#include "proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LINK_TEXT "/memfd:" TS_JOURNAL_NAME " (deleted)"
#define BYTES_MAX (1ull << 30)
#define FILES_MAX 1000000
#define TRIES_MAX 16

int journal_map__map(int file, void **ret_memory, size_t *ret_size)
{
	struct statfs system;
	struct stat stat;
	void *memory;
	int seals;

	/* Before the size and the mapping: from here on it can not shrink. */
	seals = fcntl(file, F_GET_SEALS);
	if (seals < 0 || !(seals & F_SEAL_SHRINK))
		return -EBADMSG;
	/* Huge pages can run out, and then a read would fault. */
	if (fstatfs(file, &system) || system.f_type != TMPFS_MAGIC)
		return -EBADMSG;
	if (fstat(file, &stat))
		return -errno;
	if (!S_ISREG(stat.st_mode) ||
	    stat.st_size < (off_t)TS_JOURNAL_RECORDS_OFFSET ||
	    (uint64_t)stat.st_size > BYTES_MAX)
		return -EBADMSG;
	memory = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_SHARED, file, 0);
	if (memory == MAP_FAILED)
		return -errno;
	*ret_memory = memory;
	*ret_size = (size_t)stat.st_size;
	return 0;
}

int journal_map__check(const struct ts_journal_header *header, size_t size)
{
	uint64_t records_bytes;

	if (!header->magic)
		return -ENOENT;
	if (header->magic != TS_JOURNAL_MAGIC)
		return -EBADMSG;
	if (header->layout != TS_JOURNAL_LAYOUT)
		return -EPROTO;
	if (header->header_bytes < sizeof(*header) || header->total_bytes > size ||
	    header->record_bytes != sizeof(struct ts_journal_record))
		return -EBADMSG;
	/* 2^32 records of 128 bytes: no overflow. */
	records_bytes = (uint64_t)header->records_capacity * header->record_bytes;
	if (header->records_offset % 8 ||
	    header->records_offset < header->header_bytes ||
	    header->records_offset > header->total_bytes ||
	    records_bytes > header->total_bytes - header->records_offset)
		return -EBADMSG;
	if (header->text_offset < header->header_bytes ||
	    header->text_offset > header->total_bytes ||
	    header->text_capacity > header->total_bytes - header->text_offset)
		return -EBADMSG;
	if (header->precompiled_offset % 8 ||
	    header->precompiled_offset < header->header_bytes ||
	    header->precompiled_offset > header->total_bytes ||
	    (uint64_t)header->precompiled_capacity * sizeof(struct ts_precompiled) >
		    header->total_bytes - header->precompiled_offset)
		return -EBADMSG;
	return 0;
}

/*
 * The file behind a link of /proc/PID/fd, for reading.  First by path alone:
 * the number may have been given to a device or a pipe since the link was read,
 * and opening one of those could wait, or do something.
 */
static int open_descriptor(int folder, const char *number)
{
	char path[32];
	struct stat stat;
	int file = -1;
	int inode = openat(folder, number, O_PATH | O_CLOEXEC);

	if (inode < 0)
		return -errno;
	if (fstat(inode, &stat)) {
		file = -errno;
	} else if (!S_ISREG(stat.st_mode)) {
		file = -EBADMSG;
	} else {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", inode);
		file = open(path, O_RDONLY | O_CLOEXEC);
		if (file < 0)
			file = -errno;
	}
	close(inode);
	return file;
}

/* Opens one candidate; a journal that a parent handed down is not the target's. */
static int try_descriptor(int folder, const char *number, pid_t namespace_pid,
			  struct journal **ret_journal)
{
	struct ts_journal_header header;
	struct journal *journal;
	int err;
	int file = open_descriptor(folder, number);

	if (file < 0)
		return file;
	err = journal__map(file, &journal);
	close(file);
	if (err)
		return err;
	journal__header(journal, &header);
	if (header.pid != (uint32_t)namespace_pid) {
		journal__free(journal);
		return -ENOENT;
	}
	*ret_journal = journal;
	return 0;
}

static int find(DIR *listing, pid_t namespace_pid, struct journal **ret_journal)
{
	int err = -ENOENT;
	unsigned int tries = 0;

	for (unsigned int i = 0; i < FILES_MAX && tries < TRIES_MAX; i++) {
		char link[sizeof(LINK_TEXT) + 1];
		struct dirent *entry = readdir(listing);
		ssize_t size;
		int result;

		if (!entry)
			break;
		size = readlinkat(dirfd(listing), entry->d_name, link, sizeof(link));
		if (size != (ssize_t)strlen(LINK_TEXT) ||
		    memcmp(link, LINK_TEXT, (size_t)size))
			continue;
		tries++;
		result = try_descriptor(dirfd(listing), entry->d_name, namespace_pid,
					ret_journal);
		if (!result)
			return 0;
		/* Anything says more than "there is none". */
		if (err == -ENOENT)
			err = result;
	}
	return err;
}

int journal__open(pid_t pid, struct journal **ret_journal)
{
	struct proc_status status;
	DIR *listing = NULL;
	int folder = -1;
	int directory = proc__open(pid);
	int err = directory < 0 ? directory : proc__read_status(directory, &status);

	if (err)
		goto out;
	folder = openat(directory, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	listing = folder < 0 ? NULL : fdopendir(folder);
	if (!listing) {
		err = errno == ENOENT ? -ESRCH : errno == EPERM ? -EACCES : -errno;
		goto out;
	}
	folder = -1; /* the listing closes it */
	err = find(listing, status.namespace_pid, ret_journal);
out:
	if (listing)
		closedir(listing);
	if (folder >= 0)
		close(folder);
	if (directory >= 0)
		close(directory);
	return err;
}
