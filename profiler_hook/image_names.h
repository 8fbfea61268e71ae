/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Names from the metadata of a module's own bytes, where they lie: no call, no lock, no
 * copy.  The runtime's library reads the same bytes (scope.h) and takes twice
 * as long; it serves for what is not told here: names beyond ASCII, and what was added
 * to a module since.
 */
#ifndef TIERSCOPE_HOOK_IMAGE_NAMES_H
#define TIERSCOPE_HOOK_IMAGE_NAMES_H

#include "hook.h"
#include "name.h"

#include "../metadata/metadata.h"

/*
 * NULL where a module has no bytes that stay, or another profiler may change what they
 * say.  Any thread; it stays as long as the hook.
 */
const struct metadata *image_names__of(struct hook *hook, module_id module);

/*
 * Each appends to `name`, or returns false, having appended nothing that is of use.
 * A TypeDef's or TypeRef's own name; and a TypeDef's with those of the types around it,
 * outer ones first, joined by "+".
 */
bool image_names__append_type(const struct metadata *metadata, metadata_token token,
			      struct name *name);
bool image_names__append_nested(const struct metadata *metadata, metadata_token type,
				struct name *name);

struct image_method {
	const char *name; /* in the module's bytes */
	uint32_t name_size;
	struct cursor signature;
	uint16_t flags;
	uint16_t implementation;
};

/* False: it is not told here. */
bool image_names__method(const struct metadata *metadata, metadata_token method,
			 struct image_method *ret_method);

#endif /* TIERSCOPE_HOOK_IMAGE_NAMES_H */
