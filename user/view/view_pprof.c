// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * A profile for pprof (github.com/google/pprof, proto/profile.proto): one
 * gzip'ed message of
 *
 *   Sample    one stack of one thread, leaf first; values samples/count and
 *             cpu/nanoseconds; labels process, pid, thread and, where it was in
 *             a code body in user mode, tier, rejit_id, function_id
 *   Location  one code body, or one native frame: its Mapping and its Function
 *   Function  a name; versions of a method have the same name and differ in
 *             system_name, so that pprof shows the method as one unless it is
 *             asked for more (-tagfocus, -tagroot), and merging keeps versions
 *   Mapping   one module, [kernel.kallsyms] for the kernel; its addresses are left out, because code of a
 *             managed module does not lie where the module is mapped
 *
 * system_name is left out where there is no version: pprof would take a system
 * name that equals the name as a mangled one and edit it.
 */
#include "protobuf.h"
#include "view_internal.h"

#include "../base/alloc.h"
#include "../base/map.h"
#include "../base/text.h"
#include "../model/name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Field numbers of profile.proto. */
enum {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE = 2,
	PROFILE_MAPPING = 3,
	PROFILE_LOCATION = 4,
	PROFILE_FUNCTION = 5,
	PROFILE_STRING_TABLE = 6,
	PROFILE_TIME_NANOS = 9,
	PROFILE_DURATION_NANOS = 10,
	PROFILE_PERIOD_TYPE = 11,
	PROFILE_PERIOD = 12,
	PROFILE_COMMENT = 13,
	PROFILE_DEFAULT_SAMPLE_TYPE = 14
};
enum { VALUE_TYPE_TYPE = 1, VALUE_TYPE_UNIT = 2 };
enum { SAMPLE_LOCATION_ID = 1, SAMPLE_VALUE = 2, SAMPLE_LABEL = 3 };
enum { LABEL_KEY = 1, LABEL_STR = 2, LABEL_NUM = 3 };
enum { MAPPING_ID = 1, MAPPING_FILENAME = 5, MAPPING_HAS_FUNCTIONS = 7 };
enum {
	LOCATION_ID = 1,
	LOCATION_MAPPING_ID = 2,
	LOCATION_ADDRESS = 3,
	LOCATION_LINE = 4
};
enum { LINE_FUNCTION_ID = 1 };
enum { FUNCTION_ID = 1, FUNCTION_NAME = 2, FUNCTION_SYSTEM_NAME = 3 };

struct pprof {
	const struct model *model;
	const struct view_options *options;
	struct buf profile; /* not compressed */
	struct pool *strings;
	struct map *functions; /* of name and system name */
	struct map *mappings;  /* of a file's name */
	uint64_t *location;    /* [frame] its id, 0 none yet; the empty stack behind */
	uint64_t *thread;      /* [thread] location of its root frame */
	uint64_t locations;    /* the last id given */
	uint64_t period;
	struct buf ids, message, inner, scratch;
};

/* Hostile text, as it may stand on a terminal; pprof wants UTF-8. */
static uint32_t add_string(struct pprof *pprof, const char *text)
{
	struct buf clean = BUF_INIT;
	uint32_t number;

	text__append_terminal(&clean, text);
	number = pool__add(pprof->strings, buf__string(&clean));
	buf__free(&clean);
	return number;
}

static uint64_t add_mapping(struct pprof *pprof, const char *file)
{
	uint32_t name = add_string(pprof, file);
	uint64_t id;

	if (!name)
		return 0;
	if (map__get(pprof->mappings, name, 0, &id))
		return id;
	id = map__count(pprof->mappings) + 1;
	map__set(pprof->mappings, name, 0, id);
	buf__clear(&pprof->message);
	protobuf__number(&pprof->message, MAPPING_ID, id);
	protobuf__number(&pprof->message, MAPPING_FILENAME, name);
	protobuf__number(&pprof->message, MAPPING_HAS_FUNCTIONS, true);
	protobuf__element(&pprof->profile, PROFILE_MAPPING, pprof->message.data,
			  pprof->message.size);
	return id;
}

static uint64_t add_function(struct pprof *pprof, uint32_t name, uint32_t system_name)
{
	uint64_t id;

	if (system_name == name)
		system_name = 0;
	if (map__get(pprof->functions, name, system_name, &id))
		return id;
	id = map__count(pprof->functions) + 1;
	map__set(pprof->functions, name, system_name, id);
	buf__clear(&pprof->message);
	protobuf__number(&pprof->message, FUNCTION_ID, id);
	protobuf__number(&pprof->message, FUNCTION_NAME, name);
	protobuf__number(&pprof->message, FUNCTION_SYSTEM_NAME, system_name);
	protobuf__element(&pprof->profile, PROFILE_FUNCTION, pprof->message.data,
			  pprof->message.size);
	return id;
}

static uint64_t add_location(struct pprof *pprof, uint64_t mapping, uint64_t address,
			     uint64_t function)
{
	uint64_t id = ++pprof->locations;

	buf__clear(&pprof->inner);
	protobuf__number(&pprof->inner, LINE_FUNCTION_ID, function);
	buf__clear(&pprof->message);
	protobuf__number(&pprof->message, LOCATION_ID, id);
	protobuf__number(&pprof->message, LOCATION_MAPPING_ID, mapping);
	protobuf__number(&pprof->message, LOCATION_ADDRESS, address);
	protobuf__element(&pprof->message, LOCATION_LINE, pprof->inner.data,
			  pprof->inner.size);
	protobuf__element(&pprof->profile, PROFILE_LOCATION, pprof->message.data,
			  pprof->message.size);
	return id;
}

/* The file of a frame that is not a body: native names begin with it. */
static uint64_t frame_mapping(struct pprof *pprof, const struct model_frame *frame)
{
	const char *name, *end;

	if (frame && frame->kind == MODEL_FRAME_KERNEL) {
		buf__clear(&pprof->scratch);
		view__kernel_image(pprof->model, frame, &pprof->scratch);
		return add_mapping(pprof, buf__string(&pprof->scratch));
	}
	if (!frame || frame->kind != MODEL_FRAME_NATIVE)
		return 0;
	name = model__text(pprof->model, frame->name);
	end = strchr(name, '!');
	buf__clear(&pprof->scratch);
	buf__append(&pprof->scratch, name, end ? (size_t)(end - name) : strlen(name));
	return add_mapping(pprof, buf__string(&pprof->scratch));
}

static uint32_t add_label_text(struct pprof *pprof, uint32_t frame,
			       enum view_split split)
{
	buf__clear(&pprof->scratch);
	view__label(pprof->model, pprof->options, frame, split, &pprof->scratch);
	if (!pprof->scratch.size)
		buf__append_string(&pprof->scratch, "[no name]");
	return add_string(pprof, buf__string(&pprof->scratch));
}

/* The location of a frame; MODEL_NONE is the empty stack. */
static uint64_t frame_location(struct pprof *pprof, uint32_t frame)
{
	uint32_t slot = frame == MODEL_NONE ? model__frames(pprof->model) : frame;
	const struct model_frame *row = model__frame(pprof->model, frame);
	uint32_t name, system_name;
	uint64_t mapping, address;

	if (pprof->location[slot])
		return pprof->location[slot];
	name = add_label_text(pprof, frame, VIEW_SPLIT_NONE);
	if (row && row->kind == MODEL_FRAME_BODY) {
		const struct model_body *body = model__body(pprof->model, row->body);

		system_name = add_label_text(pprof, frame, pprof->options->split);
		mapping = add_mapping(pprof, model__text(pprof->model, body->module));
		address = body->start;
	} else {
		system_name = 0;
		mapping = frame_mapping(pprof, row);
		address = row ? row->address : 0;
	}
	pprof->location[slot] = add_location(pprof, mapping, address,
					     add_function(pprof, name, system_name));
	return pprof->location[slot];
}

static uint64_t thread_location(struct pprof *pprof, uint32_t thread)
{
	if (!pprof->thread[thread]) {
		buf__clear(&pprof->scratch);
		view__thread_label(pprof->model, thread, &pprof->scratch);
		pprof->thread[thread] = add_location(
			pprof, 0, 0,
			add_function(pprof,
				     add_string(pprof, buf__string(&pprof->scratch)),
				     0));
	}
	return pprof->thread[thread];
}

/* --- samples -------------------------------------------------------------- */

static void add_label(struct pprof *pprof, const char *key, const char *text)
{
	buf__clear(&pprof->inner);
	protobuf__number(&pprof->inner, LABEL_KEY, pool__add(pprof->strings, key));
	protobuf__number(&pprof->inner, LABEL_STR, add_string(pprof, text));
	protobuf__element(&pprof->message, SAMPLE_LABEL, pprof->inner.data,
			  pprof->inner.size);
}

static void add_number_label(struct pprof *pprof, const char *key, uint64_t number)
{
	buf__clear(&pprof->inner);
	protobuf__number(&pprof->inner, LABEL_KEY, pool__add(pprof->strings, key));
	protobuf__number(&pprof->inner, LABEL_NUM, number);
	protobuf__element(&pprof->message, SAMPLE_LABEL, pprof->inner.data,
			  pprof->inner.size);
}

/* Which version the user-mode leaf is.  rejit_id is a text: readers of pprof drop a
 * number 0. */
static void add_version_labels(struct pprof *pprof, uint32_t stack)
{
	const struct model_frame *frame =
		model__frame(pprof->model, view__user_frame(pprof->model, stack));
	const struct model_body *body;

	if (!frame || frame->kind != MODEL_FRAME_BODY)
		return;
	body = model__body(pprof->model, frame->body);
	add_label(pprof, "tier", name__tier_short(view__tier(body)));
	buf__clear(&pprof->scratch);
	if (body->flags & MODEL_BODY_REJIT_UNKNOWN)
		buf__append_char(&pprof->scratch, '?');
	else
		buf__printf(&pprof->scratch, "%u", body->rejit_id);
	add_label(pprof, "rejit_id", buf__string(&pprof->scratch));
	if (body->flags & MODEL_BODY_FUNCTION_UNKNOWN)
		return;
	buf__clear(&pprof->scratch);
	buf__printf(&pprof->scratch, "0x%llx", (unsigned long long)body->function_id);
	add_label(pprof, "function_id", buf__string(&pprof->scratch));
}

static void add_owner_labels(struct pprof *pprof, const struct view_stack_count *stack)
{
	const struct model_process *process =
		model__process(pprof->model, stack->process);

	if (*model__text(pprof->model, process->comm))
		add_label(pprof, "process", model__text(pprof->model, process->comm));
	add_number_label(pprof, "pid", (uint64_t)process->pid);
	buf__clear(&pprof->scratch);
	view__thread_label(pprof->model, stack->thread, &pprof->scratch);
	add_label(pprof, "thread", buf__string(&pprof->scratch));
}

static void add_sample(struct pprof *pprof, const struct view_stack_count *stack)
{
	buf__clear(&pprof->ids);
	if (!stack->stack)
		protobuf__varint(&pprof->ids, frame_location(pprof, MODEL_NONE));
	for (uint32_t at = stack->stack; at;
	     at = model__stack(pprof->model, at)->parent)
		protobuf__varint(&pprof->ids,
				 frame_location(pprof,
						model__stack(pprof->model, at)->frame));
	if (pprof->options->per_thread)
		protobuf__varint(&pprof->ids, thread_location(pprof, stack->thread));
	buf__clear(&pprof->inner);
	protobuf__varint(&pprof->inner, stack->count);
	protobuf__varint(&pprof->inner, stack->count * pprof->period);
	buf__clear(&pprof->message);
	protobuf__bytes(&pprof->message, SAMPLE_LOCATION_ID, pprof->ids.data,
			pprof->ids.size);
	protobuf__bytes(&pprof->message, SAMPLE_VALUE, pprof->inner.data,
			pprof->inner.size);
	add_version_labels(pprof, stack->stack);
	add_owner_labels(pprof, stack);
	protobuf__element(&pprof->profile, PROFILE_SAMPLE, pprof->message.data,
			  pprof->message.size);
}

/* pprof shows the first mapping as the program that was profiled: the one with
 * the most samples.  `stacks` are by process. */
static void add_program(struct pprof *pprof, const struct view_stack_count *stacks,
			size_t count)
{
	uint32_t hottest = MODEL_NONE;
	uint64_t samples = 0, most = 0;

	for (size_t i = 0; i < count; i++) {
		if (!i || stacks[i].process != stacks[i - 1].process)
			samples = 0;
		samples += stacks[i].count;
		if (samples > most) {
			most = samples;
			hottest = stacks[i].process;
		}
	}
	if (hottest != MODEL_NONE)
		add_mapping(
			pprof,
			model__text(pprof->model,
				    model__process(pprof->model, hottest)->executable));
}

static void add_samples(struct pprof *pprof)
{
	struct view_options by_thread = *pprof->options;
	struct view_stack_count *stacks;
	size_t count;

	by_thread.per_thread = true; /* it is a label in any case */
	count = view__distinct_stacks(pprof->model, &by_thread, &stacks);
	add_program(pprof, stacks, count);
	for (size_t i = 0; i < count; i++)
		add_sample(pprof, &stacks[i]);
	free(stacks);
}

/* --- head ------------------------------------------------------------------ */

static void add_value_type(struct pprof *pprof, unsigned int field, const char *type,
			   const char *unit)
{
	buf__clear(&pprof->message);
	protobuf__number(&pprof->message, VALUE_TYPE_TYPE, add_string(pprof, type));
	protobuf__number(&pprof->message, VALUE_TYPE_UNIT, add_string(pprof, unit));
	protobuf__element(&pprof->profile, field, pprof->message.data,
			  pprof->message.size);
}

static void add_types(struct pprof *pprof)
{
	const char *unit, *type = view__event_name(pprof->model, pprof->options);

	pprof->period = view__period(pprof->model, pprof->options, &unit);
	if (strcmp(unit, "nanoseconds"))
		unit = "count";
	else if (model__is_clock(pprof->model, pprof->options->event))
		type = "cpu";
	add_value_type(pprof, PROFILE_SAMPLE_TYPE, "samples", "count");
	add_value_type(pprof, PROFILE_SAMPLE_TYPE, type, unit);
	add_value_type(pprof, PROFILE_PERIOD_TYPE, type, unit);
	protobuf__number(&pprof->profile, PROFILE_PERIOD, pprof->period);
	protobuf__number(&pprof->profile, PROFILE_DEFAULT_SAMPLE_TYPE,
			 add_string(pprof, type));
}

/* `pprof -comments` shows them: what was recorded and what is missing. */
static void add_comments(struct pprof *pprof, const struct view_summary *summary)
{
	struct buf text[4] = {BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT};

	buf__append_string(&text[0], "tierscope " TIERSCOPE_VERSION ": ");
	view__title(pprof->model, pprof->options, &text[0]);
	buf__printf(&text[1], "%llu of %llu samples attributed",
		    (unsigned long long)(summary->samples - summary->unknown),
		    (unsigned long long)summary->samples);
	if (summary->lost || summary->not_delivered || summary->events_lost)
		buf__printf(&text[2],
			    "LOST: %llu samples, %llu not delivered, %llu code events",
			    (unsigned long long)summary->lost,
			    (unsigned long long)summary->not_delivered,
			    (unsigned long long)summary->events_lost);
	if (pprof->options->note)
		buf__printf(&text[3], "WARNING: %s", pprof->options->note);
	for (size_t i = 0; i < sizeof(text) / sizeof(*text); i++) {
		protobuf__number(&pprof->profile, PROFILE_COMMENT,
				 add_string(pprof, buf__string(&text[i])));
		buf__free(&text[i]);
	}
}

static void add_head(struct pprof *pprof)
{
	struct view_summary summary;

	view__summarize(pprof->model, pprof->options, &summary);
	add_types(pprof);
	add_comments(pprof, &summary);
	protobuf__number(&pprof->profile, PROFILE_TIME_NANOS,
			 (uint64_t)model__about_const(pprof->model)->start_unix_ns);
	protobuf__number(&pprof->profile, PROFILE_DURATION_NANOS,
			 summary.end_ns - summary.start_ns);
}

static void add_strings(struct pprof *pprof)
{
	protobuf__element(&pprof->profile, PROFILE_STRING_TABLE, "", 0);
	for (uint32_t i = 1; i < pool__count(pprof->strings); i++) {
		const char *text = pool__string(pprof->strings, i);

		protobuf__element(&pprof->profile, PROFILE_STRING_TABLE, text,
				  strlen(text));
	}
}

/* Appends `plain` as one gzip member. */
static int compress_to(struct buf *buf, const struct buf *plain)
{
	unsigned char piece[65536];
	z_stream stream = {.next_in = (unsigned char *)plain->data};
	size_t left = plain->size;
	int result;

	if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return -EIO;
	do {
		if (!stream.avail_in) {
			stream.avail_in = left < (1u << 30) ? (uInt)left : 1u << 30;
			left -= stream.avail_in;
		}
		stream.next_out = piece;
		stream.avail_out = sizeof(piece);
		result = deflate(&stream, left ? Z_NO_FLUSH : Z_FINISH);
		buf__append(buf, piece, sizeof(piece) - stream.avail_out);
	} while (result == Z_OK || result == Z_BUF_ERROR);
	deflateEnd(&stream);
	return result == Z_STREAM_END ? 0 : -EIO;
}

int view_pprof__write(const struct model *model, const struct view_options *options,
		      struct buf *buf)
{
	struct pprof pprof = {
		.model = model,
		.options = options,
		.strings = pool__new(),
		.functions = map__new(),
		.mappings = map__new(),
		.location = alloc__zeroed((size_t)model__frames(model) + 1,
					  sizeof(uint64_t)),
		.thread = alloc__zeroed(model__threads(model), sizeof(uint64_t)),
	};
	int err;

	add_head(&pprof);
	add_samples(&pprof);
	add_strings(&pprof);
	err = compress_to(buf, &pprof.profile);

	buf__free(&pprof.profile);
	buf__free(&pprof.ids);
	buf__free(&pprof.message);
	buf__free(&pprof.inner);
	buf__free(&pprof.scratch);
	free(pprof.location);
	free(pprof.thread);
	map__free(pprof.functions);
	map__free(pprof.mappings);
	pool__free(pprof.strings);
	return err;
}
