/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * What the full-screen view knows of a recording while it is made.  Self comes from the
 * tables of `stat`; total, who is on the stack, from the samples before they are dropped.
 * One thread at a time; what it gives away needs it no more.
 */
#ifndef TIERSCOPE_TOP_TOP_H
#define TIERSCOPE_TOP_TOP_H

#include "snapshot.h"

struct top;

struct top *top__new(void);
void top__free(struct top *top);
/* Takes the model's new samples; to be called before they are dropped. */
void top__step(struct top *top, const struct model *model);
/* Ends an interval, in which it was stepped; the caller frees. */
struct top_snapshot *top__look(struct top *top, const struct model *model,
			       const struct top_session *session, uint64_t from_ns,
			       uint64_t to_ns);
/* A row's versions, with the last interval's samples, and its stacks; the caller frees. */
struct top_details *top__details(const struct top *top, const struct model *model,
				 const struct top_key *key, uint32_t event,
				 uint64_t now_ns);

/*
 * Before a sweep of the model: marks what its rows, stacks and changes tell of, and the row
 * that is looked at (NULL: none); and what goes is forgotten.
 */
void top__mark(const struct top *top, const struct model *model, const struct top_key *key,
	       struct model_marks *marks);
void top__forget(struct top *top, const struct model_marks *marks);

#endif /* TIERSCOPE_TOP_TOP_H */
