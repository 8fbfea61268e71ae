/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The headers of a PE image in memory (ECMA-335 II.25), read without trust: these are
 * bytes of a file.
 */
#ifndef TIERSCOPE_HOOK_PE_H
#define TIERSCOPE_HOOK_PE_H

#include <stdbool.h>
#include <stdint.h>

struct pe {
	uint64_t base;
	uint32_t image_size;
	uint32_t cli_rva; /* of the CLI header, 0 none */
	uint64_t sections; /* address of the section table */
	unsigned int sections_count;
};

/* False where no such headers are to be read. */
bool pe__read(struct pe *ret_pe, uint64_t base);

/*
 * Where `size` bytes at an RVA lie: in a flat image, which is the file as it is, by the
 * section table.  0 where they are in no section.
 */
uint64_t pe__address(const struct pe *pe, bool flat, uint32_t rva, uint32_t size);

#endif /* TIERSCOPE_HOOK_PE_H */
