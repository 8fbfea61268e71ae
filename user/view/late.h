/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Late samples: those in code that calls did not reach any more.  Loops stay in it until
 * they end (OSR and tier-0 bodies), callers that inlined an old version do for good.  Only
 * what was surely late counts: windows end when a change was seen, not when it happened.
 */
#ifndef TIERSCOPE_VIEW_LATE_H
#define TIERSCOPE_VIEW_LATE_H

#include "view.h"

/* [body * MODEL_EVENTS_MAX + event], user-mode leaves; the caller frees. */
uint64_t *late__tally(const struct model *model);

/* The section of the text report, with shares of `samples`; nothing if no sample of the
 * event was late. */
void late__append(const struct model *model, const struct view_options *options,
		  uint64_t samples, struct buf *buf);

#endif /* TIERSCOPE_VIEW_LATE_H */
