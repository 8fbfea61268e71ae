/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * A lock-free hash table from addresses to small numbers, of fixed size.  A key
 * lies in one of TABLE_WINDOW slots, so no call takes longer than that.
 */
#ifndef TIERSCOPE_HOOK_TABLE_H
#define TIERSCOPE_HOOK_TABLE_H

#include <stdint.h>

#define TABLE_WINDOW 64u

struct table {
	uint64_t *keys;	  /* 0 empty, TABLE_GONE removed */
	uint32_t *values; /* 0 while its key is being put in or taken out */
	uint32_t mask;
};

/* For at least `capacity` keys at half load.  -ENOMEM. */
int table__create(struct table *table, uint32_t capacity);
void table__destroy(struct table *table);

/* Takes all out, while nobody depends on what is in it. */
void table__clear(struct table *table);

/* The value, or 0 when there is none. */
uint32_t table__find(const struct table *table, uint64_t key);

/*
 * 0, -EEXIST, or -ENOSPC when the window is full.  `value` is not 0.  Two
 * threads that put in one key while a third takes out another one nearby can
 * both succeed; the worst effect is one entry that is found no more.
 */
int table__insert(struct table *table, uint64_t key, uint32_t value);

/* Takes `key` out if it has that value. */
void table__remove(struct table *table, uint64_t key, uint32_t value);

/* Gives `key` another value, not 0, if it has that one. */
void table__replace(struct table *table, uint64_t key, uint32_t value,
		    uint32_t replacement);

#endif /* TIERSCOPE_HOOK_TABLE_H */
