/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Counting, per CPU.  Atomic, because a sample can interrupt a probe's handler. */
#ifndef TIERSCOPE_LEDGER_BPF_H
#define TIERSCOPE_LEDGER_BPF_H

static __always_inline void ledger_count(__u32 what)
{
	__u64 *count = bpf_map_lookup_elem(&ledger, &what);

	if (count)
		__sync_fetch_and_add(count, 1);
}

#endif /* TIERSCOPE_LEDGER_BPF_H */
