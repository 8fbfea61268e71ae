/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* CRC-32C (Castagnoli), the checksum of a recording's chunks.  Any thread. */
#ifndef TIERSCOPE_BASE_CRC32C_H
#define TIERSCOPE_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of what `crc` is the checksum of (0: nothing), and of data. */
uint32_t crc32c__update(uint32_t crc, const void *data, size_t size);
/* The same without the CPU's instruction, for tests. */
uint32_t crc32c__update_portable(uint32_t crc, const void *data, size_t size);

#endif /* TIERSCOPE_BASE_CRC32C_H */
