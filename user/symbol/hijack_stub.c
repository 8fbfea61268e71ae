// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Runtimes are shipped without symbols for it, but no other function begins so:
// room for the real return address, then every register that a callee keeps
// (dotnet/runtime, OnHijackTripThread in vm/amd64/asmhelpers.S; the bytes of
// 8.0.31, 9.0.20 and 10.0.12, libcoreclr.so and single-file hosts).
#include "hijack_stub.h"

#include <string.h>

static const uint8_t first_bytes[] = {
	0x50,			/* push rax */
	0x55,			/* push rbp */
	0x53,			/* push rbx */
	0x41, 0x57, 0x41, 0x56, /* push r15, r14 */
	0x41, 0x55, 0x41, 0x54, /* push r13, r12 */
};

/* Each runtime exports its table for debuggers, single-file hosts too. */
static bool is_runtime(const struct elf_view *view)
{
	static const char exported[] = "g_dacTable";
	struct elf_bytes table, names;
	Elf64_Sym symbol;

	if (elf_view__section(view, ".dynsym", &table) || table.type != SHT_DYNSYM ||
	    elf_view__section_at(view, table.link, &names) ||
	    names.type != SHT_STRTAB || names.data[names.size - 1])
		return false;
	for (size_t i = 0; i < table.size / sizeof(symbol); i++) {
		memcpy(&symbol, table.data + i * sizeof(symbol), sizeof(symbol));
		if (symbol.st_shndx != SHN_UNDEF && symbol.st_name < names.size &&
		    !strcmp((const char *)names.data + symbol.st_name, exported))
			return true;
	}
	return false;
}

static bool begins_so(const struct elf_bytes *code, const struct function *function)
{
	uint64_t at = function->start - code->address;

	return function->start >= code->address && at <= code->size &&
	       code->size - at >= sizeof(first_bytes) &&
	       !memcmp(code->data + at, first_bytes, sizeof(first_bytes));
}

uint64_t hijack_stub__find(const struct elf_view *view, const struct functions *bounds)
{
	struct elf_bytes code;
	uint64_t found = 0;

	if (!is_runtime(view) || elf_view__section(view, ".text", &code))
		return 0;
	for (uint32_t i = 0; i < bounds->count; i++) {
		if (!begins_so(&code, &bounds->items[i]))
			continue;
		if (found)
			return 0;
		found = bounds->items[i].start;
	}
	return found;
}
