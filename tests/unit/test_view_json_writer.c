// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The JSON writer: nesting that cannot come out wrong, values to their limits.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "../../user/view/json_writer.h"
#include "json_check.h"

struct fixture {
	struct json_writer json;
	struct buf buf;
};

static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){.buf = BUF_INIT};
	json_writer__init(&fixture.json, &fixture.buf);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	buf__free(&((struct fixture *)*state)->buf);
	return 0;
}

static void json_writer_nests_and_separates(void **state)
{
	struct fixture *fixture = *state;
	struct json_writer *json = &fixture->json;

	json_writer__object(json, NULL);
	json_writer__array(json, "list");
	json_writer__number(json, NULL, 0);
	json_writer__object(json, NULL);
	json_writer__end(json);
	json_writer__line(json);
	json_writer__array(json, NULL);
	json_writer__end(json);
	json_writer__end(json);
	json_writer__null(json, "none");
	json_writer__string(json, "text", NULL);
	json_writer__end(json);
	assert_int_equal(json_writer__finish(json), 0);
	assert_string_equal(buf__string(&fixture->buf),
			    "{\"list\":[0,{},\n[]],\"none\":null,\"text\":null}");
}

static void json_writer_writes_numbers_to_their_limits(void **state)
{
	struct fixture *fixture = *state;
	struct json_writer *json = &fixture->json;

	json_writer__array(json, NULL);
	json_writer__number(json, NULL, UINT64_MAX);
	json_writer__signed(json, NULL, INT64_MIN);
	json_writer__signed(json, NULL, INT64_MAX);
	json_writer__signed(json, NULL, -1);
	json_writer__hex(json, NULL, UINT64_MAX);
	json_writer__bool(json, NULL, true);
	json_writer__end(json);
	assert_int_equal(json_writer__finish(json), 0);
	assert_string_equal(buf__string(&fixture->buf),
			    "[18446744073709551615,-9223372036854775808,"
			    "9223372036854775807,-1,\"0xffffffffffffffff\",true]");
}

static void json_writer_escapes_names_and_texts(void **state)
{
	struct fixture *fixture = *state;
	struct json_writer *json = &fixture->json;

	json_writer__object(json, NULL);
	json_writer__string(json, "a\"b\n", "</script>\\\x01\xe2\x80\xae");
	json_writer__end(json);
	assert_int_equal(json_writer__finish(json), 0);
	assert_true(json_check(buf__string(&fixture->buf)));
	assert_null(strchr(buf__string(&fixture->buf), '<'));
	assert_null(strchr(buf__string(&fixture->buf), '\n'));
}

static void json_writer_reports_what_does_not_fit(void **state)
{
	struct fixture *fixture = *state;
	struct json_writer *json = &fixture->json;

	json_writer__object(json, NULL);
	json_writer__number(json, NULL, 1); /* no name in an object */
	assert_int_equal(json_writer__finish(json), -EINVAL);

	json_writer__init(json, &fixture->buf);
	json_writer__array(json, NULL);
	json_writer__number(json, "name", 1); /* a name in an array */
	assert_int_equal(json_writer__finish(json), -EINVAL);

	json_writer__init(json, &fixture->buf);
	json_writer__array(json, NULL);
	json_writer__end(json);
	json_writer__end(json); /* an end too many */
	assert_int_equal(json_writer__finish(json), -EINVAL);

	json_writer__init(json, &fixture->buf);
	json_writer__array(json, NULL); /* still open */
	assert_int_equal(json_writer__finish(json), -EINVAL);

	json_writer__init(json, &fixture->buf);
	json_writer__null(json, NULL);
	json_writer__null(json, NULL); /* a second value */
	assert_int_equal(json_writer__finish(json), -EINVAL);

	json_writer__init(json, &fixture->buf);
	for (int i = 0; i < JSON_WRITER_DEPTH + 5; i++)
		json_writer__array(json, NULL); /* too deep */
	for (int i = 0; i < JSON_WRITER_DEPTH + 5; i++)
		json_writer__end(json);
	assert_int_equal(json_writer__finish(json), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(json_writer_nests_and_separates),
		TEST(json_writer_writes_numbers_to_their_limits),
		TEST(json_writer_escapes_names_and_texts),
		TEST(json_writer_reports_what_does_not_fit),
	};

	return cmocka_run_group_tests_name("view_json_writer", tests, NULL, NULL);
}
