// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// See stat_ratio.h.
#include "stat_ratio.h"

#include <string.h>

static uint32_t find_event(const struct model *model, const char *name)
{
	for (uint32_t i = 0; i < model__events(model); i++)
		if (!strcmp(model__text(model, model__event(model, i)->name), name))
			return i;
	return MODEL_NONE;
}

static bool ends_in_misses(const char *name)
{
	size_t size = strlen(name);

	return size > 7 && !strcmp(name + size - 7, "-misses");
}

unsigned int stat_ratio__find(const struct model *model,
			      struct stat_ratio ret_ratios[MODEL_EVENTS_MAX])
{
	uint32_t instructions = find_event(model, "instructions");
	uint32_t cycles = find_event(model, "cycles");
	unsigned int count = 0;

	if (instructions == MODEL_NONE)
		return 0;
	if (cycles != MODEL_NONE)
		ret_ratios[count++] = (struct stat_ratio){ "IPC", "", instructions, cycles, 1 };
	for (uint32_t i = 0; i < model__events(model); i++) {
		const char *name = model__text(model, model__event(model, i)->name);

		if (ends_in_misses(name))
			ret_ratios[count++] = (struct stat_ratio){ name, "/1k", i,
								   instructions, 1000 };
	}
	return count;
}

bool stat_ratio__of(const struct model *model, const struct stat_ratio *ratio,
		    const uint64_t samples[MODEL_EVENTS_MAX], double *ret_value)
{
	double above = (double)samples[ratio->above] *
		       (double)model__event(model, ratio->above)->period;
	double below = (double)samples[ratio->below] *
		       (double)model__event(model, ratio->below)->period;

	if (!(below > 0))
		return false;
	*ret_value = ratio->scale * above / below;
	return true;
}
