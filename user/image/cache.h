/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Tables of images, and the bytes that their names need, kept from one run to the next: see
 * kept_files.h. */
#ifndef TIERSCOPE_IMAGE_CACHE_H
#define TIERSCOPE_IMAGE_CACHE_H

#include <stdint.h>

struct image;
struct image_cache;

/* NULL: switched off, or there is no place for it. */
struct image_cache *image_cache__open(void);
/* Writes what was kept. */
void image_cache__free(struct image_cache *cache);

/* The tables of the image that was parsed from fd, where it begins at `offset`.  0, or
 * -Exxx: not there. */
int image_cache__load(struct image_cache *cache, int fd, uint64_t offset,
		      struct image *image);
/* The tables, and what names need if it was copied, to be written at the end where the
 * cache lacks them; the last load was for them.  Copies nothing: the image must still be
 * there then. */
void image_cache__keep(struct image_cache *cache, struct image *image);

#endif /* TIERSCOPE_IMAGE_CACHE_H */
