/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/* What the runtime says of the bodies of functions that were compiled for a ReJIT. */
#include "rejit.h"

#include <inttypes.h>
#include <pthread.h>

#define FUNCTIONS 256
#define IDS	  256

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static function_id functions[FUNCTIONS];
static unsigned int functions_count;

void bodies__add_function(function_id function)
{
	bool known = false;

	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < functions_count; i++)
		known |= functions[i] == function;
	if (!known && functions_count == FUNCTIONS)
		give_up("too many functions");
	if (!known)
		functions[functions_count++] = function;
	pthread_mutex_unlock(&lock);
}

static void dump_version(FILE *out, function_id function, rejit_id rejit)
{
	uintptr_t starts[IDS];
	uint32_t count = 0;

	if (FAILED(runtime_info->table->get_native_code_start_addresses(
		    runtime_info, function, rejit, IDS, &count, starts)))
		return;
	for (uint32_t i = 0; i < count && i < IDS; i++) {
		struct code_info region = {0, 0};
		uint32_t regions = 0;

		/* An error where there is more than one region; the first is there. */
		(void)runtime_info->table->get_code_info4(runtime_info, starts[i], 1,
							  &regions, &region);
		fprintf(out,
			"{\"event\": \"body\", \"function_id\": \"0x%" PRIxPTR
			"\", \"rejit_id\": %" PRIuPTR ", \"start\": \"0x%" PRIxPTR
			"\", \"size\": %zu}\n",
			function, rejit, starts[i], region.size);
	}
}

static void dump_function(FILE *out, uintptr_t function)
{
	uintptr_t ids[IDS];
	uint32_t count = 0;
	bool original = false;

	if (FAILED(rejit_info->table->get_rejit_ids(rejit_info, function, IDS, &count,
						    ids)))
		give_up("GetReJITIDs failed");
	for (uint32_t i = 0; i < count && i < IDS; i++) {
		original |= !ids[i];
		dump_version(out, function, ids[i]);
	}
	if (!original)
		dump_version(out, function, 0);
}

void bodies__dump(FILE *out)
{
	function_id dumped[FUNCTIONS];
	unsigned int count;

	pthread_mutex_lock(&lock);
	count = functions_count;
	memcpy(dumped, functions, sizeof(dumped));
	pthread_mutex_unlock(&lock);
	for (unsigned int i = 0; i < count; i++)
		dump_function(out, dumped[i]);
}
