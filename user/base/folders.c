// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// See folders.h.
#include "folders.h"

#include <stdlib.h>

void folders__append_cache(struct buf *path, const char *name)
{
	const char *caches = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (caches && *caches == '/')
		buf__printf(path, "%s/%s", caches, name);
	else if (home && *home == '/')
		buf__printf(path, "%s/.cache/%s", home, name);
}
