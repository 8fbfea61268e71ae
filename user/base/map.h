/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * A hash map from two 64-bit words to one 64-bit word, and a pool of interned
 * strings.  Open addressing.
 */
#ifndef TIERSCOPE_BASE_MAP_H
#define TIERSCOPE_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map;

struct map *map__new(void);
void map__free(struct map *map);
void map__set(struct map *map, uint64_t high, uint64_t low, uint64_t value);
bool map__get(const struct map *map, uint64_t high, uint64_t low,
	      uint64_t *ret_value);
/*
 * The value of a key, or else the given one, which is then set: true.  One search
 * where a get and a set would be two.
 */
bool map__add(struct map *map, uint64_t high, uint64_t low, uint64_t value,
	      uint64_t *ret_value);
bool map__remove(struct map *map, uint64_t high, uint64_t low);
/* Removes what is not to be kept, and gives its memory back. */
void map__filter(struct map *map,
		 bool (*keep)(void *context, uint64_t high, uint64_t low, uint64_t value),
		 void *context);
size_t map__count(const struct map *map);

struct pool;

struct pool *pool__new(void);
void pool__free(struct pool *pool);
/* The number of the string; "" and NULL are 0.  Same bytes, same number. */
uint32_t pool__add(struct pool *pool, const char *string);
uint32_t pool__add_n(struct pool *pool, const char *string, size_t size);
const char *pool__string(const struct pool *pool, uint32_t number);
uint32_t pool__count(const struct pool *pool);	/* numbers in use are below it */
uint32_t pool__used(const struct pool *pool);	/* how many are in use */
/* How many strings were new when they were added, ever. */
uint64_t pool__added(const struct pool *pool);
/*
 * Forgets strings with kept[number] == 0, [pool__count()]: their numbers stand for "" until
 * other strings have them.  Pointers to strings are not good any more.
 */
void pool__sweep(struct pool *pool, const uint8_t *kept);

#endif /* TIERSCOPE_BASE_MAP_H */
