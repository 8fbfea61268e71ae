/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The separate file with a stripped program's symbols, where somebody has
 * installed it: by build id or by .gnu_debuglink; or fetched it by a client of debuginfod.
 */
#ifndef TIERSCOPE_SYMBOL_DEBUG_FILE_H
#define TIERSCOPE_SYMBOL_DEBUG_FILE_H

#include "elf_view.h"

#include <sys/types.h>

#define DEBUG_FILE_FOLDER "/usr/lib/debug"

struct debug_file {
	struct elf_view view;
	int fd;
};

/*
 * Looks in the process's root and in our own: in `folder`
 * (DEBUG_FILE_FOLDER) and beside `path`, then in debuginfod's cache.  0, or -ENOENT: there
 * is none that provably belongs to `program`.
 */
int debug_file__open(struct debug_file *file, const struct elf_view *program, pid_t pid,
		     const char *path, const char *folder);
void debug_file__close(struct debug_file *file);

#endif /* TIERSCOPE_SYMBOL_DEBUG_FILE_H */
