/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Tables of native files, kept from one run to the next: see kept_files.h.  One thread at a
 * time. */
#ifndef TIERSCOPE_UNWIND_CACHE_H
#define TIERSCOPE_UNWIND_CACHE_H

struct unwind_cache;
struct unwind_table;

/* NULL: switched off, or there is no place for it. */
struct unwind_cache *unwind_cache__open(void);
/* Writes what was kept. */
void unwind_cache__free(struct unwind_cache *cache);

/*
 * The table of the file, as unwind_table__read makes it; its bytes_read are those of what was
 * kept.  The caller frees it.  0, or -Exxx: not there.
 */
int unwind_cache__load(struct unwind_cache *cache, int fd, struct unwind_table *ret_table);
/* To be written at the end: the table of the file for which the last load was.  Takes its
 * rows, unless there are too many to hold; the caller frees it all the same. */
void unwind_cache__keep(struct unwind_cache *cache, struct unwind_table *table);

#endif /* TIERSCOPE_UNWIND_CACHE_H */
