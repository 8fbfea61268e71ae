/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * A string that grows to its capacity and then says that it was cut.
 */
#ifndef TIERSCOPE_HOOK_NAME_H
#define TIERSCOPE_HOOK_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct typedef_name;

struct name {
	char *bytes; /* not ended by NUL */
	size_t size;
	size_t capacity;
	bool cut;
	struct typedef_name *known; /* see names.h; NULL none */
};

/* `bytes` is UTF-8; it is cut between characters. */
void name__append(struct name *name, const char *bytes, size_t size);
void name__append_string(struct name *name, const char *string);

#endif /* TIERSCOPE_HOOK_NAME_H */
