// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The pure parts of inspecting a process: see inspect.h.
#include "inspect.h"

#include "../base/alloc.h"
#include "../base/text.h"
#include "proc.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONTAINER_ID_DIGITS	64
#define VERSION_MAX		64
#define MAPS_FIELDS_BEFORE_PATH 5
#define NS_PER_SECOND		1000000000ull

static bool begins_with(const char *string, const char *prefix)
{
	return !strncmp(string, prefix, strlen(prefix));
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

const char *inspect__maps_path(const char *line, size_t *ret_size)
{
	static const char deleted[] = " (deleted)";
	size_t size;

	for (int i = 0; i < MAPS_FIELDS_BEFORE_PATH; i++) {
		line += strcspn(line, " ");
		line += strspn(line, " ");
	}
	if (*line != '/')
		return NULL;
	size = strcspn(line, "\n");
	if (size > strlen(deleted) &&
	    begins_with(line + size - strlen(deleted), deleted))
		size -= strlen(deleted);
	*ret_size = size;
	return line;
}

void inspect__maps_line(const char *line, struct mapped *mapped)
{
	const char *name;
	size_t size;

	line = inspect__maps_path(line, &size);
	if (!line)
		return;
	name = base_name(line);
	if (begins_with(name, "ld-musl-"))
		mapped->musl = true;
	else if (begins_with(name, "libtierscope_hook"))
		mapped->hook = true;
	else if (!mapped->runtime_path && begins_with(name, "libcoreclr.so") &&
		 name + strlen("libcoreclr.so") == line + size)
		mapped->runtime_path = alloc__string_n(line, size);
}

char *inspect__version_of_text(const char *text)
{
	size_t size = strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz.-");

	if (!isdigit((unsigned char)text[0]) || size > VERSION_MAX)
		size = 0;
	return alloc__string_n(text, size);
}

char *inspect__version_of_path(const char *path)
{
	static const char folder[] = "/Microsoft.NETCore.App/";
	const char *name = base_name(path);
	const char *at = strstr(path, folder);
	char *version;

	if (!at)
		return NULL;
	at += strlen(folder);
	version = inspect__version_of_text(at);
	/* The version must be the folder that the library is in. */
	if (!version[0] || at + strlen(version) + 1 != name) {
		free(version);
		return NULL;
	}
	return version;
}

/* Docker, containerd, CRI-O and podman all use 64 hex digits; the last counts. */
char *inspect__container(const char *cgroup)
{
	const char *found = NULL;
	const char *at = cgroup;

	while (*at) {
		size_t size = strspn(at, "0123456789abcdef");
		bool alone = at == cgroup || !isalnum((unsigned char)at[-1]);

		if (size == CONTAINER_ID_DIGITS && alone &&
		    !isalnum((unsigned char)at[size]))
			found = at;
		at += size ? size : 1;
	}
	return found ? alloc__string_n(found, CONTAINER_ID_DIGITS) : alloc__string("");
}

static bool ends_with(const char *string, const char *suffix)
{
	size_t size = strlen(string), suffix_size = strlen(suffix);

	return size > suffix_size && !strcmp(string + size - suffix_size, suffix);
}

char *inspect__entry(const char *arguments, size_t size, const char *executable)
{
	struct buf name = BUF_INIT;
	const char *best = base_name(executable);
	size_t best_size = strlen(best);

	if (!strcmp(best, "dotnet") || !strcmp(best, "corerun")) {
		size_t at = 0;

		while (at < size) {
			const char *argument = arguments + at;

			if (ends_with(argument, ".dll") ||
			    ends_with(argument, ".exe")) {
				best = base_name(argument);
				best_size = strlen(best) - strlen(".dll");
				break;
			}
			at += strlen(argument) + 1;
		}
	}
	text__append_utf8(&name, best, best_size);
	return buf__steal(&name);
}

/*
 * The runtime takes DOTNET_ before COMPlus_ and reads a hexadecimal number; a
 * text that begins with none counts as not set (clrconfignative, v8 to v10).
 */
bool inspect__switched_off(const struct buf *environment, const char *name)
{
	static const char *const prefixes[] = {"DOTNET_", "COMPlus_"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		char full[64];
		const char *value;
		char *end;
		unsigned long number;

		snprintf(full, sizeof(full), "%s%s", prefixes[i], name);
		value = proc__variable(environment, full);
		if (!value || !value[0])
			continue;
		number = strtoul(value, &end, 16);
		return end != value && number == 0;
	}
	return false;
}

/*
 * The kernel counts a start since boot with time in suspend, CLOCK_MONOTONIC
 * leaves that out: exact to a tick unless the machine slept after the start.
 */
uint64_t inspect__start_ns(uint64_t start_ticks)
{
	struct timespec boot, monotonic;
	uint64_t per_second = (uint64_t)sysconf(_SC_CLK_TCK);
	uint64_t seconds = start_ticks / per_second;
	uint64_t start, slept;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	if (seconds > (uint64_t)boot.tv_sec + 1)
		return 0;
	start = seconds * NS_PER_SECOND +
		start_ticks % per_second * (NS_PER_SECOND / per_second);
	slept = (uint64_t)(boot.tv_sec - monotonic.tv_sec) * NS_PER_SECOND +
		(uint64_t)boot.tv_nsec - (uint64_t)monotonic.tv_nsec;
	/* The two clocks were read one after the other: that much is no sleep. */
	if (slept < NS_PER_SECOND / 1000 || slept > UINT64_MAX / 2)
		slept = 0;
	return start > slept ? start - slept : 0;
}
