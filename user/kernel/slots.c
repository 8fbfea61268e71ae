// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What lies where in a process, 64 KB by 64 KB: images, code of the runtime's, other
// files.  Memory without a slot is memory that we have not heard of yet.
#include "internal.h"

#include "tierscope.skel.h"

#include <errno.h>

/*
 * After a change: the samplers' caches of return addresses may hold answers from
 * before it (bpf/returns.bpf.h).
 */
static void code_changed(struct kernel *kernel)
{
	__atomic_fetch_add(&kernel->skeleton->data->code_epoch, 1, __ATOMIC_SEQ_CST);
}

static int slot_put(struct kernel *kernel, const struct ts_address_key *key,
		    const struct ts_slot *slot)
{
	const struct bpf_map *slots = kernel->skeleton->maps.slots;
	struct ts_slot known;

	/* Of memory that was not heard of no answer is kept. */
	if (!bpf_map__update_elem(slots, key, sizeof(*key), slot, sizeof(*slot), BPF_NOEXIST))
		return 0;
	if (errno != EEXIST)
		return -errno;
	/* The runtime maps its code memory again and again. */
	if (!bpf_map__lookup_elem(slots, key, sizeof(*key), &known, sizeof(known), 0) &&
	    known.image == slot->image && known.base == slot->base)
		return 0;
	if (bpf_map__update_elem(slots, key, sizeof(*key), slot, sizeof(*slot), BPF_ANY))
		return -errno;
	code_changed(kernel);
	return 0;
}

int kernel__map_image(struct kernel *kernel, uint32_t space, uint32_t number,
		      uint64_t base, uint32_t size)
{
	struct ts_slot slot = { .image = number, .base = base };
	struct ts_address_key key = { .space = space };
	uint64_t last = (base + (size ? size : 1) - 1) >> TS_SLOT_SHIFT;
	int err = 0;

	for (key.number = base >> TS_SLOT_SHIFT; !err && key.number <= last; key.number++)
		err = slot_put(kernel, &key, &slot);
	return err;
}

static int put(struct kernel *kernel, const struct ts_address_key *key, uint32_t kind,
	       bool whole)
{
	const struct ts_slot slot = { .image = kind };
	struct ts_slot known;

	if (!whole &&
	    !bpf_map__lookup_elem(kernel->skeleton->maps.slots, key, sizeof(*key), &known,
				  sizeof(known), 0) &&
	    (kind == TS_SLOT_NATIVE || known.image != TS_SLOT_NATIVE))
		return 0;
	return slot_put(kernel, key, &slot);
}

int kernel__map_other(struct kernel *kernel, uint32_t space, uint32_t kind, uint64_t start,
		      uint64_t end)
{
	struct ts_address_key key = { .space = space };
	int err = 0;

	for (key.number = start >> TS_SLOT_SHIFT;
	     key.number <= (end - 1) >> TS_SLOT_SHIFT && !err; key.number++) {
		uint64_t from = key.number << TS_SLOT_SHIFT;

		err = put(kernel, &key, kind,
			  from >= start && from + (1u << TS_SLOT_SHIFT) <= end);
	}
	return err;
}

void kernel__unmap(struct kernel *kernel, uint32_t space, uint64_t start, uint64_t end)
{
	struct ts_address_key key = { .space = space };

	for (key.number = start >> TS_SLOT_SHIFT; key.number <= (end - 1) >> TS_SLOT_SHIFT;
	     key.number++)
		(void)bpf_map__delete_elem(kernel->skeleton->maps.slots, &key, sizeof(key),
					   0);	/* -ENOENT: never mapped */
	code_changed(kernel);
}
