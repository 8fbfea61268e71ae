/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The callback object, and how the hook comes to life.
 *
 *   launched   Initialize: journal; callbacks, or the session where they do not
 *              suffice; no managed code has run yet
 *   attached   InitializeForAttach: journal, session
 *              ProfilerAttachComplete: catch-up
 *
 * The session is not opened in ProfilerAttachComplete: opening it runs managed
 * code, which makes a runtime thread of the caller in the middle of the callback,
 * and from then on the enumerations are refused (0x80131363, seen on 10.0.12).
 *
 * It is a notification profiler, which leaves the main slot to others.
 *
 * There is one instance per process.  A further attach is cancelled, which
 * frees the notification slot that it took; it wakes an instance that rests.
 */
#include "hook.h"

#include "callbacks.h"
#include "catch_up.h"
#include "image_names.h"
#include "memory.h"
#include "modules.h"
#include "naming.h"
#include "precompiled.h"
#include "scope.h"
#include "session.h"
#include "tiers.h"

#include "../abi/journal.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

enum instance_state {
	INSTANCE_FREE,
	INSTANCE_TAKEN,
	INSTANCE_LEAVING, /* detached: it is being taken apart */
};

/* The callback object. */
struct callback {
	struct profiler_callback callback_iface;
	struct hook hook;
	uint32_t started;  /* enum instance_state */
	uint32_t visitors; /* further attaches, inside the instance */
};

static const struct profiler_callback_table callback_table;

static struct callback the_callback = {.callback_iface = {&callback_table}};

static inline struct callback *
impl_from_profiler_callback(struct profiler_callback *self)
{
	return (struct callback *)(void *)((char *)self -
					   offsetof(struct callback, callback_iface));
}

/* --- coming to life ---------------------------------------------------------- */

/* Another profiler asked for the main slot by environment. */
static bool main_profiler_wanted(void)
{
	const char *enabled = getenv("CORECLR_ENABLE_PROFILING");

	return enabled && !strcmp(enabled, "1");
}

static void read_runtime_version(struct hook *hook)
{
	struct ts_journal_header *header = hook->journal.header;
	uint32_t type = 0;
	uint16_t instance;

	hook__failed(hook, hook->info->table->get_runtime_information(
				   hook->info, &instance, &type, &header->runtime_major,
				   &header->runtime_minor, &header->runtime_build,
				   &header->runtime_revision, 0, NULL, NULL));
	hook->runtime_major = header->runtime_major;
}

static int create_tables(struct hook *hook)
{
	int err = table__create(&hook->bodies, hook->journal.capacity);

	if (!err)
		err = table__create(&hook->texts, hook->journal.capacity);
	if (!err)
		err = table__create(&hook->dynamics, hook->journal.capacity);
	if (!err)
		err = table__create(&hook->modules, HOOK_MODULES_MAX);
	if (!err)
		err = table__create(&hook->lasting, HOOK_LASTING_MAX);
	if (!err)
		err = table__create(&hook->gone, HOOK_GONE_MAX);
	if (!err)
		err = table__create(&hook->scope_numbers, HOOK_SCOPES);
	if (!err)
		err = table__create(&hook->image_numbers, HOOK_SCOPES);
	if (err)
		return err;
	err = patches__create(&hook->patches);
	if (err)
		return err;
	hook->links = memory__map(HOOK_LINKS_MAX * sizeof(*hook->links));
	hook->namings = memory__map(HOOK_NAMINGS * sizeof(*hook->namings));
	hook->image_metadata = memory__map(HOOK_SCOPES * sizeof(*hook->image_metadata));
	return hook->links && hook->namings && hook->image_metadata ? 0 : -ENOMEM;
}

static void destroy(struct hook *hook)
{
	scope__close_all(hook);
	table__destroy(&hook->bodies);
	table__destroy(&hook->texts);
	table__destroy(&hook->dynamics);
	table__destroy(&hook->modules);
	table__destroy(&hook->lasting);
	table__destroy(&hook->gone);
	patches__destroy(&hook->patches);
	memory__unmap(hook->links, HOOK_LINKS_MAX * sizeof(*hook->links));
	memory__unmap(hook->namings, HOOK_NAMINGS * sizeof(*hook->namings));
	memory__unmap(hook->image_metadata, HOOK_SCOPES * sizeof(*hook->image_metadata));
	table__destroy(&hook->image_numbers);
	unknown__release(hook->info);
	journal__destroy(&hook->journal);
	memset(hook, 0, sizeof(*hook));
}

static hresult create(struct hook *hook, struct unknown *unknown, bool attached)
{
	hresult result;

	if (journal__exists_in_process())
		return CORPROF_E_PROFILER_CANCEL_ACTIVATION;
	result = unknown->table->query_interface(unknown, &iid_profiler_info12,
						 (void **)&hook->info);
	if (FAILED(result))
		return result;
	if (journal__create(&hook->journal, journal__wanted_bytes()) ||
	    create_tables(hook)) {
		destroy(hook);
		return E_FAIL;
	}
	hook->journal.header->attached = attached;
	hook->journal.header->main_profiler = main_profiler_wanted();
	read_runtime_version(hook);
	scope__prepare(hook);
	return S_OK;
}

/*
 * Of a launched process.  Bodies of a ReJIT come by the session only, so that is
 * opened at once where a main profiler can ask for one; and where all delays and batches
 * of tiering are wanted, which are no reason to do without bodies if it fails.  Without any
 * source the journal stays and says so: an empty one that is explained beats none.
 */
static bool start_sources(struct hook *hook)
{
	bool can = callbacks__can_replace_events(hook) && !hook->journal.header->main_profiler;
	bool callbacks = can && helper__session_delay_ms();

	if (!FAILED(callbacks__start(hook, callbacks)) && callbacks)
		return true;
	return !FAILED(session__start(hook)) ||
	       (can && !FAILED(callbacks__start(hook, true)));
}

/* --- ICorProfilerCallback .. 11 ------------------------------------------------ */

/* ICorProfilerCallback, 2, 3, ... 11 (corprof.idl). */
static const struct guid callback_iids[] = {
	GUID(0x176fbed1, 0xa55c, 0x4796, 0x98, 0xca, 0xa9, 0xda, 0x0e, 0xf8, 0x83,
	     0xe7),
	GUID(0x8a8cc829, 0xccf2, 0x49fe, 0xbb, 0xae, 0x0f, 0x02, 0x22, 0x28, 0x07,
	     0x1a),
	GUID(0x4fd2ed52, 0x7731, 0x4b8d, 0x94, 0x69, 0x03, 0xd2, 0xcc, 0x30, 0x86,
	     0xc5),
	GUID(0x7b63b2e3, 0x107d, 0x4d48, 0xb2, 0xf6, 0xf6, 0x1e, 0x22, 0x94, 0x70,
	     0xd2),
	GUID(0x8dfba405, 0x8c9f, 0x45f8, 0xbf, 0xfa, 0x83, 0xb1, 0x4c, 0xef, 0x78,
	     0xb5),
	GUID(0xfc13df4b, 0x4448, 0x4f4f, 0x95, 0x0c, 0xba, 0x8d, 0x19, 0xd0, 0x0c,
	     0x36),
	GUID(0xf76a2dba, 0x1d52, 0x4539, 0x86, 0x6c, 0x2a, 0xa5, 0x18, 0xf9, 0xef,
	     0xc3),
	GUID(0x5bed9b15, 0xc079, 0x4d47, 0xbf, 0xe2, 0x21, 0x5a, 0x14, 0x0c, 0x07,
	     0xe0),
	GUID(0x27583ec3, 0xc8f5, 0x482f, 0x80, 0x52, 0x19, 0x4b, 0x8c, 0xe4, 0x70,
	     0x5a),
	GUID(0xcec5b60e, 0xc69c, 0x495f, 0x87, 0xf6, 0x84, 0xd2, 0x8e, 0xe1, 0x6f,
	     0xfb),
	GUID(0x42350846, 0xaaed, 0x47f7, 0xb1, 0x28, 0xfd, 0x0c, 0x98, 0x88, 0x1c,
	     0xde),
};

static hresult Callback_QueryInterface(struct profiler_callback *self,
				       const struct guid *iid, void **ret_object)
{
	bool known = guid__equals(iid, &iid_unknown);

	if (!ret_object)
		return E_POINTER;
	for (size_t i = 0; i < sizeof(callback_iids) / sizeof(callback_iids[0]); i++)
		known |= guid__equals(iid, &callback_iids[i]);
	*ret_object = known ? self : NULL;
	return known ? S_OK : E_NOINTERFACE;
}

/* A static object: it is never freed, so its references are not counted. */
static uint32_t Callback_AddRef(struct profiler_callback *self)
{
	(void)self;
	return 2;
}

static uint32_t Callback_Release(struct profiler_callback *self)
{
	(void)self;
	return 1;
}

static bool take_instance(struct callback *callback)
{
	uint32_t expected = INSTANCE_FREE;

	return __atomic_compare_exchange_n(&callback->started, &expected,
					   INSTANCE_TAKEN, 0, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

/* The instance is not taken apart while a visitor is in it. */
static void wake_instance(struct callback *callback)
{
	__atomic_fetch_add(&callback->visitors, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&callback->started, __ATOMIC_SEQ_CST) == INSTANCE_TAKEN &&
	    callback->hook.helper.exists)
		helper__resume(&callback->hook);
	__atomic_fetch_sub(&callback->visitors, 1, __ATOMIC_SEQ_CST);
}

static hresult Callback_Initialize(struct profiler_callback *self, struct unknown *info)
{
	struct callback *callback = impl_from_profiler_callback(self);
	hresult result;

	if (!take_instance(callback))
		return CORPROF_E_PROFILER_CANCEL_ACTIVATION;
	result = create(&callback->hook, info, false);
	if (FAILED(result)) {
		__atomic_store_n(&callback->started, INSTANCE_FREE, __ATOMIC_RELEASE);
		return result;
	}
	if (start_sources(&callback->hook))
		session__set_live(&callback->hook);
	(void)helper__start(&callback->hook);
	return S_OK;
}

static hresult Callback_Shutdown(struct profiler_callback *self)
{
	precompiled__finish(&impl_from_profiler_callback(self)->hook);
	patches__tell_all(&impl_from_profiler_callback(self)->hook);
	return S_OK;
}

static hresult Callback_InitializeForAttach(struct profiler_callback *self,
					    struct unknown *info,
					    const void *client_data,
					    uint32_t client_data_size)
{
	struct callback *callback = impl_from_profiler_callback(self);
	hresult result;

	(void)client_data;
	(void)client_data_size;
	if (!take_instance(callback)) {
		wake_instance(callback);
		return CORPROF_E_PROFILER_CANCEL_ACTIVATION;
	}
	result = create(&callback->hook, info, true);
	if (FAILED(result)) {
		__atomic_store_n(&callback->started, INSTANCE_FREE, __ATOMIC_RELEASE);
		return result;
	}
	catch_up__begin(&callback->hook);
	if (FAILED(session__start(&callback->hook)))
		catch_up__end(&callback->hook);
	return S_OK; /* the journal's state says how that went */
}

static hresult Callback_ProfilerAttachComplete(struct profiler_callback *self)
{
	struct hook *hook = &impl_from_profiler_callback(self)->hook;

	if (hook->journal.header->state != TS_HOOK_FAILED) {
		catch_up__run(hook);
		session__set_live(hook);
	}
	(void)helper__start(hook);
	return S_OK;
}

/* No thread is inside a callback any more, nor will one come. */
static hresult Callback_ProfilerDetachSucceeded(struct profiler_callback *self)
{
	struct callback *callback = impl_from_profiler_callback(self);
	struct hook *hook = &callback->hook;

	helper__join(hook);
	__atomic_store_n(&callback->started, INSTANCE_LEAVING, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&callback->visitors, __ATOMIC_SEQ_CST))
		sched_yield();
	__atomic_store_n(&hook->journal.header->state, TS_HOOK_GONE, __ATOMIC_RELEASE);
	destroy(hook);
	__atomic_store_n(&callback->started, INSTANCE_FREE, __ATOMIC_RELEASE);
	return S_OK;
}

static hresult Callback_ModuleLoadFinished(struct profiler_callback *self,
					   module_id module, hresult result)
{
	int saved = errno;

	if (!FAILED(result))
		modules__announced(&impl_from_profiler_callback(self)->hook, module);
	errno = saved;
	return S_OK;
}

static hresult Callback_ModuleUnloadStarted(struct profiler_callback *self,
					    module_id module)
{
	int saved = errno;

	deliver__module_unloaded(&impl_from_profiler_callback(self)->hook, module);
	errno = saved;
	return S_OK;
}

static hresult Callback_JITCompilationStarted(struct profiler_callback *self,
					      function_id function,
					      int32_t is_safe_to_block)
{
	int saved = errno;

	(void)is_safe_to_block;
	patches__event(&impl_from_profiler_callback(self)->hook);
	tiers__begin(&impl_from_profiler_callback(self)->hook, function);
	errno = saved;
	return S_OK;
}

static hresult compiled(struct profiler_callback *self, function_id function,
			hresult result, bool dynamic)
{
	int saved = errno;

	patches__event(&impl_from_profiler_callback(self)->hook);
	if (!FAILED(result))
		callbacks__compiled(&impl_from_profiler_callback(self)->hook, function,
				    dynamic);
	errno = saved;
	return S_OK;
}

static hresult Callback_JITCompilationFinished(struct profiler_callback *self,
					       function_id function, hresult result,
					       int32_t is_safe_to_block)
{
	(void)is_safe_to_block;
	return compiled(self, function, result, false);
}

static hresult
Callback_JITCachedFunctionSearchFinished(struct profiler_callback *self,
					 function_id function, uint32_t result)
{
	int saved = errno;

	patches__event(&impl_from_profiler_callback(self)->hook);
	if (result == CACHED_FUNCTION_FOUND)
		precompiled__used(&impl_from_profiler_callback(self)->hook, function);
	errno = saved;
	return S_OK;
}

static hresult
Callback_DynamicMethodJITCompilationFinished(struct profiler_callback *self,
					     function_id function, hresult result,
					     int32_t is_safe_to_block)
{
	(void)is_safe_to_block;
	return compiled(self, function, result, true);
}

static hresult Callback_DynamicMethodUnloaded(struct profiler_callback *self,
					      function_id function)
{
	int saved = errno;

	callbacks__dynamic_unloaded(&impl_from_profiler_callback(self)->hook, function);
	errno = saved;
	return S_OK;
}

static hresult Callback_EventPipeEventDelivered(
	struct profiler_callback *self, provider_id provider, uint32_t event,
	uint32_t version, uint32_t metadata_size, const uint8_t *metadata,
	uint32_t payload_size, const uint8_t *payload, const struct guid *activity,
	const struct guid *related_activity, thread_id thread, uint32_t frames_count,
	const uintptr_t *frames)
{
	int saved = errno; /* the compiling thread may be about to look at its own */

	(void)metadata_size;
	(void)metadata;
	(void)activity;
	(void)related_activity;
	(void)thread;
	(void)frames_count;
	(void)frames;
	patches__event(&impl_from_profiler_callback(self)->hook);
	deliver__event(&impl_from_profiler_callback(self)->hook, provider, event,
		       version, payload, payload_size);
	helper__check_listeners(&impl_from_profiler_callback(self)->hook);
	errno = saved;
	return S_OK;
}

static hresult Callback_LoadAsNotificationOnly(struct profiler_callback *self,
					       int32_t *ret_notification_only)
{
	(void)self;
	*ret_notification_only = 1;
	return S_OK;
}

static hresult Callback_Unused(void)
{
	return S_OK;
}

static const struct profiler_callback_table callback_table = {
	.query_interface = Callback_QueryInterface,
	.add_ref = Callback_AddRef,
	.release = Callback_Release,
	.initialize = Callback_Initialize,
	.shutdown = Callback_Shutdown,
	.unused_5_to_13 = {[0 ... 8] = Callback_Unused},
	.module_load_finished = Callback_ModuleLoadFinished,
	.module_unload_started = Callback_ModuleUnloadStarted,
	.unused_16_to_22 = {[0 ... 6] = Callback_Unused},
	.jit_compilation_started = Callback_JITCompilationStarted,
	.jit_compilation_finished = Callback_JITCompilationFinished,
	.unused_25 = {Callback_Unused},
	.jit_cached_function_search_finished = Callback_JITCachedFunctionSearchFinished,
	.unused_27_to_79 = {[0 ... 52] = Callback_Unused},
	.initialize_for_attach = Callback_InitializeForAttach,
	.profiler_attach_complete = Callback_ProfilerAttachComplete,
	.profiler_detach_succeeded = Callback_ProfilerDetachSucceeded,
	.unused_83_to_92 = {[0 ... 9] = Callback_Unused},
	.dynamic_method_jit_compilation_finished =
		Callback_DynamicMethodJITCompilationFinished,
	.dynamic_method_unloaded = Callback_DynamicMethodUnloaded,
	.event_pipe_event_delivered = Callback_EventPipeEventDelivered,
	.unused_96 = {Callback_Unused},
	.load_as_notification_only = Callback_LoadAsNotificationOnly,
};

hresult hook__query_callback(const struct guid *iid, void **ret_object)
{
	return Callback_QueryInterface(&the_callback.callback_iface, iid, ret_object);
}
