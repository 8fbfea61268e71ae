/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Numbers of rows that are not in use any more, for new rows to have. */
#ifndef TIERSCOPE_BASE_UNUSED_H
#define TIERSCOPE_BASE_UNUSED_H

#include <stdbool.h>
#include <stdint.h>

struct unused {
	uint32_t *numbers;
	uint32_t count, capacity;
};

void unused__add(struct unused *unused, uint32_t number);
/* The one that was added last; false: there is none. */
bool unused__take(struct unused *unused, uint32_t *ret_number);
void unused__free(struct unused *unused);	/* the contents only */

#endif /* TIERSCOPE_BASE_UNUSED_H */
