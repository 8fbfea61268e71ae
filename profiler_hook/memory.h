/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Memory of the hook's own, which comes from mmap only, and reads of the
 * runtime's memory that cannot fault.
 */
#ifndef TIERSCOPE_HOOK_MEMORY_H
#define TIERSCOPE_HOOK_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed private memory, touched only as far as it is used; NULL when none. */
void *memory__map(size_t size);
/* Makes mapped memory what it was at first. */
void memory__clear(void *memory, size_t size);
/* Accepts NULL. */
void memory__unmap(void *memory, size_t size);

/*
 * Copies `size` bytes from `address` of this process.  0, -EFAULT when not all
 * of it is mapped, or another -Exxx when the kernel refuses altogether.
 */
int memory__read(void *ret_bytes, uint64_t address, size_t size);

#define MEMORY_READ_EACH_MAX 256u

/* `size` bytes from each of `count` addresses in one go; all of them or an error. */
int memory__read_each(void *ret_bytes, size_t size, const uint64_t *addresses,
		      size_t count);

#endif /* TIERSCOPE_HOOK_MEMORY_H */
