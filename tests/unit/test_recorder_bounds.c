// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What a process tells of itself, without end: the recorder keeps a part of it.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "no_kernel.h"
#include "recorder_fixture.h"

#include <stdio.h>
#include <string.h>

/* A pid that is not there, so that /proc tells nothing. */
#define NO_PID 0x3fffffff
#define SPACE  1

static struct process *process;
static uint64_t sequence;

static int set_up(void **state)
{
	(void)state;
	begin_recorder();
	process = process__new(recorder, SPACE, NO_PID, 100, MODEL_NONE, MODEL_NONE);
	sequence = 0;
	return 0;
}

/* A birth, or a module with that path; the text is the same four or one strings. */
static bool tell(uint32_t type, const char *text)
{
	struct {
		struct ts_code_event event;
		char text[64];
	} told = {
		.event = { .header = { .type = type, .space = SPACE, .pid = NO_PID },
			   .record = { .sequence = ++sequence, .module_id = 7,
				       .function_id = 8, .start = 0x10000, .size = 16,
				       .text_size = sizeof(told.text) },
			   .text_size = sizeof(told.text) },
	};

	if (type == TS_EVENT_MODULE_LOAD)
		told.event.record.module_id = sequence;
	snprintf(told.text, sizeof(told.text), "%s", text);
	return bodies__on_event(recorder, &told.event);
}

static void bodies_without_end_are_dropped(void **state)
{
	uint64_t before;
	char name[16];

	(void)state;
	assert_true(tell(TS_EVENT_CODE_LOAD, "A"));
	before = process->told_bytes;
	assert_true(before > sizeof(struct model_body));
	/* The name is known; then it is another one each time. */
	assert_true(tell(TS_EVENT_CODE_LOAD, "A"));
	assert_true(process->told_bytes < 2 * before);
	process->told_bytes = TOLD_BYTES_MAX - 10 * before;
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "B%d", i);
		(void)tell(TS_EVENT_CODE_LOAD, name);
	}
	assert_in_range(model__bodies(model), 2 + 9, 2 + 10);
	assert_int_equal(recorder->bodies_dropped,
			 20 + 2 - model__bodies(model));
	assert_false(tell(TS_EVENT_CODE_LOAD, "C"));
}

static void modules_without_end_are_dropped(void **state)
{
	(void)state;
	assert_true(tell(TS_EVENT_MODULE_LOAD, "/a.dll"));
	process->told_bytes = TOLD_BYTES_MAX - 1;
	(void)tell(TS_EVENT_MODULE_LOAD, "/b.dll");
	(void)tell(TS_EVENT_MODULE_LOAD, "/c.dll");
	assert_int_equal(process->modules.count, 2);
	assert_int_equal(recorder->bodies_dropped, 1);
}

static void mappings_without_end_are_dropped(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < MAPPINGS_MAX + 3; i++)
		mappings__on_mapping(recorder, &(struct kernel_mapping){
			.pid = NO_PID, .time_ns = 100 + i, .start = 0x10000 + 0x1000 * i,
			.size = 0x1000, .path = "[test]" });
	assert_int_equal(process->mappings.count, MAPPINGS_MAX);
	assert_int_equal(recorder->mappings_dropped, 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(bodies_without_end_are_dropped),
		TEST(modules_without_end_are_dropped),
		TEST(mappings_without_end_are_dropped),
	};

	return cmocka_run_group_tests_name("what a process can have kept", tests, NULL, NULL);
}
