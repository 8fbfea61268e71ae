// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The JSON report: the names and shapes that other tools rely on.
#include "view_fixture.h"

#include "json_check.h"

static char *write_json(const struct model *model)
{
	char *text = fixture_write(view_json__write, model, VIEW_SPLIT_VERSION);

	assert_true(json_check(text));
	return text;
}

static void json_has_the_promised_members(void **state)
{
	static const char *const wanted[] = {
		"{\"tierscope\":{\"version\":\"" TIERSCOPE_VERSION "\",\"format\":1}",
		"\"pid\":10,\"start_ns\":1000000000,",
		"\"comm\":\"web\",",
		"\"cmdline\":\"web --port "
		"80\",\"container\":null,\"runtime\":\"10.0.12\"",
		"{\"name\":\"cpu-clock\",\"period\":1003009,\"samples\":10,",
		"\"native_leaf\":3,",
		"\"patches\":[]",
		"\"ledger\":{\"samples\":{\"due\":10,\"kept\":10,"
		"\"lost\":{\"ring_full\":0}},\"events\":{\"lost\":{}},"
		"\"off_cpu\":{\"lost\":{}},\"code_map_lost\":{},\"hook_lost\":{},"
		"\"stub_leaf\":{},\"unresolved_leaf\":{},"
		"\"function_unknown\":{},\"notes\":{}}",
	};
	char *text = write_json(*state);

	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		assert_contains(text, wanted[i]);
	free(text);
}

static void json_says_everything_of_a_body(void **state)
{
	char *text = write_json(*state);

	assert_contains(text, "{\"pid\":10,\"function_id\":\"0x7f0000001000\","
			      "\"rejit_id\":2,\"native_version\":5,"
			      "\"tier\":\"OptimizedTier1\","
			      "\"start\":\"0x7f1000003000\",\"size\":100,"
			      "\"osr_il_offset\":null,\"module\":\"/app/app.dll\",");
	assert_contains(text, "\"token\":\"0x06000002\",\"name\":\"Work(int)\","
			      "\"born_ns\":1000000005,\"died_ns\":null,"
			      "\"source\":\"event\",\"published_ns\":null,"
			      "\"superseded_ns\":null,");
	assert_contains(text,
			"\"self\":{\"cpu-clock\":4},\"total\":{\"cpu-clock\":6},"
			"\"late\":{\"cpu-clock\":0}}");
	assert_contains(text, "\"osr_il_offset\":26,");
	free(text);
}

static void json_lists_jit_bodies_without_samples_and_images_only_with(void **state)
{
	char *text = write_json(*state);

	assert_contains(text, "\"name\":\"Never()\"");
	assert_contains(text, "\"name\":\"Main\"");
	assert_lacks(text, "\"name\":\"Cold()\"");
	free(text);
}

/* So that whoever reads of an inlining finds its name. */
static void json_lists_precompiled_inliners_without_samples(void **state)
{
	struct model *model = *state;
	struct model_inlining inlining = { .function_id = 0x1000, .inliner_id = 0xc01d };
	struct model_body cold;
	uint32_t index = 0;
	char *text;

	while (strcmp(model__text(model, model__body(model, index)->name), "Cold()"))
		index++;
	cold = *model__body(model, index);
	cold.function_id = inlining.inliner_id;
	model__update_body(model, index, &cold);
	inlining.process = cold.process;
	text = write_json(model);
	assert_lacks(text, "\"name\":\"Cold()\"");
	free(text);
	model__add_inlining(model, &inlining);
	text = write_json(model);
	assert_contains(text, "\"name\":\"Cold()\"");
	assert_contains(text, "\"function_id\":\"0x1000\",\"inliner_id\":\"0xc01d\"");
	free(text);
	/* Which function it is, is not known: it is not that one. */
	cold.flags |= MODEL_BODY_FUNCTION_UNKNOWN;
	model__update_body(model, index, &cold);
	text = write_json(model);
	assert_lacks(text, "\"name\":\"Cold()\"");
	free(text);
}

static void json_says_null_where_nothing_is_known(void **state)
{
	struct model *model = *state;
	struct model_body body = *model__body(model, BODY_TIER1);
	char *text;

	body.flags = MODEL_BODY_FUNCTION_UNKNOWN | MODEL_BODY_REJIT_UNKNOWN |
		     MODEL_BODY_VERSION_UNKNOWN;
	body.published_ns[0] = 7;
	body.published_ns[1] = 9;
	body.source = MODEL_SOURCE_CATCH_UP;
	model__update_body(model, BODY_TIER1, &body);
	text = write_json(model);
	assert_contains(text, "{\"pid\":10,\"function_id\":null,\"rejit_id\":null,"
			      "\"native_version\":null,");
	assert_contains(text, "\"source\":\"catch-up\",\"published_ns\":[7,9],");
	free(text);
}

static void json_escapes_hostile_names(void **state)
{
	struct model *model = *state;
	char *text;

	fixture_body(model, 0, "</script>\"\\\n\x01\xe2\x80\xae", 99, 0, 0);
	model__set_count(model, MODEL_LEDGER_NOTES, "a\"b", 1);
	text = write_json(model);
	assert_null(strchr(text, '<'));
	assert_contains(text, "\\u003c/script\\u003e\\\"\\\\\\u000a\\u0001\\u202e");
	assert_contains(text, "\"notes\":{\"a\\\"b\":1}");
	free(text);
}

static void json_says_everything_of_a_patch(void **state)
{
	struct model *model = *state;
	struct model_patch patch = {
		.kind = TS_CELL_PRECODE,
		.function_id = 0x7f0000001000,
		.cell = 0x7f2000000008,
		.words = {0x7f3000000010, 0x7f1000003000},
		.target = TS_TARGET_BODY,
		.body = BODY_TIER1,
		.window_ns = {FIXTURE_START + 7, FIXTURE_START + 9},
	};
	char *text;

	assert_int_equal(model__add_patch(model, &patch), 0);
	patch.process = fixture_process(model, 20, "job");
	patch.kind = TS_CELL_SLOT;
	patch.target = TS_TARGET_PRESTUB;
	patch.body = MODEL_NONE;
	patch.words[0] = patch.window_ns[0] = 0;
	assert_int_equal(model__add_patch(model, &patch), 1);
	text = write_json(model);
	assert_contains(text, "\"patches\":[\n"
			      "{\"pid\":10,\"function_id\":\"0x7f0000001000\","
			      "\"cell\":\"0x7f2000000008\",\"kind\":\"precode\","
			      "\"old\":\"0x7f3000000010\",\"new\":\"0x7f1000003000\","
			      "\"target\":\"body\",\"body\":\"0x7f1000003000\","
			      "\"window_ns\":[1000000007,1000000009]},\n"
			      "{\"pid\":20,\"function_id\":\"0x7f0000001000\","
			      "\"cell\":\"0x7f2000000008\",\"kind\":\"vtable_slot\","
			      "\"old\":\"0x0\",\"new\":\"0x7f1000003000\","
			      "\"target\":\"prestub\",\"body\":null,"
			      "\"window_ns\":[0,1000000009]}]");
	free(text);
}

static void json_of_an_empty_recording_is_whole(void **state)
{
	struct model *model = model__new();

	(void)state;
	free(write_json(model));
	model__free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		TEST(json_has_the_promised_members),
		TEST(json_says_everything_of_a_body),
		TEST(json_lists_jit_bodies_without_samples_and_images_only_with),
		TEST(json_lists_precompiled_inliners_without_samples),
		TEST(json_says_null_where_nothing_is_known),
		TEST(json_escapes_hostile_names),
		TEST(json_says_everything_of_a_patch),
		TEST(json_of_an_empty_recording_is_whole),
	};

	return cmocka_run_group_tests_name("view_json", tests, NULL, NULL);
}
