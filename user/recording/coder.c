// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Fields of a row, written or read: see coder.h.
#include "coder.h"

_Static_assert(TS_NO_IL_OFFSET == MODEL_NONE, "both are written as none");

static void write_u64(struct buf *out, uint64_t value)
{
	char bytes[10];
	size_t size = 0;

	while (value >= 0x80) {
		bytes[size++] = (char)(value | 0x80);
		value >>= 7;
	}
	bytes[size++] = (char)value;
	buf__append(out, bytes, size);
}

static uint64_t read_u64(struct coder *coder)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		uint64_t bits;

		if (coder->bad || coder->at == coder->end)
			break;
		bits = *coder->at & 0x7f;
		if (bits << shift >> shift != bits)
			break;
		value |= bits << shift;
		if (!(*coder->at++ & 0x80))
			return value;
	}
	coder->bad = true;
	return 0;
}

void coder__u64(struct coder *coder, uint64_t *value)
{
	if (coder->out)
		write_u64(coder->out, *value);
	else
		*value = read_u64(coder);
}

void coder__i64(struct coder *coder, int64_t *value)
{
	uint64_t bits = (uint64_t)*value << 1 ^ (*value < 0 ? UINT64_MAX : 0);

	coder__u64(coder, &bits);
	if (!coder->out)
		*value = (int64_t)(bits >> 1 ^ (bits & 1 ? UINT64_MAX : 0));
}

void coder__u32(struct coder *coder, uint32_t *value)
{
	uint64_t wide = *value;

	coder__u64(coder, &wide);
	if (coder->out)
		return;
	if (wide > UINT32_MAX) {
		coder->bad = true;
		wide = 0;
	}
	*value = (uint32_t)wide;
}

void coder__i32(struct coder *coder, int32_t *value)
{
	int64_t wide = *value;

	coder__i64(coder, &wide);
	if (coder->out)
		return;
	if (wide < INT32_MIN || wide > INT32_MAX) {
		coder->bad = true;
		wide = 0;
	}
	*value = (int32_t)wide;
}

void coder__below(struct coder *coder, uint32_t *value, uint32_t limit)
{
	/* Nothing is written that would be refused when it is read. */
	uint32_t number = *value < limit ? *value : 0;

	coder__u32(coder, &number);
	if (coder->out)
		return;
	if (number >= limit) {
		coder->bad = true;
		number = 0;
	}
	*value = number;
}

void coder__below_or_none(struct coder *coder, uint32_t *value, uint32_t limit)
{
	uint32_t next = *value < limit ? *value + 1 : 0;

	coder__u32(coder, &next);
	if (coder->out)
		return;
	if (next > limit) {
		coder->bad = true;
		next = 0;
	}
	*value = next ? next - 1 : MODEL_NONE;
}

void coder__string(struct coder *coder, string_id *string)
{
	coder__below(coder, string, model__strings_count(coder->model));
}

void coder__near(struct coder *coder, uint64_t *value, uint64_t *last)
{
	int64_t difference = (int64_t)(*value - *last);

	coder__i64(coder, &difference);
	if (!coder->out)
		*value = *last + (uint64_t)difference;
	*last = *value;
}

const char *coder__bytes(struct coder *coder, uint32_t size)
{
	const uint8_t *bytes = coder->at;

	if (coder->bad || size > (size_t)(coder->end - coder->at)) {
		coder->bad = true;
		return NULL;
	}
	coder->at += size;
	return (const char *)bytes;
}
