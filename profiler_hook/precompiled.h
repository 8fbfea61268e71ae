/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Functions whose precompiled code is in use, for the loader to join with the bodies
 * that it reads from the images (struct ts_precompiled).
 */
#ifndef TIERSCOPE_HOOK_PRECOMPILED_H
#define TIERSCOPE_HOOK_PRECOMPILED_H

#include "hook.h"

/* The runtime is about to use precompiled code of this function. */
void precompiled__used(struct hook *hook, function_id function);

/* Looks up what has no address yet; when the process ends in good order. */
void precompiled__finish(struct hook *hook);

/* Writes down that `function`'s code starts at, or covers, `address`. */
void precompiled__tell(struct hook *hook, function_id function, uint64_t address);

#endif /* TIERSCOPE_HOOK_PRECOMPILED_H */
