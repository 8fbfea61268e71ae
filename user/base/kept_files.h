/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * What was learnt of files, kept from one run to the next: one entry for each file, or place
 * in it, in a folder of our own.  It belongs to the file with that device, inode, size, time
 * of modification and time of change.  What is damaged or not ours is not used.  One thread
 * at a time.
 */
#ifndef TIERSCOPE_BASE_KEPT_FILES_H
#define TIERSCOPE_BASE_KEPT_FILES_H

#include <stddef.h>
#include <stdint.h>

struct file_view;
struct kept_files;

/* Which file something was learnt of, in which state, and where in it. */
struct kept_identity {
	uint64_t device, inode, size, modified_ns, changed_ns;
	uint64_t offset;
};

/* An entry's first byte that is its owner's; before it is what says that it is ours. */
#define KEPT_CONTENT 80u

/* Bytes of an entry, which must stay there while it is written. */
struct kept_piece {
	size_t at;		/* in the entry, from KEPT_CONTENT on */
	const void *data;
	size_t size;
};

struct kept_pieces {
	const struct kept_piece *items;
	uint32_t count;
	/* A checksum covers what lies before this byte of the entry: there the pieces follow
	 * each other.  Between those behind it may be holes. */
	size_t checked;
	size_t size;		/* of the entry */
};

/*
 * What one owner keeps; `kind` (seven letters at most) and `layout` say how to read it.
 * The folder: $TIERSCOPE_CACHE; else /var/cache/tierscope for root, $XDG_CACHE_HOME/tierscope
 * or ~/.cache/tierscope for others.  NULL: switched off ("" in $TIERSCOPE_CACHE), or
 * there is no such place.
 */
struct kept_files *kept_files__open(const char *kind, uint32_t layout);
/* Where something was written, the oldest entries of all kinds go until the folder is below
 * its size. */
void kept_files__close(struct kept_files *files);

/* The file as it is now.  0, or -Exxx and zeros, by which nothing is kept. */
int kept_files__identify(int fd, uint64_t offset, struct kept_identity *ret_identity);

/*
 * The entry, whole, and how much of it the checksum covers: at least up to KEPT_CONTENT.
 * The caller closes the view.  0, or -Exxx: not there.
 */
int kept_files__load(const struct kept_files *files, const struct kept_identity *identity,
		     struct file_view **ret_view, size_t *ret_checked);

/* In place of the one that is there.  Whatever fails, it is missing next time, and that is
 * all. */
void kept_files__write(struct kept_files *files, const struct kept_identity *identity,
		       const struct kept_pieces *pieces);

#endif /* TIERSCOPE_BASE_KEPT_FILES_H */
