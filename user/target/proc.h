/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Reading one process's /proc folder.  All goes through one open directory,
 * which belongs to one process for good: when the process is gone the reads
 * fail, they never tell about a newcomer with the same pid.
 */
#ifndef TIERSCOPE_TARGET_PROC_H
#define TIERSCOPE_TARGET_PROC_H

#include "../base/buf.h"

#include <stdint.h>
#include <sys/types.h>

/* The directory (the caller closes), or -ESRCH, -EACCES, -Exxx. */
int proc__open(pid_t pid);

/* Appends at most `limit` bytes of a file; what is beyond is left out. */
int proc__read(int directory, const char *name, size_t limit, struct buf *buf);

/* The target of a link as it stands; the caller frees. */
int proc__read_link(int directory, const char *name, char **ret_target);

/* The state letter, and field 22 in clock ticks. */
int proc__read_stat(int directory, char *ret_state, uint64_t *ret_start_ticks);

struct proc_status {
	pid_t tgid;	     /* in our namespace */
	pid_t namespace_pid; /* in the innermost one */
	uid_t uid;	     /* effective: decides about files and sockets */
	gid_t gid;
};
int proc__read_status(int directory, struct proc_status *ret_status);

/*
 * The environment that the process was started with.  proc__variable gives a
 * pointer into it, or NULL.
 */
int proc__read_environment(int directory, struct buf *buf);
const char *proc__variable(const struct buf *environment, const char *name);

/*
 * Where the runtime keeps its temporary files, as the target sees it:
 * $TMPDIR or /tmp.  A relative one counts as /tmp.
 */
const char *proc__temporary_folder(const struct buf *environment);

#endif /* TIERSCOPE_TARGET_PROC_H */
