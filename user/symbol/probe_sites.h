/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The USDT probes of a program or library, as notes in its file tell of them: where each
 * one's sites are, and in which registers their arguments.
 */
#ifndef TIERSCOPE_SYMBOL_PROBE_SITES_H
#define TIERSCOPE_SYMBOL_PROBE_SITES_H

#include "elf_view.h"

#define PROBE_SITES_MAX 16 /* of one probe */

/* Offsets in the file. */
struct probe_site {
	uint64_t offset;	/* of the instruction */
	uint64_t semaphore;	/* 0: it has none */
	uint64_t arguments;	/* as abi/probe.h has them */
};

/*
 * How many `ret_sites` there are, or -ENOENT: no such probe; -EOPNOTSUPP: an argument that
 * lies in no register; -E2BIG: too many sites; -ENOEXEC: notes that cannot be right.
 */
int probe_sites__read(const struct elf_view *view, const char *provider, const char *name,
		      struct probe_site ret_sites[PROBE_SITES_MAX]);

#endif /* TIERSCOPE_SYMBOL_PROBE_SITES_H */
