/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/* Slots are always read through the kernel: they move when the hash grows. */
#include "runtime_hash.h"

#include "memory.h"

#include <errno.h>

bool runtime_hash__is_plausible(const struct runtime_hash *hash, uint32_t slots_most)
{
	return hash->size <= slots_most && hash->count <= hash->occupied &&
	       hash->occupied <= hash->max && hash->max <= hash->size;
}

struct runtime_hash_walk runtime_hash__walk(const struct runtime_hash *hash, uint64_t key)
{
	uint32_t low = (uint32_t)key;

	if (hash->size < 2)
		return (struct runtime_hash_walk){0};
	return (struct runtime_hash_walk){low % hash->size, low % (hash->size - 1) + 1,
					  hash->size};
}

int runtime_hash__next(const struct runtime_hash *hash, struct runtime_hash_walk *walk,
		       uint64_t *ret_element)
{
	while (walk->left) {
		uint64_t slot;

		if (memory__read(&slot, hash->slots + 8ull * walk->at, sizeof(slot)))
			return -EFAULT;
		if (!slot)
			return 0;
		walk->at = (uint32_t)(((uint64_t)walk->at + walk->step) % hash->size);
		walk->left--;
		*ret_element = slot;
		if (runtime_hash__is_element(slot))
			return 1;
	}
	return 0;
}
