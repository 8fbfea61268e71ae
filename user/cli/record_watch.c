// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The sink of tierscope watch: looks for functions of the method among the bodies that become
// known, sets a watchpoint on the entry cell of each, and prints what it sees.
#include "cli.h"
#include "record.h"

#include "../base/alloc.h"
#include "../base/clock.h"
#include "../base/log.h"
#include "../base/map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Stubs that a word leads to can be gone soon: look at them at once. */
#define INTERVAL_NS 10000000ull

struct watched_function {
	uint32_t process;
	uint64_t function;
	string_id name;
	uint64_t since_ns;		/* when its watchpoint was there */
	bool begun;			/* it was told what there was at first */
};

struct watch_sink {
	struct record_sink sink;	/* first: it is what the recording has of us */
	const struct watch_options *options;
	struct watched_function functions[KERNEL_WATCH_MAX];
	unsigned int count;
	uint32_t bodies_seen, patches_seen;
	uint32_t *nameless;		/* bodies whose FunctionID is not known as yet */
	uint32_t nameless_count, nameless_capacity;
	struct map *refused;		/* process, FunctionID: told that it cannot be watched */
	bool told_waiting, told_more;
	bool full;			/* no watchpoint is left */
	struct sink_output output;
};

static struct watched_function *find(struct watch_sink *watch, uint32_t process,
				     uint64_t function)
{
	for (unsigned int i = 0; i < watch->count; i++)
		if (watch->functions[i].process == process &&
		    watch->functions[i].function == function)
			return &watch->functions[i];
	return NULL;
}

static int show(struct watch_sink *watch, struct record *record,
		const struct watched_function *function, const struct model_patch *patch,
		const struct model_sample *sample, uint64_t begin_ns)
{
	struct buf buf = BUF_INIT;
	int code = EXIT_OK;

	if (!view_watch__append(record->model, patch, sample, begin_ns,
				model__text(record->model, function->name),
				watch->options->json, &buf))
		code = sink_output__write(&watch->output, &watch->sink, record, &buf);
	buf__free(&buf);
	return code;
}

/* What calls reach now: the newest patch of the function.  There is none where nothing can
 * be told as yet. */
static int show_begin(struct watch_sink *watch, struct record *record,
		      struct watched_function *function)
{
	for (uint32_t i = model__patches(record->model); i > 0; i--) {
		const struct model_patch *patch = model__patch(record->model, i - 1);

		if (patch->process != function->process ||
		    patch->function_id != function->function)
			continue;
		function->begun = true;
		return show(watch, record, function, patch, NULL, function->since_ns);
	}
	return EXIT_OK;
}

/* One function's trouble is not that of the others; no watchpoint at all is everybody's. */
static int failed(struct watch_sink *watch, const struct model_body *body, const char *name,
		  int err, const struct trouble *trouble)
{
	uint64_t told;

	if (!map__get(watch->refused, body->process, body->function_id, &told))
		log__error("watch: %s: %s", name, trouble->text);
	map__set(watch->refused, body->process, body->function_id, 1);
	if (err == -ENOENT || err == -ESRCH)
		return EXIT_OK;
	watch->full = true;
	if (watch->count)
		return EXIT_OK;
	return err == -EOPNOTSUPP ? EXIT_MACHINE : EXIT_NO_START;
}

static int add(struct watch_sink *watch, struct record *record, const struct model_body *body)
{
	const char *name = model__text(record->model, body->name);
	struct watched_function *function;
	struct trouble trouble = { "" };
	int err;

	if (watch->full)
		return EXIT_OK;
	if (watch->count == KERNEL_WATCH_MAX) {
		log__error("watch: more than four functions have '%s' in their name, as %s; the first four are watched",
			   watch->options->method, name);
		watch->full = true;
		return EXIT_OK;
	}
	err = recorder__watch(record->recorder, body->process, body->function_id, &trouble);
	if (err)
		return failed(watch, body, name, err, &trouble);
	function = &watch->functions[watch->count++];
	*function = (struct watched_function){ .process = body->process, .name = body->name,
					       .function = body->function_id,
					       .since_ns = clock__now() };
	return show_begin(watch, record, function);
}

/* The model's body, as it is now: whoever adds may change the model. */
static int consider(struct watch_sink *watch, struct record *record, uint32_t index)
{
	struct model_body body = *model__body(record->model, index);

	if (body.died_ns || body.flags & (MODEL_BODY_DYNAMIC | MODEL_BODY_COLLECTIBLE) ||
	    !strcasestr(model__text(record->model, body.name), watch->options->method))
		return EXIT_OK;
	if (body.flags & MODEL_BODY_FUNCTION_UNKNOWN) {
		alloc__grow(watch->nameless, watch->nameless_count, watch->nameless_capacity);
		watch->nameless[watch->nameless_count++] = index;
		return EXIT_OK;
	}
	if (!body.function_id || find(watch, body.process, body.function_id))
		return EXIT_OK;
	return add(watch, record, &body);
}

static int look_for_functions(struct watch_sink *watch, struct record *record)
{
	uint32_t nameless = watch->nameless_count;
	int code = EXIT_OK;

	/* Precompiled code is sampled first, and its function asked for then. */
	watch->nameless_count = 0;
	for (uint32_t i = 0; !code && i < nameless; i++)
		code = consider(watch, record, watch->nameless[i]);
	for (; !code && watch->bodies_seen < model__bodies(record->model); watch->bodies_seen++)
		code = consider(watch, record, watch->bodies_seen);
	if (!code && !watch->count && !watch->told_waiting && !map__count(watch->refused)) {
		log__error("watch: no code of a method with '%s' in its name yet; waiting for it",
			   watch->options->method);
		watch->told_waiting = true;
	}
	return code;
}

/* The samples that watchpoints made, by their time, which is that of their patch. */
static struct map *find_hits(const struct model *model)
{
	struct map *hits = map__new();

	for (size_t i = 0; i < model__samples(model); i++)
		if (model__sample(model, i)->flags & TS_SAMPLE_HIT)
			map__set(hits, 0, model__sample(model, i)->time_ns, i);
	return hits;
}

static int show_patches(struct watch_sink *watch, struct record *record)
{
	const struct model *model = record->model;
	struct map *hits = NULL;
	uint64_t number;
	int code = EXIT_OK;

	for (; !code && watch->patches_seen < model__patches(model); watch->patches_seen++) {
		const struct model_patch *patch = model__patch(model, watch->patches_seen);
		struct watched_function *function =
			find(watch, patch->process, patch->function_id);
		const struct model_sample *sample = NULL;

		if (!function)
			continue;
		if (!hits)
			hits = find_hits(model);
		if (patch->window_ns[0] == patch->window_ns[1] &&
		    map__get(hits, 0, patch->window_ns[1], &number))
			sample = model__sample(model, number);
		code = show(watch, record, function, patch, sample,
			    sample || function->begun ? 0 : patch->window_ns[1]);
		function->begun = true;
	}
	map__free(hits);
	return code;
}

static int step(struct record_sink *sink, struct record *record)
{
	struct watch_sink *watch = (struct watch_sink *)sink;
	int code = show_patches(watch, record);

	if (!code)
		code = look_for_functions(watch, record);
	/* What these found first was told as their begin. */
	watch->patches_seen = model__patches(record->model);
	return code;
}

/* The interval is there to be stepped that often. */
static int look(struct record_sink *sink, struct record *record, uint64_t now, bool last)
{
	struct watch_sink *watch = (struct watch_sink *)sink;
	int code = last ? show_patches(watch, record) : EXIT_OK;

	(void)now;
	return last && !code && !watch->count && map__count(watch->refused) ? EXIT_NO_START :
	       code;
}

static void free_watch(struct record_sink *sink)
{
	struct watch_sink *watch = (struct watch_sink *)sink;

	map__free(watch->refused);
	free(watch->nameless);
	free(watch);
}

struct record_sink *record_watch__new(const struct watch_options *options)
{
	struct watch_sink *watch = alloc__zeroed(1, sizeof(*watch));

	watch->sink = (struct record_sink){ .interval_ns = INTERVAL_NS, .step = step,
					    .look = look,
					    .free = free_watch };
	watch->options = options;
	watch->output = (struct sink_output){ .fd = STDOUT_FILENO };
	watch->refused = map__new();
	return &watch->sink;
}
