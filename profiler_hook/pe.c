/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 *   +0x3c → PE signature, COFF header    24 bytes: sections, size of what follows
 *           optional header              0x10b or 0x20b: SizeOfImage, directories
 *           section table                40 bytes each: RVA, size in file, offset
 */
#include "pe.h"

#include "memory.h"

#include <string.h>

#define OFFSET_AT	 0x3c
#define OFFSET_MAX	 0x10000u
#define COFF_BYTES	 24 /* signature included */
#define OPTIONAL_BYTES	 240
#define MAGIC_PE32	 0x10b
#define MAGIC_PE32_PLUS	 0x20b
#define DIRECTORIES_PE32 96
#define DIRECTORIES_PLUS 112
#define CLI_DIRECTORY	 14
#define IMAGE_SIZE_AT	 56
#define SECTION_BYTES	 40
#define SECTIONS_MAX	 96

static uint16_t u16_at(const uint8_t *bytes)
{
	uint16_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static uint32_t u32_at(const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

bool pe__read(struct pe *ret_pe, uint64_t base)
{
	uint8_t headers[COFF_BYTES + OPTIONAL_BYTES];
	const uint8_t *optional = headers + COFF_BYTES;
	uint32_t offset, directories;

	if (!base || memory__read(&offset, base + OFFSET_AT, sizeof(offset)) ||
	    offset > OFFSET_MAX ||
	    memory__read(headers, base + offset, sizeof(headers)) ||
	    memcmp(headers, "PE\0\0", 4))
		return false;
	if (u16_at(optional) == MAGIC_PE32_PLUS)
		directories = DIRECTORIES_PLUS;
	else if (u16_at(optional) == MAGIC_PE32)
		directories = DIRECTORIES_PE32;
	else
		return false;
	ret_pe->base = base;
	ret_pe->image_size = u32_at(optional + IMAGE_SIZE_AT);
	ret_pe->cli_rva = u32_at(optional + directories + CLI_DIRECTORY * 8);
	ret_pe->sections = base + offset + COFF_BYTES + u16_at(headers + 20);
	ret_pe->sections_count = u16_at(headers + 6);
	return true;
}

uint64_t pe__address(const struct pe *pe, bool flat, uint32_t rva, uint32_t size)
{
	uint8_t section[SECTION_BYTES];

	if (!flat)
		return pe->base + rva;
	for (unsigned int i = 0; i < pe->sections_count && i < SECTIONS_MAX; i++) {
		uint32_t start, length;

		if (memory__read(section, pe->sections + i * SECTION_BYTES,
				 SECTION_BYTES))
			return 0;
		start = u32_at(section + 12);
		length = u32_at(section + 16);
		if (rva >= start && rva - start < length &&
		    size <= length - (rva - start))
			return pe->base + u32_at(section + 20) + (rva - start);
	}
	return 0;
}
