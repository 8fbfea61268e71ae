// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The processes of a recording: born by adoption, fork or exec, each with what
// it runs; and the check that a .NET process really has the hook.
#include "internal.h"

#include "../base/alloc.h"
#include "../base/log.h"
#include "../target/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOOK_WAIT_NS 1000000000ull

struct process *process__by_space(const struct recorder *recorder, uint32_t space,
				  pid_t pid)
{
	uint64_t index;

	if (!map__get(recorder->by_space, space, (uint64_t)pid, &index))
		return NULL;
	return recorder->processes[index];
}

struct process *process__by_pid(const struct recorder *recorder, pid_t pid)
{
	for (uint32_t i = recorder->processes_count; i > 0; i--)
		if (recorder->processes[i - 1]->pid == pid)
			return recorder->processes[i - 1];
	return NULL;
}

struct process *process__by_index(const struct recorder *recorder, uint32_t index)
{
	for (uint32_t i = recorder->processes_count; i > 0; i--)
		if (recorder->processes[i - 1]->index == index)
			return recorder->processes[i - 1];
	return NULL;
}

/* What /proc tells; a process that is gone already keeps what is known. */
static void describe(struct recorder *recorder, struct model_process *ret_process)
{
	struct model *model = recorder->model;
	struct target target;

	if (target__inspect(ret_process->pid, &target))
		return;
	ret_process->comm = model__string(model, target.comm);
	ret_process->executable = model__string(model, target.executable);
	ret_process->cmdline = model__string(model, target.cmdline);
	ret_process->container = model__string(model, target.container);
	if (!ret_process->runtime)
		ret_process->runtime = model__string(model, target.runtime_version);
	target__free(&target);
}

static struct process *add(struct recorder *recorder, uint32_t space,
			   const struct model_process *entry, uint32_t index)
{
	struct process *process = alloc__zeroed(1, sizeof(*process));

	process->space = space;
	process->pid = entry->pid;
	process->alive = true;
	process->born_ns = entry->start_ns;
	process->code = process;
	recorder->mapped_ns = clock__now();
	process->births = map__new();
	process->bodies = map__new();
	process->youngest = map__new();
	module_list__init(&process->modules);
	process->image_bodies = map__new();
	process->stubs = map__new();
	process->functions = map__new();
	process->ids.told = map__new();
	publication__init(&process->publication);
	version_looks__init(&process->looks);
	old_inliners__init(&process->inliners);
	if (index == MODEL_NONE)
		index = model__add_process(recorder->model, entry);
	else
		model__update_process(recorder->model, index, entry);
	process->index = index;
	alloc__grow(recorder->processes, recorder->processes_count,
		    recorder->processes_capacity);
	map__set(recorder->by_space, space, (uint64_t)entry->pid, recorder->processes_count);
	recorder->processes[recorder->processes_count++] = process;
	return process;
}

struct process *process__new(struct recorder *recorder, uint32_t space, pid_t pid,
			     uint64_t born_ns, uint32_t parent, uint32_t index)
{
	struct model_process entry = { .pid = pid, .parent = parent, .start_ns = born_ns };

	describe(recorder, &entry);
	return add(recorder, space, &entry, index);
}

void process__free(struct process *process)
{
	if (!process)
		return;
	mappings__free_list(&process->mappings);
	mappings__free_list(&process->next);
	map__free(process->births);
	map__free(process->bodies);
	map__free(process->youngest);
	module_list__free(&process->modules);
	free(process->moduleless);
	map__free(process->image_bodies);
	map__free(process->stubs);
	map__free(process->functions);
	function_ids__free(&process->ids);
	publication__free(&process->publication);
	version_looks__free(&process->looks);
	old_inliners__free(&process->inliners);
	journal__free(process->journal);
	free(process);
}

void process__saw_rejit(struct recorder *recorder, const struct process *process)
{
	struct model_process entry = *model__process(recorder->model, process->index);

	if (entry.flags & MODEL_PROCESS_MAIN_PROFILER)
		return;
	entry.flags |= MODEL_PROCESS_MAIN_PROFILER;
	model__update_process(recorder->model, process->index, &entry);
}

static void set_ended(struct recorder *recorder, struct process *process, uint64_t time_ns)
{
	struct model_process entry = *model__process(recorder->model, process->index);

	process->alive = false;
	entry.end_ns = time_ns;
	model__update_process(recorder->model, process->index, &entry);
	process->ended = true;
}

static void note_fork(struct recorder *recorder, const struct ts_process_event *event)
{
	struct process *parent = process__by_space(recorder, event->header.space,
						   (pid_t)event->parent);
	struct model_process entry;

	if (!parent) {
		process__new(recorder, event->header.space, (pid_t)event->child_pid,
			     event->header.time_ns, MODEL_NONE, MODEL_NONE);
		return;
	}
	/* It is what its parent is; /proc may tell of its next program by now. */
	entry = *model__process(recorder->model, parent->index);
	entry = (struct model_process){
		.pid = (pid_t)event->child_pid, .parent = parent->index,
		.start_ns = event->header.time_ns, .comm = entry.comm,
		.executable = entry.executable, .cmdline = entry.cmdline,
		.container = entry.container, .runtime = entry.runtime };
	add(recorder, event->header.space, &entry, MODEL_NONE)->code = parent->code;
}

static void note_exec(struct recorder *recorder, const struct ts_process_event *event)
{
	pid_t pid = (pid_t)event->header.pid;
	struct process *old = process__by_pid(recorder, pid), *process;
	uint32_t parent = MODEL_NONE, index = MODEL_NONE;

	if (old && old->pending) {
		index = old->index;	/* nothing of it was recorded */
		old->alive = false;
		old->ended = true;	/* has slots for what it was forked from */
	} else if (old) {
		parent = model__process(recorder->model, old->index)->parent;
		set_ended(recorder, old, event->header.time_ns);
	}
	process = process__new(recorder, event->header.space, pid, event->header.time_ns,
			       parent, index);
	if (old)
		process->unpacked_bytes = old->unpacked_bytes;	/* what one process may cost */
	mappings__exec(recorder, old, process);
}

static void note_exit(struct recorder *recorder, const struct ts_process_event *event)
{
	struct process *process = process__by_space(recorder, event->header.space,
						    (pid_t)event->header.pid);

	if (!process)
		return;
	set_ended(recorder, process, event->header.time_ns);
}

void process__on_event(struct recorder *recorder, const struct ts_process_event *event)
{
	switch (event->header.type) {
	case TS_EVENT_FORK:
		note_fork(recorder, event);
		break;
	case TS_EVENT_EXEC:
		note_exec(recorder, event);
		break;
	case TS_EVENT_EXIT:
		note_exit(recorder, event);
		break;
	}
}

/* Called once the journal could be opened, or a probe was heard. */
void process__saw_hook(struct recorder *recorder, struct process *process)
{
	struct model_process entry = *model__process(recorder->model, process->index);
	struct ts_journal_header header;
	char version[64];

	process->hooked = true;
	entry.flags |= MODEL_PROCESS_HOOKED;
	entry.trouble = 0;
	if (process->journal) {
		journal__header(process->journal, &header);
		snprintf(version, sizeof(version), "%u.%u.%u", header.runtime_major,
			 header.runtime_minor, header.runtime_build);
		if (header.runtime_major)
			entry.runtime = model__string(recorder->model, version);
		header.hook_version[sizeof(header.hook_version) - 1] = 0;
		entry.hook_version = model__string(recorder->model, header.hook_version);
		if (header.attached)
			entry.flags |= MODEL_PROCESS_ATTACHED;
		if (header.main_profiler)
			entry.flags |= MODEL_PROCESS_MAIN_PROFILER;
	}
	model__update_process(recorder->model, process->index, &entry);
}

/* A .NET process that runs for a second without the hook: say why. */
static void check_hook(struct recorder *recorder, struct process *process)
{
	struct trouble trouble = { "" };
	struct model_process entry;
	struct target target;

	if (target__inspect(process->pid, &target))
		return;
	if (target.runtime != TARGET_NOT_DOTNET) {
		if (!target__can_profile(&target, &trouble))
			trouble__set(&trouble, 0, "%s",
				     target.hook_mapped ?
				     "the hook is loaded but says nothing; the runtime refused its event session" :
				     "the runtime started without the hook: its library could not be loaded, or the environment was not passed on");
		entry = *model__process(recorder->model, process->index);
		entry.trouble = model__string(recorder->model, trouble.text);
		model__update_process(recorder->model, process->index, &entry);
		log__warn("process %d (%s) runs .NET without the hook: %s", process->pid,
			  target.comm, trouble.text);
	}
	target__free(&target);
}

void process__check_hooks(struct recorder *recorder, uint64_t now)
{
	for (uint32_t i = 0; i < recorder->processes_count; i++) {
		struct process *process = recorder->processes[i];

		if (!process->alive || process->hooked || process->checked ||
		    process->code != process || now < process->born_ns + HOOK_WAIT_NS)
			continue;
		process->checked = true;
		check_hook(recorder, process);
	}
}
