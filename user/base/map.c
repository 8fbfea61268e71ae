// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// A hash map and a string pool, both with open addressing: see map.h.
#include "map.h"

#include "alloc.h"
#include "unused.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SLOTS_MIN  8	       /* a power of two, like every size of a table */
#define BLOCK_SIZE (64u << 10) /* text of a pool is allocated in blocks */

/*
 * Keys come from targets and files.  Without a secret in the hash, either
 * could choose keys that all fall into one slot and make each look-up linear.
 */
static uint64_t hash_seed(void)
{
	static uint64_t seed;

	while (!seed) {
		if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
			seed = (uintptr_t)&seed | 1; /* at least the ASLR's bits */
	}
	return seed;
}

/* One round of multiply and fold: all 128 bits of the product are used. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint32_t fold(uint64_t hash)
{
	uint32_t folded = (uint32_t)(hash ^ (hash >> 32));

	return folded ? folded : 1; /* 0 says that a slot is empty */
}

static uint32_t hash_words(uint64_t high, uint64_t low)
{
	uint64_t seed = hash_seed();
	uint64_t hash = mix(high ^ seed, 0x9e3779b97f4a7c15ULL);

	return fold(mix(hash ^ low ^ (seed >> 7), seed | 1));
}

static uint32_t hash_bytes(const char *data, size_t size)
{
	uint64_t seed = hash_seed();
	uint64_t hash = seed ^ size;
	uint64_t word;

	for (; size >= sizeof(word); data += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		hash = mix(hash ^ word, 0x9e3779b97f4a7c15ULL);
	}
	word = 0;
	memcpy(&word, data, size);
	return fold(mix(hash ^ word, seed | 1));
}

struct entry {
	uint64_t high, low;
	uint64_t value;
	uint32_t hash; /* 0: the slot is empty */
};

struct map {
	struct entry *entries;
	size_t slots;
	size_t count;
};

struct map *map__new(void)
{
	struct map *map = alloc__zeroed(1, sizeof(*map));

	map->slots = SLOTS_MIN;
	map->entries = alloc__zeroed(map->slots, sizeof(*map->entries));
	return map;
}

void map__free(struct map *map)
{
	if (!map)
		return;
	free(map->entries);
	free(map);
}

/* The entry with that key, or the empty slot where it would go. */
static struct entry *find_entry(const struct map *map, uint64_t high, uint64_t low,
				uint32_t hash)
{
	size_t at = hash & (map->slots - 1);

	for (;; at = (at + 1) & (map->slots - 1)) {
		struct entry *entry = &map->entries[at];

		if (!entry->hash)
			return entry;
		if (entry->hash == hash && entry->high == high && entry->low == low)
			return entry;
	}
}

static void grow_map(struct map *map)
{
	struct entry *old = map->entries;
	size_t old_slots = map->slots;

	map->slots *= 2;
	map->entries = alloc__zeroed(map->slots, sizeof(*map->entries));
	for (size_t i = 0; i < old_slots; i++) {
		if (old[i].hash)
			*find_entry(map, old[i].high, old[i].low, old[i].hash) = old[i];
	}
	free(old);
}

/* The entry of that key; *ret_new: it was not there, and its value is still to come. */
static struct entry *make_entry(struct map *map, uint64_t high, uint64_t low,
				bool *ret_new)
{
	uint32_t hash = hash_words(high, low);
	struct entry *entry = find_entry(map, high, low, hash);

	*ret_new = !entry->hash;
	if (entry->hash)
		return entry;
	if ((map->count + 1) * 4 > map->slots * 3) {
		grow_map(map);
		entry = find_entry(map, high, low, hash);
	}
	*entry = (struct entry){
		.high = high,
		.low = low,
		.hash = hash,
	};
	map->count++;
	return entry;
}

void map__set(struct map *map, uint64_t high, uint64_t low, uint64_t value)
{
	bool is_new;

	make_entry(map, high, low, &is_new)->value = value;
}

bool map__add(struct map *map, uint64_t high, uint64_t low, uint64_t value,
	      uint64_t *ret_value)
{
	bool is_new;
	struct entry *entry = make_entry(map, high, low, &is_new);

	if (is_new)
		entry->value = value;
	*ret_value = entry->value;
	return is_new;
}

bool map__get(const struct map *map, uint64_t high, uint64_t low, uint64_t *ret_value)
{
	const struct entry *entry = find_entry(map, high, low, hash_words(high, low));

	if (!entry->hash)
		return false;
	if (ret_value)
		*ret_value = entry->value;
	return true;
}

bool map__remove(struct map *map, uint64_t high, uint64_t low)
{
	struct entry *hole = find_entry(map, high, low, hash_words(high, low));
	size_t mask = map->slots - 1;
	size_t at;

	if (!hole->hash)
		return false;
	/*
	 * Close the gap instead of leaving a tombstone: each entry of the run
	 * behind moves into the hole, unless its own slot lies behind the hole.
	 */
	at = (size_t)(hole - map->entries);
	for (;;) {
		struct entry *entry;
		size_t home, gap = (size_t)(hole - map->entries);

		at = (at + 1) & mask;
		entry = &map->entries[at];
		if (!entry->hash)
			break;
		home = entry->hash & mask;
		if (((at - home) & mask) < ((at - gap) & mask))
			continue;
		*hole = *entry;
		hole = entry;
	}
	hole->hash = 0;
	map->count--;
	return true;
}

void map__filter(struct map *map,
		 bool (*keep)(void *context, uint64_t high, uint64_t low, uint64_t value),
		 void *context)
{
	struct map *kept = map__new();
	struct map old = *map;

	for (size_t i = 0; i < old.slots; i++) {
		const struct entry *entry = &old.entries[i];

		if (entry->hash && keep(context, entry->high, entry->low, entry->value))
			map__set(kept, entry->high, entry->low, entry->value);
	}
	*map = *kept;
	*kept = old;
	map__free(kept);
}

size_t map__count(const struct map *map)
{
	return map->count;
}

struct pooled {
	const char *text; /* NUL-ended, in a block */
	uint32_t size;
	uint32_t hash;
};

struct block {
	struct block *next;
	char text[];
};

struct pool {
	struct pooled *strings;
	uint32_t count;
	uint32_t capacity;
	uint32_t *slots; /* number of a string; 0: empty */
	size_t slots_count;
	struct block *blocks; /* the newest first */
	char *room;	      /* what is left of the block for small strings */
	size_t room_size;
	uint64_t added;	      /* ever */
	struct unused unused; /* numbers that were swept */
};

struct pool *pool__new(void)
{
	struct pool *pool = alloc__zeroed(1, sizeof(*pool));

	pool->slots_count = SLOTS_MIN;
	pool->slots = alloc__zeroed(pool->slots_count, sizeof(*pool->slots));
	alloc__grow(pool->strings, pool->count, pool->capacity);
	pool->strings[pool->count++] = (struct pooled){.text = ""};
	return pool;
}

static void free_blocks(struct block *block)
{
	while (block) {
		struct block *next = block->next;

		free(block);
		block = next;
	}
}

void pool__free(struct pool *pool)
{
	if (!pool)
		return;
	free_blocks(pool->blocks);
	unused__free(&pool->unused);
	free(pool->slots);
	free(pool->strings);
	free(pool);
}

/* Text never moves, so a pointer to a string stays good as the pool grows. */
static char *allocate_text(struct pool *pool, size_t size)
{
	struct block *block;
	char *text;

	if (size > pool->room_size) {
		size_t block_size = size > BLOCK_SIZE / 4 ? size : BLOCK_SIZE;

		block = alloc__zeroed(1, sizeof(*block) + block_size);
		block->next = pool->blocks;
		pool->blocks = block;
		if (block_size != BLOCK_SIZE)
			return block->text;
		pool->room = block->text;
		pool->room_size = block_size;
	}
	text = pool->room;
	pool->room += size;
	pool->room_size -= size;
	return text;
}

static uint32_t *find_slot(const struct pool *pool, const char *string, size_t size,
			   uint32_t hash)
{
	size_t mask = pool->slots_count - 1;

	for (size_t at = hash & mask;; at = (at + 1) & mask) {
		const struct pooled *pooled = &pool->strings[pool->slots[at]];

		if (!pool->slots[at])
			return &pool->slots[at];
		if (pooled->hash == hash && pooled->size == size &&
		    !memcmp(pooled->text, string, size))
			return &pool->slots[at];
	}
}

static void fill_slots(struct pool *pool, size_t slots)
{
	size_t mask = slots - 1;

	free(pool->slots);
	pool->slots_count = slots;
	pool->slots = alloc__zeroed(pool->slots_count, sizeof(*pool->slots));
	for (uint32_t i = 1; i < pool->count; i++) {
		size_t at = pool->strings[i].hash & mask;

		if (!pool->strings[i].size)
			continue;	/* its number is not in use */
		while (pool->slots[at])
			at = (at + 1) & mask;
		pool->slots[at] = i;
	}
}

/* One that was swept, or else the next. */
static uint32_t take_number(struct pool *pool)
{
	uint32_t number;

	if (unused__take(&pool->unused, &number))
		return number;
	alloc__grow(pool->strings, pool->count, pool->capacity);
	return pool->count++;
}

uint32_t pool__add_n(struct pool *pool, const char *string, size_t size)
{
	uint32_t hash, *slot, number;
	char *text;

	/* A string ends at its first NUL, as every reader of it will see it;
	 * numbers and sizes have 32 bits, and no text is near that long. */
	size = string ? strnlen(string, size) : 0;
	if (!size || size >= UINT32_MAX || pool->count == UINT32_MAX)
		return 0;
	hash = hash_bytes(string, size);
	slot = find_slot(pool, string, size, hash);
	if (*slot)
		return *slot;
	if (((size_t)pool->count + 1) * 4 > pool->slots_count * 3) {
		fill_slots(pool, pool->slots_count * 2);
		slot = find_slot(pool, string, size, hash);
	}
	text = allocate_text(pool, size + 1);
	memcpy(text, string, size);
	number = take_number(pool);
	pool->strings[number] = (struct pooled){
		.text = text,
		.size = (uint32_t)size,
		.hash = hash,
	};
	*slot = number;
	pool->added++;
	return number;
}

uint32_t pool__add(struct pool *pool, const char *string)
{
	return pool__add_n(pool, string, string ? strlen(string) : 0);
}

const char *pool__string(const struct pool *pool, uint32_t number)
{
	return number < pool->count ? pool->strings[number].text : "";
}

uint32_t pool__count(const struct pool *pool)
{
	return pool->count;
}

uint32_t pool__used(const struct pool *pool)
{
	return pool->count - pool->unused.count;
}

uint64_t pool__added(const struct pool *pool)
{
	return pool->added;
}

void pool__sweep(struct pool *pool, const uint8_t *kept)
{
	struct block *old = pool->blocks;
	size_t slots = SLOTS_MIN;

	pool->blocks = NULL;
	pool->room_size = 0;
	pool->unused.count = 0;
	for (uint32_t i = 1; i < pool->count; i++) {
		struct pooled *pooled = &pool->strings[i];
		char *text;

		if (!kept[i] || !pooled->size) {
			*pooled = (struct pooled){ .text = "" };
			unused__add(&pool->unused, i);
			continue;
		}
		text = allocate_text(pool, (size_t)pooled->size + 1);
		memcpy(text, pooled->text, pooled->size);
		pooled->text = text;
	}
	free_blocks(old);
	while (((size_t)pool->count + 1) * 4 > slots * 3)
		slots *= 2;
	fill_slots(pool, slots);
}
