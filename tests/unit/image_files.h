/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Finds the precompiled images that the tests of user/image read: the files of
 * the newest installed .NET framework, and of the C# compiler of its SDK.
 */
#ifndef TIERSCOPE_TESTS_IMAGE_FILES_H
#define TIERSCOPE_TESTS_IMAGE_FILES_H

#include "../../user/base/buf.h"

#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * "Microsoft.NETCore.App 10.0.12 [/usr/share/dotnet/shared/Microsoft.NETCore.App]"
 * The last such line is the newest.  False: there is no framework.
 */
static inline bool image_files__framework(char *ret_path, size_t size)
{
	FILE *list = popen("dotnet --list-runtimes 2>/dev/null", "r");
	char line[1024], version[64], folder[768];
	bool found = false;

	if (!list)
		return false;
	while (fgets(line, sizeof(line), list)) {
		if (sscanf(line, "Microsoft.NETCore.App %63s [%767[^]]]", version,
			   folder) != 2)
			continue;
		snprintf(ret_path, size, "%s/%s", folder, version);
		found = true;
	}
	pclose(list);
	return found;
}

/* Every .dll of the framework and of the SDK's compiler; globfree() it. */
static inline bool image_files__all(glob_t *ret_files)
{
	char framework[1024], pattern[2048];

	memset(ret_files, 0, sizeof(*ret_files));
	if (!image_files__framework(framework, sizeof(framework)))
		return false;
	snprintf(pattern, sizeof(pattern), "%s/*.dll", framework);
	glob(pattern, 0, NULL, ret_files);
	snprintf(pattern, sizeof(pattern), "%s/../../../sdk/*/Roslyn/bincore/*.dll",
		 framework);
	glob(pattern, GLOB_APPEND, NULL, ret_files);
	return ret_files->gl_pathc > 0;
}

static inline bool image_files__read(const char *name, struct buf *ret_file)
{
	char framework[1024], path[2048];

	if (!image_files__framework(framework, sizeof(framework)))
		return false;
	snprintf(path, sizeof(path), "%s/%s", framework, name);
	return buf__read_file(ret_file, path, 64u << 20) == 0;
}

#endif /* TIERSCOPE_TESTS_IMAGE_FILES_H */
