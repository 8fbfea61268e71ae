/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * One function per probe, never inlined, so that each has exactly one site and
 * one argument list.  Operands are registers only (constraint "r"): they are all
 * that the loader takes, some readers cannot parse scaled addresses, and clang would
 * spill arguments into the red zone.
 */
#define _SDT_HAS_SEMAPHORES	1
#define STAP_SDT_ARG_CONSTRAINT r
#include <sys/sdt.h>

#include "probes.h"

#include "events.h"

#include <stdint.h>

/* Raised by the kernel, in this process only, while somebody listens. */
#define SEMAPHORE(name)                                                    \
	__extension__ volatile unsigned short tierscope_##name##_semaphore \
		__attribute__((section(".probes"), visibility("hidden"), used))

SEMAPHORE(code_load);
SEMAPHORE(code_unload);
SEMAPHORE(module_load);
SEMAPHORE(module_unload);
SEMAPHORE(stub_patch);
SEMAPHORE(stub_patches);
SEMAPHORE(tiering);

#define LISTENED(name) __builtin_expect(tierscope_##name##_semaphore, 0)

bool probes__are_listened(void)
{
	return LISTENED(code_load) || LISTENED(code_unload) || LISTENED(module_load) ||
	       LISTENED(module_unload) || LISTENED(stub_patch) ||
	       LISTENED(stub_patches) || LISTENED(tiering);
}

bool probes__stub_patch_is_listened(void)
{
	return LISTENED(stub_patch);
}

bool probes__stub_patches_are_listened(void)
{
	return LISTENED(stub_patches);
}

__attribute__((noinline)) void probes__code_load(const struct ts_journal_record *record)
{
	if (!LISTENED(code_load))
		return;
	STAP_PROBE8(tierscope, code_load, record->sequence, record->function_id,
		    record->start, record->size, record->rejit_id,
		    record->native_version, record->tier | (uint32_t)record->flags << 8,
		    record);
}

__attribute__((noinline)) void
probes__code_unload(const struct ts_journal_record *record)
{
	if (!LISTENED(code_unload))
		return;
	STAP_PROBE4(tierscope, code_unload, record->death_sequence, record->function_id,
		    record->start, record->size);
}

__attribute__((noinline)) void
probes__module_load(const struct ts_journal_record *record)
{
	if (!LISTENED(module_load))
		return;
	STAP_PROBE5(tierscope, module_load, record->sequence, record->module_id,
		    record->start, record->size, record);
}

__attribute__((noinline)) void
probes__module_unload(const struct ts_journal_record *record,
		      const struct ts_journal_record *kept)
{
	if (!LISTENED(module_unload))
		return;
	STAP_PROBE5(tierscope, module_unload, record->death_sequence, record->module_id,
		    record->start, record->size, kept);
}

__attribute__((noinline)) void probes__stub_patch(const struct ts_stub_patch *patch)
{
	if (!LISTENED(stub_patch))
		return;
	STAP_PROBE9(tierscope, stub_patch, patch->sequence, patch->function_id,
		    patch->cell, patch->words[0], patch->words[1],
		    patch->kind | patch->target << 8, patch->window_ns[0],
		    patch->window_ns[1], patch);
}

__attribute__((noinline)) void probes__stub_patches(const struct ts_stub_patches *told)
{
	if (!LISTENED(stub_patches))
		return;
	STAP_PROBE2(tierscope, stub_patches, told->count, told);
}

__attribute__((noinline)) void probes__tiering(uint64_t sequence,
					       const struct tiering_event *event)
{
	if (!LISTENED(tiering))
		return;
	STAP_PROBE5(tierscope, tiering, sequence, event->kind, event->pending,
		    event->new_methods, event->compiled);
}
