// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Fills a model from a recording, up to the first chunk that is not whole, not
 * what was written, or makes no sense: see recording.h.
 */
#include "recording.h"

#include "coder.h"
#include "format.h"
#include "rows.h"

#include "../base/alloc.h"
#include "../base/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct reader {
	int fd;
	struct model *model;
	struct recording_result *result;
	char *payload; /* of the chunk, padding included */
	size_t capacity;
	struct stack_numbers stacks;
	bool ended; /* there is nothing more to read */
};

/* Bytes that were read, less than `size` only at the end of the file. */
static ssize_t read_up_to(int fd, void *data, size_t size)
{
	char *at = data;
	size_t left = size;

	while (left) {
		ssize_t got = read(fd, at, left);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		at += got;
		left -= (size_t)got;
	}
	return (ssize_t)(size - left);
}

__attribute__((format(printf, 2, 3))) static void end_here(struct reader *reader,
							   const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reader->result->reason, sizeof(reader->result->reason), format,
		  arguments);
	va_end(arguments);
	reader->result->status = RECORDING_CUT;
	reader->ended = true;
}

/*
 * Each reads one row and adds it; false if the model has it already or would
 * give it another number than the file counts it as.
 */
typedef bool read_row(struct coder *coder, struct model *model);

static bool read_about(struct coder *coder, struct model *model)
{
	struct model_about about = {0};

	rows__about(coder, &about);
	if (coder->bad)
		return false;
	about.part = model__about(model)->part;
	about.whole_start_ns = model__about(model)->whole_start_ns;
	*model__about(model) = about;
	return true;
}

static bool read_part(struct coder *coder, struct model *model)
{
	struct model_about about = *model__about(model);

	rows__part(coder, &about);
	if (!coder->bad)
		*model__about(model) = about;
	return true;
}

static bool read_string(struct coder *coder, struct model *model)
{
	uint32_t expected = model__strings_count(model);
	uint32_t size = 0;
	const char *text;

	coder__u32(coder, &size);
	text = coder__bytes(coder, size);
	return text && model__string_n(model, text, size) == expected;
}

static bool read_process(struct coder *coder, struct model *model)
{
	uint32_t expected = model__processes(model);
	struct model_process process = {0};

	rows__process(coder, &process);
	return !coder->bad && model__add_process(model, &process) == expected;
}

static bool read_event(struct coder *coder, struct model *model)
{
	uint32_t expected = model__events(model);
	struct model_event event = {0};

	rows__event(coder, &event);
	return !coder->bad && model__add_event(model, &event) == expected;
}

static bool read_body(struct coder *coder, struct model *model)
{
	uint32_t expected = model__bodies(model);
	struct model_body body = {0};

	rows__body(coder, &body);
	return !coder->bad && model__add_body(model, &body) == expected;
}

static bool read_thread(struct coder *coder, struct model *model)
{
	uint32_t expected = model__threads(model);
	struct model_thread thread = {0};

	rows__thread(coder, &thread);
	return !coder->bad && model__add_thread(model, thread.process, thread.tid,
						thread.name) == expected;
}

static bool read_frame(struct coder *coder, struct model *model)
{
	uint32_t expected = model__frames(model);
	struct model_frame frame = {0};

	rows__frame(coder, &frame);
	return !coder->bad && model__add_frame(model, &frame) == expected;
}

/* The file may tell a stack again after a restart: the model has it once. */
static bool read_stack(struct coder *coder, struct model *model)
{
	struct stack_numbers *stacks = coder->stacks;
	struct model_stack stack = {0};
	uint32_t number;

	rows__stack(coder, &stack);
	if (coder->bad)
		return false;
	number = model__add_stack(model, stacks->items[stack.parent], stack.frame);
	if (number == MODEL_NONE)
		return false;
	alloc__grow(stacks->items, stacks->count, stacks->capacity);
	stacks->items[stacks->count++] = number;
	return true;
}

static bool read_sample(struct coder *coder, struct model *model)
{
	struct model_sample sample = {0};

	rows__sample(coder, &sample);
	if (coder->bad)
		return false;
	sample.stack = coder->stacks->items[sample.stack];
	return model__add_sample(model, &sample) != MODEL_NONE;
}

static bool read_weighed(struct coder *coder, struct model *model)
{
	struct model_sample sample = {0};

	rows__weighed(coder, &sample);
	if (coder->bad)
		return false;
	sample.stack = coder->stacks->items[sample.stack];
	return model__add_sample(model, &sample) != MODEL_NONE;
}

static bool read_times(struct coder *coder, struct model *model)
{
	struct model_times times = {0};
	uint32_t thread = 0;

	rows__times(coder, &thread, &times);
	if (!coder->bad)
		model__set_times(model, thread, &times);
	return true;
}

static bool read_patch(struct coder *coder, struct model *model)
{
	struct model_patch patch = {0};

	rows__patch(coder, &patch);
	return !coder->bad && model__add_patch(model, &patch) != MODEL_NONE;
}

static bool read_il_version(struct coder *coder, struct model *model)
{
	struct model_il_version version = {0};

	rows__il_version(coder, &version);
	return !coder->bad && model__add_il_version(model, &version) != MODEL_NONE;
}

static bool read_active(struct coder *coder, struct model *model)
{
	struct model_active active = {0};

	rows__active(coder, &active);
	return !coder->bad && model__add_active(model, &active) != MODEL_NONE;
}

static bool read_inlining(struct coder *coder, struct model *model)
{
	struct model_inlining inlining = {0};

	rows__inlining(coder, &inlining);
	return !coder->bad && model__add_inlining(model, &inlining) != MODEL_NONE;
}

static bool read_tiering(struct coder *coder, struct model *model)
{
	struct model_tiering tiering = {0};

	rows__tiering(coder, &tiering);
	return !coder->bad && model__add_tiering(model, &tiering) != MODEL_NONE;
}

static bool read_update(struct coder *coder, struct model *model)
{
	struct model_update update = {0};
	struct model_process process = {0};
	struct model_body body = {0};

	rows__update(coder, &update);
	if (coder->bad)
		return false;
	if (update.kind == MODEL_UPDATE_PROCESS) {
		rows__process(coder, &process);
		if (!coder->bad)
			model__update_process(model, update.index, &process);
		return true;
	}
	rows__body(coder, &body);
	if (coder->bad || body.process != model__body(model, update.index)->process)
		return false;
	model__update_body(model, update.index, &body);
	return true;
}

static bool read_count(struct coder *coder, struct model *model)
{
	struct model_count count = {0};

	rows__count(coder, &count);
	if (!coder->bad)
		model__set_count(model, count.section, model__text(model, count.name),
				 count.value);
	return true;
}

static bool read_nothing(struct coder *coder, struct model *model)
{
	(void)coder;
	(void)model;
	return false; /* these have no rows */
}

static const struct {
	const char *name;
	read_row *read;
} kinds[] = {
	[FORMAT_ABOUT] = {"about", read_about},
	[FORMAT_STRINGS] = {"strings", read_string},
	[FORMAT_PROCESSES] = {"processes", read_process},
	[FORMAT_EVENTS] = {"events", read_event},
	[FORMAT_BODIES] = {"bodies", read_body},
	[FORMAT_THREADS] = {"threads", read_thread},
	[FORMAT_FRAMES] = {"frames", read_frame},
	[FORMAT_STACKS] = {"stacks", read_stack},
	[FORMAT_SAMPLES] = {"samples", read_sample},
	[FORMAT_UPDATES] = {"updates", read_update},
	[FORMAT_COUNTS] = {"counts", read_count},
	[FORMAT_END] = {"end", read_nothing},
	[FORMAT_RESTART] = {"restart", read_nothing},
	[FORMAT_PART] = {"part", read_part},
	[FORMAT_PATCHES] = {"patches", read_patch},
	[FORMAT_IL_VERSIONS] = {"IL versions", read_il_version},
	[FORMAT_ACTIVES] = {"active versions", read_active},
	[FORMAT_INLININGS] = {"inlinings", read_inlining},
	[FORMAT_WEIGHED] = {"weighed samples", read_weighed},
	[FORMAT_TIMES] = {"times of threads", read_times},
	[FORMAT_TIERING] = {"tiering", read_tiering},
};

static const char *name_of(uint32_t type)
{
	bool is_known = type < sizeof(kinds) / sizeof(*kinds) && kinds[type].name;

	return is_known ? kinds[type].name : "of an unknown kind";
}

/*
 * Rows before one that makes no sense stay in the model: each of them does make
 * sense, and only a file that was made on purpose has such a chunk.
 */
static bool read_rows(struct reader *reader, const struct format_chunk *chunk)
{
	struct coder coder = {
		.model = reader->model,
		.at = (const uint8_t *)reader->payload,
		.end = (const uint8_t *)reader->payload + chunk->length,
		.stacks = &reader->stacks,
	};
	const char *bytes = coder__bytes(&coder, sizeof(uint32_t));
	uint32_t rows;

	if (!bytes || chunk->type >= sizeof(kinds) / sizeof(*kinds) ||
	    !kinds[chunk->type].read)
		return false;
	memcpy(&rows, bytes, sizeof(rows));
	for (uint32_t i = 0; i < rows; i++) {
		if (!kinds[chunk->type].read(&coder, reader->model) || coder.bad)
			return false;
	}
	return coder.at == coder.end;
}

/* Reads what is behind a chunk's header; ends at what is not whole or right. */
static int read_chunk(struct reader *reader, const struct format_chunk *chunk)
{
	unsigned int number = reader->result->chunks + 1;
	size_t padded;
	ssize_t got;
	uint32_t crc;

	if (chunk->magic != FORMAT_CHUNK_MAGIC ||
	    chunk->length > FORMAT_CHUNK_BYTES_MAX) {
		end_here(reader, "chunk %u is damaged: it has no valid header", number);
		return 0;
	}
	padded = (chunk->length + FORMAT_ALIGNMENT - 1) / FORMAT_ALIGNMENT *
		 FORMAT_ALIGNMENT;
	if (padded > reader->capacity) {
		reader->payload = alloc__resize(reader->payload, padded, 1);
		reader->capacity = padded;
	}
	got = read_up_to(reader->fd, reader->payload, padded);
	if (got < 0)
		return (int)got;
	if ((size_t)got < padded) {
		end_here(reader, "it ends in the middle of chunk %u", number);
		return 0;
	}
	crc = crc32c__update(0, &chunk->type, 2 * sizeof(uint32_t));
	crc = crc32c__update(crc, reader->payload, padded);
	if (crc != chunk->crc32c) {
		end_here(reader, "chunk %u is damaged: its checksum is wrong", number);
		return 0;
	}
	if (model__samples(reader->model) > MODEL_NONE - padded)
		return -EFBIG;
	if (!read_rows(reader, chunk)) {
		end_here(reader, "chunk %u, %s, makes no sense", number,
			 name_of(chunk->type));
		return 0;
	}
	reader->result->kept_bytes += sizeof(*chunk) + padded;
	reader->result->chunks++;
	reader->ended = chunk->type == FORMAT_END;
	if (chunk->type == FORMAT_RESTART)
		reader->stacks.count = 1;
	return 0;
}

static int read_chunks(struct reader *reader)
{
	while (!reader->ended) {
		struct format_chunk chunk;
		ssize_t got = read_up_to(reader->fd, &chunk, sizeof(chunk));
		int err = 0;

		if (got < 0)
			return (int)got;
		if (!got)
			end_here(reader, "it was not ended in order");
		else if ((size_t)got < sizeof(chunk))
			end_here(reader, "it ends in the middle of chunk %u",
				 reader->result->chunks + 1);
		else
			err = read_chunk(reader, &chunk);
		if (err)
			return err;
	}
	return 0;
}

static int read_header(struct reader *reader)
{
	struct format_header header;
	ssize_t got = read_up_to(reader->fd, &header, sizeof(header));
	size_t magic = sizeof(header.magic);

	if (got < 0)
		return (int)got;
	if (!got)
		return -ENODATA;
	if (memcmp(header.magic, FORMAT_MAGIC,
		   (size_t)got < magic ? (size_t)got : magic))
		return -EBADMSG;
	if ((size_t)got < sizeof(header)) {
		end_here(reader, "it ends in the middle of its header");
		return 0;
	}
	if (header.format > RECORDING_FORMAT)
		return -EPROTO;
	if (!header.format)
		return -EBADMSG;
	reader->result->kept_bytes = sizeof(header);
	return 0;
}

/* What the end of the recording would have told, or what is known of it. */
static void complete_about(const struct reader *reader)
{
	struct model_about *about = model__about(reader->model);
	size_t samples = model__samples(reader->model);

	about->complete = reader->result->status == RECORDING_WHOLE;
	if (about->complete)
		return;
	for (size_t i = 0; i < samples; i++) {
		uint64_t time_ns = model__sample(reader->model, i)->time_ns;

		if (about->end_ns < time_ns)
			about->end_ns = time_ns;
	}
}

int recording__read(const char *path, struct model *model,
		    struct recording_result *ret_result)
{
	struct reader reader = {.model = model, .result = ret_result};
	struct stat stat;
	int err;

	memset(ret_result, 0, sizeof(*ret_result));
	/* Numbers of the file are numbers of the model. */
	if (model__strings_count(model) > 1 || model__processes(model))
		return -EINVAL;
	reader.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (reader.fd < 0)
		return -errno;
	alloc__grow(reader.stacks.items, reader.stacks.count, reader.stacks.capacity);
	reader.stacks.items[reader.stacks.count++] = 0;	/* the empty stack */
	err = read_header(&reader);
	if (!err)
		err = read_chunks(&reader);
	if (!err) {
		complete_about(&reader);
		ret_result->file_bytes = ret_result->kept_bytes;
		if (!fstat(reader.fd, &stat) && S_ISREG(stat.st_mode))
			ret_result->file_bytes = (uint64_t)stat.st_size;
	}
	free(reader.payload);
	free(reader.stacks.items);
	close(reader.fd);
	return err;
}
