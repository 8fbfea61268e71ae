/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * One synchronous in-process session: events are delivered on the thread that they
 * happen on, without a buffer in between.
 */
#include "session.h"

#include "../abi/journal.h"

#define KEYWORD_LOADER	    0x8ull
#define KEYWORD_JIT	    0x10ull
#define KEYWORD_COMPILATION 0x1000000000ull
#define LEVEL_VERBOSE	    5u /* at 4 not one method event arrives */

hresult session__start(struct hook *hook)
{
	static const uint16_t name[] = u"Microsoft-Windows-DotNETRuntime";
	struct event_pipe_provider provider = {
		.name = name,
		.keywords = KEYWORD_JIT | KEYWORD_LOADER | KEYWORD_COMPILATION,
		.level = LEVEL_VERBOSE,
	};
	struct ts_journal_header *header = hook->journal.header;
	uint64_t session = 0;
	hresult result;

	result = hook->info->table->event_pipe_start_session(hook->info, 1, &provider,
							     0, &session);
	if (hook__failed(hook, result)) {
		header->failure = (uint32_t)result;
		if (header->source != TS_SOURCE_CALLBACKS)
			__atomic_store_n(&header->state, TS_HOOK_FAILED,
					 __ATOMIC_RELEASE);
		return result;
	}
	hook->session = session;
	hook->session_open = true;
	hook__count(hook, TS_HOOK_SESSIONS);
	return result;
}

hresult session__stop(struct hook *hook)
{
	hresult result;

	if (!hook->session_open)
		return S_OK;
	result = hook->info->table->event_pipe_stop_session(hook->info, hook->session);
	if (!hook__failed(hook, result))
		hook->session_open = false;
	return result;
}

void session__set_live(struct hook *hook)
{
	hook->journal.header->live_ns = journal__now();
	__atomic_store_n(&hook->journal.header->state, TS_HOOK_LIVE, __ATOMIC_RELEASE);
}
