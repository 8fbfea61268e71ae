// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (c) 2026 The tierscope authors
// Where these stubs have their words: see entry_stub.h.
#include "entry_stub.h"

#include <string.h>

/* The address that the instruction's displacement means; `end`: where the next begins. */
static uint64_t relative(uint64_t stub, const uint8_t *code, unsigned int at,
			 unsigned int end)
{
	int32_t displacement;

	memcpy(&displacement, code + at, sizeof(displacement));
	return stub + end + (uint64_t)(int64_t)displacement;
}

struct entry_stub entry_stub__decode(const uint8_t code[ENTRY_STUB_BYTES], uint64_t address)
{
	static const uint8_t jump[] = { 0xff, 0x25 }, load_method[] = { 0x4c, 0x8b, 0x15 };
	static const uint8_t load_count[] = { 0x48, 0x8b, 0x05 };
	static const uint8_t count[] = { 0x66, 0xff, 0x08, 0x74, 0x06, 0xff, 0x25 };
	struct entry_stub stub = { ENTRY_STUB_NONE, 0, 0 };

	if (!memcmp(code, jump, sizeof(jump)) &&
	    !memcmp(code + 6, load_method, sizeof(load_method))) {
		stub.kind = ENTRY_STUB_FIXUP;
		stub.target_at = relative(address, code, 2, 6);
		stub.method_at = relative(address, code, 9, 13);
	} else if (!memcmp(code, load_method, sizeof(load_method)) &&
		   !memcmp(code + 7, jump, sizeof(jump))) {
		stub.kind = ENTRY_STUB_PRECODE;
		stub.method_at = relative(address, code, 3, 7);
		stub.target_at = relative(address, code, 9, 13);
	} else if (!memcmp(code, load_count, sizeof(load_count)) &&
		   !memcmp(code + 7, count, sizeof(count))) {
		stub.kind = ENTRY_STUB_COUNTING;
		stub.target_at = relative(address, code, 14, 18);
	}
	return stub;
}
