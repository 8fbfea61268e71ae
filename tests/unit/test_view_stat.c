// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Tables of what ran between two looks: as text, CSV and JSON, by body, method and tier.
#include "json_check.h"
#include "view_fixture.h"

#include "../../user/view/stat.h"

static struct stat_view *new_view(enum stat_by by, enum stat_format format)
{
	return stat_view__new(&(struct stat_options){ .by = by, .format = format });
}

static char *look(struct stat_view *view, const struct model *model, uint64_t from, uint64_t to)
{
	struct buf buf = BUF_INIT;

	assert_int_equal(stat_view__write(view, model, FIXTURE_START + from,
					  FIXTURE_START + to, &buf), 0);
	return buf__steal(&buf);
}

static char *look_once(const struct model *model, enum stat_by by, enum stat_format format)
{
	struct stat_view *view = new_view(by, format);
	char *text = look(view, model, 0, 2000000000);

	stat_view__free(view);
	return text;
}

static void model_counts_leaves_and_keeps_them(void **state)
{
	struct model *model = *state;
	uint32_t kernel = fixture_push(model, 0, MODEL_FRAME_BODY, BODY_TIER1, "", 0);

	assert_int_equal(model__body_samples(model, BODY_TIER0)[0], 4);
	assert_int_equal(model__body_samples(model, BODY_OSR)[0], 2);
	assert_int_equal(model__body_samples(model, BODY_TIER1)[0], 0);
	assert_int_equal(model__body_samples(model, BODY_MINOPT)[0], 0);
	assert_int_equal(model__body_samples(model, 1000000)[0], 0);
	assert_int_equal(model__leaf_samples(model, 0, MODEL_FRAME_BODY)[0], 6);
	assert_int_equal(model__leaf_samples(model, 0, MODEL_FRAME_NATIVE)[0], 3);
	assert_int_equal(model__leaf_samples(model, 0, MODEL_FRAME_UNKNOWN)[0], 1);
	assert_int_equal(model__leaf_samples(model, 7, MODEL_FRAME_BODY)[0], 0);
	assert_int_equal(model__leaf_samples(model, 0, 99)[0], 0);

	/* A body that called the kernel keeps its samples; so does who was dropped. */
	kernel = fixture_push(model, kernel, MODEL_FRAME_KERNEL, MODEL_NONE, "vfs_read", 0);
	fixture_samples(model, 0, kernel, 5);
	model__drop_samples(model);
	model__drop_stacks(model);
	assert_int_equal(model__body_samples(model, BODY_TIER1)[0], 5);
	assert_int_equal(model__body_samples(model, BODY_TIER0)[0], 4);
	assert_int_equal(model__leaf_samples(model, 0, MODEL_FRAME_BODY)[0], 11);
	assert_int_equal(model__leaf_samples(model, 0, MODEL_FRAME_KERNEL)[0], 0);
}

static void text_by_body(void **state)
{
	char *text = look_once(*state, STAT_BY_BODY, STAT_TEXT);

	assert_string_equal(text,
		"0.000 to 2.000 s: 10 samples of cpu-clock\n"
		"share %  cpu-clock ms  tier         #ReJITID  native  state       name\n"
		"  40.00           4.0  tier0               0       0  alive       Work(int)\n"
		"  30.00           3.0  native                                     [native]\n"
		"  20.00           2.0  osr@0x1a            0       1  alive       Work(int)\n"
		"  10.00           1.0  unknown                                    [unknown]\n");
	free(text);
}

static void text_by_method_and_tier(void **state)
{
	char *text;

	fixture_add_second(*state);
	text = look_once(*state, STAT_BY_METHOD, STAT_TEXT);
	assert_contains(text, "share %  cpu-clock ms  process               bodies  name\n");
	assert_contains(text, "  54.55           6.0  web-10                     2  Work(int)\n");
	assert_contains(text, "   9.09           1.0  job;x-20                   1  Main\n");
	free(text);
	text = look_once(*state, STAT_BY_TIER, STAT_TEXT);
	assert_contains(text, "  36.36           4.0  web-10                     1  tier0\n");
	assert_contains(text, "   9.09           1.0  job;x-20                   1  tier1\n");
	free(text);
}

static void states_of_a_body(void **state)
{
	struct model *model = *state;
	struct model_body body = *model__body(model, BODY_TIER0);
	char *text;

	body.published_ns[1] = FIXTURE_START + 7;
	model__update_body(model, BODY_TIER0, &body);
	body = *model__body(model, BODY_OSR);
	body.died_ns = FIXTURE_START + 9;
	model__update_body(model, BODY_OSR, &body);
	text = look_once(model, STAT_BY_BODY, STAT_TEXT);
	assert_contains(text, "0       0  published   Work(int)\n");
	assert_contains(text, "0       1  dead        Work(int)\n");
	free(text);
	body = *model__body(model, BODY_TIER0);
	body.superseded_ns = FIXTURE_START + 8;
	model__update_body(model, BODY_TIER0, &body);
	text = look_once(model, STAT_BY_BODY, STAT_TEXT);
	assert_contains(text, "0       0  superseded  Work(int)\n");
	free(text);
}

/* Also when the model drops what was looked at, and when there are more of all. */
static void intervals_add_up(void **state)
{
	struct model *model = *state;
	struct stat_view *view = new_view(STAT_BY_BODY, STAT_TEXT);
	char *text = look(view, model, 0, 1000000000);
	uint32_t stack, body;

	assert_contains(text, "0.000 to 1.000 s: 10 samples of cpu-clock\n");
	free(text);
	model__drop_samples(model);
	model__drop_stacks(model);
	text = look(view, model, 1000000000, 1500000000);
	assert_string_equal(text, "\n1.000 to 1.500 s: 0 samples of cpu-clock\n");
	free(text);
	for (int i = 0; i < 100; i++)
		body = fixture_body(model, 0, "Late()", TS_TIER_1, 0, 1);
	stack = fixture_push(model, 0, MODEL_FRAME_BODY, body, "", 0);
	fixture_samples(model, 0, stack, 3);
	stack = fixture_push(model, 0, MODEL_FRAME_BODY, BODY_TIER0, "", 0);
	fixture_samples(model, 0, stack, 1);
	fixture_add_second(model);
	text = look(view, model, 1500000000, 2000000000);
	assert_contains(text, "1.500 to 2.000 s: 5 samples of cpu-clock\n");
	assert_contains(text, "  60.00           3.0  web-10                tier1               0       1  alive       Late()\n");
	assert_contains(text, "  20.00           1.0  web-10                tier0 ");
	assert_contains(text, "  20.00           1.0  job;x-20              tier1 ");
	free(text);
	stat_view__free(view);
}

static void top_keeps_the_sum(void **state)
{
	struct stat_view *view = stat_view__new(&(struct stat_options){ .top = 1 });
	char *text = look(view, *state, 0, 2000000000);

	assert_contains(text, "  40.00           4.0  tier0 ");
	assert_contains(text, "  60.00           6.0  and 3 more\n");
	assert_lacks(text, "[native]");
	free(text);
	stat_view__free(view);
}

static void counted_events_and_sorting(void **state)
{
	struct model *model = *state;
	uint32_t stack = fixture_push(model, 0, MODEL_FRAME_BODY, BODY_MINOPT, "", 0), event;
	struct stat_view *view;
	char *text;

	event = model__add_event(model, &(struct model_event){
		.name = model__string(model, "page-faults"), .period = 100 });
	fixture_samples_of(model, event, stack, 7);
	view = stat_view__new(&(struct stat_options){ .sort = event });
	text = look(view, model, 0, 2000000000);
	stat_view__free(view);
	assert_contains(text, "10 samples of cpu-clock, 7 samples of page-faults\n"
		"share %  cpu-clock ms  page-faults  tier         #ReJITID  native  state       name\n"
		" 100.00           0.0          700  minopt              0       0  alive       Never()\n");
	assert_contains(text, "   0.00           4.0            0  tier0 ");
	free(text);
	view = stat_view__new(&(struct stat_options){ .sort = STAT_SORT_NAME });
	text = look(view, model, 0, 2000000000);
	stat_view__free(view);
	assert_true(strstr(text, "Never()") < strstr(text, "Work(int)"));
	assert_true(strstr(text, "[native]") < strstr(text, "Never()"));
	free(text);
}

static void clocks_are_in_milliseconds(void **state)
{
	struct model *model = *state;
	uint32_t stack = fixture_push(model, 0, MODEL_FRAME_BODY, BODY_TIER1, "", 0);
	char *text;

	fixture_samples_of(model, model__add_event(model, &(struct model_event){
		.name = model__string(model, "task-clock"), .period = 500000 }), stack, 3);
	text = look_once(model, STAT_BY_BODY, STAT_TEXT);
	assert_contains(text, "share %  cpu-clock ms  task-clock ms  tier ");
	assert_contains(text, "   0.00           0.0            1.5  tier1 ");
	free(text);
}

/* Each interval tells what was lost in it. */
static void lost_samples_are_told(void **state)
{
	struct stat_view *text_view = new_view(STAT_BY_BODY, STAT_TEXT);
	struct stat_view *json_view = new_view(STAT_BY_BODY, STAT_JSON);
	static const struct {
		uint64_t so_far;
		const char *text, *json;
	} looks[] = { { 3, " samples of cpu-clock; 3 lost\n", "},\"lost\":3,\"rows\":[" },
		      { 3, " samples of cpu-clock\n", "},\"lost\":0,\"rows\":[" },
		      { 7, " samples of cpu-clock; 4 lost\n", "},\"lost\":4,\"rows\":[" },
		      /* While recording it is off by what is under way. */
		      { 6, " samples of cpu-clock\n", "},\"lost\":0,\"rows\":[" },
		      { 8, " samples of cpu-clock; 1 lost\n", "},\"lost\":1,\"rows\":[" } };

	for (size_t i = 0; i < sizeof(looks) / sizeof(*looks); i++) {
		char *text;

		stat_view__lost(text_view, looks[i].so_far);
		text = look(text_view, *state, 0, 1000000000);
		assert_contains(text, looks[i].text);
		free(text);
		stat_view__lost(json_view, looks[i].so_far);
		text = look(json_view, *state, 0, 1000000000);
		assert_contains(text, looks[i].json);
		free(text);
	}
	stat_view__free(text_view);
	stat_view__free(json_view);
}

static void ratios(void **state)
{
	struct model *model = *state;
	uint32_t stack = fixture_push(model, 0, MODEL_FRAME_BODY, BODY_TIER1, "", 0);
	static const struct {
		const char *name;
		uint64_t period;
		int samples;
	} events[] = { { "instructions", 1000, 30 }, { "cycles", 2000, 10 },
		       { "cache-misses", 10, 9 } };
	char *text;

	for (int i = 0; i < 3; i++)
		fixture_samples_of(model, model__add_event(model, &(struct model_event){
			.name = model__string(model, events[i].name),
			.period = events[i].period }), stack, events[i].samples);
	text = look_once(model, STAT_BY_BODY, STAT_TEXT);
	assert_contains(text, "  instructions      cycles  cache-misses     IPC  cache-misses/1k  tier ");
	assert_contains(text, "         30000       20000            90    1.50             3.00  tier1 ");
	assert_contains(text, "             0           0             0       -                -  tier0 ");
	free(text);
}

static void csv(void **state)
{
	struct stat_view *view = new_view(STAT_BY_BODY, STAT_CSV);
	char *text;

	fixture_samples(*state, 0, fixture_push(*state, 0, MODEL_FRAME_BODY,
			fixture_body(*state, 0, "=\"x\"\n,y", TS_TIER_1, 2, 5), "", 0), 1);
	text = look(view, *state, 0, 2000000000);
	assert_contains(text, "from_ns,to_ns,pid,kind,bodies,cpu-clock samples,cpu-clock,tier,rejit_id,native_version,start,state,name\n"
		"1000000000,3000000000,10,body,1,4,4012036,QuickJitted,0,0,0x7f1000001000,alive,\"Work(int)\"\n"
		"1000000000,3000000000,10,native,0,3,3009027,,,,,,\"\"\n");
	assert_contains(text, ",OptimizedTier1,2,5,0x7f1000006000,alive,\"=\"\"x\"\"\\x0a,y\"\n");
	free(text);
	text = look(view, *state, 0, 1);
	assert_string_equal(text, "");	/* the head stands there once */
	free(text);
	stat_view__free(view);
	text = look_once(*state, STAT_BY_METHOD, STAT_CSV);
	assert_contains(text, ",10,body,2,6,6018054,,,,,,\"Work(int)\"\n");
	free(text);
	text = look_once(*state, STAT_BY_TIER, STAT_CSV);
	assert_contains(text, ",10,body,1,4,4012036,QuickJitted,,,,,\"\"\n");
	free(text);
}

static void json(void **state)
{
	char *text;

	fixture_samples(*state, 0, fixture_push(*state, 0, MODEL_FRAME_BODY,
			fixture_body(*state, 0, "\"</script>\x01", TS_TIER_1, 2, 5), "", 0), 1);
	for (int by = STAT_BY_BODY; by <= STAT_BY_TIER; by++) {
		text = look_once(*state, (enum stat_by)by, STAT_JSON);
		assert_int_equal(text[strlen(text) - 1], '\n');
		text[strlen(text) - 1] = 0;
		assert_true(json_check(text));
		assert_null(strchr(text, '\n'));
		assert_contains(text, "{\"from_ns\":1000000000,\"to_ns\":3000000000,\"events\":{\"cpu-clock\":{\"samples\":11,\"count\":11033099}},\"lost\":0,\"rows\":[");
		free(text);
	}
	text = look_once(*state, STAT_BY_BODY, STAT_JSON);
	assert_contains(text, "{\"pid\":10,\"kind\":\"body\",\"events\":{\"cpu-clock\":{\"samples\":4,\"count\":4012036}},\"name\":\"Work(int)\",\"function_id\":\"0x7f0000001000\",\"rejit_id\":0,\"native_version\":0,\"tier\":\"QuickJitted\",\"start\":\"0x7f1000001000\",\"size\":100,\"osr_il_offset\":null,\"state\":\"alive\"}");
	assert_contains(text, "{\"pid\":10,\"kind\":\"native\",\"events\":{\"cpu-clock\":{\"samples\":3,\"count\":3009027}}}");
	free(text);
}

/* A name of 10,000 characters, and one that would move the cursor. */
static void hostile_names(void **state)
{
	char *name = malloc(10001), *text;
	uint32_t stack;

	memset(name, 'x', 10000);
	name[10000] = 0;
	memcpy(name, "\x1b[2J\n", 5);
	stack = fixture_push(*state, 0, MODEL_FRAME_BODY,
			     fixture_body(*state, 0, name, TS_TIER_1, 0, 0), "", 0);
	fixture_samples(*state, 0, stack, 1);
	text = look_once(*state, STAT_BY_BODY, STAT_TEXT);
	assert_null(strchr(text, '\x1b'));
	assert_contains(text, "\\x1b[2J\\x0axxx");
	assert_contains(text, "xxx...\n");
	assert_true(strlen(text) < 2000);
	free(text);
	free(name);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(model_counts_leaves_and_keeps_them), TEST(text_by_body),
		TEST(text_by_method_and_tier), TEST(states_of_a_body), TEST(intervals_add_up),
		TEST(top_keeps_the_sum), TEST(counted_events_and_sorting), TEST(clocks_are_in_milliseconds), TEST(ratios),
		TEST(lost_samples_are_told),
		TEST(csv),
		TEST(json), TEST(hostile_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
