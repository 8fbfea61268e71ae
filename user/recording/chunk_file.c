// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Whole chunks, with their checksums: see chunk_file.h.
#include "chunk_file.h"

#include "recording.h"

#include "../base/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file is little endian");

/* Leaves the file as it was when not all can be written. */
static int write_whole(struct chunk_file *file, const void *data, size_t size)
{
	const char *at = data;
	size_t left = size;

	while (left) {
		ssize_t written = write(file->fd, at, left);
		int err = written < 0 ? -errno : 0;

		if (err == -EINTR)
			continue;
		if (err) {
			/* A pipe can not be cut: its reader sees half a chunk,
			 * and that it is one. */
			(void)!ftruncate(file->fd, (off_t)file->bytes);
			(void)lseek(file->fd, (off_t)file->bytes, SEEK_SET);
			return err;
		}
		at += written;
		left -= (size_t)written;
	}
	file->bytes += size;
	return 0;
}

int chunk_file__open(const char *path, struct chunk_file *ret_file)
{
	struct format_header header = {.format = RECORDING_FORMAT};
	struct chunk_file file = {
		.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
	int err;

	if (file.fd < 0)
		return -errno;
	memcpy(header.magic, FORMAT_MAGIC, sizeof(header.magic));
	err = write_whole(&file, &header, sizeof(header));
	if (err) {
		chunk_file__close(&file);
		return err;
	}
	*ret_file = file;
	return 0;
}

void chunk_file__close(struct chunk_file *file)
{
	close(file->fd);
	buf__free(&file->chunk);
}

/* Room for the chunk's header and its count of rows, which are not known yet. */
struct coder chunk_file__begin(struct chunk_file *file, const struct model *model)
{
	static const char room[sizeof(struct format_chunk) + sizeof(uint32_t)];

	buf__clear(&file->chunk);
	buf__append(&file->chunk, room, sizeof(room));
	return (struct coder){.model = model, .out = &file->chunk};
}

int chunk_file__end(struct chunk_file *file, enum format_type type, uint32_t rows)
{
	static const char zeros[FORMAT_ALIGNMENT];
	struct buf *buf = &file->chunk;
	struct format_chunk chunk = {
		.magic = FORMAT_CHUNK_MAGIC,
		.type = type,
		.length = (uint32_t)(buf->size - sizeof(chunk)),
	};

	buf__append(buf, zeros, -buf->size % FORMAT_ALIGNMENT);
	memcpy(buf->data + sizeof(chunk), &rows, sizeof(rows));
	chunk.crc32c = crc32c__update(0, &chunk.type, 2 * sizeof(uint32_t));
	chunk.crc32c = crc32c__update(chunk.crc32c, buf->data + sizeof(chunk),
				      buf->size - sizeof(chunk));
	memcpy(buf->data, &chunk, sizeof(chunk));
	return write_whole(file, buf->data, buf->size);
}
