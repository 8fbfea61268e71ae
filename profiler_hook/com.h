/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The little of COM that CoreCLR speaks on Linux x86-64: GUIDs in memory
 * order, 32-bit results, plain C calling convention, UTF-16 strings.
 */
#ifndef TIERSCOPE_HOOK_COM_H
#define TIERSCOPE_HOOK_COM_H

#include "../abi/journal.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef int32_t hresult;

#define S_OK			  ((hresult)0)
#define S_FALSE			  ((hresult)1)
#define E_NOINTERFACE		  ((hresult)0x80004002)
#define E_POINTER		  ((hresult)0x80004003)
#define E_FAIL			  ((hresult)0x80004005)
#define E_INVALIDARG		  ((hresult)0x80070057)
#define CLASS_E_NOAGGREGATION	  ((hresult)0x80040110)
#define CLASS_E_CLASSNOTAVAILABLE ((hresult)0x80040111)
/* "The profiler cancelled its own load": frees the notification slot. */
#define CORPROF_E_PROFILER_CANCEL_ACTIVATION ((hresult)0x80131375)
/* The module is not loaded far enough to be asked about. */
#define CORPROF_E_DATAINCOMPLETE ((hresult)0x80131351)

/* ERROR_BUSY of Windows: a detach while somebody listens. */
#define HRESULT_BUSY ((hresult)TS_RESULT_BUSY)

#define FAILED(result) ((result) < 0)

struct guid {
	uint8_t bytes[16];
};

/* {abcdefgh-ijkl-mnop-qrst-uvwxyz...}: the first three fields little endian. */
#define GUID(a, b, c, d0, d1, d2, d3, d4, d5, d6, d7)                                  \
	{                                                                              \
		{                                                                      \
			(a) & 0xff, (a) >> 8 & 0xff, (a) >> 16 & 0xff,                 \
				(a) >> 24 & 0xff, (b)&0xff, (b) >> 8 & 0xff, (c)&0xff, \
				(c) >> 8 & 0xff, d0, d1, d2, d3, d4, d5, d6, d7        \
		}                                                                      \
	}

static inline bool guid__equals(const struct guid *a, const struct guid *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* Every interface starts with these three slots. */
struct unknown;

struct unknown_table {
	hresult (*query_interface)(struct unknown *self, const struct guid *iid,
				   void **ret_object);
	uint32_t (*add_ref)(struct unknown *self);
	uint32_t (*release)(struct unknown *self);
};

struct unknown {
	const struct unknown_table *table;
};

static inline void unknown__add_ref(void *object)
{
	struct unknown *self = object;

	self->table->add_ref(self);
}

static inline void unknown__release(void *object)
{
	struct unknown *self = object;

	if (self)
		self->table->release(self);
}

#endif /* TIERSCOPE_HOOK_COM_H */
