/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * A module is known from its load event, from the enumeration after an attach, or
 * because a method of it was compiled, whichever comes first.
 */
#include "modules.h"

#include "bodies.h"
#include "pe.h"
#include "probes.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PATH_UNITS 1024

/* Values of hook->modules: record index + 1, and: */
#define MODULE_COLLECTIBLE 0x80000000u
#define MODULE_PRESENT	   0x40000000u
#define MODULE_INCOMPLETE  0x20000000u /* whether it is collectible: ask again */
#define MODULE_RECORD	   0x1fffffffu

struct module_facts {
	uint64_t base;
	uint32_t size;
	uint32_t flags; /* MODULE_INFO_* */
	bool incomplete;
};

/* `path` may be NULL; else it has room for PATH_UNITS. */
static void ask(struct hook *hook, module_id module, struct module_facts *ret_facts,
		uint16_t *path, struct utf16 *ret_path)
{
	const uint8_t *base = NULL;
	uint32_t length = 0, flags = 0;
	uintptr_t assembly = 0;
	hresult result;
	struct pe pe;

	memset(ret_facts, 0, sizeof(*ret_facts));
	result = hook->info->table->get_module_info2(hook->info, module, &base,
						     path ? PATH_UNITS : 0, &length,
						     path, &assembly, &flags);
	/* So it is for modules made at run time, until they have an assembly. */
	ret_facts->incomplete = result == CORPROF_E_DATAINCOMPLETE;
	if (ret_facts->incomplete || hook__failed(hook, result))
		return;
	ret_facts->base = (uint64_t)(uintptr_t)base;
	ret_facts->flags = flags;
	/* A flat image is the file as it is; nothing in it is executed. */
	if (!(flags & (MODULE_INFO_FLAT | MODULE_INFO_DYNAMIC)))
		ret_facts->size = pe__read(&pe, ret_facts->base) ? pe.image_size : 0;
	if (path) {
		ret_path->bytes = (const uint8_t *)path;
		ret_path->units = length > PATH_UNITS ? PATH_UNITS : length;
		ret_path->units -= ret_path->units != 0;
	}
}

static void add(struct hook *hook, module_id module, const struct module_facts *facts,
		struct utf16 path, uint16_t flags)
{
	struct text text = {{text_part__utf16(path)}, 1};
	struct text_plan plan = text__plan(&text, TS_TEXT_MAX);
	struct ts_journal_record draft = {
		.kind = TS_RECORD_MODULE,
		.flags = flags,
		.born_ns = journal__now(),
		.module_id = module,
		.start = facts->base,
		.size = facts->size,
		.osr_il_offset = TS_NO_IL_OFFSET,
		.thread = (uint32_t)syscall(SYS_gettid),
	};
	bool collectible = facts->flags & MODULE_INFO_COLLECTIBLE;
	struct ts_journal_record *record = journal__take(&hook->journal);
	uint32_t value = MODULE_PRESENT | (collectible ? MODULE_COLLECTIBLE : 0) |
			 (facts->incomplete ? MODULE_INCOMPLETE : 0);
	int err;

	if (record) {
		journal__store_text(&hook->journal, &text, &plan, true, &draft);
		value |= journal__index_of(&hook->journal, record) + 1;
	}
	draft.flags |= (plan.cut ? TS_RECORD_TEXT_CUT : 0) |
		       (facts->flags & MODULE_INFO_DYNAMIC ? TS_RECORD_DYNAMIC : 0) |
		       (collectible ? TS_RECORD_COLLECTIBLE : 0);
	draft.sequence = journal__next_sequence(&hook->journal);
	if (record)
		journal__fill(record, &draft);
	err = table__insert(&hook->modules, module, value);
	if (err == -EEXIST) {
		if (record)
			journal__abandon(&hook->journal, record);
		return;
	}
	if (err)
		hook__count(hook, TS_HOOK_RECORD_OVERFLOW);
	if (collectible)
		__atomic_store_n(&hook->collectible_modules, 1, __ATOMIC_RELEASE);
	else if (!facts->incomplete)
		images__add(&hook->images, facts->base, facts->size);
	if (record)
		journal__commit(record);
	probes__module_load(record ? record : &draft);
}

void modules__loaded(struct hook *hook, const struct module_event *event)
{
	struct module_facts facts;

	if (table__find(&hook->modules, event->module_id))
		return;
	ask(hook, event->module_id, &facts, NULL, NULL);
	add(hook, event->module_id, &facts, event->path, 0);
}

static void ask_and_add(struct hook *hook, module_id module, uint16_t record_flags)
{
	uint16_t units[PATH_UNITS];
	struct utf16 path = {(const uint8_t *)units, 0};
	struct module_facts facts;

	if (!module || table__find(&hook->modules, module))
		return;
	ask(hook, module, &facts, units, &path);
	add(hook, module, &facts, path, record_flags);
}

void modules__announced(struct hook *hook, module_id module)
{
	ask_and_add(hook, module, 0);
}

void modules__found(struct hook *hook, module_id module)
{
	ask_and_add(hook, module, TS_RECORD_CATCH_UP);
}

bool modules__is_still(struct hook *hook, module_id module,
		       const struct ts_journal_record *record)
{
	uint16_t units[PATH_UNITS];
	struct utf16 path = {(const uint8_t *)units, 0};
	struct module_facts facts;
	struct text_plan plan;
	struct text text;

	/* The others stay as long as the process. */
	if (!modules__may_free_code(hook, module))
		return true;
	ask(hook, module, &facts, units, &path);
	text = (struct text){{text_part__utf16(path)}, 1};
	plan = text__plan(&text, TS_TEXT_MAX);
	return facts.base == record->start && plan.bytes == record->text_size &&
	       text__equals(&text, &plan, hook->journal.text + record->text_offset);
}

/* Asks again about a module that was not complete when it was loaded. */
static uint32_t complete(struct hook *hook, module_id module, uint32_t value)
{
	struct module_facts facts;
	uint32_t known = value & ~MODULE_INCOMPLETE;

	ask(hook, module, &facts, NULL, NULL);
	if (facts.incomplete)
		return value;
	if (facts.flags & MODULE_INFO_COLLECTIBLE) {
		known |= MODULE_COLLECTIBLE;
		__atomic_store_n(&hook->collectible_modules, 1, __ATOMIC_RELEASE);
	}
	table__replace(&hook->modules, module, value, known);
	return known;
}

bool modules__is_collectible(struct hook *hook, module_id module)
{
	uint32_t value = table__find(&hook->modules, module);

	if (!value) {
		modules__found(hook, module);
		value = table__find(&hook->modules, module);
	}
	if (value & MODULE_INCOMPLETE)
		value = complete(hook, module, value);
	return value & MODULE_COLLECTIBLE;
}

bool modules__may_free_code(struct hook *hook, module_id module)
{
	uint32_t value = table__find(&hook->modules, module);

	return !value || value & (MODULE_COLLECTIBLE | MODULE_INCOMPLETE);
}

/* --- unload --------------------------------------------------------------------- */

static void evict_bodies(struct hook *hook, module_id module)
{
	uint32_t used = journal__records_used(&hook->journal);

	for (uint32_t i = 0; i < used; i++) {
		struct ts_journal_record *record = &hook->journal.records[i];

		if (record->module_id == module && record->kind == TS_RECORD_CODE &&
		    !record->death_sequence)
			(void)bodies__remove(hook, record, record->sequence);
	}
}

static uint32_t links_used(const struct hook *hook)
{
	uint32_t used = __atomic_load_n(&hook->links_used, __ATOMIC_ACQUIRE);

	return used < HOOK_LINKS_MAX ? used : HOOK_LINKS_MAX;
}

static void evict_linked(struct hook *hook, module_id module)
{
	uint32_t used = links_used(hook);

	for (uint32_t i = 0; i < used; i++) {
		struct module_link *link = &hook->links[i];
		struct ts_journal_record *record;

		if (__atomic_load_n(&link->module_id, __ATOMIC_ACQUIRE) != module)
			continue;
		record = bodies__find(hook, link->start);
		if (record)
			(void)bodies__remove(hook, record, link->sequence);
		__atomic_store_n(&link->module_id, 0, __ATOMIC_RELEASE);
	}
}

void modules__unloaded(struct hook *hook, module_id module)
{
	uint32_t value = table__find(&hook->modules, module);
	uint32_t index = (value & MODULE_RECORD) - 1;
	struct ts_journal_record *record, dead;

	if (!value)
		return;
	/* At the end of a process every module is reported; only the bodies of
	 * collectible ones are ever freed. */
	if (value & MODULE_COLLECTIBLE) {
		evict_bodies(hook, module);
		evict_linked(hook, module);
	}
	table__remove(&hook->modules, module, value);
	if (!(value & MODULE_RECORD) || index >= hook->journal.capacity)
		return;
	record = &hook->journal.records[index];
	if (!journal__kill(&hook->journal, record, record->sequence, &dead))
		probes__module_unload(&dead, record);
}

void modules__link(struct hook *hook, module_id module, uint64_t start,
		   uint64_t sequence)
{
	uint32_t used = links_used(hook);
	struct module_link *link = NULL;
	uint32_t turn;

	/* A used-up link first; only bodies over collectible types come here. */
	for (uint32_t i = 0; i < used && !link; i++) {
		uint64_t free = 0;

		if (__atomic_compare_exchange_n(&hook->links[i].module_id, &free,
						UINT64_MAX, 0, __ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED))
			link = &hook->links[i];
	}
	if (!link) {
		turn = __atomic_fetch_add(&hook->links_used, 1, __ATOMIC_ACQ_REL);
		if (turn >= HOOK_LINKS_MAX) {
			__atomic_store_n(&hook->links_used, HOOK_LINKS_MAX,
					 __ATOMIC_RELEASE);
			hook__count(hook, TS_HOOK_RECORD_OVERFLOW);
			return;
		}
		link = &hook->links[turn];
	}
	link->start = start;
	link->sequence = sequence;
	__atomic_store_n(&link->module_id, module, __ATOMIC_RELEASE);
}
