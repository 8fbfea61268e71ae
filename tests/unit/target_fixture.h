/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* What the tests of user/target share: a scratch folder that cleans up. */
#ifndef TIERSCOPE_TESTS_TARGET_FIXTURE_H
#define TIERSCOPE_TESTS_TARGET_FIXTURE_H

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One folder per test, as fixture state; "path" builds names inside it. */
struct scratch {
	char folder[64];
	char paths[8][PATH_MAX];
	unsigned int next;
};

static inline int scratch__setup(void **state)
{
	struct scratch *scratch = calloc(1, sizeof(*scratch));

	if (!scratch)
		return -1;
	snprintf(scratch->folder, sizeof(scratch->folder),
		 "/tmp/tierscope-test-XXXXXX");
	if (!mkdtemp(scratch->folder))
		return -1;
	/* Other users play the target in some tests. */
	if (chmod(scratch->folder, 0755))
		return -1;
	*state = scratch;
	return 0;
}

static inline int scratch__remove(const char *path, const struct stat *stat, int type,
				  struct FTW *where)
{
	(void)stat;
	(void)type;
	(void)where;
	return remove(path);
}

static inline int scratch__teardown(void **state)
{
	struct scratch *scratch = *state;

	nftw(scratch->folder, scratch__remove, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	free(scratch);
	return 0;
}

/* Valid until eight more were asked for. */
__attribute__((format(printf, 2, 3))) static inline const char *
scratch__path(struct scratch *scratch, const char *format, ...)
{
	char *path = scratch->paths[scratch->next++ % 8];
	size_t size = strlen(scratch->folder);
	va_list arguments;

	memcpy(path, scratch->folder, size);
	path[size++] = '/';
	va_start(arguments, format);
	vsnprintf(path + size, PATH_MAX - size, format, arguments);
	va_end(arguments);
	return path;
}

static inline void scratch__write(const char *path, const char *content)
{
	FILE *file = fopen(path, "w");

	if (!file || fputs(content, file) < 0 || fclose(file))
		abort();
}

#endif /* TIERSCOPE_TESTS_TARGET_FIXTURE_H */
