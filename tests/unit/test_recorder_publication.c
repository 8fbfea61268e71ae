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
#include "../../user/kernel/internal.h"
#include "../../user/recorder/internal.h"
#include "image_files.h"
#include "no_image_arrays.h"
#include "no_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
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
#define BETWEEN	 300u	 /* on a page between those of 0 and FAR */
#define OWN_SLOT 0x8u
#define NO_PID	 0x3fffffff

/* In place of user/kernel/sampling.c. */
static struct {
	int err;
	uint32_t calls;
	uint64_t address; /* of the last call */
	uint64_t write;	  /* by a thread, a moment before there is a watchpoint */
} sampling;

int kernel__watch(struct kernel *kernel, uint64_t address, struct trouble *ret_trouble)
{
	(void)kernel;
	sampling.calls++;
	sampling.address = address;
	if (sampling.write)
		*(uint64_t *)(uintptr_t)address = sampling.write;
	return sampling.err ? trouble__set(ret_trouble, sampling.err, "all taken") : 0;
}

int sampling__open(struct kernel *kernel, const struct kernel_options *options,
		   struct trouble *ret_trouble)
{
	(void)kernel, (void)options, (void)ret_trouble;
	return 0;
}

void sampling__close(struct kernel *kernel)
{
	(void)kernel;
}

void kernel__pause(struct kernel *kernel)
{
	(void)kernel;
}

int kernel__resume(struct kernel *kernel)
{
	(void)kernel;
	return 0;
}

uint64_t kernel__due(struct kernel *kernel)
{
	(void)kernel;
	return 0;
}

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

	memset(&sampling, 0, sizeof(sampling));
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

/* A virtual method, by way of its slot and precode 0. */
static void put_virtual(struct fixture *fixture, struct type *type)
{
	type->slots_count = 8;
	type->slots_address = (uintptr_t)type->slots;
	type->chunk[0] = (uintptr_t)type;
	type->method.slot = 3;
	put_precode(fixture, 0, &type->method);
	type->slots[3] = type->method.precode;
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

	put_virtual(fixture, type);
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
	uintptr_t words = (uintptr_t)&fixture->memory->words[number];

	assert_return_code(mprotect((void *)(words & ~(uintptr_t)(PAGE - 1)), PAGE,
				    protection),
			   errno);
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
	uint32_t before = watch(fixture, 0), gone = watch(fixture, BETWEEN);
	uint32_t behind = watch(fixture, FAR);
	uint64_t seen;

	assert_int_equal(look(fixture), 0);
	seen = fixture->now;
	tell_body(fixture, 0, 1);
	tell_body(fixture, FAR, 1);
	set_cell(fixture, 0, start_of(0, 1));
	set_cell(fixture, FAR, start_of(FAR, 1));
	protect_page_of(fixture, BETWEEN, PROT_NONE);
	look(fixture);
	assert_int_equal(patches_of(fixture, 0), 2);
	assert_int_equal(patches_of(fixture, FAR), 2);
	for (uint64_t end = fixture->now + LATELY_NS; fixture->now < end;) {
		run_body(fixture, before);
		run_body(fixture, behind);
		look(fixture);
	}
	assert_int_equal(patches_of(fixture, FAR), 2);
	assert_int_equal(patches_of(fixture, BETWEEN), 1);
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

/* --- watchpoints ------------------------------------------------------------ */

static int set_watchpoint(struct fixture *fixture, uint32_t number)
{
	return recorder__watch(fixture->recorder, fixture->process->index,
			       function_of(fixture, number), NULL);
}

/* Version 0 is what calls of the method reach, and from now on each write is told. */
static uint32_t watch_writes(struct fixture *fixture, uint32_t number)
{
	uint32_t body;

	fixture->now = clock__now();
	body = tell_body(fixture, number, 0);
	set_cell(fixture, number, start_of(number, 0));
	assert_int_equal(set_watchpoint(fixture, number), 0);
	assert_int_equal(patches_of(fixture, number), 1);
	fixture->now = clock__now();
	return body;
}

/* What a watchpoint tells of a word; how many patches it brought. */
static uint32_t hit_at(struct fixture *fixture, uint64_t address, uint64_t word,
		       uint64_t time_ns)
{
	const struct ts_hit hit = { .address = address, .word = word };
	uint32_t before = model__patches(fixture->model);

	publication__hit(fixture->recorder, fixture->process, &hit, time_ns);
	return model__patches(fixture->model) - before;
}

static uint64_t cell_of(const struct fixture *fixture, uint32_t number)
{
	return (uintptr_t)&fixture->memory->words[number].target;
}

/* A thread writes the method's cell. */
static uint32_t hit(struct fixture *fixture, uint32_t number, uint64_t word,
		    uint64_t time_ns)
{
	set_cell(fixture, number, word);
	return hit_at(fixture, cell_of(fixture, number), word, time_ns);
}

/* The last patch: of that moment. */
static void expect_exact_patch(const struct fixture *fixture, uint32_t number,
			       uint64_t word, enum ts_target target, uint32_t body,
			       uint64_t time_ns)
{
	const struct model *model = fixture->model;
	const struct model_patch *patch = model__patch(model, model__patches(model) - 1);

	assert_int_equal(patch->process, fixture->process->index);
	assert_int_equal(patch->function_id, function_of(fixture, number));
	assert_int_equal(patch->kind, TS_CELL_PRECODE);
	assert_int_equal(patch->cell, cell_of(fixture, number));
	assert_int_equal(patch->words[1], word);
	assert_int_equal(patch->target, target);
	assert_int_equal(patch->body, body);
	assert_int_equal(patch->window_ns[0], time_ns);
	assert_int_equal(patch->window_ns[1], time_ns);
}

static void expect_exactly_published(const struct fixture *fixture, uint32_t index,
				     uint64_t time_ns, uint64_t superseded)
{
	const struct model_body *body = model__body(fixture->model, index);

	assert_int_equal(body->published_ns[0], time_ns);
	assert_int_equal(body->published_ns[1], time_ns);
	assert_int_equal(body->superseded_ns, superseded);
}

static void a_write_that_is_seen_is_a_patch_of_that_moment(void **state)
{
	struct fixture *fixture = *state;
	uint32_t bodies[3] = { watch_writes(fixture, 0), tell_body(fixture, 0, 1) };
	uint64_t first = fixture->now + 1000, second = first + 1;
	struct model_body before = *model__body(fixture->model, bodies[0]);

	assert_int_equal(sampling.calls, 1);
	assert_int_equal(sampling.address, cell_of(fixture, 0));
	assert_int_equal(hit(fixture, 0, start_of(0, 1), first), 1);
	expect_exact_patch(fixture, 0, start_of(0, 1), TS_TARGET_BODY, bodies[1], first);
	assert_int_equal(model__patch(fixture->model, 1)->words[0], start_of(0, 0));
	expect_exactly_published(fixture, bodies[1], first, 0);
	assert_int_equal(superseded(fixture, bodies[0]), first);
	assert_memory_equal(model__body(fixture->model, bodies[0])->published_ns,
			    before.published_ns, sizeof(before.published_ns));

	/* Born between the two writes: what is exact is not made wider. */
	bodies[2] = tell_body(fixture, 0, 2);
	assert_int_equal(hit(fixture, 0, start_of(0, 2), second), 1);
	expect_exact_patch(fixture, 0, start_of(0, 2), TS_TARGET_BODY, bodies[2], second);
	assert_int_equal(model__patch(fixture->model, 2)->words[0], start_of(0, 1));
	expect_exactly_published(fixture, bodies[1], first, second);
	expect_exactly_published(fixture, bodies[2], second, 0);
	assert_int_equal(superseded(fixture, bodies[0]), first);
}

/* Samples are read some time later: by then another write may have followed. */
static void what_was_written_is_the_patch_not_what_is_there_by_now(void **state)
{
	struct fixture *fixture = *state;
	uint32_t bodies[3] = { watch_writes(fixture, 0), tell_body(fixture, 0, 1),
			       tell_body(fixture, 0, 2) };
	uint64_t time_ns = fixture->now + 1000;

	set_cell(fixture, 0, start_of(0, 2));
	assert_int_equal(hit_at(fixture, cell_of(fixture, 0), start_of(0, 1), time_ns), 1);
	expect_exact_patch(fixture, 0, start_of(0, 1), TS_TARGET_BODY, bodies[1], time_ns);
	assert_int_equal(superseded(fixture, bodies[2]), 0);
	assert_int_equal(model__body(fixture->model, bodies[2])->published_ns[1], 0);
}

static void a_write_before_the_first_look_is_in_it(void **state)
{
	struct fixture *fixture = *state;
	uint32_t first = watch_writes(fixture, 0), second = tell_body(fixture, 0, 1);
	uint64_t seen = fixture->process->publication.items[0].seen_ns;

	assert_in_range(seen, 1, fixture->now);
	assert_int_equal(hit(fixture, 0, start_of(0, 1), seen - 1), 0);
	assert_int_equal(superseded(fixture, first), 0);
	assert_int_equal(model__body(fixture->model, second)->published_ns[1], 0);
	assert_int_equal(hit(fixture, 0, start_of(0, 1), seen), 1);
	expect_exactly_published(fixture, second, seen, 0);
}

static void a_write_to_another_word_is_no_patch(void **state)
{
	struct fixture *fixture = *state;
	uint32_t first = watch_writes(fixture, 0);
	uint64_t cell = cell_of(fixture, 0), now = fixture->now + 1;

	watch(fixture, 1); /* by looks */
	tell_body(fixture, 0, 1);
	tell_body(fixture, 1, 1);
	now = fixture->now + 1;
	assert_int_equal(hit_at(fixture, cell + 8, start_of(0, 1), now), 0);
	assert_int_equal(hit_at(fixture, cell - 8, start_of(0, 1), now), 0);
	assert_int_equal(hit_at(fixture, 0, start_of(0, 1), now), 0);
	assert_int_equal(hit(fixture, 1, start_of(1, 1), now), 0);
	assert_int_equal(superseded(fixture, first), 0);
	assert_int_equal(look(fixture), 1);
	assert_int_equal(patches_of(fixture, 1), 2);
}

static void a_write_that_changes_nothing_is_no_patch(void **state)
{
	struct fixture *fixture = *state;
	uint32_t first = watch_writes(fixture, 0), second = tell_body(fixture, 0, 1);
	uint64_t now = fixture->now;

	assert_int_equal(hit(fixture, 0, start_of(0, 0), now + 1), 0);
	assert_int_equal(hit(fixture, 0, start_of(0, 1), now + 2), 1);
	assert_int_equal(hit(fixture, 0, start_of(0, 1), now + 3), 0);
	expect_exactly_published(fixture, second, now + 2, 0);
	assert_int_equal(superseded(fixture, first), now + 2);
	/* Counted calls are another target of the same body, which stays published. */
	assert_int_equal(hit(fixture, 0, count_calls_of(fixture, start_of(0, 1)), now + 4), 1);
	expect_exactly_published(fixture, second, now + 2, 0);
	assert_int_equal(hit(fixture, 0, prestub_of(fixture, 0), now + 5), 1);
	assert_int_equal(hit(fixture, 0, prestub_of(fixture, 0), now + 6), 0);
	expect_exact_patch(fixture, 0, prestub_of(fixture, 0), TS_TARGET_PRESTUB, MODEL_NONE,
			   now + 5);
	expect_exactly_published(fixture, second, now + 2, now + 5);
}

/* It is read once only, and the body's birth was told before. */
static void a_write_that_leads_nowhere_known_is_unknown_at_once(void **state)
{
	struct fixture *fixture = *state;
	uint32_t first = watch_writes(fixture, 0);
	uint64_t nowhere = function_of(fixture, 0), now = fixture->now;

	assert_int_equal(hit(fixture, 0, nowhere, now + 1), 1);
	expect_exact_patch(fixture, 0, nowhere, TS_TARGET_UNKNOWN, MODEL_NONE, now + 1);
	assert_int_equal(superseded(fixture, first), now + 1);
	assert_int_equal(hit(fixture, 0, start_of(0, 3), now + 2), 0);
	assert_int_equal(hit(fixture, 0, start_of(0, 0), now + 3), 1);
	expect_exact_patch(fixture, 0, start_of(0, 0), TS_TARGET_BODY, first, now + 3);
	expect_exactly_published(fixture, first, now + 3, 0);
}

static void a_first_look_that_tells_nothing_leaves_it_to_the_writes(void **state)
{
	struct fixture *fixture = *state;
	uint32_t body = tell_body(fixture, 0, 0);
	uint64_t now;

	tell_body(fixture, 1, 0);
	set_cell(fixture, 0, start_of(1, 0)); /* a body, but not of this function */
	assert_int_equal(set_watchpoint(fixture, 0), 0);
	assert_int_equal(sampling.calls, 1);
	assert_int_equal(model__patches(fixture->model), 0);
	now = clock__now();
	assert_int_equal(hit(fixture, 0, start_of(0, 3), now), 0);
	assert_int_equal(hit(fixture, 0, start_of(0, 0), now + 1), 1);
	expect_exact_patch(fixture, 0, start_of(0, 0), TS_TARGET_BODY, body, now + 1);
	expect_exactly_published(fixture, body, now + 1, 0);
}

/* A look would tell of a change again, and less well: before its sample is read. */
static void what_has_a_watchpoint_is_not_looked_at_but_at_the_end(void **state)
{
	struct fixture *fixture = *state;
	uint32_t bodies[3] = { watch_writes(fixture, 0), tell_body(fixture, 0, 1) };
	uint32_t other = watch(fixture, 1);
	uint64_t hit_ns;

	set_cell(fixture, 0, start_of(0, 1));
	set_cell(fixture, 1, start_of(1, 1));
	tell_body(fixture, 1, 1);
	run_body(fixture, bodies[0]);
	run_body(fixture, other);
	assert_int_equal(look(fixture), 1);
	assert_int_equal(patches_of(fixture, 0), 1);
	hit_ns = fixture->now - 1000; /* its sample comes after the look */
	assert_int_equal(hit(fixture, 0, start_of(0, 1), hit_ns), 1);
	expect_exactly_published(fixture, bodies[1], hit_ns, 0);
	/* Nobody tells of this one. */
	bodies[2] = tell_body(fixture, 0, 2);
	set_cell(fixture, 0, start_of(0, 2));
	assert_int_equal(look(fixture), 0);
	assert_int_equal(finish(fixture), 1);
	expect_patch(fixture, 0, TS_TARGET_BODY, bodies[2], hit_ns);
	expect_look(superseded(fixture, bodies[1]), fixture->now);
}

/* The ring had no room for it, or its body was told of late. */
static void a_write_that_nobody_tells_of_is_taken_at_the_second_look(void **state)
{
	struct fixture *fixture = *state;
	uint32_t first = watch_writes(fixture, 0), second = tell_body(fixture, 0, 1);

	set_cell(fixture, 0, start_of(0, 1));
	run_body(fixture, first);
	assert_int_equal(look(fixture), 0);
	assert_int_equal(look(fixture), 1);
	assert_int_equal(model__patch(fixture->model, 1)->body, second);
	assert_true(model__patch(fixture->model, 1)->window_ns[0] <
		    model__patch(fixture->model, 1)->window_ns[1]);
	/* It was an exception: the next one is waited for again. */
	tell_body(fixture, 0, 2);
	set_cell(fixture, 0, start_of(0, 2));
	assert_int_equal(look(fixture), 0);
}

/* The watchpoint is at the slot of the method table; nobody writes there. */
static void what_is_behind_a_watchpoint_is_looked_at(void **state)
{
	struct fixture *fixture = *state;
	struct type *type = &fixture->memory->type;
	struct model_body told = { .start = start_of(9, 0) };
	uint32_t first, second;

	fixture->now = clock__now();
	put_virtual(fixture, type);
	told.function_id = (uintptr_t)&type->method;
	first = tell(fixture, &told);
	set_cell(fixture, 0, told.start);
	assert_int_equal(recorder__watch(fixture->recorder, fixture->process->index,
					 told.function_id, NULL), 0);
	assert_int_equal(sampling.address, (uintptr_t)&type->slots[3]);
	fixture->now = clock__now();
	told.start = start_of(9, 1);
	second = tell(fixture, &told);
	set_cell(fixture, 0, told.start);
	run_body(fixture, first);
	assert_int_equal(look(fixture), 1);
	assert_int_equal(model__patch(fixture->model, 1)->body, second);
}

/* Between the look that finds the cell and the watchpoint. */
static void a_write_before_there_is_a_watchpoint_is_not_missed(void **state)
{
	struct fixture *fixture = *state;
	uint64_t begin = clock__now();
	uint32_t first, second;

	fixture->now = begin;
	first = tell_body(fixture, 0, 0);
	second = tell_body(fixture, 0, 1);
	set_cell(fixture, 0, start_of(0, 0));
	sampling.write = start_of(0, 1);
	assert_int_equal(set_watchpoint(fixture, 0), 0);
	assert_int_equal(model__patches(fixture->model), 2);
	assert_int_equal(model__patch(fixture->model, 0)->body, first);
	assert_int_equal(model__patch(fixture->model, 0)->window_ns[0], 0);
	assert_int_equal(model__patch(fixture->model, 1)->body, second);
	assert_int_equal(model__patch(fixture->model, 1)->words[0], start_of(0, 0));
	/* When, is not known exactly: after the first look, and before the second was over. */
	assert_in_range(model__patch(fixture->model, 1)->window_ns[0], begin, clock__now());
	assert_in_range(model__patch(fixture->model, 1)->window_ns[1],
			model__patch(fixture->model, 1)->window_ns[0], clock__now());
	assert_int_equal(superseded(fixture, first),
			 model__patch(fixture->model, 1)->window_ns[1]);
}

static void what_is_watched_already_goes_on(void **state)
{
	struct fixture *fixture = *state;
	uint32_t second;
	uint64_t seen;

	fixture->now = clock__now() - 10 * READ_NS;
	watch(fixture, 0);
	seen = fixture->now;
	second = tell_body(fixture, 0, 1);
	set_cell(fixture, 0, start_of(0, 1));
	assert_int_equal(set_watchpoint(fixture, 0), 0);
	assert_int_equal(fixture->process->publication.count, 1);
	assert_int_equal(model__patches(fixture->model), 2);
	assert_int_equal(model__patch(fixture->model, 1)->body, second);
	assert_int_equal(model__patch(fixture->model, 1)->window_ns[0], seen);
	run_body(fixture, second);
	assert_int_equal(fixture->process->publication.wanted_count, 0);
}

/* Its turn has come: no look finds its cell a second time. */
static void a_function_that_waits_for_its_turn_has_it_now(void **state)
{
	enum { COUNT = 4 };
	struct fixture *fixture = *state;
	struct publication *publication = &fixture->process->publication;
	uint32_t bodies[COUNT];

	for (uint32_t i = 0; i < COUNT; i++) {
		set_cell(fixture, i, start_of(i, 0));
		bodies[i] = tell_body(fixture, i, 0);
		run_body(fixture, bodies[i]);
	}
	assert_int_equal(publication->wanted_count, COUNT);
	assert_int_equal(set_watchpoint(fixture, 1), 0);
	assert_int_equal(publication->wanted_count, COUNT - 1);
	assert_int_equal(publication->wanted[0], function_of(fixture, 0));
	assert_int_equal(publication->wanted[1], function_of(fixture, 2));
	assert_int_equal(publication->wanted[2], function_of(fixture, 3));
	run_body(fixture, bodies[1]);
	assert_int_equal(publication->wanted_count, COUNT - 1);
	fixture->now = clock__now();
	assert_int_equal(look(fixture), COUNT - 1);
	assert_int_equal(publication->count, COUNT);
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(patches_of(fixture, i), 1);
	/* The one item is the one that a watchpoint tells of. */
	tell_body(fixture, 1, 1);
	assert_int_equal(hit(fixture, 1, start_of(1, 1), fixture->now), 1);
	assert_int_equal(finish(fixture), 0);
}

static void a_function_without_a_cell_has_no_watchpoint(void **state)
{
	struct fixture *fixture = *state;
	struct publication *publication = &fixture->process->publication;
	struct method sound = fixture->memory->methods[0];
	uint32_t body = tell_body(fixture, 0, 0);
	struct trouble trouble = { "" };

	set_cell(fixture, 0, start_of(0, 0));
	fixture->memory->methods[0].code_data = 0;
	run_body(fixture, body);
	assert_int_equal(recorder__watch(fixture->recorder, fixture->process->index,
					 function_of(fixture, 0), &trouble),
			 -ENOENT);
	assert_int_not_equal(*trouble.text, 0);
	assert_int_equal(recorder__watch(fixture->recorder, fixture->process->index,
					 start_of(1, 0), NULL),
			 -ENOENT);
	assert_int_equal(sampling.calls, 0);
	assert_int_equal(publication->count + publication->wanted_count, 0);
	assert_int_equal(model__patches(fixture->model), 0);
	/* It is asked for anew, when it has one or runs again. */
	fixture->memory->methods[0] = sound;
	run_body(fixture, body);
	assert_int_equal(publication->wanted_count, 1);
	assert_int_equal(set_watchpoint(fixture, 0), 0);
	assert_int_equal(sampling.calls, 1);
	assert_int_equal(publication->count, 1);
	assert_int_equal(publication->wanted_count, 0);
}

static void only_a_live_process_with_a_hook_gets_a_watchpoint(void **state)
{
	struct fixture *fixture = *state;
	struct process *process = fixture->process, other = { .alive = true };
	struct trouble trouble = { "" };

	set_cell(fixture, 0, start_of(0, 0));
	tell_body(fixture, 0, 0);
	process->alive = false;
	assert_int_equal(recorder__watch(fixture->recorder, process->index,
					 function_of(fixture, 0), &trouble),
			 -ESRCH);
	assert_int_not_equal(*trouble.text, 0);
	process->alive = true;
	process->hooked = false;
	assert_int_equal(set_watchpoint(fixture, 0), -ESRCH);
	process->hooked = true;
	process->code = &other;
	assert_int_equal(set_watchpoint(fixture, 0), -ESRCH);
	process->code = process;
	assert_int_equal(recorder__watch(fixture->recorder, process->index + 1,
					 function_of(fixture, 0), NULL),
			 -ESRCH);
	assert_int_equal(sampling.calls, 0);
	assert_int_equal(model__patches(fixture->model), 0);
	assert_int_equal(set_watchpoint(fixture, 0), 0);
}

/* What was forked and became a program later has the number of what it was before. */
static void the_newest_of_a_number_gets_the_watchpoint(void **state)
{
	struct fixture *fixture = *state;
	struct process *old = fixture->process;

	old->alive = false;
	fixture->process = process__new(fixture->recorder, 2, getpid(), 200, MODEL_NONE,
					old->index);
	fixture->process->hooked = true;
	assert_int_equal(fixture->process->index, old->index);
	watch_writes(fixture, 0);
	assert_int_equal(fixture->process->publication.count, 1);
	assert_int_equal(old->publication.count, 0);
}

static void a_watchpoint_that_cannot_be_had_leaves_the_looks(void **state)
{
	static const int errors[] = { -ENOSPC, -EOPNOTSUPP, -EPERM };
	struct fixture *fixture = *state;
	uint32_t second;

	fixture->now = clock__now();
	tell_body(fixture, 0, 0);
	set_cell(fixture, 0, start_of(0, 0));
	for (uint32_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct trouble trouble = { "" };

		sampling.err = errors[i];
		assert_int_equal(recorder__watch(fixture->recorder, fixture->process->index,
						 function_of(fixture, 0), &trouble),
				 errors[i]);
		assert_string_equal(trouble.text, "all taken");
	}
	assert_int_equal(sampling.calls, 3);
	assert_int_equal(fixture->process->publication.count, 1);
	second = tell_body(fixture, 0, 1);
	fixture->now = clock__now();
	assert_int_equal(hit(fixture, 0, start_of(0, 1), fixture->now), 0);
	assert_int_equal(look(fixture), 1);
	assert_int_equal(model__patch(fixture->model, 1)->body, second);
}

/* The whole sample: a leaf, code bytes, and the hit behind them. */
static void a_sample_brings_its_hit(void **state)
{
	struct fixture *fixture = *state;
	uint32_t first = watch_writes(fixture, 0), second = tell_body(fixture, 0, 1);
	uint64_t time_ns = fixture->now + 1000;
	struct {
		struct ts_sample sample;
		uint64_t frame;
		uint8_t code[TS_CODE_BYTES];
		struct ts_hit hit;
	} of = { .frame = 0x10, .hit = { cell_of(fixture, 0), start_of(0, 1) } };

	of.sample.header = (struct ts_event){ .type = TS_EVENT_SAMPLE, .time_ns = time_ns,
					      .space = 1, .pid = (uint32_t)getpid(),
					      .tid = 4711 };
	model__add_event(fixture->model, &(struct model_event){ .period = 1 });
	of.sample.frames_count = 1;
	of.sample.flags = TS_SAMPLE_CODE;
	buf__append(&fixture->recorder->pending, &of,
		    kernel_sample__size(&of.sample));
	samples__resolve(fixture->recorder, true);
	assert_int_equal(patches_of(fixture, 0), 1);
	of.sample.flags |= TS_SAMPLE_HIT;
	buf__append(&fixture->recorder->pending, &of, sizeof(of));
	samples__resolve(fixture->recorder, true);
	assert_int_equal(model__samples(fixture->model), 2);
	assert_int_equal(patches_of(fixture, 0), 2);
	expect_exact_patch(fixture, 0, start_of(0, 1), TS_TARGET_BODY, second, time_ns);
	assert_int_equal(superseded(fixture, first), time_ns);
	/* Who did it is found by these. */
	assert_int_equal(model__sample(fixture->model, 1)->time_ns, time_ns);
	assert_true(model__sample(fixture->model, 1)->flags & TS_SAMPLE_HIT);
	assert_false(model__sample(fixture->model, 0)->flags & TS_SAMPLE_HIT);
}

/* --- what the hook tells ------------------------------------------------------------- */

static struct ts_patch_event event_of(const struct fixture *fixture, uint32_t number,
				      uint32_t version, uint64_t from, uint64_t until)
{
	return (struct ts_patch_event){
		.header = { .space = 1, .pid = (uint32_t)getpid(), .time_ns = until + 1000 },
		.told = { .count = 1,
			  .patches = { { .function_id = function_of(fixture, number),
					 .cell = cell_of(fixture, number),
					 .words = { prestub_of(fixture, number),
						    start_of(number, version) },
					 .window_ns = { from, until },
					 .start = start_of(number, version),
					 .kind = TS_CELL_PRECODE,
					 .target = TS_TARGET_BODY } } } };
}

/* The cell leads to that version now, and the hook says so; how many patches it brought. */
static uint32_t told(struct fixture *fixture, uint32_t number, uint32_t version,
		     uint64_t from, uint64_t until)
{
	struct ts_patch_event event = event_of(fixture, number, version, from, until);
	uint32_t before = model__patches(fixture->model);

	set_cell(fixture, number, start_of(number, version));
	assert_true(publication__told(fixture->recorder, &event));
	return model__patches(fixture->model) - before;
}

static void expect_told_patch(const struct fixture *fixture, uint32_t number,
			      uint32_t body, uint64_t from, uint64_t until)
{
	const struct model *model = fixture->model;
	const struct model_patch *patch = model__patch(model, model__patches(model) - 1);

	assert_int_equal(patch->function_id, function_of(fixture, number));
	assert_int_equal(patch->cell, cell_of(fixture, number));
	assert_int_equal(patch->body, body);
	assert_int_equal(patch->window_ns[0], from);
	assert_int_equal(patch->window_ns[1], until);
	assert_int_equal(model__body(model, body)->published_ns[0], from);
	assert_int_equal(model__body(model, body)->published_ns[1], until);
}

static void what_the_hook_tells_is_a_patch_with_its_window(void **state)
{
	struct fixture *fixture = *state;
	uint32_t bodies[2] = { tell_body(fixture, 0, 0), tell_body(fixture, 0, 1) };
	uint64_t at = fixture->now;

	/* Of a function that nobody has sampled or looked at. */
	assert_int_equal(told(fixture, 0, 0, at + 10, at + 20), 1);
	expect_told_patch(fixture, 0, bodies[0], at + 10, at + 20);
	assert_int_equal(model__patch(fixture->model, 0)->words[0],
			 prestub_of(fixture, 0));
	assert_int_equal(told(fixture, 0, 1, at + 30, at + 40), 1);
	expect_told_patch(fixture, 0, bodies[1], at + 30, at + 40);
	assert_int_equal(model__patch(fixture->model, 1)->words[0], start_of(0, 0));
	assert_int_equal(superseded(fixture, bodies[0]), at + 40);
	/* It is read from outside once it runs, and nothing has changed. */
	assert_int_equal(look(fixture), 0);
	run_body(fixture, bodies[1]);
	assert_int_equal(look(fixture), 0);
	assert_int_equal(finish(fixture), 0);
}

/* The last look saw the old code, later than the hook did. */
static void the_narrower_begin_of_a_window_wins(void **state)
{
	struct fixture *fixture = *state;
	uint32_t body;

	watch(fixture, 0);
	body = tell_body(fixture, 0, 1);
	assert_int_equal(told(fixture, 0, 1, fixture->now - 5, fixture->now + READ_NS / 2), 1);
	expect_told_patch(fixture, 0, body, fixture->now, fixture->now + READ_NS / 2);
}

static void what_was_seen_is_no_patch_again_when_it_is_told(void **state)
{
	struct fixture *fixture = *state;
	uint32_t first = watch(fixture, 0);
	uint64_t now = fixture->now;

	assert_int_equal(told(fixture, 0, 0, now - 30, now - 20), 0);
	now += READ_NS / 2; /* when that look is over */
	assert_int_equal(told(fixture, 0, 0, now + 20, now + 30), 0);
	expect_published(fixture, first, START, fixture->now, 0);
	/* What is older than what is known by now, as threads overtake each other. */
	tell_body(fixture, 0, 1);
	tell_body(fixture, 0, 2);
	assert_int_equal(told(fixture, 0, 2, now + 60, now + 70), 1);
	assert_int_equal(told(fixture, 0, 1, now + 40, now + 50), 0);
}

/* The look came before the telling, which is on its way. */
static void a_look_leaves_new_code_to_the_hook_for_a_while(void **state)
{
	struct fixture *fixture = *state;
	uint32_t first = watch(fixture, 0), second = tell_body(fixture, 0, 1), third;

	tell_body(fixture, 1, 0);
	assert_int_equal(told(fixture, 1, 0, fixture->now + 1, fixture->now + 2), 1);
	set_cell(fixture, 0, start_of(0, 1));
	assert_int_equal(look(fixture), 0);
	assert_int_equal(told(fixture, 0, 1, fixture->now - 9, fixture->now - 4), 1);
	expect_told_patch(fixture, 0, second, fixture->now - 9, fixture->now - 4);
	assert_int_equal(superseded(fixture, first), fixture->now - 4);
	assert_int_equal(look(fixture), 0);
	/* One that never comes. */
	third = tell_body(fixture, 0, 2);
	set_cell(fixture, 0, start_of(0, 2));
	assert_int_equal(look(fixture), 0);
	assert_int_equal(look(fixture), 1);
	assert_int_equal(superseded(fixture, second), model__body(fixture->model, third)->published_ns[1]);
	/* A return to older code no compilation precedes: nobody waits. */
	set_cell(fixture, 0, start_of(0, 0));
	assert_int_equal(look(fixture), 1);
	/* Nor at the end. */
	tell_body(fixture, 0, 3);
	set_cell(fixture, 0, start_of(0, 3));
	assert_int_equal(finish(fixture), 1);
}

static void several_are_told_at_once(void **state)
{
	struct fixture *fixture = *state;
	uint64_t at = fixture->now;
	struct ts_patch_event event = event_of(fixture, 0, 0, at + 1, at + 2);

	for (uint32_t i = 0; i < TS_PATCHES_MAX; i++) {
		tell_body(fixture, i, 0);
		event.told.patches[i] =
			event_of(fixture, i, 0, at + 1, at + 2).told.patches[0];
	}
	event.told.count = TS_PATCHES_MAX;
	assert_true(publication__told(fixture->recorder, &event));
	assert_int_equal(model__patches(fixture->model), TS_PATCHES_MAX);
	event.told.count = 0;
	assert_true(publication__told(fixture->recorder, &event));
}

static void a_watchpoint_knows_better_than_the_hook(void **state)
{
	struct fixture *fixture = *state;
	uint32_t second;
	uint64_t now;

	watch_writes(fixture, 0);
	second = tell_body(fixture, 0, 1);
	now = fixture->now;
	assert_int_equal(told(fixture, 0, 1, now + 10, now + 30), 0);
	assert_int_equal(hit(fixture, 0, start_of(0, 1), now + 20), 1);
	expect_exactly_published(fixture, second, now + 20, 0);
}

static void nonsense_that_is_told_is_dropped(void **state)
{
	struct fixture *fixture = *state;
	struct ts_patch_event good = event_of(fixture, 0, 0, START + 1, START + 2), bad;

	tell_body(fixture, 0, 0);
#define EXPECT_BAD(field, value)                                      \
	(bad = good, bad.field = (value),                             \
	 assert_false(publication__told(fixture->recorder, &bad)))
	EXPECT_BAD(header.space, 2);
	EXPECT_BAD(told.count, 2); /* the second is none */
	EXPECT_BAD(told.count, TS_PATCHES_MAX + 1);
	EXPECT_BAD(told.count, UINT64_MAX);
	EXPECT_BAD(header.time_ns, START);
	EXPECT_BAD(told.patches[0].function_id, 0);
	EXPECT_BAD(told.patches[0].kind, TS_CELL_COUNT);
	EXPECT_BAD(told.patches[0].cell, good.told.patches[0].cell + 1);
	EXPECT_BAD(told.patches[0].cell, 0xffffffff81000000); /* the kernel's: no watchpoint there */
	EXPECT_BAD(told.patches[0].target, TS_TARGET_COUNT);
	EXPECT_BAD(told.patches[0].target, TS_TARGET_PRESTUB);
	EXPECT_BAD(told.patches[0].window_ns[0], 0);
	EXPECT_BAD(told.patches[0].window_ns[0], START + 3);
	EXPECT_BAD(told.patches[0].window_ns[1], UINT64_MAX);
#undef EXPECT_BAD
	/* Of bodies that are not known, or another function's, nothing is believed. */
	bad = good;
	bad.told.patches[0].start++;
	assert_true(publication__told(fixture->recorder, &bad));
	bad = good;
	bad.told.patches[0].function_id = function_of(fixture, 1);
	assert_true(publication__told(fixture->recorder, &bad));
	assert_int_equal(model__patches(fixture->model), 0);
	assert_true(publication__told(fixture->recorder, &good));
	assert_int_equal(model__patches(fixture->model), 1);
	/* Nor that the function's cell is another one by now. */
	tell_body(fixture, 0, 1);
	bad = event_of(fixture, 0, 1, START + 3, START + 4);
	bad.told.patches[0].cell += 8;
	assert_true(publication__told(fixture->recorder, &bad));
	assert_int_equal(model__patches(fixture->model), 1);
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
		TEST(a_write_that_is_seen_is_a_patch_of_that_moment),
		TEST(what_was_written_is_the_patch_not_what_is_there_by_now),
		TEST(a_write_before_the_first_look_is_in_it),
		TEST(a_write_to_another_word_is_no_patch),
		TEST(a_write_that_changes_nothing_is_no_patch),
		TEST(a_write_that_leads_nowhere_known_is_unknown_at_once),
		TEST(a_first_look_that_tells_nothing_leaves_it_to_the_writes),
		TEST(what_has_a_watchpoint_is_not_looked_at_but_at_the_end),
		TEST(a_write_that_nobody_tells_of_is_taken_at_the_second_look),
		TEST(what_is_behind_a_watchpoint_is_looked_at),
		TEST(a_write_before_there_is_a_watchpoint_is_not_missed),
		TEST(what_is_watched_already_goes_on),
		TEST(a_function_that_waits_for_its_turn_has_it_now),
		TEST(a_function_without_a_cell_has_no_watchpoint),
		TEST(only_a_live_process_with_a_hook_gets_a_watchpoint),
		TEST(the_newest_of_a_number_gets_the_watchpoint),
		TEST(a_watchpoint_that_cannot_be_had_leaves_the_looks),
		TEST(a_sample_brings_its_hit),
		TEST(what_the_hook_tells_is_a_patch_with_its_window),
		TEST(the_narrower_begin_of_a_window_wins),
		TEST(what_was_seen_is_no_patch_again_when_it_is_told),
		TEST(a_look_leaves_new_code_to_the_hook_for_a_while),
		TEST(several_are_told_at_once),
		TEST(a_watchpoint_knows_better_than_the_hook),
		TEST(nonsense_that_is_told_is_dropped),
	};

	return cmocka_run_group_tests_name("recorder publication", tests, NULL, NULL);
}
