/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The one way in which bytes of a file are read, here and in user/image: a
 * position in a range that never leaves it.  A read beyond the end yields 0 and sets
 * `bad`, which stays set, so a decoder checks once, after a whole structure.
 */
#ifndef TIERSCOPE_METADATA_CURSOR_H
#define TIERSCOPE_METADATA_CURSOR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const uint8_t *data;
	uint32_t size;
	uint32_t at; /* <= size, always */
	bool bad;
};

static inline struct cursor cursor__of(const void *data, uint32_t size)
{
	return (struct cursor){.data = data, .size = data ? size : 0};
}

static inline uint32_t cursor__left(const struct cursor *cursor)
{
	return cursor->size - cursor->at;
}

/* The next `count` bytes, or NULL. */
static inline const uint8_t *cursor__take(struct cursor *cursor, uint32_t count)
{
	const uint8_t *bytes;

	if (cursor->bad || count > cursor__left(cursor)) {
		cursor->bad = true;
		return NULL;
	}
	bytes = cursor->data + cursor->at;
	cursor->at += count;
	return bytes;
}

static inline void cursor__seek(struct cursor *cursor, uint64_t at)
{
	if (at > cursor->size)
		cursor->bad = true;
	else
		cursor->at = (uint32_t)at;
}

static inline uint8_t cursor__u8(struct cursor *cursor)
{
	const uint8_t *bytes = cursor__take(cursor, 1);

	return bytes ? bytes[0] : 0;
}

static inline uint16_t cursor__u16(struct cursor *cursor)
{
	const uint8_t *bytes = cursor__take(cursor, 2);
	uint16_t value = 0;

	if (bytes)
		memcpy(&value, bytes, sizeof(value));
	return value;
}

static inline uint32_t cursor__u32(struct cursor *cursor)
{
	const uint8_t *bytes = cursor__take(cursor, 4);
	uint32_t value = 0;

	if (bytes)
		memcpy(&value, bytes, sizeof(value));
	return value;
}

static inline uint64_t cursor__u64(struct cursor *cursor)
{
	const uint8_t *bytes = cursor__take(cursor, 8);
	uint64_t value = 0;

	if (bytes)
		memcpy(&value, bytes, sizeof(value));
	return value;
}

/* ECMA-335 II.23.2: 0xxxxxxx, 10xxxxxx x, 110xxxxx xxx, big endian. */
static inline uint32_t cursor__compressed(struct cursor *cursor)
{
	uint32_t first = cursor__u8(cursor);

	if (!(first & 0x80))
		return first;
	if (!(first & 0x40))
		return (first & 0x3f) << 8 | cursor__u8(cursor);
	if (!(first & 0x20)) {
		uint32_t value = (first & 0x1f) << 24;

		value |= (uint32_t)cursor__u8(cursor) << 16;
		value |= (uint32_t)cursor__u8(cursor) << 8;
		return value | cursor__u8(cursor);
	}
	cursor->bad = true;
	return 0;
}

#endif /* TIERSCOPE_METADATA_CURSOR_H */
