// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The one place that knows which fields a row has: see rows.h.
#include "rows.h"

/* `complete` is not a field: a recording is complete if it has its end chunk. */
void rows__about(struct coder *coder, struct model_about *about)
{
	coder__u64(coder, &about->start_ns);
	coder__u64(coder, &about->end_ns);
	coder__i64(coder, &about->start_unix_ns);
	coder__u32(coder, &about->cpus);
	coder__string(coder, &about->kernel);
	coder__string(coder, &about->machine);
	coder__string(coder, &about->version);
	coder__string(coder, &about->command);
}

void rows__process(struct coder *coder, struct model_process *process)
{
	coder__i32(coder, &process->pid);
	coder__u32(coder, &process->flags);
	coder__below_or_none(coder, &process->parent, model__processes(coder->model));
	coder__u64(coder, &process->start_ns);
	coder__u64(coder, &process->end_ns);
	coder__string(coder, &process->comm);
	coder__string(coder, &process->executable);
	coder__string(coder, &process->cmdline);
	coder__string(coder, &process->container);
	coder__string(coder, &process->runtime);
	coder__string(coder, &process->hook_version);
	coder__string(coder, &process->trouble);
}

void rows__event(struct coder *coder, struct model_event *event)
{
	coder__string(coder, &event->name);
	coder__u64(coder, &event->period);
}

void rows__body(struct coder *coder, struct model_body *body)
{
	coder__below(coder, &body->process, model__processes(coder->model));
	coder__u32(coder, &body->flags);
	coder__u64(coder, &body->function_id);
	coder__u64(coder, &body->module_id);
	coder__u64(coder, &body->start);
	coder__u32(coder, &body->size);
	coder__u32(coder, &body->token);
	coder__u32(coder, &body->rejit_id);
	coder__u32(coder, &body->native_version);
	coder__below(coder, &body->tier, TS_TIER_COUNT);
	coder__below(coder, &body->source, MODEL_SOURCE_IMAGE + 1);
	coder__below_or_none(coder, &body->osr_il_offset, TS_NO_IL_OFFSET);
	coder__string(coder, &body->module);
	coder__string(coder, &body->name);
	coder__u64(coder, &body->born_ns);
	coder__u64(coder, &body->died_ns);
	coder__u64(coder, &body->published_ns[0]);
	coder__u64(coder, &body->published_ns[1]);
	coder__u64(coder, &body->superseded_ns);
}

void rows__part(struct coder *coder, struct model_about *about)
{
	coder__u32(coder, &about->part);
	coder__u64(coder, &about->whole_start_ns);
}

void rows__thread(struct coder *coder, struct model_thread *thread)
{
	coder__below(coder, &thread->process, model__processes(coder->model));
	coder__i32(coder, &thread->tid);
	coder__string(coder, &thread->name);
}

void rows__frame(struct coder *coder, struct model_frame *frame)
{
	coder__below(coder, &frame->kind, MODEL_FRAME_KINDS);
	coder__below_or_none(coder, &frame->body, model__bodies(coder->model));
	coder__string(coder, &frame->name);
	coder__u64(coder, &frame->address);
}

static uint32_t stacks(const struct coder *coder)
{
	return coder->stacks ? coder->stacks->count : model__stacks(coder->model);
}

void rows__stack(struct coder *coder, struct model_stack *stack)
{
	coder__below(coder, &stack->parent, stacks(coder));
	coder__below(coder, &stack->frame, model__frames(coder->model));
}

void rows__sample(struct coder *coder, struct model_sample *sample)
{
	coder__near(coder, &sample->time_ns, &coder->last_time_ns);
	coder__near(coder, &sample->ip, &coder->last_ip);
	coder__below(coder, &sample->thread, model__threads(coder->model));
	coder__below(coder, &sample->stack, stacks(coder));
	coder__below(coder, &sample->event, model__events(coder->model));
	coder__u32(coder, &sample->flags);
}

void rows__weighed(struct coder *coder, struct model_sample *sample)
{
	rows__sample(coder, sample);
	coder__u64(coder, &sample->weight);
}

void rows__times(struct coder *coder, uint32_t *thread, struct model_times *times)
{
	coder__below(coder, thread, model__threads(coder->model));
	coder__u64(coder, &times->since_ns);
	for (unsigned int i = 0; i < TS_STATES; i++)
		coder__u64(coder, &times->ns[i]);
	coder__u64(coder, &times->switches);
}

void rows__patch(struct coder *coder, struct model_patch *patch)
{
	coder__below(coder, &patch->process, model__processes(coder->model));
	coder__below(coder, &patch->kind, TS_CELL_COUNT);
	coder__u64(coder, &patch->function_id);
	coder__u64(coder, &patch->cell);
	coder__u64(coder, &patch->words[0]);
	coder__u64(coder, &patch->words[1]);
	coder__below(coder, &patch->target, TS_TARGET_COUNT);
	coder__below_or_none(coder, &patch->body, model__bodies(coder->model));
	coder__near(coder, &patch->window_ns[0], &coder->last_time_ns);
	coder__near(coder, &patch->window_ns[1], &coder->last_time_ns);
}

void rows__il_version(struct coder *coder, struct model_il_version *version)
{
	coder__below(coder, &version->process, model__processes(coder->model));
	coder__u32(coder, &version->rejit_id);
	coder__u64(coder, &version->function_id);
	coder__below(coder, &version->state, TS_IL_COUNT);
	coder__near(coder, &version->seen_ns, &coder->last_time_ns);
}

void rows__active(struct coder *coder, struct model_active *active)
{
	coder__below(coder, &active->process, model__processes(coder->model));
	coder__u32(coder, &active->rejit_id);
	coder__u64(coder, &active->function_id);
	coder__u32(coder, &active->native_version);
	coder__below(coder, &active->code, MODEL_ACTIVE_COUNT);
	coder__below_or_none(coder, &active->body, model__bodies(coder->model));
	coder__near(coder, &active->seen_ns, &coder->last_time_ns);
}

void rows__inlining(struct coder *coder, struct model_inlining *inlining)
{
	coder__below(coder, &inlining->process, model__processes(coder->model));
	coder__u64(coder, &inlining->function_id);
	coder__u64(coder, &inlining->inliner_id);
	coder__near(coder, &inlining->seen_ns, &coder->last_time_ns);
}

void rows__tiering(struct coder *coder, struct model_tiering *tiering)
{
	coder__below(coder, &tiering->process, model__processes(coder->model));
	coder__below(coder, &tiering->kind, TS_TIERING_COUNT);
	coder__near(coder, &tiering->time_ns, &coder->last_time_ns);
	coder__u32(coder, &tiering->pending);
	coder__u32(coder, &tiering->new_methods);
	coder__u32(coder, &tiering->compiled);
}

void rows__update(struct coder *coder, struct model_update *update)
{
	coder__below(coder, &update->kind, MODEL_UPDATE_BODY + 1);
	coder__below(coder, &update->index,
		     update->kind == MODEL_UPDATE_BODY
			     ? model__bodies(coder->model)
			     : model__processes(coder->model));
}

void rows__count(struct coder *coder, struct model_count *count)
{
	coder__below(coder, &count->section, MODEL_LEDGER_SECTIONS);
	coder__string(coder, &count->name);
	coder__u64(coder, &count->value);
}
