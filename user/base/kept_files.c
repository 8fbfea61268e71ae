// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// An entry is written into a name of its own first and renamed then, so that a reader, or a
// second writer, never sees half of one.
#include "kept_files.h"

#include "alloc.h"
#include "buf.h"
#include "crc32c.h"
#include "file_view.h"
#include "folders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC		0x5450454b43535354ULL	/* "TSSCKEPT" */
#define TOTAL_MAX	(64ull << 20)
#define SUFFIX		".table"
#define TRIM_EVERY	8u	/* entries written */
#define BLOCK		512u	/* of st_blocks */

struct header {
	uint64_t magic;
	char kind[8];
	uint32_t layout;
	uint32_t crc;		/* of what follows it, up to `checked` */
	struct kept_identity identity;
	uint64_t checked;
};
_Static_assert(sizeof(struct header) == KEPT_CONTENT, "header layout");

#define CHECKED_FROM offsetof(struct header, identity)

struct kept_files {
	int folder;
	struct header header;	/* what all of this kind begin with */
	unsigned int written;
};

static bool is_ours(const struct stat *state)
{
	return state->st_uid == geteuid() && !(state->st_mode & 022);
}

static void append_place(struct buf *path)
{
	const char *wanted = getenv("TIERSCOPE_CACHE");

	if (wanted)
		buf__append_string(path, wanted);
	else if (!geteuid())
		buf__append_string(path, "/var/cache/tierscope");
	else
		folders__append_cache(path, "tierscope");
}

struct kept_files *kept_files__open(const char *kind, uint32_t layout)
{
	struct kept_files *files = NULL;
	struct buf path = BUF_INIT;
	struct stat state;
	int folder = -1;

	append_place(&path);
	if (!path.size)
		goto out;
	(void)mkdir(buf__string(&path), 0700);	/* it may be there */
	folder = open(buf__string(&path), O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0 || fstat(folder, &state) || !is_ours(&state))
		goto out;
	files = alloc__zeroed(1, sizeof(*files));
	files->folder = folder;
	files->header.magic = MAGIC;
	files->header.layout = layout;
	snprintf(files->header.kind, sizeof(files->header.kind), "%s", kind);
	folder = -1;
out:
	if (folder >= 0)
		close(folder);
	buf__free(&path);
	return files;
}

static uint64_t nanoseconds(struct timespec time)
{
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

int kept_files__identify(int fd, uint64_t offset, struct kept_identity *ret_identity)
{
	struct stat state;

	*ret_identity = (struct kept_identity){ 0 };
	if (fstat(fd, &state))
		return -errno;
	*ret_identity = (struct kept_identity){
		state.st_dev, state.st_ino, (uint64_t)state.st_size,
		nanoseconds(state.st_mtim), nanoseconds(state.st_ctim), offset };
	return 0;
}

static void name_of(const struct kept_files *files, const struct kept_identity *identity,
		    char name[72])
{
	snprintf(name, 72, "%llx-%llx-%llx.%s" SUFFIX, (unsigned long long)identity->device,
		 (unsigned long long)identity->inode, (unsigned long long)identity->offset,
		 files->header.kind);
}

/* What an entry of that file and that extent begins with, but for the checksum. */
static struct header header_of(const struct kept_files *files,
			       const struct kept_identity *identity, uint64_t checked)
{
	struct header header = files->header;

	header.identity = *identity;
	header.checked = checked;
	return header;
}

static int check(const struct kept_files *files, const struct kept_identity *identity,
		 const struct file_view *view, size_t *ret_checked)
{
	struct header found, wanted;

	if (view->size < sizeof(found))
		return -EBADMSG;
	memcpy(&found, view->data, sizeof(found));
	wanted = header_of(files, identity, found.checked);
	wanted.crc = found.crc;
	if (memcmp(&found, &wanted, sizeof(found)))
		return -ESTALE;
	if (found.checked < sizeof(found) || found.checked > view->size ||
	    found.crc != crc32c__update(0, view->data + CHECKED_FROM,
					found.checked - CHECKED_FROM))
		return -EBADMSG;
	*ret_checked = found.checked;
	return 0;
}

int kept_files__load(const struct kept_files *files, const struct kept_identity *identity,
		     struct file_view **ret_view, size_t *ret_checked)
{
	struct file_view *view = NULL;
	struct stat state;
	char name[72];
	int file, err;

	name_of(files, identity, name);
	file = openat(files->folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (file < 0)
		return -errno;
	if (fstat(file, &state) || !S_ISREG(state.st_mode) || !is_ours(&state))
		err = -EPERM;
	else
		err = file_view__open(file, 0, (size_t)state.st_size, &view);
	close(file);
	if (!err)
		err = check(files, identity, view, ret_checked);
	if (err)
		file_view__close(view);
	else
		*ret_view = view;
	return err;
}

struct entry {
	char name[96];
	uint64_t size, modified_ns;
};

static int by_age(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	return a->modified_ns < b->modified_ns ? 1 : a->modified_ns > b->modified_ns ? -1 : 0;
}

/* Also what a writer that was killed left behind: its turn comes as it gets old. */
static size_t list(const struct kept_files *files, struct entry **ret_entries)
{
	struct entry *entries = NULL;
	size_t count = 0, capacity = 0;
	int again = openat(files->folder, ".", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	DIR *folder = again < 0 ? NULL : fdopendir(again);
	struct dirent *found;
	struct stat state;

	while (folder && (found = readdir(folder))) {
		if (!strstr(found->d_name, SUFFIX) ||
		    strlen(found->d_name) >= sizeof(entries->name) ||
		    fstatat(files->folder, found->d_name, &state, AT_SYMLINK_NOFOLLOW))
			continue;
		alloc__grow(entries, count, capacity);
		snprintf(entries[count].name, sizeof(entries->name), "%s", found->d_name);
		entries[count].size = (uint64_t)state.st_blocks * BLOCK;
		entries[count++].modified_ns = nanoseconds(state.st_mtim);
	}
	if (folder)
		closedir(folder);
	else if (again >= 0)
		close(again);
	*ret_entries = entries;
	return count;
}

static void trim(const struct kept_files *files)
{
	struct entry *entries;
	size_t count = list(files, &entries);
	uint64_t total = 0;

	if (count)
		qsort(entries, count, sizeof(*entries), by_age);
	for (size_t i = 0; i < count; i++) {
		total += entries[i].size;
		if (total > TOTAL_MAX)
			unlinkat(files->folder, entries[i].name, 0);
	}
	free(entries);
}

static bool write_at(int file, size_t at, const void *data, size_t size)
{
	while (size) {
		ssize_t count = pwrite(file, data, size, (off_t)at);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return false;
		data = (const char *)data + count;
		at += (size_t)count;
		size -= (size_t)count;
	}
	return true;
}

static bool write_all(int file, const struct header *header, const struct kept_pieces *pieces)
{
	bool whole = !ftruncate(file, (off_t)pieces->size) &&
		     write_at(file, 0, header, sizeof(*header));

	for (uint32_t i = 0; i < pieces->count && whole; i++)
		whole = write_at(file, pieces->items[i].at, pieces->items[i].data,
				 pieces->items[i].size);
	return whole;
}

static uint32_t checksum(const struct header *header, const struct kept_pieces *pieces)
{
	uint32_t crc = crc32c__update(0, (const char *)header + CHECKED_FROM,
				      sizeof(*header) - CHECKED_FROM);

	for (uint32_t i = 0; i < pieces->count; i++)
		if (pieces->items[i].at < pieces->checked)
			crc = crc32c__update(crc, pieces->items[i].data,
					     pieces->items[i].size);
	return crc;
}

void kept_files__write(struct kept_files *files, const struct kept_identity *identity,
		       const struct kept_pieces *pieces)
{
	struct header header = header_of(files, identity, pieces->checked);
	char name[72], new_name[96];
	uint64_t random;
	bool whole;
	int file;

	if (!identity->inode || getrandom(&random, sizeof(random), 0) != sizeof(random))
		return;
	header.crc = checksum(&header, pieces);
	name_of(files, identity, name);
	/* In containers many have the same process number, also one that was killed here. */
	snprintf(new_name, sizeof(new_name), "%s.%016llx", name, (unsigned long long)random);
	file = openat(files->folder, new_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
		      O_CLOEXEC, 0600);
	if (file < 0)
		return;
	whole = write_all(file, &header, pieces);
	if (close(file) || !whole || renameat(files->folder, new_name, files->folder, name))
		unlinkat(files->folder, new_name, 0);
	if (++files->written % TRIM_EVERY == 0)
		trim(files);
}

void kept_files__close(struct kept_files *files)
{
	if (!files)
		return;
	if (files->written)
		trim(files);
	close(files->folder);
	free(files);
}
