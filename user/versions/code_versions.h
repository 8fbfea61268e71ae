/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Reads the runtime's own tree of a function's code versions, from outside: which IL
 * versions there are and which native versions, with code or still without, and which of
 * them the runtime would run at the next call (the active one; published is what calls
 * really reach, entry_cell.h).
 *
 *   module ─→ IL versioning state of the method ─→ active IL version
 *                                               └→ IL version nodes: ReJITID, state
 *          └→ inlinings of its methods ─→ functions that the JIT inlined the method into
 *   function ─→ versioning state ─→ native version nodes: code, ReJITID, id, active child
 *
 * On .NET 8 the states lie in two hashes of the application domain.  Whatever is read is
 * hostile: each node has to name its method, walks are bounded, and what contradicts itself
 * is an error.
 */
#ifndef TIERSCOPE_PUBLICATION_CODE_VERSIONS_H
#define TIERSCOPE_PUBLICATION_CODE_VERSIONS_H

#include "../../publication/entry_cell.h"

#define CODE_VERSIONS_MAX 4096u	/* of a function, and IL versions of a method */

struct native_version {
	uint64_t code;		/* where it begins; 0: it has none (yet) */
	uint32_t rejit_id;
	uint32_t id;		/* 0: the default version */
	bool is_osr;
	bool is_active;		/* among those of its IL version */
};

struct il_version {
	uint32_t rejit_id;
	enum ts_il_state state;
};

/* Zeroed at first; used again from function to function, then freed. */
struct code_versions {
	struct native_version *natives;	/* newest first, the default one last */
	struct il_version *ils;		/* newest first, without the original */
	/* Functions into which the JIT has inlined the method, if it was given another IL and
	 * they can be read: MethodDescs, unproven. */
	uint64_t *inliners;
	uint32_t natives_count, natives_capacity, ils_count, ils_capacity;
	uint32_t inliners_count, inliners_capacity;
	bool knows_default_code;	/* else that of the default version is always 0 */
	uint32_t active_rejit_id;	/* 0: the original */
	uint32_t active;		/* of natives; natives_count: it has none as yet */
};

/* How a process's runtime lays out its modules: where what lies in them. */
struct code_layout {
	bool is_known;		/* else nothing can be read */
	bool is_proven;		/* by a function that the runtime's own tables name */
	bool knows_methods;	/* the map of the methods has led to a function */
	uint32_t methods;	/* map to MethodDescs */
	uint32_t il_map;	/* 9, 10 */
	uint32_t inlinings;
	uint32_t allocator;
	uint32_t assembly;	/* 8 */
	uint32_t il_states;	/* 8: a hash, in the assembly's application domain */
	uint32_t states;	/* 8: so too */
};

struct code_layout code_layout__of(unsigned int runtime_major);

/*
 * The versions of the method with that token, ModuleID and FunctionID.  0; -ENOTSUP another
 * runtime, or its layout is not proven as yet; -EFAULT or -EBADMSG it cannot be read, or
 * makes no sense; -EAGAIN it changed meanwhile.
 */
int code_versions__read(struct code_versions *versions, const struct entry_reader *reader,
			struct code_layout *layout, uint64_t function, uint64_t module,
			uint32_t token);
void code_versions__free(struct code_versions *versions);

#endif /* TIERSCOPE_PUBLICATION_CODE_VERSIONS_H */
