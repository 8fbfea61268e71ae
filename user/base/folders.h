/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Where a user's files go (the XDG base directory specification). */
#ifndef TIERSCOPE_BASE_FOLDERS_H
#define TIERSCOPE_BASE_FOLDERS_H

#include "buf.h"

/* Appends NAME's folder among the user's caches; nothing where there is no place for them.
 * What is not an absolute path counts as unset. */
void folders__append_cache(struct buf *path, const char *name);

#endif /* TIERSCOPE_BASE_FOLDERS_H */
