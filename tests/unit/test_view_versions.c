// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The code-version tree, as text and as JSON.
#include "versions_fixture.h"

static void bodies_of_a_method_stand_in_the_order_they_were_compiled_in(void **state)
{
	assert_text(*state, NULL,
		    "\n\n" SCORE_NAME IN_WEB "  5 samples, 50.00 %\n"
		    "  IL version 0\n"
		    "      tier0        native  0    100 bytes        1 samples  "
		    "born +0.100 s\n"
		    "      osr@0x1a     native  1    100 bytes        0 samples  "
		    "born +0.200 s\n"
		    "      tier1-instr  native  2    100 bytes        0 samples  "
		    "born +0.300 s\n"
		    "      tier1        native  3    100 bytes        4 samples  "
		    "born +0.400 s\n\n");
}

/* clang-format off */
static void instantiations_are_named_below_one_il_version(void **state)
{
	assert_text(*state, NULL,
		    "\n\nBox.Echo<int>(int)" IN_WEB "  3 samples, 30.00 %\n"
		    "  IL version 0\n"
		    "    Box.Echo<int>(int)\n"
		    LINE("tier0       ", "0", "0", "born +0.100 s")
		    LINE("tier1       ", "1", "3", "born +0.200 s")
		    "    Box.Echo<__Canon>(__Canon)\n"
		    LINE("tier0       ", "0", "0", "born +0.100 s") "\n");
}

static void rejit_versions_have_il_versions_of_their_own(void **state)
{
	assert_text(*state, NULL,
		    "\n\nShop.Edit()" IN_WEB "  0 samples, 0.00 %\n"
		    "  IL version 0\n"
		    LINE("tier1       ", "1", "0", "born +0.200 s")
		    "  IL version 2: ReJIT\n"
		    LINE("tier1       ", "0", "0", "born +0.100 s")
		    "  IL version ?: of a ReJIT whose number is not known\n"
		    LINE("opt         ", "0", "0", "born +0.100 s") "\n");
}

static void precompiled_code_comes_last_when_its_function_is_not_known(void **state)
{
	assert_text(*state, NULL,
		    "\n\nText.Parse()" IN_WEB "  2 samples, 20.00 %\n"
		    "  IL version 0\n"
		    LINE("tier1       ", "1", "0", "born +0.200 s")
		    LINE("r2r         ", "-", "2", "precompiled") "\n");
}

static void precompiled_code_comes_first_when_its_function_is_known(void **state)
{
	struct model *model = *state;
	struct model_body body = *model__body(model, PARSE_R2R);

	/* The compiled one has a native version below it: that is not what decides. */
	body.flags = 0;
	body.function_id = rows[PARSE_TIER1].function_id;
	body.native_version = 9;
	model__update_body(model, PARSE_R2R, &body);
	assert_text(model, "parse",
		    "  IL version 0\n"
		    LINE("r2r         ", "9", "2", "precompiled")
		    "      tier1        native  1 ");
	assert_json(model, "parse",
		    "{\"function_id\":\"0x4000\",\"name\":\"Text.Parse()\","
		    "\"calls_reach\":\"unknown\",\"active_version\":null,\"native_versions\":["
		    "{\"native_version\":9,");
}

/* What was found by a catch-up has no number: its birth tells the order then. */
static void bodies_without_a_native_version_stand_in_the_order_of_birth(void **state)
{
	struct model *model = *state;

	for (uint32_t i = 0; i < 2; i++) {
		uint32_t index = i ? ECHO_INT_TIER0 : ECHO_INT_TIER1;
		struct model_body body = *model__body(model, index);

		body.flags = MODEL_BODY_VERSION_UNKNOWN;
		body.native_version = 0;
		body.source = MODEL_SOURCE_CATCH_UP;
		body.born_ns = MS(1500 - 1000 * i);
		model__update_body(model, index, &body);
	}
	assert_text(model, "echo",
		    LINE("tier0       ", "-", "0", "found +0.500 s")
		    LINE("tier1       ", "-", "3", "found +1.500 s"));
}
/* clang-format on */

static void dynamic_methods_of_one_name_are_methods_of_their_own(void **state)
{
#define FILL_HEAD "\nFill(int) [dynamic]" IN_WEB "  0 samples, 0.00 %\n  IL version 0\n"
#define FILL_LINE LINE("opt         ", "0", "0", "born +0.100 s")
	char *text = text_of(*state, "Fill");

	assert_begins(text, "2 methods;");
	assert_contains(text, FILL_HEAD FILL_LINE FILL_HEAD FILL_LINE);
	free(text);
	text = json_of(*state, "Fill");
	assert_contains(text, "\"token\":\"0x00000000\","
			      "\"name\":\"Fill(int) [dynamic]\",\"samples\":0,"
			      "\"il_versions\":[{\"rejit_id\":0,\"state\":null,\"active\":null,\"functions\":["
			      "{\"function_id\":\"0x9000\",");
	assert_contains(text, "{\"rejit_id\":0,\"state\":null,\"active\":null,\"functions\":["
			      "{\"function_id\":\"0x9100\",");
	free(text);
}

/* The place of one that is gone is used again: by a method of another name. */
static void dynamic_methods_at_one_place_are_told_apart_by_name(void **state)
{
	struct model_body body = *model__body(*state, FILL_FIRST);

	body.name = model__string(*state, "Drain(int) [dynamic]");
	model__add_body(*state, &body);
	assert_text(*state, "(int) [dynamic]", "3 methods;");
}

static void processes_share_no_method(void **state)
{
	struct model *model = *state;
	char *text;

	add_samples(model, JOB_TIER1, 0, 10);
	assert_text(model, "score", "2 methods;");
	text = json_of(model, "score");
	/* The one with more samples first. */
	assert_contains(text, "\"methods\":[{\"pid\":20,\"module\":\"/app/shop.dll\","
			      "\"token\":\"0x06000007\",\"name\":\"" SCORE_NAME "\","
			      "\"samples\":10,");
	assert_contains(text, "]},{\"pid\":10,\"module\":\"/app/shop.dll\","
			      "\"token\":\"0x06000007\",\"name\":\"" SCORE_NAME "\",");
	free(text);
}

static void add_emitted(struct model *model, const char *module, uint64_t module_id)
{
	struct model_body body = *model__body(model, EDIT_ORIGINAL);

	body.module = model__string(model, module);
	body.module_id = module_id;
	body.function_id = 0x6000 + module_id;
	body.name = model__string(model, "Emitted()");
	model__add_body(model, &body);
}

static void modules_without_a_file_are_told_apart_by_their_id(void **state)
{
	struct model *model = *state;
	char *text;

	add_emitted(model, "Made", 2);
	add_emitted(model, "Made", 1);
	add_emitted(model, "Made", 2);
	text = text_of(model, "emitted");
	assert_begins(text, "2 methods;");
	assert_contains(text, "\nEmitted()  in Made  of process 10  0 samples");
	free(text);
	text = json_of(model, "emitted");
	assert_contains(text, "\"functions\":[{\"function_id\":\"0x6001\",");
	assert_contains(text, "\"functions\":[{\"function_id\":\"0x6002\",");
	free(text);
}

/* A precompiled body has no module id, and is one of the same method. */
static void modules_of_a_file_are_one_whatever_their_id(void **state)
{
	add_emitted(*state, "/app/made.dll", 1);
	add_emitted(*state, "/app/made.dll", 0);
	assert_text(*state, "emitted", "1 method;");
}

static void a_heading_names_the_module_and_with_two_processes_the_pid(void **state)
{
	struct model *model = fixture_new();
	struct model_body body = *model__body(model, BODY_MAIN);

	assert_text(*state, NULL, "\n\n" SCORE_NAME IN_WEB "  5 samples, ");
	assert_text(*state, NULL, "\n\n" SCORE_NAME IN_JOB "  0 samples, ");
	body.flags = MODEL_BODY_DYNAMIC;
	body.module = 0;
	body.name = model__string(model, "Nowhere()");
	model__add_body(model, &body);
	assert_text(model, "main", "\n\nMain  in app.dll  6 samples, 60.00 %\n");
	assert_text(model, "nowhere", "\n\nNowhere()  0 samples, 0.00 %\n");
	fixture_add_second(model);
	assert_text(model, "main", "\n\nMain  in app.dll  of process 10  6 samples, ");
	assert_text(model, "main", "\n\nMain  in app.dll  of process 20  1 samples, ");
	assert_text(model, "nowhere", "\n\nNowhere()  of process 10  0 samples, ");
	model__free(model);
}

static void a_module_s_name_is_escaped_in_a_heading(void **state)
{
	char *text;

	add_emitted(*state, "/a\x1b[1mpp/\x1b[2Jmade.dll", 1);
	add_emitted(*state, "\x1b[2JMade", 1);
	text = text_of(*state, "emitted");
	assert_null(strchr(text, '\x1b'));
	assert_contains(text, "\nEmitted()  in \\x1b[2Jmade.dll  of process 10  0 ");
	assert_contains(text, "\nEmitted()  in \\x1b[2JMade  of process 10  0 ");
	free(text);
}

#define NOT_PREFERRED \
	"which of them the runtime prefers was not seen\n\n"

static void a_mark_is_at_the_body_that_calls_reach(void **state)
{
	struct model *model = *state;
	char *text;

	add_patch(model, SCORE_TIER1, TS_TARGET_BODY, SCORE_TIER1);
	text = text_of(model, NULL);
	assert_contains(text, "methods; times since the recording began\n"
			      "* calls reach it, as it was seen last   + by way of the "
			      "call-counting stub\n" NOT_PREFERRED);
	assert_contains(text, "\n    * tier1        native  3 ");
	/* The other process' function of the same id has none. */
	assert_contains(text, "\n      tier1        native  3 ");
	free(text);
	text = json_of(model, NULL);
	assert_contains(text, "\"calls_reach\":\"body\",\"active_version\":null,\"native_versions\":["
			      "{\"native_version\":0,\"tier\":\"QuickJitted\","
			      "\"start\":\"0x7f0000004000\",\"size\":100,"
			      "\"osr_il_offset\":null,\"published\":false,");
	assert_contains(text, "\"start\":\"0x7f0000000000\",\"size\":100,"
			      "\"osr_il_offset\":null,\"published\":true,");
	assert_null(strstr(strstr(text, ":true") + 1, ":true"));
	free(text);
}

static void the_last_patch_of_a_function_decides_the_mark(void **state)
{
	struct model *model = *state;
	char *text;

	add_patch(model, SCORE_TIER1, TS_TARGET_BODY, SCORE_TIER0);
	add_patch(model, SCORE_TIER1, TS_TARGET_CALL_COUNTING, SCORE_TIER1);
	/* Of another function, and of one with the same id in another process. */
	add_patch(model, ECHO_INT_TIER1, TS_TARGET_BODY, ECHO_INT_TIER1);
	add_patch(model, JOB_TIER1, TS_TARGET_PRESTUB, MODEL_NONE);
	text = text_of(model, NULL);
	assert_contains(text, SCORE_NAME IN_WEB "  5 samples, 50.00 %\n"
						"  IL version 0\n"
						"      tier0        native  0 ");
	assert_contains(text, "\n    + tier1        native  3    100 bytes        4 ");
	assert_contains(text, "\n    * tier1        native  1    100 bytes        3 ");
	free(text);
	assert_json(model, "score", "\"calls_reach\":\"call_counting\"");
	add_patch(model, SCORE_TIER1, TS_TARGET_BODY, SCORE_TIER0);
	text = text_of(model, NULL);
	assert_contains(text, "\n    * tier0        native  0    100 bytes        1 ");
	assert_contains(text, "\n      tier1        native  3    100 bytes        4 ");
	free(text);
}

static void calls_that_reach_no_body_are_told_at_their_function(void **state)
{
#define NO_BODY "      calls reach no body: the next one is compiled first\n"
	struct model *model = *state;
	char *text;

	add_patch(model, ECHO_INT_TIER1, TS_TARGET_BODY, ECHO_INT_TIER1);
	add_patch(model, ECHO_STRING_TIER0, TS_TARGET_BODY, ECHO_STRING_TIER0);
	add_patch(model, ECHO_STRING_TIER0, TS_TARGET_PRESTUB, MODEL_NONE);
	text = text_of(model, NULL);
	assert_contains(text, "    Box.Echo<__Canon>(__Canon)\n" NO_BODY
			      "      tier0        native  0 ");
	assert_contains(text, "    Box.Echo<int>(int)\n      tier0 ");
	assert_null(strstr(strstr(text, NO_BODY) + 1, NO_BODY));
	free(text);
	text = json_of(model, "echo");
	assert_contains(text, "{\"function_id\":\"0x2000\","
			      "\"name\":\"" ECHO_INT_JSON "\","
			      "\"calls_reach\":\"body\",");
	assert_contains(text, "\"name\":\"" ECHO_STRING_JSON "\","
			      "\"calls_reach\":\"prestub\",");
	free(text);
}

static void what_calls_reach_is_not_told_when_it_was_not_seen(void **state)
{
	char *text = text_of(*state, NULL);

	assert_begins(text, "7 methods; times since the recording began\n"
			    "which of them calls reach was not seen\n" NOT_PREFERRED);
	assert_null(strchr(text, '*'));
	assert_lacks(text, "calls reach no body");
	free(text);
	assert_json(*state, "score", "\"calls_reach\":\"unknown\"");
}

/* Its own function is not known: the patch tells that calls reach it. */
static void a_mark_is_at_precompiled_code_of_an_unknown_function(void **state)
{
	struct model *model = *state;

	add_patch(model, PARSE_TIER1, TS_TARGET_BODY, PARSE_R2R);
	assert_text(model, "parse", "\n      tier1        native  1 ");
	assert_text(model, "parse", "\n    * r2r          native  - ");
	assert_json(model, "parse",
		    "\"tier\":\"ReadyToRun\",\"start\":\"0x7f000000b000\","
		    "\"size\":100,\"osr_il_offset\":null,\"published\":true,");
	add_patch(model, PARSE_TIER1, TS_TARGET_CALL_COUNTING, PARSE_R2R);
	assert_text(model, "parse", "\n    + r2r          native  - ");
	add_patch(model, PARSE_TIER1, TS_TARGET_BODY, PARSE_TIER1);
	assert_text(model, "parse", "\n    * tier1        native  1 ");
	assert_text(model, "parse", "\n      r2r          native  - ");
	add_patch(model, PARSE_TIER1, TS_TARGET_PRESTUB, MODEL_NONE);
	assert_text(model, "parse", "\n      r2r          native  - ");
	assert_json(model, "parse",
		    "\"tier\":\"ReadyToRun\",\"start\":\"0x7f000000b000\","
		    "\"size\":100,\"osr_il_offset\":null,\"published\":false,");
}

static void calls_that_reach_no_body_are_told_below_one_il_version_only(void **state)
{
	struct model *model = *state;
	char *text;

	add_patch(model, EDIT_ORIGINAL, TS_TARGET_PRESTUB, MODEL_NONE);
	text = text_of(model, "edit");
	assert_contains(text, "\n  IL version 0\n" NO_BODY "      tier1 ");
	assert_contains(text, "\n  IL version 2: ReJIT\n      tier1 ");
	assert_contains(text, "number is not known\n      opt ");
	assert_null(strstr(strstr(text, NO_BODY) + 1, NO_BODY));
	free(text);
}

static void samples_of_other_events_are_not_counted(void **state)
{
	const struct view_options faults = {.event = 1};
	char *text = write_text(*state, &faults, NULL);

	assert_contains(text,
			"\n\nBox.Echo<int>(int)" IN_WEB "  8 samples, 100.00 %\n");
	assert_contains(text, "      tier0        native  0    100 bytes        8 ");
	assert_contains(text, "      tier1        native  1    100 bytes        0 ");
	assert_contains(text, SCORE_NAME IN_WEB "  0 samples, 0.00 %\n");
	free(text);
	text = write_json(*state, &faults, "echo");
	assert_contains(text, "{\"start_ns\":1000000000,\"samples\":8,");
	assert_contains(text, "\"name\":\"" ECHO_INT_JSON "\",\"samples\":8,");
	assert_contains(text, "\"died_ns\":null,\"samples\":8}");
	free(text);
}

static void methods_are_found_by_part_of_a_name_in_any_case(void **state)
{
	char *text = text_of(*state, "RANKING.sc");

	assert_contains(text, "\n\n" SCORE_NAME IN_WEB "  5 samples");
	assert_lacks(text, "Box.Echo");
	free(text);
	/* In the name of one of its functions: the method is shown with all of them. */
	text = text_of(*state, "__canon");
	assert_begins(text, "1 method; times");
	assert_contains(text, "\n\nBox.Echo<int>(int)" IN_WEB "  3 samples, 30.00 %\n");
	free(text);
	assert_text(*state, "echo<INT>", "    Box.Echo<__Canon>(__Canon)\n");
	text = json_of(*state, "PARSE");
	assert_contains(text, "\"name\":\"Text.Parse()\"");
	assert_lacks(text, "Score");
	free(text);
	assert_text(*state, "nowhere", "0 methods; times");
	assert_json(*state, "nowhere", "\"methods\":[]}");
}

static void methods_with_most_samples_come_first(void **state)
{
	static const char *const wanted[] = {
		"\n\n" SCORE_NAME IN_WEB "  5 ",
		"\n\nBox.Echo<int>(int)" IN_WEB "  3 ",
		"\n\nText.Parse()" IN_WEB "  2 ",
		"\n\nShop.Edit()" IN_WEB "  0 ",
	};
	char *text = text_of(*state, NULL);
	const char *at = text;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		at = strstr(at, wanted[i]);
		assert_non_null(at);
	}
	free(text);
}

static void only_the_top_methods_are_shown_and_the_header_says_so(void **state)
{
	struct view_options options = {.top = 2};
	char *text = write_text(*state, &options, NULL);

	assert_begins(text, "7 methods, those with most samples first (--top); "
			    "times since the recording began\n");
	assert_contains(text, SCORE_NAME IN_WEB "  5 ");
	assert_contains(text, "Box.Echo<int>(int)" IN_WEB "  3 ");
	assert_lacks(text, "Text.Parse()");
	free(text);
	text = write_json(*state, &options, NULL);
	assert_contains(text, "Box.Echo");
	assert_lacks(text, "Text.Parse()");
	free(text);
	/* As many as there are: none is left out. */
	options.top = 7;
	text = write_text(*state, &options, NULL);
	assert_begins(text, "7 methods; times");
	assert_contains(text, "Text.Parse()");
	free(text);
}

static void a_life_tells_all_that_was_seen_of_it(void **state)
{
	struct model *model = *state;
	struct model_body body = *model__body(model, SCORE_OSR);

	set_life(model, SCORE_TIER0, 0, MS(250), MS(1500));
	set_life(model, SCORE_TIER1, MS(750), MS(1500), 0);
	body.born_ns = MS(-500);
	body.died_ns = MS(1999);
	model__update_body(model, SCORE_OSR, &body);
	/* Born before the recording began, and not first all the same: numbers tell. */
	assert_text(model, "score",
		    "samples  born +0.100 s, published by +0.250 s, superseded by "
		    "+1.500 s\n" LINE("osr@0x1a    ", "1", "0",
				      "born -0.500 s, gone +1.999 s"));
	assert_text(model, "score",
		    "samples  born +0.400 s, published +0.750 to +1.500 s\n");
	assert_json(model, "score",
		    "\"published_ns\":[0,1250000000],\"superseded_ns\":2500000000,"
		    "\"died_ns\":null,\"samples\":1}");
	assert_json(model, "score",
		    "\"published_ns\":[1750000000,2500000000],\"superseded_ns\":null,");
	assert_json(model, "score", "\"died_ns\":2999000000,\"samples\":0}");
}

static void the_original_may_not_be_one_beside_another_profiler(void **state)
{
	struct model *model = *state;
	struct model_process process = *model__process(model, 0);

	process.flags |= MODEL_PROCESS_MAIN_PROFILER;
	model__update_process(model, 0, &process);
	assert_text(model, "edit",
		    "\n  IL version 0: as loaded, which another profiler may have "
		    "changed\n");
	assert_text(model, "edit", "\n  IL version 2: ReJIT\n");
	/* The other process has none. */
	assert_text(model, "score", "\n  IL version 0\n");
	assert_text(model, "score", "\n  IL version 0: as loaded, ");
}

static void hostile_names_are_escaped(void **state)
{
	const struct view_options options = {.note = HOSTILE};
	struct model *model = *state;
	struct model_body body = *model__body(model, ECHO_STRING_TIER0);
	char *text;

	body.name = model__string(model, HOSTILE);
	body.module = model__string(model, HOSTILE);
	model__add_body(model, &body);
	/* And as one more function of Echo. */
	body.module = model__body(model, ECHO_INT_TIER0)->module;
	body.function_id++;
	model__add_body(model, &body);
	text = write_text(model, &options, NULL);
	assert_null(strchr(text, '\x1b'));
	assert_null(strchr(text, '\xe2'));
	assert_begins(text, "WARNING: " HOSTILE_TEXT "\n8 methods; ");
	assert_contains(text, "\n\n" HOSTILE_TEXT "  in script>");
	assert_contains(text, "\n    " HOSTILE_TEXT "\n");
	free(text);
	text = write_json(model, &options, NULL);
	assert_null(strchr(text, '<'));
	assert_contains(text, "\"note\":" HOSTILE_JSON ",\"methods\":[");
	assert_contains(text, "\"module\":" HOSTILE_JSON ",\"token\":\"0x06000002\","
			      "\"name\":" HOSTILE_JSON ",");
	assert_contains(text, "\"0x2101\",\"name\":" HOSTILE_JSON ",");
	free(text);
}

/* --- what the runtime prefers, and IL versions without bodies -------------------------- */

static void add_active(struct model *model, uint32_t of, uint32_t rejit_id, uint32_t code,
		       uint32_t body)
{
	const struct model_body *row = model__body(model, of);
	struct model_active active = {
		.process = row->process,
		.function_id = row->function_id,
		.rejit_id = rejit_id,
		.native_version = 7,
		.code = code,
		.body = body,
		.seen_ns = MS(1),
	};

	assert_int_not_equal(model__add_active(model, &active), MODEL_NONE);
}

static void add_il(struct model *model, uint32_t of, uint32_t rejit_id, uint32_t state)
{
	const struct model_body *row = model__body(model, of);
	struct model_il_version version = {
		.process = row->process,
		.function_id = row->function_id,
		.rejit_id = rejit_id,
		.state = state,
	};

	assert_int_not_equal(model__add_il_version(model, &version), MODEL_NONE);
}

#define ACTIVE_LEGEND \
	"> active: the runtime prefers it for the next call, as it was seen last\n"

/* Publication lags behind: the mark of one is not that of the other. */
static void the_active_body_and_the_published_one_are_marked_apart(void **state)
{
	struct model *model = *state;

	add_patch(model, SCORE_TIER0, TS_TARGET_BODY, SCORE_TIER0);
	add_active(model, SCORE_TIER0, 0, MODEL_ACTIVE_BODY, SCORE_TIER0);
	add_active(model, SCORE_TIER0, 0, MODEL_ACTIVE_BODY, SCORE_TIER1);
	assert_text(model, "score", ACTIVE_LEGEND "\n");
	assert_text(model, "score", "  IL version 0: active\n    * tier0        native  0 ");
	assert_text(model, "score", "\n   >  tier1        native  3 ");
	/* Of the other process nothing is known. */
	assert_text(model, "score", "  IL version 0\n      tier1 ");
	assert_json(model, "score",
		    "\"active_version\":{\"rejit_id\":0,\"native_version\":7,"
		    "\"start\":\"0x7f0000000000\",\"has_body\":true,"
		    "\"seen_ns\":1001000000},");
	assert_json(model, "score", "\"published\":true,\"active\":false,");
	assert_json(model, "score", "\"published\":false,\"active\":true,");
	assert_json(model, "score", "\"published\":false,\"active\":null,");
	add_patch(model, SCORE_TIER0, TS_TARGET_BODY, SCORE_TIER1);
	assert_text(model, "score", "\n   >* tier1        native  3 ");
}

static void an_il_version_without_a_body_is_shown(void **state)
{
	struct model *model = *state;
	char *text;

	add_il(model, EDIT_ORIGINAL, 5, TS_IL_PREPARING);
	add_il(model, EDIT_ORIGINAL, 4, TS_IL_READY);
	add_il(model, EDIT_ORIGINAL, 5, TS_IL_REQUESTED);
	add_il(model, EDIT_ORIGINAL, 2, TS_IL_READY);
	/* Not told to be this function's without a look at what is active. */
	assert_text(model, "edit", "  IL version 2: ReJIT\n");
	add_active(model, EDIT_ORIGINAL, 5, MODEL_ACTIVE_NO_VERSION, MODEL_NONE);
	text = text_of(model, "edit");
	assert_contains(text, "  IL version 0\n"
			      "      active is a body of IL version 5 that is not there yet\n"
			      "      tier1        native  1 ");
	assert_contains(text, "\n  IL version 4: ReJIT; no body yet\n"
			      "  IL version 5: ReJIT, requested, active; no body yet\n"
			      "  IL version ?: of a ReJIT whose number is not known\n");
	free(text);
	assert_json(model, "edit",
		    "{\"rejit_id\":2,\"state\":\"ready\",\"active\":false,\"functions\":[{");
	assert_json(model, "edit",
		    "{\"rejit_id\":5,\"state\":\"requested\",\"active\":true,\"functions\":[]}");
	assert_json(model, "edit",
		    "\"active_version\":{\"rejit_id\":5,\"native_version\":null,"
		    "\"start\":null,\"has_body\":false,");
}

static void who_may_run_the_original_il_is_named(void **state)
{
	struct model *model = *state;
	const struct model_body *edit = model__body(model, EDIT_ORIGINAL);
	struct model_inlining inlining = {
		.process = edit->process,
		.function_id = edit->function_id,
	};
	static const uint32_t inliners[] = { ECHO_INT_TIER1, SCORE_TIER0, ECHO_INT_TIER1 };

	for (size_t i = 0; i < 3; i++) {
		inlining.inliner_id = model__body(model, inliners[i])->function_id;
		assert_int_not_equal(model__add_inlining(model, &inlining), MODEL_NONE);
	}
	/* One that nobody knows; and one of the other process. */
	inlining.inliner_id = 0x77;
	model__add_inlining(model, &inlining);
	inlining = (struct model_inlining){ .process = 1, .function_id = edit->function_id,
					    .inliner_id = 0x5000 };
	model__add_inlining(model, &inlining);
	/* They run the same as all others, as long as the original is active. */
	add_active(model, EDIT_ORIGINAL, 0, MODEL_ACTIVE_BODY, EDIT_ORIGINAL);
	assert_json(model, "edit", "\"possible_old_inliners\":[]");
	add_active(model, EDIT_ORIGINAL, 2, MODEL_ACTIVE_BODY, EDIT_SECOND);
	assert_text(model, "edit",
		    "  possible old inliners, which may run the original IL still:\n"
		    "    Box.Echo<int>(int)\n    " SCORE_NAME "\n\n");
	assert_json(model, "edit",
		    "\"possible_old_inliners\":[{\"function_id\":\"0x2000\","
		    "\"name\":\"" ECHO_INT_JSON "\"},{\"function_id\":\"0x5000\","
		    "\"name\":\"" SCORE_NAME "\"}]");
	assert_json(model, "score", "\"possible_old_inliners\":[]");
}

static void what_was_compiled_in_vain_says_so(void **state)
{
	struct model *model = *state;
	struct model_body body = *model__body(model, SCORE_TIER1);

	body.flags |= MODEL_BODY_NEVER_ACTIVE;
	model__update_body(model, SCORE_TIER1, &body);
	body = *model__body(model, SCORE_TIER0);
	body.flags |= MODEL_BODY_LOST_RACE;
	model__update_body(model, SCORE_TIER0, &body);
	assert_text(model, "score", "born +0.400 s, in vain: never active\n");
	assert_text(model, "score", "born +0.100 s, in vain: no version has it\n");
	assert_json(model, "score", "\"active\":null,\"in_vain\":\"never_active\",");
	assert_json(model, "score", "\"active\":null,\"in_vain\":\"lost_race\",");
}

static void json_has_the_levels_of_the_tree(void **state)
{
	/* clang-format off */
	assert_json(*state, "echo",
		"\"samples\":10,\"note\":\"\",\"methods\":["
		"{\"pid\":10,\"module\":\"/app/shop.dll\",\"token\":\"0x06000002\","
		"\"name\":\"" ECHO_INT_JSON "\",\"samples\":3,\"il_versions\":["
		"{\"rejit_id\":0,\"state\":null,\"active\":null,\"functions\":["
		"{\"function_id\":\"0x2000\",\"name\":\"" ECHO_INT_JSON "\","
		"\"calls_reach\":\"unknown\",\"active_version\":null,\"native_versions\":["
		"{\"native_version\":0,\"tier\":\"QuickJitted\","
		"\"start\":\"0x7f000000c000\",\"size\":100,\"osr_il_offset\":null,"
		"\"published\":false,\"active\":null,\"in_vain\":null,\"born_ns\":1100000000,\"published_ns\":[],"
		"\"superseded_ns\":null,\"died_ns\":null,\"samples\":0},"
		"{\"native_version\":1,\"tier\":\"OptimizedTier1\","
		"\"start\":\"0x7f0000006000\",\"size\":100,\"osr_il_offset\":null,"
		"\"published\":false,\"active\":null,\"in_vain\":null,\"born_ns\":1200000000,\"published_ns\":[],"
		"\"superseded_ns\":null,\"died_ns\":null,\"samples\":3}]},"
		"{\"function_id\":\"0x2100\",\"name\":\"" ECHO_STRING_JSON "\","
		"\"calls_reach\":\"unknown\",\"active_version\":null,\"native_versions\":["
		"{\"native_version\":0,");
	/* clang-format on */
}

static void json_says_null_where_nothing_is_known(void **state)
{
	char *text = json_of(*state, "edit");

	assert_contains(text, "\"il_versions\":[{\"rejit_id\":0,\"state\":null,\"active\":null,\"functions\":[");
	assert_contains(text, "]}]},{\"rejit_id\":2,\"state\":null,\"active\":null,\"functions\":[");
	assert_contains(text, "]}]},{\"rejit_id\":null,\"state\":null,\"active\":null,\"functions\":[");
	free(text);
	text = json_of(*state, "parse");
	assert_contains(text, "]},{\"function_id\":null,\"name\":\"Text.Parse()\","
			      "\"calls_reach\":\"unknown\",\"active_version\":null,\"native_versions\":["
			      "{\"native_version\":null,\"tier\":\"ReadyToRun\",");
	assert_contains(text,
			"\"published\":false,\"active\":null,\"in_vain\":null,\"born_ns\":0,\"published_ns\":[],"
			"\"superseded_ns\":null,\"died_ns\":null,\"samples\":2}]}]}],\"possible_old_inliners\":[]}");
	free(text);
	assert_json(*state, "score", "\"osr_il_offset\":26,");
}

/* Function 0 is no function, whatever a patch says of it. */
static void precompiled_code_of_two_unknown_functions_is_not_mixed(void **state)
{
	struct model *model = *state;
	struct model_body body = *model__body(model, PARSE_R2R);

	body.name = model__string(model, "Text.Parse(int)");
	model__add_body(model, &body);
	add_patch(model, PARSE_R2R, TS_TARGET_PRESTUB, MODEL_NONE);
	assert_json(model, "parse",
		    "{\"function_id\":null,\"name\":\"Text.Parse()\","
		    "\"calls_reach\":\"unknown\",");
	assert_json(model, "parse",
		    "{\"function_id\":null,\"name\":\"Text.Parse(int)\","
		    "\"calls_reach\":\"unknown\",");
}

static void an_empty_recording_has_a_header(void **state)
{
	struct model *model = model__new();
	char *text = text_of(model, NULL);

	(void)state;
	assert_string_equal(text, "0 methods; times since the recording began\n"
				  "which of them calls reach was not seen\n" NOT_PREFERRED);
	free(text);
	text = json_of(model, "any");
	assert_string_equal(
		text, "{\"start_ns\":0,\"samples\":0,\"note\":\"\",\"methods\":[]}");
	free(text);
	model__free(model);
}

/* There is nothing that a method without samples could have a share of. */
static void a_recording_without_samples_has_no_shares(void **state)
{
	struct model *model = model_without_samples();
	char *text = text_of(model, "score");

	(void)state;
	assert_contains(text, "\n\n" SCORE_NAME IN_WEB "  0 samples\n");
	assert_lacks(text, "%");
	free(text);
	model__free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
		TEST(bodies_of_a_method_stand_in_the_order_they_were_compiled_in),
		TEST(instantiations_are_named_below_one_il_version),
		TEST(rejit_versions_have_il_versions_of_their_own),
		TEST(precompiled_code_comes_last_when_its_function_is_not_known),
		TEST(precompiled_code_comes_first_when_its_function_is_known),
		TEST(bodies_without_a_native_version_stand_in_the_order_of_birth),
		TEST(dynamic_methods_of_one_name_are_methods_of_their_own),
		TEST(dynamic_methods_at_one_place_are_told_apart_by_name),
		TEST(processes_share_no_method),
		TEST(modules_without_a_file_are_told_apart_by_their_id),
		TEST(modules_of_a_file_are_one_whatever_their_id),
		TEST(a_heading_names_the_module_and_with_two_processes_the_pid),
		TEST(a_module_s_name_is_escaped_in_a_heading),
		TEST(a_mark_is_at_the_body_that_calls_reach),
		TEST(the_last_patch_of_a_function_decides_the_mark),
		TEST(a_mark_is_at_precompiled_code_of_an_unknown_function),
		TEST(calls_that_reach_no_body_are_told_at_their_function),
		TEST(calls_that_reach_no_body_are_told_below_one_il_version_only),
		TEST(what_calls_reach_is_not_told_when_it_was_not_seen),
		TEST(the_active_body_and_the_published_one_are_marked_apart),
		TEST(an_il_version_without_a_body_is_shown),
		TEST(who_may_run_the_original_il_is_named),
		TEST(what_was_compiled_in_vain_says_so),
		TEST(samples_of_other_events_are_not_counted),
		TEST(methods_are_found_by_part_of_a_name_in_any_case),
		TEST(methods_with_most_samples_come_first),
		TEST(only_the_top_methods_are_shown_and_the_header_says_so),
		TEST(a_life_tells_all_that_was_seen_of_it),
		TEST(the_original_may_not_be_one_beside_another_profiler),
		TEST(hostile_names_are_escaped),
		TEST(json_has_the_levels_of_the_tree),
		TEST(json_says_null_where_nothing_is_known),
		TEST(precompiled_code_of_two_unknown_functions_is_not_mixed),
		TEST(an_empty_recording_has_a_header),
		TEST(a_recording_without_samples_has_no_shares),
	};

	return cmocka_run_group_tests_name("view_versions", tests, NULL, NULL);
}
