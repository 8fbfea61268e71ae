// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Addresses looked up in the code map, and in an LPM trie that holds the same bodies
// as prefixes: the two sides of the benchmark.
#include "vmlinux.h"
#include <asm/errno.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#define NULL ((void *)0)

#include "../../../bpf/codefind.bpf.h"
#include "lookup.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, __u32);
} trie SEC(".maps");

/* Drawn before, so that drawing is not measured. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, DRAWS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct draw);
} draws SEC(".maps");

struct ts_space owner = {.number = 1};
/* Of the next run: in, and out. */
__u32 in_trie;
__u32 wrong;
__u64 time_ns;

SEC("syscall")
int insert(struct ts_journal_record *from)
{
	struct ts_journal_record record = *from;
	struct placed placed = {};

	return body_insert(&owner, &record, &placed) ? 0 : placed.row;
}

static long find_in_map(__u64 index, void *unused)
{
	__u32 number = index;
	struct draw *draw = bpf_map_lookup_elem(&draws, &number);
	struct found found;

	if (!draw)
		return 1;
	code_find(1, draw->address, &found);
	if (found.row != draw->row)
		wrong++;
	return 0;
}

static long find_in_trie(__u64 index, void *unused)
{
	__u32 number = index, *row;
	struct draw *draw = bpf_map_lookup_elem(&draws, &number);
	struct prefix key = {.length = 96, .space = 1};

	if (!draw)
		return 1;
	key.address = __builtin_bswap64(draw->address);
	row = bpf_map_lookup_elem(&trie, &key);
	if (!row || *row != draw->row)
		wrong++;
	return 0;
}

/* No SEC("syscall"), which may not use a trie: a packet's program, run on nothing. */
SEC("tc")
int look_up(struct __sk_buff *unused)
{
	__u64 began = bpf_ktime_get_ns();

	wrong = 0;
	if (in_trie)
		bpf_loop(DRAWS, find_in_trie, NULL, 0);
	else
		bpf_loop(DRAWS, find_in_map, NULL, 0);
	time_ns = bpf_ktime_get_ns() - began;
	return 0;
}
