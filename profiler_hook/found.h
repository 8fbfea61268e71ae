/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Bodies that a catch-up finds, without an event to say what they are.
 */
#ifndef TIERSCOPE_HOOK_FOUND_H
#define TIERSCOPE_HOOK_FOUND_H

#include "hook.h"
#include "naming.h"
#include "tiers.h"

/* One catch-up's state and buffers: too large for the attach thread's stack. */
struct found {
	struct hook *hook;
	struct tiers tiers;
	struct table seen;	  /* functions that the enumeration gave */
	struct table alive;	  /* method tables that are safe to ask about */
	uint32_t gone_modules;	  /* what hook->gone_modules was for these */
	module_id lasting_module; /* one that cannot be unloaded */
	struct naming naming;
};

/* Takes in the body of `function`, which may be asked about, unless it is known. */
void found__body(struct found *found, function_id function, uint64_t start,
		 uint32_t rejit);

/* Takes in every body in the runtime's code heaps that is not known yet. */
void found__code_heaps(struct found *found);

/*
 * Whether the runtime may be asked about `function`: false when it is, or may be,
 * of a load context that is being taken down.  If true, it is not freed before
 * asking__end(), which has to follow.
 */
bool found__may_ask(struct found *found, function_id function);

/* Whether a function that may not be asked about is there all the same, perhaps. */
bool found__may_be_there(struct found *found, function_id function);

/* Whether it was freed, or may have been, in the course of the question. */
bool found__is_gone(struct found *found, function_id function);

/*
 * Whether `function`, which is alive now, stays so as long as the process: false when
 * it is, or may be, of a collectible load context.
 */
bool found__is_lasting(struct hook *hook, function_id function);

/* Whether code that starts there was compiled in this process: see found_code.c. */
bool found__is_jitted(function_id function, uint64_t start);

#endif /* TIERSCOPE_HOOK_FOUND_H */
