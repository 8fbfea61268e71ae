/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Numbers out of an unwind table, which may be cut anywhere. */
#ifndef TIERSCOPE_SYMBOL_DWARF_READER_H
#define TIERSCOPE_SYMBOL_DWARF_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dwarf_reader {
	const uint8_t *at, *end;
	bool failed; /* the end was passed: all that was read is void */
};

/* A number of up to eight bytes. */
uint64_t dwarf_reader__bytes(struct dwarf_reader *reader, unsigned int size);
/* Numbers in LEB128, seven bits a byte. */
uint64_t dwarf_reader__unsigned(struct dwarf_reader *reader);
int64_t dwarf_reader__signed(struct dwarf_reader *reader);
void dwarf_reader__skip(struct dwarf_reader *reader, uint64_t size);

#endif /* TIERSCOPE_SYMBOL_DWARF_READER_H */
