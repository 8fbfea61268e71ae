/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Reads the runtime's two spellings of a type and writes the one for people:
 *
 *   brackets, where it names a type (src/coreclr/vm/typestring.cpp):
 *     NS.Outer`1+Inner`1[System.Int32,System.__Canon][]
 *   angles, in signatures (src/coreclr/utilcode/prettyprintsig.cpp):
 *     class System.Collections.Generic.List`1<unsigned int8>&
 *
 * The text is hostile.  On the first thing that is not understood `failed` is
 * set, and the caller takes the raw spelling instead of what was written.
 */
#ifndef TIERSCOPE_NAME_PARSER_H
#define TIERSCOPE_NAME_PARSER_H

#include "../base/buf.h"

#include <stdbool.h>
#include <stddef.h>

struct name_parser {
	const char *at;
	const char *end;
	struct buf *out;
	bool angles;		/* which of the two spellings */
	bool failed;
	unsigned int depth;
};

/* One of the names of a nested type, without the `N of its own type parameters. */
struct name_segment {
	const char *text;	/* in brackets: '\' escapes the next byte */
	size_t size;
	unsigned int arity;
};

#define NAME_SEGMENTS_MAX 32

struct name_segments {
	struct name_segment list[NAME_SEGMENTS_MAX];
	unsigned int count;
};

bool name_parser__done(const struct name_parser *parser);
/* Whether that byte, or that text, is next; moves behind it if so. */
bool name_parser__take(struct name_parser *parser, const char *text);

/* One type, in C#'s words. */
void name_parser__type(struct name_parser *parser);
/* Types up to the byte `close` (0: up to the end), which is taken too, joined
 * by ", ". */
void name_parser__list(struct name_parser *parser, char close);

/* The names of a type, up to its arguments or its end; writes nothing. */
void name_parser__segments(struct name_parser *parser, struct name_segments *ret);
/* Whether a list of type arguments begins here. */
bool name_parser__lists(const struct name_parser *parser);
/* Whether another argument follows, the first of a list included. */
bool name_parser__has_argument(const struct name_parser *parser);
/* Writes the next one, behind "<" if it is the first, else behind ", ". */
void name_parser__argument(struct name_parser *parser, bool *first);
void name_parser__rest(struct name_parser *parser, bool *first);
/* Writes a name and the arguments that are its own; `last` takes all others. */
void name_parser__segment(struct name_parser *parser,
			  const struct name_segment *segment, bool listed, bool last);
/* Writes the bytes of a name, escapes taken off. */
void name_parser__plain(struct name_parser *parser, const char *text, size_t size);

#endif /* TIERSCOPE_NAME_PARSER_H */
