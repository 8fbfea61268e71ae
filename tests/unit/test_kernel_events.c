// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Names of events, and the settings that they carry.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/kernel/kernel.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>

static struct kernel_event parse(const char *text)
{
	struct kernel_event event = { .name = "" };
	struct trouble trouble = { "" };

	if (kernel_event__parse(text, &event, &trouble))
		fail_msg("%s: %s", text, trouble.text);
	return event;
}

static void check_names(void **state)
{
	static const struct {
		const char *name;
		uint32_t type;
		uint64_t config;
	} known[] = {
		{ "cpu-clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK },
		{ "task-clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK },
		{ "page-faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS },
		{ "minor-faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MIN },
		{ "major-faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MAJ },
		{ "context-switches", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES },
		{ "cpu-migrations", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS },
		{ "alignment-faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_ALIGNMENT_FAULTS },
		{ "cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES },
		{ "instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS },
		{ "branches", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_INSTRUCTIONS },
		{ "branch-misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES },
		{ "cache-references", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_REFERENCES },
		{ "cache-misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES },
		{ "stalled-cycles-frontend", PERF_TYPE_HARDWARE,
		  PERF_COUNT_HW_STALLED_CYCLES_FRONTEND },
		{ "stalled-cycles-backend", PERF_TYPE_HARDWARE,
		  PERF_COUNT_HW_STALLED_CYCLES_BACKEND },
		/* cache | read << 8 | access or miss << 16, as `perf stat -vv` prints them */
		{ "LLC-loads", PERF_TYPE_HW_CACHE, 0x2 },
		{ "LLC-load-misses", PERF_TYPE_HW_CACHE, 0x10002 },
		{ "dTLB-loads", PERF_TYPE_HW_CACHE, 0x3 },
		{ "dTLB-load-misses", PERF_TYPE_HW_CACHE, 0x10003 },
		{ "r0", PERF_TYPE_RAW, 0 },
		{ "r1aC2", PERF_TYPE_RAW, 0x1ac2 },
		{ "rffffffffffffffff", PERF_TYPE_RAW, UINT64_MAX },
		{ "sched:sched_switch", KERNEL_TRACEPOINT, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct kernel_event event = parse(known[i].name);

		assert_string_equal(event.name, known[i].name);
		assert_int_equal(event.type, known[i].type);
		assert_int_equal(event.config, known[i].config);
	}
}

static void check_settings(void **state)
{
	struct kernel_event event;

	(void)state;
	assert_int_equal(kernel_event__period(&(struct kernel_event){ .period = 7 }, 99), 7);
	event = parse("cpu-clock");
	assert_int_equal(kernel_event__period(&event, 99), 1000000000 / 99);
	event = parse("cpu-clock/freq=997/");
	assert_string_equal(event.name, "cpu-clock");
	assert_int_equal(kernel_event__period(&event, 99), 1000000000 / 997);
	event = parse("task-clock/period=50000/");
	assert_int_equal(kernel_event__period(&event, 99), 50000);
	event = parse("page-faults");
	assert_int_equal(kernel_event__period(&event, 99), 1);
	event = parse("page-faults/period=100/");
	assert_string_equal(event.name, "page-faults");
	assert_int_equal(kernel_event__period(&event, 99), 100);
	event = parse("sched:sched_switch");
	assert_int_equal(kernel_event__period(&event, 99), 1);
	event = parse("sched:sched_switch/period=3/");
	assert_string_equal(event.name, "sched:sched_switch");
	assert_int_equal(kernel_event__period(&event, 99), 3);
	event = parse("r1c2/period=5003/");
	assert_string_equal(event.name, "r1c2");
	assert_int_equal(event.config, 0x1c2);
	assert_int_equal(kernel_event__period(&event, 99), 5003);
}

static void check_bad(void **state)
{
	static const struct {
		const char *text, *word;
	} bad[] = {
		{ "", "unknown event ''" },
		{ "cpu", "unknown event 'cpu'" },
		{ "cpu-clock ", "unknown event" },
		{ "Cycles", "unknown event" },
		{ "r", "unknown event 'r'" },
		{ "r12g", "unknown event" },
		{ "r12345678901234567", "unknown event" },
		{ "/period=1/", "unknown event ''" },
		{ "cpu-clock/", "between slashes" },
		{ "cpu-clock//", "period=N or freq=N" },
		{ "cpu-clock/freq=99", "between slashes" },
		{ "cpu-clock/freq=99/x", "between slashes" },
		{ "cpu-clock/freq=0/", "1 to 20000" },
		{ "cpu-clock/freq=20001/", "1 to 20000" },
		{ "cpu-clock/freq=/", "1 to 20000" },
		{ "cpu-clock/freq=9x/", "'9x'" },
		{ "cpu-clock/nice=3/", "'nice=3'" },
		{ "cpu-clock/period=49999/", "from 50000 ns on" },
		{ "page-faults/period=0/", "from 1 on" },
		{ "page-faults/period=1000000000001/", "from 1 on" },
		{ "page-faults/freq=99/", "page-faults/period=1/" },
		{ "cycles/period=99/", "from 100 on" },
		{ "sched:", "unknown event 'sched:'" },
		{ ":sched_switch", "unknown event" },
		{ "sched:sched_switch:u", "unknown event" },
		{ "sched:sched.switch", "unknown event" },
		{ "sched:sched_switch/freq=99/", "sched:sched_switch/period=1/" },
		{ "sched:sched_switch/period=0/", "from 1 on" },
		{ "sched:sixty_four_letters_are_more_than_there_is_room_for_here_xxxxxxx",
		  "unknown event" },
	};
	char endless[4096];

	(void)state;
	memset(endless, 'x', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = 0;
	for (size_t i = 0; i <= sizeof(bad) / sizeof(bad[0]); i++) {
		bool last = i == sizeof(bad) / sizeof(bad[0]);
		const char *text = last ? endless : bad[i].text;
		struct kernel_event event = { .name = "left alone" };
		struct trouble trouble = { "" };

		assert_int_equal(kernel_event__parse(text, &event, &trouble), -EINVAL);
		assert_string_equal(event.name, "left alone");
		if (!strstr(trouble.text, last ? "unknown event 'xxx" : bad[i].word))
			fail_msg("%s: %s", text, trouble.text);
	}
}

/* What no kernel has, and what is none; that of others is for the kernel to say. */
static void check_tracepoints(void **state)
{
	static const struct {
		const char *text, *word;
	} bad[] = {
		{ "syscalls:sys_enter_write", "raw_syscalls:sys_enter" },
		{ "lock:contention_end", "is not taken" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct kernel_event event = parse(bad[i].text);
		struct trouble trouble = { "" };

		assert_int_equal(kernel_event__check(&event, &trouble), -EINVAL);
		if (!strstr(trouble.text, bad[i].word))
			fail_msg("%s: %s", bad[i].text, trouble.text);
	}
	for (unsigned int i = 0; i < 2; i++) {
		struct kernel_event event = parse(i ? "sched:sched_switch" : "page-faults");
		struct trouble trouble = { "" };

		assert_int_equal(kernel_event__check(&event, &trouble), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_names),
		cmocka_unit_test(check_settings),
		cmocka_unit_test(check_bad),
		cmocka_unit_test(check_tracepoints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
