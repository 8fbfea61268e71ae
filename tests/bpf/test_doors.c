// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The code map in the kernel, through the doors: the vectors of the native
// tests, sizes, quotas, images.
#include "kernel_side.h"
#include "../unit/bpf_vectors.h"

#include <string.h>
#include <unistd.h>

#define PID_A 1000001 /* no process has them: pid_max is lower */
#define PID_B 1000002
#define SHAPE TS_SHAPE(TS_FRAME_FRAMELESS, 5, 3)

static struct kernel_side *kernel;
static __u32 space;

static int setup_sized(const struct sizes *sizes)
{
	if (kernel_side__missing())
		return 0;
	kernel = kernel_side__open(sizes);
	space = kernel_side__adopt(kernel, PID_A, 0);
	return 0;
}

static int setup(void **state)
{
	return setup_sized(NULL);
}

static int setup_small(void **state)
{
	return setup_sized(&(struct sizes){.rows = 8, .pages = 8, .spaces = 4});
}

static int setup_quota(void **state)
{
	return setup_sized(&(struct sizes){.bodies_of_a_space = 3});
}

static int teardown(void **state)
{
	kernel_side__close(kernel);
	kernel = NULL;
	return 0;
}

static struct ts_insert insert(__u64 start, __u32 size, __u64 function)
{
	struct ts_journal_record record = {
		.start = start, .size = size, .function_id = function, .shape = SHAPE};

	return kernel_side__insert(kernel, space, PID_A, &record);
}

static __u64 frame_of(const struct ts_insert *body)
{
	return TS_FRAME_MAKE(TS_FRAME_TAG_BODY, body->generation, body->row);
}

static void play(const struct vector *v, struct ts_insert *bodies, const __u32 *spaces)
{
	struct ts_journal_record record = {.start = v->at,
					   .size = v->size,
					   .shape = SHAPE,
					   .function_id =
						   v->name == 2 ? 1 : (__u64)v->name};
	struct ts_insert *name = &bodies[v->name], *other = &bodies[v->other];
	__u32 number = spaces[v->process];
	struct ts_find found = kernel_side__find(kernel, number, v->at);

	switch (v->op) {
	case COMES:
		*name = kernel_side__insert(kernel, number, v->process ? PID_B : PID_A,
					    &record);
		assert_int_equal(name->error, v->error);
		break;
	case GOES:
	case PAGE_GOES:
		assert_int_equal(kernel_side__remove(kernel, number, v->at,
						     v->op == PAGE_GOES),
				 v->error);
		break;
	case IS:
		assert_true(found.frame == frame_of(name));
		assert_int_equal(found.offset, v->size);
		assert_int_equal(found.shape, SHAPE);
		break;
	case IS_RAW:
		assert_true(found.frame == v->at);
		break;
	case SAME_ROW:
		assert_true(frame_of(name) == frame_of(other));
		break;
	case ROW_REUSED:
		assert_int_equal(name->row, other->row);
		assert_int_not_equal(name->generation, other->generation);
		break;
	}
}

static void the_native_vectors_hold(void **state)
{
	struct ts_insert bodies[VECTOR_NAMES] = {};
	__u32 spaces[2];

	SKIP_IF_MISSING();
	spaces[0] = space;
	spaces[1] = kernel_side__adopt(kernel, PID_B, 0);
	for (size_t i = 0; i < VECTORS; i++)
		play(&codemap_vectors[i], bodies, spaces);
}

static void spaces_are_numbered_and_asked_for(void **state)
{
	struct ts_journal_record record = {.start = VECTOR_BASE, .size = 16};
	__u32 again;

	SKIP_IF_MISSING();
	assert_int_not_equal(space, 0);
	again = kernel_side__adopt(kernel, PID_A, TS_SPACE_FOLLOW);
	assert_true(again > space);
	/* Neither the old number nor another process's is taken. */
	assert_int_equal(kernel_side__insert(kernel, space, PID_A, &record).error,
			 -ESRCH);
	assert_int_equal(kernel_side__insert(kernel, again, PID_B, &record).error,
			 -ESRCH);
	assert_int_equal(kernel_side__insert(kernel, again, PID_A, &record).error, 0);
}

static void the_biggest_body_is_found_everywhere(void **state)
{
	struct ts_insert body;

	SKIP_IF_MISSING();
	body = insert(VECTOR_BASE + 16, TS_BODY_SIZE_MAX, 1);
	assert_int_equal(body.error, 0);
	for (__u32 offset = 0; offset < TS_BODY_SIZE_MAX; offset += 0x3ff1)
		assert_true(kernel_side__find(kernel, space, VECTOR_BASE + 16 + offset)
				    .frame == frame_of(&body));
	assert_true(kernel_side__find(kernel, space,
				      VECTOR_BASE + 16 + TS_BODY_SIZE_MAX - 1)
			    .frame == frame_of(&body));
	assert_int_equal(kernel_side__find(kernel, space,
					   VECTOR_BASE + 16 + TS_BODY_SIZE_MAX)
				 .shape,
			 0);
	assert_int_equal(kernel_side__remove(kernel, space, VECTOR_BASE + 16, false),
			 0);
	for (__u32 offset = 0; offset < TS_BODY_SIZE_MAX; offset += 0x3ff1)
		assert_int_equal(kernel_side__find(kernel, space,
						   VECTOR_BASE + 16 + offset)
					 .shape,
				 0);
}

/* Rows 1 to 7, pages 1 to 7: 0 means none. */
static void full_tables_are_counted(void **state)
{
	SKIP_IF_MISSING();
	for (int b = 1; b < 8; b++)
		assert_int_equal(insert(VECTOR_BASE + 0x40 * b, 0x40, b).error, 0);
	assert_int_equal(insert(VECTOR_BASE, 0x40, 99).error, -ENOSPC);
	assert_int_equal(kernel_side__counted(kernel, TS_LEDGER_ROWS_FULL), 1);
	assert_int_equal(kernel_side__remove(kernel, space, VECTOR_BASE + 0x40, false),
			 0);
	assert_int_equal(insert(VECTOR_BASE, 0x40, 99).error, 0);
	/* Three quarters of the pages for one process ... */
	for (int b = 2; b < 8; b++)
		kernel_side__remove(kernel, space, VECTOR_BASE + 0x40 * b, false);
	for (int p = 1; p < 6; p++)
		assert_int_equal(insert(VECTOR_BASE + 0x1000 * p, 0x40, p).error, 0);
	assert_int_equal(insert(VECTOR_BASE + 0x6000, 0x40, 6).error, -ENOSPC);
	assert_int_equal(kernel_side__counted(kernel, TS_LEDGER_QUOTA), 1);
	/* ... and the last one for another, which finds no second. */
	space = kernel_side__adopt(kernel, PID_A, 0);
	assert_int_equal(insert(VECTOR_BASE, 0x1010, 7).error, -ENOSPC);
	assert_int_equal(kernel_side__counted(kernel, TS_LEDGER_PAGES_FULL), 1);
	assert_int_equal(insert(VECTOR_BASE, 0x1000, 8).error, 0);
}

static void a_process_has_a_quota_of_bodies(void **state)
{
	SKIP_IF_MISSING();
	for (int b = 0; b < 3; b++)
		assert_int_equal(insert(VECTOR_BASE + 0x40 * b, 0x40, b).error, 0);
	assert_int_equal(insert(VECTOR_BASE + 0x100, 0x40, 9).error, -EDQUOT);
	assert_int_equal(kernel_side__counted(kernel, TS_LEDGER_QUOTA), 1);
	space = kernel_side__adopt(kernel, PID_B, 0);
}

/* Rows come and go a hundred thousand times, and none is lost on the way. */
static void rows_and_pages_do_not_leak(void **state)
{
	SKIP_IF_MISSING();
	for (int round = 0; round < 3000; round++) {
		__u64 at = VECTOR_BASE + 0x1000 * (round % 6);

		assert_int_equal(insert(at, 0x40, 3 * round).error, 0);
		/* unload not seen */
		assert_int_equal(insert(at, 0x80, 3 * round + 1).error, 0);
		assert_int_equal(kernel_side__remove(kernel, space, at, false), 0);
		assert_int_equal(insert(at + 0x20, 0x20, 3 * round + 2).error, 0);
		assert_int_equal(kernel_side__remove(kernel, space, at + 0x20, false),
				 0);
		assert_int_equal(kernel_side__remove(kernel, space, at, true), 0);
		/* A page of a live process counts against it for ever. */
		if (round % 6 == 5)
			space = kernel_side__adopt(kernel, PID_A, 0);
	}
	for (__u32 what = TS_LEDGER_ROWS_FULL; what <= TS_LEDGER_SPACES_FULL; what++)
		assert_int_equal(kernel_side__counted(kernel, what), 0);
}

/* --- images ------------------------------------------------------------------- */

static void update(const struct bpf_map *map, __u32 index, const void *value)
{
	assert_return_code(
		bpf_map_update_elem(bpf_map__fd(map), &index, value, BPF_ANY), errno);
}

/* Three functions, two of them in one granule, the last to the image's end. */
static void an_image_and_jit_code_share_a_slot(void **state)
{
	static const struct ts_image_row rows[] = {{0x1000, 11},
						   {0x1005, 12},
						   {0x1030, TS_SHAPE_GAP},
						   {0x1041, 13},
						   {0x1050, TS_SHAPE_GAP}};
	static const struct ts_image_granules granules = {{0, 2}};
	struct ts_image image = {
		.granules = 2, .text_rva = 0x1000, .rows = 5, .size = 0x1800};
	struct ts_address_key key = {.space = 0,
				     .number = VECTOR_BASE >> TS_SLOT_SHIFT};
	struct ts_slot slot = {.image = 0, .base = VECTOR_BASE};
	struct ts_find found;
	struct ts_insert body;

	SKIP_IF_MISSING();
	for (__u32 i = 0; i < 5; i++)
		update(kernel->skeleton->maps.image_rows, i, &rows[i]);
	update(kernel->skeleton->maps.image_granules, 0, &granules);
	update(kernel->skeleton->maps.images, 0, &image);
	key.space = space;
	assert_return_code(
		bpf_map_update_elem(bpf_map__fd(kernel->skeleton->maps.slots), &key,
				    &slot, BPF_ANY),
		errno);
	for (int i = 0; i < 4; i++) {
		if (rows[i].shape == TS_SHAPE_GAP)
			continue;
		for (__u32 rva = rows[i].begin; rva < rows[i + 1].begin; rva++) {
			found = kernel_side__find(kernel, space, VECTOR_BASE + rva);
			assert_true(found.frame ==
				    TS_FRAME_MAKE(TS_FRAME_TAG_IMAGE, 0, rva));
			assert_int_equal(found.shape, rows[i].shape);
			assert_int_equal(found.offset, rva - rows[i].begin);
		}
	}
	found = kernel_side__find(kernel, space, VECTOR_BASE + 0x1030);
	assert_int_equal(TS_FRAME_TAG(found.frame), TS_FRAME_TAG_IMAGE);
	assert_int_equal(found.shape, 0);
	body = insert(VECTOR_BASE + 0x2000, 0x40, 1);
	assert_int_equal(body.error, 0);
	assert_true(kernel_side__find(kernel, space, VECTOR_BASE + 0x203f).frame ==
		    frame_of(&body));
	assert_true(kernel_side__find(kernel, space, VECTOR_BASE + 0x1800).frame ==
		    VECTOR_BASE + 0x1800);
	/* Giving the JIT page back leaves the image where it is. */
	assert_int_equal(kernel_side__remove(kernel, space, VECTOR_BASE + 0x2000, true),
			 0);
	found = kernel_side__find(kernel, space, VECTOR_BASE + 0x1000);
	assert_int_equal(found.shape, 11);
}

int main(void)
{
#define TEST(name, with) cmocka_unit_test_setup_teardown(name, with, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_native_vectors_hold, setup),
		TEST(spaces_are_numbered_and_asked_for, setup),
		TEST(the_biggest_body_is_found_everywhere, setup),
		TEST(full_tables_are_counted, setup_small),
		TEST(a_process_has_a_quota_of_bodies, setup_quota),
		TEST(rows_and_pages_do_not_leak, setup_small),
		TEST(an_image_and_jit_code_share_a_slot, setup),
	};

	return cmocka_run_group_tests_name("bpf_doors", tests, NULL, NULL);
}
