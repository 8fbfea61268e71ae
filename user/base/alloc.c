// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Memory that ends the program when it is gone: see alloc.h.
#include "alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_INTERNAL 5

static void *checked(void *memory)
{
	if (!memory) {
		fputs("tierscope: out of memory\n", stderr);
		exit(EXIT_INTERNAL);
	}
	return memory;
}

void *alloc__zeroed(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size ? size : 1));
}

void *alloc__resize(void *memory, size_t count, size_t size)
{
	return checked(reallocarray(memory, count ? count : 1, size ? size : 1));
}

void *alloc__room(void *memory, uint32_t *room, uint32_t wanted, size_t size)
{
	uint32_t old = *room, most = old ? old : 16;

	if (wanted <= old)
		return memory;
	while (most < wanted)
		most = most > UINT32_MAX / 2 ? UINT32_MAX : most * 2;
	memory = alloc__resize(memory, most, size);
	memset((char *)memory + old * size, 0, (most - old) * size);
	*room = most;
	return memory;
}

char *alloc__string(const char *string)
{
	return string ? checked(strdup(string)) : NULL;
}

char *alloc__string_n(const char *string, size_t size)
{
	return checked(strndup(string, size));
}
