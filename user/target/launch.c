// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * The environment of a program that is launched with the hook: see target.h.
 *
 *   CORECLR_ENABLE_NOTIFICATION_PROFILERS=1
 *   CORECLR_NOTIFICATION_PROFILERS=/others.so={CLSID};/hook.so={CLSID};
 *   TIERSCOPE_SESSION_DELAY_MS=0		if the hook's session is wanted at once
 *
 * The runtime reads ..._PROFILERS_64 first and then never the plain one, and
 * .NET 9 and 10 drop an entry that no ';' ends (dotnet/runtime issue 126197).
 */
#include "target.h"

#include "../../abi/journal.h"
#include "../base/alloc.h"
#include "../base/buf.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ENABLE_VARIABLE	 "CORECLR_ENABLE_NOTIFICATION_PROFILERS"
#define LIST_VARIABLE	 "CORECLR_NOTIFICATION_PROFILERS"
#define LIST_VARIABLE_64 "CORECLR_NOTIFICATION_PROFILERS_64"
#define DELAY_VARIABLE	 "TIERSCOPE_SESSION_DELAY_MS"	/* profiler_hook/helper.c */

static const char *value_of(const char *entry, const char *name)
{
	size_t size = strlen(name);

	return !strncmp(entry, name, size) && entry[size] == '=' ? entry + size + 1
								 : NULL;
}

static const char *find(char *const *environment, const char *name)
{
	for (; *environment; environment++) {
		const char *value = value_of(*environment, name);

		if (value)
			return value;
	}
	return NULL;
}

/* Is this entry of a list, "path={CLSID}", one of our hook's? */
static bool is_ours(const char *entry, size_t size)
{
	static const char clsid[] = TS_HOOK_CLSID_STRING;
	size_t clsid_size = strlen(clsid);

	return size > clsid_size && entry[size - clsid_size - 1] == '=' &&
	       !strncasecmp(entry + size - clsid_size, clsid, clsid_size);
}

/*
 * What others asked for stays, in its order.  An entry of our own that is there
 * already, perhaps of another installation, gives way to the one at the end:
 * of two the runtime would load the first, and its probes nobody would hear.
 */
static char *extended_list(const char *name, const char *list, const char *hook_path)
{
	struct buf buf = BUF_INIT;

	buf__printf(&buf, "%s=", name);
	while (list && *list) {
		size_t size = strcspn(list, ";");

		if (size && !is_ours(list, size)) {
			buf__append(&buf, list, size);
			buf__append_char(&buf, ';');
		}
		list += size;
		list += *list == ';';
	}
	buf__printf(&buf, "%s=%s;", hook_path, TS_HOOK_CLSID_STRING);
	return buf__steal(&buf);
}

/* One that is set anew. */
static bool is_replaced(const char *entry, bool tiering)
{
	return value_of(entry, ENABLE_VARIABLE) || value_of(entry, LIST_VARIABLE) ||
	       value_of(entry, LIST_VARIABLE_64) || (tiering && value_of(entry, DELAY_VARIABLE));
}

char **launch__environment(char *const *environment, const char *hook_path, bool tiering)
{
	const char *list_64 = find(environment, LIST_VARIABLE_64);
	char **result;
	size_t count = 0;

	while (environment[count])
		count++;
	/* At most four more and the closing NULL. */
	result = alloc__zeroed(count + 5, sizeof(*result));
	count = 0;
	for (char *const *entry = environment; *entry; entry++)
		if (!is_replaced(*entry, tiering))
			result[count++] = alloc__string(*entry);
	result[count++] = alloc__string(ENABLE_VARIABLE "=1");
	result[count++] = extended_list(LIST_VARIABLE, find(environment, LIST_VARIABLE),
					hook_path);
	if (list_64)
		result[count++] = extended_list(LIST_VARIABLE_64, list_64, hook_path);
	if (tiering)
		result[count++] = alloc__string(DELAY_VARIABLE "=0");
	return result;
}

void launch__free_environment(char **environment)
{
	if (!environment)
		return;
	for (char **entry = environment; *entry; entry++)
		free(*entry);
	free(environment);
}
