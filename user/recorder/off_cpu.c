// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Time off the CPU: from stacks that were taken when a thread was switched out, and the
// moments at which it ran again, to samples with the time that they stand for; and the
// times of threads.
//
// A stack is resolved when it comes, as every other, and held as frames of the model until
// it is known for how long it was so.  What is held when the recording ends was so until
// then.
#include "internal.h"

#include "../base/alloc.h"
#include "../model/name.h"
#include "../target/threads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void off_cpu__init(struct off_cpu *off_cpu)
{
	off_cpu->numbers = map__new();
}

void off_cpu__free(struct off_cpu *off_cpu)
{
	for (uint32_t i = 0; i < off_cpu->count; i++)
		free(off_cpu->items[i].path);
	free(off_cpu->items);
	map__free(off_cpu->numbers);
}

static struct off_thread *item_of(struct off_cpu *off_cpu, uint32_t space, uint32_t tid)
{
	uint64_t number;

	if (map__add(off_cpu->numbers, space, tid, off_cpu->count, &number)) {
		alloc__grow(off_cpu->items, off_cpu->count, off_cpu->capacity);
		number = off_cpu->count++;
		off_cpu->items[number] = (struct off_thread){ .thread = MODEL_NONE };
	}
	return &off_cpu->items[number];
}

/* One of the kernel's frames as far as views are concerned: it stands leafward of all. */
static uint32_t add_leaf(struct recorder *recorder, uint32_t stack, uint32_t state)
{
	struct model_frame frame = { .kind = MODEL_FRAME_KERNEL, .body = MODEL_NONE };
	char name[32];

	snprintf(name, sizeof(name), "off-cpu %s", name__state(state));
	frame.name = model__string(recorder->model, name);
	return model__add_stack(recorder->model, stack,
				model__add_frame(recorder->model, &frame));
}

static void add_time(struct recorder *recorder, const struct off_thread *item, uint32_t stack,
		     uint32_t state, uint64_t ns)
{
	if (!ns)
		return;
	model__add_sample(recorder->model, &(struct model_sample){
		.time_ns = item->out_ns, .thread = item->thread,
		.stack = add_leaf(recorder, stack, state), .event = model__off_cpu(recorder->model),
		.flags = item->flags, .ip = item->ip, .weight = ns << item->shift });
}

/* Now it is known for how long; from when it was woken on it waited for a CPU. */
static void release(struct recorder *recorder, struct off_thread *item, uint64_t woken,
		    uint64_t until)
{
	uint32_t stack = model__add_path(recorder->model, item->path, item->path_count);

	if (until < item->out_ns)
		until = item->out_ns;
	if (woken < item->out_ns || woken > until || item->state == TS_STATE_RUNNABLE)
		woken = until;
	add_time(recorder, item, stack, item->state, woken - item->out_ns);
	add_time(recorder, item, stack, TS_STATE_RUNNABLE, until - woken);
	item->held = false;
	recorder->off_cpu.kept++;
}

/* It ran again, but nobody heard when. */
static void give_up(struct recorder *recorder, struct off_thread *item)
{
	recorder->off_cpu.end_lost += item->held;
	item->held = false;
}

void off_cpu__hold(struct recorder *recorder, const struct ts_sample *sample,
		   uint32_t thread, uint32_t flags, const uint32_t *path, uint32_t count)
{
	const struct ts_off_cpu *off = kernel_sample__off_cpu(sample);
	struct off_thread *item = item_of(&recorder->off_cpu, sample->header.space,
					  sample->header.tid);

	give_up(recorder, item);
	item->held = true;
	item->thread = thread;
	item->state = off->state;
	item->shift = off->shift & 31;
	item->flags = flags;
	item->out_ns = sample->header.time_ns;
	item->ip = sample->ip;
	item->path = alloc__room(item->path, &item->path_room, count + 1,
				 sizeof(*item->path));
	memcpy(item->path, path, count * sizeof(*path));
	item->path_count = count;
}

void off_cpu__end(struct recorder *recorder, const struct ts_off_cpu_end *end)
{
	struct off_thread *item = item_of(&recorder->off_cpu, end->header.space,
					  end->header.tid);

	/* Else the stack got lost, which is counted. */
	if (item->held && item->out_ns == end->out_ns)
		release(recorder, item, end->woken_ns, end->header.time_ns);
}

/* What the thread's times have grown by since they were told last, into the model. */
static void tell(struct recorder *recorder, struct off_thread *item, uint32_t thread,
		 const struct ts_thread *now)
{
	const struct model_times *known = model__times(recorder->model, thread);
	struct model_times times = { .since_ns = item->told.changed_ns ?
					     item->told.changed_ns : now->since_ns };

	if (known)	/* another thread had its number before it */
		times = *known;
	for (unsigned int i = 0; i < TS_STATES; i++)
		if (now->times[i] > item->told.times[i])
			times.ns[i] += now->times[i] - item->told.times[i];
	times.switches += now->switches - item->told.switches;
	model__set_times(recorder->model, thread, &times);
	item->told = *now;
}

/* Of a thread of which nobody tells its name (any more). */
static string_id known_name(const struct recorder *recorder, const struct process *process,
			    const struct off_thread *item)
{
	return item->thread == MODEL_NONE ?
	       model__process(recorder->model, process->index)->comm :
	       model__thread(recorder->model, item->thread)->name;
}

void off_cpu__thread_end(struct recorder *recorder, const struct ts_thread_end *end)
{
	const struct process *process = process__by_space(recorder, end->header.space,
							  (pid_t)end->header.pid);
	struct off_thread *item;
	string_id name;

	if (!process)
		return;
	item = item_of(&recorder->off_cpu, end->header.space, end->header.tid);
	give_up(recorder, item);
	name = end->comm[0] ? model__string_n(recorder->model, end->comm,
					      strnlen(end->comm, sizeof(end->comm))) :
			      known_name(recorder, process, item);
	tell(recorder, item, model__add_thread(recorder->model, process->index,
					       (int32_t)end->header.tid, name), &end->thread);
	item->thread = MODEL_NONE;	/* the next of that number is another one */
	memset(&item->told, 0, sizeof(item->told));
}

/* --- those that are there ---------------------------------------------------------- */

struct telling {
	struct recorder *recorder;
	const struct process *process;
	struct map *rows;		/* tid -> index of a row that is not told yet */
	struct ts_thread *items;
	uint32_t count, capacity;
	uint64_t now;
	bool last;
};

static void keep_row(void *context, const struct ts_thread *thread)
{
	struct telling *telling = context;

	if (map__get(telling->rows, 0, thread->tid, NULL))
		return;
	alloc__grow(telling->items, telling->count, telling->capacity);
	map__set(telling->rows, 0, thread->tid, telling->count);
	telling->items[telling->count++] = *thread;
}

static void tell_row(struct telling *telling, uint32_t process, string_id name,
		     struct ts_thread *row)
{
	struct recorder *recorder = telling->recorder;
	struct off_thread *item = item_of(&recorder->off_cpu, row->space, row->tid);

	map__remove(telling->rows, 0, row->tid);
	if (telling->last && item->held && row->sampled && row->changed_ns == item->out_ns)
		release(recorder, item, row->woken_ns, telling->now);
	ts_thread__advance(row, telling->now);
	tell(recorder, item,
	     model__add_thread(recorder->model, process, (int32_t)row->tid, name), row);
}

/*
 * A thread without a row was not switched and not woken since the recording began: it was
 * there, and in one state, all the time.
 */
static void tell_silent(struct telling *telling, const struct target_thread *known)
{
	struct recorder *recorder = telling->recorder;
	uint64_t since = kernel__off_cpu_since(recorder->kernel);
	struct ts_thread row = { .space = telling->process->space,
				 .tid = (uint32_t)known->tid };

	if (since < telling->process->born_ns)
		since = telling->process->born_ns;
	if (known->start_ns >= since || known->state == 'Z')
		return;
	row.since_ns = row.changed_ns = since;
	row.state = known->state == 'R' ? TS_STATE_RUNNING : ts_state__of_call(known->call);
	tell_row(telling, telling->process->index,
		 model__string(recorder->model, known->comm), &row);
}

static void tell_thread(void *context, const struct target_thread *known)
{
	struct telling *telling = context;
	uint64_t number;

	if (map__get(telling->rows, 0, (uint64_t)known->tid, &number) &&
	    telling->items[number].space == telling->process->space)
		tell_row(telling, telling->process->index,
			 model__string(telling->recorder->model, known->comm),
			 &telling->items[number]);
	else
		tell_silent(telling, known);
}

/* It ended after the last switch that was counted: it has the name that is known. */
static void tell_gone(struct telling *telling, struct ts_thread *row)
{
	struct recorder *recorder = telling->recorder;
	const struct process *process = process__by_space(recorder, row->space,
							  (pid_t)row->pid);

	if (process)
		tell_row(telling, process->index,
			 known_name(recorder, process,
				    item_of(&recorder->off_cpu, row->space, row->tid)), row);
}

static void tell_all(struct telling *telling)
{
	struct recorder *recorder = telling->recorder;

	for (uint32_t i = 0; i < recorder->processes_count; i++) {
		telling->process = recorder->processes[i];
		if (telling->process->alive && !telling->process->pending)
			(void)target__threads(telling->process->pid, tell_thread, telling);
	}
	for (uint32_t i = 0; i < telling->count; i++)
		if (map__get(telling->rows, 0, telling->items[i].tid, NULL))
			tell_gone(telling, &telling->items[i]);
}

int off_cpu__tell(struct recorder *recorder, bool last)
{
	struct telling telling = { .recorder = recorder, .last = last, .rows = map__new(),
				   .now = last ? kernel__off_cpu_until(recorder->kernel) :
						 clock__now() };
	int err = 0;

	if (kernel__off_cpu_since(recorder->kernel)) {
		err = kernel__threads(recorder->kernel, keep_row, &telling);
		tell_all(&telling);
	}
	for (uint32_t i = 0; last && i < recorder->off_cpu.count; i++)
		give_up(recorder, &recorder->off_cpu.items[i]);
	free(telling.items);
	map__free(telling.rows);
	return err;
}
