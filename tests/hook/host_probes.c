/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The probes of the real hook, listened to through perf events on the sites that
 * its ELF notes name: with the semaphore raised each load fires once, without it
 * none does, and the record is committed when it fires.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "mock_probes.h"
#include "mock_runtime.h"

#include <errno.h>
#include <unistd.h>

static void load_some(struct mock *mock, uint64_t from, uint64_t count)
{
	for (uint64_t i = from; i < from + count; i++) {
		struct mock_event event = {
			.function = 0x10000 + 32 * i,
			.module = 0x5000,
			.start = MOCK_AREA + 64 * i,
			.size = 32,
			.type = u"T",
			.method = u"M",
			.signature = u"S",
		};

		mock__load(mock, &event);
		mock__unload(mock, &event);
	}
}

/* Hits of a probe while `count` bodies come and go; false when it cannot be had. */
static bool hits_of(struct mock *mock, const char *name, bool semaphore, uint64_t from,
		    uint64_t count, uint64_t *ret_hits)
{
	int fd = mock_probe__listen(name, semaphore);

	if (fd < 0) {
		print_message("SKIP no uprobe events here: %s\n", strerror(errno));
		return false;
	}
	load_some(mock, from, count);
	*ret_hits = mock_probe__hits(fd);
	close(fd);
	return true;
}

static void probes_fire_only_when_listened_to(void **state)
{
	static const char *const names[] = {"code_load", "code_unload"};
	struct mock *mock = mock__new();
	const struct ts_journal_header *journal;

	(void)state;
	assert_non_null(mock);
	assert_int_equal(mock__launch(mock), S_OK);
	journal = mock__journal();
	for (uint64_t i = 0; i < 2; i++) {
		uint64_t count;

		/* At the site, but the semaphore is down. */
		if (!hits_of(mock, names[i], false, 1000 * i, 10, &count))
			goto skipped;
		assert_int_equal(count, 0);
		assert_true(hits_of(mock, names[i], true, 1000 * i + 10, 7, &count));
		assert_int_equal(count, 7);
		/* The listener has gone: down again. */
		assert_true(hits_of(mock, names[i], false, 1000 * i + 20, 5, &count));
		assert_int_equal(count, 0);
	}
	assert_int_equal(journal->counters[TS_HOOK_CODE_LOADS], 44);
	mock__unmap_journal(journal);
	mock__free(mock);
	return;
skipped:
	mock__unmap_journal(journal);
	mock__free(mock);
	skip();
}

static void modules_fire_too(void **state)
{
	struct mock *mock = mock__new();
	struct mock_module *module = mock__module(mock, u"/lib/Core.dll", 0);
	int loads, unloads;

	(void)state;
	assert_int_equal(mock__launch(mock), S_OK);
	loads = mock_probe__listen("module_load", true);
	if (loads < 0) {
		print_message("SKIP no uprobe events here: %s\n", strerror(errno));
		skip();
	}
	unloads = mock_probe__listen("module_unload", true);
	assert_return_code(unloads, errno);
	mock__module_event(mock, 152, module);
	mock__module_event(mock, 152, module); /* known already */
	assert_int_equal(mock_probe__hits(loads), 1);
	assert_int_equal(mock_probe__hits(unloads), 0);
	mock__module_event(mock, 153, module);
	assert_int_equal(mock_probe__hits(unloads), 1);
	close(loads);
	close(unloads);
	mock__unmap_journal(mock__journal());
	mock__free(mock);
}

static void tiering_fires_for_each_of_its_events(void **state)
{
	static const uint8_t counts[10] = {9, 0, 7};
	struct mock *mock = mock__new();
	const struct ts_journal_header *journal;
	int fd;

	(void)state;
	assert_int_equal(mock__launch(mock), S_OK);
	journal = mock__journal();
	fd = mock_probe__listen("tiering", true);
	if (fd < 0) {
		print_message("SKIP no uprobe events here: %s\n", strerror(errno));
		skip();
	}
	/* The settings before them, and what the runtime has no event for. */
	for (uint32_t event = 280; event <= 285; event++)
		mock__deliver(mock, event, 0, counts, sizeof(counts));
	assert_int_equal(mock_probe__hits(fd), 4);
	assert_int_equal(journal->counters[TS_HOOK_TIERING], 4);
	mock__deliver(mock, 284, 0, counts, 6); /* a count is missing */
	assert_int_equal(mock_probe__hits(fd), 4);
	assert_int_equal(journal->counters[TS_HOOK_BAD_EVENT], 1);
	close(fd);
	mock__deliver(mock, 281, 0, counts, 2); /* nobody listens */
	assert_int_equal(journal->counters[TS_HOOK_TIERING], 5);
	mock__unmap_journal(journal);
	mock__free(mock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probes_fire_only_when_listened_to),
		cmocka_unit_test(modules_fire_too),
		cmocka_unit_test(tiering_fires_for_each_of_its_events),
	};

	return cmocka_run_group_tests_name("hook probes", tests, NULL, NULL);
}
