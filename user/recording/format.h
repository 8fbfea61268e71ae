/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The layout of a recording file, for its writer and its reader.  All numbers
 * are little endian.
 *
 *   struct format_header
 *   struct format_chunk, payload, zeros up to a multiple of 8
 *   ...
 *   struct format_chunk of type FORMAT_END
 *
 * A payload is a count of rows, then the rows; their fields are in rows.c,
 * each a variable-length number (coder.h).  Rows of one kind are numbered in
 * the order of the file, from 0 (strings, stacks: from 1, 0 is the empty one).
 * A writer that runs for long forgets stacks from time to time: after
 * FORMAT_RESTART their numbers begin anew, and a stack may be defined again.
 *
 * The checksum covers type, length, payload and padding: with the magic, every
 * bit of a chunk.  A format that a reader of this one would misread gets the
 * next number; nothing is ever put into an old chunk type.
 */
#ifndef TIERSCOPE_RECORDING_FORMAT_H
#define TIERSCOPE_RECORDING_FORMAT_H

#include <stdint.h>

#define FORMAT_MAGIC		"TSCOPE\r\n"
#define FORMAT_CHUNK_MAGIC	0x4b435354u	/* "TSCK" */
#define FORMAT_ALIGNMENT	8u
/* A chunk is closed by the row that makes it this long; a row is shorter than
 * the difference between the two. */
#define FORMAT_CHUNK_BYTES	(1u << 20)
#define FORMAT_CHUNK_BYTES_MAX	(4u << 20)

struct format_header {
	char magic[8];
	uint32_t format;
	uint32_t reserved;
};
_Static_assert(sizeof(struct format_header) == 16, "header layout");

enum format_type {
	FORMAT_ABOUT = 1,	/* one row; a later one replaces it */
	FORMAT_STRINGS = 2,
	FORMAT_PROCESSES = 3,
	FORMAT_EVENTS = 4,
	FORMAT_BODIES = 5,
	FORMAT_THREADS = 6,
	FORMAT_FRAMES = 7,
	FORMAT_STACKS = 8,
	FORMAT_SAMPLES = 9,
	FORMAT_UPDATES = 10,	/* rows of processes and bodies as they are now */
	FORMAT_COUNTS = 11,	/* a later value of a count replaces it */
	FORMAT_END = 12,	/* no row */
	/* Since format 2: */
	FORMAT_RESTART = 13,	/* no row: stacks are numbered from 1 again */
	FORMAT_PART = 14,	/* one row: which part of a rotated recording this is */
	/* Since format 3: */
	FORMAT_PATCHES = 15,
	/* Since format 4; of a function or an IL version the last row counts: */
	FORMAT_IL_VERSIONS = 16,
	FORMAT_ACTIVES = 17,
	FORMAT_INLININGS = 18,
	FORMAT_WEIGHED = 19,	/* samples that stand for more than one period */
	FORMAT_TIMES = 20,	/* of threads; a later row replaces one of the same thread */
	/* Since format 5: */
	FORMAT_TIERING = 21,
};

struct format_chunk {
	uint32_t magic;
	uint32_t type;
	uint32_t length;	/* of the payload, without padding */
	uint32_t crc32c;
};
_Static_assert(sizeof(struct format_chunk) == 16, "chunk layout");

#endif /* TIERSCOPE_RECORDING_FORMAT_H */
