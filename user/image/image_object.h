/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* What an image consists of; for the files of this room only. */
#ifndef TIERSCOPE_IMAGE_OBJECT_H
#define TIERSCOPE_IMAGE_OBJECT_H

#include "image.h"
#include "metadata.h"
#include "pe.h"
#include "r2r.h"

struct image {
	struct pe pe;
	struct r2r r2r;
	struct r2r_tables tables;
	struct metadata metadata;
	struct metadata manifest; /* names of assemblies compiled together with */
	void *memory;		  /* our copy of the file, or NULL */
	size_t memory_size;
};

#endif /* TIERSCOPE_IMAGE_OBJECT_H */
