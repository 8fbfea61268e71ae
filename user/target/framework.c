// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Guessing which images a command will map, before it is started.  How the host finds
// its framework: dotnet/runtime docs/design/features/host-probing.md and
// install-location-search.md.
#include "target.h"

#include "../base/alloc.h"
#include "../base/buf.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CORE	    "Microsoft.NETCore.App"
#define WEB	    "Microsoft.AspNetCore.App"
#define CONFIG_MAX  (1u << 20)
#define EXTENSION   ".dll"

static void add(struct framework_folders *folders, const char *path)
{
	for (unsigned int i = 0; i < folders->count; i++)
		if (!strcmp(folders->path[i], path))
			return;
	if (folders->count < FRAMEWORK_FOLDERS)
		folders->path[folders->count++] = alloc__string(path);
}

/* Cuts the last name off. */
static void cut_name(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = 0;
}

/* root/shared/NAME/newest; false if there is none. */
static bool add_newest(struct framework_folders *folders, const char *root,
		       const char *name)
{
	struct buf path = BUF_INIT;
	char newest[256] = "";
	struct dirent *entry;
	DIR *folder;

	buf__printf(&path, "%s/shared/%s", root, name);
	folder = opendir(buf__string(&path));
	while (folder && (entry = readdir(folder)))
		if (entry->d_name[0] != '.' && strverscmp(entry->d_name, newest) > 0)
			snprintf(newest, sizeof(newest), "%s", entry->d_name);
	if (folder)
		closedir(folder);
	if (*newest) {
		buf__printf(&path, "/%s", newest);
		add(folders, buf__string(&path));
	}
	buf__free(&path);
	return *newest;
}

/* The folder of the `dotnet` that the shell would start; NULL if there is none. */
static char *root_in_path(void)
{
	char *paths = alloc__string(getenv("PATH")), *rest = paths, *folder;
	char *found = NULL;

	while (!found && (folder = strsep(&rest, ":"))) {
		struct buf path = BUF_INIT;

		buf__printf(&path, "%s/dotnet", folder);
		if (*folder && !access(buf__string(&path), X_OK))
			found = realpath(buf__string(&path), NULL);
		buf__free(&path);
	}
	free(paths);
	if (found)
		cut_name(found);
	return found;
}

static void add_framework(struct framework_folders *folders, const char *name)
{
	static const char *const roots[] = { "/usr/share/dotnet", "/usr/lib/dotnet" };
	const char *wanted = getenv("DOTNET_ROOT");
	char *found = root_in_path();
	bool done = wanted && *wanted && add_newest(folders, wanted, name);

	done = done || (found && add_newest(folders, found, name));
	for (unsigned int i = 0; i < 2 && !done; i++)
		done = add_newest(folders, roots[i], name);
	free(found);
}

/* Does the program's configuration, beside it, ask for the web framework? */
static bool wants_web(const char *program)
{
	struct buf path = BUF_INIT, text = BUF_INIT;
	bool wants;

	buf__printf(&path, "%s.runtimeconfig.json", program);
	wants = !buf__read_file(&text, buf__string(&path), CONFIG_MAX) &&
		strstr(buf__string(&text), WEB);
	buf__free(&path);
	buf__free(&text);
	return wants;
}

/* app.dll, or app with app.dll beside it. */
static void add_program(struct framework_folders *folders, const char *word)
{
	char *path = strchr(word, '/') || strstr(word, EXTENSION) ?
		     realpath(word, NULL) : NULL;
	size_t length = path ? strlen(path) : 0, extension = strlen(EXTENSION);
	struct buf assembly = BUF_INIT;

	if (!path)
		return;
	if (length > extension && !strcmp(path + length - extension, EXTENSION))
		path[length - extension] = 0;
	buf__printf(&assembly, "%s" EXTENSION, path);
	if (!access(buf__string(&assembly), R_OK)) {
		if (wants_web(path))
			add_framework(folders, WEB);
		cut_name(path);
		add(folders, path);
	}
	buf__free(&assembly);
	free(path);
}

void framework__folders(char *const *command, struct framework_folders *ret_folders)
{
	*ret_folders = (struct framework_folders){ .count = 0 };
	add_framework(ret_folders, CORE);
	/* dotnet exec --some option app.dll: not further. */
	for (unsigned int i = 0; i < 4 && command[i]; i++)
		add_program(ret_folders, command[i]);
}

void framework__free(struct framework_folders *folders)
{
	for (unsigned int i = 0; i < folders->count; i++)
		free(folders->path[i]);
	folders->count = 0;
}
