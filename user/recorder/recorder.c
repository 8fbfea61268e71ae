// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The recorder's steps: drain, then resolve, then look after gaps.
#include "internal.h"

#include "../base/alloc.h"
#include "../base/log.h"
#include "../image/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHECK_NS 250000000ull
#define MAPPING_NS 2000000000ull
#define HOLD_NS 1000000000ull	/* from one call of recorder__catch_up to the next */
#define TIERINGS_MAX (1u << 18)	/* of a process: 8 MB */

/* Samples wait until the code events of the same drain are in the model. */
static void on_sample(void *context, const struct ts_sample *sample)
{
	struct recorder *recorder = context;

	buf__append(&recorder->pending, sample, kernel_sample__size(sample));
}

static void on_off_cpu(void *context, const struct ts_event *event)
{
	struct recorder *recorder = context;

	buf__append(&recorder->pending, event, event->size);
}

static void on_mapping(void *context, const struct kernel_mapping *mapping)
{
	struct recorder *recorder = context;

	if (recorder->stranger && !recorder__is_alive(recorder, mapping->pid))
		recorder->stranger(recorder->stranger_context, mapping);
	mappings__on_mapping(recorder, mapping);
}

static void count_code(struct recorder *recorder, bool kept)
{
	if (kept)
		recorder->code_kept++;
	else
		recorder->code_dropped++;
}

static void on_code(void *context, const struct ts_code_event *event)
{
	count_code(context, bodies__on_event(context, event));
}

static void on_patch(void *context, const struct ts_patch_event *event)
{
	count_code(context, publication__told(context, event));
}

/* False: of a process that is not in the recording, or nonsense. */
static bool keep_tiering(struct recorder *recorder, const struct ts_tiering_event *event)
{
	struct process *process = process__by_space(recorder, event->header.space,
						    (pid_t)event->header.pid);
	struct model_tiering tiering = {
		.kind = event->kind, .time_ns = event->header.time_ns,
		.pending = event->pending, .new_methods = event->new_methods,
		.compiled = event->compiled,
	};

	if (!process)
		return false;
	tiering.process = process->index;
	if (process->tierings >= TIERINGS_MAX)
		recorder->tierings_dropped++;
	else if (model__add_tiering(recorder->model, &tiering) == MODEL_NONE)
		return false;
	else
		process->tierings++;
	return true;
}

static void on_tiering(void *context, const struct ts_tiering_event *event)
{
	count_code(context, keep_tiering(context, event));
}

static void on_process(void *context, const struct ts_process_event *event)
{
	struct recorder *recorder = context;

	recorder->code_kept++;
	process__on_event(recorder, event);
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
	recorder->image_cache = image_cache__open();
	rules__init(&recorder->rules);
	recorder->by_space = map__new();
	recorder->rows = map__new();
	recorder->unnamed_samples = map__new();
	recorder->symbols = symbols__new();
	recorder->native_frames = map__new();
	recorder->kernel_frames = map__new();
	off_cpu__init(&recorder->off_cpu);
	recorder->handlers = (struct kernel_handlers){
		.context = recorder, .sample = on_sample, .mapping = on_mapping,
		.off_cpu = on_off_cpu, .code = on_code, .patch = on_patch,
		.tiering = on_tiering, .process = on_process,
		.mapping_lost = on_mapping_lost,
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
	rules__free(&recorder->rules);
	map__free(recorder->by_space);
	map__free(recorder->rows);
	map__free(recorder->unnamed_samples);
	symbols__free(recorder->symbols);
	map__free(recorder->native_frames);
	kernel_symbols__free(recorder->kernel_symbols);
	map__free(recorder->kernel_frames);
	off_cpu__free(&recorder->off_cpu);
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
	err = process__wake_hook(process);
	/* Lapses, should the caller give up. */
	process->hold_until_ns = err == -EAGAIN ? clock__now() + HOLD_NS : 0;
	if (err == -EAGAIN)
		return err;
	if (err == -ETIMEDOUT)
		return trouble__set(ret_trouble, err,
			"its hook does not answer; is the process stopped?");
	if (!err)
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
	version_looks__caught_up(process, clock__now());
	return 0;
}

bool recorder__is_mapping(const struct recorder *recorder)
{
	return clock__now() - recorder->mapped_ns < MAPPING_NS;
}

int recorder__step(struct recorder *recorder)
{
	int err = kernel__drain(recorder->kernel, &recorder->handlers);
	uint64_t now = clock__now();	/* after all that was drained */

	if (now - recorder->last_check_ns >= CHECK_NS) {
		recorder->last_check_ns = now;
		bodies__close_gaps(recorder, now, false);
		process__check_hooks(recorder, now);
	}
	samples__resolve(recorder, false);
	process__forget_ended(recorder, now);
	process__free_gone(recorder, now);
	function_ids__step(recorder);
	publication__step(recorder, clock__now());
	return err;
}

static void find_old_inliners(struct recorder *recorder)
{
	for (uint32_t i = 0; i < recorder->processes_count; i++)
		old_inliners__leave(recorder, recorder->processes[i]);
	function_ids__step(recorder);	/* theirs, as far as they are told */
}

static void name_modules(struct recorder *recorder)
{
	for (uint32_t i = 0; i < recorder->processes_count; i++)
		bodies__name_modules(recorder, recorder->processes[i]);
}

/*
 * The events stand still for as long as it takes to drain the rings: what fired
 * before is in this part, in its ledger too, and what fires after is in the next.
 */
int recorder__cut(struct recorder *recorder)
{
	int err, resume_err;

	kernel__pause(recorder->kernel);
	err = kernel__drain(recorder->kernel, &recorder->handlers);
	samples__resolve(recorder, true);
	name_modules(recorder);
	if (!err)
		err = off_cpu__tell(recorder, false);
	if (!err)
		err = ledger__write(recorder, false);
	resume_err = kernel__resume(recorder->kernel);
	return err ? err : resume_err;
}

int recorder__finish(struct recorder *recorder)
{
	int err = kernel__drain(recorder->kernel, &recorder->handlers);
	int last_err;

	bodies__close_gaps(recorder, clock__now(), true);
	samples__resolve(recorder, true);
	/* First: which version of a function is reached is asked of those that are known. */
	function_ids__finish(recorder);
	publication__finish(recorder, clock__now());	/* what comes now, nobody tells us */
	find_old_inliners(recorder);
	name_modules(recorder);
	last_err = off_cpu__tell(recorder, true);
	err = err ? err : last_err;
	last_err = ledger__write(recorder, true);
	return err ? err : last_err;
}

void recorder__progress(const struct recorder *recorder,
			struct recorder_progress *ret_progress)
{
	uint64_t counts[TS_LEDGER_SLOTS] = { 0 };

	*ret_progress = (struct recorder_progress){
		.samples = recorder->kept,
		.managed = recorder->managed,
		.managed_named = recorder->managed_named,
		.bodies = model__bodies_added(recorder->model),
		.hooked = recorder->hooked_gone,
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
