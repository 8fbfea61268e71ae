/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Finding and mapping a journal safely: the steps of journal__open, each of
 * which a test can try on memory of its own.
 */
#ifndef TIERSCOPE_TARGET_JOURNAL_MAP_H
#define TIERSCOPE_TARGET_JOURNAL_MAP_H

#include "journal.h"

#include <stddef.h>

/*
 * Maps a file read-only, if it is a memfd that can never shrink: -EBADMSG if it
 * is not.  The file may be closed afterwards.
 */
int journal_map__map(int file, void **ret_memory, size_t *ret_size);

/*
 * Whether a header describes a journal within `size` bytes: -ENOENT not yet
 * written, -EPROTO of another layout, -EBADMSG nonsense.
 */
int journal_map__check(const struct ts_journal_header *header, size_t size);

/* A journal out of an open file: both steps. */
int journal__map(int file, struct journal **ret_journal);

#endif /* TIERSCOPE_TARGET_JOURNAL_MAP_H */
