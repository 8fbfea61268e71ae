// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The rules that compilers write, and nothing else: whoever writes another one gets no shape.
#include "rule.h"

#include "../../abi/body.h"

bool rule__words(int64_t bytes, int64_t least, int64_t most, uint32_t *ret_words)
{
	if (bytes % 8 || bytes < 8 * least || bytes > 8 * most)
		return false;
	*ret_words = (uint32_t)(bytes / 8);
	return true;
}

static bool is_at(const struct saved *saved, enum saved_kind kind, int64_t offset)
{
	return saved->kind == kind && saved->offset == offset;
}

static uint32_t shape_of_call(const struct rule *rule)
{
	uint32_t kind = rule->cfa.base == RSP ? TS_RULE_RSP : TS_RULE_RBP;
	uint32_t rbp = 0, cfa;

	if ((rule->cfa.base != RSP && rule->cfa.base != RBP) ||
	    !rule__words(rule->cfa.offset, 1, TS_SHAPE_SLOTS_MAX, &cfa))
		return 0;
	/* At the ret of an aligned frame gcc does not say that rbp was taken back: there
	 * is no frame any more in which it could be. */
	if (kind == TS_RULE_RSP && cfa == 1 && is_at(&rule->rbp, SAVED_AT_RBP, 0))
		return TS_SHAPE(kind, 0, cfa);
	/* Undefined: its value is gone, and nobody up there will miss it. */
	if (rule->rbp.kind != SAVED_NOT && rule->rbp.kind != SAVED_UNDEFINED &&
	    (rule->rbp.kind != SAVED_AT ||
	     !rule__words(-rule->rbp.offset, 2, TS_SHAPE_PROLOG_MAX, &rbp)))
		return 0;
	return TS_SHAPE(kind, rbp, cfa);
}

/* The frame was aligned: the CFA lies in it, and rbp where rbp points. */
static uint32_t shape_of_aligned(const struct rule *rule)
{
	uint32_t cfa;

	if (rule->cfa.base != RBP || !is_at(&rule->rbp, SAVED_AT_RBP, 0) ||
	    !rule__words(-rule->cfa.offset, 1, TS_SHAPE_SLOTS_MAX, &cfa))
		return 0;
	return TS_SHAPE(TS_RULE_ALIGNED, 0, cfa);
}

/*
 * On the way there and back gcc has the CFA in r10.  What it says of rbp is not true at
 * every instruction (pop rbp has no rule); the walk looks where rbp points.
 *
 *      lea r10, [rsp + 8]; and rsp, -64; push [r10 - 8]; push rbp; mov rbp, rsp; ...
 *      pop r10; ... pop rbp; lea rsp, [r10 - 8]; ret
 */
static uint32_t shape_of_r10(const struct rule *rule)
{
	return !rule->cfa.offset && (rule->rbp.kind == SAVED_NOT ||
				     is_at(&rule->rbp, SAVED_AT_RBP, 0)) ?
	       TS_SHAPE(TS_RULE_R10, 0, 0) : 0;
}

/* The frame was aligned, and rbp left alone: the dynamic linker's. */
static uint32_t shape_of_rbx(const struct rule *rule)
{
	uint32_t cfa;

	return rule->rbp.kind == SAVED_NOT &&
	       rule__words(rule->cfa.offset, 1, TS_SHAPE_SLOTS_MAX, &cfa) ?
	       TS_SHAPE(TS_RULE_RBX, 0, cfa) : 0;
}

static uint32_t shape_of_signal(const struct rule *rule)
{
	return rule->cfa.kind == CFA_AT && rule->cfa.base == RSP &&
	       rule->cfa.offset == TS_SIGNAL_RSP &&
	       is_at(&rule->rbp, SAVED_AT_RSP, TS_SIGNAL_RBP) &&
	       is_at(&rule->rip, SAVED_AT_RSP, TS_SIGNAL_RIP) ?
	       TS_SHAPE(TS_RULE_SIGNAL, 0, 0) : 0;
}

uint32_t rule__shape(const struct rule *rule, bool is_signal_frame)
{
	if (rule->rip.kind == SAVED_UNDEFINED)
		return TS_SHAPE(TS_RULE_END, 0, 0);
	if (is_signal_frame)
		return shape_of_signal(rule);
	if (!is_at(&rule->rip, SAVED_AT, -8))
		return 0;
	switch (rule->cfa.kind) {
	case CFA_FROM:
		if (rule->cfa.base == RBX)
			return shape_of_rbx(rule);
		return rule->cfa.base == R10 ? shape_of_r10(rule) : shape_of_call(rule);
	case CFA_PLT:
		return rule->rbp.kind == SAVED_NOT ?
		       TS_SHAPE(TS_RULE_PLT, rule->cfa.offset, 1) : 0;
	case CFA_AT:
		return shape_of_aligned(rule);
	default:
		return 0;
	}
}
