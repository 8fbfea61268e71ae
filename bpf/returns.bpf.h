/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The return-address cache: what the code map said of a return address, so that a
 * walk touches one cache line per frame where the map itself takes half a dozen.
 *
 *   returns[cpu * RETURNS + hash(address)]: address, space, epoch -> frame, shape
 *
 * Who can tear an entry: nobody.  An entry belongs to one CPU, only the sampler
 * uses it, and a perf event's program cannot interrupt itself.
 *
 * What makes an entry untrue: a body or a file that goes or is replaced.  Each such
 * change ends with code_changed(), and an entry counts only in the epoch in which its
 * sample began.  So a sample that begins after a change never gets an answer from
 * before it; one that runs beside a change may, as it may from the map.
 *
 * "Nothing here" is kept only where the loader knows a file and no page is JIT code:
 * the first body there brings the page, which is a change.  All others, which come by
 * the thousand, are none.
 */
#ifndef TIERSCOPE_RETURNS_BPF_H
#define TIERSCOPE_RETURNS_BPF_H

#include "codefind.bpf.h"

/* Whose cache, and since when: constant for one sample. */
struct returns_of {
	__u64 epoch;		/* 0: use no cache */
	__u32 first;		/* entry of this CPU */
	__u32 space;
};

static __always_inline struct returns_of returns_of(__u32 cpu, __u32 space)
{
	return (struct returns_of){ .epoch = READ_ONCE(code_epoch),
				    .first = cpu * TS_RETURNS, .space = space };
}

static __always_inline struct ts_return *return_entry(const struct returns_of *of,
						      __u64 address)
{
	/* 2^64 over the golden ratio; the upper bits depend on all of the address. */
	__u32 index = of->first +
		      (__u32)(address * 0x9e3779b97f4a7c15ULL >> (64 - TS_RETURNS_SHIFT));

	return bpf_map_lookup_elem(&returns, &index);
}

static __always_inline bool return_known(const struct returns_of *of,
					 const struct ts_return *entry, __u64 address)
{
	return entry && entry->address == address && entry->epoch == of->epoch &&
	       entry->space == of->space;
}

static __always_inline void return_keep(const struct returns_of *of, struct ts_return *entry,
					__u64 address, const struct found *found)
{
	entry->address = address;
	entry->epoch = of->epoch;
	entry->frame = found->frame;
	entry->shape = found->shape;
	entry->space = of->space;
}

static __always_inline bool is_native(__u64 frame)
{
	return TS_FRAME_TAG(frame) == TS_FRAME_TAG_RAW;
}

/* As code_find, by the cache where it may be used; native_only: for native frames. */
static __always_inline void cached_find(const struct returns_of *of, __u64 address,
					bool native_only, struct found *found)
{
	struct ts_return *entry = of->epoch ? return_entry(of, address) : NULL;

	if (return_known(of, entry, address) && (!native_only || is_native(entry->frame))) {
		__builtin_memset(found, 0, sizeof(*found));
		found->frame = entry->frame;
		found->shape = entry->shape;
		found->known = true;
		return;
	}
	code_find(of->space, address, found);
	if (entry && found->lasting && (!native_only || is_native(found->frame)))
		return_keep(of, entry, address, found);
}

/*
 * As code_find.  Of a body, or a function of an image, all has to be found: where in it
 * the leaf is, is not in the cache.  A native file's rule says it all.  Threads that are
 * in the kernel stand in few other places.
 */
static __always_inline void leaf_find(const struct returns_of *of, __u64 address,
				      struct found *found)
{
	cached_find(of, address, true, found);
}

/* As code_find, but of what is found only frame, shape and `known` count. */
static __always_inline void return_find(const struct returns_of *of, __u64 address,
					struct found *found)
{
	cached_find(of, address, false, found);
}

#endif /* TIERSCOPE_RETURNS_BPF_H */
