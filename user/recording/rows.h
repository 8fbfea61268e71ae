/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* The fields of each row of a recording, in their order: see coder.h. */
#ifndef TIERSCOPE_RECORDING_ROWS_H
#define TIERSCOPE_RECORDING_ROWS_H

#include "coder.h"

void rows__about(struct coder *coder, struct model_about *about);
void rows__part(struct coder *coder, struct model_about *about);
void rows__process(struct coder *coder, struct model_process *process);
void rows__event(struct coder *coder, struct model_event *event);
void rows__body(struct coder *coder, struct model_body *body);
void rows__thread(struct coder *coder, struct model_thread *thread);
void rows__frame(struct coder *coder, struct model_frame *frame);
void rows__stack(struct coder *coder, struct model_stack *stack);
void rows__sample(struct coder *coder, struct model_sample *sample);
/* A sample and its weight. */
void rows__weighed(struct coder *coder, struct model_sample *sample);
void rows__times(struct coder *coder, uint32_t *thread, struct model_times *times);
void rows__patch(struct coder *coder, struct model_patch *patch);
void rows__il_version(struct coder *coder, struct model_il_version *version);
void rows__active(struct coder *coder, struct model_active *active);
void rows__inlining(struct coder *coder, struct model_inlining *inlining);
void rows__tiering(struct coder *coder, struct model_tiering *tiering);
void rows__update(struct coder *coder, struct model_update *update);
void rows__count(struct coder *coder, struct model_count *count);

#endif /* TIERSCOPE_RECORDING_ROWS_H */
