/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * What a walk reads of the interrupted thread: its stack, its code, its mappings.
 *
 * Reading user memory costs the same for eight bytes as for a thousand (entering and
 * leaving user access is most of it), so a walk reads the stack a piece at a time and
 * finds most frames in it.
 *
 *   page ┌───────────────┬──────────────────────┐ page
 *        │               │ bytes                │
 *        └───────────────┴──────────────────────┘
 *                        start
 *
 * Such a window ends with its page at the latest: the next one may not be there, and a
 * read that runs into it costs more than all the others.
 */
#ifndef TIERSCOPE_MEMORY_BPF_H
#define TIERSCOPE_MEMORY_BPF_H

#include "decode.bpf.h"

/*
 * A function that the verifier looks at once: see jit_page_make().  Not where a walk goes on
 * from a piece: of two weak functions of one name the linker takes one for all.
 */
#define VERIFIED_ONCE __weak __noinline

#define VM_EXECUTABLE 4 /* include/linux/mm.h, VM_EXEC */

#define WINDOW_BYTES 2048 /* power of two, so that an index can be masked */

struct window {
	__u64 start;
	__u64 bytes;		/* 0: nothing is read yet */
	__u64 word[WINDOW_BYTES / 8];
};

/* Moves it so that it begins at `address`. */
static __always_inline bool window_move(struct window *window, __u64 address)
{
	__u32 bytes = 4096 - (address & 4095);

	if (bytes > WINDOW_BYTES)
		bytes = WINDOW_BYTES;
	window->start = address;
	window->bytes = 0;
	if (bpf_probe_read_user(window->word, bytes, (const void *)address))
		return false;
	window->bytes = bytes;
	return true;
}

static __always_inline bool read_word(struct window *window, __u64 address, __u64 *ret_word)
{
	__u64 offset = address - window->start;

	/* No stack is like that; and it may lie in two pages. */
	if (address & 7)
		return !bpf_probe_read_user(ret_word, 8, (const void *)address);
	if (offset >= window->bytes) {
		if (!window_move(window, address))
			return false;
		offset = 0;
	}
	*ret_word = window->word[(offset / 8) & (WINDOW_BYTES / 8 - 1)];
	return true;
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

static __always_inline bool is_code_memory(struct file *file)
{
	static const char wanted[] = TS_CODE_MEMORY;
	char name[sizeof(wanted)] = {};

	if (!file || bpf_probe_read_kernel(name, sizeof(name), file->f_path.dentry->d_name.name))
		return false;
	for (__u32 i = 0; i < sizeof(wanted); i++)
		if (name[i] != wanted[i])
			return false;
	return true;
}

static long note_memory(struct task_struct *task, struct vm_area_struct *vma,
			enum memory *memory)
{
	if (vma->vm_flags & VM_EXECUTABLE)
		*memory = is_code_memory(vma->vm_file) ? MEMORY_JIT : MEMORY_PENDING;
	return 0;
}

/*
 * Asked where no slot says what an address is.  The loader may not have heard yet:
 * of a file, whose frames it has to tell first, or of a page for code of the JIT or for
 * stubs, of which all that matters is told by probes or seen in its bytes.  The mappings
 * can be locked: then it counts as a file.
 */
VERIFIED_ONCE int memory_at(__u64 address)
{
	enum memory memory = MEMORY_NO_CODE;

	if (bpf_find_vma(bpf_get_current_task_btf(), address, note_memory, &memory, 0) == -EBUSY)
		return MEMORY_PENDING;
	return memory;
}

/* Whether what is no code as far as we know may become some. */
static __always_inline bool is_pending(__u64 address)
{
	return memory_at(address) == MEMORY_PENDING;
}

#define UNTOLD_NS	(1ULL << 26)	/* 15 times a second ... */
#define UNTOLD_BURST	8		/* ... and so often before, after a rest */

/*
 * Whether to wait for the event that tells of code of the JIT: that takes a piece of the
 * stack.  Bounded, so that a process whose code is never told of does not fill the ring.
 * until: the waits so far, as time that they take.
 */
static __always_inline bool may_be_told(__u64 *until)
{
	__u64 now = bpf_ktime_get_ns();

	if (*until > now + UNTOLD_BURST * UNTOLD_NS)
		return false;
	*until = (*until > now ? *until : now) + UNTOLD_NS;
	return true;
}

#endif /* TIERSCOPE_MEMORY_BPF_H */
