/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The "native format" containers of a ReadyToRun image: the sparse array that
 * leads from a MethodDef to its entry point, and the hash table that holds the
 * instantiations.  Offsets are offsets in the file.
 */
#ifndef TIERSCOPE_IMAGE_NATIVE_FORMAT_H
#define TIERSCOPE_IMAGE_NATIVE_FORMAT_H

#include "../../metadata/cursor.h"

uint32_t native__unsigned(struct cursor *cursor);
int32_t native__signed(struct cursor *cursor);

struct native_array {
	struct cursor file;
	uint32_t base; /* of the block index */
	uint32_t count;
	uint32_t index_shift; /* block index entries are 1 << this bytes */
};

/* 0 or -EBADMSG. */
int native_array__open(struct cursor file, uint32_t offset,
		       struct native_array *ret_array);
/* A cursor at element `index`; `bad` if there is none. */
struct cursor native_array__at(const struct native_array *array, uint32_t index);

/*
 * Calls `each` with a cursor at every entry, at most `limit` (then -EBADMSG).
 * A non-zero return of `each` ends the walk and is returned.
 */
typedef int (*native_each)(void *context, struct cursor entry);
int native_table__each(struct cursor file, uint32_t offset, uint32_t limit,
		       native_each each, void *context);

#endif /* TIERSCOPE_IMAGE_NATIVE_FORMAT_H */
