/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Functions out of an unwind table (.eh_frame), which every shared library keeps
 * when its symbols are stripped: their bounds, and the instructions that say how
 * they are unwound (user/unwind reads these).
 */
#ifndef TIERSCOPE_SYMBOL_EH_FRAME_H
#define TIERSCOPE_SYMBOL_EH_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct eh_frame {
	const uint8_t *data;
	size_t size;
	uint64_t address; /* of data[0], as the file is linked */
};

/* Instructions of the table, unchecked; they lie in it. */
struct eh_program {
	const uint8_t *data;
	size_t size;
};

/* An FDE (frame description entry), with what its CIE says for many of them. */
struct eh_function {
	uint64_t start, size;
	struct eh_program common, own;	/* run one after the other */
	uint64_t code_factor;
	int64_t data_factor;
	uint64_t return_register;
	bool is_signal_frame;
};

typedef void eh_frame_each(void *context, const struct eh_function *function);

/*
 * Calls `each` for every FDE in file order.  What is
 * malformed or encoded in a way that no linker for x86-64 writes is left out;
 * a record that leaves the table ends it.
 */
void eh_frame__read(const struct eh_frame *table, eh_frame_each *each, void *context);

#endif /* TIERSCOPE_SYMBOL_EH_FRAME_H */
