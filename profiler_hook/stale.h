/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * What ended while nobody told: bodies and modules that the journal believes to be
 * alive after a rest, or from before the session of a launched process.
 */
#ifndef TIERSCOPE_HOOK_STALE_H
#define TIERSCOPE_HOOK_STALE_H

#include "found.h"

/*
 * During a catch-up.  `present` holds the modules of the enumeration; modules that are
 * not there any more, or gave their id to another, are taken as unloaded.
 */
void stale__modules(struct hook *hook, const struct table *present);

/* After the modules: ends each body that is not there as its record says. */
void stale__bodies(struct found *found);

#endif /* TIERSCOPE_HOOK_STALE_H */
