/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Open addressing with linear probing.  A key is claimed by compare-and-swap,
 * its value stored after; a removed key leaves a mark that later keys take over.
 * Only because the window is bounded may marks pile up without harm.
 */
#include "table.h"

#include "memory.h"

#include <errno.h>
#include <stddef.h>

#define TABLE_GONE  UINT64_MAX
#define KEY_SPACING 32u /* bodies lie no closer; methods hardly */
#define RUN_SLOTS   (65536u / KEY_SPACING)

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

/*
 * Keys are addresses, and those of one time lie close together.  So all of 64 KB
 * share a run of slots, in order, and only where the run lies is hashed: few pages
 * of the table are touched, and neighbours never collide.
 */
static uint32_t slot_of(const struct table *table, uint64_t key, uint32_t step)
{
	uint32_t run = (uint32_t)((key >> 16) * 0x9e3779b97f4a7c15ull >> 40);

	return (run * RUN_SLOTS + (uint32_t)(key / KEY_SPACING) % RUN_SLOTS + step) &
	       table->mask;
}

uint32_t table__find(const struct table *table, uint64_t key)
{
	for (uint32_t step = 0; step < TABLE_WINDOW; step++) {
		uint32_t slot = slot_of(table, key, step);
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
	int err = -ENOSPC;

	for (uint32_t step = 0; step < TABLE_WINDOW; step++) {
		uint32_t slot = slot_of(table, key, step);
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
	for (uint32_t step = 0; step < TABLE_WINDOW; step++) {
		uint32_t slot = slot_of(table, key, step);
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
