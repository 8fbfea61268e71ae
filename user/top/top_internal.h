/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Private to the room: what is counted, and how it is copied. */
#ifndef TIERSCOPE_TOP_INTERNAL_H
#define TIERSCOPE_TOP_INTERNAL_H

#include "recent.h"
#include "top.h"

#include "../base/buf.h"

struct map;
struct stat_view;

#define TOP_NAME_BYTES 400	/* of one name */
#define TOP_CHANGES_KEPT 4096u	/* more in TOP_CHANGES_NS are not told */

struct top_counted {
	struct top_key key;
	uint64_t seen;			/* the last sample in coming; from 1 on */
	uint32_t idle;			/* intervals without a sample */
	uint32_t bodies, hottest;	/* as in struct top_row */
	uint64_t most;			/* what the hottest had */
	uint64_t coming[MODEL_EVENTS_MAX];	/* total, of the interval at hand */
	uint64_t self[MODEL_EVENTS_MAX], total[MODEL_EVENTS_MAX];	/* of the last */
	uint16_t trend[MODEL_EVENTS_MAX][TOP_TREND];
};

/* As many as had a sample in TOP_TREND intervals. */
struct top_table {
	struct map *numbers;		/* kind and process, number -> its place */
	struct top_counted *rows;
	uint32_t count, capacity;
};

struct top_born {
	uint32_t body;
	enum top_change_kind kind;
	uint64_t time_ns;
};

struct top {
	struct stat_view *stat;
	struct recent *recent[MODEL_EVENTS_MAX];	/* NULL: it had no sample */
	struct top_table tables[TOP_LEVELS];
	uint64_t samples_seen;		/* of all that the model ever had */
	uint8_t *bodies_seen;		/* [body] */
	uint32_t bodies_room;
	struct top_born changes[TOP_CHANGES_KEPT];	/* a ring */
	uint64_t changes_end;
};

struct top_key top__key(const struct model *model, uint32_t level, uint32_t process,
			uint32_t kind, uint32_t body);
/* NULL: it is not remembered. */
struct top_counted *top__find(const struct top *top, const struct top_key *key);
/* copy.c */
struct top_snapshot *top__copy(const struct top *top, const struct model *model,
			       const struct top_session *session);
/* A row out of its counts (NULL: none), with strings in the text. */
void top__fill_row(const struct model *model, const struct top_key *key,
		   const struct top_counted *counted, struct buf *text,
		   struct top_row *ret_row);
/* Where the string begins; it is escaped, and cut. */
uint32_t top__add_text(struct buf *text, const char *name);
uint32_t top__take_text(struct buf *text, struct buf *label);	/* the same; the label is freed */

#endif /* TIERSCOPE_TOP_INTERNAL_H */
