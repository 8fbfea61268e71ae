// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * A recursive descent over the runtime's spellings of types, linear in the
 * text, no deeper than DEPTH_MAX: see name_parser.h.
 */
#include "name_parser.h"

#include "../base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32 /* of types inside types */
#define ARITY_MAX 64 /* a larger `N is not a number of type parameters */

struct spelling {
	const char *runtime;
	const char *people;
};

static const struct spelling type_words[] = {
	{"System.Boolean", "bool"},    {"System.Byte", "byte"},
	{"System.Char", "char"},       {"System.Decimal", "decimal"},
	{"System.Double", "double"},   {"System.Int16", "short"},
	{"System.Int32", "int"},       {"System.Int64", "long"},
	{"System.IntPtr", "nint"},     {"System.Object", "object"},
	{"System.SByte", "sbyte"},     {"System.Single", "float"},
	{"System.String", "string"},   {"System.UInt16", "ushort"},
	{"System.UInt32", "uint"},     {"System.UInt64", "ulong"},
	{"System.UIntPtr", "nuint"},   {"System.Void", "void"},
	{"System.__Canon", "__Canon"}, {NULL, NULL},
};

static const struct spelling signature_words[] = {
	{"bool", "bool"},	    {"float32", "float"},
	{"float64", "double"},	    {"int", "nint"},
	{"int8", "sbyte"},	    {"int16", "short"},
	{"int32", "int"},	    {"int64", "long"},
	{"object", "object"},	    {"refany", "System.TypedReference"},
	{"string", "string"},	    {"unsigned int", "nuint"},
	{"unsigned int8", "byte"},  {"unsigned int16", "ushort"},
	{"unsigned int32", "uint"}, {"unsigned int64", "ulong"},
	{"uint8", "byte"},	    {"uint16", "ushort"},
	{"uint32", "uint"},	    {"uint64", "ulong"},
	{"void", "void"},	    {"wchar", "char"},
	{"char", "char"},	    {NULL, NULL},
};

static const char *find_word(const struct spelling *words, const char *text,
			     size_t size)
{
	for (; words->runtime; words++) {
		if (strlen(words->runtime) == size &&
		    !memcmp(words->runtime, text, size))
			return words->people;
	}
	return NULL;
}

static void insert(struct buf *buf, size_t at, const char *text)
{
	size_t size = strlen(text), behind = buf->size - at;

	buf__append(buf, text, size);
	memmove(buf->data + at + size, buf->data + at, behind);
	memcpy(buf->data + at, text, size);
}

bool name_parser__done(const struct name_parser *parser)
{
	return parser->at == parser->end;
}

static char peek(const struct name_parser *parser)
{
	return parser->at < parser->end ? *parser->at : 0;
}

bool name_parser__take(struct name_parser *parser, const char *text)
{
	size_t size = strlen(text);

	if (parser->failed || (size_t)(parser->end - parser->at) < size ||
	    memcmp(parser->at, text, size))
		return false;
	parser->at += size;
	return true;
}

static void expect(struct name_parser *parser, char c)
{
	if (peek(parser) == c)
		parser->at++;
	else
		parser->failed = true;
}

/* `<>c__DisplayClass0_0` or `<<Main>b__0>d`: part of a name, if it is closed. */
static void skip_balanced(struct name_parser *parser)
{
	unsigned int open = 0;

	do {
		char c = peek(parser);

		if (c == '<')
			open++;
		else if (c == '>')
			open--;
		if (parser->at == parser->end)
			parser->failed = true;
		else
			parser->at++;
	} while (open && !parser->failed);
}

static bool ends_name(const struct name_parser *parser, char c)
{
	switch (c) {
	case ',':
	case '[':
	case ']':
	case '&':
	case '*':
	case '(':
	case ')':
		return true;
	case '<':
	case '>':
	case ' ':
		return parser->angles;
	case '+':
		return !parser->angles;
	default:
		return false;
	}
}

static void skip_name(struct name_parser *parser)
{
	const char *start = parser->at;

	while (parser->at < parser->end && !parser->failed) {
		char c = *parser->at;

		if (!parser->angles && c == '\\' && parser->end - parser->at > 1)
			parser->at += 2;
		else if (parser->angles && c == '<' &&
			 (parser->at == start || parser->at[-1] == '.'))
			skip_balanced(parser);
		else if (ends_name(parser, c))
			break;
		else
			parser->at++;
	}
	if (parser->at == start)
		parser->failed = true;
}

static void read_segment(struct name_parser *parser, struct name_segment *ret)
{
	const char *start = parser->at, *digits;
	unsigned int arity = 0;

	skip_name(parser);
	*ret = (struct name_segment){start, (size_t)(parser->at - start), 0};
	digits = parser->at;
	while (digits > start && digits[-1] >= '0' && digits[-1] <= '9')
		digits--;
	if (digits - start < 2 || digits[-1] != '`' || parser->at - digits > 2)
		return;
	for (const char *digit = digits; digit < parser->at; digit++)
		arity = arity * 10 + (unsigned int)(*digit - '0');
	if (!arity || arity > ARITY_MAX)
		return;
	ret->size = (size_t)(digits - 1 - start);
	ret->arity = arity;
}

void name_parser__segments(struct name_parser *parser, struct name_segments *ret)
{
	ret->count = 0;
	do {
		if (ret->count == NAME_SEGMENTS_MAX) {
			parser->failed = true;
			return;
		}
		read_segment(parser, &ret->list[ret->count++]);
	} while (!parser->angles && name_parser__take(parser, "+"));
}

void name_parser__plain(struct name_parser *parser, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (!parser->angles && text[i] == '\\' && i + 1 < size)
			i++;
		buf__append_char(parser->out, text[i]);
	}
}

/* A '[' that opens no arguments but says that the type is an array of it. */
static bool is_array(const struct name_parser *parser)
{
	return peek(parser) == '[' && parser->end - parser->at > 1 &&
	       strchr("],*0123456789?", parser->at[1]);
}

bool name_parser__lists(const struct name_parser *parser)
{
	return !parser->failed && peek(parser) == (parser->angles ? '<' : '[') &&
	       !is_array(parser);
}

bool name_parser__has_argument(const struct name_parser *parser)
{
	return name_parser__lists(parser) || (!parser->failed && peek(parser) == ',');
}

void name_parser__argument(struct name_parser *parser, bool *first)
{
	if (!name_parser__has_argument(parser)) {
		parser->failed = true;
		return;
	}
	parser->at++;
	buf__append_string(parser->out, *first ? "<" : ", ");
	*first = false;
	name_parser__type(parser);
}

/* Arguments until the list ends: those that no `N claims. */
void name_parser__rest(struct name_parser *parser, bool *first)
{
	while (name_parser__has_argument(parser))
		name_parser__argument(parser, first);
}

void name_parser__segment(struct name_parser *parser,
			  const struct name_segment *segment, bool listed, bool last)
{
	bool first = true;

	name_parser__plain(parser, segment->text, segment->size);
	for (unsigned int i = 0; i < segment->arity && !parser->failed; i++) {
		if (listed)
			name_parser__argument(parser, &first);
		else /* Gen<> and Dictionary<,>, as C# writes it */
			buf__append_char(parser->out, i ? ',' : '<');
	}
	if (listed && last)
		name_parser__rest(parser, &first);
	if (listed ? !first : segment->arity > 0)
		buf__append_char(parser->out, '>');
}

static void write_named(struct name_parser *parser)
{
	struct name_segments names;
	const char *start = parser->at, *word;
	bool listed;

	name_parser__segments(parser, &names);
	if (parser->failed)
		return;
	listed = name_parser__lists(parser);
	word = find_word(type_words, start, (size_t)(parser->at - start));
	if (word && !listed) {
		buf__append_string(parser->out, word);
		return;
	}
	for (unsigned int i = 0; i < names.count; i++) {
		if (i)
			buf__append_char(parser->out, '.');
		name_parser__segment(parser, &names.list[i], listed,
				     i + 1 == names.count);
	}
	if (listed)
		expect(parser, parser->angles ? '>' : ']');
}

/*
 * "result(a,b)", whose result is written already, from `start` on, becomes
 * delegate*<a, b, result>.
 */
static void write_function(struct name_parser *parser, size_t start, bool unmanaged)
{
	struct buf *out = parser->out;
	char *result = alloc__string(buf__string(out) + start);

	buf__cut(out, start);
	buf__append_string(out, unmanaged ? "delegate* unmanaged<" : "delegate*<");
	expect(parser, '(');
	if (!parser->failed) {
		size_t before = out->size;

		name_parser__list(parser, ')');
		if (out->size > before)
			buf__append_string(out, ", ");
	}
	buf__append_string(out, result);
	buf__append_char(out, '>');
	free(result);
}

static bool take_convention(struct name_parser *parser)
{
	static const char *const unmanaged[] = {
		"unmanaged cdecl ",
		"unmanaged stdcall ",
		"unmanaged thiscall ",
		"unmanaged fastcall ",
	};

	(void)name_parser__take(parser, "instance ");
	(void)name_parser__take(parser, "generic ");
	for (size_t i = 0; i < sizeof(unmanaged) / sizeof(*unmanaged); i++) {
		if (name_parser__take(parser, unmanaged[i]))
			return true;
	}
	return false;
}

/* "!0", "!!1", "..." and "[module#1, token#02000003]" stay as they are. */
static bool write_literal(struct name_parser *parser)
{
	const char *start = parser->at;

	if (name_parser__take(parser, "!")) {
		(void)name_parser__take(parser, "!");
		while (peek(parser) >= '0' && peek(parser) <= '9')
			parser->at++;
	} else if (name_parser__take(parser, "[module#")) {
		while (!name_parser__done(parser) && peek(parser) != ']')
			parser->at++;
		expect(parser, ']');
	} else if (!name_parser__take(parser, "...")) {
		return false;
	}
	buf__append(parser->out, start, (size_t)(parser->at - start));
	return true;
}

/* The address of a type's method table, which says nothing to a person. */
static void write_address(struct name_parser *parser)
{
	bool first = true;

	while (strchr("0123456789abcdefABCDEFxX", peek(parser)) && peek(parser))
		parser->at++;
	buf__append_char(parser->out, '?');
	if (!name_parser__lists(parser))
		return;
	name_parser__rest(parser, &first);
	buf__append_char(parser->out, '>');
	expect(parser, '>');
}

/* A word of signatures, which has no "class" before it. */
static bool write_word(struct name_parser *parser)
{
	const char *start = parser->at, *end = start, *word;

	if (parser->end - end > 9 && !memcmp(end, "unsigned ", 9))
		end += 9;
	while (end < parser->end && !strchr(",[]&*()<> ", *end))
		end++;
	word = find_word(signature_words, start, (size_t)(end - start));
	if (!word)
		return false;
	buf__append_string(parser->out, word);
	parser->at = end;
	return true;
}

/* required_modifier Some.Type: the compilers' business, not a person's. */
static void drop_modifier(struct name_parser *parser)
{
	size_t start = parser->out->size;

	name_parser__type(parser);
	buf__cut(parser->out, start);
	expect(parser, ' ');
}

static void write_pointer(struct name_parser *parser)
{
	bool unmanaged = take_convention(parser);
	size_t start = parser->out->size;

	name_parser__type(parser);
	write_function(parser, start, unmanaged);
}

static void write_signature_type(struct name_parser *parser)
{
	while (name_parser__take(parser, "required_modifier ") ||
	       name_parser__take(parser, "optional_modifier "))
		drop_modifier(parser);
	(void)name_parser__take(parser, "native ");
	if (name_parser__take(parser, "class ") ||
	    name_parser__take(parser, "value class ") ||
	    name_parser__take(parser, "valuetype "))
		write_named(parser);
	else if (name_parser__take(parser, "fnptr "))
		write_pointer(parser);
	else if (name_parser__take(parser, "pMT: "))
		write_address(parser);
	else if (!parser->failed && !write_literal(parser) && !write_word(parser))
		write_named(parser);
}

static void write_array(struct name_parser *parser)
{
	const char *start = parser->at++;

	while (!name_parser__done(parser) && *parser->at != ']') {
		if (!strchr(",.*?0123456789-", *parser->at))
			parser->failed = true;
		parser->at++;
	}
	expect(parser, ']');
	buf__append(parser->out, start, (size_t)(parser->at - start));
}

static void write_suffixes(struct name_parser *parser, size_t start)
{
	/* Each only once: moving what stands before is linear. */
	bool is_reference = false, is_function = false;

	while (!parser->failed) {
		if (is_array(parser)) {
			write_array(parser);
		} else if (name_parser__take(parser, "*")) {
			buf__append_char(parser->out, '*');
		} else if (!is_reference && name_parser__take(parser, "&")) {
			insert(parser->out, start, "ref ");
			is_reference = true;
		} else if (!parser->angles && !is_function && peek(parser) == '(') {
			write_function(parser, start, false);
			is_function = true;
		} else if (!name_parser__take(parser, " pinned")) {
			return;
		}
	}
}

void name_parser__type(struct name_parser *parser)
{
	size_t start = parser->out->size;

	if (parser->failed || parser->depth >= DEPTH_MAX) {
		parser->failed = true;
		return;
	}
	parser->depth++;
	while (name_parser__take(parser, " "))
		;
	if (parser->angles)
		write_signature_type(parser);
	else if (!write_literal(parser))
		write_named(parser);
	write_suffixes(parser, start);
	parser->depth--;
}

void name_parser__list(struct name_parser *parser, char close)
{
	if (peek(parser) != close) {
		name_parser__type(parser);
		while (name_parser__take(parser, ",")) {
			buf__append_string(parser->out, ", ");
			name_parser__type(parser);
		}
	}
	if (close)
		expect(parser, close);
}
