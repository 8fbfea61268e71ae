/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The file of a writer: its header, then chunk after chunk, each whole or not there at all.
 * format.h has the layout.
 */
#ifndef TIERSCOPE_RECORDING_CHUNK_FILE_H
#define TIERSCOPE_RECORDING_CHUNK_FILE_H

#include "coder.h"
#include "format.h"

struct chunk_file {
	int fd;
	uint64_t bytes;		/* up to the end of the last whole chunk */
	struct buf chunk;	/* the one at hand */
};

/* A new file, or an empty one, with its header.  0 or -Exxx. */
int chunk_file__open(const char *path, struct chunk_file *ret_file);
void chunk_file__close(struct chunk_file *file);

/* Where the rows of the next chunk go. */
struct coder chunk_file__begin(struct chunk_file *file, const struct model *model);
/* Writes it.  0, or -Exxx: then the file is as it was. */
int chunk_file__end(struct chunk_file *file, enum format_type type, uint32_t rows);

#endif /* TIERSCOPE_RECORDING_CHUNK_FILE_H */
