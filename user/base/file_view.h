/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * A file, mapped to be read.  Whoever owns it may cut or change it meanwhile: what is
 * cut off then reads as zeros, and a value read twice may differ, so a reader copies a
 * value before it checks it.  One thread at a time.
 */
#ifndef TIERSCOPE_BASE_FILE_VIEW_H
#define TIERSCOPE_BASE_FILE_VIEW_H

#include <stddef.h>
#include <stdint.h>

struct file_view {
	const uint8_t *data;
	size_t size;
	size_t before;			/* bytes in the first page that are not asked for */
	struct file_view *next;		/* of all that are open */
};

/* Maps `size` bytes of the file, which the caller may close, from any offset in it.  0 or
 * -Exxx. */
int file_view__open(int fd, uint64_t offset, size_t size, struct file_view **ret_view);
void file_view__close(struct file_view *view);

/* Gives the memory back; the next look takes it from the page cache again. */
void file_view__rest(const struct file_view *view);

#endif /* TIERSCOPE_BASE_FILE_VIEW_H */
