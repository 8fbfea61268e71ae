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

#define NO_ROW UINT32_MAX

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

	err = map_array(kernel->skeleton->maps.image_granules, sizeof(uint32_t),
			(void **)&arrays->granules, &arrays->granules_max);
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

/* Each granule names the first function that ends behind its first byte. */
static void fill_granules(uint32_t *granules, uint32_t count, uint32_t text_rva,
			  const struct ts_image_row *rows, uint32_t rows_count,
			  uint32_t first_row)
{
	uint32_t row = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t rva = text_rva + (i << TS_GRANULE_SHIFT);

		while (row < rows_count && rows[row].end <= rva)
			row++;
		granules[i] = row < rows_count ? first_row + row : NO_ROW;
	}
}

int kernel__add_image(struct kernel *kernel, const struct image *image,
		      uint32_t *ret_number)
{
	struct image_arrays *arrays = &kernel->images;
	const struct ts_image_row *rows;
	uint32_t count = image__rows(image, &rows), number = arrays->images_used;
	struct ts_image entry = { .size = image__size(image) };

	if (count) {
		entry.text_rva = rows[0].begin & ~15u;
		entry.granules = ((rows[count - 1].end - entry.text_rva) >>
				  TS_GRANULE_SHIFT) + 1;
	}
	entry.first_granule = arrays->granules_used;
	entry.first_row = arrays->rows_used;
	entry.rows = count;
	/* One row more: a fence, so that a search never runs into the next image. */
	if (number >= bpf_map__max_entries(kernel->skeleton->maps.images) ||
	    entry.granules > arrays->granules_max - arrays->granules_used ||
	    (size_t)count + 1 > arrays->rows_max - arrays->rows_used)
		return -ENOSPC;
	memcpy(arrays->rows + entry.first_row, rows, count * sizeof(*rows));
	arrays->rows[entry.first_row + count] =
		(struct ts_image_row){ .begin = UINT32_MAX, .end = UINT32_MAX };
	fill_granules(arrays->granules + entry.first_granule, entry.granules,
		      entry.text_rva, rows, count, entry.first_row);
	if (bpf_map__update_elem(kernel->skeleton->maps.images, &number, sizeof(number),
				 &entry, sizeof(entry), BPF_ANY))
		return -errno;
	arrays->granules_used += entry.granules;
	arrays->rows_used += count + 1;
	arrays->images_used++;
	*ret_number = number;
	return 0;
}
