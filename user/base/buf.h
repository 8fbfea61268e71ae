/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* A growing byte buffer; always NUL-ended.  One thread at a time. */
#ifndef TIERSCOPE_BASE_BUF_H
#define TIERSCOPE_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
	char *data;		/* NULL while empty */
	size_t size;		/* bytes used, the closing NUL not counted */
	size_t capacity;
};

#define BUF_INIT { NULL, 0, 0 }

void buf__append(struct buf *buf, const void *data, size_t size);
void buf__append_string(struct buf *buf, const char *string);
void buf__append_char(struct buf *buf, char c);
void buf__printf(struct buf *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void buf__vprintf(struct buf *buf, const char *format, va_list arguments);
void buf__cut(struct buf *buf, size_t size); /* drops all but `size` bytes */
void buf__clear(struct buf *buf);	/* keeps the memory */
void buf__free(struct buf *buf);
const char *buf__string(const struct buf *buf);	/* never NULL */
char *buf__steal(struct buf *buf);	/* the caller frees; buf is empty after */

/* Reads a whole file into buf.  0 or -Exxx; at most `limit` bytes (-EFBIG). */
int buf__read_file(struct buf *buf, const char *path, size_t limit);

#endif /* TIERSCOPE_BASE_BUF_H */
