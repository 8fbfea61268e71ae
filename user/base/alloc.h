/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Memory of the loader.  These end the program with one line and exit code 5
 * when memory is gone; what was recorded so far is on disk by then, because
 * the recording is written in whole chunks.  Never link this into the hook.
 */
#ifndef TIERSCOPE_BASE_ALLOC_H
#define TIERSCOPE_BASE_ALLOC_H

#include <stddef.h>
#include <stdint.h>

void *alloc__zeroed(size_t count, size_t size);
void *alloc__resize(void *memory, size_t count, size_t size);
/* Room for at least `wanted` elements of that size, at least twice as many as before; the
 * new ones are zeroed. */
void *alloc__room(void *memory, uint32_t *room, uint32_t wanted, size_t size);
char *alloc__string(const char *string);	/* NULL gives NULL */
char *alloc__string_n(const char *string, size_t size);

/* Room for one more element in a growing array: doubles when full. */
#define alloc__grow(array, count, capacity) do { \
	if ((count) >= (capacity)) { \
		(capacity) = (capacity) ? (capacity) * 2 : 16; \
		(array) = alloc__resize((array), (capacity), sizeof(*(array))); \
	} } while (0)

#endif /* TIERSCOPE_BASE_ALLOC_H */
