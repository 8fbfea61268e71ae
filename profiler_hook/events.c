/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Payloads are packed and little endian:
 *
 *   method  u64 function, u64 module, u64 start, u32 size, u32 token, u32 flags,
 *           utf16z type, utf16z method, utf16z signature, u16 runtime instance,
 *           from version 2 on: u64 native code version
 *   module  u64 module, u64 assembly, u32 flags, u32 reserved, utf16z IL path,
 *           utf16z native path, u16 runtime instance, ...
 *   tiering u16 runtime instance, then u32 for each count that the event has
 */
#include "events.h"

#include "../abi/body.h"

#include <errno.h>
#include <string.h>

/* What is left of a payload; `failed` once something lay beyond its end. */
struct cursor {
	const uint8_t *next;
	size_t left;
	int failed;
};

static const uint8_t *take(struct cursor *cursor, size_t size)
{
	const uint8_t *bytes = cursor->next;

	if (cursor->failed || size > cursor->left) {
		cursor->failed = 1;
		return NULL;
	}
	cursor->next += size;
	cursor->left -= size;
	return bytes;
}

static uint64_t take_u64(struct cursor *cursor)
{
	const uint8_t *bytes = take(cursor, sizeof(uint64_t));
	uint64_t value = 0;

	if (bytes)
		memcpy(&value, bytes, sizeof(value));
	return value;
}

static uint32_t take_u32(struct cursor *cursor)
{
	const uint8_t *bytes = take(cursor, sizeof(uint32_t));
	uint32_t value = 0;

	if (bytes)
		memcpy(&value, bytes, sizeof(value));
	return value;
}

static struct utf16 take_utf16z(struct cursor *cursor)
{
	struct utf16 string = {cursor->next, 0};
	const uint8_t *unit;

	while ((unit = take(cursor, 2)) && (unit[0] || unit[1]))
		string.units++;
	return string;
}

int events__decode_method(const uint8_t *payload, size_t size, uint32_t version,
			  struct method_event *ret_event)
{
	struct cursor cursor = {payload, size, 0};
	struct method_event event = {0};

	event.function_id = take_u64(&cursor);
	event.module_id = take_u64(&cursor);
	event.start = take_u64(&cursor);
	event.size = take_u32(&cursor);
	event.token = take_u32(&cursor);
	event.flags = take_u32(&cursor);
	event.type = take_utf16z(&cursor);
	event.method = take_utf16z(&cursor);
	event.signature = take_utf16z(&cursor);
	(void)take(&cursor, sizeof(uint16_t));
	if (version >= 2)
		event.native_version = take_u64(&cursor);
	if (cursor.failed)
		return -EBADMSG;
	*ret_event = event;
	return 0;
}

int events__decode_module(const uint8_t *payload, size_t size,
			  struct module_event *ret_event)
{
	struct cursor cursor = {payload, size, 0};
	struct module_event event = {0};

	event.module_id = take_u64(&cursor);
	event.assembly_id = take_u64(&cursor);
	event.flags = take_u32(&cursor);
	(void)take_u32(&cursor);
	event.path = take_utf16z(&cursor);
	if (cursor.failed)
		return -EBADMSG;
	*ret_event = event;
	return 0;
}

int events__decode_tiering(const uint8_t *payload, size_t size, uint32_t number,
			   struct tiering_event *ret_event)
{
	struct cursor cursor = {payload, size, 0};
	struct tiering_event event = {0};

	(void)take(&cursor, sizeof(uint16_t));
	switch (number) {
	case EVENT_TIERING_PAUSE:
		event.kind = TS_TIERING_DELAY_BEGAN;
		break;
	case EVENT_TIERING_RESUME:
		event.kind = TS_TIERING_DELAY_ENDED;
		event.new_methods = take_u32(&cursor);
		break;
	case EVENT_BACKGROUND_JIT_START:
		event.kind = TS_TIERING_BATCH_BEGAN;
		event.pending = take_u32(&cursor);
		break;
	case EVENT_BACKGROUND_JIT_STOP:
		event.kind = TS_TIERING_BATCH_ENDED;
		event.pending = take_u32(&cursor);
		event.compiled = take_u32(&cursor);
		break;
	default:
		return -EINVAL;
	}
	if (cursor.failed)
		return -EBADMSG;
	*ret_event = event;
	return 0;
}
