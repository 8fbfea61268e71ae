/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* What a sample's record has behind the user frames: abi/ring.h tells their order. */
#ifndef TIERSCOPE_RECORD_BPF_H
#define TIERSCOPE_RECORD_BPF_H

#include "unwind.bpf.h"

/*
 * Puts the kernel's own frames behind `count` user frames, leaf first, without the first
 * `skip`; how many.  Kernel addresses need no tag: their top bits are it.
 */
static __always_inline __u32 add_kernel_frames(void *context, struct walk_scratch *scratch,
					       __u32 count, __u32 skip)
{
	long bytes;

	/* Masked where it is used: the verifier of Linux 6.1 forgets its bound. */
	barrier_var(count);
	bytes = bpf_get_stack(context, &scratch->record[SAMPLE_WORDS + (count & 127)],
			      8 * (TS_KERNEL_FRAMES_MAX + 1), skip);
	if (bytes < 8) {
		ledger_count(TS_LEDGER_NO_KERNEL_STACK);
		return 0;
	}
	if (bytes > 8 * TS_KERNEL_FRAMES_MAX) {
		scratch->walk.flags |= TS_SAMPLE_KERNEL_CUT;
		return TS_KERNEL_FRAMES_MAX;
	}
	return (__u32)bytes / 8;
}

/*
 * Puts the bytes around an unknown leaf behind `count` user frames and
 * `kernel_count` others.  Gives the record's size in bytes.
 */
static __always_inline __u64 add_code(struct walk_scratch *scratch, __u32 count,
				      __u32 kernel_count, __u64 leaf)
{
	__u64 words;

	barrier_var(count);
	barrier_var(kernel_count);
	words = SAMPLE_WORDS + (count & 127) + (kernel_count & 127);
	if (!scratch->unknown_leaf ||
	    bpf_probe_read_user(&scratch->record[words], TS_CODE_BYTES,
				(const void *)(leaf - TS_CODE_BEFORE)))
		return 8 * words;
	scratch->walk.flags |= TS_SAMPLE_CODE;
	return 8 * words + TS_CODE_BYTES;
}

#define PIECE_STEPS 5	/* of up to a page, which can begin and end inside one */

struct piece_copy {
	struct walk_scratch *scratch;
	__u64 at;		/* of the piece's stack, in the record, in bytes */
	__u64 bytes;		/* of it that are there */
};

/* The rest of one page of the stack: bpf_loop callback. */
static long copy_stack(__u64 index, struct piece_copy *copy)
{
	__u64 from = copy->scratch->walk.sp + copy->bytes, at = copy->at + copy->bytes;
	__u32 size = 4096 - (from & 4095);

	if (size > TS_STACK_PIECE_MAX - copy->bytes)
		size = TS_STACK_PIECE_MAX - copy->bytes;
	barrier_var(size);
	barrier_var(at);
	if (!size || size > 4096 || at > 8 * RECORD_WORDS - 4096 ||
	    bpf_probe_read_user((__u8 *)copy->scratch->record + at, size,
				(const void *)from))
		return 1;
	copy->bytes += size;
	return 0;
}

/*
 * Puts registers and stack behind a record of `size` bytes, where the walk could not
 * go on.  Gives the record's new size.  Not inlined: see jit_page_make().
 */
__weak __noinline __u64 add_stack(struct walk_scratch *scratch, __u64 size)
{
	struct ts_stack_piece *piece;
	struct piece_copy copy = { .scratch = scratch, .at = size + sizeof(*piece) };
	struct walk *walk;

	if (!scratch || scratch->walk.sp & 7 || size > 8 * 255)
		return size;
	walk = &scratch->walk;
	bpf_loop(PIECE_STEPS, copy_stack, &copy, 0);
	piece = (struct ts_stack_piece *)&scratch->record[size / 8 & 255];
	*piece = (struct ts_stack_piece){ .ip = walk->ip, .sp = walk->sp,
					  .bp = walk->bp, .r10 = walk->r10, .rbx = walk->rbx,
					  .bytes = copy.bytes };
	walk->flags |= TS_SAMPLE_STACK;
	return size + sizeof(*piece) + copy.bytes;
}

#endif /* TIERSCOPE_RECORD_BPF_H */
