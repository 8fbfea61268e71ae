/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * How native code is unwound: from a file's .eh_frame to rows by address, which the
 * sampler can look up.  Every byte of the file is hostile.
 */
#ifndef TIERSCOPE_UNWIND_H
#define TIERSCOPE_UNWIND_H

#include "../../abi/codemap.h"

#include <stdbool.h>
#include <stdint.h>

struct elf_view;
struct file_view;

/*
 * Sorted by begin; a row goes to the begin of the next.  Its shape is a rule (enum
 * ts_rule_kind), 0 where there is one that is none of ours, or TS_SHAPE_GAP where no
 * function is; the last one is the fence.  A few bytes of padding count for the
 * function before them.
 */
struct unwind_table {
	struct ts_image_row *rows;
	uint32_t count, capacity;
	uint64_t base;		/* address, as the file is linked, of begin 0 */
	uint64_t bytes_read;	/* of the file, also where it has no rules for us */
	struct file_view *kept;	/* in which the rows lie; NULL: in memory of ours */
};

/* 0; -ENOENT: the file has no such section; -EFBIG: more than we take. */
int unwind_table__read(struct unwind_table *table, const struct elf_view *view);
void unwind_table__free(struct unwind_table *table);

/* Whether its rows are what is said above: of those that were not read just now. */
bool unwind_table__is_sound(const struct unwind_table *table);

/* The shape at an address as the file is linked. */
uint32_t unwind_table__find(const struct unwind_table *table, uint64_t address);

#endif /* TIERSCOPE_UNWIND_H */
