/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* One event of code as a line of text, or as an object of JSON: what each kind of them tells. */
#ifndef TIERSCOPE_VIEW_EVENT_ROWS_H
#define TIERSCOPE_VIEW_EVENT_ROWS_H

#include "rejits.h"
#include "view_internal.h"

struct event {
	uint64_t time_ns;
	unsigned int kind;	/* VIEW_EVENTS_... */
	uint32_t index;		/* of body, patch, row of tiering or ReJIT's event */
};

struct event_list {
	const struct model *model;
	struct buf *buf;
	uint64_t start_ns;
	struct event *events;
	size_t count, capacity;
	string_id *names;	/* of patches: of the last body that was known of its function */
	struct rejit_event *rejits;
	uint32_t rejits_count;
};

/* Of its method; "" where it is of none. */
const char *event_row__name(const struct event_list *list, const struct event *event);
void event_row__append(const struct event_list *list, const struct event *event);
/* 0, or what the writer says. */
int event_row__write(const struct event_list *list, const struct event *event);

#endif /* TIERSCOPE_VIEW_EVENT_ROWS_H */
