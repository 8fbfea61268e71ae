/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/* Slots are always read through the kernel: they move when the hash grows. */
#include "hash_reader.h"

#include "memory.h"

#include <errno.h>

int hash_reader__next(const struct runtime_hash *hash, struct runtime_hash_walk *walk,
		      uint64_t *ret_element)
{
	uint64_t address, slot;

	while (runtime_hash__next_place(hash, walk, &address)) {
		if (memory__read(&slot, address, sizeof(slot)))
			return -EFAULT;
		if (!slot)
			return 0;
		*ret_element = slot;
		if (runtime_hash__is_element(slot))
			return 1;
	}
	return 0;
}
