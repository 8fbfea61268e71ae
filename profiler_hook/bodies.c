/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The order of a birth: record filled → start claimed in the table → record
 * committed → probe.  A thread that finds the start claimed by another leaves it
 * the body, so a body that an event and a catch-up both report is listed once.
 */
#include "bodies.h"

#include "probes.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

struct ts_journal_record *bodies__find(struct hook *hook, uint64_t start)
{
	uint32_t value = table__find(&hook->bodies, start);
	struct ts_journal_record *record;

	if (!value || value > hook->journal.capacity)
		return NULL;
	record = &hook->journal.records[value - 1];
	return record->start == start && !record->death_sequence ? record : NULL;
}

struct ts_journal_record *bodies__find_dynamic(struct hook *hook, function_id function)
{
	uint32_t value = table__find(&hook->dynamics, function);
	struct ts_journal_record *record;

	if (!value || value > hook->journal.capacity)
		return NULL;
	record = &hook->journal.records[value - 1];
	return record->function_id == function && !record->death_sequence ? record
									   : NULL;
}

int bodies__remove(struct hook *hook, struct ts_journal_record *record,
		   uint64_t sequence)
{
	struct ts_journal_record dead;
	uint32_t index;
	int err = journal__kill(&hook->journal, record, sequence, &dead);

	if (err)
		return err;
	index = journal__index_of(&hook->journal, record) + 1;
	table__remove(&hook->bodies, dead.start, index);
	if (dead.flags & TS_RECORD_DYNAMIC)
		table__remove(&hook->dynamics, dead.function_id, index);
	hook__count(hook, TS_HOOK_CODE_UNLOADS);
	probes__code_unload(&dead);
	return 0;
}

/*
 * True when the body is there already.  One that only shares the address is a
 * body whose end was missed: it ends now.  So does one that a catch-up listed
 * while it was being compiled, if it got the tier wrong; the event is right.
 */
static bool is_known(struct hook *hook, const struct ts_journal_record *draft)
{
	struct ts_journal_record *record = bodies__find(hook, draft->start);

	if (!record)
		return false;
	if (record->function_id == draft->function_id && record->size == draft->size &&
	    (record->tier == draft->tier || !(record->flags & TS_RECORD_CATCH_UP) ||
	     (draft->flags & TS_RECORD_CATCH_UP)))
		return true;
	return bodies__remove(hook, record, record->sequence) == -EAGAIN;
}

bool bodies__share_text(struct hook *hook, struct ts_journal_record *draft)
{
	uint32_t value = table__find(&hook->texts, draft->function_id);
	const struct ts_journal_record *earlier;

	if (!value || value > hook->journal.capacity)
		return false;
	/* Such records are never reused: what stands there stays. */
	earlier = &hook->journal.records[value - 1];
	if (earlier->function_id != draft->function_id)
		return false;
	draft->module_id = earlier->module_id;
	draft->token = earlier->token;
	draft->flags |= earlier->flags & (TS_RECORD_GENERIC | TS_RECORD_SHARED_GENERIC |
					  TS_RECORD_TEXT_CUT);
	draft->text_offset = earlier->text_offset;
	draft->text_size = earlier->text_size;
	draft->text_address = earlier->text_address;
	return true;
}

/* Shares the text of an earlier body of the function, if it is the same. */
static bool share_same_text(struct hook *hook, struct ts_journal_record *draft,
		       const struct text *text, const struct text_plan *plan)
{
	const struct journal *journal = &hook->journal;
	uint32_t value = table__find(&hook->texts, draft->function_id);
	const struct ts_journal_record *earlier;

	if (!value || value > journal->capacity)
		return false;
	earlier = &journal->records[value - 1];
	if (earlier->function_id != draft->function_id ||
	    earlier->text_size != plan->bytes ||
	    earlier->text_offset > journal->text_capacity - plan->bytes ||
	    !text__equals(text, plan, journal->text + earlier->text_offset))
		return false;
	draft->text_offset = earlier->text_offset;
	draft->text_size = earlier->text_size;
	draft->text_address = earlier->text_address;
	return true;
}

static void name_body(struct hook *hook, struct ts_journal_record *draft,
		      const struct text *text)
{
	struct text_plan plan = text__plan(text, TS_TEXT_MAX);
	bool mortal = journal__is_mortal(draft);

	if (plan.cut)
		draft->flags |= TS_RECORD_TEXT_CUT;
	if (!mortal && share_same_text(hook, draft, text, &plan))
		return;
	journal__store_text(&hook->journal, text, &plan, mortal, draft);
}

static void publish(struct hook *hook, const struct ts_journal_record *record)
{
	hook__count(hook, TS_HOOK_CODE_LOADS);
	probes__code_load(record);
	patches__born(hook, record);
}

int bodies__add(struct hook *hook, struct ts_journal_record *draft,
		const struct text *text, uint64_t *ret_sequence)
{
	struct journal *journal = &hook->journal;
	struct ts_journal_record *record;
	uint32_t value;
	int err;

	if (is_known(hook, draft))
		return -EEXIST;
	draft->kind = TS_RECORD_CODE;
	draft->thread = (uint32_t)syscall(SYS_gettid);
	draft->born_ns = journal__now();
	record = journal__take(journal);
	if (!record) {
		*ret_sequence = draft->sequence = journal__next_sequence(journal);
		publish(hook, draft);
		return -ENOSPC;
	}
	if (text)
		name_body(hook, draft, text);
	*ret_sequence = draft->sequence = journal__next_sequence(journal);
	journal__fill(record, draft);
	value = journal__index_of(journal, record) + 1;
	err = table__insert(&hook->bodies, draft->start, value);
	if (err == -EEXIST) {
		journal__abandon(journal, record);
		return err;
	}
	if (err) /* kept all the same, but its end will not be found */
		hook__count(hook, TS_HOOK_RECORD_OVERFLOW);
	journal__commit(record);
	if (!journal__is_mortal(draft) && draft->text_size)
		(void)table__insert(&hook->texts, draft->function_id, value);
	if (draft->flags & TS_RECORD_DYNAMIC)
		(void)table__insert(&hook->dynamics, draft->function_id, value);
	publish(hook, record);
	return 0;
}
