// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The recording: what is read is what was written, whole, cut at every byte,
// damaged at every byte, on a full disk, and made up by an enemy.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../user/base/buf.h"
#include "../../user/base/crc32c.h"
#include "../../user/recording/format.h"
#include "../../user/recording/recording.h"

struct fixture {
	char folder[64];
	char path[96];
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	strcpy(fixture->folder, "/tmp/tierscope-test-XXXXXX");
	if (!fixture || !mkdtemp(fixture->folder))
		return -1;
	snprintf(fixture->path, sizeof(fixture->path), "%s/a.tscope", fixture->folder);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	unlink(fixture->path);
	rmdir(fixture->folder);
	free(fixture);
	return 0;
}

static const char *const hostile[] = {
	"</script><script>alert(1)</script>",
	"line\nbreak\r\x1b[31m\x7f",
	"\xe2\x80\xaegnitrever",
	"\"quoted\\\" & 'more'",
	"\xf0\x9f\x90\x9b",
	"TSCOPE\r\n",
};
#define HOSTILE (sizeof(hostile) / sizeof(*hostile))

static string_id hostile_string(struct model *model, uint32_t number)
{
	return model__string(model, hostile[number % HOSTILE]);
}

static void add_process(struct model *model, uint32_t number)
{
	struct model_process process = {
		.pid = (int32_t)(4000 + number),
		.flags = MODEL_PROCESS_HOOKED | MODEL_PROCESS_ATTACHED,
		.parent = number ? number - 1 : MODEL_NONE,
		.start_ns = 1000 + number,
		.comm = hostile_string(model, number),
		.executable = hostile_string(model, number + 1),
		.cmdline = hostile_string(model, number + 2),
		.container = hostile_string(model, number + 3),
		.runtime = model__string(model, "10.0.12"),
		.hook_version = model__string(model, "0.1.0"),
		.trouble = hostile_string(model, number + 4),
	};

	assert_int_equal(model__add_process(model, &process), number);
}

static void add_body(struct model *model, uint32_t number)
{
	char name[64];
	struct model_body body = {
		.process = number % 2,
		.flags = number % 32,
		.function_id = 0x7f0000000000 + number * 16,
		.module_id = 0x7f1111111111,
		.start = UINT64_MAX - number * 64,
		.size = 40 + number,
		.token = 0x06000001 + number,
		.rejit_id = number % 3,
		.native_version = number % 5,
		.tier = number % TS_TIER_COUNT,
		.source = number % 3,
		.osr_il_offset = number % 4 ? TS_NO_IL_OFFSET : number,
		.born_ns = 2000 + number,
		.died_ns = number % 7 ? 0 : 3000 + number,
		.published_ns = {2100 + number, 2200 + number},
		.superseded_ns = number % 5 ? 0 : 2900,
	};

	snprintf(name, sizeof(name), "NS.C.Method%u(int)", number);
	body.name = number % 4 ? model__string(model, name)
			       : hostile_string(model, number / 4);
	body.module = hostile_string(model, number);
	assert_int_equal(model__add_body(model, &body), number);
}

static void add_sample(struct model *model, uint32_t number)
{
	struct model_frame native = {
		.kind = MODEL_FRAME_NATIVE + number % 3,
		.name = hostile_string(model, number),
		.address = 0xffffffff00000000 + number % 4,
	};
	struct model_frame managed = {.body = number % model__bodies(model)};
	struct model_sample sample = {
		.time_ns = 5000 + number * 10101 - number % 2 * 5000,
		.thread = model__add_thread(model, number % 2, -1 - (int32_t)number % 3,
					    hostile_string(model, number % 2)),
		.event = number % model__events(model),
		.flags = number % 64,
		.ip = number % 3 ? 0x7fff12345678ULL + number : UINT64_MAX,
	};

	sample.stack = model__add_stack(model, 0, model__add_frame(model, &native));
	for (uint32_t i = 0; i < number % 6; i++)
		sample.stack = model__add_stack(model, sample.stack,
						model__add_frame(model, &managed));
	assert_int_not_equal(model__add_sample(model, &sample), MODEL_NONE);
}

static void begin_model(struct model *model)
{
	*model__about(model) = (struct model_about){
		.start_ns = 1,
		.start_unix_ns = -1700000000000000000,
		.cpus = 2,
		.kernel = model__string(model, "6.1.0"),
		.machine = hostile_string(model, 0),
		.version = model__string(model, "0.1.0"),
		.command = hostile_string(model, 3),
	};
	add_process(model, 0);
	add_process(model, 1);
	model__add_event(model, &(struct model_event){model__string(model, "cpu-clock"),
						      10101010});
	model__add_event(model, &(struct model_event){hostile_string(model, 1), 0});
}

/* One step of a recording: something of everything. */
static void grow_model(struct model *model, uint32_t bodies, uint32_t samples)
{
	uint32_t first = model__bodies(model);
	size_t first_sample = model__samples(model);

	for (uint32_t i = 0; i < bodies; i++)
		add_body(model, first + i);
	for (uint32_t i = 0; i < samples; i++)
		add_sample(model, (uint32_t)first_sample + i);
	for (uint32_t i = 0; i < model__bodies(model); i += 3) {
		struct model_body body = *model__body(model, i);

		body.superseded_ns += 11;
		body.died_ns += 7;
		model__update_body(model, i, &body);
	}
	model__set_count(model, MODEL_LEDGER_SAMPLES, "kept", model__samples(model));
	model__set_count(model, MODEL_LEDGER_UNRESOLVED_LEAF, hostile[1], samples);
}

static void end_model(struct model *model)
{
	struct model_process process = *model__process(model, 0);

	process.end_ns = 99;
	process.parent = 1; /* known only later than the child */
	model__update_process(model, 0, &process);
	model__set_count(model, MODEL_LEDGER_SAMPLES, "due", UINT64_MAX);
	model__about(model)->end_ns = 1000000;
}

/* A model that was written in three steps, as a live recording is. */
static struct model *write_recording(const char *path)
{
	struct model *model = model__new();
	struct recording_writer *writer;

	begin_model(model);
	assert_int_equal(recording_writer__open(path, &writer), 0);
	for (int step = 0; step < 3; step++) {
		grow_model(model, 6, 10);
		assert_int_equal(recording_writer__flush(writer, model), 0);
	}
	end_model(model);
	assert_int_equal(recording_writer__finish(writer, model), 0);
	recording_writer__free(writer);
	return model;
}

static void assert_same_text(const struct model *a, string_id left,
			     const struct model *b, string_id right)
{
	assert_string_equal(model__text(a, left), model__text(b, right));
}

static void assert_same_process(const struct model *a, const struct model *b,
				uint32_t i)
{
	const struct model_process *left = model__process(a, i);
	const struct model_process *right = model__process(b, i);

	assert_int_equal(left->pid, right->pid);
	assert_int_equal(left->flags, right->flags);
	assert_int_equal(left->parent, right->parent);
	assert_int_equal(left->start_ns, right->start_ns);
	assert_int_equal(left->end_ns, right->end_ns);
	assert_same_text(a, left->comm, b, right->comm);
	assert_same_text(a, left->executable, b, right->executable);
	assert_same_text(a, left->cmdline, b, right->cmdline);
	assert_same_text(a, left->container, b, right->container);
	assert_same_text(a, left->runtime, b, right->runtime);
	assert_same_text(a, left->hook_version, b, right->hook_version);
	assert_same_text(a, left->trouble, b, right->trouble);
}

/* Fields that no update changes in these tests. */
static void assert_same_origin(const struct model *a, const struct model *b, uint32_t i)
{
	const struct model_body *left = model__body(a, i);
	const struct model_body *right = model__body(b, i);

	assert_int_equal(left->process, right->process);
	assert_int_equal(left->flags, right->flags);
	assert_int_equal(left->function_id, right->function_id);
	assert_int_equal(left->module_id, right->module_id);
	assert_int_equal(left->start, right->start);
	assert_int_equal(left->size, right->size);
	assert_int_equal(left->token, right->token);
	assert_int_equal(left->rejit_id, right->rejit_id);
	assert_int_equal(left->native_version, right->native_version);
	assert_int_equal(left->tier, right->tier);
	assert_int_equal(left->source, right->source);
	assert_int_equal(left->osr_il_offset, right->osr_il_offset);
	assert_same_text(a, left->module, b, right->module);
	assert_same_text(a, left->name, b, right->name);
	assert_int_equal(left->born_ns, right->born_ns);
	assert_int_equal(left->published_ns[0], right->published_ns[0]);
	assert_int_equal(left->published_ns[1], right->published_ns[1]);
}

static void assert_same_body(const struct model *a, const struct model *b, uint32_t i)
{
	assert_same_origin(a, b, i);
	assert_int_equal(model__body(a, i)->died_ns, model__body(b, i)->died_ns);
	assert_int_equal(model__body(a, i)->superseded_ns,
			 model__body(b, i)->superseded_ns);
}

static void assert_same_thread(const struct model *a, const struct model *b, uint32_t i)
{
	const struct model_thread *left = model__thread(a, i);
	const struct model_thread *right = model__thread(b, i);

	assert_int_equal(left->process, right->process);
	assert_int_equal(left->tid, right->tid);
	assert_same_text(a, left->name, b, right->name);
}

static void assert_same_frame(const struct model *a, const struct model *b, uint32_t i)
{
	const struct model_frame *left = model__frame(a, i);
	const struct model_frame *right = model__frame(b, i);

	assert_int_equal(left->kind, right->kind);
	assert_int_equal(left->body, right->body);
	assert_int_equal(left->address, right->address);
	assert_same_text(a, left->name, b, right->name);
}

static void assert_same_sample(const struct model *a, const struct model *b, size_t i)
{
	const struct model_sample *left = model__sample(a, i);
	const struct model_sample *right = model__sample(b, i);

	assert_int_equal(left->time_ns, right->time_ns);
	assert_int_equal(left->thread, right->thread);
	assert_int_equal(left->stack, right->stack);
	assert_int_equal(left->event, right->event);
	assert_int_equal(left->flags, right->flags);
	assert_int_equal(left->ip, right->ip);
}

static void assert_same_about(const struct model *a, const struct model *b)
{
	const struct model_about *left = model__about_const(a);
	const struct model_about *right = model__about_const(b);

	assert_int_equal(left->start_ns, right->start_ns);
	assert_int_equal(left->end_ns, right->end_ns);
	assert_int_equal(left->start_unix_ns, right->start_unix_ns);
	assert_int_equal(left->cpus, right->cpus);
	assert_same_text(a, left->kernel, b, right->kernel);
	assert_same_text(a, left->machine, b, right->machine);
	assert_same_text(a, left->version, b, right->version);
	assert_same_text(a, left->command, b, right->command);
	assert_int_equal(left->complete, right->complete);
}

/* All rows of `part` are the first ones of `whole`. */
static void assert_prefix(const struct model *part, const struct model *whole)
{
	assert_true(model__samples(part) <= model__samples(whole));
	assert_true(model__processes(part) <= model__processes(whole));
	assert_true(model__bodies(part) <= model__bodies(whole));
	assert_true(model__threads(part) <= model__threads(whole));
	assert_true(model__frames(part) <= model__frames(whole));
	assert_true(model__stacks(part) <= model__stacks(whole));
	for (uint32_t i = 0; i < model__bodies(part); i++)
		assert_same_origin(part, whole, i);
	for (uint32_t i = 0; i < model__threads(part); i++)
		assert_same_thread(part, whole, i);
	for (uint32_t i = 0; i < model__frames(part); i++)
		assert_same_frame(part, whole, i);
	for (uint32_t i = 0; i < model__stacks(part); i++) {
		assert_int_equal(model__stack(part, i)->parent,
				 model__stack(whole, i)->parent);
		assert_int_equal(model__stack(part, i)->frame,
				 model__stack(whole, i)->frame);
	}
	for (size_t i = 0; i < model__samples(part); i++)
		assert_same_sample(part, whole, i);
}

static void assert_same_model(const struct model *a, const struct model *b)
{
	assert_int_equal(model__samples(a), model__samples(b));
	assert_int_equal(model__processes(a), model__processes(b));
	assert_int_equal(model__events(a), model__events(b));
	assert_int_equal(model__bodies(a), model__bodies(b));
	assert_int_equal(model__threads(a), model__threads(b));
	assert_int_equal(model__frames(a), model__frames(b));
	assert_int_equal(model__stacks(a), model__stacks(b));
	assert_int_equal(model__counts(a), model__counts(b));
	assert_prefix(a, b);
	for (uint32_t i = 0; i < model__processes(a); i++)
		assert_same_process(a, b, i);
	for (uint32_t i = 0; i < model__bodies(a); i++)
		assert_same_body(a, b, i);
	for (uint32_t i = 0; i < model__events(a); i++) {
		assert_same_text(a, model__event(a, i)->name, b,
				 model__event(b, i)->name);
		assert_int_equal(model__event(a, i)->period,
				 model__event(b, i)->period);
	}
	for (uint32_t i = 0; i < model__counts(a); i++) {
		const struct model_count *left = model__count_at(a, i);
		const struct model_count *right = model__count_at(b, i);

		assert_int_equal(left->section, right->section);
		assert_int_equal(left->value, right->value);
		assert_same_text(a, left->name, b, right->name);
	}
	assert_same_about(a, b);
}

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

/* The file as bytes; the caller frees. */
static struct buf read_bytes(const char *path)
{
	struct buf bytes = BUF_INIT;

	assert_int_equal(buf__read_file(&bytes, path, 1u << 30), 0);
	return bytes;
}

static void write_bytes(const char *path, const char *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	close(fd);
}

/* Changes some bytes of a file. */
static void patch(const char *path, size_t at, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, size, (off_t)at), size);
	close(fd);
}

/* Where the chunk at `at` ends. */
static size_t chunk_end(const struct buf *bytes, size_t at, struct format_chunk *chunk)
{
	assert_true(at + sizeof(*chunk) <= bytes->size);
	memcpy(chunk, bytes->data + at, sizeof(*chunk));
	assert_int_equal(chunk->magic, FORMAT_CHUNK_MAGIC);
	return at + sizeof(*chunk) + (chunk->length + 7) / 8 * 8;
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

#define RECORDING_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RECORDING_TEST(recording_gives_back_everything),
		RECORDING_TEST(recording_of_what_was_read_is_the_same),
		RECORDING_TEST(recording_flush_of_nothing_new_writes_nothing),
		RECORDING_TEST(recording_keeps_chunks_below_a_megabyte),
		RECORDING_TEST(recording_cut_at_any_byte_opens_up_to_there),
		RECORDING_TEST(recording_damaged_at_any_byte_gives_no_wrong_row),
		RECORDING_TEST(recording_of_an_enemy_never_refers_to_nothing),
		RECORDING_TEST(recording_refuses_a_chunk_that_its_rows_do_not_fill),
		RECORDING_TEST(recording_tells_what_it_is_not),
		RECORDING_TEST(recording_writer_tells_why_it_cannot_open),
		RECORDING_TEST(recording_stays_good_when_a_file_may_not_grow),
		RECORDING_TEST(recording_writes_counts_that_did_not_get_through),
		RECORDING_TEST(recording_stays_good_on_a_full_disk),
	};

	return cmocka_run_group_tests_name("recording", tests, NULL, NULL);
}
