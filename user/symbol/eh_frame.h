/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Function bounds out of an unwind table (.eh_frame), which every shared
 * library keeps when its symbols are stripped.
 */
#ifndef TIERSCOPE_SYMBOL_EH_FRAME_H
#define TIERSCOPE_SYMBOL_EH_FRAME_H

#include <stddef.h>
#include <stdint.h>

struct eh_frame {
	const uint8_t *data;
	size_t size;
	uint64_t address; /* of data[0], as the file is linked */
};

typedef void eh_frame_each(void *context, uint64_t start, uint64_t size);

/*
 * Calls `each` for every FDE (frame description entry) in file order.  What is
 * malformed or encoded in a way that no linker for x86-64 writes is left out;
 * a record that leaves the table ends it.
 */
void eh_frame__read(const struct eh_frame *table, eh_frame_each *each, void *context);

#endif /* TIERSCOPE_SYMBOL_EH_FRAME_H */
