// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// A failure that a person can act on: see trouble.h.
#include "trouble.h"

#include <stdarg.h>
#include <stdio.h>

int trouble__set(struct trouble *trouble, int err, const char *format, ...)
{
	va_list arguments;

	if (!trouble)
		return err;
	va_start(arguments, format);
	vsnprintf(trouble->text, sizeof(trouble->text), format, arguments);
	va_end(arguments);
	return err;
}
