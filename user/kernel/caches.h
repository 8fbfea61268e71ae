/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* How large the maps are that hold the walks' caches; tests of the programs need them too. */
#ifndef TIERSCOPE_KERNEL_CACHES_H
#define TIERSCOPE_KERNEL_CACHES_H

#include "../../abi/codemap.h"

#include "tierscope.skel.h"

#include <bpf/libbpf.h>

/* Before the load.  caches: one a CPU for each that can interrupt the others. */
static inline void caches__set_count(struct tierscope *skeleton, __u32 caches)
{
	bpf_map__set_max_entries(skeleton->maps.returns, caches * TS_RETURNS);
	bpf_map__set_max_entries(skeleton->maps.leaf_cache, caches * TS_LEAVES);
	bpf_map__set_max_entries(skeleton->maps.paths, caches * TS_PATHS);
}

#endif /* TIERSCOPE_KERNEL_CACHES_H */
