/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* In place of user/kernel/image_arrays.c: all of it, so that it is not linked. */
#ifndef TIERSCOPE_TESTS_NO_IMAGE_ARRAYS_H
#define TIERSCOPE_TESTS_NO_IMAGE_ARRAYS_H

#include "../../user/kernel/internal.h"

#include <errno.h>

int image_arrays__open(struct kernel *kernel)
{
	(void)kernel;
	return -ENOSYS;
}

void image_arrays__close(struct kernel *kernel)
{
	(void)kernel;
}

int kernel__add_image(struct kernel *kernel, const struct image *image, uint32_t *ret_number)
{
	(void)kernel, (void)image;
	*ret_number = 0;
	return 0;
}

bool image_arrays__code(const struct kernel *kernel, uint32_t number, uint64_t *ret_from,
			uint64_t *ret_to)
{
	(void)kernel, (void)number, (void)ret_from, (void)ret_to;
	return false;
}

/* Tables of native files: the room that is left, and what was done. */
static struct {
	uint32_t room, added, dropped;
	bool too_big;			/* for any room */
	bool in_use[64];
} no_image_rules = { .room = 64 };

int kernel__add_rules(struct kernel *kernel, const struct unwind_table *table,
		      uint32_t *ret_number)
{
	(void)kernel, (void)table;
	if (no_image_rules.too_big)
		return -EFBIG;
	for (uint32_t i = 0; i < no_image_rules.room; i++) {
		if (no_image_rules.in_use[i])
			continue;
		no_image_rules.in_use[i] = true;
		no_image_rules.added++;
		*ret_number = i + 1;
		return 0;
	}
	return -ENOSPC;
}

void kernel__drop_rules(struct kernel *kernel, uint32_t number)
{
	(void)kernel;
	no_image_rules.in_use[number - 1] = false;
	no_image_rules.dropped++;
}

#endif /* TIERSCOPE_TESTS_NO_IMAGE_ARRAYS_H */
