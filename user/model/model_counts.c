// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Counts of the ledger, by section and name.
#include "model_internal.h"

#include "../base/alloc.h"

#include <string.h>

void model__set_count(struct model *model, enum model_ledger_section section,
		      const char *name, uint64_t value)
{
	string_id string = model__string(model, name);
	uint64_t known;

	if ((unsigned int)section >= MODEL_LEDGER_SECTIONS)
		return;
	if (map__get(model->count_numbers, section, string, &known)) {
		model->counts[known].value = value;
		return;
	}
	alloc__grow(model->counts, model->counts_count, model->counts_capacity);
	model->counts[model->counts_count] = (struct model_count){
		.section = section,
		.name = string,
		.value = value,
	};
	map__set(model->count_numbers, section, string, model->counts_count++);
}

uint64_t model__count(const struct model *model, enum model_ledger_section section,
		      const char *name)
{
	for (uint32_t i = 0; i < model->counts_count; i++) {
		const struct model_count *count = &model->counts[i];

		if (count->section == section &&
		    !strcmp(model__text(model, count->name), name))
			return count->value;
	}
	return 0;
}

void model__drop_counts(struct model *model)
{
	map__free(model->count_numbers);
	model->count_numbers = map__new();
	model->counts_count = 0;
}

const struct model_count *model__count_at(const struct model *model, uint32_t index)
{
	return index < model->counts_count ? &model->counts[index] : NULL;
}

uint32_t model__counts(const struct model *model)
{
	return model->counts_count;
}
