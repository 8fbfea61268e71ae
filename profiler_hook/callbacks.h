/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Bodies from the runtime's JIT callbacks instead of its events.
 *
 * An event costs more than it tells: the runtime formats three strings for each of
 * three events per compilation, and opening the session runs managed code for 20 ms.
 * The callbacks cost next to nothing and come at the same moment, on the same thread.
 * What they do not say is found elsewhere: the tier in the version's node (versions.h)
 * or by the runtime's rule (tiers.h), names in metadata (naming.h).  What they cannot
 * tell at all is bodies of a ReJIT, which a notification profiler is not told of.  So
 * they serve a process that is launched, on runtimes whose nodes can be read and where
 * nobody can ask for ReJIT yet, until the session is opened later.
 *
 * The functions named callbacks__* that follow are called by the runtime's threads,
 * under the rules of deliver__event: no locks, no waiting, no allocation.
 */
#ifndef TIERSCOPE_HOOK_CALLBACKS_H
#define TIERSCOPE_HOOK_CALLBACKS_H

#include "hook.h"

/* Whether this runtime's memory tells what the callbacks do not. */
bool callbacks__can_replace_events(const struct hook *hook);

/*
 * Asks for callbacks; in Initialize only.  `bodies`: of compilations too, else of
 * searches for precompiled code alone.
 */
hresult callbacks__start(struct hook *hook, bool bodies);

/* No more callbacks of compilations: the session tells them from now on. */
hresult callbacks__leave_to_session(struct hook *hook);

void callbacks__compiled(struct hook *hook, function_id function, bool dynamic);
void callbacks__dynamic_unloaded(struct hook *hook, function_id function);

#endif /* TIERSCOPE_HOOK_CALLBACKS_H */
