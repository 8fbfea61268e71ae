/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * What a walk reads that goes on from a stack piece: the sample's copy of stack and
 * code, in the map `finishing`.
 */
#ifndef TIERSCOPE_PIECE_BPF_H
#define TIERSCOPE_PIECE_BPF_H

#include "decode.bpf.h"

/* As in memory.bpf.h, where it says why. */
#define VERIFIED_ONCE static __always_inline

static __always_inline struct ts_finish *finish(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&finishing, &zero);
}

/* It is a copy already. */
struct window {
	__u64 bytes;
};

static __always_inline bool read_word(struct window *unused, __u64 address, __u64 *ret_word)
{
	struct ts_finish *piece = finish();
	__u64 at;

	if (!piece)
		return false;
	at = address - piece->sp;
	if (at >= piece->bytes || piece->bytes - at < 8)
		return false;
	/* Compared where it is used: the verifier of Linux 6.1 bounds no copies. */
	barrier_var(at);
	if (at > TS_STACK_PIECE_MAX - 8)
		return false;
	*ret_word = *(__u64 *)(piece->stack + at);
	return true;
}

/* Up to `count` bytes; fewer where the copy ends. */
static __always_inline void read_code(struct decoder *decoder, __u64 address, __u32 count)
{
	struct ts_finish *piece = finish();
	__u64 at;

	decoder->count = 0;
	if (!piece)
		return;
	at = address - (piece->ip - TS_CODE_BEFORE);
	if (at >= piece->code_bytes)
		return;
	if (count > piece->code_bytes - at)
		count = piece->code_bytes - at;
	if (count > DECODE_BYTES)
		count = DECODE_BYTES;
	barrier_var(count);
	barrier_var(at);
	if (at > TS_CODE_BYTES || count > DECODE_BYTES ||
	    bpf_probe_read_kernel(decoder->byte, count, piece->code + at))
		return;
	decoder->count = count;
}

/* Asked where no slot says what an address is: this walk knows no more than that. */
VERIFIED_ONCE int memory_at(__u64 address)
{
	return MEMORY_PENDING;
}

/* It has been waited for. */
static __always_inline bool is_pending(__u64 address)
{
	return false;
}

/* That too. */
static __always_inline bool may_be_told(__u64 *unused)
{
	return false;
}

#endif /* TIERSCOPE_PIECE_BPF_H */
