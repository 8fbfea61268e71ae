// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The names of these members are a contract: docs/JSON.md.
#include "json_rows.h"

#include "view_internal.h"

#include "../model/name.h"

void json_rows__time(struct json_writer *json, const char *name, uint64_t time_ns)
{
	if (time_ns)
		json_writer__number(json, name, time_ns);
	else
		json_writer__null(json, name);
}

void json_rows__window(struct json_writer *json, const char *name,
		       const uint64_t window_ns[2])
{
	json_writer__array(json, name);
	json_writer__number(json, NULL, window_ns[0]);
	json_writer__number(json, NULL, window_ns[1]);
	json_writer__end(json);
}

void json_rows__function(struct json_writer *json, const struct model_body *body)
{
	if (body->flags & MODEL_BODY_FUNCTION_UNKNOWN)
		json_writer__null(json, "function_id");
	else
		json_writer__hex(json, "function_id", body->function_id);
}

void json_rows__rejit(struct json_writer *json, const struct model_body *body)
{
	if (body->flags & MODEL_BODY_REJIT_UNKNOWN)
		json_writer__null(json, "rejit_id");
	else
		json_writer__number(json, "rejit_id", body->rejit_id);
}

void json_rows__osr(struct json_writer *json, const struct model_body *body)
{
	if (body->osr_il_offset == TS_NO_IL_OFFSET)
		json_writer__null(json, "osr_il_offset");
	else
		json_writer__number(json, "osr_il_offset", body->osr_il_offset);
}

void json_rows__code(struct json_writer *json, const struct model_body *body)
{
	if (body->flags & MODEL_BODY_VERSION_UNKNOWN)
		json_writer__null(json, "native_version");
	else
		json_writer__number(json, "native_version", body->native_version);
	json_writer__string(json, "tier", name__tier(view__tier(body)));
	json_writer__hex(json, "start", body->start);
	json_writer__number(json, "size", body->size);
}

void json_rows__patch(struct json_writer *json, const struct model_patch *patch)
{
	json_rows__window(json, "window_ns", patch->window_ns);
	json_writer__hex(json, "cell", patch->cell);
	json_writer__string(json, "target", name__target(patch->target));
}

void json_rows__active(struct json_writer *json, const struct model_active *active,
		       uint32_t body)
{
	if (!active)
		json_writer__null(json, "active");
	else
		json_writer__bool(json, "active", active->body == body);
}

void json_rows__active_version(struct json_writer *json, const struct model *model,
			       const struct model_active *active)
{
	json_writer__number(json, "rejit_id", active->rejit_id);
	if (active->code == MODEL_ACTIVE_NO_VERSION)
		json_writer__null(json, "native_version");
	else
		json_writer__number(json, "native_version", active->native_version);
	if (active->body == MODEL_NONE)
		json_writer__null(json, "start");
	else
		json_writer__hex(json, "start", model__body(model, active->body)->start);
	if (active->code == MODEL_ACTIVE_UNKNOWN)
		json_writer__null(json, "has_body");
	else
		json_writer__bool(json, "has_body", active->code == MODEL_ACTIVE_BODY);
	json_writer__number(json, "seen_ns", active->seen_ns);
}

void json_rows__in_vain(struct json_writer *json, const struct model_body *body)
{
	if (body->flags & MODEL_BODY_LOST_RACE)
		json_writer__string(json, "in_vain", "lost_race");
	else if (body->flags & MODEL_BODY_NEVER_ACTIVE)
		json_writer__string(json, "in_vain", "never_active");
	else
		json_writer__null(json, "in_vain");
}
