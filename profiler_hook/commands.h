/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * What the helper thread does when it is told to, or when it is time.  All of it runs
 * on that thread.
 */
#ifndef TIERSCOPE_HOOK_COMMANDS_H
#define TIERSCOPE_HOOK_COMMANDS_H

#include "com.h"

#include "../abi/journal.h"

struct hook;

/* How the thread goes on. */
enum helper_next {
	HELPER_STAY,
	HELPER_HAND_OVER, /* to a fresh thread: this one may be the runtime's now */
	HELPER_LEAVE,
};

/* A command of the mailbox (enum ts_hook_command). */
enum helper_next commands__run(struct hook *hook, struct ts_mailbox *mailbox,
			       uint32_t command);

/* S_OK: the session is closed.  S_FALSE: there is reason to keep it. */
hresult commands__rest(struct hook *hook);

/* Opens the session of an attached hook that rests. */
enum helper_next commands__resume(struct hook *hook);

/* Opens the session of a launched hook, which began with callbacks. */
enum helper_next commands__open_session(struct hook *hook);

/* The other half of both, on the thread that comes next. */
void commands__session_opened(struct hook *hook, struct ts_mailbox *mailbox);

#endif /* TIERSCOPE_HOOK_COMMANDS_H */
