/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Call frame instructions (DWARF 5, 6.4; as Linux uses them: LSB, "Exception
 * Frames"), run for the registers that a walk needs.
 */
#ifndef TIERSCOPE_UNWIND_CFA_H
#define TIERSCOPE_UNWIND_CFA_H

#include "../../abi/body.h"
#include "../symbol/eh_frame.h"

#include <stdbool.h>

/* From `address` on the rule is `shape`: TS_SHAPE of a rule, or 0, unknown.  Of TS_RULE_RBX
 * it is that of where a thread stands. */
typedef void cfa_each(void *context, uint64_t address, uint32_t shape);

/*
 * Calls `each` for every change within one function, in order of addresses and
 * beginning with its start.  False: its instructions cannot be followed, and what
 * was told is void.
 */
bool cfa__run(const struct eh_function *function, cfa_each *each, void *context);

/* How many words below its CFA a function keeps its caller's rbx, from its first instructions
 * on; 0: in no such place, or in several. */
uint32_t cfa__saved_rbx(const struct eh_function *function);

#endif /* TIERSCOPE_UNWIND_CFA_H */
