/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The walk before: most callers of a thread are those that it had when it was last
 * looked at, in the same places of its stack.  What was found of them then lies side by
 * side, where the cache of return addresses has a line, and a page, for each.
 *
 *   stack        before        now
 *   sp 3  ───►   c  ── same ──► c
 *   sp 2  ───►   b  ── same ──► b
 *   sp 1         a              x  ── another: asks the cache
 *
 * A path says the same as that cache: what the code map said of an address, in a space
 * and an epoch.  Where on the stack it was, says only which of them to compare.  Each
 * belongs to one CPU and one that walks, as the entries of the cache do; the thread only
 * chooses among them.
 */
#ifndef TIERSCOPE_PATHS_BPF_H
#define TIERSCOPE_PATHS_BPF_H

#include "returns.bpf.h"

#define PATH_PASSED 4	/* callers of the walk before that are passed over at once */

/* A walk's place in the one before, and in its own. */
struct path_place {
	__u32 before, now;
};

/* NULL: there is none.  thread: any number of it. */
static __always_inline struct ts_path *path_of(const struct returns_of *of, __u32 thread)
{
	__u32 index = of->cache * TS_PATHS + (thread & (TS_PATHS - 1));
	struct ts_path *path = of->epoch ? bpf_map_lookup_elem(&paths, &index) : NULL;

	if (path && path->space != of->space) {
		path->space = of->space;
		path->count = 0;
	}
	return path;
}

/* The caller of the walk before that stood there; NULL: none, or another. */
static __always_inline const struct ts_path_caller *path_at(const struct ts_path *path,
							    struct path_place *place,
							    __u64 address, __u32 sp)
{
	const struct ts_path_caller *before;

	for (int i = 0; i < PATH_PASSED && place->before < path->count; i++) {
		before = &path->caller[path->before & 1]
				      [place->before & (TS_PATH_CALLERS - 1)];
		if ((__s32)(before->sp - sp) >= 0)
			return before->address == address ? before : NULL;
		place->before++;
	}
	return NULL;
}

static __always_inline void path_keep(struct ts_path *path, struct path_place *place,
				      __u64 address, __u64 epoch, __u32 sp,
				      const struct found *found)
{
	struct ts_path_caller *now;

	if (!found->lasting || place->now >= TS_PATH_CALLERS)
		return;
	now = &path->caller[(path->before & 1) ^ 1][place->now & (TS_PATH_CALLERS - 1)];
	now->address = address;
	now->epoch = epoch;
	now->frame = found->frame;
	now->shape = found->shape;
	now->sp = sp;
	place->now++;
}

/* As return_find(), also without a path; sp: where the caller stands. */
static __always_inline void path_find(const struct returns_of *of, struct ts_path *path,
				      struct path_place *place, __u64 address, __u64 sp,
				      struct found *found)
{
	__u64 epoch = epoch_of(of, address);
	const struct ts_path_caller *before = path ? path_at(path, place, address, sp) : NULL;

	if (before && before->epoch == epoch)
		found_caller(found, before->frame, before->shape);
	else
		return_find(of, address, found);
	if (path)
		path_keep(path, place, address, epoch, sp, found);
}

static __always_inline void path_end(struct ts_path *path, const struct path_place *place)
{
	if (!path)
		return;
	path->before = (path->before & 1) ^ 1;
	path->count = place->now;
}

#endif /* TIERSCOPE_PATHS_BPF_H */
