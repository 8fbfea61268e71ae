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
#define R2R_INLININGS		  114
#define R2R_COMPONENT_ASSEMBLIES  115
#define R2R_COMPONENT_MVIDS	  118
#define R2R_CROSS_MODULE_INLININGS 119
#define R2R_HOT_COLD_MAP	  120

#define R2R_COMPONENT_BYTES 16 /* CLI header, ReadyToRun core header: RVA and size each */
#define R2R_MVID_BYTES	    16

#define R2R_NO_INSTANCE UINT32_MAX

struct r2r {
	uint16_t major, minor;
	uint32_t flags;
	struct pe_range functions, methods, instances, manifest, hot_cold;
	struct pe_range components, mvids; /* of a composite image */
	struct pe_range inlinings, cross_module_inlinings;
};

/* -ENODATA no ReadyToRun code of its own, -EBADMSG damaged. */
int r2r__parse(const struct pe *pe, struct r2r *ret_r2r);

/* How many assemblies a composite image holds; 0: it is no such image. */
static inline uint32_t r2r__components(const struct r2r *r2r)
{
	return r2r->components.size / R2R_COMPONENT_BYTES;
}

/* Of one component: its section of that type, empty if it has none.  `list` is at its entry
 * of the component assemblies and moves behind it; `budget` counts down sections.  0 or
 * -EBADMSG. */
int r2r__component_section(const struct pe *pe, struct cursor *list, uint32_t *budget,
			   uint32_t type, struct pe_range *ret_range);

struct r2r_tables {
	struct image_row *rows;
	struct image_body *bodies;
	uint32_t rows_count, bodies_count;
};

/*
 * Reads both tables; `methods` is how many MethodDefs the metadata has, where the image
 * is one assembly; `core_library`: it is that one.  The caller frees the two arrays, also
 * after an error.  0 or -EBADMSG.
 */
int r2r__tables(const struct pe *pe, const struct r2r *r2r, uint32_t methods,
		bool core_library, struct r2r_tables *ret_tables);

#endif /* TIERSCOPE_IMAGE_R2R_H */
