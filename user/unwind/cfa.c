// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The instructions build a table by program counter:
//
//   where      CFA                  rbp          return address
//   +0         rsp + 8              as it is     CFA - 8
//   +1         rsp + 16             CFA - 16     CFA - 8         push rbp
//   +4         rbp + 16             CFA - 16     CFA - 8         mov rbp, rsp
//
// CFA, the canonical frame address, is rsp as it was before the call.  Of the other
// registers nothing is kept: callers are found without them.  (Of rbx, where a function saved
// it: table.c knows one caller that needs it.)
#include "cfa.h"

#include "rule.h"
#include "../symbol/dwarf_reader.h"

#include <string.h>

/* DW_CFA: three with an operand in their lower six bits, and the others. */
enum {
	OP_ADVANCE = 0x40, OP_OFFSET = 0x80, OP_RESTORE = 0xc0, OP_SHORT = 0xc0,
	OP_NOP = 0x00, OP_ADVANCE_1 = 0x02, OP_ADVANCE_2 = 0x03, OP_ADVANCE_4 = 0x04,
	OP_OFFSET_EXTENDED = 0x05, OP_RESTORE_EXTENDED = 0x06, OP_UNDEFINED = 0x07,
	OP_SAME_VALUE = 0x08, OP_REGISTER = 0x09, OP_REMEMBER = 0x0a, OP_RECALL = 0x0b,
	OP_CFA = 0x0c, OP_CFA_REGISTER = 0x0d, OP_CFA_OFFSET = 0x0e,
	OP_CFA_EXPRESSION = 0x0f, OP_EXPRESSION = 0x10, OP_OFFSET_SIGNED = 0x11,
	OP_CFA_SIGNED = 0x12, OP_CFA_OFFSET_SIGNED = 0x13, OP_VALUE = 0x14,
	OP_VALUE_SIGNED = 0x15, OP_VALUE_EXPRESSION = 0x16, OP_ARGUMENTS_SIZE = 0x2e,
	OP_OFFSET_NEGATIVE = 0x2f,
};

/* DW_OP, of expressions. */
enum { DO_DEREFERENCE = 0x06, DO_LITERAL_0 = 0x30, DO_BASE_RBP = 0x76, DO_BASE_RSP = 0x77 };

/* Compilers write one level. */
#define REMEMBERED_MAX 8
/* A CIE is run for each of its FDEs; real ones have some ten bytes. */
#define COMMON_MAX 256
/* Of a function that is run again, for its rbx: real ones have some fifty. */
#define AGAIN_MAX 4096
/* Bytes in which prologs save rbx. */
#define PROLOG_BYTES 32

struct run {
	const struct eh_function *function;
	struct dwarf_reader reader;
	struct rule rule, initial;	/* what the CIE said */
	struct rule remembered[REMEMBERED_MAX];
	unsigned int depth;
	uint64_t offset;		/* from the function's start */
	int64_t rbx;			/* where it was saved, from the CFA; 0: nowhere */
	bool rbx_moves;			/* in several places, or not at the begin */
	cfa_each *each;
	void *context;
};

static uint32_t shape_of(const struct run *run)
{
	return rule__shape(&run->rule, run->function->is_signal_frame);
}

/* --- expressions ------------------------------------------------------------ */

static struct dwarf_reader read_block(struct dwarf_reader *reader)
{
	uint64_t size = dwarf_reader__unsigned(reader);
	struct dwarf_reader block = *reader;

	dwarf_reader__skip(reader, size);
	block.failed = reader->failed;
	block.end = reader->at;
	return block;
}

/*
 * What linkers say of .plt, whose entries have 16 bytes: rsp + 8, and behind the push
 * in the entry, which ends at byte 11 (6 + 5), 8 more.
 */
static bool is_plt(const struct dwarf_reader *block, int64_t *ret_from)
{
	static const uint8_t wanted[] = {
		0x77, 8,		/* rsp + 8 */
		0x80, 0,		/* rip */
		0x3f, 0x1a,		/* and 15 */
		0x3b, 0x2a,		/* at least 11 */
		0x33, 0x24, 0x22,	/* shifted by 3, added */
	};
	uint8_t bytes[sizeof(wanted)];

	if ((size_t)(block->end - block->at) != sizeof(wanted))
		return false;
	memcpy(bytes, block->at, sizeof(bytes));
	*ret_from = bytes[6] - DO_LITERAL_0;
	if (*ret_from < 0 || *ret_from > 15)
		return false;
	bytes[6] = wanted[6];
	return !memcmp(bytes, wanted, sizeof(wanted));
}

/* rsp or rbp and a distance, at the begin of an expression. */
static bool read_base(struct dwarf_reader *block, uint64_t *ret_base, int64_t *ret_offset)
{
	uint64_t operation = dwarf_reader__bytes(block, 1);

	*ret_offset = dwarf_reader__signed(block);
	*ret_base = operation == DO_BASE_RBP ? RBP : RSP;
	return !block->failed && (operation == DO_BASE_RBP || operation == DO_BASE_RSP);
}

static struct cfa read_cfa_expression(struct run *run)
{
	struct dwarf_reader block = read_block(&run->reader);
	struct cfa cfa = {.kind = CFA_PLT};

	if (block.failed)
		return (struct cfa){.kind = CFA_OTHER};
	if (is_plt(&block, &cfa.offset))
		return cfa;
	cfa.kind = CFA_AT;
	if (read_base(&block, &cfa.base, &cfa.offset) && block.end - block.at == 1 &&
	    *block.at == DO_DEREFERENCE)
		return cfa;
	return (struct cfa){.kind = CFA_OTHER};
}

static struct saved read_saved_expression(struct run *run)
{
	struct dwarf_reader block = read_block(&run->reader);
	struct saved saved = {.kind = SAVED_OTHER};
	uint64_t base;

	if (!read_base(&block, &base, &saved.offset) || block.at != block.end)
		return (struct saved){.kind = SAVED_OTHER};
	saved.kind = base == RBP ? SAVED_AT_RBP : SAVED_AT_RSP;
	return saved;
}

/* --- instructions ----------------------------------------------------------- */

static void set_rbx(struct run *run, struct saved saved)
{
	if (saved.kind == SAVED_NOT)
		return;
	run->rbx_moves |= saved.kind != SAVED_AT || run->offset > PROLOG_BYTES ||
			  (run->rbx && run->rbx != saved.offset);
	run->rbx = saved.offset;
}

static void set(struct run *run, uint64_t number, struct saved saved)
{
	if (number == RBP)
		run->rule.rbp = saved;
	else if (number == RETURN_ADDRESS)
		run->rule.rip = saved;
	else if (number == RBX)
		set_rbx(run, saved);
}

static void restore(struct run *run, uint64_t number)
{
	if (number == RBP)
		run->rule.rbp = run->initial.rbp;
	else if (number == RETURN_ADDRESS)
		run->rule.rip = run->initial.rip;
}

/* Offsets are far from where they could overflow: what is larger has no shape. */
static int64_t scaled(const struct run *run, int64_t value)
{
	int64_t product;

	return __builtin_mul_overflow(value, run->function->data_factor, &product) ||
	       product == INT64_MIN ? INT64_MAX : product;
}

static struct saved saved_at(const struct run *run, int64_t value)
{
	return (struct saved){.kind = SAVED_AT, .offset = scaled(run, value)};
}

static void advance(struct run *run, uint64_t distance)
{
	uint64_t bytes;

	if (__builtin_mul_overflow(distance, run->function->code_factor, &bytes) ||
	    __builtin_add_overflow(run->offset, bytes, &bytes)) {
		run->reader.failed = true;
		return;
	}
	if (bytes == run->offset)
		return;
	if (run->each && run->offset < run->function->size)
		run->each(run->context, run->function->start + run->offset, shape_of(run));
	run->offset = bytes;
}

static void remember(struct run *run)
{
	if (run->depth == REMEMBERED_MAX)
		run->reader.failed = true;
	else
		run->remembered[run->depth++] = run->rule;
}

static void recall(struct run *run)
{
	if (!run->depth)
		run->reader.failed = true;
	else
		run->rule = run->remembered[--run->depth];
}

/* All that say where the CFA is; false: it is none of them. */
static bool run_cfa(struct run *run, uint8_t operation)
{
	struct dwarf_reader *reader = &run->reader;
	struct cfa *cfa = &run->rule.cfa;

	switch (operation) {
	case OP_CFA:
	case OP_CFA_SIGNED:
		cfa->kind = CFA_FROM;
		cfa->base = dwarf_reader__unsigned(reader);
		cfa->offset = operation == OP_CFA ? (int64_t)dwarf_reader__unsigned(reader) :
			      scaled(run, dwarf_reader__signed(reader));
		return true;
	case OP_CFA_REGISTER:
		reader->failed |= cfa->kind != CFA_FROM;
		cfa->base = dwarf_reader__unsigned(reader);
		return true;
	case OP_CFA_OFFSET:
		reader->failed |= cfa->kind != CFA_FROM;
		cfa->offset = (int64_t)dwarf_reader__unsigned(reader);
		return true;
	case OP_CFA_OFFSET_SIGNED:
		reader->failed |= cfa->kind != CFA_FROM;
		cfa->offset = scaled(run, dwarf_reader__signed(reader));
		return true;
	case OP_CFA_EXPRESSION:
		*cfa = read_cfa_expression(run);
		return true;
	default:
		return false;
	}
}

/* All that say of one register where it was saved; false: it is none of them. */
static bool run_saved(struct run *run, uint8_t operation)
{
	struct dwarf_reader *reader = &run->reader;
	struct saved saved = {.kind = SAVED_OTHER};
	uint64_t number;

	if (operation < OP_OFFSET_EXTENDED ||
	    (operation > OP_REGISTER && operation < OP_EXPRESSION) ||
	    (operation > OP_VALUE_EXPRESSION && operation != OP_OFFSET_NEGATIVE))
		return false;
	number = dwarf_reader__unsigned(reader);
	switch (operation) {
	case OP_OFFSET_EXTENDED:
		saved = saved_at(run, (int64_t)dwarf_reader__unsigned(reader));
		break;
	case OP_OFFSET_SIGNED:
		saved = saved_at(run, dwarf_reader__signed(reader));
		break;
	case OP_OFFSET_NEGATIVE:
	case OP_REGISTER:
	case OP_VALUE:
	case OP_VALUE_SIGNED:
		dwarf_reader__unsigned(reader);
		break;
	case OP_RESTORE_EXTENDED:
		restore(run, number);
		return true;
	case OP_UNDEFINED:
		saved.kind = SAVED_UNDEFINED;
		break;
	case OP_SAME_VALUE:
		saved.kind = SAVED_NOT;
		break;
	case OP_EXPRESSION:
		saved = read_saved_expression(run);
		break;
	case OP_VALUE_EXPRESSION:
		read_block(reader);
		break;
	default: /* OP_CFA_SIGNED and its like, which run_cfa() knows */
		reader->failed = true;
	}
	set(run, number, saved);
	return true;
}

static void run_other(struct run *run, uint8_t operation)
{
	struct dwarf_reader *reader = &run->reader;

	switch (operation) {
	case OP_NOP:
		break;
	case OP_ADVANCE_1:
		advance(run, dwarf_reader__bytes(reader, 1));
		break;
	case OP_ADVANCE_2:
		advance(run, dwarf_reader__bytes(reader, 2));
		break;
	case OP_ADVANCE_4:
		advance(run, dwarf_reader__bytes(reader, 4));
		break;
	case OP_REMEMBER:
		remember(run);
		break;
	case OP_RECALL:
		recall(run);
		break;
	case OP_ARGUMENTS_SIZE:
		dwarf_reader__unsigned(reader);
		break;
	default: /* also set_loc, which no compiler writes */
		reader->failed = true;
	}
}

static void run_one(struct run *run)
{
	uint8_t operation = (uint8_t)dwarf_reader__bytes(&run->reader, 1);
	uint8_t operand = operation & 0x3f;

	switch (operation & OP_SHORT) {
	case OP_ADVANCE:
		advance(run, operand);
		return;
	case OP_OFFSET:
		set(run, operand,
		    saved_at(run, (int64_t)dwarf_reader__unsigned(&run->reader)));
		return;
	case OP_RESTORE:
		restore(run, operand);
		return;
	}
	if (!run_cfa(run, operation) && !run_saved(run, operation))
		run_other(run, operation);
}

static bool run_program(struct run *run, const struct eh_program *program)
{
	run->reader = (struct dwarf_reader){.at = program->data,
					    .end = program->data + program->size};
	while (run->reader.at < run->reader.end && !run->reader.failed)
		run_one(run);
	return !run->reader.failed;
}

static bool run_whole(struct run *run, cfa_each *each, void *context)
{
	const struct eh_function *function = run->function;

	run->rule.rbp.kind = SAVED_NOT;
	if (function->return_register != RETURN_ADDRESS ||
	    function->common.size > COMMON_MAX || !run_program(run, &function->common))
		return false;
	run->initial = run->rule;
	run->depth = 0;
	run->offset = 0;
	run->each = each;
	run->context = context;
	return run_program(run, &function->own);
}

bool cfa__run(const struct eh_function *function, cfa_each *each, void *context)
{
	struct run run = {.function = function};

	if (!run_whole(&run, each, context))
		return false;
	if (run.offset < function->size)
		each(context, function->start + run.offset, shape_of(&run));
	return true;
}

uint32_t cfa__saved_rbx(const struct eh_function *function)
{
	struct run run = {.function = function};
	uint32_t saved;

	return function->own.size <= AGAIN_MAX && run_whole(&run, NULL, NULL) && !run.rbx_moves &&
	       rule__words(-run.rbx, 2, TS_SHAPE_PROLOG_MAX, &saved) ? saved : 0;
}
