// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What the runtime did with code: bodies, patches, ReJITs, the way to tier 1.
#include "metrics_internal.h"

#include "view_internal.h"

#include "../base/alloc.h"

#include <stdlib.h>
#include <string.h>

/* Tier 1 takes a tenth of a second at least, callers reach it within a millisecond mostly. */
const struct metrics_bound metrics_bounds[METRICS_BUCKETS - 1] = {
	{ 100000, "0.0001" }, { 1000000, "0.001" }, { 10000000, "0.01" },
	{ 100000000, "0.1" }, { 200000000, "0.2" }, { 500000000, "0.5" },
	{ 1000000000, "1.0" }, { 2000000000, "2.0" }, { 5000000000, "5.0" },
	{ 10000000000, "10.0" }, { 60000000000, "60.0" }, { 600000000000, "600.0" },
};

/* Keys of struct metrics_code.functions beside a function, apart from ReJITIDs. */
#define ACTIVE (1ull << 32)

enum {
	LOOKED_AT = 1 << 0,
	ASKED = 1 << 1,			/* its ReJIT is among those asked for */
};

struct metrics_code {
	struct tier_ups tier_ups;
	struct map **functions;		/* [process of the model]: (ReJITID, function): was asked
					 * for; (ACTIVE, function): the ReJITID that the
					 * runtime prefers */
	uint32_t processes_room;
	uint8_t *bodies;		/* [body]: LOOKED_AT, and ASKED */
	uint32_t bodies_room;
	uint32_t patches, il_versions, actives;	/* seen */
};

struct metrics_code *metrics_code__new(void)
{
	return alloc__zeroed(1, sizeof(struct metrics_code));
}

void metrics_code__free(struct metrics_code *code)
{
	if (!code)
		return;
	for (uint32_t i = 0; i < code->processes_room; i++)
		map__free(code->functions[i]);
	free(code->functions);
	free(code->bodies);
	tier_ups__free(&code->tier_ups);
	free(code);
}

void metrics_code__forget(struct metrics_code *code, uint32_t process)
{
	tier_ups__forget(&code->tier_ups, process);
	if (process >= code->processes_room)
		return;
	map__free(code->functions[process]);
	code->functions[process] = NULL;
}

static struct map *functions_of(struct metrics_code *code, uint32_t process)
{
	struct map **functions = &code->functions[process];

	if (!*functions)
		*functions = map__new();
	return *functions;
}

/* Whatever tells of it first: a look at the runtime's versions, or a body. */
static void add_request(struct metrics *metrics, uint32_t index, uint32_t rejit_id,
			uint64_t function)
{
	struct metrics_process *process = metrics__process(metrics, index);
	uint64_t known;

	if (process && map__add(functions_of(metrics->code, index), rejit_id, function, 1, &known))
		process->rejits[METRICS_REQUESTED]++;
}

static bool is_rejit(const struct model_body *body)
{
	return body->rejit_id || body->flags & MODEL_BODY_REJIT_UNKNOWN;
}

/* Not of a program that the process ran before another one under the same name. */
static bool is_told(const struct model *model, const struct metrics_process *process,
		    const struct model_body *body)
{
	return !process->alive || !model__process(model, body->process)->end_ns;
}

static void look_at_bodies(struct metrics *metrics, const struct model *model)
{
	struct metrics_code *code = metrics->code;

	for (uint32_t i = 0; i < model__bodies(model); i++) {
		const struct model_body *body = model__body(model, i);
		struct metrics_process *process = metrics__process(metrics, body->process);

		if (!process)
			continue;
		code->bodies[i] |= LOOKED_AT;
		if (body->source != MODEL_SOURCE_IMAGE) {
			process->loads++;
			process->unloads += !!body->died_ns;
		}
		if (!body->died_ns && is_told(model, process, body))
			process->bodies[view__tier(body)]++;
		process->rejits[METRICS_COMPILED] += is_rejit(body);
		if (body->rejit_id && !(code->bodies[i] & ASKED)) {
			code->bodies[i] |= ASKED;
			add_request(metrics, body->process, body->rejit_id, body->function_id);
		}
	}
}

static void look_at_versions(struct metrics *metrics, const struct model *model)
{
	struct metrics_code *code = metrics->code;

	for (; code->il_versions < model__il_versions(model); code->il_versions++) {
		const struct model_il_version *il = model__il_version(model, code->il_versions);

		add_request(metrics, il->process, il->rejit_id, il->function_id);
	}
	for (; code->actives < model__actives(model); code->actives++) {
		const struct model_active *active = model__active(model, code->actives);
		struct metrics_process *process = metrics__process(metrics, active->process);
		struct map *functions;
		uint64_t before = 0;

		if (!process)
			continue;
		functions = functions_of(code, active->process);
		(void)map__get(functions, ACTIVE, active->function_id, &before);
		process->rejits[METRICS_REVERTED] += before && !active->rejit_id;
		map__set(functions, ACTIVE, active->function_id, active->rejit_id);
	}
}

static void look_at_patches(struct metrics *metrics, const struct model *model)
{
	for (; metrics->code->patches < model__patches(model); metrics->code->patches++) {
		uint32_t index = model__patch(model, metrics->code->patches)->process;
		struct metrics_process *process = metrics__process(metrics, index);

		if (process)
			process->patches++;
	}
}

/* A process without a name has hardly begun. */
static void add_tier_up(void *context, enum tier_up way, const struct model_body *body,
			uint64_t ns)
{
	struct metrics_process *process = metrics__process(context, body->process);
	unsigned int bucket = 0;

	if (!process)
		return;
	while (bucket < METRICS_BUCKETS - 1 && ns > metrics_bounds[bucket].ns)
		bucket++;
	process->tier_ups[way].buckets[bucket]++;
	process->tier_ups[way].sum_ns += ns;
}

void metrics_code__look(struct metrics *metrics, const struct model *model)
{
	struct metrics_code *code = metrics->code;

	code->functions = alloc__room(code->functions, &code->processes_room,
				      model__processes(model), sizeof(*code->functions));
	code->bodies = alloc__room(code->bodies, &code->bodies_room, model__bodies(model),
				   sizeof(*code->bodies));
	for (uint32_t i = 0; i < metrics->processes_count; i++) {
		struct metrics_process *process = &metrics->processes[i];

		if (process->alive)
			memset(process->gone.bodies, 0, sizeof(process->gone.bodies));
		memcpy(process->bodies, process->gone.bodies, sizeof(process->bodies));
		process->loads = process->gone.loads;
		process->unloads = process->gone.unloads;
		process->rejits[METRICS_COMPILED] = process->gone.compiled;
	}
	look_at_bodies(metrics, model);
	look_at_versions(metrics, model);
	look_at_patches(metrics, model);
	tier_ups__look(&code->tier_ups, model, add_tier_up, metrics);
}

void metrics_code__mark(const struct metrics *metrics, const struct model *model,
			struct model_marks *marks)
{
	const struct metrics_code *code = metrics->code;

	for (uint32_t i = 0; i < model__bodies(model); i++)
		if (metrics__process(metrics, model__body(model, i)->process) &&
		    (i >= code->bodies_room || !(code->bodies[i] & LOOKED_AT)))
			model_marks__body(marks, i);
	model_marks__patches(marks, code->patches);
	model_marks__il_versions(marks, code->il_versions);
	model_marks__actives(marks, code->actives);
}

/* Whether its process goes on, the next look knows. */
static void keep_counts(struct metrics *metrics, const struct model_body *body)
{
	struct metrics_process *process = metrics__process(metrics, body->process);

	if (!process)
		return;
	if (body->source != MODEL_SOURCE_IMAGE) {
		process->gone.loads++;
		process->gone.unloads += !!body->died_ns;
	}
	if (!body->died_ns)
		process->gone.bodies[view__tier(body)]++;
	process->gone.compiled += is_rejit(body);
}

void metrics_code__sweep(struct metrics *metrics, const struct model *model,
			 const struct model_marks *marks)
{
	struct metrics_code *code = metrics->code;

	for (uint32_t i = 0; i < model__bodies(model); i++) {
		if (!model_marks__drops_body(marks, i))
			continue;
		keep_counts(metrics, model__body(model, i));
		if (i < code->bodies_room)
			code->bodies[i] = 0;
	}
	for (uint32_t i = 0; i < model__processes(model); i++)
		if (model_marks__drops_process(marks, i))
			metrics_code__forget(code, i);
	tier_ups__sweep(&code->tier_ups, marks);
	code->patches -= marks->patches;
	code->il_versions -= marks->il_versions;
	code->actives -= marks->actives;
}
