/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The hook's one instance, and what its parts share.
 */
#ifndef TIERSCOPE_HOOK_HOOK_H
#define TIERSCOPE_HOOK_HOOK_H

#include "cells.h"
#include "corprof.h"
#include "helper.h"
#include "images.h"
#include "journal.h"
#include "patches.h"
#include "table.h"

#include <stdbool.h>
#include <stdint.h>

#define HOOK_MODULES_MAX 16384u /* known at once */
#define HOOK_LINKS_MAX	 65536u /* bodies bound to further modules */
#define HOOK_GONE_MAX	 65536u	/* unloads during one catch-up */

/* A body that goes with a module other than its own: see modules.h. */
struct module_link {
	uint64_t module_id; /* 0 free */
	uint64_t start;
	uint64_t sequence; /* of the body's birth */
};

#define HOOK_LASTING_MAX 65536u
#define HOOK_COMPILERS	 256u
#define HOOK_SCOPES	 1024u
#define HOOK_NAMINGS 16u /* threads that compile at one moment */

struct naming;

/* What a thread saw when it began to compile: see tiers.c. */
struct compiler {
	uintptr_t thread; /* its thread pointer; 0 while the rest is written */
	function_id function;
	bool quiet; /* nothing happened since it began to compile another */
	uint64_t slots;
	uint32_t size, count, occupied;
};

struct hook {
	struct profiler_info *info;
	struct journal journal;
	struct table bodies;  /* code start → record index + 1, alive ones */
	struct table texts;   /* function id → record index + 1, immortal ones */
	struct table dynamics; /* function id → record index + 1, alive dynamic ones */
	struct table modules; /* module id → record index + 1, HOOK_MODULE_* bits */
	struct table lasting; /* method tables that are never freed: see found_alive.c */
	struct images images;
	struct module_link *links;
	uint32_t links_used;
	uint32_t collectible_modules; /* ever seen */
	uint32_t catching_up;
	uint32_t catch_up_thread;
	struct table gone;     /* functions and modules that were unloaded: see asking.h */
	uint32_t gone_modules; /* how many of those, ever */
	uint32_t careful;      /* a catch-up's questions from now on */
	uint64_t asking;       /* the function or module that is asked about, or 0 */
	uint64_t catch_up_since; /* sequence when the last one began */
	uint64_t session;
	bool session_open;
	struct helper helper;
	struct cells cells;
	struct patches patches;
	provider_id provider;  /* of the runtime's events, once seen */
	uint32_t nodes_proven; /* see versions.h */
	uint64_t states_hash;  /* see versions.c: on 8 only */
	uint64_t counting_allocator; /* see tiers.c: a loader allocator */
	uint64_t counting_hash;	     /* and the hash in it, known to be readable */
	struct compiler compilers[HOOK_COMPILERS];
	get_dispenser get_dispenser; /* NULL: metadata cannot be read aside */
	struct table scope_numbers; /* module id → index in `scopes` + 1 */
	struct metadata_import *scopes[HOOK_SCOPES]; /* of modules that stay: see scope.h */
	uint32_t scopes_used;
	struct table image_numbers; /* module id → index in `image_metadata` + 1 */
	struct metadata *image_metadata; /* HOOK_SCOPES of them: see image_names.h */
	uint32_t images_opened;
	struct naming *namings; /* HOOK_NAMINGS of them: see naming.h */
	uint32_t naming_taken[HOOK_NAMINGS];
	uint16_t runtime_major;
};

/* Which of so many slots a thread uses; others may use it too.  Thread pointers lie in the
 * threads' stacks, far from each other. */
static inline uint32_t hook__slot_of(uintptr_t thread, uint32_t slots)
{
	return (uint32_t)((thread >> 12 ^ thread >> 20) % slots);
}

static inline void hook__count(struct hook *hook, enum ts_hook_counter counter)
{
	journal__count(&hook->journal, counter, 1);
}

/* Counts a failed runtime call; true when it failed. */
static inline bool hook__failed(struct hook *hook, hresult result)
{
	if (!FAILED(result))
		return false;
	hook__count(hook, TS_HOOK_API_FAILED);
	return true;
}

/* Ends, however they were told of; they wait for a question of a catch-up. */
void deliver__module_unloaded(struct hook *hook, module_id module);
void deliver__method_unloaded(struct hook *hook, function_id function, uint64_t start);

/* The one callback object (ICorProfilerCallback .. 11), for the class factory. */
hresult hook__query_callback(const struct guid *iid, void **ret_object);

/* The body of one EventPipe event. */
void deliver__event(struct hook *hook, provider_id provider, uint32_t event,
		    uint32_t version, const uint8_t *payload, uint32_t size);

#endif /* TIERSCOPE_HOOK_HOOK_H */
