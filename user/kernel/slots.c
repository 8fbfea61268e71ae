// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What lies where in a process, 64 KB by 64 KB: images, code of the runtime's, other
// files.  Memory without a slot is memory that we have not heard of yet.
#include "internal.h"

#include "tierscope.skel.h"

#include <errno.h>
#include <string.h>

/*
 * After a change: the samplers' caches of return addresses may hold answers from
 * before it (bpf/returns.bpf.h).
 */
static void code_changed(struct kernel *kernel)
{
	__atomic_fetch_add(&kernel->skeleton->data->code_epoch, 1, __ATOMIC_SEQ_CST);
}

/* What is mapped where, as one slot sees it. */
struct change {
	struct ts_slot slot;	/* tables: the first or none */
	uint64_t start, end;	/* addresses */
};

static bool is_over(const struct kernel *kernel, uint32_t table, uint64_t base,
		    const struct change *change)
{
	uint64_t from, to;

	return !image_arrays__code(kernel, table, &from, &to) ||
	       (base + from < change->end && base + to > change->start);
}

/* Of tables that were there, those of files that are there still; then the new one. */
static void merge_tables(const struct kernel *kernel, const struct ts_slot *known,
			 const struct change *change, struct ts_slot *slot)
{
	unsigned int count = 0;

	memset(slot->table, 0, sizeof(slot->table));
	memset(slot->table_base, 0, sizeof(slot->table_base));
	for (unsigned int i = 0; i < TS_SLOT_TABLES; i++) {
		if (!known->table[i] ||
		    is_over(kernel, known->table[i], known->table_base[i], change))
			continue;
		slot->table[count] = known->table[i];
		slot->table_base[count++] = known->table_base[i];
	}
	if (!change->slot.table[0])
		return;
	/* A third file, smaller than a page of slots, goes before the second. */
	if (count == TS_SLOT_TABLES)
		count--;
	slot->table[count] = change->slot.table[0];
	slot->table_base[count] = change->slot.table_base[0];
}

/* Of a slot that the new mapping fills in part. */
static void merge(const struct kernel *kernel, const struct ts_slot *known,
		  const struct change *change, struct ts_slot *slot)
{
	bool is_image = slot->image != TS_SLOT_NATIVE && slot->image != TS_SLOT_JIT;

	if (!is_image && (slot->image == TS_SLOT_NATIVE || known->image != TS_SLOT_NATIVE)) {
		slot->image = known->image;
		slot->base = known->base;
	}
	merge_tables(kernel, known, change, slot);
}

static int slot_put(struct kernel *kernel, const struct ts_address_key *key,
		    const struct change *change)
{
	const struct bpf_map *slots = kernel->skeleton->maps.slots;
	uint64_t from = key->number << TS_SLOT_SHIFT;
	struct ts_slot slot = change->slot, known;

	/* Of memory that was not heard of no answer is kept. */
	if (!bpf_map__update_elem(slots, key, sizeof(*key), &slot, sizeof(slot), BPF_NOEXIST))
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (!bpf_map__lookup_elem(slots, key, sizeof(*key), &known, sizeof(known), 0)) {
		if (from < change->start || from + (1u << TS_SLOT_SHIFT) > change->end)
			merge(kernel, &known, change, &slot);
		/* The runtime maps its code memory again and again. */
		if (!memcmp(&known, &slot, sizeof(slot)))
			return 0;
	}
	if (bpf_map__update_elem(slots, key, sizeof(*key), &slot, sizeof(slot), BPF_ANY))
		return -errno;
	code_changed(kernel);
	return 0;
}

static int put_all(struct kernel *kernel, uint32_t space, const struct change *change)
{
	struct ts_address_key key = { .space = space };
	int err = 0;

	for (key.number = change->start >> TS_SLOT_SHIFT;
	     key.number <= (change->end - 1) >> TS_SLOT_SHIFT && !err; key.number++)
		err = slot_put(kernel, &key, change);
	return err;
}

int kernel__map_image(struct kernel *kernel, uint32_t space, uint32_t number,
		      uint64_t base, uint32_t size)
{
	return put_all(kernel, space, &(struct change){
		.slot = { .image = number, .base = base },
		.start = base, .end = base + (size ? size : 1) });
}

int kernel__map_rules(struct kernel *kernel, uint32_t space, uint32_t number, uint64_t base,
		      uint64_t start, uint64_t end)
{
	return put_all(kernel, space, &(struct change){
		.slot = { .image = TS_SLOT_NATIVE, .table = { number },
			  .table_base = { base } },
		.start = start, .end = end });
}

int kernel__map_other(struct kernel *kernel, uint32_t space, uint32_t kind, uint64_t start,
		      uint64_t end)
{
	return put_all(kernel, space, &(struct change){
		.slot = { .image = kind }, .start = start, .end = end });
}

void kernel__unmap(struct kernel *kernel, uint32_t space, uint64_t start, uint64_t end)
{
	struct ts_address_key key = { .space = space };

	for (key.number = start >> TS_SLOT_SHIFT; key.number <= (end - 1) >> TS_SLOT_SHIFT;
	     key.number++)
		(void)bpf_map__delete_elem(kernel->skeleton->maps.slots, &key, sizeof(key),
					   0);	/* -ENOENT: never mapped */
	code_changed(kernel);
}
