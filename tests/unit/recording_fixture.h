/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * For the tests of recordings: a model with something of everything in it, and
 * whether two models are the same, row by row.
 */
#ifndef TIERSCOPE_TESTS_RECORDING_FIXTURE_H
#define TIERSCOPE_TESTS_RECORDING_FIXTURE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../user/base/buf.h"
#include "../../user/recording/format.h"
#include "../../user/recording/recording.h"

struct fixture {
	char folder[64];
	char path[96];
};

static inline int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture)
		return -1;
	strcpy(fixture->folder, "/tmp/tierscope-test-XXXXXX");
	if (!mkdtemp(fixture->folder))
		return -1;
	snprintf(fixture->path, sizeof(fixture->path), "%s/a.tscope", fixture->folder);
	*state = fixture;
	return 0;
}

static inline int tear_down(void **state)
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

static inline string_id hostile_string(struct model *model, uint32_t number)
{
	return model__string(model, hostile[number % HOSTILE]);
}

static inline void add_process(struct model *model, uint32_t number)
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

static inline void add_body(struct model *model, uint32_t number)
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

static inline void add_sample(struct model *model, uint32_t number)
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

/* All kinds and targets, two of three with a body, windows as far apart as can be. */
static inline void add_patch(struct model *model, uint32_t number)
{
	static const uint64_t windows[][2] = {
		{0, 2500},
		{2400, 2900},
		{0, 0},
		{0, UINT64_MAX},
		{UINT64_MAX, UINT64_MAX},
		{1ull << 63, INT64_MAX},
		{2300, 0},
	};
	size_t window = number % (sizeof(windows) / sizeof(*windows));
	uint32_t bodies = model__bodies(model);
	struct model_patch row = {
		.kind = number % TS_CELL_COUNT,
		.function_id = number % 5 ? 0x7f0000000000u + number * 16 : UINT64_MAX,
		.cell = 0x7fff00000008 + number * 8,
		.words = {number % 2 ? UINT64_MAX - number : 0,
			  0x7f2222222200 + number},
		.target = number / TS_CELL_COUNT % TS_TARGET_COUNT,
		.body = MODEL_NONE,
		.window_ns = {windows[window][0], windows[window][1]},
	};

	if (number % 3 && bodies) {
		row.body = bodies - 1 - number % bodies;
		row.process = model__body(model, row.body)->process;
	}
	assert_int_not_equal(model__add_patch(model, &row), MODEL_NONE);
}

/* All states; the same function again and again: the last row counts. */
static inline void add_il_version(struct model *model, uint32_t number)
{
	struct model_il_version row = {
		.process = number % 2,
		.rejit_id = number % 3 ? number : UINT32_MAX,
		.function_id = number % 5 ? 0x7f0000000000u + number % 4 : UINT64_MAX,
		.state = number % TS_IL_COUNT,
		.seen_ns = number % 7 ? 2500 + number : UINT64_MAX,
	};

	assert_int_not_equal(model__add_il_version(model, &row), MODEL_NONE);
}

static inline void add_active(struct model *model, uint32_t number)
{
	uint32_t bodies = model__bodies(model);
	struct model_active row = {
		.process = number % 2,
		.rejit_id = number % 3,
		.function_id = number % 5 ? 0x7f0000000000u + number % 4 : UINT64_MAX,
		.native_version = number % 11 ? number : UINT32_MAX,
		.code = number % MODEL_ACTIVE_COUNT,
		.body = MODEL_NONE,
		.seen_ns = number % 7 ? 2500 + number : 0,
	};

	if (row.code == MODEL_ACTIVE_BODY && !bodies)
		row.code = MODEL_ACTIVE_UNKNOWN;
	if (row.code == MODEL_ACTIVE_BODY) {
		row.body = bodies - 1 - number % bodies;
		row.process = model__body(model, row.body)->process;
	}
	assert_int_not_equal(model__add_active(model, &row), MODEL_NONE);
}

static inline void add_inlining(struct model *model, uint32_t number)
{
	struct model_inlining row = {
		.process = number % 2,
		.function_id = number % 5 ? 0x7f0000000000u + number % 4 : UINT64_MAX,
		.inliner_id = 0x7f0000000000u + number,
		.seen_ns = number % 7 ? 2500 + number : UINT64_MAX,
	};

	assert_int_not_equal(model__add_inlining(model, &row), MODEL_NONE);
}

static inline void add_tiering(struct model *model, uint32_t number)
{
	struct model_tiering row = {
		.process = number % 2,
		.kind = 1 + number % (TS_TIERING_COUNT - 1),
		.time_ns = number % 7 ? 2600 + number : UINT64_MAX,
		.pending = number % 3 ? number : UINT32_MAX,
		.new_methods = number % 4,
		.compiled = number % 5,
	};

	assert_int_not_equal(model__add_tiering(model, &row), MODEL_NONE);
}

static inline void begin_model(struct model *model)
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
static inline void grow_model(struct model *model, uint32_t bodies, uint32_t samples)
{
	uint32_t first = model__bodies(model), first_patch = model__patches(model);
	size_t first_sample = model__samples(model);

	for (uint32_t i = 0; i < bodies; i++)
		add_body(model, first + i);
	for (uint32_t i = 0; i < samples; i++)
		add_sample(model, (uint32_t)first_sample + i);
	for (uint32_t i = 0; i < bodies; i++) {
		add_patch(model, first_patch + i);
		add_il_version(model, first_patch + i);
		add_active(model, first_patch + i);
		add_inlining(model, first_patch + i);
		add_tiering(model, first_patch + i);
	}
	for (uint32_t i = 0; i < model__bodies(model); i += 3) {
		struct model_body body = *model__body(model, i);

		body.superseded_ns += 11;
		body.died_ns += 7;
		model__update_body(model, i, &body);
	}
	model__set_count(model, MODEL_LEDGER_SAMPLES, "kept", model__samples(model));
	model__set_count(model, MODEL_LEDGER_UNRESOLVED_LEAF, hostile[1], samples);
}

static inline void end_model(struct model *model)
{
	struct model_process process = *model__process(model, 0);

	process.end_ns = 99;
	process.parent = 1; /* known only later than the child */
	model__update_process(model, 0, &process);
	model__set_count(model, MODEL_LEDGER_SAMPLES, "due", UINT64_MAX);
	model__about(model)->end_ns = 1000000;
}

/* A model that was written in three steps, as a live recording is. */
static inline struct model *write_recording(const char *path)
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

static inline void assert_same_text(const struct model *a, string_id left,
				    const struct model *b, string_id right)
{
	assert_string_equal(model__text(a, left), model__text(b, right));
}

static inline void assert_same_process(const struct model *a, const struct model *b,
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
static inline void assert_same_origin(const struct model *a, const struct model *b,
				      uint32_t i)
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

static inline void assert_same_body(const struct model *a, const struct model *b,
				    uint32_t i)
{
	assert_same_origin(a, b, i);
	assert_int_equal(model__body(a, i)->died_ns, model__body(b, i)->died_ns);
	assert_int_equal(model__body(a, i)->superseded_ns,
			 model__body(b, i)->superseded_ns);
}

static inline void assert_same_thread(const struct model *a, const struct model *b,
				      uint32_t i)
{
	const struct model_thread *left = model__thread(a, i);
	const struct model_thread *right = model__thread(b, i);

	assert_int_equal(left->process, right->process);
	assert_int_equal(left->tid, right->tid);
	assert_same_text(a, left->name, b, right->name);
}

static inline void assert_same_frame(const struct model *a, const struct model *b,
				     uint32_t i)
{
	const struct model_frame *left = model__frame(a, i);
	const struct model_frame *right = model__frame(b, i);

	assert_int_equal(left->kind, right->kind);
	assert_int_equal(left->body, right->body);
	assert_int_equal(left->address, right->address);
	assert_same_text(a, left->name, b, right->name);
}

static inline void assert_same_sample(const struct model *a, const struct model *b,
				      size_t i)
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

static inline void assert_same_patch(const struct model *a, const struct model *b,
				     uint32_t i)
{
	const struct model_patch *left = model__patch(a, i);
	const struct model_patch *right = model__patch(b, i);

	assert_int_equal(left->process, right->process);
	assert_int_equal(left->kind, right->kind);
	assert_int_equal(left->function_id, right->function_id);
	assert_int_equal(left->cell, right->cell);
	assert_int_equal(left->words[0], right->words[0]);
	assert_int_equal(left->words[1], right->words[1]);
	assert_int_equal(left->target, right->target);
	assert_int_equal(left->body, right->body);
	assert_int_equal(left->window_ns[0], right->window_ns[0]);
	assert_int_equal(left->window_ns[1], right->window_ns[1]);
}

static inline void assert_same_il_version(const struct model *a, const struct model *b,
					  uint32_t i)
{
	const struct model_il_version *left = model__il_version(a, i);
	const struct model_il_version *right = model__il_version(b, i);

	assert_int_equal(left->process, right->process);
	assert_int_equal(left->rejit_id, right->rejit_id);
	assert_int_equal(left->function_id, right->function_id);
	assert_int_equal(left->state, right->state);
	assert_int_equal(left->seen_ns, right->seen_ns);
}

static inline void assert_same_active(const struct model *a, const struct model *b,
				      uint32_t i)
{
	const struct model_active *left = model__active(a, i);
	const struct model_active *right = model__active(b, i);

	assert_int_equal(left->process, right->process);
	assert_int_equal(left->rejit_id, right->rejit_id);
	assert_int_equal(left->function_id, right->function_id);
	assert_int_equal(left->native_version, right->native_version);
	assert_int_equal(left->code, right->code);
	assert_int_equal(left->body, right->body);
	assert_int_equal(left->seen_ns, right->seen_ns);
}

static inline void assert_same_about(const struct model *a, const struct model *b)
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
static inline void assert_prefix(const struct model *part, const struct model *whole)
{
	assert_true(model__samples(part) <= model__samples(whole));
	assert_true(model__processes(part) <= model__processes(whole));
	assert_true(model__bodies(part) <= model__bodies(whole));
	assert_true(model__threads(part) <= model__threads(whole));
	assert_true(model__frames(part) <= model__frames(whole));
	assert_true(model__stacks(part) <= model__stacks(whole));
	assert_true(model__patches(part) <= model__patches(whole));
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
	for (uint32_t i = 0; i < model__patches(part); i++)
		assert_same_patch(part, whole, i);
	assert_true(model__il_versions(part) <= model__il_versions(whole));
	for (uint32_t i = 0; i < model__il_versions(part); i++)
		assert_same_il_version(part, whole, i);
	assert_true(model__actives(part) <= model__actives(whole));
	for (uint32_t i = 0; i < model__actives(part); i++)
		assert_same_active(part, whole, i);
	assert_true(model__inlinings(part) <= model__inlinings(whole));
	for (uint32_t i = 0; i < model__inlinings(part); i++) {
		const struct model_inlining *left = model__inlining(part, i);
		const struct model_inlining *right = model__inlining(whole, i);

		assert_int_equal(left->process, right->process);
		assert_int_equal(left->function_id, right->function_id);
		assert_int_equal(left->inliner_id, right->inliner_id);
		assert_int_equal(left->seen_ns, right->seen_ns);
	}
	assert_true(model__tierings(part) <= model__tierings(whole));
	for (uint32_t i = 0; i < model__tierings(part); i++) {
		const struct model_tiering *left = model__tiering(part, i);
		const struct model_tiering *right = model__tiering(whole, i);

		assert_int_equal(left->process, right->process);
		assert_int_equal(left->kind, right->kind);
		assert_int_equal(left->time_ns, right->time_ns);
		assert_int_equal(left->pending, right->pending);
		assert_int_equal(left->new_methods, right->new_methods);
		assert_int_equal(left->compiled, right->compiled);
	}
}

static inline void assert_same_model(const struct model *a, const struct model *b)
{
	assert_int_equal(model__samples(a), model__samples(b));
	assert_int_equal(model__processes(a), model__processes(b));
	assert_int_equal(model__events(a), model__events(b));
	assert_int_equal(model__bodies(a), model__bodies(b));
	assert_int_equal(model__threads(a), model__threads(b));
	assert_int_equal(model__frames(a), model__frames(b));
	assert_int_equal(model__stacks(a), model__stacks(b));
	assert_int_equal(model__patches(a), model__patches(b));
	assert_int_equal(model__il_versions(a), model__il_versions(b));
	assert_int_equal(model__actives(a), model__actives(b));
	assert_int_equal(model__inlinings(a), model__inlinings(b));
	assert_int_equal(model__tierings(a), model__tierings(b));
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

/* The file as bytes; the caller frees. */
static inline struct buf read_bytes(const char *path)
{
	struct buf bytes = BUF_INIT;

	assert_int_equal(buf__read_file(&bytes, path, 1u << 30), 0);
	return bytes;
}

static inline void write_bytes(const char *path, const char *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	close(fd);
}

/* Changes some bytes of a file. */
static inline void patch(const char *path, size_t at, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, size, (off_t)at), size);
	close(fd);
}

/* Where the chunk at `at` ends. */
static inline size_t chunk_end(const struct buf *bytes, size_t at,
			       struct format_chunk *chunk)
{
	assert_true(at + sizeof(*chunk) <= bytes->size);
	memcpy(chunk, bytes->data + at, sizeof(*chunk));
	assert_int_equal(chunk->magic, FORMAT_CHUNK_MAGIC);
	return at + sizeof(*chunk) + (chunk->length + 7) / 8 * 8;
}

#define RECORDING_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif /* TIERSCOPE_TESTS_RECORDING_FIXTURE_H */
