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

struct metrics_code {
	struct tier_ups tier_ups;
	struct map **functions;		/* [process of the model]: (ReJITID, function): was asked
					 * for; (ACTIVE, function): the ReJITID that the
					 * runtime prefers */
	uint32_t processes_room;
	uint8_t *asked;			/* [body]: its ReJIT is among those asked for */
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
	free(code->asked);
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

static void look_at_bodies(struct metrics *metrics, const struct model *model)
{
	struct metrics_code *code = metrics->code;

	for (uint32_t i = 0; i < model__bodies(model); i++) {
		const struct model_body *body = model__body(model, i);
		struct metrics_process *process = metrics__process(metrics, body->process);

		if (!process)
			continue;
		if (body->source != MODEL_SOURCE_IMAGE) {
			process->loads++;
			process->unloads += !!body->died_ns;
		}
		if (!body->died_ns)
			process->bodies[view__tier(body)]++;
		if (!body->rejit_id && !(body->flags & MODEL_BODY_REJIT_UNKNOWN))
			continue;
		process->rejits[METRICS_COMPILED]++;
		if (body->rejit_id && !code->asked[i]) {
			code->asked[i] = 1;
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
	code->asked = alloc__room(code->asked, &code->bodies_room, model__bodies(model),
				  sizeof(*code->asked));
	for (uint32_t i = 0; i < metrics->processes_count; i++) {
		struct metrics_process *process = &metrics->processes[i];

		memset(process->bodies, 0, sizeof(process->bodies));
		process->loads = process->unloads = process->rejits[METRICS_COMPILED] = 0;
	}
	look_at_bodies(metrics, model);
	look_at_versions(metrics, model);
	look_at_patches(metrics, model);
	tier_ups__look(&code->tier_ups, model, add_tier_up, metrics);
}
