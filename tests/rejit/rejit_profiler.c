/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * A main profiler for tests: asks for ReJIT where the program that it is loaded into
 * tells it to, through the exports rejit__*.
 *
 * New IL is the old one with another number in the place of MARKER, so that what a
 * method returns says which IL it ran.  Requests are made on a thread of its own: the
 * runtime refuses them on threads that come from managed code.
 *
 * It is loaded by tests alone: what cannot go on ends the process.
 */
#include "precompiled.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define EXPORT	   __attribute__((visibility("default")))
#define MARKER	   0x5eed1e55u
#define SAME_IL	   0 /* a value: the new IL is the old one */
#define BROKEN_IL  1 /* a value: no compiler takes the new IL */
#define MODULES	   512
#define CHANGES	   64
#define FUNCTIONS  256
#define IDS	   256
#define NAME_UNITS 512

#define ENABLE_REJIT   0x40000u
#define BLOCK_INLINING 1u /* COR_PRF_REJIT_FLAGS */

static const uint8_t our_clsid[16] = {0x02, 0xe0, 0x09, 0x5c, 0x52, 0x3b, 0x64, 0x4d,
				      0x9c, 0x1e, 0x7e, 0x1d, 0x5c, 0x09, 0xe0, 0x01};

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

/* ICorProfilerFunctionControl */
struct function_control;

struct function_control_table {
	const void *unused_0_to_3[4];
	hresult (*set_il_function_body)(struct function_control *self, uint32_t size,
					const uint8_t *body);
};

struct function_control {
	const struct function_control_table *table;
};

struct module {
	uintptr_t id;
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

struct request {
	hresult (*run)(const struct request *request);
	const char *module;
	uint32_t token;
	const char *path;
	hresult result;
	bool done;
};

static struct profiler_info *info;
static struct rejit_info *rejit_info; /* the same object */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct module modules[MODULES];
static struct change changes[CHANGES];
static uintptr_t functions[FUNCTIONS]; /* that were compiled for a ReJIT */
static unsigned int modules_count, changes_count, functions_count;
static struct request *asked;
static bool has_thread;
static FILE *told;
static int32_t is_complete; /* all modules that are there are known */

static void give_up(const char *why)
{
	fprintf(stderr, "rejit_profiler: %s\n", why);
	abort();
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* One line of JSON, written through at once: the program may be killed. */
static void tell(const char *event, uint64_t function, uint64_t rejit, hresult result)
{
	pthread_mutex_lock(&lock);
	if (told) {
		fprintf(told,
			"{\"event\": \"%s\", \"time_ns\": %" PRIu64
			", \"function_id\": \"0x%" PRIx64 "\", \"rejit_id\": %" PRIu64
			", \"result\": \"0x%08x\"}\n",
			event, now_ns(), function, rejit, (unsigned int)result);
		fflush(told);
	}
	pthread_mutex_unlock(&lock);
}

/* --- modules and changes ------------------------------------------------------ */

/* ASCII alone: the tests' own names. */
static void read_name(uintptr_t module, char *ret_name)
{
	uint16_t units[NAME_UNITS] = {0};
	uint32_t length = 0, at = 0;

	ret_name[0] = 0;
	if (FAILED(info->table->get_module_info2(info, module, NULL, NAME_UNITS, &length,
						 units, NULL, NULL)))
		return;
	for (uint32_t i = 0; i < NAME_UNITS - 1 && units[i]; i++) {
		ret_name[at++] = (char)units[i];
		if (units[i] == '/')
			at = 0;
	}
	ret_name[at] = 0;
}

static bool is_early(const char *module, uint32_t *ret_token)
{
	bool early = false;

	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < changes_count; i++) {
		if (changes[i].early && !strcmp(changes[i].module, module)) {
			*ret_token = changes[i].token;
			early = true;
		}
	}
	pthread_mutex_unlock(&lock);
	return early;
}

static void add_module(uintptr_t id)
{
	char name[NAME_UNITS];
	bool known = false; /* it came while they were enumerated */
	uint32_t token;

	read_name(id, name);
	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < modules_count; i++)
		known |= modules[i].id == id;
	if (!known && modules_count == MODULES)
		give_up("too many modules");
	if (!known) {
		modules[modules_count].id = id;
		strcpy(modules[modules_count++].name, name);
	}
	pthread_mutex_unlock(&lock);
	if (!known && is_early(name, &token))
		tell("requested", 0, 0,
		     rejit_info->table->request_rejit(rejit_info, 1, &id, &token));
}

/* All of that name: an assembly may be there twice. */
static uint32_t find_modules(const char *name, uintptr_t *ret_ids)
{
	uint32_t count = 0;

	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < modules_count; i++) {
		if (!strcmp(modules[i].name, name))
			ret_ids[count++] = modules[i].id;
	}
	pthread_mutex_unlock(&lock);
	return count;
}

static void add_change(const struct change *change)
{
	pthread_mutex_lock(&lock);
	if (changes_count == CHANGES)
		give_up("too many changes");
	changes[changes_count++] = *change;
	pthread_mutex_unlock(&lock);
}

static bool find_change(uintptr_t module, uint32_t token, struct change *ret_change)
{
	bool found = false;
	char name[NAME_UNITS];

	read_name(module, name);
	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < changes_count; i++) {
		if (changes[i].token == token && !strcmp(changes[i].module, name)) {
			*ret_change = changes[i];
			found = true;
		}
	}
	pthread_mutex_unlock(&lock);
	return found;
}

/* --- the thread that asks -------------------------------------------------------- */

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
	uintptr_t ids[MODULES];
	uint32_t count = find_modules(request->module, ids), tokens[MODULES];

	for (uint32_t i = 0; i < count; i++)
		tokens[i] = request->token;
	return count ? rejit_info->table->request_rejit(rejit_info, count, ids, tokens)
		     : E_FAIL;
}

static hresult run_request_with_inliners(const struct request *request)
{
	uintptr_t ids[MODULES];
	uint32_t count = find_modules(request->module, ids), token = request->token;

	return count == 1 ? rejit_info->table->request_rejit_with_inliners(
				    rejit_info, BLOCK_INLINING, 1, ids, &token)
			  : E_FAIL;
}

static hresult run_revert(const struct request *request)
{
	uintptr_t ids[MODULES];
	uint32_t count = find_modules(request->module, ids), tokens[MODULES];
	hresult results[MODULES], result;

	for (uint32_t i = 0; i < count; i++)
		tokens[i] = request->token;
	if (!count)
		return E_FAIL;
	result = rejit_info->table->request_revert(rejit_info, count, ids, tokens, results);
	return FAILED(result) ? result : results[0];
}

/* --- what the runtime says of its bodies ------------------------------------------- */

static void dump_version(FILE *out, function_id function, rejit_id rejit)
{
	uintptr_t starts[IDS];
	uint32_t count = 0;

	if (FAILED(info->table->get_native_code_start_addresses(info, function, rejit, IDS,
								&count, starts)))
		return;
	for (uint32_t i = 0; i < count && i < IDS; i++) {
		struct code_info region = {0, 0};
		uint32_t regions = 0;

		/* An error where there is more than one region; the first is there. */
		(void)info->table->get_code_info4(info, starts[i], 1, &regions, &region);
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

/* Of all methods that were changed. */
static void dump_inliners(FILE *out)
{
	static struct module there[MODULES];
	static struct change asked_for[CHANGES];
	unsigned int count, changes_there;

	pthread_mutex_lock(&lock);
	count = modules_count;
	memcpy(there, modules, sizeof(there));
	changes_there = changes_count;
	memcpy(asked_for, changes, sizeof(asked_for));
	pthread_mutex_unlock(&lock);
	for (unsigned int i = 0; i < changes_there; i++) {
		uintptr_t ids[MODULES];
		uint32_t inlinees = find_modules(asked_for[i].module, ids);

		for (unsigned int j = 0; j < count; j++)
			for (uint32_t k = 0; k < inlinees; k++)
				precompiled__dump_inliners(out, info, there[j].id, ids[k],
							   asked_for[i].module,
							   asked_for[i].token);
	}
}

static hresult run_dump(const struct request *request)
{
	FILE *out = fopen(request->path, "w");
	uintptr_t dumped[FUNCTIONS];
	unsigned int count;

	if (!out)
		return E_FAIL;
	pthread_mutex_lock(&lock);
	count = functions_count;
	memcpy(dumped, functions, sizeof(dumped));
	pthread_mutex_unlock(&lock);
	for (unsigned int i = 0; i < count; i++)
		dump_function(out, dumped[i]);
	dump_inliners(out);
	precompiled__dump_found(out, info);
	fclose(out);
	return S_OK;
}

/* --- what the program calls, on any thread; results are the runtime's -------------- */

EXPORT int32_t rejit__is_there(void);
EXPORT hresult rejit__request(const char *module, uint32_t token, uint32_t value);
EXPORT hresult rejit__request_with_inliners(const char *module, uint32_t token,
					    uint32_t value);
EXPORT hresult rejit__refuse(const char *module, uint32_t token);
EXPORT hresult rejit__prepare(const char *module, uint32_t token, uint32_t value);
EXPORT hresult rejit__revert(const char *module, uint32_t token);
EXPORT hresult rejit__dump(const char *path);

/* Whether the library is a profiler already: it may be attached late. */
int32_t rejit__is_there(void)
{
	return __atomic_load_n(&is_complete, __ATOMIC_ACQUIRE);
}

static void set_change(const char *module, uint32_t token, uint32_t value, bool refuse,
		       bool early)
{
	struct change change = {
		.token = token, .value = value, .refuse = refuse, .early = early};

	snprintf(change.module, sizeof(change.module), "%s", module);
	add_change(&change);
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

/* --- callbacks ----------------------------------------------------------------------- */

/* With this it is a bystander: one more notification profiler. */
static bool is_notification(void)
{
	return getenv("REJIT_NOTIFICATION") != NULL;
}

static hresult start(struct unknown *unknown)
{
	const char *path = getenv("REJIT_EVENTS");

	if (FAILED(unknown->table->query_interface(unknown, &iid_profiler_info12,
						   (void **)&info)))
		give_up("no ICorProfilerInfo12");
	rejit_info = (struct rejit_info *)(void *)info;
	told = path ? fopen(path, "w") : NULL;
	if (is_notification())
		return info->table->set_event_mask2(info, MONITOR_MODULE_LOADS, 0);
	/* Callbacks of a ReJIT come to who wants those of the JIT. */
	return info->table->set_event_mask2(
		info, MONITOR_MODULE_LOADS | MONITOR_JIT_COMPILATION | ENABLE_REJIT |
		(getenv("REJIT_SEARCHES") ? MONITOR_CACHE_SEARCHES : 0), 0);
}

static hresult Initialize(void *self, struct unknown *unknown)
{
	hresult result = start(unknown);

	(void)self;
	__atomic_store_n(&is_complete, 1, __ATOMIC_RELEASE);
	return result;
}

static hresult InitializeForAttach(void *self, struct unknown *unknown, const void *data,
				   uint32_t size)
{
	(void)self;
	(void)data;
	(void)size;
	return start(unknown);
}

/* Modules that were there before come by no callback. */
static hresult ProfilerAttachComplete(void *self)
{
	struct enumerator *there = NULL;
	uintptr_t id;
	uint32_t fetched = 0;

	(void)self;
	if (FAILED(info->table->enum_modules(info, &there)))
		give_up("EnumModules failed");
	while (there->table->next(there, 1, &id, &fetched) == S_OK && fetched)
		add_module(id);
	unknown__release(there);
	__atomic_store_n(&is_complete, 1, __ATOMIC_RELEASE);
	return S_OK;
}

static hresult ModuleLoadFinished(void *self, uintptr_t module, hresult result)
{
	(void)self;
	if (!FAILED(result))
		add_module(module);
	return S_OK;
}

static hresult GetReJITParameters(void *self, uintptr_t module, uint32_t token,
				  struct function_control *control)
{
	const uint32_t marker = MARKER;
	const uint8_t *body = NULL;
	struct change change = {.value = SAME_IL};
	uint32_t size = 0;
	uint8_t *il, *at;
	hresult result;

	(void)self;
	/* An inliner that is compiled again keeps its IL. */
	if (!find_change(module, token, &change))
		return S_OK;
	if (change.refuse)
		return E_FAIL;
	if (change.value == SAME_IL)
		return S_OK;
	if (FAILED(rejit_info->table->get_il_function_body(rejit_info, module, token, &body,
							   &size)))
		give_up("GetILFunctionBody failed");
	il = malloc(size);
	if (!il)
		give_up("no memory");
	memcpy(il, body, size);
	at = memmem(il, size, &marker, sizeof(marker));
	if (!at)
		give_up("the method has no marker");
	memcpy(at, &change.value, sizeof(change.value));
	if (change.value == BROKEN_IL)
		at[-1] = 0xff; /* in place of ldc.i4 */
	result = control->table->set_il_function_body(control, size, il);
	free(il);
	return result;
}

static hresult ReJITCompilationStarted(void *self, uintptr_t function, uintptr_t rejit,
				       int32_t safe)
{
	(void)self;
	(void)safe;
	tell("started", function, rejit, S_OK);
	return S_OK;
}

static void add_function(uintptr_t function)
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

static hresult ReJITCompilationFinished(void *self, uintptr_t function, uintptr_t rejit,
					hresult result, int32_t safe)
{
	(void)self;
	(void)safe;
	add_function(function);
	tell("finished", function, rejit, result);
	return S_OK;
}

static hresult ReJITError(void *self, uintptr_t module, uint32_t token, uintptr_t function,
			  hresult result)
{
	(void)self;
	(void)module;
	(void)token;
	tell("error", function, 0, result);
	return S_OK;
}

static hresult JITCachedFunctionSearchFinished(void *self, uintptr_t function, int result)
{
	(void)self;
	if (!result) /* COR_PRF_CACHED_FUNCTION_FOUND */
		precompiled__found(function);
	return S_OK;
}

static hresult LoadAsNotificationOnly(void *self, int32_t *ret_notification_only)
{
	(void)self;
	*ret_notification_only = is_notification();
	return S_OK;
}

/* In all slots that are not used: its caller cleans up whatever it passed. */
static hresult Unused(void)
{
	return S_OK;
}

static hresult QueryInterface(void *self, const struct guid *iid, void **ret_object)
{
	(void)iid;
	*ret_object = self;
	return S_OK;
}

static uint32_t CountReference(void *self)
{
	(void)self;
	return 2;
}

#define CALLBACK_SLOTS 98

/* An object that the runtime calls, as an array of slots. */
typedef void (*slot)(void);
struct object {
	const slot *slots;
};

static slot callback_slots[CALLBACK_SLOTS];
static struct object the_callback = {callback_slots};

static hresult CreateInstance(void *self, void *outer, const struct guid *iid,
			      void **ret_object)
{
	(void)self;
	(void)outer;
	for (unsigned int i = 0; i < CALLBACK_SLOTS; i++)
		callback_slots[i] = (slot)Unused;
	callback_slots[0] = (slot)QueryInterface;
	callback_slots[1] = callback_slots[2] = (slot)CountReference;
	callback_slots[3] = (slot)Initialize;
	callback_slots[14] = (slot)ModuleLoadFinished;
	callback_slots[26] = (slot)JITCachedFunctionSearchFinished;
	callback_slots[80] = (slot)InitializeForAttach;
	callback_slots[81] = (slot)ProfilerAttachComplete;
	callback_slots[83] = (slot)ReJITCompilationStarted;
	callback_slots[84] = (slot)GetReJITParameters;
	callback_slots[85] = (slot)ReJITCompilationFinished;
	callback_slots[86] = (slot)ReJITError;
	callback_slots[97] = (slot)LoadAsNotificationOnly;
	return QueryInterface(&the_callback, iid, ret_object);
}

static const slot factory_slots[] = {
	(slot)QueryInterface, (slot)CountReference, (slot)CountReference,
	(slot)CreateInstance, (slot)Unused,
};
static struct object the_factory = {factory_slots};

EXPORT hresult DllGetClassObject(const struct guid *clsid, const struct guid *iid,
				 void **ret_object);
EXPORT hresult DllCanUnloadNow(void);

hresult DllGetClassObject(const struct guid *clsid, const struct guid *iid,
			  void **ret_object)
{
	if (memcmp(clsid->bytes, our_clsid, sizeof(our_clsid)))
		return CLASS_E_CLASSNOTAVAILABLE;
	return QueryInterface(&the_factory, iid, ret_object);
}

hresult DllCanUnloadNow(void)
{
	return S_FALSE;
}
