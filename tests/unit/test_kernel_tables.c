// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// user/kernel: room in the arrays of tables, which is taken and given back, and slots
// that several files share.  The maps are this program's own.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/kernel/internal.h"
#include "../../user/unwind/unwind.h"
#include "tierscope.skel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SPACE	3
#define ROWS	64u
#define GRANULES 1024u
#define ENTRIES 16u
#define SLOT	0x10000ull
#define PLACE	0x7f0000000000ull

/* --- instead of libbpf's ---------------------------------------------------- */

static char slots_map, images_map, rows_map, granules_map;
static struct {
	struct ts_address_key key;
	struct ts_slot slot;
	bool used;
} slots[64];
static struct ts_image images[ENTRIES];

static int slot_index(const struct ts_address_key *key, bool make)
{
	for (int i = 0; i < 64; i++)
		if (slots[i].used && !memcmp(&slots[i].key, key, sizeof(*key)))
			return i;
	for (int i = 0; make && i < 64; i++)
		if (!slots[i].used) {
			slots[i].used = true;
			slots[i].key = *key;
			return i;
		}
	return -1;
}

static bool is_slots(const struct bpf_map *map)
{
	return (const void *)map == &slots_map;
}

int bpf_map__update_elem(const struct bpf_map *map, const void *key, size_t key_size,
			 const void *value, size_t value_size, __u64 flags)
{
	(void)key_size;
	if (is_slots(map)) {
		assert_int_equal(value_size, sizeof(struct ts_slot));
		if (flags == BPF_NOEXIST && slot_index(key, false) >= 0) {
			errno = EEXIST;
			return -EEXIST;
		}
		slots[slot_index(key, true)].slot = *(const struct ts_slot *)value;
		return 0;
	}
	assert_true(*(const __u32 *)key < ENTRIES);
	images[*(const __u32 *)key] = *(const struct ts_image *)value;
	return 0;
}

int bpf_map__lookup_elem(const struct bpf_map *map, const void *key, size_t key_size,
			 void *value, size_t value_size, __u64 flags)
{
	int index;

	(void)key_size, (void)flags, (void)value_size;
	if (!is_slots(map)) {
		*(struct ts_image *)value = images[*(const __u32 *)key];
		return 0;
	}
	index = slot_index(key, false);
	if (index < 0)
		return -ENOENT;
	*(struct ts_slot *)value = slots[index].slot;
	return 0;
}

int bpf_map__delete_elem(const struct bpf_map *map, const void *key, size_t key_size,
			 __u64 flags)
{
	int index = slot_index(key, false);

	(void)map, (void)key_size, (void)flags;
	if (index >= 0)
		slots[index].used = false;
	return 0;
}

__u32 bpf_map__max_entries(const struct bpf_map *map)
{
	return (const void *)map == &rows_map ? 917504 :
	       (const void *)map == &granules_map ? 81920 : 1536;
}

int bpf_map__fd(const struct bpf_map *map)
{
	int fd = memfd_create("array", MFD_CLOEXEC);
	size_t element = (const void *)map == &rows_map ? sizeof(struct ts_image_row) :
							  sizeof(struct ts_image_granules);

	assert_return_code(fd, errno);
	assert_int_equal(ftruncate(fd, (off_t)(element * bpf_map__max_entries(map))), 0);
	return fd;
}

/* --- the kernel side --------------------------------------------------------- */

static struct kernel kernel;
static struct tierscope skeleton;
static struct tierscope__data data;
static struct ts_image_row rows[ROWS];
static uint32_t granules[GRANULES];

static int setup(void **state)
{
	(void)state;
	memset(slots, 0, sizeof(slots));
	memset(images, 0, sizeof(images));
	memset(rows, 0, sizeof(rows));
	skeleton.maps.slots = (struct bpf_map *)&slots_map;
	skeleton.maps.images = (struct bpf_map *)&images_map;
	skeleton.data = (void *)&data;
	kernel = (struct kernel){.skeleton = &skeleton,
				 .images = {.rows = rows, .granules = granules}};
	ranges__give(&kernel.images.of_rules.rows, 0, ROWS);
	ranges__give(&kernel.images.of_rules.granules, 0, GRANULES);
	ranges__give(&kernel.images.of_rules.numbers, 1, ENTRIES - 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ranges__free(&kernel.images.of_rules.rows);
	ranges__free(&kernel.images.of_rules.granules);
	ranges__free(&kernel.images.of_rules.numbers);
	return 0;
}

/* A table whose code is [begin, end). */
static uint32_t add(uint32_t begin, uint32_t end, uint32_t count, int *ret_err)
{
	struct ts_image_row made[ROWS] = {{begin, 77}};
	struct unwind_table table = {.rows = made, .count = count};
	uint32_t number = 0;

	for (uint32_t i = 1; i + 1 < count; i++)
		made[i] = (struct ts_image_row){begin + i, 77 + i};
	made[count - 1] = (struct ts_image_row){end, TS_SHAPE_GAP};
	*ret_err = kernel__add_rules(&kernel, &table, &number);
	return number;
}

static struct ts_slot slot_at(uint64_t address)
{
	struct ts_address_key key = {.space = SPACE, .number = address >> TS_SLOT_SHIFT};
	int index = slot_index(&key, false);

	assert_true(index >= 0);
	return slots[index].slot;
}

static void assert_tables(uint64_t address, uint32_t image, uint32_t first, uint32_t second)
{
	struct ts_slot slot = slot_at(address);

	assert_int_equal(slot.image, image);
	assert_int_equal(slot.table[0], first);
	assert_int_equal(slot.table[1], second);
}

/* --- tests ------------------------------------------------------------------- */

static void what_is_given_back_grows_together(void **state)
{
	struct ranges ranges = {NULL, 0, 0};
	uint32_t at[4];

	(void)state;
	ranges__give(&ranges, 5, 40);
	for (int i = 0; i < 4; i++) {
		assert_true(ranges__take(&ranges, 10, &at[i]));
		assert_int_equal(at[i], 5 + 10 * i);
	}
	assert_false(ranges__take(&ranges, 1, &at[0]));
	ranges__give(&ranges, 5, 10);
	ranges__give(&ranges, 25, 10);
	assert_int_equal(ranges.count, 2);
	assert_false(ranges__take(&ranges, 11, &at[0]));
	ranges__give(&ranges, 15, 10);	/* between the two */
	assert_int_equal(ranges.count, 1);
	ranges__give(&ranges, 35, 10);
	assert_int_equal(ranges.count, 1);
	assert_true(ranges__take(&ranges, 40, &at[0]));
	assert_int_equal(at[0], 5);
	assert_int_equal(ranges.count, 0);
	ranges__free(&ranges);
}

static void a_table_lies_in_the_arrays(void **state)
{
	int err;
	uint32_t number = add(0x1010, 0x10c8, 5, &err);
	const struct ts_image *image = &images[number];

	(void)state;
	assert_int_equal(err, 0);
	assert_int_equal(number, 1);
	assert_int_equal(image->size, 0x10c8);
	assert_int_equal(image->text_rva, 0x1000);
	assert_int_equal(image->rows, 5);
	assert_int_equal(image->granules, 4);
	assert_int_equal(rows[image->first_row].shape, 77);
	assert_int_equal(rows[image->first_row + 4].shape, TS_SHAPE_GAP);
	/* The first byte of the second granule is the last rule's. */
	assert_int_equal(granules[image->first_granule], image->first_row);
	assert_int_equal(granules[image->first_granule + 1], image->first_row + 3);
}

static void dropped_tables_make_room(void **state)
{
	uint32_t first, second, third;
	int err;

	(void)state;
	first = add(0, 64, 30, &err);
	assert_int_equal(err, 0);
	second = add(0, 64, 30, &err);
	assert_int_equal(err, 0);
	add(0, 64, 10, &err);
	assert_int_equal(err, -ENOSPC);
	/* What was taken before it was known is given back. */
	assert_int_equal(kernel.images.of_rules.rows.count, 1);
	assert_int_equal(kernel.images.of_rules.numbers.items[0].first, 3);
	kernel__drop_rules(&kernel, first);
	assert_int_equal(images[first].size, 0);
	third = add(0, 64, 20, &err);
	assert_int_equal(err, 0);
	assert_int_equal(third, first);
	assert_int_equal(images[third].first_row, 0);
	assert_int_equal(images[second].first_row, 30);
	kernel__drop_rules(&kernel, first);
	kernel__drop_rules(&kernel, first);	/* once more: nothing is given back twice */
	kernel__drop_rules(&kernel, second);
	assert_int_equal(kernel.images.of_rules.rows.count, 1);
	assert_int_equal(kernel.images.of_rules.rows.items[0].count, ROWS);
}

static void files_and_code_share_slots(void **state)
{
	uint32_t numbers[4];
	int err;

	(void)state;
	/* Each has code from 0x1000 to 0x3000 of where it lies. */
	for (int i = 0; i < 4; i++) {
		numbers[i] = add(0x1000, 0x3000, 2, &err);
		assert_int_equal(err, 0);
	}
	for (int i = 0; i < 3; i++) {
		uint64_t base = PLACE + 0x4000 * i;

		assert_int_equal(kernel__map_rules(&kernel, SPACE, numbers[i], base,
						   base + 0x1000, base + 0x3000), 0);
		assert_tables(PLACE, TS_SLOT_NATIVE, numbers[0],
			      i ? numbers[i] : 0);	/* the third goes before the second */
	}
	/* The same mapping once more changes nothing. */
	data.code_epoch = 0;
	kernel__map_rules(&kernel, SPACE, numbers[2], PLACE + 0x8000, PLACE + 0x9000,
			  PLACE + 0xb000);
	assert_tables(PLACE, TS_SLOT_NATIVE, numbers[0], numbers[2]);
	assert_int_equal(data.code_epoch, 0);
	/* Code of the runtime's beside them; another file over the first. */
	kernel__map_other(&kernel, SPACE, TS_SLOT_JIT, PLACE + 0xe000, PLACE + 0xf000);
	assert_tables(PLACE, TS_SLOT_JIT, numbers[0], numbers[2]);
	kernel__map_other(&kernel, SPACE, TS_SLOT_NATIVE, PLACE + 0x1000, PLACE + 0x2000);
	assert_tables(PLACE, TS_SLOT_JIT, numbers[2], 0);
	kernel__map_rules(&kernel, SPACE, numbers[3], PLACE, PLACE + 0x1000, PLACE + 0x3000);
	assert_tables(PLACE, TS_SLOT_JIT, numbers[2], numbers[3]);
	/* An image that begins there, and covers one of them. */
	assert_int_equal(kernel__map_image(&kernel, SPACE, 9, PLACE + 0x8000, SLOT), 0);
	assert_tables(PLACE, 9, numbers[3], 0);
	assert_true(slot_at(PLACE).base == PLACE + 0x8000);
	assert_tables(PLACE + SLOT, 9, 0, 0);
	/* All of the slot is something else now. */
	kernel__map_other(&kernel, SPACE, TS_SLOT_JIT, PLACE, PLACE + SLOT);
	assert_tables(PLACE, TS_SLOT_JIT, 0, 0);
	assert_int_equal(data.code_epoch, 5);
}

/* Of a file that lies in several slots, whole ones and parts. */
static void a_large_file_has_all_its_slots(void **state)
{
	uint32_t number, other;
	int err;

	(void)state;
	other = add(0x1000, 0x3000, 2, &err);
	assert_int_equal(err, 0);
	number = add(64, 128, 2, &err);
	assert_int_equal(err, 0);
	kernel__map_other(&kernel, SPACE, TS_SLOT_JIT, PLACE, PLACE + 4 * SLOT);
	kernel__map_rules(&kernel, SPACE, other, PLACE, PLACE + 0x1000, PLACE + 0x3000);
	kernel__map_rules(&kernel, SPACE, number, PLACE + 0x8000, PLACE + 0x8000,
			  PLACE + 2 * SLOT + 0x1000);
	assert_tables(PLACE, TS_SLOT_JIT, other, number);
	assert_tables(PLACE + SLOT, TS_SLOT_NATIVE, number, 0);
	assert_tables(PLACE + 2 * SLOT, TS_SLOT_JIT, number, 0);
	assert_tables(PLACE + 3 * SLOT, TS_SLOT_JIT, 0, 0);
	assert_true(slot_at(PLACE).table_base[1] == PLACE + 0x8000);
	/* Its table is gone: whoever comes next takes the place. */
	kernel__drop_rules(&kernel, number);
	kernel__map_other(&kernel, SPACE, TS_SLOT_NATIVE, PLACE + 0xf000, PLACE + 0xf800);
	assert_tables(PLACE, TS_SLOT_JIT, other, 0);
}

static uint32_t room(const struct ranges *ranges)
{
	assert_int_equal(ranges->count, 1);
	return ranges->items[0].count;
}

/* However much native code is mapped, images have what they need. */
static void native_files_leave_the_images_their_room(void **state)
{
	static struct ts_image_row many[400000];
	struct unwind_table table = {.rows = many, .count = 400000};
	struct kernel whole = {.skeleton = &skeleton};
	uint32_t number;

	(void)state;
	skeleton.maps.image_rows = (struct bpf_map *)&rows_map;
	skeleton.maps.image_granules = (struct bpf_map *)&granules_map;
	assert_int_equal(image_arrays__open(&whole), 0);
	for (uint32_t i = 0; i < table.count; i++)
		many[i].begin = i;
	/* The arrays' ends are not the entries': the number is looked at only here. */
	whole.images.of_rules.numbers.items[0].first = 1;
	assert_int_equal(kernel__add_rules(&whole, &table, &number), 0);
	assert_true(images[number].first_row >= 393216);
	assert_true(images[number].first_granule >= 49152 * TS_IMAGE_GRANULES);
	assert_int_equal(kernel__add_rules(&whole, &table, &number), -ENOSPC);
	assert_int_equal(room(&whole.images.of_images.rows), 393216);
	assert_int_equal(room(&whole.images.of_images.granules), 49152 * TS_IMAGE_GRANULES);
	assert_int_equal(room(&whole.images.of_images.numbers), 1023);
	image_arrays__close(&whole);
}

/* Who asks need not make room for it, or ask again. */
static void what_never_fits_says_so(void **state)
{
	static struct ts_image_row many[600000];
	struct unwind_table long_one = {.rows = many, .count = 600000};
	struct unwind_table wide_one = {.rows = many, .count = 2};
	uint32_t number = 0;

	(void)state;
	for (uint32_t i = 0; i < long_one.count; i++)
		many[i].begin = i;
	assert_int_equal(kernel__add_rules(&kernel, &long_one, &number), -EFBIG);
	many[1].begin = 64 << 20;
	assert_int_equal(kernel__add_rules(&kernel, &wide_one, &number), -EFBIG);
	assert_int_equal(number, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_given_back_grows_together),
		TEST(a_table_lies_in_the_arrays),
		TEST(dropped_tables_make_room),
		TEST(native_files_leave_the_images_their_room),
		TEST(what_never_fits_says_so),
		TEST(files_and_code_share_slots),
		TEST(a_large_file_has_all_its_slots),
	};

	return cmocka_run_group_tests_name("kernel_tables", tests, NULL, NULL);
}
