/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Where images lie that stay as long as the process: what is there was not compiled in
 * it, and is no stub of the runtime.  So nobody needs to ask the kernel for its bytes.
 */
#ifndef TIERSCOPE_HOOK_IMAGES_H
#define TIERSCOPE_HOOK_IMAGES_H

#include <stdbool.h>
#include <stdint.h>

#define IMAGES_MAX 512u

struct images {
	struct image_range {
		uint64_t base;
		uint64_t size; /* 0: being filled in */
	} ranges[IMAGES_MAX];
	uint32_t used;
};

/* What is beyond IMAGES_MAX is not remembered. */
void images__add(struct images *images, uint64_t base, uint64_t size);

bool images__hold(const struct images *images, uint64_t address);

#endif /* TIERSCOPE_HOOK_IMAGES_H */
