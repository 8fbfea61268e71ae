/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Messages for the person at the terminal, all on stderr, each one line.
 * Library rooms do not print errors, they return them; only commands call
 * log__error, once.  Control characters in arguments come out escaped.
 */
#ifndef TIERSCOPE_BASE_LOG_H
#define TIERSCOPE_BASE_LOG_H

enum log_level { LOG_QUIET = -1, LOG_NORMAL = 0, LOG_VERBOSE = 1, LOG_DEBUG = 2 };

void log__set_level(enum log_level level);
enum log_level log__level(void);

/*
 * While something fills the terminal, messages for it are held back, the first so many; they
 * are printed when it is over.  Any thread.
 */
void log__hold(void);
void log__release(void);

void log__error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log__warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log__info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log__verbose(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log__debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* TIERSCOPE_BASE_LOG_H */
