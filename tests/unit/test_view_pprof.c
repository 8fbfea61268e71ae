// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The bytes of protocol buffers, and of a profile: tests/formats reads whole
// profiles with pprof itself.
#include "view_fixture.h"

#include <zlib.h>

#include "../../user/view/protobuf.h"

static void assert_bytes(struct buf *buf, const void *wanted, size_t size)
{
	assert_int_equal(buf->size, size);
	assert_memory_equal(buf__string(buf), wanted, size);
	buf__clear(buf);
}

/* The examples of the encoding's description, and the ends of the range. */
static void protobuf_numbers_are_varints(void **state)
{
	struct buf buf = BUF_INIT;

	(void)state;
	protobuf__number(&buf, 1, 150);
	assert_bytes(&buf, "\x08\x96\x01", 3);
	protobuf__number(&buf, 1, 127);
	assert_bytes(&buf, "\x08\x7f", 2);
	protobuf__number(&buf, 16, 128);
	assert_bytes(&buf, "\x80\x01\x80\x01", 4);
	protobuf__number(&buf, 2, UINT64_MAX);
	assert_bytes(&buf, "\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
	protobuf__number(&buf, 2, 0);
	assert_bytes(&buf, "", 0);
	protobuf__varint(&buf, 0);
	assert_bytes(&buf, "\0", 1);
	buf__free(&buf);
}

static void protobuf_bytes_have_their_length(void **state)
{
	struct buf buf = BUF_INIT;

	(void)state;
	protobuf__bytes(&buf, 2, "testing", 7);
	assert_bytes(&buf, "\x12\x07testing", 9);
	protobuf__bytes(&buf, 2, NULL, 0);
	assert_bytes(&buf, "", 0);
	protobuf__element(&buf, 6, NULL, 0);
	assert_bytes(&buf, "\x32\x00", 2);
	buf__free(&buf);
}

/* The message of a profile. */
static void profile(const struct model *model, const struct view_options *options,
		    struct buf *ret_message)
{
	static char plain[1 << 20];
	struct buf buf = BUF_INIT;
	z_stream stream = {.next_out = (unsigned char *)plain,
			   .avail_out = sizeof(plain)};

	assert_int_equal(view_pprof__write(model, options, &buf), 0);
	stream.next_in = (unsigned char *)buf.data;
	stream.avail_in = (unsigned int)buf.size;
	assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK); /* gzip only */
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	assert_int_equal(stream.avail_in, 0);
	buf__append(ret_message, plain, stream.total_out);
	inflateEnd(&stream);
	buf__free(&buf);
}

static uint64_t read_varint(const struct buf *buf, size_t *at)
{
	uint64_t number = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		assert_true(*at < buf->size);
		number |= (uint64_t)(buf->data[*at] & 0x7f) << shift;
		if (!(buf->data[(*at)++] & 0x80))
			return number;
	}
	fail_msg("a varint without end");
	return 0;
}

/* How often a field is in a message; every field of it must be well formed. */
static unsigned int count_fields(const struct buf *message, uint64_t field)
{
	unsigned int count = 0;
	size_t at = 0;

	while (at < message->size) {
		uint64_t key = read_varint(message, &at), value;

		assert_true((key & 7) == 0 || (key & 7) == 2);
		value = read_varint(message, &at);
		if ((key & 7) == 2) {
			assert_true(value <= message->size - at);
			at += value;
		}
		count += key >> 3 == field;
	}
	return count;
}

static bool holds(const struct buf *message, const char *text)
{
	return memmem(message->data, message->size, text, strlen(text));
}

static void pprof_has_a_sample_per_stack_and_a_function_per_version(void **state)
{
	struct view_options options = {.split = VIEW_SPLIT_VERSION};
	struct buf message = BUF_INIT;

	profile(*state, &options, &message);
	assert_int_equal(count_fields(&message, 1), 2); /* samples, cpu */
	assert_int_equal(count_fields(&message, 2), 4); /* stacks */
	assert_int_equal(count_fields(&message, 3), 2); /* app.dll, libcoreclr.so */
	assert_int_equal(count_fields(&message, 4), 6); /* bodies, native, unknown */
	assert_int_equal(count_fields(&message, 5), 6);
	assert_true(holds(&message, "Work(int) [tier1 #2]"));
	assert_true(holds(&message, "0x7f0000001000"));
	buf__clear(&message);

	/* Versions merged: still a location per body, one function per name. */
	options.split = VIEW_SPLIT_NONE;
	profile(*state, &options, &message);
	assert_int_equal(count_fields(&message, 4), 6);
	assert_int_equal(count_fields(&message, 5), 4);
	assert_false(holds(&message, "[tier1 #2]"));
	buf__free(&message);
}

static void pprof_of_threads_has_their_frames(void **state)
{
	struct view_options options = {.per_thread = true};
	struct buf message = BUF_INIT;

	fixture_add_second(*state);
	profile(*state, &options, &message);
	/* As above, the body of the second process, and two threads. */
	assert_int_equal(count_fields(&message, 4), 9);
	/* Both threads have one name, and so one function. */
	assert_int_equal(count_fields(&message, 5), 8);
	assert_true(holds(&message, "thread-11"));
	buf__free(&message);
}

/* Other events are counted in what they count, not in time. */
static void pprof_of_another_event_counts_that_event(void **state)
{
	struct view_options options = {.event = 1};
	struct buf message = BUF_INIT;
	uint32_t stack = fixture_push(*state, 0, MODEL_FRAME_BODY, BODY_MAIN, "", 0);

	model__add_event(*state, &(struct model_event){
					 .name = model__string(*state, "page-faults"),
					 .period = UINT64_MAX, /* hostile */
				 });
	model__add_sample(*state, &(struct model_sample){.stack = stack, .event = 1});
	profile(*state, &options, &message);
	assert_int_equal(count_fields(&message, 2), 1);
	assert_true(holds(&message, "page-faults"));
	assert_false(holds(&message, "nanoseconds"));
	buf__free(&message);
}

/* zlib takes pieces; more than one comes out of a text that does not shrink. */
static void pprof_of_many_names_is_whole(void **state)
{
	struct view_options options = {.split = VIEW_SPLIT_NONE};
	struct buf message = BUF_INIT;
	uint64_t seed = 1;
	char name[80];

	for (unsigned int i = 0; i < 5000; i++) {
		for (unsigned int at = 0; at < sizeof(name) - 1; at++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			name[at] = (char)('A' + (seed >> 33) % 26);
		}
		name[sizeof(name) - 1] = 0;
		fixture_samples(*state, 0,
				fixture_push(*state, 0, MODEL_FRAME_NATIVE, MODEL_NONE,
					     name, 0),
				1);
	}
	profile(*state, &options, &message);
	assert_int_equal(count_fields(&message, 2), 5004);
	assert_true(holds(&message, name));
	buf__free(&message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
		TEST(protobuf_numbers_are_varints),
		TEST(protobuf_bytes_have_their_length),
		TEST(pprof_has_a_sample_per_stack_and_a_function_per_version),
		TEST(pprof_of_threads_has_their_frames),
		TEST(pprof_of_another_event_counts_that_event),
		TEST(pprof_of_many_names_is_whole),
	};

	return cmocka_run_group_tests_name("view_pprof", tests, NULL, NULL);
}
