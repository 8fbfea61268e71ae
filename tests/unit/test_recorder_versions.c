// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What the runtime says of a function's versions, over a recording: the process is this
// program itself, with nodes as .NET 10 lays them out, built by hand.
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

#include <string.h>
#include <unistd.h>

#define START 100000000000ull
#define IL_MAP 480u
#define TOKEN 0x06000001u
#define WORKER 77u
#define CODE(number) (0x10000000ull + 0x1000 * (number))

struct node {
	uint64_t code, method, rejit_id, next;
	uint32_t id, tier;
	uint8_t patchpoints[12];
	uint32_t flags;
};

struct il_node {
	uint64_t module;
	uint64_t token;
	uint64_t rejit_id, next;
	uint64_t state;
};

/* One method of one module. */
static struct {
	uint64_t chunk[3];
	struct {
		uint8_t head[6];
		uint16_t flags;
		uint64_t data, code;
	} method;
	uint64_t table[4];
	uint64_t module[70];
	uint64_t entries[2], il_entries[2];
	uint64_t data[1];
	uint64_t state[3];
	struct node nodes[4];
	struct {
		uint64_t kind, active, active_token, first, module, token;
	} il;
	struct il_node il_nodes[2];
} memory;

struct fixture {
	struct model *model;
	struct recorder *recorder;
	struct process *process;
	uint64_t sequence, now;
};

#define ADDRESS(what) ((uint64_t)(uintptr_t)&(what))
#define FUNCTION      ADDRESS(memory.method)

static void build(void)
{
	memset(&memory, 0, sizeof(memory));
	memory.chunk[0] = ADDRESS(memory.table);
	memory.method.flags = 0x20;
	memory.method.data = ADDRESS(memory.data);
	memory.method.code = CODE(0);
	memory.table[3] = ADDRESS(memory.module);
	memory.module[(IL_MAP - 32 + 8) / 8] = ADDRESS(memory.entries);
	memory.module[(IL_MAP - 32 + 16) / 8] = 2;
	memory.entries[1] = FUNCTION;
	memory.module[(IL_MAP + 8) / 8] = ADDRESS(memory.il_entries);
	memory.module[(IL_MAP + 16) / 8] = 2;
	memory.data[0] = ADDRESS(memory.state);
	memory.state[1] = 0x4;
}

/* Version `id`, newest of all. */
static void put_node(uint32_t id, uint32_t rejit_id, uint64_t code, uint32_t tier)
{
	memory.nodes[id] = (struct node){ .code = code, .method = FUNCTION, .id = id,
					  .rejit_id = rejit_id, .tier = tier,
					  .next = memory.state[2] };
	memory.state[2] = ADDRESS(memory.nodes[id]);
}

/* 0: the original. */
static void activate(uint32_t id)
{
	memory.state[1] = id ? 0 : 0x4;
	for (uint32_t i = 0; i < 4; i++)
		memory.nodes[i].flags = i == id && id;
}

static void put_il(uint32_t number, uint32_t rejit_id, uint32_t state)
{
	memory.il_nodes[number] = (struct il_node){
		.module = ADDRESS(memory.module), .token = TOKEN, .rejit_id = rejit_id,
		.next = memory.il.first, .state = state };
	memory.il.first = ADDRESS(memory.il_nodes[number]);
	memory.il.kind = 1;
	memory.il.active = memory.il.first;
	memory.il.module = ADDRESS(memory.module);
	memory.il.token = TOKEN;
	memory.il_entries[1] = ADDRESS(memory.il);
}

static int set_up(void **state)
{
	static struct fixture fixture;

	build();
	fixture = (struct fixture){ .model = model__new(), .now = START };
	fixture.recorder = recorder__new(NULL, fixture.model);
	fixture.process = process__new(fixture.recorder, 1, getpid(), 100, MODEL_NONE,
				       MODEL_NONE);
	/* In place of the journal, which says that it is 10. */
	fixture.process->looks.layout = code_layout__of(10);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	recorder__free(fixture->recorder);
	model__free(fixture->model);
	return 0;
}

/* By an event, on that thread. */
static uint32_t tell(struct fixture *fixture, uint32_t version, uint64_t code, uint32_t thread)
{
	struct model_body body = { .process = fixture->process->index, .size = 0x100,
				   .function_id = FUNCTION, .token = TOKEN, .start = code,
				   .native_version = version, .born_ns = fixture->now,
				   .tier = version ? TS_TIER_1 : TS_TIER_QUICK,
				   .source = thread ? MODEL_SOURCE_EVENT :
						      MODEL_SOURCE_CATCH_UP };
	struct ts_journal_record record = { .sequence = ++fixture->sequence,
					    .thread = thread, .tier = body.tier,
					    .native_version = version };
	uint32_t index = model__add_body(fixture->model, &body);

	map__set(fixture->process->bodies, 0, code, index);
	map__set(fixture->process->functions, 0, FUNCTION, index);
	version_looks__born(&fixture->process->looks, index, &record);
	return index;
}

/* Of no function that anybody asks about. */
static void tell_another(struct fixture *fixture, uint32_t thread)
{
	struct ts_journal_record record = { .sequence = ++fixture->sequence,
					    .thread = thread };
	struct model_body body = { .process = fixture->process->index, .size = 1,
				   .start = 1 };

	version_looks__born(&fixture->process->looks,
			    model__add_body(fixture->model, &body), &record);
}

static bool is_never_over(void *context)
{
	(void)context;
	return false;
}

static void step(struct fixture *fixture)
{
	versions__step(fixture->recorder, fixture->process, ++fixture->now, is_never_over,
		       NULL);
}

static void finish(struct fixture *fixture)
{
	versions__finish(fixture->recorder, fixture->process, ++fixture->now,
			 is_never_over, NULL);
}

static void look(struct fixture *fixture)
{
	versions__look(fixture->recorder, fixture->process, FUNCTION, ++fixture->now);
}

static uint32_t flags_of(const struct fixture *fixture, uint32_t body)
{
	return model__body(fixture->model, body)->flags;
}

static void expect_active(const struct fixture *fixture, uint32_t rows, uint32_t rejit_id,
			  uint32_t code, uint32_t body)
{
	const struct model_active *active = model__active(fixture->model, rows - 1);

	assert_int_equal(model__actives(fixture->model), rows);
	assert_int_equal(active->function_id, FUNCTION);
	assert_int_equal(active->rejit_id, rejit_id);
	assert_int_equal(active->code, code);
	assert_int_equal(active->body, body);
	assert_int_equal(active->seen_ns, fixture->now);
}

static void each_change_of_what_is_active_is_a_row(void **state)
{
	struct fixture *fixture = *state;
	uint32_t first = tell(fixture, 0, CODE(0), WORKER), second;

	look(fixture);
	expect_active(fixture, 1, 0, MODEL_ACTIVE_BODY, first);
	look(fixture);
	assert_int_equal(model__actives(fixture->model), 1);
	/* Its body is not told of yet. */
	put_node(1, 0, CODE(1), 1);
	activate(1);
	look(fixture);
	expect_active(fixture, 2, 0, MODEL_ACTIVE_UNKNOWN, MODEL_NONE);
	second = tell(fixture, 1, CODE(1), WORKER);
	look(fixture);
	expect_active(fixture, 3, 0, MODEL_ACTIVE_BODY, second);
}

static void an_il_version_is_told_from_its_request_on(void **state)
{
	struct fixture *fixture = *state;
	const struct model_il_version *il;

	tell(fixture, 0, CODE(0), WORKER);
	look(fixture);
	assert_false(model__process(fixture->model, 0)->flags & MODEL_PROCESS_MAIN_PROFILER);
	put_il(0, 2, 0);
	look(fixture);
	assert_true(model__process(fixture->model, 0)->flags & MODEL_PROCESS_MAIN_PROFILER);
	expect_active(fixture, 2, 2, MODEL_ACTIVE_NO_VERSION, MODEL_NONE);
	assert_int_equal(model__il_versions(fixture->model), 1);
	il = model__il_version(fixture->model, 0);
	assert_int_equal(il->rejit_id, 2);
	assert_int_equal(il->state, TS_IL_REQUESTED);
	memory.il_nodes[0].state = 2;
	put_node(1, 2, 0, 0);
	memory.nodes[1].flags = 1;
	look(fixture);
	expect_active(fixture, 3, 2, MODEL_ACTIVE_NO_CODE, MODEL_NONE);
	assert_int_equal(model__il_versions(fixture->model), 2);
	assert_int_equal(model__il_version(fixture->model, 1)->state, TS_IL_READY);
	/* And another one, of which the first look tells both. */
	put_il(1, 3, 1);
	look(fixture);
	assert_int_equal(model__il_versions(fixture->model), 3);
	assert_int_equal(model__il_version(fixture->model, 2)->rejit_id, 3);
	assert_int_equal(model__il_version(fixture->model, 2)->state, TS_IL_PREPARING);
}

/* Time alone says nothing: the thread has to have gone on. */
static void a_body_is_judged_once_it_had_its_chance(void **state)
{
	struct fixture *fixture = *state;
	uint32_t body;

	tell(fixture, 0, CODE(0), 1);
	put_node(1, 0, CODE(1), 1);
	body = tell(fixture, 1, CODE(1), WORKER);
	tell_another(fixture, 1);
	for (unsigned int i = 0; i < 100; i++)
		step(fixture);
	finish(fixture);
	assert_int_equal(flags_of(fixture, body), 0);
	tell_another(fixture, WORKER);
	step(fixture);
	assert_int_equal(flags_of(fixture, body), MODEL_BODY_NEVER_ACTIVE);
	/* Nobody can know that it goes on to be so. */
	activate(1);
	finish(fixture);
	assert_int_equal(flags_of(fixture, body), 0);
	/* That it is not active any more is another thing. */
	put_node(2, 0, CODE(2), 1);
	tell(fixture, 2, CODE(2), WORKER);
	tell_another(fixture, WORKER);
	activate(2);
	finish(fixture);
	assert_int_equal(flags_of(fixture, body), 0);
}

static void osr_bodies_are_not_meant_to_be_active(void **state)
{
	struct fixture *fixture = *state;
	uint32_t body;

	put_node(1, 0, CODE(1), 2);
	body = tell(fixture, 1, CODE(1), WORKER);
	tell_another(fixture, WORKER);
	finish(fixture);
	assert_int_equal(flags_of(fixture, body), 0);
}

static void a_body_that_no_version_has_lost_a_race(void **state)
{
	struct fixture *fixture = *state;
	uint32_t winner = tell(fixture, 0, CODE(0), 1), loser = tell(fixture, 0, CODE(9), 2);

	finish(fixture);
	assert_int_equal(flags_of(fixture, loser), 0);
	tell_another(fixture, 1);
	tell_another(fixture, 2);
	finish(fixture);
	assert_int_equal(flags_of(fixture, loser), MODEL_BODY_LOST_RACE);
	assert_int_equal(flags_of(fixture, winner), 0);
	/* A method without a slot for its first code does not tell. */
	build();
	memory.method.flags = 0;
	finish(fixture);
	assert_int_equal(flags_of(fixture, loser), 0);
}

/* What cannot be read says nothing, also of what was said. */
static void nothing_is_said_of_what_cannot_be_read(void **state)
{
	struct fixture *fixture = *state;
	uint32_t body = tell(fixture, 0, CODE(9), WORKER);

	tell_another(fixture, WORKER);
	memory.entries[1] = 0; /* not proven */
	finish(fixture);
	assert_int_equal(flags_of(fixture, body), 0);
	assert_int_equal(model__actives(fixture->model), 0);
	fixture->process->looks.layout.is_known = false; /* no journal: another runtime */
	finish(fixture);
	assert_int_equal(model__actives(fixture->model), 0);
}

/* There is no tiering worker in this program: what it compiled before had its chance. */
static void what_a_catch_up_found_had_its_chance_when_the_worker_is_gone(void **state)
{
	struct fixture *fixture = *state;
	uint32_t body;

	tell(fixture, 0, CODE(0), 0);
	put_node(1, 0, CODE(1), 1);
	body = tell(fixture, 1, CODE(1), 0);
	finish(fixture);
	assert_int_equal(flags_of(fixture, body), 0); /* not known who was there then */
	version_looks__caught_up(fixture->process, fixture->now);
	finish(fixture);
	assert_int_equal(flags_of(fixture, body), MODEL_BODY_NEVER_ACTIVE);
	/* One that was there, and is still. */
	fixture->process->looks.worker = -1;
	finish(fixture);
	assert_int_equal(flags_of(fixture, body), MODEL_BODY_NEVER_ACTIVE);
}

static bool is_over_after(void *context)
{
	unsigned int *left = context;

	return !*left || !--*left;
}

/* A process can have versions without end, and the others have their turn. */
static void what_there_is_no_time_for_waits(void **state)
{
	struct fixture *fixture = *state;
	unsigned int turns = 2;

	tell(fixture, 0, CODE(0), WORKER);
	for (uint32_t version = 1; version < 4; version++) {
		tell(fixture, version, CODE(version), WORKER);
		put_node(version, 0, CODE(version), 1);
	}
	tell_another(fixture, WORKER);
	versions__step(fixture->recorder, fixture->process, ++fixture->now, is_over_after,
		       &turns);
	assert_int_equal(fixture->process->looks.young_count, 2);
	step(fixture);
	assert_int_equal(fixture->process->looks.young_count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(each_change_of_what_is_active_is_a_row),
		TEST(an_il_version_is_told_from_its_request_on),
		TEST(a_body_is_judged_once_it_had_its_chance),
		TEST(osr_bodies_are_not_meant_to_be_active),
		TEST(a_body_that_no_version_has_lost_a_race),
		TEST(nothing_is_said_of_what_cannot_be_read),
		TEST(what_a_catch_up_found_had_its_chance_when_the_worker_is_gone),
		TEST(what_there_is_no_time_for_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
