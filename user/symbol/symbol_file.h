/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * What one ELF file says about its functions, kept after it is closed.
 */
#ifndef TIERSCOPE_SYMBOL_FILE_H
#define TIERSCOPE_SYMBOL_FILE_H

#include "elf_view.h"
#include "functions.h"

#include "../base/buf.h"

struct symbol_file {
	struct elf_loads loads;
	struct functions named;	 /* symbols: who owns a byte, with certainty */
	struct functions bounds; /* unwind table: from where to where, no names */
	uint64_t hijack_stub;	 /* see hijack_stub.h; 0: none */
	struct buf names;	 /* NUL-ended, back to back; the first is "" */
};

/*
 * Reads functions from `view` and names also from `debug`, the same program's
 * separate symbols, if not NULL.  At most `room` bytes are kept: beyond that
 * functions stay unknown.
 */
void symbol_file__read(struct symbol_file *file, const struct elf_view *view,
		       const struct elf_view *debug, size_t room);
size_t symbol_file__memory(const struct symbol_file *file);
void symbol_file__free(struct symbol_file *file);

/* NULL: no function is known at that address. */
const struct function *symbol_file__find(const struct symbol_file *file,
					 uint64_t address);

#endif /* TIERSCOPE_SYMBOL_FILE_H */
