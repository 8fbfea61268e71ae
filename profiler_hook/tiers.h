/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The tier of default versions, which have no version node: what the runtime would
 * say of them, worked out from its memory.  .NET 9 and 10 only.
 */
#ifndef TIERSCOPE_HOOK_TIERS_H
#define TIERSCOPE_HOOK_TIERS_H

#include "hook.h"

struct tiers {
	struct table switched; /* methods that the JIT took out of tiering */
	bool known;
	bool min_opts; /* the whole process runs unoptimized */
};

/* Reads what is common to all methods.  Any module that cannot be unloaded will do. */
void tiers__load(struct hook *hook, struct tiers *tiers, module_id module);
void tiers__unload(struct tiers *tiers);

/*
 * `implementation`: METHOD_IMPLEMENTATION_*, from the method's metadata.  UNKNOWN where the
 * runtime's memory is not what it should be.
 */
enum ts_tier tiers__of_default(struct hook *hook, const struct tiers *tiers,
			       function_id function, module_id module,
			       uint32_t implementation);

/* To be called when a thread begins to compile; makes the next call cheap. */
void tiers__begin(struct hook *hook, function_id function);

/*
 * The same for a method whose default version was compiled this moment, on the thread
 * that compiled it.
 */
enum ts_tier tiers__of_new(struct hook *hook, function_id function, module_id module,
			   uint32_t implementation);

#endif /* TIERSCOPE_HOOK_TIERS_H */
