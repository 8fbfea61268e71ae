// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// .eh_frame, as the Linux Standard Base (core generic, "Exception Frames") and
// DWARF lay it out:
//
//   record   length u32, id u32, ...          length does not count itself
//   CIE      id 0, version u8, augmentation string, code and data alignment,
//            return register, augmentation data: how its FDEs spell addresses
//   FDE      id: distance back to its CIE, first address, size, ...
#include "eh_frame.h"

#include <stdbool.h>
#include <string.h>

/* How an address is spelled: DW_EH_PE in the standard. */
#define SPELLED_ABSOLUTE   0x00
#define SPELLED_UNSIGNED_2 0x02
#define SPELLED_UNSIGNED_4 0x03
#define SPELLED_UNSIGNED_8 0x04
#define SPELLED_SIGNED_2   0x0a
#define SPELLED_SIGNED_4   0x0b
#define SPELLED_SIGNED_8   0x0c
#define SPELLED_FORMAT	   0x0f
#define SPELLED_RELATIVE   0x10 /* to where it stands */
#define SPELLED_NOT	   0xff

#define LENGTH_64 0xffffffffu
/* Real ones have at most five letters; bounds what a made-up CIE costs. */
#define AUGMENTATION_MAX 16

struct reader {
	const uint8_t *at, *end;
	bool failed; /* the end was passed: all that was read is void */
};

static uint64_t read_bytes(struct reader *reader, unsigned int size)
{
	uint64_t value = 0;

	if ((size_t)(reader->end - reader->at) < size) {
		reader->failed = true;
		return 0;
	}
	memcpy(&value, reader->at, size);
	reader->at += size;
	return value;
}

/* Past a LEB128 number of either sign. */
static void skip_leb(struct reader *reader)
{
	for (int i = 0; i < 10; i++)
		if (!(read_bytes(reader, 1) & 0x80))
			return;
	reader->failed = true;
}

static unsigned int size_of_format(uint8_t spelling)
{
	switch (spelling & SPELLED_FORMAT) {
	case SPELLED_UNSIGNED_2:
	case SPELLED_SIGNED_2:
		return 2;
	case SPELLED_UNSIGNED_4:
	case SPELLED_SIGNED_4:
		return 4;
	case SPELLED_ABSOLUTE:
	case SPELLED_UNSIGNED_8:
	case SPELLED_SIGNED_8:
		return 8;
	default:
		return 0;
	}
}

static uint64_t read_spelled(struct reader *reader, uint8_t spelling)
{
	uint64_t value = read_bytes(reader, size_of_format(spelling));

	switch (spelling & SPELLED_FORMAT) {
	case SPELLED_SIGNED_2:
		return (uint64_t)(int64_t)(int16_t)value;
	case SPELLED_SIGNED_4:
		return (uint64_t)(int64_t)(int32_t)value;
	default:
		return value;
	}
}

/* Past one letter's augmentation data; 'R' is what we came for. */
static void read_augmentation(struct reader *reader, char letter, uint8_t *ret_spelling)
{
	unsigned int size;
	uint8_t spelling;

	switch (letter) {
	case 'R':
		*ret_spelling = (uint8_t)read_bytes(reader, 1);
		break;
	case 'L':
		read_bytes(reader, 1);
		break;
	case 'P': /* the personality routine: how it is spelled, where it is */
		spelling = (uint8_t)read_bytes(reader, 1);
		size = size_of_format(spelling);
		if (!size)
			reader->failed = true;
		read_bytes(reader, size);
		break;
	case 'S': /* signal frame */
	case 'B': /* signed return addresses */
		break;
	default:
		reader->failed = true;
	}
}

/* How the FDEs of a CIE spell addresses; `reader` is behind its id. */
static uint8_t read_cie(struct reader *reader)
{
	uint8_t version = (uint8_t)read_bytes(reader, 1);
	uint8_t spelling = SPELLED_ABSOLUTE;
	char augmentation[AUGMENTATION_MAX + 1] = {0};
	unsigned int size = 0;

	if (version != 1 && version != 3)
		return SPELLED_NOT;
	while ((augmentation[size] = (char)read_bytes(reader, 1)))
		if (++size >= AUGMENTATION_MAX)
			return SPELLED_NOT;
	skip_leb(reader); /* code alignment */
	skip_leb(reader); /* data alignment */
	if (version == 1)
		read_bytes(reader, 1); /* return register */
	else
		skip_leb(reader);
	if (augmentation[0] == 'z')
		skip_leb(reader);
	else if (augmentation[0])
		return SPELLED_NOT;
	for (unsigned int i = 1; i < size; i++)
		read_augmentation(reader, augmentation[i], &spelling);
	if (reader->failed || !size_of_format(spelling) ||
	    (spelling & ~SPELLED_FORMAT & ~SPELLED_RELATIVE))
		return SPELLED_NOT;
	return spelling;
}

/* The record at `at`: its content, id not included; false: none, or broken. */
static bool open_record(const struct eh_frame *table, size_t at,
			struct reader *ret_content, uint32_t *ret_id, size_t *ret_next)
{
	struct reader reader = {table->data + at, table->data + table->size, false};
	uint64_t length = read_bytes(&reader, 4);
	bool wide = length == LENGTH_64;

	if (wide)
		length = read_bytes(&reader, 8);
	if (reader.failed || length > (size_t)(reader.end - reader.at))
		return false;
	reader.end = reader.at + length;
	*ret_next = (size_t)(reader.end - table->data);
	*ret_id = (uint32_t)read_bytes(&reader, 4);
	/* No linker writes the wide ones, no unwinder reads them. */
	reader.failed |= wide;
	*ret_content = reader;
	return true;
}

static void read_fde(const struct eh_frame *table, struct reader *reader,
		     uint8_t spelling, eh_frame_each *each, void *context)
{
	uint64_t place = table->address + (size_t)(reader->at - table->data);
	uint64_t start = read_spelled(reader, spelling);
	uint64_t size = read_spelled(reader, spelling & SPELLED_FORMAT);

	if (spelling & SPELLED_RELATIVE)
		start += place;
	if (!reader->failed)
		each(context, start, size);
}

/* FDEs of one CIE follow each other: the last one asked for is remembered. */
struct known_cie {
	size_t at;
	uint8_t spelling;
};

static uint8_t spelling_of(const struct eh_frame *table, size_t cie,
			   struct known_cie *known)
{
	struct reader content;
	uint32_t id;
	size_t next;

	if (known->at == cie)
		return known->spelling;
	*known = (struct known_cie){cie, SPELLED_NOT};
	if (open_record(table, cie, &content, &id, &next) && !content.failed && !id)
		known->spelling = read_cie(&content);
	return known->spelling;
}

void eh_frame__read(const struct eh_frame *table, eh_frame_each *each, void *context)
{
	struct known_cie known = {SIZE_MAX, SPELLED_NOT};
	struct reader content;
	size_t at, next, id_at;
	uint8_t spelling;
	uint32_t id;

	for (at = 0; at < table->size; at = next) {
		if (!open_record(table, at, &content, &id, &next))
			return;
		/* Length 0 marks the end of one linked part: others may follow. */
		if (content.failed || !id)
			continue;
		id_at = (size_t)(content.at - table->data) - sizeof(id);
		if (id > id_at)
			continue;
		spelling = spelling_of(table, id_at - id, &known);
		if (spelling != SPELLED_NOT)
			read_fde(table, &content, spelling, each, context);
	}
}
