// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Stubs by their bytes: bytes that were read from .NET 10.0.12 programs, and
// bytes of method bodies, which must not be taken for stubs.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/recorder/stubs.h"

#include <stdio.h>
#include <string.h>

struct sample {
	enum stub_kind kind;
	const char *hex;
};

static const struct sample stubs[] = {
	{ STUB_FIXUP_PRECODE, "ff25fa3f00004c8b15fb3f0000ff25fd3f000090662e0f1f" },
	{ STUB_PRECODE, "4c8b15f93f0000ff25fb3f0000" },
	{ STUB_CALL_COUNTING, "488b05f93f000066ff087406ff25f63f0000ff25f83f0000" },
	{ STUB_RESOLVE,
	  "488b075249ba08d1de3413560000488bd048c1e80c4803c24835180500004825f87f0000"
	  "4a8b041049ba000000000f000000483b5000752b4c3b50087525488b40105affe0" },
	{ STUB_RESOLVE,
	  "48b85c7b7aac5f5500008300ff7dac4983cb015249ba000000000e0000005048b830c81f"
	  "a9c77f0000ffe0" },
	{ STUB_LOOKUP, "9048b801000000070000005048b870c7df59a87f0000ffe0" },
	{ STUB_LOOKUP, "48b800000000df0000005048b870c7df59a87f0000ffe0" },
	{ STUB_DISPATCH,
	  "48b8008fa1e9fc7e00004839079048b8a0e4d2e9fc7e00000f855790feffffe0" },
	{ STUB_VTABLE, "488b07488b4040ff6030" },
	{ STUB_VTABLE, "488b07488b8090000000ff6008" },
	{ STUB_DICTIONARY,
	  "488b4730488b4000488b40284885c07401c348bee02387e8fc7e0000e98ff7faff" },
	{ STUB_DICTIONARY,
	  "488b47184881b818000000400000007e0a488b40404885c07401c348be20d1a2b6b37f0000"
	  "e9ceb1c0ff" },
	{ STUB_HELPER, "488bf748bf18806ee9fc7e0000e9e69757ff" },
	{ STUB_HELPER, "48b820140007f17e0000c3" },
	{ STUB_HELPER, "48a1c031000c877f00004883c008c3" },
	{ STUB_UNBOXING, "4883c70848b8a892a3e8fc7e0000ffe0" },
	{ STUB_UNBOXING, "4889f248be88b9302ec77f000048b8b8822c2ec77f0000ffe0" },
	/* static: the hidden argument is the first one */
	{ STUB_UNBOXING, "4889fe48bf40d205cf657f000048b87097a4cf657f0000ffe0" },
	{ STUB_UNBOXING, "4889f24889fe48bf40d205cf657f000048b87097a4cf657f0000ffe0" },
	{ STUB_UNBOXING, "4889d148ba40d205cf657f000048b87097a4cf657f0000ffe0" },
	{ STUB_SHUFFLE, "488bc44989fb4889f74d8b53204983c32041ffe2" },
	{ STUB_SHUFFLE, "488bc44989fb4889f74d8b53204983c32049ffe2" }, /* 8, 9 */
	{ STUB_IMPORT, "33c06a05ff3512345600ff2512345600" },
	{ STUB_IMPORT, "498bc36a11ff3512345600ff2512345600" },
	{ STUB_JUMP, "48b8a892a3e8fc7e0000ffe0" },
};

static size_t from_hex(const char *hex, uint8_t *bytes)
{
	size_t count = 0;

	for (; *hex; hex++) {
		unsigned int value;

		value = (unsigned int)(*hex <= '9' ? *hex - '0' : *hex - 'a' + 10);
		if (count % 2)
			bytes[count / 2] |= (uint8_t)value;
		else
			bytes[count / 2] = (uint8_t)(value << 4);
		count++;
	}
	return count / 2;
}

/* At every byte of every stub, between other things, the kind is the same. */
static void each_stub_is_told_at_each_of_its_bytes(void **state)
{
	uint8_t code[192], stub[128];
	struct stub_lead lead;

	(void)state;
	for (size_t i = 0; i < sizeof(stubs) / sizeof(stubs[0]); i++) {
		size_t size = from_hex(stubs[i].hex, stub);

		for (size_t at = 0; at < size; at++) {
			memset(code, 0xcc, sizeof(code));
			memcpy(code + 96 - at, stub, size);
			if (stub__classify(code, sizeof(code), 96, 0, &lead) != stubs[i].kind)
				fail_msg("%s, byte %zu: told as %s", stubs[i].hex, at,
					 stub__name(stub__classify(code, sizeof(code), 96, 0, &lead)));
		}
	}
}

static void bytes_beside_a_stub_are_none(void **state)
{
	uint8_t code[192], stub[128];
	struct stub_lead lead;

	(void)state;
	for (size_t i = 0; i < sizeof(stubs) / sizeof(stubs[0]); i++) {
		size_t size = from_hex(stubs[i].hex, stub);

		memset(code, 0xcc, sizeof(code));
		memcpy(code + 10, stub, size);
		assert_int_equal(stub__classify(code, sizeof(code), 9, 0, &lead), STUB_NONE);
		assert_int_equal(stub__classify(code, sizeof(code), 10 + size, 0, &lead),
				 STUB_NONE);
	}
}

static void a_method_body_is_no_stub(void **state)
{
	/* A loop of the demo program, tier 0. */
	static const char body[] =
		"554883ec20488d6c2420c4413857c0c57a7f45e848897df8833df1420a000074059033c0"
		"8945f490eb25b88fbc00004898480faf45f8b9ffffff7f4863c9489948f7f9488955f8"
		"8b45f4ffc08945f4817df4b80b00000f9cc00fb6c08945f0837df00075c5";
	uint8_t code[192];
	size_t size = from_hex(body, code);
	struct stub_lead lead;

	(void)state;
	for (size_t at = 0; at < size; at++)
		assert_int_equal(stub__classify(code, size, at, 0, &lead), STUB_NONE);
}

struct lead_sample {
	const char *hex;
	struct stub_lead lead;		/* for a stub at 0x7f0000001000 */
};

static const struct lead_sample leads[] = {
	{ "ff25fa3f00004c8b15fb3f0000ff25fd3f000090662e0f1f", { .method_at = 0x7f0000005008 } },
	{ "4c8b15f93f0000ff25fb3f0000", { .method_at = 0x7f0000005000 } },
	{ "488b05f93f000066ff087406ff25f63f0000ff25f83f0000", { .target_at = 0x7f0000005008 } },
	{ "48b8008fa1e9fc7e00004839079048b8a0e4d2e9fc7e00000f855790feffffe0",
	  { .target = 0x7efce9d2e4a0 } },
	{ "48b8008fa1e9fc7e000048390748b8a0e4d2e9fc7e00000f855790feffffe0",
	  { .target = 0x7efce9d2e4a0 } },
	{ "4883c70848b8a892a3e8fc7e0000ffe0", { .target = 0x7efce8a392a8 } },
	{ "4889fe48bf40d205cf657f000048b87097a4cf657f0000ffe0", { .target = 0x7f65cfa49770 } },
	{ "488b07488b4040ff6030", { 0 } },	/* by the object's type */
};

/* At every byte of the stub; offsets can be negative. */
static void stubs_say_where_they_lead(void **state)
{
	uint8_t code[192], stub[128];
	struct stub_lead lead;

	(void)state;
	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
		size_t size = from_hex(leads[i].hex, stub);

		for (size_t at = 0; at < size; at++) {
			memset(code, 0xcc, sizeof(code));
			memcpy(code + 96 - at, stub, size);
			(void)stub__classify(code, sizeof(code), 96, 0x7f0000001000 + at, &lead);
			assert_memory_equal(&lead, &leads[i].lead, sizeof(lead));
		}
	}
	memset(code, 0xcc, sizeof(code));
	from_hex("4c8b15f0ffffffff25fb3f0000", code + 10);
	(void)stub__classify(code, sizeof(code), 10, 0x7f0000001000, &lead);
	assert_int_equal(lead.method_at, 0x7f0000001007 - 16);
	(void)stub__classify(code, sizeof(code), 100, 0x7f0000001000, &lead);
	assert_int_equal(lead.method_at, 0);
}

static void a_process_that_is_gone_cannot_be_read(void **state)
{
	struct stub_lead lead;

	(void)state;
	assert_int_equal(stub__read(-1, 0x7f0000000000, &lead), STUB_UNREADABLE);
	assert_int_equal(lead.target, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_stub_is_told_at_each_of_its_bytes),
		cmocka_unit_test(bytes_beside_a_stub_are_none),
		cmocka_unit_test(a_method_body_is_no_stub),
		cmocka_unit_test(stubs_say_where_they_lead),
		cmocka_unit_test(a_process_that_is_gone_cannot_be_read),
	};

	return cmocka_run_group_tests_name("stubs by their bytes", tests, NULL, NULL);
}
