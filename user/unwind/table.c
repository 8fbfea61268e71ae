// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Rows of one file, function by function.  Equal neighbours are one row: most
// functions begin with the rule with which the one before them ends.  What is learnt here,
// in cfa.c, in rule.c, or in symbol/eh_frame.c and hijack_stub.c raises LAYOUT in cache.c,
// or what was kept goes on without it.
#include "unwind.h"

#include "cfa.h"

#include "../base/alloc.h"
#include "../base/file_view.h"
#include "../symbol/elf_view.h"
#include "../symbol/hijack_stub.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* libcoreclr.so has 17,000 functions and 79,000 rows. */
#define FUNCTIONS_MAX (1u << 18)
#define ROWS_MAX      (1u << 20)
#define SIZE_MAX_CODE (1u << 30)
#define GRANULE	      (1u << TS_IMAGE_GRANULE_SHIFT)

#define CALL	   0xe8 /* and four bytes: how far from its end */
#define CALL_BYTES 5
#define CALLS_MAX  64	/* the dynamic linker has three that count */

struct builder {
	struct unwind_table *table;
	const struct elf_view *view;
	struct eh_function *items;
	uint32_t count, capacity;
	uint64_t end;		/* of the functions before it */
	uint64_t hijack_stub;	/* 0: there is none */
	struct elf_bytes code;	/* .text, once it is asked for */
	uint32_t calls;		/* looked at in it */
	uint64_t rbx_begin;	/* where the CFA is told from rbx, and by which shape */
	uint32_t rbx_shape;	/* 0: nowhere */
	bool full;
};

static void on_function(void *context, const struct eh_function *function)
{
	struct builder *builder = context;

	if (!function->size ||
	    !elf_loads__is_code(&builder->view->loads, function->start, function->size))
		return;
	if (builder->count == FUNCTIONS_MAX) {
		builder->full = true;
		return;
	}
	alloc__grow(builder->items, builder->count, builder->capacity);
	builder->items[builder->count++] = *function;
}

/* By start; of two with one start, the one that comes first in the file is taken. */
static int compare(const void *left, const void *right)
{
	const struct eh_function *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->own.data < b->own.data ? -1 : a->own.data > b->own.data;
}

static void put(void *context, uint64_t address, uint32_t shape)
{
	struct builder *builder = context;
	struct unwind_table *table = builder->table;
	uint32_t begin = (uint32_t)(address - table->base);

	if (table->count && table->rows[table->count - 1].begin == begin)
		table->count--;
	if (table->count && table->rows[table->count - 1].shape == shape)
		return;
	if (table->count == ROWS_MAX) {
		builder->full = true;
		return;
	}
	alloc__grow(table->rows, table->count, table->capacity);
	table->rows[table->count++] = (struct ts_image_row){.begin = begin, .shape = shape};
}

static const struct eh_function *function_at(const struct builder *builder, uint64_t start)
{
	uint32_t low = 0, high = builder->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (builder->items[middle].start < start)
			low = middle + 1;
		else
			high = middle;
	}
	return low < builder->count && builder->items[low].start == start ?
	       &builder->items[low] : NULL;
}

/* Of a call instruction at `at`: how far below its CFA the callee keeps rbx, or 0. */
static uint32_t saved_by_callee(struct builder *builder, uint64_t at)
{
	const struct elf_bytes *code = &builder->code;
	const struct eh_function *callee;
	int32_t distance;

	if (at < code->address || at - code->address > code->size ||
	    code->size - (at - code->address) < CALL_BYTES ||
	    code->data[at - code->address] != CALL || builder->calls == CALLS_MAX)
		return 0;
	builder->calls++;
	memcpy(&distance, code->data + (at - code->address) + 1, sizeof(distance));
	callee = function_at(builder, at + CALL_BYTES + (uint64_t)(int64_t)distance);
	return callee ? cfa__saved_rbx(callee) : 0;
}

/*
 * The dynamic linker calls what looks a function up (_dl_fixup) from an aligned frame that
 * only rbx leads out of.  A walk has the rbx of the place where the thread stands, but none
 * of a caller's; the callee has saved it, though, at a known place.  So there is another rule
 * within each call, where callers are looked up and no thread stands.
 */
static void put_calls_of_rbx(struct builder *builder, uint64_t end)
{
	uint32_t shape = builder->rbx_shape, words;

	if (shape && !builder->code.data)
		(void)elf_view__section(builder->view, ".text", &builder->code);
	for (uint64_t at = builder->rbx_begin; shape && at + CALL_BYTES <= end; at++) {
		words = saved_by_callee(builder, at);
		if (!words)
			continue;
		put(builder, at + 1, TS_SHAPE(TS_RULE_RBX, words, TS_SHAPE_SLOTS(shape)));
		put(builder, at + CALL_BYTES, shape);
	}
	builder->rbx_shape = 0;
}

static void put_native(void *context, uint64_t address, uint32_t shape)
{
	struct builder *builder = context;

	put_calls_of_rbx(builder, address);
	if (TS_SHAPE_KIND(shape) == TS_RULE_RBX) {
		builder->rbx_begin = address;
		builder->rbx_shape = shape;
	}
	put(builder, address, shape);
}

/*
 * Of the function to which a hijacked return address points.  Nobody called it: what it pushes
 * first is where its own callee writes the true return address, before it lets the thread
 * wait.  The rules of its file count that word as a call's would be, one word too far up.  (Until
 * it is written that word is what the method returned, which is no code.)
 */
static void put_of_hijack_stub(void *context, uint64_t address, uint32_t shape)
{
	uint32_t words = TS_SHAPE_SLOTS(shape);

	if (TS_SHAPE_KIND(shape) == TS_RULE_RSP && words)
		shape = TS_SHAPE(TS_RULE_RSP, TS_SHAPE_PROLOG(shape), words - 1);
	put(context, address, shape);
}

/* What lies between the last function and `start`. */
static void put_gap(struct builder *builder, uint64_t start)
{
	if (builder->end && start - builder->end > TS_IMAGE_PADDING)
		put(builder, builder->end, TS_SHAPE_GAP);
}

/*
 * No call ever returns to the first byte of the function to which a hijacked return
 * address points: what is right before it belongs to nobody, and the walk goes by rbp.
 */
static void put_hijacked(struct builder *builder)
{
	struct unwind_table *table = builder->table;
	uint64_t last = builder->hijack_stub - 1 - table->base;

	/* Rows that began there would be those of the function before, from its end. */
	while (table->count && table->rows[table->count - 1].begin >= last)
		table->count--;
	put(builder, builder->hijack_stub - 1, TS_SHAPE_GAP);
}

static void add_function(struct builder *builder, const struct eh_function *function)
{
	struct unwind_table *table = builder->table;
	bool is_stub = builder->hijack_stub && function->start == builder->hijack_stub;
	uint32_t before;

	if (builder->end && function->start < builder->end)
		return;	/* they lie over each other: one of the two is made up */
	put_gap(builder, function->start);
	if (is_stub && table->count)
		put_hijacked(builder);
	before = table->count;
	builder->rbx_shape = 0;
	if (cfa__run(function, is_stub ? put_of_hijack_stub : put_native, builder)) {
		put_calls_of_rbx(builder, function->start + function->size);
	} else {
		if (table->count > before)
			table->count = before;
		put(builder, function->start, 0);
	}
	builder->end = function->start + function->size;
}

static int set_base(struct unwind_table *table, const struct elf_loads *loads)
{
	uint64_t low = UINT64_MAX, high = 0;

	for (uint32_t i = 0; i < loads->count; i++) {
		const struct elf_load *load = &loads->items[i];

		if (!load->executable)
			continue;
		if (load->address < low)
			low = load->address;
		if (load->address + load->memory_size > high)
			high = load->address + load->memory_size;
	}
	if (low >= high)
		return -ENOENT;
	if (high - low > SIZE_MAX_CODE)
		return -EFBIG;
	table->base = low & -(uint64_t)GRANULE;
	return 0;
}

static uint64_t find_hijack_stub(const struct builder *builder)
{
	struct functions bounds = {.items = NULL};
	uint64_t stub;

	for (uint32_t i = 0; i < builder->count; i++)
		functions__add(&bounds, &(struct function){
			.start = builder->items[i].start,
			.size = (uint32_t)builder->items[i].size});
	stub = hijack_stub__find(builder->view, &bounds);
	functions__free(&bounds);
	return stub;
}

static int build(struct builder *builder)
{
	if (!builder->count)
		return -ENOENT;
	qsort(builder->items, builder->count, sizeof(*builder->items), compare);
	builder->hijack_stub = find_hijack_stub(builder);
	for (uint32_t i = 0; i < builder->count && !builder->full; i++)
		add_function(builder, &builder->items[i]);
	put(builder, builder->end, TS_SHAPE_GAP);
	return builder->full ? -EFBIG : 0;
}

int unwind_table__read(struct unwind_table *table, const struct elf_view *view)
{
	struct builder builder = {.table = table, .view = view};
	struct elf_bytes bytes;
	int err;

	*table = (struct unwind_table){.rows = NULL};
	err = elf_view__eh_frame(view, &bytes);
	if (!err)
		err = set_base(table, &view->loads);
	if (err)
		return err;
	table->bytes_read = bytes.size;
	eh_frame__read(&(struct eh_frame){bytes.data, bytes.size, bytes.address},
		       on_function, &builder);
	err = build(&builder);
	free(builder.items);
	if (err)
		unwind_table__free(table);
	return err;
}

void unwind_table__free(struct unwind_table *table)
{
	if (table->kept)
		file_view__close(table->kept);
	else
		free(table->rows);
	table->kept = NULL;
	table->rows = NULL;
	table->count = table->capacity = 0;
}

static bool is_shape(uint32_t shape)
{
	uint32_t kind = TS_SHAPE_KIND(shape);

	return !shape || shape == TS_SHAPE_GAP ||
	       (kind >= TS_FRAME_COUNT && kind < TS_RULE_COUNT);
}

bool unwind_table__is_sound(const struct unwind_table *table)
{
	if (!table->count || table->count > ROWS_MAX ||
	    table->base % GRANULE ||
	    table->rows[table->count - 1].shape != TS_SHAPE_GAP ||
	    table->rows[table->count - 1].begin > SIZE_MAX_CODE + GRANULE)
		return false;
	for (uint32_t i = 0; i < table->count; i++)
		if (!is_shape(table->rows[i].shape) ||
		    (i && table->rows[i].begin <= table->rows[i - 1].begin))
			return false;
	return true;
}

uint32_t unwind_table__find(const struct unwind_table *table, uint64_t address)
{
	uint32_t low = 0, high = table->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (table->rows[middle].begin <= address - table->base)
			low = middle + 1;
		else
			high = middle;
	}
	return low && address >= table->base ? table->rows[low - 1].shape : TS_SHAPE_GAP;
}
