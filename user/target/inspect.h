/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* The pure parts of inspecting a process: text in, facts out. */
#ifndef TIERSCOPE_TARGET_INSPECT_H
#define TIERSCOPE_TARGET_INSPECT_H

#include "../base/buf.h"
#include "target.h"

#include <stdbool.h>
#include <stdint.h>

/* What one line of /proc/PID/maps says about a runtime. */
struct mapped {
	char *runtime_path; /* libcoreclr.so, NULL: not seen */
	bool musl;
	bool hook;
};
void inspect__maps_line(const char *line, struct mapped *mapped);
/* The path in such a line, without "(deleted)"; NULL if it names no file. */
const char *inspect__maps_path(const char *line, size_t *ret_size);

/* "10.0.12" out of ".../Microsoft.NETCore.App/10.0.12/libcoreclr.so", or NULL. */
char *inspect__version_of_path(const char *path);
/* "10.0.12" out of "10.0.12+95017c711e6a" or the like; "" if it is no version. */
char *inspect__version_of_text(const char *text);
/* The container's id out of /proc/PID/cgroup, or "". */
char *inspect__container(const char *cgroup);
/* The program's name out of its NUL-separated arguments and its executable. */
char *inspect__entry(const char *arguments, size_t size, const char *executable);
/* A switch like DOTNET_EnableDiagnostics is off: name without prefix. */
bool inspect__switched_off(const struct buf *environment, const char *name);
/* Start time in ticks since boot, as CLOCK_MONOTONIC of this machine. */
uint64_t inspect__start_ns(uint64_t start_ticks);

#endif /* TIERSCOPE_TARGET_INSPECT_H */
