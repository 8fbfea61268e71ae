// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// See dwarf_reader.h.
#include "dwarf_reader.h"

#define LEB_BITS_MAX 70 /* ten bytes */

uint64_t dwarf_reader__bytes(struct dwarf_reader *reader, unsigned int size)
{
	uint64_t value = 0;

	if ((size_t)(reader->end - reader->at) < size) {
		reader->failed = true;
		return 0;
	}
	/* Mostly one: not by memcpy(), after which the CPU waits for a value in pieces. */
	for (unsigned int i = 0; i < size; i++)
		value |= (uint64_t)reader->at[i] << 8 * i;
	reader->at += size;
	return value;
}

/* Its bits, and how many they are; 0: it has no end. */
static unsigned int read_leb(struct dwarf_reader *reader, uint64_t *ret_value)
{
	*ret_value = 0;
	for (unsigned int bits = 0; bits < LEB_BITS_MAX && reader->at < reader->end;) {
		uint64_t byte = *reader->at++;

		if (bits < 64)
			*ret_value |= (byte & 0x7f) << bits;
		bits += 7;
		if (!(byte & 0x80))
			return bits;
	}
	reader->failed = true;
	*ret_value = 0;
	return 0;
}

uint64_t dwarf_reader__unsigned(struct dwarf_reader *reader)
{
	uint64_t value;

	read_leb(reader, &value);
	return value;
}

int64_t dwarf_reader__signed(struct dwarf_reader *reader)
{
	uint64_t value;
	unsigned int bits = read_leb(reader, &value);

	/* The highest bit that is there is the sign. */
	if (bits && bits < 64 && value >> (bits - 1) & 1)
		value |= ~0ULL << bits;
	return (int64_t)value;
}

void dwarf_reader__skip(struct dwarf_reader *reader, uint64_t size)
{
	if (size > (size_t)(reader->end - reader->at)) {
		reader->failed = true;
		return;
	}
	reader->at += size;
}
