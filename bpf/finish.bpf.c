// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Finishes the walk of a sample that met memory of which no slot told what it is.
// The loader runs it once it knows: the same walk, over the sample's own copy of
// the stack.
#define WALK_FROM_PIECE

#include "vmlinux.h"
#include <asm/errno.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#define NULL ((void *)0)

#include "unwind.bpf.h"

char LICENSE[] SEC("license") __weak = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk_scratch);
} finish_scratch SEC(".maps");

/* The frames keep the numbers that they have in the sample: bpf_loop callback. */
static long finish_one(__u64 index, struct walking *context)
{
	struct ts_finish *piece = finish();

	return piece ? walk_one(index + (piece->first & 127), context) : 1;
}

static __always_inline int finish_walk(struct ts_finish *piece,
				       struct walk_scratch *scratch)
{
	struct walking walking = { .scratch = scratch };

	/* No cache of return addresses: those are the samplers'. */
	walk_begin(&scratch->walk, (struct returns_of){ .space = piece->space });
	scratch->walk.ip = piece->ip;
	scratch->walk.sp = piece->sp;
	scratch->walk.bp = piece->bp;
	scratch->walk.r10 = piece->r10;
	scratch->walk.rbx = piece->rbx;
	scratch->event = piece->event;
	bpf_loop(TS_FRAMES_MAX + 1, finish_one, &walking, 0);
	piece->flags = scratch->walk.flags;
	piece->count = scratch->walk.count;
	bpf_probe_read_kernel(piece->frames, sizeof(piece->frames),
			      &scratch->record[SAMPLE_WORDS]);
	return 0;
}

SEC("syscall")
int door_finish(void *context)
{
	__u32 zero = 0;
	struct walk_scratch *scratch = bpf_map_lookup_elem(&finish_scratch, &zero);
	struct ts_finish *piece = finish();

	return scratch && piece ? finish_walk(piece, scratch) : -ENOENT;
}
