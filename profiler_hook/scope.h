/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * A module's metadata, to be read beside the runtime.  Asked for it through the
 * profiling interface, the runtime makes its own reader of that module a writable one,
 * whose every look takes a lock, for the rest of the process's life: in the C# compiler
 * libcoreclr used 18 % more CPU for it (docs/OVERHEAD.md).  So the hook reads the bytes
 * itself (image_names.h), and for what it leaves there opens them a second time, with
 * the runtime's own library for it (cor.h, v8 to v10).
 */
#ifndef TIERSCOPE_HOOK_SCOPE_H
#define TIERSCOPE_HOOK_SCOPE_H

#include "hook.h"

/*
 * Finds the library.  Once, at the start: the dynamic linker's lock is not to be waited
 * for while a method is compiled.
 */
void scope__prepare(struct hook *hook);

/*
 * Where a module's metadata lies, and its size; 0 where the module can go, or has no
 * bytes of its own.
 */
uint64_t scope__find_bytes(struct hook *hook, module_id module, uint32_t *ret_size);

/*
 * For the caller to release; NULL when there is none.  Any thread.  Modules that have
 * no bytes of their own (made at run time), and those that can be unloaded, whose bytes
 * can go, are asked for through the profiling interface still; and all of them beside
 * a main profiler, which may change them.
 */
struct metadata_import *scope__open(struct hook *hook, module_id module);

/*
 * Through the profiling interface: for what scope__open's reader does not know, as it
 * was added to the module since, by a hot reload or by another profiler.
 */
struct metadata_import *scope__ask(struct hook *hook, module_id module);

/* At a detach: nobody reads any more. */
void scope__close_all(struct hook *hook);

#endif /* TIERSCOPE_HOOK_SCOPE_H */
