// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// CRC-32C against the values of RFC 3720, B.4, and both ways against each other.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "../../user/base/crc32c.h"

static void crc32c_gives_the_values_of_the_standard(void **state)
{
	uint8_t data[32];

	(void)state;
	assert_int_equal(crc32c__update(0, "", 0), 0);
	assert_int_equal(crc32c__update(0, "123456789", 9), 0xe3069283);
	memset(data, 0, sizeof(data));
	assert_int_equal(crc32c__update(0, data, sizeof(data)), 0x8a9136aa);
	memset(data, 0xff, sizeof(data));
	assert_int_equal(crc32c__update(0, data, sizeof(data)), 0x62a8ab43);
	for (uint8_t i = 0; i < 32; i++)
		data[i] = i;
	assert_int_equal(crc32c__update(0, data, sizeof(data)), 0x46dd794e);
	assert_int_equal(crc32c__update_portable(0, data, sizeof(data)), 0x46dd794e);
}

static void crc32c_is_the_same_with_and_without_the_instruction(void **state)
{
	uint8_t data[300];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 37 + i / 3);
	for (size_t start = 0; start < 9; start++) {
		for (size_t size = 0; size + start <= sizeof(data); size++)
			assert_int_equal(crc32c__update(7, data + start, size),
					 crc32c__update_portable(7, data + start,
								 size));
	}
}

static void crc32c_of_parts_is_that_of_the_whole(void **state)
{
	static const char text[] = "a chunk of a recording, in two pieces";

	(void)state;
	for (size_t cut = 0; cut < sizeof(text); cut++) {
		uint32_t crc = crc32c__update(0, text, cut);

		assert_int_equal(crc32c__update(crc, text + cut, sizeof(text) - cut),
				 crc32c__update(0, text, sizeof(text)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc32c_gives_the_values_of_the_standard),
		cmocka_unit_test(crc32c_is_the_same_with_and_without_the_instruction),
		cmocka_unit_test(crc32c_of_parts_is_that_of_the_whole),
	};

	return cmocka_run_group_tests_name("base_crc32c", tests, NULL, NULL);
}
