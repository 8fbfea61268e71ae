// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// From the kernel frames of a sample to the model: order, names, what is cut.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/recorder/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
	struct model *model;
	struct recorder *recorder;
	uint32_t below; /* the user frame */
	struct {
		struct ts_sample sample;
		uint64_t frames[8];
	} of;
};

static const char list[] = "ffffffff81000000 T do_syscall_64\n"
			   "ffffffff81000100 T vfs_read\n"
			   "ffffffffc0000000 t ext4_read\t[ext4]\n";

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	char path[] = "/tmp/tierscope-kallsyms-XXXXXX";
	int fd = mkstemp(path);

	fixture->model = model__new();
	fixture->recorder = recorder__new(NULL, fixture->model);
	assert_int_equal(write(fd, list, strlen(list)), strlen(list));
	close(fd);
	fixture->recorder->kernel_symbols_asked = true;
	assert_int_equal(kernel_symbols__read(path, &fixture->recorder->kernel_symbols),
			 0);
	unlink(path);
	fixture->below = model__add_frame(fixture->model, &(struct model_frame){
								  .kind = MODEL_FRAME_NATIVE });
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	recorder__free(fixture->recorder);
	model__free(fixture->model);
	free(fixture);
	return 0;
}

/* "leaf;caller;caller;", and below it the user stack. */
static void assert_stack(struct fixture *fixture, const char *want)
{
	uint32_t path[PATH_MAX_FRAMES] = { fixture->below };
	uint32_t count = kernel_frames__add(fixture->recorder, &fixture->of.sample, path, 1);
	struct buf names = BUF_INIT;

	assert_int_equal(path[0], fixture->below);
	for (uint32_t i = count - 1; i > 0; i--) {
		const struct model_frame *frame = model__frame(fixture->model, path[i]);

		assert_int_equal(frame->kind, MODEL_FRAME_KERNEL);
		assert_int_equal(frame->address, 0);
		buf__printf(&names, "%s;", model__text(fixture->model, frame->name));
	}
	assert_string_equal(buf__string(&names), want);
	buf__free(&names);
}

static void kernel_frames_stand_above_the_user_stack(void **state)
{
	static const uint64_t frames[] = { 0x7f0000001000, 0x7f0000002000,	/* user */
					   0xffffffffc0000010, 0xffffffff81000123,
					   0xffffffff81000055 };
	struct fixture *fixture = *state;

	memcpy(fixture->of.frames, frames, sizeof(frames));
	fixture->of.sample.frames_count = 2;
	assert_stack(fixture, "");
	fixture->of.sample.kernel_count = 1;
	assert_stack(fixture, "ext4_read [ext4];");
	fixture->of.sample.kernel_count = 3;
	assert_stack(fixture, "ext4_read [ext4];vfs_read;do_syscall_64;");
	fixture->of.sample.flags = TS_SAMPLE_KERNEL_CUT;
	assert_stack(fixture, "ext4_read [ext4];vfs_read;do_syscall_64;;");
}

/* A return address is behind its call; the leaf is where it is. */
static void a_caller_is_where_its_call_is(void **state)
{
	struct fixture *fixture = *state;

	fixture->of.frames[0] = 0xffffffff81000100;
	fixture->of.frames[1] = 0xffffffff81000100;
	fixture->of.sample.kernel_count = 2;
	assert_stack(fixture, "vfs_read;do_syscall_64;");
}

static void what_has_no_name_is_the_kernel(void **state)
{
	struct fixture *fixture = *state;

	fixture->of.frames[0] = 0xffffffffc0001010; /* behind the module */
	fixture->of.frames[1] = 0xffffffff81000123;
	fixture->of.sample.kernel_count = 2;
	assert_stack(fixture, ";vfs_read;");
}

static void without_a_list_all_is_the_kernel(void **state)
{
	struct fixture *fixture = *state;

	kernel_symbols__free(fixture->recorder->kernel_symbols);
	fixture->recorder->kernel_symbols = NULL;
	fixture->of.frames[0] = 0xffffffffc0000010;
	fixture->of.frames[1] = 0xffffffff81000123;
	fixture->of.sample.kernel_count = 2;
	assert_stack(fixture, ";;");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(kernel_frames_stand_above_the_user_stack),
		TEST(a_caller_is_where_its_call_is),
		TEST(what_has_no_name_is_the_kernel),
		TEST(without_a_list_all_is_the_kernel),
	};

	return cmocka_run_group_tests_name("recorder_kernel", tests, NULL, NULL);
}
