/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* What a walk reads of the interrupted thread: its stack, its code, its mappings. */
#ifndef TIERSCOPE_MEMORY_BPF_H
#define TIERSCOPE_MEMORY_BPF_H

#include "decode.bpf.h"

#define VM_EXECUTABLE 4 /* include/linux/mm.h, VM_EXEC */

static __always_inline bool read_word(__u64 address, __u64 *ret_word)
{
	return !bpf_probe_read_user(ret_word, 8, (const void *)address);
}

/* Up to `count` bytes; fewer where the next page cannot be read. */
static __always_inline void read_code(struct decoder *decoder, __u64 address,
				      __u32 count)
{
	__u32 on_page = 4096 - (address & 4095);

	/* Compared where it is used: the verifier of Linux 6.1 bounds no copies. */
	barrier_var(count);
	if (count > DECODE_BYTES)
		count = DECODE_BYTES;
	decoder->count = 0;
	if (!bpf_probe_read_user(decoder->byte, count, (const void *)address)) {
		decoder->count = count;
		return;
	}
	if (on_page < count && on_page < DECODE_BYTES &&
	    !bpf_probe_read_user(decoder->byte, on_page, (const void *)address))
		decoder->count = on_page;
}

static long note_executable(struct task_struct *task, struct vm_area_struct *vma,
			    bool *executable)
{
	*executable = vma->vm_flags & VM_EXECUTABLE;
	return 0;
}

/*
 * Asked where no slot says what an address is: a file that was mapped a moment ago, or
 * a broken chain?  The mappings can be locked: then it counts as the former.
 */
static __always_inline bool is_executable(__u64 address)
{
	bool executable = false;
	long err = bpf_find_vma(bpf_get_current_task_btf(), address, note_executable,
				&executable, 0);

	return err ? err == -EBUSY : executable;
}

#endif /* TIERSCOPE_MEMORY_BPF_H */
