// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * A copy of the hook below a target's root: see hook_file.h.
 *
 * Whoever can write to the target's folders may plant files and links there
 * while we look.  So every step goes through open folders, no link is followed,
 * a new file is created under a name that did not exist, and an old one counts
 * only if none but root, we or the target's user could change it once compared.
 */
#include "hook_file.h"

#include "../base/alloc.h"
#include "root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define NAME_SIZE    80
#define NAME_PREFIX  "libtierscope_hook-"
#define ENTRIES_MAX  200000
#define CREATE_TRIES 8

/* Tells versions apart in a name; the content itself is always compared. */
static uint64_t fingerprint(const struct buf *content)
{
	uint64_t hash = 0xcbf29ce484222325ull; /* FNV-1a */

	for (size_t i = 0; i < content->size; i++)
		hash = (hash ^ (unsigned char)content->data[i]) * 0x100000001b3ull;
	return hash;
}

static bool same_content(int file, const struct buf *content)
{
	char chunk[65536];
	size_t at = 0;

	for (;;) {
		ssize_t got = pread(file, chunk, sizeof(chunk), (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0 && at == content->size;
		if ((size_t)got > content->size - at ||
		    memcmp(chunk, content->data + at, (size_t)got))
			return false;
		at += (size_t)got;
	}
}

/* Unknown group memberships count as none: then a copy is made. */
static bool mode_allows(const struct hook_reader *reader, const struct stat *stat,
			unsigned int bits)
{
	if (reader->uid == 0)
		return true;
	if (stat->st_uid == reader->uid)
		return (stat->st_mode >> 6 & bits) == bits;
	if (stat->st_gid == reader->gid)
		return (stat->st_mode >> 3 & bits) == bits;
	return (stat->st_mode & bits) == bits;
}

/* Every folder on the way to the path's last name lets the reader pass. */
static bool may_reach(const struct hook_reader *reader, const char *path)
{
	char *part = alloc__string(path);
	bool reachable = true;

	for (char *slash = strchr(part, '/'); slash && reachable;
	     slash = strchr(slash + 1, '/')) {
		char *after = slash + (slash == part);
		char saved = *after;
		struct stat stat;
		int folder;

		*after = 0;
		folder = root__open_path(reader->root, part, O_PATH | O_DIRECTORY);
		*after = saved;
		reachable = folder >= 0 && !fstat(folder, &stat) &&
			    mode_allows(reader, &stat, 1);
		if (folder >= 0)
			close(folder);
	}
	free(part);
	return reachable;
}

static bool may_execute_from(int fd)
{
	struct statvfs mount;

	return !fstatvfs(fd, &mount) && !(mount.f_flag & ST_NOEXEC);
}

bool hook_file__is_visible(const struct hook_reader *reader, const char *path)
{
	struct stat here, there;
	bool visible;
	int fd = root__open_path(reader->root, path, O_PATH);

	if (fd < 0)
		return false;
	visible = !stat(path, &here) && !fstat(fd, &there) &&
		  here.st_dev == there.st_dev && here.st_ino == there.st_ino &&
		  mode_allows(reader, &there, 4) && may_execute_from(fd) &&
		  may_reach(reader, path);
	close(fd);
	return visible;
}

/*
 * Only root, we or the reader itself may replace names in the folder: another
 * user could else give the reader a library of his own.
 */
static int check_folder(const struct hook_reader *reader, int folder)
{
	struct stat stat;

	if (fstat(folder, &stat))
		return -errno;
	if (stat.st_uid != 0 && stat.st_uid != geteuid() && stat.st_uid != reader->uid)
		return -EPERM;
	if ((stat.st_mode & (S_IWGRP | S_IWOTH)) && !(stat.st_mode & S_ISVTX))
		return -EPERM;
	if (!mode_allows(reader, &stat, 1) || !may_execute_from(folder))
		return -EACCES;
	return 0;
}

/* A file of the reader's own is as good: who may change it may as well change him. */
static bool may_reuse(const struct hook_reader *reader, int folder, const char *name,
		      const struct buf *content)
{
	struct stat stat;
	bool good;
	int fd = root__open_name(folder, name, O_RDONLY | O_NONBLOCK);

	if (fd < 0)
		return false;
	good = !fstat(fd, &stat) && S_ISREG(stat.st_mode) &&
	       (stat.st_uid == 0 || stat.st_uid == geteuid() ||
		stat.st_uid == reader->uid) &&
	       (stat.st_mode & 0777) == 0755 && same_content(fd, content);
	close(fd);
	return good;
}

static bool find_reusable(const struct hook_reader *reader, int folder,
			  const char *prefix, const struct buf *content,
			  char name[NAME_SIZE])
{
	bool found = false;
	int copy = root__open_name(folder, ".", O_RDONLY | O_DIRECTORY);
	DIR *listing = copy < 0 ? NULL : fdopendir(copy);

	if (!listing) {
		if (copy >= 0)
			close(copy);
		return false;
	}
	for (unsigned int i = 0; i < ENTRIES_MAX && !found; i++) {
		struct dirent *entry = readdir(listing);

		if (!entry)
			break;
		if (strncmp(entry->d_name, prefix, strlen(prefix)) ||
		    strlen(entry->d_name) >= NAME_SIZE)
			continue;
		found = may_reuse(reader, folder, entry->d_name, content);
		if (found)
			snprintf(name, NAME_SIZE, "%s", entry->d_name);
	}
	closedir(listing);
	return found;
}

static int write_content(int fd, const struct buf *content)
{
	size_t at = 0;

	while (at < content->size) {
		ssize_t put = write(fd, content->data + at, content->size - at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		at += (size_t)put;
	}
	/* Whatever the umask says: the target runs as another user, perhaps. */
	if (fchmod(fd, 0755))
		return -errno;
	return same_content(fd, content) ? 0 : -EIO;
}

static int create_file(int folder, const char *prefix, char name[NAME_SIZE])
{
	int fd = -EEXIST;

	for (int i = 0; i < CREATE_TRIES && fd == -EEXIST; i++) {
		uint64_t random;

		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			return -errno;
		snprintf(name, NAME_SIZE, "%s%016" PRIx64 ".so", prefix, random);
		fd = root__create_name(folder, name, O_RDWR, 0600);
	}
	return fd;
}

/*
 * A file system of a user namespace (a rootless container) has no number for
 * root and refuses to create as it (-EOVERFLOW): there the file is created as
 * the reader's user, who could do all that itself.  The file-system ids are this
 * thread's alone.
 */
static int create_file_as(const struct hook_reader *reader, int folder,
			  const char *prefix, char name[NAME_SIZE])
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int fd = create_file(folder, prefix, name);

	if (fd != -EOVERFLOW || reader->uid == uid)
		return fd;
	setfsgid(reader->gid);
	setfsuid(reader->uid);
	fd = create_file(folder, prefix, name);
	setfsuid(uid);
	setfsgid(gid);
	return fd;
}

static int write_copy(const struct hook_reader *reader, int folder, const char *prefix,
		      const struct buf *content, char name[NAME_SIZE])
{
	int err;
	int fd = create_file_as(reader, folder, prefix, name);

	if (fd < 0)
		return fd;
	err = write_content(fd, content);
	close(fd);
	/* Our own file, under a name that only we know; else it stays, harmless. */
	if (err)
		(void)unlinkat(folder, name, 0);
	return err;
}

int hook_file__copy_into(const struct hook_reader *reader, const char *folder_path,
			 const struct buf *content, char **ret_path)
{
	struct buf path = BUF_INIT;
	char prefix[NAME_SIZE], name[NAME_SIZE];
	/* Without any link: the path that is told must stay the one looked at. */
	int folder =
		root__open_plain_path(reader->root, folder_path, O_PATH | O_DIRECTORY);
	int err;

	if (folder < 0)
		return folder;
	err = check_folder(reader, folder);
	if (!err && !may_reach(reader, folder_path))
		err = -EACCES;
	if (err)
		goto out;
	snprintf(prefix, sizeof(prefix), NAME_PREFIX "%016" PRIx64 "-",
		 fingerprint(content));
	if (!find_reusable(reader, folder, prefix, content, name))
		err = write_copy(reader, folder, prefix, content, name);
	if (err)
		goto out;
	buf__printf(&path, "%s/%s", folder_path, name);
	*ret_path = buf__steal(&path);
out:
	close(folder);
	return err;
}
