/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * For the tests of what is read of a process's code versions: a small memory built by hand,
 * as .NET 10 lays it out, or 8.
 */
#ifndef TIERSCOPE_TESTS_CODE_VERSIONS_FIXTURE_H
#define TIERSCOPE_TESTS_CODE_VERSIONS_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/versions/code_versions.h"

#include <string.h>

#define BASE	 0x7f1200000000UL
#define SIZE	 0x1000u
#define READS_MAX 20000u

/* Where things are. */
#define CHUNK	 (BASE + 0x000)	/* of MethodDescs, with a function each at +24 and +72 */
#define FUNCTION (CHUNK + 24)
#define OTHER	 (CHUNK + 72)	/* an instance of a generic method: in no map */
#define PLAIN	 (CHUNK + 120)	/* without a slot for code */
#define TABLE	 (BASE + 0x100)
#define MODULE	 (BASE + 0x200)
#define IL_MAP	 480u
#define METHODS_8 784u	/* the map to MethodDescs */
#define ENTRIES	 (BASE + 0x500)	/* of the map to MethodDescs */
#define MORE	 (BASE + 0x540)	/* of the second part of the map to IL states */
#define PART	 (BASE + 0x580)
#define IL_STATE (BASE + 0x600)
#define IL_NODE(number) (BASE + 0x640 + 0x40 * (number))
#define DATA	 (BASE + 0x800)
#define STATE	 (BASE + 0x840)
#define NODE(number) (BASE + 0x880 + 0x40 * (number))
#define INLININGS (BASE + 0xa00)
#define SLOTS	 (BASE + 0xa80)
#define HASH_SIZE 7u
#define INLININGS_PLACE (MODULE + (runtime == 8 ? 1344u : 816u))
#define STORE(number) (BASE + 0xb00 + 0x40 * (number))
#define STORE_TYPE 0x7f1500000000UL
#define STORE_OF_MANY (BASE + 0xcc0)
#define MANY	 100u
#define ALLOCATOR 0x7f1400000000UL
#define ASSEMBLY (BASE + 0x4c0)
#define DOMAIN	 (BASE + 0xc00 - 2496) /* what lies before is not read */
#define IL_STATES (BASE + 0xc00)
#define STATES	 (IL_STATES + 24)
#define IL_SLOTS (BASE + 0xc40)
#define STATE_SLOTS (BASE + 0xc80)
#define ROW	 5u
#define TOKEN	 (0x06000000u | ROW)
#define CODE	 0x7f1300000000UL

static struct {
	uint8_t bytes[SIZE];
	uint64_t hole; /* this byte cannot be read */
	bool is_endless; /* its end, and what lies behind, reads as zeros */
	unsigned int reads;
	/* When this is read again it is another one, or this byte then. */
	uint64_t moving, moved;
	uint64_t watched; /* how often is it read? */
	unsigned int watched_reads;
} memory;

static unsigned int runtime = 10;

static inline bool read_memory(void *context, uint64_t address, void *buffer, size_t size)
{
	assert_ptr_equal(context, &memory);
	memory.reads++;
	if (memory.is_endless && address >= BASE + SIZE - size) {
		memset(buffer, 0, size);
		return true;
	}
	if (address < BASE || address - BASE > SIZE || size > SIZE - (address - BASE))
		return false;
	if (memory.hole - address < size)
		return false;
	memcpy(buffer, memory.bytes + (address - BASE), size);
	if (memory.moving && address == memory.moving)
		memory.bytes[(memory.moved ? memory.moved : address) - BASE] += 8;
	memory.watched_reads += memory.watched - address < size;
	return true;
}

static const struct entry_reader reader = { .read = read_memory, .context = &memory };

static inline void put(uint64_t address, uint64_t value, size_t size)
{
	assert_true(address >= BASE && address - BASE + size <= SIZE);
	memcpy(memory.bytes + (address - BASE), &value, size);
}

static inline void put64(uint64_t address, uint64_t value)
{
	put(address, value, 8);
}

static inline void put32(uint64_t address, uint32_t value)
{
	put(address, value, 4);
}

static inline void put_method(uint64_t function, uint16_t flags, uint64_t data)
{
	put(function + 2, (function - CHUNK - 24) / 8, 1);
	put(function + 6, flags, 2);
	put64(function + 8, data);
}

static inline void put_il(unsigned int number, uint32_t rejit_id, uint64_t next, uint32_t state)
{
	put64(IL_NODE(number), MODULE);
	put32(IL_NODE(number) + 8, TOKEN);
	put64(IL_NODE(number) + 16, rejit_id);
	put64(IL_NODE(number) + 24, next);
	put32(IL_NODE(number) + 32, state);
}

static inline void put_node(unsigned int number, uint64_t code, uint32_t rejit_id, uint64_t next,
		     uint32_t tier, uint32_t flags)
{
	put64(NODE(number), code);
	put64(NODE(number) + 8, FUNCTION);
	put64(NODE(number) + 16, rejit_id);
	put64(NODE(number) + 24, next);
	put32(NODE(number) + 32, number + 1);
	put32(NODE(number) + 36, tier);
	put32(NODE(number) + 52, flags);
}

static inline void put_store(unsigned int number, uint64_t key, const uint64_t *values,
		      uint32_t count)
{
	put64(STORE(number), STORE_TYPE);
	put32(STORE(number) + 8, count);
	put64(STORE(number) + 16, key);
	for (uint32_t i = 0; i < count; i++)
		put64(STORE(number) + 24 + 8 * i, values[i]);
}

/* Into a place of the table: how often its key has to look further. */
static inline void put_slot(uint64_t key, unsigned int steps, uint64_t entry)
{
	uint32_t hash = (uint32_t)key;

	put64(SLOTS + 8 * ((hash % HASH_SIZE + (uint64_t)steps * (hash % (HASH_SIZE - 1) + 1)) %
			   HASH_SIZE), entry);
}

/* FUNCTION has two inliners, and room for more, behind that of another method. */
static inline void put_inlinings(void)
{
	const uint64_t inliners[] = { OTHER, PLAIN, 0, 2 }, others[] = { CHUNK };

	put64(MODULE + (runtime == 8 ? 248 : 176), ALLOCATOR);
	put64(INLININGS_PLACE, INLININGS);
	put64(INLININGS, ALLOCATOR);
	put64(INLININGS + 32, SLOTS);
	put32(INLININGS + 40, HASH_SIZE);
	put32(INLININGS + 44, 2);
	put32(INLININGS + 48, 2);
	put32(INLININGS + 52, 5);
	put_store(0, OTHER, others, 1);
	put_store(1, FUNCTION, inliners, 4);
	put_slot(FUNCTION, 0, STORE(0));
	put_slot(FUNCTION, 1, STORE(1));
}

/* The active IL version; 0: the original. */
static inline void put_active(unsigned int number)
{
	put32(IL_STATE, number ? 1 : 2);
	put64(IL_STATE + 8, number ? IL_NODE(number) : MODULE);
}

/*
 *   FUNCTION  IL 0: default, 1 (osr), 2 active;  IL 3: 3 (no code), active there
 *             IL versions 3 (ready) and 4 (requested), 4 is the newest; 0 is active
 */
static inline int build(void **state)
{
	(void)state;
	memset(&memory, 0, sizeof(memory));
	put64(CHUNK, TABLE);
	put64(TABLE + 24, MODULE);
	put_method(FUNCTION, 0x20, DATA);
	put64(FUNCTION + 16, CODE);
	put_method(OTHER, 0x20 | 0x8 | 0x10 | 0x5, DATA + 16); /* an instantiated one */
	put_method(PLAIN, 0, DATA + 16);
	put64(DATA, STATE);
	put64(STATE + 16, NODE(2));
	put_node(2, 0, 3, NODE(1), 0, 1);
	put_node(1, CODE + 0x200, 0, NODE(0), 1, 1);
	put_node(0, CODE + 0x100, 0, 0, 2, 0);

	/* The map to MethodDescs in one part, that to IL states in two. */
	put64(MODULE + IL_MAP - 32 + 8, ENTRIES);
	put32(MODULE + IL_MAP - 32 + 16, ROW + 1);
	put64(ENTRIES + 8 * ROW, FUNCTION | 1);
	put64(MODULE + IL_MAP, PART);
	put32(MODULE + IL_MAP + 16, ROW - 1);
	put64(PART + 8, MORE);
	put32(PART + 16, 4);
	put64(MORE + 8, IL_STATE);

	put64(IL_STATE + 24, IL_NODE(2));
	put64(IL_STATE + 32, MODULE);
	put32(IL_STATE + 40, TOKEN);
	put_il(2, 4, IL_NODE(1), 0x30);
	put_il(1, 3, 0, 2);
	put_active(0);
	put_inlinings();
	return 0;
}

/* In the CodeVersionManager of 8, the key being in its first place, or further on. */
static inline void put_hashed(uint64_t hash, uint64_t slots, uint64_t key, unsigned int steps,
		       uint64_t entry)
{
	uint32_t low = (uint32_t)key;

	put64(hash, slots);
	put32(hash + 8, HASH_SIZE);
	put32(hash + 12, 1);
	put32(hash + 16, 2);
	put32(hash + 20, 5);
	put64(slots + 8 * ((low % HASH_SIZE + (uint64_t)steps * (low % (HASH_SIZE - 1) + 1)) %
			   HASH_SIZE), entry);
}

/* The same tree as .NET 8 lays it out. */
static inline int build_8(void **state)
{
	build(state);
	put64(FUNCTION + 8, CODE);
	put64(FUNCTION + 16, 0);
	put64(MODULE + 296, ASSEMBLY);
	put64(ASSEMBLY, DOMAIN);
	put64(STATE, FUNCTION);
	put_hashed(IL_STATES, IL_SLOTS, MODULE ^ TOKEN, 1, IL_STATE);
	/* In the place before it is another method's. */
	put_hashed(IL_STATES, IL_SLOTS, MODULE ^ TOKEN, 0, IL_NODE(2));
	put_hashed(STATES, STATE_SLOTS, FUNCTION, 2, STATE);
	put_hashed(STATES, STATE_SLOTS, FUNCTION, 1, UINT64_MAX);
	put_hashed(STATES, STATE_SLOTS, FUNCTION, 0, NODE(0));
	/* The map to MethodDescs lies elsewhere. */
	put64(MODULE + METHODS_8 + 8, MORE);
	put32(MODULE + METHODS_8 + 16, ROW + 1);
	put64(MORE + 8, 0);
	put64(MORE + 8 * ROW, FUNCTION);
	/* These lead nowhere on 8. */
	put64(DATA, 0);
	put64(MODULE + IL_MAP, 0);
	put64(MODULE + IL_MAP - 32 + 8, 0);
	put64(ENTRIES + 8 * ROW, 0);
	return 0;
}

static inline int set_up_8(void **state)
{
	runtime = 8;
	return build_8(state);
}

static inline int tear_down_8(void **state)
{
	(void)state;
	runtime = 10;
	return 0;
}

/* Anew, as it was at first. */
static inline void rebuild(void **state)
{
	(void)(runtime == 8 ? build_8(state) : build(state));
}

static inline int read_one(struct code_versions *versions, uint64_t function)
{
	struct code_layout layout = code_layout__of(runtime);

	memory.reads = memory.watched_reads = 0;
	return code_versions__read(versions, &reader, &layout, function, MODULE, TOKEN);
}

#endif /* TIERSCOPE_TESTS_CODE_VERSIONS_FIXTURE_H */
