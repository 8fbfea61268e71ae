/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * A main profiler for tests: asks for ReJIT where the program that it is loaded into
 * tells it to, through the exports rejit__*.
 *
 *   program ──► requests.c ──► changes.c ◄── callbacks.c ◄── runtime
 *                   │                             │
 *                   └──► bodies.c, precompiled.c ◄┘   what the runtime says, as JSON
 *
 * New IL is the old one with another number in the place of a marker, so that what a
 * method returns says which IL it ran.  Requests are made on a thread of its own: the
 * runtime refuses them on threads that come from managed code.
 *
 * It is loaded by tests alone: what cannot go on ends the process.  All functions can be
 * called on any thread.
 */
#ifndef TIERSCOPE_TESTS_REJIT_REJIT_H
#define TIERSCOPE_TESTS_REJIT_REJIT_H

#include "../../profiler_hook/corprof.h"

#include <stdio.h>

#define EXPORT	   __attribute__((visibility("default")))
#define SAME_IL	   0 /* a value: the new IL is the old one */
#define BROKEN_IL  1 /* a value: no compiler takes the new IL */
#define MODULES	   512
#define CHANGES	   64
#define NAME_UNITS 512

/* Another view of the hook's struct profiler_info: the slots that only we call. */
struct rejit_info;

struct rejit_info_table {
	const void *unused_0_to_21[22];
	hresult (*get_il_function_body)(struct rejit_info *self, module_id module,
					metadata_token token, const uint8_t **ret_body,
					uint32_t *ret_size);
	const void *unused_23_to_72[50];
	hresult (*request_rejit)(struct rejit_info *self, uint32_t count,
				 const module_id *modules, const metadata_token *tokens);
	hresult (*request_revert)(struct rejit_info *self, uint32_t count,
				  const module_id *modules, const metadata_token *tokens,
				  hresult *ret_results);
	const void *unused_75_to_76[2];
	hresult (*get_rejit_ids)(struct rejit_info *self, function_id function,
				 uint32_t capacity, uint32_t *ret_count,
				 rejit_id *ret_ids);
	const void *unused_78_to_95[18];
	hresult (*request_rejit_with_inliners)(struct rejit_info *self, uint32_t flags,
					       uint32_t count, const module_id *modules,
					       const metadata_token *tokens);
};

struct rejit_info {
	const struct rejit_info_table *table;
};

ASSERT_SLOT(struct rejit_info_table, get_il_function_body, 22);
ASSERT_SLOT(struct rejit_info_table, request_rejit, 73);
ASSERT_SLOT(struct rejit_info_table, get_rejit_ids, 77);
ASSERT_SLOT(struct rejit_info_table, request_rejit_with_inliners, 96);

/* The runtime's, of one and the same object; there from Initialize on. */
extern struct profiler_info *runtime_info;
extern struct rejit_info *rejit_info;

void give_up(const char *why) __attribute__((noreturn));
/* Before anything is told; NULL: nobody wants to know. */
void tell_to(const char *path);
/* One line of JSON. */
void tell(const char *event, uint64_t function, uint64_t rejit, hresult result);

struct module {
	module_id id;
	char name[NAME_UNITS]; /* without its folder */
};

/* What a method is to become; the newest of a method counts. */
struct change {
	char module[NAME_UNITS];
	uint32_t token;
	uint32_t value;
	bool refuse; /* GetReJITParameters fails */
	bool early;  /* asked for as soon as its module is there */
};

/* A module that is loaded; early changes of it are asked for. */
void modules__add(module_id id);
/* All of that name, of which ret_ids has MODULES: an assembly may be there twice. */
uint32_t modules__find(const char *name, module_id *ret_ids);
uint32_t modules__copy(struct module ret_modules[MODULES]);
void changes__add(const struct change *change);
bool changes__find(module_id module, uint32_t token, struct change *ret_change);
uint32_t changes__copy(struct change ret_changes[CHANGES]);

/* A function was compiled for a ReJIT. */
void bodies__add_function(function_id function);
/* Of all such functions every body, by ReJITID, a line of JSON each. */
void bodies__dump(FILE *out);

#endif /* TIERSCOPE_TESTS_REJIT_REJIT_H */
