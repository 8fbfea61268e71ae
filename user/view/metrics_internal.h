/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* What the files of metrics share: metrics.c has the samples, metrics_code.c the code. */
#ifndef TIERSCOPE_VIEW_METRICS_INTERNAL_H
#define TIERSCOPE_VIEW_METRICS_INTERNAL_H

#include "metrics.h"

/* Of a process of the model; NULL: it has no name yet, or is forgotten. */
struct metrics_process *metrics__process(const struct metrics *metrics, uint32_t index);

struct metrics_code *metrics_code__new(void);
void metrics_code__free(struct metrics_code *code);
/* After the processes were looked at. */
void metrics_code__look(struct metrics *metrics, const struct model *model);
/* A process of the model. */
void metrics_code__forget(struct metrics_code *code, uint32_t process);

#endif /* TIERSCOPE_VIEW_METRICS_INTERNAL_H */
