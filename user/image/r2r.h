/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The ReadyToRun part of an image: its sections, and from them the rows (one
 * per RUNTIME_FUNCTION) and the bodies that own them.
 */
#ifndef TIERSCOPE_IMAGE_R2R_H
#define TIERSCOPE_IMAGE_R2R_H

#include "image.h"
#include "pe.h"

/* Sections in use (readytorun.h, ReadyToRunSectionType). */
#define R2R_RUNTIME_FUNCTIONS	  102
#define R2R_METHOD_ENTRY_POINTS	  103
#define R2R_INSTANCE_ENTRY_POINTS 109
#define R2R_MANIFEST_METADATA	  112
#define R2R_COMPONENT_ASSEMBLIES  115
#define R2R_HOT_COLD_MAP	  120

#define R2R_NO_INSTANCE UINT32_MAX

struct r2r {
	uint16_t major, minor;
	uint32_t flags;
	struct pe_range functions, methods, instances, manifest, hot_cold;
	bool composite;
};

/* -ENODATA no ReadyToRun code, -EBADMSG damaged, -ENOTSUP composite. */
int r2r__parse(const struct pe *pe, struct r2r *ret_r2r);

struct r2r_tables {
	struct image_row *rows;
	struct image_body *bodies;
	uint32_t rows_count, bodies_count;
};

/*
 * Reads both tables; `methods` is how many MethodDefs the metadata has.  The
 * caller frees the two arrays, also after an error.  0 or -EBADMSG.
 */
int r2r__tables(const struct pe *pe, const struct r2r *r2r, uint32_t methods,
		struct r2r_tables *ret_tables);

#endif /* TIERSCOPE_IMAGE_R2R_H */
