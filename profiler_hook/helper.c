/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The thread's loop, and the mailbox.  What a command does is in commands.c.
 *
 *     run ─ work ─ STAY ──→ sleep on the bell ─┐
 *      ↑     │ ↑                               │
 *      │     │ └───────────────────────────────┘
 *      │     ├─ HAND_OVER: start a fresh thread, end    (session opened or closed)
 *      │     │      │
 *      └─────┼──────┘ waits for the end of its predecessor
 *            └─ LEAVE: end                              (detached)
 */
#include "helper.h"

#include "commands.h"
#include "environment.h"
#include "hook.h"
#include "precompiled.h"
#include "probes.h"
#include "threads.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STACK_BYTES	 (1u << 20) /* opening a session runs managed code */
#define NS_PER_MS	 1000000ull
#define REST_NS		 (1000 * NS_PER_MS) /* between two listeners */
#define STUCK_NS	 (100 * NS_PER_MS)  /* an asker stores its address in far less */
#define SESSION_MS	 5000u
#define SESSION_MS_LIMIT 3600000u

static struct ts_mailbox *mailbox_of(const struct hook *hook)
{
	return (struct ts_mailbox *)(void *)((char *)hook->journal.header +
					     TS_MAILBOX_OFFSET);
}

void helper__ring(struct hook *hook)
{
	struct ts_mailbox *mailbox = mailbox_of(hook);

	__atomic_fetch_add(&mailbox->bell, 1, __ATOMIC_RELEASE);
	/* Not private: the askers are other processes. */
	(void)syscall(SYS_futex, &mailbox->bell, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* --- the mailbox -------------------------------------------------------------- */

static void name_address(struct hook *hook, uint64_t address)
{
	function_id function = 0;
	rejit_id rejit = 0;

	if (FAILED(hook->info->table->get_function_from_ip3(
		    hook->info, (uintptr_t)address, &function, &rejit)))
		function = 0; /* which is an answer too */
	precompiled__tell(hook, function, address);
	hook__count(hook, TS_HOOK_MAILBOX_ANSWERS);
}

/*
 * A turn that is claimed but has no address yet belongs to an asker that is about to
 * store it, or was killed in between; the latter is passed over after a while.  An
 * address that comes after all then counts as that of a later turn.
 */
static bool is_stuck(struct helper *helper, uint32_t turn, uint64_t now)
{
	if (!helper->stuck_ns || helper->stuck_turn != turn) {
		helper->stuck_turn = turn;
		helper->stuck_ns = now;
	}
	return now - helper->stuck_ns >= STUCK_NS;
}

static void answer(struct hook *hook, uint64_t now)
{
	struct ts_mailbox *mailbox = mailbox_of(hook);
	struct helper *helper = &hook->helper;
	uint32_t asked = __atomic_load_n(&mailbox->asked, __ATOMIC_ACQUIRE);
	uint32_t taken = mailbox->taken;

	/* Askers wait for room: more than that is nonsense, and not worth a loop. */
	if (asked - taken > TS_MAILBOX_SLOTS * 1024u)
		taken = asked;
	while (taken != asked) {
		uint64_t address = __atomic_exchange_n(
			&mailbox->addresses[taken % TS_MAILBOX_SLOTS], 0,
			__ATOMIC_ACQ_REL);

		if (address)
			name_address(hook, address);
		else if (!is_stuck(helper, taken, now))
			break;
		taken++;
		__atomic_store_n(&mailbox->taken, taken, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&mailbox->taken, taken, __ATOMIC_RELEASE);
	if (taken == asked)
		helper->stuck_ns = 0;
}

/* --- what is due ---------------------------------------------------------------- */

static enum helper_next look_for_listeners(struct hook *hook, uint64_t now)
{
	struct helper *helper = &hook->helper;

	if (!__atomic_load_n(&helper->nobody_listens, __ATOMIC_ACQUIRE))
		return HELPER_STAY;
	if (!helper->rest_ns)
		helper->rest_ns = now + REST_NS;
	if (now < helper->rest_ns)
		return HELPER_STAY;
	helper->rest_ns = 0;
	__atomic_store_n(&helper->nobody_listens, 0, __ATOMIC_RELEASE);
	return commands__rest(hook) == S_OK ? HELPER_HAND_OVER : HELPER_STAY;
}

static enum helper_next work(struct hook *hook)
{
	struct helper *helper = &hook->helper;
	struct ts_mailbox *mailbox = mailbox_of(hook);
	enum helper_next next = HELPER_STAY;
	uint64_t now = journal__now();
	uint32_t command = __atomic_load_n(&mailbox->command, __ATOMIC_ACQUIRE);

	answer(hook, now);
	helper->patches_ns = patches__watch(hook, now);
	if (command)
		next = commands__run(hook, mailbox, command);
	if (next == HELPER_STAY &&
	    __atomic_exchange_n(&helper->resume_wanted, false, __ATOMIC_ACQ_REL))
		next = commands__resume(hook);
	if (next == HELPER_STAY && helper->session_ns && now >= helper->session_ns) {
		helper->session_ns = 0;
		next = commands__open_session(hook);
	}
	return next == HELPER_STAY ? look_for_listeners(hook, now) : next;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return !b || (a && a < b) ? a : b;
}

static void sleep_on(struct hook *hook, uint32_t bell)
{
	const struct helper *helper = &hook->helper;
	uint64_t due = sooner(helper->rest_ns, helper->session_ns);
	uint64_t now = journal__now();
	struct timespec wait;

	due = sooner(due, helper->patches_ns);
	if (helper->stuck_ns)
		due = sooner(due, helper->stuck_ns + STUCK_NS);
	if (due && due <= now)
		return;
	wait.tv_sec = due ? (time_t)((due - now) / 1000000000u) : 0;
	wait.tv_nsec = due ? (long)((due - now) % 1000000000u) : 0;
	(void)syscall(SYS_futex, &mailbox_of(hook)->bell, FUTEX_WAIT, bell,
		      due ? &wait : NULL, NULL, 0);
}

/* --- the thread ------------------------------------------------------------------ */

static int start_thread(struct hook *hook);

static enum helper_next loop(struct hook *hook)
{
	enum helper_next next;

	for (;;) {
		uint32_t bell =
			__atomic_load_n(&mailbox_of(hook)->bell, __ATOMIC_ACQUIRE);

		next = work(hook);
		if (next != HELPER_STAY)
			return next;
		sleep_on(hook, bell);
	}
}

static void *run(void *context)
{
	struct hook *hook = context;
	struct helper *helper = &hook->helper;

	(void)prctl(PR_SET_NAME, "tierscope");
	if (helper->has_predecessor)
		(void)pthread_join(helper->predecessor, NULL);
	for (;;) {
		helper->has_predecessor = false;
		if (helper->catch_up_due) {
			helper->catch_up_due = false;
			commands__session_opened(hook, mailbox_of(hook));
		}
		if (loop(hook) == HELPER_LEAVE)
			break;
		helper->predecessor = pthread_self();
		helper->has_predecessor = true;
		if (!start_thread(hook))
			break;
		/* No thread is to be had: this one goes on, and is refused much. */
		hook__count(hook, TS_HOOK_API_FAILED);
	}
	return NULL;
}

/*
 * The new thread has its creator's signal mask.  Signals that a thread brings on
 * itself stay open: the runtime turns some of them into exceptions, and one that is
 * blocked ends the process.
 */
static void block_signals(sigset_t *ret_old)
{
	sigset_t set;

	sigfillset(&set);
	sigdelset(&set, SIGSEGV);
	sigdelset(&set, SIGBUS);
	sigdelset(&set, SIGFPE);
	sigdelset(&set, SIGILL);
	sigdelset(&set, SIGTRAP);
	sigprocmask(SIG_SETMASK, &set, ret_old);
}

static int start_thread(struct hook *hook)
{
	pthread_attr_t attributes;
	sigset_t old;
	int err = pthread_attr_init(&attributes);

	if (err)
		return -err;
	(void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
	block_signals(&old);
	err = pthread_create(&hook->helper.thread, &attributes, run, hook);
	sigprocmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attributes);
	return -err;
}

uint64_t helper__session_delay_ms(void)
{
	return environment__number("TIERSCOPE_SESSION_DELAY_MS", 0, SESSION_MS_LIMIT,
				   SESSION_MS);
}

int helper__start(struct hook *hook)
{
	struct helper *helper = &hook->helper;
	int err;

	if (hook->journal.header->source == TS_SOURCE_CALLBACKS)
		helper->session_ns = journal__now() + helper__session_delay_ms() * NS_PER_MS;
	err = start_thread(hook);
	helper->exists = !err;
	if (err)
		hook__count(hook, TS_HOOK_API_FAILED);
	return err;
}

void helper__join(struct hook *hook)
{
	if (hook->helper.exists)
		(void)pthread_join(hook->helper.thread, NULL);
	hook->helper.exists = false;
}

void helper__resume(struct hook *hook)
{
	__atomic_store_n(&hook->helper.resume_wanted, true, __ATOMIC_RELEASE);
	helper__ring(hook);
}

void helper__check_listeners(struct hook *hook)
{
	if (!hook->journal.header->attached || probes__are_listened() ||
	    __atomic_load_n(&hook->journal.header->state, __ATOMIC_RELAXED) !=
		    TS_HOOK_LIVE ||
	    __atomic_exchange_n(&hook->helper.nobody_listens, 1, __ATOMIC_ACQ_REL))
		return;
	helper__ring(hook);
}
