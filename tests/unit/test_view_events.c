// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * What happened to code, in the order of time, as text and as JSON.  The model is by
 * hand, its rows shuffled; times are ms since the recording began:
 *
 *   web-10   Shop.Ranking.Score(int)   tier0 100 to 900, tier1 from 400 on
 *            Text.Parse()              found at 50 by a catch-up, gone at 700; r2r
 *   job-20   Job.Run()                 tier1 from 600 on; its function id is Score's
 */
#include "view_fixture.h"

#include "json_check.h"

#define HOSTILE	     "</script>\"\\\n\x1b[2J\xe2\x80\xae"
#define HOSTILE_TEXT "</script>\"\\\\x0a\\x1b[2J\\u{202e}"
#define HOSTILE_JSON "\"\\u003c/script\\u003e\\\"\\\\\\u000a\\u001b[2J\\u202e\""

/* `after` the recording began, in ms. */
#define MS(after) (FIXTURE_START + INT64_C(1000000) * (after))

#define SCORE	 "Shop.Ranking.Score(int)"
#define FUNCTION 0x5000

enum { SCORE_TIER1, JOB_TIER1, PARSE_R2R, SCORE_TIER0, PARSE_FOUND, BODIES };

static const struct model_body rows[BODIES] = {
	[SCORE_TIER1] = {.function_id = FUNCTION,
			 .start = 0x7f0000001000,
			 .size = 142,
			 .tier = TS_TIER_1,
			 .native_version = 2,
			 .born_ns = MS(400)},
	[JOB_TIER1] = {.process = 1,
		       .function_id = FUNCTION,
		       .start = 0x7f0000005000,
		       .size = 60,
		       .tier = TS_TIER_1,
		       .rejit_id = 3,
		       .native_version = 1,
		       .born_ns = MS(600)},
	[PARSE_R2R] = {.flags =
			       MODEL_BODY_FUNCTION_UNKNOWN | MODEL_BODY_VERSION_UNKNOWN,
		       .start = 0x7f0000003000,
		       .size = 80,
		       .tier = TS_TIER_READY_TO_RUN,
		       .source = MODEL_SOURCE_IMAGE},
	[SCORE_TIER0] = {.function_id = FUNCTION,
			 .start = 0x7f0000000000,
			 .size = 96,
			 .tier = TS_TIER_QUICK,
			 .born_ns = MS(100),
			 .died_ns = MS(900)},
	[PARSE_FOUND] = {.flags = MODEL_BODY_REJIT_UNKNOWN | MODEL_BODY_VERSION_UNKNOWN,
			 .function_id = 0x4000,
			 .start = 0x7f0000002000,
			 .size = 70,
			 .tier = TS_TIER_1,
			 .source = MODEL_SOURCE_CATCH_UP,
			 .born_ns = MS(50),
			 .died_ns = MS(700)},
};

static const char *const names[BODIES] = {
	[SCORE_TIER1] = SCORE,		[JOB_TIER1] = "Job.Run()",
	[PARSE_R2R] = "Text.Parse()",	[SCORE_TIER0] = SCORE,
	[PARSE_FOUND] = "Text.Parse()",
};

/* Of the model of bodies. */
#define LOAD_TIER0                       \
	"   +0.100000 s  load    process 10: " SCORE \
	": tier0 native 0, 96 bytes at 0x7f0000000000\n"
#define LOAD_TIER1                       \
	"   +0.400000 s  load    process 10: " SCORE \
	": tier1 native 2, 142 bytes at 0x7f0000001000\n"
#define LOAD_JOB                                                 \
	"   +0.600000 s  load    process 20: Job.Run(): tier1 #3 native 1, " \
	"60 bytes at 0x7f0000005000\n"
#define COMPILED_JOB                                             \
	"   +0.600000 s  rejit   process 20: Job.Run(): #3 compiled: tier1 #3 " \
	"native 1, 60 bytes at 0x7f0000005000\n"
#define UNLOAD_PARSE                                       \
	"   +0.700000 s  unload  process 10: Text.Parse(): tier1 #?, " \
	"70 bytes at 0x7f0000002000\n"
#define UNLOAD_TIER0                     \
	"   +0.900000 s  unload  process 10: " SCORE \
	": tier0 native 0, 96 bytes at 0x7f0000000000\n"

static int setup(void **state)
{
	struct model *model = model__new();
	struct model_about *about = model__about(model);

	about->start_ns = FIXTURE_START;
	about->end_ns = MS(2000);
	fixture_process(model, 10, "web");
	fixture_process(model, 20, "job");
	for (uint32_t i = 0; i < BODIES; i++) {
		struct model_body body = rows[i];

		body.name = model__string(model, names[i]);
		body.osr_il_offset = TS_NO_IL_OFFSET;
		assert_int_equal(model__add_body(model, &body), i);
	}
	*state = model;
	return 0;
}

/* `from` and `to` in ms after the beginning; `from` 0: it is the first look. */
static void add_patch(struct model *model, uint64_t function, uint32_t target,
		      uint32_t body, int from, int to)
{
	struct model_patch patch = {
		.function_id = function,
		.cell = 0x7f0000009008,
		.target = target,
		.body = body,
		.window_ns = {from ? MS(from) : 0, MS(to)},
	};

	if (body != MODEL_NONE)
		patch.process = model__body(model, body)->process;
	assert_int_not_equal(model__add_patch(model, &patch), MODEL_NONE);
}

static char *write_events(const struct model *model, const struct view_options *options,
			  const char *part, unsigned int kinds, bool json)
{
	const struct view_events_filter filter = {.part = part, .kinds = kinds};
	struct buf buf = BUF_INIT;

	assert_int_equal(view_events__write(model, options, &filter, json, &buf), 0);
	return buf__steal(&buf);
}

static void assert_text(const struct model *model, const char *part, unsigned int kinds,
			const char *wanted)
{
	char *text = write_events(model, &(struct view_options){0}, part, kinds, false);

	assert_string_equal(text, wanted);
	free(text);
}

/* Each line of it is a JSON object, whatever stands before and behind. */
static char *json_of(const struct model *model, const char *part, unsigned int kinds)
{
	char *text = write_events(model, &(struct view_options){0}, part, kinds, true);

	for (char *line = text, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		assert_non_null(end);
		*end = 0;
		assert_int_equal(*line, '{');
		assert_true(json_check(line));
		*end = '\n';
	}
	return text;
}

static void assert_json(const struct model *model, const char *part, unsigned int kinds,
			const char *wanted)
{
	char *text = json_of(model, part, kinds);

	assert_string_equal(text, wanted);
	free(text);
}

static void events_stand_in_the_order_of_time_a_patch_at_its_window_s_end(void **state)
{
	struct model *model = *state;

	add_patch(model, FUNCTION, TS_TARGET_BODY, SCORE_TIER1, 410, 800);
	add_patch(model, FUNCTION, TS_TARGET_BODY, SCORE_TIER0, 50, 300);
	/* clang-format off */
	assert_text(model, NULL, VIEW_EVENTS_ALL,
		LOAD_TIER0
		"   +0.300000 s  patch   process 10: " SCORE ": calls reach tier0 native 0, "
		"since +0.050000 s at the earliest\n"
		LOAD_TIER1 LOAD_JOB COMPILED_JOB UNLOAD_PARSE
		"   +0.800000 s  patch   process 10: " SCORE ": calls reach tier1 native 2, "
		"since +0.410000 s at the earliest\n"
		UNLOAD_TIER0);
	/* clang-format on */
}

static void events_at_one_time_stand_as_load_unload_and_patch(void **state)
{
	struct model *model = *state;
	struct model_body body = *model__body(model, SCORE_TIER0);

	body.died_ns = MS(400);
	model__update_body(model, SCORE_TIER0, &body);
	add_patch(model, FUNCTION, TS_TARGET_BODY, SCORE_TIER0, 0, 400);
	add_patch(model, FUNCTION, TS_TARGET_BODY, SCORE_TIER1, 0, 400);
	/* clang-format off */
	assert_text(model, "score", VIEW_EVENTS_ALL,
		LOAD_TIER0 LOAD_TIER1
		"   +0.400000 s  unload  process 10: " SCORE ": tier0 native 0, "
		"96 bytes at 0x7f0000000000\n"
		"   +0.400000 s  patch   process 10: " SCORE ": calls reach tier0 native 0\n"
		"   +0.400000 s  patch   process 10: " SCORE ": calls reach tier1 native 2\n");
	/* clang-format on */
}

/* They were there before; that one of them goes is news. */
static void what_was_found_or_precompiled_is_no_load_but_its_end_is_shown(void **state)
{
	assert_text(*state, "Parse", VIEW_EVENTS_ALL, UNLOAD_PARSE);
	assert_text(*state, NULL, VIEW_EVENTS_LOAD, LOAD_TIER0 LOAD_TIER1 LOAD_JOB);
}

static void what_was_before_the_recording_has_a_minus(void **state)
{
	struct model *model = *state;
	struct model_body body = *model__body(model, SCORE_TIER1);

	body.born_ns = MS(-250);
	model__update_body(model, SCORE_TIER1, &body);
	add_patch(model, FUNCTION, TS_TARGET_BODY, SCORE_TIER1, -250, 1);
	/* clang-format off */
	assert_text(model, "score", VIEW_EVENTS_LOAD | VIEW_EVENTS_PATCH,
		"   -0.250000 s  load    process 10: " SCORE ": tier1 native 2, "
		"142 bytes at 0x7f0000001000\n"
		"   +0.001000 s  patch   process 10: " SCORE ": calls reach tier1 native 2, "
		"since -0.250000 s at the earliest\n"
		LOAD_TIER0);
	/* clang-format on */
}

static void only_events_of_the_kinds_are_shown(void **state)
{
	static const char patch[] =
		"   +0.500000 s  patch   process 10: " SCORE ": calls reach tier1 native 2\n";
	struct model *model = *state;
	char *text;

	add_patch(model, FUNCTION, TS_TARGET_BODY, SCORE_TIER1, 0, 500);
	assert_text(model, NULL, VIEW_EVENTS_LOAD, LOAD_TIER0 LOAD_TIER1 LOAD_JOB);
	assert_text(model, NULL, VIEW_EVENTS_UNLOAD, UNLOAD_PARSE UNLOAD_TIER0);
	assert_text(model, NULL, VIEW_EVENTS_PATCH, patch);
	assert_text(model, NULL, 0, "");
	text = json_of(model, NULL, VIEW_EVENTS_LOAD | VIEW_EVENTS_PATCH);
	assert_contains(text, "\"kind\":\"load\"");
	assert_contains(text, "\"kind\":\"patch\"");
	assert_lacks(text, "\"kind\":\"unload\"");
	free(text);
}

static void kinds_are_read_from_their_names(void **state)
{
	static const char *const bad[] = {
		"",
		",",
		"load,",
		",load",
		"load,,patch",
		"LOAD",
		"load,x",
		"loads",
		"loa",
		"all",
		"load patch",
		" load",
		"load,patch,unload,y",
	};

	(void)state;
	assert_int_equal(view_events__kinds("load"), VIEW_EVENTS_LOAD);
	assert_int_equal(view_events__kinds("unload"), VIEW_EVENTS_UNLOAD);
	assert_int_equal(view_events__kinds("patch"), VIEW_EVENTS_PATCH);
	assert_int_equal(view_events__kinds("load,patch"),
			 VIEW_EVENTS_LOAD | VIEW_EVENTS_PATCH);
	assert_int_equal(view_events__kinds("patch,load,load"),
			 VIEW_EVENTS_LOAD | VIEW_EVENTS_PATCH);
	assert_int_equal(view_events__kinds("delay"), VIEW_EVENTS_DELAY);
	assert_int_equal(view_events__kinds("batch"), VIEW_EVENTS_BATCH);
	assert_int_equal(view_events__kinds("rejit"), VIEW_EVENTS_REJIT);
	assert_int_equal(view_events__kinds("batch,patch,delay,rejit,unload,load"),
			 VIEW_EVENTS_ALL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (view_events__kinds(bad[i]))
			fail_msg("'%s' is taken for kinds", bad[i]);
}

static void a_patch_has_the_name_of_its_function_in_its_process(void **state)
{
	struct model *model = *state;
	const struct model_patch of_job = {
		.process = 1,
		.function_id = FUNCTION,
		.target = TS_TARGET_PRESTUB,
		.body = MODEL_NONE,
		.window_ns = {0, MS(20)},
	};

	add_patch(model, FUNCTION, TS_TARGET_PRESTUB, MODEL_NONE, 0, 10);
	assert_int_not_equal(model__add_patch(model, &of_job), MODEL_NONE);
	/* By its body only: of that the function is not known. */
	add_patch(model, 0x6000, TS_TARGET_BODY, PARSE_R2R, 0, 30);
	/* clang-format off */
	assert_text(model, NULL, VIEW_EVENTS_PATCH,
		"   +0.010000 s  patch   process 10: " SCORE ": calls reach no body, "
		"the next one is compiled first\n"
		"   +0.020000 s  patch   process 20: Job.Run(): calls reach no body, "
		"the next one is compiled first\n"
		"   +0.030000 s  patch   process 10: Text.Parse(): calls reach r2r\n");
	/* clang-format on */
}

static void events_are_found_by_part_of_a_name_in_any_case(void **state)
{
	static const char no_body[] =
		"   +0.150000 s  patch   process 10: " SCORE ": calls reach no body, "
		"the next one is compiled first\n";
	struct model *model = *state;
	char *text;

	add_patch(model, FUNCTION, TS_TARGET_PRESTUB, MODEL_NONE, 0, 150);
	add_patch(model, 0x4000, TS_TARGET_BODY, PARSE_FOUND, 0, 160);
	assert_text(model, "RANKING.sc", VIEW_EVENTS_PATCH, no_body);
	assert_text(model, "job.RUN", VIEW_EVENTS_ALL, LOAD_JOB COMPILED_JOB);
	assert_text(model, "TEXT", VIEW_EVENTS_ALL,
		    "   +0.160000 s  patch   process 10: Text.Parse(): calls reach tier1 "
		    "#?\n" UNLOAD_PARSE);
	assert_text(model, "", VIEW_EVENTS_LOAD, LOAD_TIER0 LOAD_TIER1 LOAD_JOB);
	assert_text(model, "nowhere", VIEW_EVENTS_ALL, "");
	text = json_of(model, "RANKING.sc", VIEW_EVENTS_ALL);
	assert_contains(text, "\"target\":\"prestub\"}\n");
	assert_lacks(text, "Text.Parse()");
	assert_lacks(text, "Job.Run()");
	free(text);
}

static void a_patch_says_what_calls_reach_and_since_when_if_that_was_seen(void **state)
{
	struct model *model = *state;

	add_patch(model, FUNCTION, TS_TARGET_PRESTUB, MODEL_NONE, 0, 1);
	add_patch(model, FUNCTION, TS_TARGET_CALL_COUNTING, SCORE_TIER0, 1, 2);
	add_patch(model, FUNCTION, TS_TARGET_CALL_COUNTING, SCORE_TIER0, 0, 3);
	add_patch(model, FUNCTION, TS_TARGET_PRESTUB, MODEL_NONE, 3, 4);
	/* Of a body that nobody told of. */
	add_patch(model, FUNCTION, TS_TARGET_BODY, MODEL_NONE, 0, 5);
	add_patch(model, FUNCTION, TS_TARGET_UNKNOWN, MODEL_NONE, 5, 6);
#define PATCH(at, what) \
	"   +0.00" at "000 s  patch   process 10: " SCORE ": calls reach " what "\n"
	/* clang-format off */
	assert_text(model, NULL, VIEW_EVENTS_PATCH,
		PATCH("1", "no body, the next one is compiled first")
		PATCH("2", "tier0 native 0, counted, since +0.001000 s at the earliest")
		PATCH("3", "tier0 native 0, counted")
		PATCH("4", "no body, the next one is compiled first, "
			   "since +0.003000 s at the earliest")
		PATCH("5", "something unknown")
		PATCH("6", "something unknown, since +0.005000 s at the earliest"));
	/* clang-format on */
}

/* A watchpoint saw it: the window is that moment; the first look has none. */
static void a_patch_whose_moment_is_known_says_so(void **state)
{
	struct model *model = *state;
	char *text;

	add_patch(model, FUNCTION, TS_TARGET_CALL_COUNTING, SCORE_TIER0, 2, 2);
	add_patch(model, FUNCTION, TS_TARGET_PRESTUB, MODEL_NONE, 3, 3);
	add_patch(model, FUNCTION, TS_TARGET_UNKNOWN, MODEL_NONE, 3, 4);
	add_patch(model, FUNCTION, TS_TARGET_BODY, SCORE_TIER1, 0, 5);
	/* clang-format off */
	assert_text(model, NULL, VIEW_EVENTS_PATCH,
		PATCH("2", "tier0 native 0, counted, since then exactly")
		PATCH("3", "no body, the next one is compiled first, "
			   "since then exactly")
		PATCH("4", "something unknown, since +0.003000 s at the earliest")
		PATCH("5", "tier1 native 2"));
	/* clang-format on */
	text = json_of(model, NULL, VIEW_EVENTS_PATCH);
	assert_contains(text, "\"window_ns\":[1003000000,1003000000],");
	assert_lacks(text, "exactly");
	free(text);
}

static void json_says_everything_of_loads_and_unloads(void **state)
{
	/* clang-format off */
	assert_json(*state, NULL, VIEW_EVENTS_LOAD | VIEW_EVENTS_UNLOAD,
		"{\"time_ns\":1100000000,\"kind\":\"load\",\"pid\":10,"
		"\"name\":\"" SCORE "\",\"function_id\":\"0x5000\",\"rejit_id\":0,"
		"\"native_version\":0,\"tier\":\"QuickJitted\","
		"\"start\":\"0x7f0000000000\",\"size\":96}\n"
		"{\"time_ns\":1400000000,\"kind\":\"load\",\"pid\":10,"
		"\"name\":\"" SCORE "\",\"function_id\":\"0x5000\",\"rejit_id\":0,"
		"\"native_version\":2,\"tier\":\"OptimizedTier1\","
		"\"start\":\"0x7f0000001000\",\"size\":142}\n"
		"{\"time_ns\":1600000000,\"kind\":\"load\",\"pid\":20,"
		"\"name\":\"Job.Run()\",\"function_id\":\"0x5000\",\"rejit_id\":3,"
		"\"native_version\":1,\"tier\":\"OptimizedTier1\","
		"\"start\":\"0x7f0000005000\",\"size\":60}\n"
		"{\"time_ns\":1700000000,\"kind\":\"unload\",\"pid\":10,"
		"\"name\":\"Text.Parse()\",\"function_id\":\"0x4000\","
		"\"rejit_id\":null,\"native_version\":null,"
		"\"tier\":\"OptimizedTier1\","
		"\"start\":\"0x7f0000002000\",\"size\":70}\n"
		"{\"time_ns\":1900000000,\"kind\":\"unload\",\"pid\":10,"
		"\"name\":\"" SCORE "\",\"function_id\":\"0x5000\",\"rejit_id\":0,"
		"\"native_version\":0,\"tier\":\"QuickJitted\","
		"\"start\":\"0x7f0000000000\",\"size\":96}\n");
	/* clang-format on */
}

static void json_says_everything_of_a_patch(void **state)
{
	struct model *model = *state;

	add_patch(model, FUNCTION, TS_TARGET_PRESTUB, MODEL_NONE, 0, 150);
	add_patch(model, FUNCTION, TS_TARGET_CALL_COUNTING, SCORE_TIER1, 400, 500);
	add_patch(model, FUNCTION, TS_TARGET_BODY, JOB_TIER1, 0, 800);
#define PATCH_OF(pid, name)                                         \
	"\"kind\":\"patch\",\"pid\":" pid ",\"name\":\"" name "\"," \
	"\"function_id\":\"0x5000\","
#define CELL "\"cell\":\"0x7f0000009008\","
	/* clang-format off */
	assert_json(model, NULL, VIEW_EVENTS_PATCH,
		"{\"time_ns\":1150000000," PATCH_OF("10", SCORE)
		"\"window_ns\":[0,1150000000]," CELL "\"target\":\"prestub\"}\n"
		"{\"time_ns\":1500000000," PATCH_OF("10", SCORE)
		"\"window_ns\":[1400000000,1500000000]," CELL
		"\"target\":\"call_counting\",\"rejit_id\":0,\"native_version\":2,"
		"\"tier\":\"OptimizedTier1\","
		"\"start\":\"0x7f0000001000\",\"size\":142}\n"
		"{\"time_ns\":1800000000," PATCH_OF("20", "Job.Run()")
		"\"window_ns\":[0,1800000000]," CELL
		"\"target\":\"body\",\"rejit_id\":3,\"native_version\":1,"
		"\"tier\":\"OptimizedTier1\","
		"\"start\":\"0x7f0000005000\",\"size\":60}\n");
	/* clang-format on */
}

static void add_tiering(struct model *model, uint32_t process, uint32_t kind, int at)
{
	const struct model_tiering tiering = {.process = process, .kind = kind,
					      .time_ns = MS(at), .pending = 5,
					      .new_methods = 6, .compiled = 7};

	assert_int_not_equal(model__add_tiering(model, &tiering), MODEL_NONE);
}

static void delays_and_batches_are_of_a_process_and_of_no_method(void **state)
{
	struct model *model = *state;

	add_tiering(model, 0, TS_TIERING_DELAY_ENDED, 20);
	add_tiering(model, 0, TS_TIERING_DELAY_BEGAN, 10);
	add_tiering(model, 1, TS_TIERING_BATCH_BEGAN, 30);
	add_tiering(model, 1, TS_TIERING_BATCH_ENDED, 40);
	/* clang-format off */
	assert_text(model, NULL, VIEW_EVENTS_DELAY,
		"   +0.010000 s  delay   process 10: begins\n"
		"   +0.020000 s  delay   process 10: ends, 6 new\n");
	assert_text(model, NULL, VIEW_EVENTS_BATCH,
		"   +0.030000 s  batch   process 20: begins, 5 pending\n"
		"   +0.040000 s  batch   process 20: ends, 7 compiled, 5 pending\n");
	assert_text(model, "e", VIEW_EVENTS_DELAY | VIEW_EVENTS_BATCH, "");
	assert_json(model, NULL, VIEW_EVENTS_DELAY | VIEW_EVENTS_BATCH,
		"{\"time_ns\":1010000000,\"kind\":\"delay\",\"pid\":10,\"event\":\"begin\"}\n"
		"{\"time_ns\":1020000000,\"kind\":\"delay\",\"pid\":10,\"event\":\"end\","
		"\"new_methods\":6}\n"
		"{\"time_ns\":1030000000,\"kind\":\"batch\",\"pid\":20,\"event\":\"begin\","
		"\"pending\":5}\n"
		"{\"time_ns\":1040000000,\"kind\":\"batch\",\"pid\":20,\"event\":\"end\","
		"\"compiled\":7,\"pending\":5}\n");
	/* clang-format on */
}

static void a_rejit_stands_at_the_end_of_its_window(void **state)
{
	struct model *model = *state;
	struct model_active active = {.process = 1, .function_id = FUNCTION, .body = MODEL_NONE,
				      .code = MODEL_ACTIVE_UNKNOWN, .seen_ns = MS(500)};

	model__add_active(model, &active);
	model__add_il_version(model, &(struct model_il_version){
					     .process = 1, .rejit_id = 3,
					     .function_id = FUNCTION,
					     .state = TS_IL_READY, .seen_ns = MS(610)});
	active.rejit_id = 3;
	active.seen_ns = MS(610);
	model__add_active(model, &active);
	active.rejit_id = 0;
	active.seen_ns = MS(900);
	model__add_active(model, &active);
	/* clang-format off */
	assert_text(model, NULL, VIEW_EVENTS_REJIT,
		"   +0.600000 s  rejit   process 20: Job.Run(): #3 requested, "
		"since +0.500000 s at the earliest\n"
		COMPILED_JOB
		"   +0.900000 s  rejit   process 20: Job.Run(): #3 reverted, "
		"since +0.610000 s at the earliest\n");
#define REJIT_OF(event) \
	"\"kind\":\"rejit\",\"pid\":20,\"name\":\"Job.Run()\",\"event\":\"" event "\"," \
	"\"function_id\":\"0x5000\","
	assert_json(model, "run", VIEW_EVENTS_REJIT,
		"{\"time_ns\":1600000000," REJIT_OF("requested")
		"\"window_ns\":[1500000000,1600000000],\"rejit_id\":3}\n"
		"{\"time_ns\":1600000000," REJIT_OF("compiled")
		"\"window_ns\":[1600000000,1600000000],\"rejit_id\":3,\"native_version\":1,"
		"\"tier\":\"OptimizedTier1\",\"start\":\"0x7f0000005000\",\"size\":60}\n"
		"{\"time_ns\":1900000000," REJIT_OF("reverted")
		"\"window_ns\":[1610000000,1900000000],\"rejit_id\":3}\n");
	/* clang-format on */
	assert_text(model, "parse", VIEW_EVENTS_REJIT, "");
}

static void hostile_names_are_escaped(void **state)
{
	struct model *model = *state;
	struct model_body body = *model__body(model, SCORE_TIER0);
	char *text;

	body.name = model__string(model, HOSTILE);
	body.function_id = 0x6000;
	model__add_body(model, &body);
	add_patch(model, 0x6000, TS_TARGET_PRESTUB, MODEL_NONE, 0, 1);
	text = write_events(model, &(struct view_options){0}, NULL, VIEW_EVENTS_ALL,
			    false);
	assert_null(strchr(text, '\x1b'));
	assert_null(strchr(text, '\xe2'));
	assert_contains(text, " s  load    process 10: " HOSTILE_TEXT ": tier0 ");
	assert_contains(text, " s  unload  process 10: " HOSTILE_TEXT ": tier0 ");
	assert_contains(text, " s  patch   process 10: " HOSTILE_TEXT ": calls ");
	free(text);
	text = json_of(model, NULL, VIEW_EVENTS_ALL);
	assert_null(strchr(text, '<'));
	assert_null(strchr(text, '\xe2'));
	assert_contains(text, "\"load\",\"pid\":10,\"name\":" HOSTILE_JSON ",");
	assert_contains(text, "\"unload\",\"pid\":10,\"name\":" HOSTILE_JSON ",");
	assert_contains(text, "\"patch\",\"pid\":10,\"name\":" HOSTILE_JSON ",");
	free(text);
}

static void a_note_is_a_warning_in_text_only(void **state)
{
	const struct view_options options = {.note = HOSTILE};
	char *text = write_events(*state, &options, "job", VIEW_EVENTS_ALL, false);
	char *plain;

	assert_string_equal(text, "WARNING: " HOSTILE_TEXT "\n" LOAD_JOB COMPILED_JOB);
	free(text);
	text = write_events(*state, &options, "job", VIEW_EVENTS_ALL, true);
	plain = json_of(*state, "job", VIEW_EVENTS_ALL);
	assert_string_equal(text, plain);
	free(text);
	free(plain);
}

static void an_empty_recording_has_no_line(void **state)
{
	struct model *model = model__new();

	(void)state;
	assert_text(model, NULL, VIEW_EVENTS_ALL, "");
	assert_json(model, NULL, VIEW_EVENTS_ALL, "");
	assert_json(model, "any", VIEW_EVENTS_ALL, "");
	model__free(model);
}

/* What was seen since the last time, of a model that grows. */
static void assert_news(const struct model *model, struct view_events_seen *seen, const char *wanted)
{
	const struct view_events_filter filter = {.kinds = VIEW_EVENTS_ALL, .seen = seen};
	struct buf buf = BUF_INIT;

	assert_int_equal(view_events__write(model, &(struct view_options){.top = 0}, &filter,
					    false, &buf), 0);
	assert_string_equal(buf__string(&buf), wanted);
	buf__free(&buf);
}

static void who_looks_on_is_told_each_event_once(void **state)
{
	struct model *model = fixture_new();	/* its bodies are born a moment after the start */
	struct view_events_seen seen = { 0 };
	struct model_patch patch = {
		.function_id = 0x7f0000001000, .target = TS_TARGET_BODY, .body = BODY_TIER1,
		.window_ns = {0, MS(20)},
	};
	struct model_body body;
	uint32_t index;

	(void)state;
	for (uint32_t i = 0; i < model__bodies(model); i++) {
		body = *model__body(model, i);
		body.born_ns = MS(-5);		/* history */
		model__update_body(model, i, &body);
	}
	assert_news(model, &seen, "");
	index = fixture_body(model, 0, "New()", TS_TIER_QUICK, 0, 0);
	model__add_patch(model, &patch);	/* a first look is no change */
	assert_news(model, &seen, "   +0.000000 s  load    New(): tier0 native 0, 100 bytes at 0x7f1000006000\n");
	assert_news(model, &seen, "");
	body = *model__body(model, index);
	body.died_ns = MS(30);
	model__update_body(model, index, &body);
	patch.window_ns[0] = MS(20);
	patch.window_ns[1] = MS(40);
	model__add_patch(model, &patch);
	add_tiering(model, 0, TS_TIERING_DELAY_BEGAN, -1);	/* history */
	add_tiering(model, 0, TS_TIERING_DELAY_ENDED, 35);
	assert_news(model, &seen,
		    "   +0.030000 s  unload  New(): tier0 native 0, 100 bytes at 0x7f1000006000\n"
		    "   +0.035000 s  delay   ends, 6 new\n"
		    "   +0.040000 s  patch   Work(int): calls reach tier1 #2 native 5, since +0.020000 s at the earliest\n");
	assert_news(model, &seen, "");
	/* Its number comes later than the body; a first look is no change. */
	index = fixture_body(model, 0, "Re()", TS_TIER_QUICK, 0, 0);
	body = *model__body(model, index);
	body.function_id = 0x9000;
	body.born_ns = MS(50);
	body.flags |= MODEL_BODY_REJIT_UNKNOWN;
	model__update_body(model, index, &body);
	assert_news(model, &seen,
		    "   +0.050000 s  load    Re(): tier0 #? native 0, 100 bytes at 0x7f1000007000\n");
	body.flags &= ~(uint32_t)MODEL_BODY_REJIT_UNKNOWN;
	body.rejit_id = 2;
	model__update_body(model, index, &body);
	assert_news(model, &seen,
		    "   +0.050000 s  rejit   Re(): #2 compiled: tier0 #2 native 0, 100 bytes at 0x7f1000007000\n");
	model__add_il_version(model, &(struct model_il_version){
					     .rejit_id = 2, .function_id = body.function_id,
					     .seen_ns = MS(60)});
	assert_news(model, &seen, "");
	view_events_seen__free(&seen);
	model__free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
		TEST(events_stand_in_the_order_of_time_a_patch_at_its_window_s_end),
		TEST(events_at_one_time_stand_as_load_unload_and_patch),
		TEST(what_was_found_or_precompiled_is_no_load_but_its_end_is_shown),
		TEST(what_was_before_the_recording_has_a_minus),
		TEST(only_events_of_the_kinds_are_shown),
		TEST(kinds_are_read_from_their_names),
		TEST(a_patch_has_the_name_of_its_function_in_its_process),
		TEST(events_are_found_by_part_of_a_name_in_any_case),
		TEST(a_patch_says_what_calls_reach_and_since_when_if_that_was_seen),
		TEST(a_patch_whose_moment_is_known_says_so),
		TEST(json_says_everything_of_loads_and_unloads),
		TEST(json_says_everything_of_a_patch),
		TEST(a_rejit_stands_at_the_end_of_its_window),
		TEST(delays_and_batches_are_of_a_process_and_of_no_method),
		TEST(hostile_names_are_escaped),
		TEST(a_note_is_a_warning_in_text_only),
		TEST(an_empty_recording_has_no_line),
		TEST(who_looks_on_is_told_each_event_once),
	};

	return cmocka_run_group_tests_name("view_events", tests, NULL, NULL);
}
