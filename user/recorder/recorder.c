// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The recorder's steps: drain, then resolve, then look after gaps.
#include "internal.h"

#include "../base/alloc.h"
#include "../base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHECK_NS 250000000ull

/* Samples wait until the code events of the same drain are in the model. */
static void on_sample(void *context, const struct ts_sample *sample)
{
	struct recorder *recorder = context;

	buf__append(&recorder->pending, sample, kernel_sample__size(sample));
}

static void on_mapping(void *context, const struct kernel_mapping *mapping)
{
	struct recorder *recorder = context;

	if (recorder->stranger && !recorder__is_alive(recorder, mapping->pid))
		recorder->stranger(recorder->stranger_context, mapping);
	mappings__on_mapping(recorder, mapping);
}

static void on_code(void *context, const struct ts_code_event *event)
{
	bodies__on_event(context, event);
}

static void on_process(void *context, const struct ts_process_event *event)
{
	process__on_event(context, event);
}

static void on_mapping_lost(void *context, uint64_t count)
{
	struct recorder *recorder = context;

	recorder->mappings_lost += count;
	for (uint32_t i = 0; i < recorder->processes_count; i++)
		if (recorder->processes[i]->alive)
			mappings__read(recorder, recorder->processes[i]);
}

struct recorder *recorder__new(struct kernel *kernel, struct model *model)
{
	struct recorder *recorder = alloc__zeroed(1, sizeof(*recorder));

	recorder->kernel = kernel;
	recorder->model = model;
	recorder->by_space = map__new();
	recorder->rows = map__new();
	recorder->symbols = symbols__new();
	recorder->native_frames = map__new();
	recorder->handlers = (struct kernel_handlers){
		.context = recorder, .sample = on_sample, .mapping = on_mapping,
		.code = on_code, .process = on_process, .mapping_lost = on_mapping_lost,
	};
	return recorder;
}

void recorder__free(struct recorder *recorder)
{
	if (!recorder)
		return;
	for (uint32_t i = 0; i < recorder->processes_count; i++)
		process__free(recorder->processes[i]);
	free(recorder->processes);
	images__free(recorder);
	map__free(recorder->by_space);
	map__free(recorder->rows);
	symbols__free(recorder->symbols);
	map__free(recorder->native_frames);
	buf__free(&recorder->pending);
	free(recorder);
}

void recorder__on_stranger(struct recorder *recorder, recorder_stranger stranger,
			   void *context)
{
	recorder->stranger = stranger;
	recorder->stranger_context = context;
}

int recorder__adopt(struct recorder *recorder, pid_t pid, uint32_t flags)
{
	struct process *process;
	uint32_t space;
	int err;

	err = kernel__adopt(recorder->kernel, pid, flags, &space);
	if (err)
		return err;
	process = process__new(recorder, space, pid, clock__now(), MODEL_NONE, MODEL_NONE);
	process->pending = flags & TS_SPACE_PENDING;
	mappings__read(recorder, process);
	return 0;
}

int recorder__catch_up(struct recorder *recorder, pid_t pid, struct trouble *ret_trouble)
{
	struct process *process = process__by_pid(recorder, pid);
	int err;

	if (!process)
		return trouble__set(ret_trouble, -ESRCH, "the process is gone");
	err = bodies__read_journal(recorder, process);
	if (err == -EPROTO)
		return trouble__set(ret_trouble, err,
			"its hook is of another version of tierscope; use that one, or restart the process");
	if (err == -ENOENT)
		return trouble__set(ret_trouble, err, "the hook left no journal");
	if (err)
		return trouble__set(ret_trouble, err, "cannot read the hook's journal: %s",
				    strerror(-err));
	process__saw_hook(recorder, process);
	return 0;
}

int recorder__step(struct recorder *recorder)
{
	uint64_t now = clock__now();
	int err = kernel__drain(recorder->kernel, &recorder->handlers);

	if (now - recorder->last_check_ns >= CHECK_NS) {
		recorder->last_check_ns = now;
		bodies__close_gaps(recorder, now, false);
		process__check_hooks(recorder, now);
	}
	resolve__samples(recorder);
	return err;
}

static const char *const cause_names[LEAF_CAUSES] = {
	[LEAF_JIT_UNKNOWN] = "jit_unknown", [LEAF_JIT_UNREADABLE] = "jit_unreadable",
	[LEAF_IMAGE_UNKNOWN] = "image_unknown", [LEAF_ANONYMOUS] = "anonymous",
	[LEAF_NO_MAPPING] = "no_mapping",
};

struct ledger_row {
	unsigned int slot;
	int section;			/* enum model_ledger_section, -1: not shown */
	const char *name;
};

enum ledger_class { RUN, SCOPE, KEPT, LOST, NOTE, CODE, CODE_LOST };

static const int section_of[] = {
	[RUN] = -1, [SCOPE] = MODEL_LEDGER_SAMPLES, [KEPT] = -1,
	[LOST] = MODEL_LEDGER_SAMPLES_LOST, [NOTE] = MODEL_LEDGER_NOTES,
	[CODE] = MODEL_LEDGER_NOTES, [CODE_LOST] = MODEL_LEDGER_EVENTS_LOST,
};

static void write_ledger(struct recorder *recorder, const uint64_t *counts, uint64_t due)
{
	static const struct ledger_row rows[] = {
#define ROW(number, id, class, row_name, text) { number, class, row_name },
		TS_LEDGER_TABLE(ROW)
#undef ROW
	};
	struct model *model = recorder->model;
	uint64_t runs = counts[TS_LEDGER_RUNS], scope = counts[TS_LEDGER_OUT_OF_SCOPE];

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int section = section_of[rows[i].section];

		if (section >= 0)
			model__set_count(model, (enum model_ledger_section)section,
					 rows[i].name, counts[rows[i].slot]);
	}
	/* Counts are read CPU by CPU: the timer may be one period ahead of them. */
	if (due < runs)
		due = runs;
	model__set_count(model, MODEL_LEDGER_SAMPLES, "due", due - scope);
	model__set_count(model, MODEL_LEDGER_SAMPLES, "fired", runs - scope);
	model__set_count(model, MODEL_LEDGER_SAMPLES, "not_delivered", due - runs);
	model__set_count(model, MODEL_LEDGER_SAMPLES, "kept", model__samples(model));
	model__set_count(model, MODEL_LEDGER_EVENTS, "fired", counts[TS_LEDGER_CODE_EVENTS]);
	model__set_count(model, MODEL_LEDGER_EVENTS, "kept", counts[TS_LEDGER_CODE_SENT]);
	model__set_count(model, MODEL_LEDGER_EVENTS, "read_from_journal",
			 recorder->journal_bodies);
}

static void write_causes(struct recorder *recorder)
{
	struct model *model = recorder->model;

	for (unsigned int i = 0; i < LEAF_CAUSES; i++)
		model__set_count(model, MODEL_LEDGER_UNRESOLVED_LEAF, cause_names[i],
				 recorder->leaf_causes[i]);
	for (unsigned int i = STUB_NONE + 1; i < STUB_UNREADABLE; i++)
		model__set_count(model, MODEL_LEDGER_STUB_LEAF,
				 stub__name((enum stub_kind)i), recorder->stub_leaf[i]);
	model__set_count(model, MODEL_LEDGER_NOTES, "body_late", recorder->body_late);
	model__set_count(model, MODEL_LEDGER_NOTES, "table_late", recorder->table_late);
	model__set_count(model, MODEL_LEDGER_NOTES, "broken_chain",
			 recorder->broken_chains);
	model__set_count(model, MODEL_LEDGER_NOTES, "mappings_lost",
			 recorder->mappings_lost);
}

int recorder__finish(struct recorder *recorder)
{
	uint64_t counts[TS_LEDGER_SLOTS];
	int err = kernel__drain(recorder->kernel, &recorder->handlers);
	int ledger_err;

	bodies__close_gaps(recorder, clock__now(), true);
	resolve__samples(recorder);
	for (uint32_t i = 0; i < recorder->processes_count; i++)
		bodies__name_modules(recorder, recorder->processes[i]);
	ledger_err = kernel__ledger(recorder->kernel, counts);
	if (ledger_err)
		return ledger_err;
	counts[TS_LEDGER_READER_DROPPED] += recorder->dropped;
	write_ledger(recorder, counts, kernel__due(recorder->kernel));
	write_causes(recorder);
	return err;
}

void recorder__progress(const struct recorder *recorder,
			struct recorder_progress *ret_progress)
{
	uint64_t counts[TS_LEDGER_SLOTS] = { 0 };

	*ret_progress = (struct recorder_progress){
		.samples = model__samples(recorder->model),
		.managed = recorder->managed,
		.managed_named = recorder->managed_named,
		.bodies = model__bodies(recorder->model),
	};
	/* Summed from the causes: while running, differences of counts are off. */
	if (!kernel__ledger(recorder->kernel, counts))
		ret_progress->lost = recorder->dropped + counts[TS_LEDGER_RING_FULL] +
				     counts[TS_LEDGER_NO_USER_REGISTERS] +
				     counts[TS_LEDGER_INTERNAL] +
				     counts[TS_LEDGER_READER_DROPPED];
	for (uint32_t i = 0; i < recorder->processes_count; i++) {
		ret_progress->processes_alive += recorder->processes[i]->alive;
		ret_progress->hooked += recorder->processes[i]->hooked;
	}
}

void recorder__alive(const struct recorder *recorder,
		     void (*each)(void *context, uint32_t process), void *context)
{
	for (uint32_t i = 0; i < recorder->processes_count; i++)
		if (recorder->processes[i]->alive)
			each(context, recorder->processes[i]->index);
}

bool recorder__is_alive(const struct recorder *recorder, pid_t pid)
{
	const struct process *process = process__by_pid(recorder, pid);

	return process && process->alive;
}
