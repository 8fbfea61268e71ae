/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * What became of ReJITs, function by function, worked out of a model: no interface tells a
 * profiler beside the one that asks for them.
 *
 *   requested   a look found the IL version, which a look before had not
 *   compiled    its first body was born
 *   reverted    the runtime prefers the original again, or calls reach a body of it again,
 *               after one of the IL version
 *
 * An error is not among them: it is nothing but an IL version that never gets a body.
 */
#ifndef TIERSCOPE_VIEW_REJITS_H
#define TIERSCOPE_VIEW_REJITS_H

#include "../model/model.h"

enum rejit_event_kind {
	REJIT_REQUESTED = 0,
	REJIT_COMPILED,
	REJIT_REVERTED,
};

struct rejit_event {
	uint32_t kind;
	uint32_t process;
	uint64_t function_id;
	uint32_t rejit_id;	/* that was asked for, compiled, or left; never 0 */
	uint32_t body;		/* that was compiled, else MODEL_NONE */
	string_id name;		/* of the function */
	uint64_t window_ns[2];	/* when; [0] is 0 where nobody had looked before */
};

/* In the order of time, by the ends of windows; how many.  *ret_events belongs to the caller. */
uint32_t rejits__find(const struct model *model, struct rejit_event **ret_events);

#endif /* TIERSCOPE_VIEW_REJITS_H */
