// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * The ledger of a recording, or of one part of it: what the kernel side counted,
 * what the recorder made of it, and what hooks say they could not keep.
 *
 *   samples:      due   = fired + not_delivered,  fired = kept + lost
 *   code events:  fired = kept + lost
 *   off-CPU:      chosen = kept + lost
 *
 * fired, chosen and lost come from the kernel, kept is counted here: the sums agree only
 * if nothing went missing on the way.
 */
#include "internal.h"

#include <string.h>

static const char *const cause_names[LEAF_CAUSES] = {
	[LEAF_JIT_UNKNOWN] = "jit_unknown", [LEAF_JIT_UNREADABLE] = "jit_unreadable",
	[LEAF_IMAGE_UNKNOWN] = "image_unknown", [LEAF_ANONYMOUS] = "anonymous",
	[LEAF_NO_MAPPING] = "no_mapping",
	[LEAF_IMAGE_UNREADABLE] = "image_unreadable",
};

struct ledger_row {
	unsigned int slot;
	unsigned int class;
	const char *name;
};

enum ledger_class {
	RUN, SCOPE, KEPT, LOST, NOTE, CODE, CODE_LOST, MAP_LOST, OFF_CPU, OFF_CPU_LOST,
	OFF_CPU_NOTE
};

static const int section_of[] = {	/* enum model_ledger_section, -1: not shown */
	[RUN] = -1, [SCOPE] = MODEL_LEDGER_SAMPLES, [KEPT] = -1,
	[LOST] = MODEL_LEDGER_SAMPLES_LOST, [NOTE] = MODEL_LEDGER_NOTES,
	[CODE] = MODEL_LEDGER_NOTES, [CODE_LOST] = MODEL_LEDGER_EVENTS_LOST,
	[MAP_LOST] = MODEL_LEDGER_CODE_MAP_LOST, [OFF_CPU] = -1,
	[OFF_CPU_LOST] = MODEL_LEDGER_OFF_CPU_LOST, [OFF_CPU_NOTE] = MODEL_LEDGER_OFF_CPU,
};

static const struct ledger_row rows[] = {
#define ROW(number, id, class, row_name, text) { number, class, row_name },
	TS_LEDGER_TABLE(ROW)
#undef ROW
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* Counters of a hook's journal that say that something is missing, or may be. */
static const struct {
	enum ts_hook_counter counter;
	enum model_ledger_section section;
	const char *name;
} hook_counters[] = {
	{ TS_HOOK_RECORD_OVERFLOW, MODEL_LEDGER_HOOK_LOST, "record_overflow" },
	{ TS_HOOK_TEXT_OVERFLOW, MODEL_LEDGER_HOOK_LOST, "text_overflow" },
	{ TS_HOOK_BAD_EVENT, MODEL_LEDGER_HOOK_LOST, "bad_event" },
	{ TS_HOOK_API_FAILED, MODEL_LEDGER_NOTES, "hook_api_failed" },
	{ TS_HOOK_PATCH_OVERFLOW, MODEL_LEDGER_NOTES, "hook_patch_overflow" },
};

/* What the reader itself lost stands in the same slots as the kernel's causes. */
static int read_counts(struct recorder *recorder, uint64_t counts[TS_LEDGER_SLOTS])
{
	int err = kernel__ledger(recorder->kernel, counts);

	counts[TS_LEDGER_READER_DROPPED] += recorder->dropped;
	counts[TS_LEDGER_HIJACKED] += recorder->hijacked;
	counts[TS_LEDGER_TRUNCATED] += recorder->ended_truncated;
	counts[TS_LEDGER_BAD_FRAME] += recorder->ended_bad_frame;
	counts[TS_LEDGER_NATIVE_END] += recorder->ended_native;
	counts[TS_LEDGER_CODE_READER_DROPPED] += recorder->code_dropped;
	counts[TS_LEDGER_OFF_CPU_END_LOST] += recorder->off_cpu.end_lost;
	counts[TS_LEDGER_OFF_CPU_READER_DROPPED] += recorder->off_cpu.dropped;
	return err;
}

/* Since the part began; the next one begins here. */
static void take_difference(struct recorder *recorder, uint64_t counts[TS_LEDGER_SLOTS])
{
	for (unsigned int i = 0; i < TS_LEDGER_SLOTS; i++) {
		uint64_t now = counts[i];

		counts[i] -= recorder->base.counts[i];
		recorder->base.counts[i] = now;
	}
}

static void write_samples(struct recorder *recorder, const uint64_t *counts, uint64_t due)
{
	struct model *model = recorder->model;
	uint64_t runs = counts[TS_LEDGER_RUNS], scope = counts[TS_LEDGER_OUT_OF_SCOPE];
	uint64_t part = due > recorder->base.due ? due - recorder->base.due : 0;

	/* Counts are read CPU by CPU: the timer may be one period ahead of them. */
	if (part < runs)
		part = runs;
	recorder->base.due += part;
	model__set_count(model, MODEL_LEDGER_SAMPLES, "due", part - scope);
	model__set_count(model, MODEL_LEDGER_SAMPLES, "fired", runs - scope);
	model__set_count(model, MODEL_LEDGER_SAMPLES, "not_delivered", part - runs);
	model__set_count(model, MODEL_LEDGER_SAMPLES, "kept",
			 recorder->kept - recorder->base.kept);
	recorder->base.kept = recorder->kept;
}

static uint64_t sum_of(const uint64_t *counts, unsigned int class)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < ROWS; i++)
		if (rows[i].class == class)
			sum += counts[rows[i].slot];
	return sum;
}

/*
 * Probes are armed on between two parts: an event that has fired and is not
 * drained yet belongs to the next one.
 */
static void write_code_events(struct recorder *recorder, const uint64_t *counts, bool last)
{
	struct model *model = recorder->model;
	uint64_t kept = recorder->code_kept - recorder->base.code_kept;
	uint64_t fired = counts[TS_LEDGER_CODE_EVENTS], accounted = kept;

	accounted += sum_of(counts, CODE_LOST);
	if (!last) {
		recorder->base.counts[TS_LEDGER_CODE_EVENTS] -= fired - accounted;
		fired = accounted;
	}
	recorder->base.code_kept = recorder->code_kept;
	model__set_count(model, MODEL_LEDGER_EVENTS, "fired", fired);
	model__set_count(model, MODEL_LEDGER_EVENTS, "kept", kept);
	model__set_count(model, MODEL_LEDGER_EVENTS, "read_from_journal",
			 recorder->journal_bodies);
}

/* A stack of which nobody knows yet for how long belongs to the part in which that is told. */
static void write_off_cpu(struct recorder *recorder, const uint64_t *counts, bool last)
{
	uint64_t kept = recorder->off_cpu.kept - recorder->base.off_cpu_kept;
	uint64_t chosen = counts[TS_LEDGER_OFF_CPU_CHOSEN];
	uint64_t accounted = kept + sum_of(counts, OFF_CPU_LOST);

	if (!last) {
		recorder->base.counts[TS_LEDGER_OFF_CPU_CHOSEN] -= chosen - accounted;
		chosen = accounted;
	}
	recorder->base.off_cpu_kept = recorder->off_cpu.kept;
	model__set_count(recorder->model, MODEL_LEDGER_OFF_CPU, "chosen", chosen);
	model__set_count(recorder->model, MODEL_LEDGER_OFF_CPU, "kept", kept);
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
	model__set_count(model, MODEL_LEDGER_NOTES, "tables_ready", recorder->tables_ready);
	model__set_count(model, MODEL_LEDGER_NOTES, "table_ready_mean_us",
			 recorder->tables_ready ?
			 recorder->tables_ready_ns / recorder->tables_ready / 1000 : 0);
	model__set_count(model, MODEL_LEDGER_NOTES, "table_ready_most_us",
			 recorder->table_ready_most_ns / 1000);
	model__set_count(model, MODEL_LEDGER_NOTES, "walks_finished",
			 recorder->walks_finished);
	model__set_count(model, MODEL_LEDGER_NOTES, "walks_unfinished",
			 recorder->walks_unfinished);
	model__set_count(model, MODEL_LEDGER_NOTES, "broken_chain",
			 recorder->broken_chains);
	model__set_count(model, MODEL_LEDGER_NOTES, "mappings_lost",
			 recorder->mappings_lost);
	model__set_count(model, MODEL_LEDGER_NOTES, "bodies_dropped",
			 recorder->bodies_dropped);
	model__set_count(model, MODEL_LEDGER_NOTES, "mappings_dropped",
			 recorder->mappings_dropped);
	model__set_count(model, MODEL_LEDGER_NOTES, "patches_dropped",
			 recorder->patches_dropped);
	model__set_count(model, MODEL_LEDGER_NOTES, "versions_dropped",
			 recorder->versions_dropped);
	model__set_count(model, MODEL_LEDGER_NOTES, "tierings_dropped",
			 recorder->tierings_dropped);
	memset(recorder->leaf_causes, 0, sizeof(recorder->leaf_causes));
	memset(recorder->stub_leaf, 0, sizeof(recorder->stub_leaf));
	recorder->body_late = recorder->table_late = recorder->broken_chains = 0;
	recorder->tables_ready = recorder->tables_ready_ns = 0;
	recorder->table_ready_most_ns = 0;
	recorder->walks_finished = recorder->walks_unfinished = 0;
	recorder->mappings_lost = recorder->journal_bodies = 0;
	recorder->bodies_dropped = recorder->mappings_dropped = 0;
	recorder->patches_dropped = recorder->versions_dropped = 0;
	recorder->tierings_dropped = 0;
}

/* Since the last call.  A journal's memory stays when its process is gone; its counters
 * are claims. */
static void add_hook_counts(struct process *process, uint64_t sums[TS_HOOK_COUNTERS])
{
	struct ts_journal_header header;

	if (!process->journal)
		return;
	journal__header(process->journal, &header);
	for (unsigned int i = 0; i < TS_HOOK_COUNTERS; i++) {
		uint64_t now = header.counters[i], *before = &process->hook_counts[i];

		sums[i] += now > *before ? now - *before : 0;
		*before = now;
	}
}

void hook_counts__leave(struct recorder *recorder, struct process *process)
{
	add_hook_counts(process, recorder->hook_counts_gone);
}

static void write_hooks(struct recorder *recorder)
{
	uint64_t sums[TS_HOOK_COUNTERS];

	memcpy(sums, recorder->hook_counts_gone, sizeof(sums));
	memset(recorder->hook_counts_gone, 0, sizeof(recorder->hook_counts_gone));
	for (uint32_t i = 0; i < recorder->processes_count; i++)
		add_hook_counts(recorder->processes[i], sums);
	for (unsigned int i = 0; i < sizeof(hook_counters) / sizeof(hook_counters[0]); i++)
		model__set_count(recorder->model, hook_counters[i].section,
				 hook_counters[i].name, sums[hook_counters[i].counter]);
}

int ledger__write(struct recorder *recorder, bool last)
{
	uint64_t counts[TS_LEDGER_SLOTS];
	int err = read_counts(recorder, counts);

	if (err)
		return err;
	take_difference(recorder, counts);
	for (unsigned int i = 0; i < ROWS; i++) {
		int section = section_of[rows[i].class];

		if (section >= 0)
			model__set_count(recorder->model,
					 (enum model_ledger_section)section, rows[i].name,
					 counts[rows[i].slot]);
	}
	write_samples(recorder, counts, kernel__due(recorder->kernel));
	write_code_events(recorder, counts, last);
	write_off_cpu(recorder, counts, last);
	write_causes(recorder);
	function_ids__write_ledger(recorder);
	write_hooks(recorder);
	return 0;
}

int recorder__counts(struct recorder *recorder,
		     struct recorder_count ret_counts[RECORDER_COUNTS_MAX],
		     unsigned int *ret_count)
{
	static const int kinds[] = {	/* enum recorder_count_kind, -1: not told */
		[RUN] = -1, [SCOPE] = -1, [KEPT] = -1, [LOST] = RECORDER_SAMPLES_LOST,
		[NOTE] = RECORDER_NOTE, [CODE] = -1, [CODE_LOST] = RECORDER_CODE_LOST,
		[MAP_LOST] = RECORDER_CODE_MAP_LOST, [OFF_CPU] = -1, [OFF_CPU_LOST] = -1,
		[OFF_CPU_NOTE] = -1,
	};
	uint64_t counts[TS_LEDGER_SLOTS], runs, scope;
	unsigned int count = 0;
	int err = read_counts(recorder, counts);

	if (err)
		return err;
	runs = counts[TS_LEDGER_RUNS];
	scope = counts[TS_LEDGER_OUT_OF_SCOPE];
	ret_counts[count++] = (struct recorder_count){
		RECORDER_SAMPLES_FIRED, NULL, runs > scope ? runs - scope : 0 };
	ret_counts[count++] = (struct recorder_count){
		RECORDER_SAMPLES_KEPT, NULL, recorder->kept };
	ret_counts[count++] = (struct recorder_count){
		RECORDER_CODE_FIRED, NULL, counts[TS_LEDGER_CODE_EVENTS] };
	ret_counts[count++] = (struct recorder_count){
		RECORDER_CODE_KEPT, NULL, recorder->code_kept };
	for (unsigned int i = 0; i < ROWS; i++)
		if (kinds[rows[i].class] >= 0)
			ret_counts[count++] = (struct recorder_count){
				(enum recorder_count_kind)kinds[rows[i].class],
				rows[i].name, counts[rows[i].slot] };
	*ret_count = count;
	return 0;
}
