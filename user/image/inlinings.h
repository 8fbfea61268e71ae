/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Which methods the compiler of an image has inlined into which: its tables of inlinings,
 * read as a whole.  Who wants to know of a body asks image__each_inliner.
 */
#ifndef TIERSCOPE_IMAGE_INLININGS_H
#define TIERSCOPE_IMAGE_INLININGS_H

#include "r2r.h"

/* Modules are numbers as in modules.h, tokens MethodDefs: generic ones without arguments. */
struct inlining {
	uint32_t module, token;			/* what was inlined */
	uint32_t inliner_module, inliner;	/* into which */
};

struct inlinings {
	struct inlining *items; /* in the order of all four */
	uint32_t count;
};

/* After an error there are none.  0, -EBADMSG, or -EFBIG: too many. */
int inlinings__read(const struct pe *pe, const struct r2r *r2r,
		    struct inlinings *ret_inlinings);
void inlinings__free(struct inlinings *inlinings);
/* The order of methods: below, above or 0, as qsort has it. */
int inlinings__compare_methods(uint32_t module, uint32_t token, uint32_t other_module,
			       uint32_t other_token);
/* The first of the method or, where it has none, of what follows; behind the last: count. */
uint32_t inlinings__first(const struct inlinings *inlinings, uint32_t module,
			  uint32_t token);

#endif /* TIERSCOPE_IMAGE_INLININGS_H */
