// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// One file per image:
//
//   struct header | rows | bodies | up to a page | what names need
//
// Header and tables are as in memory, checked by one CRC.  What names need lies where the
// image has it, with holes between, and is checked by a CRC of its own when the first
// name is asked for.
//
// It is written into a name of its own first and renamed then, so that a reader, or a
// second writer, never sees half of one.
#include "cache.h"

#include "image_object.h"

#include "../base/alloc.h"
#include "../base/buf.h"
#include "../base/crc32c.h"
#include "../base/folders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC		0x4c42545043535354ULL	/* "TSSCPTBL" */
#define LAYOUT		6	/* also to be raised when a decoder learns more */
#define TOTAL_MAX	(64ull << 20)
#define SUFFIX		".table"
#define NAMES_MAX	(16ull << 20)	/* of an image; the largest have some 10 MB */
#define TRIM_EVERY	8u	/* images written */
#define PAGE		4096u
#define BLOCK		512u	/* of st_blocks */

struct identity {
	uint64_t device, inode, size, modified_ns, changed_ns;
	uint64_t offset;	/* of the image in the file */
};

struct header {
	uint64_t magic;
	uint32_t layout;
	uint32_t crc;		/* of all that follows it */
	struct identity identity;
	uint32_t rows, bodies;
	uint32_t names_size;	/* the image's; 0: without */
	uint32_t names_crc;
};
_Static_assert(sizeof(struct header) == 80, "header layout");

#define CHECKED_AT offsetof(struct header, identity)

struct kept {
	struct image *image;
	struct identity identity;
};

struct image_cache {
	int folder;
	struct identity wanted;		/* of the last load */
	struct kept *kept;
	size_t kept_count, kept_capacity;
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

struct image_cache *image_cache__open(void)
{
	struct image_cache *cache = NULL;
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
	cache = alloc__zeroed(1, sizeof(*cache));
	cache->folder = folder;
	folder = -1;
out:
	if (folder >= 0)
		close(folder);
	buf__free(&path);
	return cache;
}

static uint64_t nanoseconds(struct timespec time)
{
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void name_of(const struct identity *identity, char name[64])
{
	snprintf(name, 64, "%llx-%llx-%llx" SUFFIX, (unsigned long long)identity->device,
		 (unsigned long long)identity->inode, (unsigned long long)identity->offset);
}

static uint32_t checksum(const struct header *header, const void *rows, size_t rows_size,
			 const void *bodies, size_t bodies_size)
{
	uint32_t crc = crc32c__update(0, (const char *)header + CHECKED_AT,
				      sizeof(*header) - CHECKED_AT);

	return crc32c__update(crc32c__update(crc, rows, rows_size), bodies, bodies_size);
}

static size_t names_at(size_t rows_size, size_t bodies_size)
{
	return (sizeof(struct header) + rows_size + bodies_size + PAGE - 1) / PAGE * PAGE;
}

/* The checksum holds, so these are our own numbers; but a look-up trusts them. */
static bool in_bounds(const struct image *image, const struct r2r_tables *tables)
{
	uint32_t previous = 0;

	for (uint32_t i = 0; i < tables->rows_count; i++) {
		const struct image_row *row = &tables->rows[i];

		if (row->begin < previous || row->end <= row->begin ||
		    row->end > image->pe.image_size || row->body >= tables->bodies_count)
			return false;
		previous = row->end;
	}
	for (uint32_t i = 0; i < tables->bodies_count; i++) {
		const struct image_body *body = &tables->bodies[i];

		if (body->first_row >= tables->rows_count ||
		    body->rows > tables->rows_count - body->first_row)
			return false;
	}
	return true;
}

static int take(struct image *image, const struct identity *wanted,
		const struct file_view *view)
{
	struct r2r_tables tables = { 0 };
	struct header header;
	size_t rows_size, bodies_size;

	if (view->size < sizeof(header))
		return -EBADMSG;
	memcpy(&header, view->data, sizeof(header));
	if (header.magic != MAGIC || header.layout != LAYOUT ||
	    memcmp(&header.identity, wanted, sizeof(*wanted)))
		return -ESTALE;
	rows_size = (size_t)header.rows * sizeof(*tables.rows);
	bodies_size = (size_t)header.bodies * sizeof(*tables.bodies);
	if (header.names_size && header.names_size != image->pe.size)
		return -EBADMSG;
	if (view->size != (header.names_size ?
			   names_at(rows_size, bodies_size) + header.names_size :
			   sizeof(header) + rows_size + bodies_size))
		return -EBADMSG;
	tables.rows = (struct image_row *)(view->data + sizeof(header));
	tables.bodies = (struct image_body *)(view->data + sizeof(header) + rows_size);
	tables.rows_count = header.rows;
	tables.bodies_count = header.bodies;
	if (header.crc != checksum(&header, tables.rows, rows_size, tables.bodies,
				   bodies_size) ||
	    !in_bounds(image, &tables))
		return -EBADMSG;
	image->tables = tables;
	image->kept_names_crc = header.names_crc;
	if (header.names_size)
		image->kept_names = view->data + names_at(rows_size, bodies_size);
	return 0;
}

int image_cache__load(struct image_cache *cache, int fd, uint64_t offset,
		      struct image *image)
{
	struct file_view *view = NULL;
	struct stat state;
	char name[64];
	int file, err;

	if (!cache)
		return -ENOENT;
	if (fstat(fd, &state))
		return -errno;
	cache->wanted = (struct identity){
		state.st_dev, state.st_ino, (uint64_t)state.st_size,
		nanoseconds(state.st_mtim), nanoseconds(state.st_ctim), offset };
	name_of(&cache->wanted, name);
	file = openat(cache->folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (file < 0)
		return -errno;
	if (fstat(file, &state) || !S_ISREG(state.st_mode) || !is_ours(&state))
		err = -EPERM;
	else
		err = file_view__open(file, 0, (size_t)state.st_size, &view);
	close(file);
	if (!err)
		err = take(image, &cache->wanted, view);
	if (err)
		file_view__close(view);
	else
		image->cached = view;
	return err;
}

void image_cache__keep(struct image_cache *cache, struct image *image)
{
	if (!cache)
		return;
	alloc__grow(cache->kept, cache->kept_count, cache->kept_capacity);
	cache->kept[cache->kept_count++] = (struct kept){ image, cache->wanted };
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

/* Each range at its place in the image. */
static bool write_names(int file, size_t at, const struct image *image)
{
	struct name_range ranges[IMAGE_NAME_RANGES];
	bool whole = !ftruncate(file, (off_t)(at + image->pe.size));

	image__name_ranges(image, ranges);
	for (uint32_t i = 0; i < IMAGE_NAME_RANGES && whole; i++)
		whole = write_at(file, at + ranges[i].offset,
				 (const uint8_t *)image->memory + ranges[i].offset,
				 ranges[i].size);
	return whole;
}

/* There is a copy, and it is not made to fill the disk. */
static bool keeps_names(const struct image *image)
{
	struct name_range ranges[IMAGE_NAME_RANGES];
	uint64_t bytes = 0;

	image__name_ranges(image, ranges);
	for (uint32_t i = 0; i < IMAGE_NAME_RANGES; i++)
		bytes += ranges[i].size;
	return image->memory && bytes <= NAMES_MAX;
}

/* Whatever fails, there is no table next time, and that is all. */
static void write_one(const struct image_cache *cache, const struct kept *kept)
{
	const struct r2r_tables *tables = &kept->image->tables;
	size_t rows_size = tables->rows_count * sizeof(*tables->rows);
	size_t bodies_size = tables->bodies_count * sizeof(*tables->bodies);
	struct header header = { .magic = MAGIC, .layout = LAYOUT,
				 .identity = kept->identity, .rows = tables->rows_count,
				 .bodies = tables->bodies_count };
	size_t bodies_at = sizeof(header) + rows_size;
	char name[64], new_name[96];
	bool whole;
	int file;

	if (keeps_names(kept->image)) {
		header.names_size = kept->image->pe.size;
		header.names_crc = image__names_crc(kept->image, kept->image->memory);
	}
	header.crc = checksum(&header, tables->rows, rows_size, tables->bodies,
			      bodies_size);
	name_of(&kept->identity, name);
	snprintf(new_name, sizeof(new_name), "%s.%d", name, getpid());
	file = openat(cache->folder, new_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
		      O_CLOEXEC, 0600);
	if (file < 0)
		return;
	whole = write_at(file, 0, &header, sizeof(header)) &&
		write_at(file, sizeof(header), tables->rows, rows_size) &&
		write_at(file, bodies_at, tables->bodies, bodies_size) &&
		(!header.names_size ||
		 write_names(file, names_at(rows_size, bodies_size), kept->image));
	if (close(file) || !whole || renameat(cache->folder, new_name, cache->folder, name))
		unlinkat(cache->folder, new_name, 0);
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
static size_t list(const struct image_cache *cache, struct entry **ret_entries)
{
	struct entry *entries = NULL;
	size_t count = 0, capacity = 0;
	int copy = dup(cache->folder);
	DIR *folder = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *found;
	struct stat state;

	while (folder && (found = readdir(folder))) {
		if (!strstr(found->d_name, SUFFIX) ||
		    strlen(found->d_name) >= sizeof(entries->name) ||
		    fstatat(cache->folder, found->d_name, &state, AT_SYMLINK_NOFOLLOW))
			continue;
		alloc__grow(entries, count, capacity);
		snprintf(entries[count].name, sizeof(entries->name), "%s", found->d_name);
		entries[count].size = (uint64_t)state.st_blocks * BLOCK;
		entries[count++].modified_ns = nanoseconds(state.st_mtim);
	}
	if (folder)
		closedir(folder);
	*ret_entries = entries;
	return count;
}

static void trim(const struct image_cache *cache)
{
	struct entry *entries;
	size_t count = list(cache, &entries);
	uint64_t total = 0;

	if (count)
		qsort(entries, count, sizeof(*entries), by_age);
	for (size_t i = 0; i < count; i++) {
		total += entries[i].size;
		if (total > TOTAL_MAX)
			unlinkat(cache->folder, entries[i].name, 0);
	}
	free(entries);
}

void image_cache__free(struct image_cache *cache)
{
	unsigned int written = 0;

	if (!cache)
		return;
	for (size_t i = 0; i < cache->kept_count; i++) {
		const struct image *image = cache->kept[i].image;

		if (image->cached && !keeps_names(image))
			continue;	/* nothing is new */
		write_one(cache, &cache->kept[i]);
		if (++written % TRIM_EVERY == 0)
			trim(cache);
	}
	if (written)
		trim(cache);
	free(cache->kept);
	close(cache->folder);
	free(cache);
}
