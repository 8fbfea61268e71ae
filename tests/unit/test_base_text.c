// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Hostile text comes out safe for a terminal, JSON and HTML, and messages stay
// one line; durations and numbers are read whole or not at all.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../user/base/log.h"
#include "../../user/base/text.h"

#define BAD "\xef\xbf\xbd" /* U+FFFD */

static void assert_utf8(const char *data, size_t size, const char *expected)
{
	struct buf buf = BUF_INIT;

	text__append_utf8(&buf, data, size);
	assert_string_equal(buf__string(&buf), expected);
	buf__free(&buf);
}

static void utf8_keeps_what_is_valid(void **state)
{
	static const char valid[] = "a\x7f\n \xc2\x80\xdf\xbf \xe0\xa0\x80\xed\x9f\xbf"
				    "\xee\x80\x80 \xf0\x90\x80\x80\xf4\x8f\xbf\xbf";

	(void)state;
	assert_utf8(valid, strlen(valid), valid);
	assert_utf8("", 0, "");
}

static void utf8_replaces_each_malformed_byte(void **state)
{
	(void)state;
	assert_utf8("a\xff"
		    "b",
		    3, "a" BAD "b");
	assert_utf8("\x80\x80", 2, BAD BAD);
	assert_utf8("\xc0\xaf", 2, BAD BAD);		     /* "/" in two bytes */
	assert_utf8("\xe0\x80\xaf", 3, BAD BAD BAD);	     /* "/" in three */
	assert_utf8("\xed\xa0\x80", 3, BAD BAD BAD);	     /* a surrogate */
	assert_utf8("\xf4\x90\x80\x80", 4, BAD BAD BAD BAD); /* beyond U+10FFFF */
	assert_utf8("\xc3", 1, BAD);			     /* cut */
	assert_utf8("\xf0\x9f\x90", 3, BAD BAD BAD);
	assert_utf8("\xc3(", 2, BAD "(");
}

static void utf16_becomes_utf8(void **state)
{
	static const uint8_t units[] = {
		'A',  0,    0xe9, 0, 0x4b, 0x20, 0x3d, 0xd8, 0x1b, 0xdc, /* U+1F41B */
		0x00, 0xd8, 'x',  0, 0x00, 0xdc, 0x00, 0xd8, /* lone surrogates */
	};
	struct buf buf = BUF_INIT;

	(void)state;
	text__append_utf16(&buf, units, sizeof(units) / 2);
	assert_string_equal(buf__string(&buf),
			    "A\xc3\xa9\xe2\x81\x8b\xf0\x9f\x90\x9b" BAD "x" BAD BAD);
	buf__free(&buf);
}

static void terminal_shows_control_characters(void **state)
{
	struct buf buf = BUF_INIT;

	(void)state;
	text__append_terminal(&buf, "a\x1b[2J\r\n\t\x7f\xc2\x9b"
				    "31m\xe2\x80\xae"
				    "\xe2\x81\xa6\xd8\x9c\xe2\x80\xa8\xc3\xa9<&\xff");
	assert_string_equal(buf__string(&buf),
			    "a\\x1b[2J\\x0d\\x0a\\x09\\x7f\\u{009b}31m\\u{202e}"
			    "\\u{2066}\\u{061c}\\u{2028}\xc3\xa9<&" BAD);
	buf__free(&buf);
}

static void json_may_stand_in_a_script(void **state)
{
	struct buf buf = BUF_INIT;

	(void)state;
	text__append_json(&buf, "</script>\"\\&\x01\n\x7f\xe2\x80\xa8\xe2\x80\xa9"
				"\xf0\x9f\x90\x9b'\xff");
	assert_string_equal(buf__string(&buf),
			    "\\u003c/script\\u003e\\\"\\\\\\u0026\\u0001\\u000a\\u007f"
			    "\\u2028\\u2029\xf0\x9f\x90\x9b'" BAD);
	buf__free(&buf);
}

static void html_is_text_never_markup(void **state)
{
	struct buf buf = BUF_INIT;

	(void)state;
	text__append_html(&buf, "<b a=\"x\" c='y'>&\x1b\xe2\x80\xae\xff");
	assert_string_equal(buf__string(&buf), "&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt;"
					       "&amp;\\x1b\\u{202e}" BAD);
	buf__free(&buf);
}

static void duration_is_read_in_every_form(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} good[] = {
		{"10", 10000000000},
		{"10s", 10000000000},
		{"250ms", 250000000},
		{"2m", 120000000000},
		{"1h", 3600000000000},
		{"0", 0},
		{"00:00:00:10", 10000000000},
		{"01:02:03:04", 93784000000000},
		{"18446744073s", 18446744073000000000ULL},
	};
	static const char *const bad[] = {
		"",
		"s",
		"-1",
		"+1",
		" 1",
		"1 ",
		"1.5s",
		"1d",
		"10sec",
		"1:2",
		"1:2:3",
		"1:24:0:0",
		"1:0:60:0",
		"1:0:0:60",
		"1:2:3:4:5",
		"1:2:3:4s",
		"0x10",
		"18446744074s",
		"99999999999999999999",
		"300000:00:00:00",
		"18446744073709551615:00:00:00",
	};
	uint64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(text__parse_duration(good[i].text, &ns), 0);
		assert_int_equal(ns, good[i].ns);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ns = 4711;
		assert_int_equal(text__parse_duration(bad[i], &ns), -EINVAL);
		assert_int_equal(ns, 4711);
	}
	assert_int_equal(text__parse_duration(NULL, &ns), -EINVAL);
}

static void number_is_whole_and_in_range(void **state)
{
	static const char *const bad[] = {"",	 "-1",	"1.0",
					  "12a", " 1",	"0x1",
					  "9",	 "101", "18446744073709551616"};
	uint64_t number = 0;

	(void)state;
	assert_int_equal(text__parse_number("10", 10, 100, &number), 0);
	assert_int_equal(number, 10);
	assert_int_equal(text__parse_number("100", 10, 100, &number), 0);
	assert_int_equal(
		text__parse_number("18446744073709551615", 0, UINT64_MAX, &number), 0);
	assert_int_equal(number, UINT64_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(text__parse_number(bad[i], 10, 100, &number), -EINVAL);
	assert_int_equal(number, UINT64_MAX);
	assert_int_equal(text__parse_number(NULL, 0, 1, &number), -EINVAL);
}

static void size_is_whole_and_has_one_unit(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{"0", 0},	 {"4096", 4096},	{"7b", 7},
		{"100k", 102400}, {"100K", 102400},	{"64M", 64 << 20},
		{"2g", 2ULL << 30}, {"1T", 1ULL << 40}, {"16777215T", 16777215ULL << 40},
	};
	static const char *const bad[] = {"",	"M",  "-1",  "1.5M", "1MB",
					  "1 M", "1x", "M1", "0x10", "16777216T"};
	uint64_t bytes = 4711;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(text__parse_size(bad[i], &bytes), -EINVAL);
	assert_int_equal(text__parse_size(NULL, &bytes), -EINVAL);
	assert_int_equal(bytes, 4711);
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(text__parse_size(good[i].text, &bytes), 0);
		assert_int_equal(bytes, good[i].bytes);
	}
}

/* What log functions write while stderr is a file. */
static void capture(char *text, size_t size, enum log_level level)
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t got;

	assert_true(file && saved >= 0);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	log__set_level(level);
	log__error("no file %s", "a\nb\x1b[31m");
	log__warn("lost %d", 3);
	log__info("started");
	log__verbose("more");
	log__debug("most");
	log__set_level(LOG_NORMAL);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	rewind(file);
	got = fread(text, 1, size - 1, file);
	text[got] = 0;
	fclose(file);
}

static void log_writes_one_line_each_as_the_level_says(void **state)
{
	char text[512];

	(void)state;
	capture(text, sizeof(text), LOG_QUIET);
	assert_string_equal(text, "tierscope: no file a\\x0ab\\x1b[31m\n");
	capture(text, sizeof(text), LOG_NORMAL);
	assert_string_equal(text, "tierscope: no file a\\x0ab\\x1b[31m\n"
				  "tierscope: warning: lost 3\n"
				  "tierscope: started\n");
	capture(text, sizeof(text), LOG_DEBUG);
	assert_non_null(strstr(text, "tierscope: more\n"));
	assert_non_null(strstr(text, "tierscope: debug: most\n"));
	assert_int_equal(log__level(), LOG_NORMAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_keeps_what_is_valid),
		cmocka_unit_test(utf8_replaces_each_malformed_byte),
		cmocka_unit_test(utf16_becomes_utf8),
		cmocka_unit_test(terminal_shows_control_characters),
		cmocka_unit_test(json_may_stand_in_a_script),
		cmocka_unit_test(html_is_text_never_markup),
		cmocka_unit_test(duration_is_read_in_every_form),
		cmocka_unit_test(number_is_whole_and_in_range),
		cmocka_unit_test(size_is_whole_and_has_one_unit),
		cmocka_unit_test(log_writes_one_line_each_as_the_level_says),
	};

	return cmocka_run_group_tests_name("base_text", tests, NULL, NULL);
}
