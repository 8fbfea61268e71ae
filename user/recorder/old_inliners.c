// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Precompiled callers that have the original of a method inlined that was given another IL
 * since.  Images say into which of their bodies the compiler has inlined it; of these the
 * ones count that the process is known to use: that were sampled, or of which the runtime
 * has told the hook when it looked them up.
 *
 *   method ─┐
 *   image  ─┴► bodies ─► in use, with a FunctionID ─► a row of the model, once
 *              └── else they are looked at again, as long as the process runs
 */
#include "internal.h"
#include "watched.h"

#include "../base/alloc.h"
#include "../base/text.h"
#include "../image/image.h"

#include <stdlib.h>
#include <string.h>

#define METHODS_MAX 65536u
#define OPEN_MAX    65536u	/* inliners not in use so far, of a process */
#define STEP_MAX    4096u	/* of these in one look */
#define LEAVE_NS    500000000ull	/* of our CPU time, when a process is gone or at the end */

/* A method that was given another IL. */
struct old_method {
	uint64_t function;
	uint32_t token;
	char *path, *assembly;		/* of its module; its simple name */
	uint32_t searched;		/* of the images */
};

/* A body of an image into which it was inlined. */
struct old_inliner {
	uint32_t method, mapping, body;
};

void old_inliners__init(struct old_inliners *inliners)
{
	inliners->known = map__new();
}

void old_inliners__free(struct old_inliners *inliners)
{
	for (uint32_t i = 0; i < inliners->methods_count; i++) {
		free(inliners->methods[i].path);
		free(inliners->methods[i].assembly);
	}
	map__free(inliners->known);
	free(inliners->methods);
	free(inliners->mappings);
	free(inliners->open);
	*inliners = (struct old_inliners){ 0 };
}

/*
 * A module of a file that another one was loaded from before has no precompiled code: the
 * runtime gives an image to its first module only (dotnet/runtime v8 to v10,
 * src/coreclr/vm/readytoruninfo.cpp, AcquireImage).
 */
static bool is_loaded_again(const struct process *process, const struct model_body *body)
{
	for (uint32_t i = 0; body->copy && i < process->modules.count; i++)
		if (process->modules.items[i].path == body->module &&
		    process->modules.items[i].copy < body->copy)
			return true;
	return false;
}

void old_inliners__note(struct recorder *recorder, struct process *process,
			const struct model_body *body)
{
	struct old_inliners *inliners = &process->inliners;
	const char *path = model__text(recorder->model, body->module), *name;
	uint64_t known;
	size_t size;

	/* The module may be told later than the body. */
	if (!inliners->known || !body->token || !*path ||
	    !map__add(inliners->known, 0, body->function_id, 0, &known) ||
	    is_loaded_again(process, body))
		return;
	if (inliners->methods_count == METHODS_MAX) {
		recorder->versions_dropped++;
		return;
	}
	alloc__grow(inliners->methods, inliners->methods_count, inliners->methods_capacity);
	name = text__module_name(path, &size);	/* the assembly's, mostly: LIMITS.md */
	inliners->methods[inliners->methods_count++] = (struct old_method){
		.function = body->function_id, .token = body->token,
		.path = alloc__string(path), .assembly = alloc__string_n(name, size) };
}

/* Mappings of images, each image once. */
static void list_images(struct process *process)
{
	struct old_inliners *inliners = &process->inliners;

	for (; inliners->mappings_seen < process->mappings.count; inliners->mappings_seen++) {
		const struct mapping *mapping =
			&process->mappings.items[inliners->mappings_seen];
		uint64_t known;

		if (mapping->file == NO_IMAGE ||
		    !map__add(inliners->known, mapping->image_base, mapping->file + 1ull, 0,
			      &known))
			continue;
		alloc__grow(inliners->mappings, inliners->images, inliners->images_capacity);
		inliners->mappings[inliners->images++] = inliners->mappings_seen;
	}
}

static const struct mapping *image_at(const struct process *process, uint32_t number)
{
	return &process->mappings.items[process->inliners.mappings[number]];
}

static bool is_image_of(const struct recorder *recorder, const struct process *process,
			const char *path)
{
	for (uint32_t i = 0; i < process->inliners.images; i++)
		if (!strcmp(model__text(recorder->model, image_at(process, i)->path), path))
			return true;
	return false;
}

static bool is_module(const struct recorder *recorder, const struct process *process,
		      const char *path)
{
	for (uint32_t i = 0; i < process->modules.count; i++)
		if (!strcmp(model__text(recorder->model, process->modules.items[i].path), path))
			return true;
	return false;
}

/*
 * Two files can hold assemblies of one name.  The image is another one's if a module was
 * loaded from there, or the method's module has one of its own.  In a single-file
 * application, or by way of a link, neither is so.
 */
static bool is_namesake(struct recorder *recorder, const struct process *process,
			const struct old_method *method, const struct mapping *mapping)
{
	struct image *image = recorder->files[mapping->file].image;
	const char *path = model__text(recorder->model, mapping->path);

	/* Beside a composite image the module has a file of its own. */
	if (strcmp(image__assembly(image), method->assembly))
		path = model__text(recorder->model,
				   images__beside(recorder, path, method->assembly));
	return strcmp(path, method->path) && (is_module(recorder, process, path) ||
					      is_image_of(recorder, process, method->path));
}

struct search {
	struct recorder *recorder;
	struct old_inliners *inliners;
	uint32_t method, mapping;
};

static bool add_open(void *context, uint32_t body)
{
	const struct search *search = context;
	struct old_inliners *inliners = search->inliners;

	if (inliners->open_count == OPEN_MAX) {
		search->recorder->versions_dropped++;
		return false;
	}
	alloc__grow(inliners->open, inliners->open_count, inliners->open_capacity);
	inliners->open[inliners->open_count++] =
		(struct old_inliner){ search->method, search->mapping, body };
	return true;
}

static void search_images(struct recorder *recorder, struct process *process,
			  bool (*is_over)(void *context), void *context)
{
	struct old_inliners *inliners = &process->inliners;

	for (uint32_t i = 0; i < inliners->methods_count; i++) {
		struct old_method *method = &inliners->methods[i];

		for (; method->searched < inliners->images; method->searched++) {
			const struct mapping *mapping = image_at(process, method->searched);
			struct search search = { recorder, inliners, i,
						 inliners->mappings[method->searched] };
			uint32_t before = inliners->open_count;

			if (is_over(context))
				return;
			/* Of a damaged image nothing is told. */
			(void)image__each_inliner(recorder->files[mapping->file].image,
						  method->assembly, method->token, add_open,
						  &search);
			/* Last: for most images no name need be known. */
			if (inliners->open_count > before &&
			    is_namesake(recorder, process, method, mapping))
				inliners->open_count = before;
		}
	}
}

/* False: not in use, as far as is known. */
static bool tell_one(struct recorder *recorder, struct process *process,
		     const struct old_inliner *inliner, uint64_t now)
{
	const struct mapping *mapping = &process->mappings.items[inliner->mapping];
	const struct old_method *method = &process->inliners.methods[inliner->method];
	struct model_inlining row = { .process = process->index, .seen_ns = now,
				      .function_id = method->function };
	const struct image_body *bodies;
	uint32_t body;

	image__bodies(recorder->files[mapping->file].image, &bodies);
	body = images__known(process, mapping, inliner->body);
	if (!map__get(process->ids.told, 0, mapping->image_base + bodies[inliner->body].begin,
		      &row.inliner_id) || !row.inliner_id) {
		if (body == MODEL_NONE ||
		    model__body(recorder->model, body)->flags & MODEL_BODY_FUNCTION_UNKNOWN)
			return false;
		row.inliner_id = model__body(recorder->model, body)->function_id;
	}
	/* In use, and not sampled: its FunctionID follows. */
	if (body == MODEL_NONE)
		(void)images__body(recorder, process, mapping->file, mapping->image_base,
				   bodies[inliner->body].begin, mapping->path);
	versions__tell_inlining(recorder, process, &row);
	return true;
}

/* What is known of precompiled code: as long as that is the same, so are the answers. */
static uint64_t count_known(const struct process *process)
{
	return map__count(process->ids.told) + map__count(process->functions) +
	       map__count(process->image_bodies);
}

/* Of those that are not known to be in use, `most`; all again when more is known. */
static void look_at_open(struct recorder *recorder, struct process *process, uint64_t now,
			 uint32_t most)
{
	struct old_inliners *inliners = &process->inliners;

	for (; inliners->to_look_at && most; inliners->to_look_at--, most--) {
		if (inliners->next >= inliners->open_count)
			inliners->next = 0;
		if (tell_one(recorder, process, &inliners->open[inliners->next], now))
			inliners->open[inliners->next] =
				inliners->open[--inliners->open_count];
		else
			inliners->next++;
	}
}

void old_inliners__step(struct recorder *recorder, struct process *process, uint64_t now,
			bool (*is_over)(void *context), void *context)
{
	struct old_inliners *inliners = &process->inliners;
	uint32_t before = inliners->open_count;
	uint64_t known;

	if (!inliners->methods_count)
		return;
	list_images(process);
	search_images(recorder, process, is_over, context);
	function_ids__read(process);
	known = count_known(process);
	if (known != inliners->known_before || before != inliners->open_count)
		inliners->to_look_at = inliners->open_count;
	inliners->known_before = known;
	look_at_open(recorder, process, now, STEP_MAX);
}

static bool is_late(void *context)
{
	return watched__cpu_time() > *(uint64_t *)context;
}

void old_inliners__leave(struct recorder *recorder, struct process *process)
{
	struct old_inliners *inliners = &process->inliners;
	uint64_t until = watched__cpu_time() + LEAVE_NS;

	old_inliners__step(recorder, process, clock__now(), is_late, &until);
	/* They are searched in their order. */
	if (inliners->methods_count &&
	    inliners->methods[inliners->methods_count - 1].searched < inliners->images)
		recorder->versions_dropped++;
	inliners->to_look_at = inliners->open_count;
	look_at_open(recorder, process, clock__now(), OPEN_MAX);
	old_inliners__free(inliners);
}
