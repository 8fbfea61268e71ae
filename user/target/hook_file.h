/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Placing the hook file, in parts that can be tried on any folder as root.
 * Used by hook_file__place in target.h.
 */
#ifndef TIERSCOPE_TARGET_HOOK_FILE_H
#define TIERSCOPE_TARGET_HOOK_FILE_H

#include "../base/buf.h"
#include "../base/trouble.h"

#include <stdbool.h>
#include <sys/types.h>

#define HOOK_FILE_NAME	"libtierscope_hook.so"
#define HOOK_FILE_LIMIT (64u << 20)

/* Who must be able to load the file. */
struct hook_reader {
	int root; /* its root folder */
	uid_t uid;
	gid_t gid;
};

/*
 * True if the reader sees the very same file under the same path, may read it
 * and may map it executable.
 */
bool hook_file__is_visible(const struct hook_reader *reader, const char *path);

/*
 * Puts a copy of `content` into `folder` (a path as the reader sees it), or
 * takes one that is there already, whole and safe from others' writes.
 * ret_path is the path as the reader sees it, malloc'ed.  -EPERM: the folder
 * is not safe; -EACCES: mounted noexec, or closed to the reader; -Exxx.
 */
int hook_file__copy_into(const struct hook_reader *reader, const char *folder,
			 const struct buf *content, char **ret_path);

#endif /* TIERSCOPE_TARGET_HOOK_FILE_H */
