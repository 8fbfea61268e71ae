// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The environment of launched programs: nothing of others is lost, the hook is in.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/target/target.h"

#include <stdbool.h>
#include <string.h>

#define CLSID "{7A5C09E1-3B52-4D64-9C1E-7E1D5C09E001}"
#define OURS  "/opt/hook.so=" CLSID ";"

static const char *value_of(char **environment, const char *name)
{
	const char *found = NULL;
	size_t size = strlen(name);

	for (; *environment; environment++)
		if (!strncmp(*environment, name, size) && (*environment)[size] == '=') {
			/* Twice would be decided by which one the runtime sees. */
			assert_null(found);
			found = *environment + size + 1;
		}
	return found;
}

static void check(char *const *given, const char *list, const char *list_64)
{
	char **result = launch__environment(given, "/opt/hook.so", false);
	const char *found_64;

	assert_string_equal(value_of(result, "CORECLR_ENABLE_NOTIFICATION_PROFILERS"),
			    "1");
	assert_string_equal(value_of(result, "CORECLR_NOTIFICATION_PROFILERS"), list);
	found_64 = value_of(result, "CORECLR_NOTIFICATION_PROFILERS_64");
	if (list_64)
		assert_string_equal(found_64, list_64);
	else
		assert_null(found_64);
	launch__free_environment(result);
}

static void launch_adds_the_hook_to_an_empty_environment(void **state)
{
	char *given[] = {NULL};

	(void)state;
	check(given, OURS, NULL);
}

static void launch_keeps_other_variables_as_they_are(void **state)
{
	char *given[] = {"PATH=/bin", "CORECLR_NOTIFICATION_PROFILERSX=1", "odd", NULL};
	char **result = launch__environment(given, "/opt/hook.so", false);

	(void)state;
	assert_string_equal(result[0], "PATH=/bin");
	assert_string_equal(result[1], "CORECLR_NOTIFICATION_PROFILERSX=1");
	assert_string_equal(result[2], "odd");
	launch__free_environment(result);
}

static void launch_appends_to_what_is_there(void **state)
{
	char *given[] = {"CORECLR_NOTIFICATION_PROFILERS=/a.so={1};/b.so={2};", NULL};

	(void)state;
	check(given, "/a.so={1};/b.so={2};" OURS, NULL);
}

static void launch_ends_an_entry_that_the_runtime_would_drop(void **state)
{
	char *given[] = {"CORECLR_NOTIFICATION_PROFILERS=/a.so={1}", NULL};

	(void)state;
	check(given, "/a.so={1};" OURS, NULL);
}

static void launch_appends_to_the_variable_that_shadows(void **state)
{
	char *given[] = {"CORECLR_NOTIFICATION_PROFILERS_64=/c.so={3}",
			 "CORECLR_NOTIFICATION_PROFILERS=/a.so={1};", NULL};

	(void)state;
	check(given, "/a.so={1};" OURS, "/c.so={3};" OURS);
}

static void launch_switches_on_what_was_off(void **state)
{
	char *given[] = {"CORECLR_ENABLE_NOTIFICATION_PROFILERS=0", NULL};

	(void)state;
	check(given, OURS, NULL);
}

static void launch_asks_for_the_session_at_once_where_tiering_is_wanted(void **state)
{
	char *given[] = {"TIERSCOPE_SESSION_DELAY_MS=700", NULL};
	char **result = launch__environment(given, "/opt/hook.so", true);

	(void)state;
	assert_string_equal(value_of(result, "TIERSCOPE_SESSION_DELAY_MS"), "0");
	launch__free_environment(result);
	result = launch__environment(given, "/opt/hook.so", false);
	assert_string_equal(value_of(result, "TIERSCOPE_SESSION_DELAY_MS"), "700");
	launch__free_environment(result);
}

static void launch_adds_the_hook_only_once(void **state)
{
	char *given[] = {"CORECLR_NOTIFICATION_PROFILERS=" OURS "/a.so={1};", NULL};
	char **once, **twice;

	(void)state;
	check(given, "/a.so={1};" OURS, NULL);
	once = launch__environment(given, "/opt/hook.so", false);
	twice = launch__environment(once, "/opt/hook.so", false);
	for (size_t i = 0; once[i] || twice[i]; i++)
		assert_string_equal(once[i], twice[i]);
	launch__free_environment(once);
	launch__free_environment(twice);
}

static void launch_replaces_our_hook_of_another_place(void **state)
{
	char *given[] = {
		"CORECLR_NOTIFICATION_PROFILERS="
		"/old/hook.so={7a5c09e1-3b52-4d64-9c1e-7e1d5c09e001};/a.so={1}",
		NULL};

	(void)state;
	check(given, "/a.so={1};" OURS, NULL);
}

static void launch_survives_odd_lists(void **state)
{
	char *given[] = {"CORECLR_NOTIFICATION_PROFILERS=;;;x;=;" CLSID ";", NULL};

	(void)state;
	/* Without '=' before it, a bare CLSID is no entry of ours. */
	check(given, "x;=;" CLSID ";" OURS, NULL);
}

static void launch_takes_the_first_of_two_equal_names(void **state)
{
	char *given[] = {"CORECLR_NOTIFICATION_PROFILERS=/a.so={1};",
			 "CORECLR_NOTIFICATION_PROFILERS=/b.so={2};", NULL};

	(void)state;
	check(given, "/a.so={1};" OURS, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(launch_adds_the_hook_to_an_empty_environment),
		cmocka_unit_test(launch_keeps_other_variables_as_they_are),
		cmocka_unit_test(launch_appends_to_what_is_there),
		cmocka_unit_test(launch_ends_an_entry_that_the_runtime_would_drop),
		cmocka_unit_test(launch_appends_to_the_variable_that_shadows),
		cmocka_unit_test(launch_switches_on_what_was_off),
		cmocka_unit_test(launch_asks_for_the_session_at_once_where_tiering_is_wanted),
		cmocka_unit_test(launch_adds_the_hook_only_once),
		cmocka_unit_test(launch_replaces_our_hook_of_another_place),
		cmocka_unit_test(launch_survives_odd_lists),
		cmocka_unit_test(launch_takes_the_first_of_two_equal_names),
	};

	return cmocka_run_group_tests_name("target_launch", tests, NULL, NULL);
}
