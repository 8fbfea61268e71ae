// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The tree of code versions over a small memory built by hand, as .NET 10 lays it out, and
// 8; then the same with every byte of it damaged, and with rings in place of lists.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/versions/code_versions.h"

#include <errno.h>
#include <string.h>

#define BASE	 0x7f1200000000UL
#define SIZE	 0x1000u
#define READS_MAX 20000u

/* Where things are. */
#define CHUNK	 (BASE + 0x000)	/* of MethodDescs, with a function each at +24 and +72 */
#define FUNCTION (CHUNK + 24)
#define OTHER	 (CHUNK + 72)	/* an instance of a generic method: in no map */
#define PLAIN	 (CHUNK + 120)	/* without a slot for code */
#define TABLE	 (BASE + 0x100)
#define MODULE	 (BASE + 0x200)
#define IL_MAP	 480u
#define ENTRIES	 (BASE + 0x500)	/* of the map to MethodDescs */
#define MORE	 (BASE + 0x540)	/* of the second part of the map to IL states */
#define PART	 (BASE + 0x580)
#define IL_STATE (BASE + 0x600)
#define IL_NODE(number) (BASE + 0x640 + 0x40 * (number))
#define DATA	 (BASE + 0x800)
#define STATE	 (BASE + 0x840)
#define NODE(number) (BASE + 0x880 + 0x40 * (number))
#define INLININGS (BASE + 0xa00)
#define SLOTS	 (BASE + 0xa80)
#define HASH_SIZE 7u
#define STORE(number) (BASE + 0xb00 + 0x40 * (number))
#define ALLOCATOR 0x7f1400000000UL
#define ASSEMBLY (BASE + 0x4c0)
#define DOMAIN	 (BASE + 0xc00 - 2496) /* what lies before is not read */
#define IL_STATES (BASE + 0xc00)
#define STATES	 (IL_STATES + 24)
#define IL_SLOTS (BASE + 0xc40)
#define STATE_SLOTS (BASE + 0xc80)
#define ROW	 5u
#define TOKEN	 (0x06000000u | ROW)
#define CODE	 0x7f1300000000UL

static struct {
	uint8_t bytes[SIZE];
	uint64_t hole; /* this byte cannot be read */
	unsigned int reads;
	/* When this is read again it is another one. */
	uint64_t moving;
} memory;

static bool read_memory(void *context, uint64_t address, void *buffer, size_t size)
{
	assert_ptr_equal(context, &memory);
	memory.reads++;
	if (address < BASE || address - BASE > SIZE || size > SIZE - (address - BASE))
		return false;
	if (memory.hole - address < size)
		return false;
	memcpy(buffer, memory.bytes + (address - BASE), size);
	if (memory.moving && address == memory.moving)
		memory.bytes[address - BASE] += 8;
	return true;
}

static const struct entry_reader reader = { .read = read_memory, .context = &memory };

static void put(uint64_t address, uint64_t value, size_t size)
{
	assert_true(address >= BASE && address - BASE + size <= SIZE);
	memcpy(memory.bytes + (address - BASE), &value, size);
}

static void put64(uint64_t address, uint64_t value)
{
	put(address, value, 8);
}

static void put32(uint64_t address, uint32_t value)
{
	put(address, value, 4);
}

static void put_method(uint64_t function, uint16_t flags, uint64_t data)
{
	put(function + 2, (function - CHUNK - 24) / 8, 1);
	put(function + 6, flags, 2);
	put64(function + 8, data);
}

static void put_il(unsigned int number, uint32_t rejit_id, uint64_t next, uint32_t state)
{
	put64(IL_NODE(number), MODULE);
	put32(IL_NODE(number) + 8, TOKEN);
	put64(IL_NODE(number) + 16, rejit_id);
	put64(IL_NODE(number) + 24, next);
	put32(IL_NODE(number) + 32, state);
}

static void put_node(unsigned int number, uint64_t code, uint32_t rejit_id, uint64_t next,
		     uint32_t tier, uint32_t flags)
{
	put64(NODE(number), code);
	put64(NODE(number) + 8, FUNCTION);
	put64(NODE(number) + 16, rejit_id);
	put64(NODE(number) + 24, next);
	put32(NODE(number) + 32, number + 1);
	put32(NODE(number) + 36, tier);
	put32(NODE(number) + 52, flags);
}

static void put_store(unsigned int number, uint64_t key, const uint64_t *values,
		      uint32_t count)
{
	put64(STORE(number), 0x7f1500000000);
	put32(STORE(number) + 8, count);
	put64(STORE(number) + 16, key);
	for (uint32_t i = 0; i < count; i++)
		put64(STORE(number) + 24 + 8 * i, values[i]);
}

/* Into a place of the table: how often its key has to look further. */
static void put_slot(uint64_t key, unsigned int steps, uint64_t entry)
{
	uint32_t hash = (uint32_t)key;

	put64(SLOTS + 8 * ((hash % HASH_SIZE + (uint64_t)steps * (hash % (HASH_SIZE - 1) + 1)) %
			   HASH_SIZE), entry);
}

/* FUNCTION has two inliners, and room for more, behind that of another method. */
static void put_inlinings(void)
{
	const uint64_t inliners[] = { OTHER, PLAIN, 0, 2 }, others[] = { CHUNK };

	put64(MODULE + 176, ALLOCATOR);
	put64(MODULE + 816, INLININGS);
	put64(INLININGS, ALLOCATOR);
	put64(INLININGS + 32, SLOTS);
	put32(INLININGS + 40, HASH_SIZE);
	put32(INLININGS + 44, 2);
	put32(INLININGS + 48, 2);
	put32(INLININGS + 52, 5);
	put_store(0, OTHER, others, 1);
	put_store(1, FUNCTION, inliners, 4);
	put_slot(FUNCTION, 0, STORE(0));
	put_slot(FUNCTION, 1, STORE(1));
}

/* The active IL version; 0: the original. */
static void put_active(unsigned int number)
{
	put32(IL_STATE, number ? 1 : 2);
	put64(IL_STATE + 8, number ? IL_NODE(number) : MODULE);
}

/*
 *   FUNCTION  IL 0: default, 1 (osr), 2 active;  IL 3: 3 (no code), active there
 *             IL versions 3 (ready) and 4 (requested), 4 is the newest; 0 is active
 */
static int build(void **state)
{
	(void)state;
	memset(&memory, 0, sizeof(memory));
	put64(CHUNK, TABLE);
	put64(TABLE + 24, MODULE);
	put_method(FUNCTION, 0x20, DATA);
	put64(FUNCTION + 16, CODE);
	put_method(OTHER, 0x20 | 0x8 | 0x10 | 0x5, DATA + 16); /* an instantiated one */
	put_method(PLAIN, 0, DATA + 16);
	put64(DATA, STATE);
	put64(STATE + 16, NODE(2));
	put_node(2, 0, 3, NODE(1), 0, 1);
	put_node(1, CODE + 0x200, 0, NODE(0), 1, 1);
	put_node(0, CODE + 0x100, 0, 0, 2, 0);

	/* The map to MethodDescs in one part, that to IL states in two. */
	put64(MODULE + IL_MAP - 32 + 8, ENTRIES);
	put32(MODULE + IL_MAP - 32 + 16, ROW + 1);
	put64(ENTRIES + 8 * ROW, FUNCTION | 1);
	put64(MODULE + IL_MAP, PART);
	put32(MODULE + IL_MAP + 16, ROW - 1);
	put64(PART + 8, MORE);
	put32(PART + 16, 4);
	put64(MORE + 8, IL_STATE);

	put64(IL_STATE + 24, IL_NODE(2));
	put64(IL_STATE + 32, MODULE);
	put32(IL_STATE + 40, TOKEN);
	put_il(2, 4, IL_NODE(1), 0x30);
	put_il(1, 3, 0, 2);
	put_active(0);
	put_inlinings();
	return 0;
}

/* In the CodeVersionManager of 8, the key being in its first place, or further on. */
static void put_hashed(uint64_t hash, uint64_t slots, uint64_t key, unsigned int steps,
		       uint64_t entry)
{
	uint32_t low = (uint32_t)key;

	put64(hash, slots);
	put32(hash + 8, HASH_SIZE);
	put32(hash + 12, 1);
	put32(hash + 16, 2);
	put32(hash + 20, 5);
	put64(slots + 8 * ((low % HASH_SIZE + (uint64_t)steps * (low % (HASH_SIZE - 1) + 1)) %
			   HASH_SIZE), entry);
}

/* The same tree as .NET 8 lays it out, without inlinings. */
static int build_8(void **state)
{
	build(state);
	put64(FUNCTION + 8, CODE);
	put64(FUNCTION + 16, 0);
	put64(MODULE + 296, ASSEMBLY);
	put64(ASSEMBLY, DOMAIN);
	put64(STATE, FUNCTION);
	put_hashed(IL_STATES, IL_SLOTS, MODULE ^ TOKEN, 1, IL_STATE);
	/* In the place before it is another method's. */
	put_hashed(IL_STATES, IL_SLOTS, MODULE ^ TOKEN, 0, IL_NODE(2));
	put_hashed(STATES, STATE_SLOTS, FUNCTION, 2, STATE);
	put_hashed(STATES, STATE_SLOTS, FUNCTION, 1, UINT64_MAX);
	put_hashed(STATES, STATE_SLOTS, FUNCTION, 0, NODE(0));
	/* These lead nowhere on 8. */
	put64(DATA, 0);
	put64(MODULE + IL_MAP, 0);
	return 0;
}

static unsigned int runtime = 10;

static int read_one(struct code_versions *versions, uint64_t function)
{
	struct code_layout layout = code_layout__of(runtime);

	memory.reads = 0;
	return code_versions__read(versions, &reader, &layout, function, MODULE, TOKEN);
}

static void the_tree_is_read(void **state)
{
	struct code_versions versions = { 0 };

	(void)state;
	assert_int_equal(read_one(&versions, FUNCTION), 0);
	assert_int_equal(versions.ils_count, 2);
	assert_int_equal(versions.ils[0].rejit_id, 4);
	assert_int_equal(versions.ils[0].state, TS_IL_REQUESTED);
	assert_int_equal(versions.ils[1].rejit_id, 3);
	assert_int_equal(versions.ils[1].state, TS_IL_READY);
	assert_int_equal(versions.natives_count, 4);
	assert_int_equal(versions.natives[0].id, 3);
	assert_int_equal(versions.natives[0].rejit_id, 3);
	assert_int_equal(versions.natives[0].code, 0);
	assert_true(versions.natives[0].is_active);
	assert_int_equal(versions.natives[1].code, CODE + 0x200);
	assert_false(versions.natives[1].is_osr);
	assert_true(versions.natives[2].is_osr);
	assert_int_equal(versions.natives[3].id, 0);
	assert_int_equal(versions.natives[3].code, CODE);
	assert_false(versions.natives[3].is_active);
	assert_true(versions.knows_default_code);
	assert_int_equal(versions.active_rejit_id, 0);
	assert_int_equal(versions.active, 1);
	code_versions__free(&versions);
}

static void the_active_il_version_decides(void **state)
{
	struct code_versions versions = { 0 };

	(void)state;
	put_active(1);
	assert_int_equal(read_one(&versions, FUNCTION), 0);
	assert_int_equal(versions.active_rejit_id, 3);
	assert_int_equal(versions.active, 0);
	/* It was asked for and nobody has called: it has no native version. */
	put_active(2);
	assert_int_equal(read_one(&versions, FUNCTION), 0);
	assert_int_equal(versions.active_rejit_id, 4);
	assert_int_equal(versions.active, versions.natives_count);
	/* The default version, as its flag says. */
	put_active(0);
	put32(NODE(1) + 52, 0);
	put32(STATE + 8, 0x5);
	assert_int_equal(read_one(&versions, FUNCTION), 0);
	assert_int_equal(versions.active, 3);
	code_versions__free(&versions);
}

static void a_method_that_was_never_versioned_has_its_default_version(void **state)
{
	struct code_versions versions = { 0 };

	(void)state;
	put64(DATA, 0);
	put64(MORE + 8, 0);
	assert_int_equal(read_one(&versions, FUNCTION), 0);
	assert_int_equal(versions.natives_count, 1);
	assert_int_equal(versions.ils_count, 0);
	assert_int_equal(versions.active, 0);
	assert_int_equal(versions.natives[0].code, CODE);
	code_versions__free(&versions);
}

static void the_default_code_lies_behind_what_the_method_has_else(void **state)
{
	struct code_layout layout = { .is_known = true, .il_map = IL_MAP, .is_proven = true, .inlinings = 816, .allocator = 176 };
	struct code_versions versions = { 0 };

	(void)state;
	put64(OTHER + 40 + 8 + 16, CODE + 0x300);
	assert_int_equal(code_versions__read(&versions, &reader, &layout, OTHER, MODULE, TOKEN), 0);
	assert_int_equal(versions.natives[0].code, CODE + 0x300);
	assert_true(versions.knows_default_code);
	build(state);
	assert_int_equal(code_versions__read(&versions, &reader, &layout, PLAIN, MODULE, TOKEN), 0);
	assert_int_equal(versions.natives[0].code, 0);
	assert_false(versions.knows_default_code);
	code_versions__free(&versions);
}

static void a_layout_counts_once_a_method_has_proven_it(void **state)
{
	struct code_layout layout = code_layout__of(10);
	struct code_versions versions = { 0 };

	(void)state;
	assert_int_equal(code_versions__read(&versions, &reader, &layout, OTHER, MODULE, TOKEN),
			 -ENOTSUP);
	assert_false(layout.is_proven);
	assert_int_equal(code_versions__read(&versions, &reader, &layout, FUNCTION, MODULE, TOKEN), 0);
	assert_true(layout.is_proven);
	assert_int_equal(code_versions__read(&versions, &reader, &layout, OTHER, MODULE, TOKEN), 0);
	for (unsigned int major = 0; major < 20; major++) {
		layout = code_layout__of(major);
		assert_int_equal(layout.is_known, major >= 8 && major <= 10);
	}
	assert_int_equal(code_versions__read(&versions, &reader, &layout, FUNCTION, MODULE, TOKEN),
			 -ENOTSUP);
	code_versions__free(&versions);
}

static void expect_inliners(const struct code_versions *versions, uint32_t count)
{
	assert_int_equal(versions->inliners_count, count);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(versions->inliners[i], i ? PLAIN : OTHER);
}

static void inliners_of_a_changed_method_are_found(void **state)
{
	struct code_versions versions = { 0 };

	assert_int_equal(read_one(&versions, FUNCTION), 0);
	expect_inliners(&versions, 2);
	/* With inliners that can be unloaded there are trackers in between. */
	put64(STORE(2), 0x7f1500000000);
	put64(STORE(2) + 16, STORE(1));
	put_slot(FUNCTION, 1, STORE(2));
	assert_int_equal(read_one(&versions, FUNCTION), 0);
	expect_inliners(&versions, 2);
	/* Nobody has inlined it; and no other method either. */
	put_slot(FUNCTION, 1, 0);
	assert_int_equal(read_one(&versions, FUNCTION), 0);
	expect_inliners(&versions, 0);
	put64(INLININGS + 32, 0);
	put64(INLININGS + 40, 0);
	put64(INLININGS + 48, 0);
	assert_int_equal(read_one(&versions, FUNCTION), 0);
	expect_inliners(&versions, 0);
	put64(MODULE + 816, 0);
	assert_int_equal(read_one(&versions, FUNCTION), 0);
	/* Of one that was never changed nobody asks. */
	build(state);
	put64(MORE + 8, 0);
	assert_int_equal(read_one(&versions, FUNCTION), 0);
	expect_inliners(&versions, 0);
	code_versions__free(&versions);
}

static void inlinings_that_make_no_sense_are_not_believed(void **state)
{
	struct code_versions versions = { 0 };

	put64(INLININGS, ALLOCATOR + 8);
	assert_int_equal(read_one(&versions, FUNCTION), 0);
	expect_inliners(&versions, 0);
	build(state);
	put32(INLININGS + 40, UINT32_MAX);
	assert_int_equal(read_one(&versions, FUNCTION), 0);
	expect_inliners(&versions, 0);
	build(state);
	put32(STORE(1) + 8, UINT32_MAX);
	assert_int_equal(read_one(&versions, FUNCTION), 0);
	expect_inliners(&versions, 0);
	assert_true(memory.reads < READS_MAX);
	/* No slot of the table is free. */
	build(state);
	for (unsigned int i = 0; i < HASH_SIZE; i++)
		put64(SLOTS + 8 * i, STORE(0));
	assert_int_equal(read_one(&versions, FUNCTION), 0);
	expect_inliners(&versions, 0);
	code_versions__free(&versions);
}

static void nodes_of_another_method_are_not_believed(void **state)
{
	const uint64_t places[] = { NODE(0) + 8, NODE(2) + 8, IL_NODE(1), IL_NODE(2) + 8,
				    IL_STATE + 32, IL_STATE + 40 };
	struct code_versions versions = { 0 };

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		build(state);
		memory.bytes[places[i] - BASE] ^= 0x10;
		assert_int_equal(read_one(&versions, FUNCTION), -EBADMSG);
	}
	/* The active IL version is none of the method's. */
	build(state);
	put_active(1);
	put64(IL_STATE + 8, IL_NODE(3));
	assert_int_equal(read_one(&versions, FUNCTION), -EBADMSG);
	code_versions__free(&versions);
}

static void a_ring_of_nodes_comes_to_an_end(void **state)
{
	struct code_versions versions = { 0 };

	put64(NODE(0) + 24, NODE(2));
	assert_int_equal(read_one(&versions, FUNCTION), -EBADMSG);
	assert_true(memory.reads < READS_MAX);
	build(state);
	put64(IL_NODE(1) + 24, IL_NODE(2));
	assert_int_equal(read_one(&versions, FUNCTION), -EBADMSG);
	assert_true(memory.reads < READS_MAX);
	build(state);
	put32(PART + 16, 0);
	put64(PART, PART);
	assert_int_equal(read_one(&versions, FUNCTION), -EBADMSG);
	assert_true(memory.reads < READS_MAX);
	code_versions__free(&versions);
}

static void what_changes_meanwhile_is_to_be_read_again(void **state)
{
	struct code_versions versions = { 0 };

	(void)state;
	memory.moving = IL_STATE + 0;
	assert_int_equal(read_one(&versions, FUNCTION), -EAGAIN);
	build(state);
	memory.moving = MORE + 8;
	assert_int_equal(read_one(&versions, FUNCTION), -EAGAIN);
	code_versions__free(&versions);
}

/* Nothing but an error, or something that can be true. */
static void damage_any_byte(void **state, int (*set_up)(void **state))
{
	struct code_versions versions = { 0 };

	for (uint32_t at = 0; at < SIZE; at++) {
		static const uint8_t masks[] = { 0x01, 0x20, 0x80, 0xff };

		for (size_t i = 0; i < sizeof(masks); i++) {
			int err;

			(void)set_up(state);
			memory.bytes[at] ^= masks[i];
			err = read_one(&versions, FUNCTION);
			assert_true(memory.reads < READS_MAX);
			assert_true(!err || err == -ENOTSUP || err == -EFAULT ||
				    err == -EBADMSG || err == -EAGAIN);
			assert_true(err || versions.active <= versions.natives_count);
		}
		(void)set_up(state);
		memory.hole = BASE + at;
		(void)read_one(&versions, FUNCTION);
	}
	code_versions__free(&versions);
}

static void any_byte_can_be_wrong(void **state)
{
	damage_any_byte(state, build);
}

/* --- .NET 8 --------------------------------------------------------------------------- */

static int set_up_8(void **state)
{
	runtime = 8;
	return build_8(state);
}

static int tear_down_8(void **state)
{
	(void)state;
	runtime = 10;
	return 0;
}

static void on_8_the_tree_is_read_from_hashes(void **state)
{
	struct code_versions versions = { 0 };

	(void)state;
	put_active(2);
	assert_int_equal(read_one(&versions, FUNCTION), 0);
	assert_int_equal(versions.ils_count, 2);
	assert_int_equal(versions.active_rejit_id, 4);
	assert_int_equal(versions.natives_count, 4);
	assert_int_equal(versions.active, 4);	/* none yet */
	put_active(0);
	assert_int_equal(read_one(&versions, FUNCTION), 0);
	assert_int_equal(versions.active_rejit_id, 0);
	assert_int_equal(versions.active, 1);
	assert_int_equal(versions.natives[3].code, CODE);
	assert_true(versions.knows_default_code);
	assert_int_equal(versions.inliners_count, 0);
	code_versions__free(&versions);
}

static void on_8_a_state_proves_the_layout(void **state)
{
	struct code_layout layout = code_layout__of(8);
	struct code_versions versions = { 0 };

	(void)state;
	put_method(OTHER, 0x20 | 0x8 | 0x10 | 0x5, 0);
	put64(OTHER + 32 + 8 + 16, CODE + 0x300);
	/* It has no state: neither in the hash, nor found as yet. */
	assert_int_equal(code_versions__read(&versions, &reader, &layout, OTHER, MODULE, TOKEN + 1),
			 -ENOTSUP);
	assert_int_equal(code_versions__read(&versions, &reader, &layout, FUNCTION, MODULE, TOKEN), 0);
	assert_true(layout.is_proven);
	assert_int_equal(code_versions__read(&versions, &reader, &layout, OTHER, MODULE, TOKEN + 1), 0);
	assert_int_equal(versions.ils_count, 0);
	assert_int_equal(versions.natives_count, 1);
	assert_int_equal(versions.active, 0);
	assert_int_equal(versions.natives[0].code, CODE + 0x300);
	/* Of whose module nothing is known, nothing is said. */
	assert_int_equal(code_versions__read(&versions, &reader, &layout, FUNCTION, 0, TOKEN), -ENOTSUP);
	code_versions__free(&versions);
}

static void on_8_a_hash_that_moves_is_to_be_read_again(void **state)
{
	struct code_versions versions = { 0 };

	/* The state is not found, because another hash is there by now. */
	put64(STATE, OTHER);
	memory.moving = STATES;
	assert_int_equal(read_one(&versions, FUNCTION), -EAGAIN);
	build_8(state);
	put_hashed(IL_STATES, IL_SLOTS, MODULE ^ TOKEN, 1, 0);
	memory.moving = IL_STATES;
	assert_int_equal(read_one(&versions, FUNCTION), -EAGAIN);
	build_8(state);
	memory.moving = IL_STATE;
	assert_int_equal(read_one(&versions, FUNCTION), -EAGAIN);
	code_versions__free(&versions);
}

static void on_8_hashes_that_make_no_sense_are_not_believed(void **state)
{
	struct code_versions versions = { 0 };

	(void)state;
	put32(STATES + 12, 3);	/* more than are occupied */
	assert_int_equal(read_one(&versions, FUNCTION), -EBADMSG);
	build_8(state);
	put32(STATES + 8, UINT32_MAX);
	assert_int_equal(read_one(&versions, FUNCTION), -EBADMSG);
	build_8(state);
	for (unsigned int i = 0; i < HASH_SIZE; i++)	/* no end, and not there */
		put64(STATE_SLOTS + 8 * i, NODE(0));
	assert_int_equal(read_one(&versions, FUNCTION), -ENOTSUP);
	assert_true(memory.reads < READS_MAX);
	code_versions__free(&versions);
}

static void on_8_any_byte_can_be_wrong(void **state)
{
	damage_any_byte(state, build_8);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, build)
#define TEST_8(name) cmocka_unit_test_setup_teardown(name, set_up_8, tear_down_8)
	const struct CMUnitTest tests[] = {
		TEST(the_tree_is_read),
		TEST(the_active_il_version_decides),
		TEST(a_method_that_was_never_versioned_has_its_default_version),
		TEST(the_default_code_lies_behind_what_the_method_has_else),
		TEST(a_layout_counts_once_a_method_has_proven_it),
		TEST(inliners_of_a_changed_method_are_found),
		TEST(inlinings_that_make_no_sense_are_not_believed),
		TEST(nodes_of_another_method_are_not_believed),
		TEST(a_ring_of_nodes_comes_to_an_end),
		TEST(what_changes_meanwhile_is_to_be_read_again),
		TEST(any_byte_can_be_wrong),
		TEST_8(on_8_the_tree_is_read_from_hashes),
		TEST_8(on_8_a_state_proves_the_layout),
		TEST_8(on_8_a_hash_that_moves_is_to_be_read_again),
		TEST_8(on_8_hashes_that_make_no_sense_are_not_believed),
		TEST_8(on_8_any_byte_can_be_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
