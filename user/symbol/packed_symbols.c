// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Unpacking within bounds: see packed_symbols.h.
#include "packed_symbols.h"

#include <errno.h>
#include <lzma.h>
#include <stdlib.h>

/* A few kilobytes can become gigabytes. */
#define IMAGE_MAX   (32u << 20)
#define DECODER_MAX (128u << 20)

/* At most `size` bytes; -EBADMSG: damaged, or more than that. */
static int unpack(const struct elf_bytes *packed, uint8_t *ret_bytes, size_t size,
		  size_t *ret_size)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_ret result;

	if (lzma_stream_decoder(&stream, DECODER_MAX, 0) != LZMA_OK)
		return -ENOMEM;
	stream.next_in = packed->data;
	stream.avail_in = packed->size;
	stream.next_out = ret_bytes;
	stream.avail_out = size;
	result = lzma_code(&stream, LZMA_FINISH);
	*ret_size = size - stream.avail_out;
	lzma_end(&stream);
	return result == LZMA_STREAM_END ? 0 : -EBADMSG;
}

int packed_symbols__open(struct packed_symbols *symbols, const struct elf_view *program)
{
	struct elf_bytes packed;
	size_t size = 0;
	int err;

	if (elf_view__section(program, ".gnu_debugdata", &packed))
		return -ENOENT;
	/* Only what is written of it becomes memory. */
	symbols->image = malloc(IMAGE_MAX);
	if (!symbols->image)
		return -ENOENT;
	err = unpack(&packed, symbols->image, IMAGE_MAX, &size);
	if (!err)
		err = elf_view__open_memory(&symbols->view, symbols->image, size);
	if (err) {
		free(symbols->image);
		return -ENOENT;
	}
	return 0;
}

void packed_symbols__close(struct packed_symbols *symbols)
{
	elf_view__close(&symbols->view);
	free(symbols->image);
}
