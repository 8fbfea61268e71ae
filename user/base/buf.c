// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// A growing byte buffer: see buf.h.
#include "buf.h"

#include "alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void reserve(struct buf *buf, size_t more)
{
	size_t needed = buf->size + more + 1;
	size_t capacity = buf->capacity ? buf->capacity : 64;

	if (needed <= buf->capacity)
		return;
	while (capacity < needed)
		capacity *= 2;
	buf->data = alloc__resize(buf->data, capacity, 1);
	buf->capacity = capacity;
}

void buf__append(struct buf *buf, const void *data, size_t size)
{
	reserve(buf, size);
	if (size)
		memcpy(buf->data + buf->size, data, size);
	buf->size += size;
	buf->data[buf->size] = 0;
}

void buf__append_string(struct buf *buf, const char *string)
{
	buf__append(buf, string, strlen(string));
}

void buf__append_char(struct buf *buf, char c)
{
	reserve(buf, 1);
	buf->data[buf->size++] = c;
	buf->data[buf->size] = 0;
}

void buf__vprintf(struct buf *buf, const char *format, va_list arguments)
{
	va_list again;
	int size;

	va_copy(again, arguments);
	size = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (size < 0)
		return;
	reserve(buf, (size_t)size);
	vsnprintf(buf->data + buf->size, (size_t)size + 1, format, arguments);
	buf->size += (size_t)size;
}

void buf__printf(struct buf *buf, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	buf__vprintf(buf, format, arguments);
	va_end(arguments);
}

void buf__cut(struct buf *buf, size_t size)
{
	if (size >= buf->size)
		return;
	buf->size = size;
	buf->data[size] = 0;
}

void buf__clear(struct buf *buf)
{
	buf__cut(buf, 0);
}

void buf__free(struct buf *buf)
{
	if (!buf)
		return;
	free(buf->data);
	*buf = (struct buf)BUF_INIT;
}

const char *buf__string(const struct buf *buf)
{
	return buf->data ? buf->data : "";
}

char *buf__steal(struct buf *buf)
{
	char *data;

	reserve(buf, 0);
	data = buf->data;
	data[buf->size] = 0;
	*buf = (struct buf)BUF_INIT;
	return data;
}

int buf__read_file(struct buf *buf, const char *path, size_t limit)
{
	size_t start = buf->size;
	int err = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t got;

		reserve(buf, 65536);
		got = read(fd, buf->data + buf->size, 65536);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			err = -errno;
		if (got <= 0)
			break;
		buf->size += (size_t)got;
		if (buf->size - start > limit) {
			err = -EFBIG;
			break;
		}
	}
	buf->data[buf->size] = 0;
	close(fd);
	return err;
}
