/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The code map (drawn in abi/codemap.h): insert and remove; codefind.bpf.h looks up.
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

#include "freelist.bpf.h"

/* Rows and pages never used before; both start at 1, 0 means none. */
__u32 next_row __weak = 1;
__u32 next_page __weak = 1;
/* Counts the changes that make an answer untrue which the code map gave before. */
__u64 code_epoch __weak = 1;
/* Sizes, set by the loader to what the maps were created with. */
KNOB __u32 rows_max __weak = 131072;
KNOB __u32 pages_max __weak = 8192;
KNOB __u32 space_bodies_max __weak = 100000;
/* Events that are counted per row: at most TS_EVENTS_MAX. */
KNOB __u32 events_counted __weak = 1;

/*
 * The same, of changes that touch but one slot; the sum of both is an address's epoch.  So
 * many that slots where code comes and goes all the time share theirs with few others, and so
 * few that a walk finds most of those it needs in the CPU's cache.
 */
#define SLOT_EPOCHS 256
__u64 slot_epochs[SLOT_EPOCHS] __weak = {};

/* When the map shows the change, and before anything can rely on it. */
static __always_inline void code_changed(void)
{
	__sync_fetch_and_add(&code_epoch, 1);
}

static __always_inline __u64 *slot_epoch(__u64 address)
{
	return &slot_epochs[(address >> TS_SLOT_SHIFT) & (SLOT_EPOCHS - 1)];
}

/* As code_changed(), of what was said of the addresses from start to last. */
static __always_inline void range_changed(__u64 start, __u64 last)
{
	if (start >> TS_SLOT_SHIFT == last >> TS_SLOT_SHIFT)
		__sync_fetch_and_add(slot_epoch(start), 1);
	else
		code_changed();
}

/* The number that was given back, or else one that was never used; 0 when full. */
static __always_inline __u32 take(__u32 number, __u32 *next, __u32 max)
{
	if (number && number < max)
		return number;
	number = __sync_fetch_and_add(next, 1);
	if (number < max)
		return number;
	/* Hold the counter at the end, or it would wrap after 2^32 failures. */
	WRITE_ONCE(*next, max);
	return 0;
}

/* The pages of JIT code in the slot of this address; NULL if there are none. */
static __always_inline struct ts_jit_slot *jit_slot(__u32 space, __u64 address)
{
	struct ts_address_key key = { .space = space,
				      .number = address >> TS_SLOT_SHIFT };

	return bpf_map_lookup_elem(&jit_slots, &key);
}

static __always_inline __u32 *page_number(struct ts_jit_slot *slot, __u64 address)
{
	return &slot->page[(address >> TS_PAGE_SHIFT) & (TS_PAGES_PER_SLOT - 1)];
}

/* The page's granules; NULL if there are none. */
static __always_inline struct ts_jit_page *jit_page(__u32 space, __u64 address)
{
	struct ts_jit_slot *slot = jit_slot(space, address);
	__u32 page = slot ? READ_ONCE(*page_number(slot, address)) : 0;

	return page ? bpf_map_lookup_elem(&jit_granules, &page) : NULL;
}

/* NULL: the loss is counted. */
static __always_inline struct ts_jit_slot *jit_slot_make(__u32 space, __u64 address)
{
	struct ts_address_key key = { .space = space,
				      .number = address >> TS_SLOT_SHIFT };
	struct ts_jit_slot *slot = bpf_map_lookup_elem(&jit_slots, &key);
	struct ts_jit_slot none = {};
	long err;

	if (slot)
		return slot;
	err = bpf_map_update_elem(&jit_slots, &key, &none, BPF_NOEXIST);
	slot = bpf_map_lookup_elem(&jit_slots, &key);
	if (!slot)	/* else another thread may have made it first */
		ledger_count(err == -E2BIG ? TS_LEDGER_PAGES_FULL : TS_LEDGER_MAP_BUSY);
	return slot;
}

/* Does the loader know this memory as that of a file?  It may be another's by now. */
static __always_inline bool slot_is_a_file(__u32 space, __u64 address)
{
	struct ts_address_key key = { .space = space,
				      .number = address >> TS_SLOT_SHIFT };
	struct ts_slot *slot = bpf_map_lookup_elem(&slots, &key);

	return slot && slot->image != TS_SLOT_JIT;
}

/*
 * What follows of inserting is not inlined and not static: the verifier then
 * looks at each function once, and not once for each way on which its callers
 * get there.  That is most of the time that loading the programs takes.  It
 * assumes that a pointer handed over can be NULL.
 */

/* 0 when the page is there now; else the loss is counted. */
__weak __noinline int jit_page_make(struct ts_space *owner, __u64 address)
{
	struct ts_jit_slot *slot = owner ? jit_slot_make(owner->number, address) : NULL;
	__u32 *number, page;

	if (!slot)
		return -EBUSY;
	number = page_number(slot, address);
	if (READ_ONCE(*number))
		return 0;
	/* One process must leave pages for the others. */
	if (owner->pages >= pages_max - pages_max / 4) {
		ledger_count(TS_LEDGER_QUOTA);
		return -EDQUOT;
	}
	page = take(free_page_take(), &next_page, pages_max);
	if (!page) {
		ledger_count(TS_LEDGER_PAGES_FULL);
		return -ENOSPC;
	}
	if (__sync_val_compare_and_swap(number, 0, page)) {
		free_page_give(page);	/* another thread made it first */
		return 0;
	}
	__sync_fetch_and_add(&owner->pages, 1);
	if (slot_is_a_file(owner->number, address))
		code_changed();
	return 0;
}

/*
 * Frees a row; false if it was not alive in this space.  Only one of two
 * writers that free the same row wins.  Between a writer's look at the row and
 * this, another could free it and give it away in the same process: then the
 * new body is lost and its samples stay raw.
 */
static __always_inline bool row_release(struct ts_body_row *body, __u32 row, __u32 space,
					__u32 *bodies_alive)
{
	if (__sync_val_compare_and_swap(&body->space, space, 0) != space)
		return false;
	if (bodies_alive)
		__sync_fetch_and_add(bodies_alive, -1);
	free_row_give(row);
	return true;
}

struct fill {
	__u64 start, end;
	struct ts_space *owner;	/* of a body that comes; NULL: one goes */
	__u32 space;
	__u32 row;		/* the body's */
	__u32 failed;
	__u32 replaced;		/* granules that were another body's */
	__u32 first;		/* granule of the page at hand */
	struct ts_jit_page *page;
	__u64 page_start;
};

/*
 * A newer body lies where an older one began: the older is gone, though its
 * unload was not seen.  What granules it has left lead to a row that is free
 * or has another range, so to nothing.
 */
static __always_inline void row_replaced(struct fill *fill, __u32 row, __u64 granule)
{
	struct ts_body_row *body = bpf_map_lookup_elem(&bodies, &row);

	if (body && body->start >> TS_GRANULE_SHIFT == granule)
		row_release(body, row, fill->space, &fill->owner->bodies);
}

/* One granule of a body, in one page: bpf_loop callback. */
static long fill_granule(__u64 index, struct fill *fill)
{
	__u32 granule = (fill->first + (__u32)index) & (TS_GRANULES_PER_PAGE - 1);
	__u32 *row = &fill->page->row[granule], old = READ_ONCE(*row);

	if (!fill->owner) {
		if (old == fill->row)
			WRITE_ONCE(*row, 0);
		return 0;
	}
	WRITE_ONCE(*row, fill->row);
	if (old && old != fill->row) {
		row_replaced(fill, old, (fill->page_start >> TS_GRANULE_SHIFT) + granule);
		fill->replaced = 1;
	}
	return 0;
}

/* One page's share of a body: bpf_loop callback. */
static long fill_page(__u64 index, struct fill *fill)
{
	__u64 page_start = (fill->start & ~0xfffULL) + (index << TS_PAGE_SHIFT);
	__u64 from = page_start > fill->start ? page_start : fill->start;
	__u64 last = page_start + 0xfff, count;

	if (last > fill->end - 1)
		last = fill->end - 1;
	if (fill->owner && jit_page_make(fill->owner, page_start)) {
		fill->failed = 1;
		return 1;
	}
	fill->page = jit_page(fill->space, page_start);
	if (!fill->page) {
		fill->failed = 1;
		return !!fill->owner;
	}
	fill->page_start = page_start;
	fill->first = (from >> TS_GRANULE_SHIFT) & (TS_GRANULES_PER_PAGE - 1);
	count = (last >> TS_GRANULE_SHIFT) - (from >> TS_GRANULE_SHIFT) + 1;
	bpf_loop((__u32)count, fill_granule, fill, 0);
	return 0;
}

static __always_inline __u32 fill_pages(struct fill *fill)
{
	__u64 pages = ((fill->end - 1) >> TS_PAGE_SHIFT) -
		      (fill->start >> TS_PAGE_SHIFT) + 1;

	fill->failed = 0;
	bpf_loop((__u32)pages, fill_page, fill, 0);
	return fill->failed;
}

/* The row that the code map gives for an address, 0 for none. */
static __always_inline __u32 row_at(__u32 space, __u64 address)
{
	struct ts_jit_page *page = jit_page(space, address);

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

/* NULL for an event that is not recorded. */
static __always_inline __u64 *leaf_count(__u32 row, __u32 event)
{
	__u32 index = row * events_counted + event;

	return event < events_counted ? bpf_map_lookup_elem(&leaf_counts, &index) : NULL;
}

/* The row's space is 0 until all the rest is right. */
static __always_inline void set_row(struct ts_body_row *body, __u32 row, __u32 space,
				    const struct ts_journal_record *record)
{
	WRITE_ONCE(body->generation, body->generation + 1);
	WRITE_ONCE(body->start, record->start);
	WRITE_ONCE(body->size, record->size);
	WRITE_ONCE(body->shape, record->shape);
	WRITE_ONCE(body->function_id, record->function_id);
	WRITE_ONCE(body->sequence, record->sequence);
	for (__u32 event = 0; event < TS_EVENTS_MAX; event++) {
		__u64 *count = leaf_count(row, event);

		if (count)
			WRITE_ONCE(*count, 0);
	}
	WRITE_ONCE(body->space, space);
}

/* The body's row, when the map has this very body already; else 0. */
static __always_inline __u32 body_known(__u32 space, const struct ts_journal_record *record,
					__u32 *ret_generation)
{
	__u32 row = row_at(space, record->start);
	struct ts_body_row *body = row ? bpf_map_lookup_elem(&bodies, &row) : NULL;

	if (!body || body->space != space || body->start != record->start ||
	    body->size != record->size || body->function_id != record->function_id)
		return 0;
	*ret_generation = body->generation;
	return row;
}

/*
 * Puts a body into the map, whole or not at all.  The same body told twice
 * (event and catch-up) keeps its row.  0, or -Exxx: -EINVAL when it makes no
 * sense, for the caller to count; all others are counted, once.
 */
__weak __noinline int body_insert(struct ts_space *space,
				  const struct ts_journal_record *record,
				  struct placed *ret_placed)
{
	struct fill fill = { .owner = space };
	struct ts_body_row *body;
	__u32 row;

	if (!space || !record || !ret_placed ||
	    !body_plausible(record->start, record->size))
		return -EINVAL;
	fill.space = space->number;
	fill.start = record->start;
	fill.end = record->start + record->size;
	ret_placed->row = body_known(space->number, record, &ret_placed->generation);
	if (ret_placed->row)
		return 0;
	if (space->bodies >= space_bodies_max) {
		ledger_count(TS_LEDGER_QUOTA);
		return -EDQUOT;
	}
	row = take(free_row_take(), &next_row, rows_max);
	body = row ? bpf_map_lookup_elem(&bodies, &row) : NULL;
	if (!body) {
		ledger_count(TS_LEDGER_ROWS_FULL);
		return -ENOSPC;
	}
	set_row(body, row, space->number, record);
	__sync_fetch_and_add(&space->bodies, 1);
	fill.row = row;
	if (fill_pages(&fill)) {
		fill.owner = NULL;
		fill_pages(&fill);
		row_release(body, row, space->number, &space->bodies);
		code_changed();	/* a sample may have found it meanwhile */
		return -ENOSPC;
	}
	if (fill.replaced)
		code_changed();
	ret_placed->row = row;
	ret_placed->generation = body->generation;
	return 0;
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
	fill.row = row;
	fill_pages(&fill);
	if (!row_release(body, row, space, bodies_alive))
		return -ENOENT;
	range_changed(start, fill.end - 1);
	return 0;
}

static __always_inline bool slot_is_empty(const struct ts_jit_slot *slot)
{
	__u32 any = 0;

	for (int i = 0; i < TS_PAGES_PER_SLOT; i++)
		any |= READ_ONCE(slot->page[i]);
	return !any;
}

/*
 * Gives a slot back that has no page left.  A thread that found it before may put a
 * page into it after: if that is seen the slot comes back, else the page's bodies
 * stay raw addresses, and its number is never used again.
 */
static __always_inline void slot_release(__u32 space, __u64 address,
					 struct ts_jit_slot *slot)
{
	struct ts_address_key key = { .space = space,
				      .number = address >> TS_SLOT_SHIFT };

	if (!slot_is_empty(slot))
		return;
	bpf_map_delete_elem(&jit_slots, &key);
	if (!slot_is_empty(slot))
		bpf_map_update_elem(&jit_slots, &key, slot, BPF_NOEXIST);
}

/* Gives a page back; its bodies were removed before, or their process is gone. */
static __always_inline int page_remove(__u32 space, __u64 address)
{
	struct ts_jit_slot *slot = jit_slot(space, address);
	struct ts_jit_page *page;
	__u32 *number, old;

	if (!slot)
		return -ENOENT;
	number = page_number(slot, address);
	old = READ_ONCE(*number);
	page = old ? bpf_map_lookup_elem(&jit_granules, &old) : NULL;
	if (!page)
		return -ENOENT;
	if (__sync_val_compare_and_swap(number, old, 0) != old)
		return -EBUSY;
	for (int i = 0; i < TS_GRANULES_PER_PAGE; i++)
		WRITE_ONCE(page->row[i], 0);
	free_page_give(old);
	slot_release(space, address, slot);
	range_changed(address, address);
	return 0;
}

#endif /* TIERSCOPE_CODEMAP_BPF_H */
