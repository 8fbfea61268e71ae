// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * The bytes are put back to where they were in the file, so that the decoders need not
 * know the difference:
 *
 *   memory   base     base + RVA ...                 file   0         file offset ...
 *            headers  .text    .data        ──►             headers   .text  .data
 *
 * The headers are kept as they were, to know the image again.  What the runtime changed
 * meanwhile (relocations, cells) is nothing that they read.
 */
#include "image.h"

#include "image_object.h"

#include "../base/alloc.h"

#include <errno.h>
#include <sys/mman.h>

#define PAGE	  4096u
#define GRANULE	  0x10000u /* images begin at a multiple of it, sections too */
#define STEPS	  4u	   /* from the code back to the image's begin */
#define BYTES_MAX (64u << 20)

/* The layout of the image at `base`, if its code begins at `code`. */
static int read_layout(image_reader read, void *context, uint64_t base, uint64_t code,
		       uint8_t headers[PAGE], struct pe *ret_pe)
{
	uint64_t bytes = 0;
	int err = -ENOENT;

	if (!read(context, base, headers, PAGE) ||
	    pe__parse_layout(headers, PAGE, ret_pe))
		return -ENOENT;
	for (uint32_t i = 0; i < ret_pe->sections_count; i++) {
		const struct image_section *section = &ret_pe->sections[i];

		if (section->executable && (base + section->rva) / PAGE == code / PAGE)
			err = 0;
		bytes += section->file_size;
	}
	if (!err && (bytes > BYTES_MAX || ret_pe->size > BYTES_MAX))
		err = -EFBIG;
	return err;
}

/* What cannot be read stays zero, and is found damaged if it matters. */
static void copy_sections(image_reader read, void *context, uint64_t base,
			  const struct pe *pe, uint8_t *memory)
{
	for (uint32_t i = 0; i < pe->sections_count; i++) {
		const struct image_section *section = &pe->sections[i];
		uint32_t size = section->virtual_size < section->file_size
					? section->virtual_size
					: section->file_size;

		if (size)
			(void)read(context, base + section->rva,
				   memory + section->file_offset, size);
	}
}

static bool is_in(uint64_t page, const struct name_range *range)
{
	return range->size && page + PAGE > range->offset &&
	       page < range->offset + range->size;
}

#define KEPT_RANGES (IMAGE_NAME_RANGES + 2)

static struct name_range range_of(const struct image *image, struct pe_range range)
{
	int64_t offset = pe__offset(&image->pe, range.rva, range.size);

	return offset < 0 ? (struct name_range){0}
			  : (struct name_range){(size_t)offset, range.size};
}

/* Keeps what names need, and who was inlined; the rest has become tables. */
static void drop_the_rest(const struct image *image)
{
	struct name_range kept[KEPT_RANGES];

	image__name_ranges(image, kept);
	kept[IMAGE_NAME_RANGES] = range_of(image, image->r2r.inlinings);
	kept[IMAGE_NAME_RANGES + 1] = range_of(image, image->r2r.cross_module_inlinings);
	for (uint64_t page = PAGE; page < image->memory_size; page += PAGE) {
		bool needed = false;

		for (uint32_t i = 0; i < KEPT_RANGES; i++)
			needed |= is_in(page, &kept[i]);
		if (!needed)
			(void)madvise((uint8_t *)image->memory + page, PAGE,
				      MADV_DONTNEED);
	}
}

static int open_at(image_reader read, void *context, uint64_t base, uint64_t code,
		   struct image **ret_image)
{
	struct image *image = alloc__zeroed(1, sizeof(*image));
	uint8_t headers[PAGE];
	struct pe layout;
	int err = read_layout(read, context, base, code, headers, &layout);

	if (err)
		goto out;
	image->memory_size = layout.size;
	image->memory = mmap(NULL, image->memory_size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (image->memory == MAP_FAILED) {
		image->memory = NULL;
		err = -ENOMEM;
		goto out;
	}
	memcpy(image->memory, headers, PAGE < layout.size ? PAGE : layout.size);
	copy_sections(read, context, base, &layout, image->memory);
	err = image__parse(image, image->memory, image->memory_size);
	if (!err)
		err = image__build_tables(image);
	if (!err)
		drop_the_rest(image);
out:
	if (err)
		image__free(image);
	else
		*ret_image = image;
	return err;
}

bool image__is_still_loaded(const struct image *image, image_reader read, void *context,
			    uint64_t base)
{
	uint8_t headers[PAGE];
	size_t size = PAGE; /* of the headers: in the file the first section follows */

	for (uint32_t i = 0; i < image->pe.sections_count; i++) {
		if (image->pe.sections[i].file_offset < size)
			size = image->pe.sections[i].file_offset;
	}
	return size && image->memory && !image->file && image->memory_size >= size &&
	       read(context, base, headers, size) && !memcmp(headers, image->memory, size);
}

int image__open_loaded(image_reader read, void *context, uint64_t code,
		       struct image **ret_image, uint64_t *ret_base)
{
	uint64_t base = code / GRANULE * GRANULE;
	int err = -ENOENT;

	for (uint32_t i = 0; i < STEPS && base >= GRANULE && err == -ENOENT; i++) {
		err = open_at(read, context, base, code, ret_image);
		if (!err)
			*ret_base = base;
		base -= GRANULE;
	}
	return err;
}
