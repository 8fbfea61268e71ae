/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Open addressing, bucket after bucket.  A key is claimed by compare-and-swap,
 * its value stored after; a removed key leaves a mark that later keys take over.
 * Only because the window is bounded may marks pile up without harm.
 */
#include "table.h"

#include "memory.h"

#include <errno.h>
#include <stddef.h>

#define TABLE_GONE  UINT64_MAX
#define BUCKET	    8u /* keys in a cache line */
#define FIRST_SLOTS 8192u

int table__create(struct table *table, uint32_t capacity)
{
	uint32_t slots = TABLE_WINDOW;

	while (slots / 2 < capacity && slots < 1u << 31)
		slots *= 2;
	table->mask = slots - 1;
	table->keys = memory__map((size_t)slots * sizeof(*table->keys));
	table->values = memory__map((size_t)slots * sizeof(*table->values));
	if (table->keys && table->values)
		return 0;
	table__destroy(table);
	return -ENOMEM;
}

void table__destroy(struct table *table)
{
	size_t slots = (size_t)table->mask + 1;

	memory__unmap(table->keys, slots * sizeof(*table->keys));
	memory__unmap(table->values, slots * sizeof(*table->values));
	table->keys = NULL;
	table->values = NULL;
}

void table__clear(struct table *table)
{
	size_t slots = (size_t)table->mask + 1;

	memory__clear(table->keys, slots * sizeof(*table->keys));
	memory__clear(table->values, slots * sizeof(*table->values));
}

static uint64_t hash_of(uint64_t key)
{
	key = (key ^ key >> 32) * 0x9e3779b97f4a7c15ull;
	key = (key ^ key >> 32) * 0xd6e8feb86659fd93ull;
	return key ^ key >> 32;
}

/*
 * A bucket in the first part of the table, then one in a part behind it, and so on, each
 * part making the table four times as large: what finds a bucket full spills over into
 * the next part.  All further buckets lie in the last part.
 *
 *   slots    0        8192          32768               131072             524288
 *            ├bucket 0┼── bucket 1 ──┼──── bucket 2 ─────┼─ buckets 3 to 7 ─┤
 *
 * So few keys touch few pages, although the table is as large as the journal may ever
 * need.  The first touch of a page costs a thread of the runtime several microseconds: it
 * is read, which maps the page of zeros, then written, which the other CPUs are told of.
 */
static uint32_t slot_of(const struct table *table, uint64_t hash, uint32_t step)
{
	uint32_t bucket = step / BUCKET, turn = 17 * bucket % 64;
	uint64_t slots = (uint64_t)table->mask + 1;
	uint64_t end = (uint64_t)FIRST_SLOTS << 2 * bucket;
	uint64_t start;
	uint32_t chosen = (uint32_t)(turn ? hash << turn | hash >> (64 - turn) : hash);

	end = end < slots ? end : slots;
	start = bucket ? end / 4 : 0;
	return (uint32_t)(start + ((end - start) / BUCKET * chosen >> 32) * BUCKET) +
	       step % BUCKET;
}

uint32_t table__find(const struct table *table, uint64_t key)
{
	uint64_t hash = hash_of(key);

	for (uint32_t step = 0; step < TABLE_WINDOW; step++) {
		uint32_t slot = slot_of(table, hash, step);
		uint64_t found = __atomic_load_n(&table->keys[slot], __ATOMIC_ACQUIRE);

		if (found == key)
			return __atomic_load_n(&table->values[slot], __ATOMIC_ACQUIRE);
		if (!found)
			break;
	}
	return 0;
}

/* The first slot that `key` may take, and what lies there. */
static int free_slot(const struct table *table, uint64_t key, uint32_t *ret_slot,
		     uint64_t *ret_found)
{
	uint64_t hash = hash_of(key);
	int err = -ENOSPC;

	for (uint32_t step = 0; step < TABLE_WINDOW; step++) {
		uint32_t slot = slot_of(table, hash, step);
		uint64_t found = __atomic_load_n(&table->keys[slot], __ATOMIC_ACQUIRE);

		if (found == key)
			return -EEXIST;
		if (found && found != TABLE_GONE)
			continue;
		if (err) {
			*ret_slot = slot;
			*ret_found = found;
			err = 0;
		}
		if (!found)
			break;
	}
	return err;
}

int table__insert(struct table *table, uint64_t key, uint32_t value)
{
	uint64_t found;
	uint32_t slot;
	int err;

	if (!key || key == TABLE_GONE)
		return -ENOSPC;
	do {
		err = free_slot(table, key, &slot, &found);
		if (err)
			return err;
	} while (!__atomic_compare_exchange_n(&table->keys[slot], &found, key, 0,
					      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	__atomic_store_n(&table->values[slot], value, __ATOMIC_RELEASE);
	return 0;
}

/* Swaps the value of `key` if it has that value; the slot, or -1. */
static int64_t swap_value(struct table *table, uint64_t key, uint32_t value,
			  uint32_t replacement)
{
	uint64_t hash = hash_of(key);

	for (uint32_t step = 0; step < TABLE_WINDOW; step++) {
		uint32_t slot = slot_of(table, hash, step);
		uint64_t found = __atomic_load_n(&table->keys[slot], __ATOMIC_ACQUIRE);
		uint32_t expected = value;

		if (!found)
			break;
		if (found != key)
			continue;
		if (!__atomic_compare_exchange_n(&table->values[slot], &expected,
						 replacement, 0, __ATOMIC_ACQ_REL,
						 __ATOMIC_RELAXED))
			break;
		return slot;
	}
	return -1;
}

void table__remove(struct table *table, uint64_t key, uint32_t value)
{
	int64_t slot = swap_value(table, key, value, 0);

	if (slot >= 0)
		__atomic_store_n(&table->keys[slot], TABLE_GONE, __ATOMIC_RELEASE);
}

void table__replace(struct table *table, uint64_t key, uint32_t value,
		    uint32_t replacement)
{
	(void)swap_value(table, key, value, replacement);
}
