// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Making hostile text safe to keep and to show, and reading numbers: see text.h.
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define REPLACEMENT 0xfffdu

/* Too long a spelling, surrogates and beyond U+10FFFF are malformed too. */
size_t text__decode(const char *data, size_t size, uint32_t *ret_code)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first = (uint8_t)data[0];
	uint32_t code;
	size_t length;

	if (first < 0x80) {
		*ret_code = first;
		return 1;
	}
	if (first < 0xc2 || first > 0xf4)
		return 0;
	length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (length > size)
		return 0;
	code = first & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		uint8_t byte = (uint8_t)data[i];

		if ((byte & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (byte & 0x3f);
	}
	if (code < smallest[length] || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code = code;
	return length;
}

static void append_code(struct buf *buf, uint32_t code)
{
	char bytes[4];
	size_t size;

	if (code < 0x80) {
		bytes[0] = (char)code;
		size = 1;
	} else if (code < 0x800) {
		bytes[0] = (char)(0xc0 | code >> 6);
		size = 2;
	} else if (code < 0x10000) {
		bytes[0] = (char)(0xe0 | code >> 12);
		size = 3;
	} else {
		bytes[0] = (char)(0xf0 | code >> 18);
		size = 4;
	}
	for (size_t i = 1; i < size; i++)
		bytes[i] = (char)(0x80 | (code >> (6 * (size - 1 - i)) & 0x3f));
	buf__append(buf, bytes, size);
}

/* No escape wants to change it. */
static bool is_plain(char c)
{
	switch (c) {
	case '"':
	case '\'':
	case '\\':
	case '<':
	case '>':
	case '&':
		return false;
	default:
		return c >= 0x20 && c < 0x7f;
	}
}

static size_t plain_run(const char *data, size_t size)
{
	size_t run = 0;

	while (run < size && is_plain(data[run]))
		run++;
	return run;
}

/* `escape` appends another spelling of the code point, or returns false. */
static void append_escaped(struct buf *buf, const char *data, size_t size,
			   bool (*escape)(struct buf *buf, uint32_t code))
{
	while (size) {
		uint32_t code;
		size_t length = plain_run(data, size);

		if (length) {
			buf__append(buf, data, length);
		} else if (!(length = text__decode(data, size, &code))) {
			length = 1;
			append_code(buf, REPLACEMENT);
		} else if (!escape || !escape(buf, code)) {
			buf__append(buf, data, length);
		}
		data += length;
		size -= length;
	}
}

void text__append_utf8(struct buf *buf, const char *data, size_t size)
{
	append_escaped(buf, data, size, NULL);
}

void text__append_utf16(struct buf *buf, const void *data, size_t units)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < units; i++) {
		uint32_t code = bytes[2 * i] | (uint32_t)bytes[2 * i + 1] << 8;

		if (code >= 0xd800 && code <= 0xdbff && i + 1 < units) {
			uint32_t low = bytes[2 * i + 2] | (uint32_t)bytes[2 * i + 3]
								  << 8;

			if (low >= 0xdc00 && low <= 0xdfff) {
				code = 0x10000 + ((code - 0xd800) << 10) + low - 0xdc00;
				i++;
			}
		}
		if (code >= 0xd800 && code <= 0xdfff)
			code = REPLACEMENT;
		append_code(buf, code);
	}
}

static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

/* What changes the direction or the line of the text around it. */
static bool is_layout(uint32_t code)
{
	return code == 0x061c || code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

static bool escape_terminal(struct buf *buf, uint32_t code)
{
	if (!is_control(code) && !is_layout(code))
		return false;
	if (code < 0x80)
		buf__printf(buf, "\\x%02x", code);
	else
		buf__printf(buf, "\\u{%04x}", code);
	return true;
}

void text__append_terminal(struct buf *buf, const char *utf8)
{
	append_escaped(buf, utf8, strlen(utf8), escape_terminal);
}

static bool escape_json(struct buf *buf, uint32_t code)
{
	if (code == '"' || code == '\\')
		buf__printf(buf, "\\%c", (char)code);
	else if (is_control(code) || is_layout(code) || code == '<' || code == '>' ||
		 code == '&')
		buf__printf(buf, "\\u%04x", code);
	else
		return false;
	return true;
}

const char *text__module_name(const char *path, size_t *ret_size)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t size = strlen(name);

	if (size > 4 &&
	    (!strcmp(name + size - 4, ".dll") || !strcmp(name + size - 4, ".exe")))
		size -= 4;
	*ret_size = size;
	return name;
}

size_t text__cut(const char *utf8, size_t size, size_t most)
{
	if (size <= most)
		return size;
	while (most && ((unsigned char)utf8[most] & 0xc0) == 0x80)
		most--;
	return most;
}

void text__append_json(struct buf *buf, const char *utf8)
{
	append_escaped(buf, utf8, strlen(utf8), escape_json);
}

static bool escape_html(struct buf *buf, uint32_t code)
{
	switch (code) {
	case '<':
		buf__append_string(buf, "&lt;");
		return true;
	case '>':
		buf__append_string(buf, "&gt;");
		return true;
	case '&':
		buf__append_string(buf, "&amp;");
		return true;
	case '"':
		buf__append_string(buf, "&quot;");
		return true;
	case '\'':
		buf__append_string(buf, "&#39;");
		return true;
	default:
		return escape_terminal(buf, code);
	}
}

void text__append_html(struct buf *buf, const char *utf8)
{
	append_escaped(buf, utf8, strlen(utf8), escape_html);
}

/* Reads digits up to the first other character. */
static int parse_digits(const char **text, uint64_t *ret_number)
{
	const char *at = *text;
	uint64_t number = 0;

	if (*at < '0' || *at > '9')
		return -EINVAL;
	for (; *at >= '0' && *at <= '9'; at++) {
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*at - '0'), &number))
			return -EINVAL;
	}
	*text = at;
	*ret_number = number;
	return 0;
}

/* The rest of dd:hh:mm:ss, which begins behind the days. */
static int parse_clock(const char *text, uint64_t days, uint64_t *ret_seconds)
{
	static const uint64_t limits[] = {24, 60, 60};
	uint64_t seconds = days;

	for (int i = 0; i < 3; i++) {
		uint64_t field;

		if (*text++ != ':' || parse_digits(&text, &field) || field >= limits[i])
			return -EINVAL;
		if (__builtin_mul_overflow(seconds, limits[i], &seconds) ||
		    __builtin_add_overflow(seconds, field, &seconds))
			return -EINVAL;
	}
	if (*text)
		return -EINVAL;
	*ret_seconds = seconds;
	return 0;
}

int text__parse_duration(const char *text, uint64_t *ret_ns)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = {
		{"", 1000000000},	   {"s", 1000000000},		{"ms", 1000000},
		{"m", 60 * 1000000000ULL}, {"h", 3600 * 1000000000ULL},
	};
	uint64_t number, ns;

	if (!text || parse_digits(&text, &number))
		return -EINVAL;
	if (*text == ':') {
		if (parse_clock(text, number, &number))
			return -EINVAL;
		text = "";
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strcmp(text, units[i].unit))
			continue;
		if (__builtin_mul_overflow(number, units[i].ns, &ns))
			return -EINVAL;
		*ret_ns = ns;
		return 0;
	}
	return -EINVAL;
}

int text__parse_number(const char *text, uint64_t low, uint64_t high,
		       uint64_t *ret_number)
{
	uint64_t number;

	if (!text || parse_digits(&text, &number) || *text)
		return -EINVAL;
	if (number < low || number > high)
		return -EINVAL;
	*ret_number = number;
	return 0;
}

int text__parse_size(const char *text, uint64_t *ret_bytes)
{
	static const char units[] = "bkmgt";
	unsigned int shift = 0;
	uint64_t number;

	if (!text || parse_digits(&text, &number))
		return -EINVAL;
	if (*text) {
		const char *unit = strchr(units, tolower((unsigned char)*text));

		if (!unit || text[1])
			return -EINVAL;
		shift = 10 * (unsigned int)(unit - units);
	}
	if (number > UINT64_MAX >> shift)
		return -EINVAL;
	*ret_bytes = number << shift;
	return 0;
}
