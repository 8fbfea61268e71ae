// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Gives back what the code map has of a space whose process is gone: what is there, not
// what the process claimed to have, which can be without end.
#include "internal.h"

#include "../base/alloc.h"
#include "tierscope.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdlib.h>

static void forget_rows(struct kernel *kernel, uint32_t space)
{
	uint32_t used = __atomic_load_n(&kernel->skeleton->data->next_row, __ATOMIC_RELAXED);

	for (uint32_t row = 1; row < used && row < kernel->rows_max; row++)
		if (__atomic_load_n(&kernel->rows[row].space, __ATOMIC_RELAXED) == space)
			(void)kernel__remove(kernel, space, kernel->rows[row].start);
}

static void forget_slot(struct kernel *kernel, const struct ts_address_key *key)
{
	struct ts_jit_slot slot;

	if (bpf_map__lookup_elem(kernel->skeleton->maps.jit_slots, key, sizeof(*key), &slot,
				 sizeof(slot), 0))
		return;
	for (uint64_t i = 0; i < TS_PAGES_PER_SLOT; i++)
		if (slot.page[i])
			(void)kernel__remove_page(kernel, key->space,
						  key->number << TS_SLOT_SHIFT |
							  i << TS_PAGE_SHIFT);
}

/* A slot goes with its last page: so the keys are listed before. */
static void forget_pages(struct kernel *kernel, uint32_t space)
{
	const struct bpf_map *map = kernel->skeleton->maps.jit_slots;
	struct ts_address_key key, *before = NULL, *keys = NULL;
	uint32_t count = 0, capacity = 0;

	for (uint32_t i = bpf_map__max_entries(map); i > 0; i--) {
		if (bpf_map__get_next_key(map, before, &key, sizeof(key)))
			break;
		before = &key;
		if (key.space != space)
			continue;
		alloc__grow(keys, count, capacity);
		keys[count++] = key;
	}
	for (uint32_t i = 0; i < count; i++)
		forget_slot(kernel, &keys[i]);
	free(keys);
}

void kernel__forget(struct kernel *kernel, uint32_t space)
{
	forget_rows(kernel, space);
	forget_pages(kernel, space);
}
