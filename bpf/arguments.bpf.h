/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The arguments of a probe that was hit, taken out of registers as the cookie of its site
 * says (abi/probe.h): nothing is looked up.
 */
#ifndef TIERSCOPE_ARGUMENTS_BPF_H
#define TIERSCOPE_ARGUMENTS_BPF_H

#include "../abi/probe.h"

struct arguments {
	__u64 cookie;
	__u64 registers[TS_PROBE_REGISTERS + 1];
};

/* The context can be read at constant places only, the stack anywhere. */
static __always_inline void arguments_fetch(struct arguments *arguments, struct pt_regs *regs)
{
	const unsigned long *from = (const unsigned long *)regs;

#pragma unroll
	for (__u32 i = 0; i < TS_PROBE_REGISTERS; i++)
		arguments->registers[i] = from[i];
	arguments->registers[TS_PROBE_NONE] = 0;
	arguments->cookie = bpf_get_attach_cookie(regs);
}

static __always_inline __u64 argument(const struct arguments *arguments, __u32 index)
{
	return ts_probe__argument(arguments->registers, arguments->cookie, index);
}

#endif /* TIERSCOPE_ARGUMENTS_BPF_H */
