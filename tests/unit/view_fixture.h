/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * A small recording for the tests of the views.  Process web-10 has four
 * bodies of two methods:
 *
 *   Main            r2r
 *   Work(int)       tier0 / osr@0x1a / tier1 #2, not sampled: minopt
 *
 *   samples   stack
 *   4         Main [r2r];Work [tier0]
 *   2         Main [r2r];Work [tier0];Work [osr@0x1a]
 *   3         Main [r2r];Work [tier1 #2];libcoreclr.so+0x1c99
 *   1         [unknown: no_table]
 */
#ifndef TIERSCOPE_TESTS_VIEW_FIXTURE_H
#define TIERSCOPE_TESTS_VIEW_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../../user/view/view.h"

enum { BODY_MAIN, BODY_TIER0, BODY_OSR, BODY_TIER1, BODY_MINOPT, BODY_R2R_UNSAMPLED };

#define FIXTURE_START 1000000000u

static inline uint32_t fixture_body(struct model *model, uint32_t process,
				    const char *name, uint32_t tier, uint32_t rejit_id,
				    uint32_t native_version)
{
	return model__add_body(
		model,
		&(struct model_body){
			.process = process,
			.function_id = 0x7f0000001000,
			.start = 0x7f1000000000 + 4096 * model__bodies(model),
			.size = 100,
			.token = 0x06000002,
			.tier = tier,
			.rejit_id = rejit_id,
			.native_version = native_version,
			.osr_il_offset = tier == TS_TIER_1_OSR ? 0x1a : TS_NO_IL_OFFSET,
			.module = model__string(model, "/app/app.dll"),
			.name = model__string(model, name),
			.born_ns = FIXTURE_START + 5,
		});
}

static inline uint32_t fixture_push(struct model *model, uint32_t stack, uint32_t kind,
				    uint32_t body, const char *name, uint64_t address)
{
	struct model_frame frame = {
		.kind = kind,
		.body = body,
		.name = model__string(model, name),
		.address = address,
	};

	return model__add_stack(model, stack, model__add_frame(model, &frame));
}

static inline void fixture_samples(struct model *model, uint32_t process,
				   uint32_t stack, unsigned int count)
{
	uint32_t thread = model__add_thread(model, process, 11, 0);

	for (unsigned int i = 0; i < count; i++)
		model__add_sample(model, &(struct model_sample){
						 .time_ns = FIXTURE_START + 1000000 * i,
						 .thread = thread,
						 .stack = stack,
					 });
}

/* Of another event than the first, say; with a time that does not matter. */
static inline void fixture_samples_of(struct model *model, uint32_t event, uint32_t stack,
				      unsigned int count)
{
	uint32_t thread = model__add_thread(model, 0, 11, 0);

	while (count--)
		model__add_sample(model, &(struct model_sample){
						 .thread = thread, .stack = stack, .event = event });
}

static inline uint32_t fixture_process(struct model *model, int pid, const char *comm)
{
	return model__add_process(
		model, &(struct model_process){
			       .pid = pid,
			       .parent = MODEL_NONE,
			       .start_ns = FIXTURE_START,
			       .comm = model__string(model, comm),
			       .cmdline = model__string(model, "web --port 80"),
			       .runtime = model__string(model, "10.0.12"),
		       });
}

static inline struct model *fixture_new(void)
{
	struct model *model = model__new();
	struct model_about *about = model__about(model);
	uint32_t process = fixture_process(model, 10, "web"), root, work;

	about->start_ns = FIXTURE_START;
	about->end_ns = FIXTURE_START + 2000000000u;
	about->complete = true;
	about->command = model__string(model, "web --port 80");
	model__add_event(model, &(struct model_event){
					.name = model__string(model, "cpu-clock"),
					.period = 1003009,
				});
	fixture_body(model, process, "Main", TS_TIER_READY_TO_RUN, 0, 0);
	fixture_body(model, process, "Work(int)", TS_TIER_QUICK, 0, 0);
	fixture_body(model, process, "Work(int)", TS_TIER_1_OSR, 0, 1);
	fixture_body(model, process, "Work(int)", TS_TIER_1, 2, 5);
	fixture_body(model, process, "Never()", TS_TIER_MIN_OPT, 0, 0);
	fixture_body(model, process, "Cold()", TS_TIER_READY_TO_RUN, 0, 0);

	root = fixture_push(model, 0, MODEL_FRAME_BODY, BODY_MAIN, "", 0);
	work = fixture_push(model, root, MODEL_FRAME_BODY, BODY_TIER0, "", 0);
	fixture_samples(model, process, work, 4);
	work = fixture_push(model, work, MODEL_FRAME_BODY, BODY_OSR, "", 0);
	fixture_samples(model, process, work, 2);
	work = fixture_push(model, root, MODEL_FRAME_BODY, BODY_TIER1, "", 0);
	work = fixture_push(model, work, MODEL_FRAME_NATIVE, MODEL_NONE,
			    "libcoreclr.so", 0x1c99);
	fixture_samples(model, process, work, 3);
	work = fixture_push(model, 0, MODEL_FRAME_UNKNOWN, MODEL_NONE, "no_table", 0);
	fixture_samples(model, process, work, 1);

	model__set_count(model, MODEL_LEDGER_SAMPLES, "due", 10);
	model__set_count(model, MODEL_LEDGER_SAMPLES, "kept", 10);
	model__set_count(model, MODEL_LEDGER_SAMPLES_LOST, "ring_full", 0);
	return model;
}

static inline int fixture_setup(void **state)
{
	*state = fixture_new();
	return 0;
}

static inline int fixture_teardown(void **state)
{
	model__free(*state);
	return 0;
}

/* A second process with one sample of its own, of a method of the same name. */
static inline void fixture_add_second(struct model *model)
{
	uint32_t process = fixture_process(model, 20, "job;x");
	uint32_t body = fixture_body(model, process, "Main", TS_TIER_1, 0, 1);

	fixture_samples(model, process,
			fixture_push(model, 0, MODEL_FRAME_BODY, body, "", 0), 1);
}

typedef int (*view_writer)(const struct model *, const struct view_options *,
			   struct buf *);

/* The view's text; the caller frees. */
static inline char *fixture_write(view_writer writer, const struct model *model,
				  enum view_split split)
{
	struct view_options options = {.split = split};
	struct buf buf = BUF_INIT;

	assert_int_equal(writer(model, &options, &buf), 0);
	return buf__steal(&buf);
}

static inline void assert_contains(const char *text, const char *wanted)
{
	if (!strstr(text, wanted))
		fail_msg("not there: %s\n--- in ---\n%s", wanted, text);
}

static inline void assert_lacks(const char *text, const char *unwanted)
{
	if (strstr(text, unwanted))
		fail_msg("should not be there: %s\n--- in ---\n%s", unwanted, text);
}

#endif /* TIERSCOPE_TESTS_VIEW_FIXTURE_H */
