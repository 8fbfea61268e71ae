/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The runtime's hash of pointers to elements (dotnet/runtime src/coreclr/inc/shash.h
 * and shash.inl, the same in v8 to v10).  A key is an address; its hash are the low 32
 * bits, and a step of the hash's own goes from one place to the next.
 */
#ifndef TIERSCOPE_HOOK_RUNTIME_HASH_H
#define TIERSCOPE_HOOK_RUNTIME_HASH_H

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
bool runtime_hash__is_plausible(const struct runtime_hash *hash, uint32_t slots_most);

/* A slot's content: 0 was never used, -1 is deleted. */
static inline bool runtime_hash__is_element(uint64_t slot)
{
	return slot && slot != UINT64_MAX;
}

struct runtime_hash_walk {
	uint32_t at, step, left;
};

/* Through the places where an element with this key could be. */
struct runtime_hash_walk runtime_hash__walk(const struct runtime_hash *hash, uint64_t key);

/*
 * 1: an element, whose memory may be gone by now; 0: there are no more; -EFAULT: the
 * slots cannot be read, as another thread has freed them when the hash grew.
 */
int runtime_hash__next(const struct runtime_hash *hash, struct runtime_hash_walk *walk,
		       uint64_t *ret_element);

#endif /* TIERSCOPE_HOOK_RUNTIME_HASH_H */
