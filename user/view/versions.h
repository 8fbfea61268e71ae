/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The code-version tree, out of a model's bodies:
 *
 *   method (module and token) ─→ IL version (ReJITID) ─→ function (instantiation)
 *                             ─→ native versions
 *
 * An IL version that was asked for can be without bodies.  A dynamic method is a method of its own.  A sampled precompiled body whose function
 * is not known stands alone below its IL version.
 */
#ifndef TIERSCOPE_VIEW_VERSIONS_H
#define TIERSCOPE_VIEW_VERSIONS_H

#include "view.h"

#include "../base/map.h"

struct versions_method {
	uint32_t first, count;	/* of versions.bodies */
	uint64_t samples;	/* with one of them as user-mode leaf */
};

struct versions {
	const struct model *model;
	uint32_t *bodies;		/* in the order of the tree */
	uint32_t bodies_count;
	struct versions_method *methods; /* most samples first */
	uint32_t methods_count, methods_capacity;
	uint64_t *self, *total;		/* as model__tally gives them */
	struct map *patches;		/* (process, function) -> its last patch */
	struct map *reached;		/* body that one of these leads to -> the patch */
	struct map *functions;		/* (process, function) -> a body of it */
	struct map *actives;		/* (process, function) -> its last model_active */
	uint32_t *ils;			/* model_il_versions that no later one replaces, */
	uint32_t ils_count;		/* by process, function, ReJITID */
};

/* Methods with a body whose name has `part` in it, in any case; NULL: all. */
void versions__build(const struct model *model, const char *part,
		     const struct view_options *options, struct versions *ret_versions);
void versions__free(struct versions *versions);

/* Whether two neighbours in the order have the IL version, or the function, in common. */
bool versions__same_il(const struct versions *versions, uint32_t left, uint32_t right);
bool versions__same_function(const struct versions *versions, uint32_t left,
			     uint32_t right);
/* What calls of the body's function reach, as it was seen last; NULL: not known. */
const struct model_patch *versions__entry(const struct versions *versions, uint32_t body);
/* The patch since which calls reach the body; NULL: they do not, or nobody saw it. */
const struct model_patch *versions__reached(const struct versions *versions, uint32_t body);

/* What the runtime prefers for the body's function, as it was found last; NULL: not known. */
const struct model_active *versions__active(const struct versions *versions, uint32_t body);
/* Whether the runtime prefers this body for its function's next call. */
bool versions__is_active(const struct versions *versions, uint32_t body);

/*
 * One level of a method's tree: an IL version, with the places of its bodies, if there are
 * any, and what the runtime says of it, if that is known.
 */
struct versions_il {
	uint32_t first, count;		/* of versions.bodies */
	uint32_t rejit_id;
	bool rejit_unknown;		/* other than 0 */
	enum ts_il_state state;		/* UNKNOWN of the original */
	bool is_active_known, is_active; /* the runtime prefers it */
};

/* All of a method's, oldest first; *ret_ils belongs to the caller. */
uint32_t versions__ils(const struct versions *versions, const struct versions_method *method,
		       struct versions_il **ret_ils);

/*
 * Bodies, one of each function into which the JIT has inlined the method as it was before
 * another IL version became active: such a caller may run the original IL still.  How many;
 * *ret_bodies belongs to the caller.
 */
uint32_t versions__old_inliners(const struct versions *versions,
				const struct versions_method *method, uint32_t **ret_bodies);

#endif /* TIERSCOPE_VIEW_VERSIONS_H */
