/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Structures of the runtime that the hook reads from inside and the loader from outside
 * (dotnet/runtime v8 to v10, src/coreclr/vm: method.hpp, codeversion.h), found by matching
 * live values.  Both believe them only where what is read proves itself.
 */
#ifndef TIERSCOPE_PUBLICATION_RUNTIME_LAYOUT_H
#define TIERSCOPE_PUBLICATION_RUNTIME_LAYOUT_H

#include <stdint.h>

#define METHOD_CHUNK_HEADER 24u		/* in front of the first method of a chunk */
#define METHOD_IS_ELIGIBLE  0x8000u	/* flags3: can be compiled in tiers */
#define METHOD_HAS_OWN_SLOT 0x8u	/* flags: not one of the method table's */

/* A FunctionID is the address of one. */
struct runtime_method {
	uint16_t flags3;
	uint8_t chunk_index;	/* in units of 8 bytes behind the chunk's header */
	uint8_t entry_point_flags;
	uint16_t slot;
	uint16_t flags;
	uint64_t code;		/* v9, v10: its code data; v8: precode, if it has a slot of its own */
};
_Static_assert(sizeof(struct runtime_method) == 16, "MethodDesc layout");

/* The runtime lays out the methods of a type in chunks. */
static inline uint64_t runtime_method__chunk(const struct runtime_method *method,
					     uint64_t function)
{
	return function - 8u * method->chunk_index - METHOD_CHUNK_HEADER;
}

/* Where .NET 8 (8.0.31) keeps the versioning states of methods, which later ones lead to. */
#define RUNTIME_8_ASSEMBLY  296u	/* of a Module; starts with → application domain */
#define RUNTIME_8_IL_STATES 2496u	/* of the domain: struct runtime_hash */
#define RUNTIME_8_STATES    2520u	/* so too */

/* A native version of a method, but for the default one; newest first. */
struct runtime_native_node {
	uint64_t code;		/* where it begins; 0: it has none (yet) */
	uint64_t method;
	uint64_t rejit_id;	/* of its IL version */
	uint64_t next;
	uint32_t id;
	uint32_t tier;
	uint64_t patchpoints;	/* of the tier-0 body that an OSR body replaces */
	uint32_t il_offset;
	uint32_t flags;
};
_Static_assert(sizeof(struct runtime_native_node) == 56, "native version node layout");

#endif /* TIERSCOPE_PUBLICATION_RUNTIME_LAYOUT_H */
