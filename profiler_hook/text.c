/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * One character at a time, so that measuring, writing and comparing are three
 * uses of the same walk and can never disagree.
 */
#include "text.h"

#include <string.h>

#define REPLACEMENT 0xfffdu
#define PIECE_BYTES 64u

/* The bytes of one character. */
struct character {
	char bytes[4];
	unsigned int size;
};

static struct character encode(uint32_t code)
{
	if (code < 0x80)
		return (struct character){{(char)code}, 1};
	if (code < 0x800)
		return (struct character){
			{(char)(0xc0 | code >> 6), (char)(0x80 | (code & 0x3f))}, 2};
	if (code < 0x10000)
		return (struct character){{(char)(0xe0 | code >> 12),
					   (char)(0x80 | (code >> 6 & 0x3f)),
					   (char)(0x80 | (code & 0x3f))},
					  3};
	return (struct character){
		{(char)(0xf0 | code >> 18), (char)(0x80 | (code >> 12 & 0x3f)),
		 (char)(0x80 | (code >> 6 & 0x3f)), (char)(0x80 | (code & 0x3f))},
		4};
}

static uint32_t unit_at(struct utf16 string, size_t at)
{
	return (uint32_t)string.bytes[2 * at] | (uint32_t)string.bytes[2 * at + 1] << 8;
}

/* Moves `at` over one character and returns it. */
static uint32_t next_code(struct utf16 string, size_t *at)
{
	uint32_t code = unit_at(string, (*at)++);
	uint32_t low;

	if (code < 0xd800 || code > 0xdfff)
		return code;
	if (code > 0xdbff || *at >= string.units)
		return REPLACEMENT;
	low = unit_at(string, *at);
	if (low < 0xdc00 || low > 0xdfff)
		return REPLACEMENT;
	(*at)++;
	return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
}

/* A walk over the characters of a part. */
struct walk {
	const struct text_part *part;
	size_t at;
};

static bool walk__next(struct walk *walk, struct character *ret_character)
{
	const struct text_part *part = walk->part;
	unsigned char byte;

	if (part->utf16.bytes) {
		if (walk->at >= part->utf16.units)
			return false;
		*ret_character = encode(next_code(part->utf16, &walk->at));
		return true;
	}
	if (walk->at >= part->utf8_size)
		return false;
	/* Ours already: a lead byte and its continuations are one character. */
	ret_character->size = 0;
	do {
		ret_character->bytes[ret_character->size++] = part->utf8[walk->at++];
		byte = walk->at < part->utf8_size ? (unsigned char)part->utf8[walk->at]
						  : 0;
	} while ((byte & 0xc0) == 0x80 && ret_character->size < 4);
	return true;
}

/*
 * How many of the next units, at most `limit`, are ASCII: nearly all of every name.
 * Four at a time; a remainder is left to walk__next.
 */
static uint32_t ascii_ahead(const struct walk *walk, uint32_t limit)
{
	const struct utf16 *string = &walk->part->utf16;
	size_t left = string->bytes ? string->units - walk->at : 0;
	const uint8_t *next = string->bytes + 2 * walk->at;
	uint32_t count = 0;
	uint64_t four;

	left = left < limit ? left : limit;
	for (; count + 4 <= left; count += 4) {
		memcpy(&four, next + 2 * count, sizeof(four));
		if (four & 0xff80ff80ff80ff80ull)
			break;
	}
	return count;
}

/* Bytes of the longest run of whole characters within `budget`. */
static uint32_t measure(const struct text_part *part, uint32_t budget, bool *ret_cut)
{
	struct walk walk = {part, 0};
	struct character character;
	uint32_t bytes = 0;

	if (!part->utf16.bytes && part->utf8_size <= budget)
		return (uint32_t)part->utf8_size;
	for (;;) {
		uint32_t run = ascii_ahead(&walk, budget - bytes);

		walk.at += run;
		bytes += run;
		if (!walk__next(&walk, &character))
			break;
		if (bytes + character.size > budget) {
			*ret_cut = true;
			break;
		}
		bytes += character.size;
	}
	return bytes;
}

static uint32_t next_utf16_piece(struct walk *walk, uint32_t left, char *ret_bytes)
{
	uint32_t run = ascii_ahead(walk, left < PIECE_BYTES ? left : PIECE_BYTES);
	const uint8_t *units = walk->part->utf16.bytes + 2 * walk->at;
	struct character character;

	if (run) {
		for (uint32_t i = 0; i < run; i++)
			ret_bytes[i] = (char)units[2 * i];
		walk->at += run;
		return run;
	}
	if (!left || !walk__next(walk, &character) || character.size > left)
		return 0;
	memcpy(ret_bytes, character.bytes, character.size);
	return character.size;
}

/* UTF-8 is copied as it is: `left` ends between characters. */
static uint32_t next_utf8_piece(struct walk *walk, uint32_t left, char *ret_bytes)
{
	size_t run = walk->part->utf8_size - walk->at;

	run = run < left ? run : left;
	run = run < PIECE_BYTES ? run : PIECE_BYTES;
	if (run)
		memcpy(ret_bytes, walk->part->utf8 + walk->at, run);
	walk->at += run;
	return (uint32_t)run;
}

/* The next piece of a part, at most `left` bytes, as UTF-8; 0 at its end. */
static uint32_t next_piece(struct walk *walk, uint32_t left, char *ret_bytes)
{
	if (!walk->part->utf16.bytes)
		return next_utf8_piece(walk, left, ret_bytes);
	return next_utf16_piece(walk, left, ret_bytes);
}

struct text_plan text__plan(const struct text *text, uint32_t bytes_max)
{
	static const unsigned int order[TEXT_PARTS_MAX] = {1, 0, 3, 2};
	struct text_plan plan = {.bytes = text->parts_count};

	for (unsigned int i = 0; i < TEXT_PARTS_MAX; i++) {
		unsigned int part = order[i];

		if (part >= text->parts_count || plan.bytes > bytes_max)
			continue;
		plan.part_bytes[part] =
			measure(&text->parts[part], bytes_max - plan.bytes, &plan.cut);
		plan.bytes += plan.part_bytes[part];
	}
	return plan;
}

void text__write(const struct text *text, const struct text_plan *plan, char *ret_bytes)
{
	for (unsigned int i = 0; i < text->parts_count; i++) {
		struct walk walk = {&text->parts[i], 0};
		uint32_t left = plan->part_bytes[i], size;

		while ((size = next_piece(&walk, left, ret_bytes)) != 0) {
			ret_bytes += size;
			left -= size;
		}
		*ret_bytes++ = '\0';
	}
}

bool text__equals(const struct text *text, const struct text_plan *plan,
		  const char *bytes)
{
	char piece[PIECE_BYTES];

	for (unsigned int i = 0; i < text->parts_count; i++) {
		struct walk walk = {&text->parts[i], 0};
		uint32_t left = plan->part_bytes[i], size;

		while ((size = next_piece(&walk, left, piece)) != 0) {
			if (memcmp(bytes, piece, size))
				return false;
			bytes += size;
			left -= size;
		}
		if (*bytes++)
			return false;
	}
	return true;
}

size_t text__convert(struct utf16 string, char *ret_bytes, size_t capacity)
{
	struct text text = {{text_part__utf16(string)}, 1};
	struct text_plan plan = text__plan(&text, (uint32_t)capacity);

	text__write(&text, &plan, ret_bytes);
	return plan.part_bytes[0];
}
