/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Fields of a row, written or read by the same call, so that the two can not
 * differ.  A number is written in groups of 7 bits, lowest first, the top bit
 * of a byte says that another follows; a signed one as 0, -1, 1, -2 ...
 *
 * Reading checks each number for its range and each index for what exists in
 * the model by now.  After the first fault `bad` is set and all fields are 0.
 */
#ifndef TIERSCOPE_RECORDING_CODER_H
#define TIERSCOPE_RECORDING_CODER_H

#include "../base/buf.h"
#include "../model/model.h"

/* Reading: numbers of stacks in the model, by their numbers in the file. */
struct stack_numbers {
	uint32_t *items;
	uint32_t count, capacity;
};

struct coder {
	const struct model *model;
	struct buf *out;		/* writing: appended to; reading: NULL */
	const uint8_t *at, *end;	/* reading */
	struct stack_numbers *stacks;	/* reading */
	bool bad;
	/* Of the row before, in the same chunk: numbers are near each other. */
	uint64_t last_time_ns, last_ip;
};

void coder__u64(struct coder *coder, uint64_t *value);
void coder__i64(struct coder *coder, int64_t *value);
void coder__u32(struct coder *coder, uint32_t *value);
void coder__i32(struct coder *coder, int32_t *value);
/* A number below `limit`, or MODEL_NONE in the second; what is neither is
 * written as 0 or MODEL_NONE. */
void coder__below(struct coder *coder, uint32_t *value, uint32_t limit);
void coder__below_or_none(struct coder *coder, uint32_t *value, uint32_t limit);
void coder__string(struct coder *coder, string_id *string);
/* A time or an address, as the difference to `last`, which becomes it. */
void coder__near(struct coder *coder, uint64_t *value, uint64_t *last);
/* Reading only: `size` bytes, NULL if there are not as many. */
const char *coder__bytes(struct coder *coder, uint32_t size);

#endif /* TIERSCOPE_RECORDING_CODER_H */
