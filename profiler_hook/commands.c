/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Rest, resume, detach, and the late session of a launched process.
 *
 * While an attached hook rests nobody tells it of births and deaths.  So to resume is
 * to attach again: session first, then a catch-up, which also goes through what the
 * journal believes to be alive (stale.c).
 *
 * Detaching: the runtime closes the library once no thread is inside a callback.  Our
 * own thread still has to return through it, and so the library is pinned before.
 * The rest is done in ProfilerDetachSucceeded (hook.c).
 */
#include "commands.h"

#include "callbacks.h"
#include "catch_up.h"
#include "hook.h"
#include "probes.h"
#include "session.h"
#include "threads.h"

static void finish(struct ts_mailbox *mailbox, hresult result)
{
	mailbox->result = (uint32_t)result;
	__atomic_store_n(&mailbox->command, TS_COMMAND_NONE, __ATOMIC_RELEASE);
}

static uint32_t state_of(const struct hook *hook)
{
	return __atomic_load_n(&hook->journal.header->state, __ATOMIC_ACQUIRE);
}

hresult commands__rest(struct hook *hook)
{
	hresult result;

	/* A launched hook keeps its journal whole: whoever comes finds all of it. */
	if (!hook->journal.header->attached || state_of(hook) != TS_HOOK_LIVE ||
	    probes__are_listened())
		return S_FALSE;
	result = session__stop(hook);
	if (!FAILED(result))
		__atomic_store_n(&hook->journal.header->state, TS_HOOK_RESTING,
				 __ATOMIC_RELEASE);
	return FAILED(result) ? result : S_OK;
}

static hresult open_session(struct hook *hook)
{
	hresult result;

	catch_up__begin(hook);
	result = session__start(hook);
	if (FAILED(result))
		catch_up__end(hook);
	else
		hook->helper.catch_up_due = true;
	return result;
}

enum helper_next commands__resume(struct hook *hook)
{
	uint32_t state = state_of(hook);

	if (state != TS_HOOK_RESTING && state != TS_HOOK_FAILED)
		return HELPER_STAY;
	(void)open_session(hook);
	return HELPER_HAND_OVER;
}

enum helper_next commands__open_session(struct hook *hook)
{
	/* If it fails, the callbacks go on, which miss ReJIT alone. */
	(void)open_session(hook);
	return HELPER_HAND_OVER;
}

void commands__session_opened(struct hook *hook, struct ts_mailbox *mailbox)
{
	struct ts_journal_header *header = hook->journal.header;

	catch_up__run(hook);
	if (header->source == TS_SOURCE_CALLBACKS)
		(void)callbacks__leave_to_session(hook);
	if (state_of(hook) != TS_HOOK_LIVE)
		session__set_live(hook);
	if (__atomic_load_n(&mailbox->command, __ATOMIC_ACQUIRE) == TS_COMMAND_RESUME)
		finish(mailbox, S_OK);
}

static enum helper_next resume(struct hook *hook, struct ts_mailbox *mailbox)
{
	enum helper_next next = commands__resume(hook);

	/* Else it is finished when the catch-up is. */
	if (!hook->helper.catch_up_due)
		finish(mailbox, next == HELPER_STAY ? S_OK :
				(hresult)hook->journal.header->failure);
	return next;
}

/* --- detach ----------------------------------------------------------------------- */

static bool pin_library(void)
{
	Dl_info info;

	return dladdr((void *)(uintptr_t)pin_library, &info) &&
	       dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

static hresult leave(struct hook *hook)
{
	const struct profiler_info_table *table = hook->info->table;
	uint32_t low = 0, high = 0;
	hresult result = session__stop(hook);

	if (!FAILED(result))
		result = table->get_event_mask2(hook->info, &low, &high);
	if (!FAILED(result))
		result = table->set_event_mask2(hook->info, 0, 0);
	if (FAILED(result))
		return result;
	result = table->request_profiler_detach(hook->info, 0);
	if (FAILED(result))
		hook__failed(hook, table->set_event_mask2(hook->info, low, high));
	return result;
}

static enum helper_next detach(struct hook *hook, struct ts_mailbox *mailbox)
{
	bool was_live = state_of(hook) == TS_HOOK_LIVE;
	hresult result;

	if (probes__are_listened()) {
		finish(mailbox, HRESULT_BUSY);
		return HELPER_STAY;
	}
	if (!pin_library()) {
		finish(mailbox, E_FAIL);
		return HELPER_STAY;
	}
	result = leave(hook);
	if (!FAILED(result))
		return HELPER_LEAVE;
	/* It stays as it was, after a catch-up. */
	if (was_live)
		(void)open_session(hook);
	finish(mailbox, result);
	return HELPER_HAND_OVER;
}

enum helper_next commands__run(struct hook *hook, struct ts_mailbox *mailbox,
			       uint32_t command)
{
	hresult result;

	switch (command) {
	case TS_COMMAND_REST:
		result = commands__rest(hook);
		finish(mailbox, result);
		return result == S_OK ? HELPER_HAND_OVER : HELPER_STAY;
	case TS_COMMAND_RESUME:
		return resume(hook, mailbox);
	case TS_COMMAND_DETACH:
		return detach(hook, mailbox);
	default:
		finish(mailbox, E_INVALIDARG);
		return HELPER_STAY;
	}
}
