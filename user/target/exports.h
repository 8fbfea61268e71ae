/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Which symbols an ELF executable exports, to recognise a .NET runtime that is
 * linked into the program.  Reads only what it needs; the file is hostile.
 */
#ifndef TIERSCOPE_TARGET_EXPORTS_H
#define TIERSCOPE_TARGET_EXPORTS_H

#include <stdbool.h>

/*
 * Sets found[i] when the dynamic string table holds names[i].  0, or -ENOEXEC
 * if the file is no 64-bit ELF file with a dynamic section, or -Exxx.
 */
int exports__find(int file, const char *const *names, unsigned int count,
		  bool *ret_found);

#endif /* TIERSCOPE_TARGET_EXPORTS_H */
