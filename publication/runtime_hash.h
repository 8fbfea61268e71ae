/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The runtime's hash of pointers to elements (dotnet/runtime src/coreclr/inc/shash.h
 * and shash.inl, the same in v8 to v10).  A key's hash are 32 bits, for an address the
 * low ones; a step of the key's own goes from one place to the next.  Whoever looks
 * something up reads the places in its own way: the hash moves when it grows.
 */
#ifndef TIERSCOPE_PUBLICATION_RUNTIME_HASH_H
#define TIERSCOPE_PUBLICATION_RUNTIME_HASH_H

#include <stdbool.h>
#include <stdint.h>

struct runtime_hash {
	uint64_t slots; /* address of u64[size]: see runtime_hash__is_element */
	uint32_t size;
	uint32_t count;
	uint32_t occupied; /* deleted ones included */
	uint32_t max;
};

_Static_assert(sizeof(struct runtime_hash) == 24, "SHash layout");

/* Whether this may be such a hash, of at most that many slots; an empty one is. */
static inline bool runtime_hash__is_plausible(const struct runtime_hash *hash,
					      uint32_t slots_most)
{
	return hash->size <= slots_most && hash->count <= hash->occupied &&
	       hash->occupied <= hash->max && hash->max <= hash->size;
}

/* A slot's content: 0 was never used, -1 is deleted. */
static inline bool runtime_hash__is_element(uint64_t slot)
{
	return slot && slot != UINT64_MAX;
}

/* Through the places where an element with a key could be. */
struct runtime_hash_walk {
	uint32_t at, step, left;
};

static inline struct runtime_hash_walk runtime_hash__walk(const struct runtime_hash *hash,
							  uint64_t key)
{
	uint32_t low = (uint32_t)key;

	if (hash->size < 2)
		return (struct runtime_hash_walk){ 0, 0, 0 };
	return (struct runtime_hash_walk){ low % hash->size, low % (hash->size - 1) + 1,
					   hash->size };
}

/* The address of the next place; false: there are no more. */
static inline bool runtime_hash__next_place(const struct runtime_hash *hash,
					    struct runtime_hash_walk *walk,
					    uint64_t *ret_address)
{
	if (!walk->left)
		return false;
	*ret_address = hash->slots + 8ull * walk->at;
	walk->at = (uint32_t)(((uint64_t)walk->at + walk->step) % hash->size);
	walk->left--;
	return true;
}

#endif /* TIERSCOPE_PUBLICATION_RUNTIME_HASH_H */
