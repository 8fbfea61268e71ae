/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The cache of leaves: where in its function a leaf is matters too, and a thread stands
 * anywhere in it.  So an entry is for all that a function has of a block of addresses.
 *
 *   leaf_cache[cache * TS_LEAVES + hash(address >> 6)]: block, space, epoch -> function
 *
 * Whose it is and what makes it untrue is as with return addresses (returns.bpf.h).  A
 * block lies in one slot, so that one epoch is that of all its addresses.
 */
#ifndef TIERSCOPE_LEAVES_BPF_H
#define TIERSCOPE_LEAVES_BPF_H

#include "returns.bpf.h"

static __always_inline struct ts_leaf *leaf_entry(const struct returns_of *of, __u64 block)
{
	__u32 index = of->cache * TS_LEAVES + address_hash(block, TS_LEAVES_SHIFT);

	return bpf_map_lookup_elem(&leaf_cache, &index);
}

/* Images and native files have a frame word for each address. */
static __always_inline __u64 frame_offset(__u64 frame, __u32 offset)
{
	return TS_FRAME_TAG(frame) == TS_FRAME_TAG_BODY ? 0 : offset;
}

static __always_inline void leaf_known(const struct ts_leaf *entry, __u32 offset,
				       struct found *found)
{
	__builtin_memset(found, 0, sizeof(*found));
	found->frame = entry->frame + frame_offset(entry->frame, offset);
	found->shape = entry->shape;
	found->offset = offset;
	found->size = entry->size;
	found->row = entry->row;
	found->in_jit = entry->row;
	found->in_image = TS_FRAME_TAG(entry->frame) == TS_FRAME_TAG_IMAGE;
	found->known = found->lasting = true;
}

static __always_inline void leaf_keep(const struct returns_of *of, struct ts_leaf *entry,
				      __u64 address, __u64 epoch, const struct found *found)
{
	entry->block = address >> TS_LEAF_BLOCK_SHIFT;
	entry->epoch = epoch;
	entry->start = address - found->offset;
	entry->frame = found->frame - frame_offset(found->frame, found->offset);
	entry->size = found->size;
	entry->shape = found->shape;
	entry->row = found->row;
	entry->space = of->space;
}

/* As code_find. */
static __always_inline void leaf_find(const struct returns_of *of, __u64 address,
				      struct found *found)
{
	__u64 block = address >> TS_LEAF_BLOCK_SHIFT, epoch = epoch_of(of, address);
	struct ts_leaf *entry = of->epoch ? leaf_entry(of, block) : NULL;

	if (entry && entry->block == block && entry->epoch == epoch &&
	    entry->space == of->space && address - entry->start < entry->size) {
		leaf_known(entry, address - entry->start, found);
		return;
	}
	code_find(of->space, address, found);
	if (entry && found->lasting && found->size)
		leaf_keep(of, entry, address, epoch, found);
}

#endif /* TIERSCOPE_LEAVES_BPF_H */
