/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The PE envelope of a .NET image: sections, and from an address relative to
 * the image (RVA) to bytes of the file.
 */
#ifndef TIERSCOPE_IMAGE_PE_H
#define TIERSCOPE_IMAGE_PE_H

#include "../../metadata/cursor.h"
#include "image.h"

#include <stddef.h>

#define PE_SECTIONS_MAX 96 /* the format's own limit */

struct pe_range {
	uint32_t rva, size;
};

struct pe {
	const uint8_t *data; /* borrowed */
	uint32_t size;
	uint32_t image_size; /* SizeOfImage */
	uint32_t sections_count;
	struct image_section sections[PE_SECTIONS_MAX];
	struct pe_range metadata;      /* from the CLI header */
	struct pe_range native_header; /* ManagedNativeHeader; 0 0 none */
};

/*
 * -ENOEXEC not a PE file, -ENODATA a PE file without a CLI header, -EBADMSG
 * damaged, -ENOTSUP not for x86-64.  A machine field that matches no operating
 * system's x86-64 is refused only when there is native code in it: images of
 * pure IL often say i386.
 */
int pe__parse(const void *data, size_t size, struct pe *ret_pe);

/*
 * The sections only, of which the file has the bytes or not: `data` is as much of its
 * beginning as is there.  Errors as above; `size` is that of the whole file afterwards.
 */
int pe__parse_layout(const void *data, size_t size, struct pe *ret_pe);

/* Offset in the file of `size` bytes at `rva`, or -1. */
int64_t pe__offset(const struct pe *pe, uint32_t rva, uint32_t size);
/* A cursor over exactly these bytes; empty and bad if they are not there. */
struct cursor pe__cursor(const struct pe *pe, struct pe_range range);

#endif /* TIERSCOPE_IMAGE_PE_H */
