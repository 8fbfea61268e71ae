// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * What the runtime says of a function's code versions, as it is found from time to time:
 * when its entry cell was seen to change, when another body of it had its chance, at each
 * look at the cell where another profiler is there to ask for ReJITs, and of all functions
 * at the end.  What differs from the time before becomes a row of the model.
 *
 * And what became of a body that had its chance:
 *
 *   no node has it                         it lost a race against another thread
 *   a node has it that is not active,
 *   and is younger than the active one     the runtime did not take it
 *
 * It had its chance when the thread that compiled it has compiled another one since, or is
 * gone: the runtime goes on to the next body after it has published one (dotnet/runtime v8
 * to v10, TieredCompilationManager::DoBackgroundWork, MethodDesc::DoPrestub).
 */
#include "internal.h"

#include "../base/alloc.h"
#include "../base/threads.h"
#include "../target/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROWS_MAX    (1u << 18)	/* of a process */
#define YOUNG_MAX   65536u
#define STEP_MAX    64u		/* functions in one look */
#define ATTEMPTS    3u
/* The thread that compiles in the background; it goes after some seconds without work. */
#define WORKER_NAME ".NET Tiered Com"
/* Keys of version_looks.told beside a function, apart from ReJITIDs. */
#define TOLD_ACTIVE UINT64_MAX
#define TOLD_INLINER (1ull << 63)	/* and its address */
/* Keys of version_looks.threads. */
#define NEWEST_OF   0u	/* thread -> sequence of the youngest birth */
#define BIRTH_OF    1u	/* body -> thread, and below that the sequence of its birth */
#define BIRTH_BITS  40u	/* of the sequence; numbers of threads have 22 */
#define BIRTH_MASK  ((1ull << BIRTH_BITS) - 1)

struct looking {
	struct recorder *recorder;
	struct process *process;
	uint64_t now;
	int64_t worker;	/* as threads__find tells, now */
};

void version_looks__init(struct version_looks *looks)
{
	looks->told = map__new();
	looks->threads = map__new();
}

void version_looks__free(struct version_looks *looks)
{
	map__free(looks->told);
	map__free(looks->threads);
	code_versions__free(&looks->versions);
	free(looks->young);
	*looks = (struct version_looks){ 0 };
}

static bool is_kept(void *context, uint64_t high, uint64_t low, uint64_t value)
{
	(void)value;
	return high != BIRTH_OF || !model_marks__drops_body(context, (uint32_t)low);
}

void version_looks__forget(struct version_looks *looks, const struct model_marks *marks)
{
	if (looks->threads)
		map__filter(looks->threads, is_kept, (void *)(uintptr_t)marks);
}

static bool can_have_versions(const struct ts_journal_record *record)
{
	return !(record->flags & (TS_RECORD_DYNAMIC | TS_RECORD_COLLECTIBLE));
}

/* What is not the first of its IL version has to be made active. */
static bool is_to_be_judged(const struct ts_journal_record *record)
{
	return can_have_versions(record) && record->native_version &&
	       record->tier != TS_TIER_1_OSR;
}

void version_looks__born(struct version_looks *looks, uint32_t body,
			 const struct ts_journal_record *record)
{
	uint64_t newest = 0;

	/* Who compiled what a catch-up found, nobody knows. */
	if (!looks->threads || !record->thread || record->flags & TS_RECORD_CATCH_UP)
		return;
	if (is_to_be_judged(record) && looks->young_count < YOUNG_MAX) {
		alloc__grow(looks->young, looks->young_count, looks->young_capacity);
		looks->young[looks->young_count++] = body;
	}
	if (can_have_versions(record))
		map__set(looks->threads, BIRTH_OF, body,
			 (uint64_t)record->thread << BIRTH_BITS |
				 (record->sequence & BIRTH_MASK));
	(void)map__get(looks->threads, NEWEST_OF, record->thread, &newest);
	if (record->sequence > newest)
		map__set(looks->threads, NEWEST_OF, record->thread, record->sequence);
}

static bool read_memory(void *context, uint64_t address, void *buffer, size_t size)
{
	const struct looking *looking = context;

	return memory__read(looking->process->pid, address, buffer, size) == (ssize_t)size;
}

static unsigned int major_of(const struct process *process)
{
	struct ts_journal_header header;

	if (!process->journal)
		return 0;
	journal__header(process->journal, &header);
	return header.runtime_major;
}

static bool is_readable(struct process *process)
{
	struct version_looks *looks = &process->looks;

	if (!looks->told)
		return false;
	if (!looks->layout.is_known)
		looks->layout = code_layout__of(major_of(process));
	return looks->layout.is_known;
}

/* False: as it was told already. */
static bool is_news(const struct looking *looking, uint64_t high, uint64_t low,
		    uint64_t value)
{
	struct version_looks *looks = &looking->process->looks;
	uint64_t known;

	if (map__get(looks->told, high, low, &known) && known == value)
		return false;
	if (looks->rows == ROWS_MAX) {
		looking->recorder->versions_dropped++;
		return false;
	}
	looks->rows++;
	map__set(looks->told, high, low, value);
	return true;
}

static void tell_ils(const struct looking *looking, uint64_t function)
{
	const struct code_versions *versions = &looking->process->looks.versions;

	if (versions->ils_count)
		process__saw_rejit(looking->recorder, looking->process);
	/* Oldest first. */
	for (uint32_t i = versions->ils_count; i > 0; i--) {
		const struct il_version *il = &versions->ils[i - 1];

		if (is_news(looking, il->rejit_id, function, il->state))
			model__add_il_version(looking->recorder->model,
				&(struct model_il_version){
					.process = looking->process->index,
					.rejit_id = il->rejit_id, .function_id = function,
					.state = il->state, .seen_ns = looking->now });
	}
}

static void tell_active(const struct looking *looking, uint64_t function)
{
	const struct code_versions *versions = &looking->process->looks.versions;
	struct model_active active = {
		.process = looking->process->index, .function_id = function,
		.rejit_id = versions->active_rejit_id, .body = MODEL_NONE,
		.code = MODEL_ACTIVE_NO_VERSION, .seen_ns = looking->now };

	if (versions->active < versions->natives_count) {
		const struct native_version *native = &versions->natives[versions->active];

		active.native_version = native->id;
		active.code = native->code ||
			      (!native->id && !versions->knows_default_code) ?
			      MODEL_ACTIVE_UNKNOWN : MODEL_ACTIVE_NO_CODE;
		if (native->code)
			active.body = publication__body_at(looking->recorder, looking->process,
							   function, native->code,
							   looking->now);
		if (active.body != MODEL_NONE)
			active.code = MODEL_ACTIVE_BODY;
	}
	/* The body decides, where there is one. */
	if (is_news(looking, TOLD_ACTIVE, function,
		    (uint64_t)active.body << 32 |
		    ((active.rejit_id * 2654435761u + active.native_version) * 4u +
		     active.code)))
		model__add_active(looking->recorder->model, &active);
}

void versions__tell_inlining(struct recorder *recorder, struct process *process,
			     const struct model_inlining *inlining)
{
	const struct looking looking = { .recorder = recorder, .process = process };

	if (is_news(&looking, TOLD_INLINER | inlining->inliner_id, inlining->function_id, 1))
		model__add_inlining(recorder->model, inlining);
}

/* Who is not known was compiled and is gone, or is no method: nobody runs it on. */
static void tell_inliners(const struct looking *looking, uint64_t function)
{
	const struct code_versions *versions = &looking->process->looks.versions;

	for (uint32_t i = 0; i < versions->inliners_count; i++) {
		uint64_t inliner = versions->inliners[i];

		if (map__get(looking->process->functions, 0, inliner, NULL))
			versions__tell_inlining(looking->recorder, looking->process,
				&(struct model_inlining){
					.process = looking->process->index,
					.function_id = function, .inliner_id = inliner,
					.seen_ns = looking->now });
	}
}

static int look_at(struct looking *looking, const struct model_body *body)
{
	struct version_looks *looks = &looking->process->looks;
	struct entry_reader reader = { .read = read_memory, .context = looking };
	int err = -EAGAIN;

	for (unsigned int i = 0; err == -EAGAIN && i < ATTEMPTS; i++)
		err = code_versions__read(&looks->versions, &reader, &looks->layout,
					  body->function_id, body->module_id, body->token);
	if (err)
		return err;
	tell_ils(looking, body->function_id);
	tell_active(looking, body->function_id);
	tell_inliners(looking, body->function_id);
	if (looks->versions.ils_count)
		old_inliners__note(looking->recorder, looking->process, body);
	return 0;
}

void versions__look(struct recorder *recorder, struct process *process, uint64_t function,
		    uint64_t now)
{
	struct looking looking = { .recorder = recorder, .process = process, .now = now };
	uint64_t body;

	if (is_readable(process) && map__get(process->functions, 0, function, &body))
		(void)look_at(&looking, model__body(recorder->model, (uint32_t)body));
}

/* Of one function: what the nodes say of where code begins. */
static const struct native_version *version_at(const struct code_versions *versions,
					       uint64_t code)
{
	for (uint32_t i = 0; i < versions->natives_count; i++)
		if (versions->natives[i].code == code)
			return &versions->natives[i];
	return NULL;
}

/* Younger than the one that is active, in the same IL version. */
static bool is_passed_over(const struct code_versions *versions,
			   const struct native_version *native)
{
	if (native->is_active || native->is_osr)
		return false;
	for (uint32_t i = 0; i < versions->natives_count; i++)
		if (versions->natives[i].is_active &&
		    versions->natives[i].rejit_id == native->rejit_id)
			return versions->natives[i].id < native->id;
	return false;
}

/* In a namespace of its own a thread has another number: then nothing is said. */
static bool is_gone(const struct process *process, uint64_t thread)
{
	struct ts_journal_header header;
	char path[64];

	if (!process->journal)
		return false;
	journal__header(process->journal, &header);
	if (header.pid != (uint32_t)process->pid)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/task/%" PRIu64, process->pid, thread);
	return access(path, F_OK) && errno == ENOENT;
}

void version_looks__caught_up(struct process *process, uint64_t now)
{
	process->looks.worker = threads__find(process->pid, WORKER_NAME);
	process->looks.caught_up_ns = now;
}

/*
 * What a catch-up found, of the tiers that are compiled in the background alone: then it
 * was the worker, if there was one when the catch-up was over.
 */
static bool had_chance_before(const struct looking *looking, const struct model_body *body)
{
	const struct version_looks *looks = &looking->process->looks;
	bool is_background = body->native_version && (body->tier == TS_TIER_1 ||
			     body->tier == TS_TIER_1_INSTRUMENTED ||
			     body->tier == TS_TIER_QUICK_INSTRUMENTED);

	if (body->source != MODEL_SOURCE_CATCH_UP || !is_background ||
	    body->born_ns > looks->caught_up_ns || looks->worker < 0 || looking->worker < 0)
		return false;
	return !looks->worker || looking->worker != looks->worker ||
	       map__get(looks->threads, NEWEST_OF, (uint64_t)looks->worker, NULL);
}

static bool had_chance(const struct looking *looking, uint32_t index)
{
	const struct map *threads = looking->process->looks.threads;
	uint64_t birth, thread, newest;

	if (!map__get(threads, BIRTH_OF, index, &birth))
		return had_chance_before(looking,
					 model__body(looking->recorder->model, index));
	thread = birth >> BIRTH_BITS;
	return (map__get(threads, NEWEST_OF, thread, &newest) &&
		newest > (birth & BIRTH_MASK)) || is_gone(looking->process, thread);
}

/* The versions are those of its function; it had its chance before they were read. */
static void judge(struct looking *looking, uint32_t index)
{
	const struct code_versions *versions = &looking->process->looks.versions;
	struct model *model = looking->recorder->model;
	struct model_body body = *model__body(model, index);
	const struct native_version *native = version_at(versions, body.start);

	body.flags &= ~(uint32_t)(MODEL_BODY_LOST_RACE | MODEL_BODY_NEVER_ACTIVE);
	if (!native && versions->knows_default_code)
		body.flags |= MODEL_BODY_LOST_RACE;
	else if (native && is_passed_over(versions, native))
		body.flags |= MODEL_BODY_NEVER_ACTIVE;
	model__update_body(model, index, &body);
}

void versions__step(struct recorder *recorder, struct process *process, uint64_t now,
		    bool (*is_over)(void *context), void *context)
{
	struct looking looking = { .recorder = recorder, .process = process, .now = now,
				   .worker = -1 };
	struct version_looks *looks = &process->looks;
	uint32_t kept = 0, done = 0;

	if (!looks->young_count || !is_readable(process))
		return;
	for (uint32_t i = 0; i < looks->young_count; i++) {
		uint32_t index = looks->young[i];

		if (done == STEP_MAX || is_over(context) || !had_chance(&looking, index)) {
			looks->young[kept++] = index;
			continue;
		}
		done++;
		if (!look_at(&looking, model__body(recorder->model, index)))
			judge(&looking, index);
	}
	looks->young_count = kept;
}

/* Bodies by their functions: those of one function are neighbours. */
struct member {
	uint64_t function;
	uint32_t body;
	bool had_chance;
};

static int by_function(const void *left, const void *right)
{
	const struct member *a = left, *b = right;

	if (a->function != b->function)
		return a->function < b->function ? -1 : 1;
	return a->body < b->body ? -1 : a->body > b->body;
}

static uint32_t list_members(const struct looking *looking, struct member **ret_members)
{
	const struct model *model = looking->recorder->model;
	struct member *members = NULL;
	uint32_t count = 0, capacity = 0;

	for (uint32_t i = 0; i < model__bodies(model); i++) {
		const struct model_body *body = model__body(model, i);

		if (body->process != looking->process->index || body->died_ns ||
		    !publication__has_cell(body))
			continue;
		alloc__grow(members, count, capacity);
		members[count++] = (struct member){ body->function_id, i, false };
	}
	if (count)
		qsort(members, count, sizeof(*members), by_function);
	*ret_members = members;
	return count;
}

void versions__finish(struct recorder *recorder, struct process *process, uint64_t now,
		      bool (*is_over)(void *context), void *context)
{
	struct looking looking = { .recorder = recorder, .process = process, .now = now };
	struct member *members = NULL;
	uint32_t count = 0;

	if (is_readable(process)) {
		count = list_members(&looking, &members);
		looking.worker = threads__find(process->pid, WORKER_NAME);
	}
	for (uint32_t i = 0, next; i < count && !is_over(context); i = next) {
		const struct model_body *body = NULL;

		for (next = i; next < count && members[next].function == members[i].function;
		     next++) {
			/* Precompiled code has no module; on 8 one is needed. */
			if (!body || !body->module_id)
				body = model__body(recorder->model, members[next].body);
			members[next].had_chance = had_chance(&looking, members[next].body);
		}
		if (look_at(&looking, body))
			continue;
		for (uint32_t j = i; j < next; j++)
			if (members[j].had_chance)
				judge(&looking, members[j].body);
	}
	free(members);
}
