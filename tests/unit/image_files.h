/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Finds the precompiled images that the tests of user/image read: the files of
 * the newest installed .NET framework, and of the C# compiler of its SDK.
 */
#ifndef TIERSCOPE_TESTS_IMAGE_FILES_H
#define TIERSCOPE_TESTS_IMAGE_FILES_H

#include "../../user/base/buf.h"
#include "../../user/image/image.h"

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

/* The path of a file of the framework.  False: there is no framework. */
static inline bool image_files__path(const char *name, char *ret_path, size_t size)
{
	char framework[1024];

	if (!image_files__framework(framework, sizeof(framework)))
		return false;
	snprintf(ret_path, size, "%s/%s", framework, name);
	return true;
}

static inline bool image_files__read(const char *name, struct buf *ret_file)
{
	char path[2048];

	return image_files__path(name, path, sizeof(path)) &&
	       buf__read_file(ret_file, path, 64u << 20) == 0;
}

/*
 * Lays an image out in memory as the runtime loads it: each section where its RVA says.
 * `memory` has room for image__size() bytes and is zero.  The RVA of its code's first page.
 */
static inline uint32_t image_files__lay_out(const struct image *image, const struct buf *file,
					    uint8_t *memory)
{
	const struct image_section *sections;
	uint32_t count = image__sections(image, &sections), code = 0;

	memcpy(memory, file->data, 1024);
	for (uint32_t i = 0; i < count; i++) {
		memcpy(memory + sections[i].rva, file->data + sections[i].file_offset,
		       sections[i].file_size);
		if (sections[i].executable)
			code = sections[i].rva & ~4095u;
	}
	return code;
}

#endif /* TIERSCOPE_TESTS_IMAGE_FILES_H */
