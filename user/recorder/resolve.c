// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// From the words of a sample to frames of the model.  The sampler has resolved
// what its tables knew; what it left raw is looked up here, in what was mapped
// at the time, and what stays unknown gets a cause, never a neighbour's name.
#include "internal.h"

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

/* A body may be sampled this long before its event: see body_late. */
#define LATE_NS 1000000

/* A frame as it was sampled: a raw address, or a word that the sampler resolved. */
struct place {
	uint64_t address, time_ns;
	const uint8_t *code;	/* the bytes around it, NULL if not sent */
	bool is_caller;		/* the byte before a return address */
};

struct resolved {
	struct model_frame frame;
	int cause;		/* enum leaf_cause, -1: it has a name */
	enum stub_kind stub;	/* STUB_NONE: none */
	bool managed;		/* in code of a method: JIT or precompiled */
	bool hijacked;		/* the caller was hidden by the runtime */
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

/* A method of a precompiled image, or one of the image's own thunks. */
static void resolve_image(struct recorder *recorder, struct process *process,
			  const struct mapping *mapping, const struct place *place,
			  struct resolved *resolved)
{
	uint32_t rva = (uint32_t)(place->address - mapping->image_base);
	uint32_t body = images__body(recorder, process, mapping->file, mapping->image_base,
				     rva, mapping->path);
	struct stub_lead lead;
	enum stub_kind kind;

	if (body != MODEL_NONE) {
		set_body(resolved, body);
		return;
	}
	kind = stub_at(process, place, &lead);
	if (kind != STUB_NONE && kind != STUB_UNREADABLE) {
		set_stub(recorder, process, place, kind, &lead, resolved);
		return;
	}
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

/*
 * JIT memory without a row: a body that was sampled before its event (named
 * from the load that covers it), or a stub.  Most stubs have pages of their
 * own, some lie between the bodies of a code heap, so only bytes tell.
 */
static void resolve_jit(struct recorder *recorder, struct process *process,
			const struct place *place, struct resolved *resolved)
{
	uint64_t address = place->address;
	uint32_t body = model__find_body(recorder->model, process->index, address,
					 place->time_ns);
	struct stub_lead lead;
	enum stub_kind kind;

	if (body == MODEL_NONE)	/* sampled a moment before it was told of */
		body = model__find_body(recorder->model, process->index, address,
					place->time_ns + LATE_NS);
	if (body == MODEL_NONE)
		body = find_older(recorder, process, address);
	if (body != MODEL_NONE) {
		recorder->body_late++;
		set_body(resolved, body);
		return;
	}
	kind = stub_at(process, place, &lead);
	if (kind != STUB_NONE && kind != STUB_UNREADABLE) {
		set_stub(recorder, process, place, kind, &lead, resolved);
		return;
	}
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

static struct resolved resolve_frame(struct recorder *recorder, struct process *process,
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
	function_ids__count_leaf(recorder, leaf->frame.body);
	if (TS_FRAME_TAG(word) == TS_FRAME_TAG_RAW &&
	    model__body(recorder->model, leaf->frame.body)->source == MODEL_SOURCE_IMAGE)
		recorder->table_late++;
}

static void note_run(const struct recorder *recorder, struct process *process,
		     const struct resolved *leaf, uint64_t time_ns)
{
	if (leaf->frame.kind == MODEL_FRAME_BODY)
		publication__ran(process, model__body(recorder->model, leaf->frame.body),
				 time_ns);
}

/* Has the method of a tier-0 body an OSR body too? */
static bool has_osr_body(const struct model *model, uint32_t index)
{
	const struct model_body *body = model__body(model, index), *other;

	if (body->tier != TS_TIER_QUICK && body->tier != TS_TIER_QUICK_INSTRUMENTED)
		return false;
	for (uint32_t i = 0; i < model__bodies(model); i++) {
		other = model__body(model, i);
		if (other->tier == TS_TIER_1_OSR && other->process == body->process &&
		    other->function_id == body->function_id)
			return true;
	}
	return false;
}

/*
 * The walk left a caller of which it did not know the shape by rbp.  Was that an
 * OSR body, then what was found is the false return address in its tier-0 body and
 * no caller (bpf/unwind.bpf.h).  The two cannot be told apart: such a stack ends.
 */
static bool may_be_false(const struct recorder *recorder, const struct resolved *resolved)
{
	return resolved->frame.kind == MODEL_FRAME_BODY &&
	       has_osr_body(recorder->model, resolved->frame.body);
}

/*
 * Frames of a sample, leaf first; how many.  A caller at an address where
 * nothing is mapped is no caller: the chain was broken below it, by native code
 * that uses rbp for something else, and the stack ends there.
 */
static uint16_t resolve_stack(struct recorder *recorder, struct process *process,
			      const struct ts_sample *sample, uint32_t *frames,
			      uint32_t *ret_flags)
{
	bool hidden = false;	/* the frame before this one was not to be seen */
	const uint8_t *code = kernel_sample__code(sample);
	uint64_t words[TS_FRAMES_MAX];
	uint16_t count = finish__frames(recorder, sample, words, ret_flags);

	for (uint16_t i = 0; i < count; i++) {
		struct place place = {
			.address = words[i], .time_ns = sample->header.time_ns,
			.code = i ? NULL : code, .is_caller = i,
		};
		struct resolved resolved = resolve_frame(recorder, process, &place);

		if (!i) {
			if (!(sample->flags & TS_SAMPLE_OFF_CPU))
				count_leaf(recorder, sample->frames[0], &resolved);
			note_run(recorder, process, &resolved, place.time_ns);
		} else if (resolved.cause == LEAF_NO_MAPPING) {
			recorder->broken_chains++;
			return i;
		} else if (hidden && may_be_false(recorder, &resolved)) {
			return i;
		}
		hidden = resolved.hijacked;
		if (hidden)
			*ret_flags |= TS_SAMPLE_HIJACKED;
		frames[i] = model__add_frame(recorder->model, &resolved.frame);
	}
	return count;
}

static void add_to_model(struct recorder *recorder, const struct ts_sample *sample,
			 uint32_t thread, uint32_t flags, const uint32_t *path,
			 uint32_t count)
{
	struct model *model = recorder->model;
	uint32_t stack = 0;

	for (uint32_t i = 0; i < count; i++)
		stack = model__add_stack(model, stack, path[i]);
	if (model__add_sample(model, &(struct model_sample){
		    .time_ns = sample->header.time_ns, .thread = thread, .stack = stack,
		    .event = sample->event, .flags = flags, .ip = sample->ip,
	    }) == MODEL_NONE)
		recorder->dropped++;
	else
		recorder->kept++;
}

static void add_sample(struct recorder *recorder, const struct ts_sample *sample)
{
	struct process *process = process__by_space(recorder, sample->header.space,
						    (pid_t)sample->header.pid);
	uint32_t frames[TS_FRAMES_MAX], path[PATH_MAX_FRAMES], count, thread, flags;
	bool off_cpu = sample->flags & TS_SAMPLE_OFF_CPU;

	if (!process) {
		*(off_cpu ? &recorder->off_cpu.dropped : &recorder->dropped) += 1;
		return;
	}
	count = resolve_stack(recorder, process->code, sample, frames, &flags);
	for (uint32_t i = 0; i < count; i++)
		path[i] = frames[count - 1 - i];
	count = kernel_frames__add(recorder, sample, path, count);
	thread = model__add_thread(recorder->model, process->index,
				   (int32_t)sample->header.tid,
				   model__string_n(recorder->model, sample->comm,
						   strnlen(sample->comm,
							   sizeof(sample->comm))));
	if (off_cpu)
		off_cpu__hold(recorder, sample, thread, flags, path, count);
	else
		add_to_model(recorder, sample, thread, flags, path, count);
	/* Not of a child between fork and exec, which writes to a copy. */
	if (kernel_sample__hit(sample) && process->code == process)
		publication__hit(recorder, process, kernel_sample__hit(sample),
				 sample->header.time_ns);
	recorder->hijacked += !!(flags & TS_SAMPLE_HIJACKED);
}

/* Its bodies are in a journal that is about to be read: see recorder__catch_up. */
static bool waits(const struct recorder *recorder, const struct ts_event *event,
		  uint64_t now)
{
	const struct process *process = process__by_space(recorder, event->space,
							  (pid_t)event->pid);

	return process && process->code->alive && now < process->code->hold_until_ns;
}

static void resolve_one(struct recorder *recorder, const struct ts_event *event)
{
	if (event->type == TS_EVENT_OFF_CPU_END)
		off_cpu__end(recorder, (const struct ts_off_cpu_end *)event);
	else if (event->type == TS_EVENT_THREAD_END)
		off_cpu__thread_end(recorder, (const struct ts_thread_end *)event);
	else
		add_sample(recorder, (const struct ts_sample *)event);
}

void resolve__samples(struct recorder *recorder, bool all)
{
	uint64_t now = clock__now();
	char *data = recorder->pending.data;
	size_t at = 0, kept = 0, size;

	for (; at < recorder->pending.size; at += size) {
		const struct ts_event *event = (const void *)(data + at);

		size = event->type == TS_EVENT_SAMPLE ?
		       kernel_sample__size((const struct ts_sample *)event) : event->size;
		if (all || !waits(recorder, event, now)) {
			resolve_one(recorder, event);
		} else {
			memmove(data + kept, data + at, size);
			kept += size;
		}
	}
	buf__cut(&recorder->pending, kept);
}
