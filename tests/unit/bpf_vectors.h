/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * What happens to the code map, step by step, and what an address then leads
 * to: played natively (test_bpf_codemap.c) and in the kernel through the doors
 * (tests/bpf/test_doors.c), with the same answers.
 */
#ifndef TIERSCOPE_TESTS_BPF_VECTORS_H
#define TIERSCOPE_TESTS_BPF_VECTORS_H

#include "../../abi/codemap.h"

#include <errno.h>

#define VECTOR_BASE  0x7f0000100000ULL
#define VECTOR_NAMES 16

enum vector_op {
	COMES,	    /* body `name` at `at`, of `size`; gives `error` */
	GOES,	    /* the body at `at`; gives `error` */
	PAGE_GOES,  /* the page of `at`; gives `error` */
	IS,	    /* `at` leads to body `name`, `size` bytes from its start */
	IS_RAW,	    /* `at` leads nowhere */
	SAME_ROW,   /* `name` and `other` have one row and generation */
	ROW_REUSED, /* `name` has the row of `other`, and another generation */
};

struct vector {
	enum vector_op op;
	int process; /* 0 or 1 */
	__u64 at;
	__u32 size;
	int name, other;
	int error;
};

#define B VECTOR_BASE
static const struct vector codemap_vectors[] = {
	/* one byte */
	{COMES, 0, B, 1, 1, 0, 0},
	{IS, 0, B, 0, 1, 0, 0},
	{IS_RAW, 0, B + 1, 0, 0, 0, 0},
	{IS_RAW, 0, B - 1, 0, 0, 0, 0},
	{IS_RAW, 1, B, 0, 0, 0, 0},
	/* told twice; a neighbour right behind; gone */
	{COMES, 0, B, 1, 2, 0, 0},
	{SAME_ROW, 0, 0, 0, 1, 2, 0},
	{COMES, 0, B + 0x10, 0x20, 3, 0, 0},
	{IS, 0, B, 0, 1, 0, 0},
	{IS, 0, B + 0x2f, 0x1f, 3, 0, 0},
	{IS_RAW, 0, B + 0x30, 0, 0, 0, 0},
	{GOES, 0, B + 0x18, 0, 0, 0, -ENOENT},
	{GOES, 0, B, 0, 0, 0, 0},
	{IS_RAW, 0, B, 0, 0, 0, 0},
	{IS, 0, B + 0x10, 0, 3, 0, 0},
	{GOES, 0, B, 0, 0, 0, -ENOENT},
	/* over three pages and a slot's end, in the row of the first */
	{COMES, 0, B + 0xeff0, 0x2020, 4, 0, 0},
	{ROW_REUSED, 0, 0, 0, 4, 1, 0},
	{IS, 0, B + 0xeff0, 0, 4, 0, 0},
	{IS, 0, B + 0xffff, 0x100f, 4, 0, 0},
	{IS, 0, B + 0x10000, 0x1010, 4, 0, 0},
	{IS, 0, B + 0x1100f, 0x201f, 4, 0, 0},
	{IS_RAW, 0, B + 0x11010, 0, 0, 0, 0},
	{IS_RAW, 0, B + 0xefef, 0, 0, 0, 0},
	/* a newer one over its end, and one over its start: the older is gone */
	{COMES, 0, B + 0x11000, 0x40, 5, 0, 0},
	{IS, 0, B + 0x10fff, 0x200f, 4, 0, 0},
	{IS, 0, B + 0x11000, 0, 5, 0, 0},
	{IS, 0, B + 0x1103f, 0x3f, 5, 0, 0},
	{COMES, 0, B + 0xeff0, 0x20, 6, 0, 0},
	{IS, 0, B + 0xf00f, 0x1f, 6, 0, 0},
	{IS_RAW, 0, B + 0xf010, 0, 0, 0, 0},
	{IS_RAW, 0, B + 0x10000, 0, 0, 0, 0},
	{IS, 0, B + 0x11000, 0, 5, 0, 0},
	/* same place, another function, another process */
	{COMES, 0, B + 0x11000, 0x40, 7, 0, 0},
	{IS, 0, B + 0x11000, 0, 7, 0, 0},
	{COMES, 1, B + 0x11000, 0x80, 8, 0, 0},
	{IS, 0, B + 0x11000, 0, 7, 0, 0},
	{IS_RAW, 0, B + 0x11040, 0, 0, 0, 0},
	{IS, 1, B + 0x1107f, 0x7f, 8, 0, 0},
	/* pages given back leave their neighbours */
	{GOES, 0, B + 0x11000, 0, 0, 0, 0},
	{PAGE_GOES, 0, B + 0x11000, 0, 0, 0, 0},
	{PAGE_GOES, 0, B + 0x11000, 0, 0, 0, -ENOENT},
	{IS, 1, B + 0x11000, 0, 8, 0, 0},
	{IS, 0, B + 0xeff0, 0, 6, 0, 0},
	{IS, 0, B + 0x10, 0, 3, 0, 0},
	/* what no process may claim */
	{COMES, 0, B, 0, 9, 0, -EINVAL},
	{COMES, 0, 0xffff, 16, 9, 0, -EINVAL},
	{COMES, 0, B, TS_BODY_SIZE_MAX + 1, 9, 0, -EINVAL},
	{COMES, 0, B, 0xffffffff, 9, 0, -EINVAL},
	{COMES, 0, 0xffff888000000000ULL, 16, 9, 0, -EINVAL},
	{COMES, 0, 0xffffffffffffffffULL, 1, 9, 0, -EINVAL},
	{IS, 0, B + 0x10, 0, 3, 0, 0},
};
#undef B

#define VECTORS (sizeof(codemap_vectors) / sizeof(codemap_vectors[0]))

#endif /* TIERSCOPE_TESTS_BPF_VECTORS_H */
