// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// One sort puts the bodies in the order of the tree; its levels are runs of equals.
#include "versions.h"

#include "view_internal.h"

#include "../base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define COMPARE(left, right) \
	do { \
		if ((left) != (right)) \
			return (left) < (right) ? -1 : 1; \
	} while (0)

static bool is_method_of_a_module(const struct model_body *body)
{
	return body->token && !(body->flags & MODEL_BODY_DYNAMIC);
}

/*
 * Module ids tell modules apart that were made at run time.  Others have a file, or a
 * file's name in a single-file application, and precompiled bodies, which have no id.
 */
static uint64_t id_of_module(const struct model *model, const struct model_body *body)
{
	const char *module = model__text(model, body->module);
	size_t size = strlen(module);

	return size > 4 && !strcmp(module + size - 4, ".dll") ? 0 : body->module_id;
}

static int compare_methods(const struct model *model, const struct model_body *a,
			   const struct model_body *b)
{
	COMPARE(a->process, b->process);
	COMPARE(is_method_of_a_module(a), is_method_of_a_module(b));
	if (!is_method_of_a_module(a)) {
		COMPARE(a->function_id, b->function_id);
		/* The next one at the same place is another method. */
		COMPARE(a->name, b->name);
		return 0;
	}
	COMPARE(a->module, b->module);
	COMPARE(id_of_module(model, a), id_of_module(model, b));
	COMPARE(a->token, b->token);
	return 0;
}

static int compare_il(const struct model_body *a, const struct model_body *b)
{
	COMPARE(a->flags & MODEL_BODY_REJIT_UNKNOWN, b->flags & MODEL_BODY_REJIT_UNKNOWN);
	COMPARE(a->rejit_id, b->rejit_id);
	return 0;
}

static int compare_functions(const struct model_body *a, const struct model_body *b)
{
	COMPARE(a->flags & MODEL_BODY_FUNCTION_UNKNOWN, b->flags & MODEL_BODY_FUNCTION_UNKNOWN);
	COMPARE(a->function_id, b->function_id);
	if (a->flags & MODEL_BODY_FUNCTION_UNKNOWN)
		COMPARE(a->name, b->name);
	return 0;
}

static int compare(const void *left, const void *right, void *context)
{
	const struct model *model = context;
	uint32_t first = *(const uint32_t *)left, second = *(const uint32_t *)right;
	const struct model_body *a = model__body(model, first);
	const struct model_body *b = model__body(model, second);
	int order = compare_methods(model, a, b);

	if (!order)
		order = compare_il(a, b);
	if (!order)
		order = compare_functions(a, b);
	if (order)
		return order;
	/* Precompiled code comes before all that is compiled. */
	COMPARE(a->source != MODEL_SOURCE_IMAGE, b->source != MODEL_SOURCE_IMAGE);
	COMPARE(a->native_version, b->native_version);
	COMPARE(a->born_ns, b->born_ns);
	COMPARE(first, second);
	return 0;
}

static int by_samples(const void *left, const void *right)
{
	const struct versions_method *a = left, *b = right;

	COMPARE(b->samples, a->samples);
	COMPARE(a->first, b->first);
	return 0;
}

static bool has_part(const struct model *model, uint32_t body, const char *part)
{
	return !part || strcasestr(model__text(model, model__body(model, body)->name), part);
}

/* One after the other in the order; `part` in the name of one of the bodies is enough. */
static void find_methods(struct versions *versions, const char *part,
			 const struct view_options *options)
{
	const struct model *model = versions->model;
	struct versions_method method = { 0 };
	bool wanted = false;

	for (uint32_t i = 0; i < versions->bodies_count; i++) {
		uint32_t body = versions->bodies[i];

		wanted |= has_part(model, body, part);
		method.count++;
		method.samples += versions->self[(size_t)body * MODEL_EVENTS_MAX +
						 options->event];
		if (i + 1 < versions->bodies_count &&
		    !compare_methods(model, model__body(model, body),
				     model__body(model, versions->bodies[i + 1])))
			continue;
		if (wanted) {
			alloc__grow(versions->methods, versions->methods_count,
				    versions->methods_capacity);
			versions->methods[versions->methods_count++] = method;
		}
		method = (struct versions_method){ .first = i + 1 };
		wanted = false;
	}
	if (versions->methods_count)
		qsort(versions->methods, versions->methods_count,
		      sizeof(*versions->methods), by_samples);
}

static void find_patches(struct versions *versions)
{
	versions->patches = map__new();
	for (uint32_t i = 0; i < model__patches(versions->model); i++) {
		const struct model_patch *patch = model__patch(versions->model, i);

		map__set(versions->patches, patch->process, patch->function_id, i);
	}
	versions->reached = map__new();
	for (uint32_t i = 0; i < model__patches(versions->model); i++) {
		const struct model_patch *patch = model__patch(versions->model, i);
		uint64_t last;

		if (patch->body != MODEL_NONE &&
		    map__get(versions->patches, patch->process, patch->function_id, &last) &&
		    last == i)
			map__set(versions->reached, 0, patch->body, i);
	}
}

static int compare_ils(const struct model_il_version *a, const struct model_il_version *b)
{
	COMPARE(a->process, b->process);
	COMPARE(a->function_id, b->function_id);
	COMPARE(a->rejit_id, b->rejit_id);
	return 0;
}

static int by_il(const void *left, const void *right, void *context)
{
	const struct model *model = context;
	uint32_t first = *(const uint32_t *)left, second = *(const uint32_t *)right;
	int order = compare_ils(model__il_version(model, first),
				model__il_version(model, second));

	if (order)
		return order;
	COMPARE(first, second);
	return 0;
}

static void find_ils(struct versions *versions)
{
	const struct model *model = versions->model;
	uint32_t count = model__il_versions(model), kept = 0;
	uint32_t *ils = alloc__zeroed(count + 1, sizeof(*ils));

	for (uint32_t i = 0; i < count; i++)
		ils[i] = i;
	qsort_r(ils, count, sizeof(*ils), by_il, (void *)model);
	/* The last of equals is the newest. */
	for (uint32_t i = 0; i < count; i++)
		if (i + 1 == count || compare_ils(model__il_version(model, ils[i]),
						  model__il_version(model, ils[i + 1])))
			ils[kept++] = ils[i];
	versions->ils = ils;
	versions->ils_count = kept;
}

static void find_functions(struct versions *versions)
{
	versions->functions = map__new();
	for (uint32_t i = 0; i < model__bodies(versions->model); i++) {
		const struct model_body *body = model__body(versions->model, i);

		if (!(body->flags & MODEL_BODY_FUNCTION_UNKNOWN))
			map__set(versions->functions, body->process, body->function_id, i);
	}
}

void versions__build(const struct model *model, const char *part,
		     const struct view_options *options, struct versions *ret_versions)
{
	uint32_t count = model__bodies(model);

	*ret_versions = (struct versions){ .model = model };
	model__tally(model, &ret_versions->self, &ret_versions->total);
	ret_versions->bodies = alloc__zeroed(count + 1, sizeof(*ret_versions->bodies));
	for (uint32_t i = 0; i < count; i++)
		ret_versions->bodies[i] = i;
	ret_versions->bodies_count = count;
	qsort_r(ret_versions->bodies, count, sizeof(*ret_versions->bodies), compare,
		(void *)model);
	find_patches(ret_versions);
	ret_versions->actives = view__actives(model);
	find_ils(ret_versions);
	find_functions(ret_versions);
	find_methods(ret_versions, part, options);
}

void versions__free(struct versions *versions)
{
	free(versions->bodies);
	free(versions->methods);
	free(versions->self);
	free(versions->total);
	map__free(versions->patches);
	map__free(versions->reached);
	map__free(versions->actives);
	map__free(versions->functions);
	free(versions->ils);
}

static const struct model_body *body_at(const struct versions *versions, uint32_t place)
{
	return model__body(versions->model, versions->bodies[place]);
}

bool versions__same_il(const struct versions *versions, uint32_t left, uint32_t right)
{
	return !compare_il(body_at(versions, left), body_at(versions, right));
}

bool versions__same_function(const struct versions *versions, uint32_t left,
			     uint32_t right)
{
	return !compare_functions(body_at(versions, left), body_at(versions, right));
}

const struct model_patch *versions__entry(const struct versions *versions, uint32_t body)
{
	const struct model_body *row = model__body(versions->model, body);
	uint64_t patch;

	if (row->flags & MODEL_BODY_FUNCTION_UNKNOWN ||
	    !map__get(versions->patches, row->process, row->function_id, &patch))
		return NULL;
	return model__patch(versions->model, (uint32_t)patch);
}

const struct model_patch *versions__reached(const struct versions *versions, uint32_t body)
{
	uint64_t patch;

	if (!map__get(versions->reached, 0, body, &patch))
		return NULL;
	return model__patch(versions->model, (uint32_t)patch);
}

const struct model_active *versions__active(const struct versions *versions, uint32_t body)
{
	return view__active(versions->model, versions->actives,
			    model__body(versions->model, body));
}

bool versions__is_active(const struct versions *versions, uint32_t body)
{
	const struct model_active *active = versions__active(versions, body);

	return active && active->body == body;
}

/* --- the IL versions of a method ------------------------------------------------------- */

struct il_list {
	struct versions_il *items;
	uint32_t count, capacity;
};

static struct versions_il *il_of(struct il_list *list, uint32_t rejit_id)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (!list->items[i].rejit_unknown && list->items[i].rejit_id == rejit_id)
			return &list->items[i];
	alloc__grow(list->items, list->count, list->capacity);
	list->items[list->count] = (struct versions_il){ .rejit_id = rejit_id };
	return &list->items[list->count++];
}

static void add_bodies(const struct versions *versions,
		       const struct versions_method *method, struct il_list *list)
{
	for (uint32_t i = 0; i < method->count; i++) {
		uint32_t place = method->first + i;
		const struct model_body *body = body_at(versions, place);

		if (i && versions__same_il(versions, place - 1, place)) {
			list->items[list->count - 1].count++;
			continue;
		}
		alloc__grow(list->items, list->count, list->capacity);
		list->items[list->count++] = (struct versions_il){
			.first = place, .count = 1, .rejit_id = body->rejit_id,
			.rejit_unknown = body->flags & MODEL_BODY_REJIT_UNKNOWN };
	}
}

/* The first of versions.ils that is of the function, or later. */
static uint32_t find_il(const struct versions *versions, const struct model_body *body)
{
	struct model_il_version wanted = { .process = body->process,
					   .function_id = body->function_id };
	uint32_t low = 0, high = versions->ils_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (compare_ils(model__il_version(versions->model, versions->ils[middle]),
				&wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void add_told(const struct versions *versions, const struct model_body *body,
		     struct il_list *list)
{
	for (uint32_t i = find_il(versions, body); i < versions->ils_count; i++) {
		const struct model_il_version *told =
			model__il_version(versions->model, versions->ils[i]);

		if (told->process != body->process ||
		    told->function_id != body->function_id)
			break;
		if (told->rejit_id)
			il_of(list, told->rejit_id)->state = told->state;
	}
}

static int by_rejit(const void *left, const void *right)
{
	const struct versions_il *a = left, *b = right;

	COMPARE(a->rejit_unknown, b->rejit_unknown);
	COMPARE(a->rejit_id, b->rejit_id);
	return 0;
}

uint32_t versions__ils(const struct versions *versions, const struct versions_method *method,
		       struct versions_il **ret_ils)
{
	const struct model_active *newest = NULL;
	struct il_list list = { 0 };

	add_bodies(versions, method, &list);
	for (uint32_t i = 0; i < method->count; i++) {
		uint32_t body = versions->bodies[method->first + i];
		const struct model_active *active = versions__active(versions, body);

		if (i && versions__same_function(versions, method->first + i - 1,
						 method->first + i))
			continue;
		if (active)
			add_told(versions, model__body(versions->model, body), &list);
		/* One IL version is active in all functions; they were asked one by one. */
		if (active && (!newest || newest->seen_ns <= active->seen_ns))
			newest = active;
	}
	for (uint32_t i = 0; i < list.count; i++) {
		list.items[i].is_active_known = newest;
		list.items[i].is_active = newest && !list.items[i].rejit_unknown &&
					  list.items[i].rejit_id == newest->rejit_id;
	}
	if (list.count)
		qsort(list.items, list.count, sizeof(*list.items), by_rejit);
	*ret_ils = list.items;
	return list.count;
}

/* --- who may run the original IL still -------------------------------------------------- */

struct body_list {
	uint32_t *items;
	uint32_t count, capacity;
	struct map *known;
};

static void add_inliners_of(const struct versions *versions, const struct model_body *inlined,
			    struct body_list *list)
{
	const struct model *model = versions->model;

	for (uint32_t i = 0; i < model__inlinings(model); i++) {
		const struct model_inlining *inlining = model__inlining(model, i);
		uint64_t body, known;

		/* Each instantiation of the method tells the same. */
		if (inlining->process != inlined->process ||
		    inlining->function_id != inlined->function_id ||
		    !map__get(versions->functions, inlining->process, inlining->inliner_id,
			      &body) ||
		    !map__add(list->known, 0, body, 0, &known))
			continue;
		alloc__grow(list->items, list->count, list->capacity);
		list->items[list->count++] = (uint32_t)body;
	}
}

uint32_t versions__old_inliners(const struct versions *versions,
				const struct versions_method *method, uint32_t **ret_bodies)
{
	struct body_list list = { .known = map__new() };

	for (uint32_t i = 0; i < method->count && model__inlinings(versions->model); i++) {
		uint32_t body = versions->bodies[method->first + i];
		const struct model_active *active = versions__active(versions, body);

		if ((i && versions__same_function(versions, method->first + i - 1,
						  method->first + i)) ||
		    !active || !active->rejit_id)
			continue;
		add_inliners_of(versions, model__body(versions->model, body), &list);
	}
	map__free(list.known);
	*ret_bodies = list.items;
	return list.count;
}
