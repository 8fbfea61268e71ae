/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The event session.  Opening it runs managed code on the caller, which makes a
 * runtime thread of it; from then on most of the interface is refused to that thread
 * (0x80131363, seen on 10.0.12), so nothing else is done on it.
 */
#ifndef TIERSCOPE_HOOK_SESSION_H
#define TIERSCOPE_HOOK_SESSION_H

#include "hook.h"

/* A failure is counted, and told in the journal's header; the state is FAILED unless
 * callbacks tell of bodies meanwhile. */
hresult session__start(struct hook *hook);
/* Does nothing when there is none. */
hresult session__stop(struct hook *hook);

/* Bodies are told of from now on, and those from before are in the journal. */
void session__set_live(struct hook *hook);

#endif /* TIERSCOPE_HOOK_SESSION_H */
