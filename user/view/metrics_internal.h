/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* What the files of metrics share: metrics.c has the samples, metrics_code.c the code,
 * metrics_sweep.c what goes. */
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
/* As metrics__mark and metrics__forget. */
void metrics_code__mark(const struct metrics *metrics, const struct model *model,
			struct model_marks *marks);
void metrics_code__sweep(struct metrics *metrics, const struct model *model,
			 const struct model_marks *marks);
/* Methods whose process is gone; and those without series of which no body is left. */
void metrics__forget_methods(struct metrics *metrics, const struct model_marks *marks);

#endif /* TIERSCOPE_VIEW_METRICS_INTERNAL_H */
