// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Writes what a model has gained since the last time: see recording.h.
 *
 * A table of the model only grows, so the writer keeps for each how many rows
 * are safely in the file.  It moves on only after the chunk with the rows is
 * written; after an error the next flush goes on where the file ends.
 */
#include "recording.h"

#include "chunk_file.h"
#include "rows.h"

#include "../base/alloc.h"
#include "../base/map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* About 10 MB of the loader's memory; common ones are soon told again. */
#define STACKS_KEPT (1u << 17)

struct recording_writer {
	struct chunk_file file;
	bool ended;
	struct buf about; /* as it was written last */

	/* Rows of each table that are in the file. */
	size_t strings, processes, events, bodies, threads, frames, stacks;
	size_t samples, weighed, patches, il_versions, actives, inlinings, tierings, updates;
	uint32_t part; /* as it was written last */
	uint64_t *counts; /* values as they were written last */
	size_t counts_count, counts_capacity;

	/* While updates are written. */
	size_t known_bodies; /* were in the file before this flush */
	struct map *updated; /* (kind, index) that this flush has written */
};

int recording_writer__open(const char *path, struct recording_writer **ret_writer)
{
	struct recording_writer *writer = alloc__zeroed(1, sizeof(*writer));
	int err = chunk_file__open(path, &writer->file);

	if (err) {
		free(writer);
		return err;
	}
	writer->strings = 1; /* the empty string and the empty stack */
	writer->stacks = 1;
	*ret_writer = writer;
	return 0;
}

void recording_writer__free(struct recording_writer *writer)
{
	if (!writer)
		return;
	chunk_file__close(&writer->file);
	buf__free(&writer->about);
	free(writer->counts);
	free(writer);
}

uint64_t recording_writer__bytes(const struct recording_writer *writer)
{
	return writer->file.bytes;
}

/* Appends row number `index` of a table; false if it needs no writing. */
typedef bool append_row(struct recording_writer *writer, struct coder *coder,
			size_t index);

/* Rows *written up to `count`, in as many chunks as it takes. */
static int write_table(struct recording_writer *writer, const struct model *model,
		       enum format_type type, append_row *append, size_t *written,
		       size_t count)
{
	while (*written < count) {
		struct coder coder = chunk_file__begin(&writer->file, model);
		size_t at = *written;
		uint32_t rows = 0;
		int err;

		while (at < count && writer->file.chunk.size < FORMAT_CHUNK_BYTES)
			rows += append(writer, &coder, at++);
		err = rows ? chunk_file__end(&writer->file, type, rows) : 0;
		if (err)
			return err;
		*written = at;
	}
	return 0;
}

static bool append_string(struct recording_writer *writer, struct coder *coder,
			  size_t index)
{
	const char *text = model__text(coder->model, (string_id)index);
	uint32_t size = (uint32_t)strlen(text);

	coder__u32(coder, &size);
	buf__append(&writer->file.chunk, text, size);
	return true;
}

static bool append_process(struct recording_writer *writer, struct coder *coder,
			   size_t index)
{
	struct model_process process = *model__process(coder->model, (uint32_t)index);

	(void)writer;
	/* A parent that was found later comes with the update that told it. */
	if (process.parent != MODEL_NONE && process.parent >= index)
		process.parent = MODEL_NONE;
	rows__process(coder, &process);
	return true;
}

static bool append_event(struct recording_writer *writer, struct coder *coder,
			 size_t index)
{
	struct model_event event = *model__event(coder->model, (uint32_t)index);

	(void)writer;
	rows__event(coder, &event);
	return true;
}

static bool append_body(struct recording_writer *writer, struct coder *coder,
			size_t index)
{
	struct model_body body = *model__body(coder->model, (uint32_t)index);

	(void)writer;
	rows__body(coder, &body);
	return true;
}

static bool append_thread(struct recording_writer *writer, struct coder *coder,
			  size_t index)
{
	struct model_thread thread = *model__thread(coder->model, (uint32_t)index);

	(void)writer;
	rows__thread(coder, &thread);
	return true;
}

static bool append_frame(struct recording_writer *writer, struct coder *coder,
			 size_t index)
{
	struct model_frame frame = *model__frame(coder->model, (uint32_t)index);

	(void)writer;
	rows__frame(coder, &frame);
	return true;
}

static bool append_stack(struct recording_writer *writer, struct coder *coder,
			 size_t index)
{
	struct model_stack stack = *model__stack(coder->model, (uint32_t)index);

	(void)writer;
	rows__stack(coder, &stack);
	return true;
}

static bool append_sample(struct recording_writer *writer, struct coder *coder,
			  size_t index)
{
	struct model_sample sample = *model__sample(coder->model, index);

	(void)writer;
	if (sample.weight != 1)
		return false;
	rows__sample(coder, &sample);
	return true;
}

/* Those that append_sample() left out. */
static bool append_weighed(struct recording_writer *writer, struct coder *coder, size_t index)
{
	struct model_sample sample = *model__sample(coder->model, index);

	(void)writer;
	if (sample.weight == 1)
		return false;
	rows__weighed(coder, &sample);
	return true;
}

static bool append_times(struct recording_writer *writer, struct coder *coder, size_t index)
{
	const struct model_times *known = model__times(coder->model, (uint32_t)index);
	uint32_t thread = (uint32_t)index;
	struct model_times times;

	(void)writer;
	if (!known)
		return false;
	times = *known;
	rows__times(coder, &thread, &times);
	return true;
}

static bool append_patch(struct recording_writer *writer, struct coder *coder,
			 size_t index)
{
	struct model_patch patch = *model__patch(coder->model, (uint32_t)index);

	(void)writer;
	rows__patch(coder, &patch);
	return true;
}

static bool append_il_version(struct recording_writer *writer, struct coder *coder,
			      size_t index)
{
	struct model_il_version version =
		*model__il_version(coder->model, (uint32_t)index);

	(void)writer;
	rows__il_version(coder, &version);
	return true;
}

static bool append_active(struct recording_writer *writer, struct coder *coder,
			  size_t index)
{
	struct model_active active = *model__active(coder->model, (uint32_t)index);

	(void)writer;
	rows__active(coder, &active);
	return true;
}

static bool append_inlining(struct recording_writer *writer, struct coder *coder,
			    size_t index)
{
	struct model_inlining inlining = *model__inlining(coder->model, (uint32_t)index);

	(void)writer;
	rows__inlining(coder, &inlining);
	return true;
}

static bool append_tiering(struct recording_writer *writer, struct coder *coder,
			   size_t index)
{
	struct model_tiering tiering = *model__tiering(coder->model, (uint32_t)index);

	(void)writer;
	rows__tiering(coder, &tiering);
	return true;
}

/* The row as it is now: of several updates of one row the first tells all. */
static bool append_update(struct recording_writer *writer, struct coder *coder,
			  size_t index)
{
	struct model_update update = *model__update(coder->model, index);

	if (map__get(writer->updated, update.kind, update.index, NULL))
		return false;
	if (update.kind == MODEL_UPDATE_BODY && update.index >= writer->known_bodies)
		return false; /* this flush has written the body as it is now */
	map__set(writer->updated, update.kind, update.index, 0);
	rows__update(coder, &update);
	if (update.kind == MODEL_UPDATE_BODY) {
		struct model_body body = *model__body(coder->model, update.index);

		rows__body(coder, &body);
	} else {
		struct model_process process =
			*model__process(coder->model, update.index);

		rows__process(coder, &process);
	}
	return true;
}

static bool append_count(struct recording_writer *writer, struct coder *coder,
			 size_t index)
{
	struct model_count count = *model__count_at(coder->model, (uint32_t)index);

	if (index < writer->counts_count && writer->counts[index] == count.value)
		return false;
	if (index >= writer->counts_count) {
		alloc__grow(writer->counts, writer->counts_count,
			    writer->counts_capacity);
		writer->counts_count++;
	}
	writer->counts[index] = count.value;
	rows__count(coder, &count);
	return true;
}

static int write_updates(struct recording_writer *writer, const struct model *model)
{
	int err;

	if (writer->updates == model__updates(model))
		return 0;
	writer->updated = map__new();
	err = write_table(writer, model, FORMAT_UPDATES, append_update,
			  &writer->updates, model__updates(model));
	map__free(writer->updated);
	writer->updated = NULL;
	return err;
}

static int write_counts(struct recording_writer *writer, const struct model *model)
{
	size_t written = 0;
	int err = write_table(writer, model, FORMAT_COUNTS, append_count, &written,
			      model__counts(model));

	if (err)
		writer->counts_count = 0; /* which of them got through is unknown */
	return err;
}

static int write_about(struct recording_writer *writer, const struct model *model)
{
	struct model_about about = *model__about_const(model);
	struct coder coder = chunk_file__begin(&writer->file, model);
	size_t start = writer->file.chunk.size, size;
	int err;

	rows__about(&coder, &about);
	size = writer->file.chunk.size - start;
	if (size == writer->about.size &&
	    !memcmp(writer->file.chunk.data + start, writer->about.data, size))
		return 0;
	err = chunk_file__end(&writer->file, FORMAT_ABOUT, 1);
	if (err)
		return err;
	buf__clear(&writer->about);
	buf__append(&writer->about, writer->file.chunk.data + start, size);
	return 0;
}

static int write_part(struct recording_writer *writer, const struct model *model)
{
	struct model_about about = *model__about_const(model);
	struct coder coder;
	int err;

	if (about.part == writer->part)
		return 0;
	coder = chunk_file__begin(&writer->file, model);
	rows__part(&coder, &about);
	err = chunk_file__end(&writer->file, FORMAT_PART, 1);
	if (!err)
		writer->part = about.part;
	return err;
}

int recording_writer__shed(struct recording_writer *writer, struct model *model)
{
	int err;

	if (writer->samples != model__samples(model) ||
	    writer->weighed != model__samples(model) ||
	    writer->stacks != model__stacks(model) ||
	    writer->updates != model__updates(model))
		return 0;	/* a flush failed: they are still to be written */
	model__drop_samples(model);
	writer->samples = 0;
	writer->weighed = 0;
	writer->updates = 0;
	if (writer->stacks < STACKS_KEPT)
		return 0;
	(void)chunk_file__begin(&writer->file, model);
	err = chunk_file__end(&writer->file, FORMAT_RESTART, 0);
	if (err)
		return err;
	model__drop_stacks(model);
	writer->stacks = 1;
	return 0;
}

int recording_writer__flush(struct recording_writer *writer, struct model *model)
{
	const struct {
		enum format_type type;
		append_row *append;
		size_t *written;
		size_t count;
	} tables[] = {
		/* In this order: a row refers to what stands before it. */
		{FORMAT_PROCESSES, append_process, &writer->processes,
		 model__processes(model)},
		{FORMAT_EVENTS, append_event, &writer->events, model__events(model)},
		{FORMAT_BODIES, append_body, &writer->bodies, model__bodies(model)},
		{FORMAT_THREADS, append_thread, &writer->threads,
		 model__threads(model)},
		{FORMAT_FRAMES, append_frame, &writer->frames, model__frames(model)},
		{FORMAT_STACKS, append_stack, &writer->stacks, model__stacks(model)},
		{FORMAT_SAMPLES, append_sample, &writer->samples,
		 model__samples(model)},
		{FORMAT_WEIGHED, append_weighed, &writer->weighed,
		 model__samples(model)},
		{FORMAT_PATCHES, append_patch, &writer->patches,
		 model__patches(model)},
		{FORMAT_IL_VERSIONS, append_il_version, &writer->il_versions,
		 model__il_versions(model)},
		{FORMAT_ACTIVES, append_active, &writer->actives,
		 model__actives(model)},
		{FORMAT_INLININGS, append_inlining, &writer->inlinings,
		 model__inlinings(model)},
		{FORMAT_TIERING, append_tiering, &writer->tierings,
		 model__tierings(model)},
	};
	int err;

	if (writer->ended)
		return -EINVAL;
	writer->known_bodies = writer->bodies;
	err = write_table(writer, model, FORMAT_STRINGS, append_string,
			  &writer->strings, model__strings_count(model));
	if (!err)
		err = write_about(writer, model);
	if (!err)
		err = write_part(writer, model);
	for (size_t i = 0; !err && i < sizeof(tables) / sizeof(*tables); i++)
		err = write_table(writer, model, tables[i].type, tables[i].append,
				  tables[i].written, tables[i].count);
	if (!err)
		err = write_updates(writer, model);
	return err ? err : write_counts(writer, model);
}

int recording_writer__finish(struct recording_writer *writer, struct model *model)
{
	int err = recording_writer__flush(writer, model);
	size_t times = 0;

	if (!err)
		err = write_table(writer, model, FORMAT_TIMES, append_times, &times,
				  model__threads(model));
	if (err)
		return err;
	(void)chunk_file__begin(&writer->file, model);
	err = chunk_file__end(&writer->file, FORMAT_END, 0);
	if (err)
		return err;
	writer->ended = true;
	model__about(model)->complete = true;
	return 0;
}
