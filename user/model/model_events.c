// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Events that were recorded, and which of them are time.
#include "model_internal.h"

#include <string.h>

uint32_t model__add_event(struct model *model, const struct model_event *event)
{
	if (model->events_count >= MODEL_EVENTS_MAX)
		return MODEL_NONE;
	model->events[model->events_count] = *event;
	return model->events_count++;
}

const struct model_event *model__event(const struct model *model, uint32_t index)
{
	return index < model->events_count ? &model->events[index] : NULL;
}

uint32_t model__events(const struct model *model)
{
	return model->events_count;
}

static bool is_named(const struct model *model, uint32_t event, const char *name)
{
	return event < model->events_count &&
	       !strcmp(model__text(model, model->events[event].name), name);
}

bool model__is_clock(const struct model *model, uint32_t event)
{
	return is_named(model, event, "cpu-clock") || is_named(model, event, "task-clock");
}

bool model__is_off_cpu(const struct model *model, uint32_t event)
{
	return is_named(model, event, "off-cpu");
}

uint32_t model__clock(const struct model *model)
{
	for (uint32_t i = 0; i < model->events_count; i++)
		if (model__is_clock(model, i))
			return i;
	return MODEL_NONE;
}

uint32_t model__off_cpu(const struct model *model)
{
	for (uint32_t i = 0; i < model->events_count; i++)
		if (model__is_off_cpu(model, i))
			return i;
	return MODEL_NONE;
}
