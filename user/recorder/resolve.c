// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// From a word of a sample to a frame of the model: see resolve.h.
#include "resolve.h"

#include "../base/clock.h"
#include "../base/log.h"

#include <stdio.h>
#include <string.h>

static const char *const leaf_names[LEAF_CAUSES] = {
	[LEAF_JIT_UNKNOWN] = "code that no event told of",
	[LEAF_JIT_UNREADABLE] = "JIT memory that could not be read in time",
	[LEAF_IMAGE_UNKNOWN] = "precompiled image, no method",
	[LEAF_ANONYMOUS] = "anonymous executable memory",
	[LEAF_NO_MAPPING] = "address without a mapping",
	[LEAF_IMAGE_UNREADABLE] = "precompiled image that could not be read",
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

/*
 * Who would be returned to is known to the runtime alone.  The callers beyond are
 * right: only that one word of the stack was changed.
 */
static void set_hijacked(struct recorder *recorder, struct resolved *resolved)
{
	resolved->hijacked = true;
	resolved->frame = (struct model_frame){
		.kind = MODEL_FRAME_UNKNOWN, .body = MODEL_NONE,
		.name = model__string(recorder->model, "hijacked return address"),
	};
}

/* The file's symbols, read when its first frame comes. */
static uint32_t symbols_of(struct recorder *recorder, const struct process *process,
			   struct mapping *mapping)
{
	if (!mapping->symbols_asked) {
		mapping->symbols_asked = true;
		mapping->symbols = symbols__file(recorder->symbols, &(struct symbol_mapping){
			.pid = process->pid, .start = mapping->start, .end = mapping->end,
			.device = mapping->device, .inode = mapping->inode,
			.path = model__text(recorder->model, mapping->path) });
	}
	return mapping->symbols;
}

/*
 * "libc.so.6!memmove" and where that function starts, so that all its samples
 * are one frame; else "libcoreclr.so" and the address.
 */
static void set_native(struct recorder *recorder, const struct process *process,
		       struct mapping *mapping, const struct place *place,
		       struct resolved *resolved)
{
	struct model *model = recorder->model;
	const char *path = model__text(model, mapping->path), *slash = strrchr(path, '/');
	uint64_t offset = place->address - mapping->start + mapping->file_offset;
	uint64_t known;
	uint32_t file = symbols_of(recorder, process, mapping);
	struct model_frame frame = { .kind = MODEL_FRAME_NATIVE, .body = MODEL_NONE };
	struct buf name = BUF_INIT;

	if (file != SYMBOLS_NONE && place->is_caller &&
	    symbols__is_hijack_stub(recorder->symbols, file, offset + 1)) {
		set_hijacked(recorder, resolved);
		return;
	}
	if (file != SYMBOLS_NONE && map__get(recorder->native_frames, file, offset, &known)) {
		resolved->frame = *model__frame(model, (uint32_t)known);
		return;
	}
	frame.address = offset;
	if (file != SYMBOLS_NONE)
		symbols__name(recorder->symbols, file, offset, &name, &frame.address);
	else
		buf__append_string(&name, slash ? slash + 1 : path);
	frame.name = model__string(model, buf__string(&name));
	buf__free(&name);
	if (file != SYMBOLS_NONE)
		map__set(recorder->native_frames, file, offset,
			 model__add_frame(model, &frame));
	resolved->frame = frame;
}

/* For whoever adds the next pattern to stubs.c: -vv shows what had none. */
static void debug_bytes(const struct process *process, uint64_t address,
			const uint8_t *code)
{
	char hex[2 * TS_CODE_BYTES + 1];

	if (log__level() < LOG_DEBUG)
		return;
	for (unsigned int i = 0; i < TS_CODE_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", code[i]);
	log__debug("process %d: no body and no stub we know at 0x%llx: %.*s | %s",
		   process->pid, (unsigned long long)address, 2 * TS_CODE_BEFORE, hex,
		   hex + 2 * TS_CODE_BEFORE);
}

/*
 * By the bytes that came with the sample, else by a look into the process, while it
 * is there; then by what an earlier look saw.
 */
static enum stub_kind stub_at(struct process *process, const struct place *place,
			      struct stub_lead *ret_lead)
{
	uint64_t known = STUB_UNREADABLE;
	enum stub_kind kind;

	if (!place->code) {
		*ret_lead = (struct stub_lead){ 0 };
		(void)map__get(process->stubs, 0, place->address, &known);
		if (known == STUB_NONE || !process->alive)
			return (enum stub_kind)known;
		kind = stub__read(process->pid, place->address, ret_lead);
		if (kind == STUB_UNREADABLE)
			return (enum stub_kind)known;
		map__set(process->stubs, 0, place->address, kind);
		return kind;
	}
	kind = stub__classify(place->code, TS_CODE_BYTES, TS_CODE_BEFORE, place->address,
			      ret_lead);
	if (kind == STUB_NONE)
		debug_bytes(process, place->address, place->code);
	return kind;
}

/* "call_counting", or "call_counting -> NS.Type.Method(int)". */
static void set_stub(struct recorder *recorder, struct process *process,
		     const struct place *place, enum stub_kind kind,
		     const struct stub_lead *lead, struct resolved *resolved)
{
	string_id target = stub_target__name(recorder, process, lead, place->time_ns);
	struct buf name = BUF_INIT;

	buf__append_string(&name, stub__name(kind));
	if (target)
		buf__printf(&name, " -> %s", model__text(recorder->model, target));
	resolved->stub = kind;
	resolved->frame = (struct model_frame){
		.kind = MODEL_FRAME_STUB, .body = MODEL_NONE,
		.name = model__string(recorder->model, buf__string(&name)),
	};
	buf__free(&name);
}

/* True: a stub's.  Else ret_kind says whether there was something to be read. */
static bool resolve_stub(struct recorder *recorder, struct process *process,
			 const struct place *place, struct resolved *resolved,
			 enum stub_kind *ret_kind)
{
	struct stub_lead lead;

	*ret_kind = stub_at(process, place, &lead);
	if (*ret_kind == STUB_NONE || *ret_kind == STUB_UNREADABLE)
		return false;
	set_stub(recorder, process, place, *ret_kind, &lead, resolved);
	return true;
}

/* A method of a precompiled image, or one of the image's own thunks. */
static void resolve_image(struct recorder *recorder, struct process *process,
			  const struct mapping *mapping, const struct place *place,
			  struct resolved *resolved)
{
	uint32_t rva = (uint32_t)(place->address - mapping->image_base);
	uint32_t body = images__body(recorder, process, mapping->file, mapping->image_base,
				     rva, mapping->path);
	enum stub_kind kind;

	if (body != MODEL_NONE) {
		set_body(resolved, body);
		return;
	}
	if (resolve_stub(recorder, process, place, resolved, &kind))
		return;
	resolved->managed = true;
	set_unknown(recorder, resolved, LEAF_IMAGE_UNKNOWN);
}

/*
 * A body that a catch-up found was there before, but since when is not known.  Where its
 * code cannot be freed, no other one has ever been at its address.
 */
static uint32_t find_older(const struct recorder *recorder, const struct process *process,
			   uint64_t address)
{
	uint32_t found = model__find_body(recorder->model, process->index, address,
					  UINT64_MAX);
	const struct model_body *body;

	if (found == MODEL_NONE)
		return MODEL_NONE;
	body = model__body(recorder->model, found);
	return body->source == MODEL_SOURCE_CATCH_UP &&
	       !(body->flags & (MODEL_BODY_DYNAMIC | MODEL_BODY_COLLECTIBLE)) ?
	       found : MODEL_NONE;
}

/* The body that was there, or else the first that was told of after that. */
static uint32_t find_late(const struct recorder *recorder, const struct process *process,
			  const struct place *place)
{
	uint32_t body = model__find_body(recorder->model, process->index, place->address,
					 place->time_ns);

	for (uint64_t late = BODY_LATE_NS / 1000; body == MODEL_NONE && late <= BODY_LATE_NS;
	     late *= 10)
		body = model__find_body(recorder->model, process->index, place->address,
					place->time_ns + late);
	return body;
}

/*
 * JIT memory without a row: a body that was sampled before its event (named
 * from the load that covers it), or a stub.  Most stubs have pages of their
 * own, some lie between the bodies of a code heap, so only bytes tell.
 */
static void resolve_jit(struct recorder *recorder, struct process *process,
			const struct place *place, struct resolved *resolved)
{
	uint32_t body = find_late(recorder, process, place);
	enum stub_kind kind;

	if (body == MODEL_NONE)
		body = find_older(recorder, process, place->address);
	if (body != MODEL_NONE) {
		recorder->body_late++;
		set_body(resolved, body);
		return;
	}
	if (resolve_stub(recorder, process, place, resolved, &kind))
		return;
	resolved->managed = true;
	set_unknown(recorder, resolved,
		    kind == STUB_NONE ? LEAF_JIT_UNKNOWN : LEAF_JIT_UNREADABLE);
}

static void resolve_address(struct recorder *recorder, struct process *process,
			    const struct place *place, struct resolved *resolved)
{
	uint64_t address = place->address;
	struct mapping *mapping = mappings__find(process, address, place->time_ns);

	if (!mapping) {
		set_unknown(recorder, resolved, LEAF_NO_MAPPING);
		return;
	}
	switch (mapping->kind) {
	case MAPPING_JIT:
		resolve_jit(recorder, process, place, resolved);
		break;
	case MAPPING_FILE:
		if (mapping->file != NO_IMAGE) {
			resolve_image(recorder, process, mapping, place, resolved);
		} else if (mapping->unreadable) {
			resolved->managed = true;
			set_unknown(recorder, resolved, LEAF_IMAGE_UNREADABLE);
		} else {
			set_native(recorder, process, mapping, place, resolved);
		}
		break;
	case MAPPING_ANONYMOUS:
		/* With W^X switched off, JIT code is here. */
		resolve_jit(recorder, process, place, resolved);
		if (resolved->cause >= 0) {
			resolved->managed = false;
			set_unknown(recorder, resolved, LEAF_ANONYMOUS);
		}
		break;
	case MAPPING_SPECIAL:
		set_native(recorder, process, mapping, place, resolved);
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

struct resolved resolve__frame(struct recorder *recorder, struct process *process,
			       const struct place *place)
{
	struct resolved resolved = { .cause = -1 };
	struct place in_image = *place;
	const struct mapping *mapping;
	uint64_t word = place->address;
	uint32_t body;

	switch (TS_FRAME_TAG(word)) {
	case TS_FRAME_TAG_BODY:
		body = bodies__of_row(recorder, process, TS_FRAME_LOW(word),
				      TS_FRAME_HIGH(word), place->time_ns);
		if (body != MODEL_NONE) {
			set_body(&resolved, body);
		} else {
			resolved.managed = true;
			set_unknown(recorder, &resolved, LEAF_JIT_UNKNOWN);
		}
		break;
	case TS_FRAME_TAG_IMAGE:
		mapping = image_mapping(recorder, process, TS_FRAME_HIGH(word),
					TS_FRAME_LOW(word));
		if (!mapping) {
			set_unknown(recorder, &resolved, LEAF_NO_MAPPING);
			break;
		}
		in_image.address = mapping->image_base + TS_FRAME_LOW(word);
		resolve_image(recorder, process, mapping, &in_image, &resolved);
		break;
	default:
		resolve_address(recorder, process, place, &resolved);
		break;
	}
	return resolved;
}
