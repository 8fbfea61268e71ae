// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Opening the file that a process has mapped: see mapped_file.h.
#include "mapped_file.h"

#include "../target/proc.h"
#include "../target/root.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int mapped_file__reopen(int path_fd, struct stat *ret_state)
{
	char name[32];
	int fd;

	if (path_fd < 0)
		return path_fd;
	if (fstat(path_fd, ret_state) || !S_ISREG(ret_state->st_mode)) {
		close(path_fd);
		return -ENOENT;
	}
	snprintf(name, sizeof(name), "/proc/self/fd/%d", path_fd);
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		fd = -errno;
	close(path_fd);
	return fd;
}

static bool is_it(const struct symbol_mapping *mapping, int path_fd)
{
	struct stat state;

	return !fstat(path_fd, &state) && state.st_dev == mapping->device &&
	       state.st_ino == mapping->inode;
}

/* The text of two paths, whether or not the file has lost its name meanwhile. */
static bool same_path(const char *a, const char *b)
{
	const char *mark = MAPPED_FILE_DELETED;
	size_t shared = 0;

	while (a[shared] && a[shared] == b[shared])
		shared++;
	return (!a[shared] || !strcmp(a + shared, mark)) &&
	       (!b[shared] || !strcmp(b + shared, mark));
}

/*
 * map_files leads to exactly the mapped file, whatever its path is called by
 * now.  But the memory may be another file's since the mapping was told of.
 * Overlay and some other file systems give mappings another device and inode
 * than fstat() does: there the path must be the same.
 */
static int open_by_address(const struct symbol_mapping *mapping, int directory)
{
	char name[64], *path = NULL;
	bool same;
	int fd;

	snprintf(name, sizeof(name), "map_files/%" PRIx64 "-%" PRIx64, mapping->start,
		 mapping->end);
	fd = openat(directory, name, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	same = is_it(mapping, fd);
	if (!same && !proc__read_link(directory, name, &path))
		same = same_path(path, mapping->path);
	free(path);
	if (same)
		return fd;
	close(fd);
	return -ENOENT;
}

/* Closes the root. */
static int open_by_path(const struct symbol_mapping *mapping, int root)
{
	int fd;

	if (root < 0)
		return root;
	fd = root__open_path(root, mapping->path, O_PATH);
	close(root);
	if (fd < 0 || is_it(mapping, fd))
		return fd;
	close(fd);
	return -ENOENT;
}

struct mapped_file_state mapped_file__state(const struct stat *state)
{
	return (struct mapped_file_state){ state->st_size, state->st_mtim };
}

bool mapped_file__is_same(const struct mapped_file_state *known, const struct stat *state)
{
	return known->size == state->st_size &&
	       known->written.tv_sec == state->st_mtim.tv_sec &&
	       known->written.tv_nsec == state->st_mtim.tv_nsec;
}

int mapped_file__open(const struct symbol_mapping *mapping, struct stat *ret_state)
{
	int directory = proc__open(mapping->pid);
	int fd = -ENOENT;

	if (directory >= 0) {
		fd = open_by_address(mapping, directory);
		if (fd < 0)
			fd = open_by_path(mapping, root__open(directory));
		close(directory);
	}
	if (fd < 0) /* the process is gone, or hides */
		fd = open_by_path(mapping, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
	fd = mapped_file__reopen(fd, ret_state);
	return fd < 0 ? -ENOENT : fd;
}
