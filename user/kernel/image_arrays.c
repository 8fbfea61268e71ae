// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Tables of precompiled images, in arrays that are mapped into both worlds: a
// table is a copy, not thousands of system calls.  Rows come first, granules
// second, the image's entry third, and the slots of a process last, so the
// sampler never sees half a table.
#include "internal.h"

#include "../image/image.h"
#include "tierscope.skel.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static int map_array(struct bpf_map *map, size_t element, void **ret_memory,
		     size_t *ret_count)
{
	size_t count = bpf_map__max_entries(map);
	void *memory = mmap(NULL, count * element, PROT_READ | PROT_WRITE, MAP_SHARED,
			    bpf_map__fd(map), 0);

	if (memory == MAP_FAILED)
		return -errno;
	*ret_memory = memory;
	*ret_count = count;
	return 0;
}

int image_arrays__open(struct kernel *kernel)
{
	struct image_arrays *arrays = &kernel->images;
	int err;

	err = map_array(kernel->skeleton->maps.image_granules,
			sizeof(struct ts_image_granules),
			(void **)&arrays->granules, &arrays->granules_max);
	arrays->granules_max *= TS_IMAGE_GRANULES;
	if (!err)
		err = map_array(kernel->skeleton->maps.image_rows,
				sizeof(struct ts_image_row), (void **)&arrays->rows,
				&arrays->rows_max);
	return err;
}

void image_arrays__close(struct kernel *kernel)
{
	struct image_arrays *arrays = &kernel->images;

	if (arrays->granules)
		munmap(arrays->granules, arrays->granules_max * sizeof(uint32_t));
	if (arrays->rows)
		munmap(arrays->rows, arrays->rows_max * sizeof(struct ts_image_row));
	memset(arrays, 0, sizeof(*arrays));
}

static void put(struct image_arrays *arrays, uint32_t *at, uint32_t begin, uint32_t shape)
{
	arrays->rows[(*at)++] = (struct ts_image_row){ .begin = begin, .shape = shape };
}

/* How many rows fill_rows() makes of them. */
static size_t rows_needed(const struct image_row *rows, uint32_t count)
{
	size_t needed = (size_t)count + 1;

	for (uint32_t i = 1; i < count; i++)
		needed += rows[i].begin - rows[i - 1].end > TS_IMAGE_PADDING;
	return needed;
}

static void fill_rows(struct image_arrays *arrays, const struct image_row *rows,
		      uint32_t count)
{
	uint32_t at = arrays->rows_used;

	for (uint32_t i = 0; i < count; i++) {
		if (i && rows[i].begin - rows[i - 1].end > TS_IMAGE_PADDING)
			put(arrays, &at, rows[i - 1].end, TS_SHAPE_GAP);
		put(arrays, &at, rows[i].begin, rows[i].shape);
	}
	put(arrays, &at, count ? rows[count - 1].end : 0, TS_SHAPE_GAP);
}

/* Each granule names the row of its first byte, or else the first row in it. */
static void fill_granules(struct image_arrays *arrays, const struct ts_image *entry)
{
	const struct ts_image_row *rows = arrays->rows + entry->first_row;
	uint32_t row = 0;

	for (uint32_t i = 0; i < entry->granules; i++) {
		uint32_t rva = entry->text_rva + (i << TS_IMAGE_GRANULE_SHIFT);

		while (row + 1 < entry->rows && rows[row + 1].begin <= rva)
			row++;
		arrays->granules[entry->first_granule + i] = entry->first_row + row;
	}
}

int kernel__add_image(struct kernel *kernel, const struct image *image,
		      uint32_t *ret_number)
{
	struct image_arrays *arrays = &kernel->images;
	const struct image_row *rows;
	uint32_t count = image__rows(image, &rows), number = arrays->images_used;
	size_t needed = rows_needed(rows, count);
	struct ts_image entry = { .size = image__size(image) };

	if (count) {
		entry.text_rva = rows[0].begin & -(1u << TS_IMAGE_GRANULE_SHIFT);
		entry.granules = ((rows[count - 1].end - entry.text_rva) >>
				  TS_IMAGE_GRANULE_SHIFT) + 1;
	}
	entry.first_granule = arrays->granules_used;
	entry.first_row = arrays->rows_used;
	if (number >= bpf_map__max_entries(kernel->skeleton->maps.images) ||
	    entry.granules > arrays->granules_max - arrays->granules_used ||
	    needed > arrays->rows_max - arrays->rows_used)
		return -ENOSPC;
	entry.rows = (uint32_t)needed;
	fill_rows(arrays, rows, count);
	fill_granules(arrays, &entry);
	if (bpf_map__update_elem(kernel->skeleton->maps.images, &number, sizeof(number),
				 &entry, sizeof(entry), BPF_ANY))
		return -errno;
	arrays->granules_used += entry.granules;
	arrays->rows_used += entry.rows;
	arrays->images_used++;
	*ret_number = number;
	return 0;
}
