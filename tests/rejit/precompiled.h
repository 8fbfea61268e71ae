/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/* What the runtime says of precompiled code, for who holds a recording against it. */
#ifndef TIERSCOPE_TESTS_REJIT_PRECOMPILED_H
#define TIERSCOPE_TESTS_REJIT_PRECOMPILED_H

#include "../../profiler_hook/corprof.h"

#include <stdio.h>

/* The runtime uses the function's precompiled code. */
void precompiled__found(function_id function);
/* All such, a line of JSON each. */
void precompiled__dump_found(FILE *out, struct profiler_info *info);
/* Into which methods of `inliners` the method was inlined when that was compiled; `name` is
 * the inlinee's module's. */
void precompiled__dump_inliners(FILE *out, struct profiler_info *info, module_id inliners,
				module_id inlinee, const char *name, metadata_token token);

#endif /* TIERSCOPE_TESTS_REJIT_PRECOMPILED_H */
