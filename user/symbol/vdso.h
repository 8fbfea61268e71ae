/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* The library that the kernel maps into each process: ours is as good as any. */
#ifndef TIERSCOPE_SYMBOL_VDSO_H
#define TIERSCOPE_SYMBOL_VDSO_H

#include "elf_view.h"

#define VDSO "[vdso]"	/* as /proc/PID/maps calls it */

/* 0; -ENOENT: this kernel has none. */
int vdso__open(struct elf_view *view);

#endif /* TIERSCOPE_SYMBOL_VDSO_H */
