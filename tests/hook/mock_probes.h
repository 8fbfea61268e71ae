/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Listening to the probes of the real hook, without BPF. */
#ifndef TIERSCOPE_TESTS_MOCK_PROBES_H
#define TIERSCOPE_TESTS_MOCK_PROBES_H

#include <stdbool.h>
#include <stdint.h>

/* Counts a probe's hits in this process; with `semaphore` it raises that too.  A file
 * descriptor; -1 and errno where this kernel has no uprobe events. */
int mock_probe__listen(const char *name, bool semaphore);
uint64_t mock_probe__hits(int fd);

#endif /* TIERSCOPE_TESTS_MOCK_PROBES_H */
