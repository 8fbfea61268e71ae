/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * From a word of a sample to a frame of the model.  The sampler has resolved what its tables
 * knew; what it left raw is looked up here, in what was mapped at the time, and what stays
 * unknown gets a cause, never a neighbour's name.
 */
#ifndef TIERSCOPE_RECORDER_RESOLVE_H
#define TIERSCOPE_RECORDER_RESOLVE_H

#include "internal.h"

/* A frame as it was sampled: a raw address, or a word that the sampler resolved. */
struct place {
	uint64_t address, time_ns;
	const uint8_t *code;	/* the bytes around it, NULL if not sent */
	bool is_caller;		/* the byte before a return address */
};

struct resolved {
	struct model_frame frame;
	int cause;		/* enum leaf_cause, -1: it has a name */
	enum stub_kind stub;	/* STUB_NONE: none */
	bool managed;		/* in code of a method: JIT or precompiled */
	bool hijacked;		/* the caller was hidden by the runtime */
};

struct resolved resolve__frame(struct recorder *recorder, struct process *process,
			       const struct place *place);

#endif /* TIERSCOPE_RECORDER_RESOLVE_H */
