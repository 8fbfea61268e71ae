// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// bpf/returns.bpf.h: whatever happened to the code map, the cache says what the map
// says.  (test_bpf_race.c interrupts the writers.)
#include "bpf_shim.h"

#include "../../bpf/returns.bpf.h"

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

/* Of a return address, and of a leaf, which has to have all. */
static void assert_as_the_map(__u32 cpu, __u32 space, __u64 address)
{
	struct returns_of of = returns_of(cpu, space);
	struct found from_map = uncached(space, address), from_cache;

	from_cache = cached(cpu, space, address);
	if (from_cache.frame != from_map.frame || from_cache.shape != from_map.shape)
		fail_msg("%u:%llx: %llx, shape %x; the map says %llx, shape %x", space,
			 address, from_cache.frame, from_cache.shape, from_map.frame,
			 from_map.shape);
	leaf_find(&of, address, &from_cache);
	assert_true(from_cache.frame == from_map.frame);
	assert_int_equal(from_cache.known, from_map.known);
	assert_int_equal(from_cache.shape, from_map.shape);
	assert_int_equal(from_cache.size, from_map.size);
	assert_int_equal(from_cache.offset, from_map.offset);
	assert_int_equal(from_cache.row, from_map.row);
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

static void it_says_what_the_map_says(void **state)
{
	add_images();
	for (int round = 0; round < 4000; round++) {
		change_something();
		for (int place = 0; place < PLACES; place++)
			for (int s = 0; s < SPACES; s++)
				assert_as_the_map(0, SPACE + s,
						  BASE + 0x1000 * place + 0x10);
	}
}

/* The point of it: the map is not asked again. */
static bool asked;
static void note_asked(void)
{
	asked = true;
}

static bool asks(__u32 cpu, __u32 space, __u64 address)
{
	struct returns_of of = returns_of(cpu, space);
	struct found found;

	asked = false;
	shim.on_load = note_asked;
	return_find(&of, address, &found);
	shim.on_load = NULL;
	return asked;
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
		TEST(addresses_that_share_an_entry_take_turns),
		TEST(without_an_epoch_nothing_is_kept),
		TEST(a_cpu_without_entries_asks_the_map),
	};

	return cmocka_run_group_tests_name("bpf_returns", tests, NULL, NULL);
}
