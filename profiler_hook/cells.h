/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Entry cells of this process's own functions: which code calls of them reach now.
 * ../publication knows the layouts; this is how the hook reads the memory.
 *
 * Each function proves its own cell (../publication/entry_cell.h), and all is read
 * through the kernel at first.  Once cells of both kinds were proven that way, on 9 and
 * 10, what belongs to a function that is alive for certain is read by plain loads: a call
 * of the kernel costs more than all the rest.  What a cell leads to can be freed (stubs
 * that count calls), and is always read through the kernel.
 *
 * Where the first functions prove nothing this runtime is laid out in another way, and
 * nothing is told from then on.
 */
#ifndef TIERSCOPE_HOOK_CELLS_H
#define TIERSCOPE_HOOK_CELLS_H

#include "corprof.h"

#include "../publication/entry_cell.h"

#include <stdbool.h>
#include <stdint.h>

struct hook;

struct cells {
	uint32_t proven[TS_CELL_COUNT]; /* through the kernel, by kind */
	uint32_t found;	  /* not 0: one was */
	uint32_t unknown; /* so often it could not be told */
};

/* Whether it makes sense to ask. */
bool cells__can_be_told(const struct hook *hook);

/*
 * Whether the function's own memory is never freed.  To be called while the runtime
 * compiles it.
 */
bool cells__lasts(const struct hook *hook, function_id function);

struct cells_question {
	function_id function;
	uint64_t start; /* of a body of it, known for certain */
	bool alive;	/* the function, for certain, until this is answered */
};

/* The function's cell and what it leads to.  0, or -ENOENT: that cannot be told, at this
 * moment at least. */
int cells__find(struct hook *hook, const struct cells_question *question,
		struct entry_cell *ret_cell, struct entry_state *ret_state);

/* What a cell that was found leads to now.  0 or -EFAULT. */
int cells__read(struct hook *hook, const struct cells_question *question,
		const struct entry_cell *cell, struct entry_state *ret_state);

#endif /* TIERSCOPE_HOOK_CELLS_H */
