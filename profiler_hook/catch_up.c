/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 */
#include "catch_up.h"

void catch_up__note(struct hook *hook, uint64_t start, module_id module)
{
	uint32_t turn = __atomic_fetch_add(&hook->notes_used, 1, __ATOMIC_ACQ_REL);

	if (turn >= HOOK_NOTES_MAX) {
		hook__count(hook, TS_HOOK_RECORD_OVERFLOW);
		return;
	}
	hook->notes[turn].module_id = module;
	__atomic_store_n(&hook->notes[turn].start, start, __ATOMIC_RELEASE);
}

void catch_up__run(struct hook *hook)
{
	(void)hook;
}
