/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Only code of dynamic methods and of collectible modules is ever freed.  Its memory
 * is used again soon, by another method with the same FunctionID even, so each such
 * body is held against the runtime's own word: the function at its address, its size,
 * its name.  One that differs ends; the catch-up then finds what is there now.
 */
#include "stale.h"

#include "asking.h"
#include "bodies.h"
#include "describe.h"
#include "modules.h"
#include "naming.h"

#include <stddef.h>

static bool is_older(const struct hook *hook, const struct ts_journal_record *record)
{
	/* What was born since the session is open is told by events. */
	return record->sequence && record->sequence <= hook->catch_up_since &&
	       !record->death_sequence;
}

static bool is_still_loaded(struct hook *hook, module_id module,
			    const struct ts_journal_record *record)
{
	bool is;

	if (!asking__begin(hook, module))
		return true; /* who unloads it ends it */
	is = modules__is_still(hook, module, record);
	asking__end(hook);
	return is;
}

void stale__modules(struct hook *hook, const struct table *present)
{
	uint32_t used = journal__records_used(&hook->journal);

	for (uint32_t i = 0; i < used; i++) {
		struct ts_journal_record *record = &hook->journal.records[i];
		module_id module = (module_id)record->module_id;

		if (record->kind != TS_RECORD_MODULE || !is_older(hook, record))
			continue;
		if (!table__find(present, module) || !is_still_loaded(hook, module, record))
			modules__unloaded(hook, module);
	}
}

static bool is_as_recorded(struct found *found, const struct ts_journal_record *record)
{
	struct profiler_info *info = found->hook->info;
	struct ts_journal_record draft = {
		.flags = record->flags & TS_RECORD_DYNAMIC,
		.function_id = record->function_id,
		.start = record->start,
	};
	function_id function = 0;
	uint32_t implementation;
	struct text_plan plan;
	struct text text;
	rejit_id rejit;
	uint32_t size;

	if (FAILED(info->table->get_function_from_ip3(info, (uintptr_t)record->start,
						      &function, &rejit)) ||
	    function != record->function_id ||
	    !describe__size(found->hook, record->start, &size) || size != record->size)
		return false;
	naming__function(found->hook, &found->naming, &draft, false, &text, &implementation);
	plan = text__plan(&text, TS_TEXT_MAX);
	return plan.bytes == record->text_size &&
	       text__equals(&text, &plan, found->hook->journal.text + record->text_offset);
}

static bool is_still_there(struct found *found, const struct ts_journal_record *record)
{
	function_id function = (function_id)record->function_id;
	bool is;

	if (!found__is_jitted(function, record->start))
		return false;
	if (!found__may_ask(found, function))
		return found__may_be_there(found, function);
	is = is_as_recorded(found, record);
	asking__end(found->hook);
	return is;
}

void stale__bodies(struct found *found)
{
	struct hook *hook = found->hook;
	uint32_t used = journal__records_used(&hook->journal);

	for (uint32_t i = 0; i < used; i++) {
		struct ts_journal_record *record = &hook->journal.records[i];
		struct ts_journal_record copy = *record;

		/* Events can only end it meanwhile, and then nothing is done here. */
		if (copy.state % 2 || copy.kind != TS_RECORD_CODE ||
		    !journal__is_mortal(&copy) || !is_older(hook, &copy) ||
		    is_still_there(found, &copy))
			continue;
		(void)bodies__remove(hook, record, copy.sequence);
	}
}
