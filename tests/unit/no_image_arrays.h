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

#endif /* TIERSCOPE_TESTS_NO_IMAGE_ARRAYS_H */
