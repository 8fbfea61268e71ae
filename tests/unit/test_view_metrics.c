// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Metrics: what counts where, for good; bounds; processes that end; hostile labels.
#include "view_fixture.h"

#include "../../user/view/metrics.h"

#include <stdio.h>

static const struct metrics_family families[] = {
	{ "tierscope_ledger_samples_kept", "Samples that were kept." },
	{ "tierscope_ledger_samples_lost", "Samples that were lost, by cause." },
};
static const struct metrics_count counts[] = {
	{ 1, "ring_full", 7 }, { 0, NULL, 10 }, { 1, "internal", 0 },
};
static const struct metrics_outside outside = { families, 2, counts, 3, 1.5, 4096 };

static char *write_text(struct metrics *metrics, const struct model *model, bool open)
{
	struct buf buf = BUF_INIT;

	metrics__write(metrics, model, &outside, open, &buf);
	return buf__steal(&buf);
}

/* Looks, and gives the text. */
static char *scrape(struct metrics *metrics, const struct model *model, uint64_t read)
{
	metrics__look(metrics, model, read);
	return write_text(metrics, model, true);
}

/* The sum of all series of a family, of lines with `part`. */
static uint64_t sum(const char *text, const char *family, const char *part)
{
	uint64_t all = 0;
	char line[4096];

	for (const char *at = text, *end; *at; at = end + 1) {
		end = strchr(at, '\n');
		snprintf(line, sizeof(line), "%.*s", (int)(end - at), at);
		if (!strncmp(line, family, strlen(family)) && line[strlen(family)] == '{' &&
		    strstr(line, part))
			all += strtoull(strrchr(line, ' '), NULL, 10);
	}
	return all;
}

static void run(struct model *model, uint32_t process, uint32_t body, unsigned int samples)
{
	fixture_samples(model, process,
			fixture_push(model, 0, MODEL_FRAME_BODY, body, "", 0), samples);
}

static void every_sample_is_in_one_tier(void **state)
{
	struct metrics *metrics = metrics__new();
	char *text = scrape(metrics, *state, 0);

	assert_contains(text, "# TYPE tierscope_samples counter\n"
		"tierscope_samples_total{pid=\"10\",process=\"web\",tier=\"tier0\",event=\"cpu-clock\"} 4\n"
		"tierscope_samples_total{pid=\"10\",process=\"web\",tier=\"osr\",event=\"cpu-clock\"} 2\n"
		"tierscope_samples_total{pid=\"10\",process=\"web\",tier=\"native\",event=\"cpu-clock\"} 3\n"
		"tierscope_samples_total{pid=\"10\",process=\"web\",tier=\"unresolved\",event=\"cpu-clock\"} 1\n");
	assert_contains(text, "tierscope_cpu_seconds_total{pid=\"10\",process=\"web\",tier=\"tier0\",event=\"cpu-clock\"} 0.004012036\n");
	assert_lacks(text, "tierscope_events_total{");
	assert_contains(text, "tierscope_version_samples_total{pid=\"10\",process=\"web\",method=\"other\",tier=\"\",rejit_id=\"\",native_version=\"\",event=\"cpu-clock\"} 6\n");
	assert_contains(text, "tierscope_code_bodies{pid=\"10\",process=\"web\",tier=\"tier0\"} 1\n");
	assert_contains(text, "tierscope_code_loads_total{pid=\"10\",process=\"web\"} 6\n");
	assert_contains(text, "tierscope_code_unloads_total{pid=\"10\",process=\"web\"} 0\n");
	assert_contains(text, "tierscope_processes 1\n");
	assert_contains(text, "tierscope_ledger_samples_kept_total 10\n");
	assert_contains(text, "tierscope_ledger_samples_lost_total{cause=\"ring_full\"} 7\n"
			      "tierscope_ledger_samples_lost_total{cause=\"internal\"} 0\n");
	assert_contains(text, "tierscope_process_cpu_seconds_total 1.500000\n");
	assert_contains(text, "tierscope_process_resident_memory_bytes 4096\n");
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	free(text);
	metrics__free(metrics);
}

static void the_older_format(void **state)
{
	struct metrics *metrics = metrics__new();
	char *text;

	metrics__look(metrics, *state, 0);
	text = write_text(metrics, *state, false);
	assert_contains(text, "# TYPE tierscope_samples_total counter\ntierscope_samples_total{");
	assert_contains(text, "# TYPE tierscope_build_info gauge\n");
	assert_lacks(text, "# EOF");
	free(text);
	metrics__free(metrics);
}

/* A method gets series when it has a share; what was before stays with the others. */
static void series_only_grow(void **state)
{
	static const char family[] = "tierscope_version_samples_total";
	struct model *model = *state;
	struct metrics *metrics = metrics__new();
	char *text;

	run(model, 0, BODY_TIER0, 3);
	text = scrape(metrics, model, 0);
	assert_int_equal(sum(text, family, "method=\"other\""), 9);
	assert_int_equal(sum(text, family, ""), 9);
	free(text);
	model__drop_samples(model);
	model__drop_stacks(model);
	run(model, 0, BODY_TIER0, 5);	/* with these it has ten */
	run(model, 0, BODY_TIER1, 2);
	run(model, 0, BODY_MAIN, 1);
	text = scrape(metrics, model, 0);
	assert_lacks(text, "method=\"Work(int)\",tier=\"tier0\"");
	assert_contains(text, "method=\"Work(int)\",tier=\"tier1\",rejit_id=\"2\",native_version=\"5\",event=\"cpu-clock\"} 2\n");
	assert_int_equal(sum(text, family, "method=\"other\""), 15);
	assert_int_equal(sum(text, family, ""), 17);
	assert_int_equal(sum(text, "tierscope_samples_total", ""), 21);
	free(text);
	run(model, 0, BODY_TIER0, 4);
	text = scrape(metrics, model, 0);
	assert_contains(text, "method=\"Work(int)\",tier=\"tier0\",rejit_id=\"0\",native_version=\"0\",event=\"cpu-clock\"} 4\n");
	assert_int_equal(sum(text, family, "method=\"other\""), 15);
	assert_int_equal(sum(text, family, ""), 21);
	free(text);
	metrics__free(metrics);
}

/* What is learnt later of a body changes where its next samples count, not its last. */
static void a_corrected_tier_moves_nothing(void **state)
{
	struct model *model = *state;
	struct metrics *metrics = metrics__new();
	struct model_body body = *model__body(model, BODY_TIER0);
	char *text = scrape(metrics, model, 0);

	free(text);
	body.tier = TS_TIER_MIN_OPT;
	model__update_body(model, BODY_TIER0, &body);
	run(model, 0, BODY_TIER0, 1);
	text = scrape(metrics, model, 0);
	assert_int_equal(sum(text, "tierscope_samples_total", "tier=\"tier0\""), 4);
	assert_int_equal(sum(text, "tierscope_samples_total", "tier=\"minopt\""), 1);
	assert_int_equal(sum(text, "tierscope_code_bodies", "tier=\"minopt\""), 2);
	free(text);
	metrics__free(metrics);
}

static void counted_events(void **state)
{
	struct model *model = *state;
	uint32_t stack = fixture_push(model, 0, MODEL_FRAME_BODY, BODY_MINOPT, "", 0);
	struct metrics *metrics = metrics__new();
	uint32_t event = model__add_event(model, &(struct model_event){
		.name = model__string(model, "page-faults"), .period = 100 });
	char *text;

	fixture_samples_of(model, event, stack, 7);
	text = scrape(metrics, model, 0);
	assert_contains(text, "tierscope_samples_total{pid=\"10\",process=\"web\",tier=\"minopt\",event=\"page-faults\"} 7\n");
	assert_contains(text, "tierscope_events_total{pid=\"10\",process=\"web\",tier=\"minopt\",event=\"page-faults\"} 700\n");
	assert_lacks(text, "tierscope_cpu_seconds_total{pid=\"10\",process=\"web\",tier=\"minopt\"");
	free(text);
	metrics__free(metrics);
}

static void loads_unloads_patches(void **state)
{
	struct model *model = *state;
	struct model_body body = *model__body(model, BODY_OSR);
	struct metrics *metrics = metrics__new();
	char *text;

	body.died_ns = FIXTURE_START + 9;
	model__update_body(model, BODY_OSR, &body);
	body = *model__body(model, BODY_MAIN);
	body.source = MODEL_SOURCE_IMAGE;
	model__update_body(model, BODY_MAIN, &body);
	model__add_patch(model, &(struct model_patch){ .body = MODEL_NONE });
	for (int i = 0; i < 2; i++) {	/* a second look counts nothing twice */
		text = scrape(metrics, model, 0);
		assert_contains(text, "tierscope_code_loads_total{pid=\"10\",process=\"web\"} 5\n");
		assert_contains(text, "tierscope_code_unloads_total{pid=\"10\",process=\"web\"} 1\n");
		assert_contains(text, "tierscope_patches_total{pid=\"10\",process=\"web\"} 1\n");
		assert_lacks(text, "tierscope_code_bodies{pid=\"10\",process=\"web\",tier=\"osr\"}");
		free(text);
	}
	metrics__free(metrics);
}

/* Of a function: first code and tier 1, by the milliseconds of their births. */
static uint32_t add_born(struct model *model, uint32_t process, uint64_t function,
			 enum ts_tier tier, unsigned int born_ms)
{
	uint32_t index = fixture_body(model, process, "Tiered()", tier, 0, 0);
	struct model_body body = *model__body(model, index);

	body.function_id = function;
	body.born_ns = FIXTURE_START + born_ms * 1000000ull;
	model__update_body(model, index, &body);
	return index;
}

#define TIER_UP "{pid=\"10\",process=\"web\",le="

static void tier_ups_are_counted_once(void **state)
{
	struct model *model = *state;
	struct metrics *metrics = metrics__new();
	struct model_patch patch = { .window_ns = { 1, FIXTURE_START + 701000000ull } };
	char *text = scrape(metrics, model, 0);

	assert_contains(text, "# TYPE tierscope_tier_up_seconds histogram\n");
	assert_contains(text, "tierscope_tier_up_seconds_count{pid=\"10\",process=\"web\"} 0\n");
	free(text);
	add_born(model, 0, 0x1000, TS_TIER_QUICK, 100);
	add_born(model, 0, 0x1000, TS_TIER_1, 200);	/* to the bound: 0.1 s */
	add_born(model, 0, 0x2000, TS_TIER_1, 700);	/* its first code is told later */
	free(scrape(metrics, model, 0));
	patch.body = add_born(model, 0, 0x2000, TS_TIER_QUICK, 100) - 1;
	model__add_patch(model, &patch);
	model__add_patch(model, &patch);
	add_born(model, 0, 0x3000, TS_TIER_QUICK, 0);
	add_born(model, 0, 0x3000, TS_TIER_1, 700000);	/* beyond all bounds */
	for (int i = 0; i < 2; i++) {	/* a second look counts nothing twice */
		text = scrape(metrics, model, 0);
		assert_contains(text, "tierscope_tier_up_seconds_bucket" TIER_UP "\"0.01\"} 0\n");
		assert_contains(text, "tierscope_tier_up_seconds_bucket" TIER_UP "\"0.1\"} 1\n");
		assert_contains(text, "tierscope_tier_up_seconds_bucket" TIER_UP "\"0.5\"} 1\n");
		assert_contains(text, "tierscope_tier_up_seconds_bucket" TIER_UP "\"1.0\"} 2\n");
		assert_contains(text, "tierscope_tier_up_seconds_bucket" TIER_UP "\"600.0\"} 2\n"
			"tierscope_tier_up_seconds_bucket" TIER_UP "\"+Inf\"} 3\n"
			"tierscope_tier_up_seconds_count{pid=\"10\",process=\"web\"} 3\n"
			"tierscope_tier_up_seconds_sum{pid=\"10\",process=\"web\"} 700.700000000\n");
		assert_contains(text, "tierscope_tier_up_publish_seconds_bucket" TIER_UP "\"0.0001\"} 0\n"
			"tierscope_tier_up_publish_seconds_bucket" TIER_UP "\"0.001\"} 1\n");
		assert_contains(text, "tierscope_tier_up_publish_seconds_count{pid=\"10\",process=\"web\"} 1\n");
		free(text);
	}
	metrics__free(metrics);
}

/* Most processes that come and go have none. */
static void no_tier_ups_of_who_ended_without(void **state)
{
	struct model *model = *state;
	struct metrics *metrics = metrics__new();
	struct model_process process = *model__process(model, 0);
	char *text;

	process.end_ns = FIXTURE_START + 1;
	model__update_process(model, 0, &process);
	text = scrape(metrics, model, 0);
	assert_contains(text, "tierscope_code_loads_total{pid=\"10\"");
	assert_lacks(text, "tierscope_tier_up_seconds_bucket");
	free(text);
	metrics__free(metrics);
}

static uint64_t rejits(const char *text, const char *kind)
{
	return sum(text, "tierscope_rejits_total", kind);
}

/* The fixture has one body of ReJITID 2. */
static void rejits_by_kind(void **state)
{
	struct model *model = *state;
	struct metrics *metrics = metrics__new();
	struct model_il_version il = { .rejit_id = 3, .function_id = 0x7000,
				       .state = TS_IL_REQUESTED };
	struct model_active active = { .function_id = 0x7000, .body = MODEL_NONE };
	struct model_body body;
	uint32_t index;
	char *text = scrape(metrics, model, 0);

	assert_int_equal(rejits(text, "requested"), 1);
	assert_int_equal(rejits(text, "compiled"), 1);
	assert_int_equal(rejits(text, "reverted"), 0);
	free(text);
	model__add_active(model, &active);
	model__add_il_version(model, &il);
	il.state = TS_IL_READY;			/* the same one, further on */
	model__add_il_version(model, &il);
	active.rejit_id = 3;
	model__add_active(model, &active);
	index = fixture_body(model, 0, "Other()", TS_TIER_QUICK, 0, 0);
	body = *model__body(model, index);
	body.function_id = 0x7000;
	body.flags |= MODEL_BODY_REJIT_UNKNOWN;
	model__update_body(model, index, &body);
	text = scrape(metrics, model, 0);
	assert_int_equal(rejits(text, "requested"), 2);
	assert_int_equal(rejits(text, "compiled"), 2);
	assert_int_equal(rejits(text, "reverted"), 0);
	free(text);
	body.flags &= ~(uint32_t)MODEL_BODY_REJIT_UNKNOWN;
	body.rejit_id = 3;
	model__update_body(model, index, &body);
	active.rejit_id = 0;
	model__add_active(model, &active);
	model__add_active(model, &active);	/* as it was told: still the original */
	text = scrape(metrics, model, 0);
	assert_int_equal(rejits(text, "requested"), 2);
	assert_int_equal(rejits(text, "compiled"), 2);
	assert_int_equal(rejits(text, "reverted"), 1);
	free(text);
	metrics__free(metrics);
}

static void end_process(struct model *model, uint32_t index)
{
	struct model_process process = *model__process(model, index);

	process.end_ns = FIXTURE_START + 1;
	model__update_process(model, index, &process);
}

static void who_ended_stays_for_one_scrape(void **state)
{
	struct model *model = *state;
	struct metrics *metrics = metrics__new();
	uint64_t last, told;
	char *text;

	fixture_add_second(model);
	free(scrape(metrics, model, 0));
	last = metrics->text;
	run(model, 0, BODY_TIER0, 3);
	end_process(model, 0);
	/* Read before it ended: that was not its last word. */
	text = scrape(metrics, model, last);
	assert_int_equal(sum(text, "tierscope_samples_total", "pid=\"10\""), 13);
	assert_contains(text, "tierscope_processes 1\n");
	free(text);
	told = metrics->text;
	/* Nobody has read that one yet. */
	text = scrape(metrics, model, last);
	assert_int_equal(sum(text, "tierscope_samples_total", "pid=\"10\""), 13);
	free(text);
	text = scrape(metrics, model, told);
	assert_lacks(text, "pid=\"10\"");
	assert_int_equal(sum(text, "tierscope_samples_total", "pid=\"20\""), 1);
	free(text);
	text = scrape(metrics, model, metrics->text);
	assert_lacks(text, "pid=\"10\"");
	free(text);
	metrics__free(metrics);
}

/* exec: a process of the model each, one for the world. */
static void an_exec_goes_on(void **state)
{
	struct model *model = *state;
	struct metrics *metrics = metrics__new();
	uint32_t again, body;
	char *text;

	end_process(model, 0);
	again = fixture_process(model, 10, "web");
	body = fixture_body(model, again, "Main", TS_TIER_1, 0, 0);
	run(model, again, body, 2);
	text = scrape(metrics, model, 0);
	assert_int_equal(sum(text, "tierscope_samples_total", "pid=\"10\",process=\"web\""), 12);
	assert_int_equal(sum(text, "tierscope_code_loads_total", ""), 7);
	free(text);
	text = scrape(metrics, model, metrics->text);
	assert_int_equal(sum(text, "tierscope_samples_total", "pid=\"10\",process=\"web\""), 12);
	free(text);
	metrics__free(metrics);
}

static void bounds(void **state)
{
	struct model *model = *state;
	struct metrics *metrics = metrics__new();
	char name[32], *text, *at;
	uint32_t process = fixture_process(model, 30, "many"), lines = 0;

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < METRICS_METHODS + 50; i++) {
			snprintf(name, sizeof(name), "Method%d()", i);
			run(model, process, fixture_body(model, process, name, TS_TIER_1, 0, 0), 10);
		}
		free(scrape(metrics, model, 0));
	}
	text = scrape(metrics, model, 0);
	for (at = text; (at = strstr(at, "method=\"Method")); at++)
		lines++;
	assert_int_equal(lines, METRICS_METHODS);
	assert_int_equal(sum(text, "tierscope_version_samples_total", "pid=\"30\""),
			 20 * (METRICS_METHODS + 50));
	free(text);
	/* Its places are free when it has gone. */
	end_process(model, process);
	free(scrape(metrics, model, 0));
	free(scrape(metrics, model, metrics->text));
	assert_int_equal(metrics->own_methods, 0);
	assert_int_equal(metrics->versions_count, 0);
	/* Those that nobody reads do not pile up. */
	for (int i = 0; i < METRICS_ENDED + 100; i++) {
		uint32_t index = fixture_process(model, 1000 + i, "brief");

		run(model, index, fixture_body(model, index, "M()", TS_TIER_1, 0, 0), 1);
		end_process(model, index);
		free(scrape(metrics, model, 0));
	}
	assert_true(metrics->processes_count <= METRICS_ENDED + 3);
	metrics__free(metrics);
}

static void hostile_labels(void **state)
{
	struct model *model = *state;
	struct metrics *metrics = metrics__new();
	uint32_t process = fixture_process(model, 40, "a\"} 1\n# EOF\n\\"), body;
	char *text, name[600];

	/* Two that are alike as far as a label goes, cut within a character. */
	memset(name, 'x', sizeof(name));
	memcpy(name + 199, "\xc3\xa4", 2);
	name[300] = 0;
	for (int i = 0; i < 2; i++) {
		name[290] = (char)('0' + i);
		body = fixture_body(model, process, name, TS_TIER_1, 0, 0);
		run(model, process, body, 100);
		free(scrape(metrics, model, 0));
		run(model, process, body, 1);
	}
	text = scrape(metrics, model, 0);
	assert_contains(text, "pid=\"40\",process=\"a\\\"} 1\\\\x0a# EOF\\\\x0a\\\\\",tier=\"tier1\",event=\"cpu-clock\"} 202\n");
	name[199] = 0;
	assert_contains(text, name);
	assert_int_equal(sum(text, "tierscope_version_samples_total", "method=\"xxx"), 102);
	assert_ptr_equal(strstr(text, "\n# EOF\n"), text + strlen(text) - 7);
	assert_null(strstr(strstr(text, "method=\"xxx") + 1, "method=\"xxx"));
	free(text);
	metrics__free(metrics);
}

/* Sweeps all that the metrics do not need, but that process (MODEL_NONE: none) and body. */
static void sweep(struct metrics *metrics, struct model *model, uint32_t process,
		  uint32_t body)
{
	struct model_marks marks;

	model__drop_samples(model);
	model__drop_stacks(model);
	model_marks__init(&marks, model);
	model_marks__process(&marks, process);
	model_marks__body(&marks, body);
	metrics__mark(metrics, model, &marks);
	metrics__forget(metrics, model, &marks);
	model__sweep(model, &marks);
	model_marks__free(&marks);
}

/* The next scrape is as if all of it were there. */
static void a_sweep_changes_no_counter(void **state)
{
	struct model *model = *state;
	struct metrics *metrics = metrics__new();
	struct model_body body = *model__body(model, BODY_OSR);
	struct model_patch patch = { .body = BODY_OSR };
	char *before, *after;
	uint32_t added;

	body.died_ns = FIXTURE_START + 9;
	model__update_body(model, BODY_OSR, &body);
	model__add_patch(model, &patch);
	model__add_il_version(model, &(struct model_il_version){ .rejit_id = 3,
								  .function_id = 0x7000 });
	free(scrape(metrics, model, 0));
	run(model, 0, BODY_MINOPT, 1);	/* none of which is seen as yet */
	model__add_patch(model, &patch);
	sweep(metrics, model, 0, BODY_TIER0);
	assert_int_equal(model__body(model, BODY_MINOPT)->process, 0);
	assert_int_equal(model__body(model, BODY_OSR)->process, 0);	/* of the patch */
	assert_int_equal(model__body(model, BODY_TIER1)->process, MODEL_NONE);
	assert_int_equal(model__patches(model), 1);
	before = scrape(metrics, model, 0);
	assert_contains(before, "tierscope_code_loads_total{pid=\"10\",process=\"web\"} 6\n");
	assert_contains(before, "tierscope_code_unloads_total{pid=\"10\",process=\"web\"} 1\n");
	assert_contains(before, "tierscope_patches_total{pid=\"10\",process=\"web\"} 2\n");
	assert_int_equal(sum(before, "tierscope_samples_total", ""), 11);
	assert_int_equal(sum(before, "tierscope_version_samples_total", ""), 7);
	assert_int_equal(rejits(before, "requested"), 2);
	assert_int_equal(rejits(before, "compiled"), 1);
	/* The numbers are other bodies' now. */
	sweep(metrics, model, 0, BODY_TIER0);
	assert_int_equal(model__patches(model), 0);
	added = fixture_body(model, 0, "New()", TS_TIER_OPTIMIZED, 0, 0);
	assert_in_range(added, 0, BODY_R2R_UNSAMPLED);
	run(model, 0, added, 3);
	after = scrape(metrics, model, 0);
	assert_contains(after, "tierscope_code_loads_total{pid=\"10\",process=\"web\"} 7\n");
	assert_contains(after, "tierscope_code_unloads_total{pid=\"10\",process=\"web\"} 1\n");
	assert_int_equal(sum(after, "tierscope_samples_total", ""), 14);
	assert_int_equal(sum(after, "tierscope_samples_total", "tier=\"opt\""), 3);
	assert_int_equal(sum(after, "tierscope_code_bodies", "tier=\"opt\""), 1);
	assert_int_equal(rejits(after, "requested"), 2);
	free(before);
	free(after);
	metrics__free(metrics);
}

/* All of the process is gone from the model; its last values wait for a scrape. */
static void who_ended_and_was_swept_stays_for_one_scrape(void **state)
{
	static const char alive[] = "tierscope_code_bodies{pid=\"10\",process=\"web\",tier=\"tier0\"} 1\n";
	struct model *model = *state;
	struct metrics *metrics = metrics__new();
	char *before = scrape(metrics, model, 0), *after;

	assert_contains(before, alive);
	end_process(model, 0);
	sweep(metrics, model, MODEL_NONE, MODEL_NONE);	/* its end was not seen, but all it did */
	assert_true(model__process(model, 0)->flags & MODEL_PROCESS_SWEPT);
	for (int i = 0; i < 3; i++) {
		after = scrape(metrics, model, 0);
		assert_int_equal(sum(after, "tierscope_samples_total", ""), 10);
		assert_contains(after, "tierscope_code_loads_total{pid=\"10\",process=\"web\"} 6\n");
		assert_contains(after, alive);
		assert_contains(after, "tierscope_processes 0\n");
		free(after);
	}
	after = scrape(metrics, model, metrics->text);
	free(after);
	after = scrape(metrics, model, metrics->text);
	assert_lacks(after, "pid=\"10\"");
	free(after);
	/* Another process has its number in the model. */
	fixture_add_second(model);
	assert_int_equal(model__processes(model), 1);
	after = scrape(metrics, model, metrics->text);
	assert_contains(after, "tierscope_processes 1\n");
	free(before);
	free(after);
	metrics__free(metrics);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_sample_is_in_one_tier), TEST(the_older_format), TEST(series_only_grow),
		TEST(a_corrected_tier_moves_nothing), TEST(counted_events),
		TEST(loads_unloads_patches), TEST(tier_ups_are_counted_once),
		TEST(no_tier_ups_of_who_ended_without), TEST(rejits_by_kind),
		TEST(who_ended_stays_for_one_scrape), TEST(a_sweep_changes_no_counter),
		TEST(who_ended_and_was_swept_stays_for_one_scrape),
		TEST(an_exec_goes_on), TEST(bounds), TEST(hostile_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
