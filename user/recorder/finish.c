// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Samples whose walk met memory that the sampler had not heard of: a file mapped a
// moment ago, most often; or a body that runs before its event.  By the time they are
// resolved we have, so the walk goes on over the piece of stack that they brought along.
//
// It sees the code map as it is now: some milliseconds later, or, where the sample waited
// for a catch-up or an event, as long as that took.  The worst effect: a body that died meanwhile
// stays a raw address, to be resolved by time; memory that another body took meanwhile
// gives that body's name and shape.
#include "internal.h"

#include <string.h>

/* What the end of a walk tells of the stack, whoever walks there. */
#define FLAGS_OF_THE_END \
	(TS_SAMPLE_TRUNCATED | TS_SAMPLE_BAD_FRAME | TS_SAMPLE_NATIVE_END)

/* A stack that is cut at both ends counts once: the sampler did. */
static void count_end(struct recorder *recorder, uint32_t sampled, uint32_t flags)
{
	recorder->ended_truncated += flags & TS_SAMPLE_TRUNCATED &&
				     !(sampled & TS_SAMPLE_KERNEL_CUT);
	recorder->ended_bad_frame += !!(flags & TS_SAMPLE_BAD_FRAME);
	recorder->ended_native += !!(flags & TS_SAMPLE_NATIVE_END);
}

/* Where the walk stands, or where it began, in a stub as it took it; 0: all is told. */
static uint64_t untold_address(const struct ts_sample *sample)
{
	const struct ts_stack_piece *piece = kernel_sample__piece(sample);
	const uint8_t *code = kernel_sample__code(sample);
	struct stub_lead lead;

	if (piece)
		return sample->frames_count > 1 ? piece->ip - 1 : piece->ip;
	if (!code || TS_FRAME_TAG(sample->frames[0]) != TS_FRAME_TAG_RAW ||
	    stub__classify(code, TS_CODE_BYTES, TS_CODE_BEFORE, sample->frames[0], &lead) !=
		    STUB_NONE)
		return 0;
	return sample->frames[0];
}

bool finish__is_untold(struct recorder *recorder, struct process *process,
		       const struct ts_sample *sample)
{
	uint64_t address = untold_address(sample);
	const struct mapping *mapping =
		address ? mappings__find(process, address, sample->header.time_ns) : NULL;

	return mapping &&
	       (mapping->kind == MAPPING_JIT || mapping->kind == MAPPING_ANONYMOUS) &&
	       model__find_body(recorder->model, process->index, address, UINT64_MAX) ==
		       MODEL_NONE;
}

static uint32_t walk_on(struct recorder *recorder, struct process *process,
			const struct ts_sample *sample, uint64_t *frames,
			uint32_t *ret_flags)
{
	uint32_t count = sample->frames_count, flags = 0;

	if (kernel__finish_walk(recorder->kernel, sample, frames, &count, &flags) ||
	    flags & (TS_SAMPLE_TABLE_PENDING | TS_SAMPLE_BAD_FRAME) ||
	    finish__is_untold(recorder, process, sample))
		recorder->walks_unfinished++;
	else
		recorder->walks_finished++;
	count_end(recorder, sample->flags, flags);
	*ret_flags |= flags & FLAGS_OF_THE_END;
	return count;
}

uint16_t finish__frames(struct recorder *recorder, struct process *process,
			const struct ts_sample *sample,
			uint64_t ret_frames[TS_FRAMES_MAX], uint32_t *ret_flags)
{
	uint64_t frames[TS_FRAMES_MAX + 1];
	uint32_t count = sample->frames_count;

	*ret_flags = sample->flags;
	memcpy(frames, sample->frames, count * sizeof(frames[0]));
	if (sample->flags & TS_SAMPLE_STACK)
		count = walk_on(recorder, process, sample, frames, ret_flags);
	else if (sample->flags & TS_SAMPLE_TABLE_PENDING)
		recorder->walks_unfinished++;
	memcpy(ret_frames, frames, count * sizeof(frames[0]));
	return (uint16_t)count;
}
