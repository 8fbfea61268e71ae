/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * A method's signature blob (ECMA-335 II.23.2) as the runtime spells it in its events:
 *
 *   instance class System.String  (!0,unsigned int8&)
 *
 * Hook and loader spell with it, so that a method has one name, however its body was
 * found.  Pure: where the text goes, and what types are called, is the caller's.
 */
#ifndef TIERSCOPE_METADATA_SIGNATURE_H
#define TIERSCOPE_METADATA_SIGNATURE_H

#include "cursor.h"

#include <stddef.h>

struct signature_sink {
	void *context;
	/* False: no more is wanted. */
	bool (*append)(void *context, const char *bytes, size_t size);
	/* Appends namespace and name of a TypeDef or TypeRef. */
	void (*append_type)(void *context, uint32_t token);
	/* The signature of a TypeSpec; NULL: its token goes to append_type as well. */
	struct cursor (*type_spec)(void *context, uint32_t row);
};

/* 0, or -EBADMSG: what could be read until then was appended. */
int signature__spell(struct cursor blob, const struct signature_sink *sink);

#endif /* TIERSCOPE_METADATA_SIGNATURE_H */
