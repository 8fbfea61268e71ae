/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Is a text one JSON value, by the grammar of RFC 8259?  For tests. */
#ifndef TIERSCOPE_TESTS_JSON_CHECK_H
#define TIERSCOPE_TESTS_JSON_CHECK_H

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static const char *json_check__value(const char *at, int depth);

static inline const char *json_check__space(const char *at)
{
	return at + strspn(at, " \t\r\n");
}

static inline const char *json_check__string(const char *at)
{
	if (*at++ != '"')
		return NULL;
	for (; *at != '"'; at++) {
		if ((unsigned char)*at < 0x20)
			return NULL; /* the end of the text, too */
		if (*at != '\\')
			continue;
		at++;
		if (*at == 'u') {
			for (int i = 0; i < 4; i++)
				if (!isxdigit((unsigned char)*++at))
					return NULL;
		} else if (!*at || !strchr("\"\\/bfnrt", *at)) {
			return NULL;
		}
	}
	return at + 1;
}

/* Members or elements up to the closing bracket. */
static inline const char *json_check__list(const char *at, char close, int depth)
{
	at = json_check__space(at + 1);
	if (*at == close)
		return at + 1;
	for (;;) {
		if (close == '}') {
			at = json_check__string(json_check__space(at));
			if (!at || *(at = json_check__space(at)) != ':')
				return NULL;
			at++;
		}
		at = json_check__value(json_check__space(at), depth + 1);
		if (!at)
			return NULL;
		at = json_check__space(at);
		if (*at == close)
			return at + 1;
		if (*at++ != ',')
			return NULL;
	}
}

static inline const char *json_check__number(const char *at)
{
	if (*at == '-')
		at++;
	if (!isdigit((unsigned char)*at) ||
	    (*at == '0' && isdigit((unsigned char)at[1])))
		return NULL;
	return at + strspn(at, "0123456789");
}

static const char *json_check__value(const char *at, int depth)
{
	static const char *const words[] = {"null", "true", "false"};

	if (depth > 64)
		return NULL;
	for (int i = 0; i < 3; i++)
		if (!strncmp(at, words[i], strlen(words[i])))
			return at + strlen(words[i]);
	switch (*at) {
	case '{':
		return json_check__list(at, '}', depth);
	case '[':
		return json_check__list(at, ']', depth);
	case '"':
		return json_check__string(at);
	default:
		return json_check__number(at);
	}
}

static inline bool json_check(const char *text)
{
	const char *end = json_check__value(json_check__space(text), 0);

	return end && !*json_check__space(end);
}

#endif /* TIERSCOPE_TESTS_JSON_CHECK_H */
