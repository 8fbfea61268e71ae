/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* One reading of a function's versions: what code_versions.c and inlinings.c share. */
#ifndef TIERSCOPE_PUBLICATION_VERSION_WALK_H
#define TIERSCOPE_PUBLICATION_VERSION_WALK_H

#include "code_versions.h"
#include "../../publication/runtime_layout.h"

struct version_walk {
	struct code_versions *versions;
	const struct entry_reader *reader;
	struct code_layout *layout;
	uint64_t function, module;
	uint32_t token;
	struct runtime_method method;
};

/* All of it, at an address that is a multiple of 8: 0, -EFAULT or -EBADMSG. */
int version_walk__fetch(const struct version_walk *walk, uint64_t address, void *ret_bytes,
			size_t size);
/* What the module has for the token: the method itself, if it is not a generic one's instance. */
int version_walk__find_method(const struct version_walk *walk, uint64_t *ret_method);
/* Its IL versioning state, and where that was found; 0: it has none. */
int version_walk__find_il(const struct version_walk *walk, uint64_t *ret_state,
			  uint64_t *ret_place);
/* The same again, at that place. */
int version_walk__read_entry(const struct version_walk *walk, uint64_t place,
			     uint64_t *ret_entry);
/* Into whom the JIT has inlined the method, if it was given another IL. */
int version_walk__read_inliners(const struct version_walk *walk);

#endif /* TIERSCOPE_PUBLICATION_VERSION_WALK_H */
