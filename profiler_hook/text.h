/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Strings on their way into the journal: UTF-16 from the runtime becomes UTF-8,
 * each lone surrogate U+FFFD, cut between characters when too long.  Pure.
 */
#ifndef TIERSCOPE_HOOK_TEXT_H
#define TIERSCOPE_HOOK_TEXT_H

#include "events.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One string of a text: UTF-16 when `utf16.bytes` is set, else UTF-8. */
struct text_part {
	struct utf16 utf16;
	const char *utf8;
	size_t utf8_size;
};

#define TEXT_PARTS_MAX 4

/* Up to four strings, each to be ended by NUL. */
struct text {
	struct text_part parts[TEXT_PARTS_MAX];
	unsigned int parts_count;
};

static inline struct text_part text_part__utf16(struct utf16 string)
{
	return (struct text_part){.utf16 = string};
}

static inline struct text_part text_part__utf8(const char *string, size_t size)
{
	return (struct text_part){.utf8 = string, .utf8_size = size};
}

/* How the bytes of a text are shared out; see text__plan. */
struct text_plan {
	uint32_t part_bytes[TEXT_PARTS_MAX]; /* NULs not counted */
	uint32_t bytes;			     /* of all, NULs counted */
	bool cut;
};

/*
 * Measures `text` against a budget of `bytes_max`.  When it does not fit, the
 * parts are served in the order 1, 0, 3, 2: of a code body the method's name
 * comes first, its signature last.
 */
struct text_plan text__plan(const struct text *text, uint32_t bytes_max);

/* Writes plan->bytes bytes. */
void text__write(const struct text *text, const struct text_plan *plan,
		 char *ret_bytes);

/* Whether `bytes` holds just what text__write would write. */
bool text__equals(const struct text *text, const struct text_plan *plan,
		  const char *bytes);

/* Converts into a buffer of `capacity` > 0 bytes; returns bytes without NUL. */
size_t text__convert(struct utf16 string, char *ret_bytes, size_t capacity);

#endif /* TIERSCOPE_HOOK_TEXT_H */
