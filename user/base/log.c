// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Messages for the person at the terminal: see log.h.
#include "log.h"

#include "buf.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>

static enum log_level current_level = LOG_NORMAL;

void log__set_level(enum log_level level)
{
	current_level = level;
}

enum log_level log__level(void)
{
	return current_level;
}

/*
 * The whole message is escaped, not only its arguments: a format of ours holds
 * no control character, so what is left to escape came from an argument.
 */
__attribute__((format(printf, 2, 0))) static void
print_line(const char *prefix, const char *format, va_list arguments)
{
	struct buf message = BUF_INIT;
	struct buf line = BUF_INIT;

	buf__vprintf(&message, format, arguments);
	buf__append_string(&line, prefix);
	text__append_terminal(&line, buf__string(&message));
	buf__append_char(&line, '\n');
	/* stderr is unbuffered: one line is one write, whole among others'.
	 * There is no better place to tell that it failed. */
	(void)!fwrite(line.data, 1, line.size, stderr);
	buf__free(&line);
	buf__free(&message);
}

void log__error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_line("tierscope: ", format, arguments);
	va_end(arguments);
}

void log__warn(const char *format, ...)
{
	va_list arguments;

	if (current_level < LOG_NORMAL)
		return;
	va_start(arguments, format);
	print_line("tierscope: warning: ", format, arguments);
	va_end(arguments);
}

void log__info(const char *format, ...)
{
	va_list arguments;

	if (current_level < LOG_NORMAL)
		return;
	va_start(arguments, format);
	print_line("tierscope: ", format, arguments);
	va_end(arguments);
}

void log__verbose(const char *format, ...)
{
	va_list arguments;

	if (current_level < LOG_VERBOSE)
		return;
	va_start(arguments, format);
	print_line("tierscope: ", format, arguments);
	va_end(arguments);
}

void log__debug(const char *format, ...)
{
	va_list arguments;

	if (current_level < LOG_DEBUG)
		return;
	va_start(arguments, format);
	print_line("tierscope: debug: ", format, arguments);
	va_end(arguments);
}
