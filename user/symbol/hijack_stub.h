/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * To stop a thread for the garbage collector, the runtime may change a return
 * address on its stack to a function of its own, OnHijackTripThread.  Where such
 * an address stands the caller is not to be seen.
 */
#ifndef TIERSCOPE_SYMBOL_HIJACK_STUB_H
#define TIERSCOPE_SYMBOL_HIJACK_STUB_H

#include "elf_view.h"
#include "functions.h"

/*
 * The address of that function; 0: the file is no .NET runtime, or nothing in it,
 * or more than one function, looks like it.  `bounds`: of the unwind table.
 */
uint64_t hijack_stub__find(const struct elf_view *view, const struct functions *bounds);

#endif /* TIERSCOPE_SYMBOL_HIJACK_STUB_H */
