// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * The method that a stub leads to:
 *
 *   dispatch, unboxing ──────────────→ code ─┬─ a body
 *   call counting ─→ [word] ─────────→ code  └─ a precode ─→ [word] ─→ FunctionID
 *   precode ─→ [word] ───────────────────────────────────────────────→ FunctionID
 *
 * Words are read when the sample is resolved, a quarter of a second later at most.  A precode
 * keeps its method for good where code cannot be freed, so others are not asked; a
 * call-counting stub that was given to another method meanwhile would be told as that one's.
 */
#include "internal.h"

#include "../target/memory.h"

static bool read_word(const struct process *process, uint64_t address, uint64_t *ret_word)
{
	return process->alive && memory__read(process->pid, address, ret_word,
					      sizeof(*ret_word)) == sizeof(*ret_word);
}

static string_id name_of_body(const struct recorder *recorder, uint32_t index)
{
	const struct model_body *body;

	if (index == MODEL_NONE)
		return 0;
	body = model__body(recorder->model, index);
	return body->flags & (MODEL_BODY_COLLECTIBLE | MODEL_BODY_DYNAMIC) ? 0 : body->name;
}

static string_id name_of_function(const struct recorder *recorder,
				  const struct process *process, uint64_t method_at)
{
	uint64_t function, body;

	if (!read_word(process, method_at, &function) ||
	    !map__get(process->functions, 0, function, &body))
		return 0;
	return name_of_body(recorder, (uint32_t)body);
}

string_id stub_target__name(const struct recorder *recorder, struct process *process,
			    const struct stub_lead *lead, uint64_t time_ns)
{
	uint64_t target = lead->target;
	struct stub_lead on;
	enum stub_kind kind;
	uint32_t body;

	if (lead->method_at)
		return name_of_function(recorder, process, lead->method_at);
	if (!target && (!lead->target_at || !read_word(process, lead->target_at, &target)))
		return 0;
	body = model__find_body(recorder->model, process->index, target, time_ns);
	if (body == MODEL_NONE)
		body = images__known_body(recorder, process, target, time_ns);
	if (body != MODEL_NONE || !process->alive)
		return name_of_body(recorder, body);
	kind = stub__read(process->pid, target, &on);
	return kind == STUB_PRECODE || kind == STUB_FIXUP_PRECODE ?
	       name_of_function(recorder, process, on.method_at) : 0;
}
