/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * For the tests of the code-version tree: a model of two processes, by hand, its bodies
 * shuffled.
 *
 *   web-10   Shop.Ranking.Score(int)   tier0, osr, tier1-instr, tier1
 *            Box.Echo<>                <int>: tier0, tier1; <__Canon>: tier0
 *            Shop.Edit()               as loaded, ReJIT 2, a ReJIT of unknown number
 *            Fill(int) [dynamic]       two of this name
 *            Text.Parse()              r2r of an unknown function, tier1
 *   job-20   Shop.Ranking.Score(int)   tier1
 *
 * Each is born 100 ms times one more than its native version after the beginning.
 * Samples of cpu-clock: Score 1 tier0 and 4 tier1, Echo<int> 3 tier1, Parse 2 r2r; of
 * faults: Echo<int> 8 tier0.
 */
#ifndef TIERSCOPE_TESTS_VERSIONS_FIXTURE_H
#define TIERSCOPE_TESTS_VERSIONS_FIXTURE_H

#include "view_fixture.h"

#include "json_check.h"

#define HOSTILE	     "</script>\"\\\n\x1b[2J\xe2\x80\xae"
#define HOSTILE_TEXT "</script>\"\\\\x0a\\x1b[2J\\u{202e}"
#define HOSTILE_JSON "\"\\u003c/script\\u003e\\\"\\\\\\u000a\\u001b[2J\\u202e\""

/* That of a native version which nothing marks; its tier is 12 characters wide. */
#define LINE(tier, native, samples, life)                                \
	"      " tier " native  " native "    100 bytes        " samples \
	" samples  " life "\n"

/* Of the model below, in the order in which it has them: not that of the tree. */
enum {
	SCORE_TIER1,
	ECHO_STRING_TIER0,
	SCORE_INSTR,
	EDIT_UNKNOWN,
	SCORE_TIER0,
	FILL_SECOND,
	ECHO_INT_TIER1,
	PARSE_TIER1,
	EDIT_SECOND,
	JOB_TIER1,
	SCORE_OSR,
	PARSE_R2R,
	ECHO_INT_TIER0,
	FILL_FIRST,
	EDIT_ORIGINAL,
	BODIES
};

#define SCORE_NAME "Shop.Ranking.Score(int)"
/* Behind the name in a method's heading. */
#define IN_WEB "  in shop.dll  of process 10"
#define IN_JOB "  in shop.dll  of process 20"
/* In JSON no name can end a <script>. */
#define ECHO_INT_JSON	 "Box.Echo\\u003cint\\u003e(int)"
#define ECHO_STRING_JSON "Box.Echo\\u003c__Canon\\u003e(__Canon)"

/* `after` the recording began, in ms. */
#define MS(after) (FIXTURE_START + INT64_C(1000000) * (after))

struct versions_row {
	const char *name;
	uint32_t process, token;
	uint64_t function_id;
	uint32_t tier, native_version, rejit_id, flags;
};

#define SCORE(process_index)                                                 \
	.name = SCORE_NAME, .process = (process_index), .token = 0x06000007, \
	.function_id = 0x5000
#define ECHO_INT \
	.name = "Box.Echo<int>(int)", .token = 0x06000002, .function_id = 0x2000
#define ECHO_STRING \
	.name = "Box.Echo<__Canon>(__Canon)", .token = 0x06000002, .function_id = 0x2100
#define EDIT .name = "Shop.Edit()", .token = 0x06000003, .function_id = 0x3000
#define FILL(id) \
	.name = "Fill(int) [dynamic]", .function_id = (id), .flags = MODEL_BODY_DYNAMIC
#define PARSE .name = "Text.Parse()", .token = 0x06000005

static const struct versions_row rows[BODIES] = {
	[SCORE_TIER0] = {SCORE(0), .tier = TS_TIER_QUICK},
	[SCORE_OSR] = {SCORE(0), .tier = TS_TIER_1_OSR, .native_version = 1},
	[SCORE_INSTR] = {SCORE(0), .tier = TS_TIER_1_INSTRUMENTED, .native_version = 2},
	[SCORE_TIER1] = {SCORE(0), .tier = TS_TIER_1, .native_version = 3},
	/* All that tells it from web's is its process. */
	[JOB_TIER1] = {SCORE(1), .tier = TS_TIER_1, .native_version = 3},
	[ECHO_INT_TIER0] = {ECHO_INT, .tier = TS_TIER_QUICK},
	[ECHO_INT_TIER1] = {ECHO_INT, .tier = TS_TIER_1, .native_version = 1},
	[ECHO_STRING_TIER0] = {ECHO_STRING, .tier = TS_TIER_QUICK},
	[EDIT_ORIGINAL] = {EDIT, .tier = TS_TIER_1, .native_version = 1},
	[EDIT_SECOND] = {EDIT, .tier = TS_TIER_1, .rejit_id = 2},
	[EDIT_UNKNOWN] = {EDIT, .tier = TS_TIER_OPTIMIZED,
			  .flags = MODEL_BODY_REJIT_UNKNOWN},
	[FILL_FIRST] = {FILL(0x9000), .tier = TS_TIER_OPTIMIZED},
	[FILL_SECOND] = {FILL(0x9100), .tier = TS_TIER_OPTIMIZED},
	[PARSE_TIER1] = {PARSE, .function_id = 0x4000, .tier = TS_TIER_1,
			 .native_version = 1},
	[PARSE_R2R] = {PARSE, .tier = TS_TIER_READY_TO_RUN,
		       .flags = MODEL_BODY_FUNCTION_UNKNOWN |
				MODEL_BODY_VERSION_UNKNOWN},
};

static inline void add_row(struct model *model, uint32_t i)
{
	bool is_image = rows[i].tier == TS_TIER_READY_TO_RUN;
	struct model_body body = {
		.process = rows[i].process,
		.flags = rows[i].flags,
		.function_id = rows[i].function_id,
		.start = 0x7f0000000000 + 0x1000 * (uint64_t)i,
		.size = 100,
		.token = rows[i].token,
		.rejit_id = rows[i].rejit_id,
		.native_version = rows[i].native_version,
		.tier = rows[i].tier,
		.source = is_image ? MODEL_SOURCE_IMAGE : MODEL_SOURCE_EVENT,
		.osr_il_offset = rows[i].tier == TS_TIER_1_OSR ? 0x1a : TS_NO_IL_OFFSET,
		.module = model__string(model, "/app/shop.dll"),
		.name = model__string(model, rows[i].name),
		.born_ns = is_image ? 0 : MS(100 * (rows[i].native_version + 1)),
	};

	assert_int_equal(model__add_body(model, &body), i);
}

static inline void set_life(struct model *model, uint32_t index, uint64_t from,
			    uint64_t to, uint64_t superseded)
{
	struct model_body body = *model__body(model, index);

	body.published_ns[0] = from;
	body.published_ns[1] = to;
	body.superseded_ns = superseded;
	model__update_body(model, index, &body);
}

static inline void add_samples(struct model *model, uint32_t body, uint32_t event,
			       unsigned int count)
{
	uint32_t process = model__body(model, body)->process;
	struct model_sample sample = {
		.time_ns = FIXTURE_START + 1,
		.thread = model__add_thread(model, process, 11, 0),
		.event = event,
		.stack = fixture_push(model, 0, MODEL_FRAME_BODY, body, "", 0),
	};

	while (count--)
		assert_int_not_equal(model__add_sample(model, &sample), MODEL_NONE);
}

static inline struct model *model_without_samples(void)
{
	struct model *model = model__new();
	struct model_about *about = model__about(model);

	about->start_ns = FIXTURE_START;
	about->end_ns = FIXTURE_START + 2000000000u;
	fixture_process(model, 10, "web");
	fixture_process(model, 20, "job");
	model__add_event(model,
			 &(struct model_event){model__string(model, "cpu-clock"), 1});
	model__add_event(model,
			 &(struct model_event){model__string(model, "faults"), 1});
	for (uint32_t i = 0; i < BODIES; i++)
		add_row(model, i);
	return model;
}

static inline int setup(void **state)
{
	struct model *model = model_without_samples();

	add_samples(model, SCORE_TIER0, 0, 1);
	add_samples(model, SCORE_TIER1, 0, 4);
	add_samples(model, ECHO_INT_TIER1, 0, 3);
	add_samples(model, PARSE_R2R, 0, 2);
	add_samples(model, ECHO_INT_TIER0, 1, 8);
	*state = model;
	return 0;
}

/* What calls of the function of `of` reach from now on. */
static inline void add_patch(struct model *model, uint32_t of, uint32_t target,
			     uint32_t body)
{
	const struct model_body *row = model__body(model, of);
	struct model_patch patch = {
		.process = row->process,
		.function_id = row->function_id,
		.target = target,
		.body = body,
	};

	assert_int_not_equal(model__add_patch(model, &patch), MODEL_NONE);
}

static inline char *write_text(const struct model *model,
			       const struct view_options *options, const char *part)
{
	struct buf buf = BUF_INIT;

	assert_int_equal(view_versions__write(model, options, part, &buf), 0);
	return buf__steal(&buf);
}

static inline char *text_of(const struct model *model, const char *part)
{
	return write_text(model, &(struct view_options){0}, part);
}

/* On one line: where it is broken is nobody's business. */
static inline char *write_json(const struct model *model,
			       const struct view_options *options, const char *part)
{
	struct buf buf = BUF_INIT;
	char *text, *to;

	assert_int_equal(view_versions__write_json(model, options, part, &buf), 0);
	text = to = buf__steal(&buf);
	assert_true(json_check(text));
	for (const char *from = text; *from; from++)
		if (*from != '\n')
			*to++ = *from;
	*to = 0;
	return text;
}

static inline char *json_of(const struct model *model, const char *part)
{
	return write_json(model, &(struct view_options){0}, part);
}

static inline void assert_begins(const char *text, const char *wanted)
{
	if (strncmp(text, wanted, strlen(wanted)))
		fail_msg("does not begin with: %s\n--- but is ---\n%s", wanted, text);
}

static inline void assert_text(const struct model *model, const char *part,
			       const char *wanted)
{
	char *text = text_of(model, part);

	assert_contains(text, wanted);
	free(text);
}

static inline void assert_json(const struct model *model, const char *part,
			       const char *wanted)
{
	char *text = json_of(model, part);

	assert_contains(text, wanted);
	free(text);
}

#endif /* TIERSCOPE_TESTS_VERSIONS_FIXTURE_H */
