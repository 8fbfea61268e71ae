/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The return-address cache: what the code map said of a return address, so that a
 * walk touches one cache line per frame where the map itself takes half a dozen.
 *
 *   returns[cache * RETURNS + hash(address)]: address, space, epoch -> frame, shape
 *
 * Who can tear an entry: nobody.  An entry belongs to one CPU, only the sampler
 * uses it, and a perf event's program cannot interrupt itself.
 *
 * What makes an entry untrue: a body or a file that goes or is replaced.  Each such
 * change ends with code_changed() or range_changed(), and an entry counts only in the
 * epoch that its address had before the map was asked.  So a sample that begins after
 * a change never gets an answer from before it; one that runs beside a change may, as
 * it may from the map.
 *
 * "Nothing here" is kept only where the loader knows a file and no page is JIT code:
 * the first body there brings the page, which is a change.  All others, which come by
 * the thousand, are none.
 */
#ifndef TIERSCOPE_RETURNS_BPF_H
#define TIERSCOPE_RETURNS_BPF_H

#include "codefind.bpf.h"

/* Whose caches, and since when: constant for one sample. */
struct returns_of {
	__u64 epoch;		/* 0: use no cache */
	__u32 cache;		/* number of it */
	__u32 space;
};

static __always_inline struct returns_of returns_of(__u32 cache, __u32 space)
{
	return (struct returns_of){ .epoch = READ_ONCE(code_epoch), .cache = cache,
				    .space = space };
}

/* Read before the code map is. */
static __always_inline __u64 epoch_of(const struct returns_of *of, __u64 address)
{
	return of->epoch + READ_ONCE(*slot_epoch(address));
}

/* 2^64 over the golden ratio; the upper bits depend on all of the address. */
static __always_inline __u32 address_hash(__u64 address, __u32 bits)
{
	return (__u32)(address * 0x9e3779b97f4a7c15ULL >> (64 - bits));
}

static __always_inline struct ts_return *return_entry(const struct returns_of *of,
						      __u64 address)
{
	__u32 index = of->cache * TS_RETURNS + address_hash(address, TS_RETURNS_SHIFT);

	return bpf_map_lookup_elem(&returns, &index);
}

/* What a walk wants to know of a caller. */
static __always_inline void found_caller(struct found *found, __u64 frame, __u32 shape)
{
	__builtin_memset(found, 0, sizeof(*found));
	found->frame = frame;
	found->shape = shape;
	found->known = found->lasting = true;
}

/* As code_find, but of what is found only frame, shape, `known` and `lasting` count. */
static __always_inline void return_find(const struct returns_of *of, __u64 address,
					struct found *found)
{
	struct ts_return *entry = of->epoch ? return_entry(of, address) : NULL;
	__u64 epoch = epoch_of(of, address);

	if (entry && entry->address == address && entry->epoch == epoch &&
	    entry->space == of->space) {
		found_caller(found, entry->frame, entry->shape);
		return;
	}
	code_find(of->space, address, found);
	if (!entry || !found->lasting)
		return;
	entry->address = address;
	entry->epoch = epoch;
	entry->frame = found->frame;
	entry->shape = found->shape;
	entry->space = of->space;
}

#endif /* TIERSCOPE_RETURNS_BPF_H */
