/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The name of a function that no event names, asked of the runtime and its metadata.
 */
#ifndef TIERSCOPE_HOOK_NAMING_H
#define TIERSCOPE_HOOK_NAMING_H

#include "hook.h"
#include "names.h"
#include "text.h"

#define NAMING_UNITS 8192u

/* Buffers for one name at a time: too large for the stack of a thread that compiles. */
struct naming {
	struct typedef_name known[NAMES_TYPEDEFS];
	uint16_t units[NAMING_UNITS];
	uint8_t signature_blob[4096];
	char type[16384];
	char method[3 * NAMING_UNITS];
	char signature[16384];
	char arguments[8192];
};

/* Whether a function has no metadata: a dynamic method or an IL stub. */
bool naming__is_dynamic(function_id function);

/*
 * Names draft->function_id into the buffers of `naming`.  TS_RECORD_DYNAMIC is set
 * already where it has no metadata.  ret_text points into the buffers; the draft
 * receives token, module, and flags.  `ret_implementation`: METHOD_IMPLEMENTATION_*
 * from the method's metadata.  `held`: the runtime holds the function for the caller,
 * so that it cannot be freed meanwhile.  A call that fails is counted, and its part is empty.
 */
void naming__function(struct hook *hook, struct naming *naming,
		      struct ts_journal_record *draft, bool held, struct text *ret_text,
		      uint32_t *ret_implementation);

/* The module and token alone, where no buffers are to be had. */
void naming__module(struct hook *hook, struct ts_journal_record *draft);

/*
 * One of the hook's own sets of buffers, or NULL when as many threads as there are
 * sets are compiling at this moment.  Nobody waits.
 */
struct naming *naming__take(struct hook *hook);
void naming__give_back(struct hook *hook, struct naming *naming);

#endif /* TIERSCOPE_HOOK_NAMING_H */
