/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/* What the program asks for, on any thread; results are the runtime's. */
#include "precompiled.h"
#include "rejit.h"

#include <pthread.h>

#define BLOCK_INLINING 1u /* COR_PRF_REJIT_FLAGS */

struct request {
	hresult (*run)(const struct request *request);
	const char *module;
	uint32_t token;
	const char *path;
	hresult result;
	bool done;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct request *asked;
static bool has_thread;

/* The thread that asks the runtime. */
static void *serve(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&lock);
	while (true) {
		struct request *request = asked;

		if (!request) {
			pthread_cond_wait(&changed, &lock);
			continue;
		}
		pthread_mutex_unlock(&lock);
		request->result = request->run(request);
		pthread_mutex_lock(&lock);
		request->done = true;
		asked = NULL;
		pthread_cond_broadcast(&changed);
	}
	return NULL;
}

static hresult ask(struct request *request)
{
	pthread_t thread;

	pthread_mutex_lock(&lock);
	if (!has_thread && pthread_create(&thread, NULL, serve, NULL))
		give_up("no thread");
	has_thread = true;
	while (asked)
		pthread_cond_wait(&changed, &lock);
	asked = request;
	pthread_cond_broadcast(&changed);
	while (!request->done)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	return request->result;
}

static hresult run_request(const struct request *request)
{
	module_id ids[MODULES];
	uint32_t count = modules__find(request->module, ids), tokens[MODULES];

	for (uint32_t i = 0; i < count; i++)
		tokens[i] = request->token;
	return count ? rejit_info->table->request_rejit(rejit_info, count, ids, tokens)
		     : E_FAIL;
}

static hresult run_request_with_inliners(const struct request *request)
{
	module_id ids[MODULES];
	uint32_t count = modules__find(request->module, ids), token = request->token;

	return count == 1 ? rejit_info->table->request_rejit_with_inliners(
				    rejit_info, BLOCK_INLINING, 1, ids, &token)
			  : E_FAIL;
}

static hresult run_revert(const struct request *request)
{
	module_id ids[MODULES];
	uint32_t count = modules__find(request->module, ids), tokens[MODULES];
	hresult results[MODULES], result;

	for (uint32_t i = 0; i < count; i++)
		tokens[i] = request->token;
	if (!count)
		return E_FAIL;
	result = rejit_info->table->request_revert(rejit_info, count, ids, tokens, results);
	return FAILED(result) ? result : results[0];
}

/* Into which precompiled methods those that were changed were inlined. */
static void dump_inliners(FILE *out)
{
	static struct module there[MODULES];
	static struct change asked_for[CHANGES];
	uint32_t count = modules__copy(there), changes = changes__copy(asked_for);

	for (uint32_t i = 0; i < changes; i++) {
		module_id ids[MODULES];
		uint32_t inlinees = modules__find(asked_for[i].module, ids);

		for (uint32_t j = 0; j < count; j++)
			for (uint32_t k = 0; k < inlinees; k++)
				precompiled__dump_inliners(out, runtime_info, there[j].id,
							   ids[k], asked_for[i].module,
							   asked_for[i].token);
	}
}

static hresult run_dump(const struct request *request)
{
	FILE *out = fopen(request->path, "w");

	if (!out)
		return E_FAIL;
	bodies__dump(out);
	dump_inliners(out);
	precompiled__dump_found(out, runtime_info);
	fclose(out);
	return S_OK;
}

EXPORT hresult rejit__request(const char *module, uint32_t token, uint32_t value);
EXPORT hresult rejit__request_with_inliners(const char *module, uint32_t token,
					    uint32_t value);
EXPORT hresult rejit__refuse(const char *module, uint32_t token);
EXPORT hresult rejit__prepare(const char *module, uint32_t token, uint32_t value);
EXPORT hresult rejit__revert(const char *module, uint32_t token);
EXPORT hresult rejit__dump(const char *path);

static void set_change(const char *module, uint32_t token, uint32_t value, bool refuse,
		       bool early)
{
	struct change change = {
		.token = token, .value = value, .refuse = refuse, .early = early};

	snprintf(change.module, sizeof(change.module), "%s", module);
	changes__add(&change);
}

hresult rejit__request(const char *module, uint32_t token, uint32_t value)
{
	struct request request = {.run = run_request, .module = module, .token = token};

	set_change(module, token, value, false, false);
	return ask(&request);
}

hresult rejit__request_with_inliners(const char *module, uint32_t token, uint32_t value)
{
	struct request request = {
		.run = run_request_with_inliners, .module = module, .token = token};

	set_change(module, token, value, false, false);
	return ask(&request);
}

/* The request is granted, and its IL refused when the runtime asks for it. */
hresult rejit__refuse(const char *module, uint32_t token)
{
	struct request request = {.run = run_request, .module = module, .token = token};

	set_change(module, token, SAME_IL, true, false);
	return ask(&request);
}

/* Asks when a module of that name is loaded. */
hresult rejit__prepare(const char *module, uint32_t token, uint32_t value)
{
	set_change(module, token, value, false, true);
	return S_OK;
}

hresult rejit__revert(const char *module, uint32_t token)
{
	struct request request = {.run = run_revert, .module = module, .token = token};

	return ask(&request);
}

/* Every body, by ReJITID, of the functions that were compiled for a ReJIT, and the
 * precompiled methods that have inlined the ones that were changed. */
hresult rejit__dump(const char *path)
{
	struct request request = {.run = run_dump, .path = path};

	return ask(&request);
}
