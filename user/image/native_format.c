// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Layout: dotnet/runtime docs/design/coreclr/botr/readytorun-format.md,
 * section "Native Format", and src/coreclr/vm/nativeformatreader.h (v8 to v10).
 */
#include "native_format.h"

#include <errno.h>

#define BLOCK_ELEMENTS	  16
#define TREE_LOWER_CHILD  1
#define TREE_HIGHER_CHILD 2

/*
 * The number of low one-bits of the first byte is the number of bytes that
 * follow, up to four; the value is in the bits above.
 */
uint32_t native__unsigned(struct cursor *cursor)
{
	uint32_t first = cursor__u8(cursor), value;

	if (!(first & 1))
		return first >> 1;
	if (!(first & 2))
		return first >> 2 | (uint32_t)cursor__u8(cursor) << 6;
	if (!(first & 4)) {
		value = cursor__u16(cursor);
		return first >> 3 | value << 5;
	}
	if (!(first & 8)) {
		value = cursor__u16(cursor);
		value |= (uint32_t)cursor__u8(cursor) << 16;
		return first >> 4 | value << 4;
	}
	if (!(first & 16))
		return cursor__u32(cursor);
	cursor->bad = true;
	return 0;
}

/* The same, the last byte's top bit being the sign. */
int32_t native__signed(struct cursor *cursor)
{
	uint32_t before = cursor->at, value = native__unsigned(cursor);
	uint32_t bytes = cursor->at - before, bits;

	if (bytes < 1 || bytes > 4)
		return (int32_t)value;
	bits = bytes * 7;
	if (value >> (bits - 1) & 1)
		value |= ~0u << bits;
	return (int32_t)value;
}

static uint32_t read_sized(struct cursor *cursor, uint32_t shift)
{
	if (shift == 0)
		return cursor__u8(cursor);
	return shift == 1 ? cursor__u16(cursor) : cursor__u32(cursor);
}

int native_array__open(struct cursor file, uint32_t offset,
		       struct native_array *ret_array)
{
	uint32_t header;

	cursor__seek(&file, offset);
	header = native__unsigned(&file);
	if (file.bad || (header & 3) == 3)
		return -EBADMSG;
	ret_array->file = file;
	ret_array->base = file.at;
	ret_array->count = header >> 2;
	ret_array->index_shift = header & 3;
	return 0;
}

/*
 * Sixteen elements are a block: a binary tree over the four low bits of the
 * index, highest first.  The lower child follows its node, the higher one lies
 * where the node says; a node without children holds the one element whose
 * low bits it names.
 */
struct cursor native_array__at(const struct native_array *array, uint32_t index)
{
	struct cursor cursor = array->file;

	if (index >= array->count) {
		cursor.bad = true;
		return cursor;
	}
	cursor__seek(&cursor,
		     (uint64_t)array->base + ((uint64_t)(index / BLOCK_ELEMENTS)
					      << array->index_shift));
	cursor__seek(&cursor,
		     (uint64_t)array->base + read_sized(&cursor, array->index_shift));
	for (uint32_t bit = BLOCK_ELEMENTS >> 1; bit && !cursor.bad; bit >>= 1) {
		uint32_t at = cursor.at, node = native__unsigned(&cursor);

		if ((index & bit) && (node & TREE_HIGHER_CHILD)) {
			cursor__seek(&cursor, (uint64_t)at + (node >> 2));
		} else if ((index & bit) || !(node & TREE_LOWER_CHILD)) {
			if (node & 3 || node >> 2 != index % BLOCK_ELEMENTS)
				cursor.bad = true;
			break;
		}
	}
	return cursor;
}

static int each_of_bucket(struct cursor bucket, uint64_t end, uint32_t *left,
			  native_each each, void *context)
{
	while (bucket.at < end) {
		struct cursor entry = bucket;
		uint32_t at;
		int err;

		if (!(*left)--)
			return -EBADMSG;
		cursor__u8(&bucket); /* low byte of the hash */
		at = bucket.at;
		cursor__seek(&entry, (uint64_t)((int64_t)at + native__signed(&bucket)));
		if (bucket.bad || entry.bad)
			return -EBADMSG;
		err = each(context, entry);
		if (err)
			return err;
	}
	return 0;
}

int native_table__each(struct cursor file, uint32_t offset, uint32_t limit,
		       native_each each, void *context)
{
	uint32_t header, base, shift, left = limit;
	struct cursor index;

	cursor__seek(&file, offset);
	header = cursor__u8(&file);
	base = file.at;
	shift = header & 3;
	if (file.bad || shift == 3 || header >> 2 > 31 ||
	    (1ull << (header >> 2)) > cursor__left(&file) >> shift)
		return -EBADMSG;
	index = file;
	for (uint64_t i = 0; i < 1ull << (header >> 2); i++) {
		struct cursor bucket = file;
		uint64_t start, end;
		int err;

		cursor__seek(&index, base + (i << shift));
		start = (uint64_t)base + read_sized(&index, shift);
		end = (uint64_t)base + read_sized(&index, shift);
		cursor__seek(&bucket, start);
		if (index.bad || bucket.bad || end > file.size)
			return -EBADMSG;
		err = each_of_bucket(bucket, end, &left, each, context);
		if (err)
			return err;
	}
	return 0;
}
