// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Staying below a target's root: see root.h.
#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A rename in another process can disturb one look-up, not all of them. */
#define RESOLVE_TRIES 16

static int open_within(int folder, const char *path, int flags, unsigned int mode,
		       uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)flags | O_CLOEXEC,
		.mode = mode,
		.resolve = resolve | RESOLVE_NO_MAGICLINKS,
	};

	for (int i = 0; i < RESOLVE_TRIES; i++) {
		long fd = syscall(SYS_openat2, folder, path, &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN && errno != EINTR)
			break;
	}
	return -errno;
}

int root__open(int process_directory)
{
	/* The one magic link that is wanted: it leads to the target's root. */
	int fd = openat(process_directory, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	return errno == ENOENT ? -ESRCH : errno == EPERM ? -EACCES : -errno;
}

int root__open_path(int root, const char *path, int flags)
{
	return open_within(root, path, flags, 0, RESOLVE_IN_ROOT);
}

int root__open_plain_path(int root, const char *path, int flags)
{
	return open_within(root, path, flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
}

int root__open_name(int folder, const char *name, int flags)
{
	if (strchr(name, '/'))
		return -EINVAL;
	return open_within(folder, name, flags | O_NOFOLLOW, 0,
			   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

int root__create_name(int folder, const char *name, int flags, unsigned int mode)
{
	if (strchr(name, '/'))
		return -EINVAL;
	return open_within(folder, name, flags | O_CREAT | O_EXCL | O_NOFOLLOW, mode,
			   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}
