/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Births and deaths of code bodies: journal record first, then probe.
 */
#ifndef TIERSCOPE_HOOK_BODIES_H
#define TIERSCOPE_HOOK_BODIES_H

#include "hook.h"
#include "text.h"

/*
 * Takes in a body that `draft` describes (all but state, sequence, times,
 * thread and text) and names it: by `text`, or, when that is NULL, as the draft
 * says already.  0 and the birth's sequence, -EEXIST when
 * it is known already, -ENOSPC when it was published but not kept.
 */
int bodies__add(struct hook *hook, struct ts_journal_record *draft,
		const struct text *text, uint64_t *ret_sequence);

/*
 * Gives `draft` the text of an earlier body of its function, and all that the text
 * says: module, token, generic or not.  false when there is none; never for a
 * function whose bodies can go.
 */
bool bodies__share_text(struct hook *hook, struct ts_journal_record *draft);

/* The live body of a dynamic function, or NULL; as bodies__find. */
struct ts_journal_record *bodies__find_dynamic(struct hook *hook, function_id function);

/*
 * The live body that starts there.  NULL when there is none.  The record may die
 * or be reused at any time: compare its sequence.
 */
struct ts_journal_record *bodies__find(struct hook *hook, uint64_t start);

/* Marks a body dead, and publishes that; see journal__kill for the result. */
int bodies__remove(struct hook *hook, struct ts_journal_record *record,
		   uint64_t sequence);

#endif /* TIERSCOPE_HOOK_BODIES_H */
