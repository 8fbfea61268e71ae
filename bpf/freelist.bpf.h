/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Numbers of rows and pages that were given back, as stacks without a lock.
 * (A queue map would do, but on Linux 6.1 no door may use one.)
 *
 *   top    | changes | number |      64 bits
 *                         |
 *   links[number] -> number below -> ... -> 0
 *
 * Writers on other CPUs may change the stack between any two instructions.
 * Each change counts up, so that a compare-and-swap fails though the same
 * number is on top again, with another below.
 *
 * Not inlined, so that the verifier looks at a stack's functions once, and not at
 * all that follows behind each try.
 */
#ifndef TIERSCOPE_FREELIST_BPF_H
#define TIERSCOPE_FREELIST_BPF_H

#define FREELIST_TRIES 16

__u64 free_rows_top __weak;
__u64 free_pages_top __weak;

static __always_inline __u64 freelist_top(__u64 old, __u32 number)
{
	return ((old >> 32) + 1) << 32 | number;
}

/* 0 when there is none, or when as many others as there are tries were faster. */
static __always_inline __u32 freelist_take(void *links, __u64 *top)
{
	for (int i = 0; i < FREELIST_TRIES; i++) {
		__u64 old = READ_ONCE(*top);
		__u32 number = (__u32)old;
		__u32 *link = number ? bpf_map_lookup_elem(links, &number) : NULL;

		if (!link)
			return 0;
		if (__sync_val_compare_and_swap(
			    top, old, freelist_top(old, READ_ONCE(*link))) == old)
			return number;
	}
	return 0;
}

/*
 * 0 when it is back.  -EBUSY when as many others as there are tries were faster:
 * it is never used again.
 */
static __always_inline int freelist_give(void *links, __u64 *top, __u32 number)
{
	__u32 *link = bpf_map_lookup_elem(links, &number);

	if (!link)
		return -ENOENT;
	for (int i = 0; i < FREELIST_TRIES; i++) {
		__u64 old = READ_ONCE(*top);

		WRITE_ONCE(*link, (__u32)old);
		if (__sync_val_compare_and_swap(top, old, freelist_top(old, number)) == old)
			return 0;
	}
	return -EBUSY;
}

__weak __noinline __u32 free_row_take(void)
{
	return freelist_take(&free_rows, &free_rows_top);
}

__weak __noinline __u32 free_page_take(void)
{
	return freelist_take(&free_pages, &free_pages_top);
}

__weak __noinline int free_row_give(__u32 row)
{
	return freelist_give(&free_rows, &free_rows_top, row);
}

__weak __noinline int free_page_give(__u32 page)
{
	return freelist_give(&free_pages, &free_pages_top, page);
}

#endif /* TIERSCOPE_FREELIST_BPF_H */
