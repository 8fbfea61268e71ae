/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * What the runtime's own frames of a stack were there for.  libcoreclr is stripped, so few of
 * its functions are known by name; what tells, from the best to the last:
 *
 *   the file: libclrjit, libclrgc, libSystem.Native
 *   the function's name, where there is a symbol
 *   the caller's group: what the JIT asks of libcoreclr is the JIT's
 *   the managed method that called, or is called
 *   what the thread is for
 *
 * Where none does, the group is RUNTIME.
 */
#ifndef TIERSCOPE_RUNTIME_GROUP_H
#define TIERSCOPE_RUNTIME_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum runtime_group {
	RUNTIME_GROUP_NONE = 0,		/* not of the runtime: it stays as it is */
	RUNTIME_GROUP_RUNTIME,
	RUNTIME_GROUP_GC,
	RUNTIME_GROUP_JIT,
	RUNTIME_GROUP_TYPES,
	RUNTIME_GROUP_INTEROP,
	RUNTIME_GROUP_THREADS,
	RUNTIME_GROUPS
};

/* Names of threads, as the kernel has them: ".NET Tiered Compilation Worker", v8 to v10. */
#define RUNTIME_TIERING_THREAD ".NET Tiered Com"

struct runtime_frame {
	const char *name;		/* "libcoreclr.so!+0x1c0", "System.GC.Collect()" */
	bool managed, native;		/* neither: of the kernel, a stub, unknown */
	bool instrumented;		/* managed: its body counts calls and types */
};

/* "[GC]"; NULL for NONE. */
const char *runtime_group__name(enum runtime_group group);

/* The group of each frame, outermost caller first.  `thread`: its name as the kernel has it,
 * cut at 15 bytes. */
void runtime_group__of_stack(const struct runtime_frame *frames, size_t count,
			     const char *thread, enum runtime_group *ret_groups);

#endif /* TIERSCOPE_RUNTIME_GROUP_H */
