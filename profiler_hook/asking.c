/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * One word says what is asked about, one table what is gone.
 */
#include "asking.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * Most questions take some 40 us.  Looks are counted and not their time, which also
 * passes while the process is stopped as a whole.
 */
#define LOOK_NS	  20000
#define LOOKS_MAX 300 /* 20 ms or so: the kernel adds to a sleep */

void asking__reset(struct hook *hook)
{
	table__clear(&hook->gone);
	hook->careful = 0;
	__atomic_store_n(&hook->asking, 0, __ATOMIC_RELEASE);
}

bool asking__is_gone(const struct hook *hook, uint64_t id)
{
	return table__find(&hook->gone, id) != 0;
}

bool asking__begin(struct hook *hook, uint64_t id)
{
	__atomic_store_n(&hook->asking, id, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!asking__is_gone(hook, id))
		return true;
	asking__end(hook);
	return false;
}

void asking__end(struct hook *hook)
{
	__atomic_store_n(&hook->asking, 0, __ATOMIC_RELEASE);
}

bool asking__is_careful(const struct hook *hook)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* what was found is in the journal */
	return __atomic_load_n(&hook->careful, __ATOMIC_ACQUIRE);
}

static void be_careful(struct hook *hook)
{
	if (!__atomic_exchange_n(&hook->careful, 1, __ATOMIC_SEQ_CST))
		hook__count(hook, TS_HOOK_RECORD_OVERFLOW);
}

/* Says that it goes; gives what is asked about. */
static uint64_t mark(struct hook *hook, uint64_t id, uint32_t modules)
{
	if (table__insert(&hook->gone, id, 1) == -ENOSPC)
		be_careful(hook);
	__atomic_fetch_add(&hook->gone_modules, modules, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&hook->asking, __ATOMIC_ACQUIRE);
}

/* Should the same be asked about again meanwhile, it waits for that too: no harm. */
static void wait_for(struct hook *hook, uint64_t asked)
{
	const struct timespec look = {0, LOOK_NS};

	/* The runtime can unload something in the course of a question, too. */
	if ((uint32_t)syscall(SYS_gettid) == hook->catch_up_thread)
		return;
	for (int looks = 0; looks < LOOKS_MAX; looks++) {
		if (__atomic_load_n(&hook->asking, __ATOMIC_ACQUIRE) != asked)
			return;
		(void)nanosleep(&look, NULL);
	}
	/* The runtime's own enumerations guard themselves. */
	if (asked != ASKING_OF_ALL)
		be_careful(hook);
}

/*
 * Not for an enumeration: the runtime tells of functions that go with their context while
 * it holds the lock of the code heaps, and its enumerations need that.
 */
void asking__wait_for_function(struct hook *hook, function_id function)
{
	uint64_t asked = mark(hook, function, 0);

	if (asked == function)
		wait_for(hook, asked);
}

/* Whatever is asked about may be of that module. */
void asking__wait_for_module(struct hook *hook, module_id module)
{
	uint64_t asked = mark(hook, module, 1);

	if (asked)
		wait_for(hook, asked);
}
