// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The runtime's diagnostics socket: see diagnostics.h.
#include "diagnostics.h"

#include "../base/text.h"
#include "proc.h"
#include "root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define NAME_SIZE      96
#define ENTRIES_MAX    200000 /* of a folder that may be full of junk */
#define TRIES_MAX      16     /* sockets of one pid, most of them stale */
#define BACKLOG_NAP_NS 5000000

uint64_t diagnostics__now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void exact_name(char name[NAME_SIZE], pid_t namespace_pid, uint64_t start_ticks)
{
	snprintf(name, NAME_SIZE, "dotnet-diagnostic-%d-%" PRIu64 "-socket",
		 (int)namespace_pid, start_ticks);
}

static bool is_name_of(const char *name, pid_t namespace_pid)
{
	char prefix[NAME_SIZE];
	size_t digits;
	int size = snprintf(prefix, sizeof(prefix), "dotnet-diagnostic-%d-",
			    (int)namespace_pid);

	if (strncmp(name, prefix, (size_t)size))
		return false;
	name += size;
	digits = strspn(name, "0123456789");
	return digits > 0 && digits <= 20 && !strcmp(name + digits, "-socket");
}

/*
 * The socket's inode, held open by path alone: a link is refused, and connect
 * goes to what was checked even if the name is changed meanwhile.
 */
static int open_socket(int folder, const char *name)
{
	struct stat stat;
	int fd = root__open_name(folder, name, O_PATH);

	if (fd < 0)
		return fd;
	if (fstat(fd, &stat) || !S_ISSOCK(stat.st_mode)) {
		close(fd);
		return -ENOTSOCK;
	}
	return fd;
}

bool diagnostics__socket_exists(int root, const char *folder, pid_t namespace_pid,
				uint64_t start_ticks)
{
	char name[NAME_SIZE];
	int directory = root__open_path(root, folder, O_PATH | O_DIRECTORY);
	int fd;

	if (directory < 0)
		return false;
	exact_name(name, namespace_pid, start_ticks);
	fd = open_socket(directory, name);
	close(directory);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/*
 * The peer's process id is that of the process that called listen.  It reads 0
 * when that process is invisible from our namespace; then the user decides.
 */
static int check_peer(int connection, const struct target *target)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		return -errno;
	if (peer.pid == target->pid || (peer.pid == 0 && peer.uid == target->uid))
		return 0;
	return -EPERM;
}

static int connect_inode(int inode, uint64_t deadline_ms)
{
	const struct timespec nap = {.tv_nsec = BACKLOG_NAP_NS};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int err;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	/* Short whatever the real path is, and bound to the inode. */
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", inode);
	for (;;) {
		if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
			return fd;
		err = -errno;
		/* EAGAIN: the queue of connections is full. */
		if (err != -EAGAIN && err != -EINTR)
			break;
		if (diagnostics__now_ms() >= deadline_ms) {
			err = -ETIMEDOUT;
			break;
		}
		nanosleep(&nap, NULL);
	}
	close(fd);
	return err;
}

static int try_name(int folder, const char *name, const struct target *target,
		    uint64_t deadline_ms)
{
	int connection, err;
	int inode = open_socket(folder, name);

	if (inode < 0)
		return inode;
	connection = connect_inode(inode, deadline_ms);
	close(inode);
	if (connection < 0)
		return connection;
	err = check_peer(connection, target);
	if (err) {
		close(connection);
		return err;
	}
	return connection;
}

/* Every other socket of the same pid; `err` is what is known so far. */
static int try_others(int folder, const char *exact, const struct target *target,
		      uint64_t deadline_ms, int err)
{
	unsigned int tries = 0;
	int copy = root__open_name(folder, ".", O_RDONLY | O_DIRECTORY);
	DIR *listing = copy < 0 ? NULL : fdopendir(copy);

	if (!listing) {
		if (copy >= 0)
			close(copy);
		return err;
	}
	for (unsigned int i = 0; i < ENTRIES_MAX && tries < TRIES_MAX; i++) {
		struct dirent *entry = readdir(listing);
		int result;

		if (!entry)
			break;
		if (!is_name_of(entry->d_name, target->namespace_pid) ||
		    !strcmp(entry->d_name, exact))
			continue;
		tries++;
		result = try_name(folder, entry->d_name, target, deadline_ms);
		if (result >= 0) {
			err = result;
			break;
		}
		if (err == -ENOENT)
			err = result;
	}
	closedir(listing);
	return err;
}

/* A container's root is often mounted so; then no runtime can make its socket. */
static bool is_read_only(int directory)
{
	struct statvfs mount;

	return directory >= 0 && !fstatvfs(directory, &mount) &&
	       mount.f_flag & ST_RDONLY;
}

static int explain(int err, int directory, const char *folder,
		   const struct target *target, struct trouble *ret_trouble)
{
	if (err == -ENOENT && is_read_only(directory))
		return trouble__set(ret_trouble, err,
				    "%.100s of its file system is read-only, so it has no "
				    "diagnostics socket there; set TMPDIR to a writable "
				    "folder, or launch it with tierscope record -- CMD",
				    folder);
	switch (err) {
	case -ENOENT:
	case -ENOTDIR:
		return trouble__set(ret_trouble, -ENOENT,
				    "it has no diagnostics socket in %.100s of its "
				    "file system; was the "
				    "file removed, or is the runtime still starting?",
				    folder);
	case -ECONNREFUSED:
		return trouble__set(ret_trouble, err,
				    "nobody listens on its diagnostics socket in "
				    "%.100s; restart the "
				    "program",
				    folder);
	case -EPERM:
	case -ENOTSOCK:
	case -ELOOP:
		return trouble__set(
			ret_trouble, -EPERM,
			"the diagnostics socket in %.100s is not its own, so it is not "
			"used; restart the program",
			folder);
	case -EACCES:
		return trouble__set(ret_trouble, err,
				    "its diagnostics socket is closed to us; run "
				    "tierscope as root or "
				    "as user %u",
				    (unsigned int)target->uid);
	case -ETIMEDOUT:
		return trouble__set(
			ret_trouble, err,
			"its diagnostics socket takes no connection; is the process "
			"stopped?");
	default:
		return trouble__set(ret_trouble, err,
				    "its diagnostics socket cannot be reached: %s",
				    strerror(-err));
	}
}

int diagnostics__connect_in(int root, const char *folder, const struct target *target,
			    uint64_t deadline_ms, struct trouble *ret_trouble)
{
	struct buf shown = BUF_INIT;
	char exact[NAME_SIZE];
	int result;
	int directory = root__open_path(root, folder, O_PATH | O_DIRECTORY);

	result = directory;
	if (directory < 0)
		goto out;
	exact_name(exact, target->namespace_pid, target->start_ticks);
	result = try_name(directory, exact, target, deadline_ms);
	if (result < 0 && result != -ETIMEDOUT)
		result = try_others(directory, exact, target, deadline_ms, result);
out:
	if (result < 0) {
		text__append_utf8(&shown, folder, strlen(folder));
		result = explain(result, directory, buf__string(&shown), target,
				 ret_trouble);
		buf__free(&shown);
	}
	if (directory >= 0)
		close(directory);
	return result;
}

/* The target's root and environment, surely of the process that was inspected. */
static int open_target(const struct target *target, int *ret_root,
		       struct buf *environment)
{
	int root = -1;
	int directory = proc__open(target->pid);
	int err = directory < 0 ? directory
				: proc__read_environment(directory, environment);

	if (!err) {
		root = root__open(directory);
		err = root < 0 ? root : 0;
	}
	/* After the opens: what is open now is of this process or of nobody. */
	if (!err && !target__alive(target->pid, target->start_ticks))
		err = -ESRCH;
	if (directory >= 0)
		close(directory);
	if (err && root >= 0)
		close(root);
	if (!err)
		*ret_root = root;
	return err;
}

int diagnostics__connect(const struct target *target, uint64_t deadline_ms,
			 struct trouble *ret_trouble)
{
	struct buf environment = BUF_INIT;
	int root;
	int result = open_target(target, &root, &environment);

	if (!result) {
		result = diagnostics__connect_in(root,
						 proc__temporary_folder(&environment),
						 target, deadline_ms, ret_trouble);
		close(root);
	} else if (result == -ESRCH) {
		trouble__set(ret_trouble, result, "the process is gone");
	} else {
		trouble__set(
			ret_trouble, result,
			"its /proc folder cannot be read (%s); run tierscope as root",
			strerror(-result));
	}
	buf__free(&environment);
	return result;
}
