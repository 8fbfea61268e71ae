/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The USDT probes of provider `tierscope`: a public interface.
 *
 *   code_load      sequence, function id, start, size, rejit id,
 *                  native version id, tier | flags << 8, journal record
 *   code_unload    sequence, function id, start, size
 *   module_load    sequence, module id, base, size, journal record
 *   module_unload  sequence, module id, base, size, journal record
 *   stub_patch     sequence (its own), function id, entry cell, old word, new word,
 *                  kind | target << 8, window begin, window end, patch
 *   stub_patches   how many, patches: the same, some at a time and a little later
 *   tiering        sequence (its own), kind, methods pending, new methods, methods compiled
 *
 * A journal record is a pointer to struct ts_journal_record (../abi/journal.h),
 * committed before the probe fires; the strings lie at its text_address.  The
 * sequence of an unload is that of the death.  A patch is a pointer to struct
 * ts_stub_patch (../abi/body.h), and patches one to a struct ts_stub_patches; they stay until
 * the probe returns.
 *
 * The name `rejit` is reserved: of a request or a revert nothing is told here, and a body that
 * was compiled for one is a code_load.
 *
 * Each probe has a semaphore: when nobody listens, a call is a load and a
 * branch.  A listener that arrives between the check and the probe may miss one
 * event; the journal has it.
 */
#ifndef TIERSCOPE_HOOK_PROBES_H
#define TIERSCOPE_HOOK_PROBES_H

#include "../abi/journal.h"

#include <stdbool.h>
#include <stdint.h>

struct tiering_event;

/* Whether anybody listens to any of them, or to the patches one by one, or some at a time. */
bool probes__are_listened(void);
bool probes__stub_patch_is_listened(void);
bool probes__stub_patches_are_listened(void);

void probes__code_load(const struct ts_journal_record *record);
void probes__code_unload(const struct ts_journal_record *record);
void probes__module_load(const struct ts_journal_record *record);
/* `record` is the copy of a dead one, `kept` where it lies in the journal. */
void probes__module_unload(const struct ts_journal_record *record,
			   const struct ts_journal_record *kept);
void probes__stub_patch(const struct ts_stub_patch *patch);
void probes__stub_patches(const struct ts_stub_patches *told);
void probes__tiering(uint64_t sequence, const struct tiering_event *event);

#endif /* TIERSCOPE_HOOK_PROBES_H */
