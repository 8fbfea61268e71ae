// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// A ring of words: of each sample a head, and its frames.  See recent.h.
#include "recent.h"

#include "../base/alloc.h"
#include "snapshot.h"

#include <stdlib.h>
#include <string.h>

#define WORDS (512u << 10)	/* 2 MB */
#define HEAD  5u		/* size in words, time (2), process, flags */
#define CUT   1u

struct recent {
	uint32_t words[WORDS];
	uint32_t first, end;		/* where the oldest begins, the next one will */
	uint32_t wrapped;		/* where the newer ones went on at 0; WORDS: nowhere */
	uint32_t count;
};

struct recent *recent__new(void)
{
	struct recent *recent = alloc__zeroed(1, sizeof(*recent));

	recent->wrapped = WORDS;
	return recent;
}

void recent__free(struct recent *recent)
{
	free(recent);
}

static void forget_oldest(struct recent *recent)
{
	recent->first += recent->words[recent->first];
	recent->count--;
	if (recent->first == recent->wrapped) {
		recent->first = 0;
		recent->wrapped = WORDS;
	}
	if (!recent->count)
		recent->first = recent->end = 0;
}

/* Room for so many words in one piece, at `end`. */
static void make_room(struct recent *recent, uint32_t words)
{
	if (recent->end + words > WORDS) {
		while (recent->count && recent->first >= recent->end)
			forget_oldest(recent);
		if (recent->count) {
			recent->wrapped = recent->end;
			recent->end = 0;
		}
	}
	while (recent->count && recent->first >= recent->end &&
	       recent->first < recent->end + words)
		forget_oldest(recent);
}

void recent__add(struct recent *recent, const struct model *model,
		 const struct model_sample *sample)
{
	uint32_t frames[TOP_STACK_FRAMES], count = 0, stack = sample->stack;
	uint32_t *words;

	for (; stack && count < TOP_STACK_FRAMES; stack = model__stack(model, stack)->parent)
		frames[count++] = model__stack(model, stack)->frame;
	make_room(recent, HEAD + count);
	words = &recent->words[recent->end];
	words[0] = HEAD + count;
	words[1] = (uint32_t)sample->time_ns;
	words[2] = (uint32_t)(sample->time_ns >> 32);
	words[3] = model__thread(model, sample->thread)->process;
	words[4] = stack ? CUT : 0;
	memcpy(&words[HEAD], frames, count * sizeof(frames[0]));
	recent->end += HEAD + count;
	recent->count++;
}

void recent__each(const struct recent *recent, uint64_t since_ns,
		  void (*each)(void *context, const struct recent_sample *sample),
		  void *context)
{
	uint32_t at = recent->first;

	for (uint32_t i = 0; i < recent->count; i++) {
		const uint32_t *words = &recent->words[at];
		struct recent_sample sample = {
			.time_ns = words[1] | (uint64_t)words[2] << 32, .process = words[3],
			.cut = words[4] & CUT,
			.frames_count = words[0] - HEAD, .frames = &words[HEAD] };

		if (sample.time_ns >= since_ns)
			each(context, &sample);
		at += words[0];
		if (at == recent->wrapped)
			at = 0;
	}
}
