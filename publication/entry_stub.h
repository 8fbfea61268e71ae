/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The stubs that calls of a function can go through on their way to a body, by their bytes:
 *
 *   fixup precode    jmp [target]; mov r10, [method]; jmp [prestub]
 *   precode          mov r10, [method]; jmp [target]
 *   call counting    mov rax, [count]; dec word [rax]; je; jmp [target]; jmp [threshold]
 *
 * (dotnet/runtime vm/amd64/thunktemplates.S, v8 to v10.)  Their words lie in another page.
 */
#ifndef TIERSCOPE_PUBLICATION_ENTRY_STUB_H
#define TIERSCOPE_PUBLICATION_ENTRY_STUB_H

#include <stdint.h>

#define ENTRY_STUB_BYTES 24u

enum entry_stub_kind { ENTRY_STUB_NONE, ENTRY_STUB_FIXUP, ENTRY_STUB_PRECODE,
		       ENTRY_STUB_COUNTING };

struct entry_stub {
	enum entry_stub_kind kind;
	uint64_t target_at;	/* address of the word that it jumps to */
	uint64_t method_at;	/* address of the function's word; 0 in a counting stub */
};

/* Of the code at an address; what it has behind its end does not matter. */
struct entry_stub entry_stub__decode(const uint8_t code[ENTRY_STUB_BYTES], uint64_t address);

#endif /* TIERSCOPE_PUBLICATION_ENTRY_STUB_H */
