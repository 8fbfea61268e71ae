/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The hook's own thread, at most one: it sleeps on the journal's bell until somebody
 * asks for something or something is due.
 *
 *   mailbox     names addresses of precompiled code; rest, resume, detach
 *   session     of a launched process: opened a while after the start
 *   rest        of an attached hook: ends the session when nobody listens any more
 *   patches     looks at entry cells while a new body waits to be reached
 *
 * Work that makes a runtime thread of its thread (session.h) is done last: a fresh
 * thread waits for the end of that one, and goes on.
 */
#ifndef TIERSCOPE_HOOK_HELPER_H
#define TIERSCOPE_HOOK_HELPER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct hook;

struct helper {
	pthread_t thread;
	pthread_t predecessor;
	bool exists;
	bool has_predecessor;
	bool catch_up_due; /* a session was just opened */
	bool resume_wanted;	/* by a further attach */
	uint32_t nobody_listens; /* since an event found that */
	uint32_t stuck_turn;	/* of the mailbox: claimed, and not filled in */
	uint64_t stuck_ns;	/* since when; 0 it is not */
	uint64_t rest_ns;	/* when to look whether somebody listens; 0 never */
	uint64_t session_ns;	/* when to open the session; 0 never */
	uint64_t patches_ns;	/* when to look at entry cells; 0 never */
};

/* How long a launched process shall do without a session; 0: not a moment. */
uint64_t helper__session_delay_ms(void);

/* Makes the thread.  -Exxx: there is none, and nothing that it would do is done. */
int helper__start(struct hook *hook);

/* Waits for the end of a thread that was told to detach. */
void helper__join(struct hook *hook);

/* Wakes it. */
void helper__ring(struct hook *hook);

/* Wakes it to open the session again, if it rests. */
void helper__resume(struct hook *hook);

/* At an event of an attached hook: ends the session soon if nobody listens. */
void helper__check_listeners(struct hook *hook);

#endif /* TIERSCOPE_HOOK_HELPER_H */
