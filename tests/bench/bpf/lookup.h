/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* What lookup.c and lookup.bpf.c share. */
#ifndef TIERSCOPE_BENCH_LOOKUP_H
#define TIERSCOPE_BENCH_LOOKUP_H

#define DRAWS 65536

/* A key of the trie: 32 bits of space, then the address, big-endian. */
struct prefix {
	__u32 length;
	__u32 space;
	__u64 address;
};

struct draw {
	__u64 address;
	__u32 row, reserved;
};

#endif /* TIERSCOPE_BENCH_LOOKUP_H */
