/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * This room tells which code calls of a function reach now: to the loader, from outside of
 * the process, and to the hook, inside.
 *
 * The runtime decides it in one word, the entry cell: the target of the function's
 * precode, or for most virtual methods a slot of the method table:
 *
 *   call ─→ precode ─ jmp [target] ─→ prestub        nothing compiled, or to be compiled anew
 *   call ─→ [slot] ─┬────────────────→ body
 *                   └→ call-counting stub ─ jmp [target] ─→ body
 *
 * No descriptor of the runtime tells all of these layouts, so each function proves its
 * own: a cell is believed only if what it leads to points back to the function, as a
 * precode does, or is one of its bodies.  Where that fails, nothing is told.  Memory is
 * read through a reader that fails where nothing is mapped; all that comes from it is
 * hostile.
 */
#ifndef TIERSCOPE_PUBLICATION_ENTRY_CELL_H
#define TIERSCOPE_PUBLICATION_ENTRY_CELL_H

#include "../abi/body.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct entry_reader {
	/* All `size` bytes at an address of the process, or false. */
	bool (*read)(void *context, uint64_t address, void *buffer, size_t size);
	/*
	 * The same of what belongs to the function itself, if this is a runtime that is
	 * laid out as we think: its MethodDesc, type, slots, precode and cell live as long
	 * as it does.  Stubs that a cell leads to do not.
	 */
	bool (*read_own)(void *context, uint64_t address, void *buffer, size_t size);
	/* Whether a body of the function starts at the address. */
	bool (*is_body)(void *context, uint64_t function, uint64_t address);
	void *context;
};

struct entry_cell {
	uint64_t address;
	enum ts_cell_kind kind;
	uint64_t precode;	/* that its code data names; 0: none */
};

struct entry_state {
	uint64_t word;		/* what the cell holds */
	enum ts_target target;
	uint64_t body;		/* its start; 0 but for TS_TARGET_BODY and _CALL_COUNTING */
};

/* The cell of a FunctionID, and what it leads to.  0, or -ENOENT: it has none that can be
 * told. */
int entry_cell__find(const struct entry_reader *reader, uint64_t function,
		     struct entry_cell *ret_cell, struct entry_state *ret_state);

/* What a word that was read from the function's cell leads to. */
struct entry_state entry_cell__decode(const struct entry_reader *reader, uint64_t function,
				      uint64_t word);

/* Reads the cell, and tells the same of what it holds.  0, or -EFAULT. */
int entry_cell__read(const struct entry_reader *reader, uint64_t function,
		     const struct entry_cell *cell, struct entry_state *ret_state);

#endif /* TIERSCOPE_PUBLICATION_ENTRY_CELL_H */
