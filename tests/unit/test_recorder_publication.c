// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Entry cells that are read from outside, from time to time: the process is this program
// itself, with methods and stubs as .NET 9 and 10 lay them out, built by hand.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/image/image.h"
#include "../../user/recorder/internal.h"
#include "image_files.h"
#include "no_image_arrays.h"
#include "no_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* As in user/recorder/publication.c. */
#define READ_NS	  500000000ull
#define LATELY_NS 10000000000ull
#define BATCH	  128u

#define START	 100000000000ull
#define PAGE	 0x1000u
#define TO_WORDS 0x4000u /* from a stub to its words */
#define METHODS	 600u
#define COUNTING METHODS /* a stub that is of no method */
#define FAR	 512u	 /* the words of its stub begin a page */
#define OWN_SLOT 0x8u
#define NO_PID	 0x3fffffff

/* A MethodDesc, and its code data. */
struct method {
	uint8_t head[4];
	uint16_t slot, flags;
	uint64_t code_data;
	uint64_t versioning, precode;
};
_Static_assert(sizeof(struct method) == 32, "MethodDesc and code data");

/* A MethodTable with one chunk of slots, and one of MethodDescs. */
struct type {
	uint8_t head[12];
	uint16_t slots_count;
	uint8_t more[50];
	uint64_t slots_address;
	uint64_t slots[8];
	uint64_t chunk[3];
	struct method method;
};
_Static_assert(offsetof(struct type, slots_address) == 64, "MethodTable");

struct stub {
	uint8_t code[24];
};

struct words {
	uint64_t target, method, prestub;
};

struct memory {
	_Alignas(PAGE) struct method methods[METHODS];
	struct type type;
	_Alignas(PAGE) struct stub stubs[TO_WORDS / sizeof(struct stub)];
	_Alignas(PAGE) struct words words[TO_WORDS / sizeof(struct words)];
};
_Static_assert(offsetof(struct memory, words) ==
	       offsetof(struct memory, stubs) + TO_WORDS, "stubs and their words");

struct fixture {
	struct model *model;
	struct recorder *recorder;
	struct process *process;
	struct memory *memory;
	uint64_t now;
};

/* Behind the precode's first jump: there its target is until there is a body. */
static uint64_t prestub_of(const struct fixture *fixture, uint32_t number)
{
	return (uintptr_t)&fixture->memory->stubs[number] + 6;
}

/* jmp [target]; mov r10, [method]; jmp [prestub]. */
static void put_precode(struct fixture *fixture, uint32_t number, struct method *method)
{
	static const struct stub fixup = {
		{ 0xff, 0x25, 0xfa, 0x3f, 0x00, 0x00, 0x4c, 0x8b, 0x15, 0xfb, 0x3f, 0x00,
		  0x00, 0xff, 0x25, 0xfd, 0x3f, 0x00, 0x00, 0x90, 0x66, 0x0f, 0x1f, 0x44 }
	};

	fixture->memory->stubs[number] = fixup;
	fixture->memory->words[number].target = prestub_of(fixture, number);
	fixture->memory->words[number].method = (uintptr_t)method;
	method->code_data = (uintptr_t)&method->versioning;
	method->precode = (uintptr_t)&fixture->memory->stubs[number];
}

/* mov rax, [count]; dec word [rax]; je past; jmp [target]; past: jmp [threshold]. */
static uint64_t count_calls_of(struct fixture *fixture, uint64_t start)
{
	static const struct stub counting = {
		{ 0x48, 0x8b, 0x05, 0xf9, 0x3f, 0x00, 0x00, 0x66, 0xff, 0x08, 0x74, 0x06,
		  0xff, 0x25, 0xf6, 0x3f, 0x00, 0x00, 0xff, 0x25, 0xf8, 0x3f, 0x00, 0x00 }
	};

	fixture->memory->stubs[COUNTING] = counting;
	fixture->memory->words[COUNTING].method = start; /* the second word */
	return (uintptr_t)&fixture->memory->stubs[COUNTING];
}

static int set_up(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){ .model = model__new(), .now = START };
	fixture.recorder = recorder__new(NULL, fixture.model);
	fixture.process = process__new(fixture.recorder, 1, getpid(), 100, MODEL_NONE,
				       MODEL_NONE);
	fixture.process->hooked = true;
	fixture.memory = mmap(NULL, sizeof(*fixture.memory), PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(fixture.memory, MAP_FAILED);
	for (uint32_t i = 0; i < METHODS; i++) {
		fixture.memory->methods[i].flags = OWN_SLOT;
		put_precode(&fixture, i, &fixture.memory->methods[i]);
	}
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	recorder__free(fixture->recorder);
	model__free(fixture->model);
	munmap(fixture->memory, sizeof(*fixture->memory));
	return 0;
}

static uint64_t function_of(const struct fixture *fixture, uint32_t number)
{
	return (uintptr_t)&fixture->memory->methods[number];
}

/* A body's code can be anywhere: nothing is mapped there. */
static uint64_t start_of(uint32_t number, uint32_t version)
{
	return 0x10000000 + 0x10000 * number + 0x1000 * version;
}

/* Tells of a body, as of now. */
static uint32_t tell(struct fixture *fixture, const struct model_body *told)
{
	struct model_body body = *told;
	uint32_t index;

	body.process = fixture->process->index;
	body.size = 0x100;
	body.born_ns = fixture->now;
	index = model__add_body(fixture->model, &body);
	map__set(fixture->process->bodies, 0, body.start, index);
	return index;
}

/* By an event. */
static uint32_t tell_body(struct fixture *fixture, uint32_t number, uint32_t version)
{
	return tell(fixture, &(struct model_body){
				     .function_id = function_of(fixture, number),
				     .start = start_of(number, version) });
}

static void end_body(struct fixture *fixture, uint32_t index)
{
	struct model_body body = *model__body(fixture->model, index);

	body.died_ns = fixture->now;
	model__update_body(fixture->model, index, &body);
}

static void set_cell(struct fixture *fixture, uint32_t number, uint64_t word)
{
	fixture->memory->words[number].target = word;
}

static void run_body(struct fixture *fixture, uint32_t body)
{
	publication__ran(fixture->process, model__body(fixture->model, body),
			 fixture->now);
}

/* A step at a time; how many patches it brought. */
static uint32_t step_at(struct fixture *fixture, uint64_t now)
{
	uint32_t before = model__patches(fixture->model);

	publication__step(fixture->recorder, now);
	return model__patches(fixture->model) - before;
}

/* The next look. */
static uint32_t look(struct fixture *fixture)
{
	fixture->now += READ_NS;
	return step_at(fixture, fixture->now);
}

static uint32_t finish(struct fixture *fixture)
{
	uint32_t before = model__patches(fixture->model);

	fixture->now += READ_NS / 2;
	publication__finish(fixture->recorder, fixture->now);
	return model__patches(fixture->model) - before;
}

/* Version 0 of the method runs, and its cell is looked at. */
static uint32_t watch(struct fixture *fixture, uint32_t number)
{
	uint32_t body = tell_body(fixture, number, 0);

	set_cell(fixture, number, start_of(number, 0));
	run_body(fixture, body);
	assert_int_equal(look(fixture), 1);
	return body;
}

/* Windows end when a look is over: a moment after it began, and long before the next. */
static void expect_look(uint64_t time_ns, uint64_t look)
{
	assert_in_range(time_ns, look, look ? look + READ_NS - 1 : 0);
}

/* The last patch, with a window from then until now. */
static void expect_patch(const struct fixture *fixture, uint32_t number,
			 enum ts_target target, uint32_t body, uint64_t from)
{
	const struct model *model = fixture->model;
	const struct model_patch *patch = model__patch(model, model__patches(model) - 1);

	assert_int_equal(patch->process, fixture->process->index);
	assert_int_equal(patch->function_id, function_of(fixture, number));
	assert_int_equal(patch->kind, TS_CELL_PRECODE);
	assert_int_equal(patch->cell, (uintptr_t)&fixture->memory->words[number].target);
	assert_int_equal(patch->words[1], fixture->memory->words[number].target);
	assert_int_equal(patch->target, target);
	assert_int_equal(patch->body, body);
	assert_int_equal(patch->window_ns[0], from);
	expect_look(patch->window_ns[1], fixture->now);
}

static void expect_published(const struct fixture *fixture, uint32_t index, uint64_t from,
			     uint64_t until, uint64_t superseded)
{
	const struct model_body *body = model__body(fixture->model, index);

	assert_int_equal(body->published_ns[0], from);
	expect_look(body->published_ns[1], until);
	expect_look(body->superseded_ns, superseded);
}

static uint64_t superseded(const struct fixture *fixture, uint32_t body)
{
	return model__body(fixture->model, body)->superseded_ns;
}

static uint32_t patches_of(const struct fixture *fixture, uint32_t number)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < model__patches(fixture->model); i++)
		count += model__patch(fixture->model, i)->function_id ==
			 function_of(fixture, number);
	return count;
}

static void what_ran_is_watched_at_the_next_look(void **state)
{
	struct fixture *fixture = *state;
	uint32_t body = tell_body(fixture, 0, 0);

	set_cell(fixture, 0, start_of(0, 0));
	assert_int_equal(look(fixture), 0);
	run_body(fixture, body);
	assert_int_equal(model__patches(fixture->model), 0);
	assert_int_equal(look(fixture), 1);
	/* Nobody saw what the cell held before. */
	expect_patch(fixture, 0, TS_TARGET_BODY, body, 0);
	assert_int_equal(model__patch(fixture->model, 0)->words[0], 0);
	/* But not before the birth that an event told. */
	expect_published(fixture, body, START, fixture->now, 0);
}

static void a_body_of_a_catch_up_is_published_since_nobody_knows_when(void **state)
{
	struct fixture *fixture = *state;
	uint32_t body = tell(fixture,
			     &(struct model_body){ .function_id = function_of(fixture, 0),
						   .start = start_of(0, 0),
						   .source = MODEL_SOURCE_CATCH_UP });

	set_cell(fixture, 0, start_of(0, 0));
	run_body(fixture, body);
	assert_int_equal(look(fixture), 1);
	expect_patch(fixture, 0, TS_TARGET_BODY, body, 0);
	expect_published(fixture, body, 0, fixture->now, 0);
}

static void nothing_is_read_soon_after_the_last_look(void **state)
{
	struct fixture *fixture = *state;

	watch(fixture, 0);
	tell_body(fixture, 0, 1);
	set_cell(fixture, 0, start_of(0, 1));
	set_cell(fixture, 1, start_of(1, 0));
	run_body(fixture, tell_body(fixture, 1, 0));
	assert_int_equal(step_at(fixture, fixture->now), 0);
	assert_int_equal(step_at(fixture, fixture->now + READ_NS - 1), 0);
	assert_int_equal(step_at(fixture, fixture->now + READ_NS), 2);
	assert_int_equal(step_at(fixture, fixture->now + READ_NS + 1), 0);
}

static void no_change_is_no_patch(void **state)
{
	struct fixture *fixture = *state;
	uint32_t body = watch(fixture, 0);
	uint64_t seen = fixture->now;
	size_t updates = model__updates(fixture->model);

	for (int i = 0; i < 5; i++)
		assert_int_equal(look(fixture), 0);
	assert_int_equal(model__updates(fixture->model), updates);
	expect_published(fixture, body, START, seen, 0);
}

static void another_body_supersedes_the_one_before(void **state)
{
	struct fixture *fixture = *state;
	uint32_t bodies[3] = { watch(fixture, 0), tell_body(fixture, 0, 1) };
	uint64_t watched = fixture->now, seen, later;

	/* It was not reached at this look, which was after its birth. */
	assert_int_equal(look(fixture), 0);
	seen = fixture->now;
	set_cell(fixture, 0, start_of(0, 1));
	assert_int_equal(look(fixture), 1);
	expect_patch(fixture, 0, TS_TARGET_BODY, bodies[1], seen);
	assert_int_equal(model__patch(fixture->model, 1)->words[0], start_of(0, 0));
	expect_published(fixture, bodies[0], START, watched, fixture->now);
	expect_published(fixture, bodies[1], seen, fixture->now, 0);

	/* This one was born since the last look. */
	seen = fixture->now;
	later = fixture->now += READ_NS / 2;
	bodies[2] = tell_body(fixture, 0, 2);
	set_cell(fixture, 0, start_of(0, 2));
	assert_int_equal(look(fixture), 1);
	expect_patch(fixture, 0, TS_TARGET_BODY, bodies[2], seen);
	expect_published(fixture, bodies[2], later, fixture->now, 0);
	expect_look(superseded(fixture, bodies[1]), fixture->now);
	expect_look(superseded(fixture, bodies[0]), seen);
}

static void a_body_that_is_reverted_to_is_published_again(void **state)
{
	struct fixture *fixture = *state;
	uint32_t first = watch(fixture, 0), second = tell_body(fixture, 0, 1);
	uint64_t seen;

	set_cell(fixture, 0, start_of(0, 1));
	assert_int_equal(look(fixture), 1);
	seen = fixture->now;
	expect_look(superseded(fixture, first), seen);
	set_cell(fixture, 0, start_of(0, 0));
	assert_int_equal(look(fixture), 1);
	expect_patch(fixture, 0, TS_TARGET_BODY, first, seen);
	expect_published(fixture, first, seen, fixture->now, 0);
	expect_look(superseded(fixture, second), fixture->now);
}

static void a_reset_supersedes_without_another_body(void **state)
{
	struct fixture *fixture = *state;
	uint32_t body = watch(fixture, 0);
	uint64_t seen = fixture->now;

	set_cell(fixture, 0, prestub_of(fixture, 0));
	assert_int_equal(look(fixture), 1);
	expect_patch(fixture, 0, TS_TARGET_PRESTUB, MODEL_NONE, seen);
	expect_published(fixture, body, START, seen, fixture->now);
	/* It is not superseded again, and can come back. */
	seen = fixture->now;
	assert_int_equal(look(fixture), 0);
	expect_look(superseded(fixture, body), seen);
	seen = fixture->now;
	set_cell(fixture, 0, start_of(0, 0));
	assert_int_equal(look(fixture), 1);
	expect_patch(fixture, 0, TS_TARGET_BODY, body, seen);
	expect_published(fixture, body, seen, fixture->now, 0);
}

static void calls_may_be_counted_on_their_way(void **state)
{
	struct fixture *fixture = *state;
	uint32_t first = watch(fixture, 0), second = tell_body(fixture, 0, 1);
	uint64_t watched = fixture->now;

	/* The body stays the same: it is not published anew. */
	set_cell(fixture, 0, count_calls_of(fixture, start_of(0, 0)));
	assert_int_equal(look(fixture), 1);
	expect_patch(fixture, 0, TS_TARGET_CALL_COUNTING, first, watched);
	expect_published(fixture, first, START, watched, 0);
	set_cell(fixture, 0, start_of(0, 0));
	assert_int_equal(look(fixture), 1);
	expect_patch(fixture, 0, TS_TARGET_BODY, first, fixture->now - READ_NS);
	expect_published(fixture, first, START, watched, 0);
	set_cell(fixture, 0, count_calls_of(fixture, start_of(0, 1)));
	assert_int_equal(look(fixture), 1);
	expect_patch(fixture, 0, TS_TARGET_CALL_COUNTING, second, fixture->now - READ_NS);
	expect_published(fixture, second, fixture->now - READ_NS, fixture->now, 0);
	assert_int_equal(look(fixture), 0);
}

/* It can be a body whose event is still to come. */
static void what_leads_nowhere_known_is_no_patch(void **state)
{
	struct fixture *fixture = *state;
	uint32_t first = watch(fixture, 0), second;
	uint64_t seen = fixture->now;

	set_cell(fixture, 0, function_of(fixture, 0)); /* can be read, is no code */
	assert_int_equal(look(fixture), 0);
	expect_published(fixture, first, START, seen, 0);
	set_cell(fixture, 0, start_of(0, 1));
	second = tell_body(fixture, 0, 1);
	assert_int_equal(look(fixture), 1);
	expect_patch(fixture, 0, TS_TARGET_BODY, second, seen);
	assert_int_equal(model__patch(fixture->model, 1)->words[0], start_of(0, 0));
	expect_published(fixture, first, START, seen, fixture->now);
}

static void what_leads_nowhere_known_at_two_looks_is_unknown(void **state)
{
	struct fixture *fixture = *state;
	uint32_t first = watch(fixture, 0);
	uint64_t seen = fixture->now;

	set_cell(fixture, 0, start_of(0, 2)); /* what was there is gone */
	end_body(fixture, tell_body(fixture, 0, 2));
	assert_int_equal(look(fixture), 0);
	assert_int_equal(look(fixture), 1);
	expect_patch(fixture, 0, TS_TARGET_UNKNOWN, MODEL_NONE, seen);
	expect_published(fixture, first, START, seen, fixture->now);
	assert_int_equal(look(fixture), 0);
	assert_int_equal(look(fixture), 0);
	/* One such look after one that could be told is none again. */
	seen = fixture->now;
	set_cell(fixture, 0, start_of(0, 0));
	assert_int_equal(look(fixture), 1);
	expect_patch(fixture, 0, TS_TARGET_BODY, first, seen);
	set_cell(fixture, 0, start_of(0, 2));
	assert_int_equal(look(fixture), 0);
}

static void a_first_look_that_tells_nothing_is_none(void **state)
{
	struct fixture *fixture = *state;
	uint32_t body = tell_body(fixture, 0, 0);

	set_cell(fixture, 0, start_of(1, 0)); /* a body, but not of this function */
	tell_body(fixture, 1, 0);
	run_body(fixture, body);
	assert_int_equal(look(fixture), 0);
	assert_int_equal(look(fixture), 0);
	set_cell(fixture, 0, 0);
	assert_int_equal(look(fixture), 0);
	set_cell(fixture, 0, start_of(0, 0));
	assert_int_equal(look(fixture), 1);
	expect_patch(fixture, 0, TS_TARGET_BODY, body, 0);
	assert_int_equal(model__patch(fixture->model, 0)->words[0], 0);
}

/* A virtual method's slot stays: the word behind it changes. */
static void a_slot_that_leads_on_is_followed_each_time(void **state)
{
	struct fixture *fixture = *state;
	struct type *type = &fixture->memory->type;
	struct model_body told = { .function_id = (uintptr_t)&type->method,
				   .start = start_of(0, 0) };
	const struct model_patch *patch;
	uint32_t body = tell(fixture, &told);

	type->slots_count = 8;
	type->slots_address = (uintptr_t)type->slots;
	type->chunk[0] = (uintptr_t)type;
	type->method.slot = 3;
	put_precode(fixture, 0, &type->method);
	type->slots[3] = type->method.precode;
	run_body(fixture, body);
	assert_int_equal(look(fixture), 1);
	assert_int_equal(model__patch(fixture->model, 0)->target, TS_TARGET_PRESTUB);
	set_cell(fixture, 0, told.start);
	assert_int_equal(look(fixture), 1);
	patch = model__patch(fixture->model, 1);
	assert_int_equal(patch->kind, TS_CELL_SLOT);
	assert_int_equal(patch->cell, (uintptr_t)&type->slots[3]);
	assert_int_equal(patch->target, TS_TARGET_BODY);
	assert_int_equal(patch->body, body);
	assert_int_equal(patch->words[0], type->slots[3]);
	assert_int_equal(patch->words[1], type->slots[3]);
	type->slots[3] = told.start; /* the same body, without the detour */
	assert_int_equal(look(fixture), 0);
}

/* The body is in an image; that it is this function's, its cell alone tells. */
static void precompiled_code_is_a_body_where_it_begins(void **state)
{
	struct fixture *fixture = *state;
	struct image_file file = { .number = NO_IMAGE };
	struct mapping mapping = { .image_base = 0x20000000, .kind = MAPPING_FILE };
	const struct image_body *bodies;
	struct model_body body;
	char path[2048];
	uint32_t number;
	uint64_t start;
	int fd;

	if (!image_files__path("System.Collections.dll", path, sizeof(path)))
		skip();
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_return_code(fd, errno);
	assert_int_equal(image__open(fd, 0, NULL, &file.image), 0);
	close(fd);
	assert_true(image__bodies(file.image, &bodies) > 0);
	mapping.start = mapping.image_base;
	mapping.end = mapping.image_base + image__size(file.image);
	start = mapping.image_base + bodies[0].begin;
	mapping.file = images__keep(fixture->recorder, &file, path);
	fixture->process->mappings.items = calloc(1, sizeof(mapping));
	fixture->process->mappings.items[0] = mapping;
	fixture->process->mappings.count = fixture->process->mappings.capacity = 1;
	set_cell(fixture, 0, start);
	run_body(fixture, tell_body(fixture, 0, 0));
	assert_int_equal(look(fixture), 0);
	/* Nobody was told whose code it is; then it is another function's. */
	number = images__body(fixture->recorder, fixture->process, mapping.file,
			      mapping.image_base, bodies[0].begin, 0);
	assert_int_equal(look(fixture), 0);
	body = *model__body(fixture->model, number);
	body.flags &= ~(uint32_t)MODEL_BODY_FUNCTION_UNKNOWN;
	body.function_id = function_of(fixture, 1);
	model__update_body(fixture->model, number, &body);
	assert_int_equal(look(fixture), 0);
	body.function_id = function_of(fixture, 0);
	model__update_body(fixture->model, number, &body);
	set_cell(fixture, 0, start + 1);
	assert_int_equal(look(fixture), 0);
	set_cell(fixture, 0, start);
	assert_int_equal(look(fixture), 1);
	expect_patch(fixture, 0, TS_TARGET_BODY, number, 0);
	expect_published(fixture, number, 0, fixture->now, 0);
}

/* It may lead to a body that is told of in a moment. */
static void a_function_without_a_cell_is_asked_for_when_it_runs_again(void **state)
{
	struct fixture *fixture = *state;
	struct method sound = fixture->memory->methods[0];
	uint32_t body = tell_body(fixture, 0, 0), nowhere;

	set_cell(fixture, 0, start_of(0, 0));
	fixture->memory->methods[0].code_data = 0;
	nowhere = tell(fixture, &(struct model_body){ .function_id = start_of(1, 0),
						      .start = start_of(1, 1) });
	run_body(fixture, body);
	run_body(fixture, body);
	run_body(fixture, nowhere);
	assert_int_equal(fixture->process->publication.wanted_count, 2);
	assert_int_equal(look(fixture), 0);
	fixture->memory->methods[0] = sound;
	assert_int_equal(look(fixture), 0);
	run_body(fixture, body);
	run_body(fixture, nowhere);
	assert_int_equal(look(fixture), 1);
	expect_patch(fixture, 0, TS_TARGET_BODY, body, 0);
	assert_int_equal(fixture->process->publication.count, 1);
}

/* What is at the address of such a function can be another one a moment later. */
static void what_can_vanish_or_is_not_known_is_never_watched(void **state)
{
	static const uint32_t flags[] = { MODEL_BODY_DYNAMIC, MODEL_BODY_COLLECTIBLE,
					  MODEL_BODY_FUNCTION_UNKNOWN, 0 };
	struct fixture *fixture = *state;

	for (uint32_t i = 0; i < 4; i++) {
		uint64_t function = flags[i] ? function_of(fixture, i) : 0;

		set_cell(fixture, i, start_of(i, 0));
		run_body(fixture, tell(fixture, &(struct model_body){
							.function_id = function,
							.start = start_of(i, 0),
							.flags = flags[i] }));
	}
	assert_int_equal(fixture->process->publication.wanted_count, 0);
	assert_int_equal(look(fixture), 0);
	assert_int_equal(finish(fixture), 0);
	assert_int_equal(fixture->process->publication.count, 0);
}

static void only_a_live_process_with_a_hook_is_read(void **state)
{
	struct fixture *fixture = *state;
	struct process *process = fixture->process, other = { .alive = true };
	uint32_t body = watch(fixture, 0);

	tell_body(fixture, 0, 1);
	set_cell(fixture, 0, start_of(0, 1));
	process->hooked = false;
	assert_int_equal(look(fixture) + finish(fixture), 0);
	process->hooked = true;
	process->alive = false;
	assert_int_equal(look(fixture) + finish(fixture), 0);
	run_body(fixture, tell_body(fixture, 1, 0));
	assert_int_equal(process->publication.wanted_count, 0);
	/* Forked, still without a program of its own: its functions are its parent's. */
	process->alive = true;
	process->code = &other;
	assert_int_equal(look(fixture) + finish(fixture), 0);
	process->code = process;
	run_body(fixture, body);
	assert_int_equal(look(fixture), 1);
}

/* PROT_NONE is as good as unmapped, but nothing else can get the place. */
static void protect_page_of(struct fixture *fixture, uint32_t number, int protection)
{
	void *page = &fixture->memory->words[number];

	assert_int_equal((uintptr_t)page % PAGE, 0);
	assert_return_code(mprotect(page, PAGE, protection), errno);
}

static void a_look_that_fails_is_none(void **state)
{
	struct fixture *fixture = *state;
	uint32_t second;
	uint64_t seen;

	watch(fixture, FAR);
	seen = fixture->now;
	protect_page_of(fixture, FAR, PROT_NONE);
	assert_int_equal(look(fixture), 0);
	assert_int_equal(finish(fixture), 0);
	protect_page_of(fixture, FAR, PROT_READ | PROT_WRITE);
	second = tell_body(fixture, FAR, 1);
	set_cell(fixture, FAR, start_of(FAR, 1));
	assert_int_equal(finish(fixture), 1);
	expect_patch(fixture, FAR, TS_TARGET_BODY, second, seen);
}

/* One call reads many cells, and ends at the first that is not there. */
static void a_cell_that_vanishes_is_no_patch_and_ends_with_its_runs(void **state)
{
	struct fixture *fixture = *state;
	uint32_t before = watch(fixture, 0), gone = watch(fixture, FAR);
	uint32_t behind = watch(fixture, 1);
	uint64_t seen;

	assert_int_equal(look(fixture), 0);
	seen = fixture->now;
	tell_body(fixture, 0, 1);
	tell_body(fixture, 1, 1);
	set_cell(fixture, 0, start_of(0, 1));
	set_cell(fixture, 1, start_of(1, 1));
	protect_page_of(fixture, FAR, PROT_NONE);
	look(fixture);
	assert_int_equal(patches_of(fixture, 0), 2);
	assert_int_equal(patches_of(fixture, 1), 2);
	for (uint64_t end = fixture->now + LATELY_NS; fixture->now < end;) {
		run_body(fixture, before);
		run_body(fixture, behind);
		look(fixture);
	}
	assert_int_equal(patches_of(fixture, 1), 2);
	assert_int_equal(patches_of(fixture, FAR), 1);
	assert_int_equal(model__patch(fixture->model, 4)->window_ns[0], seen);
	assert_int_equal(superseded(fixture, gone), 0);
}

static void what_has_not_run_lately_is_not_read_until_it_runs(void **state)
{
	struct fixture *fixture = *state;
	uint32_t body = watch(fixture, 0), second;
	uint64_t seen;

	/* It runs again, and so is read up to the last moment. */
	fixture->now += LATELY_NS / 2;
	run_body(fixture, body);
	seen = fixture->now += LATELY_NS;
	assert_int_equal(step_at(fixture, seen), 0);
	second = tell_body(fixture, 0, 1);
	set_cell(fixture, 0, start_of(0, 1));
	assert_int_equal(look(fixture), 0);
	fixture->now += LATELY_NS;
	assert_int_equal(look(fixture), 0);
	run_body(fixture, second);
	assert_int_equal(look(fixture), 1);
	/* Since when, it cannot tell any better. */
	expect_patch(fixture, 0, TS_TARGET_BODY, second, seen);
}

static void more_functions_than_one_call_reads_are_all_read(void **state)
{
	enum { COUNT = 3 * BATCH + 1 };
	struct fixture *fixture = *state;
	uint64_t seen;

	for (uint32_t i = 0; i < COUNT; i++) {
		set_cell(fixture, i, start_of(i, 0));
		run_body(fixture, tell_body(fixture, i, 0));
	}
	/* To find cells is dear: only some at a time, but all of them in the end. */
	assert_in_range(look(fixture), 1, BATCH);
	for (int i = 0; i < 10; i++)
		look(fixture);
	assert_int_equal(model__patches(fixture->model), COUNT);
	seen = fixture->now;
	for (uint32_t i = 0; i < COUNT; i++) {
		tell_body(fixture, i, 1);
		set_cell(fixture, i, start_of(i, 1));
	}
	assert_int_equal(look(fixture), COUNT);
	for (uint32_t i = COUNT; i < 2 * COUNT; i++) {
		const struct model_patch *patch = model__patch(fixture->model, i);

		assert_int_equal(patch->words[1],
				 model__body(fixture->model, patch->body)->start);
		assert_int_equal(patch->function_id,
				 model__body(fixture->model, patch->body)->function_id);
		assert_int_equal(patch->window_ns[0], seen);
	}
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(patches_of(fixture, i), 2);
}

static void the_end_reads_what_never_ran_too(void **state)
{
	enum { UNTIL = 3 * BATCH };
	struct fixture *fixture = *state;
	struct process *other;
	uint32_t second;
	uint64_t seen;

	/* Watched once, but not lately. */
	watch(fixture, 0);
	seen = fixture->now;
	fixture->now += 2 * LATELY_NS;
	second = tell_body(fixture, 0, 1);
	set_cell(fixture, 0, start_of(0, 1));
	assert_int_equal(look(fixture), 0);
	assert_int_equal(finish(fixture), 1);
	expect_patch(fixture, 0, TS_TARGET_BODY, second, seen);

	/* Never: of these, the first has died, the second is another process's. */
	end_body(fixture, tell_body(fixture, 1, 0));
	other = process__new(fixture->recorder, 2, NO_PID, 100, MODEL_NONE, MODEL_NONE);
	model__add_body(fixture->model,
			&(struct model_body){ .process = other->index,
					      .function_id = function_of(fixture, 2),
					      .start = start_of(2, 0) });
	for (uint32_t i = 3; i < UNTIL; i++) {
		tell_body(fixture, i, 0);
		set_cell(fixture, i, start_of(i, 0));
	}
	assert_int_equal(finish(fixture), UNTIL - 3);
	assert_int_equal(patches_of(fixture, 1) + patches_of(fixture, 2), 0);
	for (uint32_t i = 3; i < UNTIL; i++)
		assert_int_equal(patches_of(fixture, i), 1);
	assert_int_equal(model__patch(fixture->model, 2)->window_ns[0], 0);
	expect_look(model__patch(fixture->model, 2)->window_ns[1], fixture->now);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_ran_is_watched_at_the_next_look),
		TEST(a_body_of_a_catch_up_is_published_since_nobody_knows_when),
		TEST(nothing_is_read_soon_after_the_last_look),
		TEST(no_change_is_no_patch),
		TEST(another_body_supersedes_the_one_before),
		TEST(a_body_that_is_reverted_to_is_published_again),
		TEST(a_reset_supersedes_without_another_body),
		TEST(calls_may_be_counted_on_their_way),
		TEST(what_leads_nowhere_known_is_no_patch),
		TEST(what_leads_nowhere_known_at_two_looks_is_unknown),
		TEST(a_first_look_that_tells_nothing_is_none),
		TEST(a_slot_that_leads_on_is_followed_each_time),
		TEST(precompiled_code_is_a_body_where_it_begins),
		TEST(a_function_without_a_cell_is_asked_for_when_it_runs_again),
		TEST(what_can_vanish_or_is_not_known_is_never_watched),
		TEST(only_a_live_process_with_a_hook_is_read),
		TEST(a_look_that_fails_is_none),
		TEST(a_cell_that_vanishes_is_no_patch_and_ends_with_its_runs),
		TEST(what_has_not_run_lately_is_not_read_until_it_runs),
		TEST(more_functions_than_one_call_reads_are_all_read),
		TEST(the_end_reads_what_never_ran_too),
	};

	return cmocka_run_group_tests_name("recorder publication", tests, NULL, NULL);
}
