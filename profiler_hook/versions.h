/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * What the runtime keeps about the native code versions of a method, read from
 * its memory without ever trusting it: .NET 8, 9 and 10.
 */
#ifndef TIERSCOPE_HOOK_VERSIONS_H
#define TIERSCOPE_HOOK_VERSIONS_H

#include "hook.h"

struct native_version {
	uint32_t rejit_id;
	uint32_t native_version;
	uint32_t tier;		    /* enum ts_tier */
	uint32_t osr_il_offset;	    /* TS_NO_IL_OFFSET when not OSR */
	uint32_t tier0_frame_bytes; /* of an OSR body, or SHAPE_FRAME_UNKNOWN */
};

/*
 * To be called with any module before the first search.  Only 8 needs it, which keeps
 * the versions of all methods in one place.
 */
void versions__prepare(struct hook *hook, module_id module);

/*
 * The version whose code starts at `start`.  -ENOENT there is no such node, so it
 * is the default version or none of this function; -ENOTSUP another runtime;
 * -EBADMSG memory is not what it should be; -EFAULT it could not be read.
 */
int versions__find(struct hook *hook, function_id function, uint64_t start,
		   struct native_version *ret_version);

/*
 * The same for the body that an event or a callback is telling of: the runtime's
 * structures for it are there.  `version` is what the event tells, 0 where nothing
 * does.  Once a node has been found through the kernel, with the right method and code
 * and that version (or, where nothing tells it, with one and a known tier), the layout
 * is proven for this process, and further ones are found by plain loads: a call of the
 * kernel costs microseconds here, while the runtime maps and unmaps code.
 */
int versions__find_live(struct hook *hook, function_id function, uint64_t start,
			uint32_t version, struct native_version *ret_version);

#endif /* TIERSCOPE_HOOK_VERSIONS_H */
