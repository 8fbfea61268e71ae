/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Keeps the runtime from freeing what a catch-up asks it about.
 *
 * The interface crashes on a method whose load context or dynamic method is taken
 * down under the question.  So each side says what it is about to do before it looks
 * at what the other said, and the thread that unloads waits for the one question that
 * is under way, for tens of microseconds:
 *
 *      catch-up                      thread that reports an unload
 *      asking = function             gone += function
 *      is it gone?  no: ask          asking == function?  wait
 *      asking = 0                    (the runtime frees it)
 *
 * It must not wait longer, for the whole catch-up say: it may be in a mode in which no
 * garbage collection can begin without it, and then all threads of the process stand
 * still.  Nor may it wait for ever, if the question should need what that thread has:
 * after LOOKS_MAX looks it goes on.  From then on the catch-up is careful: it begins no
 * question about a function that can be freed, and forgets what it last learned of one.
 */
#ifndef TIERSCOPE_HOOK_ASKING_H
#define TIERSCOPE_HOOK_ASKING_H

#include "hook.h"

#define ASKING_OF_ALL 1u /* no id is odd: an enumeration of the runtime */

/* Before a catch-up, without a question under way: nothing is gone. */
void asking__reset(struct hook *hook);

/*
 * On the thread of the catch-up, before a question about a function or module; false when
 * it was unloaded since the catch-up began.  If true, asking__end() has to follow.
 */
bool asking__begin(struct hook *hook, uint64_t id);
void asking__end(struct hook *hook);

/* Whether a function or module was unloaded since the catch-up began. */
bool asking__is_gone(const struct hook *hook, uint64_t id);

/* Whether somebody has waited in vain, or more was unloaded than could be noted. */
bool asking__is_careful(const struct hook *hook);

/* On any thread, before an unload is acted on: returns when nobody asks about it. */
void asking__wait_for_function(struct hook *hook, function_id function);
void asking__wait_for_module(struct hook *hook, module_id module);

#endif /* TIERSCOPE_HOOK_ASKING_H */
