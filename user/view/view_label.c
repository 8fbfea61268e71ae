// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Names of threads, and managed frames spelt as in a .NET perf map, for filters
 * that were written for one:
 *
 *   [Shop] NS.Ranking::Score(int)[OptimizedTier1]
 *
 * The runtime itself writes `int32 [Shop] NS.Ranking::Score(int32)[...]`.  A
 * recording keeps names for people only: the return type is gone, and types
 * have their short names.  Where the type's name ends is taken to be the last
 * dot, which is not so for a method that implements an interface explicitly.
 */
#include "view_internal.h"

#include "../base/text.h"

#include <stdlib.h>
#include <string.h>

void view__thread_label(const struct model *model, uint32_t thread, struct buf *buf)
{
	const struct model_thread *row = model__thread(model, thread);
	const char *name = model__text(model, row->name);

	buf__printf(buf, "%s-%d", *name ? name : "thread", (int)row->tid);
}

/* "/app/Shop.dll" as "[Shop] "; nothing for code without a module. */
static void append_module(const struct model *model, const struct model_body *body,
			  struct buf *buf)
{
	size_t size;
	const char *name = text__module_name(model__text(model, body->module), &size);

	if (size) {
		buf__append_char(buf, '[');
		buf__append(buf, name, size);
		buf__append_string(buf, "] ");
	}
}

/* The dot between a type and its method, outside of type arguments; NULL when
 * there is no type.  ".ctor" has a dot of its own. */
static const char *method_dot(const char *name)
{
	const char *dot = NULL;
	int depth = 0;

	for (const char *at = name; *at; at++) {
		if (*at == '<')
			depth++;
		else if (*at == '>')
			depth--;
		else if (!depth && (*at == '(' || *at == ' '))
			break;
		else if (!depth && *at == '.' && at != name && at[-1] != '.')
			dot = at;
	}
	return dot;
}

/* The words of the runtime's perf maps, which are not those of its events
 * (PrepareCodeConfig::GetJitOptimizationTierStr in src/coreclr/vm/prestub.cpp;
 * "PreJIT" in perfmap.cpp; v10). */
static const char *perf_map_tier(uint32_t tier)
{
	static const char *const words[TS_TIER_COUNT] = {
		[TS_TIER_UNKNOWN] = "Unknown",
		[TS_TIER_MIN_OPT] = "MinOptJitted",
		[TS_TIER_OPTIMIZED] = "Optimized",
		[TS_TIER_QUICK] = "QuickJitted",
		[TS_TIER_1] = "OptimizedTier1",
		[TS_TIER_1_OSR] = "OptimizedTier1OSR",
		[TS_TIER_QUICK_INSTRUMENTED] = "InstrumentedTier",
		[TS_TIER_1_INSTRUMENTED] = "InstrumentedTierOptimized",
		[TS_TIER_READY_TO_RUN] = "PreJIT",
	};

	return words[tier];
}

static void perf_map_label(const struct model *model, const struct model_body *body,
			   enum view_split split, struct buf *buf)
{
	const char *name = model__text(model, body->name), *dot = method_dot(name);

	append_module(model, body, buf);
	if (dot) {
		buf__append(buf, name, (size_t)(dot - name));
		buf__append_string(buf, "::");
		name = dot + 1;
	}
	buf__append_string(buf, name);
	if (split <= VIEW_SPLIT_TIER)
		buf__printf(buf, "[%s]", perf_map_tier(view__tier(body)));
	else if (split == VIEW_SPLIT_REJIT && body->flags & MODEL_BODY_REJIT_UNKNOWN)
		buf__append_string(buf, "[#?]");
	else if (split == VIEW_SPLIT_REJIT && body->rejit_id)
		buf__printf(buf, "[#%u]", body->rejit_id);
}

void view__label(const struct model *model, const struct view_options *options,
		 uint32_t frame, enum view_split split, struct buf *buf)
{
	const struct model_frame *row = model__frame(model, frame);

	if (options->names == VIEW_NAMES_PERFMAP && row &&
	    row->kind == MODEL_FRAME_BODY)
		perf_map_label(model, model__body(model, row->body), split, buf);
	else
		view__frame_label(model, frame, split, buf);
}
