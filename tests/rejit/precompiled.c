/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
#include "precompiled.h"

#include <inttypes.h>
#include <pthread.h>

#define FOUND 65536

/* Another view of the hook's struct profiler_info: the slot that only we call. */
struct inliners_info;

struct inliners_info_table {
	const void *unused_0_to_82[83];
	hresult (*enum_ngen_module_methods_inlining_this_method)(
		struct inliners_info *self, module_id inliners, module_id inlinee,
		metadata_token token, int32_t *ret_incomplete,
		struct enumerator **ret_enumerator);
};

struct inliners_info {
	const struct inliners_info_table *table;
};

ASSERT_SLOT(struct inliners_info_table, enum_ngen_module_methods_inlining_this_method, 83);

/* COR_PRF_METHOD */
struct module_method {
	module_id module;
	metadata_token token;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static function_id found[FOUND];
static unsigned int found_count;

void precompiled__found(function_id function)
{
	pthread_mutex_lock(&lock);
	if (found_count < FOUND)
		found[found_count++] = function;
	pthread_mutex_unlock(&lock);
}

void precompiled__dump_found(FILE *out, struct profiler_info *info)
{
	unsigned int count;

	pthread_mutex_lock(&lock);
	count = found_count;
	pthread_mutex_unlock(&lock);
	for (unsigned int i = 0; i < count; i++) {
		module_id module = 0;
		metadata_token token = 0;

		if (FAILED(info->table->get_function_info2(info, found[i], 0, NULL, &module,
							   &token, 0, NULL, NULL)))
			continue;
		fprintf(out,
			"{\"event\": \"found\", \"function_id\": \"0x%" PRIxPTR
			"\", \"module_id\": \"0x%" PRIxPTR "\", \"token\": \"0x%08x\"}\n",
			found[i], module, token);
	}
}

void precompiled__dump_inliners(FILE *out, struct profiler_info *info, module_id inliners,
				module_id inlinee, const char *name, metadata_token token)
{
	/* The same object. */
	struct inliners_info *inliners_info = (struct inliners_info *)(void *)info;
	struct enumerator *there = NULL;
	struct module_method method;
	int32_t incomplete = 0;
	uint32_t fetched = 0;

	/* An error where the module has no precompiled code. */
	if (FAILED(inliners_info->table->enum_ngen_module_methods_inlining_this_method(
		    inliners_info, inliners, inlinee, token, &incomplete, &there)))
		return;
	while (there->table->next(there, 1, &method, &fetched) == S_OK && fetched)
		fprintf(out,
			"{\"event\": \"inliner\", \"module\": \"%s\", \"token\": \"0x%08x\", "
			"\"inliner_module_id\": \"0x%" PRIxPTR
			"\", \"inliner\": \"0x%08x\"}\n",
			name, token, method.module, method.token);
	unknown__release(there);
}
