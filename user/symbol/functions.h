/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * A table of functions by address: filled in any order, finished once, then
 * asked by binary search.  Functions may overlap and nest.
 */
#ifndef TIERSCOPE_SYMBOL_FUNCTIONS_H
#define TIERSCOPE_SYMBOL_FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct function {
	uint64_t start;
	uint32_t size;	 /* not 0 */
	uint32_t name;	 /* offset in the file's names, 0: none */
	uint32_t outer;	 /* index: the nearest before it that ends later */
	uint16_t rank;	 /* of names for the same bytes the lowest wins */
	bool until_next; /* its size is a bound: a later start ends it */
};

struct functions {
	struct function *items;
	uint32_t count, capacity;
};

/* Size 0 and what passes the end of the address space are left out. */
void functions__add(struct functions *functions, const struct function *function);

/* `names`: what name offsets refer to, to decide between equal ranks. */
void functions__finish(struct functions *functions, const char *names);

/* The function with the latest start of those that hold the address, or NULL. */
const struct function *functions__find(const struct functions *functions,
				       uint64_t address);

void functions__free(struct functions *functions);

#endif /* TIERSCOPE_SYMBOL_FUNCTIONS_H */
