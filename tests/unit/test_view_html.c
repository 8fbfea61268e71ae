// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The data inside the flame graph page.  What the page does with it is tested
// in a browser: tests/browser.
#include "view_fixture.h"

#include "json_check.h"

#define DATA_BEGIN "<script type=\"application/json\" id=\"profile\">"

/* The page's JSON; the caller frees. */
static char *page_data(const struct model *model)
{
	char *page = fixture_write(view_html__write, model, VIEW_SPLIT_VERSION);
	char *data = strstr(page, DATA_BEGIN), *end;

	assert_non_null(data);
	data += strlen(DATA_BEGIN);
	end = strchr(data, '<');
	assert_non_null(end);
	assert_memory_equal(end, "</script>", 9);
	*end = 0;
	data = strdup(data);
	free(page);
	assert_true(json_check(data));
	return data;
}

static void html_allows_its_own_style_and_script_and_nothing_else(void **state)
{
	char *page = fixture_write(view_html__write, *state, VIEW_SPLIT_VERSION);

	assert_contains(page, "content=\"default-src 'none'; style-src 'sha256-");
	assert_contains(page, "script-src 'sha256-");
	assert_lacks(page, "unsafe");
	assert_lacks(page, "http://www");
	assert_lacks(page, "@PROFILE@");
	free(page);
}

/* Five nodes below node 0; the same method's versions are beside it. */
static void html_holds_tree_and_samples_per_bin(void **state)
{
	char *data = page_data(*state);

	assert_contains(data, "\"nodes\":{\"up\":[0,1,1,1,3,1,6],"
			      "\"frame\":[-1,0,1,2,3,4,5]}");
	/* 2 s in 512 bins; the samples stand at 0 to 3 ms, all in bin 0. */
	assert_contains(data, "\"bins\":{\"count\":512,\"width_ns\":3906251}");
	assert_contains(data, "\"samples\":[2,1,0,4,1,1,0,2,2,1,0,3,1,1,0,1]");
	assert_contains(data, "\"frames\":{\"kind\":[0,0,0,0,1,3],"
			      "\"body\":[0,1,2,3,-1,-1],");
	assert_contains(data, "\"libcoreclr.so\"");
	assert_lacks(data, "0x1c99");
	assert_lacks(data, "Never()");
	free(data);
}

static void html_keeps_processes_apart(void **state)
{
	/* Native code is one stack of the model for both of them. */
	uint32_t both =
		fixture_push(*state, 0, MODEL_FRAME_NATIVE, MODEL_NONE, "libc", 0);
	char *data;

	fixture_add_second(*state);
	fixture_samples(*state, 0, both, 6);
	fixture_samples(*state, 1, both, 8);
	data = page_data(*state);
	assert_contains(data, "\"web-10\"");
	assert_contains(data, "\"job;x-20\"");
	assert_contains(data, "\"kind\":[5,0,0,0,0,1,3,1,5,0]");
	/* Twice the frame 7, below node 1 (web-10) and below node 9 (job;x-20). */
	assert_contains(data, "\"nodes\":{\"up\":[0,1,1,1,1,3,1,6,7,9,1,2],"
			      "\"frame\":[-1,0,1,2,3,4,5,6,7,8,9,7]}");
	free(data);
}

/* Addresses in a library call each other: one node; a function is a frame. */
static void html_joins_frames_of_one_library(void **state)
{
	struct model *model = *state;
	uint32_t stack = 0;
	char *data;

	for (uint64_t i = 1; i < 5; i++)
		stack = fixture_push(model, stack, MODEL_FRAME_NATIVE, MODEL_NONE,
				     "libjit.so", i * 16);
	fixture_samples(model, 0, stack, 1);
	stack = 0;
	for (int i = 0; i < 2; i++)
		stack = fixture_push(model, stack, MODEL_FRAME_NATIVE, MODEL_NONE,
				     "libjit.so!recurse", 0x40);
	fixture_samples(model, 0, stack, 1);
	data = page_data(model);
	assert_contains(data, "\"nodes\":{\"up\":[0,1,1,1,3,1,6,7,8,1],"
			      "\"frame\":[-1,0,1,2,3,4,5,6,7,7]}");
	free(data);
}

static void html_puts_samples_outside_the_run_into_the_first_and_last_bin(void **state)
{
	struct model *model = *state;
	uint32_t stack = fixture_push(model, 0, MODEL_FRAME_KERNEL, MODEL_NONE, "k", 0);
	uint64_t times[] = {0, FIXTURE_START + 1999999999u, UINT64_MAX};
	char *data;

	for (int i = 0; i < 3; i++)
		model__add_sample(model, &(struct model_sample){.time_ns = times[i],
								.stack = stack});
	data = page_data(model);
	assert_contains(data, ",2,0,1,511,2]");
	free(data);
}

static void html_data_cannot_end_its_element(void **state)
{
	struct model *model = *state;
	uint32_t body =
		fixture_body(model, 0, "</script><!--<script>&\xe2\x80\xa8", 77, 0, 0);
	char *data;

	model__about(model)->command = model__string(model, "</title></script>");
	fixture_samples(model, 0, fixture_push(model, 0, MODEL_FRAME_BODY, body, "", 0),
			1);
	fixture_samples(model, 0,
			fixture_push(model, 0, 1234, MODEL_NONE, "</script>", 5), 1);
	data = page_data(model);
	assert_null(strpbrk(data, "<>&"));
	assert_contains(data, "\\u003c/title\\u003e");
	free(data);
}

static void html_of_an_empty_recording_is_whole(void **state)
{
	struct model *model = model__new();

	(void)state;
	free(page_data(model));
	model__free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		TEST(html_allows_its_own_style_and_script_and_nothing_else),
		TEST(html_holds_tree_and_samples_per_bin),
		TEST(html_keeps_processes_apart),
		TEST(html_joins_frames_of_one_library),
		TEST(html_puts_samples_outside_the_run_into_the_first_and_last_bin),
		TEST(html_data_cannot_end_its_element),
		TEST(html_of_an_empty_recording_is_whole),
	};

	return cmocka_run_group_tests_name("view_html", tests, NULL, NULL);
}
