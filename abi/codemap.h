/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The code map: from an instruction address to the code body, as it lies in
 * BPF maps.
 *
 *   (space, ip >> 16) ── jit_slots ──► a body?   no: (space, ip >> 16) ── slots
 *                          │                                               │
 *                .page[(ip >> 12) & 15]                          an image: base, table
 *                          │                                               │
 *        jit_granules[page].row[(ip >> 4) & 255]   image_granules[table + (rva >> 6)]
 *                          │                                               │
 *                   bodies[row]: exact range check     image_rows[first ...]: halve
 *          leaf_counts[row * events + event]
 *
 * One writer per map: BPF code writes jit_slots, jit_granules, bodies and leaf_counts; the
 * loader writes slots, image_granules and image_rows, rows first, granules
 * second, slots last.
 */
#ifndef TIERSCOPE_ABI_CODEMAP_H
#define TIERSCOPE_ABI_CODEMAP_H

#include "body.h"

#define TS_SLOT_SHIFT		16
#define TS_PAGE_SHIFT		12
#define TS_GRANULE_SHIFT	4
#define TS_GRANULES_PER_PAGE	256
#define TS_PAGES_PER_SLOT	16
#define TS_EVENTS_MAX		4	/* kinds of events counted per body */
#define TS_BODY_SIZE_MAX	(4u << 20) /* larger claims are refused */

struct ts_address_key {
	__u32 space;
	__u32 reserved;
	__u64 number;		/* ip >> TS_SLOT_SHIFT, or >> TS_PAGE_SHIFT */
};
_Static_assert(sizeof(struct ts_address_key) == 16, "key layout");

#define TS_SLOT_JIT		0xffffffffu
#define TS_SLOT_NATIVE		0xfffffffeu /* a mapped file that is no image */
#define TS_SLOT_TABLES		2	/* small files lie close together */
/*
 * No slot: nothing is known of that memory yet.  Where several things lie in one
 * slot, an image goes before JIT code, JIT code before other files.
 */
struct ts_slot {
	__u32 image;		/* number of the image, or TS_SLOT_JIT, _NATIVE */
	__u32 table[TS_SLOT_TABLES]; /* of native files, numbered like images; 0: none */
	__u32 reserved;
	__u64 base;		/* address of the image's RVA 0 in this process */
	__u64 table_base[TS_SLOT_TABLES];
};
_Static_assert(sizeof(struct ts_slot) == 40, "slot layout");

/* The JIT code of one slot. */
struct ts_jit_slot {
	__u32 page[TS_PAGES_PER_SLOT];	/* numbers in jit_granules; 0: none */
};
_Static_assert(sizeof(struct ts_jit_slot) == 64, "JIT slot layout");

struct ts_jit_page {
	__u32 row[TS_GRANULES_PER_PAGE];	/* 0: nothing here */
};

/* Row 0 is never used. */
struct ts_body_row {
	__u32 generation;	/* changes when the row is given to another body */
	__u32 space;		/* 0: the row is free */
	__u64 start;
	__u32 size;
	__u32 shape;		/* TS_SHAPE */
	__u64 function_id;
	__u64 sequence;		/* the journal's, of its birth */
};
_Static_assert(sizeof(struct ts_body_row) == 40, "row layout");

/*
 * The table of one precompiled image or native file that is mapped somewhere; unchanged while
 * a slot names it.  A native file's number, rows and granules can be another's after that.
 * Number 0 is never used.
 */
struct ts_image {
	__u32 first_granule;	/* in image_granules */
	__u32 granules;
	__u32 text_rva;		/* RVA of the first granule, aligned to one */
	__u32 first_row;	/* in image_rows */
	__u32 rows;		/* the fence included */
	__u32 size;		/* bytes from base that belong to it */
};
_Static_assert(sizeof(struct ts_image) == 24, "image layout");

/*
 * One RUNTIME_FUNCTION of an image, or one rule of a native file, sorted by begin; it
 * goes to the begin of the next.  A few bytes of padding count for the function before
 * them; a real gap is a row of its own, and so is the fence, where the last function ends.
 */
struct ts_image_row {
	__u32 begin;		/* RVA */
	__u32 shape;		/* TS_SHAPE; 0: a rule that is none of ours; TS_SHAPE_GAP */
};
_Static_assert(sizeof(struct ts_image_row) == 8, "image row layout");

/*
 * Functions are 16-aligned and 130 bytes long on average: in the 36 MB of code of the
 * framework and the C# compiler no granule has more than five begins.  Rules of native
 * code can change with each instruction: a byte at least.
 */
#define TS_IMAGE_GRANULE_SHIFT	6
#define TS_IMAGE_GRANULES	16	/* of one element: a map rounds 4 bytes up to 8 */
#define TS_IMAGE_HALVINGS	7	/* more rows than 64 cannot begin in a granule */
#define TS_IMAGE_PADDING	15	/* bytes; more is a gap */
#define TS_SHAPE_GAP		0xffffffffu

struct ts_image_granules {
	__u32 row[TS_IMAGE_GRANULES];	/* of the first byte, else the first in it */
};

/* One entry of the return-address cache, and how many of them a CPU has. */
#define TS_RETURNS_SHIFT	12
#define TS_RETURNS		(1u << TS_RETURNS_SHIFT)
struct ts_return {
	__u64 address;
	__u64 epoch;		/* of the code map; 0: empty */
	__u64 frame;		/* see ring.h */
	__u32 shape;
	__u32 space;
};
_Static_assert(sizeof(struct ts_return) == 32, "return entry layout");

/* What the code map said of a leaf; of all addresses of a function in one block. */
#define TS_LEAVES_SHIFT	8
#define TS_LEAVES	(1u << TS_LEAVES_SHIFT)	/* of a CPU */
#define TS_LEAF_BLOCK_SHIFT 6
struct ts_leaf {
	__u64 block;		/* address >> TS_LEAF_BLOCK_SHIFT */
	__u64 epoch;		/* as in struct ts_return */
	__u64 start, frame;	/* of the function, and the frame word there */
	__u32 size, shape;
	__u32 row;		/* JIT body; 0 none */
	__u32 space;
	__u64 reserved[2];	/* so that each has a cache line */
};
_Static_assert(sizeof(struct ts_leaf) == 64, "leaf layout");

/*
 * The callers of the walk before, leaf first, and of the one that is under way: of one
 * of some threads of a CPU.
 */
#define TS_PATHS	8	/* of a CPU; power of two */
#define TS_PATH_CALLERS	64	/* power of two; those of deeper stacks are not kept */
struct ts_path_caller {
	__u64 address, epoch, frame;	/* as in struct ts_return */
	__u32 shape;
	__u32 sp;		/* low half of where it stood */
};
struct ts_path {
	__u32 space;
	__u32 before;		/* half that holds the walk before */
	__u32 count;		/* callers of it */
	__u32 reserved[13];
	struct ts_path_caller caller[2][TS_PATH_CALLERS];
};
_Static_assert(sizeof(struct ts_path) == 64 + 64 * TS_PATH_CALLERS, "path layout");

#endif /* TIERSCOPE_ABI_CODEMAP_H */
