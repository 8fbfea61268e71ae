// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Code bodies, from probes and from journals.  Both tell the same records; the
// sequence says which is newer, and a gap in it says that the ring lost some,
// which the journal still has.
#include "internal.h"

#include "../base/alloc.h"
#include "../base/text.h"
#include "../model/name.h"

#include <errno.h>
#include <string.h>

#define REREAD_NS 500000000ull
#define REREAD_SHARE 8u		/* a journal that takes long is read one eighth of the time */

static uint64_t row_generation(uint32_t generation)
{
	return generation & 0x0fffffffu;	/* what fits into a frame's word */
}

/* The i-th of the NUL-ended strings in a text; "" beyond the end. */
static const char *text_part(const char *text, uint32_t size, unsigned int index)
{
	const char *end = text + size;

	while (index-- && text < end)
		text += strnlen(text, (size_t)(end - text)) + 1;
	return text < end && strnlen(text, (size_t)(end - text)) < (size_t)(end - text) ?
	       text : "";
}

string_id bodies__name(struct model *model, const char *text, uint32_t size)
{
	struct buf parts[4] = { BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT };
	struct buf name = BUF_INIT;
	struct name_parts spelled;
	string_id id;

	for (unsigned int i = 0; i < 4; i++) {
		const char *part = text_part(text, size, i);

		text__append_utf8(&parts[i], part, strlen(part));
	}
	spelled = (struct name_parts){ buf__string(&parts[0]), buf__string(&parts[1]),
				       buf__string(&parts[2]), buf__string(&parts[3]) };
	name__format(&name, &spelled);
	id = model__string_n(model, buf__string(&name), name.size);
	for (unsigned int i = 0; i < 4; i++)
		buf__free(&parts[i]);
	buf__free(&name);
	return id;
}

static string_id name_of_copy(struct model *model, string_id raw, uint32_t copy)
{
	struct buf name = BUF_INIT;
	string_id id;

	if (!copy || !raw)
		return raw;
	buf__printf(&name, "%s [copy %u]", model__text(model, raw), copy + 1);
	id = model__string_n(model, buf__string(&name), name.size);
	buf__free(&name);
	return id;
}

/* Once in a body's life: the id may be another module's later. */
static void set_module(struct recorder *recorder, const struct process *process,
		       struct model_body *body)
{
	const struct module *module = module_list__find(&process->modules, body->module_id);

	if (!module)
		return;
	body->module = module->path;
	body->copy = module->copy;
	body->name = name_of_copy(recorder->model, body->name, body->copy);
}

static void fill_body(struct recorder *recorder, struct process *process,
		      const struct ts_journal_record *record, const char *text,
		      uint32_t text_size, struct model_body *ret_body)
{
	*ret_body = (struct model_body){
		.process = process->index, .function_id = record->function_id,
		.module_id = record->module_id, .start = record->start,
		.size = record->size, .token = record->token,
		.rejit_id = record->rejit_id, .native_version = record->native_version,
		.tier = record->tier < TS_TIER_COUNT ? record->tier : TS_TIER_UNKNOWN,
		.source = record->flags & TS_RECORD_CATCH_UP ? MODEL_SOURCE_CATCH_UP :
			  MODEL_SOURCE_EVENT,
		.osr_il_offset = record->osr_il_offset,
		.born_ns = record->born_ns, .died_ns = record->died_ns,
		.name = bodies__name(recorder->model, text, text_size),
	};
	if (record->flags & TS_RECORD_REJIT_UNKNOWN)
		ret_body->flags |= MODEL_BODY_REJIT_UNKNOWN;
	if (record->flags & TS_RECORD_DYNAMIC)
		ret_body->flags |= MODEL_BODY_DYNAMIC;
	if (record->flags & TS_RECORD_COLLECTIBLE)
		ret_body->flags |= MODEL_BODY_COLLECTIBLE;
	if (record->flags & TS_RECORD_SHARED_GENERIC)
		ret_body->flags |= MODEL_BODY_SHARED_GENERIC;
	if (record->flags & TS_RECORD_TIER_UNKNOWN)
		ret_body->tier = TS_TIER_UNKNOWN;
}

/* What a second telling of the same birth adds to the first. */
static void complete_body(struct model *model, uint32_t known, const struct model_body *told)
{
	struct model_body body = *model__body(model, known);
	string_id name = name_of_copy(model, told->name, body.copy);

	/* A ring's text can be cut: the longer name is the whole one. */
	if (strlen(model__text(model, name)) > strlen(model__text(model, body.name)))
		body.name = name;
	if (told->died_ns && !body.died_ns)
		body.died_ns = told->died_ns;
	if (!(told->flags & MODEL_BODY_REJIT_UNKNOWN) &&
	    body.flags & MODEL_BODY_REJIT_UNKNOWN) {
		body.flags &= ~(uint32_t)MODEL_BODY_REJIT_UNKNOWN;
		body.rejit_id = told->rejit_id;
	}
	model__update_body(model, known, &body);
}

static bool has_room(struct recorder *recorder, const struct process *process)
{
	if (process->told_bytes < TOLD_BYTES_MAX)
		return true;
	recorder->bodies_dropped++;
	return false;
}

/* A name that is known costs nothing. */
static void take_room(struct process *process, const struct model *model,
		      uint64_t strings_before, string_id name, bool is_new)
{
	if (model__strings_added(model) != strings_before)
		process->told_bytes += strlen(model__text(model, name));
	if (is_new)
		process->told_bytes += TOLD_BYTES;
}

/* The journal has it for longer than we do. */
static bool was_forgotten(const struct process *process, const struct ts_journal_record *record)
{
	return process->swept && record->died_ns && record->sequence <= process->sequence_base &&
	       !map__get(process->births, 0, record->sequence, NULL);
}

/*
 * Adds the body, or gives the one that is known already.  A birth is told by
 * its sequence: probe and journal tell the same one, and an address or a record
 * that is used again has another.  MODEL_NONE: the process told of too many.
 */
static uint32_t add_body(struct recorder *recorder, struct process *process,
			 const struct ts_journal_record *record, const char *text,
			 uint32_t text_size, bool *ret_new)
{
	struct model *model = recorder->model;
	uint64_t strings = model__strings_added(model);
	struct model_body body;
	uint64_t known, youngest = 0;

	*ret_new = false;
	if (!has_room(recorder, process) || was_forgotten(process, record))
		return MODEL_NONE;
	fill_body(recorder, process, record, text, text_size, &body);
	*ret_new = !map__get(process->births, 0, record->sequence, &known);
	take_room(process, model, strings, body.name, *ret_new);
	if (!*ret_new) {
		complete_body(model, (uint32_t)known, &body);
		return (uint32_t)known;
	}
	set_module(recorder, process, &body);
	if (body.rejit_id || body.flags & MODEL_BODY_REJIT_UNKNOWN)
		process__saw_rejit(recorder, process);
	known = model__add_body(model, &body);
	if (body.module_id && !body.module) {
		alloc__grow(process->moduleless, process->moduleless_count,
			    process->moduleless_capacity);
		process->moduleless[process->moduleless_count++] = (uint32_t)known;
	}
	map__set(process->births, 0, record->sequence, known);
	version_looks__born(&process->looks, (uint32_t)known, record);
	map__set(process->functions, 0, record->function_id, known);
	(void)map__get(process->youngest, 0, record->start, &youngest);	/* 0: the first */
	if (record->sequence > youngest) {
		map__set(process->youngest, 0, record->start, record->sequence);
		map__set(process->bodies, 0, record->start, known);
	}
	return (uint32_t)known;
}

static bool on_load(struct recorder *recorder, struct process *process,
		    const struct ts_code_event *event)
{
	const struct ts_journal_record *record = &event->record;
	uint32_t body;
	bool is_new;

	if (!record->size || record->size > TS_BODY_SIZE_MAX)
		return true;	/* counted in the kernel as a bad probe */
	body = add_body(recorder, process, record, event->text, event->text_size, &is_new);
	if (body == MODEL_NONE)
		return false;
	if (event->row)
		map__set(recorder->rows, event->row, row_generation(event->generation), body);
	if (event->text_size < record->text_size)
		process->reread = true;
	return true;
}

static void on_unload(struct recorder *recorder, struct process *process,
		      const struct ts_code_event *event)
{
	uint64_t known;
	struct model_body body;

	if (!map__get(process->bodies, 0, event->record.start, &known))
		return;
	body = *model__body(recorder->model, (uint32_t)known);
	if (body.died_ns || body.function_id != event->record.function_id)
		return;
	body.died_ns = event->header.time_ns;
	model__update_body(recorder->model, (uint32_t)known, &body);
}

static void on_module(struct recorder *recorder, struct process *process,
		      const struct ts_journal_record *record, const char *text,
		      uint32_t text_size)
{
	struct module told = { .sequence = record->sequence };
	uint64_t strings = model__strings_added(recorder->model);
	uint32_t modules = process->modules.count;
	struct buf path = BUF_INIT;
	const char *slash;

	if (!has_room(recorder, process))
		return;
	text__append_utf8(&path, text, strnlen(text, text_size));
	slash = strrchr(buf__string(&path), '/');
	told.path = model__string(recorder->model, buf__string(&path));
	told.name = model__string(recorder->model, slash ? slash + 1 : buf__string(&path));
	/* What was made at run time has no image, and names of its own. */
	told.numbered = !record->died_ns && record->start;
	if (path.size)
		module_list__load(&process->modules, record->module_id, &told);
	take_room(process, recorder->model, strings, told.path,
		  process->modules.count != modules);
	buf__free(&path);
}

static void note_sequence(struct process *process, uint64_t sequence)
{
	if (sequence <= process->sequence_base)
		return;
	process->sequence_seen++;
	if (sequence > process->sequence_highest)
		process->sequence_highest = sequence;
}

bool bodies__on_event(struct recorder *recorder, const struct ts_code_event *event)
{
	bool kept = true;
	struct process *process = process__by_space(recorder, event->header.space,
						    (pid_t)event->header.pid);

	if (!process)
		return false;
	if (!process->journal && !journal__open(process->pid, &process->journal))
		process__saw_hook(recorder, process);
	else if (!process->hooked)
		process__saw_hook(recorder, process);
	note_sequence(process, event->record.sequence);
	switch (event->header.type) {
	case TS_EVENT_CODE_LOAD:
		kept = on_load(recorder, process, event);
		break;
	case TS_EVENT_CODE_UNLOAD:
		on_unload(recorder, process, event);
		break;
	case TS_EVENT_MODULE_LOAD:
		on_module(recorder, process, &event->record, event->text,
			  event->text_size);
		break;
	case TS_EVENT_MODULE_UNLOAD:
		module_list__unload(&process->modules, event->record.module_id,
				    event->record.sequence);
		break;
	}
	return kept;
}

struct catch_up {
	struct recorder *recorder;
	struct process *process;
};

/* Into the code map, unless it died; what it told the sampler stays exact. */
static void insert_row(struct recorder *recorder, struct process *process,
		       const struct ts_journal_record *record, uint32_t body)
{
	struct ts_insert insert = { .space = process->space, .pid = (uint32_t)process->pid,
				    .record = *record };

	uint64_t youngest;

	if (!process->alive || record->died_ns ||
	    !map__get(process->youngest, 0, record->start, &youngest) ||
	    youngest != record->sequence)
		return;
	if (kernel__insert(recorder->kernel, &insert) && !insert.row)
		return;		/* counted by cause in the kernel */
	map__set(recorder->rows, insert.row, row_generation(insert.generation), body);
}

static int read_record(void *context, const struct ts_journal_record *record,
		       const char *text, uint32_t text_size)
{
	struct catch_up *catch_up = context;
	struct recorder *recorder = catch_up->recorder;
	struct process *process = catch_up->process;
	uint32_t body;
	bool is_new;

	if (record->kind == TS_RECORD_MODULE) {
		on_module(recorder, process, record, text, text_size);
	} else if (record->kind == TS_RECORD_CODE && record->size &&
		   record->size <= TS_BODY_SIZE_MAX) {
		body = add_body(recorder, process, record, text, text_size, &is_new);
		if (is_new) {
			recorder->journal_bodies++;
			insert_row(recorder, process, record, body);
		}
	}
	return 0;
}

/*
 * A body can be unloaded between our reading its record and inserting it: the
 * probe's handler found nothing to remove then, and a dead body would stay in
 * the map.  So after the insertions, what has died meanwhile is removed.
 */
static int remove_dead(void *context, const struct ts_journal_record *record,
		       const char *text, uint32_t text_size)
{
	struct catch_up *catch_up = context;
	uint64_t youngest;

	(void)text;
	(void)text_size;
	if (record->kind != TS_RECORD_CODE || !record->died_ns ||
	    record->died_ns < catch_up->process->reread_ns)
		return 0;
	if (map__get(catch_up->process->youngest, 0, record->start, &youngest) &&
	    youngest == record->sequence)
		(void)kernel__remove(catch_up->recorder->kernel, catch_up->process->space,
				     record->start);	/* -ENOENT: the probe did it */
	return 0;
}

int bodies__read_journal(struct recorder *recorder, struct process *process)
{
	struct catch_up catch_up = { recorder, process };
	struct ts_journal_header header;
	uint32_t unreadable = 0;
	int err;

	if (!process->journal) {
		err = journal__open(process->pid, &process->journal);
		if (err)
			return err;
	}
	process->reread = false;
	process->reread_ns = clock__now();
	journal__header(process->journal, &header);
	err = journal__each(process->journal, read_record, &catch_up, &unreadable);
	if (!err && process->alive)
		err = journal__each(process->journal, remove_dead, &catch_up, &unreadable);
	process->sequence_base = header.sequence;
	process->sequence_highest = header.sequence;
	process->sequence_seen = 0;
	return err;
}

/*
 * The ring can have lost a body's event although the sampler found its row.
 * Then the row itself says which birth it was, as long as it was not given to
 * another body since, and the journal tells the rest.
 */
uint32_t bodies__of_row(struct recorder *recorder, struct process *process,
			uint32_t number, uint32_t generation, uint64_t time_ns)
{
	struct ts_body_row row;
	uint64_t body;

	if (map__get(recorder->rows, number, generation, &body))
		return (uint32_t)body;
	if (!kernel__row(recorder->kernel, number, &row) || row.space != process->space ||
	    row_generation(row.generation) != generation)
		return MODEL_NONE;
	if (!map__get(process->births, 0, row.sequence, &body)) {
		/* Its record was there before the body could run. */
		if (process->reread_ns > time_ns)
			return MODEL_NONE;
		(void)bodies__read_journal(recorder, process);	/* gone: not found below */
		if (!map__get(process->births, 0, row.sequence, &body))
			return MODEL_NONE;
	}
	map__set(recorder->rows, number, generation, body);
	return (uint32_t)body;
}

bool bodies__has_gap(const struct process *process)
{
	return process->reread || process->sequence_highest - process->sequence_base !=
				  process->sequence_seen;
}

void bodies__close_gap(struct recorder *recorder, struct process *process)
{
	if (process->hooked && bodies__has_gap(process))
		(void)bodies__read_journal(recorder, process); /* gone: nothing to add */
}

/* Handlers on other CPUs may be late by microseconds: hence the wait. */
void bodies__close_gaps(struct recorder *recorder, uint64_t now, bool all)
{
	uint64_t began, ended;

	for (uint32_t i = 0; i < recorder->processes_count; i++) {
		struct process *process = recorder->processes[i];

		if (!process->hooked || !bodies__has_gap(process) ||
		    (!all && (now - process->reread_ns < REREAD_NS ||
			      now < process->reread_after_ns)))
			continue;
		process->reread_ns = began = clock__now();
		(void)bodies__read_journal(recorder, process); /* gone: nothing to add */
		ended = clock__now();
		process->reread_after_ns = ended + (REREAD_SHARE - 1) * (ended - began);
	}
}

/* Bodies can be told of before their module is. */
void bodies__name_modules(struct recorder *recorder, struct process *process)
{
	struct model *model = recorder->model;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < process->moduleless_count; i++) {
		uint32_t index = process->moduleless[i];
		struct model_body body = *model__body(model, index);

		set_module(recorder, process, &body);
		if (body.module)
			model__update_body(model, index, &body);
		else
			process->moduleless[kept++] = index;
	}
	process->moduleless_count = kept;
}

/* Gives rows, pages and slots of a process that is gone back. */
void bodies__forget(struct recorder *recorder, struct process *process)
{
	if (process->hooked)	/* else it never told of a body */
		kernel__forget(recorder->kernel, process->space);
	for (uint32_t i = 0; i < process->mappings.count; i++) {
		struct mapping *mapping = &process->mappings.items[i];

		if (mapping->file != NO_IMAGE)
			images__unpublish(recorder, process, mapping);
		else
			kernel__unmap(recorder->kernel, process->space, mapping->start,
				      mapping->end);
		rules__unpublish(recorder, mapping);
	}
}
