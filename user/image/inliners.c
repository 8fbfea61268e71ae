// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * From a method to the bodies of the image that have it in themselves:
 *
 *   name of its assembly ──► module numbers ─┬─► inlinings ──► methods ──► bodies
 *   its token ───────────────────────────────┘
 *
 * The tables are read when the first such question comes: most recordings have none.
 */
#include "image.h"

#include "image_object.h"
#include "modules.h"

#include "../base/alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A method's bodies are neighbours: it has several if it is generic, or has a cold part. */
struct image_method {
	uint32_t module, token, body;
};

static int by_method(const void *left, const void *right)
{
	const struct image_method *a = left, *b = right;
	int order = inlinings__compare_methods(a->module, a->token, b->module, b->token);

	return order ? order : (a->body > b->body) - (a->body < b->body);
}

static void list_methods(struct image *image)
{
	const struct r2r_tables *tables = &image->tables;

	image->methods = alloc__zeroed((size_t)tables->bodies_count + 1,
				       sizeof(*image->methods));
	for (uint32_t i = 0; i < tables->bodies_count; i++)
		if (tables->bodies[i].token)
			image->methods[image->methods_count++] = (struct image_method){
				tables->bodies[i].module, tables->bodies[i].token, i};
	if (image->methods_count)
		qsort(image->methods, image->methods_count, sizeof(*image->methods),
		      by_method);
}

static int want_inlinings(struct image *image)
{
	struct pe pe = image->pe;

	if (image->inlinings_read)
		return image->inlinings_err;
	image->inlinings_read = true;
	if (image->file) /* a copy for names has nothing else */
		pe.data = image->file->data;
	image->inlinings_err = inlinings__read(&pe, &image->r2r, &image->inlinings);
	if (image->file)
		file_view__rest(image->file);
	if (image->inlinings.count)
		list_methods(image);
	return image->inlinings_err;
}

/* False: no more are wanted. */
static bool each_body(const struct image *image, const struct inlining *inlining,
		      image_inliner each, void *context)
{
	const struct image_method wanted = {inlining->inliner_module, inlining->inliner, 0};
	uint32_t low = 0, high = image->methods_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (by_method(&image->methods[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < image->methods_count && image->methods[low].module == wanted.module &&
	       image->methods[low].token == wanted.token; low++)
		if (!each(context, image->methods[low].body))
			return false;
	return true;
}

static bool is_of_method(const struct inlinings *inlinings, uint32_t index, uint32_t module,
			 uint32_t token)
{
	return index < inlinings->count && inlinings->items[index].module == module &&
	       inlinings->items[index].token == token;
}

/* Of one module; names are asked for last, as they are dear the first time. */
static int each_of_module(struct image *image, uint32_t module, const char *assembly,
			  uint32_t token, image_inliner each, void *context)
{
	const struct inlinings *inlinings = &image->inlinings;
	uint32_t i = inlinings__first(inlinings, module, token);
	int err;

	if (!is_of_method(inlinings, i, module, token))
		return 0;
	err = image__want_names(image);
	if (err || strcmp(modules__name(image, module), assembly))
		return err;
	for (; is_of_method(inlinings, i, module, token); i++)
		if (!each_body(image, &inlinings->items[i], each, context))
			break;
	return 0;
}

/* The modules of which something was inlined: mostly one. */
int image__each_inliner(struct image *image, const char *assembly, uint32_t token,
			image_inliner each, void *context)
{
	const struct inlinings *inlinings = &image->inlinings;
	int err = want_inlinings(image);

	for (uint32_t i = 0; !err && i < inlinings->count;) {
		uint32_t module = inlinings->items[i].module;

		err = each_of_module(image, module, assembly, token, each, context);
		i = inlinings__first(inlinings, module + 1, 0);
	}
	return err;
}

void image__drop_inlinings(struct image *image)
{
	inlinings__free(&image->inlinings);
	free(image->methods);
	image->methods = NULL;
	image->methods_count = 0;
}
