/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/* What the environment wishes. */
#ifndef TIERSCOPE_HOOK_ENVIRONMENT_H
#define TIERSCOPE_HOOK_ENVIRONMENT_H

#include <stdint.h>

/* A decimal number between `least` and `most`, else `otherwise`. */
uint64_t environment__number(const char *name, uint64_t least, uint64_t most,
			     uint64_t otherwise);

#endif /* TIERSCOPE_HOOK_ENVIRONMENT_H */
