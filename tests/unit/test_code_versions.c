// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The tree of code versions over a small memory built by hand, as .NET 10 lays it out, and
// 8; then the same with every byte of it damaged, and with rings in place of lists.  Who has
// inlined what is in test_code_inlinings.c.
#include "code_versions_fixture.h"

#include <errno.h>

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
	struct code_layout layout = { .is_known = true, .il_map = IL_MAP, .knows_methods = true };
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
