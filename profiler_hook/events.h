/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Decodes the payloads of the runtime's own events (provider
 * Microsoft-Windows-DotNETRuntime).  Pure: touches nothing but the bytes it is
 * given, believes no length, and allocates nothing.
 */
#ifndef TIERSCOPE_HOOK_EVENTS_H
#define TIERSCOPE_HOOK_EVENTS_H

#include <stddef.h>
#include <stdint.h>

enum runtime_event {
	EVENT_METHOD_LOAD_VERBOSE = 143,
	EVENT_METHOD_UNLOAD_VERBOSE = 144,
	EVENT_MODULE_LOAD = 152,
	EVENT_MODULE_UNLOAD = 153,
	EVENT_TIERING_PAUSE = 281,
	EVENT_TIERING_RESUME = 282,
	EVENT_BACKGROUND_JIT_START = 283,
	EVENT_BACKGROUND_JIT_STOP = 284,
};

/* MethodFlags (dotnet/runtime src/coreclr/inc/eventtracebase.h, v8 to v10). */
#define METHOD_FLAG_DYNAMIC	   0x1u
#define METHOD_FLAG_GENERIC	   0x2u
#define METHOD_FLAG_SHARED_GENERIC 0x4u
#define METHOD_FLAG_TIER(flags)	   ((flags) >> 7 & 7u)

/* A UTF-16 string inside a payload, little endian, perhaps unaligned, its NUL
 * not counted. */
struct utf16 {
	const uint8_t *bytes;
	size_t units;
};

struct method_event {
	uint64_t function_id;
	uint64_t module_id;
	uint64_t start;
	uint32_t size;
	uint32_t token;
	uint32_t flags;
	/* Sent in a field that is called ReJITID; 0 is the default version. */
	uint64_t native_version;
	struct utf16 type;
	struct utf16 method;
	struct utf16 signature;
};

struct module_event {
	uint64_t module_id;
	uint64_t assembly_id;
	uint32_t flags;
	struct utf16 path;
};

struct tiering_event {
	uint32_t kind; /* enum ts_tiering_kind */
	uint32_t pending;
	uint32_t new_methods;
	uint32_t compiled;
};

/*
 * 0, or -EBADMSG when the payload ends too early.  `version` is the event's
 * version; strings point into the payload.
 */
int events__decode_method(const uint8_t *payload, size_t size, uint32_t version,
			  struct method_event *ret_event);
int events__decode_module(const uint8_t *payload, size_t size,
			  struct module_event *ret_event);
/* -EINVAL for a number that is none of tiering. */
int events__decode_tiering(const uint8_t *payload, size_t size, uint32_t number,
			   struct tiering_event *ret_event);

#endif /* TIERSCOPE_HOOK_EVENTS_H */
