// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What a watchpoint saw of a function, as text and as JSON, one change at a time.
#include "view_fixture.h"

#include "../../abi/ring.h"
#include "json_check.h"

#define HOSTILE	     "</script>\"\\\n\x1b[2J\xe2\x80\xae"
#define HOSTILE_TEXT "</script>\"\\\\x0a\\x1b[2J\\u{202e}"
#define HOSTILE_JSON "\\u003c/script\\u003e\\\"\\\\\\u000a\\u001b[2J\\u202e"

#define NAME  "Work(int)"
#define TIME  (FIXTURE_START + 503200145u) /* of the write */
#define BEGIN "{\"time_ns\":1503200145,"

/* A change at TIME, that a watchpoint saw. */
static struct model_patch patch_to(uint32_t target, uint32_t body)
{
	return (struct model_patch){
		.function_id = 0x7f0000001000,
		.cell = 0x7f0000009008,
		.words = {1, 2},
		.target = target,
		.body = body,
		.window_ns = {TIME, TIME},
	};
}

/* Of a thread of that name in `Main;Work;libcoreclr.so`. */
static struct model_sample sample_by(struct model *model, const char *thread)
{
	uint32_t stack = fixture_push(model, 0, MODEL_FRAME_BODY, BODY_MAIN, "", 0);

	stack = fixture_push(model, stack, MODEL_FRAME_BODY, BODY_TIER1, "", 0);
	stack = fixture_push(model, stack, MODEL_FRAME_NATIVE, MODEL_NONE,
			     "libcoreclr.so", 0x1c99);
	return (struct model_sample){
		.time_ns = TIME,
		.thread =
			model__add_thread(model, 0, 4711, model__string(model, thread)),
		.stack = stack,
		.flags = TS_SAMPLE_HIT,
	};
}

static char *write_watch(const struct model *model, const struct model_patch *patch,
			 const struct model_sample *sample, const char *name, bool json)
{
	struct buf buf = BUF_INIT;

	assert_int_equal(view_watch__append(model, patch, sample,
						    sample ? 0 : patch->window_ns[1], name, json, &buf), 0);
	return buf__steal(&buf);
}

static void assert_text(const struct model *model, const struct model_patch *patch,
			const struct model_sample *sample, const char *wanted)
{
	char *text = write_watch(model, patch, sample, NAME, false);

	assert_string_equal(text, wanted);
	free(text);
}

/* One object, and one line: whoever reads a line has all of it. */
static char *json_of(const struct model *model, const struct model_patch *patch,
		     const struct model_sample *sample, const char *name)
{
	char *text = write_watch(model, patch, sample, name, true);
	size_t size = strlen(text);

	assert_ptr_equal(strchr(text, '\n'), text + size - 1);
	assert_int_equal(*text, '{');
	assert_true(json_check(text));
	return text;
}

static void assert_json(const struct model *model, const struct model_patch *patch,
			const struct model_sample *sample, const char *wanted)
{
	char *text = json_of(model, patch, sample, NAME);

	assert_string_equal(text, wanted);
	free(text);
}

static void a_change_is_told_with_who_did_it_and_where(void **state)
{
	struct model *model = *state;
	struct model_patch patch = patch_to(TS_TARGET_BODY, BODY_TIER1);
	struct model_sample sample = sample_by(model, ".NET TP Worker");

	/* clang-format off */
	assert_text(model, &patch, &sample,
		"+0.503200145 s  " NAME ": calls reach tier1 #2 native 5\n"
		"    by .NET TP Worker-4711\n"
		"    libcoreclr.so+0x1c99\n"
		"    " NAME " [tier1 #2]\n"
		"    Main [r2r]\n");
	assert_json(model, &patch, &sample,
		BEGIN "\"kind\":\"patch\",\"pid\":10,\"name\":\"" NAME "\","
		"\"function_id\":\"0x7f0000001000\",\"cell_kind\":\"precode\","
		"\"window_ns\":[1503200145,1503200145],\"cell\":\"0x7f0000009008\","
		"\"target\":\"body\",\"rejit_id\":2,\"native_version\":5,"
		"\"tier\":\"OptimizedTier1\",\"start\":\"0x7f1000003000\",\"size\":100,"
		"\"tid\":4711,\"thread\":\".NET TP Worker\","
		"\"stack\":[\"libcoreclr.so+0x1c99\",\"" NAME " [tier1 #2]\","
		"\"Main [r2r]\"]}\n");
	/* clang-format on */
}

/* The time is that of the look, the end of its window; nobody did it. */
static void what_was_there_when_the_watch_began_is_no_change(void **state)
{
	struct model *model = *state;
	struct model_patch patch = patch_to(TS_TARGET_BODY, BODY_TIER0);

	patch.window_ns[0] = 0;
	patch.kind = TS_CELL_SLOT;
	/* clang-format off */
	assert_text(model, &patch, NULL,
		"+0.503200145 s  " NAME ": calls reach tier0 native 0, "
		"when the watch began\n");
	assert_json(model, &patch, NULL,
		BEGIN "\"kind\":\"watch\",\"pid\":10,\"name\":\"" NAME "\","
		"\"function_id\":\"0x7f0000001000\",\"cell_kind\":\"vtable_slot\","
		"\"window_ns\":[0,1503200145],\"cell\":\"0x7f0000009008\","
		"\"target\":\"body\",\"rejit_id\":0,\"native_version\":0,"
		"\"tier\":\"QuickJitted\",\"start\":\"0x7f1000001000\",\"size\":100}\n");
	/* clang-format on */
}

#define BY                                                                     \
	"\n    by w-4711\n    libcoreclr.so+0x1c99\n    " NAME " [tier1 #2]\n" \
	"    Main [r2r]\n"
#define REACH(what) "+0.503200145 s  " NAME ": calls reach " what
static void what_calls_reach_is_a_body_or_something_else(void **state)
{
	static const struct {
		uint32_t target, body;
		const char *text, *json;
	} rows[] = {
		{TS_TARGET_PRESTUB, MODEL_NONE,
		 REACH("no body, the next one is compiled first"),
		 "\"target\":\"prestub\",\"tid\":"},
		{TS_TARGET_UNKNOWN, MODEL_NONE, REACH("something unknown"),
		 "\"target\":\"unknown\",\"tid\":"},
		{TS_TARGET_CALL_COUNTING, BODY_TIER0, REACH("tier0 native 0, counted"),
		 "\"target\":\"call_counting\",\"rejit_id\":0,\"native_version\":0,"
		 "\"tier\":\"QuickJitted\","},
		{TS_TARGET_BODY, BODY_OSR, REACH("osr@0x1a native 1"),
		 "\"target\":\"body\",\"rejit_id\":0,\"native_version\":1,"
		 "\"tier\":\"OptimizedTier1OSR\","},
	};
	struct model *model = *state;
	struct model_sample sample = sample_by(model, "w");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct model_patch patch = patch_to(rows[i].target, rows[i].body);
		struct buf wanted = BUF_INIT;
		char *text;

		buf__printf(&wanted, "%s" BY, rows[i].text);
		assert_text(model, &patch, &sample, buf__string(&wanted));
		buf__clear(&wanted);
		buf__printf(&wanted, "%s, when the watch began\n", rows[i].text);
		assert_text(model, &patch, NULL, buf__string(&wanted));
		buf__free(&wanted);
		text = json_of(model, &patch, &sample, NAME);
		assert_contains(text, rows[i].json);
		assert_int_equal(strstr(text, "\"start\"") != NULL,
				 rows[i].body != MODEL_NONE);
		free(text);
	}
}

static void what_is_not_known_of_a_body_is_null(void **state)
{
	struct model *model = *state;
	struct model_patch patch = patch_to(TS_TARGET_BODY, BODY_MAIN);
	struct model_body body = *model__body(model, BODY_MAIN);
	char *text;

	body.flags = MODEL_BODY_REJIT_UNKNOWN | MODEL_BODY_VERSION_UNKNOWN;
	model__update_body(model, BODY_MAIN, &body);
	assert_text(model, &patch, NULL, REACH("r2r #?, when the watch began\n"));
	text = json_of(model, &patch, NULL, NAME);
	assert_contains(text, "\"rejit_id\":null,\"native_version\":null,"
			      "\"tier\":\"ReadyToRun\",");
	free(text);
}

/* What the stack did not tell is left out: the rest is there. */
static void a_stack_may_be_empty_and_a_thread_have_no_name(void **state)
{
	struct model *model = *state;
	struct model_patch patch = patch_to(TS_TARGET_PRESTUB, MODEL_NONE);
	struct model_sample sample = sample_by(model, "");
	char *text;

	sample.stack = 0;
	assert_text(model, &patch, &sample,
		    REACH("no body, the next one is compiled first\n"
			  "    by thread-4711\n"));
	text = json_of(model, &patch, &sample, NAME);
	assert_contains(text, "\"tid\":4711,\"thread\":\"\",\"stack\":[]}\n");
	free(text);
}

static void a_change_is_of_the_process_of_its_patch(void **state)
{
	struct model *model = *state;
	struct model_patch patch = patch_to(TS_TARGET_UNKNOWN, MODEL_NONE);
	char *text;

	fixture_add_second(model);
	patch.process = 1;
	text = json_of(model, &patch, NULL, NAME);
	assert_contains(text, "\"kind\":\"watch\",\"pid\":20,");
	free(text);
}

/* The recording begins after the first look; its times have a sign. */
static void what_was_before_the_recording_has_a_minus(void **state)
{
	struct model *model = *state;
	struct model_patch patch = patch_to(TS_TARGET_UNKNOWN, MODEL_NONE);

	patch.window_ns[0] = 0;
	patch.window_ns[1] = FIXTURE_START - 1;
	assert_text(model, &patch, NULL,
		    "-0.000000001 s  " NAME
		    ": calls reach something unknown, when the watch began\n");
}

static void each_change_stands_behind_the_one_before(void **state)
{
	struct model *model = *state;
	struct model_patch patch = patch_to(TS_TARGET_UNKNOWN, MODEL_NONE);
	struct buf buf = BUF_INIT;
	char *first = write_watch(model, &patch, NULL, NAME, true);

	buf__append_string(&buf, first);
	patch.window_ns[1]++;
	assert_int_equal(view_watch__append(model, &patch, NULL, patch.window_ns[1], NAME, true, &buf), 0);
	assert_memory_equal(buf.data, first, strlen(first));
	assert_int_equal(buf.size, 2 * strlen(first));
	assert_contains(buf__string(&buf), "}\n{\"time_ns\":1503200146,");
	buf__free(&buf);
	free(first);
}

/* Names of methods, threads and files are the target's. */
static void hostile_names_are_escaped(void **state)
{
	struct model *model = *state;
	struct model_patch patch = patch_to(TS_TARGET_BODY, BODY_TIER1);
	struct model_sample sample = sample_by(model, HOSTILE);
	struct model_body body = *model__body(model, BODY_TIER1);
	char *text;

	body.name = model__string(model, HOSTILE);
	model__update_body(model, BODY_TIER1, &body);
	sample.stack = fixture_push(model, sample.stack, MODEL_FRAME_NATIVE, MODEL_NONE,
				    HOSTILE, 0x10);
	text = write_watch(model, &patch, &sample, HOSTILE, false);
	/* clang-format off */
	assert_string_equal(text,
		"+0.503200145 s  " HOSTILE_TEXT ": calls reach tier1 #2 native 5\n"
		"    by " HOSTILE_TEXT "-4711\n"
		"    " HOSTILE_TEXT "+0x10\n"
		"    libcoreclr.so+0x1c99\n"
		"    " HOSTILE_TEXT " [tier1 #2]\n"
		"    Main [r2r]\n");
	free(text);
	text = json_of(model, &patch, &sample, HOSTILE);
	assert_null(strchr(text, '<'));
	assert_null(strchr(text, '\x1b'));
	assert_null(strchr(text, '\xe2'));
	assert_contains(text, "\"name\":\"" HOSTILE_JSON "\",\"function_id\"");
	assert_contains(text, "\"thread\":\"" HOSTILE_JSON "\",\"stack\":["
			      "\"" HOSTILE_JSON "+0x10\",\"libcoreclr.so+0x1c99\","
			      "\"" HOSTILE_JSON " [tier1 #2]\",\"Main [r2r]\"]}\n");
	/* clang-format on */
	free(text);
}

/* A thread can call itself anything; that is no reason to say nothing of it. */
static void a_name_that_is_no_text_does_not_hide_the_change(void **state)
{
	struct model *model = *state;
	struct model_patch patch = patch_to(TS_TARGET_BODY, BODY_TIER1);
	struct model_sample sample = sample_by(model, "a\xff\xc3z");
	char *text = write_watch(model, &patch, &sample, "b\xfe", false);

	assert_contains(text, ": calls reach tier1 #2 native 5\n    by a");
	assert_null(strchr(text, '\xff'));
	assert_null(strchr(text, '\xfe'));
	free(text);
	text = json_of(model, &patch, &sample, "b\xfe");
	assert_contains(text, BEGIN "\"kind\":\"patch\",\"pid\":10,\"name\":\"b");
	assert_null(strchr(text, '\xff'));
	assert_null(strchr(text, '\xfe'));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		TEST(a_change_is_told_with_who_did_it_and_where),
		TEST(what_was_there_when_the_watch_began_is_no_change),
		TEST(what_calls_reach_is_a_body_or_something_else),
		TEST(what_is_not_known_of_a_body_is_null),
		TEST(a_stack_may_be_empty_and_a_thread_have_no_name),
		TEST(a_change_is_of_the_process_of_its_patch),
		TEST(what_was_before_the_recording_has_a_minus),
		TEST(each_change_stands_behind_the_one_before),
		TEST(hostile_names_are_escaped),
		TEST(a_name_that_is_no_text_does_not_hide_the_change),
	};

	return cmocka_run_group_tests_name("view_watch", tests, NULL, NULL);
}
