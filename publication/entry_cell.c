// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (c) 2026 The tierscope authors
/*
 * Layouts of dotnet/runtime v8 to v10, found by matching live values
 * (src/coreclr/vm/method.hpp, methodtable.h, precode.h, callcounting.h):
 *
 *   MethodDesc            runtime_layout.h
 *   code data             +8 precode
 *   chunk of MethodDescs  at MethodDesc - 8 * chunk index - 24; +0 MethodTable
 *                         +17 number of methods, less one (u8)
 *                         v8: at -8 the first of its precodes, in the order of the methods
 *   precode at the prestub: its target is its own second instruction
 *   MethodTable           +12 number of virtual slots (u16)
 *                         +64 chunks of eight slots
 */
#include "entry_cell.h"
#include "entry_stub.h"
#include "runtime_layout.h"

#include <errno.h>
#include <string.h>

#define HOPS_MAX	4u	/* slot, forwarder, precode, counting stub */
#define CHUNK_COUNT	17u
#define SECOND		6u	/* instruction of a fixup precode */
#define SLOTS_AT	64u
#define SLOTS_A_CHUNK	8u

struct code_data {
	uint64_t versioning;
	uint64_t precode;
};

/* Of two ways to read: see entry_cell.h. */
enum whose { OWN, OTHERS };

static bool read_bytes(const struct entry_reader *reader, enum whose whose, uint64_t address,
		       void *buffer, size_t size)
{
	return (whose == OWN ? reader->read_own : reader->read)(reader->context, address,
								buffer, size);
}

static bool read_word(const struct entry_reader *reader, enum whose whose, uint64_t address,
		      uint64_t *ret_word)
{
	return read_bytes(reader, whose, address, ret_word, sizeof(*ret_word));
}

static struct entry_stub read_stub(const struct entry_reader *reader, enum whose whose,
				   uint64_t address)
{
	uint8_t code[ENTRY_STUB_BYTES];

	if (!read_bytes(reader, whose, address, code, sizeof(code)))
		return (struct entry_stub){ ENTRY_STUB_NONE, 0, 0 };
	return entry_stub__decode(code, address);
}

static bool is_precode_of(const struct entry_reader *reader, enum whose whose,
			  uint64_t function, const struct entry_stub *stub)
{
	uint64_t method;

	return (stub->kind == ENTRY_STUB_FIXUP || stub->kind == ENTRY_STUB_PRECODE) &&
	       read_word(reader, whose, stub->method_at, &method) && method == function;
}

/* The word that the function's own precode jumps to; 0: that is none of its precodes. */
static uint64_t target_of_precode(const struct entry_reader *reader, enum whose whose,
				  uint64_t function, uint64_t precode)
{
	struct entry_stub stub = read_stub(reader, whose, precode);

	return is_precode_of(reader, whose, function, &stub) ? stub.target_at : 0;
}

/* What lies at a word, and whether that is the way to the prestub. */
struct behind {
	struct entry_stub stub;
	bool prestub;
};

static bool is_prestub(const struct entry_reader *reader, enum whose whose,
		       uint64_t function, const struct entry_stub *precode)
{
	return precode->kind == ENTRY_STUB_FIXUP &&
	       is_precode_of(reader, whose, function, precode);
}

/* A stub, or the second instruction of one: both by one read, each of which costs. */
static struct behind look_around(const struct entry_reader *reader, uint64_t function,
				 uint64_t word)
{
	uint8_t code[SECOND + ENTRY_STUB_BYTES];
	struct behind behind = { .prestub = false };
	struct entry_stub before;

	/* The bytes before a stub that begins a page may not be there. */
	if (!read_bytes(reader, OTHERS, word - SECOND, code, sizeof(code))) {
		behind.stub = read_stub(reader, OTHERS, word);
		return behind;
	}
	before = entry_stub__decode(code, word - SECOND);
	behind.prestub = is_prestub(reader, OTHERS, function, &before);
	behind.stub = entry_stub__decode(code + SECOND, word);
	return behind;
}

static struct behind look_behind(const struct entry_reader *reader, uint64_t function,
				 uint64_t precode, uint64_t word)
{
	struct behind behind = { .prestub = false };

	if (word == precode) {
		behind.stub = read_stub(reader, OWN, precode);
	} else if (word - SECOND == precode) {
		behind.stub = read_stub(reader, OWN, precode);
		behind.prestub = is_prestub(reader, OWN, function, &behind.stub);
		behind.stub.kind = ENTRY_STUB_NONE;
	} else {
		behind = look_around(reader, function, word);
	}
	return behind;
}

static struct entry_state decode(const struct entry_reader *reader, uint64_t function,
				 uint64_t precode, uint64_t word)
{
	struct entry_state state = { .word = word, .target = TS_TARGET_UNKNOWN };
	bool counted = false;

	for (unsigned int hop = 0; hop < HOPS_MAX; hop++) {
		bool is_own = word == precode || word - SECOND == precode;
		enum whose whose = is_own ? OWN : OTHERS;
		struct behind behind;
		uint64_t next;

		if (!is_own && reader->is_body(reader->context, function, word)) {
			state.target = counted ? TS_TARGET_CALL_COUNTING : TS_TARGET_BODY;
			state.body = word;
			break;
		}
		if (counted)
			break;
		behind = look_behind(reader, function, precode, word);
		if (behind.prestub) {
			state.target = TS_TARGET_PRESTUB;
			break;
		}
		if (behind.stub.kind == ENTRY_STUB_NONE ||
		    !read_word(reader, whose, behind.stub.target_at, &next))
			break;
		counted = behind.stub.kind == ENTRY_STUB_COUNTING;
		if (!counted && !is_precode_of(reader, whose, function, &behind.stub))
			break;
		word = next;
	}
	return state;
}

struct entry_state entry_cell__decode(const struct entry_reader *reader, uint64_t function,
				      uint64_t word)
{
	return decode(reader, function, 0, word);
}

int entry_cell__read(const struct entry_reader *reader, uint64_t function,
		     const struct entry_cell *cell, struct entry_state *ret_state)
{
	uint64_t word;

	if (!read_word(reader, OWN, cell->address, &word))
		return -EFAULT;
	*ret_state = decode(reader, function, cell->precode, word);
	return 0;
}

/* The slot in the method table of the type that declares the function; 0: it has none. */
static uint64_t find_slot(const struct entry_reader *reader, uint64_t function,
			  const struct runtime_method *method)
{
	uint64_t table, chunk;
	uint16_t slots;

	if (method->flags & METHOD_HAS_OWN_SLOT ||
	    !read_word(reader, OWN, runtime_method__chunk(method, function), &table) ||
	    !read_bytes(reader, OWN, table + 12, &slots, sizeof(slots)) ||
	    method->slot >= slots ||
	    !read_word(reader, OWN, table + SLOTS_AT + 8u * (method->slot / SLOTS_A_CHUNK),
		       &chunk))
		return 0;
	return chunk + 8u * (method->slot % SLOTS_A_CHUNK);
}

/* v8: among the precodes of its chunk, which point to methods at ascending addresses. */
static uint64_t find_in_chunk(const struct entry_reader *reader, uint64_t function,
			      const struct runtime_method *method)
{
	uint64_t chunk = runtime_method__chunk(method, function), first, told;
	uint32_t low = 0, high;
	uint8_t last;

	if (!read_word(reader, OTHERS, chunk - sizeof(first), &first) ||
	    !read_bytes(reader, OTHERS, chunk + CHUNK_COUNT, &last, sizeof(last)))
		return 0;
	high = last + 1u;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		struct entry_stub stub =
			read_stub(reader, OTHERS, first + middle * ENTRY_STUB_BYTES);

		if (stub.kind != ENTRY_STUB_FIXUP ||
		    !read_word(reader, OTHERS, stub.method_at, &told) ||
		    told > function)
			high = middle;
		else if (told < function)
			low = middle + 1;
		else
			return stub.target_at;
	}
	return 0;
}

static uint64_t precode_of(const struct entry_reader *reader, const struct runtime_method *method)
{
	struct code_data data;

	return read_bytes(reader, OWN, method->code, &data, sizeof(data)) ? data.precode : 0;
}

/* Of the function's own precode; 0: it has none. */
static uint64_t find_target(const struct entry_reader *reader, uint64_t function,
			    const struct runtime_method *method, uint64_t precode)
{
	uint64_t target = target_of_precode(reader, OWN, function, precode);

	if (!target && method->flags & METHOD_HAS_OWN_SLOT)
		target = target_of_precode(reader, OTHERS, function, method->code);
	return target ? target : find_in_chunk(reader, function, method);
}

int entry_cell__find(const struct entry_reader *reader, uint64_t function,
		     struct entry_cell *ret_cell, struct entry_state *ret_state)
{
	struct runtime_method method;
	uint64_t precode;
	bool has_slot;

	if (!read_bytes(reader, OWN, function, &method, sizeof(method)))
		return -ENOENT;
	precode = precode_of(reader, &method);
	*ret_cell = (struct entry_cell){ find_slot(reader, function, &method), TS_CELL_SLOT,
					 precode };
	has_slot = ret_cell->address;
	if (has_slot && !entry_cell__read(reader, function, ret_cell, ret_state) &&
	    ret_state->target != TS_TARGET_UNKNOWN)
		return 0;
	*ret_cell = (struct entry_cell){
		find_target(reader, function, &method, precode), TS_CELL_PRECODE, precode };
	if (!ret_cell->address || entry_cell__read(reader, function, ret_cell, ret_state))
		return -ENOENT;
	/*
	 * The slot has the code of another method, of an unboxing stub say: then the
	 * precode decides.  Or it has a body that we do not know: then it decides, and
	 * the precode stays at the prestub for ever.
	 */
	return has_slot && !ret_state->body ? -ENOENT : 0;
}
