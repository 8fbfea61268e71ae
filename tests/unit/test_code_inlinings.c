// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Into whom the JIT has inlined a method that was given another IL, on .NET 10 and 8: what
// is found, and that nothing is told where memory makes no sense or changes meanwhile.
#include "code_versions_fixture.h"

static void expect_inliners(const struct code_versions *versions, uint32_t count)
{
	assert_int_equal(versions->inliners_count, count);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(versions->inliners[i], i ? PLAIN : OTHER);
}

/* Its versions are read whatever its inliners are. */
static void read_and_expect(struct code_versions *versions, uint32_t count)
{
	assert_int_equal(read_one(versions, FUNCTION), 0);
	assert_int_equal(versions->ils_count, 2);
	expect_inliners(versions, count);
}

static void put_no_il(void)
{
	if (runtime == 8)
		put_hashed(IL_STATES, IL_SLOTS, MODULE ^ TOKEN, 1, 0);
	else
		put64(MORE + 8, 0);
}

static uint64_t slot_of(uint64_t key, unsigned int steps)
{
	uint32_t hash = (uint32_t)key;

	return SLOTS + 8 * ((hash % HASH_SIZE + (uint64_t)steps * (hash % (HASH_SIZE - 1) + 1)) %
			    HASH_SIZE);
}

/* With inliners that can be unloaded there are trackers in between; these are not read. */
static void put_trackers(uint64_t store)
{
	put64(STORE(2), STORE_TYPE + 0x40);
	put64(STORE(2) + 8, BASE + SIZE);
	put64(STORE(2) + 16, store);
	put_slot(FUNCTION, 1, STORE(2));
}

static void inliners_of_a_changed_method_are_found(void **state)
{
	struct code_versions versions = { 0 };

	(void)state;
	read_and_expect(&versions, 2);
	put_trackers(STORE(1));
	read_and_expect(&versions, 2);
	/* Nobody has inlined it; and no other method either. */
	put_slot(FUNCTION, 1, 0);
	read_and_expect(&versions, 0);
	put64(INLININGS + 32, 0);
	put64(INLININGS + 40, 0);
	put64(INLININGS + 48, 0);
	read_and_expect(&versions, 0);
	put64(INLININGS_PLACE, 0);
	read_and_expect(&versions, 0);
	code_versions__free(&versions);
}

static void of_a_method_that_was_never_changed_nobody_asks(void **state)
{
	struct code_versions versions = { 0 };

	(void)state;
	memory.watched = INLININGS_PLACE;
	read_and_expect(&versions, 2);
	assert_int_equal(memory.watched_reads, 1);
	put_no_il();
	assert_int_equal(read_one(&versions, FUNCTION), 0);
	expect_inliners(&versions, 0);
	assert_int_equal(memory.watched_reads, 0);
	code_versions__free(&versions);
}

static void all_of_many_inliners_are_found(void **state)
{
	struct code_versions versions = { 0 };

	(void)state;
	put64(STORE_OF_MANY, STORE_TYPE);
	put32(STORE_OF_MANY + 8, MANY);
	put64(STORE_OF_MANY + 16, FUNCTION);
	for (uint32_t i = 0; i < MANY; i++)
		put64(STORE_OF_MANY + 24 + 8 * i, CODE + 16 * i);
	put_slot(FUNCTION, 1, STORE_OF_MANY);
	assert_int_equal(read_one(&versions, FUNCTION), 0);
	assert_int_equal(versions.inliners_count, MANY);
	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(versions.inliners[i], CODE + 16 * i);
	code_versions__free(&versions);
}

static void inlinings_that_make_no_sense_are_not_believed(void **state)
{
	struct code_versions versions = { 0 };

	put64(INLININGS, ALLOCATOR + 8);
	read_and_expect(&versions, 0);
	rebuild(state);
	put32(INLININGS + 40, UINT32_MAX);
	read_and_expect(&versions, 0);
	rebuild(state);
	put32(INLININGS + 44, 3);	/* more than are occupied */
	read_and_expect(&versions, 0);
	rebuild(state);
	put32(STORE_OF_MANY + 8, UINT32_MAX);
	put64(STORE_OF_MANY + 16, FUNCTION);
	put64(STORE_OF_MANY + 24, PLAIN);
	put_slot(FUNCTION, 1, STORE_OF_MANY);
	memory.is_endless = true;
	read_and_expect(&versions, 0);
	assert_true(memory.reads < READS_MAX);
	/* It ends where nothing can be read: nothing is told of its begin. */
	rebuild(state);
	put32(STORE(1) + 8, 1000);
	read_and_expect(&versions, 0);
	rebuild(state);
	put_slot(FUNCTION, 1, STORE(1) + 4);
	read_and_expect(&versions, 0);
	/* No slot of the table is free. */
	rebuild(state);
	for (unsigned int i = 0; i < HASH_SIZE; i++)
		put64(SLOTS + 8 * i, STORE(0));
	read_and_expect(&versions, 0);
	assert_true(memory.reads < READS_MAX);
	code_versions__free(&versions);
}

/* What leads to a store with the key is one only if it is of another type. */
static void what_another_store_leads_to_is_none(void **state)
{
	struct code_versions versions = { 0 };

	(void)state;
	put_trackers(STORE(1));
	read_and_expect(&versions, 2);
	put64(STORE(2), STORE_TYPE);
	read_and_expect(&versions, 0);
	/* A method behind the other store's key, with what looks like a key in it. */
	put_trackers(STORE(1));
	put64(STORE(1), 0x0020000508010001);
	read_and_expect(&versions, 0);
	code_versions__free(&versions);
}

static void inlinings_that_change_meanwhile_are_not_believed(void **state)
{
	/* Where a byte changes, once what is at the other place was read. */
	const struct {
		uint64_t moving, moved;
		uint32_t expected;
	} cases[] = {
		{ slot_of(FUNCTION, 1), 0, 0 },			/* another store */
		{ slot_of(FUNCTION, 0), INLININGS + 32, 2 },	/* another table: read again, found */
		{ STORE(1), STORE(1) + 8, 0 },			/* a larger one in its place */
		{ STORE(1) + 24, STORE(1) + 16, 0 },		/* that of another method */
		{ STORE(1) + 24, STORE(1), 0 },			/* no store any more */
	};
	struct code_versions versions = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		rebuild(state);
		memory.moving = cases[i].moving;
		memory.moved = cases[i].moved;
		read_and_expect(&versions, cases[i].expected);
	}
	/* Of the trackers there is another store. */
	rebuild(state);
	put_trackers(STORE(1));
	memory.moving = STORE(1) + 24;
	memory.moved = STORE(2) + 16;
	read_and_expect(&versions, 0);
	/* What changes elsewhere does not matter. */
	rebuild(state);
	memory.moving = STORE(1) + 24;
	memory.moved = STORE(0) + 24;
	read_and_expect(&versions, 2);
	code_versions__free(&versions);
}

/* The instance of a generic method is in no map: who has inlined the method itself is told. */
static void an_instance_has_the_inliners_of_its_method(void **state)
{
	struct code_layout layout = code_layout__of(runtime);
	struct code_versions versions = { 0 };

	(void)state;
	assert_int_equal(code_versions__read(&versions, &reader, &layout, FUNCTION, MODULE, TOKEN), 0);
	assert_int_equal(code_versions__read(&versions, &reader, &layout, OTHER, MODULE, TOKEN), 0);
	assert_int_equal(versions.ils_count, 2);
	expect_inliners(&versions, 2);
	code_versions__free(&versions);
}

/* Where the map to MethodDescs should be there is something else: only on 8 is the rest right. */
static void on_8_inlinings_count_once_a_method_has_proven_the_map(void **state)
{
	const uint64_t inliners[] = { OTHER, PLAIN };
	struct code_layout layout = code_layout__of(runtime);
	struct code_versions versions = { 0 };

	(void)state;
	put64(MORE + 8 * ROW, CHUNK);
	put_store(1, CHUNK, inliners, 2);
	put_slot(CHUNK, 0, STORE(1));
	assert_int_equal(code_versions__read(&versions, &reader, &layout, FUNCTION, MODULE, TOKEN), 0);
	assert_int_equal(versions.ils_count, 2);
	assert_true(layout.is_proven);
	assert_false(layout.knows_methods);
	expect_inliners(&versions, 0);
	layout.knows_methods = true;
	assert_int_equal(code_versions__read(&versions, &reader, &layout, FUNCTION, MODULE, TOKEN), 0);
	expect_inliners(&versions, 2);
	code_versions__free(&versions);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup(test, build), \
		   { "on_8_" #test, test, set_up_8, tear_down_8, NULL }
	const struct CMUnitTest tests[] = {
		TEST(inliners_of_a_changed_method_are_found),
		TEST(of_a_method_that_was_never_changed_nobody_asks),
		TEST(all_of_many_inliners_are_found),
		TEST(inlinings_that_make_no_sense_are_not_believed),
		TEST(what_another_store_leads_to_is_none),
		TEST(inlinings_that_change_meanwhile_are_not_believed),
		TEST(an_instance_has_the_inliners_of_its_method),
		cmocka_unit_test_setup_teardown(on_8_inlinings_count_once_a_method_has_proven_the_map,
						set_up_8, tear_down_8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
