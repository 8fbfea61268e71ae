// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * The code-version tree as text:
 *
 *   Shop.Ranking.Score(int)  in shop.dll  1386 samples, 13.5 %
 *     IL version 0: active
 *         tier0        native  0     96 bytes   12 samples  born +0.101 s, superseded by +1.503 s
 *      >* tier1        native  2    142 bytes 1374 samples  born +1.020 s, published +1.020 to +1.503 s
 *     IL version 2: ReJIT, requested; no body yet
 *
 * and as JSON, with the same levels.
 */
#include "json_rows.h"
#include "versions.h"
#include "view_internal.h"

#include "../base/text.h"
#include "../model/name.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tree {
	const struct versions *versions;
	const struct view_options *options;
	struct buf *buf;
	struct json_writer json;
	uint64_t start_ns, samples;
};

static const struct model_body *body_at(const struct tree *tree, uint32_t place)
{
	return model__body(tree->versions->model, tree->versions->bodies[place]);
}

static uint64_t self_of(const struct tree *tree, uint32_t place)
{
	return tree->versions->self[(size_t)tree->versions->bodies[place] * MODEL_EVENTS_MAX +
				    tree->options->event];
}

/* The patch since which calls reach it, NULL if they do not. */
static const struct model_patch *reached(const struct tree *tree, uint32_t place)
{
	return versions__reached(tree->versions, tree->versions->bodies[place]);
}

static void append_name(const struct tree *tree, string_id name)
{
	text__append_terminal(tree->buf, model__text(tree->versions->model, name));
}

static void append_time(const struct tree *tree, const char *what, uint64_t time_ns)
{
	buf__printf(tree->buf, "%s %+.3f s", what, view__seconds(tree->start_ns, time_ns));
}

static void append_life(const struct tree *tree, const struct model_body *body)
{
	const char *born = body->source == MODEL_SOURCE_EVENT ? "born" : "found";

	if (body->source == MODEL_SOURCE_IMAGE)
		buf__append_string(tree->buf, "precompiled");
	else
		append_time(tree, born, body->born_ns);
	if (body->published_ns[1] && !body->published_ns[0])
		append_time(tree, ", published by", body->published_ns[1]);
	else if (body->published_ns[1])
		buf__printf(tree->buf, ", published %+.3f to %+.3f s",
			    view__seconds(tree->start_ns, body->published_ns[0]),
			    view__seconds(tree->start_ns, body->published_ns[1]));
	if (body->superseded_ns)
		append_time(tree, ", superseded by", body->superseded_ns);
	if (body->died_ns)
		append_time(tree, ", gone", body->died_ns);
	if (body->flags & MODEL_BODY_LOST_RACE)
		buf__append_string(tree->buf, ", in vain: no version has it");
	if (body->flags & MODEL_BODY_NEVER_ACTIVE)
		buf__append_string(tree->buf, ", in vain: never active");
}

static void append_native(const struct tree *tree, uint32_t place)
{
	const struct model_body *body = body_at(tree, place);
	const struct model_patch *patch = reached(tree, place);
	struct buf tier = BUF_INIT;
	char mark = ' ';

	if (patch)
		mark = patch->target == TS_TARGET_CALL_COUNTING ? '+' : '*';
	buf__append_string(&tier, name__tier_short(view__tier(body)));
	if (body->osr_il_offset != TS_NO_IL_OFFSET)
		buf__printf(&tier, "@0x%x", body->osr_il_offset);
	buf__printf(tree->buf, "   %c%c %-12s ",
		    versions__is_active(tree->versions, tree->versions->bodies[place]) ? '>' : ' ',
		    mark, buf__string(&tier));
	if (body->flags & MODEL_BODY_VERSION_UNKNOWN)
		buf__append_string(tree->buf, "native  -");
	else
		buf__printf(tree->buf, "native %2u", body->native_version);
	buf__printf(tree->buf, " %6u bytes %8" PRIu64 " samples  ", body->size,
		    self_of(tree, place));
	append_life(tree, body);
	buf__append_char(tree->buf, '\n');
	buf__free(&tier);
}

static void append_il(const struct tree *tree, const struct model_body *body,
		      const struct versions_il *il)
{
	const struct model_process *process =
		model__process(tree->versions->model, body->process);
	const char *separator = ": ";

	if (il->rejit_unknown) {
		buf__append_string(tree->buf, "  IL version ?: of a ReJIT whose number is not known\n");
		return;
	}
	buf__printf(tree->buf, "  IL version %u", il->rejit_id);
	if (il->rejit_id) {
		buf__append_string(tree->buf, ": ReJIT");
		separator = ", ";
	}
	if (il->state == TS_IL_REQUESTED || il->state == TS_IL_PREPARING) {
		buf__printf(tree->buf, "%s%s", separator, name__il_state(il->state));
		separator = ", ";
	}
	if (il->is_active) {
		buf__printf(tree->buf, "%sactive", separator);
		separator = ", ";
	}
	if (!il->count)
		buf__append_string(tree->buf, "; no body yet");
	if (!il->rejit_id && process->flags & MODEL_PROCESS_MAIN_PROFILER)
		buf__printf(tree->buf, "%sas loaded, which another profiler may have changed",
			    separator);
	buf__append_char(tree->buf, '\n');
}

/* The names of a method's functions differ in their type arguments. */
static bool has_several_functions(const struct tree *tree,
				  const struct versions_method *method)
{
	for (uint32_t i = 1; i < method->count; i++)
		if (body_at(tree, method->first)->name !=
		    body_at(tree, method->first + i)->name)
			return true;
	return false;
}

/* Where none of the bodies is marked. */
static void append_active(const struct tree *tree, uint32_t place, bool first)
{
	const struct model_active *active =
		versions__active(tree->versions, tree->versions->bodies[place]);

	if (!active || !first)
		return;
	if (active->code == MODEL_ACTIVE_NO_CODE || active->code == MODEL_ACTIVE_NO_VERSION)
		buf__printf(tree->buf, "      active is a body of IL version %u that is not there yet\n",
			    active->rejit_id);
}

static void append_function(const struct tree *tree, uint32_t place, bool several,
			    bool first)
{
	const struct model_body *body = body_at(tree, place);
	const struct model_patch *entry =
		versions__entry(tree->versions, tree->versions->bodies[place]);

	if (several) {
		buf__append_string(tree->buf, "    ");
		append_name(tree, body->name);
		buf__append_char(tree->buf, '\n');
	}
	if (entry && entry->target == TS_TARGET_PRESTUB && first)
		buf__append_string(tree->buf, "      calls reach no body: the next one is compiled first\n");
	if (entry && entry->target == TS_TARGET_UNKNOWN && first)
		buf__append_string(tree->buf, "      calls reach something unknown\n");
	append_active(tree, place, first);
}

/* A function can be there in several IL versions. */
static bool is_first(const struct tree *tree, const struct versions_method *method,
		     uint32_t place)
{
	for (uint32_t i = method->first; i < place; i++)
		if (versions__same_function(tree->versions, i, place))
			return false;
	return true;
}

/* The same method can be in several processes. */
static void append_place(const struct tree *tree, const struct model_body *body)
{
	const struct model *model = tree->versions->model;
	const char *path = model__text(model, body->module), *slash = strrchr(path, '/');

	if (*path) {
		buf__append_string(tree->buf, "  in ");
		text__append_terminal(tree->buf, slash ? slash + 1 : path);
	}
	if (model__processes(model) > 1)
		buf__printf(tree->buf, "  of process %d", model__process(model, body->process)->pid);
}

/* Of one IL version, the functions and their bodies. */
static void append_bodies(const struct tree *tree, const struct versions_method *method,
			  const struct versions_il *il, bool several)
{
	for (uint32_t i = il->first; i < il->first + il->count; i++) {
		if (i == il->first || !versions__same_function(tree->versions, i - 1, i))
			append_function(tree, i, several, is_first(tree, method, i));
		append_native(tree, i);
	}
}

static void append_old_inliners(const struct tree *tree, const struct versions_method *method)
{
	uint32_t *bodies;
	uint32_t count = versions__old_inliners(tree->versions, method, &bodies);

	if (count)
		buf__append_string(tree->buf, "  possible old inliners, which may run the original IL still:\n");
	for (uint32_t i = 0; i < count; i++) {
		buf__append_string(tree->buf, "    ");
		append_name(tree, model__body(tree->versions->model, bodies[i])->name);
		buf__append_char(tree->buf, '\n');
	}
	free(bodies);
}

static void append_method(const struct tree *tree, const struct versions_method *method)
{
	const struct model_body *body = body_at(tree, method->first);
	bool several = has_several_functions(tree, method);
	struct versions_il *ils;
	uint32_t count = versions__ils(tree->versions, method, &ils);

	append_name(tree, body->name);
	append_place(tree, body);
	buf__printf(tree->buf, "  %" PRIu64 " samples", method->samples);
	if (tree->samples)
		buf__printf(tree->buf, ", %.2f %%",
			    100.0 * (double)method->samples / (double)tree->samples);
	buf__append_char(tree->buf, '\n');
	for (uint32_t i = 0; i < count; i++) {
		append_il(tree, body, &ils[i]);
		append_bodies(tree, method, &ils[i], several);
	}
	append_old_inliners(tree, method);
	buf__append_char(tree->buf, '\n');
	free(ils);
}

static void append_header(const struct tree *tree, uint32_t shown)
{
	const struct versions *versions = tree->versions;

	view__append_note(tree->options, tree->buf);
	buf__printf(tree->buf, "%u method%s%s; times since the recording began\n",
		    versions->methods_count, versions->methods_count == 1 ? "" : "s",
		    shown < versions->methods_count ? ", those with most samples first (--top)" :
						      "");
	if (model__patches(versions->model))
		buf__append_string(tree->buf, "* calls reach it, as it was seen last   + by way of the call-counting stub\n");
	else
		buf__append_string(tree->buf, "which of them calls reach was not seen\n");
	if (model__actives(versions->model))
		buf__append_string(tree->buf, "> active: the runtime prefers it for the next call, as it was seen last\n");
	else
		buf__append_string(tree->buf, "which of them the runtime prefers was not seen\n");
	buf__append_char(tree->buf, '\n');
}

static struct tree tree_of(const struct versions *versions,
			   const struct view_options *options, struct buf *buf)
{
	struct tree tree = { .versions = versions, .options = options, .buf = buf };
	struct view_summary summary;

	view__summarize(versions->model, options, &summary);
	tree.start_ns = summary.start_ns;
	tree.samples = summary.samples;
	return tree;
}

int view_versions__write(const struct model *model, const struct view_options *options,
			 const char *part, struct buf *buf)
{
	struct versions versions;
	struct tree tree;
	uint32_t shown;

	versions__build(model, part, options, &versions);
	tree = tree_of(&versions, options, buf);
	shown = options->top && options->top < versions.methods_count ?
		options->top : versions.methods_count;
	append_header(&tree, shown);
	for (uint32_t i = 0; i < shown; i++)
		append_method(&tree, &versions.methods[i]);
	versions__free(&versions);
	return 0;
}

/* --- JSON ----------------------------------------------------------------- */

static void write_native(struct tree *tree, uint32_t place)
{
	const struct model_body *body = body_at(tree, place);
	struct json_writer *json = &tree->json;

	json_writer__line(json);
	json_writer__object(json, NULL);
	json_rows__code(json, body);
	json_rows__osr(json, body);
	json_writer__bool(json, "published", reached(tree, place));
	json_rows__active(json, versions__active(tree->versions, tree->versions->bodies[place]),
			  tree->versions->bodies[place]);
	json_rows__in_vain(json, body);
	json_writer__number(json, "born_ns", body->born_ns);
	json_writer__array(json, "published_ns");
	for (int i = 0; i < 2 && body->published_ns[1]; i++)
		json_writer__number(json, NULL, body->published_ns[i]);
	json_writer__end(json);
	json_rows__time(json, "superseded_ns", body->superseded_ns);
	json_rows__time(json, "died_ns", body->died_ns);
	json_writer__number(json, "samples", self_of(tree, place));
	json_writer__end(json);
}

/* The version that the runtime prefers, whichever IL version it is of. */
static void write_active(struct tree *tree, uint32_t place)
{
	const struct model_active *active =
		versions__active(tree->versions, tree->versions->bodies[place]);

	if (!active) {
		json_writer__null(&tree->json, "active_version");
		return;
	}
	json_writer__object(&tree->json, "active_version");
	json_rows__active_version(&tree->json, tree->versions->model, active);
	json_writer__end(&tree->json);
}

/* Those of one function, from `place` on; where the next one begins. */
static uint32_t write_function(struct tree *tree, uint32_t place, uint32_t end)
{
	const struct model_body *body = body_at(tree, place);
	const struct model_patch *entry =
		versions__entry(tree->versions, tree->versions->bodies[place]);
	struct json_writer *json = &tree->json;
	uint32_t first = place;

	/* Of precompiled code, what leads to it tells. */
	if (!entry)
		entry = reached(tree, place);
	json_writer__line(json);
	json_writer__object(json, NULL);
	json_rows__function(json, body);
	json_writer__string(json, "name", model__text(tree->versions->model, body->name));
	json_writer__string(json, "calls_reach", name__target(entry ? entry->target : 0));
	write_active(tree, place);
	json_writer__array(json, "native_versions");
	do {
		write_native(tree, place++);
	} while (place < end && versions__same_il(tree->versions, first, place) &&
		 versions__same_function(tree->versions, first, place));
	json_writer__end(json);
	json_writer__end(json);
	return place;
}

static void write_il(struct tree *tree, const struct versions_il *il)
{
	struct json_writer *json = &tree->json;
	uint32_t place = il->first, end = il->first + il->count;

	json_writer__line(json);
	json_writer__object(json, NULL);
	if (il->rejit_unknown)
		json_writer__null(json, "rejit_id");
	else
		json_writer__number(json, "rejit_id", il->rejit_id);
	if (il->state)
		json_writer__string(json, "state", name__il_state(il->state));
	else
		json_writer__null(json, "state");
	if (il->is_active_known)
		json_writer__bool(json, "active", il->is_active);
	else
		json_writer__null(json, "active");
	json_writer__array(json, "functions");
	while (place < end)
		place = write_function(tree, place, end);
	json_writer__end(json);
	json_writer__end(json);
}

static void write_old_inliners(struct tree *tree, const struct versions_method *method)
{
	uint32_t *bodies;
	uint32_t count = versions__old_inliners(tree->versions, method, &bodies);

	json_writer__array(&tree->json, "possible_old_inliners");
	for (uint32_t i = 0; i < count; i++) {
		const struct model_body *body = model__body(tree->versions->model, bodies[i]);

		json_writer__object(&tree->json, NULL);
		json_rows__function(&tree->json, body);
		json_writer__string(&tree->json, "name",
				    model__text(tree->versions->model, body->name));
		json_writer__end(&tree->json);
	}
	json_writer__end(&tree->json);
	free(bodies);
}

static void write_method(struct tree *tree, const struct versions_method *method)
{
	const struct model *model = tree->versions->model;
	const struct model_body *body = body_at(tree, method->first);
	struct json_writer *json = &tree->json;
	struct versions_il *ils;
	uint32_t count = versions__ils(tree->versions, method, &ils);
	char token[16];

	json_writer__line(json);
	json_writer__object(json, NULL);
	json_writer__signed(json, "pid", model__process(model, body->process)->pid);
	json_writer__string(json, "module", model__text(model, body->module));
	snprintf(token, sizeof(token), "0x%08x", body->token);
	json_writer__string(json, "token", token);
	json_writer__string(json, "name", model__text(model, body->name));
	json_writer__number(json, "samples", method->samples);
	json_writer__array(json, "il_versions");
	for (uint32_t i = 0; i < count; i++)
		write_il(tree, &ils[i]);
	json_writer__end(json);
	write_old_inliners(tree, method);
	json_writer__end(json);
	free(ils);
}

int view_versions__write_json(const struct model *model, const struct view_options *options,
			      const char *part, struct buf *buf)
{
	struct versions versions;
	struct tree tree;
	int err;

	versions__build(model, part, options, &versions);
	tree = tree_of(&versions, options, buf);
	json_writer__init(&tree.json, buf);
	json_writer__object(&tree.json, NULL);
	json_writer__number(&tree.json, "start_ns", tree.start_ns);
	json_writer__number(&tree.json, "samples", tree.samples);
	json_writer__string(&tree.json, "note", options->note ? options->note : "");
	json_writer__array(&tree.json, "methods");
	for (uint32_t i = 0; i < versions.methods_count; i++)
		if (!options->top || i < options->top)
			write_method(&tree, &versions.methods[i]);
	json_writer__end(&tree.json);
	json_writer__end(&tree.json);
	err = json_writer__finish(&tree.json);
	buf__append_char(buf, '\n');
	versions__free(&versions);
	return err;
}
