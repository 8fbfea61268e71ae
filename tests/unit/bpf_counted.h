/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* A count of the ledger, for tests of code that is compiled natively; after its headers. */
#ifndef TIERSCOPE_TESTS_BPF_COUNTED_H
#define TIERSCOPE_TESTS_BPF_COUNTED_H

static __u64 counted(__u32 what)
{
	return *(__u64 *)bpf_map_lookup_elem(&ledger, &what);
}

#endif /* TIERSCOPE_TESTS_BPF_COUNTED_H */
