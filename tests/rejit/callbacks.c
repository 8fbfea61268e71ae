/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/* What the runtime calls: the class factory, and the callbacks of a main profiler. */
#include "precompiled.h"
#include "rejit.h"

#include <stdlib.h>

#define MARKER	     0x5eed1e55u /* in the methods' IL, for another number */
#define ENABLE_REJIT 0x40000u

static const uint8_t our_clsid[16] = {0x02, 0xe0, 0x09, 0x5c, 0x52, 0x3b, 0x64, 0x4d,
				      0x9c, 0x1e, 0x7e, 0x1d, 0x5c, 0x09, 0xe0, 0x01};

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

static int32_t is_complete; /* all modules that are there are known */

EXPORT int32_t rejit__is_there(void);

/* Whether the library is a profiler already: it may be attached late. */
int32_t rejit__is_there(void)
{
	return __atomic_load_n(&is_complete, __ATOMIC_ACQUIRE);
}

/* With this it is a bystander: one more notification profiler. */
static bool is_notification(void)
{
	return getenv("REJIT_NOTIFICATION") != NULL;
}

static hresult start(struct unknown *unknown)
{
	if (FAILED(unknown->table->query_interface(unknown, &iid_profiler_info12,
						   (void **)&runtime_info)))
		give_up("no ICorProfilerInfo12");
	rejit_info = (struct rejit_info *)(void *)runtime_info;
	tell_to(getenv("REJIT_EVENTS"));
	if (is_notification())
		return runtime_info->table->set_event_mask2(runtime_info,
							    MONITOR_MODULE_LOADS, 0);
	/* Callbacks of a ReJIT come to who wants those of the JIT. */
	return runtime_info->table->set_event_mask2(
		runtime_info, MONITOR_MODULE_LOADS | MONITOR_JIT_COMPILATION | ENABLE_REJIT |
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
	if (FAILED(runtime_info->table->enum_modules(runtime_info, &there)))
		give_up("EnumModules failed");
	while (there->table->next(there, 1, &id, &fetched) == S_OK && fetched)
		modules__add(id);
	unknown__release(there);
	__atomic_store_n(&is_complete, 1, __ATOMIC_RELEASE);
	return S_OK;
}

static hresult ModuleLoadFinished(void *self, uintptr_t module, hresult result)
{
	(void)self;
	if (!FAILED(result))
		modules__add(module);
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
	if (!changes__find(module, token, &change))
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

static hresult ReJITCompilationFinished(void *self, uintptr_t function, uintptr_t rejit,
					hresult result, int32_t safe)
{
	(void)self;
	(void)safe;
	bodies__add_function(function);
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
