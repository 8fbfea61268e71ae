/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* What the JSON views say alike of bodies and patches: members of the open object. */
#ifndef TIERSCOPE_VIEW_JSON_ROWS_H
#define TIERSCOPE_VIEW_JSON_ROWS_H

#include "json_writer.h"

#include "../model/model.h"

/* 0 stands for "not", which is null outside. */
void json_rows__time(struct json_writer *json, const char *name, uint64_t time_ns);
void json_rows__window(struct json_writer *json, const char *name,
		       const uint64_t window_ns[2]);
/* These are null where the body does not know them. */
void json_rows__function(struct json_writer *json, const struct model_body *body);
void json_rows__rejit(struct json_writer *json, const struct model_body *body);
void json_rows__osr(struct json_writer *json, const struct model_body *body);
/* native_version (or null), tier, start, size. */
void json_rows__code(struct json_writer *json, const struct model_body *body);

/* active: of what the runtime prefers for the function, NULL: not known. */
void json_rows__active(struct json_writer *json, const struct model_active *active,
		       uint32_t body);
/* rejit_id, native_version, start, has_body, seen_ns. */
void json_rows__active_version(struct json_writer *json, const struct model *model,
			       const struct model_active *active);
/* in_vain: why the runtime has no use for the body, or null. */
void json_rows__in_vain(struct json_writer *json, const struct model_body *body);

/* window_ns, cell, target. */
void json_rows__patch(struct json_writer *json, const struct model_patch *patch);

#endif /* TIERSCOPE_VIEW_JSON_ROWS_H */
