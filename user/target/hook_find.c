// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Finding the hook library of this program: see target.h.
#include "hook_file.h"
#include "target.h"

#include "../base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef TIERSCOPE_LIBDIR
#define TIERSCOPE_LIBDIR "/usr/local/lib/tierscope"
#endif

/* 0 if it is a readable file that begins like a library. */
static int check_library(const char *path)
{
	char magic[4];
	struct stat stat;
	int err = 0;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &stat))
		err = -errno;
	else if (!S_ISREG(stat.st_mode) || stat.st_size > HOOK_FILE_LIMIT ||
		 read(fd, magic, sizeof(magic)) != sizeof(magic) ||
		 memcmp(magic, "\177ELF", sizeof(magic)))
		err = -ENOEXEC;
	close(fd);
	return err;
}

/*
 * Absolute and without links, so that it means the same to other processes.
 * The runtime's list of profilers, "path={CLSID};", cannot spell every path.
 */
static int take(const char *path, char **ret_path, struct trouble *ret_trouble)
{
	char *full = realpath(path, NULL);
	int err = full ? check_library(full) : -errno;

	if (err) {
		trouble__set(ret_trouble, err,
			     "the hook library %.200s cannot be used: %s", path,
			     err == -ENOEXEC ? "it is not a shared library"
					     : strerror(-err));
	} else if (strpbrk(full, ";=")) {
		err = trouble__set(
			ret_trouble, -EINVAL,
			"the hook library's path %.200s must be without ; and =, "
			"install it elsewhere",
			full);
	}
	if (err)
		free(full);
	else
		*ret_path = full;
	return err;
}

static void append_own_folder(struct buf *folder)
{
	char path[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (size <= 0)
		return;
	path[size] = 0;
	slash = strrchr(path, '/');
	if (slash)
		buf__append(folder, path, (size_t)(slash - path));
}

int hook_file__find(char **ret_path, struct trouble *ret_trouble)
{
	const char *wanted = getenv("TIERSCOPE_HOOK");
	struct buf own = BUF_INIT, path = BUF_INIT;
	int err;

	if (wanted && *wanted)
		return take(wanted, ret_path, ret_trouble);
	append_own_folder(&own);
	buf__printf(&path, "%s/%s", buf__string(&own), HOOK_FILE_NAME);
	if (!access(buf__string(&path), F_OK)) {
		err = take(buf__string(&path), ret_path, ret_trouble);
		goto out;
	}
	buf__clear(&path);
	buf__append_string(&path, TIERSCOPE_LIBDIR "/" HOOK_FILE_NAME);
	if (!access(buf__string(&path), F_OK)) {
		err = take(buf__string(&path), ret_path, ret_trouble);
		goto out;
	}
	err = trouble__set(ret_trouble, -ENOENT,
			   "the hook library " HOOK_FILE_NAME
			   " is neither in %.120s nor in " TIERSCOPE_LIBDIR
			   "; run make install, or set TIERSCOPE_HOOK to its path",
			   buf__string(&own));
out:
	buf__free(&own);
	buf__free(&path);
	return err;
}
