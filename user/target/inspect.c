// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What is known of a process from outside: see target.h.
#include "target.h"

#include "../base/alloc.h"
#include "../base/text.h"
#include "diagnostics.h"
#include "exports.h"
#include "inspect.h"
#include "ipc.h"
#include "journal.h"
#include "proc.h"
#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMAND_LINE_LIMIT 16384
#define CGROUP_LIMIT	   65536
#define MAPS_LINES_MAX	   1000000
/* Asked of every self-contained process in a listing, so short. */
#define VERSION_TIMEOUT_MS 500

static int read_maps(int directory, struct mapped *mapped)
{
	FILE *file;
	char *line = NULL;
	size_t capacity = 0;
	int fd = openat(directory, "maps", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? -ESRCH : errno == EPERM ? -EACCES : -errno;
	file = fdopen(fd, "r");
	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < MAPS_LINES_MAX; i++) {
		if (getline(&line, &capacity, file) < 0)
			break;
		inspect__maps_line(line, mapped);
	}
	free(line);
	fclose(file);
	return 0;
}

static char *sanitised(const char *data, size_t size)
{
	struct buf buf = BUF_INIT;

	text__append_utf8(&buf, data, size);
	return buf__steal(&buf);
}

/*
 * A runtime inside the executable itself gives itself away by what it exports
 * for debuggers: DotNetRuntimeInfo for a single-file program (dotnet/runtime
 * src/native/corehost/apphost/static), DotNetRuntimeDebugHeader for Native AOT
 * (src/coreclr/nativeaot/Runtime/DebugHeader.cpp).
 */
static enum target_runtime runtime_of_executable(int directory)
{
	static const char *const names[] = {"DotNetRuntimeInfo",
					    "DotNetRuntimeDebugHeader"};
	bool found[2] = {false, false};
	int fd = openat(directory, "exe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return TARGET_NOT_DOTNET;
	if (exports__find(fd, names, 2, found))
		found[0] = found[1] = false;
	close(fd);
	if (found[0])
		return TARGET_DOTNET;
	return found[1] ? TARGET_NATIVE_AOT : TARGET_NOT_DOTNET;
}

static bool has_socket(int directory, const struct buf *environment,
		       const struct target *target)
{
	int root = root__open(directory);
	bool exists;

	if (root < 0)
		return false;
	exists = diagnostics__socket_exists(root, proc__temporary_folder(environment),
					    target->namespace_pid, target->start_ticks);
	close(root);
	return exists;
}

/* After a detach the library stays, but not the journal. */
static bool keeps_journal(pid_t pid)
{
	struct journal *journal = NULL;
	bool exists = journal__open(pid, &journal) != -ENOENT;

	journal__free(journal);
	return exists;
}

/* Which runtime: the library that is mapped, the executable, the socket. */
static int find_runtime(int directory, const struct buf *environment,
			struct target *target)
{
	struct mapped mapped = {0};
	int err = read_maps(directory, &mapped);

	if (err)
		return err;
	target->musl = mapped.musl;
	target->hook_mapped = mapped.hook;
	target->hooked = mapped.hook && keeps_journal(target->pid);
	target->runtime_path =
		sanitised(mapped.runtime_path ? mapped.runtime_path : "",
			  mapped.runtime_path ? strlen(mapped.runtime_path) : 0);
	if (mapped.runtime_path)
		target->runtime = TARGET_DOTNET;
	else
		target->runtime = runtime_of_executable(directory);
	if (target->runtime == TARGET_NOT_DOTNET &&
	    has_socket(directory, environment, target))
		target->runtime = TARGET_DOTNET;
	free(mapped.runtime_path);
	return 0;
}

/* Only a self-contained program does not tell it by its path. */
static void find_version(struct target *target)
{
	struct ipc_info info;

	target->runtime_version = inspect__version_of_path(target->runtime_path);
	if (target->runtime_version)
		return;
	if (target->runtime == TARGET_DOTNET && !target->diagnostics_off &&
	    !ipc__process_info_within(target, VERSION_TIMEOUT_MS, &info, NULL)) {
		target->runtime_version =
			inspect__version_of_text(info.runtime_version);
		ipc_info__free(&info);
		return;
	}
	target->runtime_version = alloc__string("");
}

static int read_names(int directory, struct target *target)
{
	struct buf buf = BUF_INIT;
	char *link = NULL;
	int err = proc__read(directory, "comm", sizeof(target->comm), &buf);

	if (err)
		goto out;
	if (buf.size && buf.data[buf.size - 1] == '\n')
		buf.data[--buf.size] = 0;
	link = sanitised(buf__string(&buf), buf.size);
	snprintf(target->comm, sizeof(target->comm), "%s", link);
	free(link);
	link = NULL;
	/* A kernel thread has no executable, and needs none. */
	if (proc__read_link(directory, "exe", &link) == -EACCES) {
		err = -EACCES;
		goto out;
	}
	target->executable = sanitised(link ? link : "", link ? strlen(link) : 0);
	buf__clear(&buf);
	err = proc__read(directory, "cmdline", COMMAND_LINE_LIMIT, &buf);
	if (err)
		goto out;
	target->entry = inspect__entry(buf__string(&buf), buf.size, target->executable);
	while (buf.size && !buf.data[buf.size - 1])
		buf.size--;
	for (size_t i = 0; i < buf.size; i++)
		if (!buf.data[i])
			buf.data[i] = ' ';
	target->cmdline = sanitised(buf__string(&buf), buf.size);
	buf__clear(&buf);
	/* Not there without cgroups: then there is no container either. */
	(void)proc__read(directory, "cgroup", CGROUP_LIMIT, &buf);
	target->container = inspect__container(buf__string(&buf));
out:
	free(link);
	buf__free(&buf);
	return err;
}

static int read_identity(int directory, pid_t pid, struct target *target)
{
	struct proc_status status;
	char state;
	int err = proc__read_stat(directory, &state, &target->start_ticks);

	if (!err)
		err = proc__read_status(directory, &status);
	if (err)
		return err;
	/* A thread's id is not a process, and a zombie is no more one. */
	if (state == 'Z' || state == 'X' || status.tgid != pid)
		return -ESRCH;
	target->pid = pid;
	target->namespace_pid = status.namespace_pid;
	target->uid = status.uid;
	target->start_ns = inspect__start_ns(target->start_ticks);
	return 0;
}

int target__inspect(pid_t pid, struct target *ret_target)
{
	struct buf environment = BUF_INIT;
	struct target target = {0};
	int directory = proc__open(pid);
	int err = directory < 0 ? directory : read_identity(directory, pid, &target);

	if (!err)
		err = read_names(directory, &target);
	if (!err)
		err = proc__read_environment(directory, &environment);
	if (!err)
		err = find_runtime(directory, &environment, &target);
	if (err)
		goto out;
	if (inspect__switched_off(&environment, "EnableDiagnostics"))
		target.diagnostics_off = target.profiler_off = true;
	if (inspect__switched_off(&environment, "EnableDiagnostics_IPC"))
		target.diagnostics_off = true;
	if (inspect__switched_off(&environment, "EnableDiagnostics_Profiler"))
		target.profiler_off = true;
	find_version(&target);
	*ret_target = target;
out:
	if (err)
		target__free(&target);
	if (directory >= 0)
		close(directory);
	buf__free(&environment);
	return err;
}

void target__free(struct target *target)
{
	if (!target)
		return;
	free(target->executable);
	free(target->cmdline);
	free(target->container);
	free(target->entry);
	free(target->runtime_version);
	free(target->runtime_path);
	*target = (struct target){0};
}

bool target__alive(pid_t pid, uint64_t start_ticks)
{
	uint64_t ticks = 0;
	char state = 'X';
	int directory = proc__open(pid);

	if (directory < 0)
		return false;
	if (proc__read_stat(directory, &state, &ticks))
		state = 'X';
	close(directory);
	return state != 'X' && state != 'Z' && ticks == start_ticks;
}
