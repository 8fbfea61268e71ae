// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What a walk that the loader goes on with says of the sample as a whole.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/kernel/internal.h"
#include "../../user/recorder/internal.h"

#include <errno.h>
#include <string.h>

/* In place of user/kernel/finish.c. */
static struct {
	int err;
	uint32_t count, flags;
} walk;

int kernel__finish_walk(struct kernel *kernel, const struct ts_sample *sample,
			uint64_t ret_frames[TS_FRAMES_MAX + 1], uint32_t *ret_count,
			uint32_t *ret_flags)
{
	(void)kernel;
	if (walk.err)
		return walk.err;
	for (uint32_t i = sample->frames_count - 1u; i < walk.count; i++)
		ret_frames[i] = 0x1000 + i;
	*ret_count = walk.count;
	*ret_flags = walk.flags;
	return 0;
}

int finish__open(struct kernel *kernel)
{
	(void)kernel;
	return 0;
}

void finish__close(struct kernel *kernel)
{
	(void)kernel;
}

struct fixture {
	struct model *model;
	struct process process;
	struct recorder *recorder;
	struct {
		struct ts_sample sample;
		uint64_t frames[8];
	} of;
	uint64_t frames[TS_FRAMES_MAX];
	uint32_t flags;
};

static int set_up(void **state)
{
	static struct fixture fixture;

	memset(&fixture, 0, sizeof(fixture));
	fixture.model = model__new();
	fixture.recorder = recorder__new(NULL, fixture.model);
	fixture.of.sample.flags = TS_SAMPLE_TABLE_PENDING | TS_SAMPLE_STACK;
	fixture.of.sample.frames_count = 2;
	fixture.of.frames[0] = 7;
	fixture.of.frames[1] = 8;
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	recorder__free(fixture->recorder);
	model__free(fixture->model);
	return 0;
}

static uint16_t finish(struct fixture *fixture, int err, uint32_t count, uint32_t flags)
{
	walk.err = err;
	walk.count = count;
	walk.flags = flags;
	return finish__frames(fixture->recorder, &fixture->process, &fixture->of.sample,
			      fixture->frames, &fixture->flags);
}

static void a_walk_to_the_end(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(finish(fixture, 0, 4, 0), 4);
	assert_int_equal(fixture->frames[0], 7);
	assert_int_equal(fixture->frames[1], 0x1001);
	assert_int_equal(fixture->frames[3], 0x1003);
	assert_int_equal(fixture->flags, fixture->of.sample.flags);
	assert_int_equal(fixture->recorder->walks_finished, 1);
}

/* Deeper than a sample holds, as one that was walked in one go would say. */
static void a_stack_that_is_cut_says_so(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(finish(fixture, 0, TS_FRAMES_MAX, TS_SAMPLE_TRUNCATED),
			 TS_FRAMES_MAX);
	assert_int_equal(fixture->flags,
			 fixture->of.sample.flags | TS_SAMPLE_TRUNCATED);
	assert_int_equal(fixture->recorder->walks_finished, 1);
	assert_int_equal(fixture->recorder->ended_truncated, 1);
	fixture->of.sample.flags |= TS_SAMPLE_KERNEL_CUT;	/* counted by the sampler */
	finish(fixture, 0, TS_FRAMES_MAX, TS_SAMPLE_TRUNCATED);
	assert_int_equal(fixture->recorder->ended_truncated, 1);
}

static void the_end_that_was_found_is_told(void **state)
{
	struct fixture *fixture = *state;

	finish(fixture, 0, 3, TS_SAMPLE_NATIVE_END);
	assert_int_equal(fixture->flags,
			 fixture->of.sample.flags | TS_SAMPLE_NATIVE_END);
	assert_int_equal(fixture->recorder->ended_native, 1);
	finish(fixture, 0, 3, TS_SAMPLE_BAD_FRAME);
	assert_int_equal(fixture->flags,
			 fixture->of.sample.flags | TS_SAMPLE_BAD_FRAME);
	assert_int_equal(fixture->recorder->ended_bad_frame, 1);
	assert_int_equal(fixture->recorder->walks_unfinished, 1);
}

static void a_walk_that_fails_leaves_what_was_there(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(finish(fixture, -EBADMSG, 5, TS_SAMPLE_TRUNCATED), 2);
	assert_int_equal(fixture->frames[0], 7);
	assert_int_equal(fixture->frames[1], 8);
	assert_int_equal(fixture->flags, fixture->of.sample.flags);
	assert_int_equal(fixture->recorder->walks_unfinished, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_walk_to_the_end),
		TEST(a_stack_that_is_cut_says_so),
		TEST(the_end_that_was_found_is_told),
		TEST(a_walk_that_fails_leaves_what_was_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
