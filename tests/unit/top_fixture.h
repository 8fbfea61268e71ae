/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* The small recording of view_fixture.h, as the full-screen view sees it. */
#ifndef TIERSCOPE_TESTS_TOP_FIXTURE_H
#define TIERSCOPE_TESTS_TOP_FIXTURE_H

#include "view_fixture.h"

#include "../../user/top/frame.h"
#include "../../user/top/top.h"

#define SECOND 1000000000ull

static inline struct top_snapshot *fixture_look(struct top *top, const struct model *model,
						uint64_t seconds)
{
	struct top_session session = { .start_ns = FIXTURE_START, .interval_ns = SECOND,
				       .managed = 8, .managed_named = 6,
				       .bodies = 6, .lost = 0 };

	return top__look(top, model, &session, FIXTURE_START + (seconds - 1) * SECOND,
			 FIXTURE_START + seconds * SECOND);
}

/* The row of that name; NULL: there is none. */
static inline const struct top_row *fixture_row(const struct top_snapshot *snapshot,
						uint32_t level, const char *name)
{
	const struct top_rows *rows = &snapshot->levels[level];

	for (uint32_t i = 0; i < rows->count; i++)
		if (!strcmp(snapshot->text + rows->rows[i].name, name))
			return &rows->rows[i];
	return NULL;
}

/* A sample in the body, called by Main. */
static inline void fixture_sample_body(struct model *model, uint32_t body, uint64_t time_ns,
				       unsigned int count)
{
	uint32_t process = model__body(model, body)->process;
	uint32_t thread = model__add_thread(model, process, 11, 0);
	uint32_t stack = fixture_push(model, 0, MODEL_FRAME_BODY, BODY_MAIN, "", 0);

	stack = fixture_push(model, stack, MODEL_FRAME_BODY, body, "", 0);
	while (count--)
		model__add_sample(model, &(struct model_sample){
						 .time_ns = time_ns, .thread = thread, .stack = stack });
}

static inline void fixture_keys(struct top_state *state, const struct top_snapshot *snapshot,
				const char *keys)
{
	for (; *keys; keys++)
		top_state__key(state, snapshot, *keys == '\n' ? KEY_OF_ENTER :
			       *keys == '\x1b' ? KEY_OF_ESCAPE : *keys == '\b' ? KEY_OF_BACKSPACE :
			       *keys == 'v' ? KEY_OF_DOWN : *keys == '^' ? KEY_OF_UP :
			       (uint32_t)(unsigned char)*keys);
}

#endif /* TIERSCOPE_TESTS_TOP_FIXTURE_H */
