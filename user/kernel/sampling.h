/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Private to this room: the sampling events, and the rings. */
#ifndef TIERSCOPE_KERNEL_SAMPLING_H
#define TIERSCOPE_KERNEL_SAMPLING_H

#include "internal.h"

int sampling__open(struct kernel *kernel, const struct kernel_options *options,
		   struct trouble *ret_trouble);
void sampling__close(struct kernel *kernel);

int rings__open(struct kernel *kernel);
void rings__close(struct kernel *kernel);
int ledger__read(struct kernel *kernel, uint64_t ret_counts[TS_LEDGER_SLOTS]);

#endif /* TIERSCOPE_KERNEL_SAMPLING_H */
