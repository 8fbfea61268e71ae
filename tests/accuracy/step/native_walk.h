/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Lets bpf/unwind.bpf.h compile natively over another process: it asks the three
 * functions below for code and memory, where the kernel asks its maps.
 */
#ifndef TIERSCOPE_TESTS_NATIVE_WALK_H
#define TIERSCOPE_TESTS_NATIVE_WALK_H

#include "../../../abi/codemap.h"
#include "../../../abi/ledger.h"
#include "../../../abi/ring.h"
#include "../../unit/bpf_vma.h"

#include <stdbool.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/* Instead of codefind.bpf.h and the caches. */
#define TIERSCOPE_CODEFIND_BPF_H
#define TIERSCOPE_RETURNS_BPF_H
#define TIERSCOPE_LEAVES_BPF_H
#define TIERSCOPE_PATHS_BPF_H

#define bpf_loop(count, callback, context, flags)                        \
	({                                                               \
		__u64 bpf_loop_i;                                        \
		for (bpf_loop_i = 0; bpf_loop_i < (count); bpf_loop_i++) \
			if (callback(bpf_loop_i, context))               \
				break;                                   \
		(long)bpf_loop_i;                                        \
	})
#define __weak static		/* there is but this file */
#define __noinline __attribute__((noinline))
#define barrier_var(var) __asm__ volatile("" : "+r"(var))

struct found {
	__u64 frame;
	__u32 shape, offset, size, row;
	bool known, in_jit, in_image, lasting;
};

/* The caller's: see step.c. */
static void code_find(__u32 space, __u64 address, struct found *found);
static bool read_memory(__u64 address, void *to, __u32 size);
static void *jit_page(__u32 space, __u64 address); /* is anything known there? */

static int slots;

struct returns_of {
	__u32 space;
};

static void *bpf_map_lookup_elem(void *map, const void *key)
{
	return NULL;
}

static void ledger_count(__u32 slot)
{
}

static __u64 bpf_ktime_get_ns(void)
{
	return 0;
}

static __u64 *leaf_count(__u32 row, __u32 event)
{
	return NULL;
}

static long bpf_get_stack(void *context, void *to, __u32 size, __u64 flags)
{
	return 0;
}

static long bpf_probe_read_user(void *to, __u32 size, const void *from)
{
	return read_memory((__u64)(unsigned long)from, to, size) ? 0 : -1;
}

static void leaf_find(const struct returns_of *of, __u64 address, struct found *found)
{
	code_find(of->space, address, found);
}

/* There was no walk before. */
struct ts_path;
struct path_place {
	__u32 before, now;
};

static struct ts_path *path_of(const struct returns_of *of, __u32 thread)
{
	return NULL;
}

static void path_find(const struct returns_of *of, struct ts_path *path,
		      struct path_place *place, __u64 address, __u64 sp, struct found *found)
{
	code_find(of->space, address, found);
}

static void path_end(struct ts_path *path, const struct path_place *place)
{
}

/* Helpers of the kernel, asked where nothing is known of an address. */
struct task_struct;

static void *bpf_get_current_task_btf(void)
{
	return NULL;
}

static long bpf_find_vma(void *task, __u64 address, void *callback, void *context, __u64 flags)
{
	return -1;
}

static long bpf_probe_read_kernel(void *to, __u32 size, const void *from)
{
	return -1;
}

#define EBUSY 16

#include "../../../bpf/unwind.bpf.h"

#endif /* TIERSCOPE_TESTS_NATIVE_WALK_H */
