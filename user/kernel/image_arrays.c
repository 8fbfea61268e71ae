// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Tables of precompiled images and of native files, in arrays that are mapped into both
// worlds: a table is a copy, not thousands of system calls.  Rows come first, granules second,
// the image's entry third, and the slots of a process last, so the sampler never sees half a
// table.
#include "internal.h"

#include "../image/image.h"
#include "../unwind/unwind.h"
#include "tierscope.skel.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* At the end of the arrays, for native files: 4 MB of rows, 32 MB of code. */
#define RULES_ROWS     (512u << 10)
#define RULES_GRANULES (512u << 10)
#define RULES_NUMBERS  512u

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

static void share_out(struct table_room *images, struct table_room *rules, uint32_t rows,
		      uint32_t granules, uint32_t numbers)
{
	ranges__give(&images->rows, 0, rows - RULES_ROWS);
	ranges__give(&rules->rows, rows - RULES_ROWS, RULES_ROWS);
	ranges__give(&images->granules, 0, granules - RULES_GRANULES);
	ranges__give(&rules->granules, granules - RULES_GRANULES, RULES_GRANULES);
	ranges__give(&images->numbers, 1, numbers - RULES_NUMBERS - 1);
	ranges__give(&rules->numbers, numbers - RULES_NUMBERS, RULES_NUMBERS);
}

static void free_room(struct table_room *room)
{
	ranges__free(&room->rows);
	ranges__free(&room->granules);
	ranges__free(&room->numbers);
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
	if (err)
		return err;
	share_out(&arrays->of_images, &arrays->of_rules, (uint32_t)arrays->rows_max,
		  (uint32_t)arrays->granules_max,
		  bpf_map__max_entries(kernel->skeleton->maps.images));
	return 0;
}

void image_arrays__close(struct kernel *kernel)
{
	struct image_arrays *arrays = &kernel->images;

	if (arrays->granules)
		munmap(arrays->granules, arrays->granules_max * sizeof(uint32_t));
	if (arrays->rows)
		munmap(arrays->rows, arrays->rows_max * sizeof(struct ts_image_row));
	free_room(&arrays->of_images);
	free_room(&arrays->of_rules);
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

static void fill_rows(struct image_arrays *arrays, uint32_t at, const struct image_row *rows,
		      uint32_t count)
{
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

static void give_room(struct table_room *room, uint32_t number,
		      const struct ts_image *entry)
{
	ranges__give(&room->numbers, number, 1);
	ranges__give(&room->rows, entry->first_row, entry->rows);
	if (entry->granules)
		ranges__give(&room->granules, entry->first_granule, entry->granules);
}

/* Of code in [begin, end). */
static void set_granules(struct ts_image *entry, uint32_t begin, uint32_t end)
{
	if (end <= begin)
		return;
	entry->text_rva = begin & -(1u << TS_IMAGE_GRANULE_SHIFT);
	entry->granules = ((end - entry->text_rva) >> TS_IMAGE_GRANULE_SHIFT) + 1;
}

/* Room for the entry's rows and granules; -ENOSPC: the tables are full. */
static int take_room(struct table_room *room, struct ts_image *entry, uint32_t *ret_number)
{
	if (!ranges__take(&room->numbers, 1, ret_number))
		return -ENOSPC;
	if (!ranges__take(&room->rows, entry->rows, &entry->first_row))
		goto number;
	if (entry->granules && !ranges__take(&room->granules, entry->granules,
					     &entry->first_granule))
		goto rows;
	return 0;
rows:
	ranges__give(&room->rows, entry->first_row, entry->rows);
number:
	ranges__give(&room->numbers, *ret_number, 1);
	return -ENOSPC;
}

/* Its rows are there. */
static int publish(struct kernel *kernel, struct table_room *room, uint32_t number,
		   const struct ts_image *entry, uint32_t *ret_number)
{
	int err = 0;

	fill_granules(&kernel->images, entry);
	if (bpf_map__update_elem(kernel->skeleton->maps.images, &number, sizeof(number),
				 entry, sizeof(*entry), BPF_ANY)) {
		err = -errno;
		give_room(room, number, entry);
	} else {
		*ret_number = number;
	}
	return err;
}

int kernel__add_image(struct kernel *kernel, const struct image *image,
		      uint32_t *ret_number)
{
	const struct image_row *rows;
	uint32_t count = image__rows(image, &rows), number;
	struct ts_image entry = { .size = image__size(image),
				  .rows = (uint32_t)rows_needed(rows, count) };
	struct table_room *room = &kernel->images.of_images;
	int err;

	set_granules(&entry, count ? rows[0].begin : 0, count ? rows[count - 1].end : 0);
	err = take_room(room, &entry, &number);
	if (err)
		return err;
	fill_rows(&kernel->images, entry.first_row, rows, count);
	return publish(kernel, room, number, &entry, ret_number);
}

int kernel__add_rules(struct kernel *kernel, const struct unwind_table *table,
		      uint32_t *ret_number)
{
	uint32_t end = table->rows[table->count - 1].begin, number;
	struct ts_image entry = { .size = end, .rows = table->count };
	struct table_room *room = &kernel->images.of_rules;
	int err;

	set_granules(&entry, table->rows[0].begin, end);
	if (entry.rows > RULES_ROWS || entry.granules > RULES_GRANULES)
		return -EFBIG;
	err = take_room(room, &entry, &number);
	if (err)
		return err;
	memcpy(kernel->images.rows + entry.first_row, table->rows,
	       table->count * sizeof(*table->rows));
	return publish(kernel, room, number, &entry, ret_number);
}

static bool read_entry(const struct kernel *kernel, uint32_t number, struct ts_image *entry)
{
	return !bpf_map__lookup_elem(kernel->skeleton->maps.images, &number, sizeof(number),
				     entry, sizeof(*entry), 0) && entry->size;
}

void kernel__drop_rules(struct kernel *kernel, uint32_t number)
{
	static const struct ts_image none;
	struct ts_image entry;

	/* Where it cannot be taken out, its room is not given to others. */
	if (read_entry(kernel, number, &entry) &&
	    !bpf_map__update_elem(kernel->skeleton->maps.images, &number, sizeof(number),
				  &none, sizeof(none), BPF_ANY))
		give_room(&kernel->images.of_rules, number, &entry);
}

bool image_arrays__code(const struct kernel *kernel, uint32_t number, uint64_t *ret_from,
			uint64_t *ret_to)
{
	struct ts_image entry;

	if (!read_entry(kernel, number, &entry))
		return false;
	*ret_from = entry.text_rva;
	*ret_to = entry.size;
	return true;
}
