// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * What a watchpoint saw, one change of what calls reach after the other:
 *
 *   +1.503200145 s  Shop.Ranking.Score(int): calls reach tier1 native 2
 *       by .NET TP Worker-4711
 *       libcoreclr.so!+0x4f2b10
 *       System.Threading.Thread.StartCallback() [r2r]
 */
#include "json_rows.h"
#include "view_internal.h"

#include "../base/text.h"
#include "../model/name.h"

static void append_stack(const struct model *model, const struct model_sample *sample,
			 struct buf *buf)
{
	struct buf label = BUF_INIT;

	buf__append_string(buf, "    by ");
	view__thread_label(model, sample->thread, &label);
	text__append_terminal(buf, buf__string(&label));
	buf__append_char(buf, '\n');
	for (uint32_t stack = sample->stack; stack; stack = model__stack(model, stack)->parent) {
		buf__cut(&label, 0);
		view__frame_label(model, model__stack(model, stack)->frame,
				  VIEW_SPLIT_VERSION, &label);
		buf__append_string(buf, "    ");
		text__append_terminal(buf, buf__string(&label));
		buf__append_char(buf, '\n');
	}
	buf__free(&label);
}

static void append_text(const struct model *model, const struct model_patch *patch,
			const struct model_sample *sample, uint64_t begin_ns,
			const char *name, struct buf *buf)
{
	uint64_t start_ns = model__about_const(model)->start_ns;

	buf__printf(buf, "%+.9f s  ",
		    view__seconds(start_ns, begin_ns ? begin_ns : patch->window_ns[1]));
	text__append_terminal(buf, name);
	buf__append_string(buf, ": ");
	view__append_reached(model, patch, buf);
	if (begin_ns)
		buf__append_string(buf, ", when the watch began");
	else if (!sample)
		buf__printf(buf, ", since %+.9f s at the earliest",
			    view__seconds(start_ns, patch->window_ns[0]));
	buf__append_char(buf, '\n');
	if (sample)
		append_stack(model, sample, buf);
}

static void write_thread(const struct model *model, const struct model_sample *sample,
			 struct json_writer *json)
{
	const struct model_thread *thread = model__thread(model, sample->thread);
	struct buf label = BUF_INIT;

	json_writer__signed(json, "tid", thread->tid);
	json_writer__string(json, "thread", model__text(model, thread->name));
	json_writer__array(json, "stack");
	for (uint32_t stack = sample->stack; stack; stack = model__stack(model, stack)->parent) {
		buf__cut(&label, 0);
		view__frame_label(model, model__stack(model, stack)->frame,
				  VIEW_SPLIT_VERSION, &label);
		json_writer__string(json, NULL, buf__string(&label));
	}
	json_writer__end(json);
	buf__free(&label);
}

static int append_json(const struct model *model, const struct model_patch *patch,
		       const struct model_sample *sample, uint64_t begin_ns,
		       const char *name, struct buf *buf)
{
	struct json_writer json;
	int err;

	json_writer__init(&json, buf);
	json_writer__object(&json, NULL);
	json_writer__number(&json, "time_ns", begin_ns ? begin_ns : patch->window_ns[1]);
	json_writer__string(&json, "kind", begin_ns ? "watch" : "patch");
	json_writer__signed(&json, "pid", model__process(model, patch->process)->pid);
	json_writer__string(&json, "name", name);
	json_writer__hex(&json, "function_id", patch->function_id);
	json_writer__string(&json, "cell_kind", name__cell(patch->kind));
	json_rows__patch(&json, patch);
	if (patch->body != MODEL_NONE) {
		json_rows__rejit(&json, model__body(model, patch->body));
		json_rows__code(&json, model__body(model, patch->body));
	}
	if (sample)
		write_thread(model, sample, &json);
	json_writer__end(&json);
	err = json_writer__finish(&json);
	buf__append_char(buf, '\n');
	return err;
}

int view_watch__append(const struct model *model, const struct model_patch *patch,
		       const struct model_sample *sample, uint64_t begin_ns,
		       const char *name, bool json, struct buf *buf)
{
	if (json)
		return append_json(model, patch, sample, begin_ns, name, buf);
	append_text(model, patch, sample, begin_ns, name, buf);
	return 0;
}
