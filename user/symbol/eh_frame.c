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

#include "dwarf_reader.h"

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

/* What is left of a record, from `skipped` bytes on. */
static struct eh_program read_program(struct dwarf_reader *reader, uint64_t skipped)
{
	dwarf_reader__skip(reader, skipped);
	return (struct eh_program){reader->at, (size_t)(reader->end - reader->at)};
}

/* A CIE: what all its FDEs have in common. */
struct cie {
	size_t at;
	uint8_t spelling;	/* of addresses; SPELLED_NOT: it cannot be read */
	bool has_augmentation;	/* its FDEs say how much of it they have */
	struct eh_function common;
};

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

static uint64_t read_spelled(struct dwarf_reader *reader, uint8_t spelling)
{
	uint64_t value = dwarf_reader__bytes(reader, size_of_format(spelling));

	switch (spelling & SPELLED_FORMAT) {
	case SPELLED_SIGNED_2:
		return (uint64_t)(int64_t)(int16_t)value;
	case SPELLED_SIGNED_4:
		return (uint64_t)(int64_t)(int32_t)value;
	default:
		return value;
	}
}

/* Past one letter's augmentation data. */
static void read_augmentation(struct dwarf_reader *reader, char letter, struct cie *cie)
{
	unsigned int size;
	uint8_t spelling;

	switch (letter) {
	case 'R':
		cie->spelling = (uint8_t)dwarf_reader__bytes(reader, 1);
		break;
	case 'L':
		dwarf_reader__bytes(reader, 1);
		break;
	case 'P': /* the personality routine: how it is spelled, where it is */
		spelling = (uint8_t)dwarf_reader__bytes(reader, 1);
		size = size_of_format(spelling);
		if (!size)
			reader->failed = true;
		dwarf_reader__bytes(reader, size);
		break;
	case 'S':
		cie->common.is_signal_frame = true;
		break;
	case 'B': /* signed return addresses */
		break;
	default:
		reader->failed = true;
	}
}

/* `reader` is behind the id.  False: it cannot be read. */
static bool read_cie(struct dwarf_reader *reader, struct cie *cie)
{
	uint8_t version = (uint8_t)dwarf_reader__bytes(reader, 1);
	char augmentation[AUGMENTATION_MAX + 1] = {0};
	struct dwarf_reader letters;
	unsigned int size = 0;
	uint64_t data = 0;

	if (version != 1 && version != 3)
		return false;
	while ((augmentation[size] = (char)dwarf_reader__bytes(reader, 1)))
		if (++size >= AUGMENTATION_MAX)
			return false;
	cie->spelling = SPELLED_ABSOLUTE;
	cie->common.code_factor = dwarf_reader__unsigned(reader);
	cie->common.data_factor = dwarf_reader__signed(reader);
	cie->common.return_register =
		version == 1 ? dwarf_reader__bytes(reader, 1) : dwarf_reader__unsigned(reader);
	cie->has_augmentation = augmentation[0] == 'z';
	if (cie->has_augmentation)
		data = dwarf_reader__unsigned(reader);
	else if (augmentation[0])
		return false;
	letters = *reader;
	for (unsigned int i = 1; i < size; i++)
		read_augmentation(&letters, augmentation[i], cie);
	cie->common.common = read_program(reader, data);
	return !reader->failed && !letters.failed && size_of_format(cie->spelling) &&
	       !(cie->spelling & ~SPELLED_FORMAT & ~SPELLED_RELATIVE);
}

/* The record at `at`: its content, id not included; false: none, or broken. */
static bool open_record(const struct eh_frame *table, size_t at,
			struct dwarf_reader *ret_content, uint32_t *ret_id, size_t *ret_next)
{
	struct dwarf_reader reader = {table->data + at, table->data + table->size, false};
	uint64_t length = dwarf_reader__bytes(&reader, 4);
	bool wide = length == LENGTH_64;

	if (wide)
		length = dwarf_reader__bytes(&reader, 8);
	if (reader.failed || length > (size_t)(reader.end - reader.at))
		return false;
	reader.end = reader.at + length;
	*ret_next = (size_t)(reader.end - table->data);
	*ret_id = (uint32_t)dwarf_reader__bytes(&reader, 4);
	/* No linker writes the wide ones, no unwinder reads them. */
	reader.failed |= wide;
	*ret_content = reader;
	return true;
}

static void read_fde(const struct eh_frame *table, struct dwarf_reader *reader,
		     const struct cie *cie, eh_frame_each *each, void *context)
{
	uint64_t place = table->address + (size_t)(reader->at - table->data);
	struct eh_function function = cie->common;

	function.start = read_spelled(reader, cie->spelling);
	function.size = read_spelled(reader, cie->spelling & SPELLED_FORMAT);
	if (cie->spelling & SPELLED_RELATIVE)
		function.start += place;
	function.own = read_program(reader, cie->has_augmentation ?
					    dwarf_reader__unsigned(reader) : 0);
	if (!reader->failed)
		each(context, &function);
}

/* FDEs of one CIE follow each other: the last one asked for is in `known`. */
static bool find_cie(const struct eh_frame *table, size_t at, struct cie *known)
{
	struct dwarf_reader content;
	uint32_t id;
	size_t next;

	if (known->at == at)
		return known->spelling != SPELLED_NOT;
	*known = (struct cie){.at = at, .spelling = SPELLED_NOT};
	if (open_record(table, at, &content, &id, &next) && !content.failed && !id &&
	    read_cie(&content, known))
		return true;
	known->spelling = SPELLED_NOT;
	return false;
}

void eh_frame__read(const struct eh_frame *table, eh_frame_each *each, void *context)
{
	struct cie known = {.at = SIZE_MAX, .spelling = SPELLED_NOT};
	struct dwarf_reader content;
	size_t at, next, id_at;
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
		if (find_cie(table, id_at - id, &known))
			read_fde(table, &content, &known, each, context);
	}
}
