/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Spells a method's signature blob (ECMA-335 II.23.2) as the runtime does in its
 * events: "instance class System.String  (!0,unsigned int8&)".  Pure but for the
 * types, whose names the caller supplies; every read is bounded.
 */
#ifndef TIERSCOPE_HOOK_SIGNATURE_H
#define TIERSCOPE_HOOK_SIGNATURE_H

#include "name.h"

#include <stddef.h>
#include <stdint.h>

/* Appends namespace and name of a TypeDef or TypeRef. */
typedef void (*signature_type)(void *context, uint32_t token, struct name *name);

/* 0, or -EBADMSG: what could be read is in `name`, the rest is not. */
int signature__append(const uint8_t *blob, size_t size, signature_type append_type,
		      void *context, struct name *name);

#endif /* TIERSCOPE_HOOK_SIGNATURE_H */
