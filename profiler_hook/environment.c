/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/* Not strtoul: its newest version in libc is too new for us. */
#include "environment.h"

#include <stdlib.h>

uint64_t environment__number(const char *name, uint64_t least, uint64_t most,
			     uint64_t otherwise)
{
	const char *text = getenv(name);
	uint64_t number = 0;

	if (!text || !*text)
		return otherwise;
	while (*text >= '0' && *text <= '9' && number <= most)
		number = number * 10 + (uint64_t)(*text++ - '0');
	return *text || number < least || number > most ? otherwise : number;
}
