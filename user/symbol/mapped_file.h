/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Opening the file that a process has mapped, and nothing that looks like it. */
#ifndef TIERSCOPE_SYMBOL_MAPPED_FILE_H
#define TIERSCOPE_SYMBOL_MAPPED_FILE_H

#include "symbol.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* How the kernel marks the path of a mapped file that lost its name. */
#define MAPPED_FILE_DELETED " (deleted)"

/* Inode numbers are used again, and files written anew in their place: the same file is also
 * as big and as old. */
struct mapped_file_state {
	int64_t size;
	struct timespec written;
};
struct mapped_file_state mapped_file__state(const struct stat *state);
bool mapped_file__is_same(const struct mapped_file_state *known, const struct stat *state);

/* An open regular file (the caller closes) and its state, or -ENOENT. */
int mapped_file__open(const struct symbol_mapping *mapping, struct stat *ret_state);

/*
 * Opens what an O_PATH descriptor (closed in any case) leads to for reading,
 * if it is a regular file: opening a device can do things.  -Exxx otherwise.
 */
int mapped_file__reopen(int path_fd, struct stat *ret_state);

#endif /* TIERSCOPE_SYMBOL_MAPPED_FILE_H */
