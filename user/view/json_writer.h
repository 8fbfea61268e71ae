/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Writes JSON straight into a buffer, so that a report of a million rows needs
 * no tree in memory.  It keeps track of the nesting itself: commas and closing
 * brackets cannot come out wrong.  A call that does not fit where the document
 * stands (a name inside an array, a value without a name inside an object, an
 * end too many) writes nothing, and finish reports it.  One thread at a time.
 */
#ifndef TIERSCOPE_VIEW_JSON_WRITER_H
#define TIERSCOPE_VIEW_JSON_WRITER_H

#include "../base/buf.h"

#include <stdbool.h>
#include <stdint.h>

#define JSON_WRITER_DEPTH 32

struct json_writer {
	struct buf *buf;	       /* borrowed */
	char close[JSON_WRITER_DEPTH]; /* '}' or ']' of each open level */
	unsigned int depth;
	bool started; /* the open level has an element */
	bool line;    /* the next value begins a line */
	bool misused;
};

void json_writer__init(struct json_writer *json, struct buf *buf);
/* 0, or -EINVAL when a call did not fit or a level is still open. */
int json_writer__finish(struct json_writer *json);

/* `name` is the member's name inside an object, NULL inside an array and for
 * the outermost value. */
void json_writer__object(struct json_writer *json, const char *name);
void json_writer__array(struct json_writer *json, const char *name);
void json_writer__end(struct json_writer *json);

/* Text is escaped; NULL is written as null. */
void json_writer__string(struct json_writer *json, const char *name, const char *text);
void json_writer__number(struct json_writer *json, const char *name, uint64_t number);
void json_writer__signed(struct json_writer *json, const char *name, int64_t number);
/* "0x1f" with the quotes: 64 bits do not fit into a JavaScript number. */
void json_writer__hex(struct json_writer *json, const char *name, uint64_t number);
void json_writer__bool(struct json_writer *json, const char *name, bool value);
void json_writer__null(struct json_writer *json, const char *name);
/* Starts the next element on a line of its own, for people and for diff. */
void json_writer__line(struct json_writer *json);

#endif /* TIERSCOPE_VIEW_JSON_WRITER_H */
