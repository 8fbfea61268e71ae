// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Names of .NET 8 to 10: of files, native functions, managed methods and threads.
#include "runtime_group.h"

#include <string.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

struct known {
	const char *text;
	enum runtime_group group;
};

const char *runtime_group__name(enum runtime_group group)
{
	static const char *const names[RUNTIME_GROUPS] = {
		[RUNTIME_GROUP_RUNTIME] = "[runtime]",
		[RUNTIME_GROUP_GC] = "[GC]",
		[RUNTIME_GROUP_JIT] = "[JIT]",
		[RUNTIME_GROUP_TYPES] = "[type loading]",
		[RUNTIME_GROUP_INTEROP] = "[interop]",
		[RUNTIME_GROUP_THREADS] = "[threads]",
	};

	return names[group];
}

static bool starts_with(const char *text, const char *beginning)
{
	return !strncmp(text, beginning, strlen(beginning));
}

static enum runtime_group by_beginning(const struct known *known, size_t count,
				       const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (starts_with(text, known[i].text))
			return known[i].group;
	return RUNTIME_GROUP_NONE;
}

/* The file of a native frame, NONE if it is none of the runtime's.  The host is. */
static enum runtime_group of_file(const char *name)
{
	static const struct known files[] = {
		{ "libclrjit", RUNTIME_GROUP_JIT },
		{ "libclrgc", RUNTIME_GROUP_GC },
		{ "libSystem.", RUNTIME_GROUP_INTEROP },
		{ "libcoreclr", RUNTIME_GROUP_RUNTIME },
		{ "libhostfxr.so", RUNTIME_GROUP_RUNTIME },
		{ "libhostpolicy.so", RUNTIME_GROUP_RUNTIME },
		{ "libmscordbi.so", RUNTIME_GROUP_RUNTIME },
		{ "libmscordaccore.so", RUNTIME_GROUP_RUNTIME },
		{ "dotnet!", RUNTIME_GROUP_RUNTIME },
	};

	return by_beginning(files, ARRAY_SIZE(files), name);
}

/*
 * Parts of the names in libcoreclr's symbols, as the C++ compiler writes them; the first that
 * is there decides.
 */
static enum runtime_group of_function(const char *name)
{
	static const struct known parts[] = {
		{ "N3WKS", RUNTIME_GROUP_GC },
		{ "N3SVR", RUNTIME_GROUP_GC },
		{ "GCInterface_", RUNTIME_GROUP_GC },
		{ "GCToEEInterface", RUNTIME_GROUP_GC },
		{ "JIT_New", RUNTIME_GROUP_GC },
		{ "JIT_Box", RUNTIME_GROUP_GC },
		{ "AllocateObject", RUNTIME_GROUP_GC },
		{ "AllocateSzArray", RUNTIME_GROUP_GC },
		{ "AllocateString", RUNTIME_GROUP_GC },
		{ "UnsafeJitFunction", RUNTIME_GROUP_JIT },
		{ "CEEJitInfo", RUNTIME_GROUP_JIT },
		{ "EEJitManager", RUNTIME_GROUP_JIT },
		{ "TieredCompilation", RUNTIME_GROUP_JIT },
		{ "ThePreStub", RUNTIME_GROUP_TYPES },
		{ "PreStubWorker", RUNTIME_GROUP_TYPES },
		{ "DoPrestub", RUNTIME_GROUP_TYPES },
		{ "ClassLoader", RUNTIME_GROUP_TYPES },
		{ "MethodTableBuilder", RUNTIME_GROUP_TYPES },
		{ "CheckRunClassInit", RUNTIME_GROUP_TYPES },
		{ "DoRunClassInit", RUNTIME_GROUP_TYPES },
		{ "UMThunk", RUNTIME_GROUP_INTEROP },
		{ "NDirect", RUNTIME_GROUP_INTEROP },
		{ "PInvoke", RUNTIME_GROUP_INTEROP },
		{ "ThreadNative", RUNTIME_GROUP_THREADS },
		{ "Monitor_", RUNTIME_GROUP_THREADS },
		{ "WaitHandle_", RUNTIME_GROUP_THREADS },
		{ "CLREventBase", RUNTIME_GROUP_THREADS },
		{ "N7CorUnix", RUNTIME_GROUP_THREADS },
	};
	const char *function = strchr(name, '!');

	for (size_t i = 0; function && i < ARRAY_SIZE(parts); i++)
		if (strstr(function, parts[i].text))
			return parts[i].group;
	return RUNTIME_GROUP_NONE;
}

/* What methods of the core library ask of the runtime, if it is not a body to be compiled. */
static enum runtime_group of_caller(const char *method)
{
	static const struct known methods[] = {
		{ "System.GC.", RUNTIME_GROUP_GC },
		{ "System.Runtime.GCSettings.", RUNTIME_GROUP_GC },
		{ "System.Runtime.DependentHandle.", RUNTIME_GROUP_GC },
		{ "System.Runtime.InteropServices.GCHandle.", RUNTIME_GROUP_GC },
		{ "System.WeakReference", RUNTIME_GROUP_GC },
		/* The thread stands still for a collection. */
		{ "System.Threading.Thread.PollGC", RUNTIME_GROUP_GC },
		{ "System.Reflection.Emit.DynamicMethod.", RUNTIME_GROUP_JIT },
		{ "System.Runtime.CompilerServices.InitHelpers.", RUNTIME_GROUP_TYPES },
		{ "System.Runtime.CompilerServices.GenericsHelpers.", RUNTIME_GROUP_TYPES },
		{ "System.Runtime.CompilerServices.StaticsHelpers.", RUNTIME_GROUP_TYPES },
		{ "System.Runtime.Loader.AssemblyLoadContext.", RUNTIME_GROUP_TYPES },
		{ "System.RuntimeTypeHandle.", RUNTIME_GROUP_TYPES },
		{ "System.Reflection.RuntimeAssembly.", RUNTIME_GROUP_TYPES },
		{ "System.Reflection.RuntimeModule.", RUNTIME_GROUP_TYPES },
		{ "System.Threading.Condition.", RUNTIME_GROUP_THREADS },
		{ "System.Threading.LowLevel", RUNTIME_GROUP_THREADS },
		{ "System.Threading.ManualResetEventSlim.Wait", RUNTIME_GROUP_THREADS },
		{ "System.Threading.Monitor.", RUNTIME_GROUP_THREADS },
		{ "System.Threading.SpinWait.", RUNTIME_GROUP_THREADS },
		{ "System.Threading.Thread.", RUNTIME_GROUP_THREADS },
		{ "System.Threading.WaitHandle.", RUNTIME_GROUP_THREADS },
		/* Not of Windows: libcoreclr's own semaphores, mutexes and events. */
		{ "Interop.Kernel32.", RUNTIME_GROUP_THREADS },
		{ "Interop.", RUNTIME_GROUP_INTEROP },
		{ "IL_STUB_PInvoke", RUNTIME_GROUP_INTEROP },
	};

	return by_beginning(methods, ARRAY_SIZE(methods), method);
}

static enum runtime_group of_thread(const char *thread)
{
	static const struct known threads[] = {
		{ ".NET BGC", RUNTIME_GROUP_GC },
		{ ".NET Server GC", RUNTIME_GROUP_GC },
		{ ".NET Finalizer", RUNTIME_GROUP_GC },
		{ RUNTIME_TIERING_THREAD, RUNTIME_GROUP_JIT },
		{ ".NET SynchManag", RUNTIME_GROUP_THREADS },
	};

	return by_beginning(threads, ARRAY_SIZE(threads), thread);
}

static bool has_file(const struct runtime_frame *frames, size_t from, size_t end,
		     const char *file)
{
	for (; from < end; from++)
		if (frames[from].native && starts_with(frames[from].name, file))
			return true;
	return false;
}

/* What the frames from..end have been called for, between managed methods or the ends. */
static enum runtime_group of_run(const struct runtime_frame *frames, size_t from, size_t end,
				 size_t count, const char *thread)
{
	bool compiles = has_file(frames, from, end, "libclrjit");
	enum runtime_group group;

	if (!from) {
		group = of_thread(thread);
		if (group)
			return group;
		/* A thread's start, not the program's. */
		if (end < count && end && frames[0].native && starts_with(frames[0].name, "libc.so") &&
		    !has_file(frames, from, end, "libhost"))
			return RUNTIME_GROUP_THREADS;
		return RUNTIME_GROUP_RUNTIME;
	}
	group = of_caller(frames[from - 1].name);
	if (compiles)
		return group == RUNTIME_GROUP_TYPES ? group : RUNTIME_GROUP_JIT;
	/* The helpers of instrumented code are functions of libcoreclr, too. */
	if (frames[from - 1].instrumented && end - from == 1)
		return RUNTIME_GROUP_RUNTIME;
	if (group)
		return group;
	if (end < count && strstr(frames[end].name, "..cctor("))
		return RUNTIME_GROUP_TYPES;
	/* Native code of somebody else calls managed code. */
	if (end < count && !of_file(frames[from].name))
		return RUNTIME_GROUP_INTEROP;
	return RUNTIME_GROUP_RUNTIME;
}

static void group_run(const struct runtime_frame *frames, size_t from, size_t end,
		      enum runtime_group group, enum runtime_group *ret_groups)
{
	for (size_t i = from; i < end; i++) {
		enum runtime_group file = RUNTIME_GROUP_NONE, told = RUNTIME_GROUP_NONE;

		if (frames[i].native)
			file = of_file(frames[i].name);
		if (file)
			told = file == RUNTIME_GROUP_RUNTIME ? of_function(frames[i].name) : file;
		if (told)
			group = told;
		ret_groups[i] = file ? group : RUNTIME_GROUP_NONE;
	}
}

void runtime_group__of_stack(const struct runtime_frame *frames, size_t count,
			     const char *thread, enum runtime_group *ret_groups)
{
	for (size_t from = 0, end; from < count; from = end) {
		end = from + 1;
		if (frames[from].managed) {
			ret_groups[from] = RUNTIME_GROUP_NONE;
			continue;
		}
		while (end < count && !frames[end].managed)
			end++;
		group_run(frames, from, end, of_run(frames, from, end, count, thread),
			  ret_groups);
	}
}
