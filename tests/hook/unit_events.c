/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The payload decoders: what they read, and that no payload makes them read more.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../abi/body.h"
#include "../../profiler_hook/events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define METHOD_V2              \
	"\x01\0\0\0\0\0\0\0"   \
	"\x02\0\0\0\0\0\0\0"   \
	"\x03\0\0\0\0\0\0\x7f" \
	"\x04\0\0\0"           \
	"\x05\0\0\x06"         \
	"\x8a\x02\0\0"         \
	"N\0\0\0"              \
	"m\0n\0\0\0"           \
	"\0\0"                 \
	"\x09\0"               \
	"\x07\0\0\0\0\0\0\0"

static const uint8_t method_v2[] = METHOD_V2;
#define METHOD_V2_SIZE (sizeof(method_v2) - 1)

/* A copy that ends where the heap block ends, so that ASan sees one byte more. */
static uint8_t *exact(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	return copy;
}

static void events_decode_a_method_of_version_2(void **state)
{
	uint8_t *payload = exact(method_v2, METHOD_V2_SIZE);
	struct method_event event;

	(void)state;
	assert_int_equal(events__decode_method(payload, METHOD_V2_SIZE, 2, &event), 0);
	assert_int_equal(event.function_id, 1);
	assert_int_equal(event.module_id, 2);
	assert_true(event.start == 0x7f00000000000003);
	assert_int_equal(event.size, 4);
	assert_int_equal(event.token, 0x06000005);
	assert_int_equal(METHOD_FLAG_TIER(event.flags), 5);
	assert_int_equal(event.native_version, 7);
	assert_int_equal(event.type.units, 1);
	assert_int_equal(event.method.units, 2);
	assert_int_equal(event.signature.units, 0);
	assert_memory_equal(event.method.bytes, "m\0n", 4);
	free(payload);
}

static void events_take_version_1_as_the_default_version(void **state)
{
	uint8_t *payload = exact(method_v2, METHOD_V2_SIZE - 8);
	struct method_event event;

	(void)state;
	assert_int_equal(events__decode_method(payload, METHOD_V2_SIZE - 8, 1, &event),
			 0);
	assert_int_equal(event.native_version, 0);
	/* The same bytes claimed to be version 2 lack the version's id. */
	assert_int_equal(events__decode_method(payload, METHOD_V2_SIZE - 8, 2, &event),
			 -EBADMSG);
	free(payload);
}

static void events_refuse_every_truncated_method(void **state)
{
	(void)state;
	for (size_t size = 0; size < METHOD_V2_SIZE; size++) {
		uint8_t *payload = exact(method_v2, size);
		struct method_event event = {.size = 77};

		assert_int_equal(events__decode_method(payload, size, 2, &event),
				 -EBADMSG);
		assert_int_equal(event.size, 77);
		free(payload);
	}
}

static void events_refuse_every_truncated_module(void **state)
{
	static const uint8_t module[] = "\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0"
					"\x03\0\0\0\0\0\0\0/\0a\0\0\0";
	struct module_event event;

	(void)state;
	for (size_t size = 0; size < sizeof(module) - 1; size++) {
		uint8_t *payload = exact(module, size);

		assert_int_equal(events__decode_module(payload, size, &event),
				 -EBADMSG);
		free(payload);
	}
	assert_int_equal(events__decode_module(module, sizeof(module) - 1, &event), 0);
	assert_int_equal(event.module_id, 1);
	assert_int_equal(event.flags, 3);
	assert_int_equal(event.path.units, 2);
}

static void events_of_tiering_have_the_counts_of_their_kind(void **state)
{
	static const uint8_t bytes[] = {9, 0, 1, 2, 0, 0, 3, 0, 0, 1};
	static const struct {
		uint32_t number;
		size_t size;
		struct tiering_event wanted;
	} cases[] = {
		{EVENT_TIERING_PAUSE, 2, {.kind = TS_TIERING_DELAY_BEGAN}},
		{EVENT_TIERING_RESUME, 6,
		 {.kind = TS_TIERING_DELAY_ENDED, .new_methods = 0x201}},
		{EVENT_BACKGROUND_JIT_START, 6,
		 {.kind = TS_TIERING_BATCH_BEGAN, .pending = 0x201}},
		{EVENT_BACKGROUND_JIT_STOP, 10,
		 {.kind = TS_TIERING_BATCH_ENDED, .pending = 0x201,
		  .compiled = 0x1000003}},
	};
	struct tiering_event event;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t size = 0; size < cases[i].size; size++) {
			uint8_t *payload = exact(bytes, size);

			assert_int_equal(events__decode_tiering(payload, size,
								cases[i].number, &event),
					 -EBADMSG);
			free(payload);
		}
		assert_int_equal(events__decode_tiering(bytes, cases[i].size,
							cases[i].number, &event), 0);
		assert_memory_equal(&event, &cases[i].wanted, sizeof(event));
	}
	assert_int_equal(events__decode_tiering(bytes, sizeof(bytes), 280, &event), -EINVAL);
	assert_int_equal(events__decode_tiering(bytes, sizeof(bytes), 285, &event), -EINVAL);
}

static void events_survive_random_payloads(void **state)
{
	unsigned int seed = 12345;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		uint8_t bytes[96];
		size_t size = (size_t)rand_r(&seed) % sizeof(bytes);
		struct method_event method;
		struct module_event module;
		uint8_t *payload;

		for (size_t i = 0; i < size; i++)
			bytes[i] = rand_r(&seed) % 3 ? 0 : (uint8_t)rand_r(&seed);
		payload = exact(bytes, size);
		if (!events__decode_method(payload, size, (uint32_t)round % 4, &method))
			assert_true(method.signature.bytes +
					    2 * method.signature.units <
				    payload + size);
		if (!events__decode_module(payload, size, &module))
			assert_true(module.path.bytes + 2 * module.path.units <
				    payload + size);
		free(payload);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_decode_a_method_of_version_2),
		cmocka_unit_test(events_take_version_1_as_the_default_version),
		cmocka_unit_test(events_refuse_every_truncated_method),
		cmocka_unit_test(events_refuse_every_truncated_module),
		cmocka_unit_test(events_of_tiering_have_the_counts_of_their_kind),
		cmocka_unit_test(events_survive_random_payloads),
	};

	return cmocka_run_group_tests_name("hook events", tests, NULL, NULL);
}
