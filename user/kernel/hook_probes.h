/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Arming the probes of a hook: its file's notes say where they are, and the kernel runs a
 * BPF program of ours whenever a process gets there.
 */
#ifndef TIERSCOPE_KERNEL_HOOK_PROBES_H
#define TIERSCOPE_KERNEL_HOOK_PROBES_H

#include "../base/trouble.h"

#include <stdbool.h>
#include <sys/types.h>

struct tierscope;
struct hook_probes;

/* Before the programs are loaded: the kernel wants to know how they will be attached. */
void hook_probes__configure(struct tierscope *skeleton);

/* The library, open, and how messages call it. */
struct hook_file {
	int fd;
	const char *path;
};

/*
 * In process `pid`, -1: in all that load it.  Of a hook of an earlier version those probes
 * are armed that it has.  0; -ENOENT: it has none of ours; -Exxx.
 */
int hook_probes__arm(struct tierscope *skeleton, const struct hook_file *file, pid_t pid,
		     bool patches, struct hook_probes **ret_probes,
		     struct trouble *ret_trouble);
void hook_probes__free(struct hook_probes *probes);

#endif /* TIERSCOPE_KERNEL_HOOK_PROBES_H */
