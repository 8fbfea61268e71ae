/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* What call frame instructions say of one place in a function, and the shape that a walk
 * makes of it. */
#ifndef TIERSCOPE_UNWIND_RULE_H
#define TIERSCOPE_UNWIND_RULE_H

#include <stdbool.h>
#include <stdint.h>

/* Registers as DWARF numbers them (System V ABI for x86-64). */
enum { RBX = 3, RBP = 6, RSP = 7, R10 = 10, RETURN_ADDRESS = 16 };

enum cfa_kind {
	CFA_OTHER,	/* no rule of ours */
	CFA_FROM,	/* base + offset */
	CFA_PLT,	/* rsp + 8, and 8 more from byte `offset` of 16 on */
	CFA_AT		/* [base + offset] */
};

struct cfa {
	enum cfa_kind kind;
	uint64_t base;		/* register */
	int64_t offset;
};

enum saved_kind {
	SAVED_OTHER,
	SAVED_NOT,		/* as it is */
	SAVED_UNDEFINED,
	SAVED_AT,		/* CFA + offset */
	SAVED_AT_RBP,		/* rbp + offset */
	SAVED_AT_RSP
};

struct saved {
	enum saved_kind kind;
	int64_t offset;
};

struct rule {
	struct cfa cfa;
	struct saved rbp, rip;
};

/* How many words so many bytes are; false: no whole ones, or fewer or more than allowed. */
bool rule__words(int64_t bytes, int64_t least, int64_t most, uint32_t *ret_words);

/* TS_SHAPE of a rule (abi/body.h), or 0: none that we know. */
uint32_t rule__shape(const struct rule *rule, bool is_signal_frame);

#endif /* TIERSCOPE_UNWIND_RULE_H */
