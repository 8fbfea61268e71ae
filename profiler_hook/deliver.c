/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * From an event to a body.  Runs on the thread that compiled, after the code is
 * final and before any caller can reach it, with the method's JIT lock held: no
 * locks, no waiting, no allocation here.
 */
#include "hook.h"

#include "asking.h"
#include "bodies.h"
#include "catch_up.h"
#include "describe.h"
#include "events.h"
#include "modules.h"
#include "names.h"
#include "probes.h"
#include "shape.h"
#include "versions.h"

#define ARGUMENTS_BYTES 4096

/* The only provider in the session whose events are decoded. */
static const uint16_t provider_name[] = u"Microsoft-Windows-DotNETRuntime";
#define PROVIDER_UNITS (sizeof(provider_name) / sizeof(provider_name[0]))

static bool is_runtime_provider(struct hook *hook, provider_id provider)
{
	uint16_t name[PROVIDER_UNITS + 1];
	uint32_t length = 0;

	if (__atomic_load_n(&hook->provider, __ATOMIC_RELAXED) == provider)
		return true;
	if (hook__failed(hook, hook->info->table->event_pipe_get_provider_info(
				       hook->info, provider, PROVIDER_UNITS + 1,
				       &length, name)) ||
	    length != PROVIDER_UNITS ||
	    memcmp(name, provider_name, sizeof(provider_name)))
		return false;
	__atomic_store_n(&hook->provider, provider, __ATOMIC_RELAXED);
	return true;
}

static void describe(struct hook *hook, const struct method_event *event,
		     struct ts_journal_record *draft)
{
	struct native_version version, *known = NULL;

	draft->function_id = event->function_id;
	draft->module_id = event->module_id;
	draft->start = event->start;
	draft->size = event->size;
	draft->token = event->token;
	draft->tier = METHOD_FLAG_TIER(event->flags);
	draft->native_version = (uint32_t)event->native_version;
	draft->osr_il_offset = TS_NO_IL_OFFSET;
	draft->flags =
		(event->flags & METHOD_FLAG_DYNAMIC ? TS_RECORD_DYNAMIC : 0) |
		(event->flags & METHOD_FLAG_GENERIC ? TS_RECORD_GENERIC : 0) |
		(event->flags & METHOD_FLAG_SHARED_GENERIC ? TS_RECORD_SHARED_GENERIC
							   : 0);
	if (event->native_version) {
		versions__prepare(hook, event->module_id);
		if (!versions__find_live(hook, event->function_id, event->start,
					 (uint32_t)event->native_version, &version)) {
			known = &version;
			draft->osr_il_offset = version.osr_il_offset;
		}
		describe__rejit_id(hook, draft, known);
	}
	/* The runtime holds this code for its caller right now: a plain load is safe,
	 * and ten times cheaper than a call of the kernel. */
	describe__shape(hook, draft, known, (const uint8_t *)(uintptr_t)event->start,
			event->size < SHAPE_BYTES ? event->size : SHAPE_BYTES);
}

static void method_loaded(struct hook *hook, const struct method_event *event)
{
	char bytes[ARGUMENTS_BYTES];
	struct name arguments = {bytes, 0, sizeof(bytes), false, NULL};
	struct ts_journal_record draft = {0};
	struct text text = {.parts_count = 4};

	describe(hook, event, &draft);
	if (draft.flags & TS_RECORD_GENERIC)
		names__append_method_arguments(hook, event->function_id, &arguments);
	if (arguments.cut)
		draft.flags |= TS_RECORD_TEXT_CUT;
	text.parts[0] = text_part__utf16(event->type);
	text.parts[1] = text_part__utf16(event->method);
	text.parts[2] = text_part__utf16(event->signature);
	text.parts[3] = text_part__utf8(bytes, arguments.size);
	(void)modules__add_body(hook, &draft, &text);
}

void deliver__module_unloaded(struct hook *hook, module_id module)
{
	if (catch_up__is_running(hook) && modules__may_free_code(hook, module))
		asking__wait_for_module(hook, module);
	modules__unloaded(hook, module);
}

void deliver__method_unloaded(struct hook *hook, function_id function, uint64_t start)
{
	struct ts_journal_record *record;

	if (catch_up__is_running(hook))
		asking__wait_for_function(hook, function);
	record = bodies__find(hook, start);
	if (record && record->function_id == function)
		(void)bodies__remove(hook, record, record->sequence);
}

static int tell_tiering(struct hook *hook, uint32_t event, const uint8_t *payload,
			uint32_t size)
{
	__u64 *told = &hook->journal.header->counters[TS_HOOK_TIERING];
	struct tiering_event tiering;
	int err = events__decode_tiering(payload, size, event, &tiering);

	if (!err)
		probes__tiering(__atomic_add_fetch(told, 1, __ATOMIC_RELAXED), &tiering);
	return err;
}

static int take_method(struct hook *hook, uint32_t event, uint32_t version,
		       const uint8_t *payload, uint32_t size)
{
	struct method_event method;
	int err = events__decode_method(payload, size, version, &method);

	if (err)
		return err;
	if (event == EVENT_METHOD_LOAD_VERBOSE)
		method_loaded(hook, &method);
	else
		deliver__method_unloaded(hook, method.function_id, method.start);
	return 0;
}

static int take_module(struct hook *hook, uint32_t event, const uint8_t *payload,
		       uint32_t size)
{
	struct module_event module;
	int err = events__decode_module(payload, size, &module);

	if (err)
		return err;
	if (event == EVENT_MODULE_LOAD)
		modules__loaded(hook, &module);
	else
		deliver__module_unloaded(hook, module.module_id);
	return 0;
}

void deliver__event(struct hook *hook, provider_id provider, uint32_t event,
		    uint32_t version, const uint8_t *payload, uint32_t size)
{
	int err;

	hook__count(hook, TS_HOOK_EVENTS);
	if (!is_runtime_provider(hook, provider))
		return;
	switch (event) {
	case EVENT_METHOD_LOAD_VERBOSE:
	case EVENT_METHOD_UNLOAD_VERBOSE:
		err = take_method(hook, event, version, payload, size);
		break;
	case EVENT_MODULE_LOAD:
	case EVENT_MODULE_UNLOAD:
		err = take_module(hook, event, payload, size);
		break;
	case EVENT_TIERING_PAUSE:
	case EVENT_TIERING_RESUME:
	case EVENT_BACKGROUND_JIT_START:
	case EVENT_BACKGROUND_JIT_STOP:
		err = tell_tiering(hook, event, payload, size);
		break;
	default:
		return;
	}
	if (err)
		hook__count(hook, TS_HOOK_BAD_EVENT);
}
