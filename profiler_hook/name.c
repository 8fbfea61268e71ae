/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Own number formatting: the printf family takes locks and may allocate.
 */
#include "name.h"

#include <string.h>

void name__append(struct name *name, const char *bytes, size_t size)
{
	size_t room = name->capacity - name->size;

	if (size > room) {
		name->cut = true;
		size = room;
		/* Never half a character. */
		while (size && ((unsigned char)bytes[size] & 0xc0) == 0x80)
			size--;
	}
	memcpy(name->bytes + name->size, bytes, size);
	name->size += size;
}

void name__append_string(struct name *name, const char *string)
{
	name__append(name, string, strlen(string));
}
