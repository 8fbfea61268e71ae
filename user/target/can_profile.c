// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Whether the hook can get into a process, and what to do if not: see target.h.
#include "target.h"

#include "diagnostics.h"
#include "proc.h"
#include "root.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define OLDEST_RUNTIME	   8
#define CONNECT_TIMEOUT_MS 500

static int check_kind(const struct target *target, struct trouble *ret_trouble)
{
	char *end;
	unsigned long major;

	if (target->runtime == TARGET_NOT_DOTNET)
		return trouble__set(ret_trouble, -ENOEXEC, "it does not run .NET");
	if (target->runtime == TARGET_NATIVE_AOT)
		return trouble__set(ret_trouble, -ENOTSUP,
				    "it is compiled with Native AOT, which has one "
				    "body per method and no "
				    "profiler interface; use perf for it");
	major = strtoul(target->runtime_version, &end, 10);
	if (end != target->runtime_version && major < OLDEST_RUNTIME)
		return trouble__set(
			ret_trouble, -ENOTSUP,
			"it runs .NET %.40s; tierscope needs .NET %d or newer",
			target->runtime_version, OLDEST_RUNTIME);
	if (target->musl)
		return trouble__set(ret_trouble, -ENOTSUP,
				    "it runs on musl (Alpine), for which this build "
				    "has no hook; use a "
				    "glibc image of the program");
	return 0;
}

/*
 * A runtime with _Profiler=0 lets an attach through all the same (10.0.12); but
 * what somebody switched off on purpose stays off.
 */
static int check_switches(const struct target *target, struct trouble *ret_trouble)
{
	if (target->diagnostics_off && target->profiler_off)
		return trouble__set(
			ret_trouble, -EPERM,
			"diagnostics are switched off in it; restart it without "
			"DOTNET_EnableDiagnostics=0 (or COMPlus_EnableDiagnostics=0)");
	if (target->profiler_off)
		return trouble__set(
			ret_trouble, -EPERM,
			"profiling is switched off in it; restart it without "
			"DOTNET_EnableDiagnostics_Profiler=0 (or the COMPlus_ "
			"spelling)");
	if (target->diagnostics_off)
		return trouble__set(
			ret_trouble, -EPERM,
			"its diagnostics socket is switched off; restart it without "
			"DOTNET_EnableDiagnostics_IPC=0 (or the COMPlus_ spelling), or "
			"launch it "
			"with tierscope record -- CMD");
	return 0;
}

int target__can_profile(const struct target *target, struct trouble *ret_trouble)
{
	uid_t user = geteuid();
	int socket, err;

	if (user != 0 && user != target->uid)
		return trouble__set(
			ret_trouble, -EACCES,
			"it belongs to user %u; run tierscope as root or as that user",
			(unsigned int)target->uid);
	if (target->hooked && target->runtime == TARGET_DOTNET)
		return 0;
	err = check_kind(target, ret_trouble);
	if (!err)
		err = check_switches(target, ret_trouble);
	if (err)
		return err;
	/* Connecting is the one test that cannot be wrong; nothing is sent. */
	socket = diagnostics__connect(
		target, diagnostics__now_ms() + CONNECT_TIMEOUT_MS, ret_trouble);
	if (socket < 0)
		return socket;
	close(socket);
	return 0;
}
