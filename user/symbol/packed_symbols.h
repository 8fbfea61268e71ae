/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The symbols that a stripped file brings along in .gnu_debugdata: a small ELF file,
 * packed by xz (Fedora and its kin ship all programs so).
 */
#ifndef TIERSCOPE_SYMBOL_PACKED_SYMBOLS_H
#define TIERSCOPE_SYMBOL_PACKED_SYMBOLS_H

#include "elf_view.h"

struct packed_symbols {
	struct elf_view view;
	void *image;
};

/* 0, or -ENOENT: there are none, or none that can be read. */
int packed_symbols__open(struct packed_symbols *symbols, const struct elf_view *program);
void packed_symbols__close(struct packed_symbols *symbols);

#endif /* TIERSCOPE_SYMBOL_PACKED_SYMBOLS_H */
