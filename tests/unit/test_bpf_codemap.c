// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// bpf/codemap.bpf.h and codefind.bpf.h: bodies come and go, and at each moment
// an address leads to the body that lies there or to none.
#include "bpf_shim.h"
#include "bpf_vectors.h"

#include "../../bpf/codefind.bpf.h"

#include "bpf_counted.h"

#define SPACE 7
#define BASE  0x7f0000100000ULL
#define ROWS  32
#define PAGES 16

static struct ts_space space;

static int setup(void **state)
{
	shim__clear();
	SHIM_MAP(slots, 8);
	SHIM_MAP(jit_slots, 8);
	SHIM_MAP(jit_granules, PAGES);
	SHIM_MAP(bodies, ROWS);
	SHIM_MAP(leaf_counts, ROWS * TS_EVENTS_MAX);
	SHIM_MAP(free_rows, ROWS);
	SHIM_MAP(free_pages, PAGES);
	SHIM_MAP(images, 4);
	SHIM_MAP(image_granules, 64);
	SHIM_MAP(image_rows, 64);
	SHIM_MAP(ledger, TS_LEDGER_SLOTS);
	next_row = next_page = 1;
	events_counted = TS_EVENTS_MAX;
	free_rows_top = free_pages_top = 0;
	rows_max = ROWS;
	pages_max = PAGES;
	space_bodies_max = 1000;
	space = (struct ts_space){.number = SPACE};
	return 0;
}

static int teardown(void **state)
{
	shim__clear();
	return 0;
}

static int try_insert(struct ts_space *owner, __u64 start, __u32 size, __u64 function,
		      struct placed *ret_placed)
{
	struct ts_journal_record record = {
		.start = start, .size = size, .function_id = function, .shape = 0x1234};

	*ret_placed = (struct placed){};
	return body_insert(owner, &record, ret_placed);
}

static struct placed insert(__u64 start, __u32 size, __u64 function)
{
	struct placed placed;

	assert_int_equal(try_insert(&space, start, size, function, &placed), 0);
	assert_int_not_equal(placed.row, 0);
	return placed;
}

static struct placed take_out(__u64 start)
{
	struct placed placed = {};

	assert_int_equal(body_remove(SPACE, start, &space.bodies, &placed), 0);
	return placed;
}

static struct found find(__u32 number, __u64 address)
{
	struct found found;

	code_find(number, address, &found);
	return found;
}

static bool same(struct placed a, struct placed b)
{
	return a.row == b.row && a.generation == b.generation;
}

static void assert_raw(__u64 address)
{
	struct found found = find(SPACE, address);

	assert_true(found.frame == address);
	assert_int_equal(found.row, 0);
}

static void assert_body(__u64 address, struct placed placed, __u64 start, __u32 size)
{
	struct found found = find(SPACE, address);

	assert_true(found.frame ==
		    TS_FRAME_MAKE(TS_FRAME_TAG_BODY, placed.generation, placed.row));
	assert_int_equal(found.offset, address - start);
	assert_int_equal(found.size, size);
	assert_int_equal(found.shape, 0x1234);
}

/* From its first byte to its last, and not one further. */
static void assert_covers(struct placed placed, __u64 start, __u32 size)
{
	assert_body(start, placed, start, size);
	assert_body(start + size / 2, placed, start, size);
	assert_body(start + size - 1, placed, start, size);
	assert_raw(start - 1);
	assert_raw(start + size);
}

/* --- one body ------------------------------------------------------------- */

static void bodies_of_every_size_and_place_are_found(void **state)
{
	static const struct {
		__u64 start;
		__u32 size;
	} bodies_at[] = {
		{BASE, 1},	     {BASE, 15},
		{BASE, 16},	     {BASE, 17},
		{BASE + 0xff0, 16}, /* a page's last granule */
		{BASE + 0xff0, 17}, /* one byte on the next page */
		{BASE + 0xfff, 1},   {BASE + 0x1000, 1},
		{BASE, 4096},	     {BASE + 0x40, 8192}, /* three pages */
		{BASE + 0xfff0, 32},			  /* two slots */
		{BASE + 3, 30},				  /* unaligned */
		{0x10000, 16},	     {(1ULL << 47) - 64, 64},
	};

	for (size_t b = 0; b < sizeof(bodies_at) / sizeof(bodies_at[0]); b++) {
		__u64 start = bodies_at[b].start;
		__u32 size = bodies_at[b].size;
		struct placed placed;

		setup(state);
		placed = insert(start, size, 1);
		assert_covers(placed, start, size);
		assert_int_equal(space.bodies, 1);
		assert_true(same(take_out(start), placed));
		assert_raw(start);
		assert_raw(start + size - 1);
		assert_int_equal(space.bodies, 0);
	}
}

static void the_biggest_body_is_found_and_a_bigger_one_refused(void **state)
{
	struct placed placed;

	shim__clear();
	SHIM_MAP(slots, 128);
	SHIM_MAP(jit_slots, 128);
	SHIM_MAP(jit_granules, 2048);
	SHIM_MAP(bodies, ROWS);
	SHIM_MAP(leaf_counts, ROWS * TS_EVENTS_MAX);
	SHIM_MAP(free_rows, ROWS);
	SHIM_MAP(free_pages, 2048);
	SHIM_MAP(ledger, TS_LEDGER_SLOTS);
	pages_max = 2048;
	placed = insert(BASE + 16, TS_BODY_SIZE_MAX, 1);
	assert_covers(placed, BASE + 16, TS_BODY_SIZE_MAX);
	for (__u32 offset = 0; offset < TS_BODY_SIZE_MAX; offset += 0xfff)
		assert_body(BASE + 16 + offset, placed, BASE + 16, TS_BODY_SIZE_MAX);
	take_out(BASE + 16);
	for (__u32 offset = 0; offset < TS_BODY_SIZE_MAX; offset += 0xff1)
		assert_int_equal(row_at(SPACE, BASE + 16 + offset), 0);
	assert_int_equal(try_insert(&space, BASE, TS_BODY_SIZE_MAX + 1, 1, &placed),
			 -EINVAL);
}

static void nonsense_is_refused(void **state)
{
	static const struct {
		__u64 start;
		__u32 size;
	} nonsense[] = {{BASE, 0},	 {0, 16},
			{0xffff, 16},	 {1ULL << 56, 16},
			{~0ULL, 1},	 {~0ULL - 15, 16},
			{BASE, ~0u},	 {0xffff888000000000ULL, 16},
			{BASE, 1u << 31}};

	for (size_t n = 0; n < sizeof(nonsense) / sizeof(nonsense[0]); n++) {
		struct placed placed;

		assert_int_equal(try_insert(&space, nonsense[n].start, nonsense[n].size,
					    1, &placed),
				 -EINVAL);
		assert_int_equal(placed.row, 0);
	}
	assert_int_equal(next_row, 1);
	assert_int_equal(next_page, 1);
}

static void other_processes_see_nothing_of_it(void **state)
{
	struct ts_space other = {.number = 8};
	struct placed mine = insert(BASE, 64, 1), theirs;

	assert_true(find(8, BASE).frame == BASE);
	assert_int_equal(try_insert(&other, BASE, 128, 2, &theirs), 0);
	assert_body(BASE, mine, BASE, 64);
	assert_raw(BASE + 64);
	assert_int_equal(find(8, BASE + 64).row, theirs.row);
	assert_int_equal(body_remove(8, BASE, &other.bodies, &theirs), 0);
	assert_body(BASE, mine, BASE, 64);
	assert_int_equal(body_remove(8, BASE, &other.bodies, &theirs), -ENOENT);
}

/* --- several bodies -------------------------------------------------------- */

static void neighbours_do_not_mix(void **state)
{
	struct placed a = insert(BASE, 0x20, 1);
	struct placed b = insert(BASE + 0x20, 0x13, 2);
	struct placed c = insert(BASE + 0x40, 0x10, 3);

	assert_body(BASE + 0x1f, a, BASE, 0x20);
	assert_body(BASE + 0x20, b, BASE + 0x20, 0x13);
	assert_body(BASE + 0x32, b, BASE + 0x20, 0x13);
	assert_raw(BASE + 0x33);
	assert_raw(BASE + 0x3f);
	assert_body(BASE + 0x40, c, BASE + 0x40, 0x10);
	take_out(BASE + 0x20);
	assert_body(BASE + 0x1f, a, BASE, 0x20);
	assert_raw(BASE + 0x20);
	assert_body(BASE + 0x40, c, BASE + 0x40, 0x10);
	/* Also when the one below comes last. */
	b = insert(BASE + 0x20, 0x20, 4);
	assert_body(BASE + 0x1f, a, BASE, 0x20);
	assert_body(BASE + 0x3f, b, BASE + 0x20, 0x20);
	assert_body(BASE + 0x40, c, BASE + 0x40, 0x10);
}

static void a_body_told_twice_keeps_its_row(void **state)
{
	struct placed first = insert(BASE, 64, 1);

	assert_true(same(insert(BASE, 64, 1), first));
	assert_int_equal(space.bodies, 1);
	assert_int_equal(next_row, 2);
	assert_body(BASE, first, BASE, 64);
}

static void a_reused_row_has_another_generation(void **state)
{
	struct placed first = insert(BASE, 64, 1), second;

	take_out(BASE);
	second = insert(BASE + 0x1000, 32, 2);
	assert_int_equal(second.row, first.row);
	assert_int_not_equal(second.generation, first.generation);
	assert_raw(BASE);
	assert_covers(second, BASE + 0x1000, 32);
}

static void a_reused_row_counts_from_zero(void **state)
{
	struct placed placed = insert(BASE, 64, 1);
	struct placed another = insert(BASE + 64, 64, 2);

	for (__u32 e = 0; e < events_counted; e++)
		*leaf_count(placed.row, e) = *leaf_count(another.row, e) = 5 + e;
	assert_null(leaf_count(placed.row, events_counted));
	take_out(BASE);
	assert_int_equal(*leaf_count(placed.row, 0), 5); /* is still to be read */
	insert(BASE, 64, 2);
	for (__u32 e = 0; e < events_counted; e++) {
		assert_int_equal(*leaf_count(placed.row, e), 0);
		assert_int_equal(*leaf_count(another.row, e), 5 + e);
	}
}

/* Recycled addresses whose unload nobody saw: the newer body wins. */
static void the_newer_of_two_at_one_address_wins(void **state)
{
	struct placed newer, newest;

	insert(BASE, 0x80, 1);
	newer = insert(BASE, 0x40, 2);
	assert_body(BASE, newer, BASE, 0x40);
	assert_raw(BASE + 0x40);
	assert_raw(BASE + 0x7f);
	assert_int_equal(space.bodies, 1);
	/* Same extent, another function. */
	newest = insert(BASE, 0x40, 3);
	assert_false(same(newest, newer));
	assert_covers(newest, BASE, 0x40);
	assert_int_equal(space.bodies, 1);
}

static void an_overlapped_tail_stays_the_older_bodys(void **state)
{
	struct placed older = insert(BASE, 0x40, 1);
	struct placed newer = insert(BASE + 0x20, 0x40, 2);

	assert_body(BASE + 0x1f, older, BASE, 0x40);
	assert_body(BASE + 0x20, newer, BASE + 0x20, 0x40);
	assert_body(BASE + 0x5f, newer, BASE + 0x20, 0x40);
	take_out(BASE); /* clears only its own granules */
	assert_raw(BASE + 0x1f);
	assert_body(BASE + 0x20, newer, BASE + 0x20, 0x40);
}

/* Recycled addresses must not use the rows up, however often. */
static void rows_of_replaced_bodies_come_back(void **state)
{
	for (int round = 0; round < 10 * ROWS; round++) {
		struct placed placed;

		/* Three small ones, then one over all three, from a bit before. */
		insert(BASE + 0x10, 0x20, 4 * round);
		insert(BASE + 0x30, 0x20, 4 * round + 1);
		insert(BASE + 0x50, 0x20, 4 * round + 2);
		placed = insert(BASE, 0x100, 4 * round + 3);
		assert_covers(placed, BASE, 0x100);
		assert_int_equal(space.bodies, 1);
		take_out(BASE);
		assert_int_equal(space.bodies, 0);
	}
	assert_in_range(next_row, 1, 6);
	assert_int_equal(counted(TS_LEDGER_ROWS_FULL), 0);
}

static void removing_what_is_not_there_changes_nothing(void **state)
{
	struct placed placed = insert(BASE, 64, 1), ignored = {};

	assert_int_equal(body_remove(SPACE, BASE + 16, &space.bodies, &ignored),
			 -ENOENT);
	assert_int_equal(body_remove(SPACE, BASE + 0x100, &space.bodies, &ignored),
			 -ENOENT);
	assert_int_equal(body_remove(SPACE, BASE + 0x10000, &space.bodies, &ignored),
			 -ENOENT);
	assert_int_equal(ignored.row, 0);
	assert_covers(placed, BASE, 64);
	take_out(BASE);
	assert_int_equal(body_remove(SPACE, BASE, &space.bodies, &ignored), -ENOENT);
	assert_int_equal(space.bodies, 0);
}

/* --- limits ----------------------------------------------------------------- */

static void full_rows_are_counted_and_nothing_else_suffers(void **state)
{
	struct placed placed;

	for (int b = 1; b < ROWS; b++)
		insert(BASE + 0x40 * b, 0x40, b);
	for (int again = 1; again <= 3; again++) {
		assert_int_equal(try_insert(&space, BASE, 0x40, 99, &placed), -ENOSPC);
		assert_int_equal(placed.row, 0);
		assert_int_equal(counted(TS_LEDGER_ROWS_FULL), again);
	}
	assert_raw(BASE);
	assert_int_equal(space.bodies, ROWS - 1);
	assert_int_equal(next_row, ROWS); /* and does not run away */
	take_out(BASE + 0x40);
	insert(BASE, 0x40, 99);
}

/* A body that finds no room is not there at all, and takes no room. */
static void full_pages_are_counted_and_the_body_taken_back(void **state)
{
	struct ts_space other = {.number = 8};
	struct placed placed, fits;

	for (int p = 0; p < 12; p++)
		insert(BASE + 0x1000 * p, 0x40, p);
	/* Three pages are left (page 0 is none); this would need four. */
	assert_int_equal(try_insert(&other, BASE + 0x10, 0x3000, 1, &placed), -ENOSPC);
	assert_int_equal(counted(TS_LEDGER_PAGES_FULL), 1);
	assert_int_equal(other.bodies, 0);
	assert_int_equal(placed.row, 0);
	for (int p = 0; p < 4; p++)
		assert_int_equal(row_at(8, BASE + 0x1000 * p + 0x10), 0);
	assert_int_equal(try_insert(&other, BASE, 0x3000, 1, &fits), 0);
	assert_int_equal(find(8, BASE + 0x2fff).row, fits.row);
	assert_int_equal(counted(TS_LEDGER_PAGES_FULL), 1);
}

static void full_slots_are_counted_and_the_body_taken_back(void **state)
{
	struct placed placed;

	for (int s = 0; s < 8; s++)
		insert(BASE + 0x10000 * s, 0x40, s);
	assert_int_equal(try_insert(&space, BASE + 0x80000, 0x40, 9, &placed), -ENOSPC);
	assert_int_equal(counted(TS_LEDGER_PAGES_FULL), 1);
	assert_int_equal(space.bodies, 8);
	assert_raw(BASE + 0x80000);
}

static void busy_maps_are_counted(void **state)
{
	struct placed placed;

	shim__map(&jit_slots)->fail_updates = 1;
	shim__map(&jit_slots)->fail_with = -EBUSY;
	assert_int_equal(try_insert(&space, BASE, 0x40, 1, &placed), -ENOSPC);
	assert_int_equal(counted(TS_LEDGER_MAP_BUSY), 1);
	assert_int_equal(space.bodies, 0);
	assert_covers(insert(BASE, 0x40, 1), BASE, 0x40);
	assert_int_equal(next_page, 2); /* none was taken in vain */
}

/* On another CPU, between a writer's look at the page and its swap. */
static void another_makes_the_page(void)
{
	struct placed placed;

	/* The second store: that of the page. */
	if (!jit_slot(SPACE, BASE))
		return;
	shim.on_store = NULL;
	assert_int_equal(try_insert(&space, BASE + 0x100, 0x40, 2, &placed), 0);
}

static void two_threads_make_one_page(void **state)
{
	shim.on_store = another_makes_the_page;
	assert_covers(insert(BASE, 0x40, 1), BASE, 0x40);
	assert_null(shim.on_store);
	assert_int_not_equal(find(SPACE, BASE + 0x100).row, 0);
	assert_int_equal(space.pages, 1);
	/* The page that was too many came back. */
	insert(BASE + 0x1000, 0x40, 3);
	assert_int_equal(next_page, 3);
}

/* A page that another thread puts into a slot while that is given back. */
static void another_fills_the_slot(void)
{
	struct ts_jit_slot *slot = jit_slot(SPACE, BASE);
	struct placed placed;

	/* The first store empties the slot; those of the granules follow. */
	if (!slot || !slot_is_empty(slot))
		return;
	shim.on_store = NULL;
	assert_int_equal(try_insert(&space, BASE + 0x1000, 0x40, 2, &placed), 0);
}

static void a_slot_that_is_filled_meanwhile_stays(void **state)
{
	insert(BASE, 0x40, 1);
	take_out(BASE);
	shim.on_store = another_fills_the_slot;
	assert_int_equal(page_remove(SPACE, BASE), 0);
	assert_null(shim.on_store);
	assert_int_not_equal(find(SPACE, BASE + 0x1000).row, 0);
	assert_raw(BASE);
}

static struct ts_jit_slot *slot_found_before;

/* The same, but by a thread that had found the slot before it was taken out. */
static void another_fills_the_slot_that_went(void)
{
	if (jit_slot(SPACE, BASE))
		return;
	shim.on_load = NULL;
	slot_found_before->page[1] = 7;
}

static void a_slot_that_is_filled_while_it_goes_comes_back(void **state)
{
	insert(BASE, 0x40, 1);
	take_out(BASE);
	slot_found_before = jit_slot(SPACE, BASE);
	shim.on_load = another_fills_the_slot_that_went;
	assert_int_equal(page_remove(SPACE, BASE), 0);
	assert_null(shim.on_load);
	assert_non_null(jit_slot(SPACE, BASE));
	assert_int_equal(jit_slot(SPACE, BASE)->page[1], 7);
}

/* On another CPU, between a writer's last look and its swap. */
static void others_change_the_rows_given_back(void)
{
	shim.on_store = NULL;
	assert_int_equal(free_row_take(), 1);
	assert_int_equal(free_row_take(), 2);
	free_row_give(1);
}

static void no_row_is_given_away_twice(void **state)
{
	for (__u32 row = 3; row; row--)
		free_row_give(row);
	/* 1 is on top again, but 2, which was below, is somebody's. */
	shim.on_store = others_change_the_rows_given_back;
	assert_int_equal(free_row_take(), 1);
	assert_int_equal(free_row_take(), 3);
	assert_int_equal(free_row_take(), 0);
	free_row_give(ROWS); /* no such row */
	assert_int_equal(free_row_take(), 0);
}

static void a_process_has_a_quota_of_bodies(void **state)
{
	struct ts_space other = {.number = 8};
	struct placed placed;

	space_bodies_max = 3;
	for (int b = 0; b < 3; b++)
		insert(BASE + 0x40 * b, 0x40, b);
	assert_int_equal(try_insert(&space, BASE + 0x100, 0x40, 9, &placed), -EDQUOT);
	assert_int_equal(counted(TS_LEDGER_QUOTA), 1);
	assert_raw(BASE + 0x100);
	/* What it has already may be told again, and others are not concerned. */
	insert(BASE, 0x40, 0);
	assert_int_equal(try_insert(&other, BASE, 0x40, 1, &placed), 0);
	take_out(BASE);
	insert(BASE + 0x100, 0x40, 9);
}

static void a_process_leaves_pages_for_others(void **state)
{
	struct ts_space other = {.number = 8};
	struct placed placed;
	int inserted = 0;

	for (int p = 0; p < 64; p++)
		if (!try_insert(&space, BASE + 0x1000 * p, 0x40, p, &placed))
			inserted++;
	assert_int_equal(inserted, PAGES - PAGES / 4);
	assert_int_equal(counted(TS_LEDGER_QUOTA), 64 - inserted);
	assert_int_equal(counted(TS_LEDGER_PAGES_FULL), 0);
	assert_int_equal(try_insert(&other, BASE, 0x1800, 1, &placed), 0);
}

/* --- pages and slots that are given back -------------------------------------- */

static void a_page_given_back_is_clean_for_the_next(void **state)
{
	struct ts_space other = {.number = 8};
	struct placed placed;

	insert(BASE, 0x1000, 1);
	assert_int_equal(page_remove(SPACE, BASE + 0x123), 0);
	assert_raw(BASE);
	assert_int_equal(page_remove(SPACE, BASE), -ENOENT);
	assert_int_equal(try_insert(&other, BASE + 0x10, 0x10, 2, &placed), 0);
	assert_int_equal(next_page, 2); /* it is the same page */
	assert_int_equal(row_at(8, BASE), 0);
	assert_int_equal(find(8, BASE + 0x10).row, placed.row);
	assert_int_equal(row_at(8, BASE + 0x20), 0);
	assert_true(find(8, BASE + 0x20).frame == BASE + 0x20);
}

static void a_page_given_back_leaves_its_neighbours(void **state)
{
	struct placed neighbour;

	insert(BASE, 0x40, 1);
	neighbour = insert(BASE + 0xf000, 0x40, 2);
	assert_int_equal(page_remove(SPACE, BASE), 0);
	assert_covers(neighbour, BASE + 0xf000, 0x40);
	assert_int_equal(page_remove(SPACE, BASE + 0xf000), 0);
	assert_int_equal(shim__map(&jit_slots)->count, 0);
}

/* --- images --------------------------------------------------------------------- */

#define IMAGE_BASE (BASE + 0x20000)

/*
 * Two images whose rows lie one after the other.  The first, from RVA 0x1000:
 *
 *   1000..1005 1005..1009 1009..1030      1047..1060      1060..1061 1061..1090
 *   └ one granule                   a gap      ┘└ the next ...
 */
static void add_images(void)
{
	static const struct ts_image_row rows[] = {
		{},
		{0x1000, 11},
		{0x1005, 12},
		{0x1009, 13},
		{0x1030, TS_SHAPE_GAP},
		{0x1047, 14},
		{0x1060, 15},
		{0x1061, 16},
		{0x1090, TS_SHAPE_GAP},
		/* the next image: covers, by RVA, what lies behind the first one's end
		 */
		{0x1000, 21},
		{0x1100, TS_SHAPE_GAP}};
	static const struct ts_image_granules granules = {{0, 0, 1, 4, 7, 9}};
	__u32 zero = 0;
	struct ts_image image = {.first_granule = 2,
				 .granules = 3,
				 .text_rva = 0x1000,
				 .first_row = 1,
				 .rows = 8,
				 .size = 0x18000};
	struct ts_slot slot = {.image = 1, .base = IMAGE_BASE};
	__u32 number = 1;

	for (__u32 r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
		bpf_map_update_elem(&image_rows, &r, &rows[r], 0);
	bpf_map_update_elem(&image_granules, &zero, &granules, 0);
	bpf_map_update_elem(&images, &number, &image, 0);
	for (__u64 s = 0; s < 2; s++) {
		struct ts_address_key key = {
			.space = SPACE, .number = (IMAGE_BASE >> TS_SLOT_SHIFT) + s};

		bpf_map_update_elem(&slots, &key, &slot, 0);
	}
}

static void every_function_of_an_image_is_found(void **state)
{
	static const struct {
		__u32 begin, end, shape;
	} functions[] = {{0x1000, 0x1005, 11}, {0x1005, 0x1009, 12},
			 {0x1009, 0x1030, 13}, {0x1047, 0x1060, 14},
			 {0x1060, 0x1061, 15}, {0x1061, 0x1090, 16}};

	add_images();
	for (size_t f = 0; f < sizeof(functions) / sizeof(functions[0]); f++) {
		for (__u32 rva = functions[f].begin; rva < functions[f].end; rva++) {
			struct found found = find(SPACE, IMAGE_BASE + rva);

			assert_true(found.frame ==
				    TS_FRAME_MAKE(TS_FRAME_TAG_IMAGE, 1, rva));
			assert_int_equal(found.shape, functions[f].shape);
			assert_int_equal(found.offset, rva - functions[f].begin);
			assert_int_equal(found.size,
					 functions[f].end - functions[f].begin);
			assert_int_equal(found.row, 0);
		}
	}
}

/* In the image, but in no function of it: the place is known, the shape not. */
static void gaps_of_an_image_have_no_shape(void **state)
{
	static const __u32 gaps[] = {0,	     0xfff,  0x1030, 0x1040, 0x1046,
				     0x1090, 0x10bf, 0x10c0, 0x17fff};

	add_images();
	for (size_t g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++) {
		struct found found = find(SPACE, IMAGE_BASE + gaps[g]);

		assert_true(found.frame ==
			    TS_FRAME_MAKE(TS_FRAME_TAG_IMAGE, 1, gaps[g]));
		assert_int_equal(found.shape, 0);
		assert_int_equal(found.size, 0);
	}
}

/* An image's last 64 KB may end with JIT code behind it. */
static void a_slot_is_shared_by_an_images_end_and_jit_code(void **state)
{
	struct placed placed;
	struct found found;

	add_images();
	placed = insert(IMAGE_BASE + 0x19000, 0x40, 1);
	assert_covers(placed, IMAGE_BASE + 0x19000, 0x40);
	found = find(SPACE, IMAGE_BASE + 0x17fff);
	assert_int_equal(TS_FRAME_TAG(found.frame), TS_FRAME_TAG_IMAGE);
	assert_raw(IMAGE_BASE + 0x18000);
	take_out(IMAGE_BASE + 0x19000);
	assert_raw(IMAGE_BASE + 0x19000);
}

/* Its mapping is gone, which nobody tells; the runtime tells of the body. */
static void a_body_goes_before_an_image_at_its_place(void **state)
{
	struct placed placed;

	add_images();
	placed = insert(IMAGE_BASE + 0x1000, 0x40, 1);
	assert_int_equal(find(SPACE, IMAGE_BASE + 0x103f).row, placed.row);
	assert_int_equal(TS_FRAME_TAG(find(SPACE, IMAGE_BASE + 0x1040).frame),
			 TS_FRAME_TAG_IMAGE);
	take_out(IMAGE_BASE + 0x1000);
	assert_int_equal(TS_FRAME_TAG(find(SPACE, IMAGE_BASE + 0x1000).frame),
			 TS_FRAME_TAG_IMAGE);
}

static void an_address_below_an_images_base_is_not_in_it(void **state)
{
	struct ts_address_key key = {.space = SPACE,
				     .number = IMAGE_BASE >> TS_SLOT_SHIFT};
	struct ts_slot slot = {.image = 1, .base = IMAGE_BASE + 0x8000};

	add_images();
	bpf_map_update_elem(&slots, &key, &slot, 0);
	assert_raw(IMAGE_BASE + 0x7fff);
	assert_int_equal(TS_FRAME_TAG(find(SPACE, IMAGE_BASE + 0x8000).frame),
			 TS_FRAME_TAG_IMAGE);
}

/* Numbers that a loader gone mad might write: no harm. */
static void an_image_with_nonsense_numbers_is_harmless(void **state)
{
	struct ts_image image = {.first_granule = ~0u,
				 .granules = ~0u,
				 .text_rva = 0,
				 .first_row = ~0u,
				 .rows = ~0u,
				 .size = ~0u};
	__u32 number = 1;

	add_images();
	bpf_map_update_elem(&images, &number, &image, 0);
	for (__u32 rva = 0; rva < 0x20000; rva += 0x777)
		assert_true(find(SPACE, IMAGE_BASE + rva).frame ==
			    TS_FRAME_MAKE(TS_FRAME_TAG_IMAGE, 1, rva));
}

/* The same steps as in the kernel. */
static void the_vectors_of_the_doors_hold(void **state)
{
	struct ts_space owners[2] = {{.number = SPACE}, {.number = SPACE + 1}};
	struct placed placed[VECTOR_NAMES] = {};

	for (size_t i = 0; i < VECTORS; i++) {
		const struct vector *v = &codemap_vectors[i];
		struct ts_space *owner = &owners[v->process];
		struct placed *name = &placed[v->name], *o = &placed[v->other], gone;
		struct found found = find(owner->number, v->at);

		switch (v->op) {
		case COMES:
			assert_int_equal(try_insert(owner, v->at, v->size,
						    v->name == 2 ? 1 : v->name, name),
					 v->error);
			break;
		case GOES:
			assert_int_equal(body_remove(owner->number, v->at, NULL, &gone),
					 v->error);
			break;
		case PAGE_GOES:
			assert_int_equal(page_remove(owner->number, v->at), v->error);
			break;
		case IS:
			assert_true(found.frame == TS_FRAME_MAKE(TS_FRAME_TAG_BODY,
								 name->generation,
								 name->row));
			assert_int_equal(found.offset, v->size);
			break;
		case IS_RAW:
			assert_true(found.frame == v->at);
			break;
		case SAME_ROW:
			assert_true(same(*name, *o));
			break;
		case ROW_REUSED:
			assert_true(name->row == o->row &&
				    name->generation != o->generation);
			break;
		}
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(bodies_of_every_size_and_place_are_found),
		TEST(the_biggest_body_is_found_and_a_bigger_one_refused),
		TEST(nonsense_is_refused),
		TEST(other_processes_see_nothing_of_it),
		TEST(neighbours_do_not_mix),
		TEST(a_body_told_twice_keeps_its_row),
		TEST(a_reused_row_has_another_generation),
		TEST(a_reused_row_counts_from_zero),
		TEST(the_newer_of_two_at_one_address_wins),
		TEST(an_overlapped_tail_stays_the_older_bodys),
		TEST(rows_of_replaced_bodies_come_back),
		TEST(removing_what_is_not_there_changes_nothing),
		TEST(full_rows_are_counted_and_nothing_else_suffers),
		TEST(full_pages_are_counted_and_the_body_taken_back),
		TEST(full_slots_are_counted_and_the_body_taken_back),
		TEST(busy_maps_are_counted),
		TEST(two_threads_make_one_page),
		TEST(a_slot_that_is_filled_meanwhile_stays),
		TEST(a_slot_that_is_filled_while_it_goes_comes_back),
		TEST(no_row_is_given_away_twice),
		TEST(a_process_has_a_quota_of_bodies),
		TEST(a_process_leaves_pages_for_others),
		TEST(a_page_given_back_is_clean_for_the_next),
		TEST(a_page_given_back_leaves_its_neighbours),
		TEST(every_function_of_an_image_is_found),
		TEST(gaps_of_an_image_have_no_shape),
		TEST(a_slot_is_shared_by_an_images_end_and_jit_code),
		TEST(a_body_goes_before_an_image_at_its_place),
		TEST(an_address_below_an_images_base_is_not_in_it),
		TEST(an_image_with_nonsense_numbers_is_harmless),
		TEST(the_vectors_of_the_doors_hold),
	};

	return cmocka_run_group_tests_name("bpf_codemap", tests, NULL, NULL);
}
