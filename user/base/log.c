// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Messages for the person at the terminal: see log.h.
#include "log.h"

#include "buf.h"
#include "text.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELD_BYTES (64u << 10)

static enum log_level current_level = LOG_NORMAL;

/* Room of one size: who runs out of memory under the lock exits, and log__release takes it. */
static struct {
	pthread_mutex_t lock;
	bool holding;
	char lines[HELD_BYTES];
	size_t size;
	unsigned long long more;	/* that there was no room for */
} held = { .lock = PTHREAD_MUTEX_INITIALIZER };

void log__set_level(enum log_level level)
{
	current_level = level;
}

enum log_level log__level(void)
{
	return current_level;
}

/* stderr is unbuffered: one line is one write, whole among others'.  There is no better place
 * to tell that it failed. */
static void print(const char *lines, size_t size)
{
	if (size)
		(void)!fwrite(lines, 1, size, stderr);
}

void log__hold(void)
{
	static bool registered;

	pthread_mutex_lock(&held.lock);
	if (!registered)	/* who ends in the middle of it has had something to say */
		atexit(log__release);
	registered = true;
	held.holding = true;
	pthread_mutex_unlock(&held.lock);
}

void log__release(void)
{
	pthread_mutex_lock(&held.lock);
	held.holding = false;
	print(held.lines, held.size);
	if (held.more)
		fprintf(stderr, "tierscope: and %llu messages more\n", held.more);
	held.size = 0;
	held.more = 0;
	pthread_mutex_unlock(&held.lock);
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
	pthread_mutex_lock(&held.lock);
	if (!held.holding) {
		print(line.data, line.size);
	} else if (line.size <= sizeof(held.lines) - held.size) {
		memcpy(held.lines + held.size, line.data, line.size);
		held.size += line.size;
	} else {
		held.more++;
	}
	pthread_mutex_unlock(&held.lock);
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
