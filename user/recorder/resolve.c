// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// From the words of a sample to frames of the model.  The sampler has resolved
// what its tables knew; what it left raw is looked up here, in what was mapped
// at the time, and what stays unknown gets a cause, never a neighbour's name.
#include "internal.h"

#include <stdio.h>
#include <string.h>

static const char *const leaf_names[LEAF_CAUSES] = {
	[LEAF_JIT_UNKNOWN] = "code that no event told of",
	[LEAF_STUB] = "runtime stub",
	[LEAF_IMAGE_UNKNOWN] = "precompiled image, no method",
	[LEAF_ANONYMOUS] = "anonymous executable memory",
	[LEAF_NO_MAPPING] = "address without a mapping",
};

struct resolved {
	struct model_frame frame;
	int cause;		/* enum leaf_cause, -1: it has a name */
	enum stub_kind stub;	/* STUB_NONE: none */
	bool managed;		/* in code of a method: JIT or precompiled */
};

static void set_unknown(struct recorder *recorder, struct resolved *resolved, int cause)
{
	resolved->cause = cause;
	resolved->frame = (struct model_frame){
		.kind = MODEL_FRAME_UNKNOWN, .body = MODEL_NONE,
		.name = model__string(recorder->model, leaf_names[cause]),
	};
}

static void set_body(struct resolved *resolved, uint32_t body)
{
	resolved->managed = true;
	resolved->frame = (struct model_frame){ .kind = MODEL_FRAME_BODY, .body = body };
}

/* "libcoreclr.so" and the offset in the file, which is what symbolizers want. */
static void set_native(struct recorder *recorder, struct resolved *resolved,
		       const struct mapping *mapping, uint64_t address)
{
	const char *path = model__text(recorder->model, mapping->path);
	const char *slash = strrchr(path, '/');

	resolved->frame = (struct model_frame){
		.kind = MODEL_FRAME_NATIVE, .body = MODEL_NONE,
		.name = model__string(recorder->model, slash ? slash + 1 : path),
		.address = address - mapping->start + mapping->file_offset,
	};
}

static void resolve_image(struct recorder *recorder, struct process *process,
			  const struct mapping *mapping, uint64_t address,
			  struct resolved *resolved)
{
	uint32_t rva = (uint32_t)(address - mapping->image_base);
	uint32_t body = images__body(recorder, process, mapping->file, mapping->image_base,
				     rva, mapping->path);

	if (body != MODEL_NONE) {
		set_body(resolved, body);
		return;
	}
	resolved->managed = true;
	set_unknown(recorder, resolved, LEAF_IMAGE_UNKNOWN);
}

/* One look at the bytes per address and process, while the process is there. */
static enum stub_kind stub_at(struct process *process, uint64_t address)
{
	uint64_t kind;

	if (map__get(process->stubs, 0, address, &kind))
		return (enum stub_kind)kind;
	kind = stub__read(process->pid, address);
	map__set(process->stubs, 0, address, kind);
	return (enum stub_kind)kind;
}

static void set_stub(struct recorder *recorder, struct resolved *resolved,
		     enum stub_kind kind)
{
	char name[64];

	resolved->stub = kind;
	snprintf(name, sizeof(name), "runtime stub: %s", stub__name(kind));
	resolved->frame = (struct model_frame){
		.kind = MODEL_FRAME_UNKNOWN, .body = MODEL_NONE,
		.name = model__string(recorder->model, name),
	};
}

/*
 * JIT memory without a row: a body that was sampled before its event (named
 * from the load that covers it), or a stub.  Most stubs have pages of their
 * own, some lie between the bodies of a code heap; where the bytes cannot be
 * read any more, an address in a page where code lives counts as a body missed.
 */
static void resolve_jit(struct recorder *recorder, struct process *process,
			uint64_t address, uint64_t time_ns, struct resolved *resolved)
{
	uint32_t body = model__find_body(recorder->model, process->index, address, time_ns);
	enum stub_kind kind;
	uint64_t ignored;

	if (body == MODEL_NONE)	/* sampled a moment before it was told of */
		body = model__find_body(recorder->model, process->index, address,
					time_ns + 1000000);
	if (body != MODEL_NONE) {
		recorder->body_late++;
		set_body(resolved, body);
		return;
	}
	kind = stub_at(process, address);
	if (kind != STUB_NONE && kind != STUB_UNREADABLE) {
		set_stub(recorder, resolved, kind);
		return;
	}
	resolved->managed = true;
	set_unknown(recorder, resolved,
		    map__get(process->pages, 0, address >> TS_PAGE_SHIFT, &ignored) ?
		    LEAF_JIT_UNKNOWN : LEAF_STUB);
}

static void resolve_address(struct recorder *recorder, struct process *process,
			    uint64_t address, uint64_t time_ns, struct resolved *resolved)
{
	const struct mapping *mapping = mappings__find(process, address, time_ns);

	if (!mapping) {
		set_unknown(recorder, resolved, LEAF_NO_MAPPING);
		return;
	}
	switch (mapping->kind) {
	case MAPPING_JIT:
		resolve_jit(recorder, process, address, time_ns, resolved);
		break;
	case MAPPING_FILE:
		if (mapping->file != NO_IMAGE)
			resolve_image(recorder, process, mapping, address, resolved);
		else
			set_native(recorder, resolved, mapping, address);
		break;
	case MAPPING_ANONYMOUS:
		/* With W^X switched off, JIT code is here. */
		resolve_jit(recorder, process, address, time_ns, resolved);
		if (resolved->cause == LEAF_STUB) {
			resolved->managed = false;
			set_unknown(recorder, resolved, LEAF_ANONYMOUS);
		}
		break;
	case MAPPING_SPECIAL:
		set_native(recorder, resolved, mapping, address);
		break;
	}
}

/* Where an image's word came from: its mapping at the time, by RVA 0. */
static const struct mapping *image_mapping(struct recorder *recorder,
					   struct process *process, uint32_t number,
					   uint32_t rva)
{
	for (uint32_t i = process->mappings.count; i > 0; i--) {
		const struct mapping *mapping = &process->mappings.items[i - 1];

		if (mapping->file == NO_IMAGE ||
		    recorder->files[mapping->file].number != number)
			continue;
		if (mapping->image_base + rva >= mapping->start &&
		    mapping->image_base + rva < mapping->end)
			return mapping;
	}
	return NULL;
}

static struct resolved resolve_frame(struct recorder *recorder, struct process *process,
				     uint64_t word, uint64_t time_ns)
{
	struct resolved resolved = { .cause = -1 };
	const struct mapping *mapping;
	uint64_t body;

	switch (TS_FRAME_TAG(word)) {
	case TS_FRAME_TAG_BODY:
		if (map__get(recorder->rows, TS_FRAME_LOW(word), TS_FRAME_HIGH(word), &body))
			set_body(&resolved, (uint32_t)body);
		else {
			resolved.managed = true;
			set_unknown(recorder, &resolved, LEAF_JIT_UNKNOWN);
		}
		break;
	case TS_FRAME_TAG_IMAGE:
		mapping = image_mapping(recorder, process, TS_FRAME_HIGH(word),
					TS_FRAME_LOW(word));
		if (mapping)
			resolve_image(recorder, process, mapping,
				      mapping->image_base + TS_FRAME_LOW(word), &resolved);
		else
			set_unknown(recorder, &resolved, LEAF_NO_MAPPING);
		break;
	default:
		resolve_address(recorder, process, word, time_ns, &resolved);
		break;
	}
	return resolved;
}

static void count_leaf(struct recorder *recorder, uint64_t word,
		       const struct resolved *leaf)
{
	if (leaf->cause >= 0)
		recorder->leaf_causes[leaf->cause]++;
	if (leaf->stub != STUB_NONE)
		recorder->stub_leaf[leaf->stub]++;
	if (!leaf->managed)
		return;
	recorder->managed++;
	if (leaf->frame.kind != MODEL_FRAME_BODY)
		return;
	recorder->managed_named++;
	if (TS_FRAME_TAG(word) == TS_FRAME_TAG_RAW &&
	    model__body(recorder->model, leaf->frame.body)->source == MODEL_SOURCE_IMAGE)
		recorder->table_late++;
}

static void add_sample(struct recorder *recorder, const struct ts_sample *sample)
{
	struct process *process = process__by_space(recorder, sample->header.space,
						    (pid_t)sample->header.pid);
	struct model *model = recorder->model;
	uint32_t frames[TS_FRAMES_MAX], stack = 0, thread;
	struct resolved leaf = { .cause = -1 };

	if (!process) {
		recorder->dropped++;
		return;
	}
	for (uint16_t i = 0; i < sample->frames_count; i++) {
		struct resolved resolved = resolve_frame(recorder, process->code,
							 sample->frames[i],
							 sample->header.time_ns);

		if (!i)
			leaf = resolved;
		frames[i] = model__add_frame(model, &resolved.frame);
	}
	if (sample->frames_count)
		count_leaf(recorder, sample->frames[0], &leaf);
	for (uint16_t i = sample->frames_count; i > 0; i--)
		stack = model__add_stack(model, stack, frames[i - 1]);
	thread = model__add_thread(model, process->index, (int32_t)sample->header.tid,
				   model__string_n(model, sample->comm,
						   strnlen(sample->comm,
							   sizeof(sample->comm))));
	model__add_sample(model, &(struct model_sample){
		.time_ns = sample->header.time_ns, .thread = thread, .stack = stack,
		.event = sample->event, .flags = sample->flags, .ip = sample->ip });
}

void resolve__samples(struct recorder *recorder)
{
	size_t at = 0;

	while (at < recorder->pending.size) {
		const struct ts_sample *sample = (const void *)(recorder->pending.data + at);

		add_sample(recorder, sample);
		at += sizeof(*sample) + 8u * sample->frames_count;
	}
	buf__clear(&recorder->pending);
}
