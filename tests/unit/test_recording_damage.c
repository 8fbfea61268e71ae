// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Recordings that are cut at every byte, damaged at every byte, made up by an
// enemy, or written on a full disk.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "recording_fixture.h"

#include "../../user/base/crc32c.h"

static void recording_cut_at_any_byte_opens_up_to_there(void **state)
{
	struct fixture *fixture = *state;
	struct model *written = write_recording(fixture->path);
	struct buf bytes = read_bytes(fixture->path);
	size_t samples_before = model__samples(written);
	size_t kept_any = 0;

	for (size_t size = bytes.size - 1; size > 0; size--) {
		struct model *model = model__new();
		struct recording_result result;
		size_t end = sizeof(struct format_header), kept = 0;
		struct format_chunk chunk;

		for (; end <= size; end = chunk_end(&bytes, end, &chunk))
			kept = end;
		assert_int_equal(truncate(fixture->path, (off_t)size), 0);
		assert_int_equal(recording__read(fixture->path, model, &result), 0);
		assert_int_equal(result.status, RECORDING_CUT);
		assert_int_equal(result.kept_bytes, kept);
		assert_int_equal(result.file_bytes, size);
		assert_true(strlen(result.reason) > 0);
		assert_false(model__about_const(model)->complete);
		assert_prefix(model, written);
		assert_true(model__samples(model) <= samples_before);
		samples_before = model__samples(model);
		kept_any += samples_before > 0;
		model__free(model);
	}
	assert_int_equal(samples_before, 0);
	assert_true(kept_any > bytes.size / 3);
	buf__free(&bytes);
	model__free(written);
}

static void recording_damaged_at_any_byte_gives_no_wrong_row(void **state)
{
	static const uint8_t masks[] = {0x01, 0x80, 0xff};
	struct fixture *fixture = *state;
	struct model *written = write_recording(fixture->path);
	struct buf bytes = read_bytes(fixture->path);

	for (size_t at = 0; at < bytes.size; at++) {
		for (size_t i = 0; i < sizeof(masks); i++) {
			struct model *model = model__new();
			struct recording_result result;
			int err;

			uint8_t damaged = (uint8_t)bytes.data[at] ^ masks[i];

			patch(fixture->path, at, &damaged, 1);
			err = recording__read(fixture->path, model, &result);
			if (at < 8)
				assert_int_equal(err, -EBADMSG);
			else if (at == 8 && damaged && damaged < RECORDING_FORMAT)
				/* It claims to be older, and all of that is read. */
				assert_int_equal(result.status, RECORDING_WHOLE);
			else if (at < 12)
				assert_true(err == -EPROTO || err == -EBADMSG);
			else if (at < 16) /* reserved */
				assert_int_equal(result.status, RECORDING_WHOLE);
			else
				assert_int_equal(result.status, RECORDING_CUT);
			if (at >= 16) {
				assert_int_equal(err, 0);
				assert_true(result.kept_bytes <= at);
			}
			assert_prefix(model, written);
			model__free(model);
		}
		patch(fixture->path, at, bytes.data + at, 1);
	}
	buf__free(&bytes);
	model__free(written);
}

static uint32_t checksum(const char *chunk, size_t size)
{
	uint32_t crc = crc32c__update(0, chunk + 4, 8);

	return crc32c__update(crc, chunk + 16, size - 16);
}

/* Whatever was read, no row of the model refers to nothing. */
static void assert_consistent(const struct model *model)
{
	uint32_t strings = model__strings_count(model);

	for (uint32_t i = 0; i < model__bodies(model); i++) {
		const struct model_body *body = model__body(model, i);

		assert_true(body->process < model__processes(model));
		assert_true(body->name < strings && body->module < strings);
		assert_true(body->tier < TS_TIER_COUNT);
	}
	for (uint32_t i = 1; i < model__stacks(model); i++) {
		assert_true(model__stack(model, i)->parent < i);
		assert_true(model__stack(model, i)->frame < model__frames(model));
	}
	for (uint32_t i = 0; i < model__frames(model); i++) {
		const struct model_frame *frame = model__frame(model, i);

		assert_true(frame->kind == MODEL_FRAME_BODY
				    ? frame->body < model__bodies(model)
				    : frame->body == MODEL_NONE);
		assert_true(frame->name < strings);
	}
	for (size_t i = 0; i < model__samples(model); i++) {
		const struct model_sample *sample = model__sample(model, i);

		assert_true(sample->thread < model__threads(model));
		assert_true(sample->stack < model__stacks(model));
		assert_true(sample->event < model__events(model));
	}
	for (uint32_t i = 0; i < model__patches(model); i++) {
		const struct model_patch *row = model__patch(model, i);
		const struct model_body *body = model__body(model, row->body);

		assert_true(row->process < model__processes(model));
		assert_true(row->kind < TS_CELL_COUNT);
		assert_true(row->target < TS_TARGET_COUNT);
		assert_true(body ? body->process == row->process
				 : row->body == MODEL_NONE);
	}
	for (uint32_t i = 0; i < model__il_versions(model); i++) {
		assert_true(model__il_version(model, i)->process < model__processes(model));
		assert_true(model__il_version(model, i)->state < TS_IL_COUNT);
	}
	for (uint32_t i = 0; i < model__inlinings(model); i++)
		assert_true(model__inlining(model, i)->process < model__processes(model));
	for (uint32_t i = 0; i < model__tierings(model); i++) {
		assert_true(model__tiering(model, i)->process < model__processes(model));
		assert_true(model__tiering(model, i)->kind - 1 < TS_TIERING_COUNT - 1);
	}
	for (uint32_t i = 0; i < model__actives(model); i++) {
		const struct model_active *row = model__active(model, i);
		const struct model_body *body = model__body(model, row->body);

		assert_true(row->process < model__processes(model));
		assert_true(row->code < MODEL_ACTIVE_COUNT);
		assert_true(body ? body->process == row->process
				 : row->body == MODEL_NONE);
		assert_int_equal(body != NULL, row->code == MODEL_ACTIVE_BODY);
	}
}

/* Reads a made-up file and does with it what views do; true if it was refused. */
static bool is_refused(const char *path)
{
	struct model *model = model__new();
	struct recording_result result;
	uint64_t *self, *total;

	assert_int_equal(recording__read(path, model, &result), 0);
	assert_consistent(model);
	model__tally(model, &self, &total);
	free(self);
	free(total);
	model__free(model);
	return result.status == RECORDING_CUT;
}

/* Every byte of every payload, changed, under a checksum that is right. */
static void recording_of_an_enemy_never_refers_to_nothing(void **state)
{
	static const uint8_t values[] = {0x00, 0x7f, 0x80, 0xff};
	struct fixture *fixture = *state;
	struct model *written = write_recording(fixture->path);
	struct buf bytes = read_bytes(fixture->path);
	struct format_chunk chunk;
	unsigned int refused = 0;
	size_t end;

	for (size_t at = sizeof(struct format_header); at < bytes.size; at = end) {
		end = chunk_end(&bytes, at, &chunk);
		for (size_t i = at + 4; i < end; i++) {
			char saved;

			if (i == at + 12)
				i += 4; /* the checksum itself */
			saved = bytes.data[i];
			for (size_t j = 0; j < sizeof(values); j++) {
				uint32_t crc;

				bytes.data[i] = (char)values[j];
				crc = checksum(bytes.data + at, end - at);
				patch(fixture->path, at + 12, &crc, sizeof(crc));
				patch(fixture->path, i, bytes.data + i, 1);
				refused += is_refused(fixture->path);
			}
			bytes.data[i] = saved;
			patch(fixture->path, i, bytes.data + i, 1);
		}
		patch(fixture->path, at, &chunk, sizeof(chunk));
	}
	assert_true(refused > 100);
	buf__free(&bytes);
	model__free(written);
}

/* Where the only chunk of a type begins, and where it ends. */
static size_t find_chunk(const struct buf *bytes, uint32_t type, size_t *ret_end)
{
	struct format_chunk chunk;

	for (size_t at = sizeof(struct format_header);; at = *ret_end) {
		*ret_end = chunk_end(bytes, at, &chunk);
		if (chunk.type == type)
			return at;
	}
}

/* One byte for each of these fields, in the order of rows.c. */
enum { PATCH_PROCESS, PATCH_KIND, PATCH_TARGET = 6, PATCH_BODY, PATCH_FIELDS };

static void write_one_patch(const char *path)
{
	struct model *model = model__new();
	struct recording_writer *writer;

	begin_model(model);
	add_body(model, 0);
	add_body(model, 1);
	assert_int_equal(model__add_patch(model, &(struct model_patch){.body = 0}), 0);
	assert_int_equal(recording_writer__open(path, &writer), 0);
	assert_int_equal(recording_writer__finish(writer, model), 0);
	recording_writer__free(writer);
	model__free(model);
}

static void recording_refuses_a_patch_that_makes_no_sense(void **state)
{
	static const struct {
		size_t field;
		uint8_t value;
		bool is_refused;
	} changes[] = {
		{PATCH_PROCESS, 0, false},
		{PATCH_PROCESS, 1, true}, /* the body is the other one's */
		{PATCH_PROCESS, 2, true},
		{PATCH_KIND, TS_CELL_COUNT - 1, false},
		{PATCH_KIND, TS_CELL_COUNT, true},
		{PATCH_TARGET, TS_TARGET_COUNT - 1, false},
		{PATCH_TARGET, TS_TARGET_COUNT, true},
		{PATCH_BODY, 0, false}, /* none */
		{PATCH_BODY, 2, true},	/* of the other process */
		{PATCH_BODY, 3, true},
	};
	struct fixture *fixture = *state;
	size_t at, end, row;
	struct buf bytes;

	write_one_patch(fixture->path);
	bytes = read_bytes(fixture->path);
	at = find_chunk(&bytes, FORMAT_PATCHES, &end);
	row = at + sizeof(struct format_chunk) + sizeof(uint32_t);
	assert_true(row + PATCH_FIELDS <= end);
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		char *field = bytes.data + row + changes[i].field, saved = *field;
		uint32_t crc;

		*field = (char)changes[i].value;
		crc = checksum(bytes.data + at, end - at);
		patch(fixture->path, at, bytes.data + at, end - at);
		patch(fixture->path, at + 12, &crc, sizeof(crc));
		if (is_refused(fixture->path) != changes[i].is_refused)
			fail_msg("field %zu with %u", changes[i].field,
				 changes[i].value);
		*field = saved;
	}
	buf__free(&bytes);
}

/* A chunk whose count of rows is less than its rows, or more. */
static void recording_refuses_a_chunk_that_its_rows_do_not_fill(void **state)
{
	struct fixture *fixture = *state;
	struct model *written = write_recording(fixture->path);
	struct buf bytes = read_bytes(fixture->path);
	struct format_chunk chunk;
	size_t end;

	for (size_t at = sizeof(struct format_header); at < bytes.size; at = end) {
		end = chunk_end(&bytes, at, &chunk);
		for (int change = -1; change <= 1; change += 2) {
			uint32_t rows, crc;

			memcpy(&rows, bytes.data + at + sizeof(chunk), sizeof(rows));
			rows += (uint32_t)change;
			memcpy(bytes.data + at + sizeof(chunk), &rows, sizeof(rows));
			crc = checksum(bytes.data + at, end - at);
			patch(fixture->path, at + sizeof(chunk), &rows, sizeof(rows));
			patch(fixture->path, at + 12, &crc, sizeof(crc));
			assert_true(is_refused(fixture->path));
			rows -= (uint32_t)change;
			memcpy(bytes.data + at + sizeof(chunk), &rows, sizeof(rows));
		}
		patch(fixture->path, at, bytes.data + at, end - at);
	}
	assert_false(is_refused(fixture->path));
	buf__free(&bytes);
	model__free(written);
}

/* Fills the disk under a writer; what is on it then opens up to there. */
static void write_until_full(const char *path, int expected, void (*make_room)(void))
{
	struct model *written = model__new();
	struct model *model = model__new();
	struct recording_writer *writer;
	struct recording_result result;
	struct stat stat_buf;
	int err = 0;

	begin_model(written);
	assert_int_equal(recording_writer__open(path, &writer), 0);
	for (int step = 0; !err && step < 1000; step++) {
		grow_model(written, 10, 1000);
		err = recording_writer__flush(writer, written);
	}
	assert_int_equal(err, expected);
	assert_int_equal(stat(path, &stat_buf), 0);
	assert_int_equal(stat_buf.st_size, recording_writer__bytes(writer));
	assert_int_equal(recording__read(path, model, &result), 0);
	assert_int_equal(result.kept_bytes, result.file_bytes);
	assert_true(model__samples(model) > 0);
	assert_prefix(model, written);
	model__free(model);

	/* With room again it goes on where it stopped. */
	make_room();
	end_model(written);
	assert_int_equal(recording_writer__finish(writer, written), 0);
	model = model__new();
	assert_int_equal(recording__read(path, model, &result), 0);
	assert_int_equal(result.status, RECORDING_WHOLE);
	assert_same_model(model, written);
	recording_writer__free(writer);
	model__free(model);
	model__free(written);
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void lift_limit(void)
{
	limit_files(RLIM_INFINITY);
}

static void recording_stays_good_when_a_file_may_not_grow(void **state)
{
	struct fixture *fixture = *state;

	signal(SIGXFSZ, SIG_IGN);
	limit_files(100001);
	write_until_full(fixture->path, -EFBIG, lift_limit);
}

static void recording_writes_counts_that_did_not_get_through(void **state)
{
	struct fixture *fixture = *state;
	struct model *written = model__new();
	struct model *model = model__new();
	struct recording_writer *writer;
	struct recording_result result;

	begin_model(written);
	grow_model(written, 3, 3);
	assert_int_equal(recording_writer__open(fixture->path, &writer), 0);
	assert_int_equal(recording_writer__flush(writer, written), 0);
	signal(SIGXFSZ, SIG_IGN);
	limit_files(recording_writer__bytes(writer) + 8);
	model__set_count(written, MODEL_LEDGER_SAMPLES, "kept", 4711);
	assert_int_equal(recording_writer__flush(writer, written), -EFBIG);
	lift_limit();
	assert_int_equal(recording_writer__finish(writer, written), 0);
	recording_writer__free(writer);
	assert_int_equal(recording__read(fixture->path, model, &result), 0);
	assert_same_model(model, written);
	model__free(model);
	model__free(written);
}

static void enlarge_disk(void)
{
	const char *folder = getenv("TIERSCOPE_TEST_DISK");

	assert_int_equal(mount("tmpfs", folder, "tmpfs", MS_REMOUNT, "size=64m"), 0);
}

static void recording_stays_good_on_a_full_disk(void **state)
{
	struct fixture *fixture = *state;
	int status;
	pid_t child;

	if (geteuid()) {
		print_message("SKIP: mounting a small disk needs root\n");
		skip();
	}
	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (!child) { /* the mount lives and dies with the child */
		if (unshare(CLONE_NEWNS) ||
		    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("tmpfs", fixture->folder, "tmpfs", 0, "size=128k"))
			_exit(77);
		setenv("TIERSCOPE_TEST_DISK", fixture->folder, 1);
		write_until_full(fixture->path, -ENOSPC, enlarge_disk);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		print_message("SKIP: mounting a small disk is not allowed here\n");
		skip();
	}
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RECORDING_TEST(recording_cut_at_any_byte_opens_up_to_there),
		RECORDING_TEST(recording_damaged_at_any_byte_gives_no_wrong_row),
		RECORDING_TEST(recording_of_an_enemy_never_refers_to_nothing),
		RECORDING_TEST(recording_refuses_a_patch_that_makes_no_sense),
		RECORDING_TEST(recording_refuses_a_chunk_that_its_rows_do_not_fill),
		RECORDING_TEST(recording_stays_good_when_a_file_may_not_grow),
		RECORDING_TEST(recording_writes_counts_that_did_not_get_through),
		RECORDING_TEST(recording_stays_good_on_a_full_disk),
	};

	return cmocka_run_group_tests_name("recording_damage", tests, NULL, NULL);
}
