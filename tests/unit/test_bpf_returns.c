// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// bpf/returns.bpf.h, leaves.bpf.h, paths.bpf.h: whatever happened to the code map, the
// caches say what the map says.  (test_bpf_race.c interrupts the writers.)
#include "bpf_shim.h"

#include "../../bpf/leaves.bpf.h"
#include "../../bpf/paths.bpf.h"

#define SPACE  7
#define SPACES 2
#define BASE   0x7f0000100000ULL
#define PLACES 40 /* where bodies begin, a page each: two slots and a half */

static struct ts_space spaces_of[SPACES];

static int setup(void **state)
{
	shim__clear();
	SHIM_MAP(slots, 16);
	SHIM_MAP(jit_slots, 16);
	SHIM_MAP(jit_granules, 64);
	SHIM_MAP(bodies, 64);
	SHIM_MAP(leaf_counts, 64 * TS_EVENTS_MAX);
	SHIM_MAP(free_rows, 64);
	SHIM_MAP(free_pages, 64);
	SHIM_MAP(images, 4);
	SHIM_MAP(image_granules, 64);
	SHIM_MAP(image_rows, 64);
	SHIM_MAP(returns, 2 * TS_RETURNS);
	SHIM_MAP(leaf_cache, 2 * TS_LEAVES);
	SHIM_MAP(paths, 2 * TS_PATHS);
	SHIM_MAP(ledger, TS_LEDGER_SLOTS);
	next_row = next_page = 1;
	events_counted = TS_EVENTS_MAX;
	free_rows_top = free_pages_top = 0;
	rows_max = pages_max = 64;
	code_epoch = 1;
	for (int s = 0; s < SPACES; s++)
		spaces_of[s] = (struct ts_space){.number = SPACE + s};
	return 0;
}

static int teardown(void **state)
{
	shim__clear();
	return 0;
}

static int insert(struct ts_space *space, __u64 start, __u32 size)
{
	static __u64 sequence;
	struct ts_journal_record record = {.start = start,
					   .size = size,
					   .shape = size,
					   .function_id = ++sequence,
					   .sequence = sequence};
	struct placed placed;

	return body_insert(space, &record, &placed);
}

static void take_out(struct ts_space *space, __u64 start)
{
	struct placed placed;

	body_remove(space->number, start, &space->bodies, &placed);
}

/* As the loader does. */
static void map_file(__u32 space, __u64 address, __u32 image)
{
	struct ts_address_key key = {.space = space,
				     .number = address >> TS_SLOT_SHIFT};
	struct ts_slot slot = {.image = image, .base = address & ~0xffffULL};

	bpf_map_update_elem(&slots, &key, &slot, BPF_ANY);
	code_changed();
}

static void add_images(void)
{
	for (__u32 number = 0; number < 4; number++) {
		struct ts_image image = {.size = 0x8000 + 0x1000 * number};

		bpf_map_update_elem(&images, &number, &image, BPF_ANY);
	}
}

static struct found cached(__u32 cpu, __u32 space, __u64 address)
{
	struct returns_of of = returns_of(cpu, space);
	struct found found;

	return_find(&of, address, &found);
	return found;
}

static struct found uncached(__u32 space, __u64 address)
{
	struct found found;

	code_find(space, address, &found);
	return found;
}

/* A leaf has to have all. */
static void assert_leaf_as(const struct returns_of *of, __u64 address,
			   const struct found *from_map)
{
	struct found found;

	leaf_find(of, address, &found);
	assert_true(found.frame == from_map->frame);
	assert_int_equal(found.known, from_map->known);
	assert_int_equal(found.shape, from_map->shape);
	assert_int_equal(found.size, from_map->size);
	assert_int_equal(found.offset, from_map->offset);
	assert_int_equal(found.row, from_map->row);
	assert_int_equal(found.in_jit, from_map->in_jit);
	assert_int_equal(found.in_image, from_map->in_image);
}

/* Of a return address, and of a leaf. */
static void assert_as_the_map(__u32 cpu, __u32 space, __u64 address)
{
	struct returns_of of = returns_of(cpu, space);
	struct found from_map = uncached(space, address), from_cache;

	from_cache = cached(cpu, space, address);
	if (from_cache.frame != from_map.frame || from_cache.shape != from_map.shape)
		fail_msg("%u:%llx: %llx, shape %x; the map says %llx, shape %x", space,
			 address, from_cache.frame, from_cache.shape, from_map.frame,
			 from_map.shape);
	for (int twice = 0; twice < 2; twice++)
		assert_leaf_as(&of, address, &from_map);
	/* And now that it is in the cache. */
	from_cache = cached(cpu, space, address);
	assert_true(from_cache.frame == from_map.frame);
	assert_int_equal(from_cache.shape, from_map.shape);
}

static __u32 random_below(__u32 end)
{
	static __u64 state = 1;

	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (__u32)(state >> 33) % end;
}

static void change_something(void)
{
	static const __u32 kinds[] = {1, 3, TS_SLOT_NATIVE, TS_SLOT_JIT};
	__u32 s = random_below(SPACES);
	__u64 at = BASE + 0x1000 * random_below(PLACES);

	switch (random_below(6)) {
	case 0:
	case 1:
		insert(&spaces_of[s], at, 0x20 + random_below(0x1800));
		break;
	case 2:
	case 3:
		take_out(&spaces_of[s], at);
		break;
	case 4:
		page_remove(SPACE + s, at);
		break;
	default:
		map_file(SPACE + s, at, kinds[random_below(4)]);
		break;
	}
}

/* Where a caller stands: each with 64 bytes of stack. */
#define STACK_AT(number) (0x7ffff0000000ULL + 64ULL * (number))

/* A stack of `callers`, leaf first. */
static void assert_path_as_the_map(__u32 space, const __u64 *callers, int count)
{
	struct returns_of of = returns_of(1, space);
	struct ts_path *path = path_of(&of, 3);
	struct path_place place = {};

	for (int i = 0; i < count; i++) {
		struct found from_map = uncached(space, callers[i]), found;

		path_find(&of, path, &place, callers[i], STACK_AT(PLACES - count + i), &found);
		if (found.frame != from_map.frame || found.shape != from_map.shape)
			fail_msg("caller %d, %u:%llx: %llx, shape %x; the map says %llx, %x", i,
				 space, callers[i], found.frame, found.shape, from_map.frame,
				 from_map.shape);
		assert_int_equal(found.known, from_map.known);
	}
	path_end(path, &place);
}

/* The lower callers stay as they were, as they do in a thread's stack. */
static void walk_a_path(void)
{
	static __u64 callers[SPACES][PLACES];
	static int depth[SPACES];
	__u32 s = random_below(SPACES);
	int kept = depth[s] ? (int)random_below((__u32)depth[s] + 1) : 0;
	int count = kept + (int)random_below((__u32)(PLACES - kept) + 1);

	memmove(&callers[s][count - kept], &callers[s][depth[s] - kept],
		sizeof(__u64) * (size_t)kept);
	for (int i = 0; i < count - kept; i++)
		callers[s][i] = BASE + 0x1000 * random_below(PLACES) + 0x10;
	depth[s] = count;
	assert_path_as_the_map(SPACE + s, callers[s], count);
}

static void it_says_what_the_map_says(void **state)
{
	add_images();
	for (int round = 0; round < 4000; round++) {
		change_something();
		walk_a_path();
		for (int place = 0; place < PLACES; place++)
			for (int s = 0; s < SPACES; s++)
				assert_as_the_map(0, SPACE + s,
						  BASE + 0x1000 * place + 0x10);
	}
}

/* The point of it: the map is not asked again.  (An epoch is, by each cache.) */
static int loads;
static void count_load(void)
{
	loads++;
}

static bool asks(__u32 cpu, __u32 space, __u64 address)
{
	struct returns_of of = returns_of(cpu, space);
	struct found found;

	loads = 0;
	shim.on_load = count_load;
	return_find(&of, address, &found);
	shim.on_load = NULL;
	return loads > 1;
}

static void what_is_known_is_not_asked_again(void **state)
{
	insert(&spaces_of[0], BASE, 0x100);
	assert_true(asks(0, SPACE, BASE + 0x10));
	assert_false(asks(0, SPACE, BASE + 0x10));
	/* Bodies that come beside it change nothing. */
	insert(&spaces_of[0], BASE + 0x100, 0x100);
	insert(&spaces_of[0], BASE + 0x3000, 0x100);
	assert_false(asks(0, SPACE, BASE + 0x10));
	/* Another CPU has its own; another process, and another address, too. */
	assert_true(asks(1, SPACE, BASE + 0x10));
	assert_true(asks(0, SPACE, BASE + 0x20));
	assert_false(cached(0, SPACE + 1, BASE + 0x10).frame ==
		     cached(0, SPACE, BASE + 0x10).frame);
	take_out(&spaces_of[0], BASE + 0x100);
	assert_true(asks(0, SPACE, BASE + 0x10));
}

/* How often the map is asked for a stack of bodies. */
static int asked_for(const __u64 *callers, int count, __u64 sp)
{
	struct returns_of of = returns_of(0, SPACE);
	struct ts_path *path = path_of(&of, 0);
	struct path_place place = {};
	struct found found;
	int others = 0;

	for (int i = 0; i < count; i++) {
		loads = 0;
		shim.on_load = count_load;
		path_find(&of, path, &place, callers[i], sp + 64 * i, &found);
		shim.on_load = NULL;
		others += loads > 1;
	}
	path_end(path, &place);
	return others;
}

static void callers_of_the_walk_before_are_not_asked_again(void **state)
{
	__u64 callers[TS_PATH_CALLERS + 4], other[4];

	for (int i = 0; i < TS_PATH_CALLERS + 4; i++)
		callers[i] = BASE + 0x10 * i;
	insert(&spaces_of[0], BASE, 0x1000);
	assert_int_equal(asked_for(callers, 4, 0x1000), 4);
	assert_int_equal(asked_for(callers, 4, 0x1000), 0);
	/* Deeper: but its lower part is the same.  Then less deep, by more than is passed over. */
	assert_int_equal(asked_for(callers, 8, 0x1000), 4);
	assert_int_equal(asked_for(callers + 7, 1, 0x1000 + 64 * 7), 1);
	assert_int_equal(asked_for(callers, 8, 0x1000), 7);
	assert_int_equal(asked_for(callers + 2, 6, 0x1000 + 64 * 2), 0);
	/* Another caller in the middle. */
	memcpy(other, callers, sizeof(other));
	other[2] = BASE + 0x800;
	asked_for(callers, 4, 0x1000);
	assert_int_equal(asked_for(other, 4, 0x1000), 1);
	/* In another place of the stack; after a change; more than are kept. */
	assert_int_equal(asked_for(other, 4, 0x1008), 4);
	insert(&spaces_of[0], BASE + 0x2000, 0x100);
	assert_int_equal(asked_for(other, 4, 0x1008), 0);
	take_out(&spaces_of[0], BASE + 0x2000);
	assert_int_equal(asked_for(other, 4, 0x1008), 4);
	asked_for(callers, TS_PATH_CALLERS + 4, 0x1000);
	assert_int_equal(asked_for(callers, TS_PATH_CALLERS + 4, 0x1000), 4);
}

/* What goes from one slot leaves what is known of others. */
static void a_change_is_one_of_its_slot(void **state)
{
	__u64 far = BASE + (3ULL << TS_SLOT_SHIFT);

	insert(&spaces_of[0], BASE, 0x100);
	insert(&spaces_of[0], far, 0x100);
	insert(&spaces_of[0], far + 0xff80, 0x100);	/* and the next */
	assert_true(asks(0, SPACE, BASE));
	take_out(&spaces_of[0], far);
	assert_false(asks(0, SPACE, BASE));
	take_out(&spaces_of[0], far + 0xff80);
	assert_true(asks(0, SPACE, BASE));
	assert_false(asks(0, SPACE, BASE));
	take_out(&spaces_of[0], BASE);
	assert_true(asks(0, SPACE, BASE));
}

static void addresses_that_share_an_entry_take_turns(void **state)
{
	struct returns_of of = returns_of(0, SPACE);
	__u64 other = BASE + 1;

	insert(&spaces_of[0], BASE, 0x1000);
	while (return_entry(&of, other) != return_entry(&of, BASE))
		other++;
	for (int i = 0; i < 3; i++) {
		assert_as_the_map(0, SPACE, BASE);
		assert_as_the_map(0, SPACE, other);
	}
}

/* A walk that is no sample has no cache to itself. */
static void without_an_epoch_nothing_is_kept(void **state)
{
	struct returns_of none = {.space = SPACE};
	struct found found;

	insert(&spaces_of[0], BASE, 0x100);
	return_find(&none, BASE, &found);
	map_file(SPACE, BASE + 0x100000, TS_SLOT_NATIVE);
	leaf_find(&none, BASE + 0x100000, &found);
	for (__u32 i = 0; i < 2 * TS_RETURNS; i++)
		assert_true(!((struct ts_return *)bpf_map_lookup_elem(&returns, &i))
				     ->epoch);
}

static void a_cpu_without_entries_asks_the_map(void **state)
{
	insert(&spaces_of[0], BASE, 0x100);
	assert_as_the_map(2, SPACE, BASE);
	map_file(SPACE, BASE + 0x100000, TS_SLOT_NATIVE);
	assert_as_the_map(4095, SPACE, BASE + 0x100000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(it_says_what_the_map_says),
		TEST(what_is_known_is_not_asked_again),
		TEST(callers_of_the_walk_before_are_not_asked_again),
		TEST(a_change_is_one_of_its_slot),
		TEST(addresses_that_share_an_entry_take_turns),
		TEST(without_an_epoch_nothing_is_kept),
		TEST(a_cpu_without_entries_asks_the_map),
	};

	return cmocka_run_group_tests_name("bpf_returns", tests, NULL, NULL);
}
