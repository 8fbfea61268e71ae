// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// JSON into a buffer: see json_writer.h.
#include "json_writer.h"

#include "../base/text.h"

#include <errno.h>

void json_writer__init(struct json_writer *json, struct buf *buf)
{
	*json = (struct json_writer){.buf = buf};
}

int json_writer__finish(struct json_writer *json)
{
	if (json->depth || !json->started)
		json->misused = true;
	return json->misused ? -EINVAL : 0;
}

/* Comma and name of the next value; false if it does not fit here. */
static bool begin_value(struct json_writer *json, const char *name)
{
	bool in_object = json->depth && json->close[json->depth - 1] == '}';
	bool second_root = !json->depth && json->started;

	if (json->misused || in_object != (name != NULL) || second_root) {
		json->misused = true;
		return false;
	}
	if (json->started)
		buf__append_char(json->buf, ',');
	if (json->line)
		buf__append_char(json->buf, '\n');
	json->started = true;
	json->line = false;
	if (name) {
		buf__append_char(json->buf, '"');
		text__append_json(json->buf, name);
		buf__append(json->buf, "\":", 2);
	}
	return true;
}

static void open_level(struct json_writer *json, const char *name, char open,
		       char close)
{
	if (json->depth == JSON_WRITER_DEPTH)
		json->misused = true;
	if (!begin_value(json, name))
		return;
	buf__append_char(json->buf, open);
	json->close[json->depth++] = close;
	json->started = false;
}

void json_writer__object(struct json_writer *json, const char *name)
{
	open_level(json, name, '{', '}');
}

void json_writer__array(struct json_writer *json, const char *name)
{
	open_level(json, name, '[', ']');
}

void json_writer__end(struct json_writer *json)
{
	if (!json->depth)
		json->misused = true;
	if (json->misused)
		return;
	buf__append_char(json->buf, json->close[--json->depth]);
	json->started = true;
}

void json_writer__string(struct json_writer *json, const char *name, const char *text)
{
	if (!text) {
		json_writer__null(json, name);
		return;
	}
	if (!begin_value(json, name))
		return;
	buf__append_char(json->buf, '"');
	text__append_json(json->buf, text);
	buf__append_char(json->buf, '"');
}

/* By hand: a page of a million samples holds millions of small numbers. */
static void append_digits(struct buf *buf, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	buf__append(buf, digits + at, sizeof(digits) - at);
}

void json_writer__number(struct json_writer *json, const char *name, uint64_t number)
{
	if (begin_value(json, name))
		append_digits(json->buf, number);
}

void json_writer__signed(struct json_writer *json, const char *name, int64_t number)
{
	if (!begin_value(json, name))
		return;
	if (number < 0)
		buf__append_char(json->buf, '-');
	append_digits(json->buf, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

void json_writer__hex(struct json_writer *json, const char *name, uint64_t number)
{
	if (begin_value(json, name))
		buf__printf(json->buf, "\"0x%llx\"", (unsigned long long)number);
}

void json_writer__bool(struct json_writer *json, const char *name, bool value)
{
	if (begin_value(json, name))
		buf__append_string(json->buf, value ? "true" : "false");
}

void json_writer__null(struct json_writer *json, const char *name)
{
	if (begin_value(json, name))
		buf__append(json->buf, "null", 4);
}

void json_writer__line(struct json_writer *json)
{
	json->line = true;
}
