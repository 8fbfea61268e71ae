/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Private to record -a: why processes are not recorded, counted by cause. */
#ifndef TIERSCOPE_CLI_REFUSALS_H
#define TIERSCOPE_CLI_REFUSALS_H

#include "../base/buf.h"

struct refusal {
	char *text;
	unsigned int count;
};

struct refusals {
	struct refusal *items;
	unsigned int count, capacity;
	unsigned int total;
};

/* The cause is what stands before the first ';', where advice follows it. */
void refusals__add(struct refusals *refusals, const char *text);
/* "; 9 refused: 6 diagnostics are switched off in it, 3 ...", nothing if none. */
void refusals__append(const struct refusals *refusals, struct buf *buf);
void refusals__free(struct refusals *refusals);	/* the contents only */

#endif /* TIERSCOPE_CLI_REFUSALS_H */
