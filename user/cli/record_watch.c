// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The watching half of tierscope watch: looks for functions of the method among the bodies
// that become known, sets a watchpoint on the entry cell of each, and prints what it sees.
#include "cli.h"
#include "record.h"

#include "../base/alloc.h"
#include "../base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct watched_function {
	uint32_t process;
	uint64_t function;
	string_id name;
	bool begun;			/* it was told what there was at first */
};

struct record_watch {
	struct watched_function functions[KERNEL_WATCH_MAX];
	unsigned int count;
	uint32_t bodies_seen, patches_seen;
	bool told_waiting;
	bool failed;			/* of a function that has the name */
	bool full;			/* it was told that there are more */
};

static bool write_out(struct buf *buf)
{
	bool good = fwrite(buf->data, 1, buf->size, stdout) == buf->size && !fflush(stdout);

	buf__free(buf);
	return good;
}

static struct watched_function *find(struct record_watch *watch, uint32_t process,
				     uint64_t function)
{
	for (unsigned int i = 0; i < watch->count; i++)
		if (watch->functions[i].process == process &&
		    watch->functions[i].function == function)
			return &watch->functions[i];
	return NULL;
}

/* What is seen of a function: the first is what was there before.  False when nobody reads
 * it any more. */
static bool show(const struct record *record, const struct model_patch *patch,
		 const struct model_sample *sample)
{
	struct watched_function *function =
		find(record->watch, patch->process, patch->function_id);
	struct buf buf = BUF_INIT;
	bool begun;

	if (!function)
		return true;
	begun = function->begun;
	function->begun = true;
	if (view_watch__append(record->model, patch, begun ? sample : NULL, !begun,
			       model__text(record->model, function->name),
			       record->options->watch->json, &buf)) {
		buf__free(&buf);
		return true;	/* a name that is no text: the next one may be */
	}
	return write_out(&buf);
}

/* The newest patch of the function; there is none where nothing could be told as yet. */
static bool show_begin(const struct record *record, const struct watched_function *function)
{
	for (uint32_t i = model__patches(record->model); i > 0; i--) {
		const struct model_patch *patch = model__patch(record->model, i - 1);

		if (patch->process == function->process &&
		    patch->function_id == function->function)
			return show(record, patch, NULL);
	}
	return true;
}

/* One function's trouble is not that of the others; no watchpoint at all is everybody's. */
static int failed(struct record *record, int err, const char *name,
		  const struct trouble *trouble)
{
	struct record_watch *watch = record->watch;

	log__error("watch: %s: %s", name, trouble->text);
	watch->failed = true;
	if (err == -ENOENT || err == -ESRCH)
		return EXIT_OK;
	watch->full = true;
	if (watch->count)
		return EXIT_OK;
	return err == -EOPNOTSUPP ? EXIT_MACHINE : EXIT_NO_START;
}

static int add(struct record *record, const struct model_body *body)
{
	struct record_watch *watch = record->watch;
	struct trouble trouble = { "" };
	int err;

	if (watch->full)
		return EXIT_OK;
	if (watch->count == KERNEL_WATCH_MAX) {
		log__error("watch: more than four functions have '%s' in their name, as %s; the first four are watched",
			   record->options->watch->method,
			   model__text(record->model, body->name));
		watch->full = true;
		return EXIT_OK;
	}
	err = recorder__watch(record->recorder, body->process, body->function_id, &trouble);
	if (err)
		return failed(record, err, model__text(record->model, body->name), &trouble);
	watch->functions[watch->count++] = (struct watched_function){
		body->process, body->function_id, body->name, false };
	return show_begin(record, &watch->functions[watch->count - 1]) ? EXIT_OK :
	       EXIT_RECORDING;
}

static bool can_be_watched(const struct record *record, const struct model_body *body)
{
	return body->function_id && !body->died_ns &&
	       !(body->flags & (MODEL_BODY_FUNCTION_UNKNOWN | MODEL_BODY_DYNAMIC |
				MODEL_BODY_COLLECTIBLE)) &&
	       strcasestr(model__text(record->model, body->name),
			  record->options->watch->method) &&
	       !find(record->watch, body->process, body->function_id);
}

static int look_for_functions(struct record *record)
{
	struct record_watch *watch = record->watch;
	int code = EXIT_OK;

	for (; !code && watch->bodies_seen < model__bodies(record->model); watch->bodies_seen++) {
		struct model_body body = *model__body(record->model, watch->bodies_seen);

		if (can_be_watched(record, &body))
			code = add(record, &body);
	}
	if (!code && !watch->count && !watch->failed && !watch->told_waiting) {
		fprintf(stderr, "tierscope: no code of a method with '%s' in its name yet; waiting for it\n",
			record->options->watch->method);
		watch->told_waiting = true;
	}
	return code;
}

/* The write's own sample, which came with it. */
static const struct model_sample *sample_of(const struct model *model, uint64_t time_ns)
{
	for (size_t i = model__samples(model); i > 0; i--) {
		const struct model_sample *sample = model__sample(model, i - 1);

		if (sample->time_ns == time_ns && sample->flags & TS_SAMPLE_HIT)
			return sample;
	}
	return NULL;
}

/* Patches that came since the last time, each with its sample where a watchpoint saw it. */
static void show_patches(struct record *record)
{
	struct record_watch *watch = record->watch;

	for (; watch->patches_seen < model__patches(record->model); watch->patches_seen++) {
		const struct model_patch *patch =
			model__patch(record->model, watch->patches_seen);
		const struct model_sample *sample = NULL;

		if (patch->window_ns[0] == patch->window_ns[1])
			sample = sample_of(record->model, patch->window_ns[1]);
		if (!show(record, patch, sample))
			record_interrupted = 1;	/* nobody reads on */
	}
}

int record_watch__step(struct record *record)
{
	int code;

	if (!record->options->watch)
		return EXIT_OK;
	if (!record->watch)
		record->watch = alloc__zeroed(1, sizeof(*record->watch));
	show_patches(record);
	code = look_for_functions(record);
	/* What these found first was told as their begin. */
	record->watch->patches_seen = model__patches(record->model);
	return code;
}

int record_watch__finish(struct record *record, int code)
{
	if (!record->watch)
		return code;
	show_patches(record);
	return !code && record->watch->failed && !record->watch->count ? EXIT_NO_START : code;
}

void record_watch__free(struct record_watch *watch)
{
	free(watch);
}
