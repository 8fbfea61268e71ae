/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * What is known of a process from outside, and whether it can be profiled.
 * Everything read from a target's /proc, memory or socket is hostile.
 */
#ifndef TIERSCOPE_TARGET_H
#define TIERSCOPE_TARGET_H

#include "../base/trouble.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum target_runtime {
	TARGET_NOT_DOTNET = 0,
	TARGET_DOTNET,			/* libcoreclr mapped, or a diagnostics socket */
	TARGET_NATIVE_AOT,		/* .NET compiled ahead: no profiler interface */
};

struct target {
	pid_t pid;			/* in our namespace */
	pid_t namespace_pid;		/* innermost: its own view */
	uid_t uid;
	uint64_t start_ticks;		/* field 22 of stat: with pid, an identity */
	uint64_t start_ns;		/* the same on CLOCK_MONOTONIC (boot time) */
	char comm[64];
	char *executable;		/* link target, sanitised UTF-8 */
	char *cmdline;			/* arguments joined by blanks, sanitised */
	char *container;		/* 12+ hex digits of the id, or "" */
	char *entry;			/* entry assembly or the like for people */
	enum target_runtime runtime;
	char *runtime_version;		/* "10.0.12" or "" */
	char *runtime_path;		/* libcoreclr.so as mapped, or "" */
	bool musl;
	bool hook_mapped;		/* the hook library is mapped */
	bool hooked;			/* and at work: it keeps a journal */
	bool diagnostics_off;		/* DOTNET_EnableDiagnostics(_IPC)=0 */
	bool profiler_off;		/* DOTNET_EnableDiagnostics(_Profiler)=0 */
};

/* -ESRCH no such process, -EACCES may not look at it. */
int target__inspect(pid_t pid, struct target *ret_target);
void target__free(struct target *target);	/* the contents only */
/* Every process that runs .NET; the caller frees with target__free_list. */
int target__list(struct target **ret_targets, unsigned int *ret_count);
void target__free_list(struct target *targets, unsigned int count);
/* 0 if the hook can be (or is) in it, else -Exxx and why. */
int target__can_profile(const struct target *target, struct trouble *ret_trouble);
/* True while the same process (pid and start time) is alive. */
bool target__alive(pid_t pid, uint64_t start_ticks);

/* Diagnostics IPC (ipc.c): socket found below /proc/PID/root, peer checked. */
struct ipc_info {
	char *cmdline, *os, *architecture, *entry, *runtime_version;
};
int ipc__process_info(const struct target *target, struct ipc_info *ret_info,
		      struct trouble *ret_trouble);
void ipc_info__free(struct ipc_info *info);
int ipc__attach_profiler(const struct target *target, const char *path_in_target,
			 unsigned int timeout_ms, struct trouble *ret_trouble);

/*
 * The hook file.  find: the library that belongs to this program:
 * $TIERSCOPE_HOOK, beside the executable, or the install directory.
 * place: makes it visible to the target; ret_path is the path as the target
 * sees it, ret_host_path one under which this process reaches that same inode
 * (/proc/PID/root/... when copied).  Both are malloc'ed.
 * mapped: the same two of a library that the process has mapped already, also
 * when its file was replaced or removed since; -ENOENT: none.  Place gives
 * these for a hooked target, so that no second instance gets into it.
 */
int hook_file__find(char **ret_path, struct trouble *ret_trouble);
int hook_file__place(const struct target *target, const char *hook_path,
		     char **ret_path, char **ret_host_path,
		     struct trouble *ret_trouble);
int hook_file__mapped(pid_t pid, char **ret_path, char **ret_host_path);

/* Launch (launch.c): the environment of a child with the hook asked for, which tells
 * delays and batches of tiering from its first moment if `tiering`; an array like environ,
 * the caller frees with launch__free_environment. */
char **launch__environment(char *const *environment, const char *hook_path, bool tiering);
void launch__free_environment(char **environment);

/*
 * Where the images of a command lie that is about to be started (framework.c): the
 * newest framework that is installed, and the folders of programs among its words.
 * Guesses, to have tables early: a folder too many or too few does no harm.
 */
#define FRAMEWORK_FOLDERS 8
struct framework_folders {
	char *path[FRAMEWORK_FOLDERS];	/* malloc'ed */
	unsigned int count;
};
void framework__folders(char *const *command, struct framework_folders *ret_folders);
void framework__free(struct framework_folders *folders);

#endif /* TIERSCOPE_TARGET_H */
