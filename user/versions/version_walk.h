/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* One reading of a function's versions: what the files of this folder share. */
#ifndef TIERSCOPE_PUBLICATION_VERSION_WALK_H
#define TIERSCOPE_PUBLICATION_VERSION_WALK_H

#include "code_versions.h"
#include "../../publication/runtime_layout.h"

struct version_walk {
	struct code_versions *versions;
	const struct entry_reader *reader;
	struct code_layout *layout;
	uint64_t function, module;
	uint64_t domain;	/* on 8: the application domain */
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
/*
 * The same on .NET 8 (domain_states.c): the domain of the module, the method's IL versioning
 * state and the function's versioning state; 0: it has none.  -EAGAIN: it changed meanwhile;
 * -ENOTSUP: no state was found so far, so the layout is not proven.
 */
int domain_states__find_domain(struct version_walk *walk);
int domain_states__find_il(const struct version_walk *walk, uint64_t *ret_state);
int domain_states__find(const struct version_walk *walk, uint64_t *ret_state);
/* Into whom the JIT has inlined the method, if it was given another IL. */
int version_walk__read_inliners(const struct version_walk *walk);

#endif /* TIERSCOPE_PUBLICATION_VERSION_WALK_H */
