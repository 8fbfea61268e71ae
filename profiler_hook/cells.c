/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The two ways to read: see cells.h.  Counts are only ever compared with small limits, so
 * two threads that count at once may lose one.
 */
#include "cells.h"

#include "bodies.h"
#include "hook.h"
#include "memory.h"

#include "../publication/runtime_layout.h"

#include <errno.h>
#include <string.h>

#define PROOFS	      4u  /* of each kind, until plain loads are believed in */
#define TRIES	      64u /* without any proof: then never */
#define ADDRESS_LEAST 65536u
#define ADDRESS_LIMIT (1ull << 47)

struct reading {
	struct hook *hook;
	bool plain;
	uint64_t start;
};

static bool read_memory(void *context, uint64_t address, void *buffer, size_t size)
{
	const struct reading *reading = context;

	/* Precompiled code, mostly: no stub. */
	return !images__hold(&reading->hook->images, address) &&
	       !memory__read(buffer, address, size);
}

static bool read_own(void *context, uint64_t address, void *buffer, size_t size)
{
	const struct reading *reading = context;

	if (address < ADDRESS_LEAST || address >= ADDRESS_LIMIT)
		return false;
	if (!reading->plain)
		return read_memory(context, address, buffer, size);
	memcpy(buffer, (const void *)(uintptr_t)address, size);
	return true;
}

static bool is_body(void *context, uint64_t function, uint64_t address)
{
	const struct reading *reading = context;
	const struct ts_journal_record *record;

	if (address == reading->start)
		return true;
	record = bodies__find(reading->hook, address);
	return record && record->function_id == function;
}

static bool is_proven(const struct hook *hook)
{
	for (unsigned int kind = 0; kind < TS_CELL_COUNT; kind++) {
		if (__atomic_load_n(&hook->cells.proven[kind], __ATOMIC_RELAXED) < PROOFS)
			return false;
	}
	return hook->runtime_major == 9 || hook->runtime_major == 10;
}

static void add_one(uint32_t *count)
{
	__atomic_store_n(count, __atomic_load_n(count, __ATOMIC_RELAXED) + 1,
			 __ATOMIC_RELAXED);
}

bool cells__can_be_told(const struct hook *hook)
{
	return __atomic_load_n(&hook->cells.found, __ATOMIC_RELAXED) ||
	       __atomic_load_n(&hook->cells.unknown, __ATOMIC_RELAXED) < TRIES;
}

/*
 * What can be compiled in tiers is not collectible: that is asked of the loader allocator
 * of its type and all its type arguments (dotnet/runtime v8 to v10, src/coreclr/vm:
 * MethodDesc::DetermineAndSetIsEligibleForTieredCompilation in method.cpp,
 * CodeVersionManager::IsMethodSupported in codeversion.cpp).
 */
bool cells__lasts(const struct hook *hook, function_id function)
{
	uint16_t flags;

	if (!is_proven(hook))
		return false;
	memcpy(&flags, (const void *)function, sizeof(flags));
	return flags & METHOD_IS_ELIGIBLE;
}

int cells__find(struct hook *hook, const struct cells_question *question,
		struct entry_cell *ret_cell, struct entry_state *ret_state)
{
	struct reading reading = {hook, question->alive && is_proven(hook),
				  question->start};
	struct entry_reader reader = {read_memory, read_own, is_body, &reading};
	int err = entry_cell__find(&reader, question->function, ret_cell, ret_state);

	/* Written once where all is well: threads do not fight for it. */
	if (err)
		add_one(&hook->cells.unknown);
	else if (!__atomic_load_n(&hook->cells.found, __ATOMIC_RELAXED))
		add_one(&hook->cells.found);
	/* That it leads to something known is the proof. */
	if (!err && !reading.plain && ret_state->target != TS_TARGET_UNKNOWN)
		add_one(&hook->cells.proven[ret_cell->kind]);
	return err;
}

int cells__read(struct hook *hook, const struct cells_question *question,
		const struct entry_cell *cell, struct entry_state *ret_state)
{
	struct reading reading = {hook, question->alive && is_proven(hook),
				  question->start};
	struct entry_reader reader = {read_memory, read_own, is_body, &reading};

	return entry_cell__read(&reader, question->function, cell, ret_state);
}
