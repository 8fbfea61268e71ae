// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Layout: dotnet/runtime docs/design/coreclr/botr/readytorun-format.md, "InliningInfo2"
 * and "CrossModuleInlineInfo" (R2R 4.1 and 6.3), and src/coreclr/vm/inlinetracking.cpp.
 * Images of one assembly that the compilers of .NET 8 to 10 made have the second one, for
 * all; a composite image has the first one for each of its components.  Both are hash
 * tables, each entry a list of numbers with its length before it:
 *
 *   InliningInfo2            inlinee << 1 | 1: of another module, which follows
 *                            inliners, as differences, in the same way
 *   CrossModuleInlineInfo    inlinee << 2 | flags: IMPORTED, HAS_IMPORTED
 *                            its module, in images of several modules
 *                            HAS_IMPORTED: how many inliners there are by import, these
 *                            inliners, as differences; in images of several modules
 *                            << 1 | 1: of another module than the inlinee, which follows
 *
 * The inliner is the method that was compiled, however deep in it the other was inlined:
 * the compiler writes down per compilation what it inlined (src/coreclr/tools/aot/
 * ILCompiler.ReadyToRun, InliningInfoNode.cs, MethodWithGCInfo.InlinedMethods).  So who
 * inlined an inliner need not be looked for.  A method whose IL is promised not to change
 * ([NonVersionable]) is not listed.
 *
 * A method "by import" is of an assembly outside of the image's version bubble, which the
 * compiler inlines across only when it is told to (--opt-cross-module).  Such entries are
 * left out: the number leads to a fixup, and what its method is, to more signatures.
 */
#include "inlinings.h"

#include "modules.h"
#include "native_format.h"

#include "../base/alloc.h"

#include <errno.h>
#include <stdlib.h>

#define MULTI_MODULE	 0x40 /* readytorun.h: READYTORUN_FLAG_MULTIMODULE_VERSION_BUBBLE */
#define IMPORTED	 1
#define HAS_IMPORTED	 2
#define ITEMS_MAX	 (1u << 20) /* System.Private.CoreLib has 68,645 on 10 */
#define MODULES_MAX	 4096u	    /* the whole framework has some 300 */
#define TOKEN_METHOD_DEF 0x06000000u
#define TOKEN_ROW_MAX	 0xffffffu

struct reading {
	struct inlinings *inlinings;
	uint32_t capacity;
	uint32_t own;	 /* module of what says nothing else */
	uint32_t budget; /* numbers still allowed: of sound tables no more than bytes */
	uint32_t bytes;	 /* of tables still allowed: sound ones do not overlap */
	bool many;	 /* modules are told */
};

/* The numbers of one entry. */
struct numbers {
	struct cursor cursor;
	uint32_t left;
};

static uint32_t next_number(struct reading *reading, struct numbers *numbers)
{
	if (!numbers->left || !reading->budget) {
		numbers->cursor.bad = true;
		return 0;
	}
	numbers->left--;
	reading->budget--;
	return native__unsigned(&numbers->cursor);
}

static int add(struct reading *reading, const struct inlining *inlining)
{
	struct inlinings *inlinings = reading->inlinings;

	if (inlining->token > TOKEN_ROW_MAX || inlining->inliner > TOKEN_ROW_MAX ||
	    inlining->module >= MODULES_MAX || inlining->inliner_module >= MODULES_MAX)
		return -EBADMSG;
	if (inlinings->count == ITEMS_MAX)
		return -EFBIG;
	alloc__grow(inlinings->items, inlinings->count, reading->capacity);
	inlinings->items[inlinings->count] = *inlining;
	inlinings->items[inlinings->count].token |= TOKEN_METHOD_DEF;
	inlinings->items[inlinings->count++].inliner |= TOKEN_METHOD_DEF;
	return 0;
}

/* `flagged`: each may be followed by a module; who is not is of `module`. */
static int read_inliners(struct reading *reading, struct numbers *numbers, bool flagged,
			 uint32_t module, struct inlining *inlining)
{
	int err = 0;

	inlining->inliner = 0;
	while (numbers->left && !err) {
		uint32_t number = next_number(reading, numbers);

		inlining->inliner += flagged ? number >> 1 : number;
		inlining->inliner_module = flagged && number & 1
						   ? next_number(reading, numbers)
						   : module;
		err = numbers->cursor.bad ? -EBADMSG : add(reading, inlining);
	}
	return err;
}

static struct numbers open_entry(struct cursor entry)
{
	struct numbers numbers = {.left = native__unsigned(&entry)};

	numbers.cursor = entry;
	return numbers;
}

static int read_entry(void *context, struct cursor entry)
{
	struct reading *reading = context;
	struct numbers numbers = open_entry(entry);
	uint32_t number = next_number(reading, &numbers);
	struct inlining inlining = {.module = reading->own, .token = number >> 1};

	if (number & 1)
		inlining.module = next_number(reading, &numbers);
	return numbers.cursor.bad ? -EBADMSG
				  : read_inliners(reading, &numbers, true, reading->own,
						  &inlining);
}

static int read_cross_module_entry(void *context, struct cursor entry)
{
	struct reading *reading = context;
	struct numbers numbers = open_entry(entry);
	uint32_t number = next_number(reading, &numbers), imported = 0;
	struct inlining inlining = {.module = reading->own, .token = number >> 2};

	if (!numbers.cursor.bad && number & IMPORTED)
		return 0;
	if (reading->many)
		inlining.module = next_number(reading, &numbers);
	if (number & HAS_IMPORTED)
		imported = next_number(reading, &numbers);
	while (imported-- && !numbers.cursor.bad)
		(void)next_number(reading, &numbers);
	return numbers.cursor.bad ? -EBADMSG
				  : read_inliners(reading, &numbers, reading->many,
						  inlining.module, &inlining);
}

/* Nothing of it is read outside of its section. */
static int read_table(struct reading *reading, const struct pe *pe, struct pe_range range,
		      native_each each)
{
	struct cursor table = pe__cursor(pe, range);

	if (!range.size)
		return 0;
	if (table.bad || range.size > reading->bytes)
		return -EBADMSG;
	reading->bytes -= range.size;
	return native_table__each(table, 0, table.size, each, reading);
}

static int read_components(struct reading *reading, const struct pe *pe,
			   const struct r2r *r2r)
{
	struct cursor list = pe__cursor(pe, r2r->components);
	uint32_t count = r2r__components(r2r), budget = pe->size;
	int err = 0;

	for (uint32_t i = 0; i < count && !err; i++) {
		struct pe_range range;

		err = r2r__component_section(pe, &list, &budget, R2R_INLININGS, &range);
		reading->own = modules__of_component(i);
		if (!err)
			err = read_table(reading, pe, range, read_entry);
	}
	return err;
}

int inlinings__compare_methods(uint32_t module, uint32_t token, uint32_t other_module,
			       uint32_t other_token)
{
	if (module != other_module)
		return module < other_module ? -1 : 1;
	return token < other_token ? -1 : token > other_token;
}

static int by_all(const void *left, const void *right)
{
	const struct inlining *a = left, *b = right;
	int order = inlinings__compare_methods(a->module, a->token, b->module, b->token);

	return order ? order
		     : inlinings__compare_methods(a->inliner_module, a->inliner,
						  b->inliner_module, b->inliner);
}

/* Of sorted ones, of which there is at least one. */
static void drop_repeated(struct inlinings *inlinings)
{
	uint32_t kept = 1;

	for (uint32_t i = 1; i < inlinings->count; i++)
		if (by_all(&inlinings->items[i], &inlinings->items[kept - 1]))
			inlinings->items[kept++] = inlinings->items[i];
	inlinings->count = kept;
}

int inlinings__read(const struct pe *pe, const struct r2r *r2r,
		    struct inlinings *ret_inlinings)
{
	struct reading reading = {.inlinings = ret_inlinings,
				  .budget = pe->size,
				  .bytes = pe->size,
				  .many = r2r->flags & MULTI_MODULE};
	int err;

	*ret_inlinings = (struct inlinings){NULL, 0};
	err = read_table(&reading, pe, r2r->inlinings, read_entry);
	if (!err)
		err = read_table(&reading, pe, r2r->cross_module_inlinings,
				 read_cross_module_entry);
	if (!err)
		err = read_components(&reading, pe, r2r);
	if (err)
		inlinings__free(ret_inlinings);
	if (!ret_inlinings->count)
		return err;
	qsort(ret_inlinings->items, ret_inlinings->count, sizeof(*ret_inlinings->items),
	      by_all);
	drop_repeated(ret_inlinings);
	ret_inlinings->items = alloc__resize(ret_inlinings->items, ret_inlinings->count,
					     sizeof(*ret_inlinings->items));
	return 0;
}

void inlinings__free(struct inlinings *inlinings)
{
	free(inlinings->items);
	*inlinings = (struct inlinings){NULL, 0};
}

uint32_t inlinings__first(const struct inlinings *inlinings, uint32_t module,
			  uint32_t token)
{
	const struct inlining wanted = {.module = module, .token = token};
	uint32_t low = 0, high = inlinings->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (by_all(&inlinings->items[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
