/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Completes the description of a body: its ReJITID and its frame shape.
 */
#ifndef TIERSCOPE_HOOK_DESCRIBE_H
#define TIERSCOPE_HOOK_DESCRIBE_H

#include "hook.h"
#include "versions.h"

/* Bytes of the body that starts there; false, counted, when none does. */
bool describe__size(struct hook *hook, uint64_t start, uint32_t *ret_size);

/* Sets all that a version's node tells. */
void describe__version(struct ts_journal_record *draft,
		       const struct native_version *version);

/*
 * Sets rejit_id, or TS_RECORD_REJIT_UNKNOWN, of a body of another than the
 * default version.  `version` is its node, NULL when there is none to read.
 */
void describe__rejit_id(struct hook *hook, struct ts_journal_record *draft,
			const struct native_version *version);

/* Sets the shape from the body's first bytes, `code`, at most SHAPE_BYTES of them. */
void describe__shape(struct hook *hook, struct ts_journal_record *draft,
		     const struct native_version *version, const uint8_t *code,
		     size_t size);

#endif /* TIERSCOPE_HOOK_DESCRIBE_H */
