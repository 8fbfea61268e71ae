/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The code map (drawn in abi/codemap.h): insert, remove and look up.
 *
 * Writers are handlers of the hook's probes and the loader's doors; the reader
 * is the sampler, which may interrupt a writer at any instruction.  A body's
 * row is complete before a granule names it, and a row's generation changes
 * before its contents do, so that the reader, which looks at the generation
 * before and after, never mixes two bodies.
 *
 * Two writers of one process can meet at one page: each granule is one word,
 * so the worst effect is that the later body wins, which is right.
 */
#ifndef TIERSCOPE_CODEMAP_BPF_H
#define TIERSCOPE_CODEMAP_BPF_H

#include "maps.bpf.h"
#include "ledger.bpf.h"

/* The unit tests bring their own, which can interrupt at each of them. */
#ifdef __bpf__
#define READ_ONCE(x)		(*(volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, value)	(*(volatile typeof(x) *)&(x) = (value))
#endif

/* Rows and pages never used before; both start at 1, 0 means none. */
__u32 next_row __weak = 1;
__u32 next_page __weak = 1;
/* Sizes, set by the loader to what the maps were created with. */
const volatile __u32 rows_max __weak = 131072;
const volatile __u32 pages_max __weak = 8192;
const volatile __u32 image_rows_max __weak = 524288;
const volatile __u32 space_bodies_max __weak = 100000;

static __always_inline __u32 take(void *queue, __u32 *next, __u32 max)
{
	__u32 number = 0;

	if (!bpf_map_pop_elem(queue, &number) && number && number < max)
		return number;
	number = __sync_fetch_and_add(next, 1);
	if (number < max)
		return number;
	/* Hold the counter at the end, or it would wrap after 2^32 failures. */
	WRITE_ONCE(*next, max);
	return 0;
}

/* The page's granules, made if `make`.  NULL with a loss counted if full. */
static __always_inline struct ts_jit_page *jit_page(__u32 space, __u64 address,
						    bool make)
{
	struct ts_address_key key = { .space = space,
				      .number = address >> TS_PAGE_SHIFT };
	__u32 *known = bpf_map_lookup_elem(&jit_pages, &key);
	__u32 page;

	if (known) {
		page = *known;
		return bpf_map_lookup_elem(&jit_granules, &page);
	}
	if (!make)
		return NULL;
	page = take(&free_pages, &next_page, pages_max);
	if (!page) {
		ledger_count(TS_LEDGER_PAGES_FULL);
		return NULL;
	}
	if (bpf_map_update_elem(&jit_pages, &key, &page, BPF_NOEXIST)) {
		/* Another thread made it first, or the map is full or busy. */
		bpf_map_push_elem(&free_pages, &page, 0);
		known = bpf_map_lookup_elem(&jit_pages, &key);
		if (!known) {
			ledger_count(TS_LEDGER_MAP_BUSY);
			return NULL;
		}
		page = *known;
	}
	return bpf_map_lookup_elem(&jit_granules, &page);
}

static __always_inline int jit_slot(__u32 space, __u64 address)
{
	struct ts_address_key key = { .space = space,
				      .number = address >> TS_SLOT_SHIFT };
	struct ts_slot slot = { .image = TS_SLOT_JIT };

	if (bpf_map_lookup_elem(&slots, &key))
		return 0;	/* also when an image ends in this slot */
	return bpf_map_update_elem(&slots, &key, &slot, BPF_NOEXIST) &&
	       !bpf_map_lookup_elem(&slots, &key);
}

struct fill {
	__u64 start, end;
	__u32 space;
	__u32 row;	/* to store */
	__u32 only;	/* store only over this row; 0: over anything */
	__u32 failed;
	bool make;
};

struct fill_granules {
	struct ts_jit_page *page;
	__u32 first, row, only;
};

static long fill_granule(__u64 index, struct fill_granules *fill)
{
	__u32 *row = &fill->page->row[(fill->first + index) & 255];

	if (!fill->only || READ_ONCE(*row) == fill->only)
		WRITE_ONCE(*row, fill->row);
	return 0;
}

/* One page's share of a body: bpf_loop callback. */
static long fill_page(__u64 index, struct fill *fill)
{
	__u64 page_start = (fill->start & ~0xfffULL) + (index << TS_PAGE_SHIFT);
	__u64 from = page_start > fill->start ? page_start : fill->start;
	__u64 last = page_start + 0xfff;
	struct fill_granules granules = { .row = fill->row, .only = fill->only };
	struct ts_jit_page *page;

	if (last > fill->end - 1)
		last = fill->end - 1;
	page = jit_page(fill->space, page_start, fill->make);
	if (!page || (fill->make && jit_slot(fill->space, page_start))) {
		fill->failed = 1;
		return 0;
	}
	granules.page = page;
	granules.first = (from >> TS_GRANULE_SHIFT) & 255;
	bpf_loop((__u32)((last >> TS_GRANULE_SHIFT) - (from >> TS_GRANULE_SHIFT)) + 1,
		 fill_granule, &granules, 0);
	return 0;
}

static __always_inline __u32 fill_pages(struct fill *fill)
{
	__u64 pages = ((fill->end - 1) >> TS_PAGE_SHIFT) -
		      (fill->start >> TS_PAGE_SHIFT) + 1;

	fill->failed = 0;
	bpf_loop(pages, fill_page, fill, 0);
	return fill->failed;
}

/* The row that the code map gives for an address, 0 for none. */
static __always_inline __u32 row_at(__u32 space, __u64 address)
{
	struct ts_jit_page *page = jit_page(space, address, false);

	return page ? READ_ONCE(page->row[(address >> TS_GRANULE_SHIFT) & 255]) : 0;
}

/* Is this a body that a process may claim? */
static __always_inline bool body_plausible(__u64 start, __u64 size)
{
	return start >= 0x10000 && start < (1ULL << 56) && size > 0 &&
	       size <= TS_BODY_SIZE_MAX;
}

struct placed {
	__u32 row;
	__u32 generation;
};

static __always_inline void set_row(struct ts_body_row *body, __u32 space,
				    const struct ts_journal_record *record)
{
	WRITE_ONCE(body->generation, body->generation + 1);
	body->start = record->start;
	body->size = record->size;
	body->shape = record->shape;
	body->function_id = record->function_id;
	body->sequence = record->sequence;
	for (int i = 0; i < TS_EVENTS_MAX; i++)
		body->counts[i] = 0;
	WRITE_ONCE(body->space, space);
}

/*
 * Puts a body into the map.  The same body told twice (event and catch-up, or
 * the loser of a JIT race) keeps its row.  0, or -Exxx with the loss counted.
 */
static __always_inline int body_insert(struct ts_space *space,
				       const struct ts_journal_record *record,
				       struct placed *ret_placed)
{
	struct fill fill = { .start = record->start,
			     .end = record->start + record->size,
			     .space = space->number, .make = true };
	struct ts_body_row *body;
	__u32 row;

	if (!body_plausible(record->start, record->size)) {
		ledger_count(TS_LEDGER_BAD_PROBE);
		return -EINVAL;
	}
	row = row_at(space->number, record->start);
	body = row ? bpf_map_lookup_elem(&bodies, &row) : NULL;
	if (body && body->space == space->number && body->start == record->start &&
	    body->size == record->size && body->function_id == record->function_id) {
		ret_placed->row = row;
		ret_placed->generation = body->generation;
		return 0;
	}
	if (space->bodies >= space_bodies_max) {
		ledger_count(TS_LEDGER_QUOTA);
		return -EDQUOT;
	}
	row = take(&free_rows, &next_row, rows_max);
	body = row ? bpf_map_lookup_elem(&bodies, &row) : NULL;
	if (!body) {
		ledger_count(TS_LEDGER_ROWS_FULL);
		return -ENOSPC;
	}
	set_row(body, space->number, record);
	__sync_fetch_and_add(&space->bodies, 1);
	ret_placed->row = row;
	ret_placed->generation = body->generation;
	fill.row = row;
	return fill_pages(&fill) ? -ENOSPC : 0;
}

/* Takes the body that starts at `start` out.  -ENOENT when there is none. */
static __always_inline int body_remove(__u32 space, __u64 start, __u32 *bodies_alive,
				       struct placed *ret_placed)
{
	struct fill fill = { .start = start, .space = space };
	__u32 row = row_at(space, start);
	struct ts_body_row *body = row ? bpf_map_lookup_elem(&bodies, &row) : NULL;

	if (!body || body->space != space || body->start != start ||
	    !body_plausible(start, body->size))
		return -ENOENT;
	ret_placed->row = row;
	ret_placed->generation = body->generation;
	fill.end = start + body->size;
	fill.only = row;
	fill_pages(&fill);
	WRITE_ONCE(body->space, 0);
	if (bodies_alive)
		__sync_fetch_and_add(bodies_alive, -1);
	bpf_map_push_elem(&free_rows, &row, 0);
	return 0;
}


/* Gives a page back; its bodies were removed before, or their process is gone. */
static __always_inline int page_remove(__u32 space, __u64 address)
{
	struct ts_address_key key = { .space = space,
				      .number = address >> TS_PAGE_SHIFT };
	__u32 *known = bpf_map_lookup_elem(&jit_pages, &key);
	struct ts_jit_page *page;
	__u32 number;

	if (!known)
		return -ENOENT;
	number = *known;
	page = bpf_map_lookup_elem(&jit_granules, &number);
	if (!page || bpf_map_delete_elem(&jit_pages, &key))
		return -EBUSY;
	for (int i = 0; i < TS_GRANULES_PER_PAGE; i++)
		WRITE_ONCE(page->row[i], 0);
	bpf_map_push_elem(&free_pages, &number, 0);
	key.number = address >> TS_SLOT_SHIFT;
	bpf_map_delete_elem(&slots, &key);
	return 0;
}

/* What a look-up gives: the frame word, and how to walk on. */
struct found {
	__u64 frame;
	__u32 shape;
	__u32 offset;		/* from the start of the function that was found */
	__u32 size;		/* of it */
	__u32 row;		/* JIT body, for counting; 0 none */
	bool in_jit, in_image;	/* the slot says so, found or not */
};

static __always_inline void find_jit(__u32 space, __u64 address, struct found *found)
{
	__u32 row = row_at(space, address), generation;
	struct ts_body_row *body;
	__u64 start;
	__u32 size, shape;

	found->in_jit = true;
	body = row ? bpf_map_lookup_elem(&bodies, &row) : NULL;
	if (!body)
		return;
	generation = READ_ONCE(body->generation);
	start = READ_ONCE(body->start);
	size = READ_ONCE(body->size);
	shape = READ_ONCE(body->shape);
	if (READ_ONCE(body->space) != space || address - start >= size)
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
}

#define IMAGE_STEPS 8	/* functions that begin in one granule, and one before */

static __always_inline void find_image(const struct ts_slot *slot, __u64 address,
				       struct found *found)
{
	__u32 number = slot->image, index, granule;
	__u64 rva = address - slot->base;
	struct ts_image *image = bpf_map_lookup_elem(&images, &number);
	__u32 *first;

	if (!image || rva >= image->size)
		return;
	found->in_image = true;
	found->frame = TS_FRAME_MAKE(TS_FRAME_TAG_IMAGE, number, rva);
	if (rva < image->text_rva)
		return;
	granule = (rva - image->text_rva) >> TS_GRANULE_SHIFT;
	if (granule >= image->granules)
		return;
	granule += image->first_granule;
	first = bpf_map_lookup_elem(&image_granules, &granule);
	if (!first)
		return;
	index = *first;
	for (int i = 0; i < IMAGE_STEPS; i++, index++) {
		struct ts_image_row *row = bpf_map_lookup_elem(&image_rows, &index);

		if (!row || rva < row->begin)
			return;
		if (rva < row->end) {
			found->shape = row->shape;
			found->offset = rva - row->begin;
			found->size = row->end - row->begin;
			return;
		}
	}
}

static __always_inline void code_find(__u32 space, __u64 address, struct found *found)
{
	struct ts_address_key key = { .space = space,
				      .number = address >> TS_SLOT_SHIFT };
	struct ts_slot *slot = bpf_map_lookup_elem(&slots, &key);

	__builtin_memset(found, 0, sizeof(*found));
	found->frame = address & 0x0fffffffffffffffULL;
	if (!slot)
		return;
	if (slot->image != TS_SLOT_JIT)
		find_image(slot, address, found);
	/* A slot can hold the end of an image and JIT code behind it. */
	if (!found->in_image)
		find_jit(space, address, found);
}

#endif /* TIERSCOPE_CODEMAP_BPF_H */
