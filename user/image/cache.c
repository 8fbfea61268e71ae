// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// One entry per image:
//
//   struct header | rows | bodies | up to a page | what names need
//
// Header and tables are as in memory, under the entry's checksum.  What names need lies
// where the image has it, with holes between, and is checked by a CRC of its own when the
// first name is asked for.
#include "cache.h"

#include "image_object.h"

#include "../base/alloc.h"
#include "../base/kept_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KIND		"image"
#define LAYOUT		6	/* also to be raised when a decoder learns more */
#define NAMES_MAX	(16ull << 20)	/* of an image; the largest have some 10 MB */
#define PAGE		4096u

struct header {
	uint32_t rows, bodies;
	uint32_t names_size;	/* the image's; 0: without */
	uint32_t names_crc;
};

#define ROWS_AT (KEPT_CONTENT + sizeof(struct header))

/* Where what an entry consists of begins and ends. */
struct extent {
	size_t bodies, tables_end, names, end;
};

struct kept {
	struct image *image;
	struct kept_identity identity;
};

struct image_cache {
	struct kept_files *files;
	struct kept_identity wanted;	/* of the last load */
	struct kept *kept;
	size_t kept_count, kept_capacity;
};

struct image_cache *image_cache__open(void)
{
	struct kept_files *files = kept_files__open(KIND, LAYOUT);
	struct image_cache *cache;

	if (!files)
		return NULL;
	cache = alloc__zeroed(1, sizeof(*cache));
	cache->files = files;
	return cache;
}

static struct extent extent_of(const struct header *header)
{
	struct extent extent;

	extent.bodies = ROWS_AT + header->rows * sizeof(struct image_row);
	extent.tables_end = extent.bodies + header->bodies * sizeof(struct image_body);
	extent.names = (extent.tables_end + PAGE - 1) / PAGE * PAGE;
	extent.end = header->names_size ? extent.names + header->names_size :
					  extent.tables_end;
	return extent;
}

/* The checksum holds, so these are our own numbers; but a look-up trusts them. */
static bool in_bounds(const struct image *image, const struct r2r_tables *tables)
{
	uint32_t previous = 0;

	for (uint32_t i = 0; i < tables->rows_count; i++) {
		const struct image_row *row = &tables->rows[i];

		if (row->begin < previous || row->end <= row->begin ||
		    row->end > image->pe.image_size || row->body >= tables->bodies_count)
			return false;
		previous = row->end;
	}
	for (uint32_t i = 0; i < tables->bodies_count; i++) {
		const struct image_body *body = &tables->bodies[i];

		if (body->first_row >= tables->rows_count ||
		    body->rows > tables->rows_count - body->first_row)
			return false;
	}
	return true;
}

static int take(struct image *image, const struct file_view *view, size_t checked)
{
	struct r2r_tables tables = { 0 };
	struct header header;
	struct extent extent;

	if (checked < ROWS_AT)
		return -EBADMSG;
	memcpy(&header, view->data + KEPT_CONTENT, sizeof(header));
	extent = extent_of(&header);
	if ((header.names_size && header.names_size != image->pe.size) ||
	    checked != extent.tables_end || view->size != extent.end)
		return -EBADMSG;
	tables.rows = (struct image_row *)(view->data + ROWS_AT);
	tables.bodies = (struct image_body *)(view->data + extent.bodies);
	tables.rows_count = header.rows;
	tables.bodies_count = header.bodies;
	if (!in_bounds(image, &tables))
		return -EBADMSG;
	image->tables = tables;
	image->kept_names_crc = header.names_crc;
	if (header.names_size)
		image->kept_names = view->data + extent.names;
	return 0;
}

int image_cache__load(struct image_cache *cache, int fd, uint64_t offset,
		      struct image *image)
{
	struct file_view *view;
	size_t checked;
	int err;

	if (!cache)
		return -ENOENT;
	err = kept_files__identify(fd, offset, &cache->wanted);
	if (!err)
		err = kept_files__load(cache->files, &cache->wanted, &view, &checked);
	if (err)
		return err;
	err = take(image, view, checked);
	if (err)
		file_view__close(view);
	else
		image->cached = view;
	return err;
}

void image_cache__keep(struct image_cache *cache, struct image *image)
{
	if (!cache)
		return;
	alloc__grow(cache->kept, cache->kept_count, cache->kept_capacity);
	cache->kept[cache->kept_count++] = (struct kept){ image, cache->wanted };
}

/* There is a copy, and it is not made to fill the disk. */
static bool keeps_names(const struct image *image)
{
	struct name_range ranges[IMAGE_NAME_RANGES];
	uint64_t bytes = 0;

	image__name_ranges(image, ranges);
	for (uint32_t i = 0; i < IMAGE_NAME_RANGES; i++)
		bytes += ranges[i].size;
	return image->memory && bytes <= NAMES_MAX;
}

static void write_one(const struct image_cache *cache, const struct kept *kept)
{
	const struct image *image = kept->image;
	const struct r2r_tables *tables = &image->tables;
	struct header header = { .rows = tables->rows_count, .bodies = tables->bodies_count };
	struct name_range ranges[IMAGE_NAME_RANGES];
	struct kept_piece pieces[3 + IMAGE_NAME_RANGES];
	struct extent extent;
	uint32_t count = 3;

	if (keeps_names(image)) {
		header.names_size = image->pe.size;
		header.names_crc = image__names_crc(image, image->memory);
	}
	extent = extent_of(&header);
	pieces[0] = (struct kept_piece){ KEPT_CONTENT, &header, sizeof(header) };
	pieces[1] = (struct kept_piece){ ROWS_AT, tables->rows, extent.bodies - ROWS_AT };
	pieces[2] = (struct kept_piece){ extent.bodies, tables->bodies,
					 extent.tables_end - extent.bodies };
	image__name_ranges(image, ranges);
	/* Each range at its place in the image. */
	for (uint32_t i = 0; i < IMAGE_NAME_RANGES && header.names_size; i++)
		pieces[count++] = (struct kept_piece){
			extent.names + ranges[i].offset,
			(const uint8_t *)image->memory + ranges[i].offset, ranges[i].size };
	kept_files__write(cache->files, &kept->identity, &(struct kept_pieces){
		.items = pieces, .count = count,
		.checked = extent.tables_end, .size = extent.end });
}

void image_cache__free(struct image_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < cache->kept_count; i++) {
		const struct image *image = cache->kept[i].image;

		if (!image->cached || keeps_names(image))	/* else nothing is new */
			write_one(cache, &cache->kept[i]);
	}
	kept_files__close(cache->files);
	free(cache->kept);
	free(cache);
}
