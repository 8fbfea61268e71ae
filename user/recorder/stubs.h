/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The runtime's stubs: short pieces of code without a method, in memory of
 * their own or between the bodies of a code heap.  Told by their bytes.
 */
#ifndef TIERSCOPE_RECORDER_STUBS_H
#define TIERSCOPE_RECORDER_STUBS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum stub_kind {
	STUB_NONE = 0,			/* the bytes are of no stub we know */
	STUB_FIXUP_PRECODE,
	STUB_PRECODE,
	STUB_CALL_COUNTING,
	STUB_RESOLVE,
	STUB_LOOKUP,
	STUB_DISPATCH,
	STUB_VTABLE,
	STUB_DICTIONARY,
	STUB_HELPER,
	STUB_JUMP,
	STUB_UNBOXING,
	STUB_SHUFFLE,
	STUB_WRITE_BARRIER,
	STUB_IMPORT,
	STUB_UNREADABLE,		/* the process was gone before we looked */
	STUB_KINDS
};

/* The short name, as the ledger has it. */
const char *stub__name(enum stub_kind kind);

/* Where a stub leads, as far as its own bytes say; each 0 if they do not. */
struct stub_lead {
	uint64_t target;	/* address of code */
	uint64_t target_at;	/* of a word that holds such an address */
	uint64_t method_at;	/* of a word that holds a FunctionID */
};

/*
 * Which stub the instruction at code[at] belongs to, which has that address, and where that
 * leads, given the bytes around it.  Reads only code[0 .. size).
 */
enum stub_kind stub__classify(const uint8_t *code, size_t size, size_t at, uint64_t address,
			      struct stub_lead *ret_lead);

/* The same for an address of a process. */
enum stub_kind stub__read(pid_t pid, uint64_t address, struct stub_lead *ret_lead);

#endif /* TIERSCOPE_RECORDER_STUBS_H */
