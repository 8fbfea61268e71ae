/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Looking an address up in the code map: JIT bodies, functions of images, rules of native
 * files. */
#ifndef TIERSCOPE_CODEFIND_BPF_H
#define TIERSCOPE_CODEFIND_BPF_H

#include "codemap.bpf.h"

/* What a look-up gives: the frame word, and how to walk on. */
struct found {
	__u64 frame;
	__u32 shape;
	__u32 offset;	       /* from the start of the function that was found */
	__u32 size;	       /* of it */
	__u32 row;	       /* JIT body, for counting; 0 none */
	bool in_jit, in_image; /* the slot says so, found or not */
	bool known;	       /* we have heard of that memory */
	bool lasting;	       /* true until the next code_changed() */
};

static __always_inline void find_jit(struct ts_jit_slot *slot, __u32 space, __u64 address,
				     struct found *found)
{
	__u32 number = READ_ONCE(*page_number(slot, address));
	struct ts_jit_page *page = number ? bpf_map_lookup_elem(&jit_granules, &number) : NULL;
	struct ts_body_row *body;
	__u32 row, generation;
	__u32 size, shape;
	__u64 start;

	if (!page)
		return;
	found->in_jit = found->known = true;
	row = READ_ONCE(page->row[(address >> TS_GRANULE_SHIFT) & (TS_GRANULES_PER_PAGE - 1)]);
	body = row ? bpf_map_lookup_elem(&bodies, &row) : NULL;
	if (!body)
		return;
	/* In this order: the rest is whole while the space stands in the row. */
	generation = READ_ONCE(body->generation);
	if (READ_ONCE(body->space) != space)
		return;
	start = READ_ONCE(body->start);
	size = READ_ONCE(body->size);
	shape = READ_ONCE(body->shape);
	if (address - start >= size)
		return;
	if (READ_ONCE(body->generation) != generation) {
		ledger_count(TS_LEDGER_RACING_UPDATE);
		return;
	}
	found->frame = TS_FRAME_MAKE(TS_FRAME_TAG_BODY, generation, row);
	found->shape = shape;
	found->offset = address - start;
	found->size = size;
	found->row = row;
	found->lasting = true;
}

/* The row of a granule's first byte, or the first in it; none: the fence. */
static __always_inline __u32 granule_row(const struct ts_image *image, __u64 granule)
{
	struct ts_image_granules *granules;
	__u32 index;

	if (granule >= image->granules)
		return image->first_row + image->rows - 1;
	granule += image->first_granule;
	index = granule / TS_IMAGE_GRANULES;
	granules = bpf_map_lookup_elem(&image_granules, &index);
	return granules ? granules->row[granule % TS_IMAGE_GRANULES] : 0;
}

/*
 * Looks an RVA up in a table.  -ENOENT: it is not of that file; 0 when it is, though there
 * may be no row.  Not inlined: see jit_page_make().
 */
__weak __noinline int row_find(__u32 number, __u64 rva, struct found *found)
{
	struct ts_image *image = bpf_map_lookup_elem(&images, &number);
	struct ts_image_row *row, *next;
	__u64 granule;
	__u32 low, high;

	if (!image || !found || rva >= image->size)
		return -ENOENT;
	granule = (rva - image->text_rva) >> TS_IMAGE_GRANULE_SHIFT;
	if (rva < image->text_rva || granule >= image->granules)
		return 0;
	low = granule_row(image, granule);
	high = granule_row(image, granule + 1);
	for (int i = 0; i < TS_IMAGE_HALVINGS && low < high; i++) {
		__u32 middle = low + (high - low + 1) / 2;

		row = bpf_map_lookup_elem(&image_rows, &middle);
		if (row && row->begin <= rva)
			low = middle;
		else
			high = middle - 1;
	}
	row = bpf_map_lookup_elem(&image_rows, &low);
	/* The rows of the next image lie right behind. */
	high = low + 1;
	if (!row || rva < row->begin || row->shape == TS_SHAPE_GAP ||
	    high - image->first_row >= image->rows)
		return 0;
	next = bpf_map_lookup_elem(&image_rows, &high);
	if (!next)
		return 0;
	found->shape = row->shape;
	found->offset = rva - row->begin;
	found->size = next->begin - row->begin;
	return 0;
}

static __always_inline void find_image(const struct ts_slot *slot, __u64 address,
				       struct found *found)
{
	__u64 rva = address - slot->base;

	if (row_find(slot->image, rva, found))
		return;
	found->in_image = true;
	found->lasting = !found->in_jit;
	found->frame = TS_FRAME_MAKE(TS_FRAME_TAG_IMAGE, slot->image, rva);
}

/* A native frame keeps its address: all that is found is the rule. */
static __always_inline void find_rule(const struct ts_slot *slot, __u64 address,
				      struct found *found)
{
	for (int i = 0; i < TS_SLOT_TABLES; i++) {
		if (!slot->table[i] ||
		    row_find(slot->table[i], address - slot->table_base[i], found))
			continue;
		found->in_jit = false;
		return;
	}
}

/* Into what is all 0.  Not inlined: see jit_page_make(). */
__weak __noinline int code_look_up(__u32 space, __u64 address, struct found *found)
{
	struct ts_address_key key = { .space = space,
				      .number = address >> TS_SLOT_SHIFT };
	struct ts_jit_slot *jit;
	struct ts_slot *slot;

	if (!found)
		return 0;
	jit = bpf_map_lookup_elem(&jit_slots, &key);
	found->frame = address & 0x0fffffffffffffffULL;
	if (jit)
		find_jit(jit, space, address, found);
	if (found->row)
		return 0;
	slot = bpf_map_lookup_elem(&slots, &key);
	if (!slot)
		return 0;
	found->known = true;
	/* Where a page has been JIT code, a body may come without more ado. */
	found->lasting = slot->image == TS_SLOT_NATIVE && !found->in_jit;
	if (slot->image == TS_SLOT_JIT)
		found->in_jit = true;
	else if (slot->image != TS_SLOT_NATIVE)
		find_image(slot, address, found);
	if (!found->in_image)
		find_rule(slot, address, found);
	return 0;
}

/*
 * Bodies first: the runtime told of them, while an image's slot may be that of a file
 * which is mapped no more.  A slot can hold the end of an image and JIT code behind it.
 */
static __always_inline void code_find(__u32 space, __u64 address, struct found *found)
{
	/* Here, because to the verifiers before Linux 6.3 and 6.1.100 a function that is
	 * verified alone reads what it is given the address of. */
	__builtin_memset(found, 0, sizeof(*found));
	code_look_up(space, address, found);
}

#endif /* TIERSCOPE_CODEFIND_BPF_H */
