/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Opening what lies below a target's root folder without ever leaving it: the
 * target owns the names in there, and may plant links while we look.
 */
#ifndef TIERSCOPE_TARGET_ROOT_H
#define TIERSCOPE_TARGET_ROOT_H

#include <stdint.h>

/* The target's root, out of its open /proc folder.  The caller closes. */
int root__open(int process_directory);

/*
 * Opens `path` as the process behind `root` would: absolute paths, links and
 * ".." end at its root.  Links of the /proc kind are refused (-ELOOP).
 */
int root__open_path(int root, const char *path, int flags);

/* The same, but -ELOOP for a path with any link in it. */
int root__open_plain_path(int root, const char *path, int flags);

/* One name directly in an open folder, never through a link. */
int root__open_name(int folder, const char *name, int flags);

/* Creates a file that did not exist: -EEXIST if the name is there, as a link too. */
int root__create_name(int folder, const char *name, int flags, unsigned int mode);

#endif /* TIERSCOPE_TARGET_ROOT_H */
