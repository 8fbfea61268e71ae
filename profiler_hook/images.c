/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/* Some dozens, in the order in which they were loaded: looked through from the first. */
#include "images.h"

void images__add(struct images *images, uint64_t base, uint64_t size)
{
	uint32_t index = __atomic_load_n(&images->used, __ATOMIC_RELAXED);

	do {
		if (!size || index >= IMAGES_MAX)
			return;
	} while (!__atomic_compare_exchange_n(&images->used, &index, index + 1, 1,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	images->ranges[index].base = base;
	__atomic_store_n(&images->ranges[index].size, size, __ATOMIC_RELEASE);
}

bool images__hold(const struct images *images, uint64_t address)
{
	uint32_t used = __atomic_load_n(&images->used, __ATOMIC_RELAXED);

	for (uint32_t i = 0; i < used; i++) {
		const struct image_range *range = &images->ranges[i];
		uint64_t size = __atomic_load_n(&range->size, __ATOMIC_ACQUIRE);

		if (address - range->base < size)
			return true;
	}
	return false;
}
