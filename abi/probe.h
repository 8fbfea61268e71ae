/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Where the arguments of a probe lie, told to the program that listens as the cookie of the
 * probe's site: a byte for each of the first eight, the first one lowest.
 *
 *     7     6       5 4        3 2 1 0
 *   ┌───┬────────┬─────────┬───────────┐
 *   │ 0 │ signed │ size    │ register  │   size: log2 of bytes
 *   └───┴────────┴─────────┴───────────┘   register: its place in struct pt_regs
 */
#ifndef TIERSCOPE_ABI_PROBE_H
#define TIERSCOPE_ABI_PROBE_H

#include <linux/types.h>

#define TS_PROBE_ARGUMENTS	8
#define TS_PROBE_REGISTERS	15	/* r15 to rdi, as struct pt_regs begins */
#define TS_PROBE_NONE		15	/* the register of an argument that is not there: 0 */

#define TS_PROBE_SIGNED		0x40
#define TS_PROBE_ARGUMENT(place, log2_size) ((place) | (log2_size) << 4)

/* `registers` has one more: a 0. */
static inline __u64 ts_probe__argument(const __u64 *registers, __u64 cookie, __u32 index)
{
	__u32 how = cookie >> 8 * index & 0xff;
	__u32 unused = 64 - (8u << (how >> 4 & 3));
	__u64 value = registers[how & 15] << unused;

	return how & TS_PROBE_SIGNED ? (__u64)((__s64)value >> unused) : value >> unused;
}

#endif /* TIERSCOPE_ABI_PROBE_H */
