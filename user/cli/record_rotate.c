// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * A recording in parts (--max-size).  The newest part is always FILE; what was
 * FILE becomes FILE.1, that FILE.2, and so on, as log files are rotated:
 *
 *   FILE.3 ──▶ removed with --max-files 4     FILE.1 ──▶ FILE.2
 *   FILE.2 ──▶ FILE.3                         FILE   ──▶ FILE.1
 *
 * Each part opens by itself: processes, bodies and names are written into it
 * anew, stacks as they come, and it has a ledger of its own.
 */
#include "cli.h"
#include "record.h"

#include "../base/buf.h"
#include "../base/clock.h"
#include "../base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *part_path(const struct record *record, unsigned int number)
{
	struct buf path = BUF_INIT;

	buf__append_string(&path, record->path);
	if (number)
		buf__printf(&path, ".%u", number);
	return buf__steal(&path);
}

/* FILE was there and is recorded anew: so are the parts that belonged to it. */
void record_rotate__begin(struct record *record)
{
	bool more = record->options->max_size;

	for (unsigned int i = 1; more; i++) {
		char *path = part_path(record, i);

		more = !unlink(path);
		free(path);
	}
}

static int remove_part(const struct record *record, unsigned int number)
{
	char *path = part_path(record, number);
	int err = unlink(path) && errno != ENOENT ? -errno : 0;

	free(path);
	return err;
}

/* A part that somebody took away leaves a gap, which moves on with the others. */
static int move_part(const struct record *record, unsigned int from)
{
	char *old = part_path(record, from), *new = part_path(record, from + 1);
	int err = rename(old, new) && errno != ENOENT ? -errno : 0;

	free(old);
	free(new);
	return err;
}

/* From the oldest on, so that an end between two steps overwrites none. */
static int shift_files(struct record *record)
{
	unsigned int files = record->options->max_files;
	int err = 0;

	if (files && record->older_parts + 1 >= files) {
		err = remove_part(record, record->older_parts--);
		record->removed_parts++;
		if (files == 1) {	/* that was FILE itself */
			record->older_parts = 0;
			return err;
		}
	}
	for (unsigned int i = record->older_parts + 1; i > 0 && !err; i--)
		err = move_part(record, i - 1);
	record->older_parts++;
	return err;
}

static void begin_part(struct record *record, uint64_t now)
{
	struct model_about *about = model__about(record->model);

	model__drop_samples(record->model);
	model__drop_stacks(record->model);
	model__drop_counts(record->model);
	model__drop_times(record->model);
	about->part++;
	about->start_ns = now;
	about->start_unix_ns = clock__wall();
	about->end_ns = 0;
	about->complete = false;
}

static int end_part(struct record *record, uint64_t now)
{
	struct model_about *about = model__about(record->model);

	if (!about->part) {
		about->part = 1;
		about->whole_start_ns = about->start_ns;
	}
	about->end_ns = now;
	return recording_writer__finish(record->writer, record->model);
}

static int trouble(const struct record *record, int err)
{
	log__error("cannot begin another part of %s: %s; what was recorded until then is kept",
		   record->path, strerror(-err));
	return EXIT_RECORDING;
}

static int rotate(struct record *record)
{
	struct recording_writer *writer;
	int err = recorder__cut(record->recorder);
	uint64_t now = clock__now();

	if (!err)
		err = end_part(record, now);
	if (err)
		return trouble(record, err);
	err = shift_files(record);
	if (!err)
		err = recording_writer__open(record->path, &writer);
	if (err)
		return trouble(record, err);
	recording_writer__free(record->writer);
	record->writer = writer;
	begin_part(record, now);
	err = recording_writer__flush(record->writer, record->model);
	record->part_base = recording_writer__bytes(record->writer);
	return err ? trouble(record, err) : EXIT_OK;
}

/*
 * What each part has to tell anew can be as large as a part should be: then a
 * part is as long again as that, instead of one a second.
 */
int record_rotate__step(struct record *record)
{
	uint64_t bytes = recording_writer__bytes(record->writer);

	if (!record->options->max_size || bytes < record->options->max_size ||
	    bytes < 2 * record->part_base)
		return EXIT_OK;
	return rotate(record);
}

void record_rotate__summary(const struct record *record)
{
	if (record->older_parts == 1)
		log__info("%s is the newest part, %s.1 the one before", record->path,
			  record->path);
	else if (record->older_parts)
		log__info("%s is the newest part, %s.1 to .%u are the ones before", record->path,
			  record->path, record->older_parts);
	if (record->removed_parts)
		log__info("%u older parts were removed, as --max-files says",
			  record->removed_parts);
}
