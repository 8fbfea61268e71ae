// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Entry cells over a small memory built by hand: MethodDescs, chunks, method tables and
// stubs as .NET 8 to 10 lay them out, then the same with every byte of it damaged.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../publication/entry_cell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* What is mapped; nothing else can be read. */
#define LOW			0x1000UL		/* one stub */
#define TYPES			0x7f1200000000UL	/* types and methods */
#define BELOW			0x7f12fffff000UL	/* words below their stubs */
#define CODE			0x7f1300000000UL	/* stubs */
#define TO_WORDS		0x4000u			/* from a stub to its words */
#define PLAIN			0x7f1400000000UL	/* no stubs: the prestub */
#define STUB_SIZE		24u
#define STUBS			24u
#define REGION_SIZE		0x400u

/* No cell needs more: a function's slot, the way from it, a search in its chunk. */
#define READS_MAX		100u

/* .NET 9, 10: one method table; its chunks of slots do not follow each other. */
#define TABLE			TYPES
#define SLOTS_OF		12u
#define SLOTS_8			(TYPES + 0x80)
#define SLOTS_0			(TYPES + 0xd0)
#define CHUNK			(TYPES + 0x140)
#define IN_CHUNK(chunk, index)	((chunk) + 24 + 8UL * (index))
#define ORDINARY		IN_CHUNK(CHUNK, 0)
#define STUBBED			IN_CHUNK(CHUNK, 2)	/* with a StubPrecode */
#define VIRTUAL3		IN_CHUNK(CHUNK, 4)	/* in slot 3 */
#define VIRTUAL11		IN_CHUNK(CHUNK, 7)	/* in slot 11 */
#define BOXED			IN_CHUNK(CHUNK, 9)	/* slot 5: the unboxing stub's */
#define UNBOXING		IN_CHUNK(CHUNK, 11)	/* the unboxing stub */
#define CODE_DATA(number)	(TYPES + 0x1c0 + 16 * (number))
#define SLOT3			(SLOTS_0 + 24)
#define SLOT5			(SLOTS_0 + 40)
#define SLOT11			(SLOTS_8 + 24)

/* .NET 8: two chunks of one type without virtual methods. */
#define OLD_TABLE		(TYPES + 0x230)
#define OLD_CHUNK		(TYPES + 0x288)
#define OLD_FIRST		IN_CHUNK(OLD_CHUNK, 0)
#define OLD_SECOND		IN_CHUNK(OLD_CHUNK, 1)
#define OLD_THIRD		IN_CHUNK(OLD_CHUNK, 4)
#define OLD_FOURTH		IN_CHUNK(OLD_CHUNK, 9)
#define OLD_LAST		IN_CHUNK(OLD_CHUNK, 11)
#define OWN_CHUNK		(TYPES + 0x320)
#define OLD_OWN			IN_CHUNK(OWN_CHUNK, 3)	/* with a slot of its own */
#define TYPES_SIZE		0x368u

#define OWN_SLOT		0x8u

/* Stubs by their number; the array of OLD_CHUNK is the last one. */
enum {
	OF_ORDINARY,
	OF_STUBBED,
	OF_VIRTUAL3,
	TO_VIRTUAL3, /* a forwarder: another precode of the same function */
	OF_VIRTUAL11,
	TO_VIRTUAL11,
	OF_BOXED,
	OF_UNBOXING,
	OF_OLD_OWN,
	COUNTING,
	COUNTING_MORE,
	OF_OLD_CHUNK,
	BEHIND_OLD_CHUNK = OF_OLD_CHUNK + 5,
};

static uint64_t stub_at(unsigned int number)
{
	return CODE + STUB_SIZE * number;
}

/* The words of a stub: their order is the stub's. */
static uint64_t word_at(unsigned int number, unsigned int word)
{
	return stub_at(number) + TO_WORDS + 8 * word;
}

/* Each function has two bodies, which no other function has. */
static uint64_t body_of(uint64_t function, unsigned int which)
{
	return 0x7f1500000000 + 0x10000 * which + (function - TYPES);
}

static const uint64_t functions[] = {
	ORDINARY,  STUBBED,    VIRTUAL3,  VIRTUAL11,  BOXED,	UNBOXING,
	OLD_FIRST, OLD_SECOND, OLD_THIRD, OLD_FOURTH, OLD_LAST, OLD_OWN,
};
static const uint64_t old_methods[] = { OLD_FIRST, OLD_SECOND, OLD_THIRD, OLD_FOURTH,
					OLD_LAST };

struct region {
	uint64_t address;
	size_t size;
	uint8_t bytes[REGION_SIZE];
};

struct memory {
	struct region regions[6];
	uint64_t hole; /* this byte cannot be read */
	unsigned int reads;
};

static struct memory memory;

static uint8_t *bytes_at(uint64_t address, size_t size)
{
	for (size_t i = 0; i < COUNT_OF(memory.regions); i++) {
		struct region *region = &memory.regions[i];
		uint64_t offset = address - region->address;

		if (address >= region->address && offset <= region->size &&
		    size <= region->size - offset)
			return region->bytes + offset;
	}
	return NULL;
}

/* At a hole the bytes arrive all the same: who takes them unasked finds what he wants. */
static bool read_memory(void *context, uint64_t address, void *buffer, size_t size)
{
	const uint8_t *bytes = bytes_at(address, size);

	assert_ptr_equal(context, &memory);
	memory.reads++;
	if (bytes)
		memcpy(buffer, bytes, size);
	else
		memset(buffer, 0xa5, size);
	return bytes && memory.hole - address >= size;
}

static bool is_body(void *context, uint64_t function, uint64_t address)
{
	assert_ptr_equal(context, &memory);
	for (size_t i = 0; i < COUNT_OF(functions); i++)
		if (functions[i] == function)
			return address == body_of(function, 0) ||
			       address == body_of(function, 1);
	return false;
}

/* Stubs that count calls, and forwarders, are not the function's own. */
static bool read_own(void *context, uint64_t address, void *buffer, size_t size)
{
	static const unsigned int others[] = { COUNTING, COUNTING_MORE, TO_VIRTUAL3,
					       TO_VIRTUAL11 };

	for (size_t i = 0; i < COUNT_OF(others); i++) {
		const uint64_t stub = stub_at(others[i]);

		assert_false(address < stub + STUB_SIZE && address + size > stub);
		assert_false(address < stub + TO_WORDS + STUB_SIZE &&
			     address + size > stub + TO_WORDS);
	}
	return read_memory(context, address, buffer, size);
}

static const struct entry_reader reader = { read_memory, read_memory, is_body, &memory };

static void put(uint64_t address, const void *bytes, size_t size)
{
	uint8_t *place = bytes_at(address, size);

	assert_non_null(place);
	memcpy(place, bytes, size);
}

static void put16(uint64_t address, uint16_t value)
{
	put(address, &value, sizeof(value));
}

static void put64(uint64_t address, uint64_t value)
{
	put(address, &value, sizeof(value));
}

static void put_displacement(uint64_t address, uint64_t from, uint64_t to)
{
	uint32_t displacement = (uint32_t)(to - from);

	put(address, &displacement, sizeof(displacement));
}

static uint64_t get64(uint64_t address)
{
	const uint8_t *place = bytes_at(address, 8);
	uint64_t value;

	assert_non_null(place);
	memcpy(&value, place, sizeof(value));
	return value;
}

/* jmp [target]; mov r10, [method]; jmp [prestub].  Words: target, method, prestub. */
static void put_fixup(unsigned int number, uint64_t function, uint64_t target)
{
	static const uint8_t code[STUB_SIZE] = { 0xff, 0x25, 0xfa, 0x3f, 0x00, 0x00,
						 0x4c, 0x8b, 0x15, 0xfb, 0x3f, 0x00,
						 0x00, 0xff, 0x25, 0xfd, 0x3f, 0x00,
						 0x00, 0x90, 0x66, 0x0f, 0x1f, 0x44 };

	put(stub_at(number), code, sizeof(code));
	put64(word_at(number, 0), target);
	put64(word_at(number, 1), function);
	put64(word_at(number, 2), PLAIN);
}

/* mov r10, [method]; jmp [target].  Words: method, target. */
static void put_precode(unsigned int number, uint64_t function, uint64_t target)
{
	static const uint8_t code[STUB_SIZE] = { 0x4c, 0x8b, 0x15, 0xf9, 0x3f, 0x00,
						 0x00, 0xff, 0x25, 0xfb, 0x3f, 0x00,
						 0x00, 0x90, 0x90, 0x90, 0x90, 0x90,
						 0x90, 0x90, 0x90, 0x90, 0x90, 0x90 };

	put(stub_at(number), code, sizeof(code));
	put64(word_at(number, 0), function);
	put64(word_at(number, 1), target);
	put64(word_at(number, 2), 0x4c);
}

/*
 * mov rax, [count]; dec word [rax]; je past; jmp [target]; past: jmp [threshold].  Words:
 * count, target, threshold.
 */
static void put_counting(unsigned int number, uint64_t target)
{
	static const uint8_t code[STUB_SIZE] = { 0x48, 0x8b, 0x05, 0xf9, 0x3f, 0x00,
						 0x00, 0x66, 0xff, 0x08, 0x74, 0x06,
						 0xff, 0x25, 0xf6, 0x3f, 0x00, 0x00,
						 0xff, 0x25, 0xf8, 0x3f, 0x00, 0x00 };

	put(stub_at(number), code, sizeof(code));
	put64(word_at(number, 0), PLAIN + 0x30);
	put64(word_at(number, 1), target);
	put64(word_at(number, 2), PLAIN);
}

static void put_method(uint64_t chunk, uint64_t function, uint16_t slot, uint16_t flags)
{
	const uint8_t index = (uint8_t)((function - chunk - 24) / 8);
	const uint8_t head[] = { 0x34, 0x12, index, 0x5a };

	put(function, head, sizeof(head));
	put16(function + 4, slot);
	put16(function + 6, flags);
}

static void put_code_data(unsigned int number, uint64_t function, unsigned int stub)
{
	put64(function + 8, CODE_DATA(number));
	put64(CODE_DATA(number), PLAIN + 0x38);
	put64(CODE_DATA(number) + 8, stub_at(stub));
}

static void build_new_type(void)
{
	put16(TABLE + 12, SLOTS_OF);
	put64(TABLE + 64, SLOTS_0);
	put64(TABLE + 72, SLOTS_8);
	put64(CHUNK, TABLE);

	/* Its slot is of no table, whatever the number. */
	put_method(CHUNK, ORDINARY, 14, OWN_SLOT | 0x20);
	put_code_data(0, ORDINARY, OF_ORDINARY);
	put_fixup(OF_ORDINARY, ORDINARY, stub_at(COUNTING));
	put_counting(COUNTING, body_of(ORDINARY, 0));

	put_method(CHUNK, STUBBED, 15, OWN_SLOT | 0x7);
	put_code_data(1, STUBBED, OF_STUBBED);
	put_precode(OF_STUBBED, STUBBED, body_of(STUBBED, 0));

	put_method(CHUNK, VIRTUAL3, 3, 0x5);
	put_code_data(2, VIRTUAL3, OF_VIRTUAL3);
	put_fixup(OF_VIRTUAL3, VIRTUAL3, stub_at(OF_VIRTUAL3) + 6);
	put_fixup(TO_VIRTUAL3, VIRTUAL3, body_of(VIRTUAL3, 0));
	put64(SLOT3, stub_at(OF_VIRTUAL3));

	put_method(CHUNK, VIRTUAL11, 11, 0);
	put_code_data(3, VIRTUAL11, OF_VIRTUAL11);
	put_fixup(OF_VIRTUAL11, VIRTUAL11, stub_at(OF_VIRTUAL11) + 6);
	put_fixup(TO_VIRTUAL11, VIRTUAL11, stub_at(COUNTING_MORE));
	put_counting(COUNTING_MORE, body_of(VIRTUAL11, 1));
	put64(SLOT11, stub_at(TO_VIRTUAL11));

	put_method(CHUNK, BOXED, 5, 0);
	put_code_data(4, BOXED, OF_BOXED);
	put_fixup(OF_BOXED, BOXED, body_of(BOXED, 0));
	put_method(CHUNK, UNBOXING, 5, 0);
	put_code_data(5, UNBOXING, OF_UNBOXING);
	put_fixup(OF_UNBOXING, UNBOXING, stub_at(OF_UNBOXING) + 6);
	put64(SLOT5, stub_at(OF_UNBOXING));
}

static void build_old_type(void)
{
	/* Methods of one to five words: the index is not the number of the precode. */
	static const uint8_t size_and_count[] = { 12, COUNT_OF(old_methods) - 1 };

	put64(OLD_CHUNK - 8, stub_at(OF_OLD_CHUNK));
	put64(OLD_CHUNK, OLD_TABLE);
	put(OLD_CHUNK + 16, size_and_count, sizeof(size_and_count));
	for (unsigned int i = 0; i < COUNT_OF(old_methods); i++) {
		put_method(OLD_CHUNK, old_methods[i], (uint16_t)i, 0);
		put_fixup(OF_OLD_CHUNK + i, old_methods[i], body_of(old_methods[i], 0));
	}
	/* A large method has its own slot farther behind. */
	put16(OLD_LAST + 6, OWN_SLOT | 0x5);

	put64(OWN_CHUNK, OLD_TABLE);
	put_method(OWN_CHUNK, OLD_OWN, 9, OWN_SLOT);
	put64(OLD_OWN + 8, stub_at(OF_OLD_OWN));
	put_fixup(OF_OLD_OWN, OLD_OWN, body_of(OLD_OWN, 0));
}

static int build(void **state)
{
	static const struct region regions[] = {
		{ LOW, STUB_SIZE, { 0 } },
		{ TYPES, TYPES_SIZE, { 0 } },
		{ BELOW, 3 * STUB_SIZE, { 0 } },
		{ CODE, STUBS * STUB_SIZE, { 0 } },
		{ CODE + TO_WORDS, STUBS * STUB_SIZE, { 0 } },
		{ PLAIN, 0x40, { 0x55, 0x48, 0x89, 0xe5, 0x41, 0x57, 0x41, 0x56 } },
	};

	(void)state;
	memset(&memory, 0, sizeof(memory));
	memcpy(memory.regions, regions, sizeof(regions));
	build_new_type();
	build_old_type();
	return 0;
}

static uint64_t expect_cell(uint64_t function, enum ts_cell_kind kind, uint64_t address)
{
	struct entry_cell cell;
	struct entry_state state;
	int error = entry_cell__find(&reader, function, &cell, &state);

	if (error)
		fail_msg("function %#lx: error %d", function - TYPES, error);
	if (cell.kind != kind || cell.address != address)
		fail_msg("function %#lx: cell %#lx of kind %d", function - TYPES,
			 cell.address, cell.kind);
	return address;
}

static void expect_none(uint64_t function)
{
	struct entry_cell cell;
	struct entry_state state;
	int error = entry_cell__find(&reader, function, &cell, &state);

	if (error != -ENOENT)
		fail_msg("function %#lx: %d, not -ENOENT", function - TYPES, error);
}

/* What the function's cell, of any kind, leads to. */
static void expect_state(uint64_t function, enum ts_target target, uint64_t body)
{
	struct entry_cell cell;
	struct entry_state found, state;

	assert_int_equal(entry_cell__find(&reader, function, &cell, &found), 0);
	assert_int_equal(entry_cell__read(&reader, function, &cell, &state), 0);
	assert_int_equal(found.word, state.word);
	assert_int_equal(found.target, state.target);
	assert_int_equal(found.body, state.body);
	assert_int_equal(state.word, get64(cell.address));
	if (state.target != target || state.body != body)
		fail_msg("function %#lx: target %d, body %#lx", function - TYPES,
			 state.target, state.body);
}

/* A word leads nowhere that can be told, and no body is told with it. */
static void expect_unknown(uint64_t function, uint64_t word)
{
	struct entry_state state;

	memory.reads = 0;
	state = entry_cell__decode(&reader, function, word);
	assert_int_equal(state.word, word);
	/* Given up soon, also in a circle. */
	assert_in_range(memory.reads, 0, READS_MAX);
	if (state.target != TS_TARGET_UNKNOWN || state.body)
		fail_msg("function %#lx, word %#lx: target %d, body %#lx",
			 function - TYPES, word, state.target, state.body);
}

static void expect_bodies(uint64_t function, uint64_t cell)
{
	for (unsigned int which = 0; which < 2; which++) {
		const uint64_t body = body_of(function, which);

		put64(cell, body);
		expect_cell(function, TS_CELL_PRECODE, cell);
		expect_state(function, TS_TARGET_BODY, body);
		put64(cell, stub_at(COUNTING));
		put_counting(COUNTING, body);
		expect_cell(function, TS_CELL_PRECODE, cell);
		expect_state(function, TS_TARGET_CALL_COUNTING, body);
	}
}

/* The target of a precode, whatever code it is set to. */
static void expect_precode(uint64_t function, uint64_t cell)
{
	expect_cell(function, TS_CELL_PRECODE, cell);
	expect_bodies(function, cell);
	/* The cell stays the cell, also where it leads to what nobody knows. */
	put64(cell, PLAIN);
	expect_cell(function, TS_CELL_PRECODE, cell);
	expect_state(function, TS_TARGET_UNKNOWN, 0);
	put64(cell, 0);
	expect_state(function, TS_TARGET_UNKNOWN, 0);
}

static void an_ordinary_method_is_told_by_the_precode_of_its_code_data(void **state)
{
	(void)state;
	expect_state(ORDINARY, TS_TARGET_CALL_COUNTING, body_of(ORDINARY, 0));
	expect_precode(ORDINARY, word_at(OF_ORDINARY, 0));
}

/* Its words are the other way round than those of the usual precode. */
static void a_stub_precode_is_a_precode_too(void **state)
{
	(void)state;
	expect_state(STUBBED, TS_TARGET_BODY, body_of(STUBBED, 0));
	expect_precode(STUBBED, word_at(OF_STUBBED, 1));
}

/* The target is then the second instruction of the precode: the cell holds that. */
static void a_precode_that_jumps_to_its_next_instruction_tells_the_prestub(void **state)
{
	(void)state;
	put64(word_at(OF_ORDINARY, 0), stub_at(OF_ORDINARY) + 6);
	expect_state(ORDINARY, TS_TARGET_PRESTUB, 0);
	put64(word_at(OF_OLD_OWN, 0), stub_at(OF_OLD_OWN) + 6);
	expect_state(OLD_OWN, TS_TARGET_PRESTUB, 0);
	for (unsigned int i = 0; i < COUNT_OF(old_methods); i++) {
		put64(word_at(OF_OLD_CHUNK + i, 0), stub_at(OF_OLD_CHUNK + i) + 6);
		expect_state(old_methods[i], TS_TARGET_PRESTUB, 0);
	}
}

static void only_the_second_instruction_of_the_own_precode_is_the_prestub(void **state)
{
	const uint64_t cell = expect_cell(ORDINARY, TS_CELL_PRECODE,
					  word_at(OF_ORDINARY, 0));

	(void)state;
	for (unsigned int at = 1; at < STUB_SIZE; at++) {
		if (at == 6)
			continue;
		put64(cell, stub_at(OF_ORDINARY) + at);
		expect_state(ORDINARY, TS_TARGET_UNKNOWN, 0);
		put64(SLOT3, stub_at(OF_VIRTUAL3));
		put64(word_at(OF_VIRTUAL3, 0), stub_at(OF_VIRTUAL3) + at);
		expect_unknown(VIRTUAL3, stub_at(OF_VIRTUAL3));
	}
	/* That of another function, and of a precode that has no such instruction. */
	put64(cell, stub_at(OF_VIRTUAL3) + 6);
	expect_state(ORDINARY, TS_TARGET_UNKNOWN, 0);
	put64(word_at(OF_STUBBED, 1), stub_at(OF_STUBBED) + 6);
	expect_state(STUBBED, TS_TARGET_UNKNOWN, 0);
}

static void expect_slot(uint64_t function, uint64_t slot, unsigned int own,
			unsigned int forwarder)
{
	const uint64_t counted = body_of(function, 1);

	/* Nothing compiled: the method's own precode. */
	put64(slot, stub_at(own));
	put64(word_at(own, 0), stub_at(own) + 6);
	expect_cell(function, TS_CELL_SLOT, slot);
	expect_state(function, TS_TARGET_PRESTUB, 0);
	/* The slot leads past the precode, which stays as it was. */
	for (unsigned int which = 0; which < 2; which++) {
		put64(slot, body_of(function, which));
		expect_cell(function, TS_CELL_SLOT, slot);
		expect_state(function, TS_TARGET_BODY, body_of(function, which));
	}
	put64(slot, stub_at(forwarder));
	put_fixup(forwarder, function, stub_at(COUNTING));
	put_counting(COUNTING, counted);
	expect_cell(function, TS_CELL_SLOT, slot);
	expect_state(function, TS_TARGET_CALL_COUNTING, counted);
	put64(word_at(forwarder, 0), body_of(function, 0));
	expect_state(function, TS_TARGET_BODY, body_of(function, 0));
	put64(word_at(forwarder, 0), stub_at(forwarder) + 6);
	expect_state(function, TS_TARGET_PRESTUB, 0);
	/* One forwarder may lead to the other, and that on: no way is longer. */
	put64(word_at(forwarder, 0), stub_at(own));
	expect_state(function, TS_TARGET_PRESTUB, 0);
	put64(word_at(own, 0), stub_at(COUNTING));
	expect_cell(function, TS_CELL_SLOT, slot);
	expect_state(function, TS_TARGET_CALL_COUNTING, counted);
}

static void a_virtual_method_is_told_by_its_slot(void **state)
{
	(void)state;
	expect_slot(VIRTUAL3, SLOT3, OF_VIRTUAL3, TO_VIRTUAL3);
}

static void a_slot_may_be_in_the_second_chunk_of_slots(void **state)
{
	(void)state;
	expect_slot(VIRTUAL11, SLOT11, OF_VIRTUAL11, TO_VIRTUAL11);
}

/* Behind the virtual ones the table holds other things. */
static void a_table_has_no_more_slots_than_it_says(void **state)
{
	(void)state;
	expect_cell(VIRTUAL11, TS_CELL_SLOT, SLOT11);
	put16(TABLE + 12, 11);
	expect_cell(VIRTUAL11, TS_CELL_PRECODE, word_at(OF_VIRTUAL11, 0));
	expect_cell(VIRTUAL3, TS_CELL_SLOT, SLOT3);
	/* More than 255 are counted, too. */
	put16(TABLE + 12, 0x100);
	expect_cell(VIRTUAL11, TS_CELL_SLOT, SLOT11);
}

static void a_method_with_its_own_slot_is_not_sought_in_the_table(void **state)
{
	(void)state;
	put16(ORDINARY + 4, 3);
	put64(SLOT3, stub_at(OF_ORDINARY));
	expect_cell(ORDINARY, TS_CELL_PRECODE, word_at(OF_ORDINARY, 0));
}

static void a_slot_with_code_of_another_method_is_left_for_the_own_precode(void **state)
{
	(void)state;
	expect_state(BOXED, TS_TARGET_BODY, body_of(BOXED, 0));
	expect_bodies(BOXED, word_at(OF_BOXED, 0));
	/* Compiled as well, and also where it leads to a body of the function. */
	put64(SLOT5, body_of(UNBOXING, 0));
	expect_bodies(BOXED, word_at(OF_BOXED, 0));
	put64(SLOT5, stub_at(OF_UNBOXING));
	put64(word_at(OF_UNBOXING, 0), body_of(BOXED, 0));
	expect_cell(BOXED, TS_CELL_PRECODE, word_at(OF_BOXED, 0));
	/* The method whose code it is may tell it. */
	put64(word_at(OF_UNBOXING, 0), body_of(UNBOXING, 0));
	expect_cell(UNBOXING, TS_CELL_SLOT, SLOT5);
}

/* It may be a body that nobody knows: calls do not pass the precode then. */
static void a_slot_with_other_code_leaves_no_precode_that_leads_to_no_body(void **state)
{
	const uint64_t others[] = { 0, PLAIN, body_of(UNBOXING, 0), stub_at(OF_UNBOXING),
				    stub_at(TO_VIRTUAL3) + 8 };
	const uint64_t targets[] = { 0, PLAIN, stub_at(OF_VIRTUAL3) + 6,
				     stub_at(OF_UNBOXING), body_of(UNBOXING, 0) };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		put64(SLOT3, others[i]);
		for (size_t j = 0; j < COUNT_OF(targets); j++) {
			put64(word_at(OF_VIRTUAL3, 0), targets[j]);
			expect_none(VIRTUAL3);
		}
		put64(word_at(OF_VIRTUAL3, 0), body_of(VIRTUAL3, 0));
		expect_bodies(VIRTUAL3, word_at(OF_VIRTUAL3, 0));
	}
}

static void an_old_method_with_its_own_slot_has_its_precode_there(void **state)
{
	(void)state;
	expect_state(OLD_OWN, TS_TARGET_BODY, body_of(OLD_OWN, 0));
	expect_precode(OLD_OWN, word_at(OF_OLD_OWN, 0));
}

static void expect_old_methods(void)
{
	for (unsigned int i = 0; i < COUNT_OF(old_methods); i++)
		expect_cell(old_methods[i], TS_CELL_PRECODE,
			    word_at(OF_OLD_CHUNK + i, 0));
}

static void old_methods_of_any_size_are_found_in_the_array_of_their_chunk(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < COUNT_OF(old_methods); i++)
		expect_precode(old_methods[i], word_at(OF_OLD_CHUNK + i, 0));
}

/* The chunk's index does not say where the array ends: what follows must not matter. */
static void what_follows_the_array_of_a_chunk_does_not_matter(void **state)
{
	(void)state;
	/* No stubs. */
	expect_old_methods();
	/* Stubs of a chunk at higher addresses. */
	for (unsigned int i = BEHIND_OLD_CHUNK; i < STUBS; i++)
		put_fixup(i, OWN_CHUNK + 8 * i, PLAIN);
	expect_old_methods();
	/* Stubs that tell no method. */
	for (unsigned int i = BEHIND_OLD_CHUNK; i < STUBS; i++)
		put_displacement(stub_at(i) + 9, 0, 0x7000000);
	expect_old_methods();
	/* Nothing. */
	memory.regions[3].size = BEHIND_OLD_CHUNK * STUB_SIZE;
	expect_old_methods();
}

/* Chunks get their precodes when their types are loaded, not as they lie in memory. */
static void precodes_of_a_chunk_before_it_may_follow_the_array(void **state)
{
	(void)state;
	for (unsigned int i = BEHIND_OLD_CHUNK; i < STUBS; i++)
		put_fixup(i, CHUNK + 8 * i, PLAIN);
	expect_old_methods();
}

/* Without that, a word which once was a precode would tell of another function. */
static void a_precode_that_points_to_another_function_is_never_believed(void **state)
{
	static const struct {
		uint64_t function;
		unsigned int stub, method;
	} precodes[] = {
		{ ORDINARY, OF_ORDINARY, 1 },
		{ STUBBED, OF_STUBBED, 0 },
		{ OLD_OWN, OF_OLD_OWN, 1 },
		{ OLD_FIRST, OF_OLD_CHUNK, 1 },
		{ OLD_THIRD, OF_OLD_CHUNK + 2, 1 },
		{ OLD_LAST, OF_OLD_CHUNK + 4, 1 },
		{ BOXED, OF_BOXED, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(precodes); i++) {
		const uint64_t function = precodes[i].function;
		const uint64_t told[] = { 0, function - 8, function + 8, UNBOXING,
					  ~0UL };

		for (size_t j = 0; j < COUNT_OF(told); j++) {
			build(NULL);
			put64(word_at(precodes[i].stub, precodes[i].method), told[j]);
			expect_none(function);
			/* Nor on the way, though a body of the function is behind it. */
			expect_unknown(function, stub_at(precodes[i].stub));
		}
	}
	build(NULL);
	put64(word_at(OF_VIRTUAL11, 0), body_of(VIRTUAL11, 0));
	put64(word_at(TO_VIRTUAL11, 1), VIRTUAL3);
	expect_cell(VIRTUAL11, TS_CELL_PRECODE, word_at(OF_VIRTUAL11, 0));
	put64(word_at(OF_VIRTUAL11, 1), VIRTUAL3);
	expect_none(VIRTUAL11);
}

/* Calls pass stubs only: code that begins much like one may end anywhere. */
static void bytes_that_only_resemble_a_stub_are_none(void **state)
{
	static const struct {
		unsigned int stub, count;
		uint8_t opcodes[10];
		uint64_t function;
	} stubs[] = {
		{ OF_BOXED, 5, { 0, 1, 6, 7, 8 }, BOXED },
		{ OF_STUBBED, 5, { 0, 1, 2, 7, 8 }, STUBBED },
		{ COUNTING, 10, { 0, 1, 2, 7, 8, 9, 10, 11, 12, 13 }, ORDINARY },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(stubs); i++) {
		const uint64_t stub = stub_at(stubs[i].stub);

		for (unsigned int j = 0; j < stubs[i].count; j++) {
			uint8_t *byte = bytes_at(stub + stubs[i].opcodes[j], 1);

			for (unsigned int bit = 0; bit < 8; bit++) {
				*byte ^= (uint8_t)(1u << bit);
				expect_unknown(stubs[i].function, stub);
				if (stubs[i].stub != COUNTING)
					expect_none(stubs[i].function);
				*byte ^= (uint8_t)(1u << bit);
			}
		}
	}
	/* As they were, they are stubs. */
	expect_state(BOXED, TS_TARGET_BODY, body_of(BOXED, 0));
	expect_state(STUBBED, TS_TARGET_BODY, body_of(STUBBED, 0));
	expect_state(ORDINARY, TS_TARGET_CALL_COUNTING, body_of(ORDINARY, 0));
}

static void a_function_whose_memory_cannot_be_read_has_no_cell(void **state)
{
	static const struct {
		uint64_t function, hole;
	} holes[] = {
		{ ORDINARY, ORDINARY },
		{ ORDINARY, ORDINARY + 8 },
		{ ORDINARY, CODE_DATA(0) + 8 },
		{ ORDINARY, CODE + STUB_SIZE * OF_ORDINARY },
		{ ORDINARY, CODE + STUB_SIZE * OF_ORDINARY + 12 },
		{ ORDINARY, CODE + STUB_SIZE * OF_ORDINARY + TO_WORDS + 8 },
		{ STUBBED, CODE + STUB_SIZE * OF_STUBBED },
		{ STUBBED, CODE + STUB_SIZE * OF_STUBBED + TO_WORDS },
		{ OLD_OWN, OLD_OWN },
		{ OLD_OWN, OLD_OWN + 15 },
		{ OLD_OWN, CODE + STUB_SIZE * OF_OLD_OWN },
		{ OLD_OWN, CODE + STUB_SIZE * OF_OLD_OWN + TO_WORDS + 8 },
		{ OLD_FIRST, OLD_CHUNK - 8 },
		{ OLD_FIRST, CODE + STUB_SIZE * OF_OLD_CHUNK },
		{ OLD_FIRST, CODE + STUB_SIZE * OF_OLD_CHUNK + TO_WORDS + 8 },
		{ OLD_LAST, OLD_CHUNK - 1 },
		{ OLD_LAST, CODE + STUB_SIZE * (OF_OLD_CHUNK + 4) },
		{ OLD_LAST, CODE + STUB_SIZE * (OF_OLD_CHUNK + 4) + TO_WORDS + 8 },
	};
	static const uint64_t nowhere[] = {
		0, 7, 24, TYPES - 1, TYPES + TYPES_SIZE - 15, CODE - 8, INT64_MIN, ~0UL,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(holes); i++) {
		memory.hole = 0;
		expect_state(holes[i].function,
			     holes[i].function == ORDINARY ? TS_TARGET_CALL_COUNTING :
							     TS_TARGET_BODY,
			     body_of(holes[i].function, 0));
		memory.hole = holes[i].hole;
		expect_none(holes[i].function);
	}
	memory.hole = 0;
	for (size_t i = 0; i < COUNT_OF(nowhere); i++)
		expect_none(nowhere[i]);
}

static void a_slot_that_cannot_be_read_is_left_for_the_own_precode(void **state)
{
	const uint64_t holes[] = {
		CHUNK,
		TABLE + 13,
		TABLE + 72,
		SLOT11,
		stub_at(TO_VIRTUAL11),
		word_at(TO_VIRTUAL11, 0),
		word_at(TO_VIRTUAL11, 1),
		stub_at(COUNTING_MORE),
		word_at(COUNTING_MORE, 1),
	};

	(void)state;
	expect_state(VIRTUAL11, TS_TARGET_CALL_COUNTING, body_of(VIRTUAL11, 1));
	put64(word_at(OF_VIRTUAL11, 0), body_of(VIRTUAL11, 0));
	for (size_t i = 0; i < COUNT_OF(holes); i++) {
		memory.hole = holes[i];
		expect_cell(VIRTUAL11, TS_CELL_PRECODE, word_at(OF_VIRTUAL11, 0));
	}
	/* A pointer into nothing is no better. */
	memory.hole = 0;
	put64(TABLE + 72, 0);
	expect_cell(VIRTUAL11, TS_CELL_PRECODE, word_at(OF_VIRTUAL11, 0));
	put64(CHUNK, ~0UL);
	expect_cell(VIRTUAL11, TS_CELL_PRECODE, word_at(OF_VIRTUAL11, 0));
	put64(VIRTUAL11 + 8, ~0UL);
	expect_none(VIRTUAL11);
}

static void a_cell_that_cannot_be_read_is_none(void **state)
{
	struct entry_cell cell;
	struct entry_state told;

	(void)state;
	assert_int_equal(entry_cell__find(&reader, ORDINARY, &cell, &told), 0);
	memory.hole = cell.address + 7;
	expect_none(ORDINARY);
	/* Unmapped only after it was found. */
	assert_int_equal(entry_cell__read(&reader, ORDINARY, &cell, &told), -EFAULT);
	cell.address = ~0UL;
	assert_int_equal(entry_cell__read(&reader, ORDINARY, &cell, &told), -EFAULT);
}

static void a_way_that_cannot_be_read_leads_to_the_unknown(void **state)
{
	const uint64_t holes[] = {
		stub_at(COUNTING),
		stub_at(COUNTING) + STUB_SIZE - 1,
		word_at(COUNTING, 1),
		word_at(COUNTING, 1) + 7,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(holes); i++) {
		memory.hole = holes[i];
		expect_state(ORDINARY, TS_TARGET_UNKNOWN, 0);
	}
	/* What only the stub itself uses is not read. */
	memory.hole = word_at(COUNTING, 0);
	expect_state(ORDINARY, TS_TARGET_CALL_COUNTING, body_of(ORDINARY, 0));
}

/* The hook reads what is the function's own by plain loads: no stub that may be freed. */
static void what_a_cell_leads_to_is_not_read_as_the_functions_own(void **state)
{
	const struct entry_reader careful = { read_memory, read_own, is_body, &memory };
	struct entry_cell cell;
	struct entry_state told;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(functions); i++) {
		assert_int_equal(entry_cell__find(&careful, functions[i], &cell, &told), 0);
		assert_int_equal(entry_cell__read(&careful, functions[i], &cell, &told), 0);
	}
	put64(SLOT3, stub_at(TO_VIRTUAL3));
	assert_int_equal(entry_cell__find(&careful, VIRTUAL3, &cell, &told), 0);
	assert_int_equal(told.body, body_of(VIRTUAL3, 0));
}

/* The program may write there what it likes while it is read. */
static void stubs_that_lead_in_a_circle_lead_to_the_unknown(void **state)
{
	(void)state;
	put64(word_at(OF_ORDINARY, 0), stub_at(OF_ORDINARY));
	expect_state(ORDINARY, TS_TARGET_UNKNOWN, 0);
	put64(word_at(OF_STUBBED, 1), stub_at(OF_STUBBED));
	expect_state(STUBBED, TS_TARGET_UNKNOWN, 0);
	put64(word_at(COUNTING, 1), stub_at(COUNTING));
	expect_unknown(ORDINARY, stub_at(COUNTING));
	put64(word_at(COUNTING, 1), stub_at(OF_ORDINARY));
	put64(word_at(OF_ORDINARY, 0), stub_at(COUNTING));
	expect_state(ORDINARY, TS_TARGET_UNKNOWN, 0);

	put64(word_at(TO_VIRTUAL3, 0), stub_at(OF_VIRTUAL3));
	put64(word_at(OF_VIRTUAL3, 0), stub_at(TO_VIRTUAL3));
	expect_unknown(VIRTUAL3, stub_at(OF_VIRTUAL3));
	expect_unknown(VIRTUAL3, stub_at(TO_VIRTUAL3));
	put_precode(TO_VIRTUAL3, VIRTUAL3, stub_at(OF_VIRTUAL3));
	expect_unknown(VIRTUAL3, stub_at(OF_VIRTUAL3));
	expect_unknown(VIRTUAL3, stub_at(TO_VIRTUAL3));
	/* Its slot leads there, too. */
	expect_none(VIRTUAL3);
}

/* Counted twice is never what the runtime does. */
static void a_counting_stub_leads_to_a_body_or_to_the_unknown(void **state)
{
	(void)state;
	put_counting(COUNTING, stub_at(COUNTING_MORE));
	put_counting(COUNTING_MORE, body_of(ORDINARY, 0));
	expect_state(ORDINARY, TS_TARGET_UNKNOWN, 0);
	put64(word_at(OF_ORDINARY, 0), stub_at(COUNTING_MORE));
	expect_state(ORDINARY, TS_TARGET_CALL_COUNTING, body_of(ORDINARY, 0));
	/* A body of another function is none. */
	put_counting(COUNTING_MORE, body_of(STUBBED, 0));
	expect_state(ORDINARY, TS_TARGET_UNKNOWN, 0);
	/* A precode of the function, even with a body behind it. */
	put_counting(COUNTING_MORE, stub_at(OF_OLD_OWN));
	put64(word_at(OF_OLD_OWN, 1), ORDINARY);
	put64(word_at(OF_OLD_OWN, 0), body_of(ORDINARY, 0));
	expect_unknown(ORDINARY, stub_at(COUNTING_MORE));
	expect_unknown(ORDINARY, PLAIN);
}

static void the_words_of_a_stub_may_lie_below_it(void **state)
{
	const uint64_t fixup = stub_at(OF_ORDINARY), precode = stub_at(OF_STUBBED);
	const uint64_t counting = stub_at(COUNTING);

	(void)state;
	/* What lies above is no longer meant. */
	put_fixup(OF_ORDINARY, 0, 0);
	put_precode(OF_STUBBED, 0, 0);
	put_counting(COUNTING, 0);
	expect_none(ORDINARY);
	expect_none(STUBBED);

	put_displacement(fixup + 2, fixup + 6, BELOW);
	put_displacement(fixup + 9, fixup + 13, BELOW + 8);
	put64(BELOW, counting);
	put64(BELOW + 8, ORDINARY);
	put_displacement(counting + 14, counting + 18, BELOW + 16);
	put64(BELOW + 16, body_of(ORDINARY, 1));
	expect_cell(ORDINARY, TS_CELL_PRECODE, BELOW);
	expect_state(ORDINARY, TS_TARGET_CALL_COUNTING, body_of(ORDINARY, 1));

	put_displacement(precode + 3, precode + 7, BELOW + 24);
	put_displacement(precode + 9, precode + 13, BELOW + 32);
	put64(BELOW + 24, STUBBED);
	put64(BELOW + 32, body_of(STUBBED, 1));
	expect_cell(STUBBED, TS_CELL_PRECODE, BELOW + 32);
	expect_state(STUBBED, TS_TARGET_BODY, body_of(STUBBED, 1));
}

/* Sums of addresses and displacements wrap around; no such address can be read. */
static void a_stub_may_point_out_of_the_address_space(void **state)
{
	static const unsigned int kinds[] = { OF_ORDINARY, OF_STUBBED, COUNTING };
	static const uint32_t displacements[] = { 0x80000000, 0x7fffffff, 0xffffe000 };
	static const unsigned int places[] = { 2, 3, 9, 14 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		for (size_t j = 0; j < COUNT_OF(displacements); j++) {
			put(LOW, bytes_at(stub_at(kinds[i]), STUB_SIZE), STUB_SIZE);
			for (size_t k = 0; k < COUNT_OF(places); k++)
				if (bytes_at(LOW + places[k] + 1, 1)[0] == 0x3f)
					put_displacement(LOW + places[k], 0,
							 displacements[j]);
			expect_unknown(ORDINARY, LOW);
			put64(CODE_DATA(0) + 8, LOW);
			expect_none(ORDINARY);
		}
	}
	expect_unknown(ORDINARY, ~0UL);
	expect_unknown(ORDINARY, 0);
}

/* Finds, reads; whatever is told must be sound.  True: a body was told. */
static bool survey(uint64_t function)
{
	struct entry_cell cell;
	struct entry_state state;
	int error;

	memory.reads = 0;
	error = entry_cell__find(&reader, function, &cell, &state);
	if (error) {
		assert_int_equal(error, -ENOENT);
	} else {
		assert_in_range(cell.kind, TS_CELL_PRECODE, TS_CELL_SLOT);
		assert_int_not_equal(cell.address, 0);
		error = entry_cell__read(&reader, function, &cell, &state);
		if (error)
			assert_int_equal(error, -EFAULT);
	}
	/* Hostile memory cannot make it read on and on. */
	assert_in_range(memory.reads, 1, READS_MAX);
	if (error)
		return false;
	assert_int_equal(state.word, get64(cell.address));
	if (state.target == TS_TARGET_BODY || state.target == TS_TARGET_CALL_COUNTING) {
		assert_true(is_body(&memory, function, state.body));
		return true;
	}
	assert_in_range(state.target, TS_TARGET_UNKNOWN, TS_TARGET_PRESTUB);
	assert_int_equal(state.body, 0);
	return false;
}

static unsigned int survey_all(void)
{
	unsigned int told = 0;

	for (size_t i = 0; i < COUNT_OF(functions); i++)
		told += survey(functions[i]);
	return told;
}

static void no_damaged_byte_makes_it_tell_what_is_no_body(void **state)
{
	const unsigned int sound = survey_all();
	unsigned int less = 0;

	(void)state;
	/* All but the two that nobody has called. */
	assert_int_equal(sound, COUNT_OF(functions) - 2);
	for (size_t i = 0; i < COUNT_OF(memory.regions); i++) {
		struct region *region = &memory.regions[i];

		for (size_t at = 0; at < region->size; at++) {
			const uint8_t byte = region->bytes[at];

			/* Each of its bits, then all. */
			for (unsigned int bit = 0; bit < 9; bit++) {
				const unsigned int bits = bit < 8 ? 1u << bit : 0xff;

				region->bytes[at] = (uint8_t)(byte ^ bits);
				less += survey_all() < sound;
				region->bytes[at] = byte;
			}
			memory.hole = region->address + at;
			less += survey_all() < sound;
			memory.hole = 0;
		}
	}
	/* Much of the memory matters: the damage did reach what is read. */
	assert_in_range(less, 1000, UINT32_MAX);
	assert_int_equal(survey_all(), sound);
}

static void no_number_called_a_function_makes_it_tell_what_is_no_body(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(memory.regions); i++) {
		struct region *region = &memory.regions[i];

		for (uint64_t at = region->address - 32;
		     at < region->address + region->size + 32; at++) {
			survey(at);
			for (size_t j = 0; j < COUNT_OF(functions); j++) {
				struct entry_state told;

				told = entry_cell__decode(&reader, functions[j], at);
				assert_int_equal(told.word, at);
				assert_in_range(told.target, 0, TS_TARGET_COUNT - 1);
				assert_true(!told.body ||
					    is_body(&memory, functions[j], told.body));
			}
		}
	}
}

#define TEST(name) cmocka_unit_test_setup(name, build)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_ordinary_method_is_told_by_the_precode_of_its_code_data),
		TEST(a_stub_precode_is_a_precode_too),
		TEST(a_precode_that_jumps_to_its_next_instruction_tells_the_prestub),
		TEST(only_the_second_instruction_of_the_own_precode_is_the_prestub),
		TEST(a_virtual_method_is_told_by_its_slot),
		TEST(a_slot_may_be_in_the_second_chunk_of_slots),
		TEST(a_table_has_no_more_slots_than_it_says),
		TEST(a_method_with_its_own_slot_is_not_sought_in_the_table),
		TEST(a_slot_with_code_of_another_method_is_left_for_the_own_precode),
		TEST(a_slot_with_other_code_leaves_no_precode_that_leads_to_no_body),
		TEST(an_old_method_with_its_own_slot_has_its_precode_there),
		TEST(old_methods_of_any_size_are_found_in_the_array_of_their_chunk),
		TEST(what_follows_the_array_of_a_chunk_does_not_matter),
		TEST(precodes_of_a_chunk_before_it_may_follow_the_array),
		TEST(a_precode_that_points_to_another_function_is_never_believed),
		TEST(bytes_that_only_resemble_a_stub_are_none),
		TEST(a_function_whose_memory_cannot_be_read_has_no_cell),
		TEST(a_slot_that_cannot_be_read_is_left_for_the_own_precode),
		TEST(a_cell_that_cannot_be_read_is_none),
		TEST(a_way_that_cannot_be_read_leads_to_the_unknown),
		TEST(what_a_cell_leads_to_is_not_read_as_the_functions_own),
		TEST(stubs_that_lead_in_a_circle_lead_to_the_unknown),
		TEST(a_counting_stub_leads_to_a_body_or_to_the_unknown),
		TEST(the_words_of_a_stub_may_lie_below_it),
		TEST(a_stub_may_point_out_of_the_address_space),
		TEST(no_damaged_byte_makes_it_tell_what_is_no_body),
		TEST(no_number_called_a_function_makes_it_tell_what_is_no_body),
	};

	return cmocka_run_group_tests_name("entry cells", tests, NULL, NULL);
}
