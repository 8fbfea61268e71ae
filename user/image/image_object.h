/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* What an image consists of; for the files of this room only. */
#ifndef TIERSCOPE_IMAGE_OBJECT_H
#define TIERSCOPE_IMAGE_OBJECT_H

#include "image.h"
#include "../../metadata/metadata.h"
#include "inlinings.h"
#include "pe.h"
#include "r2r.h"

#include "../base/file_view.h"

struct image_method;

struct image {
	struct pe pe;
	struct r2r r2r;
	struct r2r_tables tables;
	struct metadata metadata;
	struct metadata manifest; /* names of assemblies compiled together with */
	uint64_t offset;	  /* in the file */
	struct file_view *file;	  /* NULL when opened from memory */
	struct file_view *cached; /* where the tables lie, if not in memory of ours */
	const uint8_t *kept_names; /* in `cached`, laid out as the file; NULL: not there */
	uint32_t kept_names_crc;
	void *memory;		  /* our copy of what names need, or NULL */
	size_t memory_size;
	bool names_ready;	  /* pe.data is what names need */
	bool names_broken;	  /* the file changed before they were copied, or is not the one */
	struct image **components; /* of a composite image; NULL each if not given */
	struct inlinings inlinings;
	struct image_method *methods; /* those that have bodies, in the order of their tokens */
	uint32_t methods_count;
	bool inlinings_read; /* they and the methods, or ... */
	int inlinings_err;   /* ... why not */
};

/* Where things lie; no more is read than the first pages.  Errors as image__open_memory. */
int image__parse(struct image *image, const void *data, size_t size);
int image__build_tables(struct image *image);

#define IMAGE_NAME_RANGES 4

struct name_range {
	size_t offset, size;	/* in the file */
};

/* What of the file names need; ranges that it lacks are empty. */
void image__name_ranges(const struct image *image,
			struct name_range ret_ranges[IMAGE_NAME_RANGES]);
/* Their checksum, of bytes that are laid out as the file. */
uint32_t image__names_crc(const struct image *image, const uint8_t *bytes);
/* Gives them back: they are none to be used. */
void image__drop_names(struct image *image);
/* What inliners.c keeps of it. */
void image__drop_inlinings(struct image *image);
/* Takes them from the cache or makes a copy, the first time.  0, -ENOMEM, -EBADMSG. */
int image__want_names(struct image *image);

#endif /* TIERSCOPE_IMAGE_OBJECT_H */
