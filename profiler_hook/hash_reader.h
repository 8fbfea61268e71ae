/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/* Reads the runtime's hashes (../publication/runtime_hash.h) from inside the process. */
#ifndef TIERSCOPE_HOOK_HASH_READER_H
#define TIERSCOPE_HOOK_HASH_READER_H

#include "../publication/runtime_hash.h"

/*
 * 1: an element, whose memory may be gone by now; 0: there are no more; -EFAULT: the
 * slots cannot be read, as another thread has freed them when the hash grew.
 */
int hash_reader__next(const struct runtime_hash *hash, struct runtime_hash_walk *walk,
		      uint64_t *ret_element);

#endif /* TIERSCOPE_HOOK_HASH_READER_H */
