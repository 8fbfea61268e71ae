/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * What ran since the last look: a table of code bodies, methods or tiers, again and again.
 * It counts user-mode leaves, each sample once, so that all tables together have as many
 * samples as the recording, which may drop them meanwhile.  One thread at a time.
 */
#ifndef TIERSCOPE_VIEW_STAT_H
#define TIERSCOPE_VIEW_STAT_H

#include "deltas.h"
#include "view.h"

enum stat_by { STAT_BY_BODY, STAT_BY_METHOD, STAT_BY_TIER };
enum stat_format { STAT_TEXT, STAT_CSV, STAT_JSON };

#define STAT_SORT_NAME UINT32_MAX

struct stat_options {
	enum stat_by by;
	enum stat_format format;
	uint32_t sort;		/* index of the event, most first; or STAT_SORT_NAME */
	uint32_t top;		/* rows at most, 0 all */
};

struct stat_row {
	uint32_t process;
	uint32_t kind;		/* enum model_frame_kind; native code and so on is one row */
	uint32_t body;		/* one of them; MODEL_NONE for other kinds */
	uint32_t bodies;	/* with samples */
	uint64_t samples[MODEL_EVENTS_MAX];
};

struct stat_view {
	struct stat_options options;
	struct deltas deltas;
	bool has_begun;		/* a table was written */
	uint64_t lost_so_far;	/* as it was told last */

	/* This interval's. */
	uint64_t from_ns, to_ns;
	uint64_t samples[MODEL_EVENTS_MAX];
	uint64_t lost;		/* samples of all events, which no row has */
	struct stat_row *rows;
	uint32_t rows_count, rows_capacity;
	bool several;		/* processes have rows */
};

struct stat_view *stat_view__new(const struct stat_options *options);
void stat_view__free(struct stat_view *view);
/* Has the rows of what was added to the model since the last call, in no order. */
void stat_view__look(struct stat_view *view, const struct model *model, uint64_t from_ns,
		     uint64_t to_ns);
/* Before a sweep of the model: marks what no table had yet; and what goes is forgotten. */
void stat_view__mark(const struct stat_view *view, const struct model *model,
		     struct model_marks *marks);
void stat_view__forget(struct stat_view *view, const struct model_marks *marks);
/* Before a table: how many samples were lost since the recording began. */
void stat_view__lost(struct stat_view *view, uint64_t so_far);
/* Looks, and appends the table.  0 or -EINVAL. */
int stat_view__write(struct stat_view *view, const struct model *model, uint64_t from_ns,
		     uint64_t to_ns, struct buf *buf);

/* What one has of a body, apart from calls: whether they reach it is told of few. */
const char *stat__state(const struct model_body *body);
/* What so many samples of the event stand for, in its unit. */
uint64_t stat__count(const struct model *model, uint32_t event, uint64_t samples);
/* In per cent; 0 of nothing. */
double stat__share(uint64_t samples, uint64_t all);
/* "native", of an enum model_frame_kind. */
const char *stat__kind_name(uint32_t kind);

/* Private to the view: the table at hand, in its format. */
int stat_view__format(const struct stat_view *view, const struct model *model,
		      struct buf *buf);

#endif /* TIERSCOPE_VIEW_STAT_H */
