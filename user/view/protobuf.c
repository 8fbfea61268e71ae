// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Fields of protocol buffers: see protobuf.h.
#include "protobuf.h"

enum { WIRE_VARINT = 0, WIRE_BYTES = 2 };

void protobuf__varint(struct buf *buf, uint64_t number)
{
	char bytes[10];
	size_t size = 0;

	for (; number >= 0x80; number >>= 7)
		bytes[size++] = (char)(number | 0x80);
	bytes[size++] = (char)number;
	buf__append(buf, bytes, size);
}

void protobuf__number(struct buf *buf, unsigned int field, uint64_t number)
{
	if (!number)
		return;
	protobuf__varint(buf, field << 3 | WIRE_VARINT);
	protobuf__varint(buf, number);
}

void protobuf__element(struct buf *buf, unsigned int field, const void *data,
		       size_t size)
{
	protobuf__varint(buf, field << 3 | WIRE_BYTES);
	protobuf__varint(buf, size);
	if (size)
		buf__append(buf, data, size);
}

void protobuf__bytes(struct buf *buf, unsigned int field, const void *data, size_t size)
{
	if (size)
		protobuf__element(buf, field, data, size);
}
