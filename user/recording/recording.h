/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The recording file (.tscope): a model, as a row of chunks
 *
 *   "TSCOPE\r\n" u32 format  u32 reserved        16 bytes
 *   chunk: u32 magic, u32 type, u32 length, u32 crc32c, payload, padding to 8
 *   ...
 *   end chunk
 *
 * Each chunk is written by one write(); a file cut at any byte opens up to
 * its last whole chunk.  A chunk refers only to what earlier chunks, or it
 * itself, defined.
 */
#ifndef TIERSCOPE_RECORDING_H
#define TIERSCOPE_RECORDING_H

#include "../model/model.h"

/* Read back to the first; every file is written as the newest. */
#define RECORDING_FORMAT 5

struct recording_writer;

/* Creates or truncates `path` (mode 0600).  0 or -Exxx. */
int recording_writer__open(const char *path, struct recording_writer **ret_writer);
/* Appends what the model has gained since the last flush.  0 or -Exxx (disk
 * full: the file stays good up to the last whole chunk). */
int recording_writer__flush(struct recording_writer *writer, struct model *model);
/*
 * After a flush: takes out of the model what the file holds now and the recorder
 * does not need, so that the model's size does not follow the length of the
 * recording.  0 or -Exxx.
 */
int recording_writer__shed(struct recording_writer *writer, struct model *model);
/* Flushes, writes counts, `about` and the end chunk. */
int recording_writer__finish(struct recording_writer *writer, struct model *model);
uint64_t recording_writer__bytes(const struct recording_writer *writer);
void recording_writer__free(struct recording_writer *writer);

enum recording_status {
	RECORDING_WHOLE = 0,
	RECORDING_CUT,		/* opened up to the last whole chunk */
};
struct recording_result {
	enum recording_status status;
	uint64_t kept_bytes, file_bytes;
	uint32_t chunks;
	char reason[160];	/* for a person, without the path */
};
/*
 * Fills the model, which must be new (-EINVAL).  0, also when the file was cut
 * (see result); -EBADMSG not a recording, -EPROTO newer format, -ENODATA empty,
 * -EFBIG, or -Exxx of open and read.  Every byte of the file is hostile.
 */
int recording__read(const char *path, struct model *model,
		    struct recording_result *ret_result);

#endif /* TIERSCOPE_RECORDING_H */
