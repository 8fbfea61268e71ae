/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * After a late attach: takes in the modules and code bodies that are there.
 */
#ifndef TIERSCOPE_HOOK_CATCH_UP_H
#define TIERSCOPE_HOOK_CATCH_UP_H

#include "hook.h"

/* From before the session is opened: unloads are noted from now on. */
void catch_up__begin(struct hook *hook);

/*
 * Runs on the attach thread, with the session open, and ends the catch-up.  Bodies
 * that events report meanwhile are listed once.
 */
void catch_up__run(struct hook *hook);

/* When it is not run after all. */
void catch_up__end(struct hook *hook);

static inline bool catch_up__is_running(const struct hook *hook)
{
	return __atomic_load_n(&hook->catching_up, __ATOMIC_ACQUIRE);
}

#endif /* TIERSCOPE_HOOK_CATCH_UP_H */
