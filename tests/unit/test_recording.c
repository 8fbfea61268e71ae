// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The recording: what is read is what was written, and what is none is told.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>

#include "recording_fixture.h"

static void recording_gives_back_everything(void **state)
{
	struct fixture *fixture = *state;
	struct model *written = write_recording(fixture->path);
	struct model *model = model__new();
	struct recording_result result;
	struct stat stat_buf;

	assert_int_equal(recording__read(fixture->path, model, &result), 0);
	assert_int_equal(result.status, RECORDING_WHOLE);
	assert_string_equal(result.reason, "");
	assert_int_equal(result.kept_bytes, result.file_bytes);
	assert_int_equal(stat(fixture->path, &stat_buf), 0);
	assert_int_equal(result.file_bytes, stat_buf.st_size);
	assert_int_equal(stat_buf.st_mode & 0777, 0600);
	assert_true(model__about_const(model)->complete);
	assert_int_equal(model__process(model, 0)->parent, 1);
	assert_same_model(model, written);
	/* A second time into the same model would make one of two. */
	assert_int_equal(recording__read(fixture->path, model, &result), -EINVAL);
	model__free(model);
	model__free(written);
}

static void recording_of_what_was_read_is_the_same(void **state)
{
	struct fixture *fixture = *state;
	struct model *written = write_recording(fixture->path);
	struct model *first = model__new();
	struct model *second = model__new();
	struct recording_writer *writer;
	struct recording_result result;

	assert_int_equal(recording__read(fixture->path, first, &result), 0);
	assert_int_equal(recording_writer__open(fixture->path, &writer), 0);
	assert_int_equal(recording_writer__finish(writer, first), 0);
	assert_int_equal(recording_writer__flush(writer, first), -EINVAL);
	recording_writer__free(writer);
	assert_int_equal(recording__read(fixture->path, second, &result), 0);
	assert_same_model(second, written);
	model__free(second);
	model__free(first);
	model__free(written);
}

static void recording_flush_of_nothing_new_writes_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct model *model = model__new();
	struct recording_writer *writer;
	struct stat stat_buf;
	uint64_t bytes;

	begin_model(model);
	grow_model(model, 3, 3);
	assert_int_equal(recording_writer__open(fixture->path, &writer), 0);
	assert_int_equal(recording_writer__flush(writer, model), 0);
	bytes = recording_writer__bytes(writer);
	assert_int_equal(stat(fixture->path, &stat_buf), 0);
	assert_int_equal(bytes, stat_buf.st_size);
	assert_int_equal(recording_writer__flush(writer, model), 0);
	assert_int_equal(recording_writer__bytes(writer), bytes);
	model__set_count(model, MODEL_LEDGER_SAMPLES, "kept", 4711);
	assert_int_equal(recording_writer__flush(writer, model), 0);
	assert_true(recording_writer__bytes(writer) > bytes);
	recording_writer__free(writer);
	model__free(model);
}

static void recording_keeps_chunks_below_a_megabyte(void **state)
{
	struct fixture *fixture = *state;
	struct model *written = model__new();
	struct model *model = model__new();
	struct recording_writer *writer;
	struct recording_result result;
	struct format_chunk chunk;
	struct buf bytes;
	unsigned int of_samples = 0;
	char *name = malloc(900000);

	begin_model(written);
	for (char c = 'a'; c < 'd'; c++) {
		memset(name, c, 900000);
		model__string_n(written, name, 900000);
	}
	grow_model(written, 50, 200000);
	end_model(written);
	assert_int_equal(recording_writer__open(fixture->path, &writer), 0);
	assert_int_equal(recording_writer__finish(writer, written), 0);
	recording_writer__free(writer);
	bytes = read_bytes(fixture->path);
	for (size_t at = sizeof(struct format_header); at < bytes.size;) {
		at = chunk_end(&bytes, at, &chunk);
		assert_true(chunk.length < 2 * FORMAT_CHUNK_BYTES);
		of_samples += chunk.type == FORMAT_SAMPLES;
	}
	assert_true(of_samples > 1);
	assert_int_equal(recording__read(fixture->path, model, &result), 0);
	assert_same_model(model, written);
	buf__free(&bytes);
	free(name);
	model__free(model);
	model__free(written);
}

static int read_from(const char *path, const char *data, size_t size,
		     struct recording_result *result)
{
	struct model *model = model__new();
	int err;

	if (data)
		write_bytes(path, data, size);
	err = recording__read(path, model, result);
	model__free(model);
	return err;
}

static void recording_tells_what_it_is_not(void **state)
{
	struct fixture *fixture = *state;
	struct format_header header = {.magic = FORMAT_MAGIC,
				       .format = RECORDING_FORMAT + 1};
	struct recording_result result;

	assert_int_equal(read_from(fixture->path, NULL, 0, &result), -ENOENT);
	assert_int_equal(read_from(fixture->folder, NULL, 0, &result), -EISDIR);
	assert_int_equal(read_from(fixture->path, "", 0, &result), -ENODATA);
	assert_int_equal(read_from(fixture->path, "<html>", 6, &result), -EBADMSG);
	assert_int_equal(read_from(fixture->path, "TSCOPE\n\n........", 16, &result),
			 -EBADMSG);
	assert_int_equal(read_from(fixture->path, (const char *)&header, sizeof(header),
				   &result),
			 -EPROTO);
	header.format = 0;
	assert_int_equal(read_from(fixture->path, (const char *)&header, sizeof(header),
				   &result),
			 -EBADMSG);
	header.format = RECORDING_FORMAT;
	assert_int_equal(read_from(fixture->path, (const char *)&header, sizeof(header),
				   &result),
			 0);
	assert_int_equal(result.status, RECORDING_CUT);
	assert_int_equal(result.chunks, 0);
}

/* What an older tierscope wrote: as it is now, but for the kinds it did not know. */
static void write_as_format(const char *path, const struct buf *bytes, uint32_t format)
{
	struct format_header header = {.magic = FORMAT_MAGIC, .format = format};
	struct format_chunk chunk;
	struct buf old = BUF_INIT;
	size_t end;

	buf__append(&old, &header, sizeof(header));
	for (size_t at = sizeof(header); at < bytes->size; at = end) {
		end = chunk_end(bytes, at, &chunk);
		if (chunk.type < (format < 3 ? FORMAT_PATCHES :
				  format < 4 ? FORMAT_IL_VERSIONS : FORMAT_TIERING))
			buf__append(&old, bytes->data + at, end - at);
	}
	assert_true(format > 2 || old.size < bytes->size);
	write_bytes(path, old.data, old.size);
	buf__free(&old);
}

static void recording_of_an_older_format_is_read(void **state)
{
	struct fixture *fixture = *state;
	struct model *written = write_recording(fixture->path);
	struct buf bytes = read_bytes(fixture->path);
	struct format_header header;

	/* Who knows only an older format is told that it has to be newer. */
	memcpy(&header, bytes.data, sizeof(header));
	assert_int_equal(header.format, 5);
	for (uint32_t format = 1; format < 5; format++) {
		struct model *model = model__new();
		struct recording_result result;

		write_as_format(fixture->path, &bytes, format);
		assert_int_equal(recording__read(fixture->path, model, &result), 0);
		assert_int_equal(result.status, RECORDING_WHOLE);
		assert_int_equal(model__patches(model),
				 format < 3 ? 0 : model__patches(written));
		assert_int_equal(model__actives(model),
				 format < 4 ? 0 : model__actives(written));
		assert_int_equal(model__tierings(model), 0);
		assert_int_equal(model__samples(model), model__samples(written));
		assert_int_equal(model__bodies(model), model__bodies(written));
		assert_prefix(model, written);
		model__free(model);
	}
	buf__free(&bytes);
	model__free(written);
}

/* Samples of time off the CPU, and the times of threads. */
static void recording_keeps_weights_and_times(void **state)
{
	struct fixture *fixture = *state;
	struct model *model = model__new(), *read = model__new();
	struct recording_writer *writer;
	struct recording_result result;
	uint32_t process = model__add_process(
		model, &(struct model_process){.pid = 7, .parent = MODEL_NONE});
	uint32_t thread = model__add_thread(model, process, 8, 0);
	uint32_t other = model__add_thread(model, process, 9, 0);
	struct model_times times = {.since_ns = 5, .switches = 6};

	model__add_event(model, &(struct model_event){.period = 1});
	for (uint64_t i = 0; i < 6; i++)
		model__add_sample(model, &(struct model_sample){
			.time_ns = 100 + i, .thread = thread,
			.weight = i % 2 ? 1ull << (10 * i) : 1});
	for (unsigned int i = 0; i < TS_STATES; i++)
		times.ns[i] = 1000 + i;
	model__set_times(model, other, &times);
	assert_int_equal(recording_writer__open(fixture->path, &writer), 0);
	assert_int_equal(recording_writer__flush(writer, model), 0);
	assert_int_equal(recording_writer__shed(writer, model), 0);
	assert_int_equal(model__samples(model), 0);
	model__add_sample(model, &(struct model_sample){
		.time_ns = 200, .thread = thread, .weight = 77});
	assert_int_equal(recording_writer__finish(writer, model), 0);
	recording_writer__free(writer);

	assert_int_equal(recording__read(fixture->path, read, &result), 0);
	assert_int_equal(result.status, RECORDING_WHOLE);
	assert_int_equal(model__samples(read), 7);
	for (size_t i = 0; i < 3; i++) {	/* those of weight 1 come first */
		assert_int_equal(model__sample(read, i)->time_ns, 100 + 2 * i);
		assert_int_equal(model__sample(read, i)->weight, 1);
		assert_int_equal(model__sample(read, 3 + i)->time_ns, 101 + 2 * i);
		assert_int_equal(model__sample(read, 3 + i)->weight,
				 1ull << (10 * (1 + 2 * i)));
	}
	assert_int_equal(model__sample(read, 6)->weight, 77);
	assert_null(model__times(read, thread));
	assert_non_null(model__times(read, other));
	assert_memory_equal(model__times(read, other), &times, sizeof(times));
	model__free(read);
	model__free(model);
}

static void recording_writer_tells_why_it_cannot_open(void **state)
{
	struct fixture *fixture = *state;
	struct recording_writer *writer = NULL;

	assert_int_equal(recording_writer__open(fixture->folder, &writer), -EISDIR);
	assert_int_equal(recording_writer__open("/nonexistent/a", &writer), -ENOENT);
	if (access("/dev/full", W_OK) == 0)
		assert_int_equal(recording_writer__open("/dev/full", &writer), -ENOSPC);
	assert_null(writer);
	recording_writer__free(writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RECORDING_TEST(recording_gives_back_everything),
		RECORDING_TEST(recording_of_what_was_read_is_the_same),
		RECORDING_TEST(recording_keeps_weights_and_times),
		RECORDING_TEST(recording_flush_of_nothing_new_writes_nothing),
		RECORDING_TEST(recording_keeps_chunks_below_a_megabyte),
		RECORDING_TEST(recording_tells_what_it_is_not),
		RECORDING_TEST(recording_of_an_older_format_is_read),
		RECORDING_TEST(recording_writer_tells_why_it_cannot_open),
	};

	return cmocka_run_group_tests_name("recording", tests, NULL, NULL);
}
